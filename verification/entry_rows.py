"""The rows of the entry page. Not in templates: the page is opened at every save, and six people of forty tags each took
the template three times as long as everything else."""

from collections.abc import Iterable

from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import capfirst
from django.utils.translation import gettext as say
from django.utils.translation import pgettext

from households.models import CollectionForm, Household
from households.models.register import Sex
from verification import items
from verification.history import CorrectionState
from verification.templatetags.results import NOTHING, outcome_options, result_sign

FAULT_ROW = '<tr class="fault"><td colspan="{}"></td><td colspan="{}"><span class="why">{}</span></td></tr>'
SAID_ROW = '<tr class="said"><td></td><td colspan="7">{}</td></tr>'
CELL = '<td{}{}>{}<span class="sub">{}</span></td>'
# Where a row shows an item; what it does not show stands with the name.
COLUMNS = {
    **dict.fromkeys(("birth_date", "sex"), 2),
    **dict.fromkeys(("pin", "cmnd"), 3),
    **dict.fromkeys(("ethnicity", "religion", "nationality", "marital_status", "blood_type"), 4),
    **dict.fromkeys(("birth_registration_place", "origin_place"), 5),
    **dict.fromkeys(("residence_place", "present_place"), 6),
}
LAST_COLUMN = 8


STEP_SIGNS = {
    CorrectionState.IN_FORCE: "ok",
    CorrectionState.PENDING: "wait",
    CorrectionState.RETURNED: "bad",
    CorrectionState.UNDONE: "off",
    CorrectionState.SUPERSEDED: "off",
}


