"""Rules of one form: each a pure function of the form's own values, giving a Suspicion or nothing.

They run on every row of an import and over a whole register, on whatever object has the form's attributes.
So each looks first at what clears nearly every form, and makes no sentence before there is a suspicion.
"""

import re
import unicodedata
from collections import namedtuple
from collections.abc import Callable, Mapping
from datetime import date
from operator import attrgetter

from django.utils.translation import gettext_lazy as _

from households import text
from households.faults.catalogue import Fault, Suspicion
from households.faults.words import (
    ADULTS,
    FEMALE,
    HEAD_WORDS,
    MALE,
    MARRIED,
    SEX_OF_RELATION,
    SINGLE,
    SPOUSES,
    FormerUnit,
    commune_key,
    ethnic_groups,
    pin_provinces,
    province_code,
    religions,
)

AGE_OF_IDENTITY_CARD = 14  # Nghị định 05/1999/NĐ-CP, điều 3
YOUNGEST_ADULT = 15  # below it no relation of an adult and no marriage is believed
OLDEST_BORN = 1900
CARD_LENGTHS = (9, 12)
NAME = re.compile(r"[^\W\d_]+(?:[ '’.-]+[^\W\d_]+)*\.?")
BOOK_NUMBER = re.compile(r"[A-Za-zĐđ]{0,4}[ ./-]?\d[\d ./-]{2,14}(?:[ ./-]?[A-Za-zĐđ]{1,5})?")


def _is_pin(number: str) -> bool:
    return len(number) == 12 and number.isdigit() and number.isascii()


def _is_card_number(number: str) -> bool:
    return len(number) in CARD_LENGTHS and number.isdigit() and number.isascii()


def _sex_word(sex: int):
    return _("female") if sex == FEMALE else _("male")


def birth_date_incomplete(form) -> Suspicion | None:
    if form.birth_day and form.birth_month:
        return None
    if form.birth_month:
        return Suspicion(Fault.L01, "birth_date", _("the day of birth is missing"))
    return Suspicion(Fault.L01, "birth_date", _("only the year of birth is on the form"))


def birth_date_does_not_exist(form) -> Suspicion | None:
    day = form.birth_day
    if not day or day <= 28 or not form.birth_month:
        return None
    try:
        date(form.birth_year, form.birth_month, day)
    except ValueError:
        return Suspicion(Fault.L02, "birth_date", _("there is no such day in the calendar"))
    return None


def birth_after_collection(form) -> Suspicion | None:
    collected_on = form.collected_on
    if form.birth_year < collected_on.year:
        return None
    born = (form.birth_year, form.birth_month or 1, form.birth_day or 1)
    if born <= (collected_on.year, collected_on.month, collected_on.day):
        return None
    return Suspicion(Fault.L02, "birth_date", _("born after the form was collected"))


def birth_too_long_ago(form) -> Suspicion | None:
    if form.birth_year >= OLDEST_BORN:
        return None
    return Suspicion(
        Fault.L02, "birth_date", _("born in %(year)d: nobody alive is that old"), {"year": form.birth_year}
    )


def name_missing(form) -> Suspicion | None:
    return None if form.full_name else Suspicion(Fault.L03, "full_name", _("the name is empty"))


def name_with_odd_signs(form) -> Suspicion | None:
    name = form.full_name
    if name.replace(" ", "").isalpha() or not name or NAME.fullmatch(unicodedata.normalize("NFC", name.strip())):
        return None
    return Suspicion(Fault.L03, "full_name", _("a name has letters only; this one has something else"))


def name_of_one_word(form) -> Suspicion | None:
    name = form.full_name
    if " " in name.strip() or not name:
        return None
    return Suspicion(Fault.L03, "full_name", _("a name of one word: surname or given name is missing"))


def name_with_odd_blanks(form) -> Suspicion | None:
    name = form.full_name
    if "  " not in name and name.strip() == name:
        return None
    return Suspicion(Fault.L03, "full_name", _("there are blanks too many in the name"))


def birth_registration_missing(form) -> Suspicion | None:
    if form.birth_registration_place:
        return None
    return Suspicion(Fault.L04, "birth_registration_place", _("place of birth registration is empty"))


def origin_missing(form) -> Suspicion | None:
    return None if form.origin_place else Suspicion(Fault.L05, "origin_place", _("place of origin is empty"))


