"""Tables into files. A table is headings and rows of values; what the values mean was decided before."""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from itertools import chain, islice, repeat
from pathlib import Path

import rustpy_xlsxwriter as rust
import xlsxwriter
from django.utils.translation import gettext as say

from reports.progress import two_places

SHEET_ROWS = 1_000_000  # a sheet holds 1.048.576; the head wants room, and so do rows that came since they were counted
EXCEL_ROWS = 1_048_576
FROZEN_COLUMNS = 2
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
NUMBER_FORMATS = {"number": "#,##0", "percent": '0.00"%"', "date": "dd/mm/yyyy"}


class TooManyRows(Exception):
    """More rows came than were counted, and than the sheets hold."""


@dataclass(frozen=True)
class Heading:
    """The head of a column. `kind` is text, number, percent or date; a date may come as Excel's day number."""

    title: str
    width: int
    kind: str


@dataclass
class Sheet:
    """A table ready to be written: heading lines, headings, rows, and the sum under them."""

    title: str
    lines: list[str]
    headings: list[Heading]
    rows: Iterable
    row_count: int  # for a long list what the roll-up says, so nearly
    total: list | None = None
    is_long: bool = field(default=False, kw_only=True)

    @property
    def top(self) -> int:
        """The row of the head, counted from 0."""
        return len(self.lines) + 2


def write_csv(sheet: Sheet, path: Path) -> None:
    """UTF-8 with a byte-order mark, so that a spreadsheet reads the marks right."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([heading.title for heading in sheet.headings])
        for row in chain(sheet.rows, [sheet.total] if sheet.total else []):
            writer.writerow([_csv_cell(heading, value) for heading, value in zip(sheet.headings, row, strict=True)])


def write_xlsx(sheet: Sheet, path: Path) -> None:
    """Real numbers and dates, text as text whatever it begins with.

    Long lists go through the Rust writer, which is eight times as quick; what is laid out, and a list
    without a row, which that writer leaves without a head, through XlsxWriter.
    """
    if not sheet.is_long:
        return _write_laid_out(sheet, path)
    rows = iter(sheet.rows)
    first = list(islice(rows, 1))
    sheet.rows = chain(first, rows)
    return _write_long(sheet, path) if first else _write_laid_out(sheet, path)


def _csv_cell(heading: Heading, value) -> str:
    if value is None:
        return ""
    if heading.kind == "percent":
        return str(two_places(value))
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str) and value.startswith(FORMULA_STARTS):
        return "'" + value
    return str(value)


def _write_long(sheet: Sheet, path: Path) -> None:
    titles = [heading.title for heading in sheet.headings]
    names = _sheet_names(sheet)
    rows = iter(sheet.rows)
    room = [SHEET_ROWS] * (len(names) - 1) + [EXCEL_ROWS - sheet.top - 1]
    parts = [(name, _records(titles, islice(rows, most))) for name, most in zip(names, room, strict=True)]
    last = len(titles) - 1
    title, plain = rust.Format().set_bold().set_font_size(13), rust.Format()
    lines = [(0, 0, 0, last, sheet.title, title)]
    lines += [(line, 0, line, last, text, plain) for line, text in enumerate(sheet.lines, start=1)]
    formats = [_rust_format(heading) for heading in sheet.headings]
    head = rust.Format().set_bold().set_border_bottom("thin").set_text_wrap().set_align("vcenter")
    widths = [heading.width for heading in sheet.headings]
    page = {"landscape": True, "paper_size": 9, "fit_to_pages": (1, 0), "repeat_rows": sheet.top}
    rust.write_worksheets(
        parts,
        str(path),
        freeze_panes={"general": {"row": sheet.top + 1, "col": FROZEN_COLUMNS}},
        header_row=dict.fromkeys(names, sheet.top),
        header_format=dict.fromkeys(names, head),
        column_widths=dict.fromkeys(names, widths),
        column_formats=dict.fromkeys(names, formats),
        merge_ranges=dict.fromkeys(names, lines),
        page_setup=dict.fromkeys(names, page),
    )
    if next(rows, None) is not None:
        raise TooManyRows


def _records(titles: list[str], rows: Iterable) -> Iterator[dict]:
    """As the Rust writer takes them: it reads the head from the first row's keys. No loop: a million and a half times."""
    return map(dict, map(zip, repeat(titles), rows))


def _rust_format(heading: Heading) -> rust.Format:
    shown = NUMBER_FORMATS.get(heading.kind)
    return rust.Format().set_num_format(shown) if shown else rust.Format()


def _sheet_names(sheet: Sheet) -> list[str]:
    """Data, or Data 1, Data 2 … where one sheet does not hold the rows."""
    count = max(-(-sheet.row_count // SHEET_ROWS), 1)
    return [f"{say('Data')} {n}" for n in range(1, count + 1)] if count > 1 else [say("Data")]


def _write_laid_out(sheet: Sheet, path: Path) -> None:
    book = xlsxwriter.Workbook(path, {"constant_memory": True})
    formats = {kind: book.add_format({"num_format": shown}) for kind, shown in NUMBER_FORMATS.items()}
    sums = {
        kind: book.add_format({"bold": True, "top": 1, "num_format": shown}) for kind, shown in NUMBER_FORMATS.items()
    }
    sums["text"] = book.add_format({"bold": True, "top": 1})
    page = book.add_worksheet(say("Data"))
    page.set_landscape()
    page.set_paper(9)
    page.fit_to_pages(1, 0)
    for place, heading in enumerate(sheet.headings):
        page.set_column(place, place, heading.width)
    page.write_string(0, 0, sheet.title, book.add_format({"bold": True, "font_size": 13}))
    for line, sentence in enumerate(sheet.lines, start=1):
        page.write_string(line, 0, sentence)
    head = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "vcenter"})
    for place, heading in enumerate(sheet.headings):
        page.write_string(sheet.top, place, heading.title, head)
    page.freeze_panes(sheet.top + 1, FROZEN_COLUMNS)
    page.repeat_rows(sheet.top)
    line = sheet.top
    for line, row in enumerate(sheet.rows, start=sheet.top + 1):
        _write_row(page, line, sheet.headings, row, formats)
    if sheet.total:
        _write_row(page, line + 1, sheet.headings, sheet.total, sums)
    book.close()


def _write_row(page, line: int, headings: list[Heading], row: list, formats: dict) -> None:
    for place, (heading, value) in enumerate(zip(headings, row, strict=True)):
        if value is None:
            continue
        if heading.kind == "percent":
            page.write_number(line, place, float(two_places(value)), formats["percent"])
        elif isinstance(value, int):
            page.write_number(line, place, value, formats[heading.kind])
        elif isinstance(value, date):
            page.write_datetime(line, place, value, formats["date"])
        else:
            page.write_string(line, place, str(value), formats.get("text"))
