"""People without a form whom officers find (nhân khẩu mới phát sinh): what may be written, what is odd about it,
and the verbs. Counted apart from the plan (docs/decisions/0024)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from uuid import UUID
from zlib import crc32

from django.db import IntegrityError, transaction
from django.db.models import ProtectedError
from django.utils.translation import gettext as say
from django.utils.translation import gettext_lazy as _

from census_verify import clock
from households import faults, lineage, same_person, text
from households import services as register
from households.faults import Fault, Suspicion
from households.faults.words import HEAD_WORDS
from households.models import CollectionForm, Household, User
from households.permissions import scope_of
from households.services import RegisterBusy
from verification import items, outbox, permissions, rules
from verification.models import NewPerson, Round
from verification.rules import Conflict, Doubt, Doubtful, InvalidEntry, NotAllowed
from verification.services import team_of
from verification.terms import NewPersonReason, SourcePaper

ITEMS = items.ITEMS | items.FURTHER_ITEMS
REQUIRED = {
    "full_name": _("Give the full name."),
    "birth_date": _("Give the birth date; the year alone will do."),
    "sex": _("Give the sex."),
}
FORM_VERSION = CollectionForm.FormVersion.TT41_2019  # in force in the round of 2020
BARCODE_LENGTH = CollectionForm._meta.get_field("barcode").max_length


@dataclass(frozen=True)
class PersonEntry:
    """A new person as typed; `items` by the names of ITEMS, what was left blank may be missing."""

    items: Mapping[str, str]
    reason: str
    found_on: date | None
    paper: str
    barcode: str = ""
    form_version: str = FORM_VERSION.value


class InvalidPerson(InvalidEntry):
    """Everything that cannot be right, by field; as a Refusal it tells the first."""

    def __init__(self, errors: Mapping[str, str]):
        field, sentence = next(iter(errors.items()))
        super().__init__(sentence, field=field)
        self.errors = dict(errors)


@dataclass(frozen=True)
class Added:
    """What a submission came to. `replayed`: it had been recorded before, so nothing was written now."""

    person: NewPerson
    replayed: bool = False


# --- rules: from values alone -------------------------------------------------------------


def read_entry(entry: PersonEntry, form: CollectionForm, *, starts_on: date, today: date) -> CollectionForm:
    """`form` with what was typed, cleaned as corrections clean it. Raises InvalidPerson with all that is wrong."""
    errors = _errors_of_the_finding(entry, starts_on=starts_on, today=today)
    form.collected_on = today if "found_on" in errors else entry.found_on
    clean = {}
    for name, item in ITEMS.items():
        typed = text.clean(entry.items.get(name, ""))
        if not typed:
            if name in REQUIRED:
                errors[name] = str(REQUIRED[name])
            continue
        try:
            clean[name] = items.read(item, typed, form)
        except ValueError as wrong:
            errors[name] = str(wrong)
    errors |= {
        name: say("The form has no item called “%(field)s”.") % {"field": name[:40]}
        for name in entry.items
        if name not in ITEMS
    }
    barcode = text.clean(entry.barcode).replace(" ", "")
    if len(barcode) > BARCODE_LENGTH:
        errors["barcode"] = say("A barcode has at most %(limit)d signs.") % {"limit": BARCODE_LENGTH}
    if errors:
        raise InvalidPerson(errors)
    form = items.corrected(form, clean)
    form.barcode, form.form_version = barcode, entry.form_version
    return form


def _errors_of_the_finding(entry: PersonEntry, *, starts_on: date, today: date) -> dict[str, str]:
    errors = {}
    if entry.reason not in NewPersonReason.values:
        errors["reason"] = say("Say why the person has no form: born since, moved in, or missed.")
    if entry.found_on is None:
        errors["found_on"] = say("Give the day the person was found.")
    elif entry.found_on > today:
        errors["found_on"] = say("This date lies in the future.")
    elif entry.found_on < starts_on:
        errors["found_on"] = say("This day lies before the round began.")
    if entry.paper not in SourcePaper.values:
        errors["paper"] = say("Give the paper that shows it: nobody is added without one.")
    if entry.form_version not in CollectionForm.FormVersion.values:
        errors["form_version"] = say("There is no such version of the form.")
    return errors


def reason_against_birth(reason: str, form, *, collected_until: date) -> Suspicion | None:
    """Who was born after the collection cannot have been missed by it; who was born before is not new-born since."""
    earliest = (form.birth_year, form.birth_month or 1, form.birth_day or 1)
    latest = (form.birth_year, form.birth_month or 12, form.birth_day or 31)
    ended = (collected_until.year, collected_until.month, collected_until.day)
    values = {"day": f"{collected_until.day}/{collected_until.month}/{collected_until.year}"}
    if reason == NewPersonReason.BORN and latest <= ended:
        return Suspicion(
            Fault.L27, "reason", _("born before the collection ended on %(day)s, so not born since"), values
        )
    if reason == NewPersonReason.MISSED and earliest > ended:
        sentence = _("born after the collection ended on %(day)s, so it could not miss the person")
        return Suspicion(Fault.L27, "reason", sentence, values)
    return None


# --- what is odd, and what is proposed ------------------------------------------------------


def doubts_about(form: CollectionForm, household: Household, *, reason: str, round: Round, by: User) -> list[Doubt]:
    """What the rules of form and household suspect of the new form, and who may be the same person."""
    mates = list(household.forms.order_by("line", "pk"))
    suspected = faults.suspicions(form, lineage.former_units(clock.today()))
    suspected += [found for of, found in faults.suspicions_in_household([*mates, form]) if of is form]
    if odd := reason_against_birth(reason, form, collected_until=round.collected_until):
        suspected.insert(0, odd)
    doubts = [_doubt(like, by) for like in same_person.likenesses(form)]
    doubts += [
        Doubt(f"{s.fault}:{s.field}:{crc32(s.reason.encode()):x}", s.field, _label(s.field), s.reason)
        for s in suspected
    ]
    return list({doubt.key: doubt for doubt in doubts}.values())


def _doubt(like: same_person.Likeness, by: User) -> Doubt:
    may_see = scope_of(by).persons_cover(like.other.commune)
    sentence = faults.reason_of(like.fault, like.field, like.other, may_see_other=may_see)
    key = f"{like.fault}:{like.field}:{like.other.pk}"
    there = like.other.household_id if may_see else None
    return Doubt(key, like.field, _label(like.field), sentence, household_id=there)


def _label(field: str) -> str:
    return str(ITEMS[field].label) if field in ITEMS else say("Why new")


def proposed(household: Household) -> dict[str, str]:
    """What a new person of this household most probably shares with it, as its forms write it."""
    forms = list(household.forms.order_by("line", "pk"))
    head = next((f for f in forms if text.search_key(f.relation) in HEAD_WORDS), forms[0] if forms else None)
    shared = {
        "head_name": household.head_name,
        "book_number": household.book_number,
        "nationality": "Việt Nam",
        "residence_place": _address(household),
    }
    if head:
        shared |= {
            "head_name": household.head_name or head.full_name,
            "head_number": head.pin or head.cmnd,
            "ethnicity": head.ethnicity,
            "religion": head.religion,
            "nationality": head.nationality or shared["nationality"],
            "residence_place": head.residence_place or shared["residence_place"],
        }
    return shared | {"present_place": shared["residence_place"]}


def _address(household: Household) -> str:
    commune = household.commune
    units = [household.hamlet, commune, commune.parent, commune.parent.parent]
    names = [unit.mid_sentence_name for unit in units]
    # many an address repeats its hamlet
    own = household.address.strip()
    parts = [own, *names] if text.search_key(names[0]) not in text.search_key(own) else [own, *names[1:]]
    return ", ".join(filter(None, parts))


# --- verbs ----------------------------------------------------------------------------------


@transaction.atomic
def add_person(
    *,
    round: Round,
    household_id: int,
    entry: PersonEntry,
    submission: UUID,
    by: User,
    seen: Iterable[str] = (),
) -> Added:
    """Put a new person's form into the household and record who found her.

    Raises InvalidPerson, NotAllowed, Conflict; and Doubtful for doubts whose keys are not in `seen`.
    """
    try:
        with register.register_in_hand():
            return _add(round, household_id, entry, submission, by, frozenset(seen))
    except RegisterBusy:
        raise Conflict(
            say("A list is being loaded into the register. Nothing was saved; press again in a minute.")
        ) from None


def _add(round, household_id: int, entry: PersonEntry, submission: UUID, by: User, seen: frozenset[str]) -> Added:
    household = register.lock_household(household_id)
    require_may_add(household, round, by)
    before = NewPerson.objects.select_related("form").filter(submission=submission).first()
    form = read_entry(entry, register.new_form(household), starts_on=round.starts_on, today=clock.today())
    if before:
        return _recorded_before(before, form, by)
    if form.barcode and CollectionForm.objects.filter(province=form.province_id, barcode=form.barcode).exists():
        raise InvalidPerson({"barcode": _barcode_taken()})
    doubts = doubts_about(form, household, reason=entry.reason, round=round, by=by)
    if not rules.all_seen(doubts, seen):
        sentence = say("Not saved yet: look at what is suspected, then correct it or save it as it is.")
        raise Doubtful(sentence, doubts)
    try:
        register.add_form(form=form)
        person = NewPerson.objects.create(
            round=round,
            form=form,
            province_id=form.province_id,
            commune_id=form.commune_id,
            hamlet_id=form.hamlet_id,
            household_id=form.household_id,
            team_id=team_of(by, form.commune_id, clock.today()),
            officer=by,
            submission=submission,
            reason=entry.reason,
            found_on=entry.found_on,
            paper=entry.paper,
            recorded_at=clock.now(),
        )
    except IntegrityError as error:
        # somebody in another household was quicker, by the width of a transaction
        if "form_barcode_once" in str(error):
            raise InvalidPerson({"barcode": _barcode_taken()}) from None
        if "submission" in str(error):
            raise Conflict(_used()) from None
        raise
    _mark([form.commune_id])
    return Added(person)


def require_may_add(household: Household, round: Round, by: User) -> None:
    if not permissions.can_record_in(by, household.commune_id):
        raise NotAllowed(say("New people are added by the commune's officers and the team that works there."))
    if round.status != Round.Status.OPEN or not household.commune.is_under(round.area):
        raise Conflict(say("The round “%(round)s” is not open.") % {"round": round.name})


def _recorded_before(before: NewPerson, form: CollectionForm, by: User) -> Added:
    """The same submission again: what it wrote the first time, if that is what it says now."""

    def said(of: CollectionForm) -> tuple:
        return of.household_id, of.full_name, of.birth_date_text, of.sex

    if before.officer_id != by.pk or before.form is None or said(before.form) != said(form):
        raise Conflict(_used())
    return Added(before, replayed=True)


def _used() -> str:
    return say("This submission was already used for something else. Open the household again.")


def _barcode_taken() -> str:
    return say("Another form of the province has this barcode. Read it again, or leave it blank.")


@transaction.atomic
def undo_person(*, submission: UUID, by: User) -> NewPerson:
    """Take a new person back within the round's minutes; her form is gone then. Twice is once.

    Raises NotAllowed when it is somebody else's, Conflict when it is too late or something refers to the form.
    """
    # locked first, read then: joined in one statement, who had to wait would read the form as it was before
    person = NewPerson.objects.select_for_update().get(submission=submission)
    if person.officer_id != by.pk:
        raise NotAllowed(say("Only the officer who added a person can undo it."))
    if person.form is None:
        return person
    if person.round.status != Round.Status.OPEN:
        raise Conflict(say("The round “%(round)s” is not open.") % {"round": person.round.name})
    rules.require_undoable(person.recorded_at, now=clock.now(), minutes=person.round.undo_minutes)
    form, person.form, person.undone_at = person.form, None, clock.now()
    person.save(update_fields=["form", "undone_at"])
    try:
        with register.register_in_hand():
            _mark(register.remove_form(form=form))
    except RegisterBusy:
        raise Conflict(
            say("A list is being loaded into the register. Nothing was saved; press again in a minute.")
        ) from None
    except ProtectedError:
        raise Conflict(say("A result already refers to this form; it cannot be undone any more.")) from None
    return person


def _mark(commune_ids: Iterable[int]) -> None:
    """Forms of the register are counted in every round, not only in the one they were found in."""
    for round in Round.objects.exclude(status=Round.Status.PLANNED):
        outbox.mark(round.pk, commune_ids)
