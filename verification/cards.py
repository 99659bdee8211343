"""The text of a chip card's QR code, read into a Card (domain.md section 4). Pure: no database, no request, no clock.

Seven fields behind one another, separated by `|`: number, old CMND, name, birth date, sex, residence, day of issue.
What a scanner types goes through whatever input method is switched on, so every field is tried before it is trusted.
"""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date

from django.utils.translation import gettext as say
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_variables

from households import text
from households.models.register import Sex, birth_date_text
from verification.rules import Refusal

SEPARATOR = "|"
MAX_TEXT = 1000  # a card's text has about 150 signs
MAX_NAME, MAX_RESIDENCE = 100, 300
NUMBER_LENGTH, CMND_LENGTHS = 12, (0, 9, 12)
FIRST_YEAR, LAST_YEAR = 1850, 2399

DATE = re.compile(r"(\d{2})(\d{2})(\d{4})|(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})|(\d{4})", re.ASCII)
NAME = re.compile(r"[^\W\d_]+(?:[ '’.-]+[^\W\d_]+)*\.?")
MARKS = {mark for mark in text.TONES if mark} | text.SHAPES
# What Telex leaves behind: no Vietnamese word doubles these letters, …
TELEX = re.compile(r"aa|ee|dd|[aou]w", re.IGNORECASE)
# … and in a name without any mark: has these letters or ends in these. (With marks it may be Gia Rai or Ê Đê: Ksor.)
TELEX_TONES = re.compile(r"[fjwz]|[^\W\d_]{2,}[srx](?!\w)", re.IGNORECASE)

NOT_A_CARD = _("This is not the text of a chip card. Scan the QR code on the front of the card, at the upper right.")
CUT_OFF = _("The card's text is cut off or damaged. Wipe the card and scan it again.")
NO_BIRTH_DATE = _("The birth date in the card's text does not exist: it was read wrongly. Scan the card again.")
NO_ISSUE_DATE = _("The day of issue in the card's text does not exist: it was read wrongly. Scan the card again.")


class UnreadableCard(Refusal):
    """The text is not a card's, or not all of it."""


@dataclass(frozen=True, repr=False)
class Card:
    """What a card says. It never shows itself in a log or an error report: it has no repr of its own fields."""

    number: str
    cmnd: str
    full_name: str
    birth_year: int
    birth_month: int | None
    birth_day: int | None
    sex: int
    residence: str
    issued_on: date
    is_garbled: bool = False

    def __repr__(self) -> str:
        return "<Card>"

    @property
    def birth_date_text(self) -> str:
        return birth_date_text(self.birth_year, self.birth_month, self.birth_day)

    @property
    def contradiction(self) -> str:
        """Why number, sex and year of birth cannot all be right, in a sentence; or nothing."""
        century, female = divmod(int(self.number[3]), 2)
        sex, year = Sex.FEMALE if female else Sex.MALE, 1900 + 100 * century + int(self.number[4:6])
        if (sex, year) == (self.sex, self.birth_year):
            return ""
        values = {"sex": sex.label, "year": year, "card_sex": Sex(self.sex).label, "card_year": self.birth_year}
        sentence = say(
            "The card's number is that of a person who is %(sex)s, born %(year)d; the card says %(card_sex)s, born"
            " %(card_year)d. Look at the printed card; do not correct a number by hand."
        )
        return sentence % values


@sensitive_variables()
def parse(scanned: str) -> Card:
    """The card that this text is of. Raises UnreadableCard, with a sentence, for anything else."""
    if len(scanned) > MAX_TEXT or SEPARATOR not in scanned:
        raise UnreadableCard(str(NOT_A_CARD))
    fields = [text.clean(field.replace("\ufeff", "")) for field in scanned.split(SEPARATOR)]
    number = fields[0].replace(" ", "")
    if not _is_number(number):
        raise UnreadableCard(str(NOT_A_CARD))
    if len(number) != NUMBER_LENGTH:
        sentence = say("A card's number has 12 digits; this one has %(count)d. Scan the card again.")
        raise UnreadableCard(sentence % {"count": len(number)})
    cmnd = fields[1].replace(" ", "")
    if cmnd and not _is_number(cmnd):  # a writing of six fields, without the old number
        fields.insert(1, cmnd := "")
    if len(fields) < 7 or len(cmnd) not in CMND_LENGTHS:
        raise UnreadableCard(str(CUT_OFF))
    name, birth, sex, residence, issued = fields[2:7]
    if not (name and residence) or len(name) > MAX_NAME or len(residence) > MAX_RESIDENCE:
        raise UnreadableCard(str(CUT_OFF))
    year, month, day = _date(birth, NO_BIRTH_DATE)
    if len(issued) < len("1/1/2021"):
        raise UnreadableCard(str(CUT_OFF))
    issue_year, issue_month, issue_day = _date(issued, NO_ISSUE_DATE)
    if not issue_day:
        raise UnreadableCard(str(NO_ISSUE_DATE))
    return Card(
        number=number,
        cmnd=cmnd,
        full_name=name,
        birth_year=year,
        birth_month=month,
        birth_day=day,
        sex=_sex(sex),
        residence=residence,
        issued_on=date(issue_year, issue_month, issue_day),
        is_garbled=_is_garbled(name, residence, sex),
    )


def _is_number(field: str) -> bool:
    return field.isascii() and field.isdigit()


def _date(field: str, does_not_exist) -> tuple[int, int | None, int | None]:
    """(year, month, day) of 17051980, 17/5/1980; of people who know no more, only the year (1980, 00001980)."""
    match = DATE.fullmatch(field.replace(" ", ""))
    if not match:
        raise UnreadableCard(str(CUT_OFF))
    *day_and_month, year = [int(part) for part in match.groups() if part]
    day, month = day_and_month or (0, 0)
    try:
        date(year, month or 1, day or 1)
    except ValueError:
        raise UnreadableCard(str(does_not_exist)) from None
    if not FIRST_YEAR <= year <= LAST_YEAR or (day and not month):
        raise UnreadableCard(str(does_not_exist))
    return year, month or None, day or None


def _sex(written: str) -> Sex:
    """Nam cannot be garbled, it has no marks; whatever else begins with N was Nữ ("Nuwx", "N?")."""
    key = text.search_key(written)
    if key == "nam":
        return Sex.MALE
    if key.startswith("n") and len(key) <= 6:
        return Sex.FEMALE
    raise UnreadableCard(str(CUT_OFF))


def _is_garbled(name: str, residence: str, sex: str) -> bool:
    """Did an input method, or a scanner set to another alphabet, change the letters?"""
    if not NAME.fullmatch(name) or TELEX.search(name) or text.marked_key(sex) not in ("nam", "nữ"):
        return True
    if "?" in residence or not (_is_vietnamese(name) and _is_vietnamese(residence)):
        return True
    if not name.isascii() or not residence.isascii():
        return False
    # no mark anywhere: of names there are such, of an address with its "tỉnh" and "xã" hardly
    return any(c.isalpha() for c in residence) or bool(TELEX_TONES.search(name))


def _is_vietnamese(written: str) -> bool:
    """Only Latin letters with the marks of Vietnamese: "Ä" and "ƒ" are what a wrong alphabet makes of it, and after NFC
    a mark that stands alone belongs to no letter."""
    for char in written:
        base, *marks = unicodedata.normalize("NFD", char)
        if unicodedata.combining(base) or base == "\ufffd" or not MARKS.issuperset(marks):
            return False
        if base.isalpha() and not (base.isascii() or base in "đĐ"):
            return False
    return True
