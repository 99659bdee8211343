"""The report of a unit: one set of figures behind the sentences, the preview, the PDF, the workbook and the recount."""

import csv
import dataclasses
import io
import re
import zipfile
from collections import Counter, defaultdict
from datetime import date, timedelta
from decimal import Decimal
from xml.etree import ElementTree

import pytest
from django.core.cache import caches
from django.urls import reverse
from django.utils import translation
from docx import Document
from hypothesis import given
from hypothesis import strategies as st
from pypdf import PdfReader
from python_calamine import CalamineWorkbook

from households.models import AdministrativeUnit, TeamCommune
from households.tests.factories import Level, Type, make_team, make_unit
from reports import exports, rollups, services
from reports.demo.seed import seed
from reports.models import Export
from reports.official import contents, forms, letter, making, printed, reading
from reports.official.annexes import Table
from reports.official.periods import Kind, Period, is_end_of_month, period_ending
from reports.progress import two_places
from reports.typesetting import on_paper
from verification.models import PassEvent, VerificationPass
from verification.models import Round as AnyRound
from verification.rules import is_verified
from verification.terms import WITH_CORRECTIONS, Outcome
from verification.tests.factories import record

DAY = date(2020, 6, 19)
BEFORE = DAY - timedelta(days=2)
NUMBER = re.compile(r"\d+(?:\.\d{3})*(?:,\d+)?")


@pytest.fixture(autouse=True)
def _own_folder(settings, tmp_path):
    settings.EXPORT_DIR = tmp_path / "exports"


@pytest.fixture
def history(homes, cast, tree, settings, request, live_on):
    """Two days of results that are over, some of them late, one officer and one team member at work."""
    settings.CENSUS_VERIFY_TODAY = DAY - timedelta(days=9)
    round = request.getfixturevalue("round")
    live_on(BEFORE)
    record(homes.four, cast.officer, verified_on=BEFORE)
    live_on(BEFORE + timedelta(days=1))
    record(homes.two, cast.officer, "deceased", event_on=date(2019, 1, 2), paper="archive")
    record(homes.three, cast.officer, verified_on=BEFORE)
    record(homes.phu_gia, cast.member)
    live_on(DAY)
    return round


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


# --- periods ------------------------------------------------------------------------------


@given(
    st.sampled_from([Kind.DAY, Kind.WEEK, Kind.MONTH]),
    st.dates(date(2020, 1, 1), date(2030, 12, 31)),
)
def test_periods_follow_each_other_without_gap_or_overlap(kind, last):
    period = period_ending(kind, last, starts_on=date(2020, 1, 1))
    assert period.first <= period.last
    if period.before:
        assert period.before.last + timedelta(days=1) == period.first
        assert period.before.kind == kind
    else:
        assert period.first == date(2020, 1, 1)


@given(st.dates(date(2020, 3, 1), date(2030, 12, 31)))
def test_a_month_ends_as_it_began(last):
    period = period_ending(Kind.MONTH, last, starts_on=date(2020, 1, 1))
    assert 28 <= period.days <= 31
    assert not is_end_of_month(last) or period.first.day == 1


def test_the_words_of_a_period():
    starts_on = date(2020, 1, 1)
    words = {
        (Kind.DAY, date(2020, 6, 19), None): "ngày 19/6/2020",
        (Kind.WEEK, date(2020, 6, 19), None): "tuần từ ngày 13/6/2020 đến hết ngày 19/6/2020",
        (Kind.MONTH, date(2020, 6, 30), None): "tháng 6 năm 2020",
        (Kind.MONTH, date(2020, 6, 14), None): "tháng, từ ngày 15/5/2020 đến hết ngày 14/6/2020",
        (Kind.RANGE, date(2020, 6, 9), date(2020, 6, 3)): "từ ngày 3/6/2020 đến hết ngày 9/6/2020",
    }
    for (kind, last, first), expected in words.items():
        assert period_ending(kind, last, starts_on=starts_on, first=first).words == expected


