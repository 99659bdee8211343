"""Sheets: printed, found again by number and code, entered as one batch, undone as one."""

import io
from datetime import date, timedelta
from uuid import uuid4

import pytest
import zxingcpp
from django.core.cache import cache
from django.db import IntegrityError, transaction
from django.urls import reverse
from PIL import Image
from pypdf import PdfReader

from census_verify import clock
from households.models import CollectionForm
from households.tests.factories import make_form, make_household
from verification import services
from verification.models import (
    Correction,
    PassEvent,
    Printing,
    RollupMark,
    Round,
    RoundForm,
    Sheet,
    SheetLine,
    VerificationPass,
)
from verification.rules import Conflict, InvalidEntry, NotAllowed, Refusal
from verification.sheets import codes, entering, lists, making, printing, typesetting
from verification.tests.factories import decide, open_round, record


@pytest.fixture(autouse=True)
def _own_folder(settings, tmp_path):
    settings.SHEET_DIR = tmp_path / "sheets"


def printed(unit, round, by) -> list[Sheet]:
    job = printing.request(unit=unit, round=round, request=uuid4(), by=by)
    making.make(job.pk)
    job.refresh_from_db()
    assert job.status == Printing.Status.DONE, job.failure
    return list(job.sheets.order_by("pk"))


@pytest.fixture
def sheet(round, cast, tree) -> Sheet:
    """Thôn Đông: lines 1-4 are one household, 5-6 another."""
    (sheet,) = printed(tree.dong, round, cast.officer)
    return sheet


def form_on(sheet: Sheet, number: int) -> CollectionForm:
    return SheetLine.objects.select_related("form__household").get(sheet=sheet, number=number).form


def enter(sheet: Sheet, typed: str, by, **fields):
    state = fields.pop("state", None) or entering.check(sheet=sheet, typed=typed).state
    defaults = {"by_books": True, "in_person": True, "verified_on": clock.today(), "submission": uuid4()}
    return entering.record(sheet=sheet, typed=typed, state=state, by=by, **defaults | fields)


def outcomes(sheet: Sheet) -> list[str]:
    rows = RoundForm.objects.filter(round=sheet.round)
    row_of = {row.form_id: row.outcome for row in rows}
    return [row_of[line.form_id] for line in SheetLine.objects.filter(sheet=sheet).order_by("number")]


def sentences(sheet: Sheet, typed: str) -> list[tuple[int, str]]:
    return [(problem.at, problem.sentence) for problem in entering.check(sheet=sheet, typed=typed).problems]


EXCEPTIONS = """\
2 s ngaysinh 12/03/1956 hk
2 s ten TRẦN THỊ GIẢ ks
4 v đi làm ăn xa 25/6
5 k 3 không gặp
"""


class TestPrinting:
    def test_whole_households_in_walking_order(self, sheet, homes, tree):
        people = [line.form for line in SheetLine.objects.filter(sheet=sheet).order_by("number")]
        assert [f.household for f in people] == [homes.four] * 4 + [homes.two] * 2
        assert [f.line for f in people] == [1, 2, 3, 4, 1, 2]
        assert (sheet.hamlet, sheet.part, sheet.parts, sheet.commune) == (tree.dong, 1, 1, tree.huong_tra)

    def test_only_who_is_due(self, round, homes, cast, tree):
        record(homes.four, cast.officer)
        record(homes.two, cast.officer, "not_met", reason="đi xa", next_visit_on=date(2020, 6, 25))
        with pytest.raises(InvalidEntry):
            printing.request(unit=tree.dong, round=round, request=uuid4(), by=cast.officer)
        RoundForm.objects.filter(household=homes.two).update(next_visit_on=clock.today())
        (sheet,) = printed(tree.dong, round, cast.officer)
        assert sheet.lines.count() == 2

    def test_a_hamlet_of_many_is_several_sheets(self, homes, cast, tree):
        big = [make_household(tree.tay, people=people) for people in (20, 20, 20, 3, 60, 2)]
        round = open_round(tree.province, cast.pc06)
        sheets = printed(tree.huong_tra, round, cast.officer)
        of_tay = [s for s in sheets if s.hamlet == tree.tay]
        assert [(s.part, s.parts, s.lines.count()) for s in of_tay] == [(1, 4, 43), (2, 4, 23), (3, 4, 60), (4, 4, 2)]
        assert [s.hamlet for s in sheets] == [tree.dong, *[tree.tay] * 4]
        for household in big:
            assert SheetLine.objects.filter(form__household=household).values("sheet").distinct().count() == 1

    def test_pressed_twice_prints_once(self, round, cast, tree):
        request = uuid4()
        jobs = {printing.request(unit=tree.dong, round=round, request=request, by=cast.officer).pk for _ in range(2)}
        (job,) = jobs
        making.make(job)
        making.make(job)
        assert Sheet.objects.count() == 1
        with pytest.raises(Conflict):
            printing.request(unit=tree.tay, round=round, request=request, by=cast.officer)

    @pytest.mark.parametrize("who", ["stranger", "supervisor", "pc06", "admin", "leader"])
    def test_refused_to_whoever_does_not_record_there(self, round, cast, tree, who):
        with pytest.raises(NotAllowed):
            printing.request(unit=tree.dong, round=round, request=uuid4(), by=getattr(cast, who))

    def test_refused_when_the_round_is_closed(self, round, cast, tree):
        round.status = Round.Status.CLOSED
        with pytest.raises(Conflict):
            printing.request(unit=tree.dong, round=round, request=uuid4(), by=cast.officer)

    def test_posted_away_before_it_was_made(self, round, cast, tree):
        job = printing.request(unit=tree.dong, round=round, request=uuid4(), by=cast.officer)
        cast.officer.postings.update(valid_to=clock.today())
        making.make(job.pk)
        job.refresh_from_db()
        assert job.status == Printing.Status.FAILED
        assert not Sheet.objects.exists()
        assert not making.file_path(job).exists()

    def test_a_line_is_history(self, sheet):
        with pytest.raises(IntegrityError), transaction.atomic():
            SheetLine.objects.update(number=99)

    def test_what_must_hold_of_a_sheet(self, sheet, cast):
        for wrong in (
            {"entered_at": clock.now()},
            {"withdrawn_by": cast.officer},
            {"part": 2},
            {
                "entered_at": clock.now(),
                "entered_by": cast.officer,
                "withdrawn_at": clock.now(),
                "withdrawn_by": cast.officer,
            },
        ):
            with pytest.raises(IntegrityError), transaction.atomic():
                Sheet.objects.update(**wrong)


