"""Verification results from a file: the same rules, the same rows as by hand, and nothing twice."""

from contextlib import suppress
from datetime import date
from io import BytesIO

import pytest
from django.db import connection
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from census_verify import clock
from households.imports import stages
from households.imports.problems import CellRefused, FileRefused
from households.models import CollectionForm, Import
from households.tests.factories import Level, Type, make_form, make_hamlet, make_household, make_officer, make_unit
from verification import imports
from verification.forms import Methods
from verification.import_words import Words
from verification.items import ITEMS
from verification.models import Correction, PassEvent, RollupMark, Round, RoundForm, VerificationPass
from verification.result_import import ResultKind
from verification.result_rows import METHOD_WORDS, ResultRows, item_words, outcome_words
from verification.rules import CorrectionEntry
from verification.terms import OUTCOME_KEYS, Approval, Outcome
from verification.tests.factories import decide, open_round, record

KIND = ResultKind()
Status = Import.Status
HEADINGS = {field.name: field.heading for field in KIND.fields}


@pytest.fixture(autouse=True)
def _import_folder(settings, tmp_path):
    settings.IMPORT_DIR = tmp_path


def said(form: CollectionForm | str, outcome: str = "Đúng", **cells) -> dict[str, str]:
    """A row of a file, by field."""
    barcode = form if isinstance(form, str) else form.barcode
    return {"barcode": barcode, "outcome": outcome, "verified_on": "19/6/2020", "methods": "cả hai"} | cells


def corrected(form, item="Ngày sinh", new="12/3/1956", source="Giấy khai sinh", **cells) -> dict[str, str]:
    return said(form, **{"outcome": "Sai, đã chỉnh sửa", "item": item, "new": new, "source": source} | cells)


@pytest.fixture
def upload(tree, cast):
    def upload(*rows: dict[str, str], again: bool = False) -> Import:
        lines = [HEADINGS.values(), *([row.get(name, "") for name in HEADINGS] for row in rows)]
        data = "\n".join(";".join(f'"{cell}"' for cell in line) for line in lines).encode()
        job = stages.receive(kind="results", source=BytesIO(data), name="ketqua.csv", area=tree.province,
                             by=cast.admin, fields=KIND.fields, again=again)  # fmt: skip
        assert len(job.columns) == len(HEADINGS)
        layout = stages.files.Layout.from_json(job.layout)
        stages.confirm_columns(job, columns=job.columns, layout=layout, file_headings=job.headings, collected_on=None)
        return imports.check(job.pk)

    return upload


@pytest.fixture
def checked(upload):
    def checked(*rows, **options) -> Import:
        job = upload(*rows, **options)
        assert job.status == Status.CHECKED, (job.status, job.refusal)
        return job

    return checked


def loaded(job: Import, existing: str = "skip") -> Import:
    stages.confirm(job, existing=existing)
    job = imports.load(job.pk)
    assert job.status == Status.LOADED, job.status
    return job


def problems(job: Import) -> list[tuple[int, str, str]]:
    return list(job.problems.order_by("row", "pk").values_list("row", "column", "code"))


def sentences(job: Import, language: str = "en") -> list[str]:
    with translation.override(language):
        return [problem.sentence for problem in job.problems.order_by("row", "pk")]


def recorded_columns() -> list[list[dict]]:
    """Every row that results consist of, without what each recording makes for itself."""

    def rows(queryset, *order, without=()):
        own = {
            "id",
            "submission",
            "recorded_at",
            "verification_pass_id",
            "standing_pass_id",
            "supersedes_id",
            "waits_since",
            *without,
        }
        return [{k: v for k, v in row.items() if k not in own} for row in queryset.order_by(*order).values()]

    return [
        rows(VerificationPass.objects, "form_id", "is_standing", "pk"),
        rows(Correction.objects, "verification_pass__form_id", "field"),
        # who did it: at entry the officer, here the administrator who imports
        rows(PassEvent.objects, "verification_pass__form_id", "pk", without=("by_id", "at")),
        rows(RoundForm.objects, "form_id"),
    ]


