"""Results of a scan batch from a file: what is refused, what it changes, what enters the round."""

from contextlib import suppress
from datetime import date
from io import BytesIO

import pytest
from django.db import connection
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from households.imports import stages
from households.imports.problems import CellRefused
from households.models import CollectionForm, Import
from households.tests.factories import Level, Type, make_form, make_hamlet, make_household, make_unit
from verification import imports, rounds
from verification.models import Plan, RollupMark, Round, RoundForm
from verification.scan_import import ScanKind, ScanRows
from verification.tests.factories import open_round, record

KIND = ScanKind()
HEAD = ["Mã vạch", "Kết quả quét", "Lý do không đạt", "Đợt quét"]
Status = Import.Status


@pytest.fixture(autouse=True)
def _import_folder(settings, tmp_path):
    settings.IMPORT_DIR = tmp_path


@pytest.fixture
def checked(tree, cast):
    def checked(*rows: tuple, again: bool = False, head=HEAD) -> Import:
        lines = [head, *([*row, *[""] * (len(head) - len(row))] for row in rows)]
        data = "\n".join(";".join(f'"{cell}"' for cell in line) for line in lines).encode()
        job = stages.receive(kind="scans", source=BytesIO(data), name="dot1.csv", area=tree.province, by=cast.admin,
                             fields=KIND.fields, again=again)  # fmt: skip
        layout = stages.files.Layout.from_json(job.layout)
        stages.confirm_columns(job, columns=job.columns, layout=layout, file_headings=job.headings, collected_on=None)
        job = imports.check(job.pk)
        assert job.status == Status.CHECKED, (job.status, job.refusal)
        return job

    return checked


def loaded(job: Import) -> Import:
    stages.confirm(job, existing="skip")
    job = imports.load(job.pk)
    assert job.status == Status.LOADED
    return job


def problems(job: Import) -> list[tuple[int, str, str]]:
    return list(job.problems.order_by("row", "pk").values_list("row", "column", "code"))


def scan_of(form: CollectionForm) -> tuple[str, str, str]:
    form.refresh_from_db()
    return form.qualification, form.refusal_reason, form.batch


@pytest.fixture
def unscanned(homes):
    """The three of a household of Hương Trà, collected and not yet scanned; in the round's plan, not in its scope."""
    homes.three.forms.update(qualification="collected")
    return list(homes.three.forms.order_by("line"))


@pytest.fixture
def round(unscanned, cast, tree):
    return open_round(tree.province, cast.pc06)


class TestScan:
    def test_good_and_refused_forms(self, checked, unscanned, tree):
        good, torn, unsigned = unscanned
        job = checked((good.barcode, "Đạt", "", "Đợt 1"), (torn.barcode, "không đạt", "mờ, rách, không quét được"),
                      (unsigned.barcode, "0", "no_signature", "Đợt 1"))  # fmt: skip
        assert (job.rows, job.good, job.doubtful, job.refused) == (3, 3, 0, 0)
        assert job.changes == {"forms_qualified": 1, "forms_refused": 2, "forms_unchanged": 0, "forms_into_round": 0}
        assert scan_of(good) == ("collected", "", "")
        loaded(job)
        assert [scan_of(form) for form in unscanned] == [
            ("qualified", "", "Đợt 1"), ("refused", "unreadable", ""), ("refused", "no_signature", "Đợt 1")]  # fmt: skip

    def test_what_says_nothing_new_is_counted_and_left(self, checked, homes, round):
        form = homes.two.forms.first()
        RollupMark.objects.all().delete()
        job = checked((form.barcode, "đạt"))
        assert (job.changes["forms_unchanged"], job.changes["forms_qualified"], job.refused) == (1, 0, 0)
        loaded(job)
        assert not RollupMark.objects.exists()

    def test_the_communes_are_counted_anew(self, checked, unscanned, round, tree):
        RollupMark.objects.all().delete()
        loaded(checked((unscanned[0].barcode, "đạt")))
        assert list(RollupMark.objects.values_list("round", "commune")) == [(round.pk, tree.huong_tra.pk)]

    def test_the_same_file_again_changes_nothing(self, checked, unscanned, round):
        row = (unscanned[0].barcode, "đạt")
        loaded(checked(row))
        job = loaded(checked(row, again=True))
        assert job.changes["forms_unchanged"] == 1
        assert RoundForm.objects.filter(form=unscanned[0]).count() == 1

    def test_without_a_column_the_batch_stays(self, checked, unscanned):
        CollectionForm.objects.filter(pk=unscanned[0].pk).update(batch="Đợt 0")
        loaded(checked((unscanned[0].barcode, "đạt"), head=HEAD[:2]))
        assert scan_of(unscanned[0]) == ("qualified", "", "Đợt 0")


