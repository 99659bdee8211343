"""A printed sheet comes back: what stands since it was printed, what was typed, what would be recorded.

lines_of → check (nothing written) → record (one batch, if nothing changed since the check)
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as say

from census_verify import clock
from households.models import CollectionForm, User
from verification import cross_checks, items, permissions, rules, services
from verification.models import RoundForm, Sheet, SheetLine, VerificationPass
from verification.rules import Conflict, Doubt, Entry, InvalidEntry, NotAllowed, Refusal
from verification.services import Recorded
from verification.sheets import language
from verification.sheets.language import Problem, Remark
from verification.terms import Approval, Outcome, SourcePaper


@dataclass(frozen=True)
class Line:
    """A line of the sheet as it stands today."""

    number: int
    form: CollectionForm
    row: RoundForm | None
    seen_pass: int | None

    @property
    def is_gone(self) -> bool:
        """The form is no longer in the round."""
        return self.row is None

    @property
    def is_done(self) -> bool:
        """Given a result since the sheet was printed."""
        return bool(self.row) and self.row.standing_pass_id != self.seen_pass

    @property
    def is_open(self) -> bool:
        return not (self.is_gone or self.is_done)

    @property
    def is_returned(self) -> bool:
        """By the district, so an officer says herself what is right; nothing is taken for granted."""
        return self.is_open and self.row.approval == Approval.RETURNED

    @property
    def done_sentence(self) -> str:
        standing = self.row.standing_pass
        if standing is None:
            return say("the result it had was undone")
        at = standing.recorded_at.astimezone(clock.now().tzinfo)
        return say("recorded as “%(outcome)s” by %(officer)s, %(time)s") % {
            "outcome": standing.get_outcome_display(),
            "officer": standing.officer,
            "time": f"{at:%H:%M} {at.day}/{at.month}/{at.year}",
        }


@dataclass(frozen=True)
class Said:
    """A remark in words: the people it is about, the outcome, and each thing said of them."""

    remark: Remark
    people: list[Line]
    outcome: str
    details: list[str]

    @property
    def lines(self) -> str:
        return language.readable_lines(self.remark)


@dataclass
class Check:
    """What recording the sheet would come to."""

    lines: list[Line]
    said: list[Said] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    left: list[Line] = field(default_factory=list)
    doubts: list[tuple[Line | None, Doubt]] = field(default_factory=list)  # no line: not on this sheet
    state: str = ""  # changes when what stands of the sheet's people does, or what speaks against the corrections

    @property
    def done(self) -> list[Line]:
        return [line for line in self.lines if line.is_done]

    @property
    def gone(self) -> list[Line]:
        return [line for line in self.lines if line.is_gone]

    @property
    def counts(self) -> list[tuple[str, int]]:
        """How many of each outcome, in the order of the outcomes."""
        counted = Counter(entry.outcome for entry in self.entries)
        return [(outcome, counted[outcome]) for outcome in Outcome.values if counted[outcome]]


class ChangedMeanwhile(Conflict):
    """Since the summary was shown somebody else gave one of its people a result."""


def lines_of(sheet: Sheet) -> list[Line]:
    printed = SheetLine.objects.filter(sheet=sheet).select_related("form__household").order_by("number")
    printed = list(printed)
    rows = RoundForm.objects.filter(round=sheet.round_id, commune=sheet.commune_id)
    rows = rows.filter(form__in=[line.form_id for line in printed]).select_related("standing_pass__officer")
    row_of = {row.form_id: row for row in rows}
    return [Line(line.number, line.form, row_of.get(line.form_id), line.seen_pass_id) for line in printed]


@transaction.atomic
def check(*, sheet: Sheet, typed: str) -> Check:
    """What `typed` would record, and everything that forbids it. Writes nothing."""
    checked = Check(lines_of(sheet))
    remarks, problems = language.read(typed, today=clock.today())
    checked.problems = problems
    line_of = {line.number: line for line in checked.lines}
    named: set[int] = set()
    for remark in remarks:
        numbers = range(remark.first, remark.last + 1)
        named.update(numbers)
        people = [line_of[number] for number in numbers if number in line_of]
        if found := _problems_of(remark, people, sheet):
            checked.problems += found
            continue
        entries = [_entry(remark, line) for line in people]
        if remark.outcome:
            checked.entries += entries
        else:
            checked.left += people
        checked.said.append(_in_words(remark, people))
    for line in checked.lines:
        if line.number not in named and line.is_returned:
            checked.left.append(line)
        elif line.number not in named and line.is_open:
            checked.entries.append(
                Entry(form_id=line.form.pk, outcome=Outcome.MATCHED.value, expected_pass=line.seen_pass)
            )
    checked.problems.sort(key=lambda problem: problem.at)
    checked.doubts = _doubts(checked.lines, checked.entries)
    checked.state = _state_of(checked)
    return checked


def _doubts(lines: list[Line], entries: list[Entry]) -> list[tuple[Line | None, Doubt]]:
    """What the entry page would ask of each household that is corrected; confirming the summary that shows it is
    the second Enter."""
    line_of = {line.form.pk: line for line in lines}
    entries_of: dict[int, list[Entry]] = defaultdict(list)
    for entry in entries:
        entries_of[line_of[entry.form_id].form.household_id].append(entry)
    corrected = [household for household, theirs in entries_of.items() if any(e.corrections for e in theirs)]
    forms_of = cross_checks.forms_of_each(corrected) if corrected else {}
    doubts = [doubt for home in corrected for doubt in cross_checks.new_doubts(forms_of[home], entries_of[home])]
    found = [(line_of.get(doubt.form_id), doubt) for doubt in doubts]
    return sorted(found, key=lambda one: one[0].number if one[0] else len(lines) + 1)


@transaction.atomic
def record(
    *,
    sheet: Sheet,
    typed: str,
    state: str,
    by_books: bool,
    in_person: bool,
    verified_on: date,
    submission: UUID,
    by: User,
) -> Recorded:
    """Record the sheet as its summary said: all of it, or nothing. The same submission again changes nothing.

    Raises ChangedMeanwhile when the summary (its `state`) is no longer true, InvalidEntry, NotAllowed or Conflict.
    """
    sheet = Sheet.objects.select_for_update(of=("self",)).select_related("round").get(pk=sheet.pk)
    if recorded := _recorded_before(sheet, submission, by):
        return recorded
    require_enterable(sheet, by)
    require_day(sheet, verified_on)
    checked = check(sheet=sheet, typed=typed)
    if checked.state != state:
        raise ChangedMeanwhile(say("Meanwhile the sheet changed: read the summary once more."))
    if checked.problems:
        raise InvalidEntry(checked.problems[0].sentence)
    if not checked.entries:
        raise InvalidEntry(say("Nothing of this sheet is left to record."))
    try:
        recorded = services.record_results_of_sheet(
            sheet=sheet,
            round=sheet.round,
            entries=checked.entries,
            by_books=by_books,
            in_person=in_person,
            verified_on=verified_on,
            submission=submission,
            by=by,
        )
    except Conflict as somebody_was_quicker:
        raise ChangedMeanwhile(somebody_was_quicker.sentence) from somebody_was_quicker
    if not checked.left:
        sheet.entered_by, sheet.entered_at = by, clock.now()
        sheet.save(update_fields=["entered_by", "entered_at"])
    return recorded


@transaction.atomic
def withdraw(*, sheet: Sheet, by: User) -> Sheet:
    """The paper is lost or was printed anew: it is no longer out, and nothing is entered from it."""
    sheet = Sheet.objects.select_for_update().get(pk=sheet.pk)
    if not permissions.can_record_in(by, sheet.commune_id):
        raise NotAllowed(say("Sheets are entered and withdrawn by those who record results in the commune."))
    if sheet.entered_at:
        raise Conflict(say("This sheet was entered; it cannot be withdrawn any more."))
    if not sheet.withdrawn_at:
        sheet.withdrawn_by, sheet.withdrawn_at = by, clock.now()
        sheet.save(update_fields=["withdrawn_by", "withdrawn_at"])
    return sheet


def require_enterable(sheet: Sheet, by: User) -> None:
    if not permissions.can_record_in(by, sheet.commune_id):
        raise NotAllowed(say("Sheets are entered and withdrawn by those who record results in the commune."))
    if sheet.withdrawn_at:
        raise Conflict(say("This sheet was withdrawn: nothing is entered from it any more."))
    if sheet.round.status != sheet.round.Status.OPEN:
        raise Conflict(say("The round “%(round)s” is not open.") % {"round": sheet.round.name})


def require_day(sheet: Sheet, verified_on: date) -> None:
    """Nobody checks with a paper that is not printed yet."""
    printed_on = sheet.printed_at.astimezone(clock.now().tzinfo).date()
    if verified_on < printed_on:
        raise InvalidEntry(
            say("The sheet was printed on %(day)s, after the day of verification.")
            % {"day": f"{printed_on.day}/{printed_on.month}/{printed_on.year}"},
            field="verified_on",
        )
    rules.require_day(verified_on, starts_on=sheet.round.starts_on, today=clock.today())


def _recorded_before(sheet: Sheet, submission: UUID, by: User) -> Recorded | None:
    before = list(VerificationPass.objects.filter(submission=submission))
    if not before:
        return None
    if any(p.officer_id != by.pk or p.sheet_id != sheet.pk or not p.is_standing for p in before):
        raise Conflict(say("This was sent before and undone or changed since. Open the sheet again."))
    return Recorded(before, replayed=True)


def _entry(remark: Remark, line: Line) -> Entry:
    return rules.only_asked(
        Entry(
            form_id=line.form.pk,
            outcome=remark.outcome,
            expected_pass=line.seen_pass,
            event_on=remark.event_on,
            destination=remark.destination,
            paper=remark.paper,
            duplicate_barcode=remark.duplicate_barcode,
            reason=remark.reason,
            attempts=remark.attempts,
            next_visit_on=remark.next_visit_on,
            corrections=remark.corrections,
        )
    )


def _problems_of(remark: Remark, people: list[Line], sheet: Sheet) -> list[Problem]:
    """Everything that forbids a remark: first whether its lines can take one at all, then what the rules say."""
    if len(people) < remark.last - remark.first + 1:
        sentence = say("The sheet has no line %(line)s.") % {"line": language.readable_lines(remark)}
        return [Problem(remark.at, sentence)]
    closed = [_closed_sentence(line) for line in people if not line.is_open]
    sentences = closed or list(dict.fromkeys(_refusals(remark, people, sheet)))
    return [Problem(remark.at, sentence) for sentence in sentences]


def _closed_sentence(line: Line) -> str:
    values = {"line": line.number, "name": line.form.full_name}
    if line.is_gone:
        return say("Line %(line)s, %(name)s, is no longer in the round. Take it out here.") % values
    return say(
        "Line %(line)s, %(name)s: %(done)s. Take it out here; a new result is recorded on the household's page."
    ) % {**values, "done": line.done_sentence}


def _refusals(remark: Remark, people: Iterable[Line], sheet: Sheet):
    """What `services.record_results_of_sheet` would refuse."""
    if not remark.outcome:
        return
    today = clock.today()
    for line in people:
        entry = _entry(remark, line)
        try:
            rules.require_entry(entry, today=today, ends_on=sheet.round.ends_on, birth_year=line.form.birth_year)
            services.other_form_of(entry, line.row, sheet.round)
        except Refusal as refusal:
            yield refusal.sentence
        for correction in entry.corrections:
            try:
                services.correction_of(correction, entry, line.form)
            except Refusal as refusal:
                yield refusal.sentence


def _in_words(remark: Remark, people: list[Line]) -> Said:
    if not remark.outcome:
        return Said(remark, people, say("not done yet, stays out"), [])
    details = []
    for correction in remark.corrections:
        _, stored = services.correction_of(correction, _entry(remark, people[0]), people[0].form)
        details.append(
            say("%(item)s: %(old)s → %(new)s (%(paper)s)")
            % {
                "item": items.ITEMS[stored.field].label,
                "old": items.readable(stored.field, stored.old) or say("nothing written"),
                "new": items.readable(stored.field, stored.new),
                "paper": SourcePaper(stored.source).label,
            }
        )
    if remark.event_on:
        details.append(_day(remark.event_on))
    if remark.paper:
        details.append(str(SourcePaper(remark.paper).label))
    if remark.destination:
        details.append(say("moved to %(place)s") % {"place": remark.destination})
    if remark.duplicate_barcode:
        details.append(say("the same as form %(barcode)s") % {"barcode": remark.duplicate_barcode})
    if remark.reason:
        details.append(remark.reason)
    if remark.attempts:
        details.append(say("attempts: %(attempts)d") % {"attempts": remark.attempts})
    if remark.next_visit_on:
        details.append(say("next visit on %(day)s") % {"day": _day(remark.next_visit_on)})
    return Said(remark, people, str(Outcome(remark.outcome).label), details)


def _day(day: date) -> str:
    return f"{day.day}/{day.month}/{day.year}"


def _state_of(checked: Check) -> str:
    stands = [
        (line.number, line.row and line.row.standing_pass_id, line.row and line.row.approval) for line in checked.lines
    ]
    doubts = [doubt.key for _, doubt in checked.doubts]
    return hashlib.sha256(repr((stands, doubts)).encode()).hexdigest()[:32]
