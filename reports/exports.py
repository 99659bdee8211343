"""Files of tables: their columns and rows, made by the worker, never offered half."""

import csv
import hashlib
import logging
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import xlsxwriter
from django.conf import settings
from django.core.cache import cache
from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as say
from django.utils.translation import gettext_lazy as _

from census_verify import clock
from households.models import AdministrativeUnit, CollectionForm
from households.models.register import Sex
from reports import permissions, progress
from reports.models import Export
from verification import records
from verification.terms import Approval, Outcome

logger = logging.getLogger(__name__)

KEEP_DAYS = 7
SHEET_ROWS = 1_000_000  # a sheet holds 1.048.576; the head and the foot want room
TELL_EVERY = 500
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


class CannotBeMade(Exception):
    """Why no file comes of this, in a sentence for the one who asked."""


@dataclass(frozen=True)
class Column:
    title: str
    value: Callable
    width: int = 12
    percent: bool = False


@dataclass
class Sheet:
    """A table ready to be written: heading lines, columns, rows, and the sum under them."""

    title: str
    lines: list[str]
    columns: list[Column]
    rows: Iterable
    row_count: int
    total: object | None = None


UNIT_COLUMNS = [
    Column(_("Code"), lambda r: getattr(r.owner, "code", ""), 12),
    Column(_("Unit"), lambda r: _owner_name(r.owner), 36),
    Column(_("Plan"), lambda r: r.tally.base),
    Column(_("Collected"), lambda r: r.tally.collected),
    Column(_("Qualified"), lambda r: r.tally.qualified),
    Column(_("In the round"), lambda r: r.tally.in_scope),
    Column(_("Verified today"), lambda r: r.today),
    Column(_("Verified to date"), lambda r: r.tally.verified),
    # xgettext:no-python-format
    Column(_("% of the plan"), lambda r: r.tally.rate, percent=True),
    Column(_("Left"), lambda r: r.tally.left),
    *(Column(o.label, lambda r, name=o.value: getattr(r.tally, name), 14) for o in Outcome),
    Column(_("Waiting for approval"), lambda r: r.tally.pending, 14),
    Column(_("Returned"), lambda r: r.tally.returned),
]
# A hamlet has no plan and no days of its own.
HAMLET_COLUMNS = [
    *UNIT_COLUMNS[:2],
    Column(_("Collected"), lambda r: r.tally.collected),
    *UNIT_COLUMNS[4:6],
    Column(_("Verified to date"), lambda r: r.tally.verified),
    Column(_("% of collected"), lambda r: r.tally.rate, percent=True),
    *UNIT_COLUMNS[9:],
]
DAY_COLUMNS = [
    Column(_("Day"), lambda r: r[0]),
    Column(_("Verified on the day"), lambda r: r[1], 16),
    Column(_("Verified to date"), lambda r: r[2], 16),
]
FORM_COLUMNS = [
    Column(_("No."), lambda r: r[0], 6),
    Column(_("Commune"), lambda r: r[1].commune.full_name, 24),
    Column(_("Hamlet"), lambda r: r[1].hamlet.full_name, 22),
    Column(_("Household book"), lambda r: r[1].household.book_number, 14),
    Column(_("Full name"), lambda r: r[1].full_name, 30),
    Column(_("Birth date"), lambda r: r[1].birth_date_text),
    Column(_("Sex"), lambda r: str(Sex(r[1].sex).label), 8),
    Column(_("Relation to the head"), lambda r: r[1].relation, 16),
    Column(_("Personal number"), lambda r: records.masked(r[1].pin), 16),
    Column(_("Identity card number"), lambda r: records.masked(r[1].cmnd), 16),
    Column(_("Barcode"), lambda r: r[1].barcode, 18),
    Column(_("Address"), lambda r: r[1].household.address, 40),
    Column(_("Result"), lambda r: str(Outcome(r[1].outcome).label) if r[1].outcome else "", 24),
    Column(_("Approval"), lambda r: str(Approval(r[1].approval).label) if r[1].approval else "", 18),
    Column(_("Verified on"), lambda r: r[1].counted_on),
    Column(_("Next visit"), lambda r: r[1].next_visit_on),
]


def make(export_id: int) -> None:
    """Make the file of a queued export. Harmless when another worker is at it, or it is made already.

    The row stays locked while the file is written: if this worker dies, the lock goes with it, the
    export is still queued, and `waiting` finds it.
    """
    with transaction.atomic():
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
            export.status = Export.Status.DONE
        except CannotBeMade as reason:
            export.status, export.failure = Export.Status.FAILED, str(reason)
        except Exception:
            logger.exception("export %s broke", export_id)
            export.status, export.failure = Export.Status.FAILED, "error"
        export.finished_at = clock.now()
        export.save(update_fields=["status", "rows", "sha256", "failure", "finished_at"])


