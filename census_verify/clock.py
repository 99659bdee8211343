"""The program's one clock. Nothing else asks the system for the date (a test looks).

The round of the demo lies in 2020, so a training mode can set the day
(`CENSUS_VERIFY_TODAY=2020-06-19`); the time of day still runs on, so that what was
recorded later is later.
"""

from datetime import date, datetime

from django.conf import settings
from django.utils import timezone


def training_day() -> date | None:
    """The day the program was told to live in, or None where it runs on the real date."""
    return settings.CENSUS_VERIFY_TODAY


def now() -> datetime:
    """The present moment, aware, in the time zone of Vietnam."""
    moment = timezone.localtime()
    day = training_day()
    return moment.replace(year=day.year, month=day.month, day=day.day) if day else moment


def today() -> date:
    return training_day() or timezone.localdate()
