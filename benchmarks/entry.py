"""Entry: the whole save of the product over HTTP, against a bare Django entry on the same server and against pgbench."""

import re
import subprocess
import tempfile
from pathlib import Path

from django.db import connection

from benchmarks import limits
from benchmarks.measure import Line, Options, Readings, Skipped, quiet
from benchmarks.saves import households
from benchmarks.web import BARE, Load, server, wrk

TITLE = "Entry over HTTP"
CLIENTS = 16
PGBENCH_ENTRY = """\\set id random(1, :rows)
BEGIN;
UPDATE benchmark.form SET status = 2, verified_at = now(), verified_by = 7 WHERE id = :id;
INSERT INTO benchmark.verification (form_id, officer_id, result, note, at) VALUES (:id, 7, 2, 'đã phúc tra', now());
COMMIT;
"""


def run(options: Options) -> list[Line]:
    rows = limits.make_bare_tables()
    left, seen = households(), Readings()
    with server(BARE) as (bare_port, _), server() as (port, _):
        bare = limits.bare_entries(limits.bare_cookies(), rows)
        enough = int(500 * options.seconds)
        for _ in range(options.rounds):
            for name, load in {
                "bare": lambda: wrk(bare_port, bare, clients=CLIENTS, seconds=options.seconds).only(201),
                "one": lambda: _save(port, left, 1, enough, options),
                "four": lambda: _save(port, left, 4, enough, options),
                "one alone": lambda: _save(port, left, 1, enough // 4, options, clients=1),
                "bare alone": lambda: wrk(bare_port, bare, clients=1, seconds=options.seconds / 2).only(201),
            }.items():
                quiet(options.quiet_seconds)
                measured = load()
                seen.add(name, measured.per_second)
                seen.add(f"{name} p95", measured.p95)
                seen.add(f"{name} p50", measured.p50)
            quiet(options.quiet_seconds)
            seen.add("pgbench", pgbench(PGBENCH_ENTRY, CLIENTS, options.seconds, rows=rows))
    limits.drop_bare_tables()
    return [
        seen.ratio("save of a single person: saves/s", "one", "bare", more=True, must=0.5, aim=0.75,
                   against="bare Django entry, the same server", read_in="/s"),
        seen.ratio("the same against the database alone", "one", "pgbench", more=True, must=0.04, aim=0.07,
                   against="pgbench of the same UPDATE + INSERT, 16 clients", read_in="/s"),
        seen.ratio("save of a household of four: saves/s", "four", "one", more=True, must=0.6, aim=0.75,
                   against="save of a single person", read_in="/s"),
        seen.ratio("p95 of a save at 16 officers", "one p95", "bare p95", must=2.5, aim=1.5,
                   against="p95 of the bare entry", read_in="ms"),
        seen.ratio("one officer alone: time of a save", "one alone p50", "bare alone p50",
                   against="p50 of the bare entry", read_in="ms"),
    ]  # fmt: skip


def _save(port: int, left, people: int, count: int, options: Options, clients: int = CLIENTS) -> Load:
    requests = left.requests(people, count)
    before = _passes()
    load = wrk(port, requests, clients=clients, seconds=options.seconds, repeat=False).only(302)
    recorded = _passes() - before
    if recorded < load.requests * people:
        raise RuntimeError(f"{load.requests} saves of {people} were answered, {recorded} results are there")
    return load


def _passes() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT last_value FROM verification_verificationpass_id_seq")
        return cursor.fetchone()[0]


def pgbench(script: str, clients: int, seconds: float, **variables) -> float:
    """Transactions a second of a pgbench script."""
    settings = connection.settings_dict
    with tempfile.TemporaryDirectory(prefix="benchmark-pgbench-") as folder:
        file = Path(folder) / "script.sql"
        file.write_text(script, "utf-8")
        command = ["pgbench", "-n", "-M", "prepared", "-f", str(file), "-c", str(clients), "-j", "2"]
        command += ["-T", str(max(1, round(seconds))), *(f"-D{name}={value}" for name, value in variables.items())]
        for option, value in (("-h", settings["HOST"]), ("-p", settings["PORT"]), ("-U", settings["USER"])):
            command += [option, str(value)] if value else []
        try:
            out = subprocess.run([*command, settings["NAME"]], capture_output=True, text=True, check=True)
        except FileNotFoundError:
            raise Skipped("pgbench is not installed: apt install postgresql-contrib") from None
        except subprocess.CalledProcessError as broken:
            raise RuntimeError(broken.stderr[-2000:]) from None
    return float(re.search(r"tps = ([\d.]+)", out.stdout)[1])
