"""What one officer recorded on one day: her submissions, the newest first, and what became of them."""

import re
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

from django.db.models import Prefetch
from django.utils.timezone import localtime

from census_verify import clock
from households.models import CollectionForm, Household, User
from households.permissions import scope_of
from households.statements import Statement
from verification import items
from verification.models import PassEvent, Round, RoundForm, VerificationPass
from verification.terms import Approval, Outcome

PAGE = 50
KEY = re.compile(r"([0-9]{1,17})~([0-9a-f-]{36})~([0-9]{1,18})")
BEHIND_ALL = UUID(int=0), 0
MICROSECOND = timedelta(microseconds=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def moments_of(day: date) -> tuple[datetime, datetime]:
    """The first moment of a day in Vietnam, and that of the next."""
    first = datetime.combine(day, time.min, tzinfo=clock.now().tzinfo)
    return first, first + timedelta(days=1)


@dataclass(frozen=True)
class DayTotals:
    """How much of what she recorded on a day stands."""

    households: int
    persons: int
    by_outcome: list[tuple[str, int]]  # in the order of the outcomes, without those that are not there


# Each finds her passes of a time by the index pass_own_work; only the communes she works in today.
TOTALS_OF_OWN_WORK = Statement(
    "totals_of_own_work",
    "bigint, bigint[], timestamptz, timestamptz",
    """
    SELECT pass.outcome, count(*), count(DISTINCT stands.household_id)
    FROM verification_verificationpass pass
    JOIN verification_roundform stands ON stands.standing_pass_id = pass.id
    WHERE pass.officer_id = $1 AND pass.commune_id = ANY($2) AND pass.recorded_at >= $3 AND pass.recorded_at < $4
    GROUP BY GROUPING SETS ((pass.outcome), ())""",
)
# By household, not by submission: one of a sheet or of a file may name thousands.
PAGE_OF_OWN_WORK = Statement(
    "page_of_own_work",
    "bigint, bigint[], timestamptz, timestamptz, uuid, bigint, int",
    """
    SELECT pass.recorded_at, pass.submission, form.household_id FROM verification_verificationpass pass
    JOIN households_collectionform form ON form.id = pass.form_id
    WHERE pass.officer_id = $1 AND pass.commune_id = ANY($2) AND pass.recorded_at >= $3 AND pass.recorded_at <= $4
        AND (pass.recorded_at, pass.submission, form.household_id) < ($4, $5, $6)
    GROUP BY pass.recorded_at, pass.submission, form.household_id
    ORDER BY pass.recorded_at DESC, pass.submission DESC, form.household_id DESC LIMIT $7""",
)
# Of each submission: its households, and whether all of it stands undecided.
WHOLE_SUBMISSIONS = Statement(
    "whole_submissions",
    "uuid[]",
    """
    SELECT pass.submission, count(DISTINCT form.household_id),
        bool_and(stands.id IS NOT NULL AND stands.approval NOT IN ('approved', 'returned'))
    FROM verification_verificationpass pass
    JOIN households_collectionform form ON form.id = pass.form_id
    LEFT JOIN verification_roundform stands ON stands.standing_pass_id = pass.id
    WHERE pass.submission = ANY($1) GROUP BY pass.submission""",
)
DAYS_BESIDE = Statement(
    "days_beside_of_own_work",
    "bigint, bigint[], timestamptz, timestamptz",
    """
    SELECT (SELECT max(recorded_at) FROM verification_verificationpass
            WHERE officer_id = $1 AND commune_id = ANY($2) AND recorded_at < $3),
        (SELECT min(recorded_at) FROM verification_verificationpass
            WHERE officer_id = $1 AND commune_id = ANY($2) AND recorded_at >= $4)""",
)


def _communes(officer: User) -> list[int]:
    return sorted(scope_of(officer).record_unit_ids)


def totals_of(officer: User, day: date) -> DayTotals:
    counted = {
        outcome: (persons, homes)
        for outcome, persons, homes in TOTALS_OF_OWN_WORK.rows(officer.pk, _communes(officer), *moments_of(day))
    }
    persons, households = counted.get(None, (0, 0))
    return DayTotals(households, persons, [(o.value, counted[o.value][0]) for o in Outcome if o.value in counted])


def days_beside(officer: User, day: date) -> tuple[date | None, date | None]:
    """The nearest days before and after on which she recorded something."""
    moments = DAYS_BESIDE.row(officer.pk, _communes(officer), *moments_of(day))
    before, after = (moment and localtime(moment).date() for moment in moments)
    return before, after


class Fate:
    """What became of a recorded result."""

    SAVED, WAITING, APPROVED, RETURNED, UNDONE, REPLACED = (
        "saved",
        "waiting",
        "approved",
        "returned",
        "undone",
        "replaced",
    )


@dataclass(frozen=True)
class OwnResult:
    """One person's line of a submission."""

    verification_pass: VerificationPass
    fate: str
    reason: str = ""  # why it was returned

    @property
    def corrections(self) -> list[tuple[str, str, str]]:
        """(item, old, new) in the reader's words."""
        return [
            (items.ITEMS[c.field].label, items.readable(c.field, c.old), items.readable(c.field, c.new))
            for c in self.verification_pass.corrections.all()
        ]

    @property
    def is_plain(self) -> bool:
        """Correct, and nothing more to say: its number is enough."""
        return self.verification_pass.outcome == Outcome.MATCHED and self.fate in (Fate.SAVED, Fate.UNDONE)


@dataclass(frozen=True)
class OwnLine:
    """What one submission recorded in one household."""

    submission: UUID
    recorded_at: datetime
    household: Household
    results: list[OwnResult]
    undoes: int  # the households an undo would take back; 0: it cannot be undone any more

    @property
    def by_outcome(self) -> list[tuple[str, int]]:
        found = Counter(result.verification_pass.outcome for result in self.results)
        return [(o.value, found[o.value]) for o in Outcome if o.value in found]

    @property
    def fates(self) -> list[tuple[str, int]]:
        return list(Counter(result.fate for result in self.results).items())


def page_of(officer: User, day: date, key: str) -> tuple[list[OwnLine], str]:
    """One page of a day's lines behind `key`, and the key of its last ("" on the last page)."""
    since, until = moments_of(day)
    behind = _moment_of(key, until) or (until, *BEHIND_ALL)
    rows = PAGE_OF_OWN_WORK.rows(officer.pk, _communes(officer), since, *behind, PAGE + 1)
    lines = _lines(officer, rows[:PAGE])
    if len(rows) <= PAGE:
        return lines, ""
    at, submission, household_id = rows[PAGE - 1]
    return lines, f"{(at - EPOCH) // MICROSECOND}~{submission}~{household_id}"


def _moment_of(key: str, until: datetime) -> tuple[datetime, UUID, int] | None:
    """What a key says; None for one that says nothing of this day."""
    found = KEY.fullmatch(key)
    try:
        behind = EPOCH + int(found[1]) * MICROSECOND, UUID(found[2]), int(found[3])
    except (TypeError, ValueError, OverflowError):
        return None
    return behind if behind[0] < until else None


# deferred columns of a foreign row would be asked for one by one
FORMS = CollectionForm.objects.select_related("household__hamlet").only(
    "full_name", "line", "household__head_name", "household__book_number", "household__hamlet__name",
    "household__hamlet__type", "household__hamlet__level",
)  # fmt: skip


def _lines(officer: User, rows: list[tuple[datetime, UUID, int]]) -> list[OwnLine]:
    if not rows:
        return []
    results_of = _results(officer, rows)
    undoes = _undoes(rows)
    return [
        OwnLine(
            submission=submission,
            recorded_at=at,
            household=results_of[submission, household_id][0].verification_pass.form.household,
            results=results_of[submission, household_id],
            undoes=undoes.get(submission, 0),
        )
        for at, submission, household_id in rows
        if results_of.get((submission, household_id))
    ]


def _results(officer: User, rows: list[tuple[datetime, UUID, int]]) -> dict[tuple[UUID, int], list[OwnResult]]:
    """Of each line its results, in the order of the household."""
    submissions, households = {row[1] for row in rows}, {row[2] for row in rows}
    passes = list(
        VerificationPass.objects.visible_to(officer)
        .filter(officer=officer, submission__in=submissions, form__household__in=households)
        .prefetch_related(Prefetch("form", FORMS), "corrections")
    )
    fates, results = _fates(passes), {}
    for verification_pass in sorted(passes, key=lambda p: (p.form.line, p.pk)):
        line = verification_pass.submission, verification_pass.form.household_id
        results.setdefault(line, []).append(OwnResult(verification_pass, *fates[verification_pass.pk]))
    return results


def _undoes(rows: list[tuple[datetime, UUID, int]]) -> dict[UUID, int]:
    """The households of each submission that `services.undo_submission` would take back now; a test holds the
    two together."""
    round = Round.objects.current()
    if round is None or round.status != Round.Status.OPEN:
        return {}
    not_before = clock.now() - timedelta(minutes=round.undo_minutes)
    recent = list({submission for at, submission, _household in rows if at >= not_before})
    if not recent:
        return {}
    return {submission: households for submission, households, stands in WHOLE_SUBMISSIONS.rows(recent) if stands}


FATE_OF_APPROVAL = {
    Approval.PENDING: Fate.WAITING,
    Approval.APPROVED: Fate.APPROVED,
    Approval.RETURNED: Fate.RETURNED,
}


def _fates(passes: list[VerificationPass]) -> dict[int, tuple[str, str]]:
    """Of each pass what became of it, and why it was returned."""
    approval_of = dict(RoundForm.objects.filter(standing_pass__in=passes).values_list("standing_pass_id", "approval"))
    kinds = (PassEvent.Kind.UNDONE, PassEvent.Kind.RETURNED)
    undone, reason_of = set(), {}
    events = PassEvent.objects.filter(verification_pass__in=passes, kind__in=kinds).order_by("pk")
    for pk, kind, reason in events.values_list("verification_pass_id", "kind", "reason"):
        if kind == PassEvent.Kind.UNDONE:
            undone.add(pk)
        else:
            reason_of[pk] = reason

    def fate(pk: int) -> tuple[str, str]:
        if pk not in approval_of:
            return Fate.UNDONE if pk in undone else Fate.REPLACED, ""
        fate = FATE_OF_APPROVAL.get(approval_of[pk], Fate.SAVED)
        return fate, reason_of.get(pk, "") if fate == Fate.RETURNED else ""

    return {p.pk: fate(p.pk) for p in passes}
