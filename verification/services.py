"""The verbs of the work. Each is one short transaction: lock, look, write."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as say

from census_verify import clock
from households import text
from households.models import CollectionForm, Reinforcement, TeamCommune, User
from households.permissions import scope_of
from households.statements import Statement
from verification import form_values, items, outbox, permissions, proofs, rules
from verification.models import Correction, PassEvent, Round, RoundForm, Sheet, VerificationPass
from verification.rules import Conflict, CorrectionEntry, Entry, InvalidEntry, NotAllowed, Refusal
from verification.terms import REMOVALS, Approval, Outcome, SourcePaper


@dataclass(frozen=True)
class Recorded:
    """What a submission came to. `replayed`: it had been recorded before, so nothing was written now."""

    passes: list[VerificationPass]
    replayed: bool = False


@transaction.atomic
def record_results(
    *,
    round: Round,
    household_id: int,
    entries: Iterable[Entry],
    by_books: bool,
    in_person: bool,
    verified_on: date,
    submission: UUID,
    by: User,
) -> Recorded:
    """Record the results of people of one household: all of them, or none.

    `submission` is made by the client; the same one again answers with what it wrote the first time.
    Raises InvalidEntry, NotAllowed, or Conflict when somebody else recorded a result meanwhile.
    """
    rows = LOCK_FOR_ENTRY.rows(household_id, round.pk)
    how = {"by_books": by_books, "in_person": in_person, "verified_on": verified_on}
    return _record(rows, entries, round, submission, by, **how)


@transaction.atomic
def record_results_of_sheet(
    *,
    sheet: Sheet,
    round: Round,
    entries: Iterable[Entry],
    by_books: bool,
    in_person: bool,
    verified_on: date,
    submission: UUID,
    by: User,
) -> Recorded:
    """Record the results of people of many households, entered from one sheet: all of them, or none.

    As `record_results`; every pass names the sheet.
    """
    entries = list(entries)
    rows = LOCK_FORMS_FOR_ENTRY.rows([entry.form_id for entry in entries], round.pk)
    how = {"by_books": by_books, "in_person": in_person, "verified_on": verified_on}
    return _record(rows, entries, round, submission, by, sheet=sheet, **how)


def _record(
    rows: list[tuple],
    entries: Iterable[Entry],
    round: Round,
    submission: UUID,
    by: User,
    *,
    sheet: Sheet | None = None,
    **how,
) -> Recorded:
    """The locked `rows` are given the results of `entries`."""
    entries = [rules.only_asked(entry) for entry in entries]
    rows = {row[0]: EntryRow(*row) for row in rows}
    try:
        passes, corrections = _checked(entries, rows, round, by, **how)
    except Refusal:
        # Nearly every submission is new: whether it was used before is asked only where something speaks for it.
        if recorded := _recorded_before(submission, entries, by):
            return recorded
        raise
    for verification_pass in passes:
        verification_pass.submission = submission
        verification_pass.sheet = sheet
    if superseded := [p.supersedes_id for p in passes if p.supersedes_id]:
        if recorded := _recorded_before(submission, entries, by):
            return recorded
        end(list(VerificationPass.objects.filter(pk__in=superseded)), PassEvent.Kind.SUPERSEDED, by)
    if not _append(passes, round):
        return _recorded_before(submission, entries, by)
    transaction.on_commit(outbox.wake)
    if corrections:
        of_form = {p.form_id: p for p in passes}
        for form_id, correction in corrections:
            correction.verification_pass = of_form[form_id]
            correction.approval = rules.approval_at_first(of_form[form_id].outcome, round.approval_outcomes)
        made = Correction.objects.bulk_create(correction for _, correction in corrections)
        form_values.put_in_force(correction for correction in made if not correction.approval)
    if attached := proofs.given(entries):
        proofs.link(attached, passes, corrections)
    return Recorded(passes)


class EntryRow(NamedTuple):
    """What the writing of a result asks of a form's row in the round, and of the form."""

    form_id: int
    province_id: int
    commune_id: int
    standing_pass_id: int | None
    birth_year: int


