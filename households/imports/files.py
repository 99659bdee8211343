"""Reads lists that somebody exported, typed or mended: CSV of any shape, and Excel workbooks.

`look_at` finds out what a file is and shows its beginning, `read_rows` streams it, `write_error_file` gives its refused
rows back. Whatever the bytes are, nothing leaves this module but rows of clean text or a FileRefused with its sentence.

Rows are numbered as the spreadsheet numbers them. A row of the second sheet goes on counting at SHEET_ROWS, so that
one number says sheet and row (`place_of`).
"""

import codecs
import csv
import math
import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field, replace
from itertools import chain, islice
from pathlib import Path
from typing import BinaryIO

import xlsxwriter

from households.imports import legacy_text, workbooks, xlsx_rows
from households.imports.headings import ERROR_HEADING, folded
from households.imports.problems import FileRefused

MAX_BYTES = 2 * 2**30
MAX_ROWS = 3_000_000
MAX_COLUMNS = 100
MAX_CELL = csv.field_size_limit()
MAX_LINE = 1_000_000
XLSX_ROWS, XLSX_BYTES = xlsx_rows.XLSX_ROWS, xlsx_rows.XLSX_BYTES

SHEET_ROWS = 1_048_576  # as many as Excel has
DELIMITERS = ",;\t|"
CSV_ENDINGS, XLSX_ENDINGS = {".csv", ".txt", ".tsv"}, {".xlsx", ".xlsm"}
SHOWN_ROWS = 20
SAMPLE_ROWS = 3_000
SAMPLE_CHARACTERS = 4_000_000  # of a workbook: of its further rows and sheets only the headings
SAMPLE_CELL = 1_000
SAMPLE_BYTES = 4 * 2**20
PREVIEWED = 12
HEADING_AMONG = 20
# a title has one or two texts in a row, a heading row more
HEADING_TEXTS = 3
CHUNK = 2**18

_SEPARATOR_LINE = re.compile(r"sep=([,;\t|:~^#])$")
_FORMULA_STARTS = ("=", "+", "-", "@")
# an apostrophe before them says that the cell is text: our own error files have it
_TEXT_MARK = re.compile("'[=+@-]")
_CONTROL = re.compile("[\x01-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029]")
_CONTROL_AND_TAB = re.compile("[\x01-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029]")
_LINE_END = re.compile("[\r\n]")
_INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")
# Bytes of which UTF-8 makes no control and no invisible characters: ASCII without tab, Latin letters up to U+01BF,
# and what E1 begins, the Vietnamese letters among it.
_PLAIN_BYTES = bytes([10, 13, *range(0x20, 0x7F), *range(0x80, 0xC0), 0xC3, 0xC4, 0xC5, 0xC6, 0xE1])

_CONTROL_BYTES = bytes([*range(9), 11, 12, *range(14, 32), 127])

# what other programs' files begin with -> code of the sentence
_OTHER_FILES = (
    (b"%PDF", "is_pdf"),
    (b"\x89PNG", "is_picture"),
    (b"\xff\xd8\xff", "is_picture"),
    (b"GIF8", "is_picture"),
    (b"II*\x00", "is_picture"),
    (b"MM\x00*", "is_picture"),
    (b"MZ", "is_program"),
    (b"\x7fELF", "is_program"),
    (b"#!", "is_program"),
    (b"Rar!", "is_archive"),
    (b"7z\xbc\xaf", "is_archive"),
    (b"\x1f\x8b", "is_archive"),
    (b"BZh", "is_archive"),
    (b"\xfd7zXZ", "is_archive"),
    (b"SQLite format 3", "is_database"),
    (b"\x00\x01\x00\x00Standard", "is_database"),
    (b"{\\rtf", "is_word"),
)
_OLD_OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


@dataclass(frozen=True)
class Layout:
    """How a file is read.

    `codec` makes characters of its bytes, `encoding` says what the characters mean: "unicode", "tcvn3", "vni", or
    "unknown" for a file that nobody has decided about yet, which is not read. Columns in `unicode_columns` are not
    converted. Each sheet has its heading row; a CSV file counts as one sheet without a name.
    """

    format: str
    delimiter: str = ","
    codec: str = "utf-8-sig"
    encoding: str = "unicode"
    sheets: tuple[str, ...] = ()
    heading_rows: tuple[int, ...] = (1,)
    width: int = 0
    unicode_columns: tuple[int, ...] = ()

    def as_json(self) -> dict:
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping) -> "Layout":
        return cls(**{name: tuple(value) if isinstance(value, list) else value for name, value in values.items()})


