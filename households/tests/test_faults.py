"""The error catalogue's rules, each by its own case; the sentence is what the officer reads."""

from datetime import date
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from households import faults
from households.faults import FORM_RULES, HOUSEHOLD_RULES, PLACE_RULES, REGISTER_RULES, Fault, FormerUnit
from households.faults.words import commune_key, ethnic_groups, religions
from households.models import CollectionForm
from households.suspicions import Row

HERE = "xã Hương Trà, huyện Hương Khê, tỉnh Hà Tĩnh"
FORMER = {
    "xa thach mon, thanh pho ha tinh": FormerUnit(7, "xã Thạch Môn", "xã Đồng Môn, thành phố Hà Tĩnh"),
}
FORMER_PLACE = "Thôn Thắng Lợi, xã Thạch Môn, thành phố Hà Tĩnh, tỉnh Hà Tĩnh"


def form(**fields) -> CollectionForm:
    return CollectionForm(
        **{
            "full_name": "NGUYỄN VĂN THỬ", "birth_year": 1980, "birth_month": 5, "birth_day": 17, "sex": 1, "marital_status": 2,
            "cmnd": "183000001", "birth_registration_place": HERE, "origin_place": HERE, "residence_place": HERE,
            "present_place": HERE, "ethnicity": "Kinh", "nationality": "Việt Nam", "religion": "Không",
            "father_name": "NGUYỄN VĂN CHA", "mother_name": "TRẦN THỊ MẸ", "spouse_name": "LÊ THỊ VỢ",
            "head_name": "NGUYỄN VĂN THỬ", "relation": "Chủ hộ", "book_number": "350000001", "collected_on": date(2018, 9, 1),
            "collected_unit_id": 1,
        }
        | fields
    )  # fmt: skip


CHILD = {"birth_year": 2010, "cmnd": "", "relation": "Con", "marital_status": 1, "spouse_name": ""}
WIFE = {"sex": 2, "relation": "Vợ", "full_name": "LÊ THỊ VỢ", "spouse_name": "NGUYỄN VĂN THỬ", "cmnd": "183000002"}


def found(**fields) -> list[tuple[str, str]]:
    return faults.suspected(form(**fields), FORMER)


def test_a_good_form_raises_no_suspicion():
    assert found() == []
    assert found(pin="042080123456") == []
    assert found(**CHILD) == []
    assert found(**WIFE) == []


