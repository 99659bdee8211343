"""The pages of deliveries: each press works, is refused to strangers and in a wrong state, and is harmless twice."""

import json
from datetime import date
from uuid import uuid4

import pytest
import xlsxwriter
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import translation

from households.models import Posting
from reports import exports
from reports.deliveries import reading
from reports.models import Delivery, DeliveryLine, Disclosure, Export
from reports.tests.test_deliveries import answered, correct, deliver, two_corrections  # noqa: F401 - a fixture
from reports.tests.test_deliveries import forms as _forms
from reports.tests.test_pages import text_of
from verification.tests.factories import decide, record

forms = _forms
LIST = reverse("reports:delivery_list")
STRANGERS = ["officer", "member", "supervisor", "leader", "stranger"]


@pytest.fixture(autouse=True)
def _own_folder(settings, tmp_path):
    settings.EXPORT_DIR = tmp_path / "exports"


@pytest.fixture
def made(round, two_corrections, cast) -> Delivery:  # noqa: F811
    return deliver(round, cast.pc06)


def address(name: str, delivery: Delivery) -> str:
    return reverse(f"reports:delivery_{name}", args=[delivery.pk])


def upload(text: str, name="traloi.csv") -> dict:
    return {"file": SimpleUploadedFile(name, text.encode())}


@pytest.mark.parametrize("who", STRANGERS)
def test_everybody_else_finds_nothing(client, cast, made, who):
    client.force_login(getattr(cast, who))
    assert client.get(LIST).status_code == 404
    assert client.post(reverse("reports:delivery_new"), {}).status_code == 404
    for page in ("format", "schema", "answers_schema"):
        assert client.get(reverse(f"reports:delivery_{page}")).status_code == 404
    assert client.get(address("detail", made)).status_code == 404
    for name in ("file", "answers", "withdraw", "again"):
        assert client.post(address(name, made), {"reason": "x", "format": "json"}).status_code == 404
    assert "deliveries" not in client.get(reverse("reports:report_list")).content.decode()
    made.refresh_from_db()
    assert made.withdrawn_at is None


def test_another_provinces_is_not_found(client, cast, made, tree):
    Posting.objects.filter(user=cast.pc06).update(unit=tree.huong_khe)
    client.force_login(cast.pc06)
    assert client.get(LIST).status_code == 404
    assert client.get(address("detail", made)).status_code == 404


class TestTheList:
    def test_what_waits_by_item_and_since_when(self, client, round, two_corrections, cast, homes):  # noqa: F811
        other = homes.phu_gia.forms.get(line=2)
        record(homes.phu_gia, cast.member, "deceased", only=[other.pk], event_on=date(2019, 1, 2), paper="archive")
        decide([other.pk], cast.supervisor)
        client.force_login(cast.pc06)
        assert LIST in client.get(reverse("reports:report_list")).content.decode()
        page = text_of(client.get(LIST))
        assert "3 dòng chờ giao, sớm nhất từ 19/6/2020" in page
        assert "Chỉnh sửa 2 Loại phiếu 1" in page
        assert "Họ và tên 1 Ngày sinh 1 Loại phiếu 1" in page
        # somebody decides: the page knows
        decide([two_corrections[2].pk], cast.supervisor)
        assert "4 dòng chờ giao" in text_of(client.get(LIST))

    def test_days_are_counted_before(self, client, round, two_corrections, cast):  # noqa: F811
        client.force_login(cast.pc06)
        page = text_of(client.get(LIST, {"first": "1/6/2020", "last": "18/6/2020"}))
        assert "Không có gì của những ngày này chờ giao" in page
        assert "2 dòng chờ giao" in page
        assert "Lập lần giao 2 dòng" in text_of(client.get(LIST, {"first": "19/6/2020", "last": "19/6/2020"}))

    @pytest.mark.parametrize(
        ("first", "last", "words"),
        [("x", "19/6/2020", "19/6/2020"), ("19/6/2020", "18/6/2020", "sau ngày cuối"), ("1/6/2020", "20/6/2020", "chưa đến"), ("", "", "hai ngày")],
    )  # fmt: skip
    def test_days_that_cannot_be(self, client, round, two_corrections, cast, first, last, words):  # noqa: F811
        client.force_login(cast.pc06)
        answer = client.get(LIST, {"first": first, "last": last})
        assert (answer.status_code, words in text_of(answer)) == (400, True)
        sent = {"first": first, "last": last, "request": uuid4()}
        answer = client.post(reverse("reports:delivery_new"), sent)
        assert (answer.status_code, words in text_of(answer)) == (400, True)
        assert not Delivery.objects.exists()

    def test_as_many_queries_for_many_as_for_one(self, client, round, cast, homes, django_assert_max_num_queries):
        client.force_login(cast.pc06)
        people = [*homes.four.forms.order_by("line"), *homes.two.forms.order_by("line")]
        for form in people:
            correct(form, cast.officer, "relation", "Vợ")
            decide([form.pk], cast.supervisor)
            deliver(round, cast.pc06)
            with django_assert_max_num_queries(17):
                client.get(LIST)

    def test_with_nothing_it_says_so(self, client, round, cast):
        client.force_login(cast.pc06)
        page = text_of(client.get(LIST))
        assert "Không có gì chờ giao" in page
        assert "Chưa có lần nào" in page
        with translation.override("en"):
            assert client.get(LIST).status_code == 200


