"""Files as they come from careless programs, broken sticks and ill will; made when a test asks, none kept.

Each says what must become of it: the code it is refused with, by the first look or while it is read, or "" where its
rows are read. What the rows then say is for the reader of rows.
"""

import csv
import io
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import xlsxwriter

HEAD = ["Mã vạch", "Ngày thu thập", "Xã/phường/thị trấn", "Thôn, tổ dân phố", "Số sổ hộ khẩu", "Họ và tên",
        "Ngày sinh", "Giới tính", "Quan hệ với chủ hộ", "Họ tên chủ hộ"]  # fmt: skip


@dataclass(frozen=True)
class HostileFile:
    """`name` is what it is uploaded as; `refused` the code of its refusal, "" where it is read; `rows` how many rows
    then, -1 where a test should not count."""

    what: str
    name: str
    content: bytes | Callable[[Path], None]
    refused: str = ""
    rows: int = -1

    def write(self, path: Path) -> Path:
        if callable(self.content):
            self.content(path)
        else:
            path.write_bytes(self.content)
        return path


def person(number: int, **cells: str) -> list[str]:
    row = dict(
        zip(
            HEAD,
            [f"T{number:09d}", "15/9/2018", "xã Hương Trà", "thôn Đông", "350000001", "NGUYỄN VĂN THỬ", "17/5/1980",
             "Nam", "Chủ hộ" if number == 1 else "Con", "NGUYỄN VĂN THỬ"],
            strict=True,
        )
    )  # fmt: skip
    return list((row | cells).values())


PEOPLE = [person(number) for number in range(1, 6)]


def csv_text(rows: list[list[str]], delimiter: str = ",", end: str = "\r\n", quoting: int = csv.QUOTE_MINIMAL) -> str:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator=end, quoting=quoting).writerows(rows)
    return text.getvalue()


GOOD = csv_text([HEAD, *PEOPLE])


def with_rows(*rows: list[str]) -> bytes:
    return csv_text([HEAD, *rows]).encode("utf-8-sig")


def workbook(sheets: dict[str, list[list]], **options) -> bytes:
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True} | options)
    day = book.add_format({"num_format": "dd/mm/yyyy"})
    for name, rows in sheets.items():
        page = book.add_worksheet(name)
        for line, row in enumerate(rows):
            for column, value in enumerate(row):
                if isinstance(value, date):
                    page.write_datetime(line, column, value, day)
                elif isinstance(value, tuple):
                    page.write_formula(line, column, value[0], None, value[1])
                elif isinstance(value, str):
                    # None is a cell that is not there, "" one without text
                    page.write_string(line, column, value)
                elif value is not None:
                    page.write(line, column, value)
    book.close()
    return out.getvalue()


GOOD_WORKBOOK = workbook({"Xã A": [HEAD, *PEOPLE]})


