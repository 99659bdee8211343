"""What is left to do in a commune, read live from the standing results: an officer sees her own
saving at once, not after the next roll-up."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.db.models import Count, Exists, OuterRef, Q, prefetch_related_objects

from households import faults
from households.models import AdministrativeUnit, Household, User
from verification import items
from verification.models import Plan, Round, RoundForm, VerificationPass
from verification.rules import needed_per_day
from verification.terms import WITH_CORRECTIONS, Outcome


def hamlets_with_open(round: Round, commune: AdministrativeUnit) -> list[AdministrativeUnit]:
    """The commune's hamlets in order, each with `open_households`."""
    counted = (
        RoundForm.objects.open(round)
        .filter(commune=commune)
        .values("hamlet_id")
        .annotate(households=Count("household_id", distinct=True))
    )
    left = {row["hamlet_id"]: row["households"] for row in counted}
    hamlets = list(commune.children.filter(level=AdministrativeUnit.Level.HAMLET).in_order())
    for hamlet in hamlets:
        hamlet.open_households = left.get(hamlet.pk, 0)
    return hamlets


def next_household(
    round: Round,
    commune_id: int,
    *,
    today: date,
    hamlet: AdministrativeUnit | None = None,
    after: Household | None = None,
) -> Household | None:
    """The next household with somebody due: on from `after` in walking order, then from the start again."""
    open_forms = RoundForm.objects.due(round, today).filter(household=OuterRef("pk"))
    households = Household.objects.filter(Exists(open_forms), commune_id=commune_id)
    households = households.order_by("hamlet__code", "sequence")
    if hamlet:
        households = households.filter(hamlet=hamlet)
    if after:
        further = Q(hamlet__code__gt=after.hamlet.code) | Q(hamlet_id=after.hamlet_id, sequence__gt=after.sequence)
        return households.filter(further).first() or households.exclude(pk=after.pk).first()
    return households.first()


@dataclass(frozen=True)
class Pace:
    """A commune's day: forms done today, and how many a day would finish the plan in time."""

    done_today: int
    needed_today: int | None


def pace(round: Round, commune_id: int, *, today: date) -> Pace:
    done = RoundForm.objects.in_round(round).filter(round.verified_q(), commune_id=commune_id)
    verified = done.aggregate(all=Count("pk"), today=Count("pk", filter=Q(counted_on=today)))
    plans = Plan.objects.with_adjusted().filter(round=round, commune=commune_id)
    plan = plans.values_list("adjusted", flat=True).first() or 0
    left = plan - (verified["all"] - verified["today"])
    return Pace(verified["today"], needed_per_day(left, first_day=today, due_on=round.ends_on))


def saved_by(officer: User, submission: str) -> dict | None:
    """What the officer's last submission recorded, for the line that offers to undo it."""
    try:
        key = UUID(submission)
    except ValueError:
        return None
    passes = list(
        VerificationPass.objects.standing()
        .visible_to(officer)
        .filter(submission=key, officer=officer)
        .select_related("form__household")
    )
    if not passes:
        return None
    matched = sum(p.outcome == Outcome.MATCHED for p in passes)
    return {
        "submission": key,
        "at": passes[0].recorded_at,
        "household": passes[0].form.household,
        "matched": matched,
        "others": len(passes) - matched,
        "doubts": _doubts(passes),
    }


def _doubts(passes: list[VerificationPass]) -> list[tuple[str, list[str]]]:
    """What the rules still suspect of corrected forms: (name, sentences). A correction may contradict what it left."""
    corrected = [p for p in passes if p.outcome in WITH_CORRECTIONS]
    if not corrected:
        return []
    prefetch_related_objects(corrected, "corrections")
    doubts = []
    for verification_pass in corrected:
        form = items.corrected(verification_pass.form, {c.field: c.new for c in verification_pass.corrections.all()})
        if sentences := [f"{items.ITEMS[s.field].label}: {s.reason}" for s in faults.suspicions(form)]:
            doubts.append((form.full_name, sentences))
    return doubts
