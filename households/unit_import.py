"""The packaged lists of units: Hà Tĩnh as of 2018 and 2020, and what became of each unit in between.

A unit in both lists with the same name, type and parent is one row. Where anything differs the old
row ends and a new one begins on the day of the change, for GSO reuses codes (domain.md section 7).
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from importlib import resources

from django.db import transaction

from households.models import AdministrativeUnit, UnitChange

MERGER_DAY = date(2020, 1, 1)
# A list row about the town that takes others in: it goes on as it was, so nothing changed for it.
GOES_ON = "absorbs"
Key = tuple[str, date | None]


@dataclass(frozen=True)
class ListedUnit:
    code: str
    name: str
    type: str
    level: int
    parent_code: str


@dataclass(frozen=True)
class Counts:
    units: int
    changes: int
    new_units: int
    new_changes: int


COUNTRY = ListedUnit("VN", "Việt Nam", AdministrativeUnit.Type.COUNTRY, AdministrativeUnit.Level.COUNTRY, "")


def import_units() -> Counts:
    """Create what is missing, change nothing that is there: an administrator may have ended a unit since."""
    units = {(u.code, u.valid_from): u for u in AdministrativeUnit.objects.filter(level__lte=3).order_by("level")}
    changes = set(UnitChange.objects.values_list("effective_on", "old_unit_id", "new_unit_id"))
    before = len(units), len(changes)
    rows = list(periods())
    if any((listed.code, since) not in units for listed, since, _ in rows) or len(changes) < len(listed_changes()):
        with transaction.atomic():
            _create_units(rows, units)
            _create_changes(units, changes)
    return Counts(len(units), len(changes), len(units) - before[0], len(changes) - before[1])


def periods() -> Iterator[tuple[ListedUnit, date | None, date | None]]:
    """Each unit of the lists with the day it began and the day it ended, parents before children."""
    old, new = _listed_units("units_2018.csv"), _listed_units("units_2020.csv")
    yield COUNTRY, None, None
    for unit in sorted(old, key=lambda unit: unit.level):
        yield unit, None, None if unit in new else MERGER_DAY
    for unit in new:
        if unit not in old:
            yield unit, MERGER_DAY, None


def listed_changes() -> list[dict[str, str]]:
    return [row for row in read_csv("households", "unit_changes_2020.csv") if row["kind"] != GOES_ON]


def read_csv(app: str, name: str) -> list[dict[str, str]]:
    with resources.files(app).joinpath("data", name).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def _listed_units(name: str) -> dict[ListedUnit, None]:
    """In the list's order."""
    rows = read_csv("households", name)
    return {
        ListedUnit(r["code"], r["name"], r["type"], int(r["level"]), r["parent_code"] or COUNTRY.code): None
        for r in rows
    }


def _create_units(rows, units: dict[Key, AdministrativeUnit]) -> None:
    for listed, valid_from, valid_to in rows:
        if (listed.code, valid_from) in units:
            continue
        units[listed.code, valid_from] = AdministrativeUnit.objects.create_under(
            units.get((listed.parent_code, None)),
            code=listed.code,
            name=listed.name,
            type=listed.type,
            level=listed.level,
            valid_from=valid_from,
            valid_to=valid_to,
            sort_key=AdministrativeUnit.sort_key_for(listed.name),
        )


def _create_changes(units: dict[Key, AdministrativeUnit], changes: set) -> None:
    for row in listed_changes():
        day = date.fromisoformat(row["effective_date"])
        old_unit = units[row["old_code"], None]
        new_unit = units.get((row["new_code"], day)) or units[row["new_code"], None]
        if (day, old_unit.pk, new_unit.pk) in changes:
            continue
        UnitChange.objects.create(
            effective_on=day, resolution=row["resolution"], kind=row["kind"], old_unit=old_unit, new_unit=new_unit
        )
        changes.add((day, old_unit.pk, new_unit.pk))
