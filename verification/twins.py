"""Which other form a duplicate repeats: found by name and year of birth, or searched for, and shown side by side."""

from django.utils.translation import gettext as say

from census_verify import clock
from households.models import CollectionForm, User
from verification import items, search
from verification.models import Round

AT_MOST = 3  # beside the form itself, as many as fit a screen
COMPARED = (
    "full_name", "birth_date", "sex", "pin", "cmnd", "relation", "father_name", "mother_name", "spouse_name",
    "residence_place", "present_place", "birth_registration_place", "book_number",
)  # fmt: skip


def of(form: CollectionForm, officer: User, round: Round, typed: str = "") -> list[CollectionForm]:
    """The likeliest other forms that the officer may see, best first; `typed` as in the search field."""
    query = search.parse(typed or f"{form.full_name} {form.birth_year}", this_year=clock.today().year)
    found = search.find(query, officer, round, at_most=AT_MOST + 1).forms
    ids = [one.pk for one in found if one.pk != form.pk][:AT_MOST]
    forms = CollectionForm.objects.visible_to(officer).select_related("household", "hamlet", "commune").in_bulk(ids)
    return [forms[pk] for pk in ids if pk in forms]


def side_by_side(form: CollectionForm, others: list[CollectionForm]) -> list[tuple[str, str, list[tuple[str, bool]]]]:
    """(label, the form's value, the others' values and whether each is the same), item by item."""
    lines = []
    for name in COMPARED:
        own, *values = (items.readable(name, items.value_of(one, name)) for one in (form, *others))
        if own or any(values):
            lines.append((str(items.ITEMS[name].label), own, [(value, value == own) for value in values]))
    lines.append((say("Barcode"), form.barcode, [(other.barcode, False) for other in others]))
    return lines
