"""When a unit or team will be done, as a range, from what it did each day. No database, no clock, no chance.

The method and its sources: docs/decisions/0028-forecast.md. What it was measured against: docs/forecast.md.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache, cached_property
from itertools import accumulate, pairwise
from math import exp, hypot, log, sqrt
from typing import NamedTuple

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _
from holidays import country_holidays

from verification.rules import needed_per_day

LONGEST = 366  # days ahead; an end beyond is not told
ROUNDING = 1e-6  # of a form: what just makes the plan makes it
STANDSTILL = 14  # days without a result, holidays apart, after which no pace is told
WEEK = 7
MEMORY, RECENT = 26 * WEEK, 12 * WEEK  # days the course of a unit, and its pace, are learned from

SATURDAY, SUNDAY, HOLIDAY = 5, 6, 7
# What is thought of a day of rest before the unit has shown it, as a share of a working day; it counts as one such day.
SHARE_THOUGHT = {SATURDAY: 0.8, SUNDAY: 0.3, HOLIDAY: 0.1}
SHARE_AT_MOST = 3.0
WEEKDAY_DECAY = 0.5 ** (1 / 28)  # how a unit spends its week is forgotten by half in four weeks

# Chosen by trial on histories made for it (0028), never on those that docs/forecast.md reports.
SHORT, LONG = 5, 22  # half-lives of the two averages of the pace, in working days
DOUBT = 0.25  # how much of its own noise a change of pace must outweigh to be half believed
WEEKS_FOR_A_HUMP = 4  # before that none can be told
WEEKS_FOR_A_RISE = 8  # to be believed whole; it may be no more than a beginning
RISE = 2.0  # a believed rise goes on, faster than the averages show it because they lag behind
RISE_AT_MOST = 0.7  # as the averages show it, of the logarithm of the pace until the plan is reached
# Squared, of one working day, until the unit has shown its own; worth three pairs of weeks
NOISE, NOISE_WEIGHT = 0.1, 3
OLD_WEEK = 0.93  # what a week counts beside the one after it, for the noise
EVIDENCE = 0.15  # how much a week says for a hump; weeks hang together
HUMP_END = 0.01  # share of the plan by which a hump's pace is short of nothing at its ends
# What is squared into the spread, beside the noise
DRIFT = 0.002  # a working day ahead
YOUTH = 8.0  # over the square of the working days known
RISE_DOUBT, RISE_ENDS, HUMP_DOUBT = 0.4, 0.4, 1.0  # of a rise to be steeper, to end, of a hump to go down
# Spreads to either end of the 80% range (`python -m benchmarks.forecast --calibrate`)
EARLY, LATE = 1.369, 0.775


class Outlook(TextChoices):
    """How a unit stands to the deadline. Late only when even the better end of the range misses it."""

    FINISHED = "finished", _("finished")
    ON_THE_WAY = "on_the_way", _("on the way")
    TIGHT = "tight", _("tight")
    LATE = "late", _("late")
    NOT_STARTED = "not_started", _("not started")
    NO_PACE = "no_pace", _("no pace")


class BandDay(NamedTuple):
    """Verified to date at the end of a day: what is expected, and the ends of the 80% range."""

    day: date
    low: float
    middle: float
    high: float


@dataclass(frozen=True)
class Pace:
    """What a unit's days have shown."""

    level: float  # forms a working day, now
    shares: tuple[float, ...]  # of Monday to Sunday and of a holiday, in working days
    left: int  # this morning
    rise: float  # of the logarithm of the pace until the plan is reached
    may_rise: float  # how much more it may rise
    may_fall: float
    days: float  # working days the level rests on
    noise: float  # of one working day, squared, as a share of the pace

    @property
    def per_day(self) -> float:
        """Forms a day of the calendar, days of rest among them."""
        return self.level * sum(self.shares[:WEEK]) / WEEK

    def forms(self, work: float, spreads: float) -> float:
        """Forms made in `work` working days from now, never fewer in more: in the middle by no spreads, toward the
        better end of the range by some, toward the worse by less than none."""
        even = self.level * work
        if not spreads:
            return self._bent(even, self.rise)
        even *= exp(spreads * sqrt(self.noise * (self._known + 1 / (work + 1)) + DRIFT * work + self._young))
        return self._bent(even, self.rise + spreads * (self._faster if spreads > 0 else self._slower))

    @cached_property
    def _known(self) -> float:
        return 1 / self.days

    @cached_property
    def _young(self) -> float:
        return YOUTH / self.days**2

    @cached_property
    def _faster(self) -> float:
        return hypot(RISE_DOUBT * self.rise, self.may_rise)

    @cached_property
    def _slower(self) -> float:
        return hypot(RISE_ENDS * self.rise, HUMP_DOUBT * self.may_fall)

    def _bent(self, even: float, trend: float) -> float:
        """What becomes of an even course when the logarithm of the pace changes by `trend` until the plan is reached,
        evenly with what is done."""
        if -1e-6 < trend < 1e-6:
            return even
        rest = 1 - trend * even / self.left
        if rest <= exp(-2 * trend) < 1:  # twice what is left: farther than anybody asks, and short of the pole
            return 2.0 * self.left + even
        return -log(rest) * self.left / trend