class TestIntoTheRound:
    def test_what_was_refused_and_collected_again_can_be_verified(self, checked, unscanned, round, cast, homes, tree):
        first = unscanned[0]
        CollectionForm.objects.filter(pk=first.pk).update(qualification="refused", refusal_reason="unreadable")
        assert not RoundForm.objects.filter(form=first).exists()
        plan = Plan.objects.get(round=round, commune=tree.huong_tra).forms
        job = checked((first.barcode, "đạt"))
        assert job.changes["forms_into_round"] == 1
        loaded(job)
        row = RoundForm.objects.get(form=first)
        assert (row.round, row.province, row.commune, row.hamlet, row.household, row.outcome, row.approval) == (
            round, tree.province, tree.huong_tra, tree.tay, homes.three, "", "")  # fmt: skip
        assert Plan.objects.get(round=round, commune=tree.huong_tra).forms == plan, "frozen"
        record(homes.three, cast.officer, only=[first.pk])

    def test_a_form_collected_later_stays_out(self, checked, unscanned, round):
        CollectionForm.objects.filter(pk=unscanned[0].pk).update(collected_on=date(2019, 1, 1))
        job = loaded(checked((unscanned[0].barcode, "đạt")))
        assert job.changes["forms_into_round"] == 0
        assert scan_of(unscanned[0])[0] == "qualified"
        assert not RoundForm.objects.filter(form=unscanned[0]).exists()

    def test_nothing_passes_the_plan(self, checked, homes, round, cast, tree):
        """Three of the plan are not scanned yet; a fourth form, which came later, waits for the plan to be adjusted."""
        late = [make_form(homes.four, line=line, qualification="collected") for line in (5, 6, 7, 8)]
        rows = [(form.barcode, "đạt") for form in late]
        job = checked(*rows)
        assert problems(job) == [(5, "Mã vạch", "round_is_full")]
        assert "Hương Trà" in job.problems.get().sentence
        plan = Plan.objects.get(round=round, commune=tree.huong_tra)
        rounds.adjust_plan(plan=plan, forms=1, reason="bổ sung", by=cast.pc06)
        job = checked(*rows, again=True)
        assert job.refused == 0
        loaded(job)
        assert RoundForm.objects.filter(commune=tree.huong_tra).count() == plan.forms + 1

    def test_a_closed_round_takes_nothing_in(self, checked, unscanned, round):
        Round.objects.update(status="closed")
        loaded(checked((unscanned[0].barcode, "đạt")))
        assert not RoundForm.objects.filter(form=unscanned[0]).exists()