def sex_missing(form) -> Suspicion | None:
    return None if form.sex else Suspicion(Fault.L06, "sex", _("the form does not say the sex"))


def sex_against_name(form) -> Suspicion | None:
    if form.sex != MALE or (" THỊ " not in form.full_name and " THỊ " not in form.full_name.upper()):
        return None
    return Suspicion(Fault.L06, "sex", _("“Thị” is a woman's middle name; the form says male"))


def sex_against_number_and_relation(form) -> Suspicion | None:
    """Two items agree against the third: then it is the sex that is wrong, and not each of them."""
    pin = form.pin
    if not pin or not form.sex or not _is_pin(pin):
        return None
    by_number = FEMALE if int(pin[3]) % 2 else MALE
    if by_number == form.sex or SEX_OF_RELATION.get(text.search_key(form.relation)) != by_number:
        return None
    values = {"sex": _sex_word(by_number), "written": _sex_word(form.sex)}
    return Suspicion(
        Fault.L06, "sex", _("personal number and relation both say %(sex)s; the form says %(written)s"), values
    )


def number_missing(form) -> Suspicion | None:
    if form.cmnd or form.pin or form.collected_on.year - form.birth_year <= AGE_OF_IDENTITY_CARD:
        return None
    return Suspicion(Fault.L07, "cmnd", _("older than 14 and neither a personal number nor an identity card number"))


def number_of_wrong_length(form) -> Suspicion | None:
    if not form.pin or _is_pin(form.pin):
        return None
    sentence = _("a personal number has 12 digits; this one has %(count)d characters")
    return Suspicion(Fault.L07, "pin", sentence, {"count": len(form.pin)})


def card_number_of_wrong_length(form) -> Suspicion | None:
    if not form.cmnd or _is_card_number(form.cmnd):
        return None
    sentence = _("an identity card number has 9 or 12 digits; this one has %(count)d characters")
    return Suspicion(Fault.L07, "cmnd", sentence, {"count": len(form.cmnd)})


def number_of_one_digit(form) -> Suspicion | None:
    """000000000 and the like: typed to fill the box."""
    cmnd, pin = form.cmnd, form.pin
    if cmnd and len(cmnd) > 1 and cmnd == cmnd[0] * len(cmnd):
        field = "cmnd"
    elif pin and len(pin) > 1 and pin == pin[0] * len(pin):
        field = "pin"
    else:
        return None
    return Suspicion(Fault.L07, field, _("one digit over and over is not anybody's number"))


def pin_structure(form) -> Suspicion | None:
    """Province of birth registration, century and sex, year of birth (Thông tư 07/2016/TT-BCA, điều 7)."""
    pin = form.pin
    if not pin or not _is_pin(pin):
        return None
    century, female = divmod(int(pin[3]), 2)
    first_year = 1900 + 100 * century
    if form.sex in (MALE, FEMALE) and (form.sex == FEMALE) != bool(female):
        values = {
            "digit": pin[3],
            "sex": _sex_word(FEMALE if female else MALE),
            "written": _sex_word(form.sex),
            "from": first_year,
            "to": first_year + 99,
        }
        sentence = _("the 4th digit is %(digit)s: %(sex)s, born %(from)d–%(to)d; the form says %(written)s")
        return Suspicion(Fault.L08, "pin", sentence, values)
    born = first_year + int(pin[4:6])
    if born != form.birth_year:
        sentence = _("digits 4 to 6 say born %(born)d; the form says %(written)d")
        return Suspicion(Fault.L08, "pin", sentence, {"born": born, "written": form.birth_year})
    if pin[:3] not in pin_provinces():
        return Suspicion(Fault.L08, "pin", _("%(code)s is not the code of any province"), {"code": pin[:3]})
    return None


def pin_of_another_province(form) -> Suspicion | None:
    """The first digits are those of the province where the birth was registered."""
    pin = form.pin
    if not pin or not form.birth_registration_place or pin[:3] not in pin_provinces():
        return None
    expected = province_code(form.birth_registration_place)
    if not expected or pin.startswith(expected):
        return None
    sentence = _("the number begins with %(code)s; numbers of the place of birth registration begin with %(expected)s")
    return Suspicion(Fault.L08, "pin", sentence, {"code": pin[:3], "expected": expected})