def zip_of(entries: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return out.getvalue()


def changed_workbook(**parts: Callable[[bytes], bytes]) -> bytes:
    """The good workbook with some parts made into something else; "sheet" is its sheet."""
    names = {"sheet": "xl/worksheets/sheet1.xml", "strings": "xl/sharedStrings.xml", "book": "xl/workbook.xml"}
    with zipfile.ZipFile(io.BytesIO(GOOD_WORKBOOK)) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    for part, change in parts.items():
        entries[names[part]] = change(entries[names[part]])
    return zip_of(entries)


def bomb(path: Path) -> None:
    """Two gigabytes of blanks in a sheet, in two megabytes."""
    with (
        zipfile.ZipFile(io.BytesIO(GOOD_WORKBOOK)) as good,
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
    ):
        for name in good.namelist():
            if name == "xl/worksheets/sheet1.xml":
                with archive.open(name, "w", force_zip64=False) as sheet:
                    for _ in range(500):
                        sheet.write(b" " * 2**20)
            else:
                archive.writestr(name, good.read(name))


def lying_bomb() -> bytes:
    """A sheet whose directory entry says a kilobyte and that unpacks to thirty megabytes."""
    packed = changed_workbook(sheet=lambda xml: xml + b" " * 30 * 2**20)
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        size = archive.getinfo("xl/worksheets/sheet1.xml").file_size
    return packed.replace(struct.pack("<I", size), struct.pack("<I", 1024))


def crowded_directory() -> bytes:
    entries = {f"xl/junk{number}": b"" for number in range(5000)}
    return zip_of({"xl/workbook.xml": b"<workbook/>"} | entries, zipfile.ZIP_STORED)


def far_corner(xml: bytes) -> bytes:
    row = b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'
    return xml.replace(b"</sheetData>", row)


def strings_of_300_megabytes(path: Path) -> None:
    cell = b"<si><t>" + b"A" * 2**20 + b"</t></si>"
    path.write_bytes(changed_workbook(strings=lambda xml: xml.replace(b"</sst>", cell * 300 + b"</sst>")))


def bad_checksum() -> bytes:
    content = bytearray(GOOD_WORKBOOK)
    place = content.index(b"PK\x03\x04", 10)
    length = struct.unpack("<H", content[place + 26 : place + 28])[0]
    content[place + 30 + length + 5] ^= 0xFF
    return bytes(content)


def five_million_rows(path: Path) -> None:
    block = b"T1,a,b\n" * 100_000
    with path.open("wb") as file:
        file.write(b"M\xc3\xa3 v\xe1\xba\xa1ch,H\xe1\xbb\x8d t\xc3\xaan,X\xc3\xa3\n")
        for _ in range(50):
            file.write(block)


# Both tables again, written down here from the fonts, so that a slip in the library's is found.
_TCVN3_FROM_A1 = {0xA1: "ĂÂÊÔƠƯĐăâêôơưđ", 0xB5: "àảãáạ", 0xBB: "ằẳẵắ", 0xC6: "ặầẩẫấậè", 0xCE: "ẻẽéẹềểễếệìỉ",
                  0xDC: "ĩíịò", 0xE1: "ỏõóọồổỗốộờởỡớợù", 0xF1: "ủũúụừửữứựỳỷỹýỵ"}  # fmt: skip
TCVN3_OF = {letter: chr(first + n) for first, letters in _TCVN3_FROM_A1.items() for n, letter in enumerate(letters)}
_VNI_TONES = dict(zip("\u0301\u0300\u0309\u0303\u0323", "ùøûõï", strict=True))
_VNI_MARKS = {
    "\u0302": ("â", dict(zip(_VNI_TONES, "áàåãä", strict=True))),
    "\u0306": ("ê", dict(zip(_VNI_TONES, "éèúüë", strict=True))),
}
_VNI_WHOLE = {"đ": "ñ", "ơ": "ô", "ư": "ö", "ị": "ò", "ỉ": "æ", "ĩ": "ó", "í": "í", "ì": "ì", "ỵ": "î"}
VIETNAMESE = [unicodedata.normalize("NFC", vowel + tone) for vowel in "aăâeêioôơuưy" for tone in ("", *_VNI_TONES)] + [
    "đ"
]


def in_tcvn3(text: str) -> str:
    """As typed in .VnTime: small letters where it has no capitals."""
    return "".join(TCVN3_OF.get(c) or TCVN3_OF.get(c.lower(), c) for c in text)


def in_vni(text: str) -> str:
    return "".join(map(_vni_of, text))


def _vni_of(letter: str) -> str:
    if letter.isascii():
        return letter
    if letter.isupper():
        return _vni_of(letter.lower()).upper()
    if letter in _VNI_WHOLE:
        return _VNI_WHOLE[letter]
    base, *marks = unicodedata.normalize("NFD", letter)
    if marks and marks[0] == "\u031b":
        return _VNI_WHOLE[unicodedata.normalize("NFC", base + "\u031b")] + _VNI_TONES[marks[1]]
    shape = next((mark for mark in marks if mark in _VNI_MARKS), "")
    tone = next((mark for mark in marks if mark in _VNI_TONES), "")
    if shape:
        alone, with_tone = _VNI_MARKS[shape]
        return base + (with_tone[tone] if tone else alone)
    return base + _VNI_TONES[tone] if tone else letter


def hostile_files() -> list[HostileFile]:
    tcvn3, vni = in_tcvn3(GOOD), in_vni(GOOD)
    wide = [f"Cột {number}" for number in range(90)]
    return [
        # nothing, or something else
        HostileFile("no bytes", "phieu.csv", b"", "empty_file"),
        HostileFile("only a byte-order mark", "phieu.csv", b"\xef\xbb\xbf", "empty_file"),
        HostileFile("only line ends", "phieu.csv", b"\r\n\r\n\r\n", "no_rows"),
        HostileFile("a heading and no row", "phieu.csv", csv_text([HEAD]).encode(), "no_rows"),
        HostileFile("a workbook without cells", "phieu.xlsx", workbook({"A": []}), "no_rows"),
        HostileFile("a workbook with only a heading", "phieu.xlsx", workbook({"A": [HEAD]}), "no_rows"),
        HostileFile("a PDF called xlsx", "phieu.xlsx", b"%PDF-1.7\n1 0 obj\n", "is_pdf"),
        HostileFile("a PDF called csv", "phieu.csv", b"%PDF-1.7\n1 0 obj\n", "is_pdf"),
        HostileFile("a picture called csv", "phieu.csv", b"\x89PNG\r\n\x1a\n" + bytes(100), "is_picture"),
        HostileFile("a program called xlsx", "phieu.xlsx", b"MZ\x90\x00" + bytes(range(256)), "is_program"),
        HostileFile("a Linux program called csv", "phieu.csv", b"\x7fELF" + bytes(100), "is_program"),
        HostileFile("an old Excel file", "phieu.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "is_xls"),
        HostileFile(
            "a workbook with a password", "phieu.xlsx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "xlsx_password"
        ),
        HostileFile(
            "a LibreOffice sheet called xlsx",
            "phieu.xlsx",
            zip_of({"mimetype": b"application/vnd.oasis.opendocument.spreadsheet"}, zipfile.ZIP_STORED),
            "is_ods",
        ),
        HostileFile("a Word document called xlsx", "phieu.xlsx", zip_of({"word/document.xml": b"<w/>"}), "is_word"),
        HostileFile("a binary workbook", "phieu.xlsx", zip_of({"xl/workbook.bin": b"\x83\x01"}), "is_xlsb"),
        HostileFile("an archive", "phieu.xlsx", zip_of({"phieu.csv": GOOD.encode()}), "is_archive"),
        HostileFile("a packed CSV", "phieu.csv", b"\x1f\x8b\x08" + bytes(50), "is_archive"),
        HostileFile("a web page called xls", "phieu.xls", b"<html><table><tr><td>1</td></tr></table>", "is_web_page"),
        HostileFile("a CSV called xlsx", "phieu.xlsx", GOOD.encode(), "text_named_workbook"),
        HostileFile("a workbook called csv", "phieu.csv", GOOD_WORKBOOK, "workbook_named_otherwise"),
        HostileFile("an ending nobody reads", "phieu.dat", GOOD.encode(), "ending_unknown"),
        HostileFile("random bytes", "phieu.csv", zlib.compress(GOOD.encode() * 9), "is_no_text"),
        # CSV, broken
        HostileFile("cut in a quoted cell", "phieu.csv", GOOD.encode() + b'T9,"15/9', "cut_off_in_cell"),
        HostileFile("cut between cells", "phieu.csv", GOOD.encode() + b"T9,15/9/2018,x", "cut_off"),
        HostileFile("cut in a letter", "phieu.csv", (GOOD + "T9,15/9/2018,xã").encode()[:-1], "not_utf8"),
        HostileFile("one cell of 10 MB", "phieu.csv", with_rows(person(1, **{"Họ và tên": "A" * 10**7})), "line_too_long"),
        HostileFile(
            "a quoted cell of 10 MB in lines",
            "phieu.csv",
            with_rows(person(1, **{"Họ và tên": "A\n" * 5 * 10**6})),
            "cell_too_long",
        ),
        HostileFile("a row with a cell too many", "phieu.csv", with_rows(*PEOPLE, [*person(6), "x"]), "more_cells"),
        HostileFile("a row with blank cells too many", "phieu.csv", with_rows(*PEOPLE, [*person(6), "", " "]), rows=6),
        HostileFile("rows too short", "phieu.csv", with_rows(*PEOPLE, person(6)[:4], person(7)), rows=7),
        HostileFile("100 columns", "phieu.csv", csv_text([HEAD + wide, *[p + ["x"] * 90 for p in PEOPLE]]).encode(), rows=5),
        HostileFile(
            "101 columns",
            "phieu.csv",
            csv_text([[*HEAD, *wide, "Thêm"], *[p + ["x"] * 91 for p in PEOPLE]]).encode(),
            "too_many_columns",
        ),
        HostileFile("NUL bytes", "phieu.csv", with_rows(*PEOPLE, person(6, **{"Họ và tên": "LÊ\x00A"})), "nul_bytes"),
        HostileFile("a tail of NUL bytes after a power cut", "phieu.csv", GOOD.encode() + bytes(20), "nul_bytes"),
        HostileFile("control characters", "phieu.csv", with_rows(person(1, **{"Họ và tên": "LÊ\x07 \x1bA\x85B"})), rows=1),
        HostileFile(
            "characters that turn writing round", "phieu.csv", with_rows(person(1, **{"Họ và tên": "LÊ \u202eNA\u200b"})), rows=1
        ),
        HostileFile("a stray quotation mark", "phieu.csv", GOOD.encode() + b'T9,"a" b,c\r\n', "stray_quotation_mark"),
        HostileFile("quoted cells with lines", "phieu.csv", with_rows(person(1, **{"Họ và tên": "LÊ\r\nA\nB\rC"})), rows=1),
        HostileFile("letters of Western Europe", "phieu.csv", "nom,prénom,ville\né,à,ç\n".encode("cp1252"), "not_utf8"),
        HostileFile("Windows-1258", "phieu.csv", "Tên,Huyên,Làng\nLê Đào,Hà,Là\n".encode("cp1258"), "not_utf8"),
        HostileFile("one wrong byte far down", "phieu.csv", GOOD.encode() * 2 + b"T9,\xff\r\n", "not_utf8"),
        HostileFile("five million rows", "phieu.csv", five_million_rows, "too_many_rows"),
        # CSV, odd but good
        HostileFile("decomposed letters", "phieu.csv", unicodedata.normalize("NFD", GOOD).encode(), rows=5),
        HostileFile("no byte-order mark", "phieu.csv", GOOD.encode(), rows=5),
        HostileFile("semicolons", "phieu.csv", csv_text([HEAD, *PEOPLE], ";").encode("utf-8-sig"), rows=5),
        HostileFile("tabs", "phieu.txt", csv_text([HEAD, *PEOPLE], "\t").encode(), rows=5),
        HostileFile("strokes", "phieu.csv", csv_text([HEAD, *PEOPLE], "|").encode(), rows=5),
        HostileFile("Excel's separator line", "phieu.csv", ("sep=;\r\n" + csv_text([HEAD, *PEOPLE], ";")).encode(), rows=5),
        HostileFile("UTF-16", "phieu.csv", csv_text([HEAD, *PEOPLE], "\t").encode("utf-16"), rows=5),
        HostileFile("UTF-16 without its mark", "phieu.csv", csv_text([HEAD, *PEOPLE], "\t").encode("utf-16-le"), rows=5),
        HostileFile("line ends of an old Mac", "phieu.csv", csv_text([HEAD, *PEOPLE], end="\r").encode(), rows=5),
        HostileFile("every cell quoted", "phieu.csv", csv_text([HEAD, *PEOPLE], quoting=csv.QUOTE_ALL).encode(), rows=5),
        HostileFile("blank rows between", "phieu.csv", GOOD.replace("\r\n", "\r\n,,,,,,,,,\r\n\r\n").encode(), rows=5),
        HostileFile("a title above", "phieu.csv", ("DANH SÁCH PHIẾU,,,,,,,,,\r\n\r\n" + GOOD).encode(), rows=5),
        HostileFile("formulas", "phieu.csv", with_rows(person(1, **{"Họ và tên": "=cmd|'/c calc'!A1"})), rows=1),
        HostileFile("days that do not exist", "phieu.csv", with_rows(person(1, **{"Ngày sinh": "31/2/1980"})), rows=1),
        HostileFile("the same barcode twice", "phieu.csv", with_rows(person(1), person(1)), rows=2),
        HostileFile("one heading twice", "phieu.csv", csv_text([[*HEAD, "Họ và tên"], [*person(1), "x"]]).encode(), rows=1),
        # letters of before Unicode: read only when somebody has said what they are
        HostileFile("TCVN3 bytes", "phieu.csv", tcvn3.encode("cp1252"), "encoding_unknown"),
        HostileFile("VNI bytes", "phieu.csv", vni.encode("cp1252"), "encoding_unknown"),
        HostileFile("TCVN3 letters saved as UTF-8", "phieu.csv", tcvn3.encode(), rows=5),
        HostileFile("VNI letters saved as UTF-8", "phieu.csv", vni.encode(), rows=5),
        HostileFile(
            "TCVN3 letters in a workbook",
            "phieu.xlsx",
            workbook({"A": [HEAD, *[[in_tcvn3(cell) for cell in row] for row in PEOPLE]]}),
            rows=5,
        ),
        # workbooks
        HostileFile("a zip bomb", "phieu.xlsx", bomb, "xlsx_bomb"),
        HostileFile("a zip bomb that lies", "phieu.xlsx", lying_bomb(), "xlsx_bomb"),
        HostileFile("a directory of thousands", "phieu.xlsx", crowded_directory(), "xlsx_bomb"),
        HostileFile("a cell in the last corner", "phieu.xlsx", changed_workbook(sheet=far_corner), "xlsx_too_big"),
        HostileFile("300 MB of strings", "phieu.xlsx", strings_of_300_megabytes, "xlsx_too_big"),
        HostileFile(
            "a cell of 2 MB in a workbook",
            "phieu.xlsx",
            changed_workbook(strings=lambda xml: xml.replace(b"<t>NGUY", b"<t>" + b"A" * 2**21 + b"NGUY", 1)),
            "line_too_long",
        ),
        HostileFile("a workbook cut off", "phieu.xlsx", GOOD_WORKBOOK[:-900], "xlsx_damaged"),
        HostileFile("half a workbook", "phieu.xlsx", GOOD_WORKBOOK[: len(GOOD_WORKBOOK) // 2], "xlsx_damaged"),
        HostileFile("a workbook with a broken part", "phieu.xlsx", bad_checksum(), "xlsx_damaged"),
        HostileFile("a sheet that is no XML", "phieu.xlsx", changed_workbook(sheet=lambda xml: b"<<<" + xml[200:]), "xlsx_damaged"),
        HostileFile(
            "a workbook that names no sheet",
            "phieu.xlsx",
            changed_workbook(book=lambda xml: xml.replace(b"<sheet ", b"<nothing ")),
            "xlsx_no_sheet",
        ),
        HostileFile(
            "an entity bomb",
            "phieu.xlsx",
            changed_workbook(
                sheet=lambda xml: xml.replace(
                    b"<worksheet", b'<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;">]><worksheet', 1
                )
            ),
            rows=5,
        ),
        HostileFile("formulas in cells", "phieu.xlsx", workbook({"A": [HEAD, *[[("=1+1", "T1"), *p[1:]] for p in PEOPLE]]}), rows=5),
        HostileFile("broken formulas", "phieu.xlsx", workbook({"A": [HEAD, *[[("=1/0", "#REF!"), *p[1:]] for p in PEOPLE]]}), rows=5),
        HostileFile("real days", "phieu.xlsx", workbook({"A": [HEAD, [*PEOPLE[0][:6], date(1980, 5, 17), *PEOPLE[0][7:]]]}), rows=1),
        HostileFile("long numbers", "phieu.xlsx", workbook({"A": [HEAD, [42080123456, *PEOPLE[0][1:]]]}), rows=1),
        HostileFile("several sheets", "phieu.xlsx", workbook({"A": [HEAD, *PEOPLE[:2]], "B": [HEAD, *PEOPLE[2:]]}), rows=5),
        HostileFile("another sheet beside", "phieu.xlsx", workbook({"A": [HEAD, *PEOPLE], "B": [["a", "b", "c"], ["1"]]}), rows=5),
        HostileFile("a title above in a workbook", "phieu.xlsx", workbook({"A": [["DANH SÁCH"], [], HEAD, *PEOPLE]}), rows=5),
    ]  # fmt: skip
