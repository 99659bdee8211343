"""How the work went on from day to day, between Tết, the distancing of April and the last rush of June."""

from bisect import bisect_left
from datetime import date, timedelta
from itertools import accumulate
from random import Random

FIRST_DAY, LAST_DAY = date(2020, 1, 6), date(2020, 6, 19)
DAYS = [FIRST_DAY + timedelta(days) for days in range((LAST_DAY - FIRST_DAY).days + 1)]
LATEST_START = date(2020, 2, 24)
TET = date(2020, 1, 23), date(2020, 1, 29)
RUSH = date(2020, 6, 8)
# forms a working day of the province, from each day on, in thousands
PACE = {
    date(2020, 1, 6): 4.0,
    date(2020, 2, 1): 8.0,
    date(2020, 3, 1): 10.0,
    date(2020, 4, 1): 2.5,  # Chỉ thị 16: stay at home
    date(2020, 4, 23): 9.5,
    date(2020, 6, 1): 13.0,
    RUSH: 16.0,
    date(2020, 6, 13): 16.6,
}
SUNDAY = 6


def pace_of(day: date) -> float:
    if TET[0] <= day <= TET[1]:
        return 0.0
    pace = next(pace for since, pace in reversed(PACE.items()) if since <= day)
    if day.weekday() == SUNDAY:
        pace *= 0.9 if day >= RUSH else 0.12
    return pace


PACES = [pace_of(day) for day in DAYS]


class Course:
    """One commune's course: which day, and how far into that day, belongs to a part of its work."""

    def __init__(self, *, complete: bool, random: Random):
        start = random.randrange((LATEST_START - FIRST_DAY).days + 1)
        # a finished commune rested some days, and its last results are approved
        end = len(DAYS) - 4 - random.randrange(12) if complete else len(DAYS)
        paces = [pace * random.uniform(0.8, 1.2) if start <= place < end else 0.0 for place, pace in enumerate(PACES)]
        whole = sum(paces)
        self.until = list(accumulate(pace / whole for pace in paces))

    def at(self, part: float) -> tuple[int, float]:
        """(place in DAYS, how far into the day from 0 to 1) of the work's `part` from 0 to 1."""
        part = min(part, 0.999999) * self.until[-1]
        place = bisect_left(self.until, part)
        before = self.until[place - 1] if place else 0.0
        return place, min(0.999, (part - before) / max(self.until[place] - before, 1e-9))


def clock_text(into_day: float, *, late: bool, second: int) -> str:
    """The time of day in office hours; some work is done in the evening, when people are at home."""
    if into_day < 0.45:
        minute = 7 * 60 + 30 + into_day / 0.45 * 240
    elif into_day < 0.93 or not late:
        minute = 13 * 60 + 30 + (into_day - 0.45) / (0.48 if late else 0.55) * 225
    else:
        minute = 19 * 60 + (into_day - 0.93) / 0.07 * 130
    return f"{int(minute) // 60:02d}:{int(minute) % 60:02d}:{second:02d}+07"
