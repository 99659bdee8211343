"""Lists of forms, up to the whole register: read commune by commune, every cell made by PostgreSQL.

One ordered list of columns serves CSV, which PostgreSQL writes itself (COPY), and XLSX. The rows are those
of the list on the screen, in its order, with its labels (a test compares all three). A register has the columns
that an import reads instead (`register`).
"""

import codecs
import csv
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from io import StringIO
from itertools import chain, count
from operator import add
from pathlib import Path

from django.db import connection
from django.db.models import Expression, TextField, Value
from django.utils.translation import gettext as say
from django.utils.translation import gettext_lazy as _

from census_verify import clock
from households.models import AdministrativeUnit, Posting
from households.permissions import scope_of
from reports.exports import details, register
from reports.exports.columns import COLUMNS, WHOLE_NUMBERS, Column, Place
from reports.exports.tables import lines_of, title_of
from reports.exports.writers import Heading, Sheet
from reports.models import Export, Tally
from verification import records
from verification.terms import REMOVALS, Outcome

ROWS_AT_ONCE = 2000
TELL_EVERY = 1000
Level = AdministrativeUnit.Level


NUMBER = Heading(_("No."), 6, "number")  # counted here while the rows go by


def columns_of(export: Export) -> dict[str, Column]:
    """What the list says of each person: as the list on the screen, then what the state asks for, then who took it."""
    mark = Column(_("Taken by"), lambda place: Value(mark_of(export), output_field=TextField()), 30)
    if export.kind == Export.Kind.REGISTER:
        return register.COLUMNS | {"mark": mark}
    return _listed(export, whole=export.options.get("numbers") == Posting.PersonFiles.WHOLE) | {"mark": mark}


PREVIEWED = ("name", "born", "sex", "pin", "cmnd", "book")


def preview_columns(export: Export) -> dict[str, Column]:
    """What is shown of a list before it is taken: who it is, where, and what this list says; numbers masked."""
    columns, state = _listed(export, whole=False), state_of(export)
    said = [name for name in columns if name not in COLUMNS]
    where = ["commune"] if export.unit.level < Level.COMMUNE else ["hamlet"]
    if not said:
        where.append("address")
    if state not in (records.State.OPEN, records.State.UNTOUCHED, records.State.LEFT, records.State.NEW_PEOPLE):
        said = ["outcome", "approval", *said]
    return {name: columns[name] for name in (*PREVIEWED, *where, *said)}


def _listed(export: Export, *, whole: bool) -> dict[str, Column]:
    numbers = WHOLE_NUMBERS if whole else {}
    return COLUMNS | numbers | details.columns_of(state_of(export), export.round, with_numbers=whole)


def mark_of(export: Export) -> str:
    """Who asked for the list and when, and the number under which `Disclosure` tells the rest: on every line and page,
    so that also a part of the list says where it comes from."""
    asked_at = export.asked_at.astimezone(clock.now().tzinfo)
    return f"{export.owner.username} {asked_at.day}/{asked_at.month}/{asked_at:%Y %H:%M} #{export.pk}"


def forms_sheet(export: Export) -> Sheet:
    """The list as a sheet for the XLSX writers."""
    label = dict([*records.State.choices, *Outcome.choices])[state_of(export)]
    return Sheet(
        title_of(export, f"{export.unit.full_name}: {label}"),
        [*lines_of(export), say("Taken for: %(reason)s") % {"reason": export.reason}],
        headings(export),
        _rows(export),
        expected_rows(export),
        is_long=True,
    )


def headings(export: Export) -> list[Heading]:
    own = [column.heading for column in columns_of(export).values()]
    return own if export.kind == Export.Kind.REGISTER else [Heading(str(NUMBER.title), NUMBER.width, NUMBER.kind), *own]