class TestPaper:
    def paper(self, round, unit, by, **fields) -> dict:
        job = Printing(round=round, unit=unit, by=by, asked_at=clock.now(), language="vi", request=uuid4(), **fields)
        job.save()
        planned = printing.plan(round, unit)
        printing.store(job, planned)
        return printing.Paper(job, planned).data(planned)

    def test_it_says_who_and_where(self, round, cast, tree, homes):
        (sheet,) = self.paper(round, tree.dong, cast.officer)["sheets"]
        assert sheet["place"] == "Thôn Đông, xã Hương Trà, huyện Hương Khê, tỉnh Hà Tĩnh"
        assert sheet["office"] == "CÔNG AN XÃ HƯƠNG TRÀ"
        first = sheet["households"][0]
        assert first["code"] == codes.code_of("H", homes.four.pk)
        assert homes.four.book_number in first["book"]
        assert first["people"][0]["born"] == "17/05/1980"

    @pytest.mark.parametrize(("shown", "number"), [("last", "••••••001"), ("whole", "183000001"), ("none", "")])
    def test_numbers_as_the_round_says(self, round, cast, tree, shown, number):
        round.numbers_on_sheets = shown
        (sheet,) = self.paper(round, tree.dong, cast.officer)["sheets"]
        assert sheet["households"][0]["people"][0]["number"] == number

    def test_a_returned_result_says_why(self, round, cast, tree, homes):
        passes = record(homes.two, cast.officer, "emigrated").passes
        decide([p.form_id for p in passes], cast.supervisor, "returned", "thiếu giấy tờ")
        (sheet,) = self.paper(round, tree.dong, cast.officer)["sheets"]
        assert "thiếu giấy tờ" in sheet["households"][1]["people"][0]["note"]

    def test_no_personal_data_is_in_a_code(self, round, cast, tree, homes):
        (sheet,) = self.paper(round, tree.dong, cast.officer)["sheets"]
        for code in (sheet["code"], *(h["code"] for h in sheet["households"])):
            assert code.strip("0123456789") in ("PK", "H")

    def test_the_printed_page_reads_back_by_its_codes(self, round, cast, tree, homes, client):
        """Scanned from the page as it comes out of the printer."""
        data = self.paper(round, tree.dong, cast.officer)
        page = typesetting.typeset(data, format="png", ppi=150)
        page = page if isinstance(page, bytes) else page[0]
        read = codes_in(page)
        sheet = Sheet.objects.get()
        assert read == {
            codes.code_of("PK", sheet.pk), codes.code_of("H", homes.four.pk), codes.code_of("H", homes.two.pk),
        }  # fmt: skip
        client.force_login(cast.officer)
        answer = client.get(reverse("verification:sheet_open"), {"code": codes.code_of("PK", sheet.pk)})
        assert answer.url == reverse("verification:sheet_detail", args=[sheet.pk])
        answer = client.get(reverse("verification:sheet_open"), {"code": codes.code_of("H", homes.two.pk)})
        assert answer.url == reverse("verification:household_verify", args=[homes.two.pk])

    def test_every_code_is_readable_though_all_have_one_mask(self):
        for pk in range(1, 40_000, 997):
            code = codes.code_of("H", pk)
            picture = io.BytesIO()
            typesetting.qr_matrix(code).save(picture, kind="png", scale=3)
            assert codes_in(picture.getvalue()) == {code}

    def test_text_of_the_register_is_never_markup(self, round, cast, tree, homes):
        evil = '#read("/etc/passwd") $x$ *b* \\ <a> @b //c " ]#'
        homes.four.forms.update(full_name=evil, relation="#1")
        homes.four.head_name = homes.four.address = "#panic() ```"
        homes.four.save()
        make = making._typeset(self.paper(round, tree.dong, cast.officer))
        text = PdfReader(make).pages[0].extract_text()
        assert 'read("/etc/passwd")' in text.replace("\n", "").replace(" ", "").replace("#", "")

    def test_the_font_is_inside(self, round, cast, tree):
        reader = PdfReader(making._typeset(self.paper(round, tree.dong, cast.officer)))
        fonts = reader.pages[0]["/Resources"]["/Font"]
        names = {font.get_object()["/BaseFont"] for font in fonts.values()}
        assert names
        assert all("Tinos" in name for name in names)


