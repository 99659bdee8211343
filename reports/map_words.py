"""What a map says: of a class in its legend, of a unit where one points at it."""

from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple

from django.utils.formats import get_format
from django.utils.translation import gettext as say
from django.utils.translation import ngettext

from reports.map import (
    BEST,
    DAYS_TO_SPARE,
    FAULTS_PER_100,
    IDLE_DAYS,
    NO_DATA,
    WORST,
    Measure,
    Place,
    counted,
    rate_breaks,
)
from reports.templatetags.figures import count, day, percent, rate
from reports.templatetags.lines import range_of, slack_of


class LegendLine(NamedTuple):
    of_class: int
    label: str
    number: int  # of units


def legend(places: Iterable[Place], measure: Measure, goal: Decimal) -> list[LegendLine]:
    """The classes, the worst first; what has no figures only where there are such units."""
    return [
        LegendLine(of_class, class_label(measure, of_class, goal), number)
        for of_class, number in counted(places, measure).items()
        if of_class or number
    ]


def class_label(measure: Measure, of_class: int, goal) -> str:
    """What the units of a class have in common, as the legend says it."""
    if of_class == NO_DATA:
        return say("no forecast") if measure == Measure.SLACK else say("no figures")
    if measure == Measure.RATE:
        separator = get_format("DECIMAL_SEPARATOR", use_l10n=True)
        breaks = [f"{each.normalize():f}".replace(".", separator) for each in rate_breaks(goal)]
        return _between(breaks, of_class - WORST, "%")
    if measure == Measure.SLACK:
        return [
            say("late, even at the better end"),
            say("tight, more likely late"),
            say("tight, more likely in time"),
            say("%(from)s–%(to)s days to spare") % {"from": 0, "to": DAYS_TO_SPARE - 1},
            say("%(from)s days and more, or finished") % {"from": DAYS_TO_SPARE},
        ][of_class - WORST]
    if measure == Measure.FAULTS:
        return _between([str(each) for each in FAULTS_PER_100], BEST - of_class, "")
    breaks = [0, *IDLE_DAYS]
    low = breaks[BEST - of_class]
    if of_class == WORST:
        return say("%(from)s working days and more") % {"from": low}
    high = breaks[BEST - of_class + 1] - 1
    span = f"{low}" if low == high else f"{low}–{high}"
    return say("%(days)s, or finished") % {"days": span} if of_class == BEST else span


def _between(breaks: list[str], place: int, unit: str) -> str:
    if place == 0:
        return say("under %(limit)s") % {"limit": breaks[0] + unit}
    if place == len(breaks):
        return say("%(limit)s and more") % {"limit": breaks[-1] + unit}
    return say("%(from)s to under %(to)s") % {"from": breaks[place - 1], "to": breaks[place] + unit}


def told(place: Place, measure: Measure) -> str:
    """The figure of a unit with its base, in a few words."""
    tally = place.row.tally
    if not place.has_plan:
        return say("no forms are planned here")
    done = {"verified": count(tally.verified), "base": count(tally.base)}
    if measure == Measure.RATE:
        return say("%(rate)s of the plan, %(verified)s of %(base)s forms") % {"rate": percent(tally.rate), **done}
    if measure == Measure.FAULTS:
        if place.found_per_100 is None:
            return say("nothing is verified yet")
        return say("%(rate)s faults found per 100 verified forms: %(found)s on %(verified)s") % {
            "rate": rate(place.found_per_100), "found": count(place.found), **done,
        }  # fmt: skip
    left = ngettext("%(left)s form left", "%(left)s forms left", tally.left) % {"left": count(max(tally.left, 0))}
    if measure == Measure.IDLE:
        if place.is_finished:
            return say("finished; last entry %(day)s") % {"day": day(place.last_entry)}
        since = say("last entry %(day)s") % {"day": day(place.last_entry)} if place.last_entry else say("no entry yet")
        idle = ngettext("%(days)s working day without entries", "%(days)s working days without entries", place.idle) % {
            "days": count(place.idle)
        }
        return f"{idle}, {since}; {left}"
    forecast = place.row.forecast
    outlook = str(forecast.outlook.label)
    if not forecast.earliest:
        return f"{outlook}; {left}"
    ends = say("done %(range)s, days to spare: %(slack)s") % {"range": range_of(forecast), "slack": slack_of(forecast)}
    return f"{outlook}; {ends}; {left}"