def test_zeros_in_a_date_stand_before_days_under_10_and_months_1_and_2():
    assert letter.place_and_date("Hà Tĩnh", date(2020, 2, 5)) == "Hà Tĩnh, ngày 05 tháng 02 năm 2020"
    assert letter.place_and_date("Hà Tĩnh", date(2020, 6, 9)) == "Hà Tĩnh, ngày 09 tháng 6 năm 2020"
    assert letter.place_and_date("Hà Tĩnh", date(2020, 12, 19)) == "Hà Tĩnh, ngày 19 tháng 12 năm 2020"


def test_who_writes_to_whom(tree):
    province = letter.letter_of(tree.province, DAY, letter.Signs.DEPUTY)
    assert (province.superior, province.office) == ("CÔNG AN TỈNH HÀ TĨNH", "PHÒNG CẢNH SÁT QLHC VỀ TTXH")
    assert province.number.endswith("/BC-PC06")
    assert not any(character.isdigit() for character in province.number.split("/")[0]), "the number is left blank"
    assert province.powers == ("KT. TRƯỞNG PHÒNG", "PHÓ TRƯỞNG PHÒNG")
    assert province.recipients == ("Như trên", "Công an các huyện, thị xã, thành phố", "Lưu: VT, PC06")
    district = letter.letter_of(tree.huong_khe, DAY, letter.Signs.HEAD)
    assert (district.superior, district.office) == ("CÔNG AN TỈNH HÀ TĨNH", "CÔNG AN HUYỆN HƯƠNG KHÊ")
    assert district.addressee == "Phòng Cảnh sát QLHC về TTXH, Công an tỉnh Hà Tĩnh"
    commune = letter.letter_of(tree.huong_tra, DAY, letter.Signs.HEAD)
    assert (commune.superior, commune.office) == ("CÔNG AN HUYỆN HƯƠNG KHÊ", "CÔNG AN XÃ HƯƠNG TRÀ")
    assert commune.place_and_date.startswith("Hương Trà, ")


# --- contents -----------------------------------------------------------------------------


def test_a_report_never_changes(history, tree):
    report = contents.report_of(history, tree.province, period_of(history))
    for part in (report, report.letter, report.period, report.sections[0], report.tables[0]):
        with pytest.raises(dataclasses.FrozenInstanceError):
            part.title = "x"


def sentences(report) -> str:
    return "\n".join(line for section in report.sections for line in section.paragraphs)


def test_the_sentences_say_the_figures(history, tree):
    told = sentences(contents.report_of(history, tree.province, period_of(history)))
    assert (
        "Tính đến hết ngày 18/6/2020, tỉnh Hà Tĩnh đã phúc tra 9/14 phiếu, đạt 64,29% kế hoạch; còn lại 5 phiếu."
        in told
    )
    assert "Trong ngày phúc tra được 5 phiếu. Tăng 1 phiếu (25,00%) so với kỳ trước (17/6/2020: 4 phiếu)." in told
    assert (
        "Tỷ lệ tăng 35,71 điểm phần trăm so với báo cáo trước (đến hết ngày 17/6/2020: 4/14 phiếu, đạt 28,57%)." in told
    )
    assert "Đơn vị có tỷ lệ cao: huyện Hương Khê 81,82% (9/11)." in told
    assert "Đơn vị có tỷ lệ thấp: thị xã Kỳ Anh 0,00% (0/3)." in told
    assert "Chỉnh sửa và đề nghị loại đang chờ duyệt: 2 phiếu." in told
    assert "có 3 phiếu phúc tra trước kỳ, ghi muộn." in told
    assert "Có 1/3 xã, phường, thị trấn không tăng thêm phiếu nào trong kỳ: phường Hưng Trí." in told


def test_a_fall_is_called_a_fall(history, homes, cast, tree, live_on):
    live_on(DAY + timedelta(days=1))
    told = sentences(contents.report_of(history, tree.province, period_of(history, DAY)))
    assert "Trong ngày phúc tra được 0 phiếu. Giảm 5 phiếu (100,00%) so với kỳ trước (18/6/2020: 5 phiếu)." in told
    assert "Tỷ lệ bằng báo cáo trước (đến hết ngày 18/6/2020: 9/14 phiếu, đạt 64,29%)." in told


def test_the_first_report_of_a_round_has_nothing_to_compare_with(history, tree):
    told = sentences(
        contents.report_of(history, tree.province, period_of(history, kind=Kind.RANGE, first=history.starts_on))
    )
    assert "Đây là báo cáo đầu tiên của đợt, chưa có kỳ trước để so sánh." in told


