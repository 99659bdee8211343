"""What is left to do in a commune, read live from the standing results: an officer sees her own
saving at once, not after the next roll-up."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.db.models import TextChoices, prefetch_related_objects
from django.utils.translation import gettext_lazy as _

from households import faults
from households.models import AdministrativeUnit, Household, User
from households.models.units import UNIT_COLUMNS
from households.permissions import scope_of
from households.statements import Statement
from verification import items
from verification.models import Round, VerificationPass
from verification.rules import needed_per_day
from verification.terms import REMOVALS, WITH_CORRECTIONS, Outcome

# Still to be done, as RoundFormQuerySet.open has it; a test holds the two together.
HAMLETS_WITH_OPEN = Statement(
    "hamlets_with_open_households",
    "bigint, bigint, text[]",
    f"""
    SELECT coalesce(counted.households, 0), {", ".join(f"hamlet.{name}" for name in UNIT_COLUMNS)}
    FROM households_administrativeunit hamlet LEFT JOIN (
        SELECT hamlet_id, count(DISTINCT household_id) AS households FROM verification_roundform
        WHERE round_id = $1 AND commune_id = $2 AND (outcome = ANY($3) OR approval = 'returned') GROUP BY hamlet_id
    ) counted ON counted.hamlet_id = hamlet.id
    WHERE hamlet.parent_id = $2 AND hamlet.level = {AdministrativeUnit.Level.HAMLET.value}
    ORDER BY hamlet.code, hamlet.valid_from""",
)


def hamlets_with_open(round: Round, commune_id: int) -> list[AdministrativeUnit]:
    """The commune's hamlets in order, each with `open_households`."""
    hamlets = []
    for households, *row in HAMLETS_WITH_OPEN.rows(round.pk, commune_id, round.unfinished_outcomes()):
        hamlet = AdministrativeUnit.from_db("default", UNIT_COLUMNS, row)
        hamlet.open_households = households
        hamlets.append(hamlet)
    return hamlets


HOUSEHOLD_COLUMNS = [field.attname for field in Household._meta.concrete_fields]
HOME = ", ".join(f"home.{name}" for name in HOUSEHOLD_COLUMNS)
HOUSEHOLD = Statement("household_by_id", "bigint", f"SELECT {HOME} FROM households_household home WHERE home.id = $1")


def household_of(officer: User, household_id: int) -> Household | None:
    """A household whose persons the officer may see, its hamlet and all units above at hand; or None."""
    row = HOUSEHOLD.row(household_id)
    if row is None:
        return None
    household = Household.from_db("default", HOUSEHOLD_COLUMNS, row)
    household.hamlet = AdministrativeUnit.objects.with_those_above(household.hamlet_id)
    household.commune = household.hamlet.parent
    return household if scope_of(officer).persons_cover(household.hamlet) else None


class Order(TextChoices):
    """In which order an officer takes the households of a hamlet."""

    WALK = "walk", _("as one walks")
    BOOK = "book", _("by book")
    ADDRESS = "address", _("by address")


# What each order sorts by.
SORTED_BY = {
    Order.WALK: "home.sequence",
    Order.BOOK: "home.book_number",
    Order.ADDRESS: "home.address || ' ' || home.book_number",
}


@dataclass(frozen=True)
class Place:
    """Where a household stands in its commune, in each order."""

    household_id: int
    commune_id: int
    hamlet_id: int
    hamlet_code: str
    sequence: int
    book_number: str
    address: str

    def key(self, order: Order) -> int | str:
        """As SORTED_BY has it."""
        keys = {Order.BOOK: self.book_number, Order.ADDRESS: f"{self.address} {self.book_number}"}
        return keys.get(order, self.sequence)


PLACE = Statement(
    "place_of_household",
    "bigint",
    """
    SELECT home.id, home.commune_id, home.hamlet_id, hamlet.code, home.sequence, home.book_number, home.address, hamlet.path
    FROM households_household home JOIN households_administrativeunit hamlet ON hamlet.id = home.hamlet_id
    WHERE home.id = $1""",
)


def place_of(officer: User, household_id: int) -> Place | None:
    """The place of a household whose persons the officer may see, or None."""
    row = PLACE.row(household_id)
    if row is None or not scope_of(officer).persons_cover_path(row[-1]):
        return None
    return Place(*row[:-1])


# Somebody due, as RoundFormQuerySet.due has it; a test holds the two together.
DUE = """EXISTS (
    SELECT FROM verification_roundform due WHERE due.household_id = home.id AND due.round_id = $1
        AND (due.outcome = ANY($2) OR due.approval = 'returned')
        AND NOT (due.outcome = 'not_met' AND due.next_visit_on IS NOT NULL AND due.next_visit_on > $3))"""
