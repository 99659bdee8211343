"""Facts into figures: take the marks, recount the marked communes, climb the tree (architecture.md section 2).

Recounted, never added: no drift can build up, and a second run gives the same rows. One transaction
from the first mark taken to the last total written; whatever breaks, both roll back together.
"""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta

from django.db import connection, transaction

from census_verify import clock
from households import suspicions
from households.models import AdministrativeUnit
from households.suspicions import Swept
from reports import movements
from reports.models import (
    BaseMovement,
    DailyTally,
    Denominators,
    FaultMovement,
    Movement,
    OfficerTally,
    RefusalTally,
    SuspicionTally,
    Tally,
)
from reports.movements import CONDITIONS, COUNTS, VERIFIED
from verification import outbox
from verification.models import Round

# Roll-ups run one after the other: two that touched the same district would each sum the other's
# communes as they were. One run takes milliseconds, and takes every mark there is.
LOCK = 20200630
# Recorded at one moment and committed at another: at most this far apart (the load of a long file of results).
LONGEST_TRANSACTION = timedelta(hours=6)

FORM_COUNTS = ["collected", "qualified"]
PLANNED = ["population", "plan"]

DENOMINATORS = [f.name for f in Denominators._meta.fields]
COUNT_SQL = ",\n    ".join(
    f"count(*) FILTER (WHERE {condition}) AS {column}" for column, condition in CONDITIONS.items()
)


@dataclass(frozen=True)
class Table:
    """A table of figures: what names a row beside its owner, and which columns are summed."""

    name: str
    keys: tuple[str, ...]
    sums: tuple[str, ...]
    stamped: bool = False

    def replace(
        self, cursor, *, owner: str, owners: list[int], select: str, params: dict, days: list[date] | None = None
    ) -> list[date | None]:
        """Make the rows of `owners` (units or teams) equal to what `select` computes.

        `select` gives a column `owner`, the keys and the sums. Rows it does not give are deleted. With
        `days` only rows of these days are touched. Returns the days of which a row changed; [None] where the
        rows that changed have no day.
        """
        columns = [*self.keys, *self.sums]
        other = "team" if owner == "unit" else "unit"
        same_row = " AND ".join(f"computed.{c} = old.{c}" for c in self.keys) or "true"
        changed = ", ".join(f"{c} = EXCLUDED.{c}" for c in self.sums)
        stamp = ", rolled_up_at" if self.stamped else ""
        # A row that is as it was is not written again: ON CONFLICT alone would lock it, which writes it too.
        same_sums = " AND ".join(f"computed.{c} = same.{c}" for c in self.sums)
        only_changed = (
            ""
            if self.stamped
            else f"""WHERE NOT EXISTS (
                SELECT FROM {self.name} same WHERE same.round_id = %(round)s AND same.{owner}_id = ANY(%(owners)s)
                    AND same.{other}_id IS NULL AND same.{owner}_id = computed.owner
                    AND {same_row.replace("old.", "same.")} AND {same_sums})"""
        )
        stamped = ", rolled_up_at = EXCLUDED.rolled_up_at" if self.stamped else ""
        day = "day" if "day" in self.keys else "NULL::date"
        cursor.execute(
            f"""
            WITH computed AS MATERIALIZED ({select}),
            gone AS (
                DELETE FROM {self.name} old
                WHERE old.round_id = %(round)s AND old.{owner}_id = ANY(%(owners)s) AND old.{other}_id IS NULL
                    {self._on_days("old", days)} AND NOT EXISTS (
                    SELECT 1 FROM computed WHERE computed.owner = old.{owner}_id AND {same_row})
                RETURNING {day} AS day
            ), put AS (
                INSERT INTO {self.name} AS old (round_id, {owner}_id, {", ".join(columns)}{stamp})
                SELECT %(round)s, owner, {", ".join(columns)}{", %(now)s" if stamp else ""} FROM computed {only_changed}
                ON CONFLICT (round_id, unit_id, team_id{"".join(f", {k}" for k in self.keys)})
                DO UPDATE SET {changed}{stamped}
                RETURNING {day} AS day
            )
            SELECT day FROM gone UNION SELECT day FROM put
            """,
            {**params, "owners": owners, "days": days},
        )
        return [day for (day,) in cursor.fetchall()]

    def climb(self, cursor, parents: list[int], params: dict, days: list[date] | None = None) -> None:
        """Each parent is the sum of its children."""
        join = "JOIN households_administrativeunit unit ON unit.id = child.unit_id"
        select = self._sum("unit.parent_id", join, days)
        self.replace(cursor, owner="unit", owners=parents, select=select, params=params, days=days)

    def climb_to_teams(self, cursor, teams: list[int], params: dict, days: list[date] | None = None) -> None:
        """Each team is the sum of the communes it works in today."""
        join = "JOIN households_teamcommune tc ON tc.commune_id = child.unit_id AND tc.valid_to IS NULL"
        select = self._sum("tc.team_id", join, days)
        self.replace(cursor, owner="team", owners=teams, select=select, params=params, days=days)

    def _sum(self, owner: str, join: str, days: list[date] | None) -> str:
        sums = ", ".join(f"sum(child.{c})::int AS {c}" for c in self.sums)
        keys = "".join(f", child.{k}" for k in self.keys)
        return f"""
            SELECT {owner} AS owner{keys}, {sums} FROM {self.name} child {join}
            WHERE child.round_id = %(round)s AND child.team_id IS NULL AND {owner} = ANY(%(owners)s)
                {self._on_days("child", days)}
            GROUP BY {owner}{keys}"""

    def _on_days(self, row: str, days: list[date] | None) -> str:
        return f"AND {row}.day = ANY(%(days)s::date[])" if days is not None and "day" in self.keys else ""


