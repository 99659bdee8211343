"""The corrections file: the published layout, the same bytes each time, exact values; and the receiver's answers to it."""

import csv
import io
import json
from datetime import date
from types import SimpleNamespace

import jsonschema
import pytest
from django.db.models import Q
from hypothesis import given
from hypothesis import strategies as st

from households.models import CollectionForm
from reports import exports, services
from reports.deliveries import answers, files, making, values
from reports.models import Delivery, Disclosure, Export
from reports.tests.test_deliveries import correct, deliver
from verification import items
from verification.models import Round
from verification.rules import Conflict, InvalidEntry
from verification.services import undo_submission
from verification.terms import REMOVALS, SourcePaper
from verification.tests.factories import record


@pytest.fixture(autouse=True)
def _own_folder(settings, tmp_path):
    settings.EXPORT_DIR = tmp_path / "exports"


NEW_VALUES = {
    "full_name": "LÊ THỊ HOÀI AN",
    "birth_date": "03/1956",
    "sex": "2",
    "pin": "042180001234",
    "cmnd": "012345678",
    "relation": "=Vợ",
    "marital_status": "3",
    "birth_registration_place": "xã Thạch Môn, thành phố Hà Tĩnh, tỉnh Hà Tĩnh",
    "origin_place": "+84, Nghệ An",
    "residence_place": "Đội 2, xã Hương Trà, huyện Hương Khê, tỉnh Hà Tĩnh",
    "present_place": "'=ở nhờ",
    "ethnicity": "Thổ",
    "religion": "Công giáo",
    "nationality": "Lào",
    "blood_type": "AB",
    "father_name": "AN",
    "mother_name": "TRẦN MẸ",
    "spouse_name": "LÊ VỢ",
    "representative_name": "Y KNIA BYĂ",
    "head_name": "NGUYỄN VĂN CHỦ",
    "book_number": '350,"1"',
}


@pytest.fixture
def delivery(round, homes, cast) -> Delivery:
    """Every item once, the three removals, and after them recalls of some."""
    assert set(NEW_VALUES) == set(items.ITEMS)
    Round.objects.update(approval_outcomes=[], undo_minutes=1000)
    round.refresh_from_db()
    form = homes.two.forms.get(line=1)
    CollectionForm.objects.filter(pk=form.pk).update(blood_type="", pin="", father_name="")
    for item, value in NEW_VALUES.items():
        form.refresh_from_db()
        correct(form, cast.officer, item, value, round=round)
    people = list(homes.four.forms.order_by("line"))
    removed = {
        "deceased": {"event_on": date(2019, 1, 2), "paper": "archive"},
        "duplicate": {"duplicate_barcode": people[3].barcode},
        "emigrated": {"paper": "other", "reason": "định cư"},
    }
    for person, (outcome, how) in zip(people, removed.items(), strict=False):
        record(homes.four, cast.officer, outcome, only=[person.pk], round=round, **how)
    return deliver(round, cast.pc06)


def made(delivery, by, format="json") -> Export:
    export = services.request_delivery_file(by=by, delivery=delivery, format=format, reason="giao")
    exports.make(export.pk)
    export.refresh_from_db()
    assert export.status == Export.Status.DONE, export.failure
    return export


def document(export: Export) -> dict:
    return json.loads(exports.file_path(export).read_bytes())


def cells(export: Export) -> list[dict]:
    raw = exports.file_path(export).read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(raw.decode("utf-8-sig"), newline="")))


def validator(name="corrections") -> jsonschema.Draft202012Validator:
    schema = json.loads(files.schema(name))
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def test_the_file_is_as_its_layout_says(delivery, cast):
    said = document(made(delivery, cast.pc06))
    validator().validate(said)
    assert said["delivery"] == {
        "MaLanGiao": "42-2020-001",
        "MaTinh": "42",
        "TuNgay": "2020-01-01",
        "DenNgay": "2020-06-19",
        "NgayLap": "2020-06-19",
        "SoDong": 24,
        "MaBam": delivery.sha256,
        "LanGiaoDaThuHoi": [],
    }
    assert [row["Dong"] for row in said["rows"]] == list(range(1, 25))
    assert {row["Muc"] for row in said["rows"] if "Muc" in row} == {each.name for each in values.ITEMS.values()}