class Rows:
    """The people of one household as rows; what holds for all of them is looked up once."""

    def __init__(self, household: Household, outcomes: Iterable, *, can_record: bool):
        self.household, self.outcomes, self.can_record = household, list(outcomes), can_record
        self.sexes = {value: capfirst(label) for value, label in Sex.choices}
        self.marital = {value: capfirst(label) for value, label in CollectionForm.MaritalStatus.choices}
        # what every line of the household would repeat
        self.province = f", {household.commune.parent.parent.mid_sentence_name}"
        self.district = f", {household.commune.parent.mid_sentence_name}"
        self.says = {
            "born": say("Birth date, sex"),
            "numbers": say("Personal number, identity card"),
            "people": say("Ethnic group, religion, marital status"),
            "birth": say("Birth registered at, place of origin"),
            "home": say("Permanent and present residence"),
            "same": format_html('<span class="none">{}</span>', say("origin: the same")),
            "there": format_html('<span class="none">{}</span>', say("lives there")),
        }

    def html(self, person) -> SafeString:
        """The person's own row, and under it what is suspected and what was corrected."""
        return format_html(
            "<tr>{}{}{}</tr>{}{}",
            self.name(person),
            format_html_join("", "{}", ((cell,) for cell in self.cells(person))),
            self.result(person),
            format_html_join("", FAULT_ROW, self.faults(person)),
            format_html_join("", SAID_ROW, ((line,) for line in person_said(person))),
        )

    def place(self, written: str) -> str:
        """As written, but for the household's own province, and of its commune also the district."""
        shown = written.removesuffix(self.province)
        own = f"{self.household.commune.mid_sentence_name}{self.district}"
        return shown.removesuffix(self.district) if shown.endswith(own) else shown

    def value(self, person, item: str, shown: str) -> SafeString | str:
        if item in person.suspected:
            return format_html('<span class="suspect-value">{}</span>', shown or NOTHING)
        return shown or NOTHING

    def cells(self, person) -> Iterable[SafeString]:
        form, value, says = person.form, self.value, self.says

        def cell(label: str, above, below, css: str = "") -> SafeString:
            return format_html(CELL, format_html(' data-label="{}"', says[label]), css, above, below)

        yield cell(
            "born",
            value(person, "birth_date", form.birth_date_text),
            value(person, "sex", self.sexes[form.sex]),
        )
        yield cell("numbers", value(person, "pin", form.pin), value(person, "cmnd", form.cmnd))
        belongs = format_html(
            "{}, {}", value(person, "ethnicity", form.ethnicity), value(person, "religion", form.religion)
        )
        marital = value(person, "marital_status", self.marital[form.marital_status])
        if form.blood_type:
            blood = say("blood type %(type)s") % {"type": form.blood_type}
            marital = format_html("{} · {}", marital, value(person, "blood_type", blood))
        yield cell("people", belongs, marital)
        birth, origin = form.birth_registration_place, form.origin_place
        yield cell(
            "birth",
            value(person, "birth_registration_place", self.place(birth)),
            says["same"] if origin and origin == birth else value(person, "origin_place", self.place(origin)),
        )
        home, present = form.residence_place, form.present_place
        yield cell(
            "home",
            value(person, "residence_place", self.place(home)),
            says["there"] if present and present == home else value(person, "present_place", self.place(present)),
            mark_safe(' class="full"'),
        )

    def name(self, person) -> SafeString:
        form, number = person.form, person.number
        relation = form.relation
        if "relation" in person.suspected or "full_name" in person.suspected:
            relation = format_html('<span class="suspect-value">{}</span>', relation or NOTHING)
        key = number
        if person.entry is not None and self.can_record:
            key = format_html('<a class="person-key" href="#p{}" tabindex="-1"><kbd>{}</kbd></a>', number, number)
        return format_html(
            '<td>{}</td><th scope="rowgroup" class="full"><span class="name">{}</span><span class="sub">{}</span></th>',
            *(key, form.full_name, relation),
        )

    def result(self, person) -> SafeString:
        form, row, entry = person.form, person.row, person.entry
        if row is None and (found := getattr(form, "new_person", None)):
            said = format_html(
                '<a href="{}">{}</a>',
                reverse("verification:person_detail", args=[found.submission]),
                say("new person, outside the plan"),
            )
            return format_html('<td class="full"><span class="state off">{}</span></td>', said)
        if row is None:
            refused = form.refusal_reason and f": {form.get_refusal_reason_display()}"
            return format_html(
                '<td class="full">{}<span class="sub">{}{}</span></td>',
                *(result_sign(None, None), form.get_qualification_display(), refused),
            )
        parts = []
        if standing := row.standing_pass:
            at = standing.recorded_at.astimezone()
            who = f"{standing.officer}, {at.day}/{at.month} {at:%H:%M}"
            parts.append(result_sign(row.outcome, row.approval, row.next_visit_on))
            parts.append(format_html('<span class="sub who" title="{}">{}</span>', who, who))
        elif not self.can_record:
            parts.append(result_sign(row.outcome, row.approval))
        if self.can_record and entry is not None:
            parts.append(self.choice(person))
        return format_html('<td class="full">{}</td>', mark_safe("".join(parts)))

    def choice(self, person) -> SafeString:
        entry, outcome = person.entry, person.entry["outcome"]
        unchosen = (
            say("– choose again –")
            if person.returned
            else say("leave as it is")
            if person.row.standing_pass
            else say("leave, not recorded")
        )
        return format_html(
            '<input type="hidden" name="{}" value="{}"><select class="outcome" name="{}" aria-label="{}"{}>{}'
            '<option value=""{}>{}</select>',
            *(entry["expected_pass"].html_name, entry["expected_pass"].value() or "", outcome.html_name),
            say("Result of %(name)s") % {"name": person.form.full_name},
            mark_safe(' aria-invalid="true"') if person.problem and person.problem.field == "outcome" else "",
            *(outcome_options(self.outcomes, outcome.value()), "" if outcome.value() else mark_safe(" selected")),
            unchosen,
        )

    def faults(self, person) -> Iterable[tuple[int, int, str]]:
        """What is suspected, under the column it concerns: (column, columns to the right, sentence)."""
        found = []
        for item, reasons in person.suspected.items():
            column = COLUMNS.get(item, 1)
            found.append((column, LAST_COLUMN - column, f"{items.ITEMS[item].label}: {'; '.join(reasons)}"))
        return sorted(found)


def person_said(person) -> Iterable[SafeString]:
    """In words: why the district returned the result; of each item ever corrected what was collected and each step since. Left out: what was taken back in a few minutes."""
    if event := person.returned:
        sentence = (
            say("Reopened on %(day)s: %(reason)s")
            if event.kind == "reopened"
            else say("Returned on %(day)s: %(reason)s")
        )
        days = sentence % {
            "day": f"{event.at.astimezone():%-d/%-m}",
            "reason": event.reason,
        }
        yield format_html('<span class="state bad">{}</span>', days)
    for chain in person.chains:
        steps = [step for step in chain.steps if step.state != CorrectionState.UNDONE]
        if not steps:
            continue
        yield format_html(
            "{}: <del>{}</del>{}",
            items.ITEMS[chain.item].label,
            items.readable(chain.item, chain.collected) or pgettext("item", "empty"),
            format_html_join("", " → <ins>{}</ins> ({}, {}) {}", map(_step, steps)),
        )


def _step(step) -> tuple:
    correction = step.correction
    day = correction.verification_pass.verified_on
    sign = STEP_SIGNS[step.state]
    return (
        items.readable(correction.field, correction.new),
        correction.get_source_display(),
        f"{day.day}/{day.month}",
        format_html('<span class="state {}">{}</span>', sign, step.state.label),
    )