@pytest.fixture
def every_outcome(round, homes, cast):
    """(rows of a file, the same typed by the officer) for one form of each outcome."""
    a, b, c, d = homes.four.forms.order_by("line")
    e, f = homes.two.forms.order_by("line")
    g, h, i = homes.three.forms.order_by("line")
    CollectionForm.objects.filter(pk=c.pk).update(religion="")
    officer = {"officer": "officer"}
    file = [
        said(a, **officer),
        corrected(b, note="theo giấy khai sinh", **officer),
        corrected(b, item="father_name", new="trần văn cha", source="so ho khau", fault="L19",
                  note="", **officer),
        corrected(c, outcome="b", item="Tôn giáo", new="Không", source="SHK", **officer),
        said(d, "Đã chết", event_on="1/5/2020", paper="trích lục hộ tịch", **officer),
        said(e, "moved_away", event_on="2020-05-01", destination="Thành phố Vinh", methods="Sổ sách", **officer),
        said(f, "Trùng phiếu", duplicate_barcode=e.barcode, methods="trực tiếp", **officer),
        said(g, "Thôi quốc tịch, định cư nước ngoài", **officer),
        said(h, "Absent, to be visited again", reason="đi làm ăn xa", next_visit_on="25/6/2020", **officer),
        said(i, "k", reason="không ai biết", attempts="3", verified_on="1/6/2020", **officer),
    ]  # fmt: skip

    def type_all():
        def fix(item, new, source, fault="", note=""):
            return CorrectionEntry(item, new, source, fault, note)

        by = cast.officer
        record(homes.four, by, only=[a.pk])
        record(
            homes.four,
            by,
            "corrected",
            only=[b.pk],
            corrections=(
                fix("birth_date", "12/3/1956", "birth_certificate", note="theo giấy khai sinh"),
                fix("father_name", "trần văn cha", "household_book", "L19"),
            ),
        )
        record(homes.four, by, "supplemented", only=[c.pk], corrections=(fix("religion", "Không", "household_book"),))
        record(homes.four, by, "deceased", only=[d.pk], event_on=date(2020, 5, 1), paper="civil_status_extract")
        record(
            homes.two,
            by,
            "moved_away",
            only=[e.pk],
            event_on=date(2020, 5, 1),
            destination="Thành phố Vinh",
            in_person=False,
        )
        record(homes.two, by, "duplicate", only=[f.pk], duplicate_barcode=e.barcode, by_books=False)
        record(homes.three, by, "emigrated", only=[g.pk])
        record(homes.three, by, "not_met", only=[h.pk], reason="đi làm ăn xa", next_visit_on=date(2020, 6, 25))
        record(homes.three, by, "unverifiable", only=[i.pk], reason="không ai biết", attempts=3,
               verified_on=date(2020, 6, 1))  # fmt: skip

    return file, type_all


class TestAsByHand:
    def undone(self):
        """Both ways begin from nothing; history has a guard, which a test may lift."""
        RoundForm.objects.update(
            outcome="", approval="", counted_on=None, next_visit_on=None, standing_pass=None, waits_since=None
        )
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")
            cursor.execute(
                "TRUNCATE verification_correction, verification_passevent, verification_proof, reports_deliveryline"
            )
            cursor.execute("ALTER TABLE verification_verificationpass DISABLE TRIGGER USER")
            cursor.execute("DELETE FROM verification_verificationpass")
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")
            cursor.execute("ALTER TABLE verification_verificationpass ENABLE TRIGGER USER")

    def test_every_outcome_makes_the_rows_that_entry_makes(self, checked, every_outcome):
        file, type_all = every_outcome
        type_all()
        by_hand = recorded_columns()
        self.undone()
        job = checked(*file)
        assert problems(job) == []
        assert job.changes == {"new_results": 9, "existing_results": 0, "decided_results": 0, "unchanged_results": 0,
                               "corrections": 3}  # fmt: skip
        loaded(job)
        assert recorded_columns() == by_hand

    def test_and_a_second_time_supersedes_as_entry_does(self, checked, every_outcome, homes, cast):
        file, type_all = every_outcome
        for household in (homes.four, homes.two, homes.three):
            record(household, cast.officer)
        type_all()
        by_hand = recorded_columns()
        self.undone()
        for household in (homes.four, homes.two, homes.three):
            record(household, cast.officer)
        job = loaded(checked(*file), existing="update")
        # the first of the household was recorded just so; entry would record it once more
        assert job.changes["unchanged_results"] == 1
        of_form = file[0]["barcode"]
        form_id = CollectionForm.objects.get(barcode=of_form).pk
        same = [[row for row in by_hand[0] if row["form_id"] != form_id], by_hand[1], by_hand[2][1:], by_hand[3]]
        here = recorded_columns()
        assert [[row for row in here[0] if row["form_id"] != form_id], *here[1:]] == same
        assert set(PassEvent.objects.values_list("by", "kind")) == {(cast.admin.pk, "superseded")}

    def test_the_pass_says_when_it_was_recorded_and_what_it_supersedes(self, checked, round, homes, cast, tree):
        before = record(homes.two, cast.officer).passes[0]
        RollupMark.objects.all().delete()
        job = loaded(checked(said(before.form, "emigrated")), existing="update")
        now = VerificationPass.objects.get(supersedes=before)
        assert now.officer == cast.admin, "no officer is named, so it is the importer's"
        assert now.recorded_at.astimezone(clock.now().tzinfo).date() == clock.today()
        assert now.is_standing
        before.refresh_from_db()
        assert not before.is_standing
        assert RoundForm.objects.get(form=before.form).standing_pass == now
        assert list(RollupMark.objects.values_list("round", "commune")) == [(round.pk, tree.huong_tra.pk)]
        assert job.changes["existing_results"] == 1

    def test_a_team_member_brings_her_team(self, checked, round, homes, cast):
        loaded(checked(said(homes.two.forms.first(), officer="member")))
        verification_pass = VerificationPass.objects.get()
        assert (verification_pass.officer, verification_pass.team) == (cast.member, cast.team)

    def test_approvals_are_those_the_round_asks_for(self, checked, round, homes):
        Round.objects.update(approval_outcomes=["corrected"])
        one, two = homes.two.forms.all()
        loaded(checked(corrected(one), said(two, "emigrated")))
        assert RoundForm.objects.get(form=one).approval == Approval.PENDING
        assert Correction.objects.get().approval == Approval.PENDING
        assert RoundForm.objects.get(form=two).approval == ""


