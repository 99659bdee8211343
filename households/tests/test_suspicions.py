"""What is stored of the rules' suspicions: the sweep, a few forms afresh, and the rules of the whole register."""

from collections import Counter
from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from households import faults, lineage, suspicions
from households.models import CollectionForm, Household, SuspectedFault, UnitChange
from households.tests.factories import Level, Type, make_form, make_household, make_unit, numbers

DAY = date(2020, 6, 19)
HEAD = "LÊ VĂN CHỦ"


def person(household, **fields) -> CollectionForm:
    """A correct form of somebody who is on no other."""
    number = next(numbers)
    name = f"LÊ VĂN {chr(65 + number % 26)}{chr(65 + number // 26 % 26)}"
    single = {"relation": "Cháu", "head_name": HEAD, "marital_status": 1, "spouse_name": ""}
    return make_form(household, **{"full_name": name, "cmnd": f"184{number:06d}"} | single | fields)


def make_home(hamlet) -> Household:
    """A household without a fault: its head, and a child."""
    household = make_household(hamlet, head_name=HEAD)
    birth = {"birth_year": 1970, "birth_day": next(numbers) % 28 + 1, "birth_month": next(numbers) % 12 + 1}
    person(household, full_name=HEAD, relation="Chủ hộ", **birth)
    person(household, line=2, relation="Con", birth_year=2008, cmnd="")
    return household


def stored() -> set[tuple[int, str, str]]:
    return set(SuspectedFault.objects.values_list("form_id", "fault", "field"))


def of(form: CollectionForm) -> list[tuple[str, str]]:
    return sorted(SuspectedFault.objects.filter(form=form).values_list("fault", "field"))


@pytest.fixture
def home(tree) -> Household:
    return make_home(tree.dong)


@pytest.fixture
def stranger_home(tree) -> Household:
    return make_home(tree.hung_tri_1)


def test_a_correct_register_has_none(home):
    swept = suspicions.sweep()
    assert (swept.forms, swept.stored, swept.removed) == (2, 0, 0)
    assert stored() == set()


def test_a_sweep_stores_what_the_rules_say_and_twice_changes_nothing(homes, home):
    person(home, line=3, relation="Vợ", sex=1, ethnicity="", book_number="ba số", blood_type="A")
    person(home, line=4, birth_month=2, birth_day=31, full_name="NGUYỄN\\VĂN\tBA", relation="Con", religion="\\N")
    first = suspicions.sweep()
    former_units = lineage.former_units(DAY)
    expected = {
        (form.pk, fault, field)
        for form in CollectionForm.objects.all()
        for fault, field in faults.suspected(form, former_units)
    }
    for household in Household.objects.all():
        together = faults.suspicions_in_household(list(household.forms.order_by("line", "pk")))
        expected |= {(form.pk, suspicion.fault.value, suspicion.field) for form, suspicion in together}
    of_forms = {row for row in stored() if row[1] not in faults.REGISTER_FAULTS}
    assert of_forms == expected
    assert len({fault for _form, fault, _field in expected}) >= 5
    assert first.stored == len(stored())
    before = list(SuspectedFault.objects.order_by("pk").values_list())
    second = suspicions.sweep()
    assert (second.stored, second.removed, second.communes) == (0, 0, frozenset())
    assert list(SuspectedFault.objects.order_by("pk").values_list()) == before


def test_what_is_no_more_suspected_goes(home):
    form = person(home, line=3, ethnicity="")
    suspicions.sweep()
    assert of(form) == [("L20", "ethnicity")]
    CollectionForm.objects.filter(pk=form.pk).update(ethnicity="Kinh", religion="")
    swept = suspicions.sweep()
    assert (swept.stored, swept.removed, swept.communes) == (1, 1, {home.commune_id})
    assert of(form) == [("L20", "religion")]


def test_a_sweep_of_one_commune_leaves_the_others(home, stranger_home):
    here, there = person(home, line=3, ethnicity=""), person(stranger_home, line=2, ethnicity="")
    assert suspicions.sweep([home.commune_id]).communes == {home.commune_id}
    assert of(here)
    assert not of(there)
    suspicions.sweep()
    SuspectedFault.objects.filter(form=here).delete()
    CollectionForm.objects.update(ethnicity="Kinh")
    suspicions.sweep([home.commune_id])
    assert of(there), "what was found there is not judged again"


def test_no_commune_is_no_work(home):
    person(home, line=3, ethnicity="")
    assert suspicions.sweep([]).forms == 0
    assert stored() == set()


