"""Two cut-offs side by side, down to the forms that moved between them."""

from datetime import date

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as say
from django.views.decorators.http import require_GET

from census_verify import clock
from households.models import AdministrativeUnit
from households.permissions import scope_of
from reports import changes, progress
from reports.live import Live
from reports.snapshots import NoSuchCutOff, Snapshot
from reports.templatetags import figures
from reports.views import current_round, lineage_of, team_visible, unit_of_figures
from verification.forms import day_typed
from verification.models import Round

Level = AdministrativeUnit.Level


@require_GET
def unit_changes(request: HttpRequest, pk: int) -> HttpResponse:
    unit = unit_of_figures(request, pk)
    round = current_round()
    before, after = _cut_offs(request, round)
    then, later = (source.of_unit(unit) for source in (before, after))
    context = {
        "unit": unit,
        "lineage": lineage_of(request.user, unit),
        "level_below": min(unit.level + 1, Level.HAMLET),
        **_compared(then, later, before.children_of(unit), after.children_of(unit)),
    }
    if unit.level == Level.COMMUNE:
        context |= _moved(request, unit, round, before.as_of, after.as_of or round.known_on(clock.now()))
    return render(request, "reports/changes.html", context)


@require_GET
def team_changes(request: HttpRequest, pk: int) -> HttpResponse:
    team = team_visible(request, pk)
    before, after = _cut_offs(request, current_round())
    then, later = (source.of_team(team) for source in (before, after))
    rows = _compared(then, later, before.communes_of(team), after.communes_of(team))
    return render(request, "reports/changes.html", {"team": team, "level_below": Level.COMMUNE, **rows})


def _cut_offs(request: HttpRequest, round: Round) -> tuple[progress.Source, progress.Source]:
    """`from` and `to`; without `to` it is now. Without `from` it is the day before `to`."""
    to_date = _day(request, "to", round)
    from_date = _day(request, "from", round)
    today = round.known_on(clock.now())
    if to_date is not None and to_date >= today:
        to_date = None
    if from_date is None:
        from_date = max((to_date or today) - figures.ONE_DAY, round.starts_on)
    if from_date >= (to_date or today):
        raise NoSuchCutOff(say("The first day must lie before the second one, and before today."))
    return Snapshot(round, from_date), Snapshot(round, to_date) if to_date else Live(round)


def _day(request: HttpRequest, name: str, round: Round) -> date | None:
    typed = request.GET.get(name, "").strip()
    if not typed:
        return None
    day = day_typed(typed)
    if day is None or day < round.starts_on:
        raise NoSuchCutOff(figures.no_day_of(round, typed))
    return day


def _compared(then: progress.Progress, later: progress.Progress, before: list, after: list) -> dict:
    total = [progress.total_of(rows, later.round) for rows in (before, after)]
    return {
        "then": then,
        "later": later,
        "from_date": then.as_of,
        "to_date": later.day,
        "to_now": later.as_of is None,
        "gained": later.tally.verified - then.tally.verified,
        "pairs": changes.pairs(before, after),
        "total": changes.Pair(None, *total),
        "outcomes": list(changes.outcome_lines(then, later)),
        "query": f"from={then.as_of}" + (f"&to={later.as_of}" if later.as_of else ""),
    }


def _moved(request: HttpRequest, commune: AdministrativeUnit, round: Round, before: date, after: date) -> dict:
    """How many forms went from where to where; whoever sees the persons opens them."""
    moves = changes.moves_in(commune, round, before, after)
    context = {"moves": moves, "moved": sum(move.forms for move in moves)}
    if not scope_of(request.user).persons_cover(commune):
        return context
    move = changes.Move.read(request.GET.get("move", ""))
    forms, next_key = changes.forms_moved(commune, round, before, after, move=move, key=request.GET.get("after", ""))
    return context | {"forms": forms, "next_key": next_key, "move": move, "can_list_persons": True}