class TestExisting:
    def test_a_standing_result_is_left(self, checked, round, homes, cast):
        form = record(homes.two, cast.officer).passes[0].form
        job = checked(said(form, "emigrated"), said(homes.four.forms.first()))
        assert (job.changes["new_results"], job.changes["existing_results"], job.refused) == (1, 1, 0)
        loaded(job)
        assert RoundForm.objects.get(form=form).outcome == "matched"
        assert VerificationPass.objects.count() == 3

    @pytest.mark.parametrize("decision", ["approved", "returned"])
    def test_what_the_district_decided_on_is_never_superseded(self, checked, round, homes, cast, decision):
        form = homes.two.forms.first()
        record(homes.two, cast.officer, "emigrated", only=[form.pk])
        decide([form.pk], cast.supervisor, decision, "xem lại")
        job = checked(said(form))
        assert job.changes["decided_results"] == 1
        loaded(job, existing="update")
        assert VerificationPass.objects.count() == 1

    def test_the_same_results_again_change_nothing(self, checked, every_outcome, round):
        file, _ = every_outcome
        loaded(checked(*file))
        job = checked(*file, again=True)
        assert (job.changes["existing_results"], job.changes["unchanged_results"]) == (9, 9)
        loaded(job, existing="update")
        assert VerificationPass.objects.count() == 9

    def test_another_correction_is_not_the_same_result(self, checked, round, homes):
        form = homes.two.forms.first()
        loaded(checked(corrected(form)))
        job = loaded(checked(corrected(form, new="13/3/1956")), existing="update")
        assert job.changes["unchanged_results"] == 0
        assert list(Correction.objects.order_by("pk").values_list("new", flat=True)) == ["12/03/1956", "13/03/1956"]

    def test_a_result_recorded_since_the_check_is_newer(self, checked, round, homes, cast):
        form = homes.two.forms.first()
        job = checked(said(form, "emigrated"), said(homes.four.forms.first()))
        record(homes.two, cast.officer)
        job = loaded(job, existing="update")
        assert RoundForm.objects.get(form=form).outcome == "matched"
        assert job.changes["left_out"] == 1
        assert VerificationPass.objects.count() == 3


