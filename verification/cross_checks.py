"""What a correction contradicts in its own household, told before it is recorded: two heads, a parent younger than the
child, husband and wife who name others. The officer may be right all the same, so a second Enter records it."""

from collections import defaultdict
from collections.abc import Iterable
from zlib import crc32

from django.utils.translation import gettext as say

from households import faults, text
from households.models import CollectionForm
from verification import items
from verification.rules import CorrectionEntry, Doubt, Doubtful, Entry, all_seen
from verification.terms import REMOVALS, Outcome

GONE = (*REMOVALS, Outcome.MOVED_AWAY)
# A corrected name leaves the old one where others name the person; that follows, and is nobody's mistake.
NAMES_OF_OTHERS = {"head_name", "spouse_name"}


def forms_of(household_id: int) -> list[CollectionForm]:
    """As they read before anything is recorded: where the round asks no approval, recording changes them."""
    return list(CollectionForm.objects.filter(household=household_id).order_by("line", "pk"))


def forms_of_each(household_ids: Iterable[int]) -> dict[int, list[CollectionForm]]:
    """`forms_of` of several households, in one question."""
    forms: dict[int, list[CollectionForm]] = defaultdict(list)
    for form in CollectionForm.objects.filter(household__in=set(household_ids)).order_by("household", "line", "pk"):
        forms[form.household_id].append(form)
    return forms


def require_seen(forms: list[CollectionForm], entries: Iterable[Entry], *, seen: Iterable[str]) -> None:
    """Of entries that may be recorded otherwise. Raises Doubtful for what these corrections would newly make
    suspect, unless their keys are in `seen` already."""
    entries = list(entries)
    doubts = new_doubts(forms, entries)
    if not all_seen(doubts, seen):
        told = "; ".join(f"{doubt.name}, {doubt.label}: {doubt.sentence}" for doubt in doubts)
        sentence = say("Look again: %(doubts)s. If the papers say so, press Enter once more.") % {"doubts": told}
        # the keys go on where something was typed, though the doubt may be of somebody else
        raise Doubtful(sentence, doubts, form_id=next(entry.form_id for entry in entries if entry.corrections))


def new_doubts(forms: list[CollectionForm], entries: Iterable[Entry]) -> list[Doubt]:
    """Of one household: what is suspected after the corrections and was not before. Whoever left or died counts no
    longer among the household."""
    entries = list(entries)
    of_form = {entry.form_id: entry for entry in entries}
    staying = [form for form in forms if form.pk not in of_form or of_form[form.pk].outcome not in GONE]
    before = {(form.pk, field) for form, field, _reason in _suspected(forms)}
    after = _suspected(
        [_corrected(form, of_form[form.pk].corrections if form.pk in of_form else ()) for form in staying]
    )
    corrected = {(entry.form_id, correction.field) for entry in entries for correction in entry.corrections}
    return [
        _doubt(form, field, reason)
        for form, field, reason in after
        if (form.pk, field) not in before and (field not in NAMES_OF_OTHERS or (form.pk, field) in corrected)
    ]


def _doubt(form: CollectionForm, field: str, reason: str) -> Doubt:
    key = f"{form.pk}:{field}:{crc32(reason.encode()):x}"
    return Doubt(key, field, str(items.ITEMS[field].label), reason, form_id=form.pk, name=form.full_name)


def _corrected(form: CollectionForm, corrections: Iterable[CorrectionEntry]) -> CollectionForm:
    """As the form would read."""
    return items.corrected(form, {c.field: items.ITEMS[c.field].clean(text.clean(c.new), form) for c in corrections})


def _suspected(forms: list[CollectionForm]) -> list[tuple[CollectionForm, str, str]]:
    found = [(form, s.field, str(s.reason)) for form in forms for s in faults.suspicions(form)]
    return found + [(form, s.field, str(s.reason)) for form, s in faults.suspicions_in_household(forms)]
