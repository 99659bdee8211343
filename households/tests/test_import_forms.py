"""Collection forms from a file, all the way: what is read, refused, compared, loaded."""

from contextlib import suppress
from datetime import date
from io import BytesIO

import pytest
from django.db import connection, transaction
from hypothesis import given
from hypothesis import strategies as st

from households import text
from households.imports import form_rows, stages
from households.imports.form_load import FormKind
from households.imports.problems import CellRefused, FileRefused
from households.models import AdministrativeUnit, CollectionForm, Household, Import, ImportProblem
from households.tests.factories import make_form

pytestmark = pytest.mark.django_db

KIND = FormKind(keeps="f.batch = 'kept'")
HEAD = ["Mã vạch", "Ngày thu thập", "Xã/phường/thị trấn", "Thôn, tổ dân phố", "Số sổ hộ khẩu", "Họ và tên",
        "Ngày sinh", "Giới tính", "Quan hệ với chủ hộ", "Họ tên chủ hộ"]  # fmt: skip


def person(number: int, **cells) -> dict[str, str]:
    return {
        "Mã vạch": f"T{number:09d}",
        "Ngày thu thập": "15/9/2018",
        "Xã/phường/thị trấn": "xã Hương Trà",
        "Thôn, tổ dân phố": "thôn Đông",
        "Số sổ hộ khẩu": "350000001",
        "Họ và tên": "NGUYỄN VĂN THỬ",
        "Ngày sinh": "17/5/1980",
        "Giới tính": "Nam",
        "Quan hệ với chủ hộ": "Chủ hộ" if number == 1 else "Con",
        "Họ tên chủ hộ": "NGUYỄN VĂN THỬ",
    } | cells


def csv_of(*rows: dict[str, str], head=HEAD) -> bytes:
    lines = [head, *([row.get(name, "") for name in head] for row in rows)]
    return "\n".join(";".join(f'"{cell}"' for cell in line) for line in lines).encode("utf-8-sig")


@pytest.fixture(autouse=True)
def _import_folder(settings, tmp_path):
    settings.IMPORT_DIR = tmp_path


@pytest.fixture
def upload(tree, cast):
    def upload(*rows: dict[str, str], head=HEAD, **options) -> Import:
        data = rows[0] if rows and isinstance(rows[0], bytes) else csv_of(*rows, head=head)
        job = stages.receive(kind="forms", source=BytesIO(data), name="phieu.csv", area=tree.province, by=cast.admin,
                             fields=KIND.fields, again=options.pop("again", False))  # fmt: skip
        layout = stages.files.Layout.from_json(job.layout)
        return stages.confirm_columns(job, columns=job.columns, layout=layout, file_headings=job.headings,
                                      collected_on=options.get("collected_on"))  # fmt: skip

    return upload


@pytest.fixture
def checked(upload):
    def checked(*rows, **options) -> Import:
        job = stages.check(upload(*rows, **options).pk, KIND)
        assert job.status == Import.Status.CHECKED, (job.status, job.refusal)
        return job

    return checked


def loaded(job: Import, existing: str = "skip") -> tuple[Import, set[int]]:
    changed: set[int] = set()
    stages.confirm(job, existing=existing)
    job = stages.load(job.pk, KIND, lambda job, communes: changed.update(communes))
    assert job.status == Import.Status.LOADED
    return job, changed


def problems(job: Import) -> list[tuple[int, str, str]]:
    return list(job.problems.order_by("row", "pk").values_list("row", "column", "code"))


def staged_tables() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT relname FROM pg_class WHERE relname LIKE 'staged_import%%' AND relkind = 'r'")
        return [name for (name,) in cursor.fetchall()]


