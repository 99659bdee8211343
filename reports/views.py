from collections.abc import Callable
from hashlib import sha256

from django.core.cache import caches
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.utils.safestring import mark_safe
from django.utils.translation import get_language
from django.views.decorators.http import require_GET, require_POST

from census_verify import clock
from households.models import AdministrativeUnit
from households.permissions import Scope, scope_of
from reports import burnup, exports, permissions, progress, services
from reports.forms import ExportForm
from reports.models import Export
from verification import waiting, work
from verification.models import Round
from verification.permissions import can_see_queue
from verification.rules import Refusal
from verification.terms import Approval

KEPT_SECONDS = 600
TOKEN_GOES_HERE = "the-readers-own-csrf-token-goes-here"


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
        return _unit_page(request, AdministrativeUnit.objects.with_those_above(scope.home_unit.pk))
    except NoRoundYet:
        return render(request, "reports/no_round.html")


@require_GET
def unit_detail(request: HttpRequest, pk: int) -> HttpResponse:
    unit = AdministrativeUnit.objects.with_those_above(pk)
    if unit is None or not scope_of(request.user).figures_cover(unit):
        raise Http404
    return _unit_page(request, unit)


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
    return _progress_page(request, progress.of_team(round, team), lambda: progress.communes_of_team(round, team))


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
    round = Round.objects.current()
    if round is None:
        raise NoRoundYet
    return round


def _unit_page(request: HttpRequest, unit: AdministrativeUnit) -> HttpResponse:
    round = _current_round()
    return _progress_page(request, progress.of_unit(round, unit), lambda: progress.children_of(round, unit))


def _progress_page(request: HttpRequest, shown: progress.Progress, read_rows: Callable[[], list]) -> HttpResponse:
    owner, scope = shown.owner, scope_of(request.user)
    unit = owner if isinstance(owner, AdministrativeUnit) else None
    covers = bool(unit) and unit.level >= 3 and scope.persons_cover(unit)
    context = {
        "shown": shown,
        "unit": unit,
        "team": None if unit else owner,
        "can_list_persons": covers,
        "can_work": covers and scope.can_record,
        "saved": work.saved_by(request.user, request.GET.get("saved", "")),
        "lineage": _lineage(request.user, unit) if unit else [],
        **_waiting(request, shown.round, unit),
    }
    context["figures"] = _figures(request, shown, read_rows, context)
    return render(request, "reports/unit_detail.html", context)


def _waiting(request: HttpRequest, round: Round, unit: AdministrativeUnit | None) -> dict:
    """What waits below a unit for the district, for those who see its queue; and what came back, for whose work it
    was. Live, not from the roll-up: it goes with what was decided a moment ago."""
    if unit is None or unit.level > AdministrativeUnit.Level.COMMUNE or not scope_of(request.user).persons_cover(unit):
        return {}
    if can_see_queue(request.user):
        return {"to_decide": waiting.summary(round, [unit])}
    return {"came_back": waiting.summary(round, [unit], Approval.RETURNED)}


def _figures(request: HttpRequest, shown: progress.Progress, read_rows: Callable[[], list], context: dict) -> str:
    """The part of the page that is made of stored figures, kept until one of them changes. (A unit's new
    name shows after KEPT_SECONDS.) Officers of the same places share it, so the form's token is put in at the end."""
    sort = request.GET.get("sort", "").strip()
    sort = sort if sort.removeprefix("-") in (*progress.SORTS, "name") else ""
    scope = scope_of(request.user)
    seen_by = sorted(unit.path for unit in scope.person_units), scope.can_record
    key = sha256(repr((shown.version, sort, get_language(), seen_by)).encode()).hexdigest()
    page = caches["pages"].get(key)
    if page is None:
        context = {**context, **_tables(shown, read_rows(), sort, scope), "csrf_token": TOKEN_GOES_HERE}
        page = render_to_string("reports/_figures.html", context)
        caches["pages"].set(key, page, KEPT_SECONDS)
    return mark_safe(page.replace(TOKEN_GOES_HERE, get_token(request)))


def _tables(shown: progress.Progress, rows: list[progress.UnitRow], sort: str, scope: Scope) -> dict:
    round, level = shown.round, getattr(shown.owner, "level", None)
    total = progress.total_of(rows, round)
    progress.mark_behind(rows, total)
    return {
        "level_below": AdministrativeUnit.Level.COMMUNE
        if level is None or level >= 4
        else AdministrativeUnit.Level(level + 1),
        "rows": progress.sorted_rows(rows, sort),
        "total": total,
        "behind": sum(row.is_behind for row in rows),
        "goal": progress.goal_percent(round),
        "sort": sort,
        "can_list_rows": (level is None or level >= 2) and all(scope.persons_cover(row.owner) for row in rows),
        "chart": burnup.draw(
            [(d.day, d.verified) for d in shown.days],
            plan=shown.tally.base,
            starts_on=round.starts_on,
            ends_on=round.ends_on,
            today=shown.day,
            percents=[t.target.percent for t in shown.targets],
        ),
    }


def _lineage(officer, unit: AdministrativeUnit) -> list[tuple[AdministrativeUnit, bool]]:
    """The units above, highest first, and whether the officer may open each."""
    scope, above = scope_of(officer), []
    while unit.level > AdministrativeUnit.Level.PROVINCE:
        unit = unit.parent
        above.append((unit, scope.figures_cover(unit)))
    return above[::-1]
