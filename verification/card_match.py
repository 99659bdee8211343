"""From a chip card to the person's form, and what the two say differently."""

import re
from dataclasses import dataclass, field

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_variables

from census_verify import clock
from households import text
from households.faults.words import place_parts
from households.models import CollectionForm, User
from households.permissions import Scope, scope_of
from households.statements import Statement
from verification import items
from verification import search as searching
from verification.cards import Card
from verification.models import Round
from verification.search import FoundForm, found
from verification.search.asking import PAGE

# Forms with the card's number as personal number or as identity card number (there were cards of 12 digits before), or
# with its old number; those she may see first. One that is elsewhere is asked for too: then the page says that much.
BY_NUMBER = Statement(
    "forms_by_card_number",
    "text, text[], text[]",
    f"""
    SELECT numbered.id, min(numbered.rank), bool_or(commune.path LIKE ANY($3)) AS is_hers
    FROM (
        SELECT form.id, form.commune_id, 1 AS rank FROM households_collectionform form
        WHERE form.pin = $1 AND form.pin <> ''
        UNION ALL
        SELECT form.id, form.commune_id, 2 FROM households_collectionform form
        WHERE form.cmnd = ANY($2) AND form.cmnd <> ''
    ) numbered JOIN households_administrativeunit commune ON commune.id = numbered.commune_id
    GROUP BY numbered.id ORDER BY is_hers DESC, min(numbered.rank), numbered.id LIMIT {PAGE + 1}""",
)


@dataclass
class Candidates:
    """Whose card it may be, the likeliest first."""

    forms: list[FoundForm] = field(default_factory=list)
    is_doubtful: bool = False  # the number is there, but neither the name nor the birth date
    is_elsewhere: bool = False  # the number is on a form she may not see


@sensitive_variables()
def candidates(card: Card, officer: User, round: Round | None) -> Candidates:
    """By personal number, then by the old number, then by name and birth date, among the persons the officer may see."""
    scope = scope_of(officer)
    by_number, is_elsewhere = _by_number(card, scope, round)
    of_rank = [[form for form, rank in by_number if rank == wanted] for wanted in (1, 2)]
    for forms in of_rank:
        if fitting := [form for form in forms if _fits(form, card)]:
            return Candidates(fitting)
    by_name = _by_name(card, officer, round)
    doubtful = [form for form, _rank in by_number if form.pk not in {other.pk for other in by_name}]
    return Candidates([*by_name, *doubtful], bool(doubtful) and not by_name, is_elsewhere and not (by_name or doubtful))


def _by_number(card: Card, scope: Scope, round: Round | None) -> tuple[list[tuple[FoundForm, int]], bool]:
    numbers = [number for number in (card.number, card.cmnd) if number]
    rows = BY_NUMBER.rows(card.number, numbers, [f"{unit.path}%" for unit in scope.person_units])
    rank_of = {pk: rank for pk, rank, is_hers in rows if is_hers}
    forms = found.read(list(rank_of), scope, round)
    return [(form, rank_of[form.pk]) for form in forms], bool(rows) and not rank_of


def _fits(form: FoundForm, card: Card) -> bool:
    """Name or birth date agree: a number alone may have been issued twice or written on the wrong form."""
    if text.search_key(form.full_name) == text.search_key(card.full_name):
        return True
    return form.birth_year == card.birth_year and form.birth_month in (None, card.birth_month)


def _by_name(card: Card, officer: User, round: Round | None) -> list[FoundForm]:
    """The same name, marks aside, and the same birth date, or the same year where one of the two knows no more."""
    if card.is_garbled:
        return []
    name = text.search_key(card.full_name)
    for born in dict.fromkeys((card.birth_date_text, str(card.birth_year))):
        query = searching.parse(f"{card.full_name} {born}", this_year=clock.today().year)
        forms = [
            form
            for form in searching.find(query, officer, round).forms
            if text.search_key(form.full_name) == name
            and form.birth_year == card.birth_year
            and not _differs(form.birth_month, card.birth_month)
            and not _differs(form.birth_day, card.birth_day)
        ]
        if forms:
            return forms
    return []


def _differs(written: int | None, on_card: int | None) -> bool:
    return bool(written and on_card) and written != on_card


class Verdict(TextChoices):
    SAME = "same", _("the same")
    DIFFERS = "differs", _("different")
    ADDS = "adds", _("missing on the form")
    SILENT = "silent", _("not on the card")
    GARBLED = "garbled", _("letters garbled")