class TestMaking:
    def test_one_press_one_delivery(self, client, round, two_corrections, cast):  # noqa: F811
        client.force_login(cast.pc06)
        sent = {"first": "2020-06-01", "last": "2020-06-19", "request": uuid4()}
        answer = client.post(reverse("reports:delivery_new"), sent)
        made = Delivery.objects.get()
        assert answer.url == address("detail", made)
        assert client.post(reverse("reports:delivery_new"), sent).url == answer.url
        later = client.post(reverse("reports:delivery_new"), sent | {"request": uuid4()})
        assert (later.status_code, "chờ giao" in text_of(later)) == (409, True)
        assert Delivery.objects.count() == 1
        assert client.get(reverse("reports:delivery_new")).status_code == 405

    def test_without_the_pages_number_it_is_refused(self, client, round, two_corrections, cast):  # noqa: F811
        client.force_login(cast.pc06)
        sent = {"first": "2020-06-01", "last": "2020-06-19", "request": "x"}
        assert client.post(reverse("reports:delivery_new"), sent).status_code == 400
        assert not Delivery.objects.exists()


class TestTheDelivery:
    def test_it_says_its_rows_and_masks_numbers(self, client, cast, made, two_corrections):  # noqa: F811
        client.force_login(cast.pc06)
        answer = client.get(address("detail", made))
        page = text_of(answer)
        assert "2 dòng có hiệu lực từ 1/1/2020 đến 19/6/2020: 0 được tiếp nhận, 0 bị từ chối, 2 chưa trả lời" in page
        assert "NGUYỄN VĂN THỬ → NGUYỄN VĂN MỚI" in page
        assert "17/05/1980 → 03/1956" in page
        assert two_corrections[0].cmnd not in answer.content.decode()
        assert "••••••001" in page

    def test_page_by_page(self, client, cast, made, monkeypatch):
        monkeypatch.setattr(reading, "PAGE", 1)
        client.force_login(cast.pc06)
        first = client.get(address("detail", made)).content.decode()
        assert "?after=1#rows" in first
        assert "03/1956" not in first
        second = client.get(address("detail", made), {"after": "1"}).content.decode()
        assert "03/1956" in second
        assert "after=2" not in second
        assert client.get(address("detail", made), {"after": "x", "answer": "y"}).status_code == 200

    def test_only_the_refused(self, client, cast, made):
        answered(made, cast.pc06, "refused", [2], reason="sai ngày sinh")
        client.force_login(cast.pc06)
        page = text_of(client.get(address("detail", made), {"answer": "refused"}))
        assert "sai ngày sinh" in page
        assert "NGUYỄN VĂN MỚI" not in page

    def test_as_many_queries_for_many_rows_as_for_one(self, client, cast, round, homes, django_assert_max_num_queries):
        client.force_login(cast.pc06)
        for home in (homes.four, homes.two, homes.three):
            for form in home.forms.order_by("line"):
                correct(form, cast.officer, "relation", "Vợ")
            decide(home.forms.values_list("pk", flat=True), cast.supervisor)
        made = deliver(round, cast.pc06)
        with django_assert_max_num_queries(14):
            client.get(address("detail", made))


