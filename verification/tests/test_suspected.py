"""What is suspected, where an officer works: beside the item, and of what she has just corrected."""

from datetime import date

import pytest
from django.urls import reverse

from households import faults, suspicions
from households.faults import FORM_RULES
from households.models import CollectionForm, UnitChange
from households.tests.factories import Level, Type, make_form, make_household, make_unit
from households.tests.test_faults import CASES
from verification import items
from verification.rules import CorrectionEntry
from verification.tests.factories import record


def address(household) -> str:
    return reverse("verification:household_verify", args=[household.pk])


@pytest.fixture
def page(client, round, cast):
    client.force_login(cast.officer)
    return client


def test_every_suspected_item_can_be_corrected():
    fields = {field for cases in CASES.values() for _fields, _fault, field in cases}
    assert fields | {rule.field for rule in faults.REGISTER_RULES} <= set(items.ITEMS)
    assert FORM_RULES


class TestAtEntry:
    def test_the_other_form_is_named(self, page, homes, tree):
        make_form(homes.two, line=3, cmnd="184000001", full_name="TRẦN VĂN BA")
        other = make_form(homes.three, line=4, cmnd="184000001", full_name="LÊ VĂN TƯ")
        suspicions.sweep()
        body = page.get(address(homes.two)).content.decode()
        assert other.barcode in body
        assert "xã Hương Trà" in body

    def test_the_other_form_of_another_commune_is_not(self, page, homes):
        make_form(homes.two, line=3, cmnd="184000001", full_name="TRẦN VĂN BA")
        other = make_form(homes.hung_tri, line=4, cmnd="184000001", full_name="LÊ VĂN TƯ")
        suspicions.sweep()
        body = page.get(address(homes.two)).content.decode()
        assert "thị xã Kỳ Anh" in body
        assert other.barcode not in body
        assert "Hưng Trí" not in body
        assert other.full_name not in body

    def test_a_former_address_says_what_it_is_now(self, page, homes, tree):
        day = date(2020, 1, 1)
        old = make_unit(tree.huong_khe, "Hương Cũ", Type.RURAL_COMMUNE, Level.COMMUNE, valid_to=day)
        UnitChange.objects.create(
            effective_on=day, resolution="819", kind="merged", old_unit=old, new_unit=tree.phu_gia
        )
        make_form(homes.two, line=3, present_place="xã Hương Cũ, huyện Hương Khê, tỉnh Hà Tĩnh")
        suspicions.sweep()
        assert "xã Phú Gia, huyện Hương Khê" in page.get(address(homes.two)).content.decode()

    def test_of_the_household_together(self, page, homes):
        make_form(homes.two, line=3, relation="Chủ hộ", full_name="TRẦN VĂN BA")
        assert "2 người được ghi là chủ hộ" in page.get(address(homes.two)).content.decode()

    def test_one_query_more_than_without(self, page, homes, tree, django_assert_num_queries):
        clean = make_household(tree.dong)
        make_form(clean, relation="Chủ hộ", cmnd="184000009", birth_year=1971)
        suspicions.sweep()
        page.get(address(clean))
        with django_assert_num_queries(12):
            page.get(address(clean))
        CollectionForm.objects.filter(household=homes.four).update(religion="")
        make_form(homes.four, line=5, cmnd="184000001", full_name="TRẦN VĂN BA")
        make_form(homes.three, line=5, cmnd="184000001", full_name="LÊ VĂN TƯ")
        suspicions.sweep()
        with django_assert_num_queries(13):
            page.get(address(homes.four))


class TestAfterSaving:
    def saved(self, page, homes, cast, *corrections) -> str:
        form = homes.two.forms.order_by("line").first()
        recorded = record(homes.two, cast.officer, "corrected", only=[form.pk], corrections=corrections)
        return page.get(f"{address(homes.three)}?saved={recorded.passes[0].submission}").content.decode()

    def test_a_correction_that_contradicts_the_rest_is_said(self, page, homes, cast):
        body = self.saved(page, homes, cast, CorrectionEntry("pin", "042179000001", "archive"))
        assert "còn nghi vấn" in body
        assert "số thứ 4 là 1" in body

    def test_corrections_that_agree_leave_nothing_to_say(self, page, homes, cast):
        corrections = (
            CorrectionEntry("pin", "042079000001", "archive"),
            CorrectionEntry("birth_date", "17/5/1979", "archive"),
        )
        body = self.saved(page, homes, cast, *corrections)
        assert "còn nghi vấn" not in body

    def test_the_collected_values_stay(self, page, homes, cast):
        form = homes.two.forms.order_by("line").first()
        self.saved(page, homes, cast, CorrectionEntry("birth_date", "1979", "archive"))
        form.refresh_from_db()
        assert (form.birth_day, form.birth_month, form.birth_year) == (17, 5, 1980)


@pytest.mark.parametrize(
    ("typed", "expected"), [("12/03/1956", (12, 3, 1956)), ("03/1956", (None, 3, 1956)), ("1956", (None, None, 1956))]
)
def test_a_form_as_it_would_be_corrected(typed, expected):
    form = CollectionForm(birth_day=1, birth_month=2, birth_year=1900, sex=1, marital_status=1, religion="")
    values = {"birth_date": typed, "sex": "2", "marital_status": "3", "religion": "Không"}
    after = items.corrected(form, values)
    assert (after.birth_day, after.birth_month, after.birth_year) == expected
    assert (after.sex, after.marital_status, after.religion) == (2, 3, "Không")
    assert form.birth_day == 1