def test_values_are_those_of_the_standard(delivery, cast, homes):
    rows = document(made(delivery, cast.pc06))["rows"]
    new = {row["Muc"]: row["Moi"] for row in rows if "Muc" in row}
    old = {row["Muc"]: row["Cu"] for row in rows if "Muc" in row}
    assert new["HoVaTen"] == {"VanBan": "LÊ THỊ HOÀI AN", "Ho": "LÊ", "ChuDem": "THỊ HOÀI", "Ten": "AN"}
    assert old["NgayThangNamSinh"] == {"VanBan": "17/05/1980", "NgayThangNamSinh": "1980-05-17"}
    assert new["NgayThangNamSinh"] == {"VanBan": "03/1956", "NgayThangNamSinh": "1956", "ThangSinh": "03"}
    assert (old["GioiTinh"]["Ma"], new["GioiTinh"]["Ma"]) == ("1", "2")
    assert (old["NhomMau"]["Ma"], new["NhomMau"]["Ma"]) == ("00", "03")
    assert new["TinhTrangHonNhan"]["Ma"] == "3"
    assert (old["DanToc"]["Ma"], new["TonGiao"]["Ma"]) == ("01", "02")
    assert "Ma" not in old["TonGiao"]
    assert (old["QuocTich"]["Ma"], new["QuocTich"]) == ("VN", {"VanBan": "Lào"})
    assert old["HoVaTenCha"] == {"VanBan": ""}
    assert new["HoVaTenCha"] == {"VanBan": "AN", "Ho": "", "ChuDem": "", "Ten": "AN"}
    assert new["NoiDangKyKhaiSinh"]["MaDonViHanhChinh"] == "18103"
    removed = {row["LyDoLoaiBo"]: row for row in rows if row["Loai"] == "loai_bo"}
    assert removed["da_chet"]["NgaySuKien"] == "2019-01-02"
    assert removed["trung_phieu"]["TrungVoiMaPhieu"] == homes.four.forms.get(line=4).barcode
    assert removed["thoi_quoc_tich"]["GiayTo"] == "giay_to_khac"


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("xã Hương Trà, huyện Hương Khê, tỉnh Hà Tĩnh", "18550"),
        ("Đội 2, Xã Hương Trà, Huyện Hương Khê, Hà Tĩnh", "18550"),
        ("thị trấn Lộc Hà, huyện Lộc Hà, tỉnh Hà Tĩnh", "18568"),
        ("xã Không Có, huyện Hương Khê, tỉnh Hà Tĩnh", "444"),
        ("xã Diễn Thịnh, huyện Diễn Châu, tỉnh Nghệ An", "40"),
        ("quận Ba Đình, TP Hà Nội", "01"),
        ("thành phố Hà Tĩnh", ""),
        ("Hương Trà", ""),
        ("", ""),
    ],
)
def test_the_code_of_a_place_is_that_of_the_smallest_unit_known(written, code):
    assert values.code_of_place(written) == code


def test_both_formats_say_the_same(delivery, cast):
    rows, lines = document(made(delivery, cast.pc06))["rows"], cells(made(delivery, cast.pc06, "csv"))
    assert len(rows) == len(lines) == delivery.rows
    for row, line in zip(rows, lines, strict=True):
        line = {name: files.unmarked(cell) for name, cell in line.items()}
        assert line.pop("MaLanGiao") == delivery.code
        flat = {f"{side}_{part}": row.get(side, {}).get(part, "") for side in ("Cu", "Moi") for part in files.PARTS}
        flat |= {name: str(row.get(name, "")) for name in line if name not in flat}
        assert line == flat
    starts = {cell[0] for line in lines for cell in line.values() if cell}
    assert not starts & set("=+-@\t\r")


@given(st.text(alphabet="'=+-@\t\rab", max_size=6))
def test_an_apostrophe_taken_away_gives_back_the_value(value):
    assert files.unmarked(files.marked(value)) == value
    assert not files.marked(value).startswith(("=", "+", "-", "@", "\t", "\r"))


@pytest.mark.parametrize("format", ["json", "csv"])
def test_the_same_bytes_whatever_happens_to_the_register(delivery, cast, homes, format, settings):
    first = made(delivery, cast.pc06, format)
    settings.CENSUS_VERIFY_TODAY = date(2020, 6, 20)
    form = homes.two.forms.get(line=1)
    correct(form, cast.officer, "pin", "042180009999", round=Round.objects.get())
    cast.officer.full_name = "Tên Khác"
    cast.officer.save()
    again = made(delivery, cast.admin, format)
    assert (again.sha256, again.rows) == (first.sha256, delivery.rows)
    assert exports.file_path(again).read_bytes() == exports.file_path(first).read_bytes()