class TestLoading:
    def test_a_household_arrives_whole(self, checked, tree):
        job = checked(
            person(1), person(2, **{"Họ và tên": "Nguyễn  thị hòa", "Giới tính": "Nữ", "Ngày sinh": "2/1985"})
        )
        assert (job.rows, job.good, job.doubtful, job.refused) == (2, 2, 0, 0)
        assert job.changes["new_forms"] == 2
        assert job.changes["new_households"] == 1
        assert not CollectionForm.objects.exists()
        job, changed = loaded(job)
        assert changed == {tree.huong_tra.pk}
        household = Household.objects.get()
        assert (household.book_number, household.head_name, household.hamlet) == (
            "350000001",
            "NGUYỄN VĂN THỬ",
            tree.dong,
        )
        head, wife = household.forms.order_by("line")
        assert (wife.full_name, wife.birth_year, wife.birth_month, wife.birth_day) == ("NGUYỄN THỊ HÒA", 1985, 2, None)
        assert wife.search_key == text.search_key(wife.full_name)
        assert wife.sort_key == text.person_sort_key(wife.full_name)
        assert (head.line, wife.line, wife.sex, wife.collected_on) == (1, 2, 2, date(2018, 9, 15))
        assert wife.collected_unit == wife.commune == tree.huong_tra
        assert wife.qualification == CollectionForm.Qualification.COLLECTED
        assert not staged_tables()

    def test_indexes_and_keys_are_back_after_a_first_load(self, checked):
        def definitions():
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT indexdef FROM pg_indexes WHERE tablename ~ '^households_(coll|household)' UNION "
                    "SELECT conname || pg_get_constraintdef(oid) FROM pg_constraint WHERE contype = 'f'"
                )
                return set(cursor.fetchall())

        before = definitions()
        loaded(checked(person(1)))
        assert definitions() == before

    def test_rows_of_a_household_apart_in_the_file_come_together(self, checked):
        other = person(2, **{"Số sổ hộ khẩu": "350000002"})
        loaded(checked(person(1), other, person(3), person(4)))
        first = Household.objects.get(book_number="350000001")
        assert list(first.forms.order_by("line").values_list("line", "barcode")) == [
            (1, "T000000001"), (2, "T000000003"), (3, "T000000004")]  # fmt: skip
        assert list(Household.objects.order_by("sequence").values_list("book_number", flat=True)) == [
            "350000001",
            "350000002",
        ]

    def test_new_people_join_the_household_that_is_there(self, checked, homes):
        home = homes.four
        job = checked(person(9, **{"Số sổ hộ khẩu": home.book_number}))
        assert (job.changes["new_households"], job.changes["known_households"]) == (0, 1)
        loaded(job)
        assert list(home.forms.order_by("line").values_list("line", flat=True)) == [1, 2, 3, 4, 5]

    def test_without_a_book_the_head_and_the_address_make_the_household(self, checked):
        same = {"Số sổ hộ khẩu": ""}
        other = {"Số sổ hộ khẩu": "", "Họ tên chủ hộ": "TRẦN VĂN THỬ"}
        job = checked(person(1, **same), person(2, **other), person(3, **same))
        assert job.doubtful == 3
        assert {code for _, _, code in problems(job)} == {"no_book"}
        loaded(job)
        assert sorted(Household.objects.values_list("head_name", "forms__barcode")) == [
            ("NGUYỄN VĂN THỬ", "T000000001"), ("NGUYỄN VĂN THỬ", "T000000003"), ("TRẦN VĂN THỬ", "T000000002")]  # fmt: skip

    def test_a_new_hamlet_is_announced_and_made(self, checked, tree):
        job = checked(
            person(1, **{"Thôn, tổ dân phố": "Thôn  Bắc Sơn"}), person(2, **{"Thôn, tổ dân phố": "thôn bắc sơn"})
        )
        assert job.changes["new_hamlets"] == ["Thôn Bắc Sơn"]
        assert problems(job) == [(2, "Thôn, tổ dân phố", "new_hamlet")]
        loaded(job)
        hamlet = AdministrativeUnit.objects.get(parent=tree.huong_tra, name="Bắc Sơn")
        assert (hamlet.type, hamlet.level) == (AdministrativeUnit.Type.VILLAGE, 4)
        assert hamlet.households_of_hamlet.count() == 1
        assert CollectionForm.objects.filter(hamlet=hamlet).count() == 2

    def test_what_the_rules_suspect_is_counted_by_fault(self, checked):
        job = checked(person(1), person(2, **{"Ngày sinh": "1980"}), person(3, **{"Ngày sinh": "1981"}))
        assert job.changes["suspected"]["L01"] == 2

    def test_backslashes_and_quotes_arrive_as_they_are(self, checked):
        loaded(checked(person(1, **{"Quan hệ với chủ hộ": "Con\\N ''nuôi''"})))
        assert CollectionForm.objects.get().relation == "Con\\N ''nuôi''"


