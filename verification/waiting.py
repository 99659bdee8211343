"""What waits for the district, and what it returned: the queue, oldest first, with all that is needed to decide."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from django.db import connection
from django.db.models import Case, TextChoices, When
from django.utils.translation import gettext_lazy as _

from census_verify import clock
from households.models import AdministrativeUnit, CollectionForm, User
from households.permissions import Scope
from households.statements import Statement
from verification import items
from verification.history import Happening, happenings_of
from verification.models import Correction, PassEvent, Round, RoundForm, VerificationPass
from verification.terms import REMOVALS, WITH_CORRECTIONS, Approval, Outcome

PAGE = 30
KEY = re.compile(r"([0-9]{1,17})~([0-9]{1,18})")
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


class Kind(TextChoices):
    """What there is to decide. A round may ask for approval of other outcomes, too."""

    CORRECTIONS = "corrections", _("Corrections")
    REMOVALS = "removals", _("Removals")
    OTHERS = "others", _("Other results")


OUTCOMES = {
    Kind.CORRECTIONS: [outcome.value for outcome in WITH_CORRECTIONS],
    Kind.REMOVALS: [outcome.value for outcome in REMOVALS],
    Kind.OTHERS: [outcome.value for outcome in Outcome if outcome not in (*WITH_CORRECTIONS, *REMOVALS)],
}


# --- how much waits -----------------------------------------------------------------------


@dataclass(frozen=True)
class Summary:
    """How many wait, and since when the first of them does."""

    count: int
    since: datetime | None

    @property
    def days(self) -> int:
        return days_since(self.since) if self.since else 0


SUMMARY = Statement(
    "what_waits_below_units",
    "bigint, text, text[]",
    """
    SELECT count(*), min(waiting.waits_since) FROM households_administrativeunit commune
    JOIN verification_roundform waiting ON waiting.commune_id = commune.id
    WHERE commune.level = 3 AND EXISTS (SELECT FROM unnest($3) path WHERE starts_with(commune.path, path))
        AND waiting.round_id = $1 AND waiting.approval = $2 AND waiting.approval IN ('pending', 'returned')""",
)


def summary(round: Round, units: Sequence[AdministrativeUnit], approval: Approval = Approval.PENDING) -> Summary:
    """Of these units and all below them. From an index that holds only what waits."""
    if not units:
        return Summary(0, None)
    return Summary(*SUMMARY.row(round.pk, approval.value, [unit.path for unit in units]))


RETURNED_BY_COMMUNE = """
    SELECT commune_id, count(*), min(waits_since) FROM verification_roundform
    WHERE round_id = %s AND approval = 'returned' AND approval IN ('pending', 'returned') GROUP BY 1"""


def returned_by_commune(round: Round) -> dict[int, Summary]:
    """What was sent back and waits for the communes, where anything does. From the same index."""
    with connection.cursor() as cursor:
        cursor.execute(RETURNED_BY_COMMUNE, [round.pk])
        return {commune_id: Summary(count, since) for commune_id, count, since in cursor.fetchall()}


MANY = 1000  # as far as the navigation of every page counts
COUNT_FOR_NAVIGATION = Statement(
    "how_many_wait_below_units",
    "bigint, text[]",
    f"""
    SELECT count(*) FROM (
        SELECT FROM households_administrativeunit commune
        JOIN verification_roundform waiting ON waiting.commune_id = commune.id
        WHERE commune.level = 3 AND EXISTS (SELECT FROM unnest($2) path WHERE starts_with(commune.path, path))
            AND waiting.round_id = $1 AND waiting.approval = 'pending' AND waiting.approval IN ('pending', 'returned')
        LIMIT {MANY}) counted""",
)


def count_up_to_many(round: Round, units: Sequence[AdministrativeUnit]) -> int:
    """How many wait for the district, but not more than MANY: every page of hers asks it."""
    return COUNT_FOR_NAVIGATION.row(round.pk, [unit.path for unit in units])[0] if units else 0


def days_since(moment: datetime) -> int:
    return max((clock.today() - moment.astimezone(clock.now().tzinfo).date()).days, 0)


# --- the queue ------------------------------------------------------------------------------


@dataclass
class CommuneCount:
    """A commune and how many wait there, by kind; since when the first of them does."""

    commune: AdministrativeUnit
    since: datetime | None = None
    by_kind: dict[str, int] = field(default_factory=lambda: dict.fromkeys(Kind.values, 0))

    def of(self, kind: str) -> int:
        return self.by_kind[kind] if kind else sum(self.by_kind.values())


COUNTS = """
    SELECT waiting.commune_id, waiting.outcome, count(*), min(waiting.waits_since) FROM verification_roundform waiting
    WHERE waiting.round_id = %s AND waiting.commune_id = ANY(%s)
        AND waiting.approval = 'pending' AND waiting.approval IN ('pending', 'returned') GROUP BY 1, 2"""
# Commune by commune, each in the order of the index and no further than a page; so the fiftieth page of a long
# queue costs what the first one does.
PAGE_FORMS = """
    SELECT page.form_id FROM unnest(%(communes)s::bigint[]) commune (id) CROSS JOIN LATERAL (
        SELECT waiting.waits_since, waiting.form_id FROM verification_roundform waiting
        WHERE waiting.round_id = %(round)s AND waiting.commune_id = commune.id
            AND waiting.approval = 'pending' AND waiting.approval IN ('pending', 'returned')
            AND waiting.outcome = ANY(%(outcomes)s)
            AND (waiting.waits_since, waiting.form_id) > (%(since)s, %(form)s)
        ORDER BY waiting.waits_since, waiting.form_id LIMIT %(rows)s
    ) page ORDER BY page.waits_since, page.form_id LIMIT %(rows)s"""


def communes_of(scope: Scope) -> list[AdministrativeUnit]:
    """Where she sees persons, by district and in administrative order."""
    communes = AdministrativeUnit.objects.filter(
        scope.persons_filter_of_units(), level=AdministrativeUnit.Level.COMMUNE
    ).valid_on(clock.today())
    return list(communes.select_related("parent").order_by("parent__code", "code"))


def counts(round: Round, communes: Sequence[AdministrativeUnit]) -> list[CommuneCount]:
    """What waits in each of the communes where anything does."""
    kind_of = {outcome: kind for kind, outcomes in OUTCOMES.items() for outcome in outcomes}
    count_of = {commune.pk: CommuneCount(commune) for commune in communes}
    with connection.cursor() as cursor:
        cursor.execute(COUNTS, [round.pk, list(count_of)])
        for commune_id, outcome, waiting, since in cursor.fetchall():
            count = count_of[commune_id]
            count.by_kind[kind_of[outcome]] += waiting
            count.since = min(count.since or since, since)
    return [count for count in count_of.values() if count.of("")]


def page_after(
    round: Round, communes: Sequence[AdministrativeUnit], kind: str, key: str, scope: Scope
) -> tuple[list["Item"], str]:
    """One page of the queue behind `key`, oldest first, and the key of its last item ("" on the last page)."""
    ids = _forms_of_page(round, communes, kind, key)
    found = items_of(round, ids[:PAGE], scope)
    if len(ids) <= PAGE or not found:
        return found, ""
    last = found[-1].row
    return found, f"{(last.waits_since - BEGINNING) // timedelta(microseconds=1)}~{last.form_id}"


def _forms_of_page(round: Round, communes: Sequence[AdministrativeUnit], kind: str, key: str) -> list[int]:
    since, form_id = map(int, match.groups()) if (match := KEY.fullmatch(key)) else (0, 0)
    values = {
        "round": round.pk,
        "communes": [commune.pk for commune in communes],
        "outcomes": OUTCOMES[kind] if kind else Outcome.values,
        "since": BEGINNING + timedelta(microseconds=since),
        "form": form_id,
        "rows": PAGE + 1,
    }
    with connection.cursor() as cursor:
        cursor.execute(PAGE_FORMS, values)
        return [pk for (pk,) in cursor.fetchall()]


# --- one item of it ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Side:
    """One item of two forms beside each other."""

    label: str
    this: str
    other: str

    @property
    def differs(self) -> bool:
        return self.this != self.other


@dataclass
class Item:
    """Something to decide: the person, what is proposed, who recorded it when, what was before."""

    row: RoundForm
    corrections: list[Correction]
    history: list[Happening]
    may_see_other: bool = False
    is_chosen: bool = False
    reason: str = ""
    problem: str = ""

    @property
    def form(self) -> CollectionForm:
        return self.row.form

    @property
    def made(self) -> VerificationPass:
        return self.row.standing_pass

    @property
    def days(self) -> int:
        return days_since(self.row.waits_since)

    @property
    def is_removal(self) -> bool:
        return self.row.outcome in REMOVALS

    @property
    def other(self) -> CollectionForm | None:
        """The form that a duplicate repeats."""
        return self.made.duplicate_of

    @property
    def sides(self) -> list[Side]:
        """The duplicate and its other form, item by item; what is empty on both is left out."""
        pairs = (
            Side(str(item.label), _read(self.form, item.name), _read(self.other, item.name))
            for item in items.ITEMS.values()
        )
        return [pair for pair in pairs if pair.this or pair.other]


def _read(form: CollectionForm, item: str) -> str:
    return items.readable(item, items.value_of(form, item))


def items_of(round: Round, form_ids: Sequence[int], scope: Scope) -> list[Item]:
    """With everything a page shows of them, in as many questions for one as for thirty."""
    rows = (
        RoundForm.objects.in_round(round)
        .filter(form__in=form_ids)
        .select_related(
            "form__household",
            "hamlet",
            "commune__parent",
            "standing_pass__officer",
            "standing_pass__team",
            "standing_pass__duplicate_of__commune__parent",
            "standing_pass__duplicate_of__household",
        )
    )
    row_of = {row.form_id: row for row in rows}
    found = [row_of[form_id] for form_id in form_ids if form_id in row_of]
    history = happenings_of([row.form_id for row in found])
    shown = []
    for row in found:
        lines = history[row.form_id]
        corrections = next(
            list(line.corrections) for line in lines if line.verification_pass.pk == row.standing_pass_id
        )
        before = [line for line in lines if line.verification_pass.pk != row.standing_pass_id]
        other = row.standing_pass.duplicate_of
        may_see = bool(other) and scope.persons_cover(other.commune)
        shown.append(Item(row, corrections, before, may_see_other=may_see))
    return shown


# --- what came back -----------------------------------------------------------------------------


AT_TOP = 20  # of a list of forms; the others are a tap away


@dataclass(frozen=True)
class Returned:
    """A result that came back: whose, why, since when."""

    row: RoundForm
    event: PassEvent

    @property
    def days(self) -> int:
        return days_since(self.row.waits_since)


def returned_in(
    round: Round,
    commune_ids: Sequence[int],
    officer: User,
    *,
    hamlet: AdministrativeUnit | None = None,
    at_most: int = AT_TOP,
) -> list[Returned]:
    """The first of the returned results there: the officer's own first, of these what waits longest."""
    place = {"commune__in": commune_ids} | ({"hamlet": hamlet} if hamlet else {})
    rows = RoundForm.objects.in_round(round).filter(
        approval=Approval.RETURNED, approval__in=[Approval.PENDING, Approval.RETURNED], **place
    )
    rows = rows.annotate(is_own=Case(When(standing_pass__officer=officer, then=True), default=False))
    rows = rows.select_related("form", "hamlet", "commune", "standing_pass__officer").order_by(
        "-is_own", "waits_since", "form_id"
    )
    found = list(rows[:at_most])
    event_of = returns_of([row.standing_pass_id for row in found])
    return [Returned(row, event_of[row.standing_pass_id]) for row in found]


def returns_of(pass_ids: Sequence[int]) -> Mapping[int, PassEvent]:
    """Why the district returned these passes, and who of it: the last word of each."""
    if not pass_ids:
        return {}
    events = PassEvent.objects.filter(verification_pass__in=pass_ids, kind=PassEvent.Kind.RETURNED)
    return {event.verification_pass_id: event for event in events.select_related("by").order_by("pk")}
