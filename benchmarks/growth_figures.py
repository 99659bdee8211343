"""`python -m benchmarks.growth_figures`: key figures of one database. One process, without the network.

It says which officers have a household to save, is told whose commune to take (the same in every database), and then
runs each action it is told the name of and says how long that took: so the databases are asked in turn, call by call.
"""

import json
import sys
from collections.abc import Callable
from urllib.parse import quote
from uuid import uuid4

from django.conf import settings
from django.core.cache import caches
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse

from benchmarks import django_setup  # noqa: F401
from benchmarks.measure import clock
from benchmarks.saves import Due
from census_verify import clock as program_clock
from households.models import AdministrativeUnit, CollectionForm, User
from reports import exports, rollups
from reports.models import Export
from verification.models import RollupMark, Round

HIGH = "pc06"
TABLES = {
    "forms": "households_collectionform",
    "households": "households_household",
    "forms in a round": "verification_roundform",
    "passes": "verification_verificationpass",
    "corrections": "verification_correction",
    "events": "verification_passevent",
}
# The first commune officers of a province who have a household of four that nobody has recorded, and the first of these.
WITH_FOUR_DUE = """
    SELECT place.username, due.household_id, due.forms
    FROM (
        SELECT officer.username, commune.id FROM households_posting posting
        JOIN households_user officer ON officer.id = posting.user_id
        JOIN households_administrativeunit commune ON commune.id = posting.unit_id
        WHERE posting.role = 'commune_officer' AND posting.valid_to IS NULL AND commune.path LIKE %s
        ORDER BY commune.code, officer.username OFFSET 0
    ) place
    CROSS JOIN LATERAL (
        SELECT household_id, array_agg(form_id ORDER BY form_id) AS forms FROM verification_roundform
        WHERE round_id = %s AND commune_id = place.id
        GROUP BY household_id HAVING count(*) = 4 AND bool_and(outcome = '') ORDER BY household_id LIMIT 1
    ) due
    LIMIT 40"""


def main() -> None:
    round = Round.objects.current()
    with connection.cursor() as cursor:
        cursor.execute(WITH_FOUR_DUE, [f"{_unit_of(HIGH).path}%", round.pk])
        due = {officer: (household, forms) for officer, household, forms in cursor.fetchall()}
    print(json.dumps({"officers": list(due), "sizes": _sizes()}), flush=True)
    username = sys.stdin.readline().strip()
    actions = _actions(round, username, *due[username])
    print(json.dumps(list(actions)), flush=True)
    for line in sys.stdin:
        print(json.dumps(clock(actions[line.strip()]) * 1000), flush=True)


def _unit_of(username: str) -> AdministrativeUnit:
    return User.objects.get(username=username).postings.get(valid_to=None).unit


def _actions(round: Round, username: str, household_id: int, form_ids: list[int]) -> dict[str, Callable]:
    officer, commune = User.objects.get(username=username), _unit_of(username)
    high, low = _client(User.objects.get(username=HIGH)), _client(officer)
    return {
        "household page": _page(low, reverse("verification:household_verify", args=[household_id])),
        "save of a household of four": _save(low, commune, household_id, form_ids),
        "commune page": _page(low, "/"),
        "commune page, made anew": _anew(_page(low, "/")),
        "province page": _page(high, "/"),
        "province page, made anew": _anew(_page(high, "/")),
        "list of 100 forms": _page(low, f"/units/{commune.pk}/forms/?state=all"),
        "roll-up after one save": lambda: _roll_up(round, commune),
        **_searches(high, low, commune),
        "export of a commune (CSV)": lambda: _export(round, commune, officer),
        "one grouped count of everything": _count,
    }


def _client(user: User) -> Client:
    client = Client(headers={"host": "localhost"})
    client.force_login(user, settings.AUTHENTICATION_BACKENDS[-1])
    return client


def _page(client: Client, address: str):
    def get():
        answer = client.get(address)
        assert answer.status_code == 200, (address, answer.status_code)

    return get


def _anew(page: Callable) -> Callable:
    """With nothing kept of the page."""

    def get():
        caches["pages"].clear()
        page()

    return get


def _searches(high: Client, low: Client, commune) -> dict:
    address = reverse("verification:search")
    person = CollectionForm.objects.filter(commune=commune).exclude(pin="").order_by("pk").first()
    words = quote(" ".join(person.search_key.split()[-2:]))
    return {
        "search over a province": _page(high, f"{address}?q={words}"),
        "search in a commune": _page(low, f"{address}?q={words}"),
        "search by number": _page(high, f"{address}?q={person.pin}"),
    }


def _save(client: Client, commune, household_id: int, form_ids: list[int]) -> Callable:
    """One household over and over, each time rolled back."""
    due = Due(household_id, commune.pk, 0, tuple(form_ids), (None,) * len(form_ids))

    class Undone(Exception):
        pass

    def save():
        try:
            with transaction.atomic():
                answer = client.post(due.path, due.fields() | {"submission": str(uuid4())})
                assert answer.status_code == 302, answer.status_code
                raise Undone
        except Undone:
            return

    return save


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
    main()
