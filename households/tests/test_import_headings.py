import pytest

from households import text
from households.imports import headings
from households.imports.fields import Field
from households.models import RememberedHeading

FIELDS = (
    Field("barcode", "Mã vạch", frozenset({"so phieu"})),
    Field("full_name", "Họ và tên", frozenset({text.search_key("Họ tên"), "ho va ten khai sinh"}), is_required=True),
    Field("hamlet", "Thôn, tổ dân phố", is_required=True),
)


def test_headings_are_known_without_marks_case_or_punctuation():
    found = headings.guess_columns(["HO VA TEN", "stt", "mã  vạch:", "Thôn / tổ dân phố"], FIELDS)
    assert found == {"full_name": 0, "barcode": 2, "hamlet": 3}


def test_aliases_and_our_own_names_are_known():
    assert headings.guess_columns(["Số phiếu", "full_name", "hamlet"], FIELDS) == {
        "barcode": 0,
        "full_name": 1,
        "hamlet": 2,
    }


def test_unknown_headings_and_the_error_column_are_not_read():
    assert headings.guess_columns(["Ghi chú", "Lỗi", "", "Cột lạ"], FIELDS) == {}


def test_what_was_said_goes_before_the_fields_own_names():
    remembered = {"cot la": "barcode", "ma vach": ""}
    assert headings.guess_columns(["Mã vạch", "Cột lạ"], FIELDS, remembered) == {"barcode": 1}


def test_a_remembered_field_that_is_no_more_is_forgotten():
    assert headings.guess_columns(["Cột lạ"], FIELDS, {"cot la": "abolished"}) == {}


def test_of_two_columns_the_first_has_the_field_and_both_are_told():
    head = ["Họ tên", "Mã vạch", "Họ và tên"]
    assert headings.guess_columns(head, FIELDS)["full_name"] == 0
    assert headings.repeated(head, FIELDS) == {"full_name": [0, 2]}
    assert headings.repeated(["Họ tên", "Mã vạch"], FIELDS) == {}


def test_missing_required():
    assert [field.name for field in headings.missing_required({"full_name": 0}, FIELDS)] == ["hamlet"]
    assert headings.missing_required({"full_name": 0, "hamlet": 1}, FIELDS) == []


@pytest.mark.django_db
def test_what_was_confirmed_is_remembered_also_that_a_column_is_not_read():
    headings.remember("forms", ["Cột lạ", "Họ tên", "Điện thoại", "Lỗi", ""], {"barcode": 0, "full_name": 1})
    assert headings.remembered_for("forms") == {"cot la": "barcode", "ho ten": "full_name", "dien thoai": ""}
    assert headings.remembered_for("scans") == {}


@pytest.mark.django_db
def test_the_last_word_counts_and_saying_it_twice_changes_nothing():
    headings.remember("forms", ["Cột lạ"], {"barcode": 0})
    for _ in range(2):
        headings.remember("forms", ["Cột lạ"], {"full_name": 0})
    assert headings.remembered_for("forms") == {"cot la": "full_name"}
    assert RememberedHeading.objects.count() == 1


@pytest.mark.django_db
def test_of_two_columns_of_one_heading_the_one_that_is_read_is_remembered():
    headings.remember("forms", ["Tên", "Tên"], {"full_name": 0})
    assert headings.remembered_for("forms") == {"ten": "full_name"}
    headings.remember("forms", ["Tên", "Tên"], {"barcode": 1})
    assert headings.remembered_for("forms") == {"ten": "barcode"}


@pytest.mark.django_db
def test_remembering_costs_one_query(django_assert_num_queries):
    with django_assert_num_queries(1):
        headings.remember("forms", [f"Cột {number}" for number in range(60)], {"barcode": 3})


@pytest.mark.django_db
def test_a_very_long_heading_is_remembered_by_its_beginning():
    headings.remember("forms", ["Cột " + "x" * 500], {"barcode": 0})
    assert headings.guess_columns(["Cột " + "x" * 500], FIELDS, headings.remembered_for("forms")) == {"barcode": 0}
