"""What a page says about one unit or team: read from the stored figures, ratios made last."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import cached_property
from math import ceil
from typing import NamedTuple

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from census_verify import clock
from households.models import AdministrativeUnit, CollectionForm, WorkTeam
from households.models.units import UNIT_COLUMNS
from households.statements import Statement
from reports.models import Counts, DailyTally, SuspicionTally, Tally, rate
from verification.models import RollupMark, Round, Target
from verification.records import State
from verification.rules import needed_per_day
from verification.terms import REMOVALS, Outcome

RECENT_DAYS = 7
BEHIND_POINTS = 5  # a line this far under the rate of the whole table is marked
HAMLET = AdministrativeUnit.Level.HAMLET
# Columns by which a table of units may be sorted, beside "name" and administrative order.
SORTS = ("plan", "collected", "qualified", "today", "verified", "rate", "left", "pending")


@dataclass(frozen=True)
class TargetState:
    target: Target
    needed: int  # forms that would meet it
    is_met: bool
    is_over: bool
    per_day: int | None  # forms a day from tomorrow to meet it; None when the time is over
    missing: int = 0  # forms still missing to it


@dataclass
class UnitRow:
    """One line of a table: a unit's or team's figures."""

    owner: AdministrativeUnit | WorkTeam
    tally: Tally
    today: int
    is_behind: bool = False

    def sort_value(self, column: str):
        if column == "today":
            return self.today
        if column == "rate":
            return -1 if self.tally.rate is None else self.tally.rate
        if column == "name":
            return getattr(self.owner, "sort_key", str(self.owner))
        return getattr(self.tally, column)


@dataclass(frozen=True)
class OutcomeRow:
    """How many forms stand with one outcome, and whether the round counts it as verified."""

    value: str
    label: str
    forms: int
    counts: bool
    of_all: int

    @property
    def rate(self) -> Decimal | None:
        return rate(self.forms, self.of_all)

    @property
    def waits_for_approval(self) -> bool:
        return self.value in REMOVALS


class Day(NamedTuple):
    day: date
    verified: int  # on this day


@dataclass
class Progress:
    """Everything the head of a unit's page says."""

    round: Round
    owner: AdministrativeUnit | WorkTeam
    tally: Tally
    day: date
    mine: dict  # whose rows to read: {"unit": …} or {"team": …}
    marks_wait: bool

    # Read when they are asked for: a page that was rendered since the last roll-up asks for none of them.
    @cached_property
    def days(self) -> list[Day]:
        """With results, oldest first."""
        return [Day(*row) for row in DAYS_OF_OWNER.rows(self.round.pk, *self.ids)]

    @cached_property
    def targets(self) -> list[TargetState]:
        return target_states(self.round, self.tally.verified, self.tally.plan, self.day)

    @cached_property
    def refusals(self) -> list[tuple[str, int]]:
        rows = REFUSALS_OF_OWNER.rows(self.round.pk, *self.ids)
        return [(CollectionForm.RefusalReason(reason).label, forms) for reason, forms in rows]

    @cached_property
    def suspicions(self) -> list[SuspicionTally]:
        """In the order of the catalogue."""
        rows = SUSPICIONS_OF_OWNER.rows(self.round.pk, *self.ids)
        return [SuspicionTally.from_db("default", SUSPICION_COLUMNS, row) for row in rows]

    @property
    def ids(self) -> tuple[int | None, int | None]:
        """Whose rows to read, as unit and team."""
        return tuple(self.mine[kind].pk if kind in self.mine else None for kind in ("unit", "team"))

    @property
    def version(self) -> tuple:
        """Changes whenever a figure of the page may: a roll-up that recounts anything below stamps the owner's
        tally anew; beside it the day and the round's own settings."""
        settings = tuple(getattr(self.round, field.attname) for field in Round._meta.concrete_fields)
        targets = [(target.percent, target.due_on) for target in self.round.stored_targets]
        return (*self.mine, self.owner.pk, self.tally.rolled_up_at, self.day, settings, targets)

    @property
    def per_day(self) -> int | None:
        """Forms a day, from tomorrow, that finish the plan by the end of the round."""
        return needed_per_day(self.tally.left, first_day=self.day + timedelta(days=1), due_on=self.round.ends_on)

    @property
    def recent_per_day(self) -> int:
        """Forms a day over the last seven days, today among them."""
        first = self.day - timedelta(days=RECENT_DAYS - 1)
        return round(sum(d.verified for d in self.days if first <= d.day <= self.day) / RECENT_DAYS)

    @property
    def today(self) -> int:
        return next((d.verified for d in self.days if d.day == self.day), 0)

    @property
    def uncollected(self) -> int:
        return self.tally.population - self.tally.collected

    @property
    def unqualified(self) -> int:
        return self.tally.collected - self.tally.qualified

    @property
    def surplus(self) -> int:
        return -self.uncollected

    @property
    def outside_round(self) -> int:
        return self.tally.qualified - self.tally.in_scope

    @property
    def unverified(self) -> int:
        """Of the forms in scope; `open_parts` says why."""
        return self.tally.in_scope - self.tally.verified

    @property
    def widest(self) -> int:
        """The longest bar of the funnel."""
        return max(self.tally.population, self.tally.collected)

    @property
    def is_slow(self) -> bool:
        """The last seven days made less than is needed from now on."""
        return self.per_day is None or self.recent_per_day < self.per_day

    @property
    def outcomes(self) -> list[tuple[str, str, int]]:
        return [(o.value, o.label, getattr(self.tally, o.value)) for o in Outcome]

    @property
    def reported(self) -> int:
        """Forms with any standing result, counting or not."""
        return sum(count for _, _, count in self.outcomes)

    @property
    def not_checked_yet(self) -> int:
        return self.tally.in_scope - self.reported

    @property
    def outcome_rows(self) -> list[OutcomeRow]:
        counting, everything = self.round.counting_outcomes, self.reported
        return [OutcomeRow(value, label, forms, value in counting, everything) for value, label, forms in self.outcomes]

    @property
    def not_counting(self) -> int:
        """Forms with a result that does not make them verified, or not yet."""
        return self.reported - self.tally.verified

    @property
    def removals_open(self) -> int:
        """Removals the district has not approved: of a counting outcome, and not verified yet."""
        return sum(row.forms for row in self.outcome_rows if row.counts) - self.tally.verified

    @property
    def open_parts(self) -> list[tuple[str, str, int]]:
        """What lies between in scope and verified, as (state of the list, label, forms); adds up exactly."""
        parts = [(State.UNTOUCHED.value, _("not checked yet"), self.not_checked_yet)]
        parts += [(row.value, row.label, row.forms) for row in self.outcome_rows if not row.counts]
        parts.append(("", _("removals not approved yet"), self.removals_open))
        return [part for part in parts if part[2]]

    @property
    def unqualified_parts(self) -> list[tuple[str, str, int]]:
        """What lies between collected and qualified, as `open_parts`: by reason; adds up. Reasons are kept down to
        communes; what was not scanned yet has no list."""
        named = sum(forms for _reason, forms in self.refusals)
        rest = _("not scanned yet") if getattr(self.owner, "level", 0) < HAMLET else _("refused or not scanned yet")
        parts = [*(("refused", *refusal) for refusal in self.refusals), ("", rest, self.unqualified - named)]
        return [part for part in parts if part[2]]

    @property
    def recent_days(self) -> list[tuple[date, int, int]]:
        """The last fourteen days with results, newest first: (day, verified on it, verified to date)."""
        to_date, rows = 0, []
        for day in self.days:
            to_date += day.verified
            rows.append((day.day, day.verified, to_date))
        return rows[::-1][:14]

    @property
    def most_in_a_day(self) -> int:
        """The length of the bars beside the days: the best of them, or what is needed."""
        return max([self.per_day or 0, *(verified for _day, verified, _to_date in self.recent_days)])


