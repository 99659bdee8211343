"""When a schedule is due. From values alone."""

from calendar import monthrange
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.utils import timezone

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Rhythm:
    """On these weekdays (Monday is 1), or on this day of each month, or every day; at a time of day in Vietnam."""

    at: time
    weekdays: Sequence[int] = ()
    day_of_month: int | None = None

    def is_on(self, day: date) -> bool:
        if self.day_of_month:  # a month that has no such day has its last one
            return day.day == min(self.day_of_month, monthrange(day.year, day.month)[1])
        return not self.weekdays or day.isoweekday() in self.weekdays

    def due_between(self, after: datetime, until: datetime) -> list[datetime]:
        """All its moments later than the first and not later than the second, in order."""
        last = timezone.localtime(until).date()
        found = []
        for due in self._moments_from(timezone.localtime(after).date()):
            if due > until or due.date() > last:
                return found
            if due > after:
                found.append(due)
        return found

    def next_after(self, moment: datetime) -> datetime:
        return next(due for due in self._moments_from(timezone.localtime(moment).date()) if due > moment)

    def _moments_from(self, day: date) -> Iterator[datetime]:
        while True:
            if self.is_on(day):
                yield datetime.combine(day, self.at, timezone.get_default_timezone())
            day += ONE_DAY


def rhythm_of(schedule) -> Rhythm:
    return Rhythm(schedule.at, tuple(schedule.weekdays), schedule.day_of_month)