class TestExisting:
    def test_skipped_or_updated_as_chosen(self, checked, homes):
        form = homes.four.forms.first()
        row = person(1, **{"Mã vạch": form.barcode, "Họ và tên": "LÊ VĂN THỬ", "Giới tính": "Nữ"})
        job = checked(row)
        assert (job.changes["new_forms"], job.changes["existing_forms"]) == (0, 1)
        loaded(job)
        form.refresh_from_db()
        assert form.full_name == "NGUYỄN VĂN THỬ"
        loaded(checked(row, again=True), existing="update")
        form.refresh_from_db()
        assert (form.full_name, form.sex, form.search_key) == ("LÊ VĂN THỬ", 2, "le van thu")
        assert form.ethnicity == "Kinh", "the file has no such column"
        assert form.household == homes.four

    def test_what_is_kept_is_not_updated(self, checked, homes):
        form = homes.four.forms.first()
        CollectionForm.objects.filter(pk=form.pk).update(batch="kept")
        job = checked(person(1, **{"Mã vạch": form.barcode, "Họ và tên": "LÊ VĂN THỬ"}))
        assert job.changes["kept_forms"] == 1
        loaded(job, existing="update")
        form.refresh_from_db()
        assert form.full_name == "NGUYỄN VĂN THỬ"

    def test_a_form_is_not_moved_to_another_commune(self, checked, homes):
        form = homes.hung_tri.forms.first()
        job = checked(person(1, **{"Mã vạch": form.barcode}), person(2))
        assert problems(job) == [(2, "Mã vạch", "in_another_commune")]
        assert "Hưng Trí" in job.problems.get().sentence
        assert (job.good, job.refused) == (1, 1)

    def test_without_a_barcode_the_person_is_known_again(self, checked, homes):
        form = homes.four.forms.first()
        row = {"Mã vạch": "", "Họ và tên": form.full_name, "Ngày sinh": "17/5/1980"}
        job = checked(person(1, **row), person(2, **row | {"Ngày sinh": "18/5/1980"}))
        assert (job.changes["existing_forms"], job.changes["new_forms"]) == (1, 1)


class TestRefused:
    @pytest.mark.parametrize(
        ("column", "cell", "code"),
        [
            ("Họ và tên", "  ", "missing"),
            ("Họ và tên", "A" * 101, "too_long"),
            ("Ngày sinh", "30/2/1980", "no_such_day"),
            ("Ngày sinh", "17/5", "birth_date_unreadable"),
            ("Ngày sinh", "1/1/1700", "birth_year_out_of_range"),
            ("Giới tính", "?", "sex"),
            ("Xã/phường/thị trấn", "xã Không Có", "commune_unknown"),
            ("Xã/phường/thị trấn", "", "missing"),
            ("Thôn, tổ dân phố", "", "missing"),
            ("Ngày thu thập", "9/2018", "day_unreadable"),
            ("Ngày thu thập", "1/1/2030", "collected_in_the_future"),
            ("Ngày thu thập", "", "collected_on_missing"),
        ],
    )
    def test_with_row_column_and_sentence(self, checked, column, cell, code):
        job = checked(person(1), person(2, **{column: cell}))
        assert problems(job) == [(3, column, code)]
        assert (job.good, job.refused) == (1, 1)
        assert "%" not in job.problems.get().sentence

    def test_every_bad_cell_of_a_row_is_told(self, checked):
        job = checked(person(1, **{"Ngày sinh": "x", "Giới tính": "y"}))
        assert sorted(code for _, _, code in problems(job)) == ["birth_date_unreadable", "sex"]
        assert job.refused == 1

    def test_the_second_of_two_equal_barcodes(self, checked):
        job = checked(person(1), person(2), person(1))
        assert problems(job) == [(4, "Mã vạch", "barcode_twice")]
        assert job.problems.get().values == {"row": 2}

    def test_the_day_of_the_file_serves_rows_without_one(self, checked):
        job = checked(person(1, **{"Ngày thu thập": ""}), collected_on=date(2018, 12, 31))
        loaded(job)
        assert CollectionForm.objects.get().collected_on == date(2018, 12, 31)

    def test_the_error_file_can_be_mended_and_sent_again(self, checked, upload):
        job = checked(person(1), person(2, **{"Ngày sinh": "30/2/1980"}))
        errors = stages.error_file(job).read_bytes()
        assert "30/2/1980" in errors.decode("utf-8-sig")
        mended = stages.check(upload(errors.replace(b"30/2/1980", b"28/2/1980")).pk, KIND)
        assert (mended.rows, mended.good, mended.refused) == (1, 1, 0)