def residence_missing(form) -> Suspicion | None:
    return None if form.residence_place else Suspicion(Fault.L15, "residence_place", _("permanent residence is empty"))


def present_place_missing(form) -> Suspicion | None:
    return None if form.present_place else Suspicion(Fault.L16, "present_place", _("present residence is empty"))


def head_name_missing(form) -> Suspicion | None:
    return None if form.head_name else Suspicion(Fault.L17, "head_name", _("the form does not name the head"))


def head_too_young(form) -> Suspicion | None:
    age = form.collected_on.year - form.birth_year
    if age >= YOUNGEST_ADULT or text.search_key(form.relation) not in HEAD_WORDS:
        return None
    return Suspicion(Fault.L17, "relation", _("head of household at the age of %(age)d"), {"age": age})


def relation_missing(form) -> Suspicion | None:
    return None if form.relation.strip() else Suspicion(Fault.L18, "relation", _("relation to the head is empty"))


def relation_against_sex(form) -> Suspicion | None:
    sex = SEX_OF_RELATION.get(text.search_key(form.relation))
    if sex is None or not form.sex or sex == form.sex:
        return None
    values = {"relation": form.relation, "sex": _sex_word(form.sex)}
    return Suspicion(Fault.L18, "relation", _("“%(relation)s”, but the form says %(sex)s"), values)


def relation_against_age(form) -> Suspicion | None:
    age = form.collected_on.year - form.birth_year
    if age >= YOUNGEST_ADULT or text.search_key(form.relation) not in ADULTS:
        return None
    values = {"relation": form.relation, "age": age}
    return Suspicion(Fault.L18, "relation", _("“%(relation)s” at the age of %(age)d"), values)


def father_missing(form) -> Suspicion | None:
    return None if form.father_name else Suspicion(Fault.L19, "father_name", _("the father's name is empty"))


def mother_missing(form) -> Suspicion | None:
    return None if form.mother_name else Suspicion(Fault.L19, "mother_name", _("the mother's name is empty"))


def spouse_missing(form) -> Suspicion | None:
    if form.spouse_name or form.marital_status != MARRIED:
        return None
    return Suspicion(Fault.L19, "spouse_name", _("married, but the form names no husband or wife"))


def relatives_number_is_her_own(form) -> Suspicion | None:
    own = (form.cmnd, form.pin)
    if form.father_number and form.father_number in own:
        field = "father_name"
    elif form.mother_number and form.mother_number in own:
        field = "mother_name"
    elif form.spouse_number and form.spouse_number in own:
        field = "spouse_name"
    else:
        return None
    return Suspicion(Fault.L19, field, _("the number written for this relative is the person's own"))


def relatives_number_of_wrong_length(form) -> Suspicion | None:
    if form.father_number and not _is_card_number(form.father_number):
        field = "father_name"
    elif form.mother_number and not _is_card_number(form.mother_number):
        field = "mother_name"
    elif form.spouse_number and not _is_card_number(form.spouse_number):
        field = "spouse_name"
    else:
        return None
    return Suspicion(Fault.L19, field, _("the number written for this relative has neither 9 nor 12 digits"))


def ethnicity_missing(form) -> Suspicion | None:
    return None if form.ethnicity else Suspicion(Fault.L20, "ethnicity", _("ethnic group is empty"))


def ethnicity_unknown(form) -> Suspicion | None:
    if not form.ethnicity or text.search_key(form.ethnicity) in ethnic_groups():
        return None
    return Suspicion(
        Fault.L20, "ethnicity", _("“%(written)s” is not one of the 54 ethnic groups"), {"written": form.ethnicity}
    )


def religion_missing(form) -> Suspicion | None:
    return None if form.religion else Suspicion(Fault.L20, "religion", _("religion is empty; who has none writes so"))


def religion_unknown(form) -> Suspicion | None:
    if not form.religion or text.search_key(form.religion) in religions():
        return None
    return Suspicion(
        Fault.L20, "religion", _("“%(written)s” is not in the list of religions"), {"written": form.religion}
    )


def nationality_missing(form) -> Suspicion | None:
    return None if form.nationality else Suspicion(Fault.L20, "nationality", _("nationality is empty"))


def blood_type_unproved(form) -> Suspicion | None:
    """Blood group is written only with a test result (Luật Căn cước công dân 2014, điều 9)."""
    return Suspicion(Fault.L21, "blood_type", _("needs a test result as proof")) if form.blood_type else None


