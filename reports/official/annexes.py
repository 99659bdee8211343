"""The tables of a report: columns and values, before anything is formatted."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal

from django.template.defaultfilters import floatformat
from django.utils.text import capfirst
from django.utils.translation import gettext as say

from households.models import AdministrativeUnit
from reports.changes import Pair
from reports.models import rate
from reports.official.periods import day_words
from reports.official.reading import Reading, Units
from reports.targets import TargetState, needed_for
from verification.models import Target
from verification.terms import Outcome

Level = AdministrativeUnit.Level
Value = str | int | Decimal | None


@dataclass(frozen=True)
class Column:
    """`kind` is text, number or percent. A number is summed in the last line unless `sums` says no; a percentage is
    told of the sums there, as the share of one column in another."""

    key: str
    title: str
    kind: str = "number"
    width: int = 11
    share: tuple[str, str] | None = None
    sums: bool = True


@dataclass(frozen=True)
class Table:
    key: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Value, ...], ...]
    total: tuple[Value, ...] | None
    note: str = ""

    def column(self, key: str) -> int:
        return next(place for place, column in enumerate(self.columns) if column.key == key)


def tables_of(reading: Reading) -> tuple[Table, ...]:
    """In the order of the annexes; what is empty in this unit is left out."""
    makers = (_units, _communes, _outcomes, _faults, _teams, _officers, _denominators, _missed, _late)
    tables = (make(reading) for make in makers)
    return tuple(table for table in tables if table is not None)


def _table(key: str, title: str, columns: Iterable[Column], rows: Iterable[Iterable[Value]], **more) -> Table:
    columns, rows = tuple(columns), tuple(tuple(row) for row in rows)
    total = tuple(_total(columns, rows, column) for column in columns) if rows else None
    return Table(key, title, columns, rows, total, **more)


def _total(columns: tuple[Column, ...], rows: tuple, column: Column) -> Value:
    place = {each.key: place for place, each in enumerate(columns)}
    if column.kind == "number" and column.sums:
        return sum(row[place[column.key]] or 0 for row in rows)
    if column.share:
        part, base = (sum(row[place[key]] or 0 for row in rows) for key in column.share)
        return rate(part, base)
    first_text = next(each for each in columns if each.kind == "text")
    return say("Total") if column is first_text else None


def _number() -> Column:
    return Column("number", say("No."), width=6, sums=False)


def _progress_columns() -> list[Column]:
    return [
        Column("plan", say("Plan")),
        Column("period", say("In the period")),
        Column("verified", say("To date")),
        # xgettext:no-python-format
        Column("rate", say("% of the plan"), "percent", 9, share=("verified", "plan")),
        Column("left", say("Left")),
        Column("note", say("Note: outlook"), "text", 13),
    ]


def _progress_cells(pair: Pair) -> list[Value]:
    tally = pair.after.tally
    return [
        tally.base,
        pair.verified,
        tally.verified,
        tally.rate,
        tally.left,
        str(pair.after.forecast.outlook.label) if tally.base else say("no plan"),
    ]


def _progress_table(key: str, title: str, units: Units, names: list[Column], cells: Callable) -> Table | None:
    if not units.pairs:
        return None
    rows = [[n, *cells(pair.owner), *_progress_cells(pair)] for n, pair in enumerate(units.pairs, start=1)]
    return _table(key, title, [_number(), *names, *_progress_columns()], rows)


def _units(reading: Reading) -> Table | None:
    title = {
        Level.COUNTRY: say("Progress by province"),
        Level.PROVINCE: say("Progress by district"),
        Level.DISTRICT: say("Progress by commune"),
    }
    names = [Column("unit", say("Unit"), "text", 28)]
    return _progress_table(
        "units", title.get(reading.unit.level, ""), reading.units, names, lambda unit: [unit.full_name]
    )


def _communes(reading: Reading) -> Table | None:
    if reading.unit.level >= Level.DISTRICT:
        return None
    names = [Column("unit", say("Unit"), "text", 28), Column("district", say("District"), "text", 24)]
    above = _names_above(reading)
    return _progress_table(
        "communes", say("Progress by commune"), reading.communes, names, lambda unit: [unit.full_name, above(unit)]
    )


def _names_above(reading: Reading) -> Callable[[AdministrativeUnit], str]:
    """The name of the unit right above a commune."""
    known = {reading.unit.pk: reading.unit.full_name}
    known |= {pair.owner.pk: pair.owner.full_name for pair in reading.units.pairs}
    missing = {pair.owner.parent_id for pair in reading.communes.pairs} - known.keys()
    known |= {unit.pk: unit.full_name for unit in AdministrativeUnit.objects.filter(pk__in=missing)}
    return lambda unit: known.get(unit.parent_id, "")


def _outcomes(reading: Reading) -> Table:
    columns = [
        _number(),
        Column("outcome", say("Result"), "text", 34),
        Column("before", say("At the last cut-off")),
        Column("period", say("In the period")),
        Column("to_date", say("To date")),
        # xgettext:no-python-format
        Column("rate", say("% of the results"), "percent", share=("to_date", "results")),
        Column("results", say("All results"), sums=False),
        Column("counts", say("Counts as verified"), "text", 14),
    ]
    after, before = reading.whole, reading.before
    rows = []
    for n, row in enumerate(after.outcome_rows, start=1):
        earlier = getattr(before.tally, row.value)
        counts = say("no") if not row.counts else say("once approved") if row.waits_for_approval else say("yes")
        cells = [earlier, row.forms - earlier, row.forms, row.rate, after.reported, counts]
        rows.append([n, str(row.label), *cells])
    table = _table("outcomes", say("Results by kind"), columns, rows)
    return _with_total(table, rate=rate(after.reported, after.reported), results=after.reported)


def _with_total(table: Table, **values: Value) -> Table:
    total = tuple(values.get(column.key, cell) for column, cell in zip(table.columns, table.total, strict=True))
    return Table(table.key, table.title, table.columns, table.rows, total, table.note)


def _faults(reading: Reading) -> Table | None:
    if not reading.faults:
        return None
    columns = [
        _number(),
        Column("code", say("Code"), "text", 8),
        Column("fault", say("Fault"), "text", 48),
        Column("before", say("At the last cut-off")),
        Column("period", say("In the period")),
        Column("to_date", say("To date")),
    ]
    rows = [
        [n, fault.code, str(fault.label), fault.before, fault.after - fault.before, fault.after]
        for n, fault in enumerate(reading.faults, start=1)
    ]
    note = say("A form may have several faults: the sums are of findings, not of forms.")
    return _table("faults", say("Faults found on the forms"), columns, rows, note=note)


def _teams(reading: Reading) -> Table | None:
    names = [Column("team", say("Work team"), "text", 26), Column("district", say("District"), "text", 24)]
    return _progress_table(
        "teams", say("Progress by work team"), reading.teams, names, lambda team: [team.name, team.district.full_name]
    )


def _officers(reading: Reading) -> Table | None:
    if not reading.officers:
        return None
    columns = [
        _number(),
        Column("officer", say("Officer"), "text", 26),
        Column("posted", say("Posted to"), "text", 24),
        Column("period", say("Results in the period")),
        Column("results", say("Results to date")),
        Column("verified", say("Verified")),
        Column("matched", say("Correct")),
        Column("found", say("Wrong or missing")),
        # xgettext:no-python-format
        Column("found_rate", say("% of the results"), "percent", 9, share=("found", "results")),
        Column("not_met", say("Absent")),
        Column("unverifiable", say("Not verifiable")),
        Column("pending", say("Wait for approval")),
        Column("returned", say("Returned")),
    ]
    rows = []
    for n, line in enumerate(reading.officers, start=1):
        tally = line.after
        counts = [tally.results, tally.verified, tally.matched, tally.found, tally.found_rate, tally.not_met]
        waits = [tally.unverifiable, tally.pending, tally.returned]
        rows.append([n, line.officer.full_name or str(line.officer), line.posted, line.gained, *counts, *waits])
    return _table("officers", say("Results by officer"), columns, rows)


def _denominators(reading: Reading) -> Table:
    columns = [
        _number(),
        Column("unit", say("Unit"), "text", 28),
        Column("population", say("Population")),
        Column("collected", say("Collected")),
        Column("qualified", say("Good and scanned")),
        Column("in_scope", say("In the round")),
        Column("verified", say("Verified")),
        Column("untouched", say("Not checked yet")),
        Column("not_counting", say("Result does not count")),
        Column("removals", say("Removal not approved yet")),
    ]
    shown = [pair.after for pair in reading.units.pairs] or [reading.whole]
    rows = []
    for n, row in enumerate(shown, start=1):
        tally = row.tally
        results = {outcome.value: getattr(tally, outcome) for outcome in Outcome}
        counting = sum(results[outcome] for outcome in reading.round.counting_outcomes)
        everything = sum(results.values())
        bases = [tally.population, tally.collected, tally.qualified, tally.in_scope, tally.verified]
        open_parts = [tally.in_scope - everything, everything - counting, counting - tally.verified]
        rows.append([n, row.owner.full_name, *bases, *open_parts])
    note = say("In the round = verified + not checked yet + result does not count + removal not approved yet.")
    return _table("denominators", say("From the population to the verified forms"), columns, rows, note=note)


def _missed(reading: Reading) -> Table | None:
    """Units that break a target. Of a target of the whole that is not met: the units below it that are short of it."""
    columns = [
        _number(),
        Column("target", say("Target"), "text", 38),
        Column("unit", say("Unit"), "text", 28),
        Column("plan", say("Plan"), sums=False),
        Column("verified", say("To date"), sums=False),
        Column("rate", say("% of the plan"), "percent", 9),  # xgettext:no-python-format
        Column("missing", say("Forms short"), sums=False),
    ]
    rows = []
    for state in reading.targets:
        for row in _breakers(state, reading.units):
            short = None if state.target.kind == Target.Kind.SPREAD else _missing(state, row)
            tally = row.tally
            name = target_words(state.target)
            rows.append([len(rows) + 1, name, row.owner.full_name, tally.base, tally.verified, tally.rate, short])
    if not rows:
        return None
    table = _table("missed", say("Units that miss a target"), columns, rows)
    return Table(table.key, table.title, table.columns, table.rows, None)


def _missing(state: TargetState, row) -> int:
    return needed_for(state.target, row.tally.plan) - row.tally.verified


def _breakers(state: TargetState, units: Units) -> list:
    if state.target.kind != Target.Kind.OVERALL:
        return state.breakers
    if not state.missing:
        return []
    short = [pair.after for pair in units.pairs if pair.after.tally.plan and _missing(state, pair.after) > 0]
    return sorted(short, key=lambda row: row.tally.rate)


def target_words(target: Target) -> str:
    values = {"percent": floatformat(target.percent), "day": day_words(target.due_on)}
    sentence = {
        Target.Kind.EACH_COMMUNE: say("every commune %(percent)s%% by %(day)s"),
        Target.Kind.SPREAD: say("communes at most %(percent)s points apart by %(day)s"),
    }.get(target.kind, say("%(percent)s%% of the plan by %(day)s"))
    return capfirst(sentence % values)


def _late(reading: Reading) -> Table | None:
    if not reading.late:
        return None
    columns = [
        _number(),
        Column("unit", say("Unit"), "text", 28),
        Column("district", say("District"), "text", 24),
        Column("period", say("In the period")),
        Column("late", say("Of these for days before it")),
        Column("to_date", say("To date")),
    ]
    above = _names_above(reading)
    of_unit = {pair.owner.pk: pair for pair in reading.communes.pairs}
    rows = []
    for n, (unit, late) in enumerate(reading.late, start=1):
        pair = of_unit[unit.pk]
        rows.append([n, unit.full_name, above(unit), pair.verified, late, pair.after.tally.verified])
    note = say(
        "Verified by the last cut-off and recorded after it, so not in the last report; negative where it was taken back."
    )
    return _table("late", say("Late entries"), columns, rows, note=note)