# what makes each rule hit, and the one suspicion it gives then
CASES = {
    "birth_date_incomplete": [({"birth_day": None, "birth_month": None}, "L01", "birth_date"), ({"birth_day": None}, "L01", "birth_date")],
    "birth_date_does_not_exist": [({"birth_day": 31, "birth_month": 2}, "L02", "birth_date"), ({"birth_day": 29, "birth_month": 2, "birth_year": 1981}, "L02", "birth_date")],
    "birth_after_collection": [(CHILD | {"birth_year": 2018, "birth_month": 12}, "L02", "birth_date"), (CHILD | {"birth_year": 2018, "birth_month": 9, "birth_day": 2}, "L02", "birth_date")],
    "birth_too_long_ago": [({"birth_year": 1899}, "L02", "birth_date")],
    "name_missing": [({"full_name": ""}, "L03", "full_name")],
    "name_with_odd_signs": [({"full_name": "NGUYỄN VĂN 2HỬ"}, "L03", "full_name"), ({"full_name": "NGUYỄN V@N THỬ"}, "L03", "full_name")],
    "name_of_one_word": [({"full_name": "THỬ"}, "L03", "full_name")],
    "name_with_odd_blanks": [({"full_name": "NGUYỄN  VĂN THỬ"}, "L03", "full_name"), ({"full_name": "NGUYỄN VĂN THỬ "}, "L03", "full_name")],
    "birth_registration_missing": [({"birth_registration_place": ""}, "L04", "birth_registration_place")],
    "origin_missing": [({"origin_place": ""}, "L05", "origin_place")],
    "sex_missing": [({"sex": 0}, "L06", "sex")],
    "sex_against_name": [(CHILD | {"full_name": "NGUYỄN THỊ THỬ"}, "L06", "sex"), (CHILD | {"full_name": "Nguyễn Thị Thử"}, "L06", "sex")],
    "sex_against_number_and_relation": [(CHILD | {"pin": "042310123456", "relation": "Con gái"}, "L06", "sex")],
    "number_missing": [({"cmnd": ""}, "L07", "cmnd")],
    "number_of_wrong_length": [({"pin": "04208012345"}, "L07", "pin"), ({"pin": "04208012345²"}, "L07", "pin")],
    "card_number_of_wrong_length": [({"cmnd": "18300000"}, "L07", "cmnd"), ({"cmnd": "1830000x1"}, "L07", "cmnd")],
    "number_of_one_digit": [({"cmnd": "000000000"}, "L07", "cmnd"), ({"pin": "1" * 12, "birth_year": 1911, "sex": 2, "relation": "Bà"}, "L07", "pin")],
    "pin_structure": [
        ({"pin": "042180123456"}, "L08", "pin"),  # 1: a woman
        ({"pin": "042280123456"}, "L08", "pin"),  # 2: born in this century
        ({"pin": "042079123456"}, "L08", "pin"),  # 79, not 80
        ({"pin": "003080123456"}, "L08", "pin"),  # no province has 003
    ],
    "pin_of_another_province": [({"pin": "040080123456"}, "L08", "pin"), ({"pin": "042080123456", "birth_registration_place": "xã Nghi Lộc, tỉnh Nghệ An"}, "L08", "pin")],
    "residence_missing": [({"residence_place": ""}, "L15", "residence_place")],
    "present_place_missing": [({"present_place": ""}, "L16", "present_place")],
    "head_name_missing": [({"head_name": ""}, "L17", "head_name")],
    "head_too_young": [(CHILD | {"relation": "Chủ hộ"}, "L17", "relation")],
    "relation_missing": [({"relation": ""}, "L18", "relation"), ({"relation": " "}, "L18", "relation")],
    "relation_against_sex": [({"relation": "Vợ"}, "L18", "relation"), (CHILD | {"relation": "Con gái"}, "L18", "relation")],
    "relation_against_age": [(CHILD | {"relation": "Ông nội"}, "L18", "relation")],
    "father_missing": [({"father_name": ""}, "L19", "father_name")],
    "mother_missing": [({"mother_name": ""}, "L19", "mother_name")],
    "spouse_missing": [({"spouse_name": ""}, "L19", "spouse_name")],
    "relatives_number_is_her_own": [({"father_number": "183000001"}, "L19", "father_name"), ({"mother_number": "183000001"}, "L19", "mother_name"), ({"spouse_number": "042080123456", "pin": "042080123456"}, "L19", "spouse_name")],
    "relatives_number_of_wrong_length": [({"father_number": "18300001"}, "L19", "father_name"), ({"mother_number": "1"}, "L19", "mother_name"), ({"spouse_number": "1"}, "L19", "spouse_name")],
    "ethnicity_missing": [({"ethnicity": ""}, "L20", "ethnicity")],
    "ethnicity_unknown": [({"ethnicity": "Việt Nam"}, "L20", "ethnicity")],
    "religion_missing": [({"religion": ""}, "L20", "religion")],
    "religion_unknown": [({"religion": "Kinh"}, "L20", "religion")],
    "nationality_missing": [({"nationality": ""}, "L20", "nationality")],
    "blood_type_unproved": [({"blood_type": "A"}, "L21", "blood_type")],
    "marital_status_missing": [({"marital_status": 0}, "L22", "marital_status")],
    "married_too_young": [(CHILD | {"marital_status": 3}, "L22", "marital_status")],
    "spouse_not_married": [(WIFE | {"marital_status": 3}, "L22", "marital_status")],
    "single_with_a_spouse": [({"marital_status": 1}, "L22", "marital_status")],
    "book_number_missing": [({"book_number": ""}, "L23", "book_number")],
    "book_number_of_odd_shape": [({"book_number": "không rõ"}, "L23", "book_number"), ({"book_number": "12"}, "L23", "book_number")],
    "residence_in_a_former_unit": [({"residence_place": FORMER_PLACE, "present_place": FORMER_PLACE}, "L24", "residence_place")],
    "present_place_in_a_former_unit": [({"present_place": FORMER_PLACE}, "L24", "present_place"), ({"present_place": "X. Thạch Môn, TP Hà Tĩnh"}, "L24", "present_place")],
}  # fmt: skip


@pytest.mark.parametrize(("name", "case"), [(name, case) for name, cases in CASES.items() for case in cases])
def test_each_rule_hits_and_no_other(name, case):
    fields, fault, field = case
    rule = next(rule for rule in (*FORM_RULES, *PLACE_RULES) if rule.__name__ == name)
    suspicion = rule(form(**fields), FORMER) if rule in PLACE_RULES else rule(form(**fields))
    assert (suspicion.fault, suspicion.field) == (fault, field)
    assert (fault, field) in found(**fields)
    with translation.override("en"):
        assert suspicion.reason
        assert "%(" not in suspicion.reason