def marital_status_missing(form) -> Suspicion | None:
    if form.marital_status or form.collected_on.year - form.birth_year < YOUNGEST_ADULT:
        return None
    return Suspicion(Fault.L22, "marital_status", _("the form does not say the marital status"))


def married_too_young(form) -> Suspicion | None:
    age = form.collected_on.year - form.birth_year
    if age >= YOUNGEST_ADULT or form.marital_status <= SINGLE:
        return None
    return Suspicion(Fault.L22, "marital_status", _("married or divorced at the age of %(age)d"), {"age": age})


def spouse_not_married(form) -> Suspicion | None:
    if form.marital_status in (MARRIED, 0) or text.search_key(form.relation) not in SPOUSES:
        return None
    return Suspicion(
        Fault.L22, "marital_status", _("“%(relation)s” of the head, but not married"), {"relation": form.relation}
    )


def single_with_a_spouse(form) -> Suspicion | None:
    if form.marital_status != SINGLE or not form.spouse_name:
        return None
    return Suspicion(Fault.L22, "marital_status", _("never married, but the form names a husband or wife"))


def book_number_missing(form) -> Suspicion | None:
    if form.book_number:
        return None
    return Suspicion(Fault.L23, "book_number", _("number of the household book is empty"))


def book_number_of_odd_shape(form) -> Suspicion | None:
    number = form.book_number
    if (
        not number
        or (number.isascii() and number.isdigit() and 4 <= len(number) <= 15)
        or BOOK_NUMBER.fullmatch(number)
    ):
        return None
    return Suspicion(Fault.L23, "book_number", _("a book number is 4 to 15 digits, with letters at most around them"))


FORM_RULES: tuple[Callable, ...] = (
    birth_date_incomplete,
    birth_date_does_not_exist,
    birth_after_collection,
    birth_too_long_ago,
    name_missing,
    name_with_odd_signs,
    name_of_one_word,
    name_with_odd_blanks,
    birth_registration_missing,
    origin_missing,
    sex_missing,
    sex_against_name,
    sex_against_number_and_relation,
    number_missing,
    number_of_wrong_length,
    card_number_of_wrong_length,
    number_of_one_digit,
    pin_structure,
    pin_of_another_province,
    residence_missing,
    present_place_missing,
    head_name_missing,
    head_too_young,
    relation_missing,
    relation_against_sex,
    relation_against_age,
    father_missing,
    mother_missing,
    spouse_missing,
    relatives_number_is_her_own,
    relatives_number_of_wrong_length,
    ethnicity_missing,
    ethnicity_unknown,
    religion_missing,
    religion_unknown,
    nationality_missing,
    blood_type_unproved,
    marital_status_missing,
    married_too_young,
    spouse_not_married,
    single_with_a_spouse,
    book_number_missing,
    book_number_of_odd_shape,
)


def residence_in_a_former_unit(form, former_units: Mapping[str, FormerUnit]) -> Suspicion | None:
    return _in_a_former_unit("residence_place", form.residence_place, form, former_units)


def present_place_in_a_former_unit(form, former_units: Mapping[str, FormerUnit]) -> Suspicion | None:
    if form.present_place == form.residence_place:
        return None
    return _in_a_former_unit("present_place", form.present_place, form, former_units)


def _in_a_former_unit(field: str, place: str, form, former_units: Mapping[str, FormerUnit]) -> Suspicion | None:
    """A place that names a commune which stands no more. Not the commune where the form was collected: the
    register knows itself what that has become (docs/decisions/0013)."""
    former = former_units.get(commune_key(place))
    if former is None or former.unit_id == form.collected_unit_id:
        return None
    return Suspicion(
        Fault.L24, field, _("%(old)s is no more; it is now %(now)s"), {"old": former.name, "now": former.now}
    )


# Rules that also want the units that stand no more (`lineage.former_units`).
PLACE_RULES: tuple[Callable, ...] = (residence_in_a_former_unit, present_place_in_a_former_unit)


