"""Every figure of a report, read once from two cut-offs. What the sentences and tables say is said of these."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db import connection

from census_verify import clock
from households.faults import Fault
from households.models import AdministrativeUnit, Posting, User, WorkTeam
from reports import changes, movements, snapshots, targets
from reports.alerts.rules import Course, Finding, findings_of
from reports.live import Live
from reports.models import OfficerTally, reached_from
from reports.official.periods import ONE_DAY, Period
from reports.progress import Progress, Source, UnitRow, total_of
from reports.snapshots import Snapshot
from verification.models import Round

Level = AdministrativeUnit.Level


@dataclass(frozen=True)
class Units:
    """Some units at the cut-off, beside what they had at the one before; the total of the lines last."""

    pairs: tuple[changes.Pair, ...]
    total: changes.Pair

    def __len__(self) -> int:
        return len(self.pairs)


@dataclass(frozen=True)
class OfficerLine:
    """What an officer found, to date and at the cut-off before."""

    officer: User
    posted: str
    after: OfficerTally
    results_before: int

    @property
    def gained(self) -> int:
        return self.after.results - self.results_before


@dataclass(frozen=True)
class FoundFault:
    """Forms on which a fault was found, at both cut-offs."""

    code: str
    label: str
    before: int
    after: int


@dataclass(frozen=True)
class Reading:
    round: Round
    unit: AdministrativeUnit
    period: Period
    provisional_at: str  # the time of day as of which the figures are, where the cut-off has not fallen yet
    whole: Progress
    before: Progress
    gained_before: int | None  # in the period before; None where there is none
    units: Units  # right below
    communes: Units  # all below; the same where these are the units right below
    hamlets: Units  # of a commune
    teams: Units
    officers: tuple[OfficerLine, ...] | None  # None: not read, because nobody asked
    faults: tuple[FoundFault, ...]
    targets: tuple[targets.TargetState, ...]
    late: tuple[tuple[AdministrativeUnit, int], ...]  # verified before the period and recorded in it, where not nothing
    late_in_all: int
    alerts: tuple[tuple[AdministrativeUnit, Finding], ...]  # what the rules of alerts find at the cut-off

    @property
    def gained(self) -> int:
        return self.whole.tally.verified - self.before.tally.verified

    @property
    def figures(self) -> dict[str, int | Decimal | None]:
        """Those that a template of one's own may name."""
        tally, before = self.whole.tally, self.before.tally
        named = ("population", "collected", "qualified", "in_scope", "verified", "left", "rate", "new_people")
        waits = ("not_met", "unverifiable", "pending", "returned")
        return {name: getattr(tally, name) for name in (*named, *waits)} | {
            "plan": tally.base,
            "in_the_period": self.gained,
            "in_the_period_before": self.gained_before,
            "verified_before": before.verified,
            "rate_before": before.rate,
            "needed_per_day": self.whole.per_day,
            "recent_per_day": self.whole.recent_per_day,
            "recorded_late": self.late_in_all,
        }


def source_at(round: Round, day: date) -> Source:
    """What was known at the cut-off of a day; of a day that still goes on what is known by now."""
    return Snapshot(round, day) if day < round.known_on(clock.now()) else Live(round)


def read(round: Round, unit: AdministrativeUnit, period: Period, *, with_officers: bool = True) -> Reading:
    """`with_officers`: theirs alone are told from the passes themselves, which takes seconds for a province."""
    after, before = source_at(round, period.last), Snapshot(round, period.cut_off_before)
    whole, whole_before = after.of_unit(unit), before.of_unit(unit)
    children = tuple(source.children_of(unit) for source in (after, before))
    # no sentence is made of hamlets, which have no plan and are counted from the forms they have today
    units = _units(round, *(children if unit.level < Level.COMMUNE else ([], [])))
    hamlets = _units(round, *(children if unit.level == Level.COMMUNE else ([], [])))
    communes = _communes(round, unit, units, after, before)
    below = [pair.after for pair in communes.pairs]
    late = snapshots.recorded_late(round, [row.owner for row in below] + [unit], period.cut_off_before, period.last)
    return Reading(
        round=round,
        unit=unit,
        period=period,
        provisional_at="" if after.as_of else f"{clock.now():%H:%M}",
        whole=whole,
        before=whole_before,
        gained_before=_gained_before(round, unit, period, whole_before),
        units=units,
        communes=communes,
        hamlets=hamlets,
        teams=_teams(round, unit, after, before),
        officers=_officers(round, unit, period, after) if with_officers else None,
        faults=_faults(whole, whole_before),
        targets=tuple(targets.states_of(whole, lambda: below)),
        late=tuple((row.owner, late[row.owner.pk]) for row in below if late.get(row.owner.pk)),
        late_in_all=late.get(unit.pk, 0),
        alerts=_alerts(round, unit, below or after.with_days(after.communes_under(unit)), after),
    )


def _units(round: Round, after: list[UnitRow], before: list[UnitRow]) -> Units:
    pairs = changes.pairs(before, after)
    totals = (total_of([getattr(pair, side) for pair in pairs], round) for side in ("before", "after"))
    return Units(tuple(pairs), changes.Pair(None, *totals))


def _communes(round: Round, unit: AdministrativeUnit, units: Units, after: Source, before: Source) -> Units:
    if unit.level == Level.DISTRICT:
        return units
    if unit.level > Level.DISTRICT:
        return _units(round, [], [])
    return _units(round, after.with_days(after.communes_under(unit)), before.communes_under(unit))


