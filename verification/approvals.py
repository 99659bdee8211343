"""The district's decisions: approve or return what waits for it, reopen what was decided; many at once, all or none."""

from collections.abc import Iterable

from django.db import transaction
from django.utils.translation import gettext as say

from census_verify import clock
from households import text
from households.models import User
from verification import form_values, outbox, permissions
from verification.models import Correction, PassEvent, Round, RoundForm, VerificationPass
from verification.rules import Conflict, InvalidEntry, NotAllowed
from verification.services import append_events, end, let_stand, locked_rows, save_standing
from verification.terms import Approval

AT_ONCE = 500  # what one transaction decides and one page may show as refused


@transaction.atomic
def decide(*, round: Round, pass_ids: Iterable[int], approval: Approval, by: User, reason: str = "") -> list[RoundForm]:
    """Approve or return waiting results: all of them, or none.

    `pass_ids` are the results as she saw them: one recorded anew meanwhile is not decided unseen. What is approved
    becomes the forms' values; what is returned goes back to its officer with the reason. Raises NotAllowed,
    InvalidEntry, or Conflict with everybody of whom it cannot be decided.
    """
    form_of = dict(VerificationPass.objects.filter(round=round, pk__in=set(pass_ids)).values_list("pk", "form_id"))
    if not form_of:
        raise InvalidEntry(say("Choose at least one person."))
    if len(form_of) > AT_ONCE:
        raise InvalidEntry(say("At most %(count)d at once.") % {"count": AT_ONCE})
    rows = locked_rows(RoundForm.objects.in_round(round).filter(form__in=form_of.values()))
    if not all(permissions.can_decide_in(by, row.commune, round) for row in rows.values()):
        raise NotAllowed(say("The district decides on the results of its own communes."))
    if round.status != Round.Status.OPEN:
        raise Conflict(say("The round “%(round)s” is not open.") % {"round": round.name})
    reason = text.clean(reason)[:200]
    if approval == Approval.RETURNED and not reason:
        raise InvalidEntry(say("Give the reason."), field="reason")
    _require_waiting(form_of, rows)
    passes = [row.standing_pass for row in rows.values()]
    corrections = Correction.objects.filter(verification_pass__in=passes).select_related("verification_pass")
    if approval == Approval.APPROVED:
        _refuse(
            (form.pk, form_values.sentence_of_stale(form, change))
            for form, change in form_values.take_over(corrections)
        )
    now = clock.now()
    kind = PassEvent.Kind.APPROVED if approval == Approval.APPROVED else PassEvent.Kind.RETURNED
    append_events(passes, kind, by, reason, at=now)
    corrections.update(approval=approval, decided_by=by, decided_at=now)
    decided = RoundForm.objects.filter(pk__in=[row.pk for row in rows.values()])
    decided.update(approval=approval, waits_since=now if approval == Approval.RETURNED else None)
    outbox.mark(round.pk, {row.commune_id for row in rows.values()})
    return list(decided)


@transaction.atomic
def reopen(*, round: Round, pass_ids: Iterable[int], by: User, reason: str) -> list[RoundForm]:
    """Take standing results off again, whatever they were, so that their forms are verified anew: all, or none.

    The passes remain as history, and so do the values that their corrections put into force. `pass_ids` are the
    results as she saw them; what waits for approval is approved or returned instead. Raises NotAllowed, InvalidEntry,
    or Conflict with everybody of whom it cannot be done.
    """
    form_of = dict(VerificationPass.objects.filter(round=round, pk__in=set(pass_ids)).values_list("pk", "form_id"))
    if not form_of:
        raise InvalidEntry(say("Choose at least one person."))
    if len(form_of) > AT_ONCE:
        raise InvalidEntry(say("At most %(count)d at once.") % {"count": AT_ONCE})
    rows = locked_rows(RoundForm.objects.in_round(round).filter(form__in=form_of.values()))
    if not all(permissions.can_decide_in(by, row.commune, round) for row in rows.values()):
        raise NotAllowed(say("The district decides on the results of its own communes."))
    if round.status != Round.Status.OPEN:
        raise Conflict(say("The round “%(round)s” is not open.") % {"round": round.name})
    reason = text.clean(reason)[:200]
    if not reason:
        raise InvalidEntry(say("Give the reason."), field="reason")
    _refuse(
        (row.form_id, say("%(name)s: the result you saw does not stand any more.") % {"name": row.form.full_name})
        for pass_id, row in ((pass_id, rows[form_id]) for pass_id, form_id in form_of.items())
        if row.standing_pass_id != pass_id
    )
    _refuse(
        (row.form_id, say("%(name)s waits for approval: approve or return it.") % {"name": row.form.full_name})
        for row in rows.values()
        if row.approval == Approval.PENDING
    )
    passes = [row.standing_pass for row in rows.values()]
    end(passes, PassEvent.Kind.REOPENED, by, reason)
    for row in rows.values():
        let_stand(row, None, round, None)
    save_standing(rows.values())
    outbox.mark(round.pk, {row.commune_id for row in rows.values()})
    return list(rows.values())


def _require_waiting(form_of: dict[int, int], rows: dict[int, RoundForm]) -> None:
    """Raises Conflict naming everybody whose result is not the one she saw, or was decided already."""
    changed = {
        pass_id: rows[form_id]
        for pass_id, form_id in form_of.items()
        if rows[form_id].standing_pass_id != pass_id or rows[form_id].approval != Approval.PENDING
    }
    if not changed:
        return
    events = PassEvent.objects.filter(verification_pass__in=changed).select_related("by").order_by("pk")
    last_of = {event.verification_pass_id: event for event in events}
    _refuse((row.form_id, _what_happened(row, last_of.get(pass_id))) for pass_id, row in changed.items())


def _what_happened(row: RoundForm, last: PassEvent | None) -> str:
    if last is None:
        return say("%(name)s does not wait for approval.") % {"name": row.form.full_name}
    sentences = {
        PassEvent.Kind.APPROVED: say("%(name)s was approved by %(officer)s, %(time)s."),
        PassEvent.Kind.RETURNED: say("%(name)s was returned by %(officer)s, %(time)s."),
        PassEvent.Kind.UNDONE: say("%(name)s: %(officer)s took the result back, %(time)s."),
        PassEvent.Kind.SUPERSEDED: say("%(name)s was recorded anew by %(officer)s, %(time)s: look again."),
    }
    at = last.at.astimezone(clock.now().tzinfo)
    values = {"name": row.form.full_name, "officer": last.by, "time": f"{at:%H:%M} {at.day}/{at.month}"}
    return sentences.get(last.kind, say("%(name)s does not wait for approval.")) % values


def _refuse(offenders: Iterable[tuple[int, str]]) -> None:
    """Raises Conflict for these (form, sentence), when there are any."""
    offenders = dict(sorted(offenders, key=lambda offender: offender[1]))
    if len(offenders) == 1:
        ((form_id, sentence),) = offenders.items()
        raise Conflict(sentence, form_id=form_id, offenders=offenders)
    if offenders:
        count = {"count": len(offenders)}
        raise Conflict(say("Nothing was decided, because of %(count)d of them:") % count, offenders=offenders)