def test_english_is_whole(history, tree):
    with translation.override("en"):
        report = contents.report_of(history, tree.province, period_of(history))
        told = sentences(report)
    assert "9/14 forms of tỉnh Hà Tĩnh were verified, 64.29% of the plan; 5 forms left." in told
    assert "On that day 5 forms were verified. 1 form more (25.00%) than in the period before" in told
    assert report.title == "REPORT"


def test_a_cut_off_that_has_not_fallen_is_provisional(history, tree):
    report = contents.report_of(history, tree.province, period_of(history, DAY))
    assert any("Số liệu tạm tính: ngày 19/6/2020 chưa đến giờ chốt" in note for note in report.notes)
    over = contents.report_of(history, tree.province, period_of(history))
    assert over.notes[0] == "DỰ THẢO: chưa vào sổ đăng ký, chưa ký."
    assert not any("tạm tính" in note for note in over.notes)


def test_proposals_are_an_empty_heading(history, tree):
    last = contents.report_of(history, tree.province, period_of(history)).sections[-1]
    assert last.heading.endswith("ĐỀ XUẤT, KIẾN NGHỊ")
    assert last.paragraphs == ()


def test_a_unit_without_a_plan_says_so(tree, cast, homes, request):
    round = request.getfixturevalue("round")
    empty = make_unit(tree.province, "Lộc Hà", Type.RURAL_DISTRICT, Level.DISTRICT, code="448")
    rollups.roll_up()
    told = sentences(contents.report_of(round, empty, period_of(round, DAY)))
    assert "huyện Lộc Hà không có phiếu trong kế hoạch" in told


# --- the tables are the recount -----------------------------------------------------------


def results_known(round: AnyRound, day: date) -> list[VerificationPass]:
    """The results that stood at a cut-off with their approval then: each pass walked through event by event."""
    standing = []
    events = defaultdict(list)
    for event in PassEvent.objects.filter(verification_pass__round=round).order_by("pk"):
        events[event.verification_pass_id].append(event)
    for each in VerificationPass.objects.filter(round=round).prefetch_related("corrections"):
        if round.known_on(each.recorded_at) > day:
            continue
        stands = True
        approval = "pending" if each.outcome in round.approval_outcomes else ""
        for event in events[each.pk]:
            if round.known_on(event.at) > day:
                continue
            if event.kind in ("undone", "superseded", "reopened"):
                stands = False
            elif event.kind == "restored":
                stands = True
            else:
                approval = str(event.kind)
        each.approval_then = approval
        if stands:
            standing.append(each)
    return standing


def counted(round, results, owner) -> dict:
    """Owner -> verified, by counting one by one."""
    counts = Counter()
    for each in results:
        if is_verified(each.outcome, each.approval_then, round.counting_outcomes):
            for key in owner(each):
                counts[key] += 1
    return counts


def columns_of(table: Table, *keys: str) -> dict:
    """First key -> the others, line by line."""
    places = [table.column(key) for key in keys]
    return {row[places[0]]: tuple(row[place] for place in places[1:]) for row in table.rows}


