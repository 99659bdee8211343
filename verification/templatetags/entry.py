"""Tags of the entry page."""

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from verification import items
from verification.entry_rows import Rows

register = template.Library()


@register.simple_tag
def person_rows(rows: Rows, person) -> SafeString:
    return rows.html(person)


@register.simple_tag
def item_choices(person=None, selected: str | None = "") -> SafeString:
    """The items a correction may name; of a person's form each with what it says: "Ngày sinh: 1964"."""
    said = {name: value for name, _label, value in person.items} if person else {}
    return format_html_join(
        "",
        '<option value="{}" data-label="{}" data-key="{}"{}>{}{}',
        (
            (
                *(item.name, item.label, item.key, " selected" if item.name == selected else "", item.label),
                f": {said[item.name]}" if said.get(item.name) else "",
            )
            for item in items.ITEMS.values()
        ),
    )


@register.simple_tag
def key_of(item: str) -> SafeString:
    """The letter that opens the correction of an item, as it stands in the head of its column."""
    return format_html('<kbd class="js-only">{}</kbd>', items.ITEMS[item].key)
