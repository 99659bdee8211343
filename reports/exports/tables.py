"""Tables of figures, short enough to be read: units, days, teams. Their figures are the page's."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from django.utils.translation import gettext as say
from django.utils.translation import gettext_lazy as _

from census_verify import clock
from households.models import AdministrativeUnit
from reports import permissions, progress
from reports.exports.writers import Heading, Sheet
from reports.live import Live
from reports.models import Export
from reports.snapshots import Snapshot
from verification.terms import Outcome


@dataclass(frozen=True)
class Column:
    title: str
    value: Callable
    width: int = 12
    kind: str = "number"

    @property
    def heading(self) -> Heading:
        return Heading(str(self.title), self.width, self.kind)


UNIT_COLUMNS = [
    Column(_("Code"), lambda r: getattr(r.owner, "code", ""), 12, "text"),
    Column(_("Unit"), lambda r: _owner_name(r.owner), 36, "text"),
    Column(_("Plan"), lambda r: r.tally.base),
    Column(_("Collected"), lambda r: r.tally.collected),
    Column(_("Qualified"), lambda r: r.tally.qualified),
    Column(_("In the round"), lambda r: r.tally.in_scope),
    Column(_("Verified today"), lambda r: r.today),
    Column(_("Verified to date"), lambda r: r.tally.verified),
    # xgettext:no-python-format
    Column(_("% of the plan"), lambda r: r.tally.rate, kind="percent"),
    Column(_("Left"), lambda r: r.tally.left),
    Column(_("Needed a day"), lambda r: r.per_day),
    Column(_("Last 7 days, a day"), lambda r: r.recent_per_day),
    Column(_("Done on, earliest"), lambda r: r.forecast.earliest, kind="date"),
    Column(_("Done on, latest"), lambda r: r.forecast.latest, kind="date"),
    Column(_("Outlook"), lambda r: str(r.forecast.outlook.label), 14, "text"),
    *(Column(o.label, lambda r, name=o.value: getattr(r.tally, name), 14) for o in Outcome),
    Column(_("Waiting for approval"), lambda r: r.tally.pending, 14),
    Column(_("Returned"), lambda r: r.tally.returned),
    Column(_("New people, outside the plan"), lambda r: r.tally.new_people, 14),
]
# A hamlet has no plan and no days of its own.
HAMLET_COLUMNS = [
    *UNIT_COLUMNS[:2],
    Column(_("Collected"), lambda r: r.tally.collected),
    *UNIT_COLUMNS[4:6],
    Column(_("Verified to date"), lambda r: r.tally.verified),
    Column(_("% of collected"), lambda r: r.tally.rate, kind="percent"),
    *UNIT_COLUMNS[9:10],
    *UNIT_COLUMNS[15:],
]
DAY_COLUMNS = [
    Column(_("Day"), lambda r: r[0], kind="date"),
    Column(_("Verified on the day"), lambda r: r[1], 16),
    Column(_("Verified to date"), lambda r: r[2], 16),
]


def units_sheet(export: Export) -> Sheet:
    rows = source_of(export).children_of(export.unit)
    columns = HAMLET_COLUMNS if export.unit.level == AdministrativeUnit.Level.COMMUNE else UNIT_COLUMNS
    return _progress_sheet(export, export.unit.full_name, rows, columns)


def teams_sheet(export: Export) -> Sheet:
    teams = permissions.teams_visible_to(export.owner).select_related("district")
    return _progress_sheet(export, say("Work teams"), source_of(export).teams(teams), UNIT_COLUMNS)


def days_sheet(export: Export) -> Sheet:
    shown, to_date, rows = source_of(export).of_unit(export.unit), 0, []
    for day in shown.days:
        to_date += day.verified
        rows.append((day.day, day.verified, to_date))
    return _sheet(export, export.unit.full_name, DAY_COLUMNS, rows)


def source_of(export: Export) -> progress.Source:
    """The figures of now, or of the cut-off that was asked for."""
    as_of = export.options.get("as_of")
    return Snapshot(export.round, date.fromisoformat(as_of)) if as_of else Live(export.round)


def title_of(export: Export, name: str) -> str:
    return f"{export.round.name}: {name}"


def lines_of(export: Export) -> list[str]:
    """Under the title: as of when, made by whom, and that demo people do not exist."""
    now, source = clock.now(), source_of(export)
    as_of = source.as_of or now.date()
    values = {"day": f"{as_of.day}/{as_of.month}/{as_of.year}", "time": f"{now:%H:%M}", "officer": export.owner}
    lines = [say("To the end of %(day)s; made at %(time)s by %(officer)s.") % values]
    if source.as_of:
        lines.append(say("As it was known at the cut-off of that day; what was recorded later is not in it."))
    if clock.training_day():
        lines.append(say("Demo data: these people do not exist."))
    return lines


def _progress_sheet(export: Export, name: str, rows: list[progress.UnitRow], columns: list[Column]) -> Sheet:
    outlook = export.options.get("outlook", "")
    total = None if outlook else progress.total_of(rows, export.round)
    rows = progress.shown_rows(rows, export.options.get("sort", ""), outlook)
    return _sheet(export, name, columns, rows, total)


def _sheet(export: Export, name: str, columns: list[Column], rows: list, total=None) -> Sheet:
    return Sheet(
        title_of(export, name),
        lines_of(export),
        [column.heading for column in columns],
        rows=([column.value(row) for column in columns] for row in rows),
        row_count=len(rows),
        total=[column.value(total) for column in columns] if total else None,
    )


def _owner_name(owner) -> str:
    return getattr(owner, "full_name", None) or (str(owner) if owner else say("Total"))
