"""Figures as they were known at a cut-off: the movements up to that day, summed up (decision 0027).

Kept from changing by what they are made of: what became known on a day that is over is never written again.
"""

from dataclasses import dataclass, replace
from datetime import date

from django.core.exceptions import BadRequest
from django.db import connection
from django.db.models import QuerySet

from households.models import AdministrativeUnit, WorkTeam
from households.models.units import UNIT_COLUMNS
from households.statements import Statement
from reports import movements
from reports.live import VALID_ON, days_by_owner, ids_of
from reports.models import SuspicionTally, Tally
from reports.progress import Day, Progress, UnitRow
from reports.rollups import COUNTS, DENOMINATORS
from verification.models import Round
from verification.terms import Outcome

Level = AdministrativeUnit.Level


class NoSuchCutOff(BadRequest):
    """A day that was typed and is none to show figures of, with a sentence for whoever typed it."""

    def __init__(self, sentence: str):
        super().__init__(sentence)
        self.sentence = sentence


def _summed(owner: str, other: str) -> tuple[Statement, Statement]:
    """The sums of each of some units or teams, and their days."""
    of_owners = f"WHERE round_id = $1 AND {owner}_id = ANY($2) AND {other}_id IS NULL AND day <= $3"
    sums = Statement(
        f"known_of_{owner}s",
        "bigint, bigint[], date",
        f"""
        SELECT owner, {", ".join(f"coalesce(bases.{c}, 0)::int" for c in DENOMINATORS)},
            {", ".join(f"coalesce(moved.{c}, 0)::int" for c in COUNTS)}
        FROM unnest($2) owner
        LEFT JOIN (
            SELECT {owner}_id AS owner, {", ".join(f"sum({c}) AS {c}" for c in DENOMINATORS)}
            FROM reports_basemovement {of_owners} GROUP BY 1) bases USING (owner)
        LEFT JOIN (
            SELECT {owner}_id AS owner, {", ".join(f"sum({c}) AS {c}" for c in COUNTS)}
            FROM reports_movement {of_owners} GROUP BY 1) moved USING (owner)""",
    )
    days = Statement(
        f"known_days_of_{owner}s",
        "bigint, bigint[], date",
        f"""
        SELECT {owner}_id, counted_on, sum(verified)::int FROM reports_movement {of_owners}
        GROUP BY 1, 2 HAVING sum(verified) <> 0 ORDER BY 2""",
    )
    return sums, days


KNOWN_OF_UNITS, KNOWN_DAYS_OF_UNITS = _summed("unit", "team")
KNOWN_OF_TEAMS, KNOWN_DAYS_OF_TEAMS = _summed("team", "unit")
LATE_OF_OWNER = Statement(
    "late_of_owner",
    "bigint, bigint, bigint, date",
    """
    SELECT coalesce(sum(verified), 0)::int FROM reports_movement
    WHERE round_id = $1 AND (unit_id = $2 AND team_id IS NULL OR team_id = $3 AND unit_id IS NULL)
        AND day > $4 AND counted_on <= $4""",
)
RECORDED_LATE = Statement(
    "recorded_late_of_units",
    "bigint, bigint[], date, date",
    """
    SELECT unit_id, sum(verified)::int FROM reports_movement
    WHERE round_id = $1 AND unit_id = ANY($2) AND team_id IS NULL AND day > $3 AND day <= $4 AND counted_on <= $3
    GROUP BY 1 HAVING sum(verified) <> 0""",
)
CHILDREN = Statement(
    "children_on",
    "bigint, date",
    f"""
    SELECT {", ".join(f"unit.{name}" for name in UNIT_COLUMNS)} FROM households_administrativeunit unit
    WHERE unit.parent_id = $1 AND {VALID_ON.format(day="$2")} ORDER BY unit.code, unit.valid_from""",
)
COMMUNES = Statement(
    "communes_under_on",
    "text, date",
    f"""
    SELECT {", ".join(f"unit.{name}" for name in UNIT_COLUMNS)} FROM households_administrativeunit unit
    WHERE unit.level = {Level.COMMUNE.value} AND starts_with(unit.path, $1) AND {VALID_ON.format(day="$2")}
    ORDER BY unit.code, unit.valid_from""",
)
# Hamlets have no movements of their own: a commune's are told from its passes when they are asked for. Their
# denominators are those of today.
NET = ", ".join(
    f"count(*) FILTER (WHERE {condition})::int AS {column}" for column, condition in movements.CONDITIONS.items()
)
HAMLETS_KNOWN = f"""
    SELECT hamlet_id, {NET} FROM (
        SELECT in_round.hamlet_id, stretch.outcome, stretch.approval
        FROM ({movements.stretches(movements.OF_COMMUNES)}) stretch
        JOIN verification_roundform in_round ON in_round.form_id = stretch.form_id AND in_round.round_id = %(round)s
        WHERE stands AND known_on <= %(as_of)s AND coalesce(ended_on > %(as_of)s, true)
    ) known GROUP BY hamlet_id"""


