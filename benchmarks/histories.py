"""Made-up courses of a commune's work, day by day to its end, to try the forecast on (`python -m benchmarks.forecast`).

No database: the demo's own courses come from its calendar, the others are drawn from a shape, a week, holidays and luck.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import count
from math import exp, log
from random import Random

from reports.demo.calendar import DAYS, Course
from reports.forecast import public_holidays

# Stay-at-home by Chỉ thị 16, as in the demo
DISTANCING = date(2020, 4, 1), date(2020, 4, 22)
SATURDAY, SUNDAY = 5, 6
LONGEST = 500  # days; a course that is not done by then is drawn anew


@dataclass(frozen=True)
class History:
    """Forms verified on each day from the first to the last; nobody knew the end before it came."""

    shape: str
    first_day: date
    counts: tuple[int, ...]

    @property
    def plan(self) -> int:
        return sum(self.counts)

    @property
    def finished_on(self) -> date:
        return self.first_day + timedelta(days=len(self.counts) - 1)

    def until(self, day: date, *, at_noon: bool = False) -> list[tuple[date, int]]:
        """What the tallies hold on the morning of `day`, or when half of its work is done: days with results."""
        days = (day - self.first_day).days
        counts = [*self.counts[:days], self.counts[days] // 2 if at_noon else 0]
        return [(self.first_day + timedelta(place), made) for place, made in enumerate(counts) if made]


def demo(random: Random) -> History:
    """A commune as the demo draws it, finished or brought to its end by the last day."""
    course = Course(complete=random.random() < 0.5, random=random)
    forms = _plan(random)
    # a household's results lie on one day
    households = Counter(course.at((home + random.random()) * 4 / forms)[0] for home in range(forms // 4))
    first, last = min(households), max(households)
    return History("demo", DAYS[first], tuple(4 * households[place] for place in range(first, last + 1)))


def _steady(random: Random) -> Callable[[float], float]:
    return lambda part: 1.0


def _s_curve(random: Random) -> Callable[[float], float]:
    steepness = random.uniform(5, 7.5)
    return lambda part: 4 / (exp(steepness * (part - 0.5) / 2) + exp(-steepness * (part - 0.5) / 2)) ** 2


def _late_rush(random: Random) -> Callable[[float], float]:
    """Rising slowly and ever faster, or by a step some weeks before the end."""
    rise, bend = random.uniform(1.5, 5), random.uniform(2, 4)
    if random.random() < 0.5:
        return lambda part: 1 + rise * part**bend
    step, since = random.uniform(1.5, 2.5), random.uniform(0.7, 0.92)
    return lambda part: step if part >= since else 1.0


def _stop_and_go(random: Random) -> Callable[[float], float]:
    """Spells of work and spells without: posted elsewhere, harvest, elections."""
    days, spells = random.randint(70, 150), []
    while len(spells) < 5 * days:
        spells += [random.lognormvariate(0, 0.35)] * random.randint(4, 14)
        spells += [0.0] * random.randint(2, 9)
    return lambda part: spells[min(int(part * days), len(spells) - 1)]


SHAPES = {"steady": _steady, "S-curve": _s_curve, "late rush": _late_rush, "stop and go": _stop_and_go}
ALL = ["demo", *SHAPES, "distancing"]


def draw(shape: str, seed: str) -> History:
    """The same for the same seed."""
    random = Random(f"{shape}/{seed}")
    if shape == "demo":
        return demo(random)
    while True:
        made = _course(shape, random)
        if made:
            return made


def draw_many(shape: str, seeds: str, number: int) -> Iterator[History]:
    return (draw(shape, f"{seeds}/{place}") for place in range(number))


def _course(shape: str, random: Random) -> History | None:
    distanced = shape == "distancing"
    pace_at = SHAPES.get(shape, _steady)(random)
    first_day = date(2020, 1, 6) + timedelta(random.randrange(40 if distanced else 80))
    span, forms = random.randint(90 if distanced else 60, 150), _plan(random)
    week, on_holidays = _week(random), 1.0 if random.random() < 0.15 else random.uniform(0, 0.1)
    at_home = random.uniform(0.1, 0.5) if distanced else 1.0
    luck, spread = _luck(random), random.uniform(2, 15)
    pace = forms / span / (sum(week) / 7) / (sum(pace_at(place / span) for place in range(span)) / span)
    made, counts = 0, []
    for place in count():
        day = first_day + timedelta(place)
        if place > LONGEST:
            return None
        worked = on_holidays if day in public_holidays(day.year) else week[day.weekday()]
        if distanced and DISTANCING[0] <= day <= DISTANCING[1]:
            worked *= at_home
        expected = pace * pace_at(place / span) * worked * next(luck)
        # over-dispersed, as a negative binomial: the pace of a day is itself drawn
        today = min(_poisson(random.gammavariate(spread, expected / spread), random) if expected else 0, forms - made)
        made += today
        counts.append(today)
        if made >= forms:
            idle = next(place for place, number in enumerate(counts) if number)
            return History(shape, first_day + timedelta(idle), tuple(counts[idle:]))


def _plan(random: Random) -> int:
    """From a large hamlet to a large commune."""
    return int(exp(random.uniform(log(400), log(14_000))))


def _week(random: Random) -> list[float]:
    """How much of a day's work is done from Monday to Sunday."""
    saturday, sunday = random.choice([(1.0, 0.12), (1.0, 0.0), (0.2, 0.05), (0.0, 0.0), (0.7, 0.5), (1.2, 1.1)])
    return [1.0] * 5 + [saturday, sunday]


def _luck(random: Random) -> Iterator[float]:
    """Good and bad weeks: a factor that wanders about one, forgetting half of itself in a week."""
    keep, spread, now = 0.5 ** (1 / 7), random.uniform(0.05, 0.25), 0.0
    while True:
        now = keep * now + random.gauss(0, spread * (1 - keep**2) ** 0.5)
        yield exp(now)


def _poisson(mean: float, random: Random) -> int:
    if mean > 60:
        return max(0, round(random.gauss(mean, mean**0.5)))
    drawn, left = -1, exp(-mean)
    product = 1.0
    while product > left:
        drawn, product = drawn + 1, product * random.random()
    return max(drawn, 0)
