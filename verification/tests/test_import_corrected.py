"""A list loaded after corrections: what is in force stays, is told, and brings nobody in twice."""

from io import BytesIO

import pytest
from django.utils import translation

from households.imports import stages
from households.models import CollectionForm, Import
from verification import imports, items, services
from verification.models import Round, VerificationPass
from verification.rules import CorrectionEntry
from verification.tests.factories import decide, record
from verification.tests.test_import_pages import HEAD, csv_of, row

RIGHT = {"full_name": "NGUYỄN VĂN THẬT", "birth_date": "12/03/1956", "sex": "2", "marital_status": "3"}


@pytest.fixture(autouse=True)
def _own_folder(settings, tmp_path):
    settings.IMPORT_DIR = tmp_path / "imports"


@pytest.fixture
def checked(tree, cast):
    """An import of these rows, checked. Its columns are HEAD and marital status."""

    def checked(*rows: dict) -> Import:
        head = [*HEAD, "Tình trạng hôn nhân"]
        kind = imports.KINDS[Import.Kind.FORMS]
        job = stages.receive(
            kind="forms", source=BytesIO(csv_of(*rows, head=head)), name="phieu.csv", area=tree.province, by=cast.admin,
            fields=kind.fields, again=True,
        )  # fmt: skip
        layout = stages.files.Layout.from_json(job.layout)
        stages.confirm_columns(job, columns=job.columns, layout=layout, file_headings=job.headings, collected_on=None)
        job = imports.check(job.pk)
        assert job.status == Import.Status.CHECKED, (job.status, job.refusal)
        return job

    return checked


def loaded(job: Import) -> Import:
    stages.confirm(job, existing=Import.Existing.UPDATE)
    job = imports.load(job.pk)
    assert job.status == Import.Status.LOADED
    return job


def collected(form: CollectionForm, **cells) -> dict:
    """The form as an old list has it."""
    said = {"Mã vạch": form.barcode, "Họ và tên": form.full_name, "Ngày sinh": form.birth_date_text,
            "Giới tính": "Nam" if form.sex == 1 else "Nữ", "Tình trạng hôn nhân": "chưa kết hôn"}  # fmt: skip
    return row(1, **said | cells)


@pytest.fixture
def form(round, homes) -> CollectionForm:
    form = homes.four.forms.order_by("line").first()
    CollectionForm.objects.filter(pk=form.pk).update(marital_status=1)
    return CollectionForm.objects.get(pk=form.pk)


@pytest.fixture
def correct(form, homes, cast):
    def correct(**right):
        entries = tuple(CorrectionEntry(field=name, new=new, source="birth_certificate") for name, new in right.items())
        return record(homes.four, cast.officer, "corrected", only=[form.pk], corrections=entries)

    return correct


def told(job: Import) -> set[tuple[str, str, str]]:
    return {(problem.column, problem.value, problem.sentence) for problem in job.problems.filter(is_refusal=False)}


@pytest.mark.parametrize("asks_approval", [True, False])
def test_what_is_in_force_stays_and_the_row_says_so(checked, form, correct, cast, asks_approval):
    if not asks_approval:
        Round.objects.update(approval_outcomes=[])
    old = collected(form)
    correct(**RIGHT)
    if asks_approval:
        decide([form.pk], cast.supervisor)
    job = checked(old)
    stays = "có hiệu lực từ ngày 19/6/2020; giữ giá trị này, không lấy theo tệp."
    assert told(job) == {
        ("Họ và tên", "NGUYỄN VĂN THỬ", f"Đã được duyệt sửa thành “NGUYỄN VĂN THẬT”, {stays}"),
        ("Ngày sinh", "17/05/1980", f"Đã được duyệt sửa thành “12/03/1956”, {stays}"),
        ("Giới tính", "nam", f"Đã được duyệt sửa thành “nữ”, {stays}"),
        ("Tình trạng hôn nhân", "chưa kết hôn", f"Đã được duyệt sửa thành “ly hôn hoặc góa”, {stays}"),
    }
    with translation.override("en"):
        assert any("“female”, in force since 19/6/2020" in sentence for _, _, sentence in told(job))
    assert (job.good, job.doubtful, job.changes["kept_forms"]) == (0, 1, 1)
    loaded(job)
    form.refresh_from_db()
    assert {name: items.value_of(form, name) for name in RIGHT} == RIGHT


def test_a_list_that_agrees_is_good(checked, form, correct, cast):
    correct(**RIGHT)
    decide([form.pk], cast.supervisor)
    form.refresh_from_db()
    job = checked(collected(form, **{"Tình trạng hôn nhân": "ly hôn"}))
    assert (job.good, job.doubtful) == (1, 0)
    blank = checked(collected(form, **{"Tình trạng hôn nhân": ""}))
    assert blank.doubtful == 0, "an empty cell contradicts nothing"


@pytest.mark.parametrize("what", ["waits", "was returned", "was undone"])
def test_what_is_not_in_force_is_not_told(checked, form, correct, cast, what):
    if what == "was undone":
        Round.objects.update(approval_outcomes=[])
    old = collected(form)
    recorded = correct(**RIGHT)
    if what == "was returned":
        decide([form.pk], cast.supervisor, "returned", "không rõ")
    if what == "was undone":
        services.undo_submission(submission=recorded.passes[0].submission, by=cast.officer)
    assert told(checked(old)) == set()


def test_of_a_chain_the_last_value_is_told(checked, form, correct, cast, homes):
    old = collected(form)
    for name in ("NGUYỄN VĂN GẦN ĐÚNG", "NGUYỄN VĂN THẬT"):
        correct(full_name=name)
        decide([form.pk], cast.supervisor)
    assert VerificationPass.objects.filter(form=form).count() == 2
    assert [sentence.split("”")[0] for _, _, sentence in told(checked(old))] == [
        "Đã được duyệt sửa thành “NGUYỄN VĂN THẬT"
    ]


@pytest.mark.parametrize("corrected", [["full_name"], ["birth_date"], ["sex"], list(RIGHT)])
def test_without_a_barcode_the_corrected_person_is_known_again(checked, form, correct, cast, corrected):
    old = collected(form, **{"Mã vạch": "", "Ngày sinh": "17/5/1980"})
    CollectionForm.objects.exclude(pk=form.pk).update(birth_year=1990)  # else they would be the person of the row
    correct(**{name: RIGHT[name] for name in corrected})
    decide([form.pk], cast.supervisor)
    before = CollectionForm.objects.count()
    job = checked(old, collected(form, **{"Mã vạch": "", "Ngày sinh": "18/5/1980"}))
    assert (job.changes["existing_forms"], job.changes["new_forms"]) == (1, 1)
    loaded(job)
    assert CollectionForm.objects.count() == before + 1, "the other row is somebody else"
    form.refresh_from_db()
    assert all(items.value_of(form, name) == RIGHT[name] for name in corrected)


def test_the_person_as_she_stands_comes_before_one_as_she_was(checked, form, correct, cast, homes):
    """Somebody else has by now the very name that was corrected."""
    correct(full_name="NGUYỄN VĂN THẬT")
    decide([form.pk], cast.supervisor)
    CollectionForm.objects.exclude(pk=form.pk).update(birth_year=1990)
    other = homes.four.forms.order_by("line")[1]
    CollectionForm.objects.filter(pk=other.pk).update(birth_year=1980, birth_month=5, birth_day=17, sex=form.sex)
    job = checked(collected(form, **{"Mã vạch": ""}))
    assert job.changes["existing_forms"] == 1
    assert told(job) == {("Mã vạch", "", next(s for _, _, s in told(job) if "mã vạch" in s.lower()))}