def codes_in(png: bytes) -> set[str]:
    """What a scanner reads off a picture."""
    with Image.open(io.BytesIO(png)) as picture:
        return {code.text for code in zxingcpp.read_barcodes(picture.convert("L"))}


class TestEntering:
    def test_the_exceptions_and_the_rest_is_right(self, sheet, cast, tree):
        RollupMark.objects.all().delete()
        recorded = enter(sheet, EXCEPTIONS, cast.officer)
        assert len(recorded.passes) == 6
        assert outcomes(sheet) == ["matched", "corrected", "matched", "not_met", "unverifiable", "matched"]
        passes = VerificationPass.objects.all()
        assert {(p.sheet_id, p.submission) for p in passes} == {(sheet.pk, recorded.passes[0].submission)}
        assert set(Correction.objects.values_list("field", "new")) == {
            ("birth_date", "12/03/1956"), ("full_name", "TRẦN THỊ GIẢ")}  # fmt: skip
        sheet.refresh_from_db()
        assert sheet.entered_by == cast.officer
        assert RollupMark.objects.count() == 1

    def test_a_summary_in_words_writes_nothing(self, sheet):
        checked = entering.check(sheet=sheet, typed=EXCEPTIONS)
        assert checked.problems == []
        assert dict(checked.counts) == {"matched": 3, "corrected": 1, "not_met": 1, "unverifiable": 1}
        assert checked.said[0].details[0] == "Ngày sinh: 17/05/1980 → 12/03/1956 (Sổ hộ khẩu)"
        assert checked.said[1].details == ["đi làm ăn xa", "hẹn lại ngày 25/6/2020"]
        assert not VerificationPass.objects.exists()

    def test_the_same_statements_for_many_households_as_for_one(
        self, round, cast, tree, homes, django_assert_max_num_queries
    ):
        with django_assert_max_num_queries(30):
            (small,) = printed(tree.tay, round, cast.officer)
        (large,) = printed(tree.dong, round, cast.officer)
        from django.db import connection
        from django.test.utils import CaptureQueriesContext

        counts = []
        for sheet in (small, large):
            with CaptureQueriesContext(
                connection,
            ) as queries:
                enter(sheet, "1 v đi xa 25/6", cast.officer)
            counts.append(len(queries))
        assert counts[0] == counts[1]

    @pytest.mark.parametrize(
        ("typed", "at", "part"),
        [
            ("9 d", 1, "không có dòng 9"),
            ("5-9 v đi 25/6", 1, "5-9"),
            ("1 d\n2 s ngaysinh 31/2/1956 hk", 2, "31/2/1956"),
            ("2 s ngaysinh 17/05/1980 hk", 1, "giống nội dung cũ"),
            ("2 s ngaysinh 1956 hk\n2 s ngaysinh 1957 hk", 1, "hai lần"),
            ("2 b ngaysinh 1956 hk", 1, "Sai, đã chỉnh sửa"),
            ("2 v đi 18/6", 1, "qua"),
            ("2 c 25/6/2020 tl", 1, "tương lai"),
            ("2 t NOBODY", 1, "NOBODY"),
            ("2 k 0 không gặp", 1, "lần"),
            ("chữ", 1, "số dòng"),
        ],
    )
    def test_a_problem_has_its_line_and_a_sentence_and_nothing_is_written(self, sheet, cast, typed, at, part):
        problems = sentences(sheet, typed)
        assert problems[0][0] == at
        assert part in problems[0][1]
        with pytest.raises(InvalidEntry):
            enter(sheet, typed, cast.officer)
        assert not VerificationPass.objects.exists()

    def test_every_problem_is_told_at_once(self, sheet):
        assert [at for at, _ in sentences(sheet, "9 d\n1 w\n2 v đi 18/6\n3 d")] == [1, 2, 3]

    def test_all_or_nothing(self, sheet, cast, monkeypatch):
        """The corrections cannot be written, after the passes were: nobody is recorded."""

        def broken(*args, **options):
            raise IntegrityError

        monkeypatch.setattr(Correction.objects, "bulk_create", broken)
        with pytest.raises(IntegrityError):
            enter(sheet, EXCEPTIONS, cast.officer)
        assert not VerificationPass.objects.exists()
        assert outcomes(sheet) == [""] * 6

    def test_a_duplicate_names_the_other_form(self, sheet, cast):
        other = form_on(sheet, 1)
        enter(sheet, f"6 t {other.barcode}", cast.officer)
        assert VerificationPass.objects.get(outcome="duplicate").duplicate_of == other

    def test_pressed_twice_counts_once(self, sheet, cast):
        submission = uuid4()
        state = entering.check(sheet=sheet, typed=EXCEPTIONS).state
        first = enter(sheet, EXCEPTIONS, cast.officer, submission=submission)
        again = enter(sheet, EXCEPTIONS, cast.officer, submission=submission, state=state)
        assert not first.replayed
        assert again.replayed
        assert {p.pk for p in again.passes} == {p.pk for p in first.passes}
        assert VerificationPass.objects.count() == 6

    def test_undone_and_sent_again_is_told(self, sheet, cast):
        submission = enter(sheet, "", cast.officer).passes[0].submission
        services.undo_submission(submission=submission, by=cast.officer)
        with pytest.raises(Conflict):
            enter(sheet, "", cast.officer, submission=submission)

    def test_what_was_recorded_since_printing_is_skipped_and_said(self, sheet, cast, homes):
        record(homes.two, cast.member, "moved_away", event_on=date(2020, 5, 1), destination="Vinh")
        checked = entering.check(sheet=sheet, typed="")
        assert [line.number for line in checked.done] == [5, 6]
        assert cast.member.full_name in checked.done[0].done_sentence
        assert "Đã chuyển đi" in checked.done[0].done_sentence
        assert len(enter(sheet, "", cast.officer).passes) == 4
        assert outcomes(sheet) == ["matched"] * 4 + ["moved_away"] * 2

    def test_an_exception_of_a_line_that_is_done_is_a_problem(self, sheet, cast, homes):
        record(homes.two, cast.member)
        ((at, sentence),) = sentences(sheet, "1 d\n5 v đi 25/6")
        assert at == 2
        assert cast.member.full_name in sentence

    def test_somebody_quicker_between_summary_and_confirmation(self, sheet, cast, homes):
        state = entering.check(sheet=sheet, typed="").state
        record(homes.two, cast.member, only=[homes.two.forms.first().pk])
        with pytest.raises(entering.ChangedMeanwhile):
            enter(sheet, "", cast.officer, state=state)
        assert VerificationPass.objects.count() == 1
        assert len(enter(sheet, "", cast.officer).passes) == 5

    def test_what_the_district_returned_is_not_taken_for_right(self, round, cast, tree, homes):
        passes = record(homes.two, cast.officer, "emigrated").passes
        decide([p.form_id for p in passes], cast.supervisor, "returned", "thiếu giấy tờ")
        (sheet,) = printed(tree.dong, round, cast.officer)
        assert [line.number for line in entering.check(sheet=sheet, typed="").left] == [5, 6]
        enter(sheet, "5 d", cast.officer)
        assert outcomes(sheet) == ["matched"] * 5 + ["emigrated"]
        sheet.refresh_from_db()
        assert sheet.entered_at is None
        enter(sheet, "6 n hk", cast.officer)
        sheet.refresh_from_db()
        assert sheet.entered_at

    def test_half_of_it_today_and_half_tomorrow(self, sheet, cast):
        enter(sheet, "5-6 -", cast.officer)
        sheet.refresh_from_db()
        assert (outcomes(sheet), sheet.entered_at) == (["matched"] * 4 + ["", ""], None)
        enter(sheet, "5 v đi 25/6", cast.officer)
        sheet.refresh_from_db()
        assert outcomes(sheet)[4:] == ["not_met", "matched"]
        assert sheet.entered_at
        with pytest.raises(InvalidEntry):
            enter(sheet, "", cast.officer)

    def test_a_form_that_left_the_round_is_skipped(self, sheet, cast, homes):
        RoundForm.objects.filter(form=form_on(sheet, 6)).delete()
        assert [line.number for line in entering.check(sheet=sheet, typed="").gone] == [6]
        assert len(sentences(sheet, "6 d")) == 1
        assert len(enter(sheet, "", cast.officer).passes) == 5

    @pytest.mark.parametrize("who", ["stranger", "supervisor", "pc06", "admin", "leader"])
    def test_refused_to_whoever_does_not_record_there(self, sheet, cast, who):
        with pytest.raises(NotAllowed):
            enter(sheet, "", getattr(cast, who))
        with pytest.raises(NotAllowed):
            entering.withdraw(sheet=sheet, by=getattr(cast, who))
        assert not VerificationPass.objects.exists()

    def test_refused_when_the_round_is_closed(self, sheet, cast):
        Round.objects.update(status=Round.Status.CLOSED)
        with pytest.raises(Conflict):
            enter(sheet, "", cast.officer)

    def test_not_before_it_was_printed_nor_in_the_future(self, sheet, cast):
        for day in (clock.today() - timedelta(days=1), clock.today() + timedelta(days=1)):
            with pytest.raises(InvalidEntry):
                enter(sheet, "", cast.officer, verified_on=day)

    def test_a_withdrawn_sheet(self, sheet, cast):
        entering.withdraw(sheet=sheet, by=cast.officer)
        entering.withdraw(sheet=sheet, by=cast.member)
        sheet.refresh_from_db()
        assert sheet.withdrawn_by == cast.officer
        with pytest.raises(Conflict):
            enter(sheet, "", cast.officer)

    def test_an_entered_sheet_is_not_withdrawn(self, sheet, cast):
        enter(sheet, "", cast.officer)
        with pytest.raises(Conflict):
            entering.withdraw(sheet=sheet, by=cast.officer)


