from django import forms
from django.utils.translation import gettext_lazy as _

from households.models import AdministrativeUnit
from reports import permissions, progress
from reports.forecast import Outlook
from reports.models import Export
from verification.records import State
from verification.terms import Outcome


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
    state = forms.ChoiceField(required=False, choices=[*State.choices, *Outcome.choices])
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
        if values.get("as_of") and values.get("kind") == Export.Kind.FORMS:
            raise forms.ValidationError(_("A list of forms is of now; the past is known in figures."))
        if not self.errors and not permissions.can_export(self.officer, values["kind"], values["unit"]):
            raise forms.ValidationError(_("This table is not yours to export."))
        return values
