"""Rules of the forms of one household: each a pure function giving (form, Suspicion) pairs."""

from collections import Counter
from collections.abc import Callable, Sequence

from django.utils.translation import gettext_lazy as _

from households import text
from households.faults.catalogue import Fault, Suspicion
from households.faults.words import CHILDREN, HEAD_WORDS, PARENTS, SPOUSES

Found = list[tuple[object, Suspicion]]
YEARS_BETWEEN_GENERATIONS = 12


def _related(forms: Sequence, words: frozenset[str]) -> list:
    return [form for form in forms if text.search_key(form.relation) in words]


def _head(forms: Sequence):
    """The one head; None where there is none, or several."""
    heads = _related(forms, HEAD_WORDS)
    return heads[0] if len(heads) == 1 else None


def head_missing(forms: Sequence) -> Found:
    """Said once, on the first form: which of them is the head, nobody's own form can tell."""
    if not forms or _related(forms, HEAD_WORDS):
        return []
    return [(forms[0], Suspicion(Fault.L17, "relation", _("nobody in this household is its head")))]


def several_heads(forms: Sequence) -> Found:
    heads = _related(forms, HEAD_WORDS)
    if len(heads) < 2:
        return []
    sentence, values = _("%(count)d people are written as head of this household"), {"count": len(heads)}
    return [(form, Suspicion(Fault.L17, "relation", sentence, values)) for form in heads]


def head_named_otherwise(forms: Sequence) -> Found:
    """The head's name on a form is neither the head's own nor the one on the head's own form."""
    head = _head(forms)
    if head is None:
        return []
    found = []
    for form in forms:
        name = form.head_name
        if not name or name == head.full_name or (form is not head and name == head.head_name):
            continue
        known = [head.full_name] if form is head else [head.full_name, head.head_name]
        if text.search_key(name) not in map(text.search_key, known):
            values = {"written": name, "head": head.full_name}
            sentence = _("the form names %(written)s; the head of this household is %(head)s")
            found.append((form, Suspicion(Fault.L17, "head_name", sentence, values)))
    return found


def generations_too_near(forms: Sequence) -> Found:
    """A child as old as the head, a parent as young."""
    head = _head(forms)
    if head is None or len(forms) < 2:
        return []
    found = []
    for form in forms:
        years = form.birth_year - head.birth_year
        relation = text.search_key(form.relation)
        if (relation in CHILDREN and years < YEARS_BETWEEN_GENERATIONS) or (
            relation in PARENTS and years > -YEARS_BETWEEN_GENERATIONS
        ):
            values = {"relation": form.relation, "born": form.birth_year, "head": head.birth_year}
            sentence = _("“%(relation)s” born in %(born)d, the head in %(head)d")
            found.append((form, Suspicion(Fault.L18, "relation", sentence, values)))
    return found


def several_spouses(forms: Sequence) -> Found:
    spouses = _related(forms, SPOUSES)
    if len(spouses) < 2:
        return []
    sentence, values = _("%(count)d people are written as husband or wife of the head"), {"count": len(spouses)}
    return [(form, Suspicion(Fault.L18, "relation", sentence, values)) for form in spouses]


def spouse_of_the_heads_sex(forms: Sequence) -> Found:
    head = _head(forms)
    if head is None or not head.sex:
        return []
    sentence = _("“%(relation)s” of the head, and of the same sex")
    return [
        (form, Suspicion(Fault.L18, "relation", sentence, {"relation": form.relation}))
        for form in _related(forms, SPOUSES)
        if form.sex == head.sex
    ]


def spouses_name_another(forms: Sequence) -> Found:
    """The head and the head's husband or wife: each form names the other one, or nobody."""
    head, spouses = _head(forms), _related(forms, SPOUSES)
    if head is None or len(spouses) != 1:
        return []
    sentence, found = _("the form names %(written)s; here the husband or wife is %(name)s"), []
    for form, other in ((head, spouses[0]), (spouses[0], head)):
        written, name = form.spouse_name, other.full_name
        if written and written != name and text.search_key(written) != text.search_key(name):
            values = {"written": written, "name": name}
            found.append((form, Suspicion(Fault.L19, "spouse_name", sentence, values)))
    return found


def book_number_of_another_household(forms: Sequence) -> Found:
    """One form against all the others of its household."""
    sentence = _("the others of this household have book number %(number)s")
    return [
        (form, Suspicion(Fault.L23, "book_number", sentence, {"number": usual}))
        for form, usual in _against_the_others(forms, "book_number")
    ]


def residence_of_another_household(forms: Sequence) -> Found:
    """One form against all the others of its household."""
    sentence = _("the others of this household live permanently at: %(place)s")
    return [
        (form, Suspicion(Fault.L15, "residence_place", sentence, {"place": usual}))
        for form, usual in _against_the_others(forms, "residence_place")
        if text.search_key(form.residence_place) != text.search_key(usual)
    ]


def _against_the_others(forms: Sequence, field: str) -> list[tuple[object, str]]:
    """The one form whose value differs from what all the others have, with that value."""
    if len(forms) < 3:
        return []
    values = [getattr(form, field) for form in forms]
    if values.count(values[0]) == len(values):
        return []
    ((usual, count), *_others) = Counter(value for value in values if value).most_common() or [("", 0)]
    if count < len(forms) - 1 or count < 2:
        return []
    return [(form, usual) for form, value in zip(forms, values, strict=True) if value and value != usual]


HOUSEHOLD_RULES: tuple[Callable[[Sequence], Found], ...] = (
    head_missing,
    several_heads,
    head_named_otherwise,
    generations_too_near,
    several_spouses,
    spouse_of_the_heads_sex,
    spouses_name_another,
    book_number_of_another_household,
    residence_of_another_household,
)


# What is left to ask of a household with one head, one husband or wife at most, one book number and one residence: most are so.
RULES_OF_ORDINARY = (head_named_otherwise, generations_too_near, spouse_of_the_heads_sex, spouses_name_another)


def _is_ordinary(forms: Sequence) -> bool:
    relations = [text.search_key(form.relation) for form in forms]
    return (
        sum(relation in HEAD_WORDS for relation in relations) == 1
        and sum(relation in SPOUSES for relation in relations) <= 1
        and len({form.book_number for form in forms}) == 1
        and len({form.residence_place for form in forms}) == 1
    )


def suspicions_in_household(forms: Sequence) -> Found:
    """Everything suspected from the forms of one household seen together."""
    rules = RULES_OF_ORDINARY if _is_ordinary(forms) else HOUSEHOLD_RULES
    return [pair for rule in rules for pair in rule(forms)]
