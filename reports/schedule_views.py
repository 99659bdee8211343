"""Schedules: which there are, a new one, and what came of each run."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

from django.conf import settings
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as say
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from census_verify import clock
from households.models import AdministrativeUnit
from reports.models import Export, Schedule, ScheduleRun
from reports.official.periods import Kind
from reports.schedules import keeping, running
from reports.schedules.areas import areas_of, units_to_schedule
from reports.schedules.forms import ScheduleForm, initial_of
from reports.schedules.rhythm import rhythm_of
from reports.schedules.words import what_words, when_words
from reports.tasks import ask_for_export
from verification.models import Round
from verification.rules import Refusal

RUNS_SHOWN = 30
NAMES_SHOWN = 3
OFFICE_END = "17:30"


@dataclass(frozen=True)
class Line:
    """A schedule as it is told."""

    schedule: Schedule
    when: str
    what: str
    next_at: datetime | None
    next_until: date | None  # the last day of its figures; None where no round is open


@require_GET
def schedule_list(request: HttpRequest) -> HttpResponse:
    _require_keeper(request)
    schedules = Schedule.objects.visible_to(request.user).select_related("unit").prefetch_related("recipients")
    latest = ScheduleRun.objects.filter(schedule=OuterRef("pk")).exclude(outcome=ScheduleRun.Outcome.MADE_UP)
    schedules = list(schedules.annotate(latest=Subquery(latest.order_by("-due_at").values("pk")[:1])))
    runs = _with_counts(ScheduleRun.objects.filter(pk__in=[each.latest for each in schedules])).in_bulk()
    round = Round.objects.current()
    lines = [(_line(each, round), runs.get(each.latest)) for each in schedules]
    context = {
        "standing": [pair for pair in lines if pair[0].schedule.status != Schedule.Status.ENDED],
        "ended": [pair for pair in lines if pair[0].schedule.status == Schedule.Status.ENDED],
        "units": units_to_schedule(request.user),
        "names_shown": NAMES_SHOWN,
        "names_shown_less": -NAMES_SHOWN,
    }
    return render(request, "reports/schedule_list.html", context)


@require_http_methods(["GET", "POST"])
def schedule_create(request: HttpRequest) -> HttpResponse:
    """Of the unit in the address; the officer's own where none is given."""
    _require_keeper(request)
    units = units_to_schedule(request.user)
    asked = request.GET.get("unit", str(units[0].pk))
    unit = next((each for each in units if str(each.pk) == asked), None)
    if unit is None:
        raise Http404
    if request.method == "POST":
        form = ScheduleForm(request.POST, unit=unit)
        if form.is_valid():
            values = form.schedule_values()
            schedule = keeping.make_schedule(by=request.user, unit=unit, request=form.cleaned_data["request"], **values)
            return redirect("reports:schedule_detail", schedule.pk)
    else:
        initial = {
            "name": _proposed_name(unit),
            "period": Kind.DAY.value,
            "files": [Schedule.File.REPORT_PDF.value],
            "rhythm": Schedule.Rhythm.DAILY.value,
            "at": OFFICE_END,
            "recipients": [request.user.pk],
        }
        form = ScheduleForm(unit=unit, initial=initial)
    return _form_page(request, form, unit)


@require_http_methods(["GET", "POST"])
def schedule_edit(request: HttpRequest, pk: int) -> HttpResponse:
    schedule = _schedule(request, pk)
    if request.method == "POST":
        form = ScheduleForm(request.POST, unit=schedule.unit, schedule=schedule)
        if form.is_valid():
            return _done(
                request,
                pk,
                lambda: keeping.change_schedule(by=request.user, schedule=schedule, **form.schedule_values()),
            )
    else:
        form = ScheduleForm(unit=schedule.unit, schedule=schedule, initial=initial_of(schedule))
    return _form_page(request, form, schedule.unit, schedule)


