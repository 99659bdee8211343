"""What was typed, understood: words, places, numbers, a date. Pure; anything typed is some query."""

import re
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from households import text

MAX_TYPED = 200
MAX_WORDS = 10
FIRST_YEAR = 1850

DATE = re.compile(r"(?<!\d)(\d{1,2})(?:\s*[/.-]\s*|\s+)(\d{1,2})(?:\s*[/.-]\s*|\s+)(\d{4})(?!\d)")
MONTH = re.compile(r"(?<![\d/.-])(\d{1,2})\s*[/.-]\s*(\d{4})(?!\d)")
GROUPED = re.compile(r"(?<!\w)\d{3,}(?:[ .-]\d{3,})+(?!\w)")
TOKEN = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
# what a small number behind it numbers: a hamlet or a street, not a year
NUMBERED_PLACES = {"thon", "xom", "to", "pho", "tdp", "doi", "khoi", "so", "ngo", "ngach", "kiet", "duong", "khu"}


@dataclass(frozen=True)
class Query:
    """What was typed. `words` keep their marks; `places` are folded ("thon 5")."""

    words: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    years: tuple[int, ...] = ()
    month: int | None = None
    day: int | None = None

    @property
    def is_empty(self) -> bool:
        return not (self.words or self.places or self.numbers or self.years)

    @property
    def is_too_short(self) -> bool:
        """One letter finds a third of the register."""
        return not self.is_empty and not (self.places or self.numbers or self.years) and max(map(len, self.words)) < 2

    @cached_property
    def folded(self) -> tuple[str, ...]:
        return tuple(map(text.search_key, self.words))

    @property
    def has_marks(self) -> bool:
        return self.folded != self.words

    @property
    def place_words(self) -> tuple[str, ...]:
        return tuple(word for place in self.places for word in place.split())


def parse(typed: str, *, this_year: int) -> Query:
    """Any text; what cannot be understood is a word."""
    line = text.marked_key(text.clean(typed)[:MAX_TYPED])
    found: dict = {}

    def take_date(match: re.Match) -> str:
        *days, month, year = map(int, match.groups())
        if not is_day(year, month, *days, this_year=this_year):
            return match.group()
        found.update(years={year}, month=month, day=days[0] if days else None)
        return " "

    line = MONTH.sub(take_date, DATE.sub(take_date, line))
    line = GROUPED.sub(_join_groups, line)
    words, places, numbers, years = [], [], [], set(found.get("years", ()))
    tokens = TOKEN.findall(line)
    for place, token in enumerate(tokens):
        if not any(c in "0123456789" for c in token):
            words.append(token)
        elif not (token.isascii() and token.isdigit()):
            digits = sum(c.isdigit() for c in token)
            (numbers if len(token) >= 6 and digits >= 3 else words).append(token)
        elif len(token) <= 2 and words and place and text.search_key(tokens[place - 1]) in NUMBERED_PLACES:
            places.append(f"{text.search_key(words.pop())} {int(token)}")
        elif len(token) == 8 and is_day(
            int(token[4:]), int(token[2:4]), int(token[:2]), this_year=this_year
        ):  # 17051980
            years = {int(token[4:])}
            found.update(month=int(token[2:4]), day=int(token[:2]))
        elif of_token := years_of(token, this_year=this_year):
            years = years & of_token or of_token
        else:
            numbers.append(token)
    return Query(
        words=tuple(dict.fromkeys(words))[:MAX_WORDS],
        places=tuple(places[:MAX_WORDS]),
        numbers=tuple(number.upper() for number in numbers[:MAX_WORDS]),
        years=tuple(sorted(years)),
        month=found.get("month"),
        day=found.get("day"),
    )


def is_day(year: int, month: int, day: int = 1, *, this_year: int) -> bool:
    """A date somebody may have been born on."""
    try:
        date(year, month, day)
    except ValueError:
        return False
    return FIRST_YEAR <= year <= this_year


def years_of(digits: str, *, this_year: int) -> set[int]:
    """85 is 1985, 05 is 2005 or 1905, 1985 is itself; other numbers are no year."""
    if len(digits) <= 2:
        return {year for year in (1900 + int(digits), 2000 + int(digits)) if year <= this_year}
    return {int(digits)} if len(digits) == 4 and FIRST_YEAR <= int(digits) <= this_year else set()


def _join_groups(match: re.Match) -> str:
    """A number written in groups: 042 085 123456, 183.000.001."""
    groups = re.findall(r"\d+", match.group())
    is_one = sum(map(len, groups)) in (9, 12) or {len(group) for group in groups} == {3}
    return "".join(groups) if is_one else " ".join(groups)
