"""A small true tree and a cast: this commune's officer, her supervisor, a stranger, and the province."""

from types import SimpleNamespace

import pytest
from django.core.cache import caches
from django.utils import translation
from hypothesis import settings as hypothesis_settings

from households.tests.factories import Level, Type, make_hamlet, make_household, make_officer, make_team, make_unit
from verification.tests.factories import open_round

# how long an example takes is the machine's business, and no test of ours
hypothesis_settings.register_profile("untimed", deadline=None)
hypothesis_settings.load_profile("untimed")


@pytest.fixture(autouse=True)
def _on_the_training_day(settings):
    from datetime import date

    settings.CENSUS_VERIFY_TODAY = date(2020, 6, 19)


@pytest.fixture(autouse=True)
def _in_vietnamese(settings):
    """A request in English leaves its language to whatever runs next in the thread; here tests run in any order."""
    translation.activate(settings.LANGUAGE_CODE)


@pytest.fixture(autouse=True)
def _quick_passwords(settings, request):
    if "browser" not in request.keywords:
        settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(autouse=True)
def _empty_cache():
    for cache in caches.all(initialized_only=False):
        cache.clear()


@pytest.fixture
def tree(db):
    """Hà Tĩnh with two districts; Hương Trà has two hamlets, the other communes one."""
    country = make_unit(None, "Việt Nam", Type.COUNTRY, Level.COUNTRY, code="VN")
    province = make_unit(country, "Hà Tĩnh", Type.PROVINCE, Level.PROVINCE, code="42")
    huong_khe = make_unit(province, "Hương Khê", Type.RURAL_DISTRICT, Level.DISTRICT, code="444")
    ky_anh = make_unit(province, "Kỳ Anh", Type.TOWN, Level.DISTRICT, code="449")
    huong_tra = make_unit(huong_khe, "Hương Trà", Type.RURAL_COMMUNE, Level.COMMUNE, code="18526")
    phu_gia = make_unit(huong_khe, "Phú Gia", Type.RURAL_COMMUNE, Level.COMMUNE, code="18547")
    hung_tri = make_unit(ky_anh, "Hưng Trí", Type.WARD, Level.COMMUNE, code="18754")
    return SimpleNamespace(
        country=country,
        province=province,
        huong_khe=huong_khe,
        ky_anh=ky_anh,
        huong_tra=huong_tra,
        phu_gia=phu_gia,
        hung_tri=hung_tri,
        dong=make_hamlet(huong_tra, "Đông"),
        tay=make_hamlet(huong_tra, "Tây"),
        phu_gia_1=make_hamlet(phu_gia, "Phú Bình"),
        hung_tri_1=make_hamlet(hung_tri, "Hưng Hòa"),
    )


@pytest.fixture
def cast(tree):
    team = make_team(tree.huong_khe, tree.huong_tra, tree.phu_gia)
    other_team = make_team(tree.ky_anh, tree.hung_tri)
    return SimpleNamespace(
        officer=make_officer("commune_officer", tree.huong_tra, "officer"),
        supervisor=make_officer("district_officer", tree.huong_khe, "supervisor"),
        stranger=make_officer("commune_officer", tree.hung_tri, "stranger"),
        member=make_officer("team_member", team, "member"),
        pc06=make_officer("pc06_officer", tree.province, "pc06"),
        admin=make_officer("administrator", tree.province, "admin", is_staff=True, is_superuser=True),
        leader=make_officer("leader", tree.province, "leader"),
        team=team,
        other_team=other_team,
    )


@pytest.fixture
def homes(tree):
    """Five households: three of 4, 2 and 3 in Hương Trà, one of 2 in Phú Gia, one of 3 in Hưng Trí."""
    return SimpleNamespace(
        four=make_household(tree.dong, people=4),
        two=make_household(tree.dong, people=2),
        three=make_household(tree.tay, people=3),
        phu_gia=make_household(tree.phu_gia_1, people=2),
        hung_tri=make_household(tree.hung_tri_1, people=3),
    )


@pytest.fixture
def round(homes, cast, tree):
    return open_round(tree.province, cast.pc06)
