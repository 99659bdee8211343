"""What was known at a cut-off: told by the movements, never changed by what comes later."""

from collections import Counter
from contextlib import suppress
from datetime import date, datetime, timedelta

import pytest
from django.db import connection, transaction
from django.db.models import Sum
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from households.models import WorkTeam
from households.tests.factories import make_form
from reports import progress, proof, rollups
from reports.live import Live
from reports.models import BaseMovement, Movement, Tally
from reports.rollups import COUNTS, DENOMINATORS
from reports.snapshots import Snapshot
from reports.tests.test_rollup_properties import steps, take
from verification import approvals, rounds, services
from verification.models import PassEvent, Plan, VerificationPass
from verification.rules import CorrectionEntry, Refusal
from verification.terms import Approval
from verification.tests.factories import decide, record

DAY = date(2020, 6, 19)
ZONE = timezone.get_default_timezone()


@pytest.fixture(autouse=True)
def _opened_long_before(settings):
    settings.CENSUS_VERIFY_TODAY = DAY - timedelta(days=9)


def known(owner, day: date) -> Counter:
    """The sums of the movements up to a cut-off, without zeros."""
    rows = Movement.objects.filter(unit=owner, day__lte=day).aggregate(**{f"{c}_sum": Sum(c) for c in COUNTS})
    return +Counter({column: rows[f"{column}_sum"] or 0 for column in COUNTS})


def every_column_adds_up(source, tree) -> None:
    """The parent is the sum of its children and the teams' sum the territory's, as a page would show them; and nothing
    is more than all."""

    def columns(tally: Tally, names: list[str]) -> dict[str, int]:
        return {name: getattr(tally, name) for name in names}

    def sums(rows: list, names: list[str]) -> dict[str, int]:
        return columns(progress.total_of(rows, source.round).tally, names)

    everything = [*DENOMINATORS, *COUNTS]
    whole = source.of_unit(tree.province).tally
    for parent in (tree.province, tree.huong_khe, tree.ky_anh):
        tally = source.of_unit(parent).tally
        for below in (source.children_of(parent), source.communes_under(parent)):
            assert sums(below, everything) == columns(tally, everything), (source.as_of, parent)
    for commune in (tree.huong_tra, tree.phu_gia, tree.hung_tri):
        tally, hamlets = source.of_unit(commune).tally, source.children_of(commune)
        assert sums(hamlets, COUNTS) == columns(tally, COUNTS), (source.as_of, commune)
    teams = source.teams(WorkTeam.objects.select_related("district"))
    assert sums(teams, everything) == columns(whole, everything), source.as_of
    for team in teams:
        assert sums(source.communes_of(team.owner), everything) == columns(team.tally, everything), (source.as_of, team)
    for row in (*teams, *source.communes_under(tree.province), *source.children_of(tree.huong_tra)):
        assert not row.tally.rate or 0 <= row.tally.rate <= 100, (source.as_of, row)


@pytest.fixture
def rolled_up(round):
    rollups.roll_up()
    return round


def test_each_day_knows_what_was_recorded_by_its_end(rolled_up, homes, cast, tree, live_on):
    live_on(DAY - timedelta(days=2))
    record(homes.four, cast.officer, verified_on=DAY - timedelta(days=3))
    live_on(DAY - timedelta(days=1))
    record(homes.two, cast.officer, "corrected", corrections=[CorrectionEntry("birth_date", "1/1/1956", "archive")],
           verified_on=DAY - timedelta(days=2))  # fmt: skip
    live_on(DAY)
    for owner in (tree.huong_tra, tree.huong_khe, tree.province, tree.country):
        assert known(owner, DAY - timedelta(days=3)) == {}
        assert known(owner, DAY - timedelta(days=2)) == {"matched": 4, "verified": 4}
        assert known(owner, DAY - timedelta(days=1)) == {"matched": 4, "corrected": 2, "verified": 6, "pending": 2}
    assert list(proof.differences(rolled_up)) == []


def test_undo_a_later_result_a_decision_and_a_reopening_change_no_day_that_is_over(
    rolled_up, homes, cast, tree, live_on
):
    first, second, third = (DAY - timedelta(days=n) for n in (3, 2, 1))
    live_on(first)
    made = record(homes.four, cast.officer, "deceased", event_on=date(2019, 1, 2), paper="archive")
    record(homes.two, cast.officer)
    live_on(second)
    before = known(tree.province, first)
    assert before == {"deceased": 4, "pending": 4, "matched": 2, "verified": 2}

    decide(homes.four.forms.values_list("pk", flat=True), cast.supervisor)
    again = record(homes.two, cast.officer, "moved_away", event_on=date(2020, 1, 2), destination="Vinh")
    services.undo_submission(submission=again.passes[0].submission, by=cast.officer)
    live_on(third)
    assert known(tree.province, first) == before
    assert known(tree.province, second) == {"deceased": 4, "verified": 6, "matched": 2}

    approvals.reopen(round=rolled_up, pass_ids=[p.pk for p in made.passes], by=cast.supervisor, reason="người còn sống")
    live_on(DAY)
    assert known(tree.province, first) == before
    assert known(tree.province, second) == {"deceased": 4, "verified": 6, "matched": 2}
    assert known(tree.province, third) == {"matched": 2, "verified": 2}
    assert list(proof.differences(rolled_up)) == []