# Locked and read in one statement: these columns are the locked row's own, or the form's, which no result
# changes. (Joined with anything else it would need two, see `locked_rows`.) Always in the order of the rows,
# so that a sheet and a household that share people wait for each other instead of blocking each other.
LOCK = """
    SELECT of_round.form_id, of_round.province_id, of_round.commune_id, of_round.standing_pass_id, form.birth_year
    FROM verification_roundform of_round JOIN households_collectionform form ON form.id = of_round.form_id
    WHERE {which} AND of_round.round_id = $2
    ORDER BY of_round.id FOR UPDATE OF of_round"""
LOCK_FOR_ENTRY = Statement(
    "lock_household_for_entry", "bigint, bigint", LOCK.format(which="of_round.household_id = $1")
)
LOCK_FORMS_FOR_ENTRY = Statement(
    "lock_forms_for_entry", "bigint[], bigint", LOCK.format(which="of_round.form_id = ANY ($1)")
)


def _checked(
    entries: list[Entry],
    rows: dict[int, EntryRow],
    round: Round,
    by: User,
    *,
    by_books: bool,
    in_person: bool,
    verified_on: date,
) -> tuple[list[VerificationPass], list[tuple[int, Correction]]]:
    """The passes and corrections to append. Raises a Refusal for the first thing that forbids one."""
    today, now = clock.today(), clock.now()
    _require_open_for(by, round, rows.values())
    rules.require_methods(by_books=by_books, in_person=in_person)
    rules.require_day(verified_on, starts_on=round.starts_on, today=today)
    if not entries:
        raise InvalidEntry(say("No result was given for anybody."))
    if len({entry.form_id for entry in entries}) < len(entries):
        raise InvalidEntry(say("One person was given two results."))
    teams = {commune_id: team_of(by, commune_id, today) for commune_id in {r.commune_id for r in rows.values()}}
    passes = []
    for entry in entries:
        row = rows.get(entry.form_id)
        if row is None:
            raise InvalidEntry(say("This form is not of this household, or not in this round."), form_id=entry.form_id)
        _require_expected(row, entry)
        rules.require_entry(entry, today=today, ends_on=round.ends_on, birth_year=row.birth_year)
        passes.append(
            VerificationPass(
                round_id=round.pk,
                form_id=row.form_id,
                province_id=row.province_id,
                commune_id=row.commune_id,
                team_id=teams[row.commune_id],
                officer_id=by.pk,
                outcome=entry.outcome,
                by_books=by_books,
                in_person=in_person,
                verified_on=verified_on,
                recorded_at=now,
                supersedes_id=row.standing_pass_id,
                event_on=entry.event_on,
                destination=entry.destination,
                paper=entry.paper,
                duplicate_of=other_form_of(entry, row, round),
                reason=entry.reason,
                attempts=entry.attempts,
                next_visit_on=entry.next_visit_on,
            )
        )
    forms = CollectionForm.objects.in_bulk([entry.form_id for entry in entries if entry.corrections])
    corrections = [correction_of(c, entry, forms[entry.form_id]) for entry in entries for c in entry.corrections]
    if attached := proofs.given(entries):
        proofs.require_usable(attached, by)
    return passes, corrections


def _recorded_before(submission: UUID, entries: list[Entry], by: User) -> Recorded | None:
    """What this submission recorded the first time, or None when it is new. Raises Conflict when it was
    used for something else, or was undone since."""
    before = list(VerificationPass.objects.filter(submission=submission).prefetch_related("corrections"))
    if not before:
        return None
    if any(p.officer_id != by.pk or not p.is_standing for p in before) or not _says_the_same(before, entries):
        raise Conflict(say("This submission was already used for something else. Open the household again."))
    return Recorded(before, replayed=True)