HAMLET_SUMS = (*FORM_COUNTS, "in_scope", "new_people", *COUNTS)
TALLY = Table(Tally._meta.db_table, (), (*PLANNED, *HAMLET_SUMS), stamped=True)
DAILY = Table(DailyTally._meta.db_table, ("day",), tuple(COUNTS))
REFUSALS = Table(RefusalTally._meta.db_table, ("reason",), ("forms",))
SUSPICIONS = Table(SuspicionTally._meta.db_table, ("fault",), ("forms", "open"))
OFFICERS = Table(OfficerTally._meta.db_table, ("officer_id",), tuple(COUNTS))
MOVEMENTS = Table(Movement._meta.db_table, ("day", "counted_on"), tuple(COUNTS))
FAULT_MOVEMENTS = Table(FaultMovement._meta.db_table, ("day", "fault"), ("forms",))
BASE_MOVEMENTS = Table(BaseMovement._meta.db_table, ("day",), tuple(DENOMINATORS))
TABLES = (TALLY, DAILY, REFUSALS, SUSPICIONS, OFFICERS, MOVEMENTS, FAULT_MOVEMENTS, BASE_MOVEMENTS)

HAMLETS = f"""
    SELECT hamlet_id AS owner, 0 AS population, 0 AS plan,
        {", ".join(f"coalesce({c}, 0) AS {c}" for c in HAMLET_SUMS)}
    FROM (
        SELECT hamlet_id, count(*) AS collected, count(*) FILTER (WHERE qualification = 'qualified') AS qualified
        FROM households_collectionform WHERE commune_id = ANY(%(communes)s) GROUP BY hamlet_id
    ) forms FULL JOIN (
        SELECT hamlet_id, count(*) AS in_scope, {COUNT_SQL}
        FROM verification_roundform WHERE round_id = %(round)s AND commune_id = ANY(%(communes)s) GROUP BY hamlet_id
    ) results USING (hamlet_id)
    FULL JOIN (
        SELECT hamlet_id, count(*) AS new_people FROM verification_newperson
        WHERE round_id = %(round)s AND commune_id = ANY(%(communes)s) AND form_id IS NOT NULL GROUP BY hamlet_id
    ) supplements USING (hamlet_id)"""

# The plan is frozen per commune, so it joins the sums of the hamlets here.
COMMUNES = f"""
    SELECT commune.id AS owner, coalesce(max(plan.population), 0) AS population,
        coalesce(max(plan.forms), 0) + coalesce((
            SELECT sum(forms) FROM verification_planadjustment WHERE plan_id = max(plan.id)), 0)::int AS plan,
        {", ".join(f"coalesce(sum(child.{c}), 0)::int AS {c}" for c in HAMLET_SUMS)}
    FROM households_administrativeunit commune
    LEFT JOIN verification_plan plan ON plan.commune_id = commune.id AND plan.round_id = %(round)s
    LEFT JOIN households_administrativeunit hamlet ON hamlet.parent_id = commune.id
    LEFT JOIN reports_tally child ON child.unit_id = hamlet.id AND child.round_id = %(round)s
    WHERE commune.id = ANY(%(owners)s) GROUP BY commune.id"""

