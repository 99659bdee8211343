"""Whatever the bytes are: rows, or a refusal with its sentence."""

import csv
import io
import json
import re
import subprocess
import sys
import time
import unicodedata
from datetime import date
from pathlib import Path

import pytest
import xlsxwriter
from django.utils import translation
from hypothesis import given, settings
from hypothesis import strategies as st

from households.imports import files, headings, xlsx_rows
from households.imports.fields import Field
from households.imports.problems import SENTENCES, FileRefused, sentence
from households.tests.hostile_files import (
    GOOD,
    GOOD_WORKBOOK,
    HEAD,
    PEOPLE,
    csv_text,
    hostile_files,
    in_tcvn3,
    in_vni,
    person,
    workbook,
)

KNOWN = headings.known_keys([Field(f"field{number}", heading) for number, heading in enumerate(HEAD)])
HOSTILE = hostile_files()


@pytest.fixture
def keep(tmp_path):
    def keep(content: bytes, name: str = "phieu.csv") -> Path:
        path = tmp_path / "kept"
        path.write_bytes(content)
        return path

    return keep


def read(path: Path, name: str = "phieu.csv", **chosen) -> list[tuple[int, list[str]]]:
    return list(files.read_rows(path, files.look_at(path, name, **chosen).layout))


def cells(path: Path, name: str = "phieu.csv", **chosen) -> list[list[str]]:
    return [row for _, row in read(path, name, **chosen)]


def refusal(path: Path, name: str = "phieu.csv") -> FileRefused:
    with pytest.raises(FileRefused) as refused:
        read(path, name)
    return refused.value


def assert_read_or_refused(path: Path, name: str) -> None:
    """Anything but FileRefused goes through, and so does a code without a sentence."""
    try:
        read(path, name)
    except FileRefused as refused:
        sentence(refused.code, refused.values)


# Hostile files


@pytest.mark.parametrize("file", HOSTILE, ids=lambda file: file.what)
def test_a_hostile_file_is_refused_with_its_sentence_or_read(file, tmp_path):
    path = file.write(tmp_path / "kept")
    if file.refused:
        refused = refusal(path, file.name)
        assert refused.code == file.refused
        for language in ("en", "vi"):
            with translation.override(language):
                assert "%(" not in sentence(refused.code, refused.values)
    else:
        assert len(read(path, file.name, known=KNOWN)) == file.rows


def test_there_are_enough_of_them():
    assert len(HOSTILE) >= 40
    assert len({file.what for file in HOSTILE}) == len(HOSTILE)


def test_every_refusal_in_the_code_has_its_sentence():
    for module in (files, xlsx_rows):
        source = Path(module.__file__).read_text()
        codes = set(re.findall(r'Refused\(\s*"(\w+)"', source)) | set(re.findall(r'"(is_\w+)"', source))
        assert codes
        assert codes <= set(SENTENCES)


def test_a_zip_bomb_costs_neither_time_nor_memory(tmp_path):
    for what in ("a zip bomb", "a zip bomb that lies", "a directory of thousands"):
        file = next(file for file in HOSTILE if file.what == what)
        path = file.write(tmp_path / "kept")
        begin = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-c", PEAK_OF_A_LOOK, xlsx_rows.__file__, str(path), str(tmp_path)],
            capture_output=True,
            check=True,
        )
        assert time.monotonic() - begin < 3
        assert int(done.stdout) < 100_000


