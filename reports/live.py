"""Figures as they stand now, read from the stored tallies by statements that are planned once a connection."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from datetime import date

from django.db.models import QuerySet

from census_verify import clock
from households.models import AdministrativeUnit, WorkTeam
from households.models.units import UNIT_COLUMNS
from households.statements import Statement
from reports.models import SuspicionTally, Tally
from reports.progress import Day, Progress, UnitRow, empty_tally
from verification.models import RollupMark, Round

TALLY_COLUMNS = [field.attname for field in Tally._meta.concrete_fields]
SUSPICION_COLUMNS = [field.attname for field in SuspicionTally._meta.concrete_fields]
# One row always: a unit without figures may have marks that wait all the same.
TALLY_AND_MARKS = Statement(
    "tally_and_marks_of_unit",
    "bigint, bigint, text",
    f"""
    SELECT {", ".join(f"tally.{name}" for name in TALLY_COLUMNS)}, EXISTS (
        SELECT FROM verification_rollupmark mark
        JOIN households_administrativeunit commune ON commune.id = mark.commune_id
        WHERE mark.round_id = $1 AND starts_with(commune.path, $3))
    FROM (VALUES (1)) always
    LEFT JOIN reports_tally tally ON tally.round_id = $1 AND tally.unit_id = $2 AND tally.team_id IS NULL""",
)

OF_OWNER = "WHERE round_id = $1 AND (unit_id = $2 AND team_id IS NULL OR team_id = $3 AND unit_id IS NULL)"


def of_owner(name: str, columns: list[str], table: str, order: str) -> Statement:
    return Statement(
        f"{name}_of_owner",
        "bigint, bigint, bigint",
        f"SELECT {', '.join(columns)} FROM {table} {OF_OWNER} ORDER BY {order}",
    )


DAYS_OF_OWNER = of_owner("days", ["day", "verified"], "reports_dailytally", "day")
REFUSALS_OF_OWNER = of_owner("refusals", ["reason", "forms"], "reports_refusaltally", "forms DESC")
SUSPICIONS_OF_OWNER = of_owner("suspicions", SUSPICION_COLUMNS, "reports_suspiciontally", "fault")
FOUND_OF_OWNER = Statement(
    "found_of_owner",
    "bigint, bigint, bigint",
    f"SELECT fault, sum(forms)::int FROM reports_faultmovement {OF_OWNER} GROUP BY fault HAVING sum(forms) <> 0",
)
DAYS_OF_UNITS, DAYS_OF_TEAMS = (
    Statement(
        f"days_of_{owner}s",
        "bigint, bigint[]",
        f"""
        SELECT {owner}_id, day, verified FROM reports_dailytally
        WHERE round_id = $1 AND {owner}_id = ANY($2) AND {other}_id IS NULL ORDER BY day""",
    )
    for owner, other in (("unit", "team"), ("team", "unit"))
)

TALLY_OF_UNIT = (
    "LEFT JOIN reports_tally tally ON tally.round_id = $1 AND tally.unit_id = unit.id AND tally.team_id IS NULL"
)
FOUND_IN_UNITS = Statement(
    "found_in_units",
    "bigint, bigint[]",
    """
    SELECT unit_id, sum(forms)::int FROM reports_faultmovement
    WHERE round_id = $1 AND unit_id = ANY($2) AND team_id IS NULL GROUP BY unit_id""",
)
LAST_ENTRIES_OF_UNITS = Statement(
    "last_entries_of_units",
    "bigint, bigint[]",
    """
    SELECT unit_id, max(day) FROM reports_dailytally
    WHERE round_id = $1 AND unit_id = ANY($2) AND team_id IS NULL GROUP BY unit_id""",
)
UNIT_ROW = ", ".join([*(f"unit.{name}" for name in UNIT_COLUMNS), *(f"tally.{name}" for name in TALLY_COLUMNS)])
VALID_ON = "(unit.valid_from IS NULL OR unit.valid_from <= {day}) AND (unit.valid_to IS NULL OR unit.valid_to > {day})"
ROWS_OF_CHILDREN = Statement(
    "rows_of_children",
    "bigint, bigint, date",
    f"""
    SELECT {UNIT_ROW} FROM households_administrativeunit unit {TALLY_OF_UNIT}
    WHERE unit.parent_id = $2 AND {VALID_ON.format(day="$3")} ORDER BY unit.code, unit.valid_from""",
)
ROWS_OF_COMMUNES = Statement(
    "rows_of_communes_under",
    "bigint, text, date",
    f"""
    SELECT {UNIT_ROW} FROM households_administrativeunit unit {TALLY_OF_UNIT}
    WHERE unit.level = {AdministrativeUnit.Level.COMMUNE.value} AND starts_with(unit.path, $2)
        AND {VALID_ON.format(day="$3")} ORDER BY unit.code, unit.valid_from""",
)
ROWS_OF_TEAM = Statement(
    "rows_of_team",
    "bigint, bigint",
    f"""
    SELECT {UNIT_ROW} FROM households_teamcommune works
    JOIN households_administrativeunit unit ON unit.id = works.commune_id {TALLY_OF_UNIT}
    WHERE works.team_id = $2 AND works.valid_to IS NULL
    ORDER BY unit.code, unit.valid_from""",
)


class Live:
    """A `progress.Source`: what the last roll-up counted."""

    as_of = None

    def __init__(self, round: Round):
        self.round = round
        self.day = clock.today()

    def of_unit(self, unit: AdministrativeUnit) -> Progress:
        *values, marks_wait = TALLY_AND_MARKS.row(self.round.pk, unit.pk, unit.path)
        tally = self._tally(values)
        return Progress(self, unit, tally, self.day, marks_wait)

    def of_team(self, team: WorkTeam) -> Progress:
        tally = Tally.objects.filter(round=self.round, team=team).first() or empty_tally(self.round)
        tally.round = self.round
        marks = RollupMark.objects.filter(commune__team_communes__team=team, commune__team_communes__valid_to=None)
        return Progress(self, team, tally, self.day, marks.filter(round=self.round).exists())

    def children_of(self, unit: AdministrativeUnit) -> list[UnitRow]:
        """The units right below that are valid today, in administrative order."""
        rows = ROWS_OF_CHILDREN.rows(self.round.pk, unit.pk, self.day)
        return self._unit_rows(rows, self.days_of_units([row[0] for row in rows]))

    def communes_under(self, unit: AdministrativeUnit) -> list[UnitRow]:
        """All its communes of today, however far below. Without their days: `with_days` reads these of whom they are
        asked."""
        rows = ROWS_OF_COMMUNES.rows(self.round.pk, unit.path, self.day)
        return self._unit_rows(rows, defaultdict(list))

    def with_days(self, rows: list[UnitRow]) -> list[UnitRow]:
        days = self.days_of_units([row.owner.pk for row in rows])
        return [replace(row, days=days[row.owner.pk]) for row in rows]

    def communes_of(self, team: WorkTeam) -> list[UnitRow]:
        rows = ROWS_OF_TEAM.rows(self.round.pk, team.pk)
        return self._unit_rows(rows, self.days_of_units([row[0] for row in rows]))

    def teams(self, queryset: QuerySet) -> list[UnitRow]:
        owners = list(queryset.order_by("district__code", "code"))
        of_round = Tally.objects.filter(round=self.round, team__in=owners)
        tallies = {tally.team_id: tally for tally in of_round.select_related("round")}
        days = days_by_owner(DAYS_OF_TEAMS.rows(self.round.pk, [team.pk for team in owners]))
        return [UnitRow(o, tallies.get(o.pk) or empty_tally(self.round), self.day, days[o.pk]) for o in owners]

    def days_of(self, owner: AdministrativeUnit | WorkTeam) -> list[Day]:
        return [Day(*row) for row in DAYS_OF_OWNER.rows(self.round.pk, *ids_of(owner))]

    def late_of(self, owner: AdministrativeUnit | WorkTeam) -> int:
        return 0

    def refusals_of(self, owner: AdministrativeUnit | WorkTeam) -> list[tuple[str, int]]:
        return REFUSALS_OF_OWNER.rows(self.round.pk, *ids_of(owner))

    def suspicions_of(self, owner: AdministrativeUnit | WorkTeam) -> list[SuspicionTally]:
        rows = SUSPICIONS_OF_OWNER.rows(self.round.pk, *ids_of(owner))
        return [SuspicionTally.from_db("default", SUSPICION_COLUMNS, row) for row in rows]

    def found_of(self, owner: AdministrativeUnit | WorkTeam) -> dict[str, int]:
        return dict(FOUND_OF_OWNER.rows(self.round.pk, *ids_of(owner)))

    def found_in(self, rows: list[UnitRow]) -> dict[int, int]:
        return dict(FOUND_IN_UNITS.rows(self.round.pk, [row.owner.pk for row in rows]))

    def last_entries_of(self, rows: list[UnitRow]) -> dict[int, date]:
        return dict(LAST_ENTRIES_OF_UNITS.rows(self.round.pk, [row.owner.pk for row in rows]))

    def days_of_units(self, units: list[int]) -> dict[int, list[Day]]:
        return days_by_owner(DAYS_OF_UNITS.rows(self.round.pk, units))

    def _unit_rows(self, rows: list[tuple], days: dict[int, list[Day]]) -> list[UnitRow]:
        width, found = len(UNIT_COLUMNS), []
        for row in rows:
            unit = AdministrativeUnit.from_db("default", UNIT_COLUMNS, row[:width])
            found.append(UnitRow(unit, self._tally(row[width:]), self.day, days[unit.pk]))
        return found

    def _tally(self, values: tuple) -> Tally:
        """None of it where a unit has no figures yet."""
        if not values[0]:
            return empty_tally(self.round)
        tally = Tally.from_db("default", TALLY_COLUMNS, values)
        tally.round = self.round
        return tally


def ids_of(owner: AdministrativeUnit | WorkTeam) -> tuple[int | None, int | None]:
    """Whose rows to read, as unit and team."""
    return (None, owner.pk) if isinstance(owner, WorkTeam) else (owner.pk, None)


def days_by_owner(rows: Iterable[tuple[int, date, int]]) -> dict[int, list[Day]]:
    days = defaultdict(list)
    for owner, *day in rows:
        days[owner].append(Day(*day))
    return days