FOUND_BY_OWNER = Statement(
    "found_of_owner_known",
    "bigint, bigint, bigint, date",
    """
    SELECT fault, sum(forms)::int FROM reports_faultmovement
    WHERE round_id = $1 AND (unit_id = $2 AND team_id IS NULL OR team_id = $3 AND unit_id IS NULL) AND day <= $4
    GROUP BY fault HAVING sum(forms) <> 0""",
)


FOUND_IN_UNITS = Statement(
    "found_in_units_known",
    "bigint, bigint[], date",
    """
    SELECT unit_id, sum(forms)::int FROM reports_faultmovement
    WHERE round_id = $1 AND unit_id = ANY($2) AND team_id IS NULL AND day <= $3 GROUP BY unit_id""",
)
LAST_ENTRIES_OF_UNITS = Statement(
    "last_entries_of_units_known",
    "bigint, bigint[], date",
    f"""
    SELECT unit_id, max(counted_on) FROM (
        SELECT unit_id, counted_on FROM reports_movement
        WHERE round_id = $1 AND unit_id = ANY($2) AND team_id IS NULL AND day <= $3
        GROUP BY 1, 2 HAVING sum({" + ".join(Outcome.values)}) <> 0) known
    GROUP BY unit_id""",
)


@dataclass(frozen=True)
class Snapshot:
    """A `progress.Source`: what was known when that day's cut-off fell."""

    round: Round
    as_of: date

    def of_unit(self, unit: AdministrativeUnit) -> Progress:
        return Progress(self, unit, self._tallies([unit])[unit.pk], self.as_of)

    def of_team(self, team: WorkTeam) -> Progress:
        return Progress(self, team, self._tallies([team])[team.pk], self.as_of)

    def children_of(self, unit: AdministrativeUnit) -> list[UnitRow]:
        units = _units(CHILDREN.rows(unit.pk, self.as_of))
        if unit.level == Level.COMMUNE:
            return self._hamlets(unit, units)
        return self._rows(units)

    def communes_under(self, unit: AdministrativeUnit) -> list[UnitRow]:
        """Without their days: `with_days` reads these of whom they are asked."""
        units = _units(COMMUNES.rows(unit.path, self.as_of))
        tallies = self._tallies(units) if units else {}
        return [UnitRow(each, tallies[each.pk], self.as_of, day_is_over=True) for each in units]

    def communes_of(self, team: WorkTeam) -> list[UnitRow]:
        """The communes it works in today: what they are of is remembered, not whose they were."""
        communes = AdministrativeUnit.objects.filter(team_communes__team=team, team_communes__valid_to=None)
        return self._rows(list(communes.order_by("code", "valid_from")))

    def teams(self, queryset: QuerySet) -> list[UnitRow]:
        return self._rows(list(queryset.order_by("district__code", "code")))

    def days_of(self, owner: AdministrativeUnit | WorkTeam) -> list[Day]:
        statement = KNOWN_DAYS_OF_TEAMS if isinstance(owner, WorkTeam) else KNOWN_DAYS_OF_UNITS
        return [Day(*day) for _owner, *day in statement.rows(self.round.pk, [owner.pk], self.as_of)]

    def late_of(self, owner: AdministrativeUnit | WorkTeam) -> int:
        return LATE_OF_OWNER.row(self.round.pk, *ids_of(owner), self.as_of)[0]

    def refusals_of(self, owner: AdministrativeUnit | WorkTeam) -> list[tuple[str, int]]:
        return []

    def suspicions_of(self, owner: AdministrativeUnit | WorkTeam) -> list[SuspicionTally]:
        return []

    def found_of(self, owner: AdministrativeUnit | WorkTeam) -> dict[str, int]:
        return dict(FOUND_BY_OWNER.rows(self.round.pk, *ids_of(owner), self.as_of))

    def found_in(self, rows: list[UnitRow]) -> dict[int, int]:
        return dict(FOUND_IN_UNITS.rows(self.round.pk, [row.owner.pk for row in rows], self.as_of))

    def last_entries_of(self, rows: list[UnitRow]) -> dict[int, date]:
        return dict(LAST_ENTRIES_OF_UNITS.rows(self.round.pk, [row.owner.pk for row in rows], self.as_of))

    def with_days(self, rows: list[UnitRow]) -> list[UnitRow]:
        days = days_by_owner(KNOWN_DAYS_OF_UNITS.rows(self.round.pk, [row.owner.pk for row in rows], self.as_of))
        return [replace(row, days=days[row.owner.pk]) for row in rows]

    def _rows(self, owners: list) -> list[UnitRow]:
        if not owners:
            return []
        statement = KNOWN_DAYS_OF_TEAMS if isinstance(owners[0], WorkTeam) else KNOWN_DAYS_OF_UNITS
        days = days_by_owner(statement.rows(self.round.pk, [owner.pk for owner in owners], self.as_of))
        tallies = self._tallies(owners)
        return [UnitRow(owner, tallies[owner.pk], self.as_of, days[owner.pk], day_is_over=True) for owner in owners]

    def _tallies(self, owners: list) -> dict[int, Tally]:
        statement = KNOWN_OF_TEAMS if isinstance(owners[0], WorkTeam) else KNOWN_OF_UNITS
        rows = statement.rows(self.round.pk, [owner.pk for owner in owners], self.as_of)
        columns = [*DENOMINATORS, *COUNTS]
        return {owner: Tally(round=self.round, **dict(zip(columns, row, strict=True))) for owner, *row in rows}

    def _hamlets(self, commune: AdministrativeUnit, hamlets: list[AdministrativeUnit]) -> list[UnitRow]:
        params = movements.params_of(self.round) | {"owners": [commune.pk], "as_of": self.as_of}
        with connection.cursor() as cursor:
            cursor.execute(HAMLETS_KNOWN, params)
            counted = {hamlet: counts for hamlet, *counts in cursor.fetchall()}
        of_today = {tally.unit_id: tally for tally in Tally.objects.filter(round=self.round, unit__in=hamlets)}
        rows = []
        for hamlet in hamlets:
            tally = Tally(round=self.round)
            for name in DENOMINATORS:
                setattr(tally, name, getattr(of_today[hamlet.pk], name) if hamlet.pk in of_today else 0)
            for name, count in zip(movements.CONDITIONS, counted.get(hamlet.pk, [0] * len(COUNTS)), strict=True):
                setattr(tally, name, count)
            rows.append(UnitRow(hamlet, tally, self.as_of, day_is_over=True))
        return rows


def recorded_late(round: Round, units: list[AdministrativeUnit], after: date, until: date) -> dict[int, int]:
    """By unit, verified by the one cut-off and known only between it and the other; taken back since where negative."""
    return dict(RECORDED_LATE.rows(round.pk, [unit.pk for unit in units], after, until))


def _units(rows: list[tuple]) -> list[AdministrativeUnit]:
    return [AdministrativeUnit.from_db("default", UNIT_COLUMNS, row) for row in rows]
