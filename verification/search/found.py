"""The rows of what was found: all that a line shows, by one statement that is planned once a connection."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import NamedTuple

from households.models import AdministrativeUnit
from households.models.register import birth_date_text
from households.permissions import Scope
from households.statements import Statement
from verification.models import Round


class FoundForm(NamedTuple):
    """A form as a line of results shows it. `outcome` is None for a form that is not in the round."""

    pk: int
    household_id: int
    full_name: str
    birth_year: int
    birth_month: int | None
    birth_day: int | None
    sex: int
    relation: str
    pin: str
    cmnd: str
    book_number: str
    address: str
    head_name: str
    hamlet: AdministrativeUnit
    commune: AdministrativeUnit
    district: AdministrativeUnit
    outcome: str | None
    approval: str | None
    next_visit_on: date | None

    @property
    def birth_date_text(self) -> str:
        return birth_date_text(self.birth_year, self.birth_month, self.birth_day)


@dataclass
class Found:
    """A page of results, best first."""

    forms: list[FoundForm] = field(default_factory=list)
    has_more: bool = False
    took_too_long: bool = False


UNITS = ("hamlet", "commune", "district")
LINES = Statement(
    "lines_of_found_forms",
    "bigint[], bigint",
    f"""
    SELECT form.id, form.household_id, form.full_name, form.birth_year, form.birth_month, form.birth_day, form.sex,
        form.relation, form.pin, form.cmnd, home.book_number, home.address, home.head_name,
        {", ".join(f"{unit}.level, {unit}.type, {unit}.name" for unit in UNITS)},
        result.outcome, result.approval, result.next_visit_on, commune.path
    FROM unnest($1) WITH ORDINALITY AS wanted (id, place)
    JOIN households_collectionform form ON form.id = wanted.id
    JOIN households_household home ON home.id = form.household_id
    JOIN households_administrativeunit hamlet ON hamlet.id = form.hamlet_id
    JOIN households_administrativeunit commune ON commune.id = form.commune_id
    JOIN households_administrativeunit district ON district.id = commune.parent_id
    LEFT JOIN verification_roundform result ON result.form_id = form.id AND result.round_id = $2
    ORDER BY wanted.place""",
)
ITEMS = 13  # columns before those of the units


def read(ids: Sequence[int], scope: Scope, round: Round | None) -> list[FoundForm]:
    """The forms with these ids in this order, without those whose persons are not hers to see."""
    rows = LINES.rows(list(ids), round and round.pk) if ids else []
    return [_form(row) for row in rows if scope.persons_cover_path(row[-1])]


def _form(row: tuple) -> FoundForm:
    units = (_unit(*row[at : at + 3]) for at in range(ITEMS, ITEMS + 9, 3))
    return FoundForm(*row[:ITEMS], *units, *row[ITEMS + 9 : -1])


@lru_cache(maxsize=1000)
def _unit(level: int, type: str, name: str) -> AdministrativeUnit:
    """Only for its names."""
    return AdministrativeUnit(level=level, type=type, name=name)