class TestRefused:
    @pytest.mark.parametrize(
        ("cells", "field", "code"),
        [
            ({"barcode": ""}, "barcode", "missing"),
            ({"barcode": "1.83E+08"}, "barcode", "number_spoilt"),
            ({"barcode": "KHONGCO"}, "barcode", "form_unknown"),
            ({"outcome": ""}, "outcome", "missing"),
            ({"outcome": "tốt"}, "outcome", "outcome_unknown"),
            ({"verified_on": ""}, "verified_on", "missing"),
            ({"verified_on": "6/2020"}, "verified_on", "day_unreadable"),
            ({"verified_on": "hôm qua"}, "verified_on", "day_unreadable"),
            ({"verified_on": "31/6/2020"}, "verified_on", "no_such_day"),
            ({"verified_on": "20/6/2020"}, "verified_on", "not_recordable"),
            ({"verified_on": "31/12/2019"}, "verified_on", "not_recordable"),
            ({"methods": ""}, "methods", "not_recordable"),
            ({"methods": "qua điện thoại"}, "methods", "methods_unknown"),
            ({"officer": "khong.co"}, "officer", "officer_unknown"),
            ({"outcome": "chết", "event_on": "1/5/2020"}, "paper", "not_recordable"),
            ({"outcome": "chết", "paper": "khác"}, "event_on", "not_recordable"),
            ({"outcome": "chết", "paper": "tờ giấy", "event_on": "1/5/2020"}, "paper", "paper_unknown"),
            ({"outcome": "chết", "paper": "khác", "event_on": "1/5/1960"}, "event_on", "not_recordable"),
            ({"outcome": "chết", "paper": "khác", "event_on": "1/7/2020"}, "event_on", "not_recordable"),
            ({"outcome": "chuyển đi", "event_on": "1/5/2020"}, "destination", "not_recordable"),
            ({"outcome": "chuyển đi", "event_on": "1/5/2020", "destination": "V" * 201}, "destination", "too_long"),
            ({"outcome": "trùng"}, "duplicate_barcode", "not_recordable"),
            ({"outcome": "trùng", "duplicate_barcode": "KHONGCO"}, "duplicate_barcode", "other_form_unknown"),
            ({"outcome": "trùng", "duplicate_barcode": "{own}"}, "duplicate_barcode", "other_form_unknown"),
            ({"outcome": "vắng", "next_visit_on": "25/6/2020"}, "reason", "not_recordable"),
            ({"outcome": "vắng", "reason": "xa"}, "next_visit_on", "not_recordable"),
            ({"outcome": "vắng", "reason": "xa", "next_visit_on": "1/6/2020"}, "next_visit_on", "not_recordable"),
            ({"outcome": "k", "reason": "xa"}, "attempts", "not_recordable"),
            ({"outcome": "k", "reason": "xa", "attempts": "ba"}, "attempts", "attempts_unreadable"),
            ({"outcome": "k", "reason": "xa", "attempts": "100"}, "attempts", "not_recordable"),
            ({"outcome": "sai"}, "item", "not_recordable"),
            ({"item": "Ngày sinh", "new": "1956"}, "item", "not_recordable"),
            ({"outcome": "sai", "new": "1956"}, "item", "not_recordable"),
            ({"outcome": "sai", "item": "Chiều cao", "new": "1"}, "item", "item_unknown"),
            ({"outcome": "sai", "item": "Ngày sinh", "new": "1956"}, "source", "not_recordable"),
            ({"outcome": "sai", "item": "Ngày sinh", "source": "GKS"}, "new", "not_recordable"),
            ({"outcome": "sai", "item": "Ngày sinh", "source": "GKS", "new": "31/2/1956"}, "new", "not_recordable"),
            ({"outcome": "sai", "item": "Ngày sinh", "source": "GKS", "new": "17/5/1980"}, "new", "not_recordable"),
            ({"outcome": "sai", "item": "Ngày sinh", "source": "GKS", "new": "1956", "fault": "L99"}, "fault",
             "not_recordable"),
            ({"outcome": "thiếu", "item": "Ngày sinh", "source": "GKS", "new": "1956"}, "item", "not_recordable"),
        ],
    )  # fmt: skip
    def test_with_row_column_and_sentence(self, checked, round, homes, cells, field, code):
        good, own = homes.two.forms.all()
        cells = {name: cell.format(own=own.barcode) for name, cell in cells.items()}
        job = checked(said(good), said(own, **cells))
        assert problems(job) == [(3, HEADINGS[field], code)]
        assert (job.good, job.refused) == (1, 1)
        for language in ("vi", "en"):
            assert "%" not in sentences(job, language)[0]
        loaded(job)
        assert VerificationPass.objects.get().form == good

    def test_the_sentence_is_that_of_entry_in_the_readers_language(self, checked, round, homes):
        job = checked(said(homes.two.forms.first(), "trùng"))
        assert sentences(job, "en") == ["It cannot be recorded so. Give the barcode of the other form."]
        assert "Give the barcode" not in sentences(job, "vi")[0]

    def test_every_unreadable_cell_is_told(self, checked, round):
        job = checked(said("", "tốt", verified_on="x"))
        assert [code for _, _, code in problems(job)] == ["missing", "outcome_unknown", "day_unreadable"]

    def test_a_form_that_is_not_in_the_round(self, checked, round, homes):
        form = make_form(homes.two, line=3)
        assert problems(checked(said(form))) == [(2, HEADINGS["barcode"], "not_in_round")]

    def test_a_form_of_another_province_is_not_found_nor_its_officer(self, checked, round, homes, tree):
        province = make_unit(tree.country, "Nghệ An", Type.PROVINCE, Level.PROVINCE, code="40")
        commune = make_unit(make_unit(province, "Nam Đàn", Type.RURAL_DISTRICT, Level.DISTRICT), "Kim Liên",
                            Type.RURAL_COMMUNE, Level.COMMUNE)  # fmt: skip
        stranger = make_form(make_household(make_hamlet(commune)))
        make_officer("commune_officer", commune, "kim.lien")
        own, other = homes.two.forms.all()
        job = checked(said(stranger), said(own, officer="kim.lien"),
                      said(other, "t", duplicate_barcode=stranger.barcode))  # fmt: skip
        assert [code for _, _, code in problems(job)] == ["form_unknown", "officer_unknown", "other_form_unknown"]

    def test_one_of_two_that_repeat_each_other_must_remain(self, checked, round, homes, cast):
        a, b, c, d = homes.four.forms.order_by("line")
        record(homes.four, cast.officer, "emigrated", only=[d.pk])
        job = checked(said(a, "t", duplicate_barcode=b.barcode), said(b, "t", duplicate_barcode=a.barcode),
                      said(c, "t", duplicate_barcode=d.barcode))  # fmt: skip
        assert [(row, code) for row, _, code in problems(job)] == [
            (2, "other_form_removed_in_file"), (3, "other_form_removed_in_file"), (4, "other_form_removed")]  # fmt: skip
        assert "Row 3" in sentences(job)[0]

    def test_two_results_for_one_form(self, checked, round, homes):
        one, two = homes.two.forms.all()
        other = homes.four.forms.first()
        job = checked(said(one), said(one, "emigrated"), said(two), said(other), said(two))
        assert [(row, code, values) for row, code, values in job.problems.values_list("row", "code", "values")] == [
            (2, "result_contradicted", {"row": 3}), (3, "result_contradicted", {"row": 2}),
            (6, "barcode_twice", {"row": 4})]  # fmt: skip
        loaded(job)
        assert set(VerificationPass.objects.values_list("form", flat=True)) == {two.pk, other.pk}

    def test_the_corrections_of_a_form_come_all_or_none(self, checked, round, homes):
        one, two = homes.two.forms.all()
        job = checked(corrected(one), corrected(one, item="Họ tên cha", new="X2"),
                      corrected(two), corrected(two, item="Họ tên cha", new="TRẦN VĂN CHA", source="tờ giấy"))  # fmt: skip
        assert [(row, code) for row, _, code in problems(job)] == [
            (2, "result_incomplete"), (3, "not_recordable"), (4, "result_incomplete"), (5, "paper_unknown")]  # fmt: skip
        assert (job.good, job.refused) == (0, 4)

    def test_one_item_corrected_twice(self, checked, round, homes):
        form = homes.two.forms.first()
        job = checked(corrected(form), corrected(form, new="1957"))
        assert [code for _, _, code in problems(job)] == ["not_recordable"] * 2

    @pytest.mark.parametrize("status", ["planned", "closed"])
    def test_without_an_open_round_the_file_is_refused(self, upload, homes, tree, cast, status):
        round = open_round(tree.province, cast.pc06)
        Round.objects.filter(pk=round.pk).update(
            status=status, opened_at=None if status == "planned" else round.opened_at
        )
        job = upload(said(homes.two.forms.first()))
        assert (job.status, job.refusal) == (Status.REFUSED, "no_open_round")


