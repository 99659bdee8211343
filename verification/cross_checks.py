"""What a correction contradicts in its own household, told before it is recorded: two heads, a parent younger than the
child, husband and wife who name others. The officer may be right all the same, so a second Enter records it."""

from collections.abc import Iterable
from hashlib import sha256

from django.utils.translation import gettext as say

from households import faults, text
from households.models import CollectionForm
from verification import items
from verification.rules import CorrectionEntry, Doubtful, Entry
from verification.terms import REMOVALS, Outcome

GONE = (*REMOVALS, Outcome.MOVED_AWAY)
# A corrected name leaves the old one where others name the person; that follows, and is nobody's mistake.
NAMES_OF_OTHERS = {"head_name", "spouse_name"}


def forms_of(household_id: int) -> list[CollectionForm]:
    """As they read before anything is recorded: where the round asks no approval, recording changes them."""
    return list(CollectionForm.objects.filter(household=household_id).order_by("line", "pk"))


def require_seen(forms: list[CollectionForm], entries: Iterable[Entry], *, seen: str) -> None:
    """Of entries that may be recorded otherwise. Raises Doubtful for what these corrections would newly make
    suspect, unless `seen` is its token already."""
    doubts = new_doubts(forms, entries)
    if not doubts:
        return
    sentence = "; ".join(f"{form.full_name}, {items.ITEMS[field].label}: {reason}" for form, field, reason in doubts)
    token = sha256(sentence.encode()).hexdigest()[:16]
    if seen != token:
        sentence = say("Look again: %(doubts)s. If the papers say so, press Enter once more.") % {"doubts": sentence}
        raise Doubtful(sentence, seen=token, form_id=doubts[0][0].pk)


def new_doubts(forms: list[CollectionForm], entries: Iterable[Entry]) -> list[tuple[CollectionForm, str, str]]:
    """(form, item, sentence) of what is suspected after the corrections and was not before. Whoever left or died
    counts no longer among the household."""
    entries = list(entries)
    of_form = {entry.form_id: entry for entry in entries}
    staying = [form for form in forms if form.pk not in of_form or of_form[form.pk].outcome not in GONE]
    before = {(form.pk, field) for form, field, _reason in _suspected(forms)}
    after = _suspected(
        [_corrected(form, of_form[form.pk].corrections if form.pk in of_form else ()) for form in staying]
    )
    corrected = {(entry.form_id, correction.field) for entry in entries for correction in entry.corrections}
    return [
        (form, field, reason)
        for form, field, reason in after
        if (form.pk, field) not in before and (field not in NAMES_OF_OTHERS or (form.pk, field) in corrected)
    ]


def _corrected(form: CollectionForm, corrections: Iterable[CorrectionEntry]) -> CollectionForm:
    """As the form would read."""
    return items.corrected(form, {c.field: items.ITEMS[c.field].clean(text.clean(c.new), form) for c in corrections})


def _suspected(forms: list[CollectionForm]) -> list[tuple[CollectionForm, str, str]]:
    found = [(form, s.field, str(s.reason)) for form in forms for s in faults.suspicions(form)]
    return found + [(form, s.field, str(s.reason)) for form, s in faults.suspicions_in_household(forms)]