@dataclass(frozen=True)
class SheetLook:
    """One sheet; `agrees` where its headings are those of the sheet that was chosen."""

    name: str
    rows: int
    headings: list[str]
    agrees: bool


@dataclass(frozen=True)
class Look:
    """What the beginning of a file shows."""

    layout: Layout
    headings: list[str]
    samples: list[list[str]]
    sheets: list[SheetLook] = field(default_factory=list)
    suspected_encoding: str = ""
    preview: list[tuple[str, str]] = field(default_factory=list)
    # a little high where cells have lines of their own
    rows: int = 0


@dataclass
class Progress:
    """How far a reader is: bytes of a CSV file, rows of a workbook."""

    done: int = 0
    total: int = 0


def look_at(
    path: Path, name: str, *, known: Collection[str] = (), sheets: Sequence[str] = (), encoding: str = ""
) -> Look:
    """What the file called `name` is. `known` (folded headings) finds the heading row below a title; `sheets` and
    `encoding` ("unicode", "tcvn3", "vni") are what somebody has chosen after a first look.

    Raises FileRefused.
    """
    format = _format_of(path, name)
    if format == "xlsx":
        return _look_at_workbook(path, known, sheets, encoding)
    return _look_at_csv(path, known, encoding)


def read_rows(path: Path, layout: Layout, progress: Progress | None = None) -> Iterator[tuple[int, list[str]]]:
    """(number, cells) of every row below the heading that is not blank, as many cells as the heading has. Cells are
    NFC without control characters; blanks are as in the file.

    Raises FileRefused, in the middle too.
    """
    progress = progress or Progress()
    if layout.encoding == "unknown":
        raise FileRefused("encoding_unknown")
    rows = _workbook_rows(path, layout, progress) if layout.format == "xlsx" else _csv_rows(path, layout, progress)
    if layout.encoding in legacy_text.ENCODINGS:
        return _converted(rows, layout)
    return rows


def text_bytes(path: Path, layout: Layout) -> int:
    """How much there is to read."""
    if layout.format == "xlsx":
        return sum(sheet.text.stat().st_size for sheet in workbooks.sheets_of(path) if sheet.name in layout.sheets)
    return path.stat().st_size


def place_of(layout: Layout, number: int) -> tuple[str, int]:
    """(sheet, row in it); the sheet is "" where there is but one."""
    sheet, row = divmod(number - 1, SHEET_ROWS)
    return (layout.sheets[sheet] if len(layout.sheets) > 1 else ""), row + 1


def headings_of(path: Path, layout: Layout) -> list[str]:
    """The headings, for an error file."""
    above = replace(layout, heading_rows=tuple(row - 1 for row in layout.heading_rows))
    _, cells = next(iter(read_rows(path, above)))
    return [cell.strip() for cell in cells]


def write_error_file(
    source: Path, layout: Layout, refused: Mapping[int, str] | Iterable[tuple[int, str]], to: Path
) -> int:
    """The refused rows of `source` in its own format, with what is wrong in a last column "Lỗi": to be mended there
    and uploaded again. `refused` is row number -> sentence, or such pairs in the order of rows. Returns the number of
    rows written."""
    pairs = iter(sorted(refused.items()) if isinstance(refused, Mapping) else refused)
    headings = headings_of(source, layout)
    kept = [column for column, heading in enumerate(headings) if folded(heading) != folded(ERROR_HEADING)]
    rows = chain([[headings[column] for column in kept] + [ERROR_HEADING]], _refused_rows(source, layout, pairs, kept))
    write = _write_workbook if layout.format == "xlsx" else _write_csv
    return write(rows, layout, to) - 1