def test_recalls_name_the_row_they_recall_and_withdrawn_deliveries_are_told(delivery, round, cast, homes):
    making.withdraw(delivery=delivery, reason="sai", by=cast.pc06)
    second = deliver(round, cast.pc06)
    head = document(made(second, cast.pc06))["delivery"]
    assert head["LanGiaoDaThuHoi"] == ["42-2020-001"]
    last = homes.two.forms.get(line=1).passes.standing().get()
    removal = homes.four.forms.get(line=1).passes.standing().get()
    for each in (last, removal):
        undo_submission(submission=each.submission, by=cast.officer)
    said = document(made(deliver(round, cast.pc06), cast.pc06))
    validator().validate(said)
    place = {row["LyDoLoaiBo"] if "LyDoLoaiBo" in row else row["Muc"]: row for row in said["rows"]}
    numbers = {line.item or line.verification_pass.outcome: line.number for line in second.lines.filter(
        Q(item="book_number") | Q(verification_pass=removal)).select_related("verification_pass")}  # fmt: skip
    assert place["SoSoHoKhau"]["ThuHoi"] == f"42-2020-002/{numbers['book_number']}"
    assert place["da_chet"]["ThuHoi"] == f"42-2020-002/{numbers['deceased']}"
    assert place["SoSoHoKhau"]["Cu"]["VanBan"] == NEW_VALUES["book_number"]
    assert {row["Loai"] for row in said["rows"]} == {"thu_hoi"}


def test_every_word_has_its_word():
    assert set(values.ITEMS) == set(items.ITEMS)
    assert set(values.PAPERS) == set(SourcePaper.values)
    assert set(values.REMOVALS) == {outcome.value for outcome in REMOVALS}


def test_a_file_is_a_disclosure_with_its_reason(delivery, cast):
    export = made(delivery, cast.pc06)
    written = Disclosure.objects.get(export=export)
    assert (written.reason, written.rows, written.sha256) == ("giao", delivery.rows, export.sha256)
    with pytest.raises(InvalidEntry):
        services.request_delivery_file(by=cast.pc06, delivery=delivery, format="json", reason=" ")


def test_of_a_withdrawn_delivery_none_is_made(delivery, cast):
    waiting = services.request_delivery_file(by=cast.pc06, delivery=delivery, format="json", reason="giao")
    delivery = making.withdraw(delivery=delivery, reason="sai", by=cast.pc06)
    with pytest.raises(Conflict):
        services.request_delivery_file(by=cast.pc06, delivery=delivery, format="json", reason="giao")
    exports.make(waiting.pk)
    waiting.refresh_from_db()
    assert waiting.status == Export.Status.FAILED


def test_it_stops_when_told(delivery, cast):
    export = services.request_delivery_file(by=cast.pc06, delivery=delivery, format="csv", reason="giao")
    exports.ask_to_stop(export)
    exports.make(export.pk)
    export.refresh_from_db()
    assert export.status == Export.Status.CANCELLED
    assert list(exports.file_path(export).parent.iterdir()) == []