@pytest.mark.parametrize("rule", FORM_RULES)
def test_no_rule_hits_a_good_form(rule):
    for fields in ({}, CHILD, WIFE, {"pin": "042080123456"}):
        assert rule(form(**fields)) is None, fields


def test_a_single_fault_gives_a_single_suspicion():
    """But where one value contradicts two others, and each pair is a rule of its own."""
    several = {
        "name_missing",
        "number_of_one_digit",
        "head_too_young",
        "pin_structure",
        "sex_against_number_and_relation",
    }
    several |= {
        "relation_against_age",
        "sex_missing",
        "relation_against_sex",
        "spouse_not_married",
        "married_too_young",
    }
    for name, cases in CASES.items():
        for fields, fault, field in cases:
            if name not in several:
                assert found(**fields) == [(fault, field)], name


def test_every_rule_has_its_case():
    assert {rule.__name__ for rule in (*FORM_RULES, *PLACE_RULES)} == set(CASES)
    in_households = {name for name in globals() if name.startswith("test_")}
    for rule in HOUSEHOLD_RULES:
        assert f"test_{rule.__name__}" in in_households, rule.__name__
    of_the_register = Path(__file__).with_name("test_suspicions.py").read_text("utf-8")
    for rule in REGISTER_RULES:
        assert f"def test_{rule.name}" in of_the_register, rule.name


def test_the_rules_read_the_row_of_a_sweep():
    """What an import and a sweep hand in has every attribute that a model has for the rules."""
    row = Row(**{name: getattr(form(), name) for name in Row._fields if name != "key"}, key="")
    assert faults.suspected(row, FORMER) == []
    assert faults.suspicions_in_household([row]) == []


def test_a_child_needs_no_number():
    assert found(**CHILD) == []


def test_the_sentence_says_what_the_digit_means():
    with translation.override("vi"):
        suspicion = faults.suspicions(form(pin="042180123456"))[0]
        assert suspicion.reason == "số thứ 4 là 1: nữ, sinh 1900–1999; phiếu ghi nam"


def test_a_sentence_is_in_the_readers_language():
    suspicion = faults.suspicions(form(ethnicity=""))[0]
    with translation.override("en"):
        assert suspicion.reason == "ethnic group is empty"
    with translation.override("vi"):
        assert suspicion.reason != "ethnic group is empty"


def test_the_commune_of_collection_is_not_a_former_address():
    """The register knows itself what the commune where a form was collected has become."""
    assert found(residence_place=FORMER_PLACE, present_place=FORMER_PLACE, collected_unit_id=7) == []


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        (FORMER_PLACE, "xa thach mon, thanh pho ha tinh"),
        ("xã Thạch Môn, TP. Hà Tĩnh", "xa thach mon, thanh pho ha tinh"),
        ("Phường Hưng Trí - TX Kỳ Anh", "phuong hung tri, thi xa ky anh"),
        ("TT. Phố Châu; huyện Hương Sơn", "thi tran pho chau, huyen huong son"),
        ("tỉnh Đắk Lắk", ""),
        ("xã Thạch Môn", ""),  # of which district, nobody knows
        ("", ""),
    ],
)
def test_the_commune_a_place_names(place, expected):
    assert commune_key(place) == expected


