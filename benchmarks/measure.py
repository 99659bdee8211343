"""How a figure is taken: quiet machine, limit and product in turn, the ratio within one round, the median of all rounds."""

import os
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field


class Skipped(Exception):
    """Why a job was not measured, in a sentence."""


@dataclass
class Options:
    rounds: int = 5
    quick: bool = False
    minutes: float = 10
    officers: int = 300
    quiet_seconds: float = 10
    small: str = ""
    large: str = ""

    @property
    def seconds(self) -> float:
        """How long a load is kept up for one reading."""
        return 2 if self.quick else 4


@dataclass
class Line:
    """One figure of a job: a value a round, and where it must stand.

    A ratio has `ours` and `limit` beside it, the two readings it was made of. `more`: a larger one is better.
    """

    what: str
    values: list[float]
    unit: str = "×"
    more: bool = False
    must: float | None = None
    aim: float | None = None
    against: str = ""
    ours: list[float] = field(default_factory=list)
    limit: list[float] = field(default_factory=list)
    read_in: str = ""
    note: str = ""

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    def meets(self, goal: float | None) -> bool | None:
        if goal is None:
            return None
        return self.median >= goal if self.more else self.median <= goal

    def as_dict(self) -> dict:
        return asdict(self)


class Readings:
    """The readings of several things over several rounds, from which ratios are made."""

    def __init__(self):
        self.of: dict[str, list[float]] = {}

    def add(self, name: str, value: float) -> None:
        self.of.setdefault(name, []).append(value)

    def ratio(self, what: str, ours: str, limit: str, **more) -> Line:
        """`ours` over `limit`, round by round."""
        mine, bare = self.of[ours], self.of[limit]
        values = [a / b if b else float("inf") for a, b in zip(mine, bare, strict=True)]
        return Line(what, values, ours=mine, limit=bare, **more)

    def line(self, what: str, name: str, unit: str, **more) -> Line:
        return Line(what, self.of[name], unit, **more)


def clock(action: Callable) -> float:
    """Seconds `action` took."""
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def median_ms(action: Callable, times: int) -> float:
    """Milliseconds, the first run not counted."""
    action()
    return statistics.median(clock(action) for _ in range(times)) * 1000


def percentile(values: list[float], percent: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))] if ordered else float("nan")


def _busy() -> tuple[int, int]:
    with open("/proc/stat") as file:
        spent = [int(part) for part in file.readline().split()[1:9]]
    return sum(spent), spent[3] + spent[4]


def quiet(longest: float = 10, limit: float = 0.2) -> float:
    """Wait until others leave the machine alone, at most `longest` seconds; returns the share of it that is busy."""
    end = time.monotonic() + longest
    while True:
        before = _busy()
        time.sleep(0.3)
        after = _busy()
        busy = 1 - (after[1] - before[1]) / max(1, after[0] - before[0])
        if busy < limit or time.monotonic() > end:
            return busy


def available_cpus() -> int:
    return len(os.sched_getaffinity(0))
