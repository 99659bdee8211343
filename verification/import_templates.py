"""Empty files to fill in: a heading for each field, in the order of the paper."""

import csv
from io import BytesIO, StringIO

import xlsxwriter
from django.utils.translation import gettext as say

from households.imports.fields import Field
from households.models import Import

FORMATS = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def template_file(kind: str, fields: tuple[Field, ...], format: str) -> bytes:
    """The template as a file. A workbook explains each column on a second sheet, which has other headings and
    so is never read as data; no example row can be loaded by mistake."""
    return _workbook(kind, fields) if format == "xlsx" else _csv(fields)


def _csv(fields: tuple[Field, ...]) -> bytes:
    text = StringIO()
    csv.writer(text).writerow([field.heading for field in fields])
    return text.getvalue().encode("utf-8-sig")


def _workbook(kind: str, fields: tuple[Field, ...]) -> bytes:
    output = BytesIO()
    with xlsxwriter.Workbook(output, {"in_memory": True}) as book:
        as_text, bold = book.add_format({"num_format": "@"}), book.add_format({"bold": True, "num_format": "@"})
        page = book.add_worksheet(str(Import.Kind(kind).label)[:31])
        page.freeze_panes(1, 0)
        for column, field in enumerate(fields):
            page.set_column(column, column, max(12, len(field.heading) + 2), as_text)
            page.write_string(0, column, field.heading, bold)
        guide = book.add_worksheet(say("How to fill in"))
        guide.set_column(0, 3, 32)
        for column, heading in enumerate((say("Column"), say("Needed"), say("Example"))):
            guide.write_string(0, column, heading, bold)
        for row, field in enumerate(fields, start=1):
            cells = (field.heading, say("yes") if field.is_required else "", field.example)
            for column, cell in enumerate(cells):
                guide.write_string(row, column, cell, as_text)
    return output.getvalue()