def write_forms_csv(export: Export, path: Path, told: Callable[[int], None]) -> int:
    """Let PostgreSQL write the list; returns its rows. `told` hears now and then how many there are."""
    _plan_by_commune()
    raw = connection.connection
    with path.open("wb", buffering=1 << 20) as file:
        file.write(codecs.BOM_UTF8 + _csv_line(heading.title for heading in headings(export)))
        numbered = (_Passed if export.kind == Export.Kind.REGISTER else _Numbered)(file, told)

        def copy(query: tuple) -> None:
            with raw.cursor() as cursor:
                rows = cursor.mogrify(*query).decode()
                try:
                    cursor.copy_expert(f"COPY ({rows}) TO STDOUT (FORMAT csv)", numbered)
                except BaseException:
                    raw.cancel()  # else the rest of the commune is read before the rollback
                    raise

        for _done in _run_ahead(
            copy, (query for _place, query in _queries(export, columns_of(export), Column.for_csv))
        ):
            pass
        told(numbered.count)
        return numbered.count


def _csv_line(cells: Iterable[str]) -> bytes:
    line = StringIO()
    csv.writer(line, lineterminator="\n").writerow(cells)
    return line.getvalue().encode()


class _Passed:
    """A file for COPY, which writes row by row: counts them."""

    def __init__(self, file, told: Callable[[int], None]):
        self.count, self._write, self._told = 0, file.write, told

    def write(self, row: bytes) -> None:
        self.count = count = self.count + 1
        self._write(row)
        if count % TELL_EVERY == 0:
            self._told(count)


class _Numbered(_Passed):
    """Puts the number before each."""

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
        return records.forms_in(unit, round, state_of(export)).count()
    return rows_of_state(tally, state_of(export))


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
        records.State.FOUND: tally.corrected + tally.supplemented,
        records.State.REMOVALS: sum(getattr(tally, outcome) for outcome in REMOVALS),
    }
    return figures[state] if state in figures else getattr(tally, state)


def state_of(export: Export) -> str:
    if export.kind == Export.Kind.REGISTER:
        return records.State.ALL
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


def _queries(
    export: Export, columns: dict[str, Column], cell_of: Callable[[Column, Place], Expression]
) -> Iterator[tuple[Place, tuple]]:
    """Each commune with the SQL of its rows and the parameters of that."""
    order = export.options.get("order", "")
    for place in _places(export):
        part = export.unit if export.unit.level == Level.HAMLET else place.commune
        forms = records.forms_in(part, export.round, state_of(export), read_whole=True).filter(
            household__commune=place.commune
        )
        cells = {f"cell_{n}": cell_of(column, place) for n, column in enumerate(columns.values())}
        rows = forms.annotate(**cells).order_by(*place.order(order)).values_list(*cells)
        yield place, rows.query.sql_with_params()


def _rows(export: Export) -> Iterator[tuple]:
    """Numbered, but for a register, whose lines are numbered in their households."""
    _plan_by_commune()
    raw = connection.connection

    def read(query: tuple):
        cursor = raw.cursor()
        cursor.execute(*query)
        return cursor

    def rows_of(answer) -> Iterator[list]:
        with answer as cursor:
            yield from iter(partial(cursor.fetchmany, ROWS_AT_ONCE), [])

    queries = (query for _place, query in _queries(export, columns_of(export), Column.for_xlsx))
    batches = chain.from_iterable(map(rows_of, _run_ahead(read, queries)))
    if export.kind == Export.Kind.REGISTER:
        return chain.from_iterable(batches)
    # map and chain, not a loop: a million and a half times
    return map(add, zip(count(1)), chain.from_iterable(batches))


def rows_by_commune(
    export: Export, columns: dict[str, Column], most: int | None = None
) -> Iterator[tuple[Place, list[tuple]]]:
    """Each commune with its rows, or the first `most` of them, in the order of the list; only of these columns."""
    for place, (sql, params) in _queries(export, columns, Column.on_paper):
        with connection.cursor() as cursor:
            cursor.execute(f"{sql} LIMIT %s" if most else sql, (*params, most) if most else params)
            yield place, cursor.fetchall()


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