# Nearly always there is one further on in the hamlet, and that is quickly asked.
FURTHER_IN_HAMLET = {
    order: Statement(
        f"household_further_in_hamlet_by_{order.value}",
        f"bigint, text[], date, bigint, bigint, {'int' if order == Order.WALK else 'text'}, bigint",
        f"""
        SELECT {HOME} FROM households_household home
        WHERE home.commune_id = $4 AND home.hamlet_id = $5 AND ({SORTED_BY[order]}, home.id) > ($6, $7) AND {DUE}
        ORDER BY {SORTED_BY[order]}, home.id LIMIT 1""",
    )
    for order in Order
}
FROM_THE_START = {
    order: Statement(
        f"household_from_the_start_by_{order.value}",
        "bigint, text[], date, bigint, bigint, bigint, text",
        f"""
        SELECT {HOME} FROM households_household home
        JOIN households_administrativeunit hamlet ON hamlet.id = home.hamlet_id
        WHERE home.commune_id = $4 AND ($5 IS NULL OR home.hamlet_id = $5) AND home.id IS DISTINCT FROM $6 AND {DUE}
        ORDER BY coalesce(hamlet.code <= $7, false), hamlet.code,
            {SORTED_BY[order]}, home.id LIMIT 1""",
    )
    for order in Order
}


# What the district returned comes first of all, in walking order; behind it the walk goes on where it was.
RETURNED_FURTHER = Statement(
    "returned_household_further",
    "bigint, bigint, bigint, text, int",
    f"""
    SELECT {HOME} FROM verification_roundform waiting
    JOIN households_household home ON home.id = waiting.household_id
    JOIN households_administrativeunit hamlet ON hamlet.id = home.hamlet_id
    WHERE waiting.round_id = $1 AND waiting.commune_id = $2
        AND waiting.approval = 'returned' AND waiting.approval IN ('pending', 'returned')
        AND ($3 IS NULL OR home.hamlet_id = $3) AND (hamlet.code, home.sequence) > (coalesce($4, ''), coalesce($5, 0))
    ORDER BY hamlet.code, home.sequence LIMIT 1""",
)


def next_household(
    round: Round,
    commune_id: int,
    *,
    today: date,
    hamlet: AdministrativeUnit | None = None,
    after: Place | None = None,
    order: Order = Order.WALK,
) -> Household | None:
    """The next household with somebody due: what was returned first of all, then on from `after` in the officer's order,
    then from the start again. A returned one that was skipped comes back when the walk begins anew."""
    due = (round.pk, round.unfinished_outcomes(), today)
    row = RETURNED_FURTHER.row(
        round.pk, commune_id, hamlet and hamlet.pk, after and after.hamlet_code, after and after.sequence
    )
    if row is None and after and (hamlet is None or hamlet.pk == after.hamlet_id):
        place = (commune_id, after.hamlet_id, after.key(order), after.household_id)
        row = FURTHER_IN_HAMLET[order].row(*due, *place)
    if row is None:
        row = FROM_THE_START[order].row(
            *due, commune_id, hamlet and hamlet.pk, after and after.household_id, after and after.hamlet_code
        )
    return Household.from_db("default", HOUSEHOLD_COLUMNS, row) if row else None


@dataclass(frozen=True)
class Pace:
    """A commune's day: forms done today, and how many a day would finish the plan in time."""

    done_today: int
    needed_today: int | None


# What counts as verified, as Round.verified_q has it, and the plan as Plan.adjusted; a test holds them together.
PACE = Statement(
    "pace_of_commune",
    "bigint, bigint, text[], text[], date",
    """
    SELECT count(*) FILTER (WHERE counted_on = $5), count(*), (
        SELECT plan.forms + coalesce(
            (SELECT sum(adjustment.forms) FROM verification_planadjustment adjustment WHERE adjustment.plan_id = plan.id), 0)
        FROM verification_plan plan WHERE plan.round_id = $1 AND plan.commune_id = $2)
    FROM verification_roundform
    WHERE round_id = $1 AND commune_id = $2 AND outcome = ANY($3)
        AND (outcome <> ALL($4) OR approval IN ('', 'approved'))""",
)


def pace(round: Round, commune_id: int, *, today: date) -> Pace:
    removals = [outcome.value for outcome in REMOVALS]
    done_today, verified, plan = PACE.row(round.pk, commune_id, round.counting_outcomes, removals, today)
    left = (plan or 0) - (verified - done_today)
    return Pace(done_today, needed_per_day(left, first_day=today, due_on=round.ends_on))


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
        "without_proof": _without_proof(passes),
    }


def _without_proof(passes: list[VerificationPass]) -> list[tuple[str, int, str]]:
    """Corrections and papers just recorded to which a photo can still be attached: (page, its key, of what)."""
    corrected, papers = [p for p in passes if p.outcome in WITH_CORRECTIONS], [p for p in passes if p.paper]
    if not corrected and not papers:
        return []
    prefetch_related_objects(passes, "proofs", "corrections__proofs")
    items_left = [
        ("verification:correction_proof", correction.pk, f"{p.form.full_name}, {items.ITEMS[correction.field].label}")
        for p in corrected
        for correction in p.corrections.all()
        if not correction.proofs.all()
    ]
    papers_left = [p for p in papers if not p.proofs.all()]
    return items_left + [
        ("verification:pass_proof", p.pk, f"{p.form.full_name}, {p.get_outcome_display()}") for p in papers_left
    ]


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
