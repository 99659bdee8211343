"""The lines of search results. Not in templates: they come at every key that is typed, and eight lines of twenty tags
each took the template four times as long as the search itself."""

from collections.abc import Iterable

from django import template
from django.urls import reverse
from django.utils.html import escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import capfirst
from django.utils.translation import gettext as say

from households import text
from households.models.register import Sex
from verification.records import masked
from verification.search import FoundForm, Query
from verification.templatetags.results import NOTHING, result_sign

register = template.Library()

PANEL_LINE = (
    '<li><a href="{}/{}/{}?person={}"><span class="who"><b>{}</b> <span>{} · {}{}</span></span>'
    '<span class="where">{}{}</span>{}</a></li>'
)
PAGE_LINE = (
    '<tr><th scope="row"><a href="{}/{}/{}?person={}">{}</a></th><td data-label="{}">{}</td><td data-label="{}">{}</td>'
    '<td data-label="{}">{}</td><td data-label="{}">{}</td><td data-label="{}">{}</td><td data-label="{}" class="full">{}{}</td>'
    '<td data-label="{}" class="nowrap{}">{}</td><td data-label="{}" class="nowrap{}">{}</td><td class="full">{}</td></tr>'
)


def marked(shown: str, words: Iterable[str]) -> SafeString:
    """A name or place with the words that begin with one of `words` marked; these are folded."""
    words = tuple(words)
    parts = (
        f"<mark>{escape(part)}</mark>" if text.search_key(part).startswith(words) else escape(part)
        for part in shown.split()
    )
    return mark_safe(" ".join(parts))


def _of_place(form: FoundForm, query: Query) -> tuple[str, ...]:
    """What was typed besides the name, so it is the place that fits it."""
    names = text.search_key(form.full_name).split()
    left = (word for word in query.folded if not any(name.startswith(word) for name in names))
    return (*left, *query.place_words)


def _place(form: FoundForm, words: tuple[str, ...], *, of_one_commune: bool) -> SafeString:
    district = "" if of_one_commune else f", {form.district.mid_sentence_name}"
    return format_html("{}, {}{}", marked(form.hamlet.full_name, words), form.commune.mid_sentence_name, district)


def _number(number: str, query: Query) -> SafeString | str:
    """Masked, unless this very number was searched for."""
    if number and number.startswith(query.numbers):
        return format_html("<mark>{}</mark>", number)
    return masked(number) or NOTHING


def _address() -> list[str]:
    return reverse("verification:household_verify", args=[0]).split("/0/")


@register.simple_tag
def panel_lines(forms: Iterable[FoundForm], query: Query, of_one_commune: bool) -> SafeString:
    """The lines of the panel under the search field."""
    before, behind = _address()
    sexes = dict(Sex.choices)

    def line(form: FoundForm) -> tuple:
        numbers = ""
        if query.numbers:
            shown = [form.cmnd, form.pin] if form.pin else [form.cmnd]
            numbers = format_html_join("", " · {}", ((_number(number, query),) for number in shown))
        return (
            *(before, form.household_id, behind, form.pk, marked(form.full_name, query.folded)),
            *(form.birth_date_text, sexes[form.sex], form.relation and f" · {form.relation}"),
            *(_place(form, _of_place(form, query), of_one_commune=of_one_commune), numbers),
            result_sign(form.outcome, form.approval, form.next_visit_on),
        )

    return format_html_join("", PANEL_LINE, map(line, forms))


@register.simple_tag
def page_lines(forms: Iterable[FoundForm], query: Query, of_one_commune: bool) -> SafeString:
    """The lines of the page of results."""
    before, behind = _address()
    sexes = {value: capfirst(label) for value, label in Sex.choices}
    born, sex, relation, head = say("Birth date"), say("Sex"), say("Relation"), say("Head of household")
    book, place, cmnd, pin = say("Household book"), say("Hamlet, commune"), say("Identity card"), say("Personal number")
    hidden = "" if query.numbers else " cell-hide"  # on a phone

    def line(form: FoundForm) -> tuple:
        words = _of_place(form, query)
        address = ""
        if form.address and form.address != form.hamlet.full_name:
            address = format_html('<span class="sub">{}</span>', marked(form.address, words))
        return (
            *(before, form.household_id, behind, form.pk, marked(form.full_name, query.folded)),
            *(born, form.birth_date_text, sex, sexes[form.sex], relation, form.relation or NOTHING),
            *(head, form.head_name or NOTHING, book, form.book_number or NOTHING),
            *(place, _place(form, words, of_one_commune=of_one_commune), address),
            *(cmnd, hidden, _number(form.cmnd, query), pin, hidden, _number(form.pin, query)),
            result_sign(form.outcome, form.approval, form.next_visit_on),
        )

    return format_html_join("\n", PAGE_LINE, map(line, forms))
