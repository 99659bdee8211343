"""What a list of persons says beside the columns that all lists have: why somebody was not met, what was corrected."""

from django.contrib.postgres.aggregates import StringAgg
from django.db.models import Case, Expression, F, Func, OuterRef, QuerySet, Subquery, TextField, Value, When
from django.db.models.functions import Concat, TruncDate
from django.utils.translation import gettext as say
from django.utils.translation import gettext_lazy as _

from households.models import CollectionForm
from households.models.register import Sex
from reports.exports.columns import Column, Looked, label_of, masked_sql
from verification import items
from verification.models import Correction, NewPerson, PassEvent, Round, VerificationPass
from verification.records import State
from verification.terms import NewPersonReason, Outcome, SourcePaper

NUMBERS = ("pin", "cmnd")  # items that are numbers of persons


class SafeOnce(Func):
    """As `columns.FormulaSafe`, for a cell that costs a question of its own: it is asked once."""

    template = r"regexp_replace(%(expressions)s, '^([\t\r=+@-])', '''\1')"
    output_field = TextField()


def columns_of(state: str, round: Round, *, with_numbers: bool) -> dict[str, Column]:
    """By the state whose list it is; `with_numbers`: corrections of numbers are told whole."""
    reason = _typed(_("Reason"), _of_pass("reason"), 30)
    officer = {"officer": Column(_("Officer"), lambda place: _of_pass("officer__full_name"), 24)}
    event_on = Column(_("Date of death or departure"), lambda place: _of_pass("event_on"), 12, "date")
    paper = Column(_("Paper"), lambda place: _labelled(_passes(), SourcePaper, "paper"), 24)
    same_as = _typed(_("Same as the form with barcode"), _of_pass("duplicate_of__barcode"), 20)
    gone = {"event_on": event_on, "paper": paper}
    corrected = {"corrections": _corrections(with_numbers=with_numbers)}
    details = {
        State.NOT_MET: {"reason": reason},
        State.DUE: {"reason": reason},
        State.LATER: {"reason": reason},
        State.RETURNED: {
            "returned_why": _typed(_("Why returned"), _of_return("reason"), 36),
            "returned_by": Column(_("Returned by"), lambda place: _of_return("by__full_name"), 24),
            "returned_on": Column(_("Returned on"), lambda place: _of_return("day"), 12, "date"),
        },
        State.FOUND: corrected,
        Outcome.CORRECTED: corrected,
        Outcome.SUPPLEMENTED: corrected,
        State.REMOVALS: gone | {"duplicate_of": same_as},
        Outcome.DECEASED: gone,
        Outcome.EMIGRATED: gone,
        Outcome.DUPLICATE: {"duplicate_of": same_as},
        Outcome.MOVED_AWAY: {"event_on": event_on, "destination": _typed(_("Where to"), _of_pass("destination"), 36)},
        Outcome.UNVERIFIABLE: {
            "attempts": Column(_("Attempts made"), lambda place: _of_pass("attempts"), 10, "number"),
            "reason": reason,
        },
    }
    if state == State.NEW_PEOPLE:
        return _of_new_person(round)
    return details[state] | officer if state in details else {}


def _typed(title: str, cell: Expression, width: int) -> Column:
    return Column(title, lambda place: cell, width, csv_cell=lambda place: SafeOnce(cell))


def _passes() -> QuerySet[VerificationPass]:
    return VerificationPass.objects.filter(pk=OuterRef("result__standing_pass"))


def _of_pass(field: str) -> Subquery:
    return Subquery(_passes().values(field))


def _labelled(rows: QuerySet, choices: type, field: str) -> Subquery:
    return Subquery(rows.annotate(label=label_of(choices, field)).values("label")[:1])


def _of_return(field: str) -> Subquery:
    """Of the last time the result that stands was returned."""
    events = PassEvent.objects.filter(
        verification_pass=OuterRef("result__standing_pass"), kind=PassEvent.Kind.RETURNED
    ).annotate(day=TruncDate("at"))
    return Subquery(events.order_by("-pk").values(field)[:1])


def _of_new_person(round: Round) -> dict[str, Column]:
    found = NewPerson.objects.filter(round=round, form=OuterRef("pk"))
    return {
        "why_new": Column(_("Why new"), lambda place: _labelled(found, NewPersonReason, "reason"), 24),
        "found_on": Column(_("Found on"), lambda place: Subquery(found.values("found_on")[:1]), 12, "date"),
        "paper": Column(_("Paper"), lambda place: _labelled(found, SourcePaper, "paper"), 24),
        "officer": Column(_("Officer"), lambda place: Subquery(found.values("officer__full_name")[:1]), 24),
    }


def _corrections(*, with_numbers: bool) -> Column:
    """Each item with both values, as the standing result has them, whatever was decided of them."""

    def cell(place) -> Subquery:
        label = Looked("field", ((name, str(item.label)) for name, item in items.ITEMS.items()))
        sides = _value("old", with_numbers), Value(" → "), _value("new", with_numbers)
        each = Concat(label, Value(": "), *sides, output_field=TextField())
        of_pass = Correction.objects.filter(verification_pass=OuterRef("result__standing_pass")).order_by()
        texts = of_pass.values("verification_pass").annotate(text=StringAgg(each, "; ", order_by="pk"))
        return Subquery(texts.values("text"))

    return Column(_("Corrections"), cell, 60, csv_cell=lambda place: SafeOnce(cell(place)))


def _value(side: str, with_numbers: bool) -> Case:
    """One side of a correction as `items.readable` has it."""
    whens = [
        When(**{side: ""}, then=Value(say("(blank)"))),
        When(field="sex", then=_label_of_code(Sex, side)),
        When(field="marital_status", then=_label_of_code(CollectionForm.MaritalStatus, side)),
    ]
    if not with_numbers:
        whens.append(When(field__in=NUMBERS, then=masked_sql(side, F(side))))
    return Case(*whens, default=F(side), output_field=TextField())


def _label_of_code(choices: type, side: str) -> Looked:
    """The label of a choice of numbers that a correction keeps as text."""
    return Looked(side, ((str(value), str(label)) for value, label in choices.choices))
