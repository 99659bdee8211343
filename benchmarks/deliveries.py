"""The first delivery of the whole province: what waits counted, the delivery made, both files written.

    python -m benchmarks.deliveries

Over the demo that is loaded, with what `./run --full` prints as DATABASE_URL. In one transaction that is rolled back, in which
nothing was delivered before. What it gave last: docs/decisions/0035.
"""

import tempfile
from datetime import date
from pathlib import Path
from resource import RUSAGE_SELF, getrusage
from time import perf_counter
from uuid import uuid4

from django.db import transaction

from benchmarks import django_setup  # noqa: F401
from census_verify import clock
from households.models import User
from reports.deliveries import files, making, waiting
from reports.deliveries.models import DeliveryLine
from verification.models import Round


def timed(name: str, work):
    started = perf_counter()
    result = work()
    print(f"{name}: {perf_counter() - started:.1f} s, peak {getrusage(RUSAGE_SELF).ru_maxrss // 1024} MB")
    return result


def main() -> None:
    pc06, round = User.objects.get(username="pc06"), Round.objects.current()
    DeliveryLine.objects.update(stands=False)
    print(f"rows: {timed('counting', lambda: waiting.summary(round.area)).rows}")
    days = {"first": date(round.starts_on.year, 1, 1), "last": clock.today()}
    asked = {"area": round.area, "round": round, "request": uuid4(), "by": pc06} | days
    delivery = timed("making", lambda: making.make(**asked))
    with tempfile.TemporaryDirectory() as folder:
        for format in ("json", "csv"):
            path = Path(folder) / format
            timed(format, lambda format=format, path=path: files.write(delivery, format, path, lambda done: None))
            print(f"  {path.stat().st_size / 2**20:.0f} MB")


if __name__ == "__main__":
    with transaction.atomic():
        main()
        transaction.set_rollback(True)
