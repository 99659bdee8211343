"""How a file comes about: made by the worker under a row lock, stopped when asked, never offered half."""

import hashlib
import logging
import os
import time
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.core.cache import cache
from django.db import connection, transaction
from django.utils import translation
from django.utils.translation import gettext as say

from census_verify import clock
from reports import disclosures, permissions
from reports.deliveries import files as corrections
from reports.exports import forms, paper, sharing, tables, writers
from reports.models import Delivery, Disclosure, Export
from reports.official import making as official

logger = logging.getLogger(__name__)

KEEP_DAYS = 7
DEATHS = 3  # of workers over one file, then it is given up
LOCK = 20200632  # of an export by its number, from before its tries are counted until it is made; `alerts.making` has the one before
LOOK_EVERY = 1000  # rows between two looks at the watch
TELL_SECONDS = 0.5
CACHE_SECONDS = 600
SHEETS = {
    Export.Kind.UNITS: tables.units_sheet,
    Export.Kind.DAYS: tables.days_sheet,
    Export.Kind.TEAMS: tables.teams_sheet,
    Export.Kind.FORMS: forms.forms_sheet,
    Export.Kind.REGISTER: forms.forms_sheet,
}
LONG = (Export.Kind.FORMS, Export.Kind.REGISTER)
WRITERS = {Export.Format.CSV: writers.write_csv, Export.Format.XLSX: writers.write_xlsx}


class CannotBeMade(Exception):
    """Why no file comes of this, in a sentence for the one who asked."""


class Stopped(Exception):
    """Whoever asked for the file no longer wants it."""


@dataclass(frozen=True)
class Progress:
    """How far a file is."""

    done: int
    count: int  # what the roll-up expects; the rows may be a few more
    seconds: float

    @property
    def per_second(self) -> int | None:
        return round(self.done / self.seconds) if self.done and self.seconds > 0 else None

    @property
    def seconds_left(self) -> int | None:
        return round(max(self.count - self.done, 0) / self.per_second) if self.per_second else None


def make(export_id: int) -> None:
    """Make the file of a queued export. Harmless when another worker is at it, or it is made already.

    The row stays locked while the file is written: if this worker dies, the lock goes with it, the
    export is still queued, and `waiting` finds it.
    """
    with _sole_maker(export_id) as is_sole:
        if is_sole and _begin(export_id):
            _make(export_id)


def waiting_behind(export_id: int) -> list[int]:
    """Exports that waited for this one to be made for all of them."""
    export = Export.objects.filter(pk=export_id).first()
    return sharing.queued_behind(export) if export and export.run_id else []


@contextmanager
def _sole_maker(export_id: int):
    """The row's lock is let go when the try is committed, and taken again: nobody comes in between."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [LOCK, export_id])
        (is_sole,) = cursor.fetchone()
    try:
        yield is_sole
    finally:
        if is_sole:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [LOCK, export_id])


@transaction.atomic
def _begin(export_id: int) -> bool:
    """Whether it is to be made now. A try is counted, and committed before the work begins, for the work's own
    transaction goes with a worker that dies over it: a file that kills its worker each time must not go round for ever."""
    queued = Export.objects.select_for_update(skip_locked=True).filter(pk=export_id, status=Export.Status.QUEUED)
    export = queued.first()
    if export is None or sharing.must_wait(export):
        return False
    if sharing.tries_of(export) < DEATHS:
        export.tries += 1
        export.save(update_fields=["tries"])
        return True
    with translation.override(export.language):
        export.failure = say("The program broke off %(n)s times while it made this file, and gave it up.") % {
            "n": DEATHS
        }
    export.status, export.finished_at = Export.Status.FAILED, clock.now()
    export.save(update_fields=["status", "failure", "finished_at"])
    logger.error("export %s was given up: its worker died %s times over it", export_id, DEATHS)
    return False


def _make(export_id: int) -> None:
    with _one_moment():
        export = (
            Export.objects.select_for_update(skip_locked=True, of=("self",))
            .select_related("owner", "unit", "round")
            .filter(pk=export_id, status=Export.Status.QUEUED)
            .first()
        )
        if export is None:
            return
        try:
            with transaction.atomic(), translation.override(export.language):
                export.rows, export.sha256 = _write(export)
                disclosures.write_down(export, Disclosure.Act.MADE, by=export.owner)
            export.status = Export.Status.DONE
        except Stopped:
            export.status = Export.Status.CANCELLED
        except CannotBeMade as reason:
            export.status, export.failure = Export.Status.FAILED, str(reason)
        except Exception:
            logger.exception("export %s broke", export_id)
            export.status, export.failure = Export.Status.FAILED, "error"
        export.finished_at = clock.now()
        export.save(update_fields=["status", "format", "rows", "sha256", "failure", "finished_at"])


def waiting() -> list[int]:
    """Queued exports that no worker holds."""
    with transaction.atomic():
        queued = Export.objects.filter(status=Export.Status.QUEUED).select_for_update(skip_locked=True)
        return list(queued.values_list("pk", flat=True))


def ask_to_stop(export: Export) -> None:
    """Tell the worker that writes the file; it looks every half second. Raises what the cache raises."""
    cache.set(_stop_key(export), True, CACHE_SECONDS)


def forget_progress(export: Export) -> None:
    """Of the making before, when it is asked for once more."""
    try:
        cache.delete(_progress_key(export))
    except Exception as gone:  # it is only shown until the worker tells its own
        logger.warning("no progress without the cache: %s", type(gone).__name__)


def kept_until(export: Export) -> datetime | None:
    """Until when its file can be fetched; the night after it is cleared."""
    return export.finished_at + timedelta(days=KEEP_DAYS) if export.status == Export.Status.DONE else None


def file_path(export: Export) -> Path:
    return Path(settings.EXPORT_DIR) / f"{export.pk}.{export.format}"


def file_name(export: Export) -> str:
    if export.kind in Export.REPORTS:
        return official.file_name(export)
    if export.kind == Export.Kind.DELIVERY:
        return f"DC02-{export.options['code']}.{export.format}"
    unit = f"-{export.unit.code}" if export.unit else ""
    asked_at = export.asked_at.astimezone(clock.now().tzinfo)
    return f"{export.kind}{unit}-{asked_at:%Y%m%d-%H%M}.{export.format}"


def clear_old() -> int:
    """Remove the files of exports finished more than `KEEP_DAYS` ago; returns how many."""
    old = Export.objects.filter(status=Export.Status.DONE, finished_at__lt=clock.now() - timedelta(days=KEEP_DAYS))
    for export in old:
        file_path(export).unlink(missing_ok=True)
    return old.update(status=Export.Status.CLEARED)


def made_so_far(export: Export) -> Progress | None:
    """How far the worker is; None when nothing is known."""
    if export.status != Export.Status.QUEUED:
        return None
    try:
        told = cache.get(_progress_key(export))
    except Exception as gone:  # without the cache only the bar is missing
        logger.warning("no progress without the cache: %s", type(gone).__name__)
        return None
    return Progress(*told) if told else None


@contextmanager
def _one_moment():
    """A transaction whose every query sees the register as of one moment, though a list is read in many.
    Inside another transaction it is that one's business."""
    is_outermost = not connection.in_atomic_block
    with transaction.atomic():
        if is_outermost:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        yield


