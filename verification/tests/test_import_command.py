"""`import_forms`: the same stages without pages, and an exit code for whoever runs it in a script."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import translation

from households.models import AdministrativeUnit, CollectionForm, Import
from households.tests.factories import make_officer
from verification.tests.test_import_pages import HEAD, csv_of, row


@pytest.fixture(autouse=True)
def _own_folder(settings, tmp_path):
    settings.IMPORT_DIR = tmp_path / "imports"


@pytest.fixture
def run(cast, tmp_path):
    """(exit code, what was said) of the command on a file of these bytes."""

    def run(data: bytes, *options: str, name="phieu.csv"):
        file = tmp_path / name
        file.write_bytes(data)
        out, err = StringIO(), StringIO()
        try:
            with translation.override("en"):
                call_command("import_forms", str(file), *options, stdout=out, stderr=err)
            code = 0
        except SystemExit as ended:
            code = ended.code
        except CommandError as refused:
            code = refused.returncode
            err.write(str(refused))
        return code, out.getvalue() + err.getvalue()

    return run


def test_a_good_file_is_loaded(run, cast):
    code, said = run(csv_of(row(1), row(2)))
    assert (code, CollectionForm.objects.count()) == (0, 2)
    assert "2 rows good" in said
    job = Import.objects.get()
    assert (job.status, job.by) == (Import.Status.LOADED, cast.admin)


def test_the_same_file_twice(run):
    data = csv_of(row(1))
    assert run(data)[0] == 0
    code, said = run(data)
    assert code == 1
    assert "very file" in said
    assert run(data, "--again")[0] == 0
    assert CollectionForm.objects.count() == 1


def test_with_refused_rows_nothing_is_loaded_unless_said(run, tmp_path):
    data = csv_of(row(1), row(2, **{"Giới tính": "Nm"}))
    errors = tmp_path / "errors.csv"
    code, said = run(data, "--errors", str(errors))
    assert (code, CollectionForm.objects.count()) == (2, 0)
    assert "row 3" in said
    assert "Nm" in said
    assert "Lỗi" in errors.read_text("utf-8-sig")
    assert Import.objects.get().status == Import.Status.CANCELLED
    assert run(data, "--yes")[0] == 0
    assert CollectionForm.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_trial_loads_nothing_and_leaves_nothing(run, settings):
    code, said = run(csv_of(row(1)), "--dry-run")
    assert (code, CollectionForm.objects.count()) == (0, 0)
    assert "New forms: 1" in said
    assert list(settings.IMPORT_DIR.iterdir()) == []
    assert run(csv_of(row(1)))[0] == 0


def test_forms_already_there(run):
    run(csv_of(row(1)))
    changed = csv_of(row(1, **{"Họ và tên": "TRẦN VĂN THỬ"}))
    assert run(changed, "--existing", "skip")[0] == 0
    assert CollectionForm.objects.get().full_name == "NGUYỄN VĂN THỬ"
    assert run(changed, "--existing", "update", "--again")[0] == 0
    assert CollectionForm.objects.get().full_name == "TRẦN VĂN THỬ"


def test_a_day_for_rows_without_one(run):
    data = csv_of(row(1), head=[name for name in HEAD if name != "Ngày thu thập"])
    assert run(data)[0] == 2
    assert run(data, "--collected-on", "2018-09-15")[0] == 0
    assert str(CollectionForm.objects.get().collected_on) == "2018-09-15"


@pytest.mark.parametrize(
    ("data", "said"),
    [(b"", "empty"), (b"%PDF-1.4", "PDF"), (csv_of(row(1), head=HEAD[:5]), "No column is taken for")],
)
def test_a_file_that_is_none(run, data, said):
    code, sentence = run(data)
    assert code == 1
    assert said in sentence
    assert Import.objects.get().status in (Import.Status.REFUSED, Import.Status.CANCELLED)


def test_old_letters_are_converted_only_when_said(run):
    head = ["Ma vach", "Ngay thu thap", "Xa", "Thon", "So so ho khau", "Ho va ten", "Ngay sinh", "Gioi tinh"]
    cells = ["", "15/9/2018", "x· H­¬ng Trµ", "th«n §«ng", "350000001", "NguyÔn V¨n An", "17/5/1980", "Nam"]
    data = csv_of(*(dict(zip(head, [f"T{n}", *cells[1:]], strict=True)) for n in range(7)), head=head)
    code, said = run(data)
    assert code == 1
    assert "Nguyễn Văn An" in said
    assert run(data, "--encoding", "tcvn3")[0] == 0
    assert set(CollectionForm.objects.values_list("full_name", flat=True)) == {"NGUYỄN VĂN AN"}


def test_only_an_administrator(run, cast, tree):
    for name in ("officer", "pc06", "nobody"):
        assert run(csv_of(row(1)), "--user", name)[0] == 1
    make_officer("administrator", tree.province, "second")
    assert run(csv_of(row(1)))[0] == 1
    assert run(csv_of(row(1)), "--user", "second", "--province", "99")[0] == 1
    assert not Import.objects.exists()
    assert run(csv_of(row(1)), "--user", "second", "--province", tree.province.code)[0] == 0
    assert AdministrativeUnit.objects.get(pk=Import.objects.get().area_id) == tree.province


def test_a_file_that_is_not_there(cast):
    with pytest.raises(CommandError) as refused:
        call_command("import_forms", "/nowhere/x.csv")
    assert refused.value.returncode == 1


def test_a_worker_that_was_quicker_is_waited_for(run, monkeypatch):
    from verification import imports

    check, calls = imports.check, []

    def busy_at_first(import_id):
        calls.append(import_id)
        return None if len(calls) == 1 else check(import_id)

    monkeypatch.setattr(imports, "check", busy_at_first)
    assert run(csv_of(row(1)))[0] == 0
    assert len(calls) == 2
