"""What is left to do in a commune, read live from the standing results: an officer sees her own
saving at once, not after the next roll-up."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.db import connection
from django.db.models import Count, Q

from households.models import AdministrativeUnit, Household, User
from households.permissions import scope_of
from verification.models import Plan, Round, RoundForm, VerificationPass
from verification.rules import needed_per_day
from verification.terms import Outcome


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


@dataclass(frozen=True)
class Place:
    """Where a household stands in its commune's walking order."""

    household_id: int
    commune_id: int
    hamlet_id: int
    hamlet_code: str
    sequence: int


def place_of(officer: User, household_id: int) -> Place | None:
    """The place of a household whose persons the officer may see, or None."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT home.id, home.commune_id, home.hamlet_id, hamlet.code, home.sequence, hamlet.path
            FROM households_household home JOIN households_administrativeunit hamlet ON hamlet.id = home.hamlet_id
            WHERE home.id = %s
            """,
            [household_id],
        )
        row = cursor.fetchone()
    if row is None or not scope_of(officer).persons_cover_path(row[-1]):
        return None
    return Place(*row[:-1])


# Open as RoundFormQuerySet.due has it; a test holds the two together. The parts are asked one after the
# other until one gives a household: the rest of the hamlet, the hamlets behind it, and all from the start.
DUE = """EXISTS (
    SELECT FROM verification_roundform due WHERE due.household_id = home.id AND due.round_id = %(round)s
        AND (due.outcome = ANY(%(unfinished)s) OR due.approval = 'returned')
        AND NOT (due.outcome = 'not_met' AND due.next_visit_on IS NOT NULL AND due.next_visit_on > %(today)s))"""
SELECT_HOME = """(
    SELECT home.* FROM households_household home
    JOIN households_administrativeunit hamlet ON hamlet.id = home.hamlet_id
    WHERE home.commune_id = %(commune)s AND """
IN_ORDER = " ORDER BY hamlet.code, home.sequence LIMIT 1)"
ONE_HAMLET = "home.hamlet_id = %(hamlet)s AND "
FIRST_SQL = f"{SELECT_HOME} {DUE} {IN_ORDER}"
FIRST_OF_HAMLET_SQL = f"{SELECT_HOME} {ONE_HAMLET} {DUE} {IN_ORDER}"
REST_OF_HAMLET_SQL = f"""{SELECT_HOME} home.hamlet_id = %(after_hamlet)s AND home.sequence > %(after_sequence)s
    AND {DUE} ORDER BY home.sequence LIMIT 1)"""
NEXT_SQL = f"""{REST_OF_HAMLET_SQL}
    UNION ALL {SELECT_HOME} hamlet.code > %(after_code)s AND {DUE} {IN_ORDER}
    UNION ALL {SELECT_HOME} home.id <> %(after)s AND {DUE} {IN_ORDER} LIMIT 1"""
NEXT_OF_HAMLET_SQL = f"""{REST_OF_HAMLET_SQL}
    UNION ALL {SELECT_HOME} {ONE_HAMLET} home.id <> %(after)s AND {DUE} {IN_ORDER} LIMIT 1"""


def next_household(
    round: Round,
    commune_id: int,
    *,
    today: date,
    hamlet: AdministrativeUnit | None = None,
    after: Place | None = None,
) -> Household | None:
    """The next household with somebody due: on from `after` in walking order, then from the start again."""
    values = {"round": round.pk, "unfinished": round.unfinished_outcomes(), "today": today, "commune": commune_id}
    if hamlet:
        values["hamlet"] = hamlet.pk
    if after and (hamlet is None or hamlet.pk == after.hamlet_id):
        values |= {
            "after": after.household_id,
            "after_hamlet": after.hamlet_id,
            "after_code": after.hamlet_code,
            "after_sequence": after.sequence,
        }
        sql = NEXT_OF_HAMLET_SQL if hamlet else NEXT_SQL
    else:
        sql = FIRST_OF_HAMLET_SQL if hamlet else FIRST_SQL
    return next(iter(Household.objects.raw(sql, values)), None)


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
    }
