"""What the running program of the tests holds: a small true tree, officers who can log in, many households.

Run inside the program under test: `python -m census_verify.tests.stack_data`.
"""

import django

HOUSEHOLDS_A_HAMLET = 100  # of five hamlets: the tests share them, in any order, and save about 300
PASSWORD = "phuctra-2020-kiemthu"
OFFICERS = {
    "officer": "commune_officer",
    "colleague": "commune_officer",
    "district": "district_officer",
    "district2": "district_officer",
    "member": "team_member",
    "pc06": "pc06_officer",
    "admin": "administrator",
}


def make() -> None:
    from django.contrib.auth.hashers import make_password

    from households.tests.factories import Level, Type, make_hamlet, make_household, make_officer, make_team, make_unit
    from verification.models import Target
    from verification.tests.factories import open_round

    country = make_unit(None, "Việt Nam", Type.COUNTRY, Level.COUNTRY, code="VN")
    province = make_unit(country, "Hà Tĩnh", Type.PROVINCE, Level.PROVINCE, code="42")
    district = make_unit(province, "Hương Khê", Type.RURAL_DISTRICT, Level.DISTRICT, code="444")
    commune = make_unit(district, "Hương Trà", Type.RURAL_COMMUNE, Level.COMMUNE, code="18526")
    other = make_unit(district, "Phú Gia", Type.RURAL_COMMUNE, Level.COMMUNE, code="18547")
    team = make_team(district, commune, other)
    password = make_password(PASSWORD)
    made = {}
    for username, role in OFFICERS.items():
        place = {"commune_officer": commune, "district_officer": district, "team_member": team}.get(role, province)
        made[username] = make_officer(role, place, username, password=password, is_staff=role == "administrator")
    for place, names in ((commune, ["Đông", "Tây", "Nam", "Bắc", "Trung"]), (other, ["Phú Bình"])):
        for name in names:
            hamlet = make_hamlet(place, name)
            for number in range(HOUSEHOLDS_A_HAMLET):
                make_household(hamlet, people=2 + number % 4)
    round = open_round(province, made["pc06"])
    Target.objects.create(round=round, percent=85, due_on="2020-06-30")


if __name__ == "__main__":
    django.setup()
    from django.db import transaction

    with transaction.atomic():
        make()
