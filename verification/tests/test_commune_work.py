"""A commune's day as it is read live: figures equal to the lists behind them, the pace, what came back."""

from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from census_verify import clock
from households.tests.factories import make_hamlet, make_household
from verification import commune_work, records, rounds, waiting, work
from verification.models import PlanAdjustment, RoundForm
from verification.terms import Approval, Outcome
from verification.tests.factories import decide, record

TODAY = date(2020, 6, 19)
FIELDS = {
    "deceased": {"event_on": date(2020, 6, 1), "paper": "civil_status_extract"},
    "moved_away": {"event_on": date(2020, 6, 1), "destination": "Vinh"},
    "emigrated": {"paper": "other"},
    "unverifiable": {"reason": "vắng", "attempts": 2},
}


def day_of(round, unit, today=TODAY) -> commune_work.CommuneWork:
    return commune_work.of_communes(round, [unit.pk], today=today)[unit.pk]


def rows_behind(unit, round, state) -> int:
    return records.forms_in(unit, round, state).count()


STANDINGS = {
    "untouched": records.State.UNTOUCHED,
    "not_met": records.State.NOT_MET,
    "due": records.State.DUE,
    "later": records.State.LATER,
    "returned": records.State.RETURNED,
    "pending": records.State.PENDING,
    "verified": records.State.VERIFIED,
}
# what may stand with a form, written straight into the row: (outcome, approval, days from today of the next visit)
RESULTS = st.sampled_from(
    [
        ("", "", None),
        *((outcome, "", None) for outcome in ("matched", "moved_away", "unverifiable")),
        *((outcome, approval, None) for outcome in ("corrected", "deceased") for approval in Approval.values),
        *(("not_met", "", days) for days in (-2, 0, 1, 9)),
    ]
)


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    results=st.lists(RESULTS, min_size=9, max_size=9),
    counting=st.sampled_from([None, ["matched"], [o.value for o in Outcome]]),
)
def test_every_figure_is_that_of_the_list_behind_it(round, homes, tree, cast, results, counting):
    counted_before = list(round.counting_outcomes)
    round.counting_outcomes = counting or counted_before
    rows = list(RoundForm.objects.filter(commune=tree.huong_tra).order_by("pk"))
    RoundForm.objects.update(outcome="", approval="", counted_on=None, next_visit_on=None, standing_pass=None,
                             waits_since=None)  # fmt: skip
    for row, (outcome, approval, days) in zip(rows, results, strict=True):
        if outcome:
            fields = FIELDS.get(outcome, {})
            if days is not None:
                fields = {"reason": "vắng", "next_visit_on": TODAY + timedelta(days=max(days, 0))}
            standing = _pass_of(row, cast.officer, outcome, fields)
            RoundForm.objects.filter(pk=row.pk).update(
                outcome=outcome, approval=approval, counted_on=TODAY, standing_pass=standing,
                next_visit_on=None if days is None else TODAY + timedelta(days=days),
                waits_since=clock.now() if approval in ("pending", "returned") else None,
            )  # fmt: skip
    day = day_of(round, tree.huong_tra)
    shown = [(tree.huong_tra, day.standing), *((hamlet.unit, hamlet.standing) for hamlet in day.hamlets)]
    for unit, standing in shown:
        for figure, state in STANDINGS.items():
            assert getattr(standing, figure) == rows_behind(unit, round, state), (unit, figure)
        of_unit = RoundForm.objects.filter(hamlet__path__startswith=unit.path)
        assert standing.open_forms == of_unit.open(round).count()
        assert standing.turn == of_unit.due(round, TODAY).count()
        assert standing.open_households == of_unit.open(round).values("household").distinct().count()
        assert standing.in_round == of_unit.count()
    pace = work.pace(round, tree.huong_tra.pk, today=TODAY)
    assert (day.standing.done_today, day.needed_today) == (pace.done_today, pace.needed_today)
    round.counting_outcomes = counted_before


