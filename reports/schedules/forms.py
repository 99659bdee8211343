"""What a schedule is to make, when, for whom."""

from uuid import uuid4

from django import forms
from django.utils.translation import gettext_lazy as _

from households.models import AdministrativeUnit, Posting, User
from reports.models import ReportTemplate, Schedule
from reports.official.letter import Signs
from reports.official.titles import TITLES, title_of
from reports.schedules.areas import may_receive
from reports.schedules.words import weekday_name

File, Rhythm = Schedule.File, Schedule.Rhythm
WHICH_DAY = [
    ("", _("the last day that is cut off: figures that stay as they are")),
    ("today", _("the day itself, so far: provisional while it is not cut off")),
]


class ScheduleForm(forms.Form):
    """Of one unit, which is chosen before: it says who may receive."""

    request = forms.UUIDField(widget=forms.HiddenInput, initial=uuid4)
    name = forms.CharField(max_length=80, error_messages={"required": _("Give it a name, by which you find it again.")})
    period = forms.ChoiceField(
        choices=[(each.value, each.label) for each in Schedule.PERIODS],
        error_messages={"required": _("Choose a report."), "invalid_choice": _("There is no such report.")},
    )
    files = forms.MultipleChoiceField(
        choices=File,
        error_messages={"required": _("Choose at least one file."), "invalid_choice": _("There is no such file.")},
    )
    annex = forms.ChoiceField(required=False, error_messages={"invalid_choice": _("There is no such table.")})
    signs = forms.ChoiceField(required=False, choices=Signs, error_messages={"invalid_choice": _("Choose who signs.")})
    template = forms.ModelChoiceField(
        ReportTemplate.objects.none(),
        required=False,
        error_messages={"invalid_choice": _("That template was withdrawn. Choose another one.")},
    )
    which_day = forms.ChoiceField(
        required=False, choices=WHICH_DAY, error_messages={"invalid_choice": _("Choose of which day.")}
    )
    rhythm = forms.ChoiceField(
        choices=Rhythm,
        error_messages={"required": _("Choose how often."), "invalid_choice": _("Choose how often.")},
    )
    weekdays = forms.TypedMultipleChoiceField(
        required=False, coerce=int, error_messages={"invalid_choice": _("There is no such weekday.")}
    )
    day_of_month = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=31,
        error_messages={name: _("Give a day from 1 to 31.") for name in ("invalid", "min_value", "max_value")},
    )
    at = forms.TimeField(
        input_formats=["%H:%M", "%H.%M", "%Hh%M", "%Hh", "%H:%M:%S"],
        error_messages={
            "required": _("Give a time of day as 17:30."),
            "invalid": _("Give a time of day as 17:30."),
        },
    )
    recipients = forms.MultipleChoiceField(
        error_messages={
            "required": _("Choose at least one officer."),
            "invalid_choice": _("Not everybody you chose may see the figures of this unit today. Choose again."),
        },
    )

    def __init__(self, *args, unit: AdministrativeUnit, schedule: Schedule | None = None, **kwargs):
        super().__init__(*args, **kwargs)
        self.unit = unit
        self.postings = may_receive(unit)
        receiving = list(schedule.recipients.order_by("full_name")) if schedule else []
        self.lost = [officer for officer in receiving if officer.pk not in {each.user_id for each in self.postings}]
        officers = [*(posting.user for posting in self.postings), *self.lost]
        self.fields["recipients"].choices = [(str(officer.pk), str(officer)) for officer in officers]
        self.fields["annex"].choices = [("", _("all")), *((key, title_of(key, unit)) for key in TITLES)]
        self.fields["weekdays"].choices = [(str(day), weekday_name(day)) for day in range(1, 8)]
        self.fields["template"].queryset = ReportTemplate.objects.for_unit(unit)

    def clean(self):
        values = super().clean()
        if File.ANNEX_CSV in values.get("files", ()) and "annex" in values and not values["annex"]:
            self.add_error("annex", _("A CSV file holds one table: choose which."))
        rhythm = values.get("rhythm")
        if rhythm == Rhythm.WEEKLY and "weekdays" in values and not values["weekdays"]:
            self.add_error("weekdays", _("Choose at least one weekday."))
        if rhythm == Rhythm.MONTHLY and "day_of_month" in values and not values["day_of_month"]:
            self.add_error("day_of_month", _("Give a day from 1 to 31."))
        return values

    def schedule_values(self) -> dict:
        """What `keeping` is given. What another rhythm would have needed is left out, whatever was ticked."""
        values = dict(self.cleaned_data)
        which_day, rhythm = values.pop("which_day"), values["rhythm"]
        del values["request"]
        officers = User.objects.in_bulk([int(pk) for pk in values["recipients"]])
        files = [file for file in File.values if file in values["files"]]
        return values | {
            "files": files,
            "annex": values["annex"] if any(file.startswith("annexes") for file in files) else "",
            "signs": values["signs"] or Signs.HEAD.value,
            "template": values["template"] if File.REPORT_WORD in files else None,
            "of_today": which_day == "today",
            "weekdays": sorted(values["weekdays"]) if rhythm == Rhythm.WEEKLY else [],
            "day_of_month": values["day_of_month"] if rhythm == Rhythm.MONTHLY else None,
            "recipients": list(officers.values()),
        }

    @property
    def chosen_weekdays(self) -> set[str]:
        return {str(day) for day in self["weekdays"].value() or ()}

    @property
    def choices_of_recipients(self) -> list[tuple[User, Posting | None, bool]]:
        """Officer, her posting, whether she is chosen; without a posting those who may not see the unit any more."""
        chosen = {str(pk) for pk in self["recipients"].value() or ()}
        lines = [(posting.user, posting) for posting in self.postings] + [(officer, None) for officer in self.lost]
        return [(officer, posting, str(officer.pk) in chosen) for officer, posting in lines]


def initial_of(schedule: Schedule) -> dict:
    same = ("name", "period", "files", "annex", "signs", "rhythm", "weekdays", "day_of_month", "request")
    return {name: getattr(schedule, name) for name in same} | {
        "template": schedule.template_id,
        "which_day": "today" if schedule.of_today else "",
        "at": f"{schedule.at:%H:%M}",
        "recipients": [officer.pk for officer in schedule.recipients.all()],
    }
