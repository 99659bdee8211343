"""The numbers printed on the paper: short, digits only, the last of them a check.

Digits, because a scanner types what it reads through the PC's Vietnamese input method, which makes marks of
letters (Telex) or of digits behind a vowel (VNI). So the letters before them are consonants too.
"""

import re

# Damm's table: every single wrong digit and every exchange of two neighbours is noticed.
TABLE = (
    *((0, 3, 1, 7, 5, 9, 8, 6, 4, 2), (7, 0, 9, 2, 1, 5, 4, 8, 6, 3), (4, 2, 0, 6, 8, 7, 1, 3, 5, 9)),
    *((1, 7, 5, 0, 9, 8, 3, 4, 2, 6), (6, 1, 2, 3, 0, 4, 5, 9, 7, 8), (3, 6, 7, 4, 2, 0, 9, 5, 8, 1)),
    *((5, 8, 6, 9, 7, 2, 0, 1, 3, 4), (8, 9, 4, 5, 3, 6, 2, 0, 1, 7), (9, 4, 3, 8, 6, 1, 7, 2, 0, 5)),
    (2, 5, 8, 1, 4, 3, 6, 7, 9, 0),
)
SHEET, HOUSEHOLD = "PK", "H"
TYPED = re.compile(r"(PK|H|)([0-9]{2,19})")


class WrongCheckDigit(ValueError):
    """One of the digits was typed wrongly, or two were exchanged."""


def is_scanned(typed: str) -> bool:
    """A QR code of a sheet or household; digits alone may be anybody's number."""
    try:
        return typed[:1].isalpha() and read(typed) is not None
    except WrongCheckDigit:
        return False


def check_digit(digits: str) -> str:
    interim = 0
    for digit in digits:
        interim = TABLE[interim][int(digit)]
    return str(interim)


def number_of(pk: int) -> str:
    """Row 12 is number 00012 with its check: "00012-2"."""
    return f"{pk:05d}-{check_digit(str(pk))}"


def code_of(kind: str, pk: int) -> str:
    """What the QR code says: "PK000122"."""
    return kind + number_of(pk).replace("-", "")


def read(typed: str) -> tuple[str, int] | None:
    """The kind and the row of a number as typed or scanned, leading zeros and hyphen or not; without letters it
    is a sheet's. None for what is no such number. Raises WrongCheckDigit."""
    found = TYPED.fullmatch(re.sub(r"[\s.-]", "", typed.upper()))
    if not found:
        return None
    kind, digits = found[1] or SHEET, found[2].lstrip("0") or "0"
    if check_digit(digits) != "0":
        raise WrongCheckDigit
    pk = int(digits[:-1] or "0")
    return (kind, pk) if pk else None
