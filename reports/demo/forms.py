"""What is written on the forms of one home: names, dates, numbers, places. All made up, all consistent.

What is wrong on a form is put in afterwards (`faults.py`), so that the right value is known.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import NamedTuple

from households.faults import AGE_OF_IDENTITY_CARD
from reports.demo.names import FEMALE, MALE, POOL, era_of, rests, surnames
from reports.demo.people import Home, Person

YEAR = 2018
FIRST_YEAR_OF_NUMBERS = 2016  # who was born since has the number from birth registration
SINGLE, MARRIED, DIVORCED_OR_WIDOWED = "1", "2", "3"
KINH, NO_RELIGION = "Kinh", "Không"
# where people move to and come from, with the province's code in a personal number
OTHER_PROVINCES = (
    ("tỉnh Nghệ An", "40"), ("tỉnh Quảng Bình", "44"), ("tỉnh Thanh Hóa", "38"), ("Thành phố Hà Nội", "01"),
    ("Thành phố Hồ Chí Minh", "79"), ("tỉnh Đắk Lắk", "66"), ("tỉnh Bình Dương", "74"), ("tỉnh Đồng Nai", "75"),
)  # fmt: skip


class Place(NamedTuple):
    """A place as clerks write it, its code, and the first digits of numbers of who was registered there."""

    text: str
    code: str
    pin_prefix: str = "042"


FAR_AWAY = tuple(Place(text, code, "0" + code) for text, code in OTHER_PROVINCES)


@dataclass
class Surroundings:
    """What the forms of a home have in common: where it is, what it is, and where its people may come from."""

    home: Place
    hamlet: str
    near: Sequence[Place]
    province: Sequence[Place]
    cards: Iterator[int]
    pins: Iterator[int]
    book_number: str
    ethnicity: str
    religion: str


def fill(home: Home, around: Surroundings, random: Random) -> None:
    """Write the forms of a home."""
    draw = random.random
    _name_everybody(home, draw)
    head = home[0]
    residence = f"{around.hamlet}, {around.home.text}"
    for person in home:
        _write_birth(person, draw)
        _write_places(person, home, around, residence, draw)
        _write_numbers(person, around, draw)
        person.marital_status = _marital_status(person, draw)
        person.ethnicity, person.religion = around.ethnicity, around.religion
        person.book_number, person.blood_type = around.book_number, ""
    absent: dict[int, str] = {}
    for person in home:
        _write_family(person, home, absent, draw)
        person.head_name, person.head_number = head.name, head.cmnd or head.pin


def _name_everybody(home: Home, draw) -> None:
    """Children carry the father's surname; a father who moved in carries the head's."""
    pool = surnames()
    for person in home:
        if person.father >= 0 and home[person.father].relation != "Cha đẻ":
            person.surname = home[person.father].surname
        elif person.relation in ("Cha đẻ", "Em", "Con"):
            person.surname = home[0].surname
        else:
            person.surname = pool[int(POOL * draw())]
        person.birth_year = YEAR - person.age
        name_person(person, rests(person.sex, era_of(person.birth_year))[int(POOL * draw())])


def name_person(person: Person, rest) -> None:
    surname = person.surname
    person.name = f"{surname.text} {rest.text}"
    person.search_key = f"{surname.folded} {rest.folded}"
    # as text.person_sort_key: given name, surname, middle name
    person.sort_key = f"{rest.given_sorted}!{surname.sorted}!{rest.middle_sorted}"


def _write_birth(person: Person, draw) -> None:
    # who was born in the year of collection was born before it
    person.birth_month = 1 + int((6 if person.birth_year == YEAR else 12) * draw())
    person.birth_day = 1 + int(28 * draw())


def _write_places(person: Person, home: Home, around: Surroundings, residence: str, draw) -> None:
    chance, here = draw(), around.home
    if person.age < 25:
        chance *= 0.85
    if chance < 0.74:
        place = here
    elif chance < 0.91:
        place = around.near[int(len(around.near) * draw())]
    elif chance < 0.98:
        place = around.province[int(len(around.province) * draw())]
    else:
        place = FAR_AWAY[int(len(FAR_AWAY) * draw())]
    person.registered = place
    person.registered_code = place.code if draw() < 0.85 else ""
    origin = home[person.father].origin if person.father >= 0 and person.age < 25 else place.text
    person.origin, person.origin_code = origin, place.code if origin == place.text else ""
    person.residence, person.residence_code = residence, here.code
    if 18 <= person.age < 45 and draw() < 0.15:
        person.present, person.present_code = FAR_AWAY[int(len(FAR_AWAY) * draw())].text, ""
    else:
        person.present, person.present_code = residence, here.code


def _write_numbers(person: Person, around: Surroundings, draw) -> None:
    person.cmnd = person.pin = ""
    if person.age > AGE_OF_IDENTITY_CARD:
        person.cmnd = f"18{scattered(next(around.cards), 2_000_000) + 3_000_000}"
    if person.birth_year >= FIRST_YEAR_OF_NUMBERS or draw() < 0.08:
        century_and_sex = 2 * (person.birth_year >= 2000) + (person.sex == FEMALE)
        person.pin = (
            f"{person.registered.pin_prefix}{century_and_sex}{person.birth_year % 100:02d}"
            f"{scattered(next(around.pins), 1_000_000):06d}"
        )


def scattered(place: int, below: int) -> int:
    """Numbers in no order one could see, and no two alike: 1.234.567 has no divisor in common with a power of ten."""
    return place * 1_234_567 % below


def _marital_status(person: Person, draw) -> str:
    if person.spouse >= 0:
        return MARRIED
    if person.age < 30 or person.relation == "Con":
        return SINGLE
    return DIVORCED_OR_WIDOWED if person.age >= 60 or draw() < 0.4 else MARRIED if draw() < 0.5 else SINGLE


def _write_family(person: Person, home: Home, absent: dict[int, str], draw) -> None:
    """`absent`: by the mother's place, the father who lives elsewhere, the same for all her children."""
    person.father_number = person.mother_number = person.spouse_name = person.spouse_number = ""
    if person.father >= 0:
        father = home[person.father]
        person.father_name, person.father_number = father.name, father.cmnd
    elif person.mother in absent:
        person.father_name = absent[person.mother]
    else:
        rest = rests(MALE, era_of(person.birth_year - 28))[int(POOL * draw())]
        person.father_name = f"{person.surname.text} {rest.text}"
        if person.mother >= 0:
            absent[person.mother] = person.father_name
    if person.mother >= 0:
        mother = home[person.mother]
        person.mother_name, person.mother_number = mother.name, mother.cmnd
    else:
        rest = rests(FEMALE, era_of(person.birth_year - 25))[int(POOL * draw())]
        person.mother_name = f"{surnames()[int(POOL * draw())].text} {rest.text}"
    if person.spouse >= 0:
        spouse = home[person.spouse]
        person.spouse_name, person.spouse_number = spouse.name, spouse.cmnd
    elif person.marital_status == MARRIED:
        # lives elsewhere
        rest = rests(MALE + FEMALE - person.sex, era_of(person.birth_year))[int(POOL * draw())]
        person.spouse_name = f"{surnames()[int(POOL * draw())].text} {rest.text}"


def birth_date_text(person: Person) -> str:
    """As `CollectionForm.birth_date_text`."""
    parts = [f"{part:02d}" for part in (person.birth_day, person.birth_month) if part]
    return "/".join([*parts, str(person.birth_year)])