def waiting() -> list[int]:
    """Queued exports that no worker holds."""
    with transaction.atomic():
        queued = Export.objects.filter(status=Export.Status.QUEUED).select_for_update(skip_locked=True)
        return list(queued.values_list("pk", flat=True))


def file_path(export: Export) -> Path:
    return Path(settings.EXPORT_DIR) / f"{export.pk}.{export.format}"


def file_name(export: Export) -> str:
    unit = f"-{export.unit.code}" if export.unit else ""
    asked_at = export.asked_at.astimezone(clock.now().tzinfo)
    return f"{export.kind}{unit}-{asked_at:%Y%m%d-%H%M}.{export.format}"


def clear_old() -> int:
    """Remove the files of exports finished more than `KEEP_DAYS` ago; returns how many."""
    old = Export.objects.filter(status=Export.Status.DONE, finished_at__lt=clock.now() - timedelta(days=KEEP_DAYS))
    for export in old:
        file_path(export).unlink(missing_ok=True)
    return old.update(status=Export.Status.CLEARED)


def made_so_far(export: Export) -> tuple[int, int] | None:
    """(rows written, rows in all) while the worker writes; None when nothing is known."""
    if export.status != Export.Status.QUEUED:
        return None
    try:
        return cache.get(f"export-{export.pk}")
    except Exception as gone:  # without the cache only the bar is missing
        logger.warning("no progress without the cache: %s", type(gone).__name__)
        return None


def _write(export: Export) -> tuple[int, str]:
    """Write the file beside its place and move it there whole; returns its rows and SHA-256."""
    if not permissions.can_export(export.owner, export.kind, export.unit):
        raise CannotBeMade(say("This table is not yours to export."))
    sheet = SHEETS[export.kind](export)
    path = file_path(export)
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_suffix(".part")
    written = _Telling(export, sheet.rows, sheet.row_count)
    sheet.rows = written
    try:
        WRITERS[export.format](sheet, half)
        with half.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        os.replace(half, path)
    finally:
        half.unlink(missing_ok=True)
    return written.done, digest


class _Telling:
    """Passes rows on, counts them, and tells now and then how far it is."""

    def __init__(self, export: Export, rows: Iterable, expected: int):
        self.export, self.rows, self.expected, self.done = export, rows, expected, 0

    def __iter__(self) -> Iterator:
        for row in self.rows:
            if self.done % TELL_EVERY == 0:
                _tell(self.export, self.done, self.expected)
            self.done += 1
            yield row


def _tell(export: Export, done: int, count: int) -> None:
    try:
        cache.set(f"export-{export.pk}", (done, count), 600)
    except Exception as gone:  # without the cache only the bar is missing
        logger.warning("no progress without the cache: %s", type(gone).__name__)


def _units_sheet(export: Export) -> Sheet:
    rows = progress.children_of(export.round, export.unit)
    columns = HAMLET_COLUMNS if export.unit.level == AdministrativeUnit.Level.COMMUNE else UNIT_COLUMNS
    return _progress_sheet(export, export.unit.full_name, rows, columns)


def _teams_sheet(export: Export) -> Sheet:
    teams = permissions.teams_visible_to(export.owner).select_related("district")
    return _progress_sheet(export, say("Work teams"), progress.teams(export.round, teams), UNIT_COLUMNS)


def _progress_sheet(export: Export, name: str, rows: list[progress.UnitRow], columns: list[Column]) -> Sheet:
    total = progress.total_of(rows, export.round)
    rows = progress.sorted_rows(rows, export.options.get("sort", ""))
    return Sheet(_title(export, name), _lines(export), columns, rows, len(rows), total)


def _days_sheet(export: Export) -> Sheet:
    shown, to_date, rows = progress.of_unit(export.round, export.unit), 0, []
    for day in shown.days:
        to_date += day.verified
        rows.append((day.day, day.verified, to_date))
    return Sheet(_title(export, export.unit.full_name), _lines(export), DAY_COLUMNS, rows, len(rows))


