"""The day of the communes an officer works in, read live as `work.py`: what each hamlet still has, and what was made
today."""

from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from datetime import date
from functools import cached_property

from households.models import AdministrativeUnit
from households.models.units import UNIT_COLUMNS
from households.statements import Statement
from verification.models import Round
from verification.rules import needed_per_day
from verification.terms import REMOVALS


@dataclass(frozen=True)
class Standing:
    """How many forms of a hamlet or commune stand where; each figure is that of the list of its state."""

    in_round: int = 0
    untouched: int = 0
    not_met: int = 0
    later: int = 0  # of those not met: the next visit is after today
    returned: int = 0
    pending: int = 0
    verified: int = 0
    done_today: int = 0
    open_forms: int = 0
    turn: int = 0  # of the open ones: whose turn it is today
    open_households: int = 0

    @property
    def due(self) -> int:
        """Not met, and the day of the next visit has come."""
        return self.not_met - self.later

    def __add__(self, other: "Standing") -> "Standing":
        return Standing(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))


@dataclass(frozen=True)
class HamletWork:
    unit: AdministrativeUnit
    standing: Standing


@dataclass
class CommuneWork:
    """One commune's day."""

    round: Round
    commune_id: int
    today: date
    plan: int
    hamlets: list[HamletWork] = field(default_factory=list)  # in administrative order

    @cached_property
    def standing(self) -> Standing:
        return sum((hamlet.standing for hamlet in self.hamlets), Standing())

    @property
    def by_what_is_left(self) -> list[HamletWork]:
        return sorted(self.hamlets, key=lambda hamlet: -hamlet.standing.open_forms)

    @property
    def left(self) -> int:
        return self.plan - self.standing.verified

    @property
    def needed_today(self) -> int | None:
        """Forms a day, today among them, that finish the plan in time; None when the time is over."""
        left_this_morning = self.left + self.standing.done_today
        return needed_per_day(left_this_morning, first_day=self.today, due_on=self.round.ends_on)


# Which forms are counted, as `records.STATES_SQL` and RoundFormQuerySet.open have it; tests hold them together.
# The first part is answered by the index round_form_count alone, the last by round_form_open. What is alike is counted
# before it is judged: judging form by form took six times as long.
WORK_OF_COMMUNES = Statement(
    "work_of_communes",
    "bigint, bigint[], text[], text[], text[], date",
    f"""
    WITH alike AS (
        SELECT hamlet_id, outcome, approval, counted_on = $6 AS today, count(*) AS forms
        FROM verification_roundform WHERE round_id = $1 AND commune_id = ANY($2) GROUP BY 1, 2, 3, 4
    ), counted AS (
        SELECT hamlet_id, sum(forms) AS in_round, sum(forms) FILTER (WHERE outcome = '') AS untouched,
            sum(forms) FILTER (WHERE outcome = 'not_met') AS not_met,
            sum(forms) FILTER (WHERE approval = 'returned') AS returned,
            sum(forms) FILTER (WHERE approval = 'pending') AS pending,
            sum(forms) FILTER (WHERE counts) AS verified,
            sum(forms) FILTER (WHERE counts AND today) AS done_today
        FROM (
            SELECT *, outcome = ANY($4) AND (outcome <> ALL($5) OR approval IN ('', 'approved')) AS counts FROM alike
        ) judged GROUP BY hamlet_id
    ), opened AS (
        SELECT hamlet_id, count(*) FILTER (WHERE open) AS forms,
            count(DISTINCT household_id) FILTER (WHERE open) AS households,
            count(*) FILTER (WHERE open AND NOT (outcome = 'not_met' AND coalesce(next_visit_on > $6, false))) AS turn,
            count(*) FILTER (WHERE outcome = 'not_met' AND next_visit_on > $6) AS later
        FROM (
            SELECT hamlet_id, household_id, outcome, next_visit_on, outcome = ANY($3) OR approval = 'returned' AS open
            FROM verification_roundform WHERE round_id = $1 AND commune_id = ANY($2)
                AND (outcome = ANY($3) OR outcome = 'not_met' OR approval = 'returned')
        ) of_round GROUP BY hamlet_id
    )
    SELECT commune.id, coalesce(plan.forms + coalesce(
            (SELECT sum(change.forms) FROM verification_planadjustment change WHERE change.plan_id = plan.id), 0), 0),
        coalesce(in_round, 0)::int, coalesce(untouched, 0)::int, coalesce(not_met, 0)::int, coalesce(opened.later, 0),
        coalesce(returned, 0)::int, coalesce(pending, 0)::int, coalesce(verified, 0)::int, coalesce(done_today, 0)::int,
        coalesce(opened.forms, 0), coalesce(opened.turn, 0), coalesce(opened.households, 0),
        {", ".join(f"hamlet.{name}" for name in UNIT_COLUMNS)}
    FROM unnest($2) commune (id)
    LEFT JOIN verification_plan plan ON plan.round_id = $1 AND plan.commune_id = commune.id
    LEFT JOIN households_administrativeunit hamlet
        ON hamlet.parent_id = commune.id AND hamlet.level = {AdministrativeUnit.Level.HAMLET.value}
    LEFT JOIN counted ON counted.hamlet_id = hamlet.id
    LEFT JOIN opened ON opened.hamlet_id = hamlet.id
    ORDER BY hamlet.code, hamlet.valid_from""",
)


def of_communes(round: Round, commune_ids: Iterable[int], *, today: date) -> dict[int, CommuneWork]:
    """The day of each commune, in the order given."""
    ids = list(commune_ids)
    unfinished, removals = round.unfinished_outcomes(), [outcome.value for outcome in REMOVALS]
    work = {pk: CommuneWork(round, pk, today, 0) for pk in ids}
    width = len(fields(Standing))
    for commune_id, plan, *row in WORK_OF_COMMUNES.rows(
        round.pk, ids, unfinished, list(round.counting_outcomes), removals, today
    ):
        work[commune_id].plan = int(plan)
        standing, unit = Standing(*row[:width]), row[width:]
        if unit[0] is not None:
            hamlet = AdministrativeUnit.from_db("default", UNIT_COLUMNS, unit)
            # one that is no more has its line as long as it has forms
            if standing.in_round or hamlet.valid_to is None or hamlet.valid_to > today:
                work[commune_id].hamlets.append(HamletWork(hamlet, standing))
    return work
