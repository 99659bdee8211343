"""What somebody chooses on the way of an import, as clean values."""

from collections.abc import Mapping

from django import forms
from django.utils.translation import gettext as say
from django.utils.translation import gettext_lazy as _

from census_verify import clock
from households.imports import headings
from households.imports.fields import Field
from households.imports.files import Look
from households.models import AdministrativeUnit, Import
from verification.forms import DayField

SHOWN_SAMPLES = 3


class UploadForm(forms.Form):
    # an empty file gets the sentence of the files' own reader
    file = forms.FileField(
        max_length=200, allow_empty_file=True, error_messages={"required": _("Choose a file first.")}
    )
    area = forms.ModelChoiceField(AdministrativeUnit.objects.none(), required=False)
    again = forms.BooleanField(required=False)

    def __init__(self, *args, areas: list[AdministrativeUnit], **kwargs):
        super().__init__(*args, **kwargs)
        self.areas = areas
        self.fields["area"].queryset = AdministrativeUnit.objects.filter(pk__in=[area.pk for area in areas])

    def clean_area(self) -> AdministrativeUnit:
        area = self.cleaned_data["area"]
        if area is None and len(self.areas) > 1:
            raise forms.ValidationError(_("Say for which province."))
        return area or self.areas[0]


class ConfirmForm(forms.Form):
    existing = forms.ChoiceField(choices=Import.Existing, required=False)

    def clean_existing(self) -> str:
        return self.cleaned_data["existing"] or Import.Existing.SKIP


class ColumnsForm(forms.Form):
    """Which field each column of the file is: `c0`, `c1` … hold a field's name, or nothing for not read."""

    collected_on = DayField()

    def __init__(self, *args, look: Look, fields: tuple[Field, ...], remembered: Mapping[str, str],
                 columns: Mapping[str, int], collected_on=None, **kwargs):  # fmt: skip
        self.look, self.known = look, {field.name: field for field in fields}
        field_of = {column: name for name, column in columns.items()}
        initial = {f"c{column}": field_of.get(column, "") for column in range(len(look.headings))}
        super().__init__(*args, initial=initial | {"collected_on": collected_on}, **kwargs)
        choices = [("", say("– not read –")), *((field.name, field.heading) for field in fields)]
        for column in range(len(look.headings)):
            self.fields[f"c{column}"] = forms.ChoiceField(choices=choices, required=False)
        self.remembered = remembered

    def rows(self) -> list[dict]:
        """A line of the page for each column: its heading, its samples, what it is taken for."""
        return [
            {
                "name": f"c{column}",
                "heading": heading,
                "samples": [row[column] for row in self.look.samples[:SHOWN_SAMPLES]],
                "bound": self[f"c{column}"],
                "selected": self[f"c{column}"].value() or "",
                "is_remembered": headings.folded(heading) in self.remembered,
            }
            for column, heading in enumerate(self.look.headings)
        ]

    def clean_collected_on(self):
        day = self.cleaned_data["collected_on"]
        if day and day > clock.today():
            raise forms.ValidationError(_("This date lies in the future."))
        return day

    def clean(self):
        columns: dict[str, int] = {}
        for column in range(len(self.look.headings)):
            name = self.cleaned_data.get(f"c{column}")
            if not name:
                continue
            if name in columns:
                first = self.look.headings[columns[name]]
                self.add_error(
                    f"c{column}", say("“%(heading)s” is already taken for this. Choose one.") % {"heading": first}
                )
            columns.setdefault(name, column)
        if missing := headings.missing_required(columns, list(self.known.values())):
            names = ", ".join(field.heading for field in missing)
            self.add_error(None, say("No column is taken for: %(names)s. These are needed.") % {"names": names})
        if self.asks_for_day and "collected_on" not in columns and not self.cleaned_data.get("collected_on"):
            self.add_error("collected_on", say("No column gives the day of collection, so give one for all rows."))
        return self.cleaned_data | {"columns": columns}

    @property
    def asks_for_day(self) -> bool:
        return "collected_on" in self.known
