"""Writes the sheets of a workbook out as text, in a process of its own with bounded memory: `python xlsx_rows.py PATH FOLDER`.

A workbook of a few kilobytes can ask for gigabytes (a zip bomb, one cell in the last corner of a sheet), and the
reading library then ends its process. So this file is run as a script, imports nothing of the project, and its end
is no harm. FOLDER gets a file for each sheet, "0", "1", …, with a line for each row, cells apart by tabs; for each
sheet its name and the number of its rows are printed, as a line of JSON. A refusal is a code of `problems.SENTENCES`
and its values, as JSON, on the error output.
"""

import datetime
import json
import re
import resource
import struct
import sys
import zipfile
import zlib
from collections.abc import Iterator

XLSX_ROWS = 100_000
FIRST_ROWS = 20  # a title and a heading may stand above
XLSX_BYTES = 100 * 2**20
INFLATED_BYTES = 400 * 2**20
TEXT_CHARACTERS = 2**30
ENTRIES = 2_000
# above what the process has at its beginning. 100.000 rows of 25 columns take 190 of real memory, and 80 more of
# addresses for lists that have just doubled.
MEMORY_BYTES = 272 * 2**20
SECONDS = 120
REFUSED = 3

_CELL_BREAKS = str.maketrans(dict.fromkeys(map(chr, (*range(0x20), 0x7F, 0x85, 0x2028, 0x2029)), " "))
_BREAK = re.compile("[\x00-\x1f\x7f\x85\u2028\u2029]")
_ERROR_CELL = re.compile(
    rb'<c r="([A-Z]{1,3})(\d{1,7})"[^>]* t="e"[^>]*>(?:<f[^>]*/>|<f[^>]*>[^<]*</f>)?<v>([^<]*)</v>'
)
_EMPTY_FORMULA = re.compile(
    rb'<c r="([A-Z]{1,3})(\d{1,7})"[^>/]*>(?:<f[^>]*/>|<f[^>]*>([^<]*)</f>)(?:<v></v>|<v/>)?</c>'
)
OddCells = dict[int, dict[int, str]]  # row, from 1 -> column, from 0 -> text
_ENTITIES = {"&lt;": "<", "&gt;": ">", "&quot;": '"', "&apos;": "'", "&amp;": "&"}


class Refused(Exception):
    def __init__(self, code: str, **values):
        self.code, self.values = code, values
        super().__init__(code)


def main(path: str, folder: str) -> None:
    odd_cells = inspect(path)
    import python_calamine

    try:
        write_out(python_calamine.CalamineWorkbook.from_path(path), folder, odd_cells)
    except python_calamine.PasswordError:
        raise Refused("xlsx_password") from None
    except python_calamine.CalamineError:
        raise Refused("xlsx_damaged") from None


def write_out(book, folder: str, odd_cells: dict) -> None:
    from python_calamine import SheetTypeEnum

    names = [sheet.name for sheet in book.sheets_metadata if sheet.typ == SheetTypeEnum.WorkSheet]
    if not names:
        raise Refused("xlsx_no_sheet")
    left = TEXT_CHARACTERS
    for number, name in enumerate(names):
        sheet = _load(book, name)
        print(json.dumps([name, _height(sheet)]))
        with open(f"{folder}/{number}", "w", encoding="utf-8", errors="replace", newline="\n") as text:
            for cells in _rows(sheet, odd_cells.get(name, {})):
                line = "\t".join(cells) + "\n"
                # rows of blanks out to a far column, or one long text in every cell: small in memory, not on disk
                left -= len(line)
                if left < 0:
                    raise Refused("xlsx_too_big", limit=XLSX_ROWS)
                text.write(line)
        del sheet  # or it would be there while the next is loaded


def _load(book, name: str):
    sheet = book.get_sheet_by_name(name)
    if _height(sheet) > XLSX_ROWS + FIRST_ROWS:
        raise Refused("xlsx_too_many_rows", sheet=name, rows=_height(sheet), limit=XLSX_ROWS)
    return sheet


def _height(sheet) -> int:
    """Rows from the sheet's first on; the library's own heights begin at the first cell."""
    return sheet.end[0] + 1 if sheet.end else 0


def _rows(sheet, odd_cells: OddCells) -> Iterator[list[str]]:
    """The rows from the sheet's first on, as text."""
    first_column = sheet.start[1] if sheet.start else 0
    is_break = _BREAK.search
    for number, row in enumerate(sheet.iter_rows(), start=1):
        cells = [cell if type(cell) is str else text_of(cell) for cell in row]
        if number in odd_cells:
            for column, value in odd_cells[number].items():
                if 0 <= column - first_column < len(cells):
                    cells[column - first_column] = value
        if is_break("".join(cells)):
            cells = [cell.translate(_CELL_BREAKS) for cell in cells]
        yield cells


def text_of(value) -> str:
    """As a clerk would have typed it: 12 not 12.0, 2/1/2018 not a moment of that day."""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        # beyond this a float no longer tells neighbouring whole numbers apart
        return str(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)
    if isinstance(value, datetime.datetime):
        day = f"{value.day:02d}/{value.month:02d}/{value.year}"
        return day if value.time() == datetime.time() else f"{day} {value:%H:%M:%S}"
    if isinstance(value, datetime.date):
        return f"{value.day:02d}/{value.month:02d}/{value.year}"
    return str(value)


