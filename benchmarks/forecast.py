"""`python -m benchmarks.forecast`: asks the forecast about courses whose end is known, and writes docs/forecast.md.

Without a database. `--calibrate` asks about other courses instead and says what the spreads of the range should be.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from math import ceil
from pathlib import Path

from benchmarks import histories
from benchmarks.histories import History
from reports.forecast import Forecast, forecast

PAPER = Path(__file__).parent.parent / "docs" / "forecast.md"
DAYS_BEFORE = (10, 20, 30)
DAYS_AFTER = (7, 14, 21)  # a young unit: since its first result
KNOWN_AT_LEAST = 7  # days a unit has worked when it is asked about
NEVER = 366  # the error of a method that gives no date
CALIBRATION, HELD_OUT = "calibration", "reported"
# Each end of the range is missed by so many; a little under a tenth, so that no shape falls far under 80%
MISSED = 0.09
TIMED = 300


@dataclass(frozen=True)
class Case:
    """A history, asked about on a day when its end was still ahead."""

    history: History
    today: date
    at_noon: bool

    @property
    def series(self) -> list[tuple[date, int]]:
        return self.history.until(self.today, at_noon=self.at_noon)

    @property
    def left(self) -> int:
        return self.history.plan - sum(made for _day, made in self.series)

    @property
    def ahead(self) -> int:
        return (self.history.finished_on - self.today).days

    def forecast(self) -> Forecast:
        first, last = self.history.first_day, self.history.finished_on
        return forecast(self.series, today=self.today, left=self.left, starts_on=first, ends_on=last)

    def straight(self, days: int | None = None) -> date | None:
        """A naive forecast: as on the average of the last `days`, or of all."""
        days = days or (self.today - self.history.first_day).days
        since = self.today - timedelta(days)
        made = sum(made for day, made in self.series if since <= day < self.today)
        today = sum(made for day, made in self.series if day == self.today)
        if made <= 0 or days <= 0:
            return None
        # today makes what it made already, or one day's pace
        rest = min(self.left, self.left + today - made / days)
        further = max(ceil(round(rest * days / made, 6)), 0)
        return self.today + timedelta(days=further) if further <= NEVER else None

    def error(self, day: date | None) -> int:
        return abs((day - self.history.finished_on).days) if day else NEVER


@dataclass(frozen=True)
class Reading:
    """How a group of cases came out."""

    cases: int
    within: float  # share of true days within the range; a range without a worse end reaches as far as one likes
    too_early: float  # share of true days before it
    ours: float  # median error in days
    all_days: float
    last_week: float
    width: float  # median of the range in days


def cases(shape: str, seeds: str, number: int, days_before: int) -> list[Case]:
    """Every other one asked at noon, with half of the day's work done."""
    made = []
    for place, history in enumerate(histories.draw_many(shape, seeds, number)):
        today = history.finished_on - timedelta(days_before)
        if (today - history.first_day).days >= KNOWN_AT_LEAST:
            made.append(Case(history, today, at_noon=bool(place % 2)))
    return made


def young_cases(shape: str, seeds: str, number: int, days_after: int) -> list[Case]:
    made = []
    for history in histories.draw_many(shape, seeds, number):
        if (today := history.first_day + timedelta(days_after)) < history.finished_on:
            made.append(Case(history, today, at_noon=False))
    return made


def read(group: Iterable[Case]) -> Reading:
    rows = [(case, case.forecast()) for case in group]
    widths = [(told.latest - told.earliest).days if told.latest else NEVER for _case, told in rows]
    return Reading(
        len(rows),
        statistics.mean(_is_within(case, told) for case, told in rows),
        statistics.mean(bool(told.earliest and case.history.finished_on < told.earliest) for case, told in rows),
        statistics.median(case.error(told.middle) for case, told in rows),
        statistics.median(case.error(case.straight()) for case, _told in rows),
        statistics.median(case.error(case.straight(7)) for case, _told in rows),
        statistics.median(widths),
    )


def _is_within(case: Case, told: Forecast) -> bool:
    end = case.history.finished_on
    return bool(told.earliest and told.earliest <= end and (not told.latest or end <= told.latest))


def calibrate(number: int, *, missed: float = MISSED) -> tuple[float, float]:
    """(EARLY, LATE): split conformal. How many of its own spreads off the forecast was, of which the range takes in
    all but `missed` on either side."""
    early, late = [], []
    for shape in histories.ALL:
        for days_before in DAYS_BEFORE:
            for case in cases(shape, CALIBRATION, number, days_before):
                told = case.forecast()
                if told.ahead:
                    scores = _scores(case, told)
                    early.append(scores[0])
                    late.append(scores[1])
    return tuple(
        sorted(scores)[min(ceil((len(scores) + 1) * (1 - missed)), len(scores)) - 1] for scores in (early, late)
    )