def test_a_few_forms_afresh(home):
    form, other = person(home, line=3, ethnicity=""), person(home, line=4, ethnicity="")
    suspicions.sweep()
    CollectionForm.objects.filter(pk__in=[form.pk, other.pk]).update(ethnicity="Kinh")
    CollectionForm.objects.filter(pk=form.pk).update(relation="Chủ hộ")
    suspicions.refresh([form.pk])
    assert ("L17", "relation") in of(form), "its household has two heads now"
    assert of(other) == [], "it is of the same household"
    before = stored()
    assert suspicions.refresh([form.pk]).stored == 0
    assert stored() == before


def test_a_form_moved_to_another_commune_takes_its_suspicion_along(home, tree):
    form = person(home, line=3, ethnicity="")
    suspicions.sweep()
    CollectionForm.objects.filter(pk=form.pk).update(commune=tree.phu_gia)
    suspicions.sweep()
    assert SuspectedFault.objects.get(form=form).commune_id == tree.phu_gia.pk


def test_queries_do_not_grow_with_the_forms(home, tree):
    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            suspicions.sweep()
        return len(queries)

    before = count()
    for _ in range(5):
        make_household(tree.dong, people=3)
    assert count() <= before + 1  # the one COPY of what was found


# --- the rules of the register ---------------------------------------------------------------

NAMESAKE = {"full_name": "TRẦN THỊ HAI", "birth_year": 1970, "birth_month": 3, "birth_day": 9, "sex": 2}


def test_same_person(home, stranger_home):
    first, second = (
        person(home, line=3, **NAMESAKE),
        person(stranger_home, line=2, **NAMESAKE | {"full_name": "Trần Thị Hải"}),
    )
    suspicions.sweep()
    assert ("L09", "full_name") in of(first)
    assert ("L09", "full_name") in of(second)
    others = dict(SuspectedFault.objects.filter(fault="L09").values_list("form_id", "other_id"))
    assert others == {first.pk: second.pk, second.pk: first.pk}


@pytest.mark.parametrize("other", [{"birth_day": 10}, {"birth_day": None}, {"sex": 1}, {"full_name": "TRẦN THỊ BA"}])
def test_same_person_wants_name_sex_and_full_birth_date(home, stranger_home, other):
    person(home, line=3, **NAMESAKE)
    person(stranger_home, line=2, **NAMESAKE | other)
    suspicions.sweep()
    assert not SuspectedFault.objects.filter(fault="L09").exists()


def test_same_person_in_another_province_is_not_looked_for(home, tree):
    elsewhere = make_unit(tree.country, "Nghệ An", Type.PROVINCE, Level.PROVINCE)
    district = make_unit(elsewhere, "Nghi Lộc", Type.RURAL_DISTRICT, Level.DISTRICT)
    commune = make_unit(district, "Nghi Trung", Type.RURAL_COMMUNE, Level.COMMUNE)
    hamlet = make_unit(commune, "1", Type.VILLAGE, Level.HAMLET)
    person(home, line=3, **NAMESAKE)
    person(make_household(hamlet), **NAMESAKE)
    suspicions.sweep()
    assert not SuspectedFault.objects.filter(fault="L09").exists()


def test_same_personal_number(home, stranger_home):
    first, second = person(home, line=3, pin="042080000123"), person(stranger_home, line=2, pin="042080000123")
    suspicions.sweep()
    assert ("L09", "pin") in of(first)
    assert ("L09", "pin") in of(second)


def test_same_card_number(home, stranger_home):
    first, second = person(home, line=3, cmnd="184999999"), person(stranger_home, line=2, cmnd="184999999")
    person(home, line=4, cmnd="")
    person(stranger_home, line=3, cmnd="")
    suspicions.sweep()
    assert of(first).count(("L10", "cmnd")) == of(second).count(("L10", "cmnd")) == 1
    assert SuspectedFault.objects.filter(fault="L10").count() == 2


def test_same_card_number_of_one_person_on_two_forms_is_that_person_twice(home, stranger_home):
    first = person(home, line=3, cmnd="184999999", **NAMESAKE)
    second = person(stranger_home, line=2, cmnd="184999999", **NAMESAKE)
    third = person(home, line=4, cmnd="184999999")
    suspicions.sweep()
    others = dict(SuspectedFault.objects.filter(fault="L10").values_list("form_id", "other_id"))
    assert others == {first.pk: third.pk, second.pk: third.pk, third.pk: first.pk}


def test_a_sweep_of_one_commune_finds_the_other_half_of_a_pair(home, stranger_home):
    here, there = person(home, line=3, cmnd="184999999"), person(stranger_home, line=2, cmnd="184999999")
    swept = suspicions.sweep([home.commune_id])
    assert swept.communes == {home.commune_id, stranger_home.commune_id}
    assert of(there) == of(here) == [("L10", "cmnd")]
    CollectionForm.objects.filter(pk=here.pk).update(cmnd="184999998")
    suspicions.sweep([home.commune_id])
    assert of(there) == of(here) == []


