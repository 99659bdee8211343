"""The forecast by itself: no database."""

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import histories
from benchmarks.forecast import DAYS_BEFORE, cases, read
from reports.forecast import STANDSTILL, Forecast, Outlook, forecast, public_holidays
from verification.rules import needed_per_day

START, END = date(2020, 1, 6), date(2020, 6, 30)
MONDAY = date(2020, 6, 15)
SUNDAY = 6


def told(series, *, today=MONDAY, left=1000, ends_on=END, day_is_over=False) -> Forecast:
    return forecast(series, today=today, left=left, starts_on=START, ends_on=ends_on, day_is_over=day_is_over)


def days(since: date, until: date, made=lambda day: 20) -> list[tuple[date, int]]:
    """Each day's results from `since` up to the day before `until`."""
    span = (since + timedelta(place) for place in range((until - since).days))
    return [(day, made(day)) for day in span if made(day)]


def but_sundays(day: date) -> int:
    return 0 if day.weekday() == SUNDAY or day in public_holidays(day.year) else 24


counts = st.lists(st.one_of(st.just(0), st.integers(0, 400)), min_size=1, max_size=200)


@st.composite
def askings(draw):
    """(series, today, left, ends_on): a unit asked about on its last known day."""
    made = draw(counts)
    series = [(START + timedelta(place), number) for place, number in enumerate(made) if number]
    today = START + timedelta(len(made) - draw(st.sampled_from([0, 1])))
    return series, today, draw(st.integers(1, 30_000)), today + timedelta(draw(st.integers(-20, 150)))


class TestProperties:
    @given(askings())
    def test_the_ends_are_in_order_and_not_before_today(self, asking):
        series, today, left, ends_on = asking
        found = told(series, today=today, left=left, ends_on=ends_on)
        ends = [end or date.max for end in (found.earliest, found.middle, found.latest)]
        assert ends == sorted(ends)
        assert ends[0] >= today

    @given(askings(), st.booleans())
    def test_late_only_when_even_the_better_end_misses(self, asking, day_is_over):
        series, today, left, ends_on = asking
        found = told(series, today=today, left=left, ends_on=ends_on, day_is_over=day_is_over)
        assert (found.outlook == Outlook.LATE) == ((found.earliest or today) > ends_on)
        assert (found.outlook == Outlook.ON_THE_WAY) == bool(found.latest and found.latest <= ends_on)

    @given(askings())
    def test_the_band_reaches_the_plan_on_the_days_of_the_range(self, asking):
        series, today, left, _ends_on = asking
        found = told(series, today=today, left=left)
        rows = found.band(today + timedelta(400))
        plan = found.verified + left
        for low_middle_high, end in zip(
            ("low", "middle", "high"), (found.latest, found.middle, found.earliest), strict=True
        ):
            reached = [row.day for row in rows if getattr(row, low_middle_high) >= plan]
            assert (reached[0] if reached else None) == end

    @given(askings())
    def test_the_band_never_falls_and_keeps_its_order(self, asking):
        series, today, left, _ends_on = asking
        found = told(series, today=today, left=left)
        rows = found.band(today + timedelta(120))
        for row in rows:
            assert found.verified - 1e-6 <= row.low <= row.middle <= row.high <= found.verified + left
        for before, after in pairwise(rows):
            assert all(later >= sooner - 1e-6 for sooner, later in zip(before[1:], after[1:], strict=True))

    @given(counts, st.integers(0, 3000), st.integers(0, 500), st.integers(1, 500))
    def test_more_done_today_never_makes_it_later(self, made, left, today_so_far, more):
        today = START + timedelta(len(made))
        series = [(START + timedelta(place), number) for place, number in enumerate([*made, today_so_far])]
        if not any(made):
            return
        before = told(series, today=today, left=left + more)
        after = told([*series[:-1], (today, today_so_far + more)], today=today, left=left)
        for sooner, later in zip(
            (after.earliest, after.middle, after.latest), (before.earliest, before.middle, before.latest), strict=True
        ):
            assert (sooner or date.max) <= (later or date.max) or after.outlook == Outlook.FINISHED

    @given(askings(), st.integers(1, 5000))
    def test_today_and_what_comes_after_are_not_mixed(self, asking, made):
        series, today, left, _ends_on = asking
        assert told([*series, (today + timedelta(3), made)], today=today, left=left) == told(
            series, today=today, left=left
        )

    @given(counts, st.integers(0, 500))
    def test_finished_gives_the_day_on_which_the_plan_was_reached(self, made, surplus):
        series = [(START + timedelta(place), number) for place, number in enumerate(made) if number]
        plan = sum(made) - surplus
        found = told(series, today=START + timedelta(300), left=-surplus)
        assert found.outlook == Outlook.FINISHED
        if plan <= 0:
            assert found.middle is None
        else:
            until = sum(number for day, number in series if day <= found.middle)
            assert until >= plan > until - dict(series)[found.middle]
            assert found.earliest == found.middle == found.latest

    @given(askings())
    def test_the_same_series_gives_the_same_forecast(self, asking):
        series, today, left, _ends_on = asking
        assert told(series, today=today, left=left) == told(list(series), today=today, left=left)


