"""What becomes of two districts when a team goes from one to the other for some days. Nothing is written here."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

from households.models import AdministrativeUnit, WorkTeam
from households.statements import Statement
from reports.forecast import LONGEST, Forecast, Outlook, outlook_of
from reports.progress import UnitRow
from verification.models import Round
from verification.terms import REMOVALS

DAYS_OF_OWN_PACE = 14
AT_MOST = 8  # moves that one page looks at
LONGEST_MOVE = 60

# What the members of each team recorded themselves, not what became of its communes.
OWN_WORK = Statement(
    "own_work_of_teams",
    "bigint, bigint[], date, date, text[], text[]",
    """
    SELECT team_id, count(*)::int FROM verification_verificationpass
    WHERE round_id = $1 AND commune_id = ANY (
            SELECT id FROM households_administrativeunit WHERE parent_id = ANY($2)) AND recorded_at >= $3
        AND verified_on > $3 AND verified_on <= $4 AND is_standing AND team_id IS NOT NULL
        AND outcome = ANY($5) AND outcome <> ALL($6)
    GROUP BY team_id""",
)


@dataclass(frozen=True)
class Move:
    """A team that works in another district from tomorrow on, for so many days."""

    team: WorkTeam
    district: AdministrativeUnit
    days: int


class Ends(NamedTuple):
    """The 80% range of the day on which a district is done, and how that stands to the deadline."""

    earliest: date | None
    latest: date | None
    outlook: Outlook
    ends_on: date  # the deadline


@dataclass(frozen=True)
class Effect:
    """On one district: done when now, and when with the moves."""

    row: UnitRow
    forms: int  # gained by the moves, or given away
    now: Ends
    then: Ends


def own_pace(round: Round, districts: Sequence[AdministrativeUnit], today: date) -> dict[int, float]:
    """Forms a day of the calendar that each team's members made themselves in the last fourteen days, today not among
    them. Removals wait for the district and are left out."""
    last = today - timedelta(days=1)
    first = last - timedelta(days=DAYS_OF_OWN_PACE)
    counting, removals = list(round.counting_outcomes), [outcome.value for outcome in REMOVALS]
    rows = OWN_WORK.rows(round.pk, [district.pk for district in districts], first, last, counting, removals)
    return {team: forms / DAYS_OF_OWN_PACE for team, forms in rows}


def effects(rows: Sequence[UnitRow], moves: Sequence[Move], pace: dict[int, float], today: date) -> list[Effect]:
    """For each district that gains or gives a team, in the order of the rows. A team makes there what it made at
    home."""
    found = []
    for row in rows:
        shifts = [
            (pace.get(move.team.pk, 0.0) * sign, move.days)
            for move in moves
            for district, sign in ((move.district.pk, 1), (move.team.district_id, -1))
            if district == row.owner.pk
        ]
        if shifts:
            told = row.forecast
            now = Ends(told.earliest, told.latest, told.outlook, told.ends_on)
            forms = round_of(sum(forms * days for forms, days in shifts))
            found.append(Effect(row, forms, now, _with(told, shifts, today)))
    return found


def round_of(forms: float) -> int:
    return int(forms + 0.5) if forms >= 0 else -int(-forms + 0.5)


def _with(told: Forecast, shifts: list[tuple[float, int]], today: date) -> Ends:
    """The ends of the forecast when each shift (forms a day, days from tomorrow) comes on top of every course."""
    if told.ahead is None:
        return Ends(told.earliest, told.latest, told.outlook, told.ends_on)
    earliest = latest = None
    for day, low, _middle, high in told.ahead.band(today + timedelta(days=LONGEST)):
        on = (day - today).days
        more = sum(forms * min(on, days) for forms, days in shifts)
        earliest = earliest or (day if high + more >= told.left else None)
        latest = latest or (day if low + more >= told.left else None)
        if latest:
            break
    outlook = outlook_of(earliest, latest, today=today, ends_on=told.ends_on)
    return Ends(earliest, latest, outlook, told.ends_on)