@pytest.mark.parametrize("last", [date(2020, 6, 10), date(2020, 6, 18)])
def test_every_table_is_the_recount(db, settings, last):
    seed(share=0.002, random_seed=7)
    round = AnyRound.objects.current()
    province = AdministrativeUnit.objects.get(level=1)
    period = period_of(round, last, Kind.WEEK)
    report = contents.report_of(round, province, period)
    after, before = results_known(round, last), results_known(round, period.cut_off_before)
    communes = {unit.pk: unit for unit in AdministrativeUnit.objects.filter(level=3).select_related("parent")}
    teams = dict(TeamCommune.objects.filter(valid_to=None).values_list("commune_id", "team__name"))

    def compare(key: str, name: str, owner) -> None:
        table = report.table(key)
        now, then = counted(round, after, owner), counted(round, before, owner)
        shown = columns_of(table, name, "verified", "period")
        assert shown == {each: (now[each], now[each] - then[each]) for each in shown}
        assert sum(now.values()) == table.total[table.column("verified")]

    compare("units", "unit", lambda each: [communes[each.commune_id].parent.full_name])
    compare("teams", "team", lambda each: [teams[each.commune_id]] if each.commune_id in teams else [])
    by_commune = counted(round, after, lambda each: [each.commune_id])
    names = [(unit.full_name, unit.parent.full_name) for unit in communes.values()]
    assert len(set(names)) == len(names)
    table = report.table("communes")
    shown = {
        (row[table.column("unit")], row[table.column("district")]): row[table.column("verified")] for row in table.rows
    }
    assert {key: n for key, n in shown.items() if n} == {
        (communes[pk].full_name, communes[pk].parent.full_name): n for pk, n in by_commune.items() if n
    }

    outcomes, earlier = (Counter(each.outcome for each in results) for results in (after, before))
    assert columns_of(report.table("outcomes"), "outcome", "before", "period", "to_date") == {
        str(o.label): (earlier[o], outcomes[o] - earlier[o], outcomes[o]) for o in Outcome
    }
    found, found_earlier = (
        Counter(
            fault
            for each in results
            if each.outcome in WITH_CORRECTIONS
            for fault in {correction.fault for correction in each.corrections.all()}
        )
        for results in (after, before)
    )
    assert {code: n for code, (n,) in columns_of(report.table("faults"), "code", "to_date").items() if n} == dict(found)
    assert {code: n for code, (n,) in columns_of(report.table("faults"), "code", "before").items() if n} == dict(
        found_earlier
    )
    late = counted(
        round,
        [each for each in after if each.verified_on <= period.cut_off_before],
        lambda each: [each.commune_id],
    )
    late.subtract(
        counted(round, [e for e in before if e.verified_on <= period.cut_off_before], lambda each: [each.commune_id])
    )
    table = report.table("late")
    names = {pk: communes[pk].full_name for pk in late if late[pk]}
    assert (_summed(table, "unit", "late") if table else {}) == {names[pk]: (n,) for pk, n in late.items() if n}
    results = Counter(
        each.officer.full_name
        for each in VerificationPass.objects.filter(pk__in=[each.pk for each in after]).select_related("officer")
    )
    assert (
        Counter({name: n for name, (n,) in _summed(report.table("officers"), "officer", "results").items()}) == results
    )
    denominators = report.table("denominators")
    for row in denominators.rows:
        cell = dict(zip([column.key for column in denominators.columns], row, strict=True))
        assert cell["in_scope"] == cell["verified"] + cell["untouched"] + cell["not_counting"] + cell["removals"]
    _totals_agree(report)


def _summed(table: Table, name: str, key: str) -> dict:
    """As `columns_of` where names may repeat."""
    sums = Counter()
    for row in table.rows:
        sums[row[table.column(name)]] += row[table.column(key)]
    return {each: (n,) for each, n in sums.items()}


def _totals_agree(report) -> None:
    """The same figure in every table where it stands: verified, plan, in the period, results."""
    total = {
        table.key: dict(zip([column.key for column in table.columns], table.total or (), strict=False))
        for table in report.tables
    }
    verified = total["units"]["verified"]
    for key in ("communes", "teams", "denominators", "officers"):
        assert total[key]["verified"] == verified, key
    assert total["communes"]["plan"] == total["units"]["plan"] == total["teams"]["plan"]
    assert total["communes"]["period"] == total["units"]["period"] == total["teams"]["period"]
    assert total["outcomes"]["to_date"] == total["officers"]["results"]
    assert total["outcomes"]["period"] == total["officers"]["period"]
    first = sentences(report)
    shown = f"{verified:,}/{total['units']['plan']:,}".replace(",", ".")
    assert shown in first


def test_officers_of_now_are_those_of_the_roll_up(history, homes, cast, tree):
    record(homes.hung_tri, cast.stranger)
    rollups.roll_up()
    period = period_of(history, DAY)
    known = reading.officers_known(history, tree.province, period)
    lines = reading.read(history, tree.province, period).officers
    assert {line.officer.pk: (line.after.results, line.after.verified) for line in lines} == {
        pk: (tally.results, tally.verified) for pk, (tally, _before) in known.items()
    }
    assert {line.officer.username: line.gained for line in lines} == {"officer": 0, "member": 0, "stranger": 3}


