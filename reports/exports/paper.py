"""Lists of persons as PDF to print: hamlet by hamlet, who took the list and when behind every page.

One file a commune; those of a district, and a commune's list too long for one file, come in a ZIP file.
"""

import re
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from itertools import chain, groupby
from pathlib import Path

from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as say

from census_verify import clock
from households import text
from households.models import AdministrativeUnit
from reports.exports import forms
from reports.exports.columns import Column, Place
from reports.exports.tables import lines_of
from reports.models import Export
from reports.official.letter import Signs, letter_of
from reports.templatetags.figures import count, day
from reports.typesetting import on_paper
from verification import records
from verification.terms import Outcome

LONG_WORD = re.compile(r"\S{19,}")
LINES_A_FILE = 2000  # setting more of them at a time takes a gigabyte
# Columns of the list that go on paper, and how wide: millimetres, or shares of what is left. Others are details, or
# are the same on every line.
NARROW = {"born": 20, "sex": 11, "pin": 26, "cmnd": 24, "book": 22, "next_visit_on": 20, "verified_on": 20,
          "event_on": 20, "found_on": 20, "returned_on": 20, "attempts": 14}  # fmt: skip
WIDE = {"name": 5, "address": 4, "outcome": 3, "reason": 4, "corrections": 8, "returned_why": 5, "destination": 4,
        "paper": 3, "duplicate_of": 3, "why_new": 3, "officer": 4, "returned_by": 4}  # fmt: skip
ALWAYS = ("name", "born", "sex", "pin", "cmnd", "book")
# Lists to go round with have room to write; of those whose results differ the result is said.
TO_VISIT = (records.State.OPEN, records.State.UNTOUCHED, records.State.LEFT, records.State.NOT_MET,
            records.State.DUE, records.State.LATER)  # fmt: skip
MIXED = (records.State.REMOVALS, records.State.FOUND, records.State.RETURNED, records.State.PENDING,
         records.State.VERIFIED, records.State.ALL)  # fmt: skip
NOT_MET = (records.State.NOT_MET, records.State.DUE, records.State.LATER)


@dataclass(frozen=True)
class Part:
    """A piece of a commune's list that becomes one file; `hamlets` with their rows, numbered through the commune."""

    commune: AdministrativeUnit
    number: int
    of: int
    hamlets: list[tuple[str, list[tuple]]]


def write(export: Export, path: Path, told: Callable[[int], None]) -> int:
    """Write the list; returns its lines. Where it takes several files the export becomes a ZIP file."""
    columns = paper_columns(export)
    lines, parts = 0, _parts(export, columns)
    first = next(parts, None)
    if first is None:
        path.write_bytes(_pdf(export, columns, Part(export.unit, 1, 1, [])))
        return 0
    if export.unit.level >= AdministrativeUnit.Level.COMMUNE and first.of == 1:
        path.write_bytes(_pdf(export, columns, first))
        return _lines_of(first)
    export.format = Export.Format.ZIP
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:  # the PDFs are packed already
        for part in chain([first], parts):
            archive.writestr(_entry(export, part), _pdf(export, columns, part))
            lines += _lines_of(part)
            told(lines)
    return lines


def paper_columns(export: Export) -> dict[str, Column]:
    state = forms.state_of(export)
    columns = forms.columns_of(export)
    chosen = [*ALWAYS, *(["outcome"] if state in MIXED else []), *(["next_visit_on"] if state in NOT_MET else [])]
    detailed = [name for name in columns if name in WIDE | NARROW and name not in forms.COLUMNS]
    if not detailed or state in TO_VISIT:
        chosen.insert(len(ALWAYS), "address")
    return {"hamlet": columns["hamlet"]} | {name: columns[name] for name in (*chosen, *detailed)}


def _parts(export: Export, columns: dict[str, Column]) -> Iterator[Part]:
    """Communes with somebody in the list, each in pieces of at most `LINES_A_FILE` lines, cut between hamlets where
    that can be."""
    for place, rows in forms.rows_by_commune(export, columns):
        pieces = _pieces(place, rows)
        for number, hamlets in enumerate(pieces, start=1):
            yield Part(place.commune, number, len(pieces), hamlets)