class TestTheFile:
    def test_asked_for_made_and_fetched(self, client, cast, made):
        client.force_login(cast.pc06)
        answer = client.post(address("file", made), {"format": "json", "reason": "giao lần 1"})
        export = Export.objects.get()
        assert answer.url == reverse("reports:export_detail", args=[export.pk])
        exports.make(export.pk)
        fetched = client.get(reverse("reports:export_file", args=[export.pk]))
        assert "DC02-42-2020-001.json" in fetched.headers["Content-Disposition"]
        assert len(json.loads(b"".join(fetched.streaming_content))["rows"]) == 2
        acts = list(Disclosure.objects.order_by("pk").values_list("act", "reason", "officer"))
        assert acts == [(act, "giao lần 1", cast.pc06.pk) for act in ("made", "fetched")]
        assert "DC02" not in text_of(client.get(address("detail", made)))
        assert "JSON" in text_of(client.get(address("detail", made)))
        assert "42-2020-001" in text_of(client.get(reverse("reports:export_list")))
        assert "42-2020-001 · JSON" in text_of(client.get(reverse("reports:disclosure_list")))

    @pytest.mark.parametrize("right", ["", "masked"])
    def test_not_without_the_right_to_whole_numbers(self, client, cast, made, right):
        client.force_login(cast.pc06)
        client.post(address("file", made), {"format": "csv", "reason": "giao"})
        export = Export.objects.get()
        exports.make(export.pk)
        Posting.objects.filter(user=cast.pc06).update(person_files=right)
        assert client.get(reverse("reports:export_file", args=[export.pk])).status_code == 404
        assert client.post(address("file", made), {"format": "csv", "reason": "giao"}).status_code == 404
        page = text_of(client.get(address("detail", made)))
        assert "quản trị viên cấp quyền này" in page
        assert Export.objects.count() == 1

    def test_not_without_a_reason_and_not_in_another_format(self, client, cast, made):
        client.force_login(cast.pc06)
        answer = client.post(address("file", made), {"format": "json", "reason": " "})
        assert (answer.status_code, "dùng để làm gì" in text_of(answer)) == (400, True)
        assert client.post(address("file", made), {"format": "xlsx", "reason": "giao"}).status_code == 400
        assert not Export.objects.exists()

    def test_of_a_withdrawn_delivery_none_is_made_and_none_fetched(self, client, cast, made):
        client.force_login(cast.pc06)
        client.post(address("file", made), {"format": "csv", "reason": "giao"})
        export = Export.objects.get()
        exports.make(export.pk)
        client.post(address("withdraw", made), {"reason": "sai"})
        assert client.get(reverse("reports:export_file", args=[export.pk])).status_code == 404
        assert client.post(address("file", made), {"format": "csv", "reason": "giao"}).status_code == 409


