"""What the tests of reports share: a history of a few days, and how a report of it is made and read."""

import io
import re
from datetime import date, timedelta
from html import unescape

from pypdf import PdfReader

from reports import exports, services
from reports.models import Export
from reports.official import letter
from reports.official.periods import Kind, Period, period_ending

DAY = date(2020, 6, 19)
BEFORE = DAY - timedelta(days=2)
NUMBER = re.compile(r"\d+(?:\.\d{3})*(?:,\d+)?")


def period_of(round, last=DAY - timedelta(days=1), kind=Kind.DAY, first=None) -> Period:
    return period_ending(kind, last, starts_on=round.starts_on, first=first)


def made(round, by, unit, *, kind="report", format="pdf", period=None, **wanted) -> Export:
    period = period or period_of(round)
    wanted = {"dated_on": period.last, "signs": letter.Signs.HEAD} | wanted
    export = services.request_report(by=by, round=round, unit=unit, kind=kind, format=format, period=period, **wanted)
    exports.make(export.pk)
    export.refresh_from_db()
    return export


def content_of(export: Export) -> bytes:
    return exports.file_path(export).read_bytes()


def pdf_text(raw: bytes) -> str:
    return re.sub(r"\s+", " ", " ".join(page.extract_text() for page in PdfReader(io.BytesIO(raw)).pages))


def text_of(answer) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", answer.content.decode())))


def sentences(report) -> str:
    return "\n".join(line for section in report.sections for line in section.paragraphs)
