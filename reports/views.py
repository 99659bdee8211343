from collections.abc import Callable
from datetime import timedelta
from hashlib import sha256
from typing import TypeVar
from urllib.parse import urlencode

from django.core.cache import caches
from django.db.models import Max
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import mark_safe
from django.utils.translation import get_language
from django.views.decorators.http import require_GET, require_POST

from census_verify import clock
from households.models import AdministrativeUnit, WorkTeam
from households.permissions import Scope, scope_of
from reports import burnup, disclosures, exports, map_drawing, permissions, progress, services, targets
from reports.forecast import Outlook
from reports.forms import ExportForm
from reports.live import Live
from reports.map import Measure, goal_of
from reports.map_words import legend
from reports.models import Disclosure, Export, Tally
from reports.snapshots import NoSuchCutOff, Snapshot
from reports.templatetags import figures
from verification import commune_work, own_work, waiting, work
from verification.forms import day_typed
from verification.models import Round
from verification.permissions import can_see_queue
from verification.rules import Refusal
from verification.sheets.lists import how_many_out as sheets_out
from verification.terms import Approval

KEPT_SECONDS = 600
RETURNED_AT_MOST = 5  # on the first screen of a home
DAYS_BEHIND_THE_END = timedelta(days=14)  # that the burn-up shows of a forecast
BESIDE_A_TABLE = 420  # the width of the burn-up there, in pixels
SLIDE = 900
SMALL = 170  # the height of the burn-up on a commune's home
Part = TypeVar("Part", str, dict)
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
    return _unit_page(request, unit_of_figures(request, pk))


@require_GET
def unit_figures(request: HttpRequest, pk: int) -> HttpResponse:
    """The figures of a unit, for those too whose page of it is the commune home."""
    return _figures_page(request, unit_of_figures(request, pk))


