"""What may be recorded, decided from values alone: no database, no request."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import date, datetime, timedelta
from uuid import UUID

from django.utils.translation import gettext as say

from verification.terms import REMOVALS, WITH_CORRECTIONS, Approval, Outcome, SourcePaper


class Refusal(Exception):
    """Why something was not done, in a sentence the officer can act on. `form_id` and `field` say where;
    `offenders`, of many at once, who stands in the way and why, by form."""

    status = 400

    def __init__(
        self, sentence: str, *, form_id: int | None = None, field: str = "", offenders: Mapping[int, str] | None = None
    ):
        super().__init__(sentence)
        self.sentence, self.form_id, self.field, self.offenders = sentence, form_id, field, offenders or {}


class InvalidEntry(Refusal):
    """What was typed cannot be right."""


class Conflict(Refusal):
    """Right in itself, but somebody was here first or the time for it has passed."""

    status = 409


@dataclass(frozen=True)
class Doubt:
    """What speaks against something and does not forbid it. `key` names it in `seen`, word for word: where another
    value makes another sentence, it has not been seen."""

    key: str
    field: str
    label: str
    sentence: str
    form_id: int | None = None
    name: str = ""  # whose it is, where several people are judged together
    household_id: int | None = None  # where the other form is, if the officer may see it


class Doubtful(Refusal):
    """It may be right, but something speaks against it: sent again with `seen`, it is recorded."""

    status = 409

    def __init__(self, sentence: str, doubts: Sequence[Doubt], *, form_id: int | None = None):
        super().__init__(sentence, form_id=form_id)
        self.doubts = doubts

    @property
    def seen(self) -> str:
        return " ".join(doubt.key for doubt in self.doubts)


class TooBusy(Refusal):
    """Nothing wrong with it; the machine has too much of it just now."""

    status = 503


class NotAllowed(Refusal):
    """She may look, but it is not hers to do."""

    status = 403


def all_seen(doubts: Iterable[Doubt], seen: Iterable[str]) -> bool:
    return {doubt.key for doubt in doubts} <= set(seen)


@dataclass(frozen=True)
class CorrectionEntry:
    """One correction as typed: `new` replaces the form's value of `field`; `source` is the paper that proves it."""

    field: str
    new: str
    source: str
    fault: str = ""
    note: str = ""
    proof: UUID | None = None  # an uploaded photo or scan of the paper


@dataclass(frozen=True)
class Entry:
    """One person's result as typed. `expected_pass` is the standing pass the officer saw (None: none)."""

    form_id: int
    outcome: str
    expected_pass: int | None = None
    event_on: date | None = None
    destination: str = ""
    paper: str = ""
    proof: UUID | None = None  # of the paper
    duplicate_barcode: str = ""
    reason: str = ""
    attempts: int | None = None
    next_visit_on: date | None = None
    corrections: tuple[CorrectionEntry, ...] = field(default_factory=tuple)


# The fields each outcome asks for, beside the corrections of WITH_CORRECTIONS (product.md section 3).
ASKS = {
    Outcome.DECEASED: {"event_on", "paper"},
    Outcome.MOVED_AWAY: {"event_on", "destination"},
    Outcome.DUPLICATE: {"duplicate_barcode"},
    Outcome.EMIGRATED: {"paper"},
    Outcome.NOT_MET: {"reason", "next_visit_on"},
    Outcome.UNVERIFIABLE: {"reason", "attempts"},
}
DETAILS = frozenset().union(*ASKS.values())


def only_asked(entry: Entry) -> Entry:
    """The entry without what was typed for an outcome that was then changed for another."""
    blank = {f.name: f.default for f in fields(Entry) if f.name in DETAILS - ASKS.get(entry.outcome, set())}
    if "paper" in blank:
        blank["proof"] = None
    return replace(entry, **blank)


def require_methods(*, by_books: bool, in_person: bool) -> None:
    if not (by_books or in_person):
        raise InvalidEntry(say("Say how it was checked: with the books, in person, or both."), field="methods")


def require_day(day: date, *, starts_on: date, today: date) -> None:
    if day > today:
        raise InvalidEntry(say("The day of verification lies in the future."), field="verified_on")
    if day < starts_on:
        raise InvalidEntry(say("The day of verification lies before the round began."), field="verified_on")