def two_places(value: Decimal) -> Decimal:
    """A rate as it is printed, rounded half up; what is not finished never reads 100,00."""
    rounded = value.quantize(Decimal("0.01"), ROUND_HALF_UP)
    return Decimal("99.99") if value < 100 <= rounded else rounded


def target_states(round: Round, verified: int, plan: int, day: date) -> list[TargetState]:
    states = []
    for target in round.stored_targets:
        needed = ceil(plan * target.percent / 100)
        met = plan > 0 and verified >= needed
        per_day = needed_per_day(needed - verified, first_day=day + timedelta(days=1), due_on=target.due_on)
        states.append(TargetState(target, needed, met, day > target.due_on, per_day, max(needed - verified, 0)))
    return states


def empty_tally(round: Round) -> Tally:
    return Tally(round=round, rolled_up_at=None)


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


def of_unit(round: Round, unit: AdministrativeUnit) -> Progress:
    *values, marks_wait = TALLY_AND_MARKS.row(round.pk, unit.pk, unit.path)
    tally = Tally.from_db("default", TALLY_COLUMNS, values) if values[0] else empty_tally(round)
    return Progress(round, unit, tally, clock.today(), {"unit": unit}, marks_wait)


def of_team(round: Round, team: WorkTeam) -> Progress:
    tally = Tally.objects.filter(round=round, team=team).first() or empty_tally(round)
    marks = RollupMark.objects.filter(commune__team_communes__team=team, commune__team_communes__valid_to=None)
    return Progress(round, team, tally, clock.today(), {"team": team}, marks.filter(round=round).exists())


