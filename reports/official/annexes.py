"""The tables of a report: columns and values, before anything is formatted."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from decimal import Decimal

from django.template.defaultfilters import floatformat
from django.utils.text import capfirst
from django.utils.translation import gettext as say

from households.models import AdministrativeUnit
from reports.changes import Pair
from reports.models import rate
from reports.official.periods import day_words
from reports.official.reading import Reading, Units
from reports.official.titles import TITLES, title_of
from reports.progress import UnitRow
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


# The columns of every table there may be, in the order of the annexes. The last one every report has.
def columns_of(key: str) -> tuple[Column, ...]:
    unit, district = Column("unit", say("Unit"), "text", 28), Column("district", say("District"), "text", 24)
    # xgettext:no-python-format
    of_results = say("% of the results")
    progress = (
        Column("plan", say("Plan")),
        Column("period", say("In the period")),
        Column("verified", say("To date")),
        # xgettext:no-python-format
        Column("rate", say("% of the plan"), "percent", 9, share=("verified", "plan")),
        Column("left", say("Left")),
        Column("note", say("Note: outlook"), "text", 13),
    )
    change = (
        Column("before", say("At the last cut-off")),
        Column("period", say("In the period")),
        Column("to_date", say("To date")),
    )
    columns = {
        "units": (unit, *progress),
        "communes": (unit, district, *progress),
        "hamlets": (
            Column("unit", say("Hamlet"), "text", 28),
            Column("collected", say("Collected")),
            Column("period", say("In the period")),
            Column("verified", say("To date")),
            # xgettext:no-python-format
            Column("rate", say("% of collected"), "percent", 9, share=("verified", "collected")),
            Column("left", say("Left")),
        ),
        "outcomes": (
            Column("outcome", say("Result"), "text", 34),
            *change,
            Column("rate", of_results, "percent", 9, share=("to_date", "results")),
            Column("results", say("All results"), sums=False),
            Column("counts", say("Counts as verified"), "text", 14),
        ),
        "faults": (Column("code", say("Code"), "text", 8), Column("fault", say("Fault"), "text", 48), *change),
        "teams": (Column("team", say("Work team"), "text", 30), district, *progress),
        "officers": (
            Column("officer", say("Officer"), "text", 26),
            Column("posted", say("Posted to"), "text", 24),
            Column("period", say("Results in the period")),
            Column("results", say("Results to date")),
            Column("verified", say("Verified")),
            Column("matched", say("Correct")),
            Column("found", say("Wrong or missing")),
            Column("found_rate", of_results, "percent", 9, share=("found", "results")),
            Column("not_met", say("Absent")),
            Column("unverifiable", say("Not verifiable")),
            Column("pending", say("Wait for approval")),
            Column("returned", say("Returned")),
        ),
        "missed": (
            Column("target", say("Target"), "text", 38),
            unit,
            Column("plan", say("Plan"), sums=False),
            Column("verified", say("To date"), sums=False),
            # xgettext:no-python-format
            Column("rate", say("% of the plan"), "percent", 9),
            Column("missing", say("Forms short"), sums=False),
        ),
        "late": (
            unit,
            district,
            Column("period", say("In the period")),
            Column("late", say("Of these for days before it")),
            Column("to_date", say("To date")),
        ),
        "denominators": (
            unit,
            Column("population", say("Population")),
            Column("collected", say("Collected")),
            Column("qualified", say("Good and scanned")),
            Column("in_scope", say("In the round")),
            Column("verified", say("Verified")),
            Column("untouched", say("Not checked yet")),
            Column("not_counting", say("Result does not count")),
            Column("removals", say("Removal not approved yet")),
        ),
    }
    return (Column("number", say("No."), width=6, sums=False), *columns[key])


KEYS = tuple(TITLES)
WITHOUT_TOTAL = {"missed"}  # a unit may stand there for several targets


def tables_of(reading: Reading) -> tuple[Table, ...]:
    """In the order of the annexes; what is empty in this unit is left out."""
    makers = (_units, _communes, _hamlets, _outcomes, _faults, _teams, _officers, _missed, _late, _denominators)
    tables = (make(reading) for make in makers)
    return tuple(table for table in tables if table is not None)


def _table(key: str, reading: Reading, rows: Iterable[Iterable[Value]], note: str = "") -> Table:
    """The lines numbered, and their total."""
    columns = columns_of(key)
    numbered = tuple((n, *row) for n, row in enumerate(rows, start=1))
    has_total = numbered and key not in WITHOUT_TOTAL
    total = tuple(_total(columns, numbered, column) for column in columns) if has_total else None
    return Table(key, title_of(key, reading.unit), columns, numbered, total, note)


def _total(columns: tuple[Column, ...], rows: tuple, column: Column) -> Value:
    place = {each.key: place for place, each in enumerate(columns)}
    if column.kind == "number" and column.sums:
        return sum(row[place[column.key]] or 0 for row in rows)
    if column.share:
        part, base = (sum(row[place[key]] or 0 for row in rows) for key in column.share)
        return rate(part, base)
    first_text = next(each for each in columns if each.kind == "text")
    return say("Total") if column is first_text else None


def _progress_cells(pair: Pair) -> list[Value]:
    tally = pair.after.tally
    outlook = str(pair.after.forecast.outlook.label) if tally.base else say("no plan")
    return [tally.base, pair.verified, tally.verified, tally.rate, tally.left, outlook]


def _units(reading: Reading) -> Table | None:
    if not reading.units.pairs:
        return None
    return _table("units", reading, ([pair.owner.full_name, *_progress_cells(pair)] for pair in reading.units.pairs))


def _communes(reading: Reading) -> Table | None:
    if reading.unit.level >= Level.DISTRICT or not reading.communes.pairs:
        return None
    above = _names_above(reading)
    rows = ([pair.owner.full_name, above(pair.owner), *_progress_cells(pair)] for pair in reading.communes.pairs)
    return _table("communes", reading, rows)


def _hamlets(reading: Reading) -> Table | None:
    if not reading.hamlets.pairs:
        return None
    rows = []
    for pair in reading.hamlets.pairs:
        tally = pair.after.tally
        rows.append([pair.owner.full_name, tally.base, pair.verified, tally.verified, tally.rate, tally.left])
    note = say(
        "A hamlet has no plan: rates are of the forms collected there, and each form stands where it lies today."
    )
    return _table("hamlets", reading, rows, note)


def _names_above(reading: Reading) -> Callable[[AdministrativeUnit], str]:
    """The name of the unit right above a commune."""
    known = {reading.unit.pk: reading.unit.full_name}
    known |= {pair.owner.pk: pair.owner.full_name for pair in reading.units.pairs}
    missing = {pair.owner.parent_id for pair in reading.communes.pairs} - known.keys()
    if missing:
        known |= {unit.pk: unit.full_name for unit in AdministrativeUnit.objects.filter(pk__in=missing)}
    return lambda unit: known.get(unit.parent_id, "")


def _outcomes(reading: Reading) -> Table:
    after, before = reading.whole, reading.before
    rows = []
    for row in after.outcome_rows:
        earlier = getattr(before.tally, row.value)
        counts = say("no") if not row.counts else say("once approved") if row.waits_for_approval else say("yes")
        rows.append([str(row.label), earlier, row.forms - earlier, row.forms, row.rate, after.reported, counts])
    table = _table("outcomes", reading, rows)
    everything = {"rate": rate(after.reported, after.reported), "results": after.reported}
    total = (everything.get(column.key, cell) for column, cell in zip(table.columns, table.total, strict=True))
    return replace(table, total=tuple(total))


def _faults(reading: Reading) -> Table | None:
    if not reading.faults:
        return None
    rows = (
        [fault.code, str(fault.label), fault.before, fault.after - fault.before, fault.after]
        for fault in reading.faults
    )
    note = say("A form may have several faults: the sums are of findings, not of forms.")
    return _table("faults", reading, rows, note)


def _teams(reading: Reading) -> Table | None:
    if not reading.teams.pairs:
        return None
    rows = ([pair.owner.name, pair.owner.district.full_name, *_progress_cells(pair)] for pair in reading.teams.pairs)
    return _table("teams", reading, rows)


def _officers(reading: Reading) -> Table | None:
    if reading.officers is None and reading.whole.reported:
        return _table("officers", reading, [])
    if not reading.officers:
        return None
    rows = []
    for line in reading.officers:
        tally = line.after
        counts = [tally.results, tally.verified, tally.matched, tally.found, tally.found_rate, tally.not_met]
        waits = [tally.unverifiable, tally.pending, tally.returned]
        rows.append([line.officer.full_name or str(line.officer), line.posted, line.gained, *counts, *waits])
    return _table("officers", reading, rows)


def _missed(reading: Reading) -> Table | None:
    """Units that break a target. Of a target of the whole that is not met: the units below it that are short of it."""
    rows = []
    for state in reading.targets:
        for row in _breakers(state, reading.units):
            short = None if state.target.kind == Target.Kind.SPREAD else _missing(state, row)
            tally, name = row.tally, target_words(state.target)
            rows.append([name, row.owner.full_name, tally.base, tally.verified, tally.rate, short])
    return _table("missed", reading, rows) if rows else None


def _missing(state: TargetState, row: UnitRow) -> int:
    return needed_for(state.target, row.tally.plan) - row.tally.verified


def _breakers(state: TargetState, units: Units) -> list[UnitRow]:
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
    above, of_unit = _names_above(reading), {pair.owner.pk: pair for pair in reading.communes.pairs}
    rows = []
    for unit, late in reading.late:
        pair = of_unit[unit.pk]
        rows.append([unit.full_name, above(unit), pair.verified, late, pair.after.tally.verified])
    note = say(
        "Verified by the last cut-off and recorded after it, so not in the last report; negative where it was taken back."
    )
    return _table("late", reading, rows, note)


def _denominators(reading: Reading) -> Table:
    shown = [(pair.owner.full_name, pair.after.tally) for pair in reading.units.pairs]
    rows = []
    for name, tally in shown or [(reading.unit.full_name, reading.whole.tally)]:
        results = {outcome.value: getattr(tally, outcome) for outcome in Outcome}
        counting, everything = sum(results[each] for each in reading.round.counting_outcomes), sum(results.values())
        bases = [tally.population, tally.collected, tally.qualified, tally.in_scope, tally.verified]
        rows.append([name, *bases, tally.in_scope - everything, everything - counting, counting - tally.verified])
    note = say("In the round = verified + not checked yet + result does not count + removal not approved yet.")
    return _table("denominators", reading, rows, note)
