"""The pages of reports: the preview says what the files say, and whose they are."""

import re
from datetime import timedelta

import pytest
from django.core.cache import caches
from django.urls import reverse

from households.models import AdministrativeUnit
from households.tests.factories import Level, Type, make_team, make_unit
from reports import exports, rollups
from reports.demo.seed import seed
from reports.models import Export
from reports.official import contents, forms, printed, reading
from reports.tests.official import BEFORE, DAY, made, period_of, sentences, text_of
from verification.tests.factories import record


@pytest.fixture(autouse=True)
def _own_folder(settings, tmp_path):
    settings.EXPORT_DIR = tmp_path / "exports"


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
