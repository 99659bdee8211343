from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from census_verify import clock
from households.models import AdministrativeUnit
from households.permissions import scope_of
from reports import burnup, exports, permissions, progress, services
from reports.forms import ExportForm
from reports.models import Export
from verification import work
from verification.models import Round
from verification.rules import Refusal


class NoRoundYet(Http404):
    """No round was opened: there are no figures to show."""


@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """The page of the unit the officer is posted to; a team's member finds the team's."""
    scope = scope_of(request.user)
    if scope.team_ids:
        return redirect("reports:team_detail", scope.team_ids[0])
    if scope.home_unit is None:
        return render(request, "reports/no_posting.html", status=403)
    try:
        return _unit_page(request, scope.home_unit)
    except NoRoundYet:
        return render(request, "reports/no_round.html")


@require_GET
def unit_detail(request: HttpRequest, pk: int) -> HttpResponse:
    units = AdministrativeUnit.objects.visible_to(request.user).select_related("parent__parent__parent")
    return _unit_page(request, get_object_or_404(units, pk=pk))


@require_GET
def team_list(request: HttpRequest) -> HttpResponse:
    teams = permissions.teams_visible_to(request.user).select_related("district")
    round = _current_round()
    rows = progress.teams(round, teams)
    sort = request.GET.get("sort", "")
    total = progress.total_of(rows, round)
    progress.mark_behind(rows, total)
    context = {
        "round": round,
        "day": clock.today(),
        "rows": progress.sorted_rows(rows, sort),
        "total": total,
        "behind": sum(row.is_behind for row in rows),
        "goal": progress.goal_percent(round),
        "sort": sort,
    }
    return render(request, "reports/team_list.html", context)


@require_GET
def team_detail(request: HttpRequest, pk: int) -> HttpResponse:
    team = get_object_or_404(permissions.teams_visible_to(request.user).select_related("district"), pk=pk)
    round = _current_round()
    return _progress_page(request, progress.of_team(round, team), progress.communes_of_team(round, team))


@require_GET
def export_list(request: HttpRequest) -> HttpResponse:
    mine = Export.objects.visible_to(request.user).select_related("unit")[:50]
    return render(request, "reports/export_list.html", {"exports": mine})


@require_POST
def export_create(request: HttpRequest) -> HttpResponse:
    form = ExportForm(request.POST, officer=request.user)
    if not form.is_valid():
        sentence = next(iter(form.errors.values()))[0]
        return render(request, "400.html", {"sentence": sentence}, status=400)
    export = services.request_export(by=request.user, round=_current_round(), **form.cleaned_data)
    return redirect("reports:export_detail", export.pk)


@require_GET
def export_detail(request: HttpRequest, pk: int) -> HttpResponse:
    export = get_object_or_404(Export.objects.visible_to(request.user).select_related("unit"), pk=pk)
    template = "reports/_export_state.html" if request.htmx else "reports/export_detail.html"
    return render(request, template, {"export": export, "made": exports.made_so_far(export)})


@require_POST
def export_cancel(request: HttpRequest, pk: int) -> HttpResponse:
    export = get_object_or_404(Export.objects.visible_to(request.user), pk=pk)
    try:
        services.cancel_export(export=export)
    except Refusal as refusal:
        return render(request, "409.html", {"refusal": refusal}, status=refusal.status)
    return redirect("reports:export_detail", export.pk)


@require_GET
def export_file(request: HttpRequest, pk: int) -> HttpResponse:
    export = get_object_or_404(Export.objects.visible_to(request.user), pk=pk, status=Export.Status.DONE)
    path = exports.file_path(export)
    # what she may not see today she may not fetch today, whenever it was made
    if not permissions.can_export(request.user, export.kind, export.unit) or not path.exists():
        raise Http404("the file was cleared away")
    return FileResponse(path.open("rb"), as_attachment=True, filename=exports.file_name(export))


def _current_round() -> Round:
    round = Round.objects.prefetch_related("targets").current()
    if round is None:
        raise NoRoundYet
    return round


def _unit_page(request: HttpRequest, unit: AdministrativeUnit) -> HttpResponse:
    round = _current_round()
    return _progress_page(request, progress.of_unit(round, unit), progress.children_of(round, unit))


def _progress_page(request: HttpRequest, shown: progress.Progress, rows: list[progress.UnitRow]) -> HttpResponse:
    sort = request.GET.get("sort", "")
    round, owner = shown.round, shown.owner
    is_unit = isinstance(owner, AdministrativeUnit)
    chart = burnup.draw(
        [(d.day, d.verified) for d in shown.days],
        plan=shown.tally.base,
        starts_on=round.starts_on,
        ends_on=round.ends_on,
        today=shown.day,
        percents=[t.target.percent for t in shown.targets],
    )
    level = owner.level if is_unit else None
    scope = scope_of(request.user)
    total = progress.total_of(rows, round)
    progress.mark_behind(rows, total)
    context = {
        "shown": shown,
        "unit": owner if is_unit else None,
        "team": None if is_unit else owner,
        "level_below": AdministrativeUnit.Level(level + 1)
        if is_unit and level < 4
        else AdministrativeUnit.Level.COMMUNE,
        "rows": progress.sorted_rows(rows, sort),
        "total": total,
        "behind": sum(row.is_behind for row in rows),
        "goal": progress.goal_percent(round),
        "sort": sort,
        "chart": chart,
        "can_list_persons": is_unit and level >= 3 and scope.persons_cover(owner),
        "can_list_rows": (not is_unit or level >= 2) and all(scope.persons_cover(row.owner) for row in rows),
        "can_work": is_unit and level >= 3 and scope.can_record and scope.persons_cover(owner),
        "saved": work.saved_by(request.user, request.GET.get("saved", "")),
        "lineage": _lineage(request.user, owner) if is_unit else [],
    }
    return render(request, "reports/unit_detail.html", context)


def _lineage(officer, unit: AdministrativeUnit) -> list[tuple[AdministrativeUnit, bool]]:
    """The units above, highest first, and whether the officer may open each."""
    scope, above, parent = scope_of(officer), [], unit.parent
    while parent is not None and parent.level > AdministrativeUnit.Level.COUNTRY:
        above.append((parent, scope.figures_cover(parent)))
        parent = parent.parent
    return above[::-1]
