"""What Word files are told: the words of a report under the names that templates use."""

import base64
import json
import subprocess
import sys

from django.conf import settings
from django.utils.translation import get_language
from django.utils.translation import gettext as say

from reports.official.annexes import KEYS, WITHOUT_TOTAL, columns_of
from reports.official.contents import Report
from reports.official.printed import report_words

SECONDS, CHECK_SECONDS = 120, 30
TEXT = ""
LETTER = ("country", "motto", "superior", "office", "number", "place_and_date", "title", "subject", "draft")
TEXTS = (*LETTER, "addressee", "opening", "closing", "annex_list")
FIGURES = (
    *("population", "collected", "qualified", "in_scope", "plan", "verified", "left", "rate", "new_people"),
    *("in_the_period", "in_the_period_before", "verified_before", "rate_before", "needed_per_day", "recent_per_day"),
    *("not_met", "unverifiable", "pending", "returned", "recorded_late"),
)


class WordFailed(Exception):
    """The process broke, or took longer or more than it may."""


def shape() -> dict:
    """The names a template may use, and what lies behind each: text, a list, or more names."""
    return {
        **dict.fromkeys(TEXTS, TEXT),
        "notes": [TEXT],
        "powers": [TEXT],
        "recipients": [TEXT],
        "sections": [{"heading": TEXT, "paragraphs": [TEXT]}],
        "figures": dict.fromkeys(FIGURES, TEXT),
        "annexes": {key: _annex_shape(key) for key in KEYS},
    }


def _annex_shape(key: str) -> dict:
    line = {column.key: TEXT for column in columns_of(key)}
    return {"number": TEXT, "title": TEXT, "attached": TEXT, "note": TEXT, "rows": [line], "total": line}


def context_of(report: Report) -> dict:
    """Of the same shape for every report: an annex that this one has not is there, without lines."""
    words = report_words(report)
    annexes = {annex["key"]: annex for annex in words["annexes"]}
    names = [f"{annex['number']}: {annex['title']}" for annex in words["annexes"]]
    return {
        **{name: words[name] for name in TEXTS if name in words},
        "draft": " ".join(words["notes"]),
        "annex_list": f"{words['annexes_head']} {'; '.join(names)}.",
        **{name: words[name] for name in ("notes", "powers", "recipients", "sections", "figures")},
        "annexes": {key: _annex(key, annexes.get(key)) for key in KEYS},
    }


def _annex(key: str, annex: dict | None) -> dict:
    names = [column.key for column in columns_of(key)]
    if annex is None:
        return {"number": "", "title": "", "attached": "", "note": "", "rows": [], "total": dict.fromkeys(names, "")}
    lines = [dict(zip(names, row, strict=True)) for row in annex["rows"]]
    total = dict(zip(names, annex["total"] or [""] * len(names), strict=True))
    return {name: annex[name] for name in ("number", "title", "attached", "note")} | {"rows": lines, "total": total}


def standard_words() -> dict:
    """What the standard template is built of, in the language of the moment."""
    return {
        "language": get_language(),
        "labels": {"recipients": say("Recipients:")},
        "annexes": [
            {
                "key": key,
                "has_total": key not in WITHOUT_TOTAL,
                "columns": [
                    {"key": each.key, "title": each.title, "kind": each.kind, "width": each.width}
                    for each in columns_of(key)
                ],
            }
            for key in KEYS
        ],
    }


def word_file(report: Report, template: bytes | None) -> bytes:
    """The report as a Word file, from the standard template unless it is another one."""
    answer = ask(
        what="render",
        template=base64.b64encode(template).decode() if template else "",
        standard=standard_words(),
        context=context_of(report),
        made_at=report.cut_off.isoformat(),
        title=report.subject,
        author=report.letter.office_in_text,
    )
    return base64.b64decode(answer["docx"])


def standard_template() -> bytes:
    answer = ask(what="standard", standard=standard_words(), made_at="2020-01-01T00:00:00+00:00")
    return base64.b64decode(answer["docx"])


def refusal_of(template: bytes, report: Report) -> tuple[str, dict] | None:
    """Why a template cannot be taken, as a code and its values; `report` is what it is tried with."""
    answer = ask(
        what="check",
        seconds=CHECK_SECONDS,
        template=base64.b64encode(template).decode(),
        standard=standard_words(),
        shape=shape(),
        context=context_of(report),
        made_at=report.cut_off.isoformat(),
    )
    return (answer["refused"], answer["values"]) if "refused" in answer else None


def ask(*, seconds: int = SECONDS, **task) -> dict:
    """In a process of its own, see `word_process`."""
    try:
        done = subprocess.run(
            [sys.executable, "-m", "reports.official.word_process"],
            input=json.dumps(task).encode(),
            stdout=subprocess.PIPE,
            timeout=seconds,
            cwd=settings.BASE_DIR,
            check=True,
        )
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as broken:
        raise WordFailed from broken
    return json.loads(done.stdout)
