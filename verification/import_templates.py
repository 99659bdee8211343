"""Empty files to fill in: a heading for each field, in the order of the paper."""

import csv
from io import BytesIO, StringIO

import xlsxwriter
from django.utils.translation import gettext as say

from households.imports.fields import Field
from households.models import Import

LAST_ROW = 1_048_575
FORMATS = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def template_file(kind: str, fields: tuple[Field, ...], format: str) -> bytes:
    """The template as a file. It has no example row, which somebody would load; a workbook shows the example
    where a cell is filled in."""
    fields = tuple(field for field in fields if field.is_in_template)
    return _workbook(kind, fields) if format == "xlsx" else _csv(fields)


def _csv(fields: tuple[Field, ...]) -> bytes:
    text = StringIO()
    csv.writer(text).writerow([field.heading for field in fields])
    return text.getvalue().encode("utf-8-sig")


def _workbook(kind: str, fields: tuple[Field, ...]) -> bytes:
    """Cells are text, so that the spreadsheet keeps a number's zeros and does not round it."""
    output = BytesIO()
    with xlsxwriter.Workbook(output, {"in_memory": True}) as book:
        as_text, bold = book.add_format({"num_format": "@"}), book.add_format({"bold": True, "num_format": "@"})
        page = book.add_worksheet(str(Import.Kind(kind).label)[:31])
        page.freeze_panes(1, 0)
        for column, field in enumerate(fields):
            page.set_column(column, column, max(12, len(field.heading) + 2), as_text)
            page.write_string(0, column, field.heading, bold)
            if hint := _hint(field):
                shown_when_filling_in = {"validate": "any", "input_title": field.heading[:32], "input_message": hint}
                page.data_validation(1, column, LAST_ROW, column, shown_when_filling_in)
    return output.getvalue()


def _hint(field: Field) -> str:
    """What a spreadsheet shows beside a cell of the column; it takes 255 characters."""
    example = say("Example: %(example)s") % {"example": field.example} if field.example else ""
    return "\n".join(part for part in (say("Needed.") if field.is_required else "", example) if part)[:255]
