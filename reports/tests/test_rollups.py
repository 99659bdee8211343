"""Facts into figures: every total equals the recount, whatever was done in whatever order."""

from datetime import date, timedelta

import pytest
from django.db import connection
from django.db.models import Sum
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from census_verify import clock
from households.models import AdministrativeUnit, CollectionForm
from households.tests.factories import make_form, make_household, make_team
from reports import proof, rollups
from reports.models import DailyTally, FaultMovement, RefusalTally, Tally
from reports.rollups import COUNTS, FORM_COUNTS, PLANNED
from verification import form_values, rounds, services
from verification.models import Plan, RollupMark, Round, RoundForm
from verification.rules import CorrectionEntry, is_verified
from verification.terms import Approval, Outcome
from verification.tests.factories import decide, record

DAY = date(2020, 6, 19)


def tally(owner) -> Tally:
    kind = "unit" if isinstance(owner, AdministrativeUnit) else "team"
    return Tally.objects.get(**{kind: owner})


def differences(round) -> list[str]:
    return list(proof.differences(round))


@pytest.fixture
def rolled_up(round):
    rollups.roll_up()
    return round


def test_a_saved_household_climbs_to_the_country_and_the_team(rolled_up, homes, cast, tree):
    record(homes.four, cast.officer)
    rollups.roll_up()
    for owner in (tree.dong, tree.huong_tra, tree.huong_khe, tree.province, tree.country, cast.team):
        assert tally(owner).verified == tally(owner).matched == 4, owner
        if owner != tree.dong:
            kind = "team" if owner == cast.team else "unit"
            assert DailyTally.objects.get(**{kind: owner}, day=DAY).verified == 4
    for owner in (tree.tay, tree.phu_gia, tree.ky_anh, cast.other_team):
        assert tally(owner).verified == 0
    assert differences(rolled_up) == []


def test_the_denominators(rolled_up, homes, tree):
    make_form(homes.two, line=3, qualification="refused", refusal_reason="no_signature")
    rollups.mark_everything(rolled_up)
    rollups.roll_up()
    commune, province = tally(tree.huong_tra), tally(tree.province)
    assert (commune.plan, commune.collected, commune.qualified, commune.in_scope) == (9, 10, 9, 9)
    assert (province.plan, province.collected, province.qualified, province.in_scope) == (14, 15, 14, 14)
    assert province.population == sum(p.population for p in Plan.objects.all())
    assert [(r.reason, r.forms) for r in RefusalTally.objects.filter(unit=tree.province)] == [("no_signature", 1)]
    assert differences(rolled_up) == []


def test_running_twice_gives_the_same_rows(rolled_up, homes, cast):
    record(homes.four, cast.officer)
    rollups.roll_up()
    columns = ["unit", "team", *PLANNED, *FORM_COUNTS, *COUNTS]
    before = list(Tally.objects.order_by("pk").values_list("pk", *columns))
    rollups.mark_everything(rolled_up)
    rollups.roll_up()
    assert list(Tally.objects.order_by("pk").values_list("pk", *columns)) == before


def test_no_marks_no_work(rolled_up):
    assert rollups.roll_up() == {}


def test_marks_are_taken_with_the_totals(rolled_up, homes, cast, tree):
    record(homes.four, cast.officer)
    assert RollupMark.objects.count() == 1
    assert rollups.roll_up() == {rolled_up.pk: {tree.huong_tra.pk}}
    assert not RollupMark.objects.exists()


def test_a_broken_run_gives_its_marks_back(rolled_up, homes, cast, tree, monkeypatch):
    record(homes.four, cast.officer)

    def break_down(*args, **kwargs):
        raise RuntimeError("the power went")

    monkeypatch.setattr(rollups.Table, "climb_to_teams", break_down)
    with pytest.raises(RuntimeError):
        rollups.roll_up()
    assert RollupMark.objects.count() == 1
    assert tally(tree.huong_tra).verified == 0
    monkeypatch.undo()
    rollups.roll_up()
    assert tally(tree.province).verified == 4
    assert differences(rolled_up) == []


def test_undoing_takes_the_day_away_again(rolled_up, homes, cast, tree):
    submission = record(homes.four, cast.officer).passes[0].submission
    rollups.roll_up()
    services.undo_submission(submission=submission, by=cast.officer)
    rollups.roll_up()
    assert tally(tree.province).verified == 0
    assert not DailyTally.objects.filter(day=DAY).exists()
    assert differences(rolled_up) == []