# --- files --------------------------------------------------------------------------------


def pdf_text(raw: bytes) -> str:
    return re.sub(r"\s+", " ", " ".join(page.extract_text() for page in PdfReader(io.BytesIO(raw)).pages))


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


# --- pages --------------------------------------------------------------------------------


def text_of(answer) -> str:
    from html import unescape

    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", answer.content.decode())))


def test_the_preview_says_the_same(history, cast, tree, client):
    client.force_login(cast.pc06)
    address, asked = reverse("reports:unit_report", args=[tree.province.pk]), {"period": "day", "to": "18/6/2020"}
    at_once = text_of(client.get(address, asked))
    answer = client.get(address, asked | {"annex": "officers"})
    assert answer.status_code == 200
    page = text_of(answer)
    report = contents.report_of(history, tree.province, period_of(history))
    for line in sentences(report).splitlines():
        assert line in page
        assert line in at_once
    words = printed.report_words(report)
    officers = [line.officer.full_name for line in reading.read(history, tree.province, period_of(history)).officers]
    assert officers
    assert all(name in page and name not in at_once for name in officers), "counted only when asked for"
    for annex in words["annexes"]:
        for row in [*annex["rows"], *([annex["total"]] if annex["total"] else [])]:
            assert " ".join(" ".join(cell for cell in row if cell).split()) in page


def test_the_preview_asks_as_much_of_many_units_as_of_two(
    history, cast, tree, client, django_assert_max_num_queries, django_assert_num_queries
):
    client.force_login(cast.pc06)
    address = reverse("reports:unit_report", args=[tree.province.pk])
    client.get(address, {"period": "week"})
    caches["pages"].clear()
    with django_assert_max_num_queries(45) as few:
        client.get(address, {"period": "week"})
    for n in range(9):
        district = make_unit(tree.province, f"Mới {n}", Type.RURAL_DISTRICT, Level.DISTRICT, code=f"45{n}")
        make_team(district, make_unit(district, f"Mới {n}", Type.RURAL_COMMUNE, Level.COMMUNE, code=f"1900{n}"))
    caches["pages"].clear()
    with django_assert_num_queries(len(few.captured_queries)):
        client.get(address, {"period": "week"})
    with django_assert_max_num_queries(12):  # it is kept: nothing of it changes
        client.get(address, {"period": "week"})


def test_late_entries_are_told_beside_the_report_and_change_nothing_in_it(history, homes, cast, tree, client, live_on):
    client.force_login(cast.pc06)
    address = reverse("reports:unit_report", args=[tree.province.pk])
    asked = {"period": "day", "to": "18/6/2020"}
    before = client.get(address, asked).context["words"]
    caches["pages"].clear()
    record(homes.hung_tri, cast.stranger, verified_on=BEFORE)
    live_on(DAY)
    answer = client.get(address, asked)
    assert "3 phiếu phúc tra đến hết ngày 18/6/2020 được ghi sau giờ chốt" in text_of(answer)
    assert answer.context["words"] == before


def test_a_long_table_shows_its_first_lines_and_all_when_asked(db, client, settings):
    seed(share=0.002, random_seed=7)
    from households.models import User

    client.force_login(User.objects.get(username="pc06"))
    address = reverse("reports:unit_report", args=[AdministrativeUnit.objects.get(level=1).pk])
    short = client.get(address, {"to": "18/6/2020"})
    assert len(short.content) < 400_000
    communes = next(annex for annex in short.context["words"]["annexes"] if annex["key"] == "communes")
    assert (len(communes["rows"]), len(communes["shown"])) == (216, 20)
    whole = client.get(address, {"to": "18/6/2020", "annex": "communes"})
    communes = next(annex for annex in whole.context["words"]["annexes"] if annex["key"] == "communes")
    assert len(communes["shown"]) == 216


def test_the_list_is_found_by_what_it_is_for(history, cast, tree, client):
    for officer, unit in ((cast.pc06, tree.province), (cast.leader, tree.province), (cast.supervisor, tree.huong_khe),
                          (cast.officer, tree.huong_tra), (cast.member, tree.huong_tra)):  # fmt: skip
        client.force_login(officer)
        answer = client.get(reverse("reports:report_list"))
        assert answer.status_code == 200
        assert answer.context["unit"] == unit
        for href in re.findall(r'href="(/units/[^"#]*)', answer.content.decode()):
            assert client.get(href.replace("&amp;", "&")).status_code == 200, href


