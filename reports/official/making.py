"""The files of a report, made by the worker as every export is (`exports.making`)."""

from collections.abc import Callable
from pathlib import Path

from django.utils.translation import gettext as say

from reports.models import Export, ReportTemplate
from reports.official import workbook
from reports.official.annexes import Table
from reports.official.contents import Report, report_of
from reports.official.forms import read_options
from reports.official.printed import report_words
from reports.official.word import WordFailed, word_file
from reports.typesetting import on_paper

Format = Export.Format
ROWS_ON_PAPER = 2000  # of one table: beyond, setting it takes gigabytes


class NotMade(Exception):
    """Why no file comes of this, in a sentence for the one who asked."""


def write(export: Export, path: Path, look: Callable[[], None]) -> int:
    """Write the file; returns how many lines its tables have. `look` raises when it is no longer wanted."""
    look()
    report = report_of(export.round, export.unit, **read_options(export))
    look()
    tables = _wanted(report, export.options.get("annex", ""))
    if export.format == Format.CSV:
        tables = tables[:1]
        workbook.write_csv(tables[0], path)
    elif export.format == Format.XLSX:
        workbook.write_xlsx(report, tables, path)
    elif export.format == Format.DOCX:
        path.write_bytes(_word_file(export, report))
    else:
        path.write_bytes(on_paper("report", paper_words(report, tables, with_text=export.kind == Export.Kind.REPORT)))
    look()
    return sum(len(table.rows) for table in tables)


def _word_file(export: Export, report: Report) -> bytes:
    pk = export.options.get("template")
    if pk is None:
        return word_file(report, None)
    template = ReportTemplate.objects.filter(pk=pk, withdrawn_at=None).first()
    if template is None:
        raise NotMade(say("That template was withdrawn. Choose another one."))
    try:
        return word_file(report, bytes(template.content))
    except WordFailed as broken:
        values = {"template": template.name}
        raise NotMade(say("The template “%(template)s” could not be filled with this report.") % values) from broken


def _wanted(report: Report, key: str) -> tuple[Table, ...]:
    tables = tuple(table for table in report.tables if not key or table.key == key)
    if not tables:
        raise NotMade(say("This table is empty in the report of these days: there is no file of it."))
    return tables


def paper_words(report: Report, tables: tuple[Table, ...], *, with_text: bool) -> dict:
    """What the typesetter is told."""
    words = report_words(report)
    kept = {table.key for table in tables}
    annexes = [annex for annex in words["annexes"] if annex["key"] in kept]
    for annex in annexes:
        annex["too_long"] = ""
        if len(annex["rows"]) > ROWS_ON_PAPER:
            annex["too_long"] = say("%(rows)s lines are too many for paper: this annex is in the XLSX file.") % {
                "rows": len(annex["rows"])
            }
            annex["rows"] = []
    return words | {"annexes": annexes, "with_text": with_text, "made_at": report.cut_off.isoformat()}


def file_name(export: Export) -> str:
    """The same report has the same name: report-week-42-20200619.pdf."""
    options = export.options
    what = "-".join(filter(None, (export.kind, options.get("annex", ""), options["period"])))
    return f"{what}-{export.unit.code}-{options['last'].replace('-', '')}.{export.format}"