class TestDoubts:
    """The same as the entry page tells (`verification.cross_checks`)."""

    SECOND_HEAD = "2 s quanhe Chủ hộ hk"

    def test_told_with_the_line_and_recorded_when_confirmed(self, sheet, cast):
        checked = entering.check(sheet=sheet, typed=self.SECOND_HEAD)
        assert {line.number for line, _ in checked.doubts} == {1}
        assert {doubt.field for _, doubt in checked.doubts} == {"relation"}
        enter(sheet, self.SECOND_HEAD, cast.officer)
        assert Correction.objects.get().new == "Chủ hộ"

    def test_a_household_without_corrections_is_not_asked(self, sheet, homes):
        homes.two.forms.update(relation="Chủ hộ")
        assert {line.number for line, _ in entering.check(sheet=sheet, typed=self.SECOND_HEAD).doubts} == {1}
        assert not entering.check(sheet=sheet, typed="1 s ten TRẦN VĂN GIẢ ks").doubts

    def test_of_somebody_who_is_not_on_the_sheet(self, round, cast, tree, homes):
        (head, *_) = homes.four.forms.order_by("line")
        record(homes.four, cast.officer, only=[head.pk])
        (sheet,) = printed(tree.dong, round, cast.officer)
        doubts = entering.check(sheet=sheet, typed="1 s quanhe Chủ hộ hk").doubts
        assert [(line and line.number, doubt.name) for line, doubt in doubts][-1] == (None, head.full_name)

    def test_new_since_the_summary_shows_it_again(self, sheet, cast, homes):
        """Recorded is what was seen."""
        homes.four.forms.filter(line=1).update(relation="Con")
        state = entering.check(sheet=sheet, typed=self.SECOND_HEAD).state
        homes.four.forms.filter(line=1).update(relation="Chủ hộ")
        with pytest.raises(entering.ChangedMeanwhile):
            enter(sheet, self.SECOND_HEAD, cast.officer, state=state)
        assert not VerificationPass.objects.exists()