@require_GET
def schedule_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """With its last runs, and of one of them what each recipient got."""
    schedule = _schedule(request, pk)
    runs = list(_with_counts(schedule.runs.select_related("by")).order_by("-due_at")[:RUNS_SHOWN])
    asked = request.GET.get("run", "")
    told = next((run for run in runs if str(run.pk) == asked), None)
    shown = told or next((run for run in runs if run.outcome != ScheduleRun.Outcome.MADE_UP), None)
    context = {
        "line": _line(schedule, Round.objects.current()),
        "schedule": schedule,
        "recipients": schedule.recipients.order_by("full_name"),
        "runs": runs,
        "runs_shown": RUNS_SHOWN,
        "run": shown,
        "exports": shown.exports.select_related("owner", "unit").order_by("owner__full_name", "owner", "pk")
        if shown
        else [],
        "left_out": shown.left_out.order_by("full_name") if shown else [],
    }
    return render(request, "reports/schedule_detail.html", context)


@require_POST
def schedule_pause(request: HttpRequest, pk: int) -> HttpResponse:
    schedule = _schedule(request, pk)
    return _done(request, pk, lambda: keeping.pause_schedule(by=request.user, schedule=schedule))


@require_POST
def schedule_resume(request: HttpRequest, pk: int) -> HttpResponse:
    schedule = _schedule(request, pk)
    return _done(request, pk, lambda: keeping.resume_schedule(by=request.user, schedule=schedule))


@require_POST
def schedule_end(request: HttpRequest, pk: int) -> HttpResponse:
    schedule = _schedule(request, pk)
    return _done(request, pk, lambda: keeping.end_schedule(by=request.user, schedule=schedule))


@require_POST
def schedule_run(request: HttpRequest, pk: int) -> HttpResponse:
    schedule = _schedule(request, pk)

    def run() -> None:
        for export_id in running.run_now(schedule, by=request.user):
            ask_for_export(export_id)

    return _done(request, pk, run)


def _done(request: HttpRequest, pk: int, verb: Callable[[], object]) -> HttpResponse:
    try:
        verb()
    except Refusal as refusal:
        return render(request, "409.html", {"refusal": refusal}, status=refusal.status)
    return redirect("reports:schedule_detail", pk)


def _require_keeper(request: HttpRequest) -> None:
    if not areas_of(request.user):
        raise Http404("she keeps no schedules")


def _schedule(request: HttpRequest, pk: int) -> Schedule:
    schedules = Schedule.objects.visible_to(request.user)
    return get_object_or_404(schedules.select_related("unit", "made_by", "changed_by", "template"), pk=pk)


def _with_counts(runs: QuerySet[ScheduleRun]) -> QuerySet[ScheduleRun]:
    """How many of its files are ready, waited for, not made and fetched."""
    return runs.annotate(
        files=Count("exports"),
        queued=Count("exports", filter=Q(exports__status=Export.Status.QUEUED)),
        failed=Count("exports", filter=Q(exports__status=Export.Status.FAILED)),
        fetched=Count("exports", filter=Q(exports__fetched_at__isnull=False)),
    )


def _line(schedule: Schedule, round: Round | None) -> Line:
    next_at = next_until = None
    if schedule.status == Schedule.Status.ACTIVE:
        next_at = rhythm_of(schedule).next_after(clock.now())
        if round and round.status == Round.Status.OPEN:
            next_until = running.day_of(schedule, round, next_at)
    return Line(schedule, when_words(schedule), what_words(schedule), next_at, next_until)


def _proposed_name(unit: AdministrativeUnit) -> str:
    return say("Daily report, %(unit)s") % {"unit": unit.mid_sentence_name}


def _form_page(
    request: HttpRequest, form: ScheduleForm, unit: AdministrativeUnit, schedule: Schedule | None = None
) -> HttpResponse:
    round = Round.objects.current()
    context = {
        "form": form,
        "unit": unit,
        "schedule": schedule,
        "cut_off_hour": round.cut_off_hour if round else 24,
        "mails": settings.SENDS_MAIL,
        "units": [] if schedule else units_to_schedule(request.user),
    }
    return render(request, "reports/schedule_form.html", context, status=400 if form.errors else 200)