class TestStages:
    def test_the_same_file_is_refused_until_asked_for_again(self, checked):
        job = checked(person(1))
        with pytest.raises(FileRefused, match="same_file"):
            checked(person(1))
        assert checked(person(1), again=True).pk != job.pk

    def test_a_cancelled_file_may_come_again(self, checked):
        stages.cancel(checked(person(1)), KIND)
        assert not staged_tables()
        assert checked(person(1)).good == 1

    def test_cancelled_before_the_load_nothing_is_loaded(self, checked):
        job = checked(person(1))
        stages.confirm(job, existing="skip")
        Import.objects.filter(pk=job.pk).update(cancel_asked=True)
        assert stages.load(job.pk, KIND, lambda *a: None).status == Import.Status.CANCELLED
        assert not CollectionForm.objects.exists()

    def test_decided_twice_loaded_once(self, checked):
        job, _ = loaded(checked(person(1)))
        with pytest.raises(stages.WrongState):
            stages.confirm(job, existing="skip")
        assert stages.load(job.pk, KIND, lambda *a: None).status == Import.Status.LOADED
        assert CollectionForm.objects.count() == 1
        with pytest.raises(stages.WrongState):
            stages.cancel(job, KIND)

    def test_a_load_that_breaks_leaves_nothing_and_can_be_tried_again(self, checked):
        job = checked(person(1))
        stages.confirm(job, existing="skip")

        def breaks(job, communes):
            raise RuntimeError("the last step")

        assert stages.load(job.pk, KIND, breaks).status == Import.Status.FAILED
        assert not CollectionForm.objects.exists()
        assert not Household.objects.exists()
        job = stages.check(stages.check_again(job).pk, KIND)
        loaded(job)
        assert CollectionForm.objects.count() == 1

    def test_staged_rows_lost_in_a_crash_are_checked_anew(self, checked):
        job = checked(person(1))
        stages.confirm(job, existing="skip")
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"TRUNCATE {job.staging_table}")
        assert stages.load(job.pk, KIND, lambda *a: None).status == Import.Status.CHECKING
        assert stages.waiting() == [(job.pk, Import.Status.CHECKING)]
        loaded(stages.check(job.pk, KIND))
        assert CollectionForm.objects.count() == 1

    def test_a_file_that_breaks_off_is_refused_at_once_where_its_beginning_shows_it(self, upload):
        with pytest.raises(FileRefused, match="cut_off"):
            upload(csv_of(person(1)) + b'\n"half a row')
        assert Import.objects.get().status == Import.Status.REFUSED

    def test_a_file_that_breaks_off_late_is_refused_whole(self, upload):
        rows = [person(number, **{"Ngày sinh": "x"}) for number in range(30_000)]
        job = stages.check(upload(csv_of(*rows) + b'\n"half a row').pk, KIND)
        assert (job.status, job.refusal) == (Import.Status.REFUSED, "cut_off_in_cell")
        assert not ImportProblem.objects.exists()
        assert not staged_tables()


@given(st.text(max_size=40))
@pytest.mark.parametrize("name", form_rows.NAMES)
def test_any_text_is_read_or_refused(name, cell):
    with suppress(CellRefused):
        form_rows._reader_of(name)(cell)


@given(st.lists(st.text(alphabet="AĂÂBĐEÊGIKOÔƠUƯVXYáàảãạ'-.", min_size=1, max_size=8), max_size=6))
def test_name_keys_are_the_keys_of_the_register(words):
    name = " ".join(words)
    assert text.name_keys(name) == (text.search_key(name), text.person_sort_key(name))


def test_two_forms_of_one_barcode_cannot_stand(homes):
    from django.db import IntegrityError

    form = homes.four.forms.first()
    with pytest.raises(IntegrityError):
        make_form(homes.two, barcode=form.barcode)