def inspect(path: str) -> dict[str, OddCells]:
    """Refuse what is no workbook or unpacks to more than it says or than we take; the odd cells of each sheet."""
    _check_directory(path)
    try:
        with zipfile.ZipFile(path) as archive, open(path, "rb") as file:
            entries = archive.infolist()
            if sum(entry.file_size for entry in entries) > INFLATED_BYTES:
                raise Refused("xlsx_bomb")
            if len({entry.filename for entry in entries}) < len(entries):
                raise Refused("xlsx_damaged")
            odd_cells = {}
            for entry in entries:
                if entry.flag_bits & 1:
                    raise Refused("xlsx_password")
                # which parts are sheets is known when all have been unpacked; no other part has cells
                odd_cells[entry.filename] = _odd_cells_of(_inflated(file, entry))
            return {name: odd_cells[part] for name, part in _sheet_parts(archive).items()}
    except (zipfile.BadZipFile, zlib.error, struct.error, KeyError, NotImplementedError, ValueError, EOFError):
        raise Refused("xlsx_damaged") from None


def _check_directory(path: str) -> None:
    """Before `zipfile` reads it: a directory of a million entries takes gigabytes by itself."""
    with open(path, "rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - 66_000))
        tail = file.read()
    end = tail.rfind(b"PK\x05\x06")
    if end < 0 or len(tail) - end < 22:
        raise Refused("xlsx_damaged")
    entries, directory = struct.unpack("<HI", tail[end + 10 : end + 16])
    if tail[max(0, end - 20) : end].startswith(b"PK\x06\x07") or directory == 0xFFFFFFFF:
        # only archives far beyond our limits need this
        raise Refused("xlsx_damaged")
    if entries > ENTRIES or directory > 1000 * ENTRIES:
        raise Refused("xlsx_bomb")


def _inflated(file, entry: zipfile.ZipInfo) -> Iterator[bytes]:
    """What an entry unpacks to, in pieces. A directory can lie about sizes, so each is unpacked and held against it."""
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise Refused("xlsx_damaged")
    file.seek(entry.header_offset)
    header = file.read(30)
    if header[:4] != b"PK\x03\x04":
        raise Refused("xlsx_damaged")
    name, extra = struct.unpack("<HH", header[26:30])
    file.seek(entry.header_offset + 30 + name + extra)
    pieces = _stored if entry.compress_type == zipfile.ZIP_STORED else _deflated
    inflated = 0
    for piece in pieces(file, entry.compress_size):
        inflated += len(piece)
        if inflated > entry.file_size:
            raise Refused("xlsx_bomb")
        yield piece
    if inflated != entry.file_size:
        raise Refused("xlsx_damaged")


def _stored(file, left: int) -> Iterator[bytes]:
    while left and (piece := file.read(min(2**20, left))):
        left -= len(piece)
        yield piece


def _deflated(file, left: int) -> Iterator[bytes]:
    inflater = zlib.decompressobj(-15)
    while not inflater.eof:
        packed = inflater.unconsumed_tail or file.read(min(65_536, left))
        if not inflater.unconsumed_tail:
            left -= len(packed)
        if not packed:
            raise Refused("xlsx_damaged")
        yield inflater.decompress(packed, 2**20)


def _sheet_parts(archive: zipfile.ZipFile) -> dict[str, str]:
    def attributes(part: str, tag: bytes) -> list[dict[str, str]]:
        if part not in archive.namelist():
            return []
        tags = re.findall(rb"<(?:\w+:)?" + tag + rb"\s([^>]*)>", archive.read(part))
        return [{k.decode(): _plain(v) for k, v in re.findall(rb'([\w:]+)="([^"]*)"', found)} for found in tags]

    targets = {a.get("Id"): a.get("Target", "") for a in attributes("xl/_rels/workbook.xml.rels", b"Relationship")}
    names = set(archive.namelist())
    parts = {}
    for sheet in attributes("xl/workbook.xml", b"sheet"):
        target = targets.get(sheet.get("r:id"), "")
        part = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
        if part in names:
            parts[sheet.get("name", "")] = part
    return parts


def _odd_cells_of(xml: Iterator[bytes]) -> OddCells:
    """Cells that the library gives as blank: errors, and formulas whose value nobody has worked out."""
    cells: OddCells = {}
    rest = b""
    for data in xml:
        text = rest + data
        cut = text.rfind(b"</c>") + 4
        if cut < 4:
            rest = text[-65_536:]
            continue
        text, rest = text[:cut], text[cut:]
        if b't="e"' in text:
            for column, row, value in _ERROR_CELL.findall(text):
                cells.setdefault(int(row), {})[_column(column)] = _plain(value)
        if b"<f" in text:
            for column, row, formula in _EMPTY_FORMULA.findall(text):
                cells.setdefault(int(row), {})[_column(column)] = "=" + _plain(formula)
    return cells


def _column(letters: bytes) -> int:
    place = 0
    for letter in letters:
        place = place * 26 + letter - 64
    return place - 1


def _plain(value: bytes) -> str:
    text = value.decode(errors="replace")
    for entity, letter in _ENTITIES.items():
        text = text.replace(entity, letter)
    return text


if __name__ == "__main__":
    with open("/proc/self/statm") as statm:
        limit = int(statm.read().split()[0]) * resource.getpagesize() + MEMORY_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        main(sys.argv[1], sys.argv[2])
    except Refused as refused:
        print(json.dumps([refused.code, refused.values]), file=sys.stderr)
        sys.exit(REFUSED)
    except MemoryError:
        print(json.dumps(["xlsx_too_big", {"limit": XLSX_ROWS}]), file=sys.stderr)
        sys.exit(REFUSED)
