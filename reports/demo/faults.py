"""The faults that phúc tra finds (domain.md section 6), put into forms that were right.

Each planter spoils one item of a form and says what was right and which paper shows it, or returns
nothing where the form has no such item. So a correction of the form can be written that is true.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import NamedTuple

from households import text
from households.faults import Fault
from reports.demo import names
from reports.demo.forms import DIVORCED_OR_WIDOWED, MARRIED, NO_RELIGION, SINGLE, birth_date_text
from reports.demo.people import Person
from verification.terms import SourcePaper

FAULTY_SHARE = 0.10
BLOOD_TYPES = "A", "B", "AB", "O"


class Planted(NamedTuple):
    """What a correction of the fault says."""

    field: str
    old: str
    new: str
    fault: str
    source: str


@dataclass
class Village:
    """What a fault may be taken from: numbers of people nearby, and communes that stand no more with what they became."""

    former: Sequence[tuple[str, str]]
    numbers: deque[str] = field(default_factory=lambda: deque(maxlen=50))


def incomplete_birth_date(person: Person, random: Random, village: Village) -> Planted:
    right = birth_date_text(person)
    person.birth_day = None
    if random.random() < 0.75:
        person.birth_month = None
    return Planted("birth_date", birth_date_text(person), right, Fault.L01, SourcePaper.BIRTH_CERTIFICATE)


def wrong_birth_date(person: Person, random: Random, village: Village) -> Planted:
    right = birth_date_text(person)
    # day and month change places, or the day is another
    if person.birth_day <= 6 and person.birth_day != person.birth_month:
        person.birth_day, person.birth_month = person.birth_month, person.birth_day
    else:
        person.birth_day = person.birth_day % 28 + 1
    return Planted("birth_date", birth_date_text(person), right, Fault.L02, SourcePaper.BIRTH_CERTIFICATE)


def misspelt_name(person: Person, random: Random, village: Village) -> Planted:
    right = person.name
    person.name = names.misspelt(right, random)
    person.search_key, person.sort_key = text.search_key(person.name), text.person_sort_key(person.name)
    return Planted("full_name", person.name, right, Fault.L03, SourcePaper.BIRTH_CERTIFICATE)


def no_birth_registration(person: Person, random: Random, village: Village) -> Planted:
    right = person.registered.text
    person.registered, person.registered_code = person.registered._replace(text=""), ""
    return Planted("birth_registration_place", "", right, Fault.L04, SourcePaper.BIRTH_CERTIFICATE)


def no_origin(person: Person, random: Random, village: Village) -> Planted:
    right, person.origin, person.origin_code = person.origin, "", ""
    return Planted("origin_place", "", right, Fault.L05, SourcePaper.HOUSEHOLD_BOOK)


def wrong_sex(person: Person, random: Random, village: Village) -> Planted | None:
    """Only where nothing else tells the sex, so that it is the one fault of the form."""
    if person.pin or person.relation not in ("Con", "Cháu", "Cháu nội", "Cháu ngoại") or person.spouse >= 0:
        return None
    right, person.sex = person.sex, 3 - person.sex
    return Planted("sex", str(person.sex), str(right), Fault.L06, SourcePaper.BIRTH_CERTIFICATE)


def wrong_number(person: Person, random: Random, village: Village) -> Planted | None:
    right = person.cmnd
    if not right:
        return None
    if person.pin or random.random() < 0.5:
        person.cmnd = right[:-1]
    else:
        person.cmnd = ""
    return Planted("cmnd", person.cmnd, right, Fault.L07, SourcePaper.IDENTITY_CARD)


def wrong_pin(person: Person, random: Random, village: Village) -> Planted | None:
    """Against the sex, against the year of birth, or a digit short."""
    right = person.pin
    if not right:
        return None
    chance = random.random()
    if chance < 0.5:
        person.pin = f"{right[:3]}{int(right[3]) ^ 1}{right[4:]}"
    elif chance < 0.85:
        person.pin = f"{right[:4]}{(int(right[4:6]) + 1 + int(8 * random.random())) % 100:02d}{right[6:]}"
    else:
        person.pin = right[:-1]
    fault = Fault.L08 if len(person.pin) == 12 else Fault.L07
    return Planted("pin", person.pin, right, fault, SourcePaper.BIRTH_CERTIFICATE)


def no_residence(person: Person, random: Random, village: Village) -> Planted:
    right, person.residence, person.residence_code = person.residence, "", ""
    return Planted("residence_place", "", right, Fault.L15, SourcePaper.HOUSEHOLD_BOOK)


def no_present_place(person: Person, random: Random, village: Village) -> Planted:
    right, person.present, person.present_code = person.present, "", ""
    return Planted("present_place", "", right, Fault.L16, SourcePaper.IN_PERSON)


def no_head(person: Person, random: Random, village: Village) -> Planted:
    """The head is not written as such, or the form does not say who the head is."""
    right = person.relation
    if right == "Chủ hộ" and person.father < 0 and person.mother < 0:
        person.relation = "Bố" if person.sex == names.MALE else "Mẹ"
        return Planted("relation", person.relation, right, Fault.L17, SourcePaper.HOUSEHOLD_BOOK)
    right, person.head_name, person.head_number = person.head_name, "", ""
    return Planted("head_name", "", right, Fault.L17, SourcePaper.HOUSEHOLD_BOOK)


def wrong_relation(person: Person, random: Random, village: Village) -> Planted:
    right, male = person.relation, person.sex == names.MALE
    if right in ("Vợ", "Chồng"):
        person.relation = "Vợ" if male else "Chồng"
    elif right == "Con":
        right, person.relation = ("Con trai", "Con gái") if male else ("Con gái", "Con trai")
    else:
        person.relation = ""
    return Planted("relation", person.relation, right, Fault.L18, SourcePaper.HOUSEHOLD_BOOK)


def no_parent(person: Person, random: Random, village: Village) -> Planted:
    if random.random() < 0.5:
        right, person.father_name, person.father_number = person.father_name, "", ""
        return Planted("father_name", "", right, Fault.L19, SourcePaper.BIRTH_CERTIFICATE)
    right, person.mother_name, person.mother_number = person.mother_name, "", ""
    return Planted("mother_name", "", right, Fault.L19, SourcePaper.BIRTH_CERTIFICATE)


def no_ethnicity(person: Person, random: Random, village: Village) -> Planted:
    if person.religion != NO_RELIGION and random.random() < 0.5:
        right, person.religion = person.religion, NO_RELIGION
        return Planted("religion", NO_RELIGION, right, Fault.L20, SourcePaper.IN_PERSON)
    right, person.ethnicity = person.ethnicity, ""
    return Planted("ethnicity", "", right, Fault.L20, SourcePaper.HOUSEHOLD_BOOK)


def old_marital_status(person: Person, random: Random, village: Village) -> Planted | None:
    before = {MARRIED: SINGLE, DIVORCED_OR_WIDOWED: MARRIED}.get(person.marital_status)
    if before is None:
        return None
    right, person.marital_status = person.marital_status, before
    return Planted("marital_status", before, right, Fault.L22, SourcePaper.CIVIL_STATUS_EXTRACT)


def wrong_book_number(person: Person, random: Random, village: Village) -> Planted:
    right = person.book_number
    person.book_number = f"{right[:-2]}{(int(right[-2:]) + 1 + int(98 * random.random())) % 100:02d}"
    return Planted("book_number", person.book_number, right, Fault.L23, SourcePaper.HOUSEHOLD_BOOK)


def somebody_elses_number(person: Person, random: Random, village: Village) -> Planted | None:
    if not person.cmnd or not village.numbers or person.cmnd in village.numbers:
        return None
    right, person.cmnd = person.cmnd, village.numbers[0]
    return Planted("cmnd", person.cmnd, right, Fault.L10, SourcePaper.IDENTITY_CARD)


def blood_type_by_hearsay(person: Person, random: Random, village: Village) -> Planted:
    right, person.blood_type = random.sample(BLOOD_TYPES, 2)
    return Planted("blood_type", person.blood_type, right, Fault.L21, SourcePaper.OTHER)


def former_address(person: Person, random: Random, village: Village) -> Planted | None:
    """Lives in another commune of the province, written as it was called before it was merged."""
    if not village.former:
        return None
    old, now = random.choice(village.former)
    if old in person.residence:
        return None
    person.present, person.present_code = old, ""
    return Planted("present_place", old, now, Fault.L24, SourcePaper.IN_PERSON)


PLANTERS: dict[Callable, int] = {
    incomplete_birth_date: 17, wrong_birth_date: 11, misspelt_name: 12, no_birth_registration: 8, no_origin: 6, wrong_sex: 2,
    wrong_number: 10, wrong_pin: 5, no_residence: 4, no_present_place: 4, no_head: 3, wrong_relation: 6, no_parent: 6,
    no_ethnicity: 3, old_marital_status: 8, wrong_book_number: 4,
    somebody_elses_number: 2, blood_type_by_hearsay: 3, former_address: 4,
}  # fmt: skip
_PLANTERS, _WEIGHTS = list(PLANTERS), list(PLANTERS.values())


def plant(person: Person, random: Random, village: Village) -> Planted:
    """Spoil one item of the form."""
    while True:
        (planter,) = random.choices(_PLANTERS, _WEIGHTS)
        planted = planter(person, random, village)
        if planted:
            return planted


# Where a person keeps an item whose name is not the item's.
KEPT_IN = {"origin_place": "origin", "residence_place": "residence", "present_place": "present"}


def mend(person: Person, planted: Planted) -> None:
    """Write what an approved correction says into the form, as `verification.form_values` does."""
    item, new = planted.field, planted.new
    if item == "full_name":
        person.name = new
        person.search_key, person.sort_key = text.name_keys(new)
    elif item == "birth_date":
        person.birth_day, person.birth_month, person.birth_year = map(int, new.split("/"))
    elif item == "birth_registration_place":
        person.registered, person.registered_code = person.registered._replace(text=new), ""
    elif item == "sex":
        person.sex = int(new)
    else:
        kept_in = KEPT_IN.get(item, item)
        setattr(person, kept_in, new)
        if item in KEPT_IN:
            setattr(person, f"{kept_in}_code", "")
