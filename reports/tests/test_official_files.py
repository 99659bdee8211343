"""The files of a report: PDF, Word, workbook and CSV say what the report says."""

import csv
import io
import re
import zipfile
from datetime import timedelta
from decimal import Decimal
from xml.etree import ElementTree

import pytest
from docx import Document
from pypdf import PdfReader
from python_calamine import CalamineWorkbook

from reports import exports, services
from reports.models import Export
from reports.official import contents, letter, making, printed
from reports.progress import two_places
from reports.tests.official import BEFORE, DAY, content_of, made, pdf_text, period_of
from reports.typesetting import on_paper
from verification.tests.factories import record


@pytest.fixture(autouse=True)
def _own_folder(settings, tmp_path):
    settings.EXPORT_DIR = tmp_path / "exports"


def test_the_pdf_says_the_sentences_and_the_tables(history, cast, tree):
    export = made(history, cast.pc06, tree.province)
    assert export.status == Export.Status.DONE
    raw = content_of(export)
    text = pdf_text(raw)
    report = contents.report_of(history, tree.province, period_of(history))
    for section in report.sections:
        assert section.heading in text
        for paragraph in section.paragraphs:
            assert paragraph in text
    for part in ("CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", "Độc lập - Tự do - Hạnh phúc", "CÔNG AN TỈNH HÀ TĨNH",
                 "DỰ THẢO: chưa vào sổ đăng ký, chưa ký.", "BÁO CÁO", "Nơi nhận:", "TRƯỞNG PHÒNG", "Phụ lục I"):  # fmt: skip
        assert part in text
    assert export.rows == sum(len(table.rows) for table in report.tables)


def test_the_pdf_is_tagged_embedded_and_a4(history, cast, tree):
    reader = PdfReader(io.BytesIO(content_of(made(history, cast.pc06, tree.province))))
    root = reader.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert "/StructTreeRoot" in root
    assert root["/Lang"] == "vi"
    assert b"pdfuaid:part" in root["/Metadata"].get_object().get_data()
    fonts = {
        str(font.get_object()["/BaseFont"]) for page in reader.pages for font in page["/Resources"]["/Font"].values()
    }
    assert {name.split("+")[1] for name in fonts} == {"Tinos-Regular", "Tinos-Bold", "Tinos-Italic", "Tinos-BoldItalic"}
    assert [round(float(side)) for side in reader.pages[0].mediabox[2:]] == [595, 842]
    assert [round(float(side)) for side in reader.pages[-1].mediabox[2:]] == [842, 595]


@pytest.mark.parametrize(
    ("kind", "format"),
    [("report", "pdf"), ("report", "docx"), ("annexes", "xlsx"), ("annexes", "pdf"), ("annexes", "csv")],
)
def test_the_same_cut_off_is_the_same_file_byte_for_byte(history, homes, cast, tree, live_on, kind, format):
    wanted = {"kind": kind, "format": format, "annex": "units" if format == "csv" else ""}
    first = made(history, cast.pc06, tree.province, **wanted)
    record(homes.hung_tri, cast.stranger, verified_on=BEFORE)
    live_on(DAY + timedelta(days=1))
    second = made(history, cast.admin, tree.province, **wanted)
    assert content_of(first) == content_of(second)
    assert first.sha256 == second.sha256
    assert exports.file_name(first) == exports.file_name(second)


def sheets_of(raw: bytes) -> dict[str, list[list]]:
    book = CalamineWorkbook.from_filelike(io.BytesIO(raw))
    return {name: book.get_sheet_by_name(name).to_python() for name in book.sheet_names}


def test_the_workbook_holds_every_table_with_real_numbers(history, cast, tree):
    report = contents.report_of(history, tree.province, period_of(history))
    sheets = list(
        sheets_of(content_of(made(history, cast.pc06, tree.province, kind="annexes", format="xlsx"))).values()
    )
    assert len(sheets) == len(report.tables)
    for table, lines in zip(report.tables, sheets, strict=True):
        top = lines.index([column.title for column in table.columns])
        body = lines[top + 1 :]
        assert len(body) == len(table.rows) + bool(table.total)
        for row, shown in zip([*table.rows, *([table.total] if table.total else [])], body, strict=True):
            assert shown == [_as_cell(value) for value in row]


def _as_cell(value):
    if value is None:
        return ""
    return float(two_places(value)) if isinstance(value, Decimal) else value


