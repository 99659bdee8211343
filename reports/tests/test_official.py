"""The report of a unit: one set of figures behind the sentences, the tables and the recount."""

import dataclasses
from collections import Counter, defaultdict
from datetime import date, timedelta

import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from households.models import AdministrativeUnit, TeamCommune
from households.tests.factories import Level, Type, make_unit
from reports import rollups
from reports.demo.seed import seed
from reports.official import contents, letter, reading
from reports.official.annexes import Table
from reports.official.periods import Kind, is_end_of_month, period_ending
from reports.tests.official import DAY, period_of, sentences
from verification.models import PassEvent, VerificationPass
from verification.models import Round as AnyRound
from verification.rules import is_verified
from verification.terms import WITH_CORRECTIONS, Outcome
from verification.tests.factories import record


@pytest.fixture(autouse=True)
def _own_folder(settings, tmp_path):
    settings.EXPORT_DIR = tmp_path / "exports"


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
