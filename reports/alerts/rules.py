"""When a commune's course is an alert, and whom it reaches. No database, no clock.

Every rule judges days that are over (`day` is the last of them), so that no morning's empty screen alarms anybody.
Adding one is a function in RULES, a `Kind` and a sentence in `words`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import accumulate
from statistics import median

from households.models import AdministrativeUnit
from reports.forecast import is_working_day
from reports.models import Alert
from reports.progress import RECENT_DAYS
from verification.rules import needed_per_day

Kind, Level = Alert.Kind, AdministrativeUnit.Level
ONE_DAY = timedelta(days=1)

BEHIND_TO_DISTRICT, BEHIND_TO_PROVINCE = 3, 5  # days under the required rate (product.md section 4)
RETURNED_DAYS, RETURNED_TO_DISTRICT = 3, 6  # waiting longer than these
IDLE_DAYS, IDLE_TO_PROVINCE = 3, 5  # working days without an entry
# A day is a jump when it is three times the usual one, far above the best one, and not by a handful of forms.
USUAL_OF, USUAL_AT_LEAST = 14, 5  # days looked at, and days with results needed among them
JUMP_TIMES, JUMP_OVER_BEST, JUMP_FORMS = 3, 1.5, 50
JUMP_TOLD = 5  # days for which it stays an alert


@dataclass(frozen=True)
class Course:
    """What is known of a commune at the end of `day`, the last day that is over."""

    day: date
    starts_on: date
    ends_on: date
    base: int  # what its rate is a share of: `Tally.base`
    left: int  # at this moment, today's results counted
    days: Sequence[tuple[date, int]]  # with results, oldest first: verified on it
    returned: int = 0  # results that wait for the commune, and since when the first of them does
    returned_since: date | None = None
    today: date | None = None  # the day on which it is asked, for what waits; `day` without it

    @property
    def over(self) -> list[tuple[date, int]]:
        """The days that are over."""
        return [(day, made) for day, made in self.days if day <= self.day]


@dataclass(frozen=True)
class Finding:
    kind: Kind
    since: date
    reach: Level
    facts: dict[str, int | str | None]


def findings_of(course: Course) -> list[Finding]:
    """At most one of each kind."""
    return [finding for rule in RULES if (finding := rule(course))]


def behind(course: Course) -> Finding | None:
    """The last seven days made less a day than is needed from then on. The figures are those of the table of units;
    the first week of a round has no seven days to be judged by."""
    first = course.starts_on + timedelta(days=RECENT_DAYS - 1)
    if course.left <= 0 or course.base <= 0 or course.day < first:
        return None
    length = (course.day - course.starts_on).days + 1
    made = [0] * length
    before = 0
    for day, verified in course.over:
        place = (day - course.starts_on).days
        if place < 0:
            before += verified
        else:
            made[place] = verified
    until = [before, *accumulate(made, initial=before)][1:]  # until[n]: verified before day n of the round

    def pace(place: int) -> tuple[int, int | None]:
        """Made a day over the seven days to this one, and needed a day from the next on."""
        recent = round((until[place + 1] - until[place + 1 - RECENT_DAYS]) / RECENT_DAYS)
        left, next_day = course.base - until[place + 1], course.starts_on + timedelta(days=place + 1)
        return recent, needed_per_day(left, first_day=next_day, due_on=course.ends_on)

    def is_behind(place: int) -> bool:
        recent, needed = pace(place)
        return needed is None or recent < needed

    place = length - 1
    while place >= RECENT_DAYS - 1 and is_behind(place):
        place -= 1
    days = length - 1 - place
    if not days:
        return None
    recent, needed = pace(length - 1)
    reach = _reach(days, district=BEHIND_TO_DISTRICT, province=BEHIND_TO_PROVINCE)
    facts = {"recent": recent, "needed": needed, "left": course.left, "days": days, "due": course.ends_on.isoformat()}
    return Finding(Kind.BEHIND, course.starts_on + timedelta(days=place + 1), reach, facts)


def idle(course: Course) -> Finding | None:
    """No result of the last three working days; weekends and public holidays are no days without work."""
    if course.left <= 0 or course.base <= 0:
        return None
    last = max((day for day, _verified in course.over), default=None)
    first = max(last + ONE_DAY, course.starts_on) if last else course.starts_on
    missed = [day for day in _days(first, course.day) if is_working_day(day)]
    if len(missed) < IDLE_DAYS:
        return None
    reach = Level.PROVINCE if len(missed) >= IDLE_TO_PROVINCE else Level.DISTRICT
    facts = {"days": len(missed), "last": last.isoformat() if last else None, "left": course.left}
    return Finding(Kind.IDLE, missed[0], reach, facts)


def returned(course: Course) -> Finding | None:
    """What the district sent back has been waiting for the commune for more than three days."""
    today = course.today or course.day
    if not course.returned or not course.returned_since:
        return None
    days = (today - course.returned_since).days
    if days <= RETURNED_DAYS:
        return None
    reach = Level.DISTRICT if days > RETURNED_TO_DISTRICT else Level.COMMUNE
    return Finding(Kind.RETURNED, course.returned_since, reach, {"forms": course.returned, "days": days})


def jump(course: Course) -> Finding | None:
    """The latest day of the last few that is far above what the commune did before: somebody looks how it came
    about."""
    over = course.over
    for place in range(len(over) - 1, -1, -1):
        day, verified = over[place]
        if (course.day - day).days >= JUMP_TOLD:
            return None
        usual_from = day - timedelta(days=USUAL_OF)
        before = [made for earlier, made in over[:place] if earlier >= usual_from and made > 0]
        if len(before) < USUAL_AT_LEAST:
            continue
        usual = median(before)
        is_jump = verified >= JUMP_TIMES * usual and verified >= JUMP_OVER_BEST * max(before)
        if is_jump and verified - usual >= JUMP_FORMS:
            facts = {"forms": verified, "usual": round(usual), "day": day.isoformat()}
            return Finding(Kind.JUMP, day, Level.PROVINCE, facts)
    return None


RULES: tuple[Callable[[Course], Finding | None], ...] = (behind, idle, returned, jump)


def _days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def _reach(days: int, *, district: int, province: int) -> Level:
    return Level.PROVINCE if days >= province else Level.DISTRICT if days >= district else Level.COMMUNE