@require_GET
def unit_slides(request: HttpRequest, pk: int) -> HttpResponse:
    """For the meeting room: the unit, then each unit right below it, one to a page."""
    unit, source = unit_of_figures(request, pk), source_of(request)
    rows = source.children_of(unit) if unit.level < AdministrativeUnit.Level.COMMUNE else []
    shown = [source.of_unit(unit), *(progress.of_row(source, row) for row in rows)]
    slides = [(each, _burnup(each, width=SLIDE, height=SLIDE * 2 // 5)) for each in shown]
    context = {"unit": unit, "slides": slides, "lineage": lineage_of(request.user, unit), **cut_off_of(source)}
    return render(request, "reports/unit_slides.html", context)


@require_GET
def team_list(request: HttpRequest) -> HttpResponse:
    teams = list(permissions.teams_visible_to(request.user).values_list("pk", flat=True))
    source = source_of(request)
    sort, outlook = request.GET.get("sort", ""), _outlook(request)
    round, scope = source.round, scope_of(request.user)
    context = {"round": round, "day": source.as_of or clock.today(), "count": len(teams), **cut_off_of(source)}

    def make() -> str:
        rows = source.teams(WorkTeam.objects.filter(pk__in=teams).select_related("district"))
        carried = context["kept"] + (f"outlook={outlook}&" if outlook else "")
        table = {
            "rows": progress.shown_rows(rows, sort, outlook),
            "total": progress.total_of(rows, round),
            "outlooks": progress.by_outlook(rows),
            "outlook": outlook,
            "goal": progress.goal_percent(round),
            "sort": sort,
            "scope": scope,
            "csrf_token": TOKEN_GOES_HERE,
        }
        return render_to_string("reports/_team_table.html", {**context, **table, "kept": carried})

    moved = Tally.objects.filter(round=round, team__in=teams).aggregate(Max("rolled_up_at"))
    page = kept((teams, moved, source.as_of, context["day"], sort, outlook, scope.home_unit), make)
    context["table"] = mark_safe(page.replace(TOKEN_GOES_HERE, get_token(request)))
    return render(request, "reports/team_list.html", context)


@require_GET
def team_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """A team's page: its communes at work for its members, its figures for all others."""
    team = team_visible(request, pk)
    if team.pk in scope_of(request.user).team_ids and "as_of" not in request.GET:
        return _team_home(request, team)
    return _team_figures(request, team)


@require_GET
def team_figures(request: HttpRequest, pk: int) -> HttpResponse:
    return _team_figures(request, team_visible(request, pk))


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
    export = services.request_export(by=request.user, round=current_round(), **form.cleaned_data)
    return redirect("reports:export_detail", export.pk)


@require_GET
def export_detail(request: HttpRequest, pk: int) -> HttpResponse:
    mine = Export.objects.visible_to(request.user).select_related("unit", "run__schedule")
    export = get_object_or_404(mine, pk=pk)
    if export.status in Export.TOLD:  # what she sees finished here, the bell need not tell her
        services.see_exports(Export.objects.filter(pk=pk))
    template = "reports/_export_state.html" if request.htmx else "reports/export_detail.html"
    context = {"export": export, "made": exports.made_so_far(export), "kept_until": exports.kept_until(export)}
    return render(request, template, context)


@require_POST
def export_cancel(request: HttpRequest, pk: int) -> HttpResponse:
    export = get_object_or_404(Export.objects.visible_to(request.user), pk=pk)
    try:
        services.cancel_export(export=export)
    except Refusal as refusal:
        return render(request, "409.html", {"refusal": refusal}, status=refusal.status)
    return redirect("reports:export_detail", export.pk)


@require_POST
def export_retry(request: HttpRequest, pk: int) -> HttpResponse:
    export = get_object_or_404(Export.objects.visible_to(request.user), pk=pk)
    try:
        services.retry_export(export=export, by=request.user)
    except Refusal as refusal:
        return render(request, "409.html", {"refusal": refusal}, status=refusal.status)
    return redirect("reports:export_detail", export.pk)


@require_GET
def export_file(request: HttpRequest, pk: int) -> HttpResponse:
    export = get_object_or_404(Export.objects.visible_to(request.user), pk=pk, status=Export.Status.DONE)
    path = exports.file_path(export)
    # what she may not see today she may not fetch today, whenever it was made
    if not permissions.may_have(request.user, export) or not path.exists():
        raise Http404("the file was cleared away")
    disclosures.write_down(export, Disclosure.Act.FETCHED, by=request.user)
    services.fetch_export(export)
    return FileResponse(path.open("rb"), as_attachment=True, filename=exports.file_name(export))


def current_round() -> Round:
    round = Round.objects.current()
    if round is None:
        raise NoRoundYet
    return round


def source_of(request: HttpRequest) -> progress.Source:
    """The figures of now, or with `as_of` those of a cut-off that is over."""
    round, typed = current_round(), request.GET.get("as_of", "").strip()
    if not typed:
        return Live(round)
    day = day_typed(typed)
    if day is None or day < round.starts_on:
        raise NoSuchCutOff(figures.no_day_of(round, typed))
    return Snapshot(round, day) if day < round.known_on(clock.now()) else Live(round)


def cut_off_of(source: progress.Source) -> dict:
    """What links and forms of a page of the past carry along."""
    day = source.as_of
    return {
        "as_of": day,
        "at": f"?as_of={day}" if day else "",
        "kept": f"as_of={day}&" if day else "",
        "day_before": day - figures.ONE_DAY if day and day > source.round.starts_on else None,
        "day_after": day + figures.ONE_DAY if day else None,
    }


def unit_of_figures(request: HttpRequest, pk: int) -> AdministrativeUnit:
    unit = AdministrativeUnit.objects.with_those_above(pk)
    if unit is None or not scope_of(request.user).figures_cover(unit):
        raise Http404
    return unit


def team_visible(request: HttpRequest, pk: int) -> WorkTeam:
    return get_object_or_404(permissions.teams_visible_to(request.user).select_related("district"), pk=pk)


def _unit_page(request: HttpRequest, unit: AdministrativeUnit) -> HttpResponse:
    """The commune home where the officer records, the figures everywhere else, and of the past."""
    if scope_of(request.user).records_in(unit.pk) and "as_of" not in request.GET:
        return _commune_home(request, unit)
    return _figures_page(request, unit)


def _figures_page(request: HttpRequest, unit: AdministrativeUnit) -> HttpResponse:
    source = source_of(request)
    return _progress_page(request, source.of_unit(unit), lambda: source.children_of(unit))


def _team_figures(request: HttpRequest, team: WorkTeam) -> HttpResponse:
    source = source_of(request)
    return _progress_page(request, source.of_team(team), lambda: source.communes_of(team))


def _commune_home(request: HttpRequest, unit: AdministrativeUnit) -> HttpResponse:
    """What there is to do in a commune, live; of the stored figures only the burn-up."""
    round, officer = current_round(), request.user
    day = commune_work.of_communes(round, [unit.pk], today=clock.today())[unit.pk]
    shown = Live(round).of_unit(unit)
    context = _own_day(request, round) | {
        "unit": unit,
        "work": day,
        "told": progress.forecast_of_work(day, shown.days),
        "standing": day.standing,
        "returned": _returned(officer, round, [day]),
        "shown": shown,
        "burnup": _small_burnup(shown),
        "lineage": lineage_of(officer, unit),
        "saved": work.saved_by(officer, request.GET.get("saved", "")),
    }
    return render(request, "reports/commune_home.html", context)


def _team_home(request: HttpRequest, team: WorkTeam) -> HttpResponse:
    """Each commune of the team as its home would say it, and a way in."""
    round, officer, scope = current_round(), request.user, scope_of(request.user)
    communes = [unit for unit in scope.person_units if scope.records_in(unit.pk)]
    ids = [unit.pk for unit in communes]
    days, made = commune_work.of_communes(round, ids, today=clock.today()), Live(round).days_of_units(ids)
    context = _own_day(request, round) | {
        "team": team,
        "communes": [
            (unit, days[unit.pk], progress.forecast_of_work(days[unit.pk], made[unit.pk])) for unit in communes
        ],
        "standing": sum((day.standing for day in days.values()), commune_work.Standing()),
        "left": sum(day.left for day in days.values()),
        "needed_today": sum(day.needed_today or 0 for day in days.values()),
        "returned": _returned(officer, round, list(days.values())),
    }
    return render(request, "reports/team_home.html", context)


def _own_day(request: HttpRequest, round: Round) -> dict:
    today, officer = clock.today(), request.user
    return {
        "round": round,
        "today": today,
        "now": clock.now(),
        "own": own_work.totals_of(officer, today),
        "sheets_out": sheets_out(officer, round),
    }


def _returned(officer, round: Round, days: list[commune_work.CommuneWork]) -> list[waiting.Returned]:
    """Asked only where the counts say that there are any."""
    communes = [day.commune_id for day in days if day.standing.returned]
    return waiting.returned_in(round, communes, officer, at_most=RETURNED_AT_MOST) if communes else []


def _progress_page(request: HttpRequest, shown: progress.Progress, read_rows: Callable[[], list]) -> HttpResponse:
    owner, scope = shown.owner, scope_of(request.user)
    unit = owner if isinstance(owner, AdministrativeUnit) else None
    # lists of forms are of now, so a page of the past does not lead to them
    covers = bool(unit) and unit.level >= 3 and scope.persons_cover(unit) and shown.as_of is None
    context = {
        "shown": shown,
        "unit": unit,
        "team": None if unit else owner,
        "can_list_persons": covers,
        "can_work": covers and scope.can_record,
        "saved": work.saved_by(request.user, request.GET.get("saved", "")),
        "lineage": lineage_of(request.user, unit) if unit else [],
        **(_waiting(request, shown.round, unit) if shown.as_of is None else {}),
        **cut_off_of(shown.source),
        "works_here": scope.records_in(unit.pk) if unit else owner.pk in scope.team_ids,
    }
    seen = version_of(shown.version, context.get("to_decide"), context.get("came_back"))
    if request.htmx and request.GET.get("seen") == seen:
        return HttpResponse(status=204)  # nothing moved: htmx leaves the page as it is
    asked = {name: request.GET[name] for name in ("sort", "outlook") if name in request.GET}
    address = reverse("reports:unit_figures" if unit else "reports:team_figures", args=[owner.pk])
    context["live_address"] = f"{address}?{urlencode(asked | {'seen': seen})}"
    context["figures"] = _figures(request, shown, read_rows, context)
    return render(request, "reports/_live.html" if request.htmx else "reports/unit_detail.html", context)


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

    outlook = _outlook(request)

    def make() -> str:
        tables = _tables(shown, read_rows(), sort, outlook, scope)
        tables["kept"] = context["kept"] + (f"outlook={outlook}&" if outlook else "")
        return render_to_string("reports/_figures.html", {**context, **tables, "csrf_token": TOKEN_GOES_HERE})

    page = kept((shown.version, sort, outlook, seen_by, bool(context.get("to_decide"))), make)
    return mark_safe(page.replace(TOKEN_GOES_HERE, get_token(request)))


def _small_burnup(shown: progress.Progress) -> str:
    def make() -> str:
        chart = _burnup(shown, height=SMALL) if shown.days else None
        return render_to_string("reports/_burnup_small.html", {"shown": shown, "chart": chart})

    return mark_safe(kept((shown.version, "small burn-up"), make))


def version_of(*parts) -> str:
    return sha256(repr(parts).encode()).hexdigest()


def kept(version: tuple, make: Callable[[], Part]) -> Part:
    """A part of a page as it was made for this version of the figures and this language."""
    key = version_of(version, get_language())
    part = caches["pages"].get(key)
    if part is None:
        part = make()
        caches["pages"].set(key, part, KEPT_SECONDS)
    return part


def _burnup(shown: progress.Progress, **size) -> burnup.Chart:
    return burnup.draw(
        [(d.day, d.verified) for d in shown.days],
        plan=shown.tally.base,
        starts_on=shown.round.starts_on,
        ends_on=shown.round.ends_on,
        today=shown.day,
        percents=progress.goals(shown.round),
        band=_band(shown),
        **size,
    )


def _band(shown: progress.Progress) -> list:
    """The forecast to the end of the round, and a few days further where it is not done by then."""
    if shown.tally.left <= 0 or not shown.days:
        return []
    latest, ends_on = shown.forecast.latest, shown.round.ends_on
    furthest = max(ends_on, shown.day) + DAYS_BEHIND_THE_END
    return shown.forecast.band(max(min(latest, furthest) if latest else furthest, ends_on))


def _outlook(request: HttpRequest) -> str:
    asked = request.GET.get("outlook", "")
    return asked if asked in Outlook.values else ""


def _tables(shown: progress.Progress, rows: list[progress.UnitRow], sort: str, outlook: str, scope: Scope) -> dict:
    round, level = shown.round, getattr(shown.owner, "level", None)
    total = progress.total_of(rows, round)
    mapped = level in (AdministrativeUnit.Level.PROVINCE, AdministrativeUnit.Level.DISTRICT)
    places, small_map = map_drawing.small(shown, rows) if mapped else ([], None)
    return {
        "small_map": small_map,
        "small_legend": legend(places, Measure.RATE, goal_of(round)),
        "targets": targets.states_of(shown, _communes_below(shown, rows)),
        "outlooks": progress.by_outlook(rows) if level is None or level < AdministrativeUnit.Level.COMMUNE else [],
        "outlook": outlook,
        "level_below": AdministrativeUnit.Level.COMMUNE
        if level is None or level >= 4
        else AdministrativeUnit.Level(level + 1),
        "rows": progress.shown_rows(rows, sort, outlook),
        "total": total,
        "goal": progress.goal_percent(round),
        "sort": sort,
        "can_list_rows": shown.as_of is None
        and (level is None or level >= 2)
        and all(scope.persons_cover(row.owner) for row in rows),
        "chart": _burnup(shown, width=BESIDE_A_TABLE, height=BESIDE_A_TABLE * 3 // 4),
    }


def _communes_below(shown: progress.Progress, rows: list[progress.UnitRow]) -> Callable[[], list[progress.UnitRow]]:
    """The communes that targets may be about: the lines of the table where these are communes, none below one."""
    level = getattr(shown.owner, "level", AdministrativeUnit.Level.DISTRICT)
    if level == AdministrativeUnit.Level.DISTRICT:
        return lambda: rows
    return lambda: shown.source.communes_under(shown.owner) if level < AdministrativeUnit.Level.DISTRICT else []


def lineage_of(officer, unit: AdministrativeUnit) -> list[tuple[AdministrativeUnit, bool]]:
    """The units above, highest first, and whether the officer may open each."""
    scope, above = scope_of(officer), []
    while unit.level > AdministrativeUnit.Level.PROVINCE:
        unit = unit.parent
        above.append((unit, scope.figures_cover(unit)))
    return above[::-1]
