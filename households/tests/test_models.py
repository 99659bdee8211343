import pytest
from django.db import IntegrityError, transaction

from households.models import AdministrativeUnit, Commune, District, Province, TeamCommune
from households.permissions import scope_of
from households.tests.factories import Level, Type, make_form, make_hamlet, make_officer, make_unit


def test_a_path_holds_what_is_below_and_nothing_beside(tree):
    below = AdministrativeUnit.objects.under(tree.huong_khe)
    assert set(below) == {tree.huong_khe, tree.huong_tra, tree.phu_gia, tree.dong, tree.tay, tree.phu_gia_1}
    assert tree.dong.path.startswith(tree.huong_tra.path)
    assert tree.huong_tra.path.endswith("/")


def test_provinces_districts_and_communes_by_name(tree):
    assert list(Province.objects.all()) == [Province.objects.get(code="42")]
    assert District.objects.count() == 2
    assert Commune.objects.count() == 3


def test_a_name_is_printed_with_its_type(tree):
    other = make_unit(tree.province, "Kỳ Anh", Type.RURAL_DISTRICT, Level.DISTRICT, code="447")
    assert (other.full_name, tree.ky_anh.full_name) == ("Huyện Kỳ Anh", "Thị xã Kỳ Anh")
    assert tree.ky_anh.mid_sentence_name == "thị xã Kỳ Anh"
    ward = make_unit(tree.ky_anh, "Phường 1", Type.WARD, Level.COMMUNE)
    assert ward.full_name == "Phường 1"


def test_a_code_may_come_back_when_its_unit_has_ended(tree):
    make_unit(tree.ky_anh, "Cũ", Type.WARD, Level.COMMUNE, code="18999", valid_to="2020-01-01")
    make_unit(tree.ky_anh, "Mới", Type.WARD, Level.COMMUNE, code="18999", valid_from="2020-01-01")
    with pytest.raises(IntegrityError), transaction.atomic():
        make_unit(tree.ky_anh, "Khác", Type.WARD, Level.COMMUNE, code="18999", valid_from="2020-02-01")


def test_a_commune_has_one_team_at_a_time(cast, tree):
    with pytest.raises(IntegrityError), transaction.atomic():
        TeamCommune.objects.create(team=cast.other_team, commune=tree.huong_tra, valid_from="2020-03-01")


@pytest.mark.parametrize(("role", "place"), [("team_member", "unit"), ("commune_officer", "team")])
def test_a_posting_is_to_a_team_or_to_a_unit(cast, tree, role, place):
    with pytest.raises(IntegrityError), transaction.atomic():
        make_officer(role, cast.team if place == "team" else tree.huong_tra)


def test_scopes(cast, tree):
    assert scope_of(cast.officer).person_units == (tree.huong_tra,)
    assert set(scope_of(cast.member).person_units) == {tree.huong_tra, tree.phu_gia}
    assert scope_of(cast.leader).person_units == ()
    assert scope_of(cast.leader).figure_units == (tree.province,)
    assert scope_of(cast.supervisor).persons_cover(tree.dong)
    assert not scope_of(cast.supervisor).persons_cover(tree.hung_tri)


def test_a_deactivated_officer_sees_nothing(cast):
    cast.officer.is_active = False
    assert scope_of(cast.officer).figure_units == ()


def test_birth_dates_may_be_partial(homes):
    one = homes.two.forms.first()
    assert one.birth_date_text == "17/05/1980"
    one.birth_day = None
    assert one.birth_date_text == "05/1980"
    one.birth_month = None
    assert one.birth_date_text == "1980"


def test_a_day_without_its_month_is_refused(homes):
    with pytest.raises(IntegrityError), transaction.atomic():
        make_form(homes.two, birth_day=3, birth_month=None)


def test_hamlets_are_units_of_the_lowest_level(tree):
    hamlet = make_hamlet(tree.huong_tra, "Nam")
    assert hamlet.full_name == "Thôn Nam"
    assert hamlet.code.startswith("18526-")
