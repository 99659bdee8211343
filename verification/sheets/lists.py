"""Which sheets are out, and what of each is done."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Count, Q

from census_verify import clock
from households.models import AdministrativeUnit, User
from households.permissions import scope_of
from households.statements import Statement
from verification.models import Round, RoundForm, Sheet

MOST = 400  # of a commune's sheets on one page; more are not out at once

# A line is done when another result stands than the one seen at printing, or the form has left the round.
DONE = Statement(
    "lines_done_of_sheets",
    "bigint[]",
    """
    SELECT line.sheet_id, count(*), count(*) FILTER (
        WHERE row.id IS NULL OR row.standing_pass_id IS DISTINCT FROM line.seen_pass_id)
    FROM verification_sheetline line JOIN verification_sheet sheet ON sheet.id = line.sheet_id
    LEFT JOIN verification_roundform row ON row.form_id = line.form_id AND row.round_id = sheet.round_id
    WHERE line.sheet_id = ANY ($1) GROUP BY line.sheet_id""",
)


@dataclass(frozen=True)
class Out:
    """A sheet with how many of its lines were given a result since it was printed."""

    sheet: Sheet
    lines: int
    done: int


@dataclass(frozen=True)
class ToPrint:
    """A hamlet with what would be printed of it now."""

    hamlet: AdministrativeUnit
    people: int
    households: int
    sheets_out: int


def out_for(officer: User, round: Round) -> list[Out]:
    """The sheets on the way in the communes where she records, hamlet by hamlet."""
    communes = scope_of(officer).record_unit_ids
    sheets = Sheet.objects.out().filter(round=round, commune__in=communes)
    sheets = sheets.select_related("hamlet", "commune", "printed_by").order_by("commune__code", "hamlet__code", "pk")
    return _with_done(sheets[:MOST])


def how_many_out(officer: User, round: Round) -> int:
    """As `out_for`, counted."""
    return Sheet.objects.out().filter(round=round, commune__in=scope_of(officer).record_unit_ids).count()


def back_from(officer: User, round: Round) -> list[Sheet]:
    """The last sheets entered there, the newest first."""
    entered = Sheet.objects.filter(round=round, commune__in=scope_of(officer).record_unit_ids)
    entered = entered.filter(entered_at__isnull=False).select_related("hamlet", "entered_by")
    return list(entered.order_by("-entered_at")[:10])


def of_printing(sheets: Iterable[Sheet]) -> list[Out]:
    return _with_done(sheets)


def to_print(round: Round, commune: AdministrativeUnit) -> list[ToPrint]:
    """The commune's hamlets in order: whose turn it is there, and what is out already."""
    due = RoundForm.objects.due(round, clock.today()).filter(commune=commune).values("hamlet")
    due = due.annotate(people=Count("pk"), homes=Count("household", distinct=True)).order_by()
    counted = {row["hamlet"]: row for row in due}
    out = Sheet.objects.out().filter(round=round, commune=commune).values("hamlet").annotate(n=Count("pk")).order_by()
    sheets = {row["hamlet"]: row["n"] for row in out}
    hamlets = commune.children.filter(Q(pk__in=[*counted, *sheets])).in_order()
    nothing = {"people": 0, "homes": 0}
    return [
        ToPrint(hamlet, found["people"], found["homes"], sheets.get(hamlet.pk, 0))
        for hamlet in hamlets
        if (found := counted.get(hamlet.pk, nothing))
    ]


def _with_done(sheets: Iterable[Sheet]) -> list[Out]:
    sheets = list(sheets)
    counts = {pk: (lines, done) for pk, lines, done in DONE.rows([sheet.pk for sheet in sheets])} if sheets else {}
    return [Out(sheet, *counts.get(sheet.pk, (0, 0))) for sheet in sheets]
