from datetime import date
from io import StringIO

import pytest
from django.core.management import call_command

from households.lineage import predecessors_of, unit_on
from households.models import AdministrativeUnit, UnitChange
from households.unit_import import import_units

COLLECTED, VERIFIED = date(2018, 12, 31), date(2020, 6, 19)
Level = AdministrativeUnit.Level

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def units():
    import_units()


def counts_on(day: date) -> list[int]:
    units = AdministrativeUnit.objects.valid_on(day)
    return [units.filter(level=level).count() for level in (Level.PROVINCE, Level.DISTRICT, Level.COMMUNE)]


def commune(name: str, day: date, district: str) -> AdministrativeUnit:
    return AdministrativeUnit.objects.valid_on(day).get(level=Level.COMMUNE, name=name, parent__code=district)


def test_the_lists_of_2018_and_2020_come_out_of_their_days():
    assert counts_on(COLLECTED) == [1, 13, 262]
    assert counts_on(VERIFIED) == [1, 13, 216]
    assert counts_on(date(2019, 12, 31)) == [1, 13, 262]
    assert counts_on(date(2020, 1, 1)) == [1, 13, 216]


def test_twice_gives_the_same_rows_and_asks_little(django_assert_num_queries):
    before = list(AdministrativeUnit.objects.order_by("pk").values()), list(UnitChange.objects.order_by("pk").values())
    with django_assert_num_queries(2):
        import_units()
    after = list(AdministrativeUnit.objects.order_by("pk").values()), list(UnitChange.objects.order_by("pk").values())
    assert after == before


def test_a_lost_row_comes_back():
    UnitChange.objects.filter(old_unit__name="Thạch Bằng").delete()
    assert import_units().new_changes == 1


def test_each_commune_of_2018_leads_to_one_of_2020():
    today = set(AdministrativeUnit.objects.valid_on(VERIFIED).filter(level=Level.COMMUNE))
    of_2018 = AdministrativeUnit.objects.valid_on(COLLECTED).filter(level=Level.COMMUNE)
    assert {unit_on(unit, VERIFIED) for unit in of_2018} == today


def test_a_standing_unit_is_itself():
    nghen = commune("Nghèn", COLLECTED, "443")
    assert unit_on(nghen, VERIFIED) == nghen
    assert [unit.name for unit in predecessors_of(nghen)] == ["Tiến Lộc"]


def test_thach_bang_became_the_town_of_loc_ha():
    thach_bang = commune("Thạch Bằng", COLLECTED, "448")
    assert unit_on(thach_bang, VERIFIED).full_name == "Thị trấn Lộc Hà"
    assert unit_on(thach_bang, COLLECTED) == thach_bang
    assert thach_bang.changes_out.get().kind == UnitChange.Kind.RECLASSIFIED


def test_a_code_used_twice_is_two_units():
    thach_mon, dong_mon = AdministrativeUnit.objects.filter(code="18103").order_by("valid_to")
    assert (thach_mon.name, dong_mon.name) == ("Thạch Môn", "Đồng Môn")
    assert thach_mon.valid_to == dong_mon.valid_from == date(2020, 1, 1)
    assert unit_on(thach_mon, VERIFIED) == dong_mon
    assert [unit.name for unit in predecessors_of(dong_mon)] == ["Thạch Môn", "Thạch Đồng"]


def test_no_unit_changes_into_itself_and_absorbed_ones_end():
    assert UnitChange.objects.filter(kind=UnitChange.Kind.ABSORBED).count() == 4
    assert UnitChange.objects.count() == 77


def test_the_command_says_how_many():
    out = StringIO()
    call_command("import_units", stdout=out)
    assert out.getvalue() == "308 units (0 new), 77 changes (0 new)\n"