def ask(client, unit, **fields):
    wanted = {"kind": "report", "format": "pdf", "period": "day", "to": "18/6/2020"} | fields
    return client.post(reverse("reports:unit_report_file", args=[unit.pk]), wanted)


def test_a_file_is_asked_for_made_and_fetched(history, cast, tree, client, django_capture_on_commit_callbacks):
    client.force_login(cast.leader)
    answer = ask(client, tree.province)
    export = Export.objects.get()
    assert answer.url == reverse("reports:export_detail", args=[export.pk])
    exports.make(export.pk)
    assert "PDF" in client.get(answer.url).content.decode()
    file = client.get(reverse("reports:export_file", args=[export.pk]))
    assert b"".join(file.streaming_content).startswith(b"%PDF-1.7")
    assert 'filename="report-day-42-20200618.pdf"' in file.headers["Content-Disposition"]
    assert "Báo cáo" in client.get(reverse("reports:export_list")).content.decode()


def test_asked_twice_two_files_that_are_the_same(history, cast, tree, client):
    client.force_login(cast.pc06)
    ask(client, tree.province)
    ask(client, tree.province)
    first, second = Export.objects.all()
    for export in (first, second):
        exports.make(export.pk)
        export.refresh_from_db()
    assert first.sha256 == second.sha256 != ""


@pytest.mark.parametrize("who", ["officer", "stranger", "supervisor", "member"])
def test_the_report_of_the_province_is_for_the_province(history, cast, tree, client, who):
    client.force_login(getattr(cast, who))
    assert client.get(reverse("reports:unit_report", args=[tree.province.pk])).status_code == 404
    assert ask(client, tree.province).status_code == 404
    assert not Export.objects.exists()


def test_a_stranger_finds_no_report_of_another_unit(history, cast, tree, client):
    client.force_login(cast.stranger)
    for unit in (tree.huong_khe, tree.huong_tra, tree.dong):
        assert client.get(reverse("reports:unit_report", args=[unit.pk])).status_code == 404
        assert ask(client, unit).status_code == 404


def test_a_district_and_a_commune_have_their_own(history, cast, tree, client):
    client.force_login(cast.supervisor)
    page = client.get(reverse("reports:unit_report", args=[tree.huong_khe.pk]), {"to": "18/6/2020"})
    assert "CÔNG AN HUYỆN HƯƠNG KHÊ" in page.content.decode()
    client.force_login(cast.officer)
    assert client.get(reverse("reports:unit_report", args=[tree.huong_tra.pk])).status_code == 200
    assert client.get(reverse("reports:unit_report", args=[tree.dong.pk])).status_code == 404, "hamlets report nothing"


def test_a_commune_tells_its_hamlets_and_they_add_up(history, tree):
    report = contents.report_of(history, tree.huong_tra, period_of(history))
    table = report.table("hamlets")
    named = {row[1]: dict(zip((column.key for column in table.columns), row, strict=True)) for row in table.rows}
    assert set(named) == {"Thôn Đông", "Thôn Tây"}
    assert (named["Thôn Đông"]["collected"], named["Thôn Tây"]["verified"]) == (6, 3)
    total = table.total[table.column("verified")], table.total[table.column("period")]
    assert total == (report.figures["verified"], report.figures["in_the_period"])
    above = contents.report_of(history, tree.huong_khe, period_of(history))
    assert "hamlets" not in {table.key for table in above.tables}


