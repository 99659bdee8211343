"""What the national database is still to be told: what is in force and was not delivered, and what was delivered and
is in force no more (docs/decisions/0035)."""

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.db import connection
from django.utils import timezone

from households.models import AdministrativeUnit
from reports.deliveries.models import DeliveryLine
from verification.form_values import IN_FORCE
from verification.terms import REMOVALS, Outcome

Kind = DeliveryLine.Kind
# A later result that saw the person: the removal that an earlier round approved does not hold against it.
SEEN = (Outcome.MATCHED, Outcome.CORRECTED, Outcome.SUPPLEMENTED, Outcome.MOVED_AWAY)

# A `told` line is the last word on its correction or pass. What the receiver refused it does not have, and what it
# refused to recall it has still: neither is told again before somebody says so.
# Removals are picked first and what was told of each is looked up: the planner takes "told of, or not" for a handful, and
# would look up the result of every pass of the province.
WAITING = f"""
    WITH removed AS MATERIALIZED (
        SELECT form_id, standing_pass_id FROM verification_roundform
        WHERE province_id = %(area)s AND outcome = ANY(%(removals)s) AND approval IN ('', 'approved'))
    SELECT 'correction' AS kind, pass.form_id, correction.field AS item, correction.id AS correction_id,
        NULL::bigint AS pass_id, NULL::bigint AS replaces_id,
        coalesce(correction.decided_by_id, pass.officer_id) AS decided_by_id,
        coalesce(correction.decided_at, pass.recorded_at) AS decided_at
    FROM verification_correction correction
    JOIN verification_verificationpass pass ON pass.id = correction.verification_pass_id
    LEFT JOIN reports_deliveryline told ON told.correction_id = correction.id AND told.stands
    WHERE pass.province_id = %(area)s AND {IN_FORCE} AND told.id IS NULL

    UNION ALL
    SELECT 'recall', told.form_id, told.item, told.correction_id, NULL, told.id, undone.by_id, undone.at
    FROM verification_passevent undone
    JOIN verification_verificationpass pass ON pass.id = undone.verification_pass_id
    JOIN verification_correction correction ON correction.verification_pass_id = pass.id AND correction.approval = ''
    JOIN reports_deliveryline told ON told.correction_id = correction.id AND told.stands
    WHERE undone.kind = 'undone' AND pass.province_id = %(area)s AND told.kind = 'correction' AND told.answer <> 'refused'

    UNION ALL
    SELECT 'removal', of_round.form_id, '', NULL, of_round.standing_pass_id, told.id,
        coalesce(approved.by_id, pass.officer_id), coalesce(since.at, pass.recorded_at)
    FROM removed of_round
    JOIN verification_verificationpass pass ON pass.id = of_round.standing_pass_id
    LEFT JOIN LATERAL (
        SELECT id, kind, answer FROM reports_deliveryline line
        WHERE line.verification_pass_id = of_round.standing_pass_id AND line.stands OFFSET 0) told ON true
    LEFT JOIN LATERAL (
        SELECT by_id FROM verification_passevent event
        WHERE event.verification_pass_id = pass.id AND kind = 'approved' ORDER BY id DESC LIMIT 1) approved ON true
    LEFT JOIN LATERAL (
        SELECT max(at) AS at FROM verification_passevent event
        WHERE event.verification_pass_id = pass.id AND kind IN ('approved', 'restored')) since ON true
    WHERE (told.id IS NULL OR (told.kind = 'recall' AND told.answer <> 'refused'))
        AND NOT EXISTS (
            SELECT FROM verification_roundform later
            WHERE later.form_id = of_round.form_id AND later.standing_pass_id > of_round.standing_pass_id
                AND later.outcome = ANY(%(seen)s))

    UNION ALL
    SELECT 'recall', told.form_id, '', NULL, told.verification_pass_id, told.id,
        coalesce(ended.by_id, later.officer_id), coalesce(ended.at, later.recorded_at)
    FROM reports_deliveryline told
    JOIN verification_verificationpass pass ON pass.id = told.verification_pass_id
    LEFT JOIN LATERAL (
        SELECT by_id, at FROM verification_passevent event
        WHERE event.verification_pass_id = pass.id AND kind IN ('undone', 'superseded', 'reopened') AND NOT pass.is_standing
        ORDER BY id DESC LIMIT 1) ended ON true
    LEFT JOIN LATERAL (
        SELECT seen.officer_id, seen.recorded_at FROM verification_roundform later
        JOIN verification_verificationpass seen ON seen.id = later.standing_pass_id
        WHERE later.form_id = told.form_id AND seen.id > pass.id AND seen.round_id <> pass.round_id
            AND later.outcome = ANY(%(seen)s)
        ORDER BY seen.id LIMIT 1) later ON true
    WHERE told.stands AND told.kind = 'removal' AND told.answer <> 'refused' AND pass.province_id = %(area)s
        AND (NOT pass.is_standing OR later.recorded_at IS NOT NULL)"""

# Of some days, and with them what waited before of the same item of the same form: a value that replaces another must
# not arrive before it.
CHOSEN = f"""
    SELECT * FROM (
        SELECT waits.*, bool_or(decided_at >= %(since)s) OVER (PARTITION BY form_id, item) AS is_chosen
        FROM ({WAITING}) waits WHERE decided_at < %(until)s
    ) waits WHERE is_chosen"""


def parameters(area: AdministrativeUnit, first: date = date.min, last: date = date.max) -> dict:
    return {
        "area": area.pk,
        "removals": [outcome.value for outcome in REMOVALS],
        "seen": [outcome.value for outcome in SEEN],
        "since": beginning_of(first) if first > date.min else "-infinity",
        "until": beginning_of(last + timedelta(days=1)) if last < date.max else "infinity",
    }


def beginning_of(day: date) -> datetime:
    return datetime.combine(day, time(), timezone.get_default_timezone())


@dataclass(frozen=True)
class Waiting:
    """How many rows wait, by kind and by kind and item, and since when."""

    by_kind: Counter
    by_item: dict[tuple[str, str], int]
    since: datetime | None

    @property
    def rows(self) -> int:
        return self.by_kind.total()


def summary(area: AdministrativeUnit, first: date = date.min, last: date = date.max) -> Waiting:
    """What a delivery of these days would hold."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT kind, item, count(*), min(decided_at) FROM ({CHOSEN}) chosen GROUP BY kind, item ORDER BY kind, item",
            parameters(area, first, last),
        )
        counted = cursor.fetchall()
    by_kind = Counter()
    for kind, _item, rows, _since in counted:
        by_kind[kind] += rows
    return Waiting(
        by_kind,
        {(kind, item): rows for kind, item, rows, _since in counted},
        min((since for *_rest, since in counted), default=None),
    )
