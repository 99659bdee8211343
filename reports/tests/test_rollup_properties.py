"""Whatever officers do in whatever order, and wherever the roll-ups fall between: the totals are the recount."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta

from django.db import transaction
from django.db.models import F, Sum
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from census_verify import clock
from reports import proof, rollups
from reports.models import (
    BaseMovement,
    DailyTally,
    FaultMovement,
    Movement,
    OfficerTally,
    RefusalTally,
    SuspicionTally,
    Tally,
)
from reports.rollups import COUNTS, DENOMINATORS, FORM_COUNTS, PLANNED
from verification import approvals, services
from verification.models import RoundForm
from verification.rules import CorrectionEntry, Refusal
from verification.terms import Approval, Outcome
from verification.tests.factories import decide, record

FIELDS = {
    "deceased": {"event_on": date(2019, 1, 2), "paper": "archive"},
    "moved_away": {"event_on": date(2019, 1, 2), "destination": "Vinh"},
    "not_met": {"reason": "vắng", "next_visit_on": date(2020, 6, 25)},
    "unverifiable": {"reason": "không rõ", "attempts": 2},
    "corrected": {"corrections": (CorrectionEntry("birth_date", "1/1/1956", "archive"),)},
}


@dataclass(frozen=True)
class Step:
    what: str
    home: str
    outcome: str
    days_ago: int
    first_person_only: bool


steps = st.builds(
    Step,
    what=st.sampled_from(["record", "record", "record", "undo", "decide", "reopen", "roll_up"]),
    home=st.sampled_from(["four", "two", "three", "phu_gia", "hung_tri"]),
    outcome=st.sampled_from(["matched", "matched", *FIELDS, "emigrated"]),
    days_ago=st.integers(0, 3),
    first_person_only=st.booleans(),
)


def take(step: Step, homes, cast, submissions: list) -> None:
    home = getattr(homes, step.home)
    officer = {"phu_gia": cast.member, "hung_tri": cast.stranger}.get(step.home, cast.officer)
    if step.what == "record":
        only = [home.forms.order_by("line").first().pk] if step.first_person_only else None
        made = record(home, officer, step.outcome, only=only, verified_on=clock.today() - timedelta(days=step.days_ago),
                      **FIELDS.get(step.outcome, {}))  # fmt: skip
        submissions.append((made.passes[0].submission, officer))
    elif step.what == "undo" and submissions:
        submission, by = submissions.pop()
        services.undo_submission(submission=submission, by=by)
    elif step.what == "decide":
        decision = Approval.APPROVED if step.first_person_only else Approval.RETURNED
        waiting = RoundForm.objects.filter(household=home, approval=Approval.PENDING)
        by = cast.supervisor if step.home != "hung_tri" else cast.stranger  # who may not
        decide(waiting.values_list("form", flat=True), by, decision, "xem lại")
    elif step.what == "reopen":
        standing = RoundForm.objects.filter(household=home).exclude(standing_pass=None)
        by = cast.supervisor if step.home != "hung_tri" else cast.stranger
        passes = list(standing.values_list("standing_pass", flat=True))
        approvals.reopen(round=standing[0].round, pass_ids=passes, by=by, reason="xem lại") if passes else None
    elif step.what == "roll_up":
        rollups.roll_up()


@given(history=st.lists(steps, max_size=14))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_history(round, homes, cast, tree, history):
    before = transaction.savepoint()
    submissions: list = []
    for step in history:
        with suppress(Refusal):  # a refused step is part of a true history, and must leave nothing behind
            take(step, homes, cast, submissions)
    rollups.roll_up()
    assert list(proof.differences(round)) == []
    each_parent_is_the_sum_of_its_children()
    each_numerator_is_part_of_its_denominator()
    officers_add_up_to_the_total()
    days_add_up_to_the_total()
    transaction.savepoint_rollback(before)


def each_parent_is_the_sum_of_its_children() -> None:
    keys = {
        Tally: [],
        DailyTally: ["day"],
        FaultMovement: ["day", "fault"],
        RefusalTally: ["reason"],
        SuspicionTally: ["fault"],
        Movement: ["day", "counted_on"],
        BaseMovement: ["day"],
        OfficerTally: ["officer_id"],
    }
    for model, names in keys.items():
        columns = [*PLANNED, *FORM_COUNTS, "in_scope", *COUNTS] if model is Tally else COUNTS
        columns = ["forms"] if model in (FaultMovement, RefusalTally) else columns
        columns = ["forms", "open"] if model is SuspicionTally else columns
        columns = DENOMINATORS if model is BaseMovement else columns
        for parent in model.objects.filter(unit__level__lt=3):
            key = {name: getattr(parent, name) for name in names}
            children = model.objects.filter(unit__parent=parent.unit, **key)
            sums = children.aggregate(**{f"{c}_sum": Sum(c) for c in columns})
            for column in columns:
                assert getattr(parent, column) == (sums[f"{column}_sum"] or 0), (model, parent, column)


def each_numerator_is_part_of_its_denominator() -> None:
    wrong = Tally.objects.exclude(
        verified__lte=F("in_scope"), in_scope__lte=F("qualified"), qualified__lte=F("collected")
    ) | Tally.objects.filter(team=None, unit__level__lte=3).exclude(collected__lte=F("population"))
    assert not wrong.exists()


def officers_add_up_to_the_total() -> None:
    for tally in Tally.objects.exclude(unit__level=4):
        officers = OfficerTally.objects.filter(unit=tally.unit, team=tally.team)
        sums = officers.aggregate(**{f"{c}_sum": Sum(c) for c in COUNTS})
        for column in COUNTS:
            assert getattr(tally, column) == (sums[f"{column}_sum"] or 0), (tally, column)


def days_add_up_to_the_total() -> None:
    for tally in Tally.objects.filter(unit__level__lte=3):
        days = DailyTally.objects.filter(unit=tally.unit).aggregate(**{f"{c}_sum": Sum(c) for c in COUNTS})
        for column in COUNTS:
            assert getattr(tally, column) == (days[f"{column}_sum"] or 0), (tally, column)
        assert sum(getattr(tally, outcome) for outcome in Outcome.values) <= tally.in_scope
