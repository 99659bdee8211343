"""An import's way from upload to loaded. Each stage is one transaction: done whole, or not at all.

    receive → confirm_columns → check → confirm → load          cancel at any point before the end

A worker that dies in a stage leaves the status as it was, and `waiting` finds the import again. Staged
rows stand in an unlogged table: a crash of the database empties it, which the load notices and checks anew.
"""

import hashlib
import json
import logging
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from queue import Empty, Full, Queue
from typing import Protocol

from django.conf import settings
from django.core.cache import cache
from django.db import InterfaceError, OperationalError, connection, transaction

from census_verify import clock
from households import bulk
from households.imports import files, headings, workbooks
from households.imports import second_reader as two_readers
from households.imports.fields import Field
from households.imports.problems import CellRefused, FileRefused
from households.models import Import, ImportProblem, User

logger = logging.getLogger(__name__)

LOCK_CLASS = 1_713_000  # of the advisory locks by which workers keep off each other's imports
LINES_A_PIECE = 4000
TELL_EVERY_SECONDS = 0.5
PROGRESS_SECONDS = 120


class Rows(Protocol):
    """Reads the rows of one file; lines in COPY's text format come out."""

    def read(self, row: int, cells: list[str]) -> str | None: ...
    def close(self) -> None: ...


class Kind(Protocol):
    """What the stages need to know of a kind of import."""

    fields: tuple[Field, ...]
    # the module that reads every second block of a long file beside us, where its rows do not hang together
    second_reader: str

    def rows(self, job: Import, today: date, tell: Callable[..., None]) -> Rows: ...
    def staged_columns(self) -> str: ...
    def check_staged(self, cursor, job: Import, rows: Rows) -> dict: ...
    def load(self, cursor, job: Import, today: date, tell: Callable[[str, int, int], None]) -> set[int]: ...
    def drop_staged(self, cursor, job: Import) -> None: ...


class WrongState(Exception):
    """The import is not where this step begins; `status` says where it is."""

    def __init__(self, job: Import):
        self.status = job.status
        super().__init__(job.get_status_display())


class Cancelled(Exception):
    """Somebody asked for it while the stage ran."""


@dataclass(frozen=True)
class Progress:
    stage: str
    done: int
    total: int
    rows_per_second: float
    seconds_left: float | None


# --- from the page ----------------------------------------------------------------------


def receive(*, kind: str, source, name: str, area, by: User, fields: tuple[Field, ...], again: bool = False) -> Import:
    """Keep the file and look at it. Raises FileRefused; the file of a refused import is not kept.

    `source` gives bytes (`read(size)`). The same bytes that are loaded or on their way are refused unless `again`.
    """
    Path(settings.IMPORT_DIR).mkdir(parents=True, exist_ok=True)
    path = Path(settings.IMPORT_DIR) / f"incoming-{time.monotonic_ns()}-{threading.get_ident()}"
    try:
        size, sha256 = _keep(source, path)
        if not again:
            _refuse_same_file(kind, sha256, area)
        job = Import(
            kind=kind, area=area, by=by, file_name=name[-200:], size=size, sha256=sha256, uploaded_at=clock.now()
        )
        try:
            look = files.look_at(path, name, known=headings.known_keys(fields))
        except FileRefused as refused:
            job.status, job.finished_at = Import.Status.REFUSED, clock.now()
            job.refusal, job.refusal_values = refused.code, refused.values
            job.save()
            raise
        remembered = headings.remembered_for(kind)
        job.layout, job.headings = look.layout.as_json(), look.headings
        job.columns = headings.guess_columns(look.headings, fields, remembered)
        with transaction.atomic():
            job.save()
            workbooks.move(path, file_path(job))
        return job
    finally:
        workbooks.remove(path)


