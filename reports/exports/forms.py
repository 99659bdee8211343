"""Lists of forms, up to the whole register: read commune by commune, every cell made by PostgreSQL.

One ordered list of columns serves CSV, which PostgreSQL writes itself (COPY), and XLSX. The rows are those
of the list on the screen, in its order, with its labels (a test compares all three).
"""

import codecs
import csv
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from io import StringIO
from itertools import chain, count
from operator import add
from pathlib import Path

from django.db import connection
from django.db.models import (
    BigIntegerField,
    Case,
    Choices,
    Expression,
    F,
    Field,
    Func,
    IntegerField,
    TextField,
    Value,
    When,
)
from django.db.models.functions import Cast, Length
from django.db.models.lookups import GreaterThan
from django.utils.translation import gettext_lazy as _

from households.models import AdministrativeUnit
from households.models.register import Sex
from households.permissions import scope_of
from reports.exports.tables import lines_of, title_of
from reports.exports.writers import Heading, Sheet
from reports.models import Export, Tally
from verification import records
from verification.terms import Approval, Outcome

ROWS_AT_ONCE = 2000
TELL_EVERY = 1000
Level = AdministrativeUnit.Level


class Looked(Func):
    """What stands for a field's value in `pairs`; NULL, an empty cell, where nothing does. Django's Case says
    the same and takes five times as long to put together, which 216 communes would feel."""

    def __init__(self, field: str, pairs: Iterable[tuple], output_field: Field | None = None):
        super().__init__(field, output_field=output_field or TextField())
        self.pairs = tuple(pairs)

    def as_sql(self, compiler, connection):
        field, params = compiler.compile(self.source_expressions[0])
        return f"CASE {field}{' WHEN %s THEN %s' * len(self.pairs)} END", (*params, *chain.from_iterable(self.pairs))


@dataclass(frozen=True)
class Place:
    """A commune whose rows are read in one go, and its hamlets in walking order."""

    commune: AdministrativeUnit
    hamlets: list[AdministrativeUnit]

    @property
    def hamlet_name(self) -> Func:
        return Looked("hamlet", ((hamlet.pk, hamlet.full_name) for hamlet in self.hamlets))

    @property
    def walking_key(self) -> Expression:
        """Hamlet, order in the hamlet and line as one number, each in its own bits: the order is that of
        the three, and sorting takes a third of the time."""
        ranks = ((hamlet.pk, rank) for rank, hamlet in enumerate(self.hamlets))
        rank = Looked("hamlet", ranks, IntegerField())
        return (
            Cast(rank, BigIntegerField()) * 2**48 + Cast("household__sequence", BigIntegerField()) * 2**16 + F("line")
        )


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


def _masked(field: str, short: Expression) -> Case:
    """As `records.masked`; `short` is what stands for a number too short to be masked."""
    hidden = Func(Value("•"), Length(field) - 3, function="repeat")
    last = Func(field, Value(3), function="right")
    masked = Func(hidden, last, template="(%(expressions)s)", arg_joiner=" || ", output_field=TextField())
    return Case(When(GreaterThan(Length(field), 3), then=masked), default=short, output_field=TextField())


def _birth_date_text() -> Func:
    """As `CollectionForm.birth_date_text`; concat_ws leaves out what is not known."""
    two = (
        Func(Cast(part, TextField()), Value(2), Value("0"), function="lpad") for part in ("birth_day", "birth_month")
    )
    return Func(Value("/"), *two, F("birth_year"), function="concat_ws", output_field=TextField())


def _label(choices: type[Choices], field: str) -> Looked:
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


def _typed(title: str, field: str, width: int) -> Column:
    return Column(title, lambda place: F(field), width, csv_cell=lambda place: FormulaSafe(field))


def _masked_number(title: str, field: str, width: int) -> Column:
    return Column(
        title,
        lambda place: _masked(field, F(field)),
        width,
        csv_cell=lambda place: _masked(field, FormulaSafe(field)),
    )


NUMBER = Heading(_("No."), 6, "number")  # counted here while the rows go by
COLUMNS = [
    Column(_("Commune"), lambda place: Value(place.commune.full_name, output_field=TextField()), 24),
    Column(_("Hamlet"), lambda place: place.hamlet_name, 22),
    _typed(_("Household book"), "household__book_number", 14),
    _typed(_("Full name"), "full_name", 30),
    Column(_("Birth date"), lambda place: _birth_date_text(), 12),
    Column(_("Sex"), lambda place: _label(Sex, "sex"), 8),
    _typed(_("Relation to the head"), "relation", 16),
    _masked_number(_("Personal number"), "pin", 16),
    _masked_number(_("Identity card number"), "cmnd", 16),
    _typed(_("Barcode"), "barcode", 18),
    _typed(_("Address"), "household__address", 40),
    Column(_("Result"), lambda place: _label(Outcome, "result__outcome"), 24),
    Column(_("Approval"), lambda place: _label(Approval, "result__approval"), 18),
    Column(_("Verified on"), lambda place: F("result__counted_on"), 12, "date"),
    Column(_("Next visit"), lambda place: F("result__next_visit_on"), 12, "date"),
]


def forms_sheet(export: Export) -> Sheet:
    """The list as a sheet for the XLSX writers."""
    label = dict([*records.State.choices, *Outcome.choices])[_state(export)]
    return Sheet(
        title_of(export, f"{export.unit.full_name}: {label}"),
        lines_of(export),
        headings(),
        _numbered_rows(export),
        expected_rows(export),
        is_long=True,
    )