PASS_COLUMNS = [f.attname for f in VerificationPass._meta.concrete_fields if not f.primary_key]
# The passes, the rows of the round that repeat them, and the mark for the roll-up, in one statement: one way to the database and back
# instead of a dozen. A submission used before writes nothing.
APPEND = Statement(
    "append_passes",
    "json, uuid, jsonb",
    f"""
    WITH recorded AS (
        INSERT INTO verification_verificationpass ({", ".join(PASS_COLUMNS)})
        SELECT {", ".join(PASS_COLUMNS)}
        FROM json_populate_recordset(NULL::verification_verificationpass, $1)
        WHERE NOT EXISTS (SELECT FROM verification_verificationpass WHERE submission = $2)
        RETURNING id, form_id, round_id, commune_id, outcome, verified_on, next_visit_on, recorded_at
    ), stands AS (
        UPDATE verification_roundform of_round
        SET standing_pass_id = recorded.id, outcome = recorded.outcome, counted_on = recorded.verified_on,
            next_visit_on = recorded.next_visit_on,
            approval = $3 ->> recorded.form_id::text,
            waits_since = CASE WHEN $3 ->> recorded.form_id::text = 'pending' THEN recorded.recorded_at END
        FROM recorded WHERE of_round.form_id = recorded.form_id AND of_round.round_id = recorded.round_id
    ), marked AS (
        {outbox.MARK_RECORDED}
    )
    SELECT form_id, id FROM recorded""",
)


def _append(passes: list[VerificationPass], round: Round) -> bool:
    """Append the passes and let them stand. False, and nothing written, when their submission was used before."""
    approvals = {p.form_id: rules.approval_at_first(p.outcome, round.approval_outcomes) for p in passes}
    values = [{name: getattr(p, name) for name in PASS_COLUMNS} for p in passes]
    id_of = dict(APPEND.rows(json.dumps(values, default=str), passes[0].submission, json.dumps(approvals)))
    for verification_pass in passes if id_of else ():
        verification_pass.pk = id_of[verification_pass.form_id]
        verification_pass._state.adding = False
    return bool(id_of)


def locked_rows(rows: QuerySet[RoundForm]) -> dict[int, RoundForm]:
    """Locks the rows, then reads them. In one statement the reader who had to wait would get the row
    as it is now joined with the pass as it was before."""
    rows = rows.order_by("pk")
    list(rows.select_for_update().values_list("pk"))
    return {row.form_id: row for row in rows.select_related("form", "commune", "standing_pass__officer")}


def _says_the_same(passes: list[VerificationPass], entries: list[Entry]) -> bool:
    """Is what was sent now what this submission recorded the first time?"""
    details = ("outcome", "event_on", "destination", "paper", "reason", "attempts", "next_visit_on")

    def said(row, fields: Iterable[str]) -> tuple:
        return (row.form_id, *(getattr(row, name) for name in details), frozenset(fields))

    recorded = {said(p, (c.field for c in p.corrections.all())) for p in passes}
    return recorded == {said(entry, (c.field for c in entry.corrections)) for entry in entries}


def _require_open_for(by: User, round: Round, rows) -> None:
    rows = list(rows)
    if not rows:
        raise InvalidEntry(say("Nobody of this household is in this round."))
    if not all(permissions.can_record_in(by, row.commune_id) for row in rows):
        raise NotAllowed(say("Results are recorded by the commune's officers and the team that works there."))
    if round.status != Round.Status.OPEN:
        raise Conflict(say("The round “%(round)s” is not open.") % {"round": round.name})


def _require_expected(row: EntryRow, entry: Entry) -> None:
    if row.standing_pass_id == entry.expected_pass:
        return
    if row.standing_pass_id is None:
        raise Conflict(
            say("The result you saw was undone meanwhile; nothing was recorded now. Look again and decide."),
            form_id=row.form_id,
        )
    standing = VerificationPass.objects.select_related("form", "officer").get(pk=row.standing_pass_id)
    sentence = say("%(name)s was recorded as “%(outcome)s” by %(officer)s, %(time)s; nothing was recorded now.")
    at = standing.recorded_at.astimezone(clock.now().tzinfo)
    values = {
        "name": standing.form.full_name,
        "outcome": standing.get_outcome_display(),
        "officer": standing.officer,
        "time": f"{at:%H:%M} {at.day}/{at.month}",
    }
    raise Conflict(sentence % values, form_id=row.form_id)