def _keep(source, path: Path) -> tuple[int, str]:
    digest, size = hashlib.sha256(), 0
    with path.open("wb") as file:
        while piece := source.read(1024 * 1024):
            size += len(piece)
            if size > files.MAX_BYTES:
                raise FileRefused("too_many_bytes", limit=files.MAX_BYTES // 2**20)
            digest.update(piece)
            file.write(piece)
    return size, digest.hexdigest()


def _refuse_same_file(kind: str, sha256: str, area) -> None:
    given_up = [Import.Status.CANCELLED, Import.Status.REFUSED, Import.Status.FAILED]
    same = Import.objects.filter(kind=kind, sha256=sha256, area=area).exclude(status__in=given_up)
    if earlier := same.select_related("by").first():
        day = earlier.uploaded_at.astimezone(clock.now().tzinfo)
        raise FileRefused("same_file", day=f"{day.day}/{day.month}/{day.year}", officer=str(earlier.by))


def file_path(job: Import) -> Path:
    return Path(settings.IMPORT_DIR) / f"{job.pk}"


def look(job: Import, fields: tuple[Field, ...], *, sheets: Sequence[str] = (), encoding: str = "") -> files.Look:
    """What the file shows, with the sheets and the encoding that somebody chose. Raises FileRefused."""
    return files.look_at(
        file_path(job), job.file_name, known=headings.known_keys(fields), sheets=sheets, encoding=encoding
    )


@transaction.atomic
def confirm_columns(
    job: Import, *, columns: dict[str, int], layout: files.Layout, file_headings: list[str], collected_on: date | None
) -> Import:
    """Say which field each column is; the check begins. Raises WrongState."""
    job = _locked(job, Import.Status.UPLOADED, Import.Status.CHECKED)
    headings.remember(job.kind, file_headings, columns)
    job.columns, job.layout, job.headings, job.collected_on = columns, layout.as_json(), file_headings, collected_on
    job.status = Import.Status.CHECKING
    job.save()
    return job


@transaction.atomic
def confirm(job: Import, *, existing: str) -> Import:
    """Decide for loading. Raises WrongState unless it is checked; pressed twice it is loaded once."""
    job = _locked(job, Import.Status.CHECKED)
    job.existing, job.status = existing, Import.Status.LOADING
    job.save(update_fields=["existing", "status"])
    return job


@transaction.atomic
def check_again(job: Import) -> Import:
    """After a failure, or after the file's columns were named otherwise."""
    job = _locked(job, Import.Status.FAILED, Import.Status.CHECKED)
    job.status, job.cancel_asked = Import.Status.CHECKING, False
    job.save(update_fields=["status", "cancel_asked"])
    return job


def cancel(job: Import, kind: Kind) -> Import:
    """Give the import up; nothing of it stays. A stage that runs stops at its next piece. Raises WrongState."""
    ended = {Import.Status.LOADED, Import.Status.REFUSED}
    with transaction.atomic():
        # first the wish, so that a running stage, which holds the other lock, sees it
        Import.objects.filter(pk=job.pk).exclude(status__in=ended).update(cancel_asked=True)
    cache_set(f"import-cancel-{job.pk}", 1)
    with transaction.atomic(), connection.cursor() as cursor:
        if _is_mine(cursor, job.pk):
            job = Import.objects.select_for_update(of=("self",)).get(pk=job.pk)
            if job.status in ended:
                raise WrongState(job)
            _give_up(cursor, job, kind)
    return Import.objects.get(pk=job.pk)


def _give_up(cursor, job: Import, kind: Kind) -> None:
    kind.drop_staged(cursor, job)
    job.status, job.finished_at = Import.Status.CANCELLED, clock.now()
    job.save(update_fields=["status", "finished_at"])
    transaction.on_commit(lambda: workbooks.remove(file_path(job)))


def _locked(job: Import, *states: str) -> Import:
    job = Import.objects.select_for_update(of=("self",)).get(pk=job.pk)
    if job.status not in states or job.cancel_asked:
        raise WrongState(job)
    return job


# --- in the worker ----------------------------------------------------------------------


def check(import_id: int, kind: Kind) -> Import | None:
    """Read the file, stage its good rows, and say what loading would change. None: somebody else is at it."""
    return _stage(import_id, Import.Status.CHECKING, kind, _check)


def load(import_id: int, kind: Kind, after: Callable[[Import, set[int]], None]) -> Import | None:
    """Put what the check staged into the register; `after(job, commune ids)` runs in the same transaction."""

    def load_and_tell(cursor, job: Import, kind: Kind, tell) -> None:
        _load(cursor, job, kind, tell, after)

    return _stage(import_id, Import.Status.LOADING, kind, load_and_tell)


def _stage(import_id: int, status: str, kind: Kind, work: Callable) -> Import | None:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            if not _is_mine(cursor, import_id):
                return None
            job = Import.objects.select_related("area").get(pk=import_id)
            if job.status != status:
                return job
            work(cursor, job, kind, _Teller(job))
            if Import.objects.select_for_update().values_list("cancel_asked", flat=True).get(pk=import_id):
                raise Cancelled
            job.save()
    except Cancelled:
        with transaction.atomic(), connection.cursor() as cursor:
            if _is_mine(cursor, import_id):
                _give_up(cursor, Import.objects.get(pk=import_id), kind)
    except FileRefused as refused:
        with transaction.atomic(), connection.cursor() as cursor:
            kind.drop_staged(cursor, Import.objects.get(pk=import_id))
        _end(import_id, Import.Status.REFUSED, refusal=refused.code, refusal_values=refused.values)
    except (OperationalError, InterfaceError):
        # the database went away: the stage is run again, for its status stands
        raise
    except Exception:
        logger.exception("import %s broke off", import_id)
        _end(import_id, Import.Status.FAILED)
    return Import.objects.filter(pk=import_id).first()


def _end(import_id: int, status: str, **fields) -> None:
    Import.objects.filter(pk=import_id).update(status=status, finished_at=clock.now(), **fields)
    workbooks.forget(file_path(Import(pk=import_id)))


def _is_mine(cursor, import_id: int) -> bool:
    """Holds for this transaction: one worker at a time for one import."""
    cursor.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", [LOCK_CLASS, import_id])
    return cursor.fetchone()[0]


def waiting() -> list[tuple[int, str]]:
    """(id, status) of imports whose next stage should run and that no worker holds."""
    found = []
    for import_id, status in Import.objects.waiting().values_list("pk", "status"):
        with transaction.atomic(), connection.cursor() as cursor:
            if _is_mine(cursor, import_id):
                found.append((import_id, status))
    return found


def _check(cursor, job: Import, kind: Kind, tell: "_Teller") -> None:
    kind.drop_staged(cursor, job)
    ImportProblem.objects.filter(of_import=job).delete()
    cursor.execute(f"CREATE UNLOGGED TABLE {job.staging_table} ({kind.staged_columns()})")
    with (
        closing(Problems(job, kind.fields)) as problems,
        closing(kind.rows(job, clock.today(), problems.tell)) as rows,
    ):
        job.rows = _copy_staged(cursor, job, kind, rows, problems, tell)
        tell("comparing", 0, 0)
        problems.copy(cursor)
        job.changes = kind.check_staged(cursor, job, rows)
    cursor.execute(
        f"SELECT count(*) FILTER (WHERE NOT is_doubtful), count(*) FILTER (WHERE is_doubtful) FROM {job.staging_table}"
    )
    job.good, job.doubtful = cursor.fetchone()
    job.refused = job.rows - job.good - job.doubtful
    job.status, job.checked_at = Import.Status.CHECKED, clock.now()


def staged_lines(rows: Rows, read: Iterator[tuple[int, list[str]]]) -> Iterator[bytes]:
    """The good rows as lines of COPY, some thousands at a time."""
    lines = []
    for row, cells in read:
        line = rows.read(row, cells)
        if line is not None:
            lines.append(line)
        if len(lines) >= LINES_A_PIECE:
            yield "".join(lines).encode()
            lines.clear()
    yield "".join(lines).encode()


def _copy_staged(cursor, job: Import, kind: Kind, rows: Rows, problems: "Problems", tell: "_Teller") -> int:
    """Rows into the staging table, read here while a thread of its own writes those before. Returns their number."""
    path, layout, position = file_path(job), files.Layout.from_json(job.layout), files.Progress()
    text_bytes = files.text_bytes(path, layout)
    read = files.read_rows(path, layout, position)
    pieces: Queue = Queue(maxsize=4)
    writer = _Writer(cursor, job.staging_table, pieces)
    writer.start()
    counted = 0

    def counting() -> Iterator:
        nonlocal counted
        for counted, row in enumerate(read, start=1):  # noqa: B007 - told while it goes
            yield row

    def take(mine: Iterator) -> None:
        for piece in staged_lines(rows, mine):
            writer.put(piece)
            tell("reading", position.done, position.total, rows=counted)

    try:
        if kind.second_reader and two_readers.is_worth_it(text_bytes):
            with two_readers.second_reader(
                kind.second_reader, job.pk, clock.today(), writer.put, problems.file, rows
            ) as second:
                take(two_readers.turn_of(rows, counting(), 0, two_readers.BLOCK, job.columns))
                rows.end_run()
                second.finish()
        else:
            take(counting())
    finally:
        writer.finish()
    if writer.failure:
        raise writer.failure
    return counted


class _Writer(threading.Thread):
    """COPY on the transaction's own connection, which nobody else may use until `finish`."""

    def __init__(self, cursor, table: str, pieces: Queue):
        super().__init__(daemon=True)
        self.cursor, self.table, self.pieces = cursor.cursor, table, pieces
        self.failure: Exception | None = None

    def run(self) -> None:
        try:
            self.cursor.copy_expert(f"COPY {self.table} FROM STDIN", self, 1024 * 1024)
        except Exception as failure:
            self.failure = failure

    def read(self, size: int = -1) -> bytes:
        """What COPY asks for: the next piece, whatever its size; nothing at the end."""
        return self.pieces.get()

    def put(self, piece: bytes) -> None:
        while piece:
            if self.failure:
                raise self.failure
            with suppress(Full):
                self.pieces.put(piece, timeout=1)
                return

    def finish(self) -> None:
        while self.is_alive():
            with suppress(Full):
                self.pieces.put(b"", timeout=0.1)
                break
        self.join()
        with suppress(Empty):
            while True:
                self.pieces.get_nowait()


def _load(cursor, job: Import, kind: Kind, tell: "_Teller", after: Callable[[Import, set[int]], None]) -> None:
    if not _is_staged_whole(cursor, job):
        # the database crashed meanwhile, and with it went what was staged
        job.status = Import.Status.CHECKING
        return
    communes = kind.load(cursor, job, clock.today(), tell)
    kind.drop_staged(cursor, job)
    job.status, job.finished_at = Import.Status.LOADED, clock.now()
    after(job, communes)
    transaction.on_commit(lambda: workbooks.forget(file_path(job)))


def _is_staged_whole(cursor, job: Import) -> bool:
    cursor.execute("SELECT to_regclass(%s)", [job.staging_table])
    if cursor.fetchone()[0] is None:
        return False
    cursor.execute(f"SELECT count(*) FROM {job.staging_table}")
    return cursor.fetchone()[0] == job.good + job.doubtful


class Problems:
    """Problems of rows as lines of COPY, kept aside while the connection is busy with the rows."""

    COLUMNS = '(of_import_id, row, "column", value, code, values, is_refusal)'

    def __init__(self, job: Import, fields: Sequence[Field]):
        self.headings = {field.name: field.heading for field in fields} | {
            name: job.headings[at] for name, at in job.columns.items() if at < len(job.headings)
        }
        self.job = job
        self.file = tempfile.TemporaryFile()  # noqa: SIM115 - `close` closes it

    def tell(self, row: int, field: str, value: str, problem: CellRefused, *, is_refusal: bool) -> None:
        cells = (
            str(self.job.pk),
            str(row),
            _escaped(self.headings.get(field, field)[:100]),
            _escaped(value[:100]),
            problem.code,
            _escaped(json.dumps(problem.values, ensure_ascii=False)),
            "t" if is_refusal else "f",
        )
        self.file.write(("\t".join(cells) + "\n").encode())

    def copy(self, cursor) -> None:
        self.file.seek(0)
        cursor.copy_expert(f"COPY {ImportProblem._meta.db_table} {self.COLUMNS} FROM STDIN", self.file, bulk.PIECE)

    def close(self) -> None:
        self.file.close()


def _escaped(cell: str) -> str:
    return cell.replace("\\", "\\\\").replace("\t", " ").replace("\n", " ").replace("\r", " ")


class _Teller:
    """Says how far a stage is, now and then, and stops it where that was asked for."""

    def __init__(self, job: Import):
        self.job, self.begun, self.told, self.stage = job, time.monotonic(), 0.0, ""

    def __call__(self, stage: str, done: int, total: int, rows: int | None = None) -> None:
        now = time.monotonic()
        if stage != self.stage:
            self.stage, self.begun, self.told = stage, now, 0.0
        if now - self.told < TELL_EVERY_SECONDS:
            return
        self.told = now
        spent = now - self.begun
        value = (stage, done, total, (done if rows is None else rows) / spent if spent else 0.0,
                 spent * (total - done) / done if done and total else None)  # fmt: skip
        cache_set(f"import-{self.job.pk}", value)
        if _cache_get(f"import-cancel-{self.job.pk}"):
            raise Cancelled
        if stage != "reading" and Import.objects.filter(pk=self.job.pk, cancel_asked=True).exists():
            raise Cancelled


def cache_set(key: str, value) -> None:
    try:
        cache.set(key, value, PROGRESS_SECONDS)
    except Exception as gone:  # without the cache only the bar is missing
        logger.warning("no progress without the cache: %s", type(gone).__name__)


def _cache_get(key: str):
    try:
        return cache.get(key)
    except Exception:  # without the cache, the database is asked at the next piece
        return None


def progress(job: Import) -> Progress | None:
    value = _cache_get(f"import-{job.pk}")
    return Progress(*value) if value else None


def error_file(job: Import) -> Path:
    """The refused rows, in the file's own format, with what is wrong in a last column."""
    path = Path(settings.IMPORT_DIR) / f"{job.pk}-errors"
    fresh = path.with_name(f"{path.name}-{time.monotonic_ns()}")  # two may ask at once
    with transaction.atomic():
        files.write_error_file(file_path(job), files.Layout.from_json(job.layout), _refused_rows(job), fresh)
    if job.status == Import.Status.LOADED:
        workbooks.forget(file_path(job))
    fresh.replace(path)
    return path


def _refused_rows(job: Import) -> Iterator[tuple[int, str]]:
    """(row, what is wrong with it) in the file's order."""
    row, sentences = None, []
    problems = ImportProblem.objects.filter(of_import=job, is_refusal=True).order_by("row", "pk")
    for problem in problems.iterator(chunk_size=2000):
        if problem.row != row and row is not None:
            yield row, "; ".join(sentences)
            sentences = []
        row = problem.row
        sentences.append(f"{problem.column}: {problem.sentence}")
    if row is not None:
        yield row, "; ".join(sentences)