def _refused_rows(
    source: Path, layout: Layout, pairs: Iterator[tuple[int, str]], kept: list[int]
) -> Iterator[list[str]]:
    rows = read_rows(source, layout)
    number, cells = 0, []
    for wanted, sentence in pairs:
        while number < wanted:
            number, cells = next(rows, (math.inf, []))
        if number == wanted:
            yield [cells[column] for column in kept] + [sentence]


def _write_csv(rows: Iterable[list[str]], layout: Layout, to: Path) -> int:
    count = 0
    with to.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, delimiter=layout.delimiter)
        for count, row in enumerate(rows, start=1):  # noqa: B007
            # the mark that spreadsheets know for text; reading takes it away again
            writer.writerow(["'" + cell if cell.startswith(_FORMULA_STARTS) else cell for cell in row])
    return count


def _write_workbook(rows: Iterable[list[str]], layout: Layout, to: Path) -> int:
    """As many sheets as it takes for each to be read again."""
    rows = iter(rows)
    headings, count = next(rows), 1
    book = xlsxwriter.Workbook(to, {"constant_memory": True})
    more: list[str] | None = headings
    while more is not None:
        page = book.add_worksheet()
        page.freeze_panes(1, 0)
        more = None
        for line, row in enumerate(chain([headings], islice(rows, XLSX_ROWS))):
            for column, cell in enumerate(row):
                page.write_string(line, column, cell)
            count += line > 0
        if (more := next(rows, None)) is not None:
            rows = chain([more], rows)
    book.close()
    return count


# What kind of file