def _write(export: Export) -> tuple[int, str]:
    """Write the file beside its place and move it there whole; returns its rows and SHA-256."""
    if not permissions.may_have(export.owner, export):
        raise CannotBeMade(say("This table is not yours to export."))
    folder = file_path(export).parent
    folder.mkdir(parents=True, exist_ok=True)
    half = folder / f"{export.pk}.part"
    half.unlink(missing_ok=True)  # of a worker that died
    try:
        rows = _write_rows(export, half)
        with half.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        os.replace(half, file_path(export))  # a list too long for one PDF has become a ZIP file
    except official.NotMade as reason:
        raise CannotBeMade(str(reason)) from reason
    except writers.TooManyRows:
        raise CannotBeMade(say("The list grew while it was written. Ask for it once more.")) from None
    finally:
        half.unlink(missing_ok=True)
    return rows, digest


def _write_rows(export: Export, path: Path) -> int:
    watch = _Watch(export)
    for twin in sharing.alike(export).filter(status=Export.Status.DONE):
        if file_path(twin).exists():
            sharing.take_over(file_path(twin), path)
            return twin.rows
    if export.kind in Export.REPORTS:
        return official.write(export, path, watch.look_now)
    if export.kind == Export.Kind.DELIVERY:
        delivery = Delivery.objects.select_related("area").get(pk=export.options["delivery"])
        watch.count = delivery.rows
        return corrections.write(delivery, export.format, path, watch.told)
    if export.kind in LONG and export.format == Export.Format.CSV:
        watch.count = forms.expected_rows(export)
        return forms.write_forms_csv(export, path, watch.told)
    if (export.kind, export.format) == (Export.Kind.FORMS, Export.Format.PDF):
        watch.count = forms.expected_rows(export)
        return paper.write(export, path, watch.told)
    sheet = SHEETS[export.kind](export)
    watch.count = sheet.row_count
    sheet.rows = watch.over(sheet.rows)
    WRITERS[export.format](sheet, path)
    watch.look_now()  # packing a long XLSX takes seconds, in which it may have been stopped
    return watch.done


class _Watch:
    """Sees the rows go by: tells how far it is, and stops when the owner asks."""

    def __init__(self, export: Export):
        self.export, self.count, self.done = export, 0, 0
        self.started = time.monotonic()
        self.told_at = float("-inf")

    def over(self, rows):
        for self.done, row in enumerate(rows, start=1):
            if self.done % LOOK_EVERY == 1:
                self._look()
            yield row

    def told(self, done: int) -> None:
        self.done = done
        self._look()

    def look_now(self) -> None:
        self.told_at = float("-inf")
        self._look()

    def _look(self) -> None:
        moment = time.monotonic()
        if moment - self.told_at < TELL_SECONDS:
            return
        self.told_at = moment
        try:
            if cache.get(_stop_key(self.export)):
                raise Stopped
            cache.set(_progress_key(self.export), (self.done, self.count, moment - self.started), CACHE_SECONDS)
        except Stopped:
            raise
        except Exception as gone:  # without the cache the bar and the stopping are missing, not the file
            logger.warning("no progress without the cache: %s", type(gone).__name__)


def _progress_key(export: Export) -> str:
    return f"export-{export.pk}"


def _stop_key(export: Export) -> str:
    # of this asking: what was stopped and is asked for once more is not stopped again
    return f"export-{export.pk}-{export.asked_at.timestamp()}-stop"