def _scores(case: Case, told: Forecast) -> tuple[float, float]:
    """With how many spreads the better end just reaches the plan by the true day, and the worse end just does not the
    day before."""
    pace, whole = told.ahead.pace, case.left + told.ahead.made_today
    by_then, before = told.ahead.work[case.ahead], told.ahead.work[case.ahead - 1]
    return (
        _least(lambda spreads: pace.forms(by_then, spreads) >= whole),
        _least(lambda spreads: pace.forms(before, -spreads) < whole),
    )


def _least(holds: Callable[[float], bool]) -> float:
    """The least number of spreads for which it holds, from -6 to 6."""
    low, high = -6.0, 6.0
    for _ in range(20):
        half = (low + high) / 2
        low, high = (low, half) if holds(half) else (half, high)
    return high


def seconds_for(number: int) -> float:
    """Of processor time for the forecasts of so many units with their ends; the best of five."""
    group = [case for shape in histories.ALL for case in cases(shape, "timed", number // len(histories.ALL), 20)][
        :number
    ]
    asked = [(case.series, case.today, case.left) for case in group]
    taken = []
    for _ in range(5):
        started = time.process_time()
        for series, today, left in asked:
            forecast(series, today=today, left=left, starts_on=today, ends_on=today)
        taken.append(time.process_time() - started)
    return min(taken)


# ---- the page


HEAD = (
    "| course | days before the end | cases | true day in the range | before it | after it | width | median error | all days | last seven |\n"
    "| --- | --: | --: | --: | --: | --: | --: | --: | --: | --: |"
)


def _line(shape: str, days: object, reading: Reading) -> str:
    best = min(reading.all_days, reading.last_week)
    error = f"**{reading.ours:g}**" if reading.ours <= best else f"{reading.ours:g}"
    after = max(1 - reading.within - reading.too_early, 0.0)
    return (
        f"| {shape} | {days} | {reading.cases} | {reading.within:.0%} | {reading.too_early:.0%} | {after:.0%} | {reading.width:g} "
        f"| {error} | {reading.all_days:g} | {reading.last_week:g} |"
    )


def _table(
    make: Callable[[str, str, int, int], list[Case]], moments: tuple[int, ...], number: int, seeds: str
) -> tuple[list[str], Reading]:
    groups = {(shape, days): make(shape, seeds, number, days) for shape in histories.ALL for days in moments}
    readings = {key: read(group) for key, group in groups.items()}
    lines = []
    for shape in histories.ALL:
        lines += [_line(shape, days, readings[shape, days]) for days in moments]
        lines.append(_line(f"**{shape}**", "all", read(case for days in moments for case in groups[shape, days])))
    for days in moments:
        lines.append(_line("**all**", days, read(case for shape in histories.ALL for case in groups[shape, days])))
    overall = read(case for group in groups.values() for case in group)
    return [*lines, _line("**all**", "all", overall)], overall


def write(number: int) -> None:
    lines, overall = _table(cases, DAYS_BEFORE, number, HELD_OUT)
    young, _young = _table(young_cases, DAYS_AFTER, max(number // 2, 10), HELD_OUT)
    PAPER.write_text(
        f"""# The forecast, tried on courses whose end is known

Written by `python -m benchmarks.forecast`; change nothing here by hand. Measured on {datetime.now(UTC):%-d/%-m/%Y}. The method and
its reasons: [decision 0028](decisions/0028-forecast.md). The courses: `benchmarks/histories.py`, {number} of each kind, drawn from
seeds of their own: none of them was used to choose or calibrate anything. Every other one is asked at noon of a day that goes on.

The range is told as one of 80%; it has to hold the true day between 75% and 90% of the time. The naive methods: the average of
all days since the unit's first result, and of the last seven days, both drawn straight on. Errors in days;
**bold** where the forecast is no worse than the better of the two. Width: median days from the better to the worse end.

**Overall: {overall.within:.1%} of true days in the range; median error {overall.ours:g} days, against {overall.all_days:g} (all days) and
{overall.last_week:g} (last seven).** {TIMED} units take {seconds_for(TIMED) * 1000:.0f} ms of one core (best of five).

{HEAD}
{chr(10).join(lines)}

## Young units

The same, asked some days after the first result, the end weeks or months away. The range is what matters here.

{HEAD.replace("days before the end", "days since the start")}
{chr(10).join(young)}
"""
    )
    print(PAPER.read_text())


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.forecast", description=__doc__)
    parser.add_argument("--number", type=int, default=200, help="courses of each kind (default 200)")
    parser.add_argument("--calibrate", action="store_true", help="say what EARLY and LATE should be")
    given = parser.parse_args()
    if given.calibrate:
        print("EARLY, LATE = {:.3f}, {:.3f}".format(*calibrate(given.number)))
    else:
        write(given.number)


if __name__ == "__main__":
    main()
