"""Households that still have somebody due, each with the request that records it: every POST really records."""

from dataclasses import dataclass, replace
from urllib.parse import urlencode
from uuid import uuid4

from django.db import connection

from benchmarks.measure import Skipped
from benchmarks.web import Request, cookie_of
from census_verify import clock
from households.models import User
from verification.models import Round


@dataclass(frozen=True)
class Due:
    """A household nobody has recorded, and its commune's officer."""

    household_id: int
    commune_id: int
    officer_id: int
    form_ids: tuple[int, ...]
    standing: tuple[int | None, ...]

    def fields(self) -> dict:
        fields = {"submission": uuid4(), "methods": "both", "verified_on": f"{clock.today():%d/%m/%Y}"}
        for form_id, standing in zip(self.form_ids, self.standing, strict=True):
            fields[f"p{form_id}-outcome"] = "matched"
            fields[f"p{form_id}-expected_pass"] = standing or ""
        return fields

    @property
    def path(self) -> str:
        return f"/households/{self.household_id}/verify/"

    def request(self, cookie: str) -> Request:
        return Request(self.path, cookie, urlencode(self.fields()))


class Households:
    """The households of the round that are due, handed out once each, commune after commune in turn."""

    def __init__(self, round: Round):
        self.round = round
        self.cookies: dict[int, str] = {}
        self.left: dict[int, list[Due]] = {}

    def read(self) -> None:
        """Those with everybody due and nobody recorded, so that one press records them whole."""
        with connection.cursor() as cursor:
            cursor.execute(
                """
                SELECT household_id, commune_id, officer.user_id, array_agg(form_id ORDER BY form_id)
                FROM verification_roundform
                JOIN (SELECT unit_id, min(user_id) AS user_id FROM households_posting
                      WHERE role = 'commune_officer' AND valid_to IS NULL GROUP BY unit_id) officer
                    ON officer.unit_id = commune_id
                WHERE round_id = %s
                GROUP BY household_id, commune_id, officer.user_id
                HAVING bool_and(outcome = '') ORDER BY md5(household_id::text)
                """,
                [self.round.pk],
            )
            for household, commune, officer, forms in cursor.fetchall():
                due = Due(household, commune, officer, tuple(forms), (None,) * len(forms))
                self.left.setdefault(len(forms), []).append(due)

    def take(self, people: int, count: int) -> list[Due]:
        """So many households of so many people; for one person, as few live alone, the first of any household."""
        if people == 1:
            self._split(count)
        found = self.left.get(people, [])
        if len(found) < count:
            raise Skipped(
                f"only {len(found)} households with {people} people are left to record, {count} are wanted: "
                "use a fresh copy of the demo province"
            )
        self.left[people] = found[count:]
        return found[:count]

    def _split(self, count: int) -> None:
        alone = self.left.setdefault(1, [])
        for size in (2, 3, 5, 6):
            more = self.left.get(size, [])[: max(0, count - len(alone))]
            self.left[size] = self.left.get(size, [])[len(more) :]
            alone += [replace(due, form_ids=due.form_ids[:1], standing=due.standing[:1]) for due in more]

    def requests(self, people: int, count: int) -> list[Request]:
        return [due.request(self.cookie(due.officer_id)) for due in self.take(people, count)]

    def cookie(self, officer_id: int) -> str:
        if officer_id not in self.cookies:
            self.cookies[officer_id] = cookie_of(User.objects.get(pk=officer_id))
        return self.cookies[officer_id]


def households() -> Households:
    found = Households(Round.objects.current())
    found.read()
    return found
