"""An alert as a sentence in the reader's language, with the figures it was found by."""

from collections.abc import Callable
from datetime import date

from django.utils.translation import gettext as say
from django.utils.translation import ngettext

from reports.models import Alert
from reports.templatetags.figures import count, day

Kind = Alert.Kind


def sentence_of(alert: Alert) -> str:
    """Without the unit's name, which stands before it."""
    return SENTENCES[Kind(alert.kind)](alert)


def _behind(alert: Alert) -> str:
    facts = alert.facts
    lasts = ngettext("%(n)s day in a row", "%(n)s days in a row", facts["days"]) % {"n": count(facts["days"])}
    figures = {
        "recent": count(facts["recent"]),
        "left": count(facts["left"]),
        "lasts": lasts,
        "due": _day(facts["due"]),
    }
    if facts["needed"] is None:
        return say("The time ended on %(due)s, and %(left)s forms are left.") % figures
    return say(
        "%(recent)s forms a day in the last 7 days, %(needed)s a day are needed until %(due)s (%(left)s left); %(lasts)s."
    ) % (figures | {"needed": count(facts["needed"])})


def _idle(alert: Alert) -> str:
    facts = alert.facts
    lasts = ngettext("No entry for %(n)s working day", "No entry for %(n)s working days", facts["days"])
    figures = {"lasts": lasts % {"n": count(facts["days"])}, "left": count(facts["left"])}
    if facts["last"] is None:
        return say("%(lasts)s: nothing was recorded yet, %(left)s forms are left.") % figures
    return say("%(lasts)s; the last one was on %(last)s, %(left)s forms are left.") % (
        figures | {"last": _day(facts["last"])}
    )


def _returned(alert: Alert) -> str:
    facts = alert.facts
    return ngettext(
        "%(forms)s returned result waits to be mended, for %(days)s days.",
        "%(forms)s returned results wait to be mended, the first of them for %(days)s days.",
        facts["forms"],
    ) % {"forms": count(facts["forms"]), "days": count(facts["days"])}


def _jump(alert: Alert) -> str:
    facts = alert.facts
    return say("%(forms)s forms on %(day)s, where %(usual)s a day were usual: see how it came about.") % {
        "forms": count(facts["forms"]),
        "usual": count(facts["usual"]),
        "day": _day(facts["day"]),
    }


def _day(written: str) -> str:
    return day(date.fromisoformat(written))


SENTENCES: dict[Kind, Callable[[Alert], str]] = {
    Kind.BEHIND: _behind,
    Kind.IDLE: _idle,
    Kind.RETURNED: _returned,
    Kind.JUMP: _jump,
}
