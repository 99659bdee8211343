"""The error catalogue (domain.md section 6), and the faults a program can suspect without a visit.

Each rule is one pure function of a form's own values. It returns a sentence for the officer, or
nothing. Adding a rule: write it, add it to `FORM_RULES`, test it.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib import resources

from django.db.models import TextChoices
from django.utils.translation import gettext as say
from django.utils.translation import gettext_lazy as _

from households import text


class Fault(TextChoices):
    L01 = "L01", _("Birth day or month missing")
    L02 = "L02", _("Wrong birth date")
    L03 = "L03", _("Wrong name (spelling, marks)")
    L04 = "L04", _("Place of birth registration missing or wrong")
    L05 = "L05", _("Place of origin missing or wrong")
    L06 = "L06", _("Wrong sex")
    L07 = "L07", _("Number missing or of wrong length")
    L08 = "L08", _("Personal number of wrong structure")
    L09 = "L09", _("One person with several forms")
    L10 = "L10", _("One identity card number with two people")
    L11 = "L11", _("Deceased, still registered")
    L12 = "L12", _("Moved away or struck off")
    L13 = "L13", _("Absent, working far away")
    L14 = "L14", _("Gave up citizenship, settled abroad")
    L15 = "L15", _("Permanent residence missing or wrong")
    L16 = "L16", _("Present residence missing or wrong")
    L17 = "L17", _("Head of household missing or wrong")
    L18 = "L18", _("Relation to the head missing or wrong")
    L19 = "L19", _("Parents, spouse or representative missing or wrong")
    L20 = "L20", _("Ethnic group, religion or nationality wrong or missing")
    L21 = "L21", _("Blood type without a paper")
    L22 = "L22", _("Marital status out of date")
    L23 = "L23", _("Wrong household book number")
    L24 = "L24", _("Address wrong since units merged or were renamed")
    L25 = "L25", _("Signature or seal missing")
    L26 = "L26", _("Form blurred, torn, cannot be scanned")
    L27 = "L27", _("New person, no form yet")


@dataclass(frozen=True)
class Suspicion:
    """A fault the program suspects, the item it concerns, and why, in words."""

    fault: Fault
    field: str
    reason: str


MALE, FEMALE = 1, 2
AGE_OF_IDENTITY_CARD = 14  # Nghị định 05/1999/NĐ-CP, điều 3
HEAD_WORDS = {"chu ho"}
MALE_RELATIONS = {"chong", "bo", "cha", "cha de", "con trai", "ong noi", "ong ngoai", "con re", "anh", "em trai"}
FEMALE_RELATIONS = {"vo", "me", "me de", "con gai", "ba noi", "ba ngoai", "con dau", "chi", "em gai"}


@cache
def pin_provinces() -> frozenset[str]:
    """The first three digits of a personal number (Thông tư 07/2016/TT-BCA, phụ lục 1)."""
    lines = resources.files("households").joinpath("data/province_pin_codes.csv").read_text("utf-8").splitlines()
    return frozenset(line.split(",")[0] for line in lines[1:])


def _is_number(text: str, *lengths: int) -> bool:
    return text.isascii() and text.isdigit() and len(text) in lengths


def birth_date_incomplete(form) -> Suspicion | None:
    if form.birth_day and form.birth_month:
        return None
    missing = (
        say("only the year of birth is on the form") if not form.birth_month else say("the day of birth is missing")
    )
    return Suspicion(Fault.L01, "birth_date", missing)


def birth_date_does_not_exist(form) -> Suspicion | None:
    if not (form.birth_day and form.birth_month):
        return None
    try:
        born = date(form.birth_year, form.birth_month, form.birth_day)
    except ValueError:
        return Suspicion(Fault.L02, "birth_date", say("there is no such day in the calendar"))
    if born > form.collected_on:
        return Suspicion(Fault.L02, "birth_date", say("born after the form was collected"))
    return None


def number_missing(form) -> Suspicion | None:
    if form.pin or form.cmnd or form.collected_on.year - form.birth_year <= AGE_OF_IDENTITY_CARD:
        return None
    return Suspicion(Fault.L07, "cmnd", say("older than 14 and neither a personal number nor an identity card number"))


def number_of_wrong_length(form) -> Suspicion | None:
    if form.pin and not _is_number(form.pin, 12):
        return Suspicion(
            Fault.L07,
            "pin",
            say("a personal number has 12 digits; this one has %(count)d characters") % {"count": len(form.pin)},
        )
    if form.cmnd and not _is_number(form.cmnd, 9, 12):
        return Suspicion(
            Fault.L07,
            "cmnd",
            say("an identity card number has 9 or 12 digits; this one has %(count)d characters")
            % {"count": len(form.cmnd)},
        )
    return None


def pin_structure(form) -> Suspicion | None:
    """Province of birth registration, century and sex, year of birth (Thông tư 07/2016/TT-BCA, điều 7)."""
    if not _is_number(form.pin, 12):
        return None
    century, female = divmod(int(form.pin[3]), 2)
    first_year = 1900 + 100 * century
    if form.sex in (MALE, FEMALE) and (form.sex == FEMALE) != bool(female):
        values = {
            "digit": form.pin[3],
            "sex": say("female") if female else say("male"),
            "written": say("female") if form.sex == FEMALE else say("male"),
            "from": first_year,
            "to": first_year + 99,
        }
        sentence = say("the 4th digit is %(digit)s: %(sex)s, born %(from)d–%(to)d; the form says %(written)s") % values
        return Suspicion(Fault.L08, "pin", sentence)
    born = first_year + int(form.pin[4:6])
    if born != form.birth_year:
        sentence = say("digits 4 to 6 say born %(born)d; the form says %(written)d")
        return Suspicion(Fault.L08, "pin", sentence % {"born": born, "written": form.birth_year})
    if form.pin[:3] not in pin_provinces():
        return Suspicion(Fault.L08, "pin", say("%(code)s is not the code of any province") % {"code": form.pin[:3]})
    return None


def birth_registration_missing(form) -> Suspicion | None:
    if form.birth_registration_place:
        return None
    return Suspicion(Fault.L04, "birth_registration_place", say("place of birth registration is empty"))


def origin_missing(form) -> Suspicion | None:
    return None if form.origin_place else Suspicion(Fault.L05, "origin_place", say("place of origin is empty"))


def residence_missing(form) -> Suspicion | None:
    return (
        None if form.residence_place else Suspicion(Fault.L15, "residence_place", say("permanent residence is empty"))
    )


def ethnicity_missing(form) -> Suspicion | None:
    return None if form.ethnicity else Suspicion(Fault.L20, "ethnicity", say("ethnic group is empty"))


def relation_against_sex(form) -> Suspicion | None:
    relation = text.search_key(form.relation)
    if not relation:
        return Suspicion(Fault.L18, "relation", say("relation to the head is empty"))
    wrong = MALE_RELATIONS if form.sex == FEMALE else FEMALE_RELATIONS if form.sex == MALE else ()
    if relation in wrong:
        sentence = say("“%(relation)s”, but the form says %(sex)s")
        sex = say("female") if form.sex == FEMALE else say("male")
        return Suspicion(Fault.L18, "relation", sentence % {"relation": form.relation, "sex": sex})
    return None


def blood_type_unproved(form) -> Suspicion | None:
    """Blood group is written only with a test result (Luật Căn cước công dân 2014, điều 9)."""
    return Suspicion(Fault.L21, "blood_type", say("needs a test result as proof")) if form.blood_type else None


FORM_RULES: tuple[Callable, ...] = (
    birth_date_incomplete,
    birth_date_does_not_exist,
    number_missing,
    number_of_wrong_length,
    pin_structure,
    birth_registration_missing,
    origin_missing,
    residence_missing,
    ethnicity_missing,
    relation_against_sex,
    blood_type_unproved,
)


def suspicions(form) -> list[Suspicion]:
    """Everything the program suspects on one form, in the order of its items."""
    return [found for rule in FORM_RULES if (found := rule(form))]


def suspected(form) -> list[tuple[str, str]]:
    """(fault, field) of everything suspected on one form."""
    return [(found.fault.value, found.field) for found in suspicions(form)]


def heads_of_household(forms: Iterable) -> Suspicion | None:
    """A household has one head (L17)."""
    heads = sum(text.search_key(form.relation) in HEAD_WORDS for form in forms)
    if heads == 1:
        return None
    if not heads:
        return Suspicion(Fault.L17, "relation", say("nobody in this household is its head"))
    return Suspicion(
        Fault.L17, "relation", say("%(count)d people are written as head of this household") % {"count": heads}
    )
