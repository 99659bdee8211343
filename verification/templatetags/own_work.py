"""The lines of an officer's own work. Not in the template, as those of the other lists."""

from collections.abc import Iterable

from django import template
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.timezone import localtime
from django.utils.translation import gettext as say
from django.utils.translation import ngettext

from verification.own_work import Fate, OwnLine, OwnResult
from verification.templatetags.results import NOTHING
from verification.terms import Outcome

register = template.Library()

LINE = (
    '\n<tr><td data-label="{}" class="num">{}</td><th scope="row"><a href="{}/{}/{}">{}</a> <span class="sub">{}</span></th>'
    '<td data-label="{}">{}</td><td class="full">{}{}</td><td class="full">{}</td><td class="full no-print">{}</td></tr>'
)
UNDO = (
    '<form method="post" action="{}"><input type="hidden" name="csrfmiddlewaretoken" value="{}">'
    '<button class="link">{}<span class="visually-hidden"> {}</span></button></form>'
)


def outcome_word(outcome: str) -> str:
    """An outcome inside a sentence: of “Sai, đã chỉnh sửa” the first word."""
    return str(Outcome(outcome).label).split(",")[0].lower()


@register.filter
def in_words(by_outcome: Iterable[tuple[str, int]]) -> str:
    """[("matched", 98), ("not_met", 5)] -> 98 đúng, 5 vắng mặt."""
    return ", ".join(f"{persons} {outcome_word(outcome)}" for outcome, persons in by_outcome)


def _fate_words() -> dict[str, tuple[str, str]]:
    return {
        Fate.SAVED: ("ok", say("saved")),
        Fate.WAITING: ("wait", say("waiting for approval")),
        Fate.APPROVED: ("ok", say("approved")),
        Fate.RETURNED: ("bad", say("returned")),
        Fate.UNDONE: ("off", say("undone")),
        Fate.REPLACED: ("off", say("replaced by a later result")),
    }


def _result(result: OwnResult) -> SafeString:
    """A person whose result says more than its number: what, and old → new of each item corrected."""
    verification_pass = result.verification_pass
    said = format_html("{}: {}", verification_pass.form.full_name, outcome_word(verification_pass.outcome))
    if verification_pass.next_visit_on:
        day = verification_pass.next_visit_on
        said = format_html("{}, {}", said, say("next visit %(day)s") % {"day": f"{day.day}/{day.month}"})
    changes = format_html_join(
        "", "; {} <del>{}</del> → <ins>{}</ins>", ((item, old or NOTHING, new) for item, old, new in result.corrections)
    )
    reason = format_html(' <span class="late-text">({})</span>', result.reason) if result.reason else ""
    return format_html('<span class="sub">{}{}{}</span>', said, changes, reason)


@register.simple_tag(takes_context=True)
def own_lines(context, lines: Iterable[OwnLine]) -> SafeString:
    """The lines of the list of one's own work."""
    time, hamlet, undo = say("Time"), say("Hamlet"), say("Undo")
    before, behind = reverse("verification:household_verify", args=[0]).split("/0/")
    fates = _fate_words()
    token = str(context["csrf_token"])

    def fates_of(line: OwnLine) -> SafeString:
        alone = len(line.fates) == 1
        return format_html_join(
            mark_safe("<br>"),
            '<span class="state {}">{}{}</span>',
            ((*fates[fate], "" if alone else f" ({persons})") for fate, persons in line.fates),
        )

    def undo_of(line: OwnLine) -> SafeString | str:
        if not line.undoes:
            return ""
        word = undo
        if line.undoes > 1:
            word = ngettext("Undo all %(n)d household", "Undo all %(n)d households", line.undoes) % {"n": line.undoes}
        address = reverse("verification:submission_undo", args=[line.submission])
        return format_html(UNDO, address, token, word, line.household.head_name)

    def row(line: OwnLine) -> tuple:
        home = line.household
        return (
            *(time, f"{localtime(line.recorded_at):%H:%M:%S}"),
            *(before, home.pk, behind, home.head_name or NOTHING, home.book_number),
            *(hamlet, home.hamlet.full_name),
            *(
                in_words(line.by_outcome),
                format_html_join("", "{}", ((_result(r),) for r in line.results if not r.is_plain)),
            ),
            *(fates_of(line), undo_of(line)),
        )

    return format_html_join("", LINE, map(row, lines))
