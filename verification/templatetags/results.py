"""How results look on the pages of the work."""

from collections.abc import Iterable
from datetime import date

from django import template
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext as say

from households.models import AdministrativeUnit
from households.models.register import Sex
from verification.records import masked as mask
from verification.terms import Approval, Outcome

register = template.Library()

NOTHING = "–"

register.filter("masked", mask)


@register.filter
def typed_day(value: date | str | None) -> str:
    """A date as it is typed, 19/6/2020 in every language; what cannot be a date stays as it was typed."""
    return f"{value.day}/{value.month}/{value.year}" if isinstance(value, date) else value or ""


@register.simple_tag
def options(choices: Iterable, selected: str | None = "", numbered: bool = False) -> SafeString:
    """The options of a select, from (value, label); `numbered` ones are picked by typing the digit."""
    return format_html_join(
        "",
        '<option value="{}"{}>{}{}',
        (
            (value, " selected" if value == selected else "", f"{number} " if numbered else "", label)
            for number, (value, label) in enumerate(choices, start=1)
        ),
    )


@register.simple_tag
def outcome_options(outcomes: Iterable, selected: str | None = "") -> SafeString:
    """The options of a result, from (value, label, key): "Đúng (d)"."""
    return format_html_join(
        "",
        '<option value="{}"{}>{} ({})',
        ((value, " selected" if value == selected else "", label, key) for value, label, key in outcomes),
    )


@register.simple_tag
def result_sign(outcome: str | None, approval: str | None, next_visit_on: date | None = None) -> SafeString:
    """Where a form of the round stands, as sign and word. No outcome is "", no form of the round is None."""
    sign, word = "ok", Outcome(outcome).label if outcome else ""
    if outcome is None:
        sign, word = "off", say("not in the round")
    elif not outcome:
        sign, word = "todo", say("not verified yet")
    elif approval == Approval.PENDING:
        sign, word = "wait", say("waiting for approval: %(outcome)s") % {"outcome": word}
    elif approval == Approval.RETURNED:
        sign, word = "bad", say("returned: %(outcome)s") % {"outcome": word}
    elif next_visit_on:
        sign, word = "again", say("absent, next visit %(day)s") % {"day": f"{next_visit_on.day}/{next_visit_on.month}"}
    return format_html('<span class="state {}">{}</span>', sign, word)


FORM_LINE = (
    '\n    <tr><th scope="row"><a href="{}">{}</a></th><td data-label="{}">{}</td><td data-label="{}">{}</td>'
    '<td data-label="{}" class="cell-hide">{}</td><td data-label="{}">{}</td>{}'
    '<td class="full">{}{}</td><td data-label="{}" class="num">{}</td><td class="cell-hide">{}</td></tr>'
)


@register.simple_tag
def form_lines(forms: Iterable, unit: AdministrativeUnit) -> SafeString:
    """The lines of the list of forms. Not in the template: a hundred lines of thirty tags each took it
    four times as long as everything else of the page."""
    born, sex, number = say("Birth date"), say("Sex"), say("Personal number")
    book, hamlet, verified = say("Household book"), say("Hamlet"), say("Verified on")
    sexes = {value: capfirst(label) for value, label in Sex.choices}
    of_commune = unit.level == AdministrativeUnit.Level.COMMUNE
    before, behind = reverse("verification:household_verify", args=[0]).split("/0/")

    def line(form) -> tuple:
        if of_commune:
            place = format_html('<td data-label="{}">{}</td>', hamlet, form.hamlet.full_name)
        else:
            place = format_html('<td class="cell-hide">{}</td>', form.household.address or NOTHING)
        refused = form.refusal_reason and format_html(
            ' <span class="quiet">{}</span>', form.get_refusal_reason_display()
        )
        return (
            *(f"{before}/{form.household_id}/{behind}", form.full_name),
            *(born, form.birth_date_text, sex, sexes[form.sex]),
            *(number, mask(form.pin) or NOTHING, book, form.household.book_number or NOTHING, place),
            *(result_sign(form.outcome, form.approval, form.next_visit_on), refused),
            *(verified, date_format(form.counted_on, "DATE_FORMAT", use_l10n=True) if form.counted_on else NOTHING),
            form.officer_name or NOTHING,
        )

    return format_html_join("", FORM_LINE, map(line, forms))
