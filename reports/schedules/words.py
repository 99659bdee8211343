"""When and what, in the reader's language."""

from django.utils.dates import WEEKDAYS
from django.utils.formats import time_format
from django.utils.text import capfirst
from django.utils.translation import gettext as say

from reports.models import Schedule
from reports.official.titles import TITLES, title_of

Rhythm = Schedule.Rhythm


def when_words(schedule: Schedule) -> str:
    """As in: every day at 17:30."""
    values = {"at": time_format(schedule.at, "H:i")}
    if schedule.rhythm == Rhythm.WEEKLY:
        days = ", ".join(weekday_name(day) for day in schedule.weekdays)
        return say("%(days)s at %(at)s") % (values | {"days": days})
    if schedule.rhythm == Rhythm.MONTHLY:
        return say("on day %(day)s of each month at %(at)s") % (values | {"day": schedule.day_of_month})
    return say("every day at %(at)s") % values


def weekday_name(day: int) -> str:
    return str(WEEKDAYS[day - 1])


def what_words(schedule: Schedule) -> str:
    """As in: Daily report: report, PDF; annex tables, XLSX."""
    labels = dict(Schedule.File.choices)
    files = "; ".join(str(labels[file]) for file in schedule.files)
    if schedule.annex in TITLES:
        files = f"{files} ({title_of(schedule.annex, schedule.unit)})"
    return f"{capfirst(schedule.get_period_display())}: {files}"
