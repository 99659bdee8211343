"""How the PDF of a printing comes about: sheet by sheet under the printing's row lock, stopped when asked, never half.

As an export is made (docs/decisions/0010-an-export-is-a-locked-row.md): a worker that dies leaves the printing queued and
none of its sheets, and `waiting` finds it.
"""

import io
import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.core.cache import cache
from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as say
from pypdf import PdfWriter

from census_verify import clock
from verification import permissions
from verification.models import Printing
from verification.rules import Conflict
from verification.sheets import printing as sheets

logger = logging.getLogger(__name__)

KEEP_DAYS = 7
SHEETS_A_PIECE = 8  # set in one go, and between two looks whether somebody wants it stopped
PIECE_SECONDS = 120
CACHE_SECONDS = 600
QUICK_PEOPLE = 400  # set in about a second, so the page that asks may wait for it


class Stopped(Exception):
    """Whoever asked for the sheets no longer wants them."""


class CannotBePrinted(Exception):
    """Why no sheets come of this, in a sentence for the one who asked."""


def make(printing_id: int) -> None:
    """Make the sheets of a queued printing and their PDF. Harmless when another worker is at it or it is done."""
    with transaction.atomic():
        printing = (
            Printing.objects.select_for_update(skip_locked=True, of=("self",))
            .select_related("by", "round", "unit__parent__parent__parent")
            .filter(pk=printing_id, status=Printing.Status.QUEUED)
            .first()
        )
        if printing is None:
            return
        try:
            with transaction.atomic(), translation.override(printing.language):
                printing.pages = _make(printing)
            printing.status = Printing.Status.DONE
        except Stopped:
            printing.status = Printing.Status.CANCELLED
        except CannotBePrinted as reason:
            printing.status, printing.failure = Printing.Status.FAILED, str(reason)
        except Exception:
            logger.exception("printing %s broke", printing_id)
            printing.status, printing.failure = Printing.Status.FAILED, "error"
        printing.finished_at = clock.now()
        printing.save(update_fields=["status", "pages", "failure", "finished_at"])


def waiting() -> list[int]:
    """Queued printings that nobody is at."""
    with transaction.atomic():
        queued = Printing.objects.filter(status=Printing.Status.QUEUED).select_for_update(skip_locked=True)
        return list(queued.values_list("pk", flat=True))


@transaction.atomic
def cancel(*, printing: Printing) -> None:
    """Stop a printing: at once while it waits, at the next piece while a worker is at it."""
    unheld = Printing.objects.select_for_update(skip_locked=True).filter(pk=printing.pk).first()
    if unheld is None:
        try:
            cache.set(_stop_key(printing), True, CACHE_SECONDS)
        except Exception as gone:
            raise Conflict(say("The file could not be stopped just now. Try once more.")) from gone
        return
    if unheld.status == Printing.Status.QUEUED:
        unheld.status, unheld.finished_at = Printing.Status.CANCELLED, clock.now()
        unheld.save(update_fields=["status", "finished_at"])
    elif unheld.status != Printing.Status.CANCELLED:  # pressing twice is no mistake
        raise Conflict(say("The file is finished: there is nothing to stop."))


def made_so_far(printing: Printing) -> tuple[int, int] | None:
    """Sheets set and sheets in all; None when nothing is known."""
    if printing.status != Printing.Status.QUEUED:
        return None
    try:
        return cache.get(_progress_key(printing))
    except Exception as gone:  # without the cache only the bar is missing
        logger.warning("no progress without the cache: %s", type(gone).__name__)
        return None


def file_path(printing: Printing) -> Path:
    return Path(settings.SHEET_DIR) / f"{printing.pk}.pdf"


def file_name(printing: Printing) -> str:
    asked_at = printing.asked_at.astimezone(clock.now().tzinfo)
    return f"phieu-kiem-{printing.unit.code}-{asked_at:%Y%m%d-%H%M}.pdf"


def clear_old() -> int:
    """Remove the files of printings finished more than `KEEP_DAYS` ago; returns how many. The sheets stay."""
    until = clock.now() - timedelta(days=KEEP_DAYS)
    old = Printing.objects.filter(status=Printing.Status.DONE, finished_at__lt=until)
    for printing in old:
        file_path(printing).unlink(missing_ok=True)
    return old.update(status=Printing.Status.CLEARED)


def _make(printing: Printing) -> int:
    """Store the sheets, write the PDF beside its place and move it there whole; returns its pages."""
    unit = printing.unit
    commune_id = unit.pk if unit.level == unit.Level.COMMUNE else unit.parent_id
    if not permissions.can_record_in(printing.by, commune_id):
        raise CannotBePrinted(say("Sheets are printed by those who record results in the commune."))
    planned = sheets.plan(printing.round, unit)
    if not planned:
        raise CannotBePrinted(say("Nobody here is due: there is nothing to print."))
    _look(printing, 0, len(planned))
    sheets.store(printing, planned)
    path = file_path(printing)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    half = path.with_suffix(".part")
    try:
        with PdfWriter() as whole:
            for piece in _pieces(printing, planned):
                whole.append(piece, import_outline=False)
            whole.add_metadata({"/Title": f"{say('Checklists')}: {unit.full_name}"})
            whole.write(half)
            pages = len(whole.pages)
        os.replace(half, path)
    finally:
        half.unlink(missing_ok=True)
    return pages


def _pieces(printing: Printing, planned: list[sheets.Planned]) -> Iterator:
    paper = sheets.Paper(printing, planned)
    for first in range(0, len(planned), SHEETS_A_PIECE):
        _look(printing, first, len(planned))
        yield _typeset(paper.data(planned[first : first + SHEETS_A_PIECE]))


def _look(printing: Printing, done: int, count: int) -> None:
    try:
        if cache.get(_stop_key(printing)):
            raise Stopped
        cache.set(_progress_key(printing), (done, count), CACHE_SECONDS)
    except Stopped:
        raise
    except Exception as gone:  # without the cache the bar and the stopping are missing, not the sheets
        logger.warning("no progress without the cache: %s", type(gone).__name__)


def _typeset(data: dict) -> io.BytesIO:
    """In a process of its own, see `typesetting`."""
    command = [sys.executable, "-m", "verification.sheets.typesetting"]
    done = subprocess.run(
        command,
        input=json.dumps(data).encode(),
        stdout=subprocess.PIPE,
        timeout=PIECE_SECONDS,
        cwd=settings.BASE_DIR,
        check=True,
    )
    return io.BytesIO(done.stdout)


def _progress_key(printing: Printing) -> str:
    return f"printing-{printing.pk}"


def _stop_key(printing: Printing) -> str:
    return f"printing-{printing.pk}-stop"