def team_of(by: User, commune_id: int, today: date) -> int | None:
    """The officer's team, where it is as its member that she works in this commune, or helps out there."""
    team_ids = scope_of(by).team_ids
    if not team_ids:
        return None
    rows = TeamCommune.objects.valid_on(today).filter(commune_id=commune_id, team_id__in=team_ids)
    helping = Reinforcement.objects.valid_on(today).filter(district__children=commune_id, team_id__in=team_ids)
    return (
        rows.values_list("team_id", flat=True).first()
        or helping.order_by("pk").values_list("team_id", flat=True).first()
    )


def other_form_of(entry: Entry, row: EntryRow, round: Round) -> CollectionForm | None:
    """The form that a duplicate repeats. It must remain: two forms that name each other would both go."""
    if entry.outcome != Outcome.DUPLICATE:
        return None
    other = CollectionForm.objects.filter(province_id=row.province_id, barcode=entry.duplicate_barcode).first()
    if other is None or other.pk == row.form_id:
        raise InvalidEntry(
            say("No other form of the province has the barcode “%(barcode)s”.")
            % {"barcode": entry.duplicate_barcode[:40]},
            form_id=row.form_id,
            field="duplicate_barcode",
        )
    its_row = RoundForm.objects.in_round(round).filter(form=other).select_for_update().first()
    if its_row and its_row.outcome in REMOVALS:
        raise Conflict(
            say("The other form is itself proposed for removal; one of the two must remain."),
            form_id=row.form_id,
            field="duplicate_barcode",
        )
    return other


def correction_of(entry: CorrectionEntry, of: Entry, form: CollectionForm) -> tuple[int, Correction]:
    """The correction to append. The old value is read from the form, never taken from the client."""

    def refuse(name: str, sentence: str):
        raise InvalidEntry(sentence, form_id=form.pk, field=name)

    item = items.ITEMS.get(entry.field)
    if item is None:
        refuse("field", say("The form has no item called “%(field)s”.") % {"field": entry.field[:40]})
    if [c.field for c in of.corrections].count(entry.field) > 1:
        refuse("field", say("“%(item)s” was corrected twice.") % {"item": item.label})
    if entry.source not in SourcePaper.values:
        refuse("source", say("“%(item)s”: no correction without the paper that proves it.") % {"item": item.label})
    typed = text.clean(entry.new)
    if not typed:
        refuse("new", say("“%(item)s”: give the new value.") % {"item": item.label})
    try:
        new = items.read(item, typed, form)
    except ValueError as wrong:
        refuse("new", str(wrong))
    old = items.value_of(form, entry.field)
    if new == old:
        refuse("new", say("“%(item)s”: the new value is the old one.") % {"item": item.label})
    if of.outcome == Outcome.SUPPLEMENTED and old:
        refuse("field", say("“%(item)s” has a value already: that is “Wrong, corrected”.") % {"item": item.label})
    fault = entry.fault or item.fault
    if fault not in items.Fault.values:
        refuse("fault", say("There is no fault called “%(fault)s”.") % {"fault": entry.fault[:40]})
    return form.pk, Correction(
        field=entry.field, old=old, new=new, fault=fault, source=entry.source, note=text.clean(entry.note)[:200]
    )


def end(passes: list[VerificationPass], kind: PassEvent.Kind, by: User, reason: str = "") -> None:
    """The passes stand no longer; what stands in their place is written by `let_stand` or with a new pass."""
    if not passes:
        return
    VerificationPass.objects.filter(pk__in=[p.pk for p in passes]).update(is_standing=False)
    append_events(passes, kind, by, reason)


def append_events(
    passes: list[VerificationPass], kind: PassEvent.Kind, by: User, reason: str = "", at: datetime | None = None
) -> None:
    at = at or clock.now()
    PassEvent.objects.bulk_create(
        PassEvent(verification_pass=p, kind=kind, by=by, at=at, reason=reason) for p in passes
    )


