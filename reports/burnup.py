"""The burn-up chart as geometry: plain numbers in, SVG points out; a template draws it."""

from dataclasses import dataclass
from datetime import date, timedelta

WIDTH, HEIGHT = 720, 260
LEFT, RIGHT, TOP, BOTTOM = 8, 96, 16, 24  # room for the labels at the line's end


@dataclass(frozen=True)
class Label:
    x: float
    y: float
    text: object


@dataclass(frozen=True)
class Chart:
    line: str  # verified to date, a polyline
    area: str
    plan: str  # from nothing at the start to the whole plan at the end
    needed: str  # from today's point to the whole plan at the end
    today_x: float
    end: Label  # at the line's end: verified to date
    top: Label  # at the top right: the plan
    targets: list[Label]  # (y of a share of the plan, its percent)
    months: list[Label]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    bottom: int = HEIGHT - BOTTOM
    top_y: int = TOP


def draw(
    series: list[tuple[date, int]], *, plan: int, starts_on: date, ends_on: date, today: date, percents: list
) -> Chart:
    """`series`: (day, verified on that day), oldest first; days without results may be missing."""
    span = max((ends_on - starts_on).days, 1)
    ceiling = max(plan, sum(count for _, count in series), 1)

    def x(day: date) -> float:
        share = min(max((day - starts_on).days / span, 0), 1)
        return round(LEFT + share * (WIDTH - LEFT - RIGHT), 1)

    def y(count: int) -> float:
        return round(HEIGHT - BOTTOM - count / ceiling * (HEIGHT - TOP - BOTTOM), 1)

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
    months = []
    first = starts_on.replace(day=1)
    while first <= ends_on:
        if first >= starts_on:
            months.append(Label(x(first), HEIGHT - 8, first))
        first = (first + timedelta(days=32)).replace(day=1)
    return Chart(
        line=line,
        area=f"{line} {x(today)},{y(0)} {x(starts_on)},{y(0)}",
        plan=f"{x(starts_on)},{y(0)} {x(ends_on)},{y(plan)}",
        needed=f"{x(today)},{y(total)} {x(ends_on)},{y(plan)}" if today < ends_on and total < plan else "",
        today_x=x(today),
        end=Label(x(today), y(total), total),
        top=Label(x(ends_on), y(plan), plan),
        targets=[Label(LEFT, y(int(plan * percent / 100)), percent) for percent in percents if percent < 100],
        months=months,
    )