# Everything a table of units says, in one question.
UNIT_ROW = ", ".join(
    [
        *(f"unit.{name}" for name in UNIT_COLUMNS),
        *(f"tally.{name}" for name in TALLY_COLUMNS),
        """coalesce((SELECT verified FROM reports_dailytally daily WHERE daily.round_id = $1
            AND daily.unit_id = unit.id AND daily.team_id IS NULL AND daily.day = $3), 0)""",
    ]
)
TALLY_OF_UNIT = (
    "LEFT JOIN reports_tally tally ON tally.round_id = $1 AND tally.unit_id = unit.id AND tally.team_id IS NULL"
)
ROWS_OF_CHILDREN = Statement(
    "rows_of_children",
    "bigint, bigint, date",
    f"""
    SELECT {UNIT_ROW} FROM households_administrativeunit unit {TALLY_OF_UNIT}
    WHERE unit.parent_id = $2 AND (unit.valid_from IS NULL OR unit.valid_from <= $3)
        AND (unit.valid_to IS NULL OR unit.valid_to > $3)
    ORDER BY unit.code, unit.valid_from""",
)
ROWS_OF_TEAM = Statement(
    "rows_of_team",
    "bigint, bigint, date",
    f"""
    SELECT {UNIT_ROW} FROM households_teamcommune works
    JOIN households_administrativeunit unit ON unit.id = works.commune_id {TALLY_OF_UNIT}
    WHERE works.team_id = $2 AND works.valid_to IS NULL
    ORDER BY unit.code, unit.valid_from""",
)


def children_of(round: Round, unit: AdministrativeUnit) -> list[UnitRow]:
    """The units right below that are valid today, in administrative order."""
    return _unit_rows(round, ROWS_OF_CHILDREN.rows(round.pk, unit.pk, clock.today()))


def communes_of_team(round: Round, team: WorkTeam) -> list[UnitRow]:
    return _unit_rows(round, ROWS_OF_TEAM.rows(round.pk, team.pk, clock.today()))


def _unit_rows(round: Round, rows: list[tuple]) -> list[UnitRow]:
    width, found = len(UNIT_COLUMNS), []
    for *row, today in rows:
        unit = AdministrativeUnit.from_db("default", UNIT_COLUMNS, row[:width])
        figures = row[width:]
        tally = Tally.from_db("default", TALLY_COLUMNS, figures) if figures[0] else empty_tally(round)
        found.append(UnitRow(unit, tally, today))
    return found


def teams(round: Round, queryset: QuerySet) -> list[UnitRow]:
    owners = list(queryset.order_by("district__code", "code"))
    mine = {"round": round, "team__in": owners}
    tallies = {tally.team_id: tally for tally in Tally.objects.filter(**mine)}
    today = dict(DailyTally.objects.filter(**mine, day=clock.today()).values_list("team_id", "verified"))
    return [UnitRow(o, tallies.get(o.pk) or empty_tally(round), today.get(o.pk, 0)) for o in owners]


def total_of(rows: list[UnitRow], round: Round) -> UnitRow:
    """The foot of a table: the sum of its lines."""
    total = empty_tally(round)
    for name in (
        "population",
        "plan",
        "collected",
        "qualified",
        "in_scope",
        "new_people",
        *(f.name for f in Counts._meta.fields),
    ):
        setattr(total, name, sum(getattr(row.tally, name) for row in rows))
    return UnitRow(None, total, sum(row.today for row in rows))


def mark_behind(rows: list[UnitRow], total: UnitRow) -> None:
    """Mark the lines that need a call: well under the rate of the whole."""
    for row in rows:
        row.is_behind = (
            row.tally.rate is not None
            and total.tally.rate is not None
            and row.tally.rate <= total.tally.rate - BEHIND_POINTS
        )


def goal_percent(round: Round) -> Decimal | None:
    """The mark on the bars: the nearest target that is less than everything."""
    return min((t.percent for t in round.stored_targets if t.percent < 100), default=None)


def sorted_rows(rows: list[UnitRow], sort: str) -> list[UnitRow]:
    """Sorted by a column, "-" before it for descending; anything else keeps administrative order."""
    column = sort.removeprefix("-")
    if column not in (*SORTS, "name"):
        return rows
    return sorted(rows, key=lambda row: row.sort_value(column), reverse=sort.startswith("-"))
