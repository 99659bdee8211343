"""`python -m benchmarks [--only entry,pages] [--rounds 5] [--quick]`: measures, and writes docs/performance.md.

Against a copy of the demo province (training mode only): results are recorded and stay.
"""

import argparse
import importlib
import sys
import time
import traceback

from django.core.management import call_command

from benchmarks import django_setup, machine, report  # noqa: F401
from benchmarks.measure import Line, Options, Skipped
from census_verify import clock

# In this order: what changes the register least comes first.
JOBS = [
    "pages", "search", "exports", "imports", "entry", "rollup", "database_entry", "freshness",
    "country", "login_storm", "cut_off", "mixed_load", "memory", "growth", "partitions",
]  # fmt: skip


def main() -> int:
    options, jobs = _parse()
    if not clock.training_day():
        sys.exit(
            "Only in training mode: set CENSUS_VERIFY_TODAY=2020-06-19, and DATABASE_URL to a copy of the demo province."
        )
    call_command("collectstatic", interactive=False, verbosity=0)
    facts = machine.facts()
    broken = []
    for name in jobs:
        job = importlib.import_module(f"benchmarks.{name}")
        started = time.monotonic()
        print(f"\n== {job.TITLE}", flush=True)
        try:
            measured = job.run(options)
        except Skipped as why:
            print(f"   skipped: {why}")
            report.keep(name, job.TITLE, [], facts, skipped=str(why))
        except Exception:
            traceback.print_exc()
            broken.append(name)
        else:
            lines, tables = measured if isinstance(measured, tuple) else (measured, "")
            _show(lines)
            report.keep(name, job.TITLE, lines, facts, tables=tables)
        print(f"   {time.monotonic() - started:.0f} s", flush=True)
        report.write(JOBS)
    if broken:
        print(f"\nbroken: {', '.join(broken)}", file=sys.stderr)
    return 1 if broken else 0


def _show(lines: list[Line]) -> None:
    for line in lines:
        low, high = min(line.values), max(line.values)
        print(
            f"   {line.what:60.60s} {report.number(line.median):>9s} {line.unit:6s} ({report.number(low)}–{report.number(high)})"
            f"  {report.verdict(line)}"
        )


def _parse() -> tuple[Options, list[str]]:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="rounds of each job (default 5)")
    parser.add_argument("--only", default="", help=f"these jobs, by commas: {', '.join(JOBS)}")
    parser.add_argument("--quick", action="store_true", help="one short round, to see that everything works")
    parser.add_argument("--minutes", type=float, default=10, help="how long the mixed load lasts (default 10)")
    parser.add_argument("--officers", type=int, default=300, help="officers of the mixed load (default 300)")
    parser.add_argument(
        "--small", default="", help="database with 150 thousand forms (default: NAME_150k, made if missing)"
    )
    parser.add_argument(
        "--large", default="", help="database with 15 million forms (default: NAME_15m, made if missing)"
    )
    given = parser.parse_args()
    jobs = [name for name in given.only.split(",") if name] or JOBS
    if unknown := set(jobs) - set(JOBS):
        parser.error(f"there is no job called {', '.join(sorted(unknown))}")
    options = Options(
        rounds=1 if given.quick else given.rounds,
        quick=given.quick,
        minutes=min(given.minutes, 0.5) if given.quick else given.minutes,
        officers=given.officers,
        quiet_seconds=0 if given.quick else 10,
        small=given.small,
        large=given.large,
    )
    return options, jobs


if __name__ == "__main__":
    sys.exit(main())
