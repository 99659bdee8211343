"""What a page says about one unit or team. Read by a source: `live.Live` or `snapshots.Snapshot`; ratios made last."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import cached_property
from typing import NamedTuple, Protocol

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from census_verify import clock
from households.models import AdministrativeUnit, CollectionForm, WorkTeam
from reports.forecast import Forecast, Outlook, forecast
from reports.models import Counts, Denominators, SuspicionTally, Tally, rate
from verification.commune_work import CommuneWork
from verification.models import Round, Target
from verification.records import State
from verification.rules import needed_per_day
from verification.terms import REMOVALS, Outcome

RECENT_DAYS = 7
HAMLET = AdministrativeUnit.Level.HAMLET
# Columns by which a table of units may be sorted, beside "name" and administrative order.
SORTS = (
    *("plan", "collected", "qualified", "today", "verified", "rate", "left", "pending"),
    *("recent_per_day", "per_day", "finish", "slack"),
)
WORST_FIRST = (Outlook.LATE, Outlook.NO_PACE, Outlook.NOT_STARTED, Outlook.TIGHT, Outlook.ON_THE_WAY, Outlook.FINISHED)
NEVER = date.max  # for sorting: no day is told


@dataclass
class UnitRow:
    """One line of a table: a unit's or team's figures."""

    owner: AdministrativeUnit | WorkTeam
    tally: Tally
    day: date
    days: list["Day"] = field(default_factory=list)  # with results, oldest first; none of hamlets
    day_is_over: bool = False

    @cached_property
    def forecast(self) -> Forecast:
        return forecast_of(self.tally, self.days, self.day, day_is_over=self.day_is_over)

    @property
    def per_day(self) -> int | None:
        return self.forecast.needed_per_day

    @property
    def today(self) -> int:
        return next((day.verified for day in reversed(self.days) if day.day == self.day), 0)

    @property
    def recent_per_day(self) -> int:
        return recent_per_day(self.days, self.day)

    def sort_value(self, column: str):
        if column in ("today", "recent_per_day"):
            return getattr(self, column)
        if column == "per_day":
            return -1 if self.per_day is None else self.per_day
        if column == "finish":
            return self.forecast.middle or NEVER
        if column == "slack":
            slack = self.forecast.least_slack
            return (slack is not None, slack or 0)
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


class FaultRow(NamedTuple):
    fault: str
    found: int  # forms whose standing result corrects it
    suspected: SuspicionTally | None


class Day(NamedTuple):
    day: date
    verified: int  # on this day


class Source(Protocol):
    """Where figures are read: as they stand now, or as they were known at a cut-off."""

    round: Round
    as_of: date | None  # the cut-off; None for now

    def of_unit(self, unit: AdministrativeUnit) -> "Progress": ...
    def of_team(self, team: WorkTeam) -> "Progress": ...
    def children_of(self, unit: AdministrativeUnit) -> "list[UnitRow]": ...
    def communes_under(self, unit: AdministrativeUnit) -> "list[UnitRow]": ...
    def with_days(self, rows: "list[UnitRow]") -> "list[UnitRow]": ...
    def communes_of(self, team: WorkTeam) -> "list[UnitRow]": ...
    def teams(self, queryset: QuerySet) -> "list[UnitRow]": ...
    def days_of(self, owner: AdministrativeUnit | WorkTeam) -> "list[Day]": ...
    def late_of(self, owner: AdministrativeUnit | WorkTeam) -> int: ...
    def refusals_of(self, owner: AdministrativeUnit | WorkTeam) -> list[tuple[str, int]]: ...
    def suspicions_of(self, owner: AdministrativeUnit | WorkTeam) -> list[SuspicionTally]: ...
    def found_of(self, owner: AdministrativeUnit | WorkTeam) -> dict[str, int]: ...
    # of many units by one statement each, by the unit's id; units with nothing are left out
    def found_in(self, rows: "list[UnitRow]") -> dict[int, int]: ...
    def last_entries_of(self, rows: "list[UnitRow]") -> dict[int, date]: ...


@dataclass
class Progress:
    """Everything the head of a unit's page says."""

    source: Source
    owner: AdministrativeUnit | WorkTeam
    tally: Tally
    day: date
    marks_wait: bool = False

    @property
    def round(self) -> Round:
        return self.source.round

    @property
    def as_of(self) -> date | None:
        return self.source.as_of

    # Read when they are asked for: a page that was rendered since the last roll-up asks for none of them.
    @cached_property
    def days(self) -> list[Day]:
        """With results, oldest first."""
        return self.source.days_of(self.owner)

    @cached_property
    def late(self) -> int:
        """Verified by the cut-off and recorded after it: not among its figures."""
        return self.source.late_of(self.owner)

    @property
    def late_gone(self) -> int:
        """Verified then, and taken back since."""
        return -self.late

    @cached_property
    def forecast(self) -> Forecast:
        return forecast_of(self.tally, self.days, self.day, day_is_over=self.as_of is not None)

    @cached_property
    def refusals(self) -> list[tuple[str, int]]:
        """By reason, the most first; not remembered for the past."""
        found = self.source.refusals_of(self.owner)
        return [(CollectionForm.RefusalReason(reason).label, forms) for reason, forms in found]

    @cached_property
    def suspicions(self) -> list[SuspicionTally]:
        """In the order of the catalogue; not remembered for the past."""
        return self.source.suspicions_of(self.owner)

    @cached_property
    def faults(self) -> list[FaultRow]:
        """What was found, and what is suspected, of each fault in the order of the catalogue."""
        found = self.source.found_of(self.owner)
        suspected = {row.fault: row for row in self.suspicions}
        both = sorted({*found, *suspected})
        return [FaultRow(fault, found.get(fault, 0), suspected.get(fault)) for fault in both]

    @property
    def version(self) -> tuple:
        """Changes whenever a figure of the page may: a roll-up that recounts anything below stamps the owner's
        tally anew; beside it the day and the round's own settings."""
        kind = type(self.owner).__name__
        return (kind, self.owner.pk, self.tally.rolled_up_at, self.day, self.as_of, rules_of(self.round))

    @property
    def per_day(self) -> int | None:
        """Forms a day, from tomorrow, that finish the plan by the end of the round."""
        return needed_per_day(self.tally.left, first_day=self.day + timedelta(days=1), due_on=self.round.ends_on)

    @property
    def recent_per_day(self) -> int:
        return recent_per_day(self.days, self.day)

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
        communes; what was not scanned yet has no list. Of the past they are not remembered."""
        if self.as_of:
            return []
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


def rules_of(round: Round) -> tuple:
    """Its settings and targets, by which the same facts would give other figures: a part of what a kept page is kept
    under."""
    settings = tuple(getattr(round, field.attname) for field in Round._meta.concrete_fields)
    return settings, [(target.kind, target.percent, target.due_on) for target in round.stored_targets]


def two_places(value: Decimal) -> Decimal:
    """A rate as it is printed, rounded half up; what is not finished never reads 100,00."""
    rounded = value.quantize(Decimal("0.01"), ROUND_HALF_UP)
    return Decimal("99.99") if value < 100 <= rounded else rounded


def of_row(source: Source, row: UnitRow) -> Progress:
    """The head of the page of a unit of which the line is known."""
    shown = Progress(source, row.owner, row.tally, row.day)
    shown.days, shown.forecast = row.days, row.forecast
    return shown


def forecast_of(tally: Tally, days: list[Day], day: date, *, day_is_over: bool) -> Forecast:
    round = tally.round
    return forecast(
        days, today=day, left=tally.left, starts_on=round.starts_on, ends_on=round.ends_on, day_is_over=day_is_over
    )


def forecast_of_work(work: CommuneWork, days: list[Day]) -> Forecast:
    """Of a commune whose work is counted live: of today what stands at this moment, of the `days` before what was
    rolled up."""
    round, today = work.round, work.today
    series = [*(day for day in days if day.day < today), Day(today, work.standing.done_today)]
    return forecast(series, today=today, left=work.left, starts_on=round.starts_on, ends_on=round.ends_on)


def recent_per_day(days: list[Day], today: date) -> int:
    """Forms a day over the last seven days, today among them."""
    first = today - timedelta(days=RECENT_DAYS - 1)
    return round(sum(day.verified for day in days if first <= day.day <= today) / RECENT_DAYS)


def empty_tally(round: Round) -> Tally:
    return Tally(round=round, rolled_up_at=None)


def sum_of(model: type, rows: list, columns: list[str]):
    """A row of the sums of these columns, which is of nobody."""
    return model(**{column: sum(getattr(row, column) for row in rows) for column in columns})


def total_of(rows: list[UnitRow], round: Round) -> UnitRow:
    """The foot of a table: the sum of its lines."""
    columns = [column.name for model in (Denominators, Counts) for column in model._meta.fields]
    total = sum_of(Tally, [row.tally for row in rows], columns)
    total.round = round
    by_day = Counter()
    for row in rows:
        for day, verified in row.days:
            by_day[day] += verified
    day, is_over = (rows[0].day, rows[0].day_is_over) if rows else (clock.today(), False)
    return UnitRow(None, total, day, [Day(*each) for each in sorted(by_day.items())], is_over)


def by_outlook(rows: list[UnitRow]) -> list[tuple[Outlook, int]]:
    """How many lines stand how to the deadline, the worst first; adds up to all of them."""
    counted = Counter(row.forecast.outlook for row in rows)
    return [(outlook, counted[outlook]) for outlook in WORST_FIRST if counted[outlook]]


def goals(round: Round) -> list[Decimal]:
    """The shares of the plan that the whole is to reach."""
    return [target.percent for target in round.stored_targets if target.kind == Target.Kind.OVERALL]


def goal_percent(round: Round) -> Decimal | None:
    """The mark on the bars: the nearest target that is less than everything."""
    return min((percent for percent in goals(round) if percent < 100), default=None)


def shown_rows(rows: list[UnitRow], sort: str, outlook: str = "") -> list[UnitRow]:
    """As `sorted_rows`, and only those of one outlook where it is asked for."""
    return [row for row in sorted_rows(rows, sort) if not outlook or row.forecast.outlook == outlook]


def sorted_rows(rows: list[UnitRow], sort: str) -> list[UnitRow]:
    """Sorted by a column, "-" before it for descending; anything else keeps administrative order."""
    column = sort.removeprefix("-")
    if column not in (*SORTS, "name"):
        return rows
    return sorted(rows, key=lambda row: row.sort_value(column), reverse=sort.startswith("-"))
