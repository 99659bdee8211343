"""When a unit or team will be done, as a range: from what it did each day. No database, no clock, no chance.

The method, its sources and what it was measured against: docs/decisions/0028-forecast.md and docs/forecast.md.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache
from itertools import accumulate, takewhile
from math import exp, log, sqrt
from typing import NamedTuple

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _
from holidays import country_holidays

from verification.rules import needed_per_day

LONGEST = 366  # days ahead: an end beyond is not told
STANDSTILL = 14  # days without a result, holidays apart: no pace is told any more
MEMORY = 84  # days the pace is learned from
WEEK = 7
SATURDAY, SUNDAY, HOLIDAY = 5, 6, 7
# What is thought of a day of rest before the unit has shown it, as a share of a working day, and for how many such
# days the thought counts.
SHARE_THOUGHT = {SATURDAY: 0.8, SUNDAY: 0.3, HOLIDAY: 0.1}
THOUGHT = 1.0
WEEKDAY_DECAY = 0.5 ** (1 / 28)  # a day counts half as much after four weeks


@dataclass(frozen=True)
class Tuning:
    """Found on the calibration histories of benchmarks/forecast.py, checked on others."""

    short: float = 5.0  # half-life in working days of the recent pace
    long: float = 14.0  # and of the pace it is held against
    longest: float = 40.0  # and of the pace against which a fall is seen
    doubt: float = 4.0  # how many times its noise a change of pace must be to be believed by half
    rise: float = 1.0  # how much of a believed change of pace goes on, upward
    fall: float = 1.0  # and downward
    damping: float = 0.96  # of what goes on, a working day
    noise: float = 0.5  # variance of a day's pace by itself, until the unit has shown its own
    noise_thought: float = 3.0  # for how many pairs of weeks that counts
    drift: float = 0.002  # variance of the logarithm of the pace, a working day ahead
    rise_doubt: float = 0.5  # how much faster a rise may yet become
    fall_doubt: float = 0.5  # how much worse a fall may yet become
    other_doubt: float = 0.2  # how wrong a change that goes on may be, to the other side
    early: float = 1.28  # spread of the better end
    late: float = 1.28  # and of the worse


TUNING = Tuning()


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
    """What a unit's days have shown. `shares`: of Monday to Sunday and of a holiday, in working days."""

    level: float  # forms a working day, now
    rise: float  # of its logarithm, a working day
    fall: float
    shares: tuple[float, ...]
    days: float  # of work it rests on
    noise: float  # variance of one working day's pace, as a share of the pace

    @property
    def per_day(self) -> float:
        """Forms a day of the calendar, days of rest among them."""
        return self.level * sum(self.shares[:WEEK]) / WEEK


