"""What is typed on the pages of sheets."""

from django import forms
from django.utils.translation import gettext as say
from django.utils.translation import gettext_lazy as _

from verification.forms import CleanCharField, DayField, Methods
from verification.rules import InvalidEntry
from verification.sheets import language
from verification.terms import Outcome, SourcePaper

LONGEST = 40_000


class SheetEntryForm(forms.Form):
    """The exceptions of a sheet, and what holds for all its people."""

    submission = forms.UUIDField()
    methods = forms.ChoiceField(choices=Methods.CHOICES)
    verified_on = DayField()
    typed = forms.CharField(required=False, max_length=LONGEST, strip=False)
    state = CleanCharField(max_length=64)

    def arguments(self) -> dict:
        """For `entering.record`. Raises InvalidEntry for the first thing that cannot be read."""
        if not self.is_valid():
            name, errors = next(iter(self.errors.items()))
            raise InvalidEntry(str(errors[0]), field=name)
        if self.cleaned_data["verified_on"] is None:
            raise InvalidEntry(say("Give the day of verification."), field="verified_on")
        methods = self.cleaned_data["methods"]
        return {
            "submission": self.cleaned_data["submission"],
            "verified_on": self.cleaned_data["verified_on"],
            "by_books": methods != Methods.PERSON,
            "in_person": methods != Methods.BOOKS,
            "typed": self.cleaned_data["typed"],
            "state": self.cleaned_data["state"],
        }


class ComposerForm(forms.Form):
    """One exception chosen from lists: becomes a line of the text."""

    line = CleanCharField(max_length=7)
    outcome = CleanCharField(max_length=16)
    item = CleanCharField(max_length=32)
    value = CleanCharField()
    paper = CleanCharField(max_length=24)
    day = CleanCharField(max_length=10)
    attempts = CleanCharField(max_length=2)

    OUTCOMES = [*Outcome.choices, (language.LEFT, _("not done yet, stays out"))]
    PAPERS = SourcePaper.choices

    def added_to(self, typed: str) -> str:
        """The text with one line more; as it was where no line is named."""
        if not self.is_valid() or not self.cleaned_data["line"]:
            return typed
        typed = typed.rstrip()
        return (
            f"{typed}\n{language.compose(**self.cleaned_data)}\n"
            if typed
            else language.compose(**self.cleaned_data) + "\n"
        )