class TestRefused:
    @pytest.mark.parametrize(
        ("row", "column", "code"),
        [
            (("", "đạt"), "Mã vạch", "missing"),
            (("1.83E+08", "đạt"), "Mã vạch", "number_spoilt"),
            (("X" * 21, "đạt"), "Mã vạch", "too_long"),
            (("{}", ""), "Kết quả quét", "missing"),
            (("{}", "tạm được"), "Kết quả quét", "scan_result_unknown"),
            (("{}", "không đạt"), "Lý do không đạt", "scan_reason_missing"),
            (("{}", "không đạt", "bẩn"), "Lý do không đạt", "scan_reason_unknown"),
            (("{}", "đạt", "mờ"), "Lý do không đạt", "scan_reason_of_good"),
            (("{}", "đạt", "", "Đ" * 21), "Đợt quét", "too_long"),
            (("KHONGCO", "đạt"), "Mã vạch", "form_unknown"),
        ],
    )
    def test_with_row_column_and_sentence(self, checked, unscanned, row, column, code):
        good, other, _ = unscanned
        job = checked((good.barcode, "đạt"), tuple(cell.format(other.barcode) for cell in row))
        assert problems(job) == [(3, column, code)]
        assert (job.good, job.refused) == (1, 1)
        for language in ("vi", "en"):
            with translation.override(language):
                assert "%" not in job.problems.get().sentence
        loaded(job)
        assert scan_of(other)[0] == "collected"

    def test_the_reasons_there_are_stand_in_the_sentence(self, checked, unscanned):
        job = checked((unscanned[0].barcode, "0", "bẩn"))
        with translation.override("vi"):
            assert "thiếu chữ ký, dấu" in job.problems.get().sentence
        with translation.override("en"):
            assert "signature or seal missing" in job.problems.get().sentence

    def test_every_bad_cell_of_a_row_is_told(self, checked):
        assert [code for _, _, code in problems(checked(("", "vậy")))] == ["missing", "scan_result_unknown"]

    def test_the_second_of_two_equal_barcodes(self, checked, unscanned):
        first, second, _ = unscanned
        job = checked((first.barcode, "đạt"), (second.barcode, "đạt"), (first.barcode, "0", "mờ"))
        assert problems(job) == [(4, "Mã vạch", "barcode_twice")]
        assert job.problems.get().values == {"row": 2}
        loaded(job)
        assert scan_of(first)[0] == "qualified"

    def test_a_form_of_another_province_is_not_found(self, checked, tree):
        province = make_unit(tree.country, "Nghệ An", Type.PROVINCE, Level.PROVINCE, code="40")
        district = make_unit(province, "Nam Đàn", Type.RURAL_DISTRICT, Level.DISTRICT)
        commune = make_unit(district, "Kim Liên", Type.RURAL_COMMUNE, Level.COMMUNE)
        form = make_form(make_household(make_hamlet(commune)), qualification="collected")
        job = checked((form.barcode, "đạt"))
        assert problems(job) == [(2, "Mã vạch", "form_unknown")]

    def test_a_form_in_the_open_round_is_not_refused_any_more(self, checked, homes, round):
        form = homes.two.forms.first()
        job = checked((form.barcode, "không đạt", "mờ"))
        assert problems(job) == [(2, "Mã vạch", "refused_in_round")]
        assert round.name in job.problems.get().sentence

    def test_a_form_with_a_result_is_not_refused_any_more(self, checked, homes, round, cast):
        record(homes.two, cast.officer)
        Round.objects.update(status="closed")
        with_result, without = homes.two.forms.first(), homes.four.forms.first()
        job = checked((with_result.barcode, "0", "mờ"), (without.barcode, "0", "mờ"))
        assert problems(job) == [(2, "Mã vạch", "refused_with_result")]
        loaded(job)
        assert (scan_of(with_result)[0], scan_of(without)[0]) == ("qualified", "refused")


class TestStages:
    def test_what_changed_since_the_check_is_left_as_it_is(self, checked, homes, unscanned, round):
        form = unscanned[0]
        job = checked((form.barcode, "0", "mờ"), (unscanned[1].barcode, "đạt"))
        # meanwhile another batch put it into the round
        loaded(checked((form.barcode, "đạt")))
        job = loaded(job)
        assert scan_of(form)[0] == "qualified"
        assert job.changes["left_out"] == 1
        assert scan_of(unscanned[1])[0] == "qualified"

    def test_broken_off_in_the_middle_nothing_has_changed(self, checked, unscanned, round, monkeypatch):
        job = checked((unscanned[0].barcode, "đạt"))
        stages.confirm(job, existing="skip")

        def breaks(job, communes):
            raise RuntimeError("the last step")

        assert stages.load(job.pk, KIND, breaks).status == Status.FAILED
        assert scan_of(unscanned[0])[0] == "collected"
        assert not RoundForm.objects.filter(form=unscanned[0]).exists()
        loaded(imports.check(stages.check_again(job).pk))
        assert scan_of(unscanned[0])[0] == "qualified"

    def test_cancelled_nothing_is_left(self, checked, unscanned):
        job = imports.cancel(checked((unscanned[0].barcode, "đạt")))
        assert job.status == Status.CANCELLED
        with connection.cursor() as cursor:
            cursor.execute("SELECT to_regclass(%s)", [job.staging_table])
            assert cursor.fetchone() == (None,)
        with pytest.raises(stages.WrongState):
            stages.confirm(job, existing="skip")


@given(st.lists(st.text(max_size=30), min_size=4, max_size=4))
def test_any_cells_are_read_or_refused(cells):
    told = []
    rows = ScanRows(columns={"barcode": 0, "result": 1, "reason": 2, "batch": 3}, tell=lambda *a, **k: told.append(a))
    line = rows.read(2, cells)
    assert (line is None) == bool(told)
    if line:
        assert line.count("\t") == 5


@given(st.sampled_from(["đạt", "không đạt"]), st.text(max_size=10))
def test_a_reason_goes_with_a_refusal_and_only_with_one(result, reason):
    rows = ScanRows(columns={"barcode": 0, "result": 1, "reason": 2}, tell=lambda *a, **k: None)
    with suppress(CellRefused):
        qualification, code, _batch = rows._read_result((result, reason, "")).split("\t")
        assert (qualification == "refused") == bool(code)
