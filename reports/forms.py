from django import forms
from django.utils.translation import gettext_lazy as _

from households.models import AdministrativeUnit, Posting
from reports import permissions, progress
from reports.exports.columns import Order
from reports.forecast import Outlook
from reports.models import Export
from verification.records import State
from verification.terms import Outcome

Format, PersonFiles = Export.Format, Posting.PersonFiles
SHORTEST_REASON = 5
NO_REASON = _("Say what the list is for: it is written down with your name.")


class ExportForm(forms.Form):
    """What to export. A unit she may not see is as unknown as one that does not exist."""

    kind = forms.ChoiceField(
        choices=[(kind.value, kind.label) for kind in Export.TABLES],
        error_messages={"invalid_choice": _("There is no such table.")},
    )
    format = forms.ChoiceField(
        choices=[(format.value, format.label) for format in (Export.Format.XLSX, Export.Format.CSV)],
        error_messages={"invalid_choice": _("A file is made as XLSX or as CSV.")},
    )
    unit = forms.ModelChoiceField(
        AdministrativeUnit.objects.none(),
        required=False,
        error_messages={"invalid_choice": _("There is no such unit.")},
    )
    sort = forms.CharField(required=False, max_length=20)
    as_of = forms.DateField(required=False)
    outlook = forms.ChoiceField(required=False, choices=Outlook.choices)

    def __init__(self, *args, officer, **kwargs):
        super().__init__(*args, **kwargs)
        self.officer = officer
        self.fields["unit"].queryset = AdministrativeUnit.objects.visible_to(officer)

    def clean_sort(self):
        sort = self.cleaned_data["sort"]
        return sort if sort.removeprefix("-") in (*progress.SORTS, "name") else ""

    def clean(self):
        values = super().clean()
        if not self.errors and not permissions.can_export(self.officer, values["kind"], values["unit"]):
            raise forms.ValidationError(_("This table is not yours to export."))
        return values


class RegisterForm(forms.Form):
    """The register as a file that can be imported again, and what for."""

    format = forms.ChoiceField(
        choices=[(each.value, each.label) for each in (Format.CSV, Format.XLSX)],
        error_messages=dict.fromkeys(("invalid_choice", "required"), _("A register is made as CSV or XLSX.")),
    )
    reason = forms.CharField(
        min_length=SHORTEST_REASON,
        max_length=Export._meta.get_field("reason").max_length,
        error_messages=dict.fromkeys(("required", "min_length"), NO_REASON),
    )


class PersonListForm(forms.Form):
    """Which list of a unit's persons, and what for. Sent without a format it is only looked at."""

    state = forms.ChoiceField(
        required=False,
        choices=[*State.choices, *((o.value, o.label) for o in Outcome if o not in State.values)],
        error_messages={"invalid_choice": _("There is no such list.")},
    )
    order = forms.ChoiceField(
        required=False, choices=Order, error_messages={"invalid_choice": _("Choose in which order.")}
    )
    numbers = forms.ChoiceField(
        required=False,
        choices=[(each.value, each.label) for each in (PersonFiles.MASKED, PersonFiles.WHOLE)],
        error_messages={"invalid_choice": _("Choose how numbers are written.")},
    )
    format = forms.ChoiceField(
        required=False,
        choices=[(each.value, each.label) for each in (Format.XLSX, Format.CSV, Format.PDF)],
        error_messages={"invalid_choice": _("A list is made as XLSX, CSV or PDF.")},
    )
    reason = forms.CharField(required=False, max_length=Export._meta.get_field("reason").max_length)

    def __init__(self, *args, officer, unit: AdministrativeUnit, **kwargs):
        super().__init__(*args, **kwargs)
        self.officer, self.unit = officer, unit

    def clean(self):
        values = super().clean()
        if self.errors:
            return values
        values["state"] = values["state"] or State.OPEN.value
        values["order"] = values["order"] or Order.NAME.value
        values["numbers"] = values["numbers"] or PersonFiles.MASKED.value
        if values["numbers"] == PersonFiles.WHOLE and not permissions.sees_whole_numbers(self.officer, self.unit):
            self.add_error("numbers", _("Whole numbers are not yours to take out."))
        if values["format"] == Format.PDF and self.unit.level < AdministrativeUnit.Level.DISTRICT:
            self.add_error(
                "format", _("PDF files are made of one district at most; take XLSX or CSV, or choose a district.")
            )
        if values.get("format") and len(values["reason"].strip()) < SHORTEST_REASON:
            self.add_error("reason", NO_REASON)
        return values