def _forms_sheet(export: Export) -> Sheet:
    state = export.options.get("state") or records.State.OPEN
    forms = records.forms_of(export.unit, export.round, state).select_related("commune")
    forms = forms.filter(pk__in=CollectionForm.objects.visible_to(export.owner).values("pk"))
    count = forms.count()
    if export.format == Export.Format.XLSX and count > SHEET_ROWS:
        raise CannotBeMade(
            say("%(count)d rows are more than a sheet holds; ask for CSV, or for one district.") % {"count": count}
        )
    label = dict([*records.State.choices, *Outcome.choices])[state]
    rows = enumerate(forms.iterator(chunk_size=2000), start=1)
    return Sheet(_title(export, f"{export.unit.full_name}: {label}"), _lines(export), FORM_COLUMNS, rows, count)


SHEETS = {
    Export.Kind.UNITS: _units_sheet,
    Export.Kind.DAYS: _days_sheet,
    Export.Kind.TEAMS: _teams_sheet,
    Export.Kind.FORMS: _forms_sheet,
}


def _title(export: Export, name: str) -> str:
    return f"{export.round.name}: {name}"


def _lines(export: Export) -> list[str]:
    now = clock.now()
    lines = [
        say("To the end of %(day)s; made at %(time)s by %(officer)s.")
        % {"day": f"{now.day}/{now.month}/{now.year}", "time": f"{now:%H:%M}", "officer": export.owner}
    ]
    if clock.training_day():
        lines.append(say("Demo data: these people do not exist."))
    return lines


def _owner_name(owner) -> str:
    return getattr(owner, "full_name", None) or (str(owner) if owner else say("Total"))


def _write_csv(sheet: Sheet, path: Path) -> None:
    """UTF-8 with a byte-order mark, so that a spreadsheet reads the marks right."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([str(column.title) for column in sheet.columns])
        for row in sheet.rows:
            writer.writerow([_csv_cell(column, column.value(row)) for column in sheet.columns])
        if sheet.total:
            writer.writerow([_csv_cell(column, column.value(sheet.total)) for column in sheet.columns])


def _csv_cell(column: Column, value) -> str:
    if value is None:
        return ""
    if column.percent:
        return str(progress.two_places(value))
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str) and value.startswith(FORMULA_STARTS):
        return "'" + value
    return str(value)


def _write_xlsx(sheet: Sheet, path: Path) -> None:
    """Real numbers and dates, text as text whatever it begins with."""
    book = xlsxwriter.Workbook(path, {"constant_memory": True, "default_date_format": "dd/mm/yyyy"})
    formats = {
        "title": book.add_format({"bold": True, "font_size": 13}),
        "head": book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "vcenter"}),
        "number": book.add_format({"num_format": "#,##0"}),
        "percent": book.add_format({"num_format": '0.00"%"'}),
        "date": book.add_format({"num_format": "dd/mm/yyyy"}),
    }
    total_formats = {name: book.add_format({"bold": True, "top": 1}) for name in ("text",)}
    total_formats["number"] = book.add_format({"bold": True, "top": 1, "num_format": "#,##0"})
    total_formats["percent"] = book.add_format({"bold": True, "top": 1, "num_format": '0.00"%"'})
    page = book.add_worksheet(str(say("Data")))
    page.set_landscape()
    page.set_paper(9)
    page.fit_to_pages(1, 0)
    for place, column in enumerate(sheet.columns):
        page.set_column(place, place, column.width)
    page.write_string(0, 0, sheet.title, formats["title"])
    for line, sentence in enumerate(sheet.lines, start=1):
        page.write_string(line, 0, sentence)
    top = len(sheet.lines) + 2
    for place, column in enumerate(sheet.columns):
        page.write_string(top, place, str(column.title), formats["head"])
    page.freeze_panes(top + 1, 2)
    page.repeat_rows(top)
    line = top
    for line, row in enumerate(sheet.rows, start=top + 1):
        _write_row(page, line, sheet.columns, row, formats)
    if sheet.total:
        _write_row(page, line + 1, sheet.columns, sheet.total, total_formats)
    book.close()


def _write_row(page, line: int, columns: list[Column], row, formats: dict) -> None:
    for place, column in enumerate(columns):
        value = column.value(row)
        if value is None:
            continue
        if column.percent:
            page.write_number(line, place, float(progress.two_places(value)), formats["percent"])
        elif isinstance(value, int):
            page.write_number(line, place, value, formats["number"])
        elif isinstance(value, date):
            page.write_datetime(line, place, value, formats["date"])
        else:
            page.write_string(line, place, str(value), formats.get("text"))


WRITERS = {Export.Format.CSV: _write_csv, Export.Format.XLSX: _write_xlsx}