class TestAnswers:
    @pytest.fixture
    def sent(self, delivery, cast, tmp_path):
        """Sends a file of this content back; gives what was stored."""

        def send(content: bytes | str, name: str = "traloi.csv") -> int:
            path = tmp_path / name
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
            return answers.load(delivery=delivery, answers=answers.read(path, name, delivery), by=cast.pc06)

        return send

    def figures(self, delivery) -> tuple[int, int]:
        delivery.refresh_from_db()
        return delivery.accepted, delivery.refused

    def test_the_csv_comes_back_with_two_more_columns(self, delivery, cast, sent):
        lines = cells(made(delivery, cast.pc06, "csv"))
        for line in lines:
            line |= {"TraLoi": "tu_choi", "LyDo": "không có"} if line["Dong"] == "3" else {"TraLoi": "chap_nhan"}
        back = io.StringIO()
        writer = csv.DictWriter(back, [*lines[0], "LyDo"] if "LyDo" not in lines[0] else [*lines[0]])
        writer.writeheader()
        writer.writerows(lines)
        assert sent(back.getvalue()) == delivery.rows
        assert self.figures(delivery) == (delivery.rows - 1, 1)
        assert sent(back.getvalue()) == 0
        assert self.figures(delivery) == (delivery.rows - 1, 1)

    def test_the_json_comes_back_with_two_more_fields(self, delivery, cast, sent):
        said = document(made(delivery, cast.pc06))
        for row in said["rows"][:3]:
            row |= {"TraLoi": "chap_nhan"}
        said["rows"][3] |= {"TraLoi": "tu_choi", "LyDo": "sai ngày"}
        assert sent(json.dumps(said), "traloi.json") == 4
        assert self.figures(delivery) == (3, 1)
        answered = {"schema": files.ANSWERS_SCHEMA, "delivery": said["delivery"], "rows": said["rows"][:4]}
        validator("answers").validate(answered)

    @pytest.mark.parametrize("text", ["Dòng;Trả lời;Lý do\n2;Chấp nhận;\n5;Từ chối;trùng\n", "dong\tTraLoi\tLyDo\n2\tchap_nhan\t\n5\ttu_choi\ttrùng"])  # fmt: skip
    def test_lists_in_any_shape(self, delivery, sent, text):
        assert sent(text.replace("Dòng", "Dòng số")) == 2
        assert self.figures(delivery) == (1, 1)
        line = delivery.lines.get(number=5)
        assert (line.answer, line.answer_reason) == ("refused", "trùng")

    @pytest.mark.parametrize(
        ("text", "row", "words"),
        [
            ("Dong,TraLoi,LyDo\n99,chap_nhan,\n", 99, "từ 1 đến 24"),
            ("Dong,TraLoi,LyDo\nx,chap_nhan,\n", 2, "không phải số dòng"),
            ("Dong,TraLoi,LyDo\n1,có,\n", 2, "không phải trả lời"),
            ("Dong,TraLoi,LyDo\n1,chap_nhan,\n2,tu_choi,\n", 3, "phải có lý do"),
            ("Dong,TraLoi,LyDo\n1,chap_nhan,\n1,tu_choi,sai\n", 3, "hai lần khác nhau"),
            ("MaLanGiao,Dong,TraLoi\n42-2020-007,1,chap_nhan\n", 2, "42-2020-007"),
            ("Dong,TraLoi,LyDo\n1,tu_choi," + "x" * 201 + "\n", 2, "200"),
        ],
    )
    def test_what_is_wrong_is_told_by_row_and_nothing_is_stored(self, delivery, sent, text, row, words):
        with pytest.raises(answers.AnswersRefused) as refused:
            sent(text + "3,chap_nhan,\n" if text.startswith("Dong") else text)
        ((told, sentence),) = refused.value.problems
        assert (told, words in sentence) == (row, True), sentence
        assert self.figures(delivery) == (0, 0)
        assert not delivery.lines.exclude(answer="").exists()

    @pytest.mark.parametrize(
        ("content", "name", "words"),
        [
            (b"", "a.csv", "rỗng"),
            (b"%PDF-1.4", "a.csv", "PDF"),
            ("Họ tên,Ngày sinh\nA,B\n", "a.csv", "Dong, TraLoi"),
            ("Dong,TraLoi\n1,\n", "a.csv", "Không có dòng nào"),
            ("[" * 100_000, "a.json", "JSON"),
            ("{", "a.json", "JSON"),
            ("[]", "a.json", "rows"),
            ('{"rows": [], "delivery": 3}', "a.json", "42-2020-001"),
            ('{"rows": [], "delivery": {"MaLanGiao": "42-2019-001"}}', "a.json", "42-2019-001"),
            (b"\xff\xfe\x00", "a.json", "JSON"),
        ],
    )
    def test_a_file_that_is_none(self, sent, content, name, words):
        with pytest.raises(InvalidEntry, match=words):
            sent(content, name)

    def test_rows_of_json_that_are_none(self, delivery, sent):
        rows = [3, {}, {"Dong": None}, {"Dong": 1, "TraLoi": {"a": 1}}, {"Dong": 1.5, "TraLoi": "chap_nhan"}]
        with pytest.raises(answers.AnswersRefused) as refused:
            sent(json.dumps({"delivery": {"MaLanGiao": delivery.code}, "rows": rows}), "a.json")
        assert [row for row, _sentence in refused.value.problems] == [1, 2, 3, 4, 5]

    def test_another_answer_than_before_is_refused(self, delivery, sent):
        sent("Dong,TraLoi\n1,chap_nhan\n")
        with pytest.raises(answers.AnswersRefused) as refused:
            sent("Dong,TraLoi,LyDo\n1,tu_choi,sai\n2,chap_nhan,\n")
        assert "tiếp nhận" in refused.value.problems[0][1]
        assert self.figures(delivery) == (1, 0)

    def test_not_of_a_withdrawn_delivery(self, delivery, cast, sent):
        making.withdraw(delivery=delivery, reason="sai", by=cast.pc06)
        with pytest.raises(Conflict):
            sent("Dong,TraLoi\n1,chap_nhan\n")

    @given(content=st.binary(max_size=200))
    def test_any_bytes_are_read_or_refused(self, content, tmp_path_factory):
        path = tmp_path_factory.mktemp("answers") / "a.json"
        path.write_bytes(content)
        with pytest.raises(answers.AnswersRefused):
            answers.read(path, "a.json", SimpleNamespace(code="42-2020-001"))