def let_stand(
    row: RoundForm, verification_pass: VerificationPass | None, round: Round, decided: PassEvent | None
) -> None:
    """Puts the pass, or none, into its form's row, which `save_standing` writes. `decided`: the district's last word
    on the pass, where it had one."""
    row.standing_pass = verification_pass
    row.outcome = verification_pass.outcome if verification_pass else ""
    row.approval = decided.kind if decided else rules.approval_at_first(row.outcome, round.approval_outcomes)
    row.counted_on = verification_pass.verified_on if verification_pass else None
    row.next_visit_on = verification_pass.next_visit_on if verification_pass else None
    since = {
        Approval.PENDING: verification_pass and verification_pass.recorded_at,
        Approval.RETURNED: decided and decided.at,
    }
    row.waits_since = since.get(row.approval)


def save_standing(rows: Iterable[RoundForm]) -> None:
    columns = ["standing_pass", "outcome", "approval", "counted_on", "next_visit_on", "waits_since"]
    RoundForm.objects.bulk_update(rows, columns)


@transaction.atomic
def undo_submission(*, submission: UUID, by: User) -> list[VerificationPass]:
    """Take back what one submission recorded, within the round's minutes; the result before it stands again.

    Returns the passes undone, or none when they were undone already. Raises Conflict when it is too
    late or a later result stands, NotAllowed when the submission is somebody else's.
    """
    passes = list(
        VerificationPass.objects.filter(submission=submission).select_related("round", "supersedes").order_by("pk")
    )
    if not passes or any(p.officer_id != by.pk for p in passes):
        raise NotAllowed(say("Only the officer who recorded a result can undo it."))
    round = passes[0].round
    # a sheet before the rows of its people, as whoever enters it does
    sheets = list(Sheet.objects.select_for_update().filter(pk__in={p.sheet_id for p in passes if p.sheet_id}))
    rows = locked_rows(RoundForm.objects.in_round(round).filter(form__in=[p.form_id for p in passes]))
    if PassEvent.objects.filter(verification_pass__in=passes, kind=PassEvent.Kind.UNDONE).exists():
        return []
    if round.status != Round.Status.OPEN:
        raise Conflict(say("The round “%(round)s” is not open.") % {"round": round.name})
    if any(rows[p.form_id].standing_pass_id != p.pk for p in passes):
        if sheets:
            raise Conflict(say("A later result stands for somebody of this sheet; it cannot be undone any more."))
        raise Conflict(say("A later result stands for somebody of this household; it cannot be undone any more."))
    if any(rows[p.form_id].approval in ("approved", "returned") for p in passes):
        raise Conflict(say("The district has decided on this result; it cannot be undone any more."))
    rules.require_undoable(passes[0].recorded_at, now=clock.now(), minutes=round.undo_minutes)
    form_values.give_back(
        Correction.objects.filter(verification_pass__in=passes, approval="").select_related("verification_pass")
    )
    end(passes, PassEvent.Kind.UNDONE, by)
    restored = [p.supersedes for p in passes if p.supersedes]
    VerificationPass.objects.filter(pk__in=[p.pk for p in restored]).update(is_standing=True)
    append_events(restored, PassEvent.Kind.RESTORED, by)
    decisions = _decisions_on(restored)
    for verification_pass in passes:
        earlier = verification_pass.supersedes
        let_stand(rows[verification_pass.form_id], earlier, round, decisions.get(earlier and earlier.pk))
    save_standing(rows.values())
    if sheets:
        Sheet.objects.filter(pk__in=[sheet.pk for sheet in sheets]).update(entered_at=None, entered_by=None)
    outbox.mark(round.pk, {p.commune_id for p in passes})
    return passes


def _decisions_on(passes: list[VerificationPass]) -> dict[int, PassEvent]:
    """The district's last decision on each pass."""
    events = PassEvent.objects.filter(
        verification_pass__in=passes, kind__in=[PassEvent.Kind.APPROVED, PassEvent.Kind.RETURNED]
    ).order_by("pk")
    return {event.verification_pass_id: event for event in events}
