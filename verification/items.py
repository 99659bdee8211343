"""The items of a form that a correction may name, how a typed value becomes a clean one, and how it is read."""

import re
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass
from datetime import date

from django.utils.translation import gettext as say
from django.utils.translation import gettext_lazy as _

from households import text
from households.faults import Fault
from households.models import CollectionForm

MALE_WORDS, FEMALE_WORDS = {"1", "nam", "male", "m"}, {"2", "nu", "female", "f"}
PARTIAL_DATE = re.compile(r"(?:(?:(\d{1,2})[/.-])?(\d{1,2})[/.-])?(\d{4})")
DIGITS_OF_DATE = re.compile(r"(\d{2})(\d{2})(\d{4})")
NAME = re.compile(r"[^\W\d_]+(?:[ '’.-]+[^\W\d_]+)*\.?")


@dataclass(frozen=True)
class Item:
    name: str
    label: str
    fault: Fault  # what an error here is called unless the officer says otherwise
    clean: Callable[[str, CollectionForm], str]
    key: str = ""  # the letter that opens its correction on the entry page; no letter of an outcome


def clean_text(typed: str, form: CollectionForm) -> str:
    return typed


def clean_name(typed: str, form: CollectionForm) -> str:
    """Capitals with all marks, as the form is filled (domain.md section 3)."""
    if not NAME.fullmatch(typed):
        raise ValueError(say("A name has letters only; “%(typed)s” has something else.") % {"typed": typed[:60]})
    return typed.upper()


def clean_birth_date(typed: str, form: CollectionForm) -> str:
    """dd/mm/yyyy, ddmmyyyy, mm/yyyy or yyyy; months with one digit or two."""
    match = PARTIAL_DATE.fullmatch(typed) or DIGITS_OF_DATE.fullmatch(typed)
    if not match:
        raise ValueError(say("Write the birth date as 12/3/1956, 3/1956 or 1956."))
    day, month, year = (int(part) if part else None for part in match.groups())
    try:
        first = date(year, month or 1, day or 1)
    except ValueError:
        raise ValueError(say("%(typed)s is not a day of the calendar.") % {"typed": typed}) from None
    if first > form.collected_on or year < 1850:
        raise ValueError(
            say("A birth date lies between 1850 and the day of collection, %(day)s.")
            % {"day": f"{form.collected_on:%d/%m/%Y}"}
        )
    return "/".join([*(f"{part:02d}" for part in (day, month) if part), str(year)])


def clean_sex(typed: str, form: CollectionForm) -> str:
    word = text.search_key(typed)
    if word not in MALE_WORDS | FEMALE_WORDS:
        raise ValueError(say("Write Nam or Nữ (1 or 2)."))
    return "1" if word in MALE_WORDS else "2"


def clean_marital_status(typed: str, form: CollectionForm) -> str:
    if typed not in {"1", "2", "3"}:
        raise ValueError(say("Write 1 never married, 2 married, 3 divorced or widowed."))
    return typed


def clean_blood_type(typed: str, form: CollectionForm) -> str:
    if typed.upper() not in CollectionForm.BloodType.values:
        raise ValueError(say("Write A, B, AB or O."))
    return typed.upper()


def clean_pin(typed: str, form: CollectionForm) -> str:
    digits = typed.replace(" ", "")
    if not (digits.isascii() and digits.isdigit() and len(digits) == 12):
        raise ValueError(say("A personal number has 12 digits."))
    return digits


def clean_cmnd(typed: str, form: CollectionForm) -> str:
    digits = typed.replace(" ", "")
    if not (digits.isascii() and digits.isdigit() and len(digits) in (9, 12)):
        raise ValueError(say("An identity card number has 9 or 12 digits."))
    return digits


ITEMS = {
    item.name: item
    for item in (
        Item("full_name", _("Full name"), Fault.L03, clean_name, "h"),
        Item("birth_date", _("Birth date"), Fault.L02, clean_birth_date, "g"),
        Item("sex", _("Sex"), Fault.L06, clean_sex, "i"),
        Item("pin", _("Personal number"), Fault.L08, clean_pin, "p"),
        Item("cmnd", _("Identity card number"), Fault.L07, clean_cmnd, "m"),
        Item("relation", _("Relation to the head"), Fault.L18, clean_text, "q"),
        Item("marital_status", _("Marital status"), Fault.L22, clean_marital_status, "j"),
        Item("birth_registration_place", _("Place of birth registration"), Fault.L04, clean_text, "r"),
        Item("origin_place", _("Place of origin"), Fault.L05, clean_text, "w"),
        Item("residence_place", _("Permanent residence"), Fault.L15, clean_text, "x"),
        Item("present_place", _("Present residence"), Fault.L16, clean_text, "o"),
        Item("ethnicity", _("Ethnic group"), Fault.L20, clean_text, "a"),
        Item("religion", _("Religion"), Fault.L20, clean_text),
        Item("nationality", _("Nationality"), Fault.L20, clean_text),
        Item("blood_type", _("Blood type"), Fault.L21, clean_blood_type),
        Item("father_name", _("Father"), Fault.L19, clean_name),
        Item("mother_name", _("Mother"), Fault.L19, clean_name),
        Item("spouse_name", _("Spouse"), Fault.L19, clean_name),
        Item("representative_name", _("Legal representative"), Fault.L19, clean_name),
        Item("head_name", _("Head of household"), Fault.L17, clean_name),
        Item("book_number", _("Household book number"), Fault.L23, clean_text),
    )
}


def value_of(form: CollectionForm, item: str) -> str:
    """The form's value of an item as a correction stores it; empty where nothing was written."""
    if item == "birth_date":
        return form.birth_date_text
    value = getattr(form, item)
    return "" if value in (0, None) else str(value)


def readable(item: str, value: str) -> str:
    """A stored value in the reader's words: sex "2" is Nữ."""
    if item == "sex" and value:
        return str(dict(CollectionForm._meta.get_field("sex").choices).get(int(value), value))
    if item == "marital_status" and value:
        return str(CollectionForm.MaritalStatus(int(value)).label)
    return value


def corrected(form: CollectionForm, values: dict[str, str]) -> CollectionForm:
    """The form as it would be with these new values of corrections; in memory only, the collected values stay."""
    form = copy(form)
    for item, value in values.items():
        if item == "birth_date":
            *day_and_month, year = [int(part) for part in value.split("/")]
            form.birth_day, form.birth_month = [None, None, *day_and_month][-2:]
            form.birth_year = year
        elif item in ("sex", "marital_status"):
            setattr(form, item, int(value))
        else:
            setattr(form, item, value)
    return form
