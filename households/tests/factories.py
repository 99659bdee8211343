"""Builders for tests. The people are made up."""

from datetime import date
from itertools import count

from households import text
from households.models import AdministrativeUnit, CollectionForm, Household, Posting, TeamCommune, User, WorkTeam

Level, Type = AdministrativeUnit.Level, AdministrativeUnit.Type
numbers = count(1)
SINCE = date(2020, 1, 1)


def make_unit(parent: AdministrativeUnit | None, name: str, type: str, level: int, code: str = "", **fields):
    return AdministrativeUnit.objects.create_under(
        parent,
        name=name,
        type=type,
        level=level,
        code=code or f"T{next(numbers)}",
        sort_key=AdministrativeUnit.sort_key_for(name),
        **fields,
    )


def make_hamlet(commune: AdministrativeUnit, name: str = "Đông", **fields):
    return make_unit(commune, name, Type.VILLAGE, Level.HAMLET, code=f"{commune.code}-{next(numbers):02d}", **fields)


def make_officer(
    role: str, place: AdministrativeUnit | WorkTeam, username: str = "", *, files: str | None = None, **fields
) -> User:
    """An officer posted since the beginning of 2020. `files`: her right to files with persons, as Posting has it; by
    default with masked numbers, at PC06 with whole ones."""
    number = next(numbers)
    if files is None:
        files = {"leader": "", "pc06_officer": "whole", "administrator": "whole"}.get(role, "masked")
    officer = User.objects.create(username=username or f"officer{number}", full_name=f"Cán Bộ Thử {number}", **fields)
    where = {"team": place} if isinstance(place, WorkTeam) else {"unit": place}
    Posting.objects.create(user=officer, role=role, valid_from=SINCE, person_files=files, **where)
    return officer


def make_team(district: AdministrativeUnit, *communes: AdministrativeUnit) -> WorkTeam:
    number = next(numbers)
    team = WorkTeam.objects.create(code=f"TCT-{number}", name=f"Tổ công tác số {number}", district=district)
    for commune in communes:
        TeamCommune.objects.create(team=team, commune=commune, valid_from=SINCE)
    return team


def make_household(hamlet: AdministrativeUnit, people: int = 0, **fields) -> Household:
    """A household of `people` correct, qualified forms."""
    household = household_of(hamlet, **fields)
    household.save()
    for form in forms_of(household, people):
        form.save()
    return household


def household_of(hamlet: AdministrativeUnit, **fields) -> Household:
    """Not saved yet."""
    commune = hamlet.parent
    number = next(numbers)
    return Household(
        **{
            "province": commune.parent.parent,
            "commune": commune,
            "hamlet": hamlet,
            "book_number": f"35{number:07d}",
            "address": f"{hamlet.full_name}, đội 1",
            "head_name": "NGUYỄN VĂN THỬ",
            "sequence": number,
        }
        | fields
    )


def forms_of(household: Household, people: int) -> list[CollectionForm]:
    """The forms of a head and children, not saved yet."""
    return [form_of(household, line=line, relation="Chủ hộ" if line == 1 else "Con") for line in range(1, people + 1)]


def make_form(household: Household, **fields) -> CollectionForm:
    form = form_of(household, **fields)
    form.save()
    return form


def form_of(household: Household, **fields) -> CollectionForm:
    """Not saved yet."""
    name = fields.pop("full_name", "NGUYỄN VĂN THỬ")
    return CollectionForm(
        **{
            "province": household.province,
            "commune": household.commune,
            "hamlet": household.hamlet,
            "collected_unit": household.commune,
            "household": household,
            "line": 1,
            "barcode": f"TEST{next(numbers):09d}",
            "collected_on": date(2018, 9, 1),
            "qualification": CollectionForm.Qualification.QUALIFIED,
            "is_synthetic": True,
            "full_name": name,
            "birth_year": 1980,
            "birth_month": 5,
            "birth_day": 17,
            "sex": 1,
            "marital_status": 2,
            "birth_registration_place": "xã Hương Trà, huyện Hương Khê, tỉnh Hà Tĩnh",
            "origin_place": "xã Hương Trà, huyện Hương Khê, tỉnh Hà Tĩnh",
            "residence_place": "xã Hương Trà, huyện Hương Khê, tỉnh Hà Tĩnh",
            "present_place": "xã Hương Trà, huyện Hương Khê, tỉnh Hà Tĩnh",
            "father_name": "NGUYỄN VĂN CHA",
            "mother_name": "TRẦN THỊ MẸ",
            "spouse_name": "LÊ THỊ VỢ",
            "head_name": "NGUYỄN VĂN THỬ",
            "book_number": household.book_number,
            "ethnicity": "Kinh",
            "nationality": "Việt Nam",
            "religion": "Không",
            "cmnd": "183000001",
            "relation": "Con",
            "search_key": text.search_key(name),
            "sort_key": text.person_sort_key(name),
        }
        | fields
    )
