"""The error catalogue's rules, each by its own case; the sentence is what the officer reads."""

from datetime import date

import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from households import faults
from households.faults import Fault
from households.models import CollectionForm


def form(**fields) -> CollectionForm:
    return CollectionForm(
        **{
            "full_name": "NGUYỄN VĂN THỬ", "birth_year": 1980, "birth_month": 5, "birth_day": 17, "sex": 1,
            "cmnd": "183000001", "birth_registration_place": "xã Hương Trà", "origin_place": "xã Hương Trà",
            "residence_place": "xã Hương Trà", "ethnicity": "Kinh", "relation": "Chủ hộ",
            "collected_on": date(2018, 9, 1),
        }
        | fields
    )  # fmt: skip


def found(**fields) -> list[tuple[Fault, str]]:
    return [(s.fault, s.field) for s in faults.suspicions(form(**fields))]


def test_a_good_form_raises_no_suspicion():
    assert found() == []
    assert found(pin="042080123456") == []


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"birth_day": None, "birth_month": None}, (Fault.L01, "birth_date")),
        ({"birth_day": None}, (Fault.L01, "birth_date")),
        ({"birth_day": 31, "birth_month": 2}, (Fault.L02, "birth_date")),
        ({"birth_year": 2018, "birth_month": 12, "cmnd": ""}, (Fault.L02, "birth_date")),
        ({"cmnd": ""}, (Fault.L07, "cmnd")),
        ({"cmnd": "18300000"}, (Fault.L07, "cmnd")),
        ({"pin": "04208012345"}, (Fault.L07, "pin")),
        ({"pin": "042180123456"}, (Fault.L08, "pin")),  # 1: a woman
        ({"pin": "042280123456"}, (Fault.L08, "pin")),  # 2: born in this century
        ({"pin": "042079123456"}, (Fault.L08, "pin")),  # 79, not 80
        ({"pin": "003080123456"}, (Fault.L08, "pin")),  # no province has 003
        ({"birth_registration_place": ""}, (Fault.L04, "birth_registration_place")),
        ({"origin_place": ""}, (Fault.L05, "origin_place")),
        ({"residence_place": ""}, (Fault.L15, "residence_place")),
        ({"ethnicity": ""}, (Fault.L20, "ethnicity")),
        ({"relation": "Vợ"}, (Fault.L18, "relation")),
        ({"relation": ""}, (Fault.L18, "relation")),
        ({"blood_type": "A"}, (Fault.L21, "blood_type")),
    ],
)
def test_each_rule(fields, expected):
    assert found(**fields) == [expected]


def test_a_child_needs_no_number():
    assert found(birth_year=2010, cmnd="") == []


def test_the_sentence_says_what_the_digit_means():
    with translation.override("vi"):
        suspicion = faults.pin_structure(form(pin="042180123456"))
        assert suspicion.reason == "số thứ 4 là 1: nữ, sinh 1900–1999; phiếu ghi nam"


def test_a_household_has_one_head():
    assert faults.heads_of_household([form(), form(relation="Vợ")]) is None
    assert faults.heads_of_household([form(relation="Con")]).fault == Fault.L17
    assert faults.heads_of_household([form(), form()]).fault == Fault.L17


@given(
    province=st.sampled_from(sorted(faults.pin_provinces())),
    year=st.integers(1900, 2018),
    sex=st.sampled_from([1, 2]),
    rest=st.integers(0, 999999),
)
def test_a_number_made_by_the_rule_passes_the_rule(province, year, sex, rest):
    digit = (year // 100 - 19) * 2 + (sex - 1)
    pin = f"{province}{digit}{year % 100:02d}{rest:06d}"
    assert faults.pin_structure(form(pin=pin, birth_year=year, sex=sex)) is None
    assert faults.pin_structure(form(pin=pin, birth_year=year, sex=3 - sex)).fault == Fault.L08


def test_there_are_63_provinces():
    assert len(faults.pin_provinces()) == 63
    assert "042" in faults.pin_provinces()