def test_a_removal_counts_once_it_is_approved(rolled_up, homes, cast, tree):
    form = homes.two.forms.first()
    record(homes.two, cast.officer, "deceased", only=[form.pk], event_on=date(2019, 1, 2), paper="archive")
    rollups.roll_up()
    assert (tally(tree.province).deceased, tally(tree.province).pending, tally(tree.province).verified) == (1, 1, 0)
    decide([form.pk], cast.supervisor)
    rollups.roll_up()
    assert (tally(tree.province).deceased, tally(tree.province).pending, tally(tree.province).verified) == (1, 0, 1)
    assert differences(rolled_up) == []


def test_decisions_and_what_they_make_of_the_forms_stay_true(rolled_up, homes, cast):
    """Approved, returned, recorded anew and undone; and the corrected form judged again: every figure is the recount."""
    form = homes.two.forms.first()
    CollectionForm.objects.filter(pk=form.pk).update(ethnicity="")
    rollups.sweep_faults()
    right = (CorrectionEntry("ethnicity", "Kinh", "household_book"),)
    record(homes.two, cast.officer, "corrected", only=[form.pk], corrections=right)
    decide([form.pk], cast.supervisor, "returned", "mờ")
    later = record(homes.two, cast.officer, "emigrated", only=[form.pk]).passes[0]
    services.undo_submission(submission=later.submission, by=cast.officer)
    assert proof.first_difference(rolled_up) is None
    record(homes.two, cast.officer, "corrected", only=[form.pk], corrections=right)
    decide([form.pk], cast.supervisor)
    form_values.judge_again([form.pk])
    assert proof.first_difference(rolled_up) is None
    assert rollups.sweep_faults().communes == frozenset()


def test_the_proof_sees_a_wrong_day_of_waiting(rolled_up, homes, cast):
    made = record(homes.two, cast.officer, "emigrated").passes[0]
    RoundForm.objects.filter(form=made.form).update(waits_since=clock.now() - timedelta(days=3))
    rollups.mark_everything(rolled_up)
    assert f"form {made.form_id}" in proof.first_difference(rolled_up)


def test_faults_are_counted_by_form(rolled_up, homes, cast, tree):
    corrections = (
        CorrectionEntry("birth_date", "12/3/1956", "archive"),
        CorrectionEntry("sex", "Nữ", "archive"),
    )
    record(homes.two, cast.officer, "corrected", corrections=corrections)
    rollups.roll_up()
    found = FaultMovement.objects.filter(unit=tree.country).values_list("fault", "forms")
    assert sorted(found) == [("L02", 2), ("L06", 2)]
    assert differences(rolled_up) == []


def test_which_outcomes_count_is_the_rounds_setting(rolled_up, homes, cast, tree):
    record(homes.two, cast.officer, "unverifiable", reason="không rõ", attempts=3)
    rollups.roll_up()
    assert tally(tree.province).verified == 2
    Round.objects.update(counting_outcomes=["matched"])
    rolled_up.refresh_from_db()
    rollups.mark_everything(rolled_up)
    rollups.roll_up()
    assert (tally(tree.province).verified, tally(tree.province).unverifiable) == (0, 2)
    assert differences(rolled_up) == []


def test_a_plan_adjustment_reaches_the_province(rolled_up, cast, tree):
    rounds.adjust_plan(plan=Plan.objects.get(commune=tree.phu_gia), forms=7, reason="bổ sung", by=cast.pc06)
    rollups.roll_up()
    assert (tally(tree.phu_gia).plan, tally(tree.province).plan, tally(cast.team).plan) == (9, 21, 18)
    assert differences(rolled_up) == []


def test_a_commune_that_changes_team_takes_its_figures_along(rolled_up, homes, cast, tree):
    record(homes.phu_gia, cast.member)
    rollups.roll_up()
    new_team = make_team(tree.huong_khe)
    rounds.assign_commune(commune=tree.phu_gia, team=new_team, by=cast.pc06)
    rollups.roll_up()
    assert (tally(cast.team).verified, tally(new_team).verified) == (0, 2)
    assert tally(tree.huong_khe).verified == 2
    assert differences(rolled_up) == []
    third_team = make_team(tree.huong_khe)
    rounds.assign_commune(commune=tree.phu_gia, team=third_team, by=cast.pc06)  # on the same day
    rollups.roll_up()
    assert not Tally.objects.filter(team=new_team).exclude(verified=0, plan=0).exists()
    assert tally(third_team).verified == 2
    assert differences(rolled_up) == []


