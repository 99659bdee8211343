"""Forms and forms in a round partitioned by province, against the plain tables, at 15 million forms (decision 0016).

Works in the large database of the growth job; the partitioned copies lie in a schema of their own and stay until they are
dropped (`DROP SCHEMA parted CASCADE`): they take some ten minutes and 16 GB to make.
"""

import json
import shutil

from benchmarks import growth, limits
from benchmarks.measure import Line, Options, Readings, Skipped, quiet
from benchmarks.report import number
from benchmarks.web import python

TITLE = "Partitioned by province, at 15 million forms"
NEEDED_GB = 24


def run(options: Options) -> tuple[list[Line], str]:
    database = options.large or f"{limits.database_name()}_15m"
    if not growth.exists(database):
        raise Skipped(f"there is no database {database}: run the growth job first")
    env = growth.env_of(database)
    built, _, _ = python("benchmarks.partition_figures", "is-built", env=env)
    if "yes" not in built:
        python("benchmarks.partition_figures", "drop", env=env)  # copies of older tables give their space back first
        free = shutil.disk_usage("/").free / 2**30
        if free < NEEDED_GB:
            raise Skipped(f"{free:.0f} GB are free on the disk, the copies want {NEEDED_GB}")
        print("   making the partitioned copies: some ten minutes and 16 GB", flush=True)
        python("benchmarks.partition_figures", "build", env=env)
    seen, sizes = Readings(), {}
    for _ in range(options.rounds):
        quiet(options.quiet_seconds)
        printed, _, _ = python("benchmarks.partition_figures", "measure", env=env)
        told = json.loads(printed.splitlines()[-1])
        sizes = told["sizes"]
        for what, value in told["readings"].items():
            seen.add(what, value)
    names = list(dict.fromkeys(what.rsplit(" / ", 1)[0] for what in seen.of))
    lines = [
        seen.ratio(name, f"{name} / partitioned", f"{name} / plain", against="the plain table",
                   more=name.endswith("/s"), read_in="/s" if name.endswith("/s") else "ms")
        for name in names if f"{name} / plain" in seen.of
    ]  # fmt: skip
    text = ["| on disk, MB | plain | partitioned |", "| --- | ---: | ---: |"]
    for what, (plain, parted) in sizes.items():
        text.append(f"| {what} | {number(plain / 2**20)} | {number(parted / 2**20)} |")
    return lines, "\n".join(text) + "\n"