@dataclass(frozen=True)
class Comparison:
    """One item on the form and on the card. `new` is what a correction would write."""

    item: str
    on_form: str
    on_card: str
    new: str
    verdict: Verdict

    @property
    def label(self) -> str:
        return str(items.ITEMS[self.item].label)

    @property
    def readable_form(self) -> str:
        return items.readable(self.item, self.on_form)

    @property
    def readable_card(self) -> str:
        return items.readable(self.item, self.on_card)

    @property
    def can_be_taken(self) -> bool:
        return self.verdict in (Verdict.DIFFERS, Verdict.ADDS)


def compare(form: CollectionForm, card: Card) -> list[Comparison]:
    """Every item that a card has, in the order of the form."""
    written = {name: items.value_of(form, name) for name in CARD_ITEMS}
    on_card = {
        "full_name": card.full_name,
        "birth_date": card.birth_date_text,
        "sex": str(int(card.sex)),
        "pin": card.number,
        "cmnd": card.cmnd,
        "residence_place": card.residence,
    }
    new = on_card | {"full_name": card.full_name.upper(), "sex": SEX_TYPED[card.sex]}
    verdicts = {
        "full_name": _of_text(written["full_name"], card.full_name, card, text.marked_key),
        "birth_date": _of_birth_date(form, card),
        "sex": _of_value(written["sex"], on_card["sex"]),
        "pin": _of_value(written["pin"], card.number),
        # the number of the card of 12 digits that came before
        "cmnd": Verdict.SAME if written["cmnd"] == card.number else _of_value(written["cmnd"], card.cmnd),
        "residence_place": _of_text(written["residence_place"], card.residence, card, _loose_place),
    }
    return [Comparison(name, written[name], on_card[name], new[name], verdicts[name]) for name in CARD_ITEMS]


CARD_ITEMS = ("full_name", "birth_date", "sex", "pin", "cmnd", "residence_place")
SEX_TYPED = {1: "Nam", 2: "Nữ"}  # as the entry page's list offers them, in either language


def is_somebody_else(comparisons: list[Comparison]) -> bool:
    """Neither name nor birth date agree: then nothing is proposed as a correction."""
    verdict_of = {c.item: c.verdict for c in comparisons}
    return verdict_of["full_name"] == Verdict.DIFFERS == verdict_of["birth_date"]


def is_proposed(comparison: Comparison, card: Card) -> bool:
    """Ticked at first. Not an address, which people change and cards do not; not a number that contradicts itself."""
    if comparison.item == "residence_place":
        return comparison.verdict == Verdict.ADDS
    return comparison.can_be_taken and not (comparison.item == "pin" and card.contradiction)


def _of_value(written: str, on_card: str) -> Verdict:
    if not on_card:
        return Verdict.SILENT
    if not written:
        return Verdict.ADDS
    return Verdict.SAME if written == on_card else Verdict.DIFFERS


def _of_birth_date(form: CollectionForm, card: Card) -> Verdict:
    pairs = ((form.birth_month, card.birth_month), (form.birth_day, card.birth_day))
    if form.birth_year != card.birth_year or any(_differs(*pair) for pair in pairs):
        return Verdict.DIFFERS
    return Verdict.ADDS if any(known and not written for written, known in pairs) else Verdict.SAME


def _of_text(written: str, on_card: str, card: Card, key) -> Verdict:
    if card.is_garbled:
        return Verdict.GARBLED
    if not written:
        return Verdict.ADDS
    one, other = key(text.clean(written)), key(on_card)
    if one == other:
        return Verdict.SAME
    is_place = key is _loose_place and (_is_within(one, other) or _is_within(other, one))
    return Verdict.SAME if is_place else Verdict.DIFFERS


UNIT_TYPE = re.compile(
    r"^(tinh|thanh pho|quan|huyen|thi xa|thi tran|xa|phuong|to dan pho|tdp|khoi pho|khoi|thon|xom|ban|lang|to|so nha)\s+(?=\S)"
)


def _loose_place(place: str) -> tuple[str, ...]:
    """The names a place consists of, without marks and without saying what kind of place each is."""
    return tuple(name for part in place_parts(place) if (name := UNIT_TYPE.sub("", part).strip(" .")))


def _is_within(short: tuple[str, ...], long: tuple[str, ...]) -> bool:
    """All of `short` in `long`, in this order: one of the two may name the hamlet or the house as well."""
    rest = iter(long)
    return bool(short) and all(name in rest for name in short)
