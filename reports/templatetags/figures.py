"""How figures look in the reader's language: 1.257.366 and 85,01% in Vietnamese."""

from datetime import date, timedelta
from decimal import Decimal

from django import template
from django.utils.formats import date_format, get_format
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as say

from reports.progress import two_places
from verification.models import Round

register = template.Library()

NOTHING = "–"
ONE_DAY = timedelta(days=1)


def no_day_of(round: Round, typed: str) -> str:
    return say("“%(typed)s” is no day of this round, which began on %(day)s. Type a day like 10/6/2020.") % {
        "typed": typed[:40],
        "day": day(round.starts_on),
    }


@register.filter
def count(value: int | None) -> str:
    """1257366 -> 1.257.366; nothing to say is a dash. (Django's number_format takes five times as long, and a page
    of figures has two hundred of them.)"""
    return NOTHING if value is None else f"{value:,}".replace(",", get_format("THOUSAND_SEPARATOR", use_l10n=True))


@register.filter
def percent(value: Decimal | None) -> str:
    """85.01480… -> 85,01%; no base, no percentage."""
    return NOTHING if value is None else f"{rate(value)}%"


@register.filter
def rate(value: Decimal | None) -> str:
    """85.01480… -> 85,01, where the head of the column says %."""
    return (
        NOTHING
        if value is None
        else f"{two_places(value)}".replace(".", get_format("DECIMAL_SEPARATOR", use_l10n=True))
    )


@register.filter
def share(part: int, whole: int) -> str:
    """The width of a bar in hundredths, written as SVG wants it: 85.0."""
    return f"{min(max(100 * part / whole, 0), 100):.1f}" if whole else "0"


@register.filter
def day(value: date | None) -> str:
    return date_format(value, "DATE_FORMAT", use_l10n=True) if value else NOTHING


@register.filter
def short_day(value: date) -> str:
    """The day and the month of an axis or a narrow table: 19/6."""
    return f"{value.day}/{value.month}"


@register.filter
def change(value: int | None) -> str:
    """+1.204, −3, or a dash where nothing changed."""
    return NOTHING if not value else f"{'+' if value > 0 else '−'}{count(abs(value))}"


@register.filter
def points(value: Decimal | None) -> str:
    """+2,35: by how many points of a percentage."""
    return NOTHING if not value else f"{'+' if value > 0 else '−'}{rate(abs(value))}"


@register.simple_tag
def bar(part: int, whole: int, goal: Decimal | None = None, late: bool = False) -> SafeString:
    """The small bar of a rate. By hand: a page of figures draws fifty."""
    mark = f'<path class="goal" d="M{share(goal, 100)} -3V11"/>' if goal else ""
    return mark_safe(
        f'<svg class="bar{" late" if late else ""}" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect class="track" width="100" height="8"/><rect class="fill" width="{share(part, whole)}" height="8"/>{mark}</svg>'
    )


@register.simple_tag(takes_context=True)
def sort_head(context, sort: str, column: str, title: str, css: str = "num") -> SafeString:
    """A column's head: sorts by it, the largest first (names: from a); once more turns it round. What else the
    address says stays (`kept`)."""
    down, up = f"-{column}", column
    following = up if sort == down or (column == "name" and sort != up) else down
    order = {up: "ascending", down: "descending"}.get(sort, "")
    return format_html(
        '<th scope="col"{}{}><a href="?{}sort={}#table">{}</a></th>',
        format_html(' class="{}"', css) if css else "",
        format_html(' aria-sort="{}"', order) if order else "",
        context.get("kept", ""),
        following,
        title,
    )