@dataclass(frozen=True)
class Forecast:
    outlook: Outlook
    # The 80% range of the day on which the plan is reached. None: not within a year, or no pace to tell it from.
    # All three are the true day of a finished unit.
    earliest: date | None
    middle: date | None
    latest: date | None
    per_day: float  # recent pace, forms a day of the calendar
    needed_per_day: int | None  # from tomorrow to the deadline; None when the time is over
    slack_least: int | None  # days from the worse end to the deadline, negative when it misses; None without that end
    slack_most: int | None
    verified: int
    left: int
    pace: Pace | None = field(repr=False)
    today: date = field(repr=False)
    made_today: int = field(repr=False)
    day_is_over: bool = field(repr=False)

    def band(self, until: date) -> list[BandDay]:
        """For each day from today to `until`, for drawing; it reaches the plan on the very days of the range."""
        plan = self.verified + self.left
        if not self.pace or self.left <= 0:
            days = range((until - self.today).days + 1)
            return [BandDay(self.today + timedelta(n), *[float(self.verified)] * 3) for n in days]
        ahead = _ahead(self.pace, today=self.today, made_today=self.made_today, day_is_over=self.day_is_over)
        rows = takewhile(lambda row: row[0] <= until, ahead)
        return [BandDay(day, *(min(self.verified + more, plan) for more in ends)) for day, *ends in rows]


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

    `series`: (day, forms verified on it), oldest first; days without results may be missing, days after today are not
    read. `left`: the plan less everything verified, today's among it; negative where more was verified than planned.
    `day_is_over`: today is counted as a whole day, as for a cut-off in the past; else its results are what the
    unfinished day made so far, and its pace is not judged by them.
    """
    known = [(day, max(made, 0)) for day, made in series if day <= today]
    verified = sum(made for _day, made in known)
    made_today = 0 if day_is_over else sum(made for day, made in known if day == today)
    common = {
        "verified": verified,
        "left": left,
        "needed_per_day": needed_per_day(left, first_day=today + timedelta(days=1), due_on=ends_on),
        "today": today,
        "made_today": made_today,
        "day_is_over": day_is_over,
    }
    pace = pace_of(known, today=today, starts_on=starts_on, day_is_over=day_is_over)
    if left <= 0:
        done_on = _reached_on(known, plan=verified + left)
        slack = (ends_on - done_on).days if done_on else None
        return Forecast(
            Outlook.FINISHED, done_on, done_on, done_on, pace.per_day if pace else 0.0,
            slack_least=slack, slack_most=slack, pace=pace, **common,
        )  # fmt: skip
    if not pace:
        outlook = Outlook.NO_PACE if verified else Outlook.NOT_STARTED
        outlook = Outlook.LATE if today > ends_on else outlook
        return Forecast(outlook, None, None, None, 0.0, slack_least=None, slack_most=None, pace=None, **common)
    earliest, middle, latest = _ends(pace, left, today=today, made_today=made_today, day_is_over=day_is_over)
    return Forecast(
        _outlook(earliest, latest, today=today, ends_on=ends_on),
        earliest,
        middle,
        latest,
        pace.per_day,
        slack_least=(ends_on - latest).days if latest else None,
        slack_most=(ends_on - earliest).days if earliest else None,
        pace=pace,
        **common,
    )


def _outlook(earliest: date | None, latest: date | None, *, today: date, ends_on: date) -> Outlook:
    if (earliest or today) > ends_on:
        return Outlook.LATE
    if earliest is None:
        return Outlook.NO_PACE
    return Outlook.ON_THE_WAY if latest and latest <= ends_on else Outlook.TIGHT


def _reached_on(known: list[tuple[date, int]], *, plan: int) -> date | None:
    """The day on which as many were verified as are planned; None where nothing was planned or verified."""
    to_date = list(accumulate(made for _day, made in known))
    return known[bisect_left(to_date, plan)][0] if plan > 0 and to_date else None


def pace_of(
    known: list[tuple[date, int]], *, today: date, starts_on: date, day_is_over: bool, tuning: Tuning = TUNING
) -> Pace | None:
    """What the days show, from the unit's first result on; None where it has none, or none lately."""
    worked = [(day.toordinal(), made) for day, made in known if made and day >= starts_on] or [
        (day.toordinal(), made) for day, made in known if made
    ]
    if not worked:
        return None
    last = today.toordinal() - (0 if day_is_over else 1)
    first = worked[0][0]
    if first > last:
        last = first  # begun this very day: better than nothing
    first = max(first, last - MEMORY + 1)
    counts = [0] * (last - first + 1)
    for day, made in worked:
        if first <= day <= last:
            counts[day - first] += made
    resting = _holidays_between(first, last)
    kinds = [(first - 1 + place) % WEEK for place in range(len(counts))]
    for day in resting:
        kinds[day - first] = HOLIDAY
    idle = sum(
        1
        for _kind in takewhile(lambda pair: not pair[0], zip(reversed(counts), reversed(kinds)))
        if _kind[1] != HOLIDAY
    )
    if idle >= STANDSTILL and not (worked[-1][0] > last):
        return None
    shares = _shares(counts, kinds)
    if not any(counts):
        return None
    return _pace(counts, kinds, shares, tuning)


def _shares(counts: list[int], kinds: list[int]) -> tuple[float, ...]:
    """How much of a working day's work is done on each weekday and on a holiday."""
    made, days, decay = [0.0] * 8, [0.0] * 8, 1.0
    for count, kind in zip(reversed(counts), reversed(kinds), strict=True):
        made[kind] += decay * count
        days[kind] += decay
        decay *= WEEKDAY_DECAY
    workdays = sum(days[:SATURDAY])
    working_day = sum(made[:SATURDAY]) / workdays if workdays else 0.0
    if not working_day:  # nothing on working days yet: every day is like another
        return (1.0,) * 8
    rest = [
        min((made[kind] / working_day + THOUGHT * thought) / (days[kind] + THOUGHT), 3.0)
        for kind, thought in SHARE_THOUGHT.items()
    ]
    return (*[1.0] * SATURDAY, *rest)


def _pace(counts: list[int], kinds: list[int], shares: tuple[float, ...], tuning: Tuning) -> Pace:
    noise = _noise(counts, kinds, shares, tuning)
    worked = [(count, shares[kind]) for count, kind in zip(counts, kinds, strict=True) if kind != HOLIDAY]
    if not worked:
        return Pace(max(sum(counts), 1) / len(counts), 0.0, 0.0, shares, 1.0, tuning.noise)
    short, long = (_average(worked, half) for half in (tuning.short, tuning.long))
    slow = long[0] / long[1]
    fast = (short[0] + slow) / (short[1] + 1)  # a day of the slow pace, so that it is never nothing
    change, belief = _belief(fast, slow, short, long, noise, tuning)
    apart = long[3] - short[3]
    rise = max(belief * change / apart, 0.0) if apart > 0.5 else 0.0
    fall = min(belief * change / apart, 0.0) if apart > 0.5 else 0.0
    level = slow * exp(belief * change + (tuning.rise * rise + tuning.fall * fall) * short[3])
    return Pace(level, rise, fall, shares, belief * short[2] + (1 - belief) * long[2], noise)