PEAK_OF_A_LOOK = """
import resource, subprocess, sys
subprocess.run([sys.executable, "-I", *sys.argv[1:]], capture_output=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


@settings(max_examples=300, deadline=None)
@given(st.binary(min_size=1, max_size=600))
def test_random_bytes_are_refused_or_read(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "random"
    path.write_bytes(content)
    assert_read_or_refused(path, "phieu.csv")


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_a_workbook_with_wrong_bytes_is_refused_or_read(tmp_path_factory, data):
    content = bytearray(GOOD_WORKBOOK)
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=5)):
        content[place] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.getbasetemp() / "random.xlsx"
    path.write_bytes(content)
    assert_read_or_refused(path, "phieu.xlsx")


# What is written is read


def cleaned(cell: str) -> str:
    """What reading makes of a cell, said the slow way."""
    cell = unicodedata.normalize("NFC", cell)
    cell = "".join(" " if unicodedata.category(c) in {"Cc", "Zl", "Zp"} else c for c in cell)
    cell = re.sub("[\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]", "", cell)
    cell = unicodedata.normalize("NFC", cell)
    return cell[1:] if re.match("'[=+@-]", cell) else cell


CELLS = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=12) | st.sampled_from(
    [
        "",
        "NGUYỄN VĂN AN",
        'LÊ "TÈO" A',
        "Thạch Hạ, Hà Tĩnh",
        "a;b",
        "x\ty",
        "1|2",
        "'=1+1",
        "'",
        "a\nb",
        "Nguye\u0302\u0303n",
    ]
)


@settings(max_examples=150, deadline=None)
@given(
    rows=st.lists(st.lists(CELLS, min_size=4, max_size=4), min_size=1, max_size=8),
    delimiter=st.sampled_from(files.DELIMITERS),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    codec=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
def test_what_was_written_is_read(tmp_path_factory, rows, delimiter, end, codec, quoting):
    path = tmp_path_factory.getbasetemp() / "written"
    # the writer leaves a line end unquoted that is not its own
    text = csv_text([HEAD[:4], *rows], delimiter, end, quoting if end == "\r\n" else csv.QUOTE_ALL)
    path.write_bytes(text.encode(codec))
    layout = files.Layout("csv", delimiter, "utf-16" if codec == "utf-16" else "utf-8-sig", width=4)
    expected = [
        (number, list(map(cleaned, row)))
        for number, row in enumerate(rows, start=2)
        if any(cleaned(c).strip() for c in row)
    ]
    assert list(files.read_rows(path, layout)) == expected


@pytest.mark.parametrize("delimiter", files.DELIMITERS)
@pytest.mark.parametrize("known", [frozenset(), KNOWN])
def test_the_delimiter_is_found_whatever_the_cells_hold(keep, delimiter, known):
    rows = [person(number, **{"Họ tên chủ hộ": "Thạch Hạ, Hà Tĩnh; a|b, c"}) for number in range(1, 9)]
    path = keep(csv_text([HEAD, *rows], delimiter).encode())
    look = files.look_at(path, "phieu.csv", known=known)
    assert look.layout.delimiter == delimiter
    assert look.headings == HEAD
    assert cells(path) == rows


def test_a_list_of_one_column_is_read(keep):
    assert cells(keep("Mã vạch\nT1\nT2\n".encode())) == [["T1"], ["T2"]]


def test_a_chunk_may_end_anywhere(keep, monkeypatch):
    path = keep(
        unicodedata.normalize(
            "NFD", csv_text([HEAD, *[person(n, **{"Họ và tên": "Đỗ\r\nThuỷ"}) for n in range(9)]])
        ).encode()
    )
    whole = read(path)
    assert whole[0][1][5] == "Đỗ  Thuỷ"
    for size in (97, 101, 256):
        monkeypatch.setattr(files, "CHUNK", size)
        assert read(path) == whole


# Rows and their numbers


def test_rows_are_numbered_as_the_spreadsheet_numbers_them(keep):
    text = "Danh sách,,\r\n\r\na,b,c\r\n1,2,3\r\n\r\n,,\r\n4,5,6\r\n"
    assert read(keep(text.encode())) == [(4, ["1", "2", "3"]), (7, ["4", "5", "6"])]


def test_a_row_of_several_lines_is_one_row(keep):
    assert read(keep(b'a,b,c\n"1\n2",x,y\n4,5,6\n')) == [(2, ["1 2", "x", "y"]), (3, ["4", "5", "6"])]


def test_a_row_of_the_second_sheet_is_found_again(keep):
    path = keep(workbook({"Xã A": [HEAD, *PEOPLE[:2]], "Xã B": [["DANH SÁCH"], HEAD, *PEOPLE[2:]]}))
    layout = files.look_at(path, "phieu.xlsx", known=KNOWN).layout
    places = [files.place_of(layout, number) for number, _ in files.read_rows(path, layout)]
    assert places == [("Xã A", 2), ("Xã A", 3), ("Xã B", 3), ("Xã B", 4), ("Xã B", 5)]


def test_of_one_sheet_only_the_row_is_said(keep):
    path = keep(GOOD_WORKBOOK)
    layout = files.look_at(path, "phieu.xlsx").layout
    assert [files.place_of(layout, number) for number, _ in read(path, "phieu.xlsx")][:1] == [("", 2)]


def test_a_file_cut_off_says_where(keep):
    refused = refusal(keep(GOOD.encode() + b'T9,"15/9'))
    assert (refused.code, refused.values["row"]) == ("cut_off_in_cell", 7)
    refused = refusal(keep(GOOD.encode() + b"T9,15"))
    assert (refused.code, refused.values["row"]) == ("cut_off", 7)


def test_wrong_bytes_far_down_say_where(keep):
    rows = csv_text([HEAD, *(PEOPLE * 30_000)])
    path = keep(rows.encode() + b"T9,\xff\xfe,x\r\n")
    refused = refusal(path)
    assert (refused.code, refused.values["row"]) == ("not_utf8", 150_002)


def test_a_short_last_row_without_end_is_no_cut_where_rows_are_short_anyway(keep):
    assert cells(keep(b"a,b,c\n1,2\n3,4,5\n6,7")) == [["1", "2", ""], ["3", "4", "5"], ["6", "7", ""]]


def test_too_many_rows_are_refused_also_where_the_look_cannot_tell(keep, monkeypatch):
    monkeypatch.setattr(files, "MAX_ROWS", 4)
    refused = refusal(keep(GOOD.encode()))
    assert (refused.code, refused.values["limit"]) == ("too_many_rows", 4)


def test_a_file_too_large_is_refused_before_it_is_read(keep, monkeypatch):
    monkeypatch.setattr(files, "MAX_BYTES", 2**20)
    path = keep(b"a" * (2**20 + 1))
    assert refusal(path).code == "too_many_bytes"


def test_a_reader_that_stops_in_the_middle_leaves_no_process(keep):
    path = keep(workbook({"A": [HEAD, *(PEOPLE * 4000)]}))
    rows = files.read_rows(path, files.look_at(path, "phieu.xlsx").layout)
    next(rows)
    rows.close()
    assert not subprocess.run(["pgrep", "-f", str(path)], capture_output=True, check=False).stdout


def test_progress_ends_at_the_total(keep):
    for content, name in ((GOOD.encode(), "phieu.csv"), (GOOD_WORKBOOK, "phieu.xlsx")):
        path, progress = keep(content), files.Progress()
        assert list(files.read_rows(path, files.look_at(path, name).layout, progress))
        assert progress.done == progress.total > 0


def test_a_layout_survives_json(keep):
    layout = files.look_at(keep(GOOD_WORKBOOK), "phieu.xlsx").layout
    assert files.Layout.from_json(json.loads(json.dumps(layout.as_json()))) == layout


# What a look shows


def test_a_look_shows_the_beginning(keep):
    look = files.look_at(keep(csv_text([HEAD, *(PEOPLE * 20)]).encode()), "phieu.csv")
    assert look.headings == HEAD
    assert look.samples == (PEOPLE * 20)[: files.SHOWN_ROWS]
    assert look.rows == 100
    assert look.suspected_encoding == ""
    assert look.preview == []


def test_headings_below_a_title_are_found_by_the_words_that_are_known(keep):
    rows = [["CÔNG AN TỈNH", "Mẫu", "A4", "2018"], [], ["Danh sách", "phiếu", "thu thập", "dân cư"], HEAD, *PEOPLE]
    look = files.look_at(keep(workbook({"A": rows})), "phieu.xlsx", known=KNOWN)
    assert look.headings == HEAD
    assert look.layout.heading_rows == (4,)


@pytest.mark.parametrize(("encode", "encoding"), [(in_tcvn3, "tcvn3"), (in_vni, "vni")])
@pytest.mark.parametrize("codec", ["cp1252", "utf-8", "utf-16"])
def test_old_letters_are_offered_never_converted_unasked(keep, encode, encoding, codec):
    path = keep(encode(GOOD).encode(codec))
    look = files.look_at(path, "phieu.csv", known=KNOWN)
    assert look.suspected_encoding == encoding
    assert look.samples[0][5] == encode("NGUYỄN VĂN THỬ")
    assert (encode("NGUYỄN VĂN THỬ"),) == tuple(a for a, b in look.preview if b.upper() == "NGUYỄN VĂN THỬ")
    if codec == "cp1252":
        assert refusal(path).code == "encoding_unknown"
    else:
        assert cells(path)[0] == look.samples[0]
    chosen = files.look_at(path, "phieu.csv", known=KNOWN, encoding=encoding)
    assert [heading.casefold() for heading in chosen.headings] == [heading.casefold() for heading in HEAD]
    assert chosen.samples[0][5].upper() == "NGUYỄN VĂN THỬ"
    read_again = cells(path, encoding=encoding)
    assert [[cell.casefold() for cell in row] for row in read_again] == [[c.casefold() for c in row] for row in PEOPLE]


def test_columns_in_unicode_stay_as_they_are_beside_columns_of_old_letters(keep):
    rows = [[in_tcvn3("Nguyễn Văn Tú"), "Lê Nam"], [in_tcvn3("Trần Thị Hà"), "Đỗ Đức"]] * 3
    path = keep(csv_text([["Họ tên", "Chủ hộ"], *rows]).encode())
    look = files.look_at(path, "phieu.csv")
    assert look.suspected_encoding == "tcvn3"
    chosen = files.look_at(path, "phieu.csv", encoding="tcvn3")
    assert chosen.headings == ["Họ tên", "Chủ hộ"]
    assert cells(path, encoding="tcvn3")[:2] == [["Nguyễn Văn Tú", "Lê Nam"], ["Trần Thị Hà", "Đỗ Đức"]]


def test_somebody_may_say_that_suspected_letters_are_right(keep):
    path = keep(in_tcvn3(GOOD).encode())
    assert cells(path, encoding="unicode")[0][5] == in_tcvn3("NGUYỄN VĂN THỬ")


# Workbooks


def test_cells_of_a_workbook_come_as_a_clerk_would_type_them(keep):
    row = [
        12,
        1.5,
        42080123456,
        123456789012345,
        date(1980, 5, 7),
        True,
        ("=A1", 5),
        ("=1/0", "#DIV/0!"),
        ("=B1", ""),
        "x\ny\tz",
    ]
    path = keep(workbook({"A": [[f"Cột {number}" for number in range(10)], row]}))
    assert cells(path, "phieu.xlsx") == [
        ["12", "1.5", "42080123456", "123456789012345", "07/05/1980", "TRUE", "5", "#DIV/0!", "=B1", "x y z"]
    ]


def test_an_error_is_put_into_its_own_cell_where_the_list_does_not_begin_at_a1(keep):
    rows = [[], [None, None, *HEAD[:3]], [None, None, "1", ("=1/0", "#REF!"), "3"]]
    assert read(keep(workbook({"A & B": rows})), "phieu.xlsx") == [(3, ["1", "#REF!", "3"])]


def test_sheets_with_the_same_headings_are_read_as_one_unless_chosen(keep):
    path = keep(
        workbook({"A": [HEAD, *PEOPLE[:2]], "B": [HEAD, *PEOPLE[2:]], "Khác": [["x", "y", "z"], ["1", "2", "3"]]})
    )
    look = files.look_at(path, "phieu.xlsx", known=KNOWN)
    assert [(sheet.name, sheet.agrees) for sheet in look.sheets] == [("A", True), ("B", True), ("Khác", False)]
    assert look.layout.sheets == ("A", "B")
    assert cells(path, "phieu.xlsx", known=KNOWN) == PEOPLE
    assert cells(path, "phieu.xlsx", known=KNOWN, sheets=["B"]) == PEOPLE[2:]
    assert cells(path, "phieu.xlsx", known=KNOWN, sheets=["Khác"]) == [["1", "2", "3"]]
    with pytest.raises(FileRefused) as refused:
        files.look_at(path, "phieu.xlsx", known=KNOWN, sheets=["A", "Khác"])
    assert refused.value.code == "sheets_differ"


def test_a_sheet_of_too_many_rows_is_refused_with_advice(keep, tmp_path):
    path = tmp_path / "kept"
    book = xlsxwriter.Workbook(path, {"constant_memory": True})
    page = book.add_worksheet("A")
    for line in range(files.XLSX_ROWS + 30):
        page.write_row(line, 0, ["a", "b", "c"])
    book.close()
    refused = refusal(path, "phieu.xlsx")
    assert refused.code == "xlsx_too_many_rows"
    assert "CSV" in sentence(refused.code, refused.values)


# The error file


@pytest.mark.parametrize("delimiter", [",", ";"])
def test_the_error_file_holds_the_refused_rows_and_can_be_uploaded_again(keep, tmp_path, delimiter):
    rows = [person(n, **{"Họ và tên": name}) for n, name in enumerate(["LÊ A", "=1+1", "-", 'LÊ "B"', "x\ny"], start=1)]
    path = keep(csv_text([HEAD, *rows], delimiter).encode())
    layout = files.look_at(path, "phieu.csv").layout
    to = tmp_path / "errors.csv"
    assert files.write_error_file(path, layout, {3: "Tên sai; ngày sai", 4: "Tên, sai", 6: "Sai"}, to) == 3
    assert to.read_bytes().startswith(b"\xef\xbb\xbf")
    look = files.look_at(to, "errors.csv")
    assert look.headings == [*HEAD, "Lỗi"]
    assert look.layout.delimiter == delimiter
    again = cells(to)
    assert [row[5] for row in again] == ["=1+1", "-", "x y"]
    assert [row[-1] for row in again] == ["Tên sai; ngày sai", "Tên, sai", "Sai"]
    with to.open(encoding="utf-8-sig", newline="") as file:
        assert not any(
            cell.startswith(("=", "+", "-", "@")) for row in csv.reader(file, delimiter=delimiter) for cell in row
        )


def test_an_error_file_of_an_error_file_has_one_column_of_errors(keep, tmp_path):
    path = keep(csv_text([[*HEAD, "Lỗi"], [*person(1), "cũ"]]).encode())
    to = tmp_path / "errors.csv"
    files.write_error_file(path, files.look_at(path, "phieu.csv").layout, iter([(2, "mới")]), to)
    assert files.look_at(to, "errors.csv").headings == [*HEAD, "Lỗi"]
    assert cells(to)[0][-1] == "mới"


def test_the_error_file_of_a_workbook_is_a_workbook(keep, tmp_path, monkeypatch):
    path = keep(workbook({"A": [HEAD, *PEOPLE[:2]], "B": [HEAD, *PEOPLE[2:]]}))
    layout = files.look_at(path, "phieu.xlsx").layout
    to = tmp_path / "errors.xlsx"
    monkeypatch.setattr(files, "XLSX_ROWS", 2)
    refused = {number: "sai" for number, _ in files.read_rows(path, layout)}
    assert files.write_error_file(path, layout, refused, to) == 5
    again = files.look_at(to, "errors.xlsx")
    assert [sheet.rows for sheet in again.sheets] == [3, 3, 2]
    assert [row[:-1] for row in cells(to, "errors.xlsx")] == PEOPLE


def test_the_error_file_of_old_letters_is_in_unicode(keep, tmp_path):
    path = keep(in_tcvn3(GOOD).encode("cp1252"))
    layout = files.look_at(path, "phieu.csv", encoding="tcvn3").layout
    to = tmp_path / "errors.csv"
    files.write_error_file(path, layout, {2: "sai"}, to)
    assert files.look_at(to, "errors.csv").suspected_encoding == ""
    assert cells(to)[0][5].upper() == "NGUYỄN VĂN THỬ"


def test_a_refused_row_that_is_not_there_stops_no_other(keep, tmp_path):
    path, to = keep(GOOD.encode()), tmp_path / "errors.csv"
    layout = files.look_at(path, "a.csv").layout
    assert files.write_error_file(path, layout, {1: "?", 3: "sai", 99: "?"}, to) == 1
    assert cells(to)[0][:-1] == PEOPLE[1]


def test_an_error_file_of_nothing_is_a_heading(keep, tmp_path):
    to = tmp_path / "errors.csv"
    assert files.write_error_file(keep(GOOD.encode()), files.look_at(keep(GOOD.encode()), "a.csv").layout, {}, to) == 0
    assert next(csv.reader(io.StringIO(to.read_text(encoding="utf-8-sig")))) == [*HEAD, "Lỗi"]