class TestUndo:
    def test_one_undo_for_the_whole(self, sheet, cast, homes):
        submission = enter(sheet, EXCEPTIONS, cast.officer).passes[0].submission
        assert len(services.undo_submission(submission=submission, by=cast.officer)) == 6
        assert outcomes(sheet) == [""] * 6
        assert PassEvent.objects.filter(kind="undone").count() == 6
        sheet.refresh_from_db()
        assert sheet.entered_at is None
        assert services.undo_submission(submission=submission, by=cast.officer) == []
        assert len(enter(sheet, "", cast.officer).passes) == 6

    def test_an_undo_pressed_late_does_not_open_a_sheet_entered_anew(self, sheet, cast):
        first = enter(sheet, "", cast.officer).passes[0].submission
        services.undo_submission(submission=first, by=cast.officer)
        enter(sheet, "", cast.officer)
        assert services.undo_submission(submission=first, by=cast.officer) == []
        sheet.refresh_from_db()
        assert sheet.entered_at

    def test_only_hers_and_only_while_nothing_later_stands(self, sheet, cast, homes):
        submission = enter(sheet, "", cast.officer).passes[0].submission
        with pytest.raises(NotAllowed):
            services.undo_submission(submission=submission, by=cast.member)
        record(homes.two, cast.member, "emigrated")
        with pytest.raises(Conflict) as told:
            services.undo_submission(submission=submission, by=cast.officer)
        assert "phiếu kiểm" in told.value.sentence
        assert outcomes(sheet)[0] == "matched"