def formulas_of(raw: bytes) -> dict[str, list[tuple[str, str, float]]]:
    """Sheet -> (cell, formula, the value beside it)."""
    space = {"m": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}
    found = {}
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        for name in sorted(n for n in archive.namelist() if n.startswith("xl/worksheets/sheet")):
            root = ElementTree.fromstring(archive.read(name))
            found[name] = [
                (cell.get("r"), cell.find("m:f", space).text, float(cell.find("m:v", space).text))
                for cell in root.iterfind(".//m:c", space)
                if cell.find("m:f", space) is not None
            ]
            values = {
                cell.get("r"): float(cell.find("m:v", space).text)
                for cell in root.iterfind(".//m:c", space)
                if cell.find("m:v", space) is not None and cell.get("t") not in ("s", "str", "inlineStr")
            }
            for place, formula, value in found[name]:
                assert calculated(formula, values) == pytest.approx(value), (name, place)
    return found


def calculated(formula: str, values: dict[str, float]) -> float:
    """What a spreadsheet makes of the two kinds of formulas there are."""
    column = re.fullmatch(r"SUM\(([A-Z]+)(\d+):\1(\d+)\)", formula)
    if column:
        name, first, last = column.groups()
        return sum(values.get(f"{name}{line}", 0) for line in range(int(first), int(last) + 1))
    part, base = re.search(r"ROUND\(([A-Z]+\d+)/([A-Z]+\d+)\*100,2\)", formula).groups()
    share = two_places(Decimal(values[part]) / Decimal(values[base]) * 100)
    return float(Decimal("99.99") if values[part] < values[base] and share >= 100 else share)


def test_sums_are_formulas_that_agree(history, cast, tree):
    found = formulas_of(content_of(made(history, cast.pc06, tree.province, kind="annexes", format="xlsx")))
    assert sum(map(len, found.values())) > 30
    assert any(formula.startswith("SUM(") for lines in found.values() for _cell, formula, _value in lines)
    assert any(formula.startswith("IF(") for lines in found.values() for _cell, formula, _value in lines)


def test_a_sheet_is_laid_out_for_paper(history, cast, tree):
    raw = content_of(made(history, cast.pc06, tree.province, kind="annexes", format="xlsx"))
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        page = archive.read("xl/worksheets/sheet1.xml").decode()
        names = archive.read("xl/workbook.xml").decode()
    for setting in ('orientation="landscape"', 'paperSize="9"', 'fitToHeight="0"', 'state="frozen"'):
        assert setting in page
    assert "_xlnm.Print_Titles" in names


def test_a_table_as_csv(history, cast, tree):
    export = made(history, cast.pc06, tree.province, kind="annexes", format="csv", annex="units")
    raw = content_of(export)
    assert raw.startswith(b"\xef\xbb\xbf")
    head, *lines, total = csv.reader(io.StringIO(raw.decode("utf-8-sig")))
    table = contents.report_of(history, tree.province, period_of(history)).table("units")
    assert head == [column.title for column in table.columns]
    assert [line[1] for line in lines] == ["Huyện Hương Khê", "Thị xã Kỳ Anh"]
    assert total[1] == "Tổng cộng"
    assert int(total[table.column("verified")]) == sum(int(line[table.column("verified")]) for line in lines) == 9
    assert export.rows == len(lines)


HOSTILE = ["=1+1", "+49", "-2", "@SUM(A1)", "\tx", "\rx", "a\x01\x1fb\x0b", "dòng\nhai", "#[*]_$<>&\"'", "Ặ" * 100]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_text_in_every_file(history, cast, tree, name):
    type(cast.officer).objects.filter(pk=cast.officer.pk).update(full_name=name)
    shown = re.sub(r"\s+", " ", "".join(" " if ord(c) < 32 else c for c in name)).strip()
    lines = csv.reader(
        io.StringIO(
            content_of(made(history, cast.pc06, tree.province, kind="annexes", format="csv", annex="officers")).decode(
                "utf-8-sig"
            )
        )
    )
    cells = {row[1] for row in lines}
    assert ("'" + shown if shown[0] in "=+-@" else shown) in cells
    raw = content_of(made(history, cast.pc06, tree.province, kind="annexes", format="xlsx", annex="officers"))
    (sheet,) = sheets_of(raw).values()
    assert shown in {row[1] for row in sheet}
    assert all(not formula.startswith("1+1") for lines in formulas_of(raw).values() for _c, formula, _v in lines)
    text = pdf_text(content_of(made(history, cast.pc06, tree.province, kind="annexes", format="pdf", annex="officers")))
    assert shown.replace(" ", "") in text.replace(" ", "")


def blocks_of(raw: bytes) -> tuple[list[str], list[list[list[str]]]]:
    """The paragraphs of a Word file, and its tables as rows of texts."""
    document = Document(io.BytesIO(raw))
    tables = [[[cell.text for cell in row.cells] for row in table.rows] for table in document.tables]
    return [paragraph.text for paragraph in document.paragraphs], tables


