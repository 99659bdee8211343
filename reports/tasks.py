"""What runs later or on a clock. The schedule is `CELERY_BEAT_SCHEDULE` in settings."""

import logging

from celery import shared_task
from django.core.cache import cache

from census_verify.health import WORKER_SEEN_KEY, WORKER_SEEN_SECONDS
from reports import exports, proof, rollups
from reports.alerts import mail, making
from reports.exports import mail as export_mail
from reports.schedules import running
from verification.models import Round

logger = logging.getLogger(__name__)

# how often beat looks for exports that wait; what it sent before is dropped unread by then
RESUME_SECONDS = 10


@shared_task
def roll_up() -> int:
    """Bring marked communes up to the facts; returns how many were recounted."""
    return sum(len(communes) for communes in rollups.roll_up().values())


@shared_task
def worker_seen() -> None:
    cache.set(WORKER_SEEN_KEY, 1, WORKER_SEEN_SECONDS)


@shared_task
def make_export(export_id: int) -> None:
    exports.make(export_id)
    for waiting in exports.waiting_behind(export_id):
        exports.make(waiting)


def ask_for_export(export_id: int) -> None:
    """Send the task; where the broker is away `resume_exports` sends it later."""
    try:
        make_export.apply_async([export_id], retry=False)
    except Exception as gone:  # kombu and redis-py each raise their own
        logger.warning("the broker is away, export %s waits: %s", export_id, type(gone).__name__)


@shared_task
def resume_exports() -> None:
    """Ask again for every export that waits: its message was lost, or its worker died."""
    for export_id in exports.waiting():
        make_export.apply_async([export_id], expires=RESUME_SECONDS)


@shared_task
def clear_exports() -> None:
    exports.clear_old()


@shared_task
def check_rollups() -> None:
    for round in Round.objects.exclude(status=Round.Status.PLANNED):
        try:
            found = proof.first_difference(round)
        except proof.MarksWait as waiting:
            logger.error("the figures of %s could not be compared: %s", round, waiting)
            continue
        if found:
            logger.error("a stored figure is not the recount: %s: %s", round, found)


@shared_task
def sweep_faults() -> int:
    """What the rules suspect of the whole register, stored afresh; returns how many rows changed."""
    swept = rollups.sweep_faults()
    return swept.stored + swept.removed


@shared_task
def make_alerts() -> int:
    """Tell what is new to tell, then send the morning's mails; returns how many alerts somebody is newly told of."""
    told = making.make_alerts().told
    mail.send_digests()
    return told


@shared_task
def tell_of_exports() -> int:
    """By e-mail, whoever has not opened a file some minutes after it was finished; how many mails were sent."""
    return export_mail.send_mails()


@shared_task
def run_schedules() -> None:
    """What is due, and what was missed while the machine was off."""
    for export_id in running.run_due():
        ask_for_export(export_id)
