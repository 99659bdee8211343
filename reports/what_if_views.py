"""Moving teams between districts for some days: what would come of it, and the decision."""

from django.core.cache import caches
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as say
from django.views.decorators.http import require_http_methods, require_POST

from census_verify import clock
from households.models import AdministrativeUnit, Reinforcement, WorkTeam
from households.permissions import scope_of
from reports import permissions, what_if
from reports.live import Live
from reports.progress import UnitRow
from reports.views import current_round
from verification import rounds
from verification.models import Round
from verification.permissions import can_run_rounds_in
from verification.rules import InvalidEntry, Refusal

PACE_SECONDS = 600
SHOWN_DECISIONS = 20


@require_http_methods(["GET", "POST"])
def team_what_if(request: HttpRequest) -> HttpResponse:
    """GET looks at the moves of the address and writes nothing; POST decides them."""
    province = _province(request)
    round, source = current_round(), Live(current_round())
    rows = source.children_of(province)
    teams = permissions.teams_visible_to(request.user).filter(district__in=[row.owner.pk for row in rows])
    teams = list(teams.select_related("district").order_by("district__code", "code"))
    asked = request.POST if request.method == "POST" else request.GET
    refusal, moves = None, []
    try:
        moves = _moves(asked, teams, [row.owner for row in rows])
        if request.method == "POST":
            chosen = [(move.team, move.district, move.days) for move in moves]
            rounds.reinforce(moves=chosen, by=request.user)
            return redirect("reports:team_what_if")
    except Refusal as refused:
        refusal = refused
    return render(
        request,
        "reports/what_if.html",
        _context(request, round, province, rows, teams, moves) | {"refusal": refusal},
        status=refusal.status if refusal else 200,
    )


@require_POST
def reinforcement_cancel(request: HttpRequest, pk: int) -> HttpResponse:
    province = _province(request)
    decided = get_object_or_404(Reinforcement.objects.select_related("district"), pk=pk, district__parent=province)
    try:
        rounds.cancel_reinforcement(reinforcement=decided, by=request.user)
    except Refusal as refused:
        return render(request, "409.html", {"refusal": refused}, status=refused.status)
    return redirect("reports:team_what_if")


def _province(request: HttpRequest) -> AdministrativeUnit:
    """Of those who see the figures of a whole province."""
    units = scope_of(request.user).figure_units
    found = next((unit for unit in units if unit.level == AdministrativeUnit.Level.PROVINCE), None)
    if found is None:
        raise Http404("no province of hers")
    return found


def _moves(asked, teams: list[WorkTeam], districts: list[AdministrativeUnit]) -> list[what_if.Move]:
    """Raises InvalidEntry for a line that is none. A line without a team is one that was left empty."""
    by_id = {str(team.pk): team for team in teams}
    of_district = {str(district.pk): district for district in districts}
    lines = zip(asked.getlist("team"), asked.getlist("to"), asked.getlist("days"), strict=False)
    moves = []
    for team, to, days in list(lines)[: what_if.AT_MOST]:
        if not team:
            continue
        if team not in by_id or to not in of_district:
            raise InvalidEntry(say("Choose a team and the district where it is to help out."))
        if not days.strip().isdecimal() or not 1 <= int(days) <= what_if.LONGEST_MOVE:
            raise InvalidEntry(
                say("%(team)s: give the days as a number from 1 to %(most)d.")
                % {"team": by_id[team], "most": what_if.LONGEST_MOVE}
            )
        if of_district[to].pk == by_id[team].district_id:
            raise InvalidEntry(say("%(team)s: choose another district than its own.") % {"team": by_id[team]})
        moves.append(what_if.Move(by_id[team], of_district[to], int(days)))
    if len({move.team for move in moves}) < len(moves):
        raise InvalidEntry(say("A team can be in one place only: each is chosen once."))
    return moves


def _context(
    request: HttpRequest,
    round: Round,
    province: AdministrativeUnit,
    rows: list[UnitRow],
    teams: list[WorkTeam],
    moves: list[what_if.Move],
) -> dict:
    today = clock.today()
    pace = _pace(round, [row.owner for row in rows], today)
    decisions = Reinforcement.objects.filter(district__parent=province).select_related("team", "district", "decided_by")
    return {
        "round": round,
        "day": today,
        "moves": moves,
        "lines": [*moves, None] if len(moves) < what_if.AT_MOST else moves,
        "districts": rows,
        "teams": [(team, pace.get(team.pk, 0.0)) for team in teams],
        "effects": what_if.effects(rows, moves, pace, today),
        "decisions": decisions[:SHOWN_DECISIONS],
        "can_decide": can_run_rounds_in(request.user, province),
    }


def _pace(round: Round, districts: list[AdministrativeUnit], today) -> dict[int, float]:
    """Read from the passes of two weeks, so kept for ten minutes."""
    key = f"own pace of teams {round.pk} {today} {[district.pk for district in districts]}"
    return caches["pages"].get_or_set(
        key.replace(" ", "_"), lambda: what_if.own_pace(round, districts, today), PACE_SECONDS
    )