@dataclass(frozen=True)
class Ahead:
    """The days from today on, as a pace makes them."""

    pace: Pace
    today: date
    made_today: int
    day_is_over: bool

    @cached_property
    def work(self) -> list[float]:
        """Working days from this morning to the end of today, of tomorrow …"""
        shares, first = self.pace.shares, self.today.toordinal()
        weekday = (first - 1) % WEEK
        days = [*shares[weekday:WEEK], *shares[:weekday]] * (LONGEST // WEEK + 1)
        for ordinal in holidays_between(first, first + LONGEST):
            days[ordinal - first] = shares[HOLIDAY]
        if self.day_is_over:
            days[0] = 0.0
        return list(accumulate(days[: LONGEST + 1]))

    def _counted(self, spreads: float) -> float:
        """What of today is done already; more than was expected of the day gives no credit beyond it."""
        return min(self.made_today, self.pace.forms(self.work[0], spreads))

    def finish(self, left: int) -> tuple[date | None, date | None, date | None]:
        """The earliest, middle and latest day on which `left` forms are made."""

        def place(spreads: float, lo: int = 0, hi: int = LONGEST + 1) -> int:
            needed = left + self._counted(spreads) - ROUNDING
            return bisect_left(self.work, needed, lo, hi, key=lambda work: self.pace.forms(work, spreads))

        middle = place(0.0)
        places = place(EARLY, hi=middle), middle, place(-LATE, lo=middle)
        return tuple(self.today + timedelta(days=place) if place <= LONGEST else None for place in places)

    def band(self, until: date) -> list[tuple[date, float, float, float]]:
        """For each day forms made from now to its end, beside those of today that stand already."""
        counted = [(spreads, self._counted(spreads)) for spreads in (-LATE, 0.0, EARLY)]
        rows = []
        for place, work in enumerate(self.work[: max((until - self.today).days + 1, 0)]):
            low, middle, high = (self.pace.forms(work, spreads) - already for spreads, already in counted)
            rows.append((self.today + timedelta(days=place), min(low, middle), middle, max(high, middle)))
        return rows


@dataclass(frozen=True)
class Forecast:
    outlook: Outlook
    # The 80% range of the day on which the plan is reached, as it is told. None: not within a year, or there is no
    # pace to tell it from. All three are the true day of a finished unit.
    earliest: date | None
    middle: date | None
    latest: date | None
    per_day: float  # recent pace, forms a day of the calendar
    needed_per_day: int | None  # from tomorrow to the deadline, as `rules.needed_per_day`
    ends_on: date
    verified: int
    left: int
    ahead: Ahead | None = field(repr=False)  # None without a pace

    @property
    def least_slack(self) -> int | None:
        """Days between the worse end and the deadline, negative when it misses; None without that end."""
        return (self.ends_on - self.latest).days if self.latest else None

    @property
    def most_slack(self) -> int | None:
        return (self.ends_on - self.earliest).days if self.earliest else None

    def band(self, until: date) -> list[BandDay]:
        """For each day from today to `until`, for drawing. It reaches the plan on the very days of the range; empty
        where there is nothing to foretell."""
        rows = self.ahead.band(until) if self.ahead else []
        enough, plan = self.left - ROUNDING, float(self.verified + self.left)
        return [BandDay(day, *(plan if end >= enough else self.verified + end for end in ends)) for day, *ends in rows]


def forecast(
    series: Sequence[tuple[date, int]],
    *,
    today: date,
    left: int,
    starts_on: date,
    ends_on: date,
    day_is_over: bool = False,
) -> Forecast:
    """The forecast of one unit or team as of `today`.

    `series`: (day, forms verified on it), oldest first, each day once; days without results may be missing, days after
    today are not read. The round's first day only keeps `needed_per_day` from counting days before it. `left`: the plan less everything verified, today's among it; negative where more was verified than planned.
    `day_is_over`: today is a whole day, as for a cut-off in the past; else its results count as done, but the pace is
    not judged by a day that still goes on.
    """
    series = [(day, made) for day, made in series if made > 0 and day <= today]
    verified = sum(made for _day, made in series)
    first_day = max(today + timedelta(days=1), starts_on)
    facts = {
        "needed_per_day": needed_per_day(left, first_day=first_day, due_on=ends_on),
        "ends_on": ends_on,
        "verified": verified,
        "left": left,
    }
    pace = pace_of(series, today=today, left=left, day_is_over=day_is_over)
    per_day = pace.per_day if pace else 0.0
    if left <= 0:
        done_on = _reached_on(series, plan=verified + left)
        return Forecast(Outlook.FINISHED, done_on, done_on, done_on, per_day, ahead=None, **facts)
    if not pace:
        outlook = Outlook.LATE if today > ends_on else Outlook.NO_PACE if verified else Outlook.NOT_STARTED
        return Forecast(outlook, None, None, None, per_day, ahead=None, **facts)
    made_today = 0 if day_is_over else sum(made for day, made in series[-1:] if day == today)
    ahead = Ahead(pace, today, made_today, day_is_over)
    earliest, middle, latest = ahead.finish(left)
    outlook = outlook_of(earliest, latest, today=today, ends_on=ends_on)
    return Forecast(outlook, earliest, middle, latest, per_day, ahead=ahead, **facts)


def outlook_of(earliest: date | None, latest: date | None, *, today: date, ends_on: date) -> Outlook:
    if (earliest or today) > ends_on:
        return Outlook.LATE
    if not earliest:
        return Outlook.NO_PACE
    return Outlook.ON_THE_WAY if latest and latest <= ends_on else Outlook.TIGHT


def _reached_on(series: list[tuple[date, int]], *, plan: int) -> date | None:
    """The day on which as many were verified as are planned; None where nothing was."""
    if plan <= 0 or not series:
        return None
    return series[bisect_left(list(accumulate(made for _day, made in series)), plan)][0]


def pace_of(series: list[tuple[date, int]], *, today: date, left: int, day_is_over: bool) -> Pace | None:
    """From the unit's first result on, so that a late start does not thin its pace; None where it has none, or none
    lately."""
    if not series:
        return None
    counts = [(day.toordinal(), count) for day, count in series]
    # a unit that began this very day has only an unfinished day to be judged by
    last = max(today.toordinal() - (not day_is_over), counts[0][0])
    first = max(counts[0][0], last - MEMORY + 1)
    made, before = [0] * (last - first + 1), 0
    for ordinal, count in counts:
        if ordinal < first:
            before += count
        elif ordinal <= last:
            made[ordinal - first] = count
        else:  # of an unfinished today: this morning it was left
            left += count
    kinds = [(ordinal - 1) % WEEK for ordinal in range(first, last + 1)]
    for ordinal in holidays_between(first, last):
        kinds[ordinal - first] = HOLIDAY
    idle = range(max(counts[-1][0] + 1 - first, 0), len(made))
    if len(idle) >= STANDSTILL and sum(kinds[place] != HOLIDAY for place in idle) >= STANDSTILL:
        return None
    shares = _shares(made[-RECENT:], kinds[-RECENT:])
    return _pace(made, kinds, shares, before=before, left=max(left, 1))


def _shares(made: list[int], kinds: list[int]) -> tuple[float, ...]:
    """How much of a working day's work is done on each weekday and on a holiday."""
    forms, days, weight = [0.0] * 8, [0.0] * 8, 1.0
    for count, kind in zip(reversed(made), reversed(kinds), strict=True):
        forms[kind] += weight * count
        days[kind] += weight
        weight *= WEEKDAY_DECAY
    working_day = sum(forms[:SATURDAY]) / max(sum(days[:SATURDAY]), 1.0)
    if not working_day:  # only days of rest have results yet: one day is like another
        return (1.0,) * 8
    rest = [(forms[kind] / working_day + share) / (days[kind] + 1) for kind, share in SHARE_THOUGHT.items()]
    return (*[1.0] * SATURDAY, *(min(share, SHARE_AT_MOST) for share in rest))


class Average(NamedTuple):
    """Of the pace, the last days counting most."""

    forms: float
    work: float  # working days
    days: float  # as many equal ones would be as certain
    done: float  # forms done, on the average of its days


def _average(days: list[tuple[int, float]], half_life: float, *, before: int) -> Average:
    """`days`: forms made and share of a working day, oldest first; holidays are left out."""
    keeps = {share: 0.5 ** (share / half_life) for share in {share for _made, share in days}}
    forms = work = squares = reached = 0.0
    for made, share in days:
        keep = keeps[share]
        before += made
        forms = keep * forms + made
        work = keep * work + share
        squares = keep * keep * squares + share
        reached = keep * reached + share * (before - made / 2)
    return Average(forms, work, work * work / squares, reached / work)


def _pace(made: list[int], kinds: list[int], shares: tuple[float, ...], *, before: int, left: int) -> Pace:
    recent = zip(made[-RECENT:], kinds[-RECENT:], strict=True)
    days = [(count, shares[kind]) for count, kind in recent if kind != HOLIDAY]
    done = before + sum(made)
    weeks = _weeks(made, kinds, shares, done=done)
    noise = _noise(weeks)
    if not any(count for count, _share in days):  # it worked on holidays only
        return Pace(sum(made) / len(made), shares, left, 0.0, 0.0, 0.0, 1.0, noise)
    until_recent = done - sum(made[-RECENT:])
    short, long = (_average(days, half_life, before=until_recent) for half_life in (SHORT, LONG))
    slow = long.forms / long.work
    fast = (short.forms + slow) / (short.work + 1)  # with a day of the slow pace, so that it is never nothing
    change = log(fast / slow)
    doubt = DOUBT * noise * max(1 / short.days - 1 / long.days, 0.0)
    belief = change**2 / (change**2 + doubt) if change else 0.0
    hump, falls = _hump(weeks, plan=done + left, done=done)
    going_on = belief * change * left / max(short.done - long.done, 1.0)
    may_rise = RISE * (1 - hump) * min(max(going_on, 0.0), RISE_AT_MOST)
    rise = may_rise * min(len(weeks) / WEEKS_FOR_A_RISE, 1.0)
    level = slow * exp(belief * change + rise * min((done - short.done) / left, 1.0))
    return Pace(
        level, shares, left, rise, may_rise - rise, hump * falls, belief * short.days + (1 - belief) * long.days, noise
    )


class Week(NamedTuple):
    work: float
    forms: int
    done: float  # in its middle


def _weeks(made: list[int], kinds: list[int], shares: tuple[float, ...], *, done: int) -> list[Week]:
    """Seven days each, the last first; without those that had no working day."""
    weeks = []
    for end in range(len(made), WEEK - 1, -WEEK):
        work = sum([shares[kind] for kind in kinds[end - WEEK : end] if kind != HOLIDAY])
        forms = sum(made[end - WEEK : end])
        if work >= 1:
            weeks.append(Week(work, forms, done - forms / 2))
        done -= forms
    return weeks


def _noise(weeks: list[Week]) -> float:
    """From one week to the next, so that a steady change of pace is no noise; spells of work and rest are."""
    total, weight, pairs = NOISE * NOISE_WEIGHT, float(NOISE_WEIGHT), 1.0
    for (work, forms, _at), (work_before, forms_before, _before) in pairwise(weeks[: RECENT // WEEK]):
        if forms + forms_before:
            both = (forms + forms_before) / (work + work_before)
            apart = (forms / work - forms_before / work_before) / both
            total += pairs * apart**2 / 2 * (work + work_before) / 2
            weight += pairs
            pairs *= OLD_WEEK
    return total / weight


def _hump(weeks: list[Week], *, plan: int, done: int) -> tuple[float, float]:
    """How likely the pace goes up and down with what is done (a logistic course) rather than staying, from 0 to 1;
    and how far its logarithm then falls until the plan is reached."""
    if len(weeks) < WEEKS_FOR_A_HUMP:
        return 0.0, 0.0

    def shape(part: float) -> float:
        return (part + HUMP_END) * (1 + HUMP_END - part)

    work = forms = squares = shapes = crossed = 0.0
    for week in weeks:
        pace, at = week.forms / week.work, shape(week.done / plan)
        work += week.work
        forms += week.forms
        squares += week.forms * pace
        shapes += week.work * at * at
        crossed += week.forms * at
    even, humped = squares - forms * forms / work, squares - crossed * crossed / shapes
    likely = 1 / (1 + (max(humped, 1e-9) / max(even, 1e-9)) ** (EVIDENCE * len(weeks)))
    return likely, max(log(shape(done / plan) / shape(1.0)), 0.0)


@cache
def public_holidays(year: int) -> frozenset[date]:
    """Days off by the Vietnamese labour code."""
    return frozenset(country_holidays("VN", years=year))


def is_working_day(day: date) -> bool:
    """No weekend, no public holiday."""
    return day.weekday() < SATURDAY and day not in public_holidays(day.year)


@cache
def _holiday_ordinals(year: int) -> frozenset[int]:
    return frozenset(day.toordinal() for day in public_holidays(year))


def holidays_between(first: int, last: int) -> set[int]:
    """As ordinals of days, like the two given."""
    years = range(date.fromordinal(first).year, date.fromordinal(last).year + 1)
    return {day for year in years for day in _holiday_ordinals(year) if first <= day <= last}