class TestWithoutAPace:
    def test_nothing_begun_has_no_date(self):
        found = told([])
        assert (found.outlook, found.earliest, found.middle, found.latest) == (Outlook.NOT_STARTED, None, None, None)
        assert (found.per_day, found.least_slack, found.most_slack, found.band(END)) == (0.0, None, None, [])

    def test_days_of_zeros_are_no_beginning(self):
        assert told([(START, 0), (MONDAY, 0)]).outlook == Outlook.NOT_STARTED

    def test_a_standstill_has_no_date(self):
        series = days(START, date(2020, 5, 20))
        still = told(series, today=date(2020, 5, 20) + timedelta(STANDSTILL))
        assert (still.outlook, still.middle) == (Outlook.NO_PACE, None)
        assert told(series, today=date(2020, 5, 20) + timedelta(STANDSTILL - 1)).middle

    def test_with_results_again_it_has_one(self):
        series = [*days(START, date(2020, 5, 20)), (MONDAY, 5)]
        assert told(series, left=100).middle

    def test_a_first_result_in_half_a_year_is_no_pace(self):
        assert told([(START - timedelta(90), 5), (MONDAY, 5)]).outlook == Outlook.NO_PACE

    def test_behind_the_deadline_it_is_late(self):
        assert told([], today=END + timedelta(1)).outlook == Outlook.LATE

    def test_more_than_a_year_is_no_date(self):
        found = told(days(START, MONDAY, lambda day: 1), left=10_000)
        assert (found.outlook, found.earliest, found.latest) == (Outlook.NO_PACE, None, None)

    def test_a_plan_of_nothing_was_never_reached(self):
        found = told([], left=0)
        assert (found.outlook, found.middle) == (Outlook.FINISHED, None)


class TestToday:
    SERIES = days(date(2020, 3, 2), MONDAY, but_sundays)

    def test_a_morning_without_entries_costs_nothing(self):
        noon = told([*self.SERIES, (MONDAY, 12)], left=288)
        assert told(self.SERIES, left=300).middle == noon.middle

    def test_a_day_that_is_over_without_results_counts(self):
        assert told(self.SERIES, left=300, day_is_over=True).middle > told(self.SERIES, left=300).middle

    def test_begun_this_very_day(self):
        found = told([(MONDAY, 30)], left=300)
        assert found.middle
        assert found.earliest < found.middle


class TestDaysOfRest:
    def test_a_sunday_just_passed_changes_nothing(self):
        """Asked on Saturday night and on Monday morning, with nothing made between."""
        series = days(date(2020, 3, 2), date(2020, 6, 14), but_sundays)
        saturday = told(series, today=date(2020, 6, 13), day_is_over=True)
        monday = told(series, today=MONDAY)
        assert saturday.middle == monday.middle
        assert monday.per_day == pytest.approx(24 * 6 / 7, rel=0.05)

    def test_nobody_is_foretold_to_finish_on_a_day_of_rest(self):
        series = days(date(2020, 3, 2), MONDAY, but_sundays)
        ends = {told(series, left=left).middle for left in range(30, 600, 12)}
        assert sum(end.weekday() == SUNDAY for end in ends) <= 1

    def test_the_week_of_tet_is_no_fall_of_pace(self):
        before, after = date(2020, 1, 23), date(2020, 1, 30)
        series = days(date(2019, 12, 2), before, but_sundays)
        rested = told(series, today=after, left=600)
        worked = told(
            days(date(2019, 12, 2), after, lambda day: 0 if day.weekday() == SUNDAY else 24), today=after, left=600
        )
        assert rested.per_day == pytest.approx(worked.per_day, rel=0.1)
        assert abs((rested.middle - worked.middle).days) <= 1

    def test_holidays_ahead_are_not_worked(self):
        series = days(date(2020, 2, 3), date(2020, 4, 27), but_sundays)
        april = told(series, today=date(2020, 4, 27), left=134)
        may = told(days(date(2020, 2, 3), date(2020, 5, 11), but_sundays), today=date(2020, 5, 11), left=134)
        assert (april.middle - date(2020, 4, 27)).days >= (may.middle - date(2020, 5, 11)).days + 2

    def test_the_days_off_of_2020(self):
        assert {date(2020, 1, 1), date(2020, 4, 2), date(2020, 4, 30), date(2020, 5, 1)} <= public_holidays(2020)
        assert {date(2020, 1, day) for day in range(23, 30)} <= public_holidays(2020)