def test_a_returned_and_a_restored_result(rolled_up, homes, cast, tree, live_on):
    live_on(DAY - timedelta(days=1))
    corrections = [CorrectionEntry("birth_date", "1/1/1956", "archive")]
    record(homes.two, cast.officer, "corrected", corrections=corrections)
    decide(homes.two.forms.values_list("pk", flat=True), cast.supervisor, Approval.RETURNED, "mờ")
    live_on(DAY)
    again = record(homes.two, cast.officer)
    rollups.roll_up()
    assert known(tree.huong_tra, DAY) == {"matched": 2, "verified": 2}
    services.undo_submission(submission=again.passes[0].submission, by=cast.officer)
    rollups.roll_up()
    assert known(tree.huong_tra, DAY) == {"corrected": 2, "verified": 2, "returned": 2}
    assert list(proof.differences(rolled_up)) == []


def test_the_cut_off_hour_parts_one_day_from_the_next(rolled_up, homes, cast, tree, live_on):
    live_on(DAY)
    rolled_up.cut_off_hour = 17
    rolled_up.save()
    record(homes.four, cast.officer)
    record(homes.two, cast.officer)
    for home, hour, second in ((homes.four, 16, 59), (homes.two, 17, 0)):
        passes = VerificationPass.objects.filter(form__household=home)
        with_history_unlocked(
            passes, recorded_at=datetime(2020, 6, 18, hour, 59 if hour == 16 else 0, second, tzinfo=ZONE)
        )
    rollups.mark_everything(rolled_up)
    rollups.roll_up()
    assert known(tree.huong_tra, date(2020, 6, 18)) == {"matched": 4, "verified": 4}
    assert known(tree.huong_tra, date(2020, 6, 19)) == {"matched": 6, "verified": 6}
    assert rolled_up.known_on(datetime(2020, 6, 18, 17, tzinfo=ZONE)) == date(2020, 6, 19)
    assert rolled_up.known_from(date(2020, 6, 19)) == datetime(2020, 6, 18, 17, tzinfo=ZONE)
    assert list(proof.differences(rolled_up)) == []


def with_history_unlocked(passes, **values) -> None:
    """Moves recorded passes in time, which the program itself never does."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE verification_verificationpass DISABLE TRIGGER USER")
        passes.update(**values)
        cursor.execute("ALTER TABLE verification_verificationpass ENABLE TRIGGER USER")


def test_denominators_are_those_of_the_opening_until_they_change(rolled_up, homes, cast, tree, live_on):
    opened_on = rolled_up.known_on(rolled_up.opened_at)
    booked = BaseMovement.objects.get(unit=tree.huong_tra)
    assert (booked.day, booked.plan, booked.collected) == (opened_on, 9, 9)
    live_on(DAY + timedelta(days=1))
    rounds.adjust_plan(plan=Plan.objects.get(commune=tree.huong_tra), forms=3, reason="nhập khẩu", by=cast.pc06)
    make_form(homes.two, line=3, qualification="refused", refusal_reason="no_signature")
    rollups.roll_up()
    live_on(DAY + timedelta(days=2))
    rows = {row.day: row for row in BaseMovement.objects.filter(unit=tree.province)}
    assert {name: getattr(rows[opened_on], name) for name in ("plan", "collected")} == {"plan": 14, "collected": 14}
    later = rows[DAY + timedelta(days=1)]
    assert {name: getattr(later, name) for name in DENOMINATORS if getattr(later, name)} == {"plan": 3, "collected": 1}
    assert list(proof.differences(rolled_up)) == []


def test_a_worker_that_was_away_for_days_books_each_result_on_its_own_day(rolled_up, homes, cast, tree, settings):
    for days_ago, home in ((6, homes.four), (3, homes.two)):
        settings.CENSUS_VERIFY_TODAY = DAY - timedelta(days=days_ago)
        record(home, cast.officer)
    settings.CENSUS_VERIFY_TODAY = DAY
    rollups.roll_up()
    assert known(tree.province, DAY - timedelta(days=6)) == {"matched": 4, "verified": 4}
    assert known(tree.province, DAY - timedelta(days=3)) == {"matched": 6, "verified": 6}
    assert list(proof.differences(rolled_up)) == []


def test_the_proof_finds_a_movement_that_is_wrong(rolled_up, homes, cast, tree):
    record(homes.four, cast.officer)
    rollups.roll_up()
    Movement.objects.filter(unit=tree.huong_khe).update(verified=3)
    BaseMovement.objects.filter(unit=tree.huong_khe).update(plan=1)
    found = "\n".join(proof.differences(rolled_up))
    assert "movements.verified: stored 3, recount 4" in found
    assert "bases.plan: stored 1" in found


def test_what_a_reopened_form_leaves_behind(rolled_up, homes, cast):
    made = record(homes.four, cast.officer)
    approvals.reopen(round=rolled_up, pass_ids=[made.passes[0].pk], by=cast.supervisor, reason="nhầm người")
    assert PassEvent.objects.get(kind="reopened").reason == "nhầm người"


@given(days=st.lists(st.lists(steps, max_size=5), min_size=1, max_size=4))
@hypothesis_settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_follows_each_day_is_remembered_as_it_ended(rolled_up, homes, cast, tree, settings, days):
    before, submissions, remembered = transaction.savepoint(), [], {}
    for number, steps_of_day in enumerate(days):
        settings.CENSUS_VERIFY_TODAY = day = DAY - timedelta(days=8 - number)
        for step in steps_of_day:
            with suppress(Refusal):
                take(step, homes, cast, submissions)
        rollups.roll_up()
        for owner in (tree.huong_tra, tree.huong_khe, tree.province):
            tally = Tally.objects.get(unit=owner)
            remembered[owner, day] = +Counter({column: getattr(tally, column) for column in COUNTS})
    for (owner, day), counts in remembered.items():
        assert known(owner, day) == counts, (owner, day)
    for day in {day for _owner, day in remembered}:
        every_column_adds_up(Snapshot(rolled_up, day), tree)
    every_column_adds_up(Live(rolled_up), tree)
    assert list(proof.differences(rolled_up)) == []
    transaction.savepoint_rollback(before)
