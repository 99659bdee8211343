"""The verbs of deliveries: make one, withdraw one, give refused rows free to be sent again. One at a time in a province."""

from datetime import date
from uuid import UUID

from django.db import connection, transaction
from django.utils.translation import gettext as say

from census_verify import clock
from households import text
from households.models import AdministrativeUnit, User
from reports import permissions
from reports.deliveries import waiting
from reports.deliveries.models import Delivery, DeliveryLine
from verification.items import ITEMS
from verification.models import Round
from verification.rules import Conflict, InvalidEntry, NotAllowed

LOCK_CLASS = 1_713_350  # of the advisory locks by which deliveries of a province keep off each other

# In walking order. Of one item of a form first what is taken back, the last thing first, then what came into force,
# in the order in which it did.
NUMBERED = """
    INSERT INTO reports_deliveryline
        (delivery_id, number, kind, form_id, item, correction_id, verification_pass_id, replaces_id, pin, cmnd,
         decided_by, decided_at, stands, answer, answer_reason)
    SELECT %(delivery)s,
        row_number() OVER (ORDER BY commune.code, commune.id, hamlet.code, hamlet.id, home.sequence, form.line, form.id,
            array_position(%(items)s, chosen.item::text) NULLS FIRST, chosen.kind <> 'recall',
            CASE WHEN chosen.kind = 'recall' THEN -chosen.replaces_id ELSE coalesce(correction_id, pass_id) END),
        chosen.kind, chosen.form_id, chosen.item, correction_id, pass_id, chosen.replaces_id, form.pin, form.cmnd,
        officer.full_name, chosen.decided_at, true, '', ''
    FROM delivery_chosen chosen
    JOIN households_collectionform form ON form.id = chosen.form_id
    JOIN households_household home ON home.id = form.household_id
    JOIN households_administrativeunit hamlet ON hamlet.id = form.hamlet_id
    JOIN households_administrativeunit commune ON commune.id = form.commune_id
    JOIN households_user officer ON officer.id = chosen.decided_by_id
    ORDER BY 2"""

# Each row's own hash, then theirs together: so that no string of all rows is made.
CONTENT_HASH = """
    SELECT encode(sha256(string_agg(sha256(convert_to(jsonb_build_array(
        line.number, line.kind, line.form_id, line.item, correction.old, correction.new, correction.source,
        pass.outcome, pass.event_on, pass.paper, pass.duplicate_of_id, line.replaces_id, line.pin, line.cmnd,
        line.decided_by, round(extract(epoch FROM line.decided_at) * 1000000)
    )::text, 'UTF8')), ''::bytea ORDER BY line.number)), 'hex')
    FROM reports_deliveryline line
    LEFT JOIN verification_correction correction ON correction.id = line.correction_id
    LEFT JOIN verification_verificationpass pass ON pass.id = line.verification_pass_id
    WHERE line.delivery_id = %s"""


@transaction.atomic
def make(*, area: AdministrativeUnit, round: Round, first: date, last: date, request: UUID, by: User) -> Delivery:
    """Put what waits of these days into a delivery of its own.

    `request` is made by the page; the same one again answers with what it made. Raises NotAllowed, InvalidEntry, or
    Conflict where nothing waits.
    """
    _require_right(by, area)
    require_days(first, last)
    _lock(area)
    if made := Delivery.objects.filter(request=request).first():
        return made
    now = clock.now()
    with connection.cursor() as cursor:
        cursor.execute(
            f"CREATE TEMPORARY TABLE delivery_chosen ON COMMIT DROP AS {waiting.CHOSEN}",
            waiting.parameters(area, first, last),
        )
        cursor.execute("ANALYZE delivery_chosen")
        cursor.execute("SELECT nextval(pg_get_serial_sequence('reports_delivery', 'id'))")
        (pk,) = cursor.fetchone()
        cursor.execute(
            "UPDATE reports_deliveryline line SET stands = false FROM delivery_chosen chosen"
            " WHERE line.id = chosen.replaces_id"
        )
        cursor.execute(NUMBERED, {"delivery": pk, "items": list(ITEMS)})
        rows = cursor.rowcount
        cursor.execute("DROP TABLE delivery_chosen")
        if not rows:
            raise Conflict(say("Nothing of these days waits to be delivered."))
        cursor.execute(CONTENT_HASH, [pk])
        (digest,) = cursor.fetchone()
    before = Delivery.objects.filter(area=area, year=now.year).order_by("-number").values_list("number", flat=True)
    return Delivery.objects.create(
        pk=pk,
        area=area,
        round=round,
        year=now.year,
        number=(before.first() or 0) + 1,
        first=first,
        last=last,
        request=request,
        made_by=by,
        made_at=now,
        rows=rows,
        sha256=digest,
    )


def require_days(first: date, last: date) -> None:
    """Raises InvalidEntry."""
    if first > last:
        raise InvalidEntry(say("The first day lies after the last one."), field="first")
    if last > clock.today():
        raise InvalidEntry(say("The last day lies in the future."), field="last")