def _format_of(path: Path, name: str) -> str:
    size = path.stat().st_size
    if size == 0:
        raise FileRefused("empty_file")
    if size > MAX_BYTES:
        raise FileRefused("too_many_bytes", limit=MAX_BYTES // 2**20)
    ending = Path(name).suffix.lower()
    with path.open("rb") as file:
        start = file.read(4096)
    if start.startswith(_OLD_OFFICE):
        raise FileRefused("xlsx_password" if ending in XLSX_ENDINGS else "is_doc" if ending == ".doc" else "is_xls")
    for beginning, code in _OTHER_FILES:
        if start.startswith(beginning):
            raise FileRefused(code)
    if start.startswith(b"PK"):
        kind = _kind_of_zip(path)
        if kind != "xlsx":
            raise FileRefused(kind)
        if ending not in XLSX_ENDINGS:
            raise FileRefused("workbook_named_otherwise", ending=ending)
        if size > XLSX_BYTES:
            raise FileRefused("xlsx_too_big", limit=XLSX_ROWS)
        return "xlsx"
    if start.lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith((b"<html", b"<!doctype", b"<table", b"<?xml", b"<meta")):
        raise FileRefused("is_web_page")
    if ending in XLSX_ENDINGS:
        raise FileRefused("text_named_workbook", ending=ending)
    if ending not in CSV_ENDINGS:
        raise FileRefused("ending_unknown", ending=ending)
    return "csv"


def _kind_of_zip(path: Path) -> str:
    """ "xlsx", or the code that says what else it is. Looks at names in the bytes: reading the directory of a hostile
    archive is left to the process that may die of it."""
    with path.open("rb") as file:
        start = file.read(4096)
        file.seek(max(0, path.stat().st_size - 2**18))
        names = start + file.read()
    if b"application/vnd.oasis.opendocument" in names:
        return "is_ods"
    if b"xl/workbook.bin" in names:
        return "is_xlsb"
    if b"xl/workbook.xml" in names or b"xl\\workbook.xml" in names:
        return "xlsx"
    if b"word/document.xml" in names:
        return "is_word"
    if b"ppt/presentation.xml" in names:
        return "is_slides"
    # an archive whose directory is missing is more likely a workbook cut off than anything else
    return "xlsx_damaged" if b"PK\x05\x06" not in names else "is_archive"


# CSV


def _look_at_csv(path: Path, known: Collection[str], encoding: str) -> Look:
    codec, text, bad_row = _first_text(path)
    delimiter, sep_lines = _delimiter_of(text, known)
    layout = Layout("csv", delimiter, codec, heading_rows=(0,), width=MAX_COLUMNS + 1)
    rows = _head_rows(path, layout)
    if not rows:
        raise FileRefused("empty_file")
    look = _look_of(layout, rows[sep_lines:], known, encoding, first=sep_lines + 1)
    if bad_row:
        if not look.suspected_encoding and encoding not in legacy_text.ENCODINGS:
            raise FileRefused("not_utf8", row=bad_row)
        if encoding not in legacy_text.ENCODINGS:
            look = replace(look, layout=replace(look.layout, encoding="unknown"))
    return replace(look, rows=_count_lines(path, codec) - look.layout.heading_rows[0])


def _first_text(path: Path) -> tuple[str, str, int]:
    """(codec, the beginning as text, the row whose bytes are no UTF-8, or 0)."""
    with path.open("rb") as file:
        data = file.read(SAMPLE_BYTES)
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        codec = "utf-16"
    elif data[1::2].count(0) > 0.3 * len(data) / 2 and not data[::2].count(0):
        codec = "utf-16-le"
    elif data[::2].count(0) > 0.3 * len(data) / 2 and not data[1::2].count(0):
        codec = "utf-16-be"
    else:
        codec = "utf-8-sig"
    if codec == "utf-8-sig" and len(data) - len(data.translate(None, _CONTROL_BYTES)) > 0.05 * len(data):
        raise FileRefused("is_no_text")
    decoder = codecs.getincrementaldecoder(codec)()
    try:
        return codec, decoder.decode(data, final=len(data) < SAMPLE_BYTES), 0
    except UnicodeDecodeError as error:
        before = data[: error.start]
        bad_row = max(before.count(b"\n"), before.count(b"\r")) + 1
        if codec != "utf-8-sig":
            raise FileRefused("not_utf8", row=bad_row) from None
        return "cp1252", data.decode("cp1252", errors="replace"), bad_row


def _head_rows(path: Path, layout: Layout) -> list[list[str]]:
    """The first rows as they are, of any width."""
    rows: list[list[str]] = []
    reader = csv.reader(_Lines(path, layout, Progress()), delimiter=layout.delimiter, strict=True)
    try:
        for row in islice(reader, SAMPLE_ROWS):
            rows.append([_LINE_END.sub(" ", cell) for cell in row])
    except (FileRefused, csv.Error) as error:
        raise _refusal_of(error, len(rows) + 1) from None
    return rows


def _delimiter_of(text: str, known: Collection[str]) -> tuple[str, int]:
    """(the delimiter, 1 where Excel's own line "sep=;" says it): what cuts most rows into equally many cells."""
    lines = text[:200_000].splitlines()
    if found := _SEPARATOR_LINE.match(lines[0] if lines else ""):
        return found[1], 1
    return max(DELIMITERS, key=lambda delimiter: _fitness(lines, delimiter, known)), 0


def _fitness(lines: list[str], delimiter: str, known: Collection[str]) -> tuple:
    rows = []
    try:
        for row in islice(csv.reader((line + "\n" for line in lines), delimiter=delimiter, strict=True), 200):
            rows.append(row)
    except csv.Error:
        pass
    widths = [len(row) for row in rows if any(row)]
    if not widths:
        return 0, 0.0, 0
    usual = max(set(widths), key=widths.count)
    matches = max(sum(folded(cell) in known for cell in row) for row in rows[:HEADING_AMONG]) if known else 0
    return (matches if matches > 1 else 0), (widths.count(usual) / len(widths) if usual > 1 else 0.0), usual


def _count_lines(path: Path, codec: str) -> int:
    """Refuses a file of far too many rows before anybody waits for it."""
    lines = 0
    with path.open("rb") as file:
        last = b""
        while data := file.read(2**20):
            lines += data.count(b"\n") or data.count(b"\r")
            last = data
    lines += not last.rstrip(b"\0").endswith((b"\n", b"\r"))
    # lines inside cells are counted too, so only the reading itself can be exact
    if lines > 1.5 * MAX_ROWS and codec == "utf-8-sig":
        raise FileRefused("too_many_rows", limit=MAX_ROWS)
    return lines


class _Lines:
    """The lines of a file with their ends.

    `ends_whole` tells, after the last, whether it had its end; `has_text_marks` whether a cell may begin with an
    apostrophe that is not part of it.
    """

    def __init__(self, path: Path, layout: Layout, progress: Progress):
        self.path, self.layout, self.progress = path, layout, progress
        self.ends_whole, self.has_text_marks = True, False

    def __iter__(self) -> Iterator[str]:
        return chain.from_iterable(map(self._lines_of, self._texts()))

    def _lines_of(self, text: str) -> list[str]:
        if "'" in text and _TEXT_MARK.search(text):
            self.has_text_marks = True
        self.ends_whole = text.endswith(("\n", "\r"))
        # no other line ends are left in the text
        return text.splitlines(keepends=True)

    def _texts(self) -> Iterator[str]:
        with self.path.open("rb") as file:
            self.progress.total = self.path.stat().st_size
            yield from _texts(file, self.layout.codec, self.progress, keep_tabs=self.layout.delimiter == "\t")


def _texts(file: BinaryIO, codec: str, progress: Progress, keep_tabs: bool) -> Iterator[str]:
    """The text in whole lines, some thousand at a time, clean. Work is done on the whole text, never by line or cell,
    and hardly any where the bytes show that there is nothing to do."""
    decoder = codecs.getincrementaldecoder(codec)("replace" if codec == "cp1252" else "strict")
    plain_bytes = _PLAIN_BYTES + b"\t" if keep_tabs else _PLAIN_BYTES
    rest, data, refusal = "", b"begin", None
    while data and not refusal:
        data = file.read(CHUNK)
        progress.done += len(data)
        try:
            text = rest + decoder.decode(data, not data)
        except UnicodeDecodeError as error:
            text = rest + error.object[: error.start].decode(error.encoding, errors="replace")
            refusal = FileRefused("not_utf8")
        if codec != "utf-8-sig" or data.translate(None, plain_bytes):
            if "\0" in text:
                text, refusal = text[: text.index("\0")], FileRefused("nul_bytes")
            text = _INVISIBLE.sub("", (_CONTROL if keep_tabs else _CONTROL_AND_TAB).sub(" ", text))
        if not unicodedata.is_normalized("NFC", text):
            text = unicodedata.normalize("NFC", text)
        if data or refusal:
            cut = text.rfind("\n") + 1 or text.rfind("\r", 0, -1) + 1
            text, rest = text[:cut], text[cut:]
            if len(rest) > MAX_LINE:
                refusal = FileRefused("line_too_long", limit=MAX_LINE)
        if text:
            yield text
    if refusal:
        raise refusal


def _csv_rows(path: Path, layout: Layout, progress: Progress) -> Iterator[tuple[int, list[str]]]:
    lines = _Lines(path, layout, progress)
    reader = csv.reader(lines, delimiter=layout.delimiter, strict=True)
    width, heading, number = layout.width, layout.heading_rows[0], 0
    last_row, has_tabs, lines_more = heading + MAX_ROWS, layout.delimiter == "\t", 0
    short_rows, last_short = 0, (0, 0)
    try:
        for number, row in enumerate(reader, start=1):
            if reader.line_num != number + lines_more:
                lines_more = reader.line_num - number
                row = [_LINE_END.sub(" ", cell) for cell in row]
            if number <= heading or not row or (not row[0].strip() and not "".join(row).strip()):
                continue
            if len(row) != width:
                if len(row) < width:
                    short_rows, last_short = short_rows + 1, (number, len(row))
                row = _fitted(row, width)
            if number > last_row:
                raise FileRefused("too_many_rows", limit=MAX_ROWS)
            if has_tabs and "\t" in "".join(row):
                row = [cell.replace("\t", " ") for cell in row]
            if lines.has_text_marks:
                row = [cell[1:] if _TEXT_MARK.match(cell) else cell for cell in row]
            yield number, row
    except FileRefused as refused:
        # what ends the lines comes when the row after the last one is asked for
        refused.values.setdefault("row", number if refused.code == "more_cells" else number + 1)
        raise
    except csv.Error as error:
        raise _refusal_of(error, number + 1) from None
    if short_rows == 1 and last_short[0] == number and not lines.ends_whole:
        raise FileRefused("cut_off", row=number, cells=last_short[1], columns=width)


def _fitted(row: list[str], width: int) -> list[str]:
    if len(row) < width:
        return row + [""] * (width - len(row))
    if further := "".join(row[width:]).strip():
        raise FileRefused("more_cells", columns=width, text=further[:50])
    return row[:width]


def _refusal_of(error: Exception, row: int) -> FileRefused:
    if isinstance(error, FileRefused):
        error.values.setdefault("row", row)
        return error
    message = str(error)
    if "field larger" in message:
        return FileRefused("cell_too_long", row=row, limit=MAX_CELL)
    if "unexpected end" in message:
        return FileRefused("cut_off_in_cell", row=row)
    return FileRefused("stray_quotation_mark", row=row)


# Workbooks


def _look_at_workbook(path: Path, known: Collection[str], sheets: Sequence[str], encoding: str) -> Look:
    found = workbooks.sheets_of(path)
    looks, refusals = {}, [FileRefused("no_rows")]
    for sheet, rows in zip(found, _samples_of(found), strict=True):
        try:
            looks[sheet.name] = _look_of(Layout("xlsx"), rows, known, encoding)
        except FileRefused as refused:
            refusals.append(refused)
    wanted = [name for name in sheets if name in looks]
    if not looks or (sheets and not wanted):
        raise refusals[-1]
    first = wanted[0] if wanted else max(looks, key=lambda name: _matches(looks[name].headings, known))
    key = [folded(heading) for heading in looks[first].headings]
    agreeing = [name for name, look in looks.items() if [folded(heading) for heading in look.headings] == key]
    if strangers := [name for name in wanted if name not in agreeing]:
        raise FileRefused("sheets_differ", sheet=strangers[0], other=first)
    chosen = wanted or agreeing
    heading_rows = tuple(looks[name].layout.heading_rows[0] for name in chosen)
    rows = sum(sheet.rows for sheet in found if sheet.name in chosen) - sum(heading_rows)
    if rows > MAX_ROWS:
        raise FileRefused("too_many_rows", limit=MAX_ROWS)
    unicode_columns = {column for name in chosen for column in looks[name].layout.unicode_columns}
    suspected = next((looks[name] for name in chosen if looks[name].suspected_encoding), looks[first])
    return replace(
        looks[first],
        layout=replace(
            looks[first].layout,
            sheets=tuple(chosen),
            heading_rows=heading_rows,
            unicode_columns=tuple(sorted(unicode_columns)),
        ),
        sheets=[
            SheetLook(
                sheet.name,
                sheet.rows,
                looks[sheet.name].headings if sheet.name in looks else [],
                sheet.name in agreeing,
            )
            for sheet in found
        ],
        suspected_encoding=suspected.suspected_encoding,
        preview=suspected.preview,
        rows=rows,
    )


def _matches(headings: list[str], known: Collection[str]) -> int:
    return sum(folded(heading) in known for heading in headings)


def _samples_of(sheets: list[workbooks.Sheet]) -> list[list[list[str]]]:
    """The first rows of each sheet; of all together no more than fits into memory."""
    samples, characters = [], 0
    for sheet in sheets:
        rows: list[list[str]] = []
        samples.append(rows)
        with closing(_sheet_lines(sheet)) as lines:
            try:
                for line in islice(lines, SAMPLE_ROWS):
                    rows.append([cell[:SAMPLE_CELL] for cell in line.split("\t")])
                    characters += len(line)
                    if characters > SAMPLE_CHARACTERS and len(rows) > xlsx_rows.FIRST_ROWS:
                        break
            except FileRefused as refused:
                raise _refusal_of(refused, len(rows) + 1) from None
    return samples


def _sheet_lines(sheet: workbooks.Sheet) -> Iterator[str]:
    """Its rows without their ends, clean."""
    with sheet.text.open("rb") as file:
        for text in _texts(file, "utf-8-sig", Progress(), keep_tabs=True):
            yield from text.split("\n")[:-1]


def _workbook_rows(path: Path, layout: Layout, progress: Progress) -> Iterator[tuple[int, list[str]]]:
    sheets = {sheet.name: sheet for sheet in workbooks.sheets_of(path)}
    if not sheets.keys() >= set(layout.sheets):
        raise FileRefused("xlsx_damaged")
    width, row_number = layout.width, 0
    progress.total = sum(sheets[name].rows for name in layout.sheets)
    try:
        for place, (name, heading) in enumerate(zip(layout.sheets, layout.heading_rows, strict=True)):
            before = place * SHEET_ROWS
            for row_number, line in enumerate(_sheet_lines(sheets[name]), start=1):
                progress.done += 1
                row = line.split("\t")
                if row_number <= heading or (not row[0].strip() and not "".join(row).strip()):
                    continue
                if len(row) != width:
                    row = _fitted(row, width)
                yield before + row_number, row
    except FileRefused as refused:
        refused.values.setdefault("row", row_number if refused.code == "more_cells" else row_number + 1)
        raise


# Both


def _look_of(layout: Layout, rows: list[list[str]], known: Collection[str], encoding: str, first: int = 1) -> Look:
    """What the first rows say; `first` is the number of the first of them."""
    place = _heading_place(rows, known)
    headings = [cell.strip() for cell in rows[place]]
    while headings and not headings[-1]:
        headings.pop()
    if len(headings) > MAX_COLUMNS:
        raise FileRefused("too_many_columns", columns=len(headings), limit=MAX_COLUMNS)
    width = len(headings)
    samples = [_padded(row, width) for row in rows[place + 1 :] if any(cell.strip() for cell in row)]
    if not samples:
        raise FileRefused("no_rows")
    columns = list(zip(*samples, strict=True))
    suspected = legacy_text.suspected(columns)
    layout = replace(
        layout,
        heading_rows=(first + place,),
        width=width,
        encoding=encoding or "unicode",
        unicode_columns=tuple(n for n, column in enumerate(columns) if any(map(legacy_text.is_unicode, column))),
    )
    legacy = encoding if encoding in legacy_text.ENCODINGS else suspected
    preview = _preview(samples, layout, legacy) if legacy else []
    if encoding in legacy_text.ENCODINGS:
        (_, headings), *shown = _converted(enumerate([headings, *samples[:SHOWN_ROWS]]), layout)
        samples = [row for _, row in shown]
    return Look(layout, headings, samples[:SHOWN_ROWS], suspected_encoding=suspected, preview=preview)


def _heading_place(rows: list[list[str]], known: Collection[str]) -> int:
    """Where among the first rows the headings are: where most are known, else the first row of several texts."""
    first_rows = rows[:HEADING_AMONG]
    if known:
        best = max(range(len(first_rows)), key=lambda place: _matches(first_rows[place], known))
        matches, texts = _matches(first_rows[best], known), _texts_in(first_rows[best])
        if matches >= HEADING_TEXTS or 0 < texts <= matches:
            return best
    for enough in (HEADING_TEXTS, 1):
        for place, row in enumerate(first_rows):
            if _texts_in(row) >= enough:
                return place
    raise FileRefused("no_rows")


def _texts_in(row: list[str]) -> int:
    return sum(bool(cell.strip()) for cell in row)


def _padded(row: list[str], width: int) -> list[str]:
    return (row + [""] * (width - len(row)))[:width]


def _clean(text: str) -> str:
    return _INVISIBLE.sub("", _CONTROL.sub(" ", unicodedata.normalize("NFC", text)))


def _preview(samples: list[list[str]], layout: Layout, encoding: str) -> list[tuple[str, str]]:
    """(as written, as converted) of the file's own cells, those that change."""
    pairs: dict[str, str] = {}
    for column in zip(*samples, strict=True):
        for cell in column[:SHOWN_ROWS]:
            converted = _convert(cell, encoding)
            if converted != cell:
                pairs.setdefault(cell, converted)
    cells = sorted(pairs)
    step = max(1, len(cells) // PREVIEWED)
    return [(cell, pairs[cell]) for cell in cells[::step][:PREVIEWED]]


def _convert(cell: str, encoding: str) -> str:
    return cell if legacy_text.is_unicode(cell) else _clean(legacy_text.to_unicode(cell, encoding))


def _converted(rows: Iterable[tuple[int, list[str]]], layout: Layout) -> Iterator[tuple[int, list[str]]]:
    encoding = layout.encoding
    columns = [column for column in range(layout.width) if column not in layout.unicode_columns]
    for number, row in rows:
        for column in columns:
            if not row[column].isascii():
                row[column] = _convert(row[column], encoding)
        yield number, row