# What speaks for a form, and the rules that then cannot find anything: a form is spared nearly all of them, which halves what
# the rules cost in an import. A property test holds it against asking every rule.
SPARED_WHERE_WRITTEN: dict[str, Callable] = {
    "full_name": name_missing,
    "birth_registration_place": birth_registration_missing,
    "origin_place": origin_missing,
    "residence_place": residence_missing,
    "present_place": present_place_missing,
    "head_name": head_name_missing,
    "father_name": father_missing,
    "mother_name": mother_missing,
    "spouse_name": spouse_missing,
    "ethnicity": ethnicity_missing,
    "religion": religion_missing,
    "nationality": nationality_missing,
    "book_number": book_number_missing,
    "sex": sex_missing,
}
# Words of which there are few, so that what the rules say of each set of them is found out once.
RULES_OF_WORDS = (
    relation_missing,
    relation_against_sex,
    spouse_not_married,
    ethnicity_unknown,
    religion_unknown,
)
SPARED = (
    *({rule} for rule in SPARED_WHERE_WRITTEN.values()),
    {*RULES_OF_WORDS},
    {birth_date_incomplete},
    {birth_date_does_not_exist},
    {birth_after_collection, birth_too_long_ago},
    {name_with_odd_signs, name_of_one_word, name_with_odd_blanks},
    {sex_against_name},
    {sex_against_number_and_relation, number_of_wrong_length, pin_structure, pin_of_another_province},
    {card_number_of_wrong_length},
    {number_of_one_digit},
    {number_missing},
    {head_too_young, relation_against_age, married_too_young},
    {marital_status_missing},
    {relatives_number_is_her_own, relatives_number_of_wrong_length},
    {single_with_a_spouse},
    {blood_type_unproved},
    {book_number_of_odd_shape},
)
Words = namedtuple("Words", "relation sex marital_status ethnicity religion")
_written_items = attrgetter(*SPARED_WHERE_WRITTEN)
_words_of = attrgetter(*Words._fields)


class _WordsSpeakFor(dict):
    """Words of a form -> whether no rule of words finds anything."""

    def __missing__(self, words: tuple) -> bool:
        if len(self) >= 5_000:
            self.clear()
        self[words] = speak = not any(rule(Words(*words)) for rule in RULES_OF_WORDS)
        return speak


_words_speak_for = _WordsSpeakFor()


def _speaks_for(form) -> tuple[bool, ...]:
    """In the order of `SPARED`."""
    pin, card, name, book_number, day = form.pin, form.cmnd, form.full_name, form.book_number, form.birth_day
    born, collected = form.birth_year, form.collected_on.year
    return (
        *map(bool, _written_items(form)),
        _words_speak_for[_words_of(form)],
        bool(day and form.birth_month),
        not day or day <= 28,
        OLDEST_BORN <= born < collected,
        name.count(" ") > 0 and all(map(str.isalpha, name.split(" "))),
        form.sex != MALE,
        not pin,
        not card,
        not (pin or card),
        bool(pin or card),
        collected - born >= YOUNGEST_ADULT,
        bool(form.marital_status),
        not (form.father_number or form.mother_number or form.spouse_number),
        not form.spouse_name,
        not form.blood_type,
        book_number.isascii() and book_number.isdigit() and 4 <= len(book_number) <= 15,
    )


class _RulesLeft(dict):
    """What speaks for a form -> the rules that have to be asked."""

    def __missing__(self, facts: tuple[bool, ...]) -> tuple[Callable, ...]:
        if len(self) >= 5_000:
            self.clear()
        spared = set().union(*(rules for rules, holds in zip(SPARED, facts, strict=True) if holds))
        self[facts] = rules = tuple(rule for rule in FORM_RULES if rule not in spared)
        return rules


_rules_left = _RulesLeft()


def suspicions(form, former_units: Mapping[str, FormerUnit] | None = None) -> list[Suspicion]:
    """Everything the program suspects from the form alone. Without `former_units` its places are not judged."""
    found = [suspicion for rule in _rules_left[_speaks_for(form)] if (suspicion := rule(form))]
    if former_units:
        found += [suspicion for rule in PLACE_RULES if (suspicion := rule(form, former_units))]
    return found


def suspected(form, former_units: Mapping[str, FormerUnit] | None = None) -> list[tuple[str, str]]:
    """(fault, item) of each of `suspicions`, once: what is stored. No sentence is made."""
    found = suspicions(form, former_units)
    return list(dict.fromkeys((s.fault.value, s.field) for s in found)) if found else []
