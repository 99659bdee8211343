"""The little language in which the exceptions of a sheet are typed, one a line: pure text in, values out.

    4 s ngaysinh 12/03/1956 hk      line, letter of the outcome, item, new value, paper
    9-11 v đi làm ăn xa 25/6        three lines at once: absent, why, when to come again
    31-58 -                         not done yet: these lines stay out

`read` never fails: what it cannot read becomes a problem with the line of the text it stands in.
`write` is its inverse.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date

from django.utils.translation import gettext as say

from households import text
from verification.rules import CorrectionEntry
from verification.terms import OUTCOME_KEYS, WITH_CORRECTIONS, Outcome, SourcePaper

MOST_LINES, LONGEST_LINE = 400, 600
LONGEST_TEXT = 200  # of a reason or a place, as the pass keeps it
LEFT = "-"  # in the place of the outcome: nothing is recorded
OUTCOME_OF = {key: outcome for outcome, key in OUTCOME_KEYS.items()}
# Short names: the Vietnamese word on the form, without marks and blanks. The first is the one that `write` uses.
ITEM_WORDS = {
    "full_name": ("ten", "hoten"),
    "birth_date": ("ngaysinh", "ns"),
    "sex": ("gioi", "gioitinh"),
    "pin": ("dinhdanh", "sdd"),
    "cmnd": ("cmnd", "cccd"),
    "relation": ("quanhe", "qh"),
    "marital_status": ("honnhan", "hn"),
    "birth_registration_place": ("khaisinh", "nks"),
    "origin_place": ("quequan", "qq"),
    "residence_place": ("thuongtru", "tt"),
    "present_place": ("hientai", "ht"),
    "ethnicity": ("dantoc", "dt"),
    "religion": ("tongiao", "tg"),
    "nationality": ("quoctich", "qt"),
    "blood_type": ("nhommau", "nm"),
    "father_name": ("cha", "bo"),
    "mother_name": ("me",),
    "spouse_name": ("vochong", "vo", "chong"),
    "representative_name": ("daidien", "dd"),
    "head_name": ("chuho", "ch"),
    "book_number": ("soho", "shk"),
}
PAPER_WORDS = {
    SourcePaper.BIRTH_CERTIFICATE: ("ks",),
    SourcePaper.HOUSEHOLD_BOOK: ("hk",),
    SourcePaper.IDENTITY_CARD: ("cm", "cmnd", "cccd"),
    SourcePaper.CIVIL_STATUS_EXTRACT: ("tl",),
    SourcePaper.ARCHIVE: ("tt",),
    SourcePaper.IN_PERSON: ("bb",),
    SourcePaper.OTHER: ("khac",),
}
ITEM_OF = {word: name for name, words in ITEM_WORDS.items() for word in words}
PAPER_OF = {word: paper.value for paper, words in PAPER_WORDS.items() for word in words}

# What stands behind the letter, in this order.
ASKED_IN_ORDER = {
    **dict.fromkeys(WITH_CORRECTIONS, ("item", "value", "paper")),
    Outcome.DECEASED: ("day", "paper"),
    Outcome.MOVED_AWAY: ("value", "day"),
    Outcome.DUPLICATE: ("value",),
    Outcome.EMIGRATED: ("paper",),
    Outcome.NOT_MET: ("value", "day"),
    Outcome.UNVERIFIABLE: ("attempts", "value"),
}

HEAD = re.compile(r"(\d{1,3})(?!\d)(?:-(\d{1,3})(?!\d))? ?(.*)", re.ASCII)
DAY = re.compile(r"(\d{1,2})[/.-](\d{1,2})(?:[/.-](\d{4}))?", re.ASCII)
SAYS_NOTHING = {"\ufffd", "\x00"}  # a byte that was no letter; what no keyboard types


@dataclass(frozen=True)
class Remark:
    """What is said of the lines `first` to `last`. No outcome: nothing is recorded of them."""

    first: int
    last: int
    outcome: str = ""
    event_on: date | None = None
    destination: str = ""
    paper: str = ""
    duplicate_barcode: str = ""
    reason: str = ""
    attempts: int | None = None
    next_visit_on: date | None = None
    corrections: tuple[CorrectionEntry, ...] = field(default_factory=tuple)
    at: int = 0  # the line of the text it begins in


@dataclass(frozen=True)
class Problem:
    """What cannot be recorded as it was typed. `at` is the line of the text; 0: it stands in none."""

    at: int
    sentence: str


class CannotRead(ValueError):
    """A line of the text that says nothing we know, in a sentence."""


def read(typed: str, *, today: date) -> tuple[list[Remark], list[Problem]]:
    """What was typed, and what of it cannot be read. A date without a year is of the year of `today`."""
    remarks, problems = [], []
    for at, line in enumerate(typed.splitlines(), start=1):
        if at > MOST_LINES:
            problems.append(Problem(at, say("At most %(limit)d lines at once.") % {"limit": MOST_LINES}))
            break
        try:
            if remark := _read_line(line, today):
                remarks.append(replace(remark, at=at))
        except CannotRead as problem:
            problems.append(Problem(at, str(problem)))
    merged, twice = _merge(remarks)
    return merged, sorted([*problems, *twice], key=lambda problem: problem.at)


def write(remarks: Iterable[Remark]) -> str:
    """The remarks as they are typed."""
    return "\n".join(line for remark in remarks for line in _written(remark))


def readable_lines(remark: Remark) -> str:
    return str(remark.first) if remark.first == remark.last else f"{remark.first}-{remark.last}"


def compose(*, line: str, outcome: str, item: str, value: str, paper: str, day: str, attempts: str) -> str:
    """The line of text for what was chosen from lists; what is missing in it is for `read` to say."""
    letter = OUTCOME_KEYS[Outcome(outcome)] if outcome in Outcome.values else LEFT
    words = {
        "item": ITEM_WORDS[item][0] if item in ITEM_WORDS else "",
        "value": value,
        "paper": PAPER_WORDS[SourcePaper(paper)][0] if paper in SourcePaper.values else "",
        "day": day,
        "attempts": attempts,
    }
    asked = ASKED_IN_ORDER.get(outcome, ())
    return text.clean(" ".join([line, letter, *(words[name] for name in asked)]))


# --- reading ----------------------------------------------------------------------------


def _read_line(line: str, today: date) -> Remark | None:
    if any(sign in line for sign in SAYS_NOTHING):
        raise CannotRead(say("Some letters arrived broken (not UTF-8). Type them again."))
    line = text.clean(line)
    if not line:
        return None
    if len(line) > LONGEST_LINE:
        raise CannotRead(say("This line is too long."))
    head = HEAD.fullmatch(line)
    if not head:
        raise CannotRead(say("Begin with the number of a line of the sheet, as in “9 v …”."))
    first, last = int(head[1]), int(head[2] or head[1])
    if not 1 <= first <= last:
        raise CannotRead(say("From %(first)d to %(last)d there is no line.") % {"first": first, "last": last})
    letter, _, rest = head[3].partition(" ")
    remark = Remark(first, last)
    if letter == LEFT:
        _require_nothing(rest)
        return remark
    outcome = OUTCOME_OF.get(_word(letter))
    if outcome is None:
        letters = ", ".join(OUTCOME_OF)
        raise CannotRead(
            say("“%(letter)s” is no result; the letters are %(letters)s.") % {"letter": letter[:20], "letters": letters}
        )
    if first < last and outcome in ONE_PERSON_ONLY:
        raise CannotRead(say("This result is of one person: give each a line of its own."))
    return replace(remark, outcome=outcome.value, **READERS[outcome](rest, today))


ONE_PERSON_ONLY = (*WITH_CORRECTIONS, Outcome.DECEASED, Outcome.DUPLICATE)


def _word(typed: str) -> str:
    """However it was typed: capitals, marks and đ make no difference."""
    return text.search_key(typed)


def _require_nothing(rest: str) -> None:
    if rest:
        raise CannotRead(say("“%(rest)s” is too much here.") % {"rest": rest[:60]})


def _read_nothing(rest: str, today: date) -> dict:
    _require_nothing(rest)
    return {}


def _read_correction(rest: str, today: date) -> dict:
    name, _, rest = rest.partition(" ")
    value, _, paper = rest.rpartition(" ")
    if not value:
        raise CannotRead(say("Write item, new value and paper, as in “4 s ngaysinh 12/3/1956 hk”."))
    item = ITEM_OF.get(_word(name))
    if item is None:
        raise CannotRead(say("The form has no item called “%(field)s”.") % {"field": name[:40]})
    return {"corrections": (CorrectionEntry(field=item, new=value, source=_paper(paper)),)}


def _read_deceased(rest: str, today: date) -> dict:
    day, _, paper = rest.partition(" ")
    if not paper:
        raise CannotRead(say("Write the date of death and the paper, as in “12 c 3/4/2020 tl”."))
    return {"event_on": _day(day, today), "paper": _paper(paper)}


def _read_moved(rest: str, today: date) -> dict:
    place, _, day = rest.rpartition(" ")
    if not place:
        raise CannotRead(say("Write where to and since when, as in “15 y Đà Nẵng 1/5/2020”."))
    return {"destination": _text(place), "event_on": _day(day, today)}


def _read_duplicate(rest: str, today: date) -> dict:
    if not rest or " " in rest or len(rest) > 20:
        raise CannotRead(say("Write the barcode of the other form, as in “7 t 4211000123”."))
    return {"duplicate_barcode": rest}


def _read_emigrated(rest: str, today: date) -> dict:
    return {"paper": _paper(rest)} if rest else {}


def _read_absent(rest: str, today: date) -> dict:
    reason, _, day = rest.rpartition(" ")
    if not reason:
        raise CannotRead(say("Write the reason and the date of the next visit, as in “9 v đi làm ăn xa 25/6”."))
    return {"reason": _text(reason), "next_visit_on": _day(day, today)}


def _read_unverifiable(rest: str, today: date) -> dict:
    attempts, _, reason = rest.partition(" ")
    if not (reason and attempts.isascii() and attempts.isdigit() and len(attempts) <= 2):
        raise CannotRead(say("Write the number of attempts and the reason, as in “20 k 3 không gặp”."))
    return {"attempts": int(attempts), "reason": _text(reason)}


READERS = {
    Outcome.MATCHED: _read_nothing,
    Outcome.CORRECTED: _read_correction,
    Outcome.SUPPLEMENTED: _read_correction,
    Outcome.DECEASED: _read_deceased,
    Outcome.MOVED_AWAY: _read_moved,
    Outcome.DUPLICATE: _read_duplicate,
    Outcome.EMIGRATED: _read_emigrated,
    Outcome.NOT_MET: _read_absent,
    Outcome.UNVERIFIABLE: _read_unverifiable,
}


def _paper(typed: str) -> str:
    paper = PAPER_OF.get(_word(typed))
    if paper is None:
        papers = ", ".join(words[0] for words in PAPER_WORDS.values())
        raise CannotRead(
            say("“%(paper)s” is no paper; the papers are %(papers)s.") % {"paper": typed[:20], "papers": papers}
        )
    return paper


def _day(typed: str, today: date) -> date:
    found = DAY.fullmatch(typed)
    if not found:
        raise CannotRead(say("“%(typed)s” is no date; write 25/6 or 25/6/2020.") % {"typed": typed[:20]})
    try:
        return date(int(found[3] or today.year), int(found[2]), int(found[1]))
    except ValueError:
        raise CannotRead(say("%(typed)s is not a day of the calendar.") % {"typed": typed}) from None


def _text(typed: str) -> str:
    if len(typed) > LONGEST_TEXT:
        raise CannotRead(say("At most %(limit)d characters.") % {"limit": LONGEST_TEXT})
    return typed


def _merge(remarks: list[Remark]) -> tuple[list[Remark], list[Problem]]:
    """Several corrections of one person become one remark; any other line named twice is a problem."""
    merged: list[Remark] = []
    of_number: dict[int, int] = {}
    problems = []
    for remark in remarks:
        taken = {of_number[n] for n in range(remark.first, remark.last + 1) if n in of_number}
        earlier = merged[min(taken)] if taken else None
        if earlier and earlier.outcome in WITH_CORRECTIONS and remark.outcome in WITH_CORRECTIONS:
            same = earlier.outcome == remark.outcome
            merged[min(taken)] = replace(
                earlier,
                outcome=remark.outcome if same else Outcome.CORRECTED.value,
                corrections=earlier.corrections + remark.corrections,
            )
        elif earlier:
            problems.append(
                Problem(
                    remark.at,
                    say("Line %(line)s of the sheet was given a result above already.")
                    % {"line": readable_lines(remark)},
                )
            )
        else:
            of_number |= dict.fromkeys(range(remark.first, remark.last + 1), len(merged))
            merged.append(remark)
    return merged, problems


# --- writing ----------------------------------------------------------------------------


def _written(remark: Remark) -> list[str]:
    head = readable_lines(remark)
    if not remark.outcome:
        return [f"{head} {LEFT}"]
    head = f"{head} {OUTCOME_KEYS[Outcome(remark.outcome)]}"
    if remark.corrections:
        return [f"{head} {ITEM_WORDS[c.field][0]} {c.new} {_paper_word(c.source)}" for c in remark.corrections]
    said = {
        Outcome.DECEASED: lambda: f"{_day_word(remark.event_on)} {_paper_word(remark.paper)}",
        Outcome.MOVED_AWAY: lambda: f"{remark.destination} {_day_word(remark.event_on)}",
        Outcome.DUPLICATE: lambda: remark.duplicate_barcode,
        Outcome.EMIGRATED: lambda: _paper_word(remark.paper) if remark.paper else "",
        Outcome.NOT_MET: lambda: f"{remark.reason} {_day_word(remark.next_visit_on)}",
        Outcome.UNVERIFIABLE: lambda: f"{remark.attempts} {remark.reason}",
    }.get(remark.outcome, lambda: "")()
    return [f"{head} {said}".rstrip()]


def _day_word(day: date) -> str:
    return f"{day.day}/{day.month}/{day.year:04d}"


def _paper_word(paper: str) -> str:
    return PAPER_WORDS[SourcePaper(paper)][0]
