"""The days a report is of, and those of the report before it. From values alone."""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import TextChoices
from django.utils.translation import gettext as say
from django.utils.translation import gettext_lazy as _

ONE_DAY = timedelta(days=1)
WEEK = timedelta(days=7)


class Kind(TextChoices):
    DAY = "day", _("daily report")
    WEEK = "week", _("weekly report")
    MONTH = "month", _("monthly report")
    RANGE = "range", _("report from one day to another")


@dataclass(frozen=True)
class Period:
    """From the first day to the last, whose end is the cut-off; what was known before the first day is the report before."""

    kind: Kind
    first: date
    last: date
    starts_on: date  # of the round: nothing was known before it

    @property
    def cut_off_before(self) -> date:
        return self.first - ONE_DAY

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def before(self) -> "Period | None":
        """As long as this one and right before it; None where the round had not begun."""
        if self.first <= self.starts_on:
            return None
        if self.kind == Kind.RANGE:
            first = self.cut_off_before - timedelta(days=self.days - 1)
            return Period(self.kind, max(first, self.starts_on), self.cut_off_before, self.starts_on)
        return period_ending(self.kind, self.cut_off_before, starts_on=self.starts_on)

    @property
    def is_calendar_month(self) -> bool:
        return self.kind == Kind.MONTH and self.first.day == 1 and is_end_of_month(self.last)

    @property
    def words(self) -> str:
        """As it stands behind "the results of the re-verification"."""
        days = {"first": day_words(self.first), "last": day_words(self.last)}
        if self.first == self.last:
            return say("on %(last)s") % days
        if self.is_calendar_month:
            return say("in month %(month)s of %(year)s") % {"month": self.last.month, "year": self.last.year}
        if self.kind == Kind.WEEK:
            return say("in the week from %(first)s to %(last)s") % days
        if self.kind == Kind.MONTH:
            return say("in the month from %(first)s to %(last)s") % days
        return say("from %(first)s to %(last)s") % days


def period_ending(kind: Kind, last: date, *, starts_on: date, first: date | None = None) -> Period:
    """The period of this kind that ends on a day, cut at the beginning of the round; `first` is for a range only."""
    begins = {Kind.DAY: last, Kind.WEEK: last - WEEK + ONE_DAY, Kind.MONTH: _month_before(last) + ONE_DAY}
    return Period(kind, max(begins.get(kind, first or last), starts_on), last, starts_on)


def is_end_of_month(day: date) -> bool:
    return day.day == monthrange(day.year, day.month)[1]


def day_words(day: date) -> str:
    """19/6/2020: no zeros, as in the sentences of reports."""
    return f"{day.day}/{day.month}/{day.year}"


def _month_before(day: date) -> date:
    """The same day a month earlier, as near as that month has one; the end of a month for the end of one."""
    end = day.replace(day=1) - ONE_DAY
    return end if is_end_of_month(day) else end.replace(day=min(day.day, end.day))