def _belief(fast, slow, short, long, noise, tuning):
    change = log(fast / slow)
    doubt = tuning.doubt * noise * max(1 / short[2] - 1 / long[2], 0.0)
    return change, change**2 / (change**2 + doubt) if change else 0.0


def _average(worked: list[tuple[int, float]], half_life: float) -> tuple[float, float, float, float]:
    keep = 0.5 ** (1 / half_life)
    made = work = age = squares = 0.0
    for count, share in worked:
        k = keep**share
        age = k * (age + share * work)
        made = k * made + count
        work = k * work + share
        squares = k * k * squares + share
    return made, work, work * work / squares, age / work


def _noise(counts, kinds, shares, tuning: Tuning) -> float:
    """Variance of a working day's pace from one week to the next, as a share of the pace."""
    total, weight, decay = tuning.noise * tuning.noise_thought, tuning.noise_thought, 1.0
    before = None
    for end in range(len(counts), WEEK - 1, -WEEK):
        work = sum(shares[kind] for kind in kinds[end - WEEK : end] if kind != HOLIDAY)
        if work < 1:
            continue
        made = sum(c for c, kind in zip(counts[end - WEEK : end], kinds[end - WEEK : end]) if kind != HOLIDAY)
        if before and made + before[0]:
            apart = (before[0] / before[1] - made / work) / ((made + before[0]) / (work + before[1]))
            total += decay * apart**2 / 2 * (work + before[1]) / 2
            weight += decay
            decay *= 0.85
        before = made, work
    return total / weight


def _ahead(
    pace: Pace, *, today: date, made_today: int, day_is_over: bool, tuning: Tuning = TUNING
) -> Iterator[tuple[date, float, float, float]]:
    """For today and each day ahead: forms still to be made by its end, at the worse end, middling, at the better."""
    low = high = 0.0
    counted = None
    for ordinal, middle, late, early in _expected(pace, today=today, day_is_over=day_is_over, tuning=tuning):
        low = max(low, middle * exp(-tuning.late * late))
        high = max(high, middle * exp(tuning.early * early))
        # today's own results are in what is left already; more than expected gives no credit beyond the day
        counted = counted or [min(made_today, end) for end in (low, middle, high)]
        more = middle - counted[1]
        yield date.fromordinal(ordinal), min(low - counted[0], more), more, max(high - counted[2], more)


def _expected(
    pace: Pace, *, today: date, day_is_over: bool, tuning: Tuning
) -> Iterator[tuple[int, float, float, float]]:
    """For today and each day ahead: (day, forms made from this morning to its end, spread of their logarithm)."""
    work = gone = worked = late = early = 0.0
    going_on = 1.0
    first = today.toordinal()
    resting = _holidays_between(first, first + LONGEST)
    trend = tuning.rise * pace.rise + tuning.fall * pace.fall
    t_late = (tuning.fall_doubt * pace.fall) ** 2 + (tuning.other_doubt * pace.rise) ** 2
    t_early = (tuning.rise_doubt * pace.rise) ** 2 + (tuning.other_doubt * pace.fall) ** 2
    for ordinal in range(first, first + LONGEST + 1):
        share = pace.shares[HOLIDAY if ordinal in resting else (ordinal - 1) % WEEK]
        if share and (ordinal > first or not day_is_over):
            work += share
            gone += going_on * share
            going_on *= tuning.damping**share
            worked += share * exp(trend * gone)
            variance = pace.noise * (1 / pace.days + 1 / (work + 1)) + tuning.drift * work
            late = sqrt(variance + t_late * gone * gone)
            early = sqrt(variance + t_early * gone * gone)
        yield ordinal, pace.level * worked, late, early


def _ends(pace: Pace, left: int, **day) -> tuple[date | None, date | None, date | None]:
    """(earliest, middle, latest) day on which `left` forms are made."""
    earliest = middle = None
    for on, low, expected, high in _ahead(pace, **day):
        if low >= left:
            return earliest or on, middle or on, on
        if not middle and expected >= left:
            middle = on
        if not earliest and high >= left:
            earliest = on
    return earliest, middle, None


@cache
def public_holidays(year: int) -> frozenset[date]:
    """The days off of the Vietnamese labour code, Tết and Giỗ Tổ by the lunar calendar."""
    return frozenset(country_holidays("VN", years=year))


@cache
def _holidays_of(year: int) -> frozenset[int]:
    return frozenset(day.toordinal() for day in public_holidays(year))


def _holidays_between(first: int, last: int) -> set[int]:
    years = range(date.fromordinal(first).year, date.fromordinal(last).year + 1)
    return {day for year in years for day in _holidays_of(year) if first <= day <= last}
