"""Reports found by what they are for, seen before a file is made, and their files asked for."""

from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from census_verify import clock
from households.models import AdministrativeUnit
from households.permissions import scope_of
from reports import permissions, progress, services
from reports.list_views import NAMED as NAMED_LISTS
from reports.models import Export, ReportTemplate
from reports.official import forms, reading
from reports.official.contents import report_of
from reports.official.letter import Signs
from reports.official.periods import Kind
from reports.official.printed import report_words
from reports.schedules.areas import areas_of
from reports.snapshots import NoSuchCutOff
from reports.views import current_round, kept, lineage_of, unit_of_figures
from verification.models import Round

Level = AdministrativeUnit.Level
LAST_MADE = 6  # files shown beside what can be made
LINES_AT_FIRST = 20  # of an annex, until all of it is asked for


@require_GET
def report_list(request: HttpRequest) -> HttpResponse:
    scope = scope_of(request.user)
    unit = scope.home_unit
    if unit is None:
        raise Http404("no posting, no report")
    round = current_round()
    context = {
        "round": round,
        "unit": AdministrativeUnit.objects.with_those_above(unit.pk),
        "last": forms.last_cut_off(round),
        "today": clock.today(),
        "keeps_templates": permissions.template_areas_of(request.user),
        "delivers": permissions.delivery_areas_of(request.user),
        "keeps_schedules": areas_of(request.user),
        "person_lists": [(state.value, state.label) for state in NAMED_LISTS]
        if permissions.can_export(request.user, Export.Kind.FORMS, unit)
        else [],
        "lists_elsewhere": [each for each, _right in scope.file_rights if each.pk != unit.pk],
        "last_made": Export.objects.visible_to(request.user).select_related("unit__parent")[:LAST_MADE],
        "takes_register": permissions.can_export(request.user, Export.Kind.REGISTER, unit),
        "reads_disclosures": permissions.can_read_disclosures(request.user),
        "below": AdministrativeUnit.objects.filter(parent=unit).valid_on(clock.today()).in_order()
        if unit.level < Level.DISTRICT
        else [],
    }
    return render(request, "reports/report_list.html", context)


@require_GET
def unit_report(request: HttpRequest, pk: int) -> HttpResponse:
    """The sentences and tables of the files, on the screen."""
    unit, round = _unit(request, pk), current_round()
    wanted = _asked(forms.PeriodForm(request.GET, round=round))
    chosen = request.GET.get("annex", "")
    with_officers = chosen == "officers" or unit.level >= Level.COMMUNE
    words = _words(round, unit, wanted, with_officers=with_officers)
    for annex in words["annexes"]:
        _shorten(annex, chosen)
        annex["is_unread"] = annex["key"] == "officers" and not with_officers
    context = {
        "words": words,
        "unit": unit,
        "round": round,
        "lineage": lineage_of(request.user, unit),
        "kinds": Kind.choices,
        "signers": Signs.choices,
        "templates": ReportTemplate.objects.for_unit(unit),
        "address": _address(wanted),
        "late": reading.source_at(round, wanted["period"].last).late_of(unit),
        **wanted,
    }
    return render(request, "reports/unit_report.html", context)


@require_POST
def unit_report_file(request: HttpRequest, pk: int) -> HttpResponse:
    unit, round = _unit(request, pk), current_round()
    wanted = _asked(forms.FileForm(request.POST, round=round, unit=unit))
    if not permissions.can_export(request.user, wanted["kind"], unit):
        raise Http404
    export = services.request_report(by=request.user, round=round, unit=unit, **wanted)
    return redirect("reports:export_detail", export.pk)


def _words(round: Round, unit: AdministrativeUnit, wanted: dict, *, with_officers: bool) -> dict:
    """Kept for a while where the cut-off has fallen: nothing of it changes but names."""

    def make() -> dict:
        signed = {"dated_on": wanted["dated_on"], "signs": wanted["signs"]}
        return report_words(report_of(round, unit, wanted["period"], with_officers=with_officers, **signed))

    if wanted["period"].last >= round.known_on(clock.now()):
        return make()
    return kept(("report", unit.pk, forms.options_of(wanted), with_officers, progress.rules_of(round)), make)


def _shorten(annex: dict, chosen: str) -> None:
    """The first lines of a long table, all where it is the one that is asked for; each cell with its column."""
    annex["is_whole"] = annex["key"] == chosen or len(annex["rows"]) <= LINES_AT_FIRST
    shown = annex["rows"] if annex["is_whole"] else annex["rows"][:LINES_AT_FIRST]
    annex["shown"] = [list(zip(annex["columns"], row, strict=True)) for row in shown]
    annex["sums"] = list(zip(annex["columns"], annex["total"] or (), strict=False))


def _address(wanted: dict) -> str:
    """The part of an address that asks for the same report."""
    options = forms.options_of(wanted)
    asked = {"to" if name == "last" else name: value for name, value in options.items() if value}
    return urlencode(asked)


def _unit(request: HttpRequest, pk: int) -> AdministrativeUnit:
    """Reports go up from the commune; a hamlet makes none."""
    unit = unit_of_figures(request, pk)
    if not permissions.can_export(request.user, Export.Kind.REPORT, unit):
        raise Http404
    return unit


def _asked(form: forms.PeriodForm) -> dict:
    if not form.is_valid():
        raise NoSuchCutOff(form.sentence)
    return form.cleaned_data
