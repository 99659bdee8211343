"""Marks that tell the roll-up which communes changed, and the call that wakes it.

The mark is the promise (it commits with the facts); the call only makes it quick. `reports` takes
the marks; this app does not know it, so the call goes by the task's name.
"""

import logging
import time
from collections.abc import Iterable

import redis
from celery import current_app
from django.conf import settings
from django.db import connection, transaction

from households.models import AdministrativeUnit
from verification.models import Round

logger = logging.getLogger(__name__)

# A burst of saves wakes the roll-up once: the first asks for a run a little later than the key
# lives, so that every save that found the key is committed before that run begins.
WAKE_KEY, WAKE_KEY_SECONDS, WAKE_DELAY_SECONDS = "rollup-asked-for", 0.5, 0.55
# Kept for the life of the process: Django's cache makes a new one for every question, at a tenth of a save.
broker = redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=1, socket_timeout=1)
asked_at = 0.0  # when this process asked last, so that it need not ask the broker in the meantime

# For a statement that appends facts as `recorded`: the marks go with it.
MARK_RECORDED = """INSERT INTO verification_rollupmark (round_id, commune_id, every_day)
        SELECT DISTINCT round_id, commune_id, false FROM recorded"""


def mark(round_id: int, commune_ids: Iterable[int], *, every_day: bool = False) -> None:
    """Leave a mark for each commune, in the transaction of the change.

    `every_day`: what changed is not a result of some day but where all of them are summed.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO verification_rollupmark (round_id, commune_id, every_day) SELECT %s, unnest(%s::bigint[]), %s",
            [round_id, list(commune_ids), every_day],
        )
    transaction.on_commit(wake)


def mark_in_every_round(commune_ids: Iterable[int]) -> None:
    """Marks for communes whose register changed, in every round they belong to."""
    if not commune_ids:
        return
    for round in Round.objects.exclude(status=Round.Status.PLANNED).select_related("area"):
        communes = AdministrativeUnit.objects.under(round.area).filter(pk__in=commune_ids)
        mark(round.pk, communes.values_list("pk", flat=True))


def wake() -> None:
    """Ask for a roll-up. With the broker down the save stands all the same, and beat asks again."""
    global asked_at
    now = time.monotonic()
    if now - asked_at < WAKE_KEY_SECONDS:
        return
    try:
        if broker.set(WAKE_KEY, 1, nx=True, px=int(WAKE_KEY_SECONDS * 1000)):
            asked_at = now
            current_app.send_task(
                "reports.tasks.roll_up", countdown=WAKE_DELAY_SECONDS, retry=False, ignore_result=True
            )
    except Exception as gone:  # kombu and redis-py each raise their own
        logger.warning("the broker is away, the roll-up waits for beat: %s", type(gone).__name__)
