"""The officers of a unit or team: how many results, and what they found. Their sums are the unit's figures."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from census_verify import clock
from households.models import AdministrativeUnit, Posting, WorkTeam
from reports import progress
from reports.live import Live
from reports.models import Counts, OfficerTally
from reports.views import current_round, lineage_of, team_visible, unit_of_figures

SORTS = (
    *("officer", "results", "verified", "matched", "found", "found_rate"),
    *("not_met", "unverifiable", "pending", "returned"),
)


@require_GET
def unit_officers(request: HttpRequest, pk: int) -> HttpResponse:
    unit = unit_of_figures(request, pk)
    return _page(request, unit, {"unit": unit, "lineage": lineage_of(request.user, unit)})


@require_GET
def team_officers(request: HttpRequest, pk: int) -> HttpResponse:
    team = team_visible(request, pk)
    return _page(request, team, {"team": team})


def _page(request: HttpRequest, owner: AdministrativeUnit | WorkTeam, context: dict) -> HttpResponse:
    round, sort = current_round(), request.GET.get("sort", "-results")
    source = Live(round)
    shown = source.of_team(owner) if isinstance(owner, WorkTeam) else source.of_unit(owner)
    rows = list(OfficerTally.objects.filter(round=round, **_of(owner)).select_related("officer"))
    column = sort.removeprefix("-")
    if column in SORTS:
        rows.sort(key=lambda row: (_value(row, column), row.officer.full_name), reverse=sort.startswith("-"))
    context |= {
        "shown": shown,
        "rows": rows,
        "total": progress.sum_of(OfficerTally, rows, [field.name for field in Counts._meta.fields]),
        "posted": Posting.objects.first_of_each([row.officer_id for row in rows], clock.today()),
        "sort": sort,
        "round": round,
    }
    return render(request, "reports/officer_list.html", context)


def _of(owner: AdministrativeUnit | WorkTeam) -> dict:
    return {"team": owner, "unit": None} if isinstance(owner, WorkTeam) else {"unit": owner, "team": None}


def _value(row: OfficerTally, column: str):
    if column == "officer":
        return row.officer.full_name
    value = getattr(row, column)
    return -1 if value is None else value
