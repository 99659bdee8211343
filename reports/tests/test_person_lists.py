"""Lists of persons: whom they hold, in which order, who may take them, what is written down of it."""

import csv
import io
import zipfile
from datetime import date

import pytest
from django.db import DatabaseError, transaction
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st
from pypdf import PdfReader

from households.models import Posting
from households.tests.factories import make_household, make_officer
from households.text import name_keys
from reports import exports, rollups, services
from reports.exports import forms, paper
from reports.exports.columns import Place
from reports.models import Disclosure, Export
from verification.records import State
from verification.rules import CorrectionEntry
from verification.tests.factories import decide, record
from verification.tests.test_new_people import add

REASON = "đi phúc tra lại các hộ"


@pytest.fixture(autouse=True)
def _own_folder(settings, tmp_path):
    settings.EXPORT_DIR = tmp_path / "exports"


def taken(by, unit, state, format="csv", **wanted) -> Export:
    defaults = {"order": "name", "numbers": "masked", "reason": REASON}
    export = services.request_export(
        by=by, round=wanted.pop("round"), kind="forms", format=format, unit=unit, state=state, **defaults | wanted
    )
    exports.make(export.pk)
    export.refresh_from_db()
    return export


def people_of(export: Export) -> list[dict[str, str]]:
    text = exports.file_path(export).read_bytes().decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def pdf_text(data: bytes) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(data)).pages)


def rename(home, *names: str) -> None:
    for line, name in enumerate(names, start=1):
        keys = dict(zip(("search_key", "sort_key"), name_keys(name), strict=True))
        home.forms.filter(line=line).update(full_name=name, **keys)


@pytest.fixture
def results(round, homes, cast):
    """One of Hương Trà's people in each list: absent, returned, corrected, to be removed, new."""
    two, three = list(homes.two.forms.order_by("line")), list(homes.three.forms.order_by("line"))
    corrections = [
        CorrectionEntry(field="sex", new="2", source="identity_card"),
        CorrectionEntry(field="cmnd", new="183999888", source="identity_card"),
    ]
    record(homes.two, cast.officer, "corrected", only=[two[0].pk], corrections=corrections)
    visit = {"reason": "đi làm xa", "next_visit_on": date(2020, 6, 25)}
    record(homes.two, cast.officer, "not_met", only=[two[1].pk], **visit)
    record(homes.three, cast.officer, "deceased", only=[three[0].pk], event_on=date(2019, 1, 2), paper="archive")
    record(homes.three, cast.officer, "duplicate", only=[three[1].pk], duplicate_barcode=three[2].barcode)
    decide([three[1].pk], cast.supervisor, "returned", reason="không phải cùng một người")
    add(homes.four, cast.officer)
    rollups.roll_up()
    return round


