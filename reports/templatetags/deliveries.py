"""How rows of a delivery read."""

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as say

from reports.deliveries import reading
from reports.models import DeliveryLine
from verification import items
from verification.terms import Outcome

register = template.Library()


@register.filter
def line_item(line: DeliveryLine) -> str:
    return reading.item_label(line.kind, line.item)


@register.simple_tag
def line_change(line: DeliveryLine) -> SafeString:
    """Old → new; of a removal why; of a recall also which row it recalls."""
    if line.item:
        old, new = (items.readable(line.item, value) or "–" for value in reading.change_of(line))
        said = format_html("<del>{}</del> → <ins>{}</ins>", old, new)
    else:
        said = format_html("{}", reading.removal_label(line))
        if line.verification_pass.outcome == Outcome.DUPLICATE:
            said = format_html(
                "{} <span class='sub'>{} {}</span>",
                said,
                say("stays: form"),
                line.verification_pass.duplicate_of.barcode or "–",
            )
    if line.kind == DeliveryLine.Kind.RECALL:
        recalled = f"{line.replaces.delivery.code}/{line.replaces.number}"
        said = format_html("{} <span class='sub'>{} {}</span>", said, say("recalls row"), recalled)
    return said