class TestMaking:
    def test_stopped_while_it_waits_and_while_it_is_made(self, round, cast, tree):
        job = printing.request(unit=tree.dong, round=round, request=uuid4(), by=cast.officer)
        making.cancel(printing=job)
        making.cancel(printing=job)
        making.make(job.pk)
        job.refresh_from_db()
        assert job.status == Printing.Status.CANCELLED
        running = printing.request(unit=tree.dong, round=round, request=uuid4(), by=cast.officer)
        cache.set(f"printing-{running.pk}-stop", True)
        making.make(running.pk)
        running.refresh_from_db()
        assert running.status == Printing.Status.CANCELLED
        assert not Sheet.objects.exists()
        assert not making.file_path(running).exists()
        done = printed(tree.dong, round, cast.officer)[0].printing
        with pytest.raises(Refusal):
            making.cancel(printing=done)

    def test_a_worker_that_breaks_leaves_no_sheet(self, round, cast, tree, settings):
        job = printing.request(unit=tree.dong, round=round, request=uuid4(), by=cast.officer)
        settings.SHEET_DIR = "/proc/nowhere"
        making.make(job.pk)
        job.refresh_from_db()
        assert (job.status, job.failure) == (Printing.Status.FAILED, "error")
        assert not Sheet.objects.exists()

    def test_what_waits_is_found_and_old_files_go(self, round, cast, tree):
        job = printing.request(unit=tree.dong, round=round, request=uuid4(), by=cast.officer)
        assert making.waiting() == [job.pk]
        making.make(job.pk)
        assert making.waiting() == []
        job.refresh_from_db()
        path = making.file_path(job)
        assert PdfReader(path).get_num_pages() == job.pages == 1
        assert making.clear_old() == 0
        Printing.objects.update(finished_at=clock.now() - timedelta(days=8))
        assert making.clear_old() == 1
        assert not path.exists()
        job.refresh_from_db()
        assert job.status == Printing.Status.CLEARED
        assert job.sheets.exists()

    def test_progress_goes_by_sheets(self, homes, cast, tree, monkeypatch):
        for _ in range(3):
            make_household(tree.tay, people=30)
        round = open_round(tree.province, cast.pc06)
        monkeypatch.setattr(making, "SHEETS_A_PIECE", 1)
        told = []
        job = printing.request(unit=tree.tay, round=round, request=uuid4(), by=cast.officer)
        real = cache.set
        monkeypatch.setattr(cache, "set", lambda key, value, seconds: (told.append(value), real(key, value, seconds)))
        making.make(job.pk)
        assert told == [(0, 3), (0, 3), (1, 3), (2, 3)]
        job.refresh_from_db()
        assert making.made_so_far(job) is None
        text = "".join(page.extract_text() for page in PdfReader(making.file_path(job)).pages)
        assert all(sheet.number in text for sheet in job.sheets.all())

    @pytest.mark.timeout(600)
    def test_two_hundred_sheets_are_one_file(self, homes, cast, tree, monkeypatch):
        for _ in range(200):
            make_household(tree.tay, people=2)
        round = open_round(tree.province, cast.pc06)
        monkeypatch.setattr(printing, "MOST_PEOPLE", 3)
        sheets = printed(tree.tay, round, cast.officer)
        pages = [page.extract_text() for page in PdfReader(making.file_path(sheets[0].printing)).pages]
        assert len(pages) == len(sheets) == 201
        assert all(sheet.number in page for sheet, page in zip(sheets, pages, strict=True))


class TestLists:
    def test_out_and_back(self, sheet, round, cast, homes):
        record(homes.two, cast.member)
        (out,) = lists.out_for(cast.officer, round)
        assert (out.sheet, out.lines, out.done) == (sheet, 6, 2)
        assert lists.out_for(cast.stranger, round) == []
        enter(sheet, "", cast.officer)
        assert lists.out_for(cast.officer, round) == []
        assert lists.back_from(cast.officer, round) == [sheet]

    def test_what_there_is_to_print(self, sheet, round, tree):
        rows = lists.to_print(round, tree.huong_tra)
        assert [(r.hamlet, r.people, r.households, r.sheets_out) for r in rows] == [
            (tree.dong, 6, 2, 1), (tree.tay, 3, 1, 0)]  # fmt: skip


