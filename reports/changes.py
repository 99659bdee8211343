"""What changed between two cut-offs: the figures of both side by side, and the forms that moved."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from django.db import connection

from households.models import AdministrativeUnit, CollectionForm
from reports import movements
from reports.progress import Progress, UnitRow, empty_tally
from verification.models import Round
from verification.terms import Approval, Outcome

PAGE = 100
KEY = re.compile(r"[0-9A-Z-]{1,16}~[0-9]{1,9}~[0-9]{1,4}~[0-9]{1,18}")
MOVE = re.compile(r"([a-z_]{0,16})-([a-z]{0,8})-([a-z_]{0,16})-([a-z]{0,8})")
FROM_THE_START = ("", 0, 0, 0)


class State(NamedTuple):
    """Where a form stood at a cut-off; nothing recorded is two blanks."""

    outcome: str
    approval: str

    @property
    def label(self) -> str:
        return Outcome(self.outcome).label if self.outcome else ""

    @property
    def approval_label(self) -> str:
        return Approval(self.approval).label if self.approval else ""


@dataclass(frozen=True)
class Move:
    """From one state to another; `key` names it in an address."""

    before: State
    after: State
    forms: int = 0

    @property
    def key(self) -> str:
        return "-".join((*self.before, *self.after))

    @classmethod
    def read(cls, key: str) -> "Move | None":
        found = MOVE.fullmatch(key)
        return cls(State(*found.groups()[:2]), State(*found.groups()[2:])) if found else None


@dataclass(frozen=True)
class Pair:
    """One line of the table: what a unit had at the one cut-off and at the other."""

    owner: object
    before: UnitRow
    after: UnitRow

    @property
    def verified(self) -> int:
        return self.after.tally.verified - self.before.tally.verified

    @property
    def plan(self) -> int:
        return self.after.tally.base - self.before.tally.base

    @property
    def points(self):
        """By how many points the rate rose; None where one of them has no base."""
        rates = self.before.tally.rate, self.after.tally.rate
        return None if None in rates else rates[1] - rates[0]


def pairs(before: list[UnitRow], after: list[UnitRow]) -> list[Pair]:
    """The units of the later cut-off beside what they had at the earlier one."""
    earlier = {row.owner.pk: row for row in before}
    empty = UnitRow(None, empty_tally(after[0].tally.round), after[0].day) if after else None
    return [Pair(row.owner, earlier.get(row.owner.pk, empty), row) for row in after]


STANDING_AT = """
    SELECT form_id, outcome, approval FROM stretch
    WHERE stands AND known_on <= {day} AND coalesce(ended_on > {day}, true)"""
MOVED = f"""
    WITH stretch AS MATERIALIZED ({movements.stretches(movements.OF_COMMUNES)}), moved AS (
        SELECT form_id, coalesce(b.outcome, '') AS before, coalesce(b.approval, '') AS before_approval,
            coalesce(a.outcome, '') AS after, coalesce(a.approval, '') AS after_approval
        FROM ({STANDING_AT.format(day="%(before)s")}) b FULL JOIN ({STANDING_AT.format(day="%(after)s")}) a
            USING (form_id)
        WHERE (b.outcome, b.approval) IS DISTINCT FROM (a.outcome, a.approval)
    )"""
MOVES = f"""{MOVED}
    SELECT before, before_approval, after, after_approval, count(*)::int FROM moved GROUP BY 1, 2, 3, 4
    ORDER BY 5 DESC, 1, 2, 3, 4"""
FORMS_MOVED = f"""{MOVED}
    SELECT form.id, hamlet.code, home.sequence, form.line, before, before_approval, after, after_approval
    FROM moved JOIN households_collectionform form ON form.id = moved.form_id
    JOIN households_household home ON home.id = form.household_id
    JOIN households_administrativeunit hamlet ON hamlet.id = form.hamlet_id
    WHERE (%(any)s OR (before, before_approval, after, after_approval) = %(move)s)
        AND (hamlet.code, home.sequence, form.line, form.id) > %(key)s
    ORDER BY hamlet.code, home.sequence, form.line, form.id LIMIT {PAGE + 1}"""


def moves_in(commune: AdministrativeUnit, round: Round, before: date, after: date) -> list[Move]:
    """How many forms of a commune went from which state to which, the most first."""
    with connection.cursor() as cursor:
        cursor.execute(MOVES, _params(commune, round, before, after))
        return [Move(State(*row[:2]), State(*row[2:4]), row[4]) for row in cursor.fetchall()]


def forms_moved(
    commune: AdministrativeUnit, round: Round, before: date, after: date, *, move: Move | None, key: str
) -> tuple[list[tuple[CollectionForm, Move]], str]:
    """One page of the forms that moved (of one kind of move, or all), in walking order behind `key`, and the key
    of its last row ("" on the last page)."""
    asked = move or Move(State("", ""), State("", ""))
    params = _params(commune, round, before, after) | {
        "any": move is None,
        "move": (*asked.before, *asked.after),
        "key": _key(key),
    }
    with connection.cursor() as cursor:
        cursor.execute(FORMS_MOVED, params)
        rows = cursor.fetchall()
    shown, behind = rows[:PAGE], rows[PAGE:]
    forms = CollectionForm.objects.select_related("household", "hamlet").in_bulk([row[0] for row in shown])
    next_key = "~".join(map(str, (*shown[-1][1:4], shown[-1][0]))) if behind else ""
    return [(forms[row[0]], Move(State(*row[4:6]), State(*row[6:8]))) for row in shown], next_key


def _key(key: str) -> tuple:
    if not KEY.fullmatch(key):
        return FROM_THE_START
    code, *numbers = key.split("~")
    return (code, *map(int, numbers))


def _params(commune: AdministrativeUnit, round: Round, before: date, after: date) -> dict:
    return movements.params_of(round) | {"owners": [commune.pk], "before": before, "after": after}


def outcome_lines(before: Progress, after: Progress) -> Iterator[tuple[str, int, int, int]]:
    """(label, then, later, by how many) of each outcome, and of what waits or came back."""
    columns = [(outcome.value, outcome.label) for outcome in Outcome]
    columns += [(approval.value, approval.label) for approval in (Approval.PENDING, Approval.RETURNED)]
    for name, label in columns:
        then, later = getattr(before.tally, name), getattr(after.tally, name)
        yield label, then, later, later - then