def _pass_of(row, officer, outcome, fields):
    from uuid import uuid4

    from verification.models import VerificationPass

    VerificationPass.objects.filter(form=row.form_id).update(is_standing=False)
    return VerificationPass.objects.create(
        round_id=row.round_id, form_id=row.form_id, province_id=row.province_id, commune_id=row.commune_id,
        officer=officer, submission=uuid4(), outcome=outcome, by_books=True, in_person=True, verified_on=TODAY,
        recorded_at=clock.now(), **fields,
    )  # fmt: skip


def test_an_adjusted_plan_is_the_plan(round, tree, cast):
    plan = round.plans.get(commune=tree.huong_tra)
    rounds.adjust_plan(plan=plan, forms=3, reason="bổ sung", by=cast.pc06)
    assert PlanAdjustment.objects.count() == 1
    assert day_of(round, tree.huong_tra).plan == 12


def test_hamlets_by_what_is_left(round, homes, tree, cast):
    record(homes.four, cast.officer)
    record(homes.two, cast.officer, "not_met", reason="vắng", next_visit_on=date(2020, 6, 25))
    empty = make_hamlet(tree.huong_tra, "Trống")
    day = day_of(round, tree.huong_tra)
    assert [(h.unit.name, h.standing.open_forms) for h in day.by_what_is_left] == [
        ("Tây", 3), ("Đông", 2), ("Trống", 0),
    ]  # fmt: skip
    assert (day.standing.turn, day.standing.later) == (3, 2)
    empty.valid_to = TODAY
    empty.save()
    assert "Trống" not in [h.unit.name for h in day_of(round, tree.huong_tra).hamlets]


def test_several_communes_in_one_question(round, homes, tree, django_assert_num_queries):
    day_of(round, tree.huong_tra)
    with django_assert_num_queries(1):
        days = commune_work.of_communes(round, [tree.huong_tra.pk, tree.phu_gia.pk, tree.hung_tri.pk], today=TODAY)
    assert [day.standing.untouched for day in days.values()] == [9, 2, 3]
    assert commune_work.of_communes(round, [], today=TODAY) == {}


class TestReturned:
    @pytest.fixture
    def came_back(self, round, homes, cast):
        member = cast.member
        for home, by in ((homes.three, member), (homes.two, cast.officer)):
            record(home, by, "emigrated", paper="other")
        forms = list(RoundForm.objects.filter(approval="pending").values_list("form_id", flat=True))
        decide(forms, cast.supervisor, Approval.RETURNED, "thiếu")

    def test_ones_own_come_first(self, came_back, round, tree, cast, settings):
        settings.CENSUS_VERIFY_TODAY = date(2020, 6, 28)
        returned = waiting.returned_in(round, [tree.huong_tra.pk], cast.officer)
        own = [back.row.standing_pass.officer == cast.officer for back in returned]
        assert own == [True, True, False, False, False]
        assert {(back.event.reason, back.days) for back in returned} == {("thiếu", 9)}

    def test_no_more_than_asked_for_and_of_no_other_commune(self, came_back, round, tree, cast):
        assert len(waiting.returned_in(round, [tree.huong_tra.pk], cast.officer, at_most=2)) == 2
        assert waiting.returned_in(round, [tree.phu_gia.pk], cast.officer) == []

    def test_what_is_recorded_anew_is_gone(self, came_back, round, homes, tree, cast):
        record(homes.two, cast.officer)
        assert len(waiting.returned_in(round, [tree.huong_tra.pk], cast.officer)) == 3


def test_ten_households_are_ten_in_their_hamlet(round, tree, cast):
    for _ in range(10):
        home = make_household(tree.tay, people=2)
        RoundForm.objects.bulk_create(
            RoundForm(round=round, form=f, household=home, hamlet=tree.tay, commune=tree.huong_tra, province=home.province)
            for f in home.forms.all()
        )  # fmt: skip
    tay = next(h for h in day_of(round, tree.huong_tra).hamlets if h.unit == tree.tay)
    assert tay.standing.open_households == 11
