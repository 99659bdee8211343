"""Who in the province may be the person of a new form: asked before it is saved, by the rules that
`faults.REGISTER_RULES` later ask of the whole register."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import BooleanField, Case, Q, Value, When
from django.db.models.expressions import RawSQL

from households import text
from households.faults import Fault
from households.models import CollectionForm
from households.models.register import FORM_WORDS

AT_MOST = 5  # to look at; more than that are namesakes, or a number typed to fill the box


@dataclass(frozen=True)
class Likeness:
    """A form of the register that says the same of `field`."""

    fault: Fault
    field: str
    other: CollectionForm


def likenesses(form: CollectionForm) -> list[Likeness]:
    """Forms of the province with the person's name, sex and birth date, or with one of her numbers.

    Each form is named once; of several those of the form's own household and commune come first.
    """
    found: dict[int, Likeness] = {}
    for fault, field, others in (
        (Fault.L09, "pin", _with_number(form, form.pin)),
        (Fault.L09, "full_name", _with_name(form)),
        (Fault.L10, "cmnd", _with_number(form, form.cmnd)),
    ):
        for other in others:
            found.setdefault(other.pk, Likeness(fault, field, other))
    return list(found.values())


def _with_name(form: CollectionForm) -> Iterable[CollectionForm]:
    """By the index of the search: its words and its year, then compared whole."""
    folded = text.search_key(form.full_name)
    words = " & ".join(map(text.lexeme, [*folded.split(), f"#{form.birth_year}"]))
    return _nearest(
        form,
        RawSQL(f"{FORM_WORDS} @@ %s::tsquery", [words], BooleanField()),
        Q(search_key=folded, birth_year=form.birth_year, sex=form.sex),
        Q(birth_month=form.birth_month, birth_day=form.birth_day),
    )


def _with_number(form: CollectionForm, number: str) -> Iterable[CollectionForm]:
    """An identity card of twelve digits may stand in either box."""
    return _nearest(form, Q(pin=number) | Q(cmnd=number)) if number else []


def _nearest(form: CollectionForm, *conditions) -> Iterable[CollectionForm]:
    forms = CollectionForm.objects.filter(*conditions, province_id=form.province_id).exclude(pk=form.pk)
    nearness = Case(
        When(household_id=form.household_id, then=Value(0)),
        When(commune_id=form.commune_id, then=Value(1)),
        default=Value(2),
    )
    return forms.select_related("commune__parent").order_by(nearness, "pk")[:AT_MOST]