class TestAnswers:
    def test_taken_over_and_the_second_time_nothing_new(self, client, cast, made):
        client.force_login(cast.pc06)
        text = "Dong,TraLoi,LyDo\n1,chap_nhan,\n2,tu_choi,sai ngày sinh\n"
        answer = client.post(address("answers", made), upload(text))
        assert answer.url == address("detail", made) + "?stored=2#answers"
        assert "Đã nhận 2 trả lời" in text_of(client.get(answer.url))
        again = client.post(address("answers", made), upload(text))
        assert "Không có gì mới" in text_of(client.get(again.url))
        made.refresh_from_db()
        assert (made.accepted, made.refused, made.unanswered) == (1, 1, 0)

    def test_what_is_wrong_is_told_by_row(self, client, cast, made):
        client.force_login(cast.pc06)
        answer = client.post(address("answers", made), upload("Dong,TraLoi\n1,chap_nhan\n7,ừ\n9,ừ\n"))
        page = text_of(answer)
        assert answer.status_code == 400
        assert "Dòng 3: “ừ” không phải trả lời" in page
        assert "Dòng 4: “ừ” không phải trả lời" in page
        assert not DeliveryLine.objects.exclude(answer="").exists()

    def test_a_file_as_long_as_a_delivery_of_the_whole_province(self, client, cast, made):
        client.force_login(cast.pc06)
        text = "Dong,TraLoi,LyDo\n" + "1,chap_nhan,\n" * 150_000
        assert len(text) > 1024 * 1024
        assert client.post(address("answers", made), upload(text)).url.endswith("?stored=1#answers")

    def test_a_workbook_leaves_nothing_behind(self, client, cast, made, settings, tmp_path):
        settings.IMPORT_DIR = tmp_path / "imports"
        path = tmp_path / "a.xlsx"
        with xlsxwriter.Workbook(path) as book:
            page = book.add_worksheet()
            for row, cells in enumerate([("Dong", "TraLoi", "LyDo"), (1, "chap_nhan", ""), (2, "tu_choi", "sai")]):
                page.write_row(row, 0, cells)
        client.force_login(cast.pc06)
        sent = {"file": SimpleUploadedFile("a.xlsx", path.read_bytes())}
        assert client.post(address("answers", made), sent).url.endswith("?stored=2#answers")
        assert list(settings.IMPORT_DIR.iterdir()) == []

    def test_one_that_is_too_large_is_refused_before_it_is_read(self, client, cast, made, monkeypatch):
        monkeypatch.setattr("reports.deliveries.answers.BYTES_AT_MOST", -1024 * 1024)
        client.force_login(cast.pc06)
        answer = client.post(address("answers", made), upload("Dong,TraLoi\n1,chap_nhan\n"))
        assert (answer.status_code, "Tệp lớn hơn" in text_of(answer)) == (413, True)

    def test_a_file_is_needed(self, client, cast, made):
        client.force_login(cast.pc06)
        assert client.post(address("answers", made), {}).status_code == 400

    def test_not_to_a_withdrawn_one(self, client, cast, made):
        client.force_login(cast.pc06)
        client.post(address("withdraw", made), {"reason": "sai"})
        assert client.post(address("answers", made), upload("Dong,TraLoi\n1,chap_nhan\n")).status_code == 409


class TestWithdrawingAndSendingAgain:
    def test_withdrawn_with_its_reason_once(self, client, cast, made):
        client.force_login(cast.pc06)
        assert client.post(address("withdraw", made), {"reason": ""}).status_code == 400
        for reason in ("gửi nhầm", "lần hai"):
            assert client.post(address("withdraw", made), {"reason": reason}).url == address("detail", made)
        page = text_of(client.get(address("detail", made)))
        assert "gửi nhầm" in page
        assert "lần hai" not in page
        assert "2 dòng chờ giao" in text_of(client.get(LIST))

    def test_what_was_accepted_is_not_withdrawn(self, client, cast, made):
        answered(made, cast.pc06, "accepted", [1])
        client.force_login(cast.pc06)
        assert client.post(address("withdraw", made), {"reason": "sai"}).status_code == 409

    def test_refused_rows_are_sent_again_once(self, client, cast, made):
        answered(made, cast.pc06, "refused")
        client.force_login(cast.admin)
        assert "Gửi lại 2 dòng bị từ chối" in text_of(client.get(address("detail", made)))
        for _press in range(2):
            assert client.post(address("again", made)).url == address("detail", made)
        page = text_of(client.get(address("detail", made)))
        assert "2 dòng bị từ chối đã được cho gửi lại" in page
        assert "Gửi lại 2 dòng" not in page
        assert "2 dòng chờ giao" in text_of(client.get(LIST))
        made.refresh_from_db()
        assert made.sent_again == 2

    def test_not_of_a_withdrawn_one(self, client, cast, made):
        answered(made, cast.pc06, "refused")
        client.force_login(cast.pc06)
        client.post(address("withdraw", made), {"reason": "sai"})
        assert client.post(address("again", made)).status_code == 409


def test_the_layout_is_published(client, cast, round):
    client.force_login(cast.admin)
    page = text_of(client.get(reverse("reports:delivery_format")))
    for word in ("MaLanGiao", "LanGiaoDaThuHoi", "ThangSinh", "MaDonViHanhChinh", "TraLoi", "Moi_NgayThangNamSinh"):
        assert word in page
    for name, urn in (("schema", "corrections"), ("answers_schema", "answers")):
        answer = client.get(reverse(f"reports:delivery_{name}"))
        assert answer.headers["Content-Type"] == "application/schema+json"
        assert answer.json()["$id"] == f"urn:census-verify:{urn}:1"
