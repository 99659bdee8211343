"""What the running program of the tests holds: a small true tree, in which each test has a district of its own.

Run inside the program under test: `python -m census_verify.tests.stack_data 20 20 60`, a number for each
district: the households of its first commune.
"""

import sys

import django

PASSWORD = "phuctra-2020-kiemthu"
HAMLETS = ("Đông", "Tây", "Nam", "Bắc", "Trung")
AT_THE_PROVINCE = {"pc06": "pc06_officer", "admin": "administrator"}
IN_A_DISTRICT = {
    "officer": "commune_officer",
    "colleague": "commune_officer",
    "district": "district_officer",
    "district2": "district_officer",
    "member": "team_member",
}
HOUSEHOLDS_NEXT_DOOR = 5


def codes_of(number: int) -> tuple[str, str, str]:
    """The codes of a district and its two communes."""
    return f"{400 + number}", f"{18000 + 2 * number}", f"{18001 + 2 * number}"


def make(households: list[int]) -> None:
    from django.contrib.auth.hashers import make_password

    from households.tests.factories import Level, Type, make_officer, make_unit
    from verification.models import Target
    from verification.tests.factories import open_round

    country = make_unit(None, "Việt Nam", Type.COUNTRY, Level.COUNTRY, code="VN")
    province = make_unit(country, "Hà Tĩnh", Type.PROVINCE, Level.PROVINCE, code="42")
    password = make_password(PASSWORD)
    made = {
        name: make_officer(role, province, name, password=password, is_staff=role == "administrator")
        for name, role in AT_THE_PROVINCE.items()
    }
    for number, count in enumerate(households):
        make_district(province, number, count, password)
    round = open_round(province, made["pc06"])
    Target.objects.create(round=round, percent=85, due_on="2020-06-30")


def make_district(province, number: int, households: int, password: str) -> None:
    """Two communes, the first of five hamlets, a team that goes through both, and everybody who works there."""
    from households.tests.factories import Level, Type, make_hamlet, make_officer, make_team, make_unit

    district_code, commune_code, other_code = codes_of(number)
    district = make_unit(province, "Hương Khê", Type.RURAL_DISTRICT, Level.DISTRICT, code=district_code)
    commune = make_unit(district, "Hương Trà", Type.RURAL_COMMUNE, Level.COMMUNE, code=commune_code)
    other = make_unit(district, "Phú Gia", Type.RURAL_COMMUNE, Level.COMMUNE, code=other_code)
    places = {"commune_officer": commune, "district_officer": district}
    places["team_member"] = make_team(district, commune, other)
    for name, role in IN_A_DISTRICT.items():
        make_officer(role, places[role], f"{name}.{number}", password=password)
    hamlets = [make_hamlet(commune, name) for name in HAMLETS]
    fill([hamlets[n * len(hamlets) // households] for n in range(households)])
    fill([make_hamlet(other, "Phú Bình")] * HOUSEHOLDS_NEXT_DOOR)


def fill(hamlets: list) -> None:
    """A household in each of them, of two to five people in turn."""
    from households.models import CollectionForm, Household
    from households.tests.factories import forms_of, household_of

    homes = Household.objects.bulk_create([household_of(hamlet) for hamlet in hamlets])
    CollectionForm.objects.bulk_create(
        [form for number, home in enumerate(homes) for form in forms_of(home, 2 + number % 4)]
    )


if __name__ == "__main__":
    django.setup()
    from django.db import transaction

    with transaction.atomic():
        make([int(count) for count in sys.argv[1:]])