def require_entry(entry: Entry, *, today: date, ends_on: date, birth_year: int) -> None:
    """Each outcome asks for its own fields and for nothing else (product.md section 3).

    Raises InvalidEntry for the first thing that is missing or too much.
    """

    def refuse(name: str, sentence: str):
        raise InvalidEntry(sentence, form_id=entry.form_id, field=name)

    if entry.outcome not in Outcome.values:
        refuse("outcome", say("There is no result called “%(outcome)s”.") % {"outcome": entry.outcome[:40]})
    if entry.outcome in WITH_CORRECTIONS and not entry.corrections:
        refuse("corrections", say("Say what was wrong: at least one item with its new value and paper."))
    if entry.outcome not in WITH_CORRECTIONS and entry.corrections:
        refuse("corrections", say("Corrections belong to “Wrong, corrected” or “Missing, supplemented”."))
    if entry.outcome == Outcome.DECEASED:
        if not entry.event_on:
            refuse("event_on", say("Give the date of death."))
        if not entry.paper:
            refuse("paper", say("Give the paper that shows the death."))
    if entry.paper and entry.paper not in SourcePaper.values:
        refuse("paper", say("There is no paper called “%(paper)s”.") % {"paper": entry.paper[:40]})
    if entry.outcome == Outcome.MOVED_AWAY:
        if not entry.destination:
            refuse("destination", say("Say where the person moved to."))
        if not entry.event_on:
            refuse("event_on", say("Give the date of moving away."))
    if entry.event_on and entry.event_on > today:
        refuse("event_on", say("This date lies in the future."))
    if entry.event_on and entry.event_on.year < birth_year:
        refuse("event_on", say("This date lies before the person's birth."))
    if entry.outcome == Outcome.DUPLICATE and not entry.duplicate_barcode:
        refuse("duplicate_barcode", say("Give the barcode of the other form."))
    if entry.outcome in (Outcome.NOT_MET, Outcome.UNVERIFIABLE) and not entry.reason:
        refuse("reason", say("Give the reason."))
    if entry.outcome == Outcome.NOT_MET:
        if not entry.next_visit_on:
            refuse("next_visit_on", say("Give the date of the next visit."))
        if entry.next_visit_on < today:
            refuse("next_visit_on", say("The next visit lies in the past."))
        if entry.next_visit_on > max(today, ends_on):
            refuse("next_visit_on", say("The next visit lies after the end of the round."))
    if entry.outcome == Outcome.UNVERIFIABLE and not (entry.attempts and 1 <= entry.attempts <= 99):
        refuse("attempts", say("Say how many attempts were made, 1 to 99."))


DAYS_TO_NEXT_VISIT = 3


def proposed_visit(today: date, ends_on: date) -> date:
    """When to come again to somebody absent, unless the officer says otherwise."""
    return max(today, min(today + timedelta(days=DAYS_TO_NEXT_VISIT), ends_on))


def approval_at_first(outcome: str, approval_outcomes: list[str]) -> str:
    return Approval.PENDING if outcome in approval_outcomes else ""


def is_verified(outcome: str, approval: str, counting_outcomes: list[str]) -> bool:
    """Does a standing result count as verified? A removal counts once the district approved it."""
    if outcome not in counting_outcomes:
        return False
    return outcome not in REMOVALS or approval in ("", Approval.APPROVED)


def require_undoable(recorded_at: datetime, *, now: datetime, minutes: int) -> None:
    if now - recorded_at > timedelta(minutes=minutes):
        raise Conflict(
            say("A result can be undone within %(minutes)d minutes; this one is older.") % {"minutes": minutes}
        )


def needed_per_day(left: int, *, first_day: date, due_on: date) -> int | None:
    """Forms a day to finish `left` from `first_day` to `due_on`, both worked; None when the time is over.

    Rounded to the nearest, as reports give it (221.631 in 11 days: 20.148), and at least one.
    """
    days = (due_on - first_day).days + 1
    if left <= 0:
        return 0
    return max(1, round(left / days)) if days > 0 else None
