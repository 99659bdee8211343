"""What a map is coloured by, and into which class a unit falls. Values in, a class out: no database, no clock.

Class 1 is where a call is needed, class 5 where all is well; class 0 has nothing to tell. The breaks do not move with
the units, so that the map of one day can be laid beside that of another (decision 0029)."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import cached_property

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from reports.forecast import Forecast, Outlook, is_working_day
from reports.models import rate
from reports.progress import UnitRow, goal_percent
from verification.models import Round

CLASSES = (1, 2, 3, 4, 5)
WORST, BEST, NO_DATA = 1, 5, 0
TENTH = Decimal("0.1")
GOAL = Decimal(85)  # of the plan, where the round sets none below 100
DAYS_TO_SPARE = 7  # at the worse end of the forecast
FAULTS_PER_100 = (4, 8, 12, 16)
IDLE_DAYS = (2, 3, 5, 10)


class Measure(TextChoices):
    RATE = "rate", _("rate")
    SLACK = "slack", _("days to spare")
    FAULTS = "faults", _("faults found")
    IDLE = "idle", _("days without entries")


@dataclass(frozen=True)
class Place:
    """A unit and all that a map may say of it."""

    row: UnitRow
    goal: Decimal
    starts_on: date
    found: int = 0  # faults, by the standing results
    last_entry: date | None = None  # the last day with results

    @property
    def unit(self):
        return self.row.owner

    @property
    def has_plan(self) -> bool:
        return self.row.tally.base > 0

    @cached_property
    def is_finished(self) -> bool:
        return self.has_plan and self.row.tally.left <= 0

    @cached_property
    def found_per_100(self) -> Decimal | None:
        return rate(self.found, self.row.tally.verified)

    @cached_property
    def idle(self) -> int:
        """Working days without an entry, up to the day of the figures; since the round began where there was none."""
        before = self.starts_on - timedelta(days=1)
        return working_days(max(self.last_entry or before, before), self.row.day)

    def class_by(self, measure: Measure) -> int:
        if not self.has_plan:
            return NO_DATA
        if measure == Measure.RATE:
            return rate_class(self.row.tally.rate, self.goal)
        if measure == Measure.SLACK:
            return slack_class(self.row.forecast)
        if measure == Measure.FAULTS:
            return faults_class(self.found_per_100)
        return idle_class(self.idle, is_finished=self.is_finished)

    def sort_value(self, measure: Measure) -> tuple:
        """The worst last, and what has nothing to tell behind it."""
        value = {
            Measure.RATE: lambda: -(self.row.tally.rate or 0),
            Measure.SLACK: self._behind,
            Measure.FAULTS: lambda: self.found_per_100 or 0,
            Measure.IDLE: lambda: 0 if self.is_finished else self.idle,
        }[measure]()
        place = self.class_by(measure)
        return (-place if place else -BEST - 1, value)

    def _behind(self) -> int:
        told = self.row.forecast
        slack = told.most_slack if told.outlook == Outlook.LATE else told.least_slack
        return 999 if slack is None else -slack


def goal_of(round: Round) -> Decimal:
    """The share of the plan by which the classes of the rate are made."""
    return goal_percent(round) or GOAL


def rate_breaks(goal: Decimal) -> tuple[Decimal, ...]:
    """With a goal of 85: 70, 80, 85, 95. The goal is always one of them."""
    below = (goal - 15, goal - 5) if goal > 20 else ((goal / 3).quantize(TENTH), (goal * 2 / 3).quantize(TENTH))
    return (*below, goal, (goal + (100 - goal) * 2 / 3).quantize(Decimal(1)))


def rate_class(rate: Decimal | None, goal: Decimal = GOAL) -> int:
    return NO_DATA if rate is None else WORST + bisect_right(rate_breaks(goal), rate)


def slack_class(told: Forecast) -> int:
    """Late only where even the better end of the forecast misses the deadline; where only the worse end does, the
    middle says which of the two is more likely."""
    if told.outlook in (Outlook.NOT_STARTED, Outlook.NO_PACE):
        return NO_DATA
    if told.outlook == Outlook.LATE:
        return WORST
    if told.outlook == Outlook.TIGHT:
        return WORST + 1 if told.middle is None or told.middle > told.ends_on else WORST + 2
    roomy = told.outlook == Outlook.FINISHED or (told.least_slack or 0) >= DAYS_TO_SPARE
    return BEST if roomy else BEST - 1


def faults_class(found_per_100: Decimal | None) -> int:
    return NO_DATA if found_per_100 is None else BEST - bisect_right(FAULTS_PER_100, found_per_100)


def idle_class(idle: int, *, is_finished: bool) -> int:
    """Whoever is done has nothing to enter."""
    return BEST if is_finished else BEST - bisect_right(IDLE_DAYS, idle)


def working_days(after: date, until: date) -> int:
    """Without weekends and public holidays; `after` itself is not counted."""
    days = (after + timedelta(days=ahead) for ahead in range(1, (until - after).days + 1))
    return sum(is_working_day(day) for day in days)


def counted(places: Iterable[Place], measure: Measure) -> dict[int, int]:
    """How many units are in which class; adds up to all of them."""
    found = Counter(place.class_by(measure) for place in places)
    return {each: found[each] for each in (*CLASSES, NO_DATA)}


def in_class(places: Sequence[Place], measure: Measure, chosen: int | None) -> list[Place]:
    return [place for place in places if chosen is None or place.class_by(measure) == chosen]


def worst_of(places: Sequence[Place], measure: Measure) -> list[Place]:
    """Those of class 1, the worst first."""
    found = in_class(places, measure, WORST)
    return sorted(found, key=lambda place: place.sort_value(measure), reverse=True)