class TestWhomTheyHold:
    def test_not_met_says_why_and_when_again(self, results, cast, tree):
        (line,) = people_of(taken(cast.officer, tree.huong_tra, State.NOT_MET, round=results))
        assert (line["Lý do"], line["Hẹn lại"]) == ("đi làm xa", "2020-06-25")
        assert line["Cán bộ"] == cast.officer.full_name

    def test_returned_says_why_and_by_whom(self, results, cast, tree):
        (line,) = people_of(taken(cast.officer, tree.huong_tra, State.RETURNED, round=results))
        assert line["Lý do trả lại"] == "không phải cùng một người"
        assert (line["Người trả lại"], line["Ngày trả lại"]) == (cast.supervisor.full_name, "2020-06-19")

    @pytest.mark.parametrize(
        ("numbers", "told"), [("masked", "••••••001 → ••••••888"), ("whole", "183000001 → 183999888")]
    )
    def test_corrected_says_what(self, results, homes, cast, tree, numbers, told):
        (line,) = people_of(taken(cast.pc06, tree.huong_tra, State.FOUND, round=results, numbers=numbers))
        old = homes.two.forms.get(line=1).cmnd
        assert old == "183000001"
        assert line["Nội dung chỉnh sửa"] == f"Giới tính: nam → nữ; Số CMND: {told}"
        assert line["Số CMND"] == (old if numbers == "whole" else "••••••001")

    def test_removals_say_from_when_by_what_paper_and_of_whom_it_is_a_duplicate(self, results, homes, cast, tree):
        lines = people_of(taken(cast.officer, tree.huong_tra, State.REMOVALS, round=results))
        dead, double = sorted(lines, key=lambda line: line["Ngày chết, ngày đi"], reverse=True)
        assert (dead["Ngày chết, ngày đi"], dead["Giấy tờ"]) == ("2019-01-02", "Tàng thư hồ sơ hộ khẩu")
        assert double["Trùng với phiếu có mã vạch"] == homes.three.forms.get(line=3).barcode

    def test_new_people_say_why(self, results, cast, tree):
        (line,) = people_of(taken(cast.officer, tree.huong_tra, State.NEW_PEOPLE, round=results))
        assert line["Lý do phát sinh"]
        assert line["Cán bộ"] == cast.officer.full_name

    @pytest.mark.parametrize("state", [State.OPEN, State.NOT_MET, State.RETURNED, State.FOUND, State.REMOVALS, State.NEW_PEOPLE])  # fmt: skip
    def test_as_many_as_the_page_says_in_every_format(self, results, cast, tree, client, state):
        client.force_login(cast.officer)
        page = client.get(reverse("reports:person_lists", args=[tree.huong_tra.pk]), {"state": state})
        rows = {taken(cast.officer, tree.huong_tra, state, f, round=results).rows for f in ("csv", "xlsx", "pdf")}
        assert rows == {page.context["expected"]} == {len(page.context["lines"])}

    def test_every_line_says_who_took_it(self, results, cast, tree):
        export = taken(cast.officer, tree.huong_tra, State.OPEN, round=results)
        assert {line["Người lấy"] for line in people_of(export)} == {forms.mark_of(export)}
        assert forms.mark_of(export).startswith("officer 19/6/2020 ")
        assert forms.mark_of(export).endswith(f" #{export.pk}")

    @pytest.mark.parametrize("text", ["=1+1", "+2", "@x", "-1"])
    def test_no_detail_starts_a_formula(self, results, homes, cast, tree, text):
        record(homes.phu_gia, cast.member, "not_met", reason=text, next_visit_on=date(2020, 6, 25))
        lines = people_of(taken(cast.pc06, tree.phu_gia, State.NOT_MET, round=results))
        assert {line["Lý do"] for line in lines} == {"'" + text}


class TestOrder:
    NAMES = ("LÊ VĂN ĐÀO", "TRẦN THỊ ẨN", "LÊ VĂN DUNG", "PHAN AN", "BÙI THỊ ÁN", "LÊ THỊ ĂN", "VŨ ÂN")
    SORTED = ("PHAN AN", "BÙI THỊ ÁN", "LÊ THỊ ĂN", "VŨ ÂN", "TRẦN THỊ ẨN", "LÊ VĂN DUNG", "LÊ VĂN ĐÀO")

    @pytest.mark.parametrize("order", ["name", "walk"])
    def test_given_name_first_hamlet_by_hamlet(self, round, homes, cast, tree, order):
        home = make_household(tree.hung_tri_1, people=7)
        rename(home, *self.NAMES)
        rename(homes.hung_tri, "AN", "ZA", "MY")
        lines = people_of(taken(cast.stranger, tree.hung_tri, State.ALL, round=round, order=order))
        shown = [line["Họ và tên"] for line in lines]
        if order == "name":
            assert shown == ["AN", *self.SORTED[:6], self.SORTED[6], "MY", "ZA"]
        else:
            assert shown == ["AN", "ZA", "MY", *self.NAMES]

    def test_hamlets_follow_each_other(self, round, homes, cast, tree):
        rename(homes.three, "AN", "AN", "AN")
        lines = people_of(taken(cast.officer, tree.huong_tra, State.ALL, round=round))
        assert [line["Thôn, tổ dân phố"] for line in lines] == ["Thôn Đông"] * 6 + ["Thôn Tây"] * 3


