"""The entry page's form: what the officer typed, as the entries that `services.record_results` takes."""

import re
import uuid
from collections.abc import Iterable, Mapping
from datetime import date

from django import forms
from django.utils.translation import gettext as say
from django.utils.translation import gettext_lazy as _

from census_verify import clock
from households import text
from households.faults import Fault
from verification import items
from verification.rules import CorrectionEntry, Entry, InvalidEntry
from verification.terms import Outcome, SourcePaper

CORRECTION_LINES = 6  # a form with more faults takes a second saving
BROKEN = ("\ufffd", "\x00")  # what a byte that is not UTF-8 becomes; what no keyboard types
BROKEN_SENTENCE = _("Some letters arrived broken (not UTF-8). Type them again.")


class Methods:
    BOOKS, PERSON, BOTH = "books", "person", "both"
    CHOICES = [(BOOKS, _("Police books")), (PERSON, _("In person")), (BOTH, _("Both"))]


class CleanCharField(forms.CharField):
    """Text in NFC without control characters; a broken encoding is refused, not stored."""

    def __init__(self, **options):
        super().__init__(required=False, max_length=options.pop("max_length", 200), **options)

    def to_python(self, value):
        value = super().to_python(value)
        if any(sign in value for sign in BROKEN):
            raise forms.ValidationError(BROKEN_SENTENCE)
        return text.clean(value)


class DayField(forms.DateField):
    def __init__(self):
        super().__init__(
            required=False,
            input_formats=["%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y", "%Y-%m-%d", "%d%m%Y"],
            error_messages={"invalid": _("Write a date of the calendar as 19/6/2020.")},
        )


class ProofField(forms.UUIDField):
    """The key that the upload of a photo or scan answered with."""

    def __init__(self):
        super().__init__(required=False, error_messages={"invalid": _("Attach the photo or scan once more.")})


class SheetForm(forms.Form):
    """What holds for the whole household."""

    submission = forms.UUIDField()
    methods = forms.ChoiceField(choices=Methods.CHOICES, initial=Methods.BOTH)
    verified_on = DayField()


class PersonForm(forms.Form):
    """One person's result; an empty outcome leaves the person as she is."""

    outcome = CleanCharField()
    expected_pass = forms.IntegerField(required=False)
    event_on = DayField()
    destination = CleanCharField()
    paper = CleanCharField()
    proof = ProofField()
    duplicate_barcode = CleanCharField(max_length=20)
    reason = CleanCharField()
    attempts = forms.IntegerField(required=False)
    next_visit_on = DayField()


class CorrectionForm(forms.Form):
    field = CleanCharField()
    # long enough that a value too long for its item is refused by the item's own sentence
    new = CleanCharField(max_length=2000)
    source = CleanCharField()
    fault = CleanCharField()
    note = CleanCharField()
    proof = ProofField()


# What a person's part of the sheet may hold beside her result and the pass that was seen.
TYPED = [name for name in PersonForm.base_fields if name not in ("outcome", "expected_pass")]
TYPED += [f"c{line}-{name}" for line in range(CORRECTION_LINES) for name in CorrectionForm.base_fields]
PERSON_SENT = re.compile(r"p([0-9]{1,18})-outcome")
EXPECTED = re.compile(r"[0-9]{1,18}")


class EntrySheet:
    """The forms of one household on one page, bound to what was sent or fresh."""

    PAPERS = SourcePaper.choices
    FAULTS = Fault.choices
    ITEMS = [(item.name, item.label) for item in items.ITEMS.values()]

    def __init__(self, form_ids: Iterable[int], data: Mapping | None = None, initial: Mapping | None = None):
        initial = initial or {}
        self.sheet = SheetForm(
            data,
            initial={
                "submission": uuid.uuid4(),
                "verified_on": clock.today(),
                "methods": initial.get("methods", Methods.BOTH),
            },
        )
        self.data, self.initial, self.form_ids = data, initial, list(form_ids)

    @classmethod
    def sent(cls, data: Mapping) -> "EntrySheet":
        """The sheet of whoever was sent; whether they are of the household is for the service to say."""
        return cls([int(found[1]) for name in data if (found := PERSON_SENT.fullmatch(name))], data)

    def person(self, pk: int) -> PersonForm:
        initial = self.initial.get(pk, {"outcome": Outcome.MATCHED})
        return PersonForm(self.data, prefix=f"p{pk}", initial=initial)

    def corrections(self, pk: int) -> list[CorrectionForm]:
        return [CorrectionForm(self.data, prefix=f"p{pk}-c{line}") for line in range(CORRECTION_LINES)]

    @property
    def blank_person(self) -> PersonForm:
        """Nobody's, for the template that the page's script copies."""
        return PersonForm(prefix="p0")

    @property
    def blank_lines(self) -> list[CorrectionForm]:
        return [CorrectionForm(prefix="p0-c0")]

    def cleaned(self) -> dict:
        """Arguments of `record_results`. Raises InvalidEntry for the first thing that cannot be read."""
        head = self._read(self.sheet)
        if head["verified_on"] is None:
            raise InvalidEntry(say("Give the day of verification."), field="verified_on")
        return {
            "submission": head["submission"],
            "verified_on": head["verified_on"],
            "by_books": head["methods"] != Methods.PERSON,
            "in_person": head["methods"] != Methods.BOOKS,
            "entries": [entry for pk in self.form_ids if (entry := self._entry(pk))],
        }

    def _entry(self, pk: int) -> Entry | None:
        if plain := self._plain(pk):
            return plain
        values = self._read(self.person(pk), pk)
        if not values["outcome"]:
            return None
        typed = [self._read(form, pk) for form in self.corrections(pk)]
        corrections = tuple(CorrectionEntry(**line) for line in typed if line["field"] or line["new"])
        return Entry(form_id=pk, corrections=corrections, **values)

    def _plain(self, pk: int) -> Entry | None:
        """The entry of whoever is all right, which is nearly everybody: nothing typed, nothing to clean.
        The forms take more time than all the rest of a save."""
        expected = self.data.get(f"p{pk}-expected_pass", "")
        if (
            self.data.get(f"p{pk}-outcome") != Outcome.MATCHED
            or not (expected == "" or EXPECTED.fullmatch(expected))
            or any(self.data.get(f"p{pk}-{name}") for name in TYPED)
        ):
            return None
        return Entry(form_id=pk, outcome=Outcome.MATCHED.value, expected_pass=int(expected) if expected else None)

    @staticmethod
    def _read(form: forms.Form, form_id: int | None = None) -> dict:
        if form.is_valid():
            return form.cleaned_data
        name, errors = next(iter(form.errors.items()))
        raise InvalidEntry(str(errors[0]), form_id=form_id, field=name)


def day_typed(typed: str) -> date | None:
    """A day as any field of a day takes it; None for anything else."""
    try:
        return DayField().clean(typed)
    except forms.ValidationError:
        return None
