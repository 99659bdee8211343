"""A report as text: what the page, the PDF and the Word file show, letter for letter."""

from decimal import Decimal

from django.utils.translation import gettext as say

from households import text
from reports.official.annexes import Column, Table, Value
from reports.official.contents import Report
from reports.templatetags.figures import NOTHING, count, percent, rate

NUMERALS = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII")


def report_words(report: Report) -> dict:
    """Plain dictionaries, lists and text, in the language the report was made in."""
    letter = report.letter
    return {
        "language": report.language,
        "country": letter.country,
        "motto": letter.motto,
        "superior": letter.superior,
        "office": letter.office,
        "number": letter.number,
        "place_and_date": letter.place_and_date,
        "title": report.title,
        "subject": report.subject,
        "notes": list(report.notes),
        "addressee": say("Addressed to: %(addressee)s") % {"addressee": letter.addressee},
        "opening": report.opening,
        "sections": [{"heading": each.heading, "paragraphs": list(each.paragraphs)} for each in report.sections],
        "closing": report.closing,
        "powers": list(letter.powers),
        "recipients_head": say("Recipients:"),
        "recipients": [f"- {name};" for name in letter.recipients[:-1]] + [f"- {letter.recipients[-1]}."],
        "figures": {name: _figure(value) for name, value in report.figures.items()},
        "annexes_head": say("Annexes:"),
        "annexes": [_annex(number, table, report) for number, table in zip(NUMERALS, report.tables, strict=False)],
    }


def _annex(number: str, table: Table, report: Report) -> dict:
    return {
        "key": table.key,
        "number": say("Annex %(number)s") % {"number": number},
        "title": table.title,
        "attached": say("(Attached to report %(number)s of %(office)s, figures %(period)s)")
        % {
            "number": report.letter.number[0].lower() + report.letter.number[1:],
            "office": report.letter.office_in_text,
            "period": report.period.words,
        },
        "note": table.note,
        "columns": [
            {"key": each.key, "title": each.title, "kind": each.kind, "width": each.width} for each in table.columns
        ],
        "rows": [_cells(table, row) for row in table.rows],
        "total": _cells(table, table.total) if table.total else None,
    }


def _cells(table: Table, row: tuple[Value, ...]) -> list[str]:
    return [cell_words(column, value) for column, value in zip(table.columns, row, strict=True)]


def _figure(value: int | Decimal | None) -> str:
    return percent(value) if isinstance(value, Decimal) else count(value)


def cell_words(column: Column, value: Value) -> str:
    if column.kind == "percent":
        return rate(value)
    if value is None:
        return "" if column.kind == "text" or not column.sums else NOTHING
    return count(value) if isinstance(value, int) else text.clean(str(value))
