"""The annexes as a workbook, a sheet each: real numbers, sums as formulas, laid out for paper. And one of them as CSV."""

import csv
from datetime import datetime
from pathlib import Path

import xlsxwriter
from xlsxwriter.utility import xl_col_to_name, xl_rowcol_to_cell

from households import text
from reports.exports.writers import FORMULA_STARTS, NUMBER_FORMATS
from reports.official.annexes import Column, Table, Value
from reports.official.contents import Report
from reports.official.printed import NUMERALS
from reports.progress import two_places

FROZEN_COLUMNS = 2
NOT_IN_NAMES = str.maketrans(dict.fromkeys("[]:*?/\\'"))
HEAD_HEIGHT = 45


def write_csv(table: Table, path: Path) -> None:
    """UTF-8 with a byte-order mark; the last line is the total."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([column.title for column in table.columns])
        for row in (*table.rows, *([table.total] if table.total else [])):
            writer.writerow([_csv_cell(column, value) for column, value in zip(table.columns, row, strict=True)])


def _csv_cell(column: Column, value: Value) -> str:
    if value is None:
        return ""
    if column.kind == "percent":
        return str(two_places(value))
    cell = text.clean(str(value)) if column.kind == "text" else str(value)
    return f"'{cell}" if column.kind == "text" and cell.startswith(FORMULA_STARTS) else cell


def write_xlsx(report: Report, tables: tuple[Table, ...], path: Path) -> None:
    with xlsxwriter.Workbook(path, {"constant_memory": True}) as book:
        # the moment of the cut-off, not that of the making: the same report is the same file
        made_at = datetime.fromisoformat(f"{report.cut_off:%Y-%m-%dT%H:%M:%S}")
        book.set_properties({"title": report.subject, "author": report.letter.office_in_text, "created": made_at})
        formats = _Formats(book)
        for numeral, table in zip(NUMERALS, tables, strict=False):
            _write_sheet(book, formats, numeral, table, report)


class _Formats:
    def __init__(self, book: xlsxwriter.Workbook):
        self.title = book.add_format({"bold": True, "font_size": 13})
        self.note = book.add_format({"italic": True})
        self.head = book.add_format(
            {"bold": True, "border": 1, "text_wrap": True, "align": "center", "valign": "vcenter"}
        )
        kinds = {"text": {"num_format": "@"}, **{kind: {"num_format": shown} for kind, shown in NUMBER_FORMATS.items()}}
        self.cells = {kind: book.add_format(shown | {"border": 1}) for kind, shown in kinds.items()}
        self.sums = {kind: book.add_format(shown | {"border": 1, "bold": True}) for kind, shown in kinds.items()}


def _write_sheet(book, formats: _Formats, numeral: str, table: Table, report: Report) -> None:
    page = book.add_worksheet(f"{numeral} {table.title.translate(NOT_IN_NAMES)}"[:31].strip())
    page.set_landscape()
    page.set_paper(9)
    page.fit_to_pages(1, 0)
    page.set_margins(left=0.8, right=0.6, top=0.8, bottom=0.6)
    page.set_header("&C&P")
    for place, column in enumerate(table.columns):
        page.set_column(place, place, column.width)
    lines = [
        f"{report.unit.full_name}: {table.title}",
        report.subject,
        *report.notes,
        *([table.note] if table.note else []),
    ]
    for line, sentence in enumerate(lines):
        page.write_string(line, 0, sentence, formats.note if line else formats.title)
    top = len(lines) + 1
    page.set_row(top, HEAD_HEIGHT)
    for place, column in enumerate(table.columns):
        page.write_string(top, place, column.title, formats.head)
    page.freeze_panes(top + 1, FROZEN_COLUMNS)
    page.repeat_rows(top)
    for line, row in enumerate(table.rows, start=top + 1):
        for place, (column, value) in enumerate(zip(table.columns, row, strict=True)):
            _write_cell(page, line, place, column, value, formats.cells)
    if table.total:
        _write_total(page, table, top + 1, formats.sums)


def _write_cell(page, line: int, place: int, column: Column, value: Value, formats: dict) -> None:
    shown = formats[column.kind]
    if value is None:
        page.write_blank(line, place, None, shown)
    elif column.kind == "text":
        page.write_string(line, place, text.clean(str(value)), shown)
    else:
        page.write_number(line, place, float(two_places(value)) if column.kind == "percent" else value, shown)


def _write_total(page, table: Table, first: int, formats: dict) -> None:
    """Sums and shares as formulas, each with the value that the other files show."""
    last = first + len(table.rows) - 1
    for place, (column, value) in enumerate(zip(table.columns, table.total, strict=True)):
        if column.kind == "number" and column.sums:
            name = xl_col_to_name(place)
            page.write_formula(last + 1, place, f"=SUM({name}{first + 1}:{name}{last + 1})", formats["number"], value)
        elif column.share and value is not None:
            part, base = (xl_rowcol_to_cell(last + 1, table.column(key)) for key in column.share)
            page.write_formula(last + 1, place, _share(part, base), formats["percent"], float(two_places(value)))
        else:
            _write_cell(page, last + 1, place, column, value, formats)


def _share(part: str, base: str) -> str:
    """As `two_places`: what is not finished never reads 100,00."""
    share = f"ROUND({part}/{base}*100,2)"
    return f'=IF({base}=0,"",IF(AND({part}<{base},{share}>=100),99.99,{share}))'
