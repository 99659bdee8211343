"""`python -m benchmarks.growth_figures`: key figures of one database, as JSON. One process, without the network."""

import json
import sys
from urllib.parse import quote
from uuid import uuid4

from django.conf import settings
from django.db import connection, transaction
from django.test import Client
from django.urls import NoReverseMatch, reverse

from benchmarks import django_setup  # noqa: F401
from benchmarks.measure import clock
from benchmarks.saves import Due
from census_verify import clock as program_clock
from households.models import CollectionForm, Household, User
from reports import exports, rollups
from reports.models import Export
from verification import work
from verification.models import RollupMark, Round, RoundForm

TIMES = 15
TABLES = {
    "forms": "households_collectionform",
    "households": "households_household",
    "forms in a round": "verification_roundform",
    "passes": "verification_verificationpass",
    "corrections": "verification_correction",
    "events": "verification_passevent",
}


def main(times: int) -> dict:
    round = Round.objects.current()
    pc06, officer = (User.objects.get(username=name) for name in ("pc06", "xa.huongtra"))
    high, low = _client(pc06), _client(officer)
    commune = officer.postings.get().unit
    household = work.next_household(round, commune.pk, today=program_clock.today())
    actions = {
        "household page": _page(low, reverse("verification:household_verify", args=[household.pk])),
        "commune page": _page(low, "/"),
        "province page": _page(high, "/"),
        "list of 100 forms": _page(low, f"/units/{commune.pk}/forms/?state=all"),
    }
    actions |= _searches(high, low, commune)
    ms = {name: _median(action, times) for name, action in actions.items()}
    ms |= _saves(low, round, commune, household, times)
    ms["roll-up after one save"] = _median(lambda: _roll_up(round, commune), times)
    ms["export of a commune (CSV)"] = _median(lambda: _export(round, commune, officer), 3)
    ms["one grouped count of everything"] = _median(_count, 1)
    return {"ms": ms, "sizes": _sizes()}


def _client(user: User) -> Client:
    client = Client(headers={"host": "localhost"})
    client.force_login(user, settings.AUTHENTICATION_BACKENDS[-1])
    return client


def _page(client: Client, address: str):
    def get():
        answer = client.get(address)
        assert answer.status_code == 200, (address, answer.status_code)

    return get


def _median(action, times: int) -> float:
    action()
    action()
    spent = sorted(clock(action) for _ in range(times))
    return spent[len(spent) // 2] * 1000


def _searches(high: Client, low: Client, commune) -> dict:
    try:
        address = reverse("verification:search")
    except NoReverseMatch:
        return {}
    person = CollectionForm.objects.filter(commune=commune).exclude(pin="").order_by("pk").first()
    words = quote(" ".join(person.search_key.split()[-2:]))
    return {
        "search over a province": _page(high, f"{address}?q={words}"),
        "search in a commune": _page(low, f"{address}?q={words}"),
        "search by number": _page(high, f"{address}?q={person.pin}"),
    }


def _saves(client: Client, round: Round, commune, household: Household, times: int) -> dict[str, float]:
    """Saves one household over and over, each time rolled back."""
    rows = RoundForm.objects.filter(round=round, commune=commune, outcome="").values_list("household_id", "form_id")
    forms: dict[int, list[int]] = {}
    for household_id, form_id in rows:
        forms.setdefault(household_id, []).append(form_id)
    household_id, form_ids = next(item for item in forms.items() if len(item[1]) == 4)
    standing = (None,) * 4

    class Undone(Exception):
        pass

    def save():
        due = Due(household_id, commune.pk, 0, tuple(form_ids), standing)
        try:
            with transaction.atomic():
                answer = client.post(due.path, due.fields() | {"submission": str(uuid4())})
                assert answer.status_code == 302, answer.status_code
                raise Undone
        except Undone:
            return

    return {"save of a household of four": _median(save, times)}


def _roll_up(round: Round, commune) -> None:
    RollupMark.objects.create(round=round, commune=commune)
    rollups.roll_up()


def _export(round: Round, commune, officer: User) -> None:
    export = Export.objects.create(
        owner=officer, round=round, kind="forms", format="csv", unit=commune, options={"state": "all"},
        language="vi", asked_at=program_clock.now(),
    )  # fmt: skip
    exports.make(export.pk)
    export.refresh_from_db()
    assert export.status == Export.Status.DONE, export.failure
    exports.file_path(export).unlink()
    export.delete()


def _count() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT commune_id, outcome, count(*) FROM verification_roundform GROUP BY 1, 2")
        cursor.fetchall()


def _sizes() -> dict:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM households_collectionform")
        (forms,) = cursor.fetchone()
        sizes = {}
        for name, table in TABLES.items():
            cursor.execute("SELECT pg_table_size(%s), pg_indexes_size(%s)", [table, table])
            sizes[name], sizes[f"{name}: indexes"] = cursor.fetchone()
        cursor.execute(
            "SELECT sum(pg_total_relation_size(oid))::bigint FROM pg_class "
            "WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
        )
        (sizes["everything"],) = cursor.fetchone()
    return {"forms": forms, "bytes": sizes}


if __name__ == "__main__":
    print(json.dumps(main(3 if "--quick" in sys.argv else TIMES)))