def test_the_rest_of_a_group_stays_when_one_leaves_it(home, stranger_home, tree):
    here = person(home, line=3, cmnd="184999999")
    there, too = (person(stranger_home, line=line, cmnd="184999999") for line in (2, 3))
    suspicions.sweep()
    CollectionForm.objects.filter(pk=here.pk).update(cmnd="184999998")
    suspicions.sweep([home.commune_id])
    partly = set(SuspectedFault.objects.filter(fault="L10").values_list("form_id", "other_id"))
    assert partly == {(there.pk, too.pk), (too.pk, there.pk)}
    assert suspicions.sweep().stored == 0


def test_only_the_rules_of_the_register(home, stranger_home):
    """As an import calls them that has run the others itself."""
    here, _there = person(home, line=3, cmnd="184999999", ethnicity=""), person(stranger_home, line=2, cmnd="184999999")
    with connection.cursor() as cursor:
        changed = suspicions.store_register_suspicions(cursor, [home.commune_id])
        assert changed == {home.commune_id, stranger_home.commune_id}
        assert of(here) == [("L10", "cmnd")]
        assert suspicions.store_register_suspicions(cursor) == frozenset()
    suspicions.sweep()
    assert of(here) == [("L10", "cmnd"), ("L20", "ethnicity")]


def test_thousands_with_one_number_are_no_square_of_work(home):
    forms = [person(home, line=3 + n) for n in range(3)]
    copies = [CollectionForm(**{f.attname: getattr(forms[0], f.attname) for f in CollectionForm._meta.concrete_fields if f.attname not in ("id", "barcode")}) for _ in range(1500)]  # fmt: skip
    CollectionForm.objects.bulk_create(copies)
    suspicions.sweep()
    assert Counter(SuspectedFault.objects.values_list("fault", flat=True))["L09"] == 1501


# --- former units ----------------------------------------------------------------------------


@pytest.fixture
def merged(tree):
    """Xã Hương Cũ became part of Hương Trà in 2020."""
    day = date(2020, 1, 1)
    old = make_unit(tree.huong_khe, "Hương Cũ", Type.RURAL_COMMUNE, Level.COMMUNE, valid_to=day)
    UnitChange.objects.create(
        effective_on=day, resolution="819", kind=UnitChange.Kind.MERGED, old_unit=old, new_unit=tree.huong_tra
    )
    return old


def test_former_units_by_the_name_a_place_has(merged, tree):
    assert lineage.former_units(date(2019, 12, 31)) == {}
    units = lineage.former_units(DAY)
    assert units == {
        "xa huong cu, huyen huong khe": (merged.pk, "xã Hương Cũ", "xã Hương Trà, huyện Hương Khê"),
    }


def test_a_name_that_another_commune_carries_on_is_no_former_one(merged, tree):
    make_unit(tree.huong_khe, "Hương Cũ", Type.RURAL_COMMUNE, Level.COMMUNE, valid_from=date(2020, 1, 1))
    assert lineage.former_units(DAY) == {}


def test_an_address_in_a_former_unit_is_stored(merged, home):
    place = "thôn 2, xã Hương Cũ, huyện Hương Khê, tỉnh Hà Tĩnh"
    lives_there = person(home, line=3, present_place=place)
    collected_there = person(home, line=4, residence_place=place, present_place=place, collected_unit=merged)
    suspicions.sweep()
    assert of(lives_there) == [("L24", "present_place")]
    assert "L24" not in dict(of(collected_there))


# --- who may see them ------------------------------------------------------------------------


def test_visible_to_those_who_may_see_the_person(home, cast):
    person(home, line=3, ethnicity="")
    suspicions.sweep()
    seen = {name: SuspectedFault.objects.visible_to(getattr(cast, name)).count() for name in ("officer", "supervisor", "pc06", "stranger", "leader")}  # fmt: skip
    assert seen == {"officer": 1, "supervisor": 1, "pc06": 1, "stranger": 0, "leader": 0}


def test_a_suspicion_is_stored_once_by_constraint(home):
    from django.db import IntegrityError

    form = person(home, line=3)
    fields = {"province": form.province, "commune": form.commune, "form": form, "fault": "L01", "field": "birth_date"}
    SuspectedFault.objects.create(**fields)
    with pytest.raises(IntegrityError, match="suspected_once"):
        SuspectedFault.objects.create(**fields)
