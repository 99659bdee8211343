"""The verbs of a round itself: opening it, adjusting a plan, giving a commune another team, or a district its help."""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta

from django.db import connection, transaction
from django.db.models import Count
from django.utils.translation import gettext as say

from census_verify import clock
from households import text
from households.models import AdministrativeUnit, CollectionForm, Reinforcement, TeamCommune, User, WorkTeam
from verification import outbox, permissions
from verification.models import Plan, PlanAdjustment, Round, RoundForm
from verification.rules import Conflict, InvalidEntry, NotAllowed


@transaction.atomic
def open_round(*, round: Round, populations: Mapping[int, int], by: User) -> Round:
    """Freeze the plan of every commune and put the qualified forms into the round's scope.

    The plan is the number of forms collected until `round.collected_until`; `populations` gives each
    commune's registered population, by its id. Raises Conflict unless the round is planned.
    """
    if not permissions.can_run_rounds_in(by, round.area):
        raise NotAllowed(say("PC06 and administrators open rounds."))
    round = Round.objects.select_for_update().get(pk=round.pk)
    if round.status != Round.Status.PLANNED:
        raise Conflict(say("The round “%(round)s” was opened already.") % {"round": round.name})
    communes = AdministrativeUnit.objects.under(round.area).filter(level=AdministrativeUnit.Level.COMMUNE)
    communes = list(communes.valid_on(round.starts_on))
    missing = [c.full_name for c in communes if c.pk not in populations]
    if missing:
        raise InvalidEntry(say("The registered population is missing of: %(units)s.") % {"units": ", ".join(missing)})
    collected = CollectionForm.objects.filter(commune__in=communes, collected_on__lte=round.collected_until)
    counts = dict(collected.values_list("commune").annotate(forms=Count("pk")).values_list("commune", "forms"))
    Plan.objects.bulk_create(
        Plan(
            round=round,
            commune=commune,
            forms=counts.get(commune.pk, 0),
            population=populations[commune.pk],
            frozen_on=clock.today(),
        )
        for commune in communes
    )
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO verification_roundform
                (round_id, form_id, province_id, commune_id, hamlet_id, household_id, outcome, approval)
            SELECT %s, id, province_id, commune_id, hamlet_id, household_id, '', ''
            FROM households_collectionform
            WHERE commune_id = ANY(%s) AND collected_on <= %s AND qualification = 'qualified'
            ORDER BY id
            """,
            [round.pk, [c.pk for c in communes], round.collected_until],
        )
    round.status, round.opened_at, round.opened_by = Round.Status.OPEN, clock.now(), by
    round.save(update_fields=["status", "opened_at", "opened_by"])
    outbox.mark(round.pk, [c.pk for c in communes])
    return round


@transaction.atomic
def adjust_plan(*, plan: Plan, forms: int, reason: str, by: User) -> PlanAdjustment:
    """Change a frozen plan by a recorded number of forms, more or less."""
    if not permissions.can_run_rounds_in(by, plan.commune):
        raise NotAllowed(say("PC06 and administrators adjust plans."))
    Plan.objects.select_for_update().get(pk=plan.pk)
    plan = Plan.objects.with_adjusted().get(pk=plan.pk)
    if not forms or not text.clean(reason):
        raise InvalidEntry(say("Give the number of forms and the reason."))
    in_scope = RoundForm.objects.filter(round=plan.round_id, commune=plan.commune_id).count()
    if plan.adjusted + forms < in_scope:
        raise InvalidEntry(
            say("A plan cannot fall below the %(forms)d forms that are in the round.") % {"forms": in_scope}
        )
    adjustment = PlanAdjustment.objects.create(plan=plan, forms=forms, reason=text.clean(reason), by=by, at=clock.now())
    outbox.mark(plan.round_id, [plan.commune_id])
    return adjustment


@transaction.atomic
def assign_commune(*, commune: AdministrativeUnit, team: WorkTeam, by: User) -> TeamCommune:
    """From today `team` works in `commune`, in the place of the team that did."""
    if not permissions.can_run_rounds_in(by, commune):
        raise NotAllowed(say("PC06 and administrators assign teams."))
    today = clock.today()
    current = TeamCommune.objects.select_for_update().filter(commune=commune, valid_to=None).first()
    if current and current.team_id == team.pk:
        return current
    if current and current.valid_from >= today:
        current.delete()
    elif current:
        current.valid_to = today
        current.save(update_fields=["valid_to"])
    assigned = TeamCommune.objects.create(team=team, commune=commune, valid_from=today)
    for round in Round.objects.exclude(status=Round.Status.PLANNED):
        outbox.mark(round.pk, [commune.pk], every_day=True)
    return assigned


@transaction.atomic
def reinforce(*, moves: Iterable[tuple[WorkTeam, AdministrativeUnit, int]], by: User) -> list[Reinforcement]:
    """From tomorrow each team helps out in a district for some days (team, district, days): all of them, or none.

    The same decision again changes nothing. Raises NotAllowed, InvalidEntry, or Conflict where a team is away then.
    """
    moves = list(moves)
    if not moves:
        raise InvalidEntry(say("Choose at least one team."))
    if not all(permissions.can_run_rounds_in(by, district) for _team, district, _days in moves):
        raise NotAllowed(say("PC06 and administrators assign teams."))
    # one after the other, so that two decisions at once do not send a team to two places
    list(WorkTeam.objects.select_for_update().filter(pk__in=[team.pk for team, *_ in moves]).order_by("pk"))
    starts_on = clock.today() + timedelta(days=1)
    return [_reinforce(team, district, starts_on, days, by) for team, district, days in moves]


def _reinforce(team: WorkTeam, district: AdministrativeUnit, starts_on: date, days: int, by: User) -> Reinforcement:
    if district.level != AdministrativeUnit.Level.DISTRICT or district.pk == team.district_id:
        raise InvalidEntry(say("%(team)s: choose another district than its own.") % {"team": team})
    if days < 1:
        raise InvalidEntry(say("%(team)s: at least one day.") % {"team": team})
    ends_on = starts_on + timedelta(days=days - 1)
    away = Reinforcement.objects.filter(team=team, cancelled_at=None, starts_on__lte=ends_on, ends_on__gte=starts_on)
    decided = away.select_related("district").first()
    if decided and (decided.district_id, decided.starts_on, decided.ends_on) == (district.pk, starts_on, ends_on):
        return decided
    if decided:
        raise Conflict(
            say("%(team)s already helps out in %(district)s from %(first)s to %(last)s.")
            % {
                "team": team,
                "district": decided.district.mid_sentence_name,
                "first": f"{decided.starts_on.day}/{decided.starts_on.month}",
                "last": f"{decided.ends_on.day}/{decided.ends_on.month}",
            }
        )
    return Reinforcement.objects.create(
        team=team, district=district, starts_on=starts_on, ends_on=ends_on, decided_by=by, decided_at=clock.now()
    )


@transaction.atomic
def cancel_reinforcement(*, reinforcement: Reinforcement, by: User) -> None:
    """The team stops helping out at once. Pressing twice is no mistake."""
    if not permissions.can_run_rounds_in(by, reinforcement.district):
        raise NotAllowed(say("PC06 and administrators assign teams."))
    locked = Reinforcement.objects.select_for_update().get(pk=reinforcement.pk)
    if locked.cancelled_at is None:
        locked.cancelled_at, locked.cancelled_by = clock.now(), by
        locked.save(update_fields=["cancelled_at", "cancelled_by"])
