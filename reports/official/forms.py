"""Which report: of which days, dated when, signed by whom."""

from datetime import date

from django import forms
from django.utils.translation import gettext as say
from django.utils.translation import gettext_lazy as _

from census_verify import clock
from households.models import AdministrativeUnit
from reports.models import Export, ReportTemplate
from reports.official.contents import usual_date
from reports.official.letter import Signs
from reports.official.periods import ONE_DAY, Kind, Period, day_words, period_ending
from reports.official.titles import TITLES
from verification.forms import DayField
from verification.models import Round

Format = Export.Format
FORMATS = {
    Export.Kind.REPORT: (Format.PDF, Format.DOCX),
    Export.Kind.ANNEXES: (Format.XLSX, Format.CSV, Format.PDF),
}


class PeriodForm(forms.Form):
    """`to` is the cut-off; left empty it is the last one that has fallen."""

    period = forms.ChoiceField(
        required=False, choices=Kind, error_messages={"invalid_choice": _("There is no such report.")}
    )
    to = DayField()
    first = DayField()
    dated_on = DayField()
    signs = forms.ChoiceField(required=False, choices=Signs, error_messages={"invalid_choice": _("Choose who signs.")})

    def __init__(self, *args, round: Round, **kwargs):
        super().__init__(*args, **kwargs)
        self.round = round

    def clean(self):
        values = super().clean()
        if self.errors:
            return values
        starts_on, last = self.round.starts_on, values["to"] or last_cut_off(self.round)
        kind = Kind(values["period"] or Kind.DAY)
        if not starts_on <= last <= clock.today():
            raise forms.ValidationError(
                say("A report ends on a day between %(first)s, when the round began, and today; %(day)s is none.")
                % {"first": day_words(starts_on), "day": day_words(last)}
            )
        if kind == Kind.RANGE and values["first"] and values["first"] > last:
            raise forms.ValidationError(_("The first day of a report must not lie after its last day."))
        values["period"] = period_ending(kind, last, starts_on=starts_on, first=values["first"])
        values["dated_on"] = values["dated_on"] or usual_date(self.round, values["period"])
        if not last <= values["dated_on"] <= date(last.year + 1, 12, 31):
            raise forms.ValidationError(_("A report is dated on its last day or later, within a year."))
        values["signs"] = Signs(values["signs"] or Signs.HEAD)
        return values

    @property
    def sentence(self) -> str:
        """The first of what is wrong."""
        return next(iter(self.errors.values()))[0]


class FileForm(PeriodForm):
    """Which file of it."""

    kind = forms.ChoiceField(
        choices=[(kind.value, kind.label) for kind in FORMATS],
        error_messages={"invalid_choice": _("There is no such table."), "required": _("There is no such table.")},
    )
    format = forms.ChoiceField(choices=Format)
    annex = forms.ChoiceField(
        required=False, choices=list(TITLES.items()), error_messages={"invalid_choice": _("There is no such table.")}
    )
    template = forms.ModelChoiceField(
        ReportTemplate.objects.none(),
        required=False,
        error_messages={"invalid_choice": _("That template was withdrawn. Choose another one.")},
    )

    def __init__(self, *args, unit: AdministrativeUnit, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["template"].queryset = ReportTemplate.objects.for_unit(unit)

    def clean(self):
        values = super().clean()
        if not self.errors and values["format"] not in FORMATS[values["kind"]]:
            raise forms.ValidationError(_("A report is made as PDF or Word, its annexes as XLSX, CSV or PDF."))
        if not self.errors and values["format"] == Format.CSV and not values["annex"]:
            raise forms.ValidationError(_("A CSV file holds one table: choose which."))
        return values


def last_cut_off(round: Round) -> date:
    """The last day whose cut-off has fallen; the first day of the round while it is its only one."""
    return max(round.known_on(clock.now()) - ONE_DAY, round.starts_on)


def options_of(values: dict) -> dict:
    """What an `Export` keeps of a report that was asked for."""
    period: Period = values["period"]
    return {
        "period": period.kind.value,
        "first": period.first.isoformat(),
        "last": period.last.isoformat(),
        "dated_on": values["dated_on"].isoformat(),
        "signs": values["signs"].value,
        "annex": values.get("annex", ""),
        "template": values["template"].pk if values.get("template") else None,
    }


def read_options(export: Export) -> dict:
    options = export.options
    first, last, dated_on = (date.fromisoformat(options[name]) for name in ("first", "last", "dated_on"))
    return {
        "period": Period(Kind(options["period"]), first, last, export.round.starts_on),
        "dated_on": dated_on,
        "signs": Signs(options["signs"]),
    }