def test_teams_add_up_to_the_territory(rolled_up, homes, cast, tree):
    record(homes.four, cast.officer)
    record(homes.hung_tri, cast.stranger)
    rollups.roll_up()
    for column in [*PLANNED, *FORM_COUNTS, "in_scope", *COUNTS]:
        of_teams = Tally.objects.filter(team__isnull=False).aggregate(sum=Sum(column))["sum"]
        assert of_teams == getattr(tally(tree.province), column), column


def test_a_roll_up_after_one_save_touches_one_commune_and_its_ancestors(rolled_up, homes, cast, tree):
    before = dict(Tally.objects.values_list("pk", "rolled_up_at"))
    record(homes.four, cast.officer)
    with CaptureQueriesContext(connection) as queries:
        rollups.roll_up()
    touched = {str(t.unit or t.team) for t in Tally.objects.all() if t.rolled_up_at != before.get(t.pk)}
    assert touched == {
        str(o) for o in (tree.dong, tree.tay, tree.huong_tra, tree.huong_khe, tree.province, tree.country, cast.team)
    }
    # lock, marks, round, hamlets; 5 tables of the commune; 3 levels of 4 tables and the ids of each; teams
    assert len(queries) <= 40


@pytest.mark.parametrize("column", ["verified", "matched", "plan", "collected", "population"])
def test_the_proof_finds_a_figure_that_was_tampered_with(rolled_up, homes, cast, tree, column):
    record(homes.four, cast.officer)
    rollups.roll_up()
    Tally.objects.filter(unit=tree.huong_khe).update(**{column: 3})
    found = differences(rolled_up)
    assert len(found) == 1
    assert found[0].startswith(f"Huyện Hương Khê  tally.{column}: stored 3")


def test_the_proof_finds_a_day_a_fault_and_a_result_that_are_wrong(rolled_up, homes, cast, tree):
    record(homes.four, cast.officer)
    rollups.roll_up()
    DailyTally.objects.filter(unit=tree.province).update(matched=9)
    assert differences(rolled_up) == ["Tỉnh Hà Tĩnh 2020-06-19 days.matched: stored 9, recount 4"]
    DailyTally.objects.filter(unit=tree.province).update(matched=4)
    FaultMovement.objects.create(round=rolled_up, unit=tree.province, day=DAY, fault="L02", forms=1)
    assert len(differences(rolled_up)) == 1
    FaultMovement.objects.all().delete()
    RoundForm.objects.filter(household=homes.four).update(outcome="moved_away")
    assert "standing pass" in differences(rolled_up)[0]


def test_the_proof_says_when_marks_wait(rolled_up, homes, cast):
    record(homes.four, cast.officer)
    with pytest.raises(proof.MarksWait, match="1 marks wait"):
        differences(rolled_up)
    assert proof.first_difference(rolled_up) is None


def test_the_proof_does_not_take_an_approval_on_trust(rolled_up, homes, cast, tree):
    form = homes.two.forms.first()
    record(homes.two, cast.officer, "deceased", only=[form.pk], event_on=date(2019, 1, 2), paper="archive")
    rollups.roll_up()
    RoundForm.objects.filter(form=form).update(approval="approved", waits_since=None)
    rollups.mark_everything(rolled_up)
    assert f"form {form.pk}" in proof.first_difference(rolled_up)


@pytest.mark.parametrize("outcome", Outcome.values)
@pytest.mark.parametrize("approval", ["", *Approval.values])
def test_the_rule_and_the_sql_agree_on_what_counts(rolled_up, homes, cast, tree, outcome, approval):
    made = record(homes.two, cast.officer).passes[0]
    waits = made.recorded_at if approval in ("pending", "returned") else None
    RoundForm.objects.filter(form=made.form).update(outcome=outcome, approval=approval, waits_since=waits)
    rollups.roll_up()
    counted = tally(tree.dong).verified - 1  # the other person of the household matched
    assert counted == is_verified(outcome, approval, rolled_up.counting_outcomes)


def test_supplementary_forms_do_not_move_the_plan(rolled_up, tree):
    make_household(tree.dong, people=2)
    rollups.mark_everything(rolled_up)
    rollups.roll_up()
    assert (tally(tree.huong_tra).plan, tally(tree.huong_tra).collected) == (9, 11)
    assert CollectionForm.objects.filter(commune=tree.huong_tra).count() == 11


def test_the_stamp_is_the_moment_of_the_run(rolled_up, tree):
    assert timezone.localdate(tally(tree.province).rolled_up_at) == clock.today()