class TestPaper:
    def test_one_commune(self, results, homes, cast, tree):
        rename(homes.four, "ĐỖ VĂN SÁU", "TRẦN THỊ BA")
        export = taken(cast.officer, tree.huong_tra, State.OPEN, "pdf", round=results)
        assert (export.status, export.format) == (Export.Status.DONE, Export.Format.PDF)
        data = exports.file_path(export).read_bytes()
        pages = [page.extract_text() for page in PdfReader(io.BytesIO(data)).pages]
        assert pages
        assert all(forms.mark_of(export) in page and REASON in page for page in pages)
        text = pdf_text(data)
        assert text.index("TRẦN THỊ BA") < text.index("ĐỖ VĂN SÁU") < text.index("Thôn Tây")
        assert "CÔNG AN XÃ HƯƠNG TRÀ" in text
        assert "183000001" not in text
        assert "không có thật" in text

    def test_a_district_in_a_zip_one_file_a_commune(self, results, homes, cast, tree):
        export = taken(cast.supervisor, tree.huong_khe, State.OPEN, "pdf", round=results)
        assert export.format == Export.Format.ZIP
        with zipfile.ZipFile(exports.file_path(export)) as archive:
            assert archive.namelist() == ["18526-huong-tra.pdf", "18547-phu-gia.pdf"]
            texts = [pdf_text(archive.read(name)) for name in archive.namelist()]
        assert "Xã Hương Trà" in texts[0]
        assert "Xã Phú Gia" in texts[1]
        assert "Hương Trà" not in texts[1]
        assert export.rows == len(people_of(taken(cast.supervisor, tree.huong_khe, State.OPEN, round=results)))

    def test_a_list_too_long_for_one_file_is_cut(self, results, cast, tree, monkeypatch):
        monkeypatch.setattr(paper, "LINES_A_FILE", 4)
        export = taken(cast.officer, tree.huong_tra, State.ALL, "pdf", round=results)
        assert export.format == Export.Format.ZIP
        with zipfile.ZipFile(exports.file_path(export)) as archive:
            assert archive.namelist() == [f"18526-huong-tra-{n}-3.pdf" for n in (1, 2, 3)]
            assert "Phần 2/3" in pdf_text(archive.read("18526-huong-tra-2-3.pdf"))
        assert export.rows == 10

    def test_nobody(self, results, cast, tree):
        export = taken(cast.pc06, tree.phu_gia, State.RETURNED, "pdf", round=results)
        assert (export.rows, export.format) == (0, Export.Format.PDF)
        assert "Không có ai trong danh sách này." in pdf_text(exports.file_path(export).read_bytes())

    @pytest.mark.parametrize("name", ["#strong[x] $a$ \\", "a\x01\x1fb", "Ỵ" * 100, "=1+1", "<b>&amp;"], ids=range(5))
    def test_a_name_is_never_read_as_markup(self, round, homes, cast, tree, name):
        homes.two.forms.filter(line=1).update(full_name=name)
        export = taken(cast.officer, tree.huong_tra, State.ALL, "pdf", round=round)
        assert (export.status, export.rows) == (Export.Status.DONE, 9)
        printed = pdf_text(exports.file_path(export).read_bytes())
        squeezed = "".join(printed.split()).replace("\u200b", "")
        assert "".join(letter for letter in name if letter.isprintable() and letter != " ") in squeezed

    @given(st.lists(st.integers(0, 9), max_size=12))
    def test_pieces_hold_everybody_once_in_order(self, sizes):
        rows = [(f"Thôn {hamlet}", n) for hamlet, size in enumerate(sizes) for n in range(size)]
        before, paper.LINES_A_FILE = paper.LINES_A_FILE, 5
        try:
            pieces = paper._pieces(Place(None, []), rows)
        finally:
            paper.LINES_A_FILE = before
        lines = [(name, line) for piece in pieces for name, of_hamlet in piece for line in of_hamlet]
        assert [(name, int(n)) for name, (_number, n) in lines] == rows
        assert [int(number) for _name, (number, _n) in lines] == list(range(1, len(rows) + 1))
        assert all(0 < sum(len(of_hamlet) for _name, of_hamlet in piece) <= 5 for piece in pieces)
        # a hamlet that fits one file is in one file
        for hamlet, size in enumerate(sizes):
            inside = [piece for piece in pieces if any(name == f"Thôn {hamlet}" for name, _rows in piece)]
            assert size > 5 or len(inside) == (size > 0)