class TestPages:
    @pytest.fixture
    def page(self, client, cast):
        client.force_login(cast.officer)
        return client

    def fields(self, sheet, typed="", **more):
        fields = {"submission": uuid4(), "methods": "both", "verified_on": "19/6/2020", "typed": typed}
        if "state" not in more:
            fields["state"] = entering.check(sheet=sheet, typed=typed).state
        return fields | more

    def test_the_list_asks_as_often_with_one_sheet_as_with_many(
        self, page, sheet, round, cast, tree, django_assert_num_queries
    ):
        address = reverse("verification:sheet_list")
        page.get(address)
        with django_assert_num_queries(8):
            page.get(address)
        for unit in (tree.tay, tree.dong, tree.huong_tra):
            printed(unit, round, cast.officer)
        with django_assert_num_queries(8):
            body = page.get(address).content.decode()
        assert sheet.number in body
        assert "Thôn Tây" in body

    @pytest.mark.parametrize("typed", ["{number}", "{digits}", "{short}", "pk{digits}", " PK {number} "])
    def test_a_number_as_it_is_typed(self, page, sheet, typed):
        digits = sheet.number.replace("-", "")
        code = typed.format(number=sheet.number, digits=digits, short=digits.lstrip("0"))
        answer = page.get(reverse("verification:sheet_open"), {"code": code})
        assert answer.url == reverse("verification:sheet_detail", args=[sheet.pk])

    def test_a_wrong_number_is_told(self, page, sheet):
        right = codes.number_of(sheet.pk)
        wrong = right[:-1] + str((int(right[-1]) + 1) % 10)
        for code, part in (
            (wrong, "chữ số sai"), ("abc", "không phải là số"), (codes.number_of(sheet.pk + 77), "địa bàn"),
            ("", "không phải là số"), ("H" + codes.number_of(999_999), "địa bàn"),
        ):  # fmt: skip
            answer = page.get(reverse("verification:sheet_open"), {"code": code})
            assert answer.status_code == 404
            assert part in answer.content.decode()

    def test_a_stranger_opens_nothing(self, client, cast, sheet, homes):
        client.force_login(cast.stranger)
        for code in (sheet.number, codes.code_of("H", homes.two.pk)):
            assert client.get(reverse("verification:sheet_open"), {"code": code}).status_code == 404
        for name in ("sheet_detail", "sheet_confirm", "sheet_withdraw"):
            assert client.post(reverse(f"verification:{name}", args=[sheet.pk])).status_code == 404

    def test_the_search_field_takes_a_scanned_code(self, page, sheet):
        answer = page.get(reverse("verification:search"), {"q": codes.code_of("PK", sheet.pk)}, follow=True)
        assert answer.redirect_chain[-1][0] == reverse("verification:sheet_detail", args=[sheet.pk])
        assert page.get(reverse("verification:search"), {"q": "000122"}).status_code == 200

    def test_from_the_text_to_the_summary_to_the_record_to_undo(self, page, sheet):
        detail = reverse("verification:sheet_detail", args=[sheet.pk])
        assert "6</strong> người" in page.get(detail).content.decode()
        fields = self.fields(sheet, EXCEPTIONS)
        body = page.post(detail, fields | {"check": "1"}).content.decode()
        assert "17/05/1980 → 12/03/1956" in body
        assert "<strong>3</strong> đúng, <strong>1</strong> sai, <strong>1</strong> vắng" in body
        assert "Ghi 6 người" in body
        assert not VerificationPass.objects.exists()
        confirm = reverse("verification:sheet_confirm", args=[sheet.pk])
        for _ in range(2):
            answer = page.post(confirm, fields)
            assert answer.url.startswith(f"{detail}?saved=")
        assert VerificationPass.objects.count() == 6
        body = page.get(answer.url).content.decode()
        assert "6 người lúc" in body
        undo = reverse("verification:submission_undo", args=[fields["submission"]])
        assert page.post(undo).url == f"{detail}?undone=1"
        assert "Đã hoàn tác" in page.get(f"{detail}?undone=1").content.decode()
        assert page.post(undo).status_code == 302
        told = page.post(confirm, fields)
        assert told.status_code == 409
        assert outcomes(sheet) == [""] * 6

    def test_doubts_are_shown_before_the_one_confirmation(self, page, sheet):
        fields = self.fields(sheet, TestDoubts.SECOND_HEAD)
        text = page.post(
            reverse("verification:sheet_detail", args=[sheet.pk]), fields | {"check": "1"}
        ).content.decode()
        assert "Kiểm tra lại: ghi như vậy sẽ có 1 điểm nghi vấn" in text
        told = text.split('id="doubts"')[1].split("</section>")[0]
        assert f"Dòng 1, {form_on(sheet, 1).full_name}" in told
        state = text.split('name="state" value="')[1].split('"')[0]
        confirm = reverse("verification:sheet_confirm", args=[sheet.pk])
        assert page.post(confirm, fields | {"state": state}).status_code == 302
        assert VerificationPass.objects.count() == 6

    def test_problems_are_shown_with_their_line_and_not_confirmed(self, page, sheet):
        fields = self.fields(sheet, "1 d\n2 v đi 18/6\n")
        body = page.post(
            reverse("verification:sheet_detail", args=[sheet.pk]), fields | {"check": "1"}
        ).content.decode()
        assert "Dòng gõ thứ 2" in body
        assert "Ngày hẹn lại đã qua" in body
        assert "Ghi 6 người" not in body
        answer = page.post(reverse("verification:sheet_confirm", args=[sheet.pk]), fields)
        assert answer.status_code == 400
        assert not VerificationPass.objects.exists()

    def test_somebody_quicker_shows_the_summary_again(self, page, sheet, cast, homes):
        fields = self.fields(sheet)
        record(homes.two, cast.member)
        answer = page.post(reverse("verification:sheet_confirm", args=[sheet.pk]), fields)
        body = answer.content.decode()
        assert answer.status_code == 409
        assert cast.member.full_name in body
        assert "Ghi 4 người" in body
        again = self.fields(sheet) | {"submission": fields["submission"]}
        assert page.post(reverse("verification:sheet_confirm", args=[sheet.pk]), again).status_code == 302
        assert VerificationPass.objects.filter(sheet=sheet).count() == 4

    @pytest.mark.parametrize(
        "wrong",
        [{"submission": "x"}, {"methods": ""}, {"verified_on": "31/2/2020"}, {"verified_on": ""}, {"typed": "a" * 50_000},
         {"typed": "1 d\x00"}, {"state": ""}],
    )  # fmt: skip
    def test_what_a_browser_never_sends(self, page, sheet, wrong):
        answer = page.post(reverse("verification:sheet_confirm", args=[sheet.pk]), self.fields(sheet) | wrong)
        assert answer.status_code in (400, 409)
        assert not VerificationPass.objects.exists()

    def test_supervisors_look_and_do_not_enter(self, client, cast, sheet):
        for who in (cast.supervisor, cast.pc06, cast.admin):
            client.force_login(who)
            detail = reverse("verification:sheet_detail", args=[sheet.pk])
            body = client.get(detail).content.decode()
            assert "<textarea" not in body
            assert client.post(detail, self.fields(sheet, check="1")).status_code == 403
            assert (
                client.post(reverse("verification:sheet_confirm", args=[sheet.pk]), self.fields(sheet)).status_code
                == 403
            )
            assert client.post(reverse("verification:sheet_withdraw", args=[sheet.pk])).status_code == 403
        client.force_login(cast.leader)
        assert client.get(detail).status_code == 404
        assert client.get(reverse("verification:sheet_list")).status_code == 404

    @pytest.mark.parametrize(
        ("chosen", "line"),
        [
            (
                {"outcome": "corrected", "item": "birth_date", "value": "1956", "paper": "household_book"},
                "2 s ngaysinh 1956 hk",
            ),
            ({"outcome": "not_met", "value": "đi xa", "day": "25/6"}, "2 v đi xa 25/6"),
            ({"outcome": "unverifiable", "value": "không gặp", "attempts": "3"}, "2 k 3 không gặp"),
            ({"outcome": "deceased", "day": "3/4/2020", "paper": "archive"}, "2 c 3/4/2020 tt"),
            ({"outcome": "-", "value": "x"}, "2 -"),
            ({"outcome": "matched", "value": "x"}, "2 d"),
        ],
    )
    def test_choosing_from_lists_writes_the_line(self, page, sheet, chosen, line):
        fields = self.fields(sheet, "1 d\n") | {"line": "2", "add": "1"} | chosen
        body = page.post(reverse("verification:sheet_detail", args=[sheet.pk]), fields).content.decode()
        assert f">1 d\n{line}\n</textarea>" in body

    def test_withdrawn_from_its_page(self, page, sheet):
        assert page.post(reverse("verification:sheet_withdraw", args=[sheet.pk])).status_code == 302
        body = page.get(reverse("verification:sheet_detail", args=[sheet.pk])).content.decode()
        assert "đã hủy" in body
        assert (
            page.post(reverse("verification:sheet_detail", args=[sheet.pk]), self.fields(sheet, check="1")).status_code
            == 409
        )
        assert page.get(reverse("verification:sheet_withdraw", args=[sheet.pk])).status_code == 405

    def test_a_hamlet_is_printed_at_once_and_fetched(self, page, round, tree, cast, client):
        address = reverse("verification:unit_sheets", args=[tree.huong_tra.pk])
        assert "Thôn Đông" in page.get(address).content.decode()
        request = uuid4()
        for _ in range(2):
            answer = page.post(reverse("verification:unit_sheets", args=[tree.dong.pk]), {"request": request})
        assert Sheet.objects.count() == 1
        assert "1</strong> phiếu kiểm, 1 trang" in page.get(answer.url).content.decode()
        job = Printing.objects.get()
        file = page.get(reverse("verification:printing_file", args=[job.pk]))
        assert b"".join(file.streaming_content).startswith(b"%PDF")
        assert "attachment" in file.headers["Content-Disposition"]
        client.force_login(cast.member)
        assert client.get(reverse("verification:printing_file", args=[job.pk])).status_code == 404
        client.force_login(cast.officer)
        cast.officer.postings.update(valid_to=clock.today())
        assert client.get(reverse("verification:printing_file", args=[job.pk])).status_code == 404

    def test_a_printing_refused_says_why(self, page, client, round, tree, cast, homes):
        address = reverse("verification:unit_sheets", args=[tree.dong.pk])
        record(homes.four, cast.officer)
        record(homes.two, cast.officer)
        answer = page.post(address, {"request": uuid4()})
        assert answer.status_code == 400
        assert "không còn ai" in answer.content.decode()
        assert page.post(address, {"request": "x"}).status_code == 400
        client.force_login(cast.supervisor)
        assert client.post(address, {"request": uuid4()}).status_code == 403

    def test_a_long_printing_waits_for_the_worker_and_can_be_stopped(self, page, round, tree, monkeypatch):
        monkeypatch.setattr(making, "QUICK_PEOPLE", 2)
        asked = []
        monkeypatch.setattr("verification.sheet_views.ask_for_sheets", asked.append)
        answer = page.post(reverse("verification:unit_sheets", args=[tree.huong_tra.pk]), {"request": uuid4()})
        job = Printing.objects.get()
        assert asked == [job.pk]
        cache.set(f"printing-{job.pk}", (1, 3))
        assert "1</strong>/3" in page.get(answer.url).content.decode()
        assert page.post(reverse("verification:printing_cancel", args=[job.pk])).status_code == 302
        assert "Đã dừng" in page.get(answer.url).content.decode()

    def test_as_many_queries_for_any_sheet(self, page, sheet, round, cast, tree, homes, django_assert_num_queries):
        make_form(homes.two, line=9)
        (other,) = printed(tree.tay, round, cast.officer)
        for one in (sheet, other):
            with django_assert_num_queries(6):
                page.get(reverse("verification:sheet_detail", args=[one.pk]))