def _alerts(
    round: Round, unit: AdministrativeUnit, communes: list[UnitRow], after: Source
) -> tuple[tuple[AdministrativeUnit, Finding], ...]:
    """By the very rules of the alerts, of the days up to the cut-off: what is kept of alerts is what is so now. Only
    what reaches the unit's level; what waits returned is a figure of the report already."""
    day = after.as_of or round.known_on(clock.now()) - ONE_DAY
    found = []
    for row in communes:
        of_round = {"starts_on": round.starts_on, "ends_on": round.ends_on}
        course = Course(day=day, base=row.tally.base, left=row.tally.left, days=row.days, **of_round)
        found += [(row.owner, finding) for finding in findings_of(course) if finding.reach <= reached_from(unit.level)]
    return tuple(found)


def _teams(round: Round, unit: AdministrativeUnit, after: Source, before: Source) -> Units:
    if unit.level > Level.DISTRICT:
        return _units(round, [], [])
    teams = WorkTeam.objects.filter(district__path__startswith=unit.path).select_related("district")
    return _units(round, after.teams(teams), before.teams(teams))


def _gained_before(round: Round, unit: AdministrativeUnit, period: Period, before: Progress) -> int | None:
    if period.before is None:
        return None
    return before.tally.verified - Snapshot(round, period.before.cut_off_before).of_unit(unit).tally.verified


def _faults(after: Progress, before: Progress) -> tuple[FoundFault, ...]:
    found, earlier = after.source.found_of(after.owner), before.source.found_of(before.owner)
    labels = dict(Fault.choices)
    codes = sorted({*found, *earlier})
    return tuple(FoundFault(code, labels[code], earlier.get(code, 0), found.get(code, 0)) for code in codes)


# Officers have no movements of their own: theirs are told from the passes when they are asked for. Nine in ten have no
# event and stand as they were recorded; only the others are walked through.
PASSES = """
    FROM verification_verificationpass pass WHERE round_id = %(round)s AND commune_id = ANY(%(owners)s)
        AND recorded_at < %(end)s"""
KNOWN_AT = "known_on <= %({at})s AND coalesce(ended_on > %({at})s, true)"
OF_EVENTS = f"{movements.OF_COMMUNES} AND id IN (SELECT verification_pass_id FROM verification_passevent)"
NET = ", ".join(
    f"coalesce(sum(forms) FILTER (WHERE at_cut_off AND {condition}), 0)::int AS {column}"
    for column, condition in movements.CONDITIONS.items()
)
OFFICERS_KNOWN = f"""
    SELECT officer_id, coalesce(sum(forms) FILTER (WHERE at_the_one_before), 0)::int, {NET} FROM (
        SELECT officer_id, outcome,
            CASE WHEN outcome = ANY(%(approval_outcomes)s) THEN 'pending' ELSE '' END AS approval,
            recorded_at < %(end_before)s AS at_the_one_before, true AS at_cut_off, count(*) AS forms
        {PASSES} AND NOT EXISTS (SELECT FROM verification_passevent WHERE verification_pass_id = pass.id)
        GROUP BY 1, 2, 3, 4
        UNION ALL
        SELECT pass.officer_id, stretch.outcome, stretch.approval,
            {KNOWN_AT.format(at="before")}, {KNOWN_AT.format(at="as_of")}, count(*)
        FROM ({movements.stretches(OF_EVENTS)}) stretch
        JOIN verification_verificationpass pass ON pass.id = stretch.pass_id
        WHERE stands AND known_on <= %(as_of)s GROUP BY 1, 2, 3, 4, 5
    ) known GROUP BY officer_id"""


def _officers(round: Round, unit: AdministrativeUnit, period: Period, after: Source) -> tuple[OfficerLine, ...]:
    known = officers_known(round, unit, period)
    if after.as_of is None:  # as the other figures: those of the last roll-up
        of_now = {row.officer_id: row for row in OfficerTally.objects.filter(round=round, unit=unit, team=None)}
        known = {pk: (of_now.get(pk) or OfficerTally(), known.get(pk, (None, 0))[1]) for pk in {*known, *of_now}}
    posted = Posting.objects.first_of_each(known, period.last)
    lines = [
        OfficerLine(officer, _place_of(posted.get(officer.pk)), *known[officer.pk])
        for officer in User.objects.filter(pk__in=known)
    ]
    return tuple(sorted(lines, key=lambda line: (-line.after.results, line.officer.full_name, line.officer.pk)))


def officers_known(round: Round, unit: AdministrativeUnit, period: Period) -> dict[int, tuple[OfficerTally, int]]:
    """What each officer found as it was known at the cut-off, and how many results it was at the one before."""
    communes = AdministrativeUnit.objects.filter(level=Level.COMMUNE, path__startswith=unit.path)
    params = movements.params_of(round) | {
        "owners": list(communes.values_list("pk", flat=True)),
        "as_of": period.last,
        "before": period.cut_off_before,
        "end": round.known_from(period.last + ONE_DAY),
        "end_before": round.known_from(period.first),
    }
    with connection.cursor() as cursor:
        cursor.execute(OFFICERS_KNOWN, params)
        return {
            officer: (OfficerTally(**dict(zip(movements.CONDITIONS, counts, strict=True))), before)
            for officer, before, *counts in cursor.fetchall()
        }


def _place_of(posting: Posting | None) -> str:
    return str(posting.unit or posting.team) if posting else ""