def test_the_word_file_says_the_sentences_and_the_tables(history, cast, tree):
    export = made(history, cast.pc06, tree.province, format="docx")
    assert export.status == Export.Status.DONE
    paragraphs, tables = blocks_of(content_of(export))
    report = contents.report_of(history, tree.province, period_of(history))
    words = printed.report_words(report)
    told = [line for section in report.sections for line in (section.heading, *section.paragraphs)]
    assert [line for line in paragraphs if line in told] == told
    assert {words["title"], words["subject"], words["addressee"], words["opening"], words["closing"]} <= set(paragraphs)
    head = " ".join(tables[0][0])
    for name in ("superior", "office", "number", "country", "motto"):
        assert words[name] in head
    assert "Hà Tĩnh, ngày 18 tháng 6 năm 2020" in head
    assert "DỰ THẢO" in tables[1][0][0]
    assert "TRƯỞNG PHÒNG" in tables[2][0][1]
    annexes = tables[3:]
    assert len(annexes) == len(words["annexes"])
    for annex, table in zip(words["annexes"], annexes, strict=True):
        total = [annex["total"]] if annex["total"] else []
        assert table == [[column["title"] for column in annex["columns"]], *annex["rows"], *total]


def test_the_word_file_is_laid_out_as_the_decree_wants_it(history, cast, tree):
    document = Document(io.BytesIO(content_of(made(history, cast.pc06, tree.province, format="docx"))))
    letter_page, *annex_pages = document.sections
    in_mm = [round(side.mm) for side in (letter_page.page_width, letter_page.page_height, letter_page.top_margin,
             letter_page.bottom_margin, letter_page.left_margin, letter_page.right_margin)]  # fmt: skip
    assert in_mm == [210, 297, 20, 20, 30, 17]
    assert letter_page.different_first_page_header_footer
    assert "PAGE" in letter_page.header._element.xml
    assert document.styles["Normal"].font.name == "Times New Roman"
    assert document.styles["Normal"].font.size.pt == 14
    assert len(annex_pages) == len(document.tables) - 3
    for page in annex_pages:
        assert round(page.page_width.mm) == 297
        assert 'w:pgNumType w:start="1"' in page._sectPr.xml
    about = document.core_properties
    assert (about.author, about.last_modified_by) == ("Phòng Cảnh sát QLHC về TTXH", "")
    assert about.created == about.modified


def test_a_table_that_is_empty_is_not_in_the_word_file(history, cast, tree):
    _paragraphs, tables = blocks_of(content_of(made(history, cast.pc06, tree.huong_tra, format="docx")))
    report = contents.report_of(history, tree.huong_tra, period_of(history))
    assert len(tables) == 3 + len(report.tables)
    assert "units" not in {table.key for table in report.tables}


@pytest.mark.parametrize("name", ["{{ 7*7 }}", "{% if x %}", "<w:p/>&amp;\x01\x0b", "a\tb\nc", "=1+1"])
def test_hostile_names_are_text_in_a_word_file(history, cast, tree, name):
    type(cast.officer).objects.filter(pk=cast.officer.pk).update(full_name=name)
    _paragraphs, tables = blocks_of(content_of(made(history, cast.pc06, tree.province, format="docx")))
    shown = re.sub(r"\s+", " ", "".join(" " if ord(c) < 32 else c for c in name)).strip()
    assert shown in {row[1] for table in tables for row in table if len(row) > 10}


def test_an_empty_table_is_no_file_and_says_so(history, cast, tree):
    export = made(history, cast.pc06, tree.huong_tra, kind="annexes", format="csv", annex="teams")
    assert export.status == Export.Status.FAILED
    assert "không có dòng nào" in export.failure
    assert not exports.file_path(export).exists()


def test_a_stopped_report_makes_no_file(history, cast, tree):
    period = period_of(history)
    export = services.request_report(
        by=cast.pc06, round=history, unit=tree.province, kind="report", format="pdf",
        period=period, dated_on=period.last, signs=letter.Signs.HEAD,
    )  # fmt: skip
    exports.ask_to_stop(export)
    exports.make(export.pk)
    export.refresh_from_db()
    assert export.status == Export.Status.CANCELLED
    assert not exports.file_path(export).exists()


def test_made_twice_is_harmless(history, cast, tree):
    export = made(history, cast.pc06, tree.province)
    before = content_of(export)
    exports.make(export.pk)
    assert content_of(export) == before


def test_a_table_too_long_for_paper_is_left_to_the_workbook(history, cast, tree, monkeypatch):
    monkeypatch.setattr(making, "ROWS_ON_PAPER", 1)
    report = contents.report_of(history, tree.province, period_of(history))
    text = pdf_text(on_paper("report", making.paper_words(report, report.tables, with_text=False)))
    assert "2 dòng, quá nhiều để in: phụ lục này xem trong tệp XLSX." in text
