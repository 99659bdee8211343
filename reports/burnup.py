"""The burn-up chart as geometry: plain numbers in, SVG points out; a template draws it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from reports.forecast import BandDay

WIDTH, HEIGHT = 640, 280
LEFT, RIGHT, TOP, BOTTOM = 0, 74, 22, 24  # room for the labels at the line's end
HEADROOM = 1.08  # the plan's label stands under the one of today
NEAR = 26  # labels nearer than this would touch
MONTH_WIDTH = 70  # room for a month's label


@dataclass(frozen=True)
class Label:
    x: float
    y: float
    text: object

    @property
    def above(self) -> float:
        """Where its text stands, over the line at `y`."""
        return round(self.y - 4, 1)


@dataclass(frozen=True)
class Chart:
    line: str  # verified to date, a polyline
    area: str
    plan: str  # from nothing at the start to the whole plan at the end
    needed: str  # from today's point to the whole plan at the end
    band: str  # the range of the forecast, a polygon; nothing where there is none
    middle: str  # and its middle, a polyline
    due: Label | None  # the deadline, where the axis goes on behind it
    today_x: float
    end: Label  # at the line's end: verified to date
    end_text: Label  # where that figure is written
    top: Label  # at the top right: the plan
    targets: list[Label]  # (y of a share of the plan, its percent)
    grid: list[Label]  # round numbers
    months: list[Label]
    last: Label  # the last day of the axis
    width: int
    height: int
    right: int
    bottom: int
    left: int = LEFT
    top_y: int = TOP

    @property
    def today_top(self) -> int:
        return self.top_y - 8

    @property
    def today_text(self) -> Label:
        return Label(round(self.today_x + (5 if self.today_is_early else -5), 1), self.top_y - 2, "")

    @property
    def need_text(self) -> Label:
        return Label(self.right + 6, round(self.top.y - 3, 1), "")

    @property
    def today_is_late(self) -> bool:
        """Near the right edge the labels of today stand on its left."""
        return self.today_x > self.right - NEAR

    @property
    def today_is_early(self) -> bool:
        return self.today_x < 5 * NEAR


def draw(
    series: list[tuple[date, int]],
    *,
    plan: int,
    starts_on: date,
    ends_on: date,
    today: date,
    percents: list,
    band: Sequence[BandDay] = (),
    width: int = WIDTH,
    height: int = HEIGHT,
) -> Chart:
    """`series`: (day, verified on that day), oldest first; days without results may be missing. `band`: the forecast
    from today on; the axis ends with it, or with the round."""
    until = max([ends_on, *(day.day for day in band)])
    span = max((until - starts_on).days, 1)
    ceiling = max(plan, sum(count for _, count in series), 1) * HEADROOM

    def x(day: date) -> float:
        share = min(max((day - starts_on).days / span, 0), 1)
        return round(LEFT + share * (width - LEFT - RIGHT), 1)

    def y(count: float) -> float:
        return round(height - BOTTOM - count / ceiling * (height - TOP - BOTTOM), 1)

    total, points = 0, [(x(starts_on), y(0))]
    for day, count in series:
        if day > today:
            break
        if x(day) > points[-1][0]:
            points.append((x(day - timedelta(days=1)), y(total)))
        total += count
        points.append((x(day), y(total)))
    points.append((x(today), y(total)))
    line = " ".join(f"{px},{py}" for px, py in points)
    targets = [Label(LEFT, y(int(plan * percent / 100)), percent) for percent in percents if percent < 100]
    top = Label(x(until), y(plan), plan)
    end = Label(x(today), y(total), total)
    taken = [top.y, *(target.y for target in targets)]
    return Chart(
        line=line,
        area=f"{line} {x(today)},{y(0)} {x(starts_on)},{y(0)}",
        plan=f"{x(starts_on)},{y(0)} {x(ends_on)},{y(plan)}",
        needed=f"{x(today)},{y(total)} {x(ends_on)},{y(plan)}" if today < ends_on and total < plan else "",
        band=" ".join(
            [f"{x(day.day)},{y(day.high)}" for day in band] + [f"{x(day.day)},{y(day.low)}" for day in reversed(band)]
        ),
        middle=" ".join(f"{x(day.day)},{y(day.middle)}" for day in band),
        due=Label(x(ends_on), TOP, ends_on) if until > ends_on else None,
        today_x=x(today),
        end=end,
        end_text=_beside(end, right=width - RIGHT, bottom=y(0)),
        top=top,
        targets=targets,
        grid=[Label(LEFT, y(n), n) for n in _round_numbers(plan) if all(abs(y(n) - t) >= NEAR for t in taken)],
        months=_months(starts_on, until, x, height - 6),
        last=Label(x(until), height - 6, until),
        width=width,
        height=height,
        right=width - RIGHT,
        bottom=height - BOTTOM,
    )


def _beside(end: Label, *, right: float, bottom: float) -> Label:
    """Under the point to the right; above it near the ground, to its left near the edge."""
    left = end.x > right - NEAR
    low = end.y + 20 > bottom - 4
    return Label(round(end.x + (-7 if left else 7), 1), round(end.y + (-8 if low else 20), 1), end.text)


def _round_numbers(plan: int) -> list[int]:
    """Two to four round steps below the plan: 500.000, 1.000.000."""
    step = 1
    while plan > 4 * step:
        step = step * 5 // 2 if str(step)[0] == "2" else step * 2
    return list(range(step, plan, step)) if plan > 4 else []


def _months(starts_on: date, ends_on: date, x, y: float) -> list[Label]:
    """The first of each month (of every second, third … in a long round), clear of the last day's label."""
    firsts, first = [], starts_on.replace(day=1)
    while first <= ends_on:
        if first >= starts_on and x(first) < x(ends_on) - NEAR:
            firsts.append(Label(x(first), y, first))
        first = (first + timedelta(days=32)).replace(day=1)
    at_most = max(round(x(ends_on) / MONTH_WIDTH), 2)
    return firsts[:: -(-len(firsts) // at_most) or 1]