def test_who_was_moved_since_gets_no_file(history, cast, tree, client):
    export = made(history, cast.pc06, tree.province)
    cast.pc06.postings.update(valid_to=DAY)
    client.force_login(cast.pc06)
    assert client.get(reverse("reports:export_file", args=[export.pk])).status_code == 404
    refused = made(history, cast.pc06, tree.province)
    assert refused.status == Export.Status.FAILED
    assert not exports.file_path(refused).exists()


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"to": "31/2/2020"}, "ngày"),
        ({"to": "20/6/2020"}, "nằm ngoài"),
        ({"to": "1/1/1900"}, "nằm ngoài"),
        ({"period": "year"}, "Không có loại báo cáo này"),
        ({"period": "range", "first": "19/6/2020", "to": "18/6/2020"}, "Ngày đầu của báo cáo"),
        ({"dated_on": "1/6/2020"}, "đề ngày cuối kỳ"),
        ({"dated_on": "1/6/9999"}, "đề ngày cuối kỳ"),
        ({"signs": "nobody"}, "người ký"),
        ({"format": "xlsx"}, "PDF hoặc Word"),
        ({"format": "exe"}, ""),
        ({"kind": "forms"}, "Không có bảng"),
        ({"kind": "annexes", "format": "docx"}, "PDF hoặc Word"),
        ({"annex": "secrets"}, "Không có bảng"),
        ({"kind": "annexes", "format": "csv"}, "chọn bảng"),
        ({"to": "\x00"}, ""),
    ],
)
def test_what_cannot_be_made_is_refused_with_a_sentence(history, cast, tree, client, fields, sentence):
    client.force_login(cast.pc06)
    answer = ask(client, tree.province, **fields)
    assert answer.status_code == 400
    assert sentence in answer.content.decode()
    assert not Export.objects.exists()


def test_a_report_is_not_asked_for_by_get_nor_as_a_table(history, cast, tree, client):
    client.force_login(cast.pc06)
    assert client.get(reverse("reports:unit_report_file", args=[tree.province.pk])).status_code == 405
    answer = client.post(
        reverse("reports:export_create"), {"kind": "report", "format": "pdf", "unit": tree.province.pk}
    )
    assert answer.status_code == 400


def test_before_a_round_there_is_nothing_to_report(tree, cast, client):
    client.force_login(cast.pc06)
    assert client.get(reverse("reports:report_list")).status_code == 404
    assert client.get(reverse("reports:unit_report", args=[tree.province.pk])).status_code == 404


def test_the_last_cut_off_is_offered(history, settings):
    assert forms.last_cut_off(history) == DAY - timedelta(days=1)
    settings.CENSUS_VERIFY_TODAY = history.starts_on
    assert forms.last_cut_off(history) == history.starts_on


def test_a_day_that_goes_on_is_read_anew(history, homes, cast, tree, client):
    client.force_login(cast.pc06)
    address = reverse("reports:unit_report", args=[tree.province.pk])
    assert "9/14 phiếu" in text_of(client.get(address, {"to": "19/6/2020"}))
    record(homes.hung_tri, cast.stranger)
    rollups.roll_up()
    assert "12/14 phiếu" in text_of(client.get(address, {"to": "19/6/2020"}))
    assert "9/14 phiếu" in text_of(client.get(address, {"to": "18/6/2020"}))


def test_the_forecast_of_who_is_done_who_never_began_and_when_time_is_over(history, tree, live_on):
    done = sentences(contents.report_of(history, tree.phu_gia, period_of(history)))
    assert "xã Phú Gia đã phúc tra 2/2 phiếu, đạt 100,00% kế hoạch; không còn phiếu nào." in done
    assert "Đã hoàn thành kế hoạch ngày 18/6/2020." in done
    idle = sentences(contents.report_of(history, tree.ky_anh, period_of(history)))
    assert "Với tốc độ hiện nay của thị xã Kỳ Anh, chưa dự kiến được ngày hoàn thành." in idle
    live_on(history.ends_on + timedelta(days=2))
    over = sentences(
        contents.report_of(history, tree.province, period_of(history, history.ends_on + timedelta(days=1)))
    )
    assert f"Đợt phúc tra đã hết hạn ngày {history.ends_on.day}/{history.ends_on.month}/2020." in over


def test_a_table_too_long_for_paper_is_left_to_the_workbook(history, cast, tree, monkeypatch):
    monkeypatch.setattr(making, "ROWS_ON_PAPER", 1)
    report = contents.report_of(history, tree.province, period_of(history))
    text = pdf_text(on_paper("report", making.paper_words(report, report.tables, with_text=False)))
    assert "2 dòng, quá nhiều để in: phụ lục này xem trong tệp XLSX." in text