class TestRange:
    def test_a_unit_begun_a_week_ago_has_a_wider_range_than_one_of_sixty_days(self):
        young = told(days(MONDAY - timedelta(7), MONDAY), left=600)
        old = told(days(MONDAY - timedelta(60), MONDAY), left=600)
        assert (young.latest - young.earliest) > 1.5 * (old.latest - old.earliest)

    def test_spells_of_work_and_rest_have_a_wider_range_than_steady_work(self):
        spells = told(days(date(2020, 3, 2), MONDAY, lambda day: 40 if day.toordinal() // 7 % 2 else 0), left=600)
        steady = told(days(date(2020, 3, 2), MONDAY), left=600)
        assert spells.latest is None or (spells.latest - spells.earliest) > 1.5 * (steady.latest - steady.earliest)

    def test_slack_is_told_from_both_ends(self):
        found = told(days(date(2020, 3, 2), MONDAY), left=200)
        assert found.outlook == Outlook.ON_THE_WAY
        assert found.least_slack == (END - found.latest).days >= 0
        assert found.most_slack == (END - found.earliest).days >= found.least_slack

    def test_tight_is_a_deadline_within_the_range(self):
        found = told(days(date(2020, 3, 2), MONDAY), left=600)
        assert told(days(date(2020, 3, 2), MONDAY), left=600, ends_on=found.middle).outlook == Outlook.TIGHT
        assert told(days(date(2020, 3, 2), MONDAY), left=600, ends_on=found.earliest).outlook == Outlook.TIGHT
        late = told(days(date(2020, 3, 2), MONDAY), left=600, ends_on=found.earliest - timedelta(1))
        assert late.outlook == Outlook.LATE
        assert late.most_slack == -1

    def test_needed_is_from_tomorrow(self):
        found = told(days(date(2020, 3, 2), date(2020, 6, 19)), today=date(2020, 6, 19), left=221_631)
        assert found.needed_per_day == needed_per_day(221_631, first_day=date(2020, 6, 20), due_on=END) == 20_148


@pytest.fixture(scope="module")
def groups():
    return {(shape, ahead): cases(shape, "test", 40, ahead) for shape in histories.ALL for ahead in DAYS_BEFORE}


class TestBacktest:
    """docs/forecast.md in small: courses of all kinds, asked 10, 20 and 30 days before an end that is known."""

    def test_the_range_holds_the_true_day_between_75_and_90_of_100(self, groups):
        assert 0.75 <= read(case for group in groups.values() for case in group).within <= 0.9

    def test_the_middle_beats_both_naive_methods(self, groups):
        overall = read(case for group in groups.values() for case in group)
        assert overall.ours < min(overall.all_days, overall.last_week)

    @pytest.mark.parametrize("ahead", DAYS_BEFORE)
    def test_it_holds_at_every_distance(self, groups, ahead):
        reading = read(
            case for (_shape, days_before), group in groups.items() if days_before == ahead for case in group
        )
        assert 0.75 <= reading.within <= 0.9
        assert reading.ours <= min(reading.all_days, reading.last_week)

    def test_no_kind_of_course_is_left_alone(self, groups):
        for shape in histories.ALL:
            assert (
                read(case for (kind, _ahead), group in groups.items() if kind == shape for case in group).within > 0.6
            )

    def test_the_courses_are_the_same_for_the_same_seed(self):
        for shape in histories.ALL:
            one = histories.draw(shape, "seed")
            assert one == histories.draw(shape, "seed") != histories.draw(shape, "another")
            assert min(one.counts[0], one.counts[-1]) > 0