@transaction.atomic
def withdraw(*, delivery: Delivery, reason: str, by: User) -> Delivery:
    """Take a delivery back as a whole: its rows wait again. Pressed twice it is withdrawn once.

    Raises NotAllowed, InvalidEntry without a reason, or Conflict where the receiver accepted of it, or where a later
    delivery goes on from it.
    """
    delivery = locked(delivery, by)
    if delivery.withdrawn_at:
        return delivery
    reason = text.clean(reason)[:200]
    if not reason:
        raise InvalidEntry(say("Give the reason."), field="reason")
    if delivery.accepted:
        raise Conflict(
            say(
                "The receiver has accepted %(rows)d rows of it. What is wrong is corrected in the register and goes out next."
            )
            % {"rows": delivery.accepted}
        )
    if later := _gone_on_by(delivery):
        raise Conflict(
            say("Delivery %(later)s goes on from it: withdraw that one first.") % {"later": later.code},
        )
    with connection.cursor() as cursor:
        _give_free(cursor, "delivery_id = %s AND stands", [delivery.pk])
    delivery.withdrawn_by, delivery.withdrawn_at, delivery.withdrawn_because = by, clock.now(), reason
    delivery.save(update_fields=["withdrawn_by", "withdrawn_at", "withdrawn_because"])
    return delivery


# Refused rows, unless something was said later of the same item that the receiver did not refuse: then it has the
# later value, and the earlier one would undo it.
TO_SEND_AGAIN = """
    SELECT own.id, own.form_id, own.item FROM reports_deliveryline own
    WHERE own.delivery_id = %(delivery)s AND own.stands AND own.answer = 'refused' AND NOT EXISTS (
        SELECT FROM reports_deliveryline later
        WHERE later.form_id = own.form_id AND later.item = own.item AND later.stands AND later.id > own.id
            AND later.answer <> 'refused')"""


def to_send_again(delivery: Delivery) -> int:
    """How many rows `send_again` would give free."""
    if not delivery.refused or delivery.withdrawn_at:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM ({TO_SEND_AGAIN}) rows", {"delivery": delivery.pk})
        return cursor.fetchone()[0]


@transaction.atomic
def send_again(*, delivery: Delivery, by: User) -> int:
    """Let what the receiver refused go out with the next delivery, and what it refused later of the same items.

    Returns how many rows wait again; 0 when pressed twice. Raises NotAllowed, or Conflict for a withdrawn delivery.
    """
    delivery = locked(delivery, by)
    if delivery.withdrawn_at:
        raise Conflict(say("This delivery was withdrawn: its rows wait already."))
    with connection.cursor() as cursor:
        of_deliveries = _give_free(
            cursor,
            f"""id IN (
                SELECT line.id FROM ({TO_SEND_AGAIN}) own
                JOIN reports_deliveryline line ON line.form_id = own.form_id AND line.item = own.item
                    AND line.stands AND line.id >= own.id)""",
            {"delivery": delivery.pk, "by": by.pk, "now": clock.now()},
            ", sent_again_by_id = %(by)s, sent_again_at = %(now)s",
        )
        cursor.execute(COUNT_SENT_AGAIN, [list(set(of_deliveries))])
    return len(of_deliveries)


COUNT_SENT_AGAIN = """
    UPDATE reports_delivery delivery SET sent_again = counted.rows
    FROM (SELECT delivery_id, count(*) AS rows FROM reports_deliveryline
        WHERE delivery_id = ANY(%s::bigint[]) AND sent_again_at IS NOT NULL GROUP BY delivery_id) counted
    WHERE delivery.id = counted.delivery_id"""


def _give_free(cursor, which: str, values, also: str = "") -> list[int]:
    """These rows stand no more, and those stand again whose place they had taken. Returns the delivery of each."""
    cursor.execute(
        f"UPDATE reports_deliveryline SET stands = false{also} WHERE {which} RETURNING delivery_id, replaces_id", values
    )
    freed = cursor.fetchall()
    if restored := [replaced for _delivery, replaced in freed if replaced]:
        cursor.execute("UPDATE reports_deliveryline SET stands = true WHERE id = ANY(%s)", [restored])
    return [delivery for delivery, _replaced in freed]


def _gone_on_by(delivery: Delivery) -> Delivery | None:
    """A later delivery with a standing row of an item that stands in this one, or stood until that row took its place."""
    later = DeliveryLine.objects.raw(
        """
        SELECT later.id, later.delivery_id FROM reports_deliveryline own
        JOIN reports_deliveryline later ON later.form_id = own.form_id AND later.item = own.item
            AND later.stands AND later.id > own.id AND later.delivery_id <> own.delivery_id
        WHERE own.delivery_id = %s AND own.sent_again_at IS NULL
        ORDER BY later.id DESC LIMIT 1""",
        [delivery.pk],
    )
    return next((line.delivery for line in later), None)


def _require_right(by: User, area: AdministrativeUnit) -> None:
    if area not in permissions.delivery_areas_of(by):
        raise NotAllowed(say("PC06 and administrators of the province deliver to the national database."))


def _lock(area: AdministrativeUnit) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [LOCK_CLASS, area.pk])


def locked(delivery: Delivery, by: User) -> Delivery:
    _require_right(by, delivery.area)
    _lock(delivery.area)
    return Delivery.objects.select_for_update(of=("self",)).select_related("area").get(pk=delivery.pk)
