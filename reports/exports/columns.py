"""What a list says of a person: cells made by PostgreSQL, in the reader's language, safe in a spreadsheet."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import chain

from django.db.models import (
    BigIntegerField,
    Case,
    Choices,
    Expression,
    F,
    Field,
    Func,
    IntegerField,
    TextChoices,
    TextField,
    Value,
    When,
)
from django.db.models.functions import Cast, Collate, Length
from django.db.models.lookups import GreaterThan
from django.utils.translation import gettext_lazy as _

from households.models import AdministrativeUnit
from households.models.register import Sex
from reports.exports.writers import Heading
from verification.terms import Approval, Outcome


class Looked(Func):
    """What stands for a field's value in `pairs`; NULL, an empty cell, where nothing does. Django's Case says
    the same and takes five times as long to put together, which 216 communes would feel."""

    def __init__(self, field: str, pairs: Iterable[tuple], output_field: Field | None = None):
        super().__init__(field, output_field=output_field or TextField())
        self.pairs = tuple(pairs)

    def as_sql(self, compiler, connection):
        field, params = compiler.compile(self.source_expressions[0])
        return f"CASE {field}{' WHEN %s THEN %s' * len(self.pairs)} END", (*params, *chain.from_iterable(self.pairs))


class Order(TextChoices):
    """In which order a list goes through each hamlet."""

    NAME = "name", _("by given name")
    WALK = "walk", _("by household, as the officer walks")


@dataclass(frozen=True)
class Place:
    """A commune whose rows are read in one go, and its hamlets in walking order."""

    commune: AdministrativeUnit
    hamlets: list[AdministrativeUnit]

    @property
    def hamlet_name(self) -> Func:
        return Looked("hamlet", ((hamlet.pk, hamlet.full_name) for hamlet in self.hamlets))

    @property
    def hamlet_rank(self) -> Looked:
        return Looked("hamlet", ((hamlet.pk, rank) for rank, hamlet in enumerate(self.hamlets)), IntegerField())

    @property
    def walking_key(self) -> Expression:
        """Hamlet, order in the hamlet and line as one number, each in its own bits: the order is that of
        the three, and sorting takes a third of the time."""
        rank = Cast(self.hamlet_rank, BigIntegerField())
        return rank * 2**48 + Cast("household__sequence", BigIntegerField()) * 2**16 + F("line")

    def order(self, of: str) -> tuple:
        """Hamlet by hamlet: as the officer walks, or by name as Vietnamese lists go, the given name first."""
        if of == Order.NAME:
            return self.hamlet_rank, Collate("sort_key", "C"), self.walking_key, "pk"
        return self.walking_key, "pk"


class FormulaSafe(Func):
    """What no spreadsheet takes for a formula: before tab, CR, +, -, = and @ stands an apostrophe."""

    template = (
        "CASE WHEN ascii(%(expressions)s) IN (9, 13, 43, 45, 61, 64)"
        " THEN '''' || %(expressions)s ELSE %(expressions)s END"
    )
    output_field = TextField()


class DayNumber(Func):
    """A day as a spreadsheet counts it."""

    template = "(%(expressions)s - DATE '1899-12-30')"
    output_field = IntegerField()


def masked_sql(field: str, short: Expression) -> Case:
    """As `records.masked`; `short` is what stands for a number too short to be masked."""
    hidden = Func(Value("•"), Length(field) - 3, function="repeat")
    last = Func(field, Value(3), function="right")
    masked = Func(hidden, last, template="(%(expressions)s)", arg_joiner=" || ", output_field=TextField())
    return Case(When(GreaterThan(Length(field), 3), then=masked), default=short, output_field=TextField())


def birth_date_text() -> Func:
    """As `CollectionForm.birth_date_text`; concat_ws leaves out what is not known."""
    two = (
        Func(Cast(part, TextField()), Value(2), Value("0"), function="lpad") for part in ("birth_day", "birth_month")
    )
    return Func(Value("/"), *two, F("birth_year"), function="concat_ws", output_field=TextField())


def label_of(choices: type[Choices], field: str) -> Looked:
    return Looked(field, ((value, str(label)) for value, label in choices.choices))


@dataclass(frozen=True)
class Column:
    """`cell` is how it reads; `csv_cell`, where people typed it, the same kept from being a formula."""

    title: str
    cell: Callable[[Place], Expression]
    width: int
    kind: str = "text"
    csv_cell: Callable[[Place], Expression] | None = None

    @property
    def heading(self) -> Heading:
        return Heading(str(self.title), self.width, self.kind)

    def for_csv(self, place: Place) -> Expression:
        return (self.csv_cell or self.cell)(place)

    def for_xlsx(self, place: Place) -> Expression:
        return DayNumber(self.cell(place)) if self.kind == "date" else self.cell(place)

    def on_paper(self, place: Place) -> Expression:
        return self.cell(place)


def typed(title: str, field: str, width: int) -> Column:
    return Column(title, lambda place: F(field), width, csv_cell=lambda place: FormulaSafe(field))


def _masked_number(title: str, field: str, width: int) -> Column:
    return Column(
        title,
        lambda place: masked_sql(field, F(field)),
        width,
        csv_cell=lambda place: masked_sql(field, FormulaSafe(field)),
    )


COLUMNS = {
    "commune": Column(_("Commune"), lambda place: Value(place.commune.full_name, output_field=TextField()), 24),
    "hamlet": Column(_("Hamlet"), lambda place: place.hamlet_name, 22),
    "book": typed(_("Household book"), "household__book_number", 14),
    "name": typed(_("Full name"), "full_name", 30),
    "born": Column(_("Birth date"), lambda place: birth_date_text(), 12),
    "sex": Column(_("Sex"), lambda place: label_of(Sex, "sex"), 8),
    "relation": typed(_("Relation to the head"), "relation", 16),
    "pin": _masked_number(_("Personal number"), "pin", 16),
    "cmnd": _masked_number(_("Identity card number"), "cmnd", 16),
    "barcode": typed(_("Barcode"), "barcode", 18),
    "address": typed(_("Address"), "household__address", 40),
    "outcome": Column(_("Result"), lambda place: label_of(Outcome, "result__outcome"), 24),
    "approval": Column(_("Approval"), lambda place: label_of(Approval, "result__approval"), 18),
    "verified_on": Column(_("Verified on"), lambda place: F("result__counted_on"), 12, "date"),
    "next_visit_on": Column(_("Next visit"), lambda place: F("result__next_visit_on"), 12, "date"),
}
WHOLE_NUMBERS = {
    "pin": typed(_("Personal number"), "pin", 16),
    "cmnd": typed(_("Identity card number"), "cmnd", 16),
}
