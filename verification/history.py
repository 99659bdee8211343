"""What became of forms: the chain of corrections of each item, and who decided what when. In a few questions,
however many forms."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from households.models import CollectionForm, User
from households.statements import Statement
from verification import items
from verification.models import Correction, PassEvent, VerificationPass
from verification.terms import Approval


class CorrectionState(TextChoices):
    """Where one correction of a chain stands."""

    IN_FORCE = "in_force", _("in force")  # approved, or of a round that asks for no approval
    PENDING = "pending", _("waiting for approval")
    RETURNED = "returned", _("returned")
    UNDONE = "undone", _("undone")
    SUPERSEDED = "superseded", _("superseded by a later pass")


@dataclass(frozen=True)
class Step:
    """One correction of an item, its `verification_pass` (with officer and day) and `decided_by` at hand."""

    correction: Correction
    state: CorrectionState

    @property
    def is_in_force(self) -> bool:
        return self.state == CorrectionState.IN_FORCE


@dataclass(frozen=True)
class Chain:
    """An item of a form: what was collected, each correction, what the form says now."""

    item: str
    collected: str
    steps: tuple[Step, ...]
    current: str

    @property
    def is_corrected(self) -> bool:
        return any(step.is_in_force for step in self.steps)


def chain_of(forms: Sequence[CollectionForm]) -> dict[int, dict[str, Chain]]:
    """form id -> item -> its chain, for the items that were ever corrected. Two questions."""
    corrections = list(
        Correction.objects.filter(verification_pass__form__in=[form.pk for form in forms])
        .select_related("verification_pass__officer", "decided_by")
        .order_by("verification_pass_id", "pk")
    )
    undone = _undone({c.verification_pass_id for c in corrections if not c.verification_pass.is_standing})
    steps: dict[tuple[int, str], list[Step]] = defaultdict(list)
    for correction in corrections:
        state = _state(correction, is_undone=correction.verification_pass_id in undone)
        steps[correction.verification_pass.form_id, correction.field].append(Step(correction, state))
    chains: dict[int, dict[str, Chain]] = {form.pk: {} for form in forms}
    for form in forms:
        for item in items.ITEMS:
            if of_item := steps.get((form.pk, item)):
                current = items.value_of(form, item)
                collected = next((step.correction.old for step in of_item if step.is_in_force), current)
                chains[form.pk][item] = Chain(item, collected, tuple(of_item), current)
    return chains


ANYTHING_TO_TELL = Statement(
    "anything_to_tell_of_forms",
    "bigint[]",
    """
    SELECT EXISTS (SELECT FROM verification_correction correction
            JOIN verification_verificationpass pass ON pass.id = correction.verification_pass_id
            WHERE pass.form_id = ANY($1)),
        EXISTS (SELECT FROM verification_passevent event
            JOIN verification_verificationpass pass ON pass.id = event.verification_pass_id
            WHERE pass.form_id = ANY($1) AND event.kind = 'reopened')""",
)


def to_tell(forms: Sequence[CollectionForm]) -> tuple[dict[int, dict[str, Chain]], dict[int, PassEvent]]:
    """As `chain_of`, and why a form was reopened last (by form), for a page that is opened at every save: hardly a
    household has either, so that is asked quickly first."""
    corrected, reopened = ANYTHING_TO_TELL.row([form.pk for form in forms]) if forms else (False, False)
    return chain_of(forms) if corrected else {}, _reopenings(forms) if reopened else {}


def _reopenings(forms: Sequence[CollectionForm]) -> dict[int, PassEvent]:
    events = PassEvent.objects.filter(verification_pass__form__in=forms, kind=PassEvent.Kind.REOPENED)
    return {
        event.verification_pass.form_id: event for event in events.select_related("verification_pass").order_by("pk")
    }


def _undone(pass_ids: set[int]) -> set[int]:
    if not pass_ids:
        return set()
    events = PassEvent.objects.filter(verification_pass__in=pass_ids, kind=PassEvent.Kind.UNDONE)
    return set(events.values_list("verification_pass_id", flat=True))


def _state(correction: Correction, *, is_undone: bool) -> CorrectionState:
    if is_undone:
        return CorrectionState.UNDONE
    if correction.approval in ("", Approval.APPROVED):
        return CorrectionState.IN_FORCE
    if correction.approval == Approval.RETURNED:
        return CorrectionState.RETURNED
    return CorrectionState.PENDING if correction.verification_pass.is_standing else CorrectionState.SUPERSEDED


@dataclass(frozen=True)
class Happening:
    """One line of a form's history: a pass that was recorded, or an event of one."""

    at: datetime
    by: User
    verification_pass: VerificationPass
    event: PassEvent | None = None
    corrections: Sequence[Correction] = field(default_factory=tuple)


def happenings_of(form_ids: Iterable[int]) -> dict[int, list[Happening]]:
    """form id -> everything that was recorded and decided of it in any round, newest first. Three questions."""
    found: dict[int, list[Happening]] = {form_id: [] for form_id in form_ids}
    passes = (
        VerificationPass.objects.filter(form__in=found)
        .select_related("officer", "round")
        .prefetch_related("corrections")
        .order_by("pk")
    )
    pass_of = {verification_pass.pk: verification_pass for verification_pass in passes}
    for made in pass_of.values():
        found[made.form_id].append(Happening(made.recorded_at, made.officer, made, corrections=made.corrections.all()))
    # that a later pass followed is said by the later pass
    events = PassEvent.objects.filter(verification_pass__in=pass_of).exclude(kind=PassEvent.Kind.SUPERSEDED)
    for event in events.select_related("by").order_by("pk"):
        made = pass_of[event.verification_pass_id]
        found[made.form_id].append(Happening(event.at, event.by, made, event))
    for lines in found.values():
        lines.sort(key=lambda line: line.at, reverse=True)
    return found