def headings() -> list[Heading]:
    return [Heading(str(NUMBER.title), NUMBER.width, NUMBER.kind), *(column.heading for column in COLUMNS)]


def write_forms_csv(export: Export, path: Path, told: Callable[[int], None]) -> int:
    """Let PostgreSQL write the list; returns its rows. `told` hears now and then how many there are."""
    _plan_by_commune()
    raw = connection.connection
    with path.open("wb", buffering=1 << 20) as file:
        file.write(codecs.BOM_UTF8 + _csv_line(heading.title for heading in headings()))
        numbered = _Numbered(file, told)

        def copy(query: tuple) -> None:
            with raw.cursor() as cursor:
                rows = cursor.mogrify(*query).decode()
                try:
                    cursor.copy_expert(f"COPY ({rows}) TO STDOUT (FORMAT csv)", numbered)
                except BaseException:
                    raw.cancel()  # else the rest of the commune is read before the rollback
                    raise

        for _done in _run_ahead(copy, _queries(export, Column.for_csv)):
            pass
        told(numbered.count)
        return numbered.count


def _csv_line(cells: Iterable[str]) -> bytes:
    line = StringIO()
    csv.writer(line, lineterminator="\n").writerow(cells)
    return line.getvalue().encode()


class _Numbered:
    """A file for COPY, which writes row by row: puts the number before each."""

    def __init__(self, file, told: Callable[[int], None]):
        self.count, self._write, self._told = 0, file.write, told

    def write(self, row: bytes) -> None:
        self.count = count = self.count + 1
        self._write(b"%d,%b" % (count, row))
        if count % TELL_EVERY == 0:
            self._told(count)


def expected_rows(export: Export) -> int:
    """About how many rows the list has: what the roll-up counted, for the bar and the number of sheets.
    Where nothing was rolled up yet they are counted."""
    unit, round = export.unit, export.round
    tally = Tally.objects.filter(round=round, unit=unit).first()
    if tally is None:
        return records.forms_in(unit, round, _state(export)).count()
    return rows_of_state(tally, _state(export))


def rows_of_state(tally: Tally, state: str) -> int:
    figures = {
        records.State.ALL: tally.collected,
        records.State.OPEN: tally.in_scope - tally.verified,
        records.State.UNTOUCHED: tally.in_scope - sum(getattr(tally, outcome) for outcome in Outcome),
        records.State.LEFT: tally.left,
        # how many of these are due is not rolled up: at most all of them
        records.State.DUE: tally.not_met,
        records.State.LATER: tally.not_met,
        records.State.REFUSED: tally.collected - tally.qualified,
    }
    return figures[state] if state in figures else getattr(tally, state)


def _state(export: Export) -> str:
    return export.options.get("state") or records.State.OPEN


def _places(export: Export) -> Iterator[Place]:
    """The communes of the unit that the owner may see, in the order of their codes; forms lie in hamlets."""
    scope, unit = scope_of(export.owner), export.unit
    communes = AdministrativeUnit.objects.filter(level=Level.COMMUNE)
    if unit.level >= Level.COMMUNE:
        communes = communes.filter(pk=unit.pk if unit.level == Level.COMMUNE else unit.parent_id)
    else:
        communes = communes.filter(path__startswith=unit.path)
    hamlets = AdministrativeUnit.objects.filter(level=Level.HAMLET).order_by("code", "pk")
    of_commune = {}
    for hamlet in hamlets.filter(parent__in=communes):
        of_commune.setdefault(hamlet.parent_id, []).append(hamlet)
    for commune in communes.order_by("code", "pk"):
        if commune.pk in of_commune and scope.persons_cover(commune):
            yield Place(commune, of_commune[commune.pk])


def _queries(export: Export, cell_of: Callable[[Column, Place], Expression]) -> Iterator[tuple]:
    """The SQL of each commune's rows, with its parameters."""
    for place in _places(export):
        part = export.unit if export.unit.level == Level.HAMLET else place.commune
        forms = records.forms_in(part, export.round, _state(export), read_whole=True).filter(
            household__commune=place.commune
        )
        cells = {f"cell_{n}": cell_of(column, place) for n, column in enumerate(COLUMNS)}
        rows = forms.annotate(**cells).order_by(place.walking_key, "pk").values_list(*cells)
        yield rows.query.sql_with_params()


def _numbered_rows(export: Export) -> Iterator[tuple]:
    _plan_by_commune()
    raw = connection.connection

    def read(query: tuple):
        cursor = raw.cursor()
        cursor.execute(*query)
        return cursor

    def rows_of(answer) -> Iterator[list]:
        with answer as cursor:
            yield from iter(partial(cursor.fetchmany, ROWS_AT_ONCE), [])

    batches = chain.from_iterable(map(rows_of, _run_ahead(read, _queries(export, Column.for_xlsx))))
    # map and chain, not a loop: a million and a half times
    return map(add, zip(count(1)), chain.from_iterable(batches))


def _run_ahead(run: Callable, queries: Iterator[tuple]) -> Iterator:
    """`run` of each query in turn. While an answer is used, the next query is at work in a thread of ours:
    PostgreSQL need not wait for us, nor we for it."""
    with ThreadPoolExecutor(1) as ahead:
        running = None
        for query in chain(queries, [None]):
            before, running = running, ahead.submit(run, query) if query else None
            if before:
                yield before.result()


def _plan_by_commune() -> None:
    """For this transaction: a commune is read whole from each table and joined by hash. The planner takes
    the columns that repeat the commune for independent, so it expects a few rows and would look up each form."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_nestloop = off")
        cursor.execute("SET LOCAL max_parallel_workers_per_gather = 0")