class TestTheRight:
    def url(self, unit) -> str:
        return reverse("reports:person_lists", args=[unit.pk])

    def ask(self, client, unit, **fields):
        return client.post(self.url(unit), {"state": "open", "format": "csv", "reason": REASON, **fields})

    def test_asked_for_with_a_reason_and_made(self, results, cast, tree, client):
        client.force_login(cast.officer)
        answer = self.ask(client, tree.huong_tra)
        export = Export.objects.get()
        assert answer.url == reverse("reports:export_detail", args=[export.pk])
        assert (export.reason, export.options["order"], export.options["numbers"]) == (REASON, "name", "masked")

    @pytest.mark.parametrize("reason", ["", "   ", "abc"])
    def test_without_a_reason_nothing_is_made(self, results, cast, tree, client, reason):
        client.force_login(cast.officer)
        answer = self.ask(client, tree.huong_tra, reason=reason)
        assert answer.status_code == 400
        assert "Ghi rõ danh sách dùng để làm gì" in answer.content.decode()
        assert not Export.objects.exists()

    @pytest.mark.parametrize("who", ["stranger", "leader"])
    def test_strangers_and_leaders_find_nothing(self, results, cast, tree, client, who):
        client.force_login(getattr(cast, who))
        assert client.get(self.url(tree.huong_tra)).status_code == 404
        assert self.ask(client, tree.huong_tra).status_code == 404
        assert not Export.objects.exists()

    def test_a_posting_does_not_bring_the_right(self, results, cast, tree, client):
        officer = make_officer("commune_officer", tree.huong_tra, files="")
        client.force_login(officer)
        assert client.get(self.url(tree.huong_tra)).status_code == 404
        page = client.get(reverse("verification:form_list", args=[tree.huong_tra.pk]))
        assert page.status_code == 200
        assert self.url(tree.huong_tra) not in page.content.decode()
        assert Posting(user=officer, role="district_officer", unit=tree.huong_khe).person_files == ""

    def test_a_commune_is_all_she_takes(self, results, cast, tree, client):
        client.force_login(cast.officer)
        assert client.get(self.url(tree.huong_khe)).status_code == 404
        assert self.ask(client, tree.phu_gia).status_code == 404

    @pytest.mark.parametrize(("who", "status"), [("officer", 400), ("supervisor", 400), ("pc06", 302)])
    def test_whole_numbers_are_a_wider_right(self, results, cast, tree, client, who, status):
        client.force_login(getattr(cast, who))
        assert self.ask(client, tree.huong_tra, numbers="whole").status_code == status
        assert Export.objects.count() == (status == 302)

    def test_whole_numbers_need_the_right_when_made_and_when_taken(self, results, cast, tree, client):
        export = taken(cast.pc06, tree.huong_tra, State.OPEN, round=results, numbers="whole")
        client.force_login(cast.pc06)
        address = reverse("reports:export_file", args=[export.pk])
        assert b"".join(client.get(address).streaming_content)
        cast.pc06.postings.update(person_files="masked")
        assert client.get(address).status_code == 404
        cast.pc06.refresh_from_db()
        again = taken(
            Posting.objects.get(user=cast.pc06).user, tree.huong_tra, State.OPEN, round=results, numbers="whole"
        )
        assert again.status == Export.Status.FAILED

    def test_paper_of_a_whole_province_is_refused(self, results, cast, tree, client):
        client.force_login(cast.pc06)
        answer = self.ask(client, tree.province, format="pdf")
        assert answer.status_code == 400
        assert "chọn một huyện" in answer.content.decode()

    @pytest.mark.parametrize(
        "fields", [{"state": "nowhere"}, {"order": "age"}, {"numbers": "all"}, {"format": "exe"}, {"reason": "x" * 201}]
    )
    def test_what_cannot_be_is_a_sentence_on_the_page(self, results, cast, tree, client, fields):
        client.force_login(cast.officer)
        answer = self.ask(client, tree.huong_tra, **fields)
        assert answer.status_code == 400
        assert 'role="alert"' in answer.content.decode()
        assert not Export.objects.exists()

    def test_a_leader_cannot_be_given_it(self, cast, tree):
        with pytest.raises(DatabaseError), transaction.atomic():
            cast.leader.postings.update(person_files="masked")

    def test_the_page_of_reports_leads_there_and_shows_what_was_made(self, results, cast, tree, client):
        export = taken(cast.member, tree.phu_gia, State.OPEN, round=results)
        taken(cast.pc06, tree.phu_gia, State.OPEN, round=results)
        client.force_login(cast.member)
        page = client.get(reverse("reports:report_list"))
        assert list(page.context["last_made"]) == [export]
        body = page.content.decode()
        for unit in (tree.huong_tra, tree.phu_gia):
            assert self.url(unit) in body
        for unit in (tree.huong_khe, tree.hung_tri):
            assert self.url(unit) not in body
        assert reverse("reports:disclosure_list") not in body
        client.force_login(make_officer("commune_officer", tree.huong_tra, files=""))
        assert self.url(tree.huong_tra) not in client.get(reverse("reports:report_list")).content.decode()

    def test_the_page_asks_little(self, results, cast, tree, client, django_assert_max_num_queries):
        client.force_login(cast.pc06)
        for unit in (tree.huong_tra, tree.province):
            with django_assert_max_num_queries(16):
                assert client.get(self.url(unit)).status_code == 200


