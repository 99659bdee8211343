"""Imports are checked and loaded by a worker of the queue `imports`, sheets are set by one of the queue `exports`;
corrected forms are judged again; photos that nobody recorded are cleared. The schedule is in settings."""

import logging

from celery import shared_task

from households.imports import stages
from households.models import Import
from verification import form_values, imports, proofs
from verification.sheets import making

logger = logging.getLogger(__name__)

# how often beat looks for imports and printings that wait; what it sent before is dropped unread by then
RESUME_SECONDS = 10


@shared_task
def judge_again(form_ids: list[int]) -> None:
    form_values.judge_again(form_ids)


@shared_task
def check_import(import_id: int) -> None:
    imports.check(import_id)


@shared_task
def load_import(import_id: int) -> None:
    imports.load(import_id)


TASKS = {Import.Status.CHECKING: check_import, Import.Status.LOADING: load_import}


def ask_for_stage(job: Import) -> None:
    """Send the task of the stage the import is in; where the broker is away `resume_imports` sends it later."""
    try:
        TASKS[job.status].apply_async([job.pk], retry=False)
    except Exception as gone:  # kombu and redis-py each raise their own
        logger.warning("the broker is away, import %s waits: %s", job.pk, type(gone).__name__)


@shared_task
def resume_imports() -> None:
    """Ask again for every import that waits: its message was lost, or its worker died."""
    for import_id, status in stages.waiting():
        TASKS[status].apply_async([import_id], expires=RESUME_SECONDS)


@shared_task
def make_sheets(printing_id: int) -> None:
    making.make(printing_id)


def ask_for_sheets(printing_id: int) -> None:
    """Send the task; where the broker is away `resume_printings` sends it later."""
    try:
        make_sheets.apply_async([printing_id], retry=False)
    except Exception as gone:  # kombu and redis-py each raise their own
        logger.warning("the broker is away, printing %s waits: %s", printing_id, type(gone).__name__)


@shared_task
def resume_printings() -> None:
    """Ask again for every printing that waits: its message was lost, or its worker died."""
    for printing_id in making.waiting():
        make_sheets.apply_async([printing_id], expires=RESUME_SECONDS)


@shared_task
def clear_printings() -> None:
    making.clear_old()


@shared_task
def clear_proofs() -> int:
    """Take away photos and scans that nobody recorded; returns how many."""
    return proofs.clear_waiting()