DAYS = f"""
    SELECT commune_id AS owner, counted_on AS day, {COUNT_SQL}
    FROM verification_roundform
    WHERE round_id = %(round)s AND commune_id = ANY(%(owners)s) AND outcome <> ''
    GROUP BY commune_id, counted_on"""

BY_OFFICER = f"""
    SELECT made.commune_id AS owner, made.officer_id, {COUNT_SQL}
    FROM (
        SELECT commune_id, officer_id, outcome, '' AS approval FROM verification_verificationpass
        WHERE round_id = %(round)s AND commune_id = ANY(%(owners)s) AND is_standing
            AND outcome <> ALL(%(approval_outcomes)s)
        UNION ALL
        SELECT decided.commune_id, made.officer_id, decided.outcome, decided.approval
        FROM verification_roundform decided JOIN verification_verificationpass made ON made.id = decided.standing_pass_id
        WHERE decided.round_id = %(round)s AND decided.commune_id = ANY(%(owners)s) AND decided.approval <> ''
    ) made GROUP BY made.commune_id, made.officer_id"""

REFUSED = """
    SELECT commune_id AS owner, refusal_reason AS reason, count(*)::int AS forms
    FROM households_collectionform
    WHERE commune_id = ANY(%(owners)s) AND qualification = 'refused'
    GROUP BY commune_id, refusal_reason"""

# A suspicion is open as long as its form is in the round and not verified. The form's row in the round is looked
# up by its own index: suspected are a few forms in a hundred.
SUSPECTED = f"""
    SELECT suspected.commune_id AS owner, suspected.fault, count(DISTINCT suspected.form_id)::int AS forms,
        count(DISTINCT suspected.form_id) FILTER (WHERE in_round.id IS NOT NULL AND NOT ({VERIFIED}))::int AS open
    FROM households_suspectedfault suspected
    LEFT JOIN verification_roundform in_round
        ON in_round.form_id = suspected.form_id AND in_round.round_id = %(round)s
    WHERE suspected.commune_id = ANY(%(owners)s)
    GROUP BY suspected.commune_id, suspected.fault"""


# The denominators have no history of their own in the register: what is not booked yet is booked on `known_on`.
BASES_MOVED = f"""
    SELECT * FROM (
        SELECT unit_id AS owner, %(known_on)s::date AS day,
            {", ".join(f"(tally.{c} - coalesce(booked.{c}, 0))::int AS {c}" for c in DENOMINATORS)}
        FROM reports_tally tally LEFT JOIN (
            SELECT unit_id, {", ".join(f"sum({c}) AS {c}" for c in DENOMINATORS)}
            FROM reports_basemovement WHERE round_id = %(round)s AND unit_id = ANY(%(owners)s) AND day <> %(known_on)s
            GROUP BY unit_id
        ) booked USING (unit_id)
        WHERE tally.round_id = %(round)s AND unit_id = ANY(%(owners)s)
    ) moved WHERE {" OR ".join(f"{c} <> 0" for c in DENOMINATORS)}"""

RECOUNTS = (
    (TALLY, COMMUNES),
    (DAILY, DAYS),
    (OFFICERS, BY_OFFICER),
    (REFUSALS, REFUSED),
    (SUSPICIONS, SUSPECTED),
)


