"""Server time of the pages, of saving a household, and of the roll-up after it, on the province as it stands.

Median of many requests in one process, without the network; beside each the number of queries and the
ratio to two limits of the same run: the bare view (/healthz) and one grouped count of the whole register.
"""

import os
import platform
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import django

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "census_verify.settings")
django.setup()

from django.conf import settings  # noqa: E402
from django.db import connection  # noqa: E402
from django.test import Client  # noqa: E402
from django.test.utils import CaptureQueriesContext  # noqa: E402
from django.urls import reverse  # noqa: E402

from census_verify import clock  # noqa: E402
from households.models import AdministrativeUnit, CollectionForm, User  # noqa: E402
from reports import rollups  # noqa: E402
from verification import services, work  # noqa: E402
from verification.models import Round, VerificationPass  # noqa: E402

TIMES = 40


def median_ms(action: Callable, times: int = TIMES) -> tuple[float, float]:
    """(median, 95th percentile) in milliseconds, the first two runs not counted."""
    spent = []
    for _ in range(times + 2):
        started = time.perf_counter()
        action()
        spent.append((time.perf_counter() - started) * 1000)
    spent = sorted(spent[2:])
    return statistics.median(spent), spent[int(len(spent) * 0.95) - 1]


def queries_of(action: Callable) -> int:
    with CaptureQueriesContext(connection) as queries:
        action()
    return len(queries)


def logged_in(username: str) -> Client:
    client = Client(headers={"host": settings.ALLOWED_HOSTS[0]})
    client.force_login(User.objects.get(username=username), "households.backends.OfficerBackend")
    return client


def page(client: Client, address: str) -> Callable:
    def get():
        answer = client.get(address)
        assert answer.status_code == 200, (address, answer.status_code)

    return get


class Saves:
    """Saves the next household as the officer would, keeps what it cost, and undoes it."""

    def __init__(self, client: Client, officer: User, round: Round, commune: AdministrativeUnit):
        self.client, self.officer, self.round, self.commune = client, officer, round, commune
        self.save_ms, self.rollup_ms, self.queries, self.rollup_queries = [], [], 0, 0

    def once(self) -> None:
        household = work.next_household(self.round, self.commune.pk, today=clock.today())
        fields = {"submission": uuid4(), "methods": "both", "verified_on": f"{clock.today():%d/%m/%Y}"}
        rows = household.round_forms.filter(round=self.round)
        for row in rows:
            if row.is_due(self.round, clock.today()):
                fields[f"p{row.form_id}-outcome"] = "matched"
                fields[f"p{row.form_id}-expected_pass"] = row.standing_pass_id or ""
        address = reverse("verification:household_verify", args=[household.pk])
        with CaptureQueriesContext(connection) as queries:
            started = time.perf_counter()
            answer = self.client.post(address, fields)
            self.save_ms.append((time.perf_counter() - started) * 1000)
        assert answer.status_code == 302, answer.content[:2000]
        self.queries = len(queries)
        with CaptureQueriesContext(connection) as queries:
            started = time.perf_counter()
            touched = rollups.roll_up()
            self.rollup_ms.append((time.perf_counter() - started) * 1000)
        self.rollup_queries = len(queries)
        assert touched in ({self.round.pk: {self.commune.pk}}, {}), touched
        services.undo_submission(submission=fields["submission"], by=self.officer)
        rollups.roll_up()


def main() -> None:
    if not clock.training_day():
        sys.exit("Only in training mode: set CENSUS_VERIFY_TODAY.")
    round = Round.objects.current()
    commune_officer, pc06 = logged_in("xa.huongtra"), logged_in("pc06")
    officer = User.objects.get(username="xa.huongtra")
    commune = officer.postings.get().unit
    household = work.next_household(round, commune.pk, today=clock.today())
    actions = {
        "bare view (/healthz)": page(pc06, "/healthz"),
        "household page": page(commune_officer, reverse("verification:household_verify", args=[household.pk])),
        "commune page": page(commune_officer, reverse("reports:home")),
        "province page": page(pc06, "/"),
        "district page": page(pc06, reverse("reports:unit_detail", args=[commune.parent_id])),
        "list of 100 forms": page(commune_officer, reverse("verification:form_list", args=[commune.pk]) + "?state=all"),
    }
    rows = [(name, *median_ms(action), queries_of(action)) for name, action in actions.items()]
    saves = Saves(commune_officer, officer, round, commune)
    for _ in range(TIMES):
        saves.once()
    for name, spent, queries in (
        ("save of a household", saves.save_ms, saves.queries),
        ("roll-up after one save", saves.rollup_ms, saves.rollup_queries),
    ):
        spent = sorted(spent[2:])
        rows.append((name, statistics.median(spent), spent[int(len(spent) * 0.95) - 1], queries))

    def count_the_register():
        with connection.cursor() as cursor:
            cursor.execute("SELECT commune_id, outcome, count(*) FROM verification_roundform GROUP BY 1, 2")
            cursor.fetchall()

    grouped = median_ms(count_the_register, 5)
    rows.append(("limit: one grouped count of the register", *grouped, 1))
    report(rows, grouped[0])


def report(rows: list[tuple], grouped: float) -> None:
    bare = rows[0][1]
    lines = [
        "# Performance",
        "",
        f"Written by `python benchmarks/pages.py` on {time.strftime('%d/%m/%Y')}: "
        f"{CollectionForm.objects.count():,} forms, {VerificationPass.objects.count():,} passes; "
        f"PostgreSQL {connection.pg_version // 10000}, Python {platform.python_version()}, {os.cpu_count()} cores "
        "shared by database and program, one process, warm cache. Server time, without the network.",
        "",
        "| what | median ms | p95 ms | queries | ÷ bare view | ÷ grouped count |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for name, median, p95, queries in rows:
        lines.append(
            f"| {name} | {median:.1f} | {p95:.1f} | {queries} | {median / bare:.1f} | {median / grouped:.3f} |"
        )
    text = "\n".join(lines) + "\n"
    (ROOT / "docs" / "performance.md").write_text(text, "utf-8")
    print(text)


if __name__ == "__main__":
    main()