@given(
    province=st.sampled_from(sorted(faults.pin_provinces())),
    year=st.integers(1900, 2018),
    sex=st.sampled_from([1, 2]),
    rest=st.integers(0, 999999),
)
def test_a_number_made_by_the_rule_passes_the_rule(province, year, sex, rest):
    digit = (year // 100 - 19) * 2 + (sex - 1)
    pin = f"{province}{digit}{year % 100:02d}{rest:06d}"
    rule = next(rule for rule in FORM_RULES if rule.__name__ == "pin_structure")
    assert rule(form(pin=pin, birth_year=year, sex=sex)) is None
    assert rule(form(pin=pin, birth_year=year, sex=3 - sex)).fault == Fault.L08


WORDS = st.text("AĂÂBCDĐEÊGHIKLMNOÔƠPQRSTUƯVXYẾỀỆÁÀẠ", min_size=1, max_size=7)


@given(
    name=st.lists(WORDS, min_size=2, max_size=7).map(" ".join),
    born=st.dates(date(1900, 1, 1), date(2003, 12, 31)),
    sex=st.sampled_from([1, 2]),
    cmnd=st.integers(183_000_000, 184_999_998),
    ethnicity=st.sampled_from(sorted(ethnic_groups())),
    religion=st.sampled_from(sorted(religions())),
    relation=st.sampled_from(["Con", "Cháu", "Em", "Ở nhờ"]),
)
def test_well_formed_people_have_no_suspicion(name, born, sex, cmnd, ethnicity, religion, relation):
    fields = {"birth_year": born.year, "birth_month": born.month, "birth_day": born.day, "sex": sex}
    assert (
        found(full_name=name, cmnd=str(cmnd), ethnicity=ethnicity, religion=religion, relation=relation, **fields) == []
    )


ANYTHING = st.text(max_size=40)


@given(
    texts=st.fixed_dictionaries(dict.fromkeys(Row._fields[8:], ANYTHING)),
    born=st.tuples(st.integers(1850, 2399), st.none() | st.integers(1, 12), st.none() | st.integers(1, 31)),
    sex=st.integers(0, 2),
    marital_status=st.integers(0, 3),
)
def test_no_text_breaks_a_rule(texts, born, sex, marital_status):
    year, month, day = born
    written = form(birth_year=year, birth_month=month, birth_day=day, sex=sex, marital_status=marital_status, **texts)
    for suspicion in faults.suspicions(written, FORMER):
        assert suspicion.reason
    for _form, suspicion in faults.suspicions_in_household([written, form(), form(**CHILD), form(**WIFE)]):
        assert suspicion.reason


# --- of a household -------------------------------------------------------------------------


def household_of(*members: dict) -> list[CollectionForm]:
    return [form(**member) for member in members]


def in_household(*members: dict) -> list[tuple[int, str, str]]:
    """(place in the household, fault, item) of each suspicion."""
    forms = household_of(*members)
    return [(forms.index(found), s.fault.value, s.field) for found, s in faults.suspicions_in_household(forms)]


FAMILY = ({}, WIFE, CHILD | {"full_name": "NGUYỄN VĂN CON"})


def test_a_good_household_raises_no_suspicion():
    assert in_household(*FAMILY) == []
    assert in_household() == []


def test_head_missing():
    assert in_household({"relation": "Con"}, {"relation": "Con"}) == [(0, "L17", "relation")]


def test_several_heads():
    forms = household_of({}, {"full_name": "TRẦN VĂN HAI"})
    found = [s.field for _form, s in faults.suspicions_in_household(forms)]
    assert found == ["relation", "relation"]
    assert in_household(*FAMILY) == []


def test_head_named_otherwise():
    assert in_household({}, WIFE | {"head_name": "TRẦN VĂN KHÁC"}) == [(1, "L17", "head_name")]
    assert in_household({"head_name": "TRẦN VĂN KHÁC"}, WIFE) == [(0, "L17", "head_name")]
    # other marks are a matter of spelling, and an empty name is the form's own fault
    assert in_household({}, WIFE | {"head_name": "Nguyen Van Thu"}, CHILD | {"head_name": ""}) == []
    # the head's own name is misspelt, all the others agree with what stands on her form
    assert in_household({"full_name": "NGUYỄN VĂN THƯA"}, WIFE)[0] == (0, "L17", "head_name")


def test_generations_too_near():
    assert in_household({}, CHILD | {"birth_year": 1979}) == [(1, "L18", "relation")]
    assert in_household({}, CHILD | {"birth_year": 1991}) == [(1, "L18", "relation")]
    assert in_household({}, {"relation": "Cha đẻ", "birth_year": 1975}) == [(1, "L18", "relation")]
    assert in_household({}, {"relation": "Cha đẻ", "birth_year": 1955}) == []
    assert in_household({}, {"relation": "Con nuôi", "birth_year": 1985}) == []


def test_several_spouses():
    found = in_household({}, WIFE, WIFE | {"full_name": "TRẦN THỊ HAI"})
    assert found == [(1, "L18", "relation"), (2, "L18", "relation")]


def test_spouse_of_the_heads_sex():
    husband = {"relation": "Chồng", "spouse_name": ""}
    assert in_household({"spouse_name": ""}, husband) == [(1, "L18", "relation")]
    assert in_household({"spouse_name": "", "sex": 0}, husband) == []


def test_book_number_of_another_household():
    other = {"book_number": "350000002"}
    assert in_household({}, WIFE | other, CHILD) == [(1, "L23", "book_number")]
    assert in_household({} | other, WIFE, CHILD) == [(0, "L23", "book_number")]
    assert in_household({}, WIFE | other) == [], "one against one: nobody knows which"
    assert in_household({}, WIFE | other, CHILD | {"book_number": "350000003"}) == []


def test_spouses_name_another():
    other = {"spouse_name": "TRẦN THỊ KHÁC"}
    wife = household_of(WIFE)[0].full_name
    assert in_household({} | other, WIFE) == [(0, "L19", "spouse_name")]
    assert in_household({}, WIFE | other) == [(1, "L19", "spouse_name")]
    assert in_household({"spouse_name": wife.lower()}, WIFE | {"spouse_name": ""}) == []
    assert in_household({} | other, CHILD) == [], "the wife is not of this household"


def test_residence_of_another_household():
    other = {"residence_place": "xã Phú Gia, huyện Hương Khê, tỉnh Hà Tĩnh"}
    assert in_household({}, WIFE | other, CHILD) == [(1, "L15", "residence_place")]
    spelt = {"residence_place": household_of({})[0].residence_place.upper()}
    assert in_household({}, WIFE | spelt, CHILD) == [], "the same place, spelt otherwise"
    assert in_household({}, WIFE | other) == [], "one against one: nobody knows which"


@given(
    st.lists(
        st.fixed_dictionaries(
            {"relation": ANYTHING, "head_name": ANYTHING, "book_number": ANYTHING, "spouse_name": ANYTHING}
        ),
        max_size=5,
    )
)
def test_no_household_breaks_a_rule(members):
    for _form, suspicion in faults.suspicions_in_household(household_of(*members)):
        assert suspicion.reason


def test_there_are_63_provinces():
    assert len(faults.pin_provinces()) == 63
    assert "042" in faults.pin_provinces()


def test_a_register_rules_sentence_names_the_other_form_as_far_as_she_may_see():
    district = SimpleNamespace(mid_sentence_name="huyện Hương Khê")
    commune = SimpleNamespace(mid_sentence_name="xã Hương Trà", parent=district)
    other = SimpleNamespace(pk=1, barcode="TEST1", commune=commune)
    with translation.override("en"):
        for rule in REGISTER_RULES:
            seen = faults.reason_of(rule.fault.value, rule.field, other, may_see_other=True)
            hidden = faults.reason_of(rule.fault.value, rule.field, other, may_see_other=False)
            assert "TEST1" in seen
            assert "Hương Trà" in seen
            assert "Hương Khê" in hidden
            assert "TEST1" not in hidden
            assert "Hương Trà" not in hidden


ANY_VALUE = {
    "full_name": st.sampled_from(["", "X", "NGUYỄN VĂN AN", "LÊ THỊ AN", "LÊ  AN", " AN", "AN ", "H'MÔNG AN", "LÊ 2 AN", "LÊ\u0301 AN"]),
    **{name: st.sampled_from(["", "NGUYỄN VĂN AN", "X"]) for name in ("head_name", "father_name", "mother_name", "spouse_name")},
    **{name: st.sampled_from(["", "thôn Tây, xã Phú Gia, huyện Hương Khê, tỉnh Hà Tĩnh", "thôn Đông, xã Hương Trà, huyện Hương Khê, tỉnh Hà Tĩnh"])
       for name in ("birth_registration_place", "origin_place", "residence_place", "present_place")},
    **{name: st.sampled_from(["", "042080123456", "042180123456", "183456789", "111111111", "12"])
       for name in ("pin", "cmnd", "father_number", "mother_number", "spouse_number")},
    "ethnicity": st.sampled_from(["", "Kinh", "Sao Hỏa"]),
    "religion": st.sampled_from(["", "Không", "Sao Hỏa"]),
    "nationality": st.sampled_from(["", "Việt Nam"]),
    "relation": st.sampled_from(["", " ", "Chủ hộ", "Vợ", "Chồng", "Con", "Ông nội"]),
    "book_number": st.sampled_from(["", "350000001", "123", "HK 350000001", "không rõ"]),
    "blood_type": st.sampled_from(["", "A"]),
    "sex": st.sampled_from([0, 1, 2]),
    "marital_status": st.sampled_from([0, 1, 2, 3]),
    "birth_year": st.sampled_from([1850, 1950, 1980, 2003, 2004, 2010, 2018, 2019]),
    "birth_month": st.sampled_from([None, 2, 12]),
    "birth_day": st.sampled_from([None, 1, 30]),
}  # fmt: skip


@given(values=st.fixed_dictionaries(ANY_VALUE))
def test_no_form_is_spared_a_rule_that_would_have_hit(values):
    judged = form(**values)
    expected = [(s.fault, s.field) for rule in FORM_RULES if (s := rule(judged))]
    assert [(s.fault, s.field) for s in faults.suspicions(judged)] == expected


@given(values=st.lists(st.fixed_dictionaries(ANY_VALUE), max_size=4))
def test_no_household_is_spared_a_rule_that_would_have_hit(values):
    household = [form(**one) for one in values]
    expected = [pair for rule in HOUSEHOLD_RULES for pair in rule(household)]
    assert faults.suspicions_in_household(household) == expected