class TestDoubtful:
    def test_what_a_result_does_not_ask_for_is_not_taken_over(self, checked, round, homes):
        job = checked(said(homes.two.forms.first(), "Đúng", reason="ở nhà", attempts="2"))
        assert (job.good, job.doubtful, job.refused) == (0, 1, 0)
        assert problems(job) == [(2, HEADINGS["reason"], "not_asked"), (2, HEADINGS["attempts"], "not_asked")]
        loaded(job)
        assert (VerificationPass.objects.get().reason, VerificationPass.objects.get().attempts) == ("", None)

    def test_an_officer_of_another_commune(self, checked, round, homes, cast):
        job = checked(said(homes.two.forms.first(), officer="STRANGER"), said(homes.two.forms.last()))
        assert (job.good, job.doubtful, job.refused) == (1, 1, 0)
        assert problems(job) == [(2, HEADINGS["officer"], "officer_elsewhere")]
        assert job.problems.get().value == "stranger"
        loaded(job)
        assert set(VerificationPass.objects.values_list("officer", flat=True)) == {cast.stranger.pk, cast.admin.pk}


class TestStages:
    def test_loaded_twice_counts_once(self, checked, round, homes):
        job = loaded(checked(said(homes.two.forms.first())))
        assert imports.load(job.pk).status == Status.LOADED
        with pytest.raises(stages.WrongState):
            stages.confirm(job, existing="update")
        assert VerificationPass.objects.count() == 1
        with pytest.raises(FileRefused, match="same_file"):
            checked(said(homes.two.forms.first()))

    def test_broken_off_in_the_middle_nothing_is_recorded(self, checked, every_outcome, round):
        file, _ = every_outcome
        job = checked(*file)
        stages.confirm(job, existing="skip")

        def breaks(job, communes):
            raise RuntimeError("the last step")

        assert stages.load(job.pk, KIND, breaks).status == Status.FAILED
        assert not VerificationPass.objects.exists()
        assert not Correction.objects.exists()
        assert not RoundForm.objects.exclude(outcome="").exists()
        loaded(imports.check(stages.check_again(job).pk))
        assert VerificationPass.objects.count() == 9

    def test_closed_between_check_and_load_nothing_is_recorded(self, checked, round, homes):
        job = checked(said(homes.two.forms.first()))
        stages.confirm(job, existing="skip")
        Round.objects.update(status="closed")
        job = imports.load(job.pk)
        assert (job.status, job.refusal) == (Status.REFUSED, "no_open_round")
        assert not VerificationPass.objects.exists()

    def test_cancelled_nothing_is_left(self, checked, round, homes):
        imports.cancel(checked(said(homes.two.forms.first())))
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_class WHERE relname LIKE 'staged_import%%'")
            assert cursor.fetchone() == (0,)