@transaction.atomic
def roll_up() -> dict[int, set[int]]:
    """Take every mark there is and bring the figures of its communes up to the facts.

    Returns the communes recounted, by round. A mark whose transaction is still open is not seen
    yet; it comes with the next run.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        cursor.execute(
            """
            DELETE FROM verification_rollupmark WHERE id IN (
                SELECT id FROM verification_rollupmark ORDER BY id FOR UPDATE SKIP LOCKED)
            RETURNING round_id, commune_id, every_day
            """
        )
        touched = defaultdict(set)
        every_day = set()
        for round_id, commune_id, whole in cursor.fetchall():
            touched[round_id].add(commune_id)
            every_day |= {round_id} if whole else set()
        for round in Round.objects.filter(pk__in=touched):
            _recount(cursor, round, sorted(touched[round.pk]), every_day=round.pk in every_day)
    return dict(touched)


def _recount(cursor, round: Round, communes: list[int], *, every_day: bool) -> None:
    params = movements.params_of(round) | {"communes": communes, "now": clock.now()}
    known = None if every_day else _days_since_last_time(round, communes)
    hamlets = _ids(cursor, "SELECT id FROM households_administrativeunit WHERE parent_id = ANY(%s)", communes)
    TALLY.replace(cursor, owner="unit", owners=hamlets, select=HAMLETS, params=params)
    # The communes are recounted whole; above them only the days that changed are summed again.
    days = {
        table: table.replace(cursor, owner="unit", owners=communes, select=select, params=params)
        for table, select in RECOUNTS
    }
    for table, select in ((MOVEMENTS, movements.movements_sql), (FAULT_MOVEMENTS, movements.fault_movements_sql)):
        days[table] = _move(cursor, table, select(known), communes, params, known, round)
    days[BASE_MOVEMENTS] = _move_bases(cursor, communes, params, round)
    if every_day:
        days = dict.fromkeys(days)
    moved = [table for table in TABLES if days[table] != []]
    parents = communes
    while parents := _ids(
        cursor,
        "SELECT DISTINCT parent_id FROM households_administrativeunit WHERE id = ANY(%s) AND parent_id IS NOT NULL",
        parents,
    ):
        for table in moved:
            table.climb(cursor, parents, params, days[table] or None)
    # also the teams that worked there before, who give the commune's figures up
    teams = _ids(cursor, "SELECT DISTINCT team_id FROM households_teamcommune WHERE commune_id = ANY(%s)", communes)
    if every_day:
        teams = list({*teams, *Tally.objects.filter(round=round, unit=None).values_list("team_id", flat=True)})
    if teams:
        for table in moved:
            table.climb_to_teams(cursor, teams, params, days[table] or None)


def _days_since_last_time(round: Round, communes: list[int]) -> list[date] | None:
    """The days about which something may have become known since these communes were last rolled up; None where
    one never was. What was recorded before that moment and committed after it is still to come."""
    stamps = Tally.objects.filter(round=round, unit__in=communes).values_list("rolled_up_at", flat=True)
    if len(stamps) < len(communes):
        return None
    now = clock.now()
    first, last = round.known_on(min(*stamps, now) - LONGEST_TRANSACTION), round.known_on(now)
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def _move(
    cursor, table: Table, select: str, communes: list[int], params: dict, days: list[date] | None, round: Round
) -> list[date | None]:
    params = params | {"since": round.known_from(days[0]) if days else None}
    return table.replace(cursor, owner="unit", owners=communes, select=select, params=params, days=days)


def _move_bases(cursor, communes: list[int], params: dict, round: Round) -> list[date | None]:
    """The first denominators of a commune are those the round was opened with, whenever they are counted first."""
    today = round.known_on(clock.now())
    booked = set(BaseMovement.objects.filter(round=round, unit__in=communes).values_list("unit_id", flat=True))
    days = []
    for owners, known_on in (
        ([pk for pk in communes if pk in booked], today),
        ([pk for pk in communes if pk not in booked], min(round.known_on(round.opened_at), today)),
    ):
        if owners:
            days += BASE_MOVEMENTS.replace(
                cursor,
                owner="unit",
                owners=owners,
                select=BASES_MOVED,
                params=params | {"known_on": known_on},
                days=[known_on],
            )
    return days


def _ids(cursor, sql: str, ids: list[int]) -> list[int]:
    cursor.execute(sql, [ids])
    return [pk for (pk,) in cursor.fetchall()]


def mark_everything(round: Round) -> None:
    """Have every commune of the round's area recounted by the next roll-up."""
    communes = AdministrativeUnit.objects.under(round.area).filter(level=AdministrativeUnit.Level.COMMUNE)
    outbox.mark(round.pk, communes.values_list("pk", flat=True), every_day=True)


@transaction.atomic
def sweep_faults(commune_ids: Collection[int] | None = None) -> Swept:
    """Ask the rules of `households.faults` about the register (or some communes), and have the communes whose
    suspicions changed counted again in every round they belong to."""
    swept = suspicions.sweep(commune_ids)
    outbox.mark_in_every_round(swept.communes)
    return swept
