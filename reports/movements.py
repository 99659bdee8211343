"""What became known when: the history of results as SQL, from which every cut-off can be told (decision 0027).

A pass begins to stand when it is recorded and ends when it is undone, superseded or reopened; it may stand again; the
district approves or returns it. Between two of these moments nothing about it changes. A cut-off falls into one
stretch of each pass at most, and what has become of it later changes no stretch that is over.
"""

from collections.abc import Collection
from datetime import date

from reports.models import Counts
from verification.models import PassEvent, Round
from verification.terms import REMOVALS, WITH_CORRECTIONS, Outcome

Kind = PassEvent.Kind
BEGINS, ENDS = (Kind.RESTORED,), (Kind.UNDONE, Kind.SUPERSEDED, Kind.REOPENED)
DECIDES = (Kind.APPROVED, Kind.RETURNED)
COUNTS = [field.name for field in Counts._meta.fields]

VERIFIED = "outcome = ANY(%(counting)s) AND (outcome <> ALL(%(removals)s) OR approval IN ('', 'approved'))"
# What of a standing result each column counts.
CONDITIONS = {
    "verified": VERIFIED,
    "pending": "approval = 'pending'",
    "returned": "approval = 'returned'",
    **{outcome: f"outcome = '{outcome}'" for outcome in Outcome.values},
}
KNOWN_ON = "(({moment}) AT TIME ZONE 'Asia/Ho_Chi_Minh' + make_interval(hours => 24 - %(cut_off_hour)s))::date"


def _quoted(kinds: Collection[str]) -> str:
    return ", ".join(f"'{kind}'" for kind in kinds)


def stretches(touched: str) -> str:
    """SQL of every stretch in which a pass stood unchanged: pass, form, commune, day of verification, outcome,
    approval, the day it became known and the day it ended (NULL while it lasts; both by the cut-off).

    `touched` selects the passes as the columns of their table. Moments are taken in the order they were written:
    two may carry one time. Of several on one day the last is what the day's figures know.
    """
    return f"""
        SELECT *, lead(known_on) OVER (PARTITION BY pass_id ORDER BY step) AS ended_on
        FROM (
            SELECT pass_id, form_id, commune_id, verified_on, outcome, step, stands,
                CASE coalesce(decided %% 2, -1) WHEN 1 THEN 'approved' WHEN 0 THEN 'returned' ELSE
                    CASE WHEN outcome = ANY(%(approval_outcomes)s) THEN 'pending' ELSE '' END END AS approval,
                {KNOWN_ON.format(moment="moment")} AS known_on
            FROM (
                SELECT pass.id AS pass_id, form_id, commune_id, verified_on, outcome, step, moment,
                    max(step * 2 + (kind NOT IN ({_quoted(ENDS)}))::int)
                        FILTER (WHERE kind NOT IN ({_quoted(DECIDES)})) OVER so_far %% 2 = 1 AS stands,
                    max(step * 2 + (kind = '{Kind.APPROVED}')::int)
                        FILTER (WHERE kind IN ({_quoted(DECIDES)})) OVER so_far AS decided
                FROM ({touched}) pass
                CROSS JOIN LATERAL (
                    SELECT 0::bigint AS step, pass.recorded_at AS moment, 'recorded' AS kind
                    UNION ALL SELECT id, at, kind FROM verification_passevent WHERE verification_pass_id = pass.id
                ) happened
                WINDOW so_far AS (PARTITION BY pass.id ORDER BY step)
            ) told
        ) known"""


# Each stretch adds to the day it became known and takes away again on the day it ended.
CHANGES = """
    SELECT stretch.*, change.day, change.sign
    FROM ({stretches}) stretch CROSS JOIN LATERAL (VALUES (known_on, 1), (ended_on, -1)) change (day, sign)
    WHERE stands AND change.day IS NOT NULL AND ended_on IS DISTINCT FROM known_on"""
NET = ",\n    ".join(
    f"coalesce(sum(sign) FILTER (WHERE {condition}), 0)::int AS {column}" for column, condition in CONDITIONS.items()
)
OF_COMMUNES = """
    SELECT id, form_id, commune_id, verified_on, outcome, recorded_at FROM verification_verificationpass
    WHERE round_id = %(round)s AND commune_id = ANY(%(owners)s)"""
# Those about which something became known from a day on: few, found by two indexes.
OF_COMMUNES_SINCE = f"""
    {OF_COMMUNES} AND recorded_at >= %(since)s
    UNION ALL
    {OF_COMMUNES} AND recorded_at < %(since)s AND id IN (
        SELECT verification_pass_id FROM verification_passevent WHERE at >= %(since)s)"""


def movements_sql(days: list[date] | None) -> str:
    """The rows of `Movement` of communes; with `days` only what became known on these days."""
    touched = OF_COMMUNES if days is None else OF_COMMUNES_SINCE
    only = "" if days is None else "AND change.day = ANY(%(days)s::date[])"
    return f"""
        SELECT * FROM (
            SELECT commune_id AS owner, day, verified_on AS counted_on, {NET}
            FROM ({CHANGES.format(stretches=stretches(touched))} {only}) changes GROUP BY 1, 2, 3
        ) net WHERE {" OR ".join(f"{column} <> 0" for column in COUNTS)}"""


def fault_movements_sql(days: list[date] | None) -> str:
    """The rows of `FaultMovement` of communes, as `movements_sql`."""
    touched = OF_COMMUNES if days is None else OF_COMMUNES_SINCE
    only = "" if days is None else "AND change.day = ANY(%(days)s::date[])"
    with_corrections = f"SELECT * FROM ({touched}) any_outcome WHERE outcome = ANY(%(corrections)s)"
    return f"""
        SELECT commune_id AS owner, day, found.fault, sum(sign)::int AS forms
        FROM ({CHANGES.format(stretches=stretches(with_corrections))} {only}) changes
        CROSS JOIN LATERAL (
            SELECT DISTINCT fault FROM verification_correction WHERE verification_pass_id = changes.pass_id) found
        GROUP BY 1, 2, 3 HAVING sum(sign) <> 0"""


def params_of(round: Round) -> dict:
    """What the SQL above asks of the round's settings, which are fixed once it is open."""
    return {
        "round": round.pk,
        "counting": list(round.counting_outcomes),
        "removals": [outcome.value for outcome in REMOVALS],
        "approval_outcomes": list(round.approval_outcomes),
        "corrections": [outcome.value for outcome in WITH_CORRECTIONS],
        "cut_off_hour": round.cut_off_hour,
    }