class TestWords:
    @pytest.mark.parametrize("language", ["vi", "en"])
    def test_what_the_program_shows_is_read_back(self, language):
        with translation.override(language):
            labels = {str(outcome.label): outcome for outcome in Outcome}
            methods = {str(label): value for value, label in Methods.CHOICES}
            items = {str(item.label): item.name for item in ITEMS.values()}
        for words, shown in ((outcome_words(), labels), (Words(Methods.CHOICES, METHOD_WORDS), methods),
                             (item_words(), items)):  # fmt: skip
            for label, value in shown.items():
                assert words.find(label, "", "") == value
                assert words.find(f"  {label.upper()} ", "", "") == value

    @given(st.sampled_from(Outcome))
    def test_an_outcome_by_its_code_and_its_key(self, outcome):
        assert outcome_words().find(outcome.value, "", "") == outcome
        assert outcome_words().find(OUTCOME_KEYS[outcome], "", "") == outcome

    @given(st.text(max_size=30))
    def test_no_other_word_is_taken_for_one(self, word):
        with suppress(CellRefused):
            assert outcome_words().find(word, "outcome_unknown", "outcomes") in Outcome.values

    @given(st.lists(st.sampled_from(["", "Đúng", "chết", "v", "sai", "19/6/2020", "cả hai", "SHK", "L02", "7"])
                    | st.text(max_size=20), min_size=len(HEADINGS), max_size=len(HEADINGS)))  # fmt: skip
    def test_any_cells_are_read_or_refused(self, cells):
        told = []
        round = Round(starts_on=date(2020, 1, 1), ends_on=date(2020, 6, 30))
        rows = ResultRows(columns={name: at for at, name in enumerate(HEADINGS)}, round=round, officers={"a": 1},
                          importer=1, today=date(2020, 6, 19), tell=lambda *a, is_refusal: told.append(is_refusal))  # fmt: skip
        line = rows.read(2, cells)
        rows.close()
        assert (line is None) == (True in told)
        if line:
            assert line.count("\t") == 19