class TestTheLog:
    @pytest.fixture
    def export(self, results, cast, tree) -> Export:
        return taken(cast.officer, tree.huong_tra, State.OPEN, round=results)

    def test_made_and_each_time_taken(self, export, cast, client):
        client.force_login(cast.officer)
        for _ in range(2):
            assert b"".join(client.get(reverse("reports:export_file", args=[export.pk])).streaming_content)
        lines = Disclosure.objects.order_by("pk")
        assert [line.act for line in lines] == ["made", "fetched", "fetched"]
        assert {(line.officer, line.unit, line.rows, line.reason, line.sha256) for line in lines} == {
            (cast.officer, export.unit, export.rows, REASON, export.sha256)
        }
        assert lines[0].options["state"] == State.OPEN

    def test_figures_are_not_written_down(self, results, cast, tree):
        export = services.request_export(by=cast.pc06, round=results, kind="units", format="csv", unit=tree.province)
        exports.make(export.pk)
        assert not Disclosure.objects.exists()

    def test_nobody_changes_it(self, export):
        with pytest.raises(DatabaseError, match="history"), transaction.atomic():
            Disclosure.objects.update(rows=0)
        with pytest.raises(DatabaseError, match="history"), transaction.atomic():
            Disclosure.objects.all()._raw_delete("default")
        with pytest.raises(DatabaseError):
            export.delete()

    def test_it_stays_when_the_file_is_cleared(self, export, settings):
        settings.CENSUS_VERIFY_TODAY = date(2020, 7, 1)
        assert exports.clear_old() == 1
        assert Disclosure.objects.count() == 1

    def test_pc06_and_administrators_read_it(self, export, cast, client):
        address = reverse("reports:disclosure_list")
        for who in (cast.pc06, cast.admin):
            client.force_login(who)
            page = client.get(address).content.decode()
            assert REASON in page
            assert cast.officer.full_name in page
        for who in (cast.officer, cast.supervisor, cast.leader, cast.member):
            client.force_login(who)
            assert client.get(address).status_code == 404

    def test_pages_and_one_officers_lines(self, export, cast, tree, client, monkeypatch, results):
        monkeypatch.setattr("reports.list_views.LOG_PAGE", 1)
        taken(cast.supervisor, tree.huong_khe, State.OPEN, round=results)
        client.force_login(cast.pc06)
        address = reverse("reports:disclosure_list")
        first = client.get(address)
        (line,) = first.context["lines"]
        assert line.officer == cast.supervisor
        second = client.get(address, {"before": first.context["next"]})
        assert [line.officer for line in second.context["lines"]] == [cast.officer]
        hers = client.get(address, {"officer": cast.officer.pk})
        assert [line.officer for line in hers.context["lines"]] == [cast.officer]
        assert client.get(address, {"officer": 10**8}).status_code == 404
        assert client.get(address, {"officer": "x", "before": "y"}).status_code == 200