def _pieces(place: Place, rows: list[tuple]) -> list[list[tuple[str, list[tuple]]]]:
    numbered = ((str(n), *row[1:]) for n, row in enumerate(rows, start=1))
    by_hamlet = groupby(zip(rows, numbered, strict=True), key=lambda pair: pair[0][0])
    pieces, room = [], 0
    for name, pairs in by_hamlet:
        of_hamlet = [line for _row, line in pairs]
        if len(of_hamlet) > room and len(of_hamlet) <= LINES_A_FILE:
            pieces.append([])
            room = LINES_A_FILE
        while of_hamlet:
            if not room:
                pieces.append([])
                room = LINES_A_FILE
            pieces[-1].append((name, of_hamlet[:room]))
            taken = len(of_hamlet[:room])
            of_hamlet, room = of_hamlet[taken:], room - taken
    return pieces


def _lines_of(part: Part) -> int:
    return sum(len(rows) for _name, rows in part.hamlets)


def _entry(export: Export, part: Part) -> zipfile.ZipInfo:
    """The name of a file in the archive: code and name of the commune, and which piece; dated as it was asked for."""
    name = "-".join([part.commune.code, *text.search_key(part.commune.name).split()])
    piece = f"-{part.number}-{part.of}" if part.of > 1 else ""
    asked_at = export.asked_at.astimezone(clock.now().tzinfo)
    entry = zipfile.ZipInfo(f"{name}{piece}.pdf", asked_at.timetuple()[:6])
    entry.external_attr = 0o600 << 16
    return entry


def _pdf(export: Export, columns: dict[str, Column], part: Part) -> bytes:
    return on_paper("persons", paper_words(export, columns, part))


def paper_words(export: Export, columns: dict[str, Column], part: Part) -> dict:
    """What the typesetter is told."""
    state = forms.state_of(export)
    label = str(dict([*records.State.choices, *Outcome.choices])[state])
    letter = letter_of(_above_hamlets(part.commune), clock.today(), Signs.HEAD)
    writes = state in TO_VISIT
    heads = [_head(say("No."), 9, is_number=True)]
    heads += [_head(str(column.title), NARROW.get(name), WIDE.get(name), name) for name, column in columns.items()][1:]
    if writes:
        heads.append(_head(say("Notes"), None, 4))
    hamlets = [
        {
            "name": name,
            "count": ngettext("%(n)s person", "%(n)s people", len(rows)) % {"n": count(len(rows))},
            "rows": [[*map(_printed, row), *([""] if writes else [])] for row in rows],
        }
        for name, rows in part.hamlets
    ]
    piece = say("Part %(number)s of %(of)s") % {"number": part.number, "of": part.of} if part.of > 1 else ""
    unit = part.commune.full_name if export.unit.level < AdministrativeUnit.Level.HAMLET else export.unit.full_name
    return {
        "language": get_language(),
        "made_at": export.asked_at.isoformat(),
        "country": letter.country,
        "motto": letter.motto,
        "superior": letter.superior,
        "office": letter.office,
        "title": say("List of persons: %(list)s") % {"list": label.lower()},
        "subject": ", ".join(dict.fromkeys([unit, part.commune.full_name])),
        "lines": [export.round.name + ".", *lines_of(export)],
        "running": f"{unit}: {label.lower()}",
        "part": piece,
        "taken_for": say("Taken for: %(reason)s") % {"reason": export.reason},
        "mark": forms.mark_of(export),
        "heads": heads,
        "hamlets": hamlets,
        "nobody": say("Nobody is in this list."),
    }


def _above_hamlets(unit: AdministrativeUnit) -> AdministrativeUnit:
    return unit.parent if unit.level == AdministrativeUnit.Level.HAMLET else unit


def _head(title: str, millimetres: int | None, share: int | None = None, name: str = "", is_number: bool = False):
    return {
        "title": title,
        "share": millimetres or share,
        "is_wide": millimetres is None,
        "is_centred": millimetres is not None,
        "is_number": is_number or name in ("pin", "cmnd", "book"),
    }


def _printed(value) -> str:
    if value is None:
        return ""
    if isinstance(value, date) and not isinstance(value, datetime):
        return day(value)
    shown = "".join(
        letter if letter.isprintable() else " " for letter in str(value)
    )  # fonts have no control characters
    # where a word is longer than any cell is wide, it may be broken
    return LONG_WORD.sub(lambda word: "\u200b".join(word[0]), shown)
