"""How costs grow: the same figures with 150 thousand, 1,5 million and 15 million forms, and what a form takes on disk."""

import json
import os
import statistics
import subprocess
import sys
from urllib.parse import urlsplit, urlunsplit

import psycopg2
from django.db import connection

from benchmarks import limits
from benchmarks.measure import Line, Options, Readings, Skipped, quiet
from benchmarks.report import number
from benchmarks.web import python

TITLE = "Growth: 150 thousand, 1,5 million, 15 million forms"
SIZES = ("150k", "1.5m", "15m")
TIMES = {"export of a commune (CSV)": 3, "one grouped count of everything": 1}  # a round; of the others 31
# at most so much slower from 1,5 to 15 million forms; what is not named here may grow
FLAT = {
    "household page": "flat",
    "save of a household of four": "flat",
    "commune page": "flat",
    "commune page, made anew": "flat",
    "province page": "flat",
    "province page, made anew": "flat",
    "list of 100 forms": "flat",
    "roll-up after one save": "flat",
    "search in a commune": "flat",
    "search over a province": "by province",
    "search by number": "flat",
    "export of a commune (CSV)": "flat",
    "one grouped count of everything": "linear",
}


def run(options: Options) -> tuple[list[Line], str]:
    name = limits.database_name()
    databases = dict(zip(SIZES, (options.small or f"{name}_150k", name, options.large or f"{name}_15m"), strict=True))
    _make_small(databases["150k"])
    _make_large(name, databases["15m"])
    seen, sizes = Readings(), {}
    for _ in range(options.rounds):
        quiet(options.quiet_seconds)
        for size, told in _round(databases, options.quick).items():
            sizes[size] = told.sizes
            for what, spent in told.ms.items():
                seen.add(f"{what} {size}", statistics.median(spent))
    lines = []
    for what, kind in FLAT.items():
        if f"{what} 15m" in seen.of:
            must, aim = (1.2, 1.0) if what == "province page" else (None, None)
            lines.append(
                seen.ratio(f"{what}: 15 million over 1,5 million forms", f"{what} 15m", f"{what} 1.5m",
                           must=must, aim=aim, against=kind, read_in="ms")
            )  # fmt: skip
    each = sizes["15m"]["bytes"]["everything"] / sizes["15m"]["forms"]
    lines.append(Line("bytes a form on disk, everything included", [each], "bytes", note="at 15 million forms"))
    return lines, _tables(seen, sizes)


class Asked:
    """A process that holds one database's actions ready (growth_figures.py)."""

    def __init__(self, database: str):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.growth_figures"], env=os.environ | env_of(database),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        told = self.hear()
        self.officers, self.sizes = told["officers"], told["sizes"]
        self.ms: dict[str, list[float]] = {}

    def say(self, line: str) -> None:
        print(line, file=self.process.stdin, flush=True)

    def hear(self):
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"growth_figures ended with {self.process.wait()}")
        return json.loads(line)

    def ask(self, action: str) -> float:
        self.say(action)
        return self.hear()


def _round(databases: dict[str, str], is_quick: bool) -> dict[str, Asked]:
    """One round: each action in all databases in turn, call by call, so that what else the machine does meets all alike."""
    asked: dict[str, Asked] = {}
    try:
        for size, database in databases.items():
            asked[size] = Asked(database)
        officer = _officer([one.officers for one in asked.values()])
        for one in asked.values():
            one.say(officer)
            actions = one.hear()
        for action in actions:
            for one in asked.values():  # what is read, planned and compiled the first times
                one.ask(action)
                one.ask(action)
            times = TIMES.get(action, 3 if is_quick else 31)
            for _ in range(times):
                for one in asked.values():
                    one.ms.setdefault(action, []).append(one.ask(action))
        return asked
    finally:
        for one in asked.values():
            one.process.stdin.close()
            one.process.terminate()
            one.process.wait()


def _officer(having_due: list[list[str]]) -> str:
    """A commune officer who in every database has a household of four to save; the first, so that rounds are alike."""
    for officer in having_due[0]:
        if all(officer in others for others in having_due):
            return officer
    raise Skipped(
        "no commune of the demo province has, in all three databases, a household of four that nobody has recorded: "
        "use a fresh copy of the demo province, and drop NAME_150k and NAME_15m"
    )


def _tables(seen: Readings, sizes: dict[str, dict]) -> str:
    heads = [f"{number(sizes[size]['forms'])} forms" for size in SIZES]
    text = [f"| median ms | {' | '.join(heads)} | 1,5 m → 15 m |", "| --- | ---: | ---: | ---: | ---: |"]
    for what in FLAT:
        if f"{what} 15m" in seen.of:
            medians = [sorted(seen.of[f"{what} {size}"])[len(seen.of[f"{what} {size}"]) // 2] for size in SIZES]
            text.append(f"| {what} | {' | '.join(map(number, medians))} | {number(medians[2] / medians[1])} |")
    text += ["", f"| bytes a form | {' | '.join(heads)} |", "| --- | ---: | ---: | ---: |"]
    for what in sizes["1.5m"]["bytes"]:
        each = [sizes[size]["bytes"].get(what, 0) / sizes[size]["forms"] for size in SIZES]
        text.append(f"| {what} | {' | '.join(map(number, each))} |")
    return "\n".join(text) + "\n"


def env_of(database: str) -> dict[str, str]:
    """The environment of the same program on another database of the same server."""
    address = urlsplit(os.environ["DATABASE_URL"])
    return {"DATABASE_URL": urlunsplit(address._replace(path=f"/{database}"))}


def exists(database: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_database WHERE datname = %s", [database])
        return bool(cursor.fetchone()[0])


def _make_small(database: str) -> None:
    if exists(database):
        return
    print(f"   making {database}", flush=True)
    create_database(database)
    for command in (["migrate", "-v0"], ["import_units"], ["seed_demo", "--share", "0.1"]):
        subprocess.run([sys.executable, "manage.py", *command], env=os.environ | env_of(database), check=True)


def _make_large(source: str, database: str) -> None:
    if exists(database):
        return
    print(f"   making {database}: 15 million forms, some twenty minutes and 25 GB", flush=True)
    create_database(database, template=source)
    python("benchmarks.growth_register", env=env_of(database))


def create_database(database: str, template: str = "template0") -> None:
    """A new database, empty or a copy of one that nobody else is connected to."""
    connection.close()
    address = urlsplit(os.environ["DATABASE_URL"])
    other = psycopg2.connect(urlunsplit(address._replace(path="/postgres")))
    try:
        other.autocommit = True
        other.cursor().execute(f'CREATE DATABASE "{database}" TEMPLATE "{template}" STRATEGY file_copy')
    except psycopg2.Error as refused:
        raise Skipped(f"{database} could not be made of {template}: {str(refused).strip()}") from None
    finally:
        other.close()
