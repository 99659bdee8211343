"""When a commune's course is an alert, and whom it reaches."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.alerts import rules
from reports.alerts.rules import Course, Kind, Level
from reports.forecast import public_holidays
from reports.progress import Day, recent_per_day
from verification.rules import needed_per_day

START, END = date(2020, 5, 4), date(2020, 6, 30)  # a Monday, a Tuesday
DAY = date(2020, 6, 18)  # a Thursday


def course(made: dict[date, int], *, base: int = 1000, day: date = DAY, **more) -> Course:
    left = more.pop("left", base - sum(made.values()))
    series = [Day(*each) for each in sorted(made.items())]
    return Course(**{"day": day, "starts_on": START, "ends_on": END, "base": base, "left": left, "days": series} | more)


def steady(forms: int, until: date = DAY, since: date = START) -> dict[date, int]:
    return {since + timedelta(days=n): forms for n in range((until - since).days + 1)}


@pytest.mark.parametrize(
    ("slow_days", "reach"),
    [(1, Level.COMMUNE), (2, Level.COMMUNE), (3, Level.DISTRICT), (4, Level.DISTRICT), (5, Level.PROVINCE)],
)
def test_behind_goes_further_up_with_the_days(slow_days, reach):
    # the seven days just make what is needed until the plan grows out of their reach
    day = START + timedelta(days=5 + slow_days)
    finding = rules.behind(course(steady(1, until=day), day=day))
    assert finding.reach == reach
    assert finding.since == day - timedelta(days=slow_days - 1) == START + timedelta(days=6)
    assert finding.facts["days"] == slow_days


def test_behind_since_the_pace_fell():
    made = steady(50, until=DAY - timedelta(days=10)) | steady(1, since=DAY - timedelta(days=9))
    base = sum(made.values()) + 200
    finding = rules.behind(course(made, base=base))
    assert finding.since == DAY - timedelta(days=4), "before that, the week's fast days still carried it"
    assert finding.facts["recent"] < finding.facts["needed"]
    assert rules.behind(course(steady(50), base=sum(steady(50).values()) + 200)) is None


def test_no_alarm_in_the_first_week_nor_for_the_finished_nor_without_a_plan():
    assert rules.behind(course({}, day=START + timedelta(days=5))) is None
    assert rules.behind(course({}, day=START + timedelta(days=6))) is not None
    assert rules.behind(course({DAY: 1000})) is None
    assert rules.behind(course({}, base=0, left=0)) is None


def test_when_the_time_is_over_it_says_so():
    finding = rules.behind(course(steady(1, until=END), day=END))
    assert finding.facts["needed"] is None
    assert finding.reach == Level.PROVINCE


@given(
    made=st.dictionaries(st.integers(0, 50).map(lambda n: START + timedelta(days=n)), st.integers(0, 80), max_size=50),
    base=st.integers(1, 2500),
    ahead=st.integers(0, 60),
)
def test_behind_is_what_the_table_of_units_says_day_by_day(made, base, ahead):
    day = START + timedelta(days=ahead)
    told = rules.behind(course(made, base=base, day=day))

    def slow(on: date) -> bool:
        past = [Day(*each) for each in made.items() if each[0] <= on]
        needed = needed_per_day(base - sum(d.verified for d in past), first_day=on + timedelta(days=1), due_on=END)
        return needed is None or recent_per_day(past, on) < needed

    run = 0
    while (on := day - timedelta(days=run)) >= START + timedelta(days=6) and slow(on):
        run += 1
    if base - sum(made.values()) <= 0 or not run:
        assert told is None
    else:
        assert told.since == day - timedelta(days=run - 1)


def test_idle_counts_working_days_only():
    friday = date(2020, 6, 12)
    assert rules.idle(course({friday: 5}, day=date(2020, 6, 16))) is None, "a weekend, Monday, Tuesday"
    finding = rules.idle(course({friday: 5}, day=date(2020, 6, 17)))
    assert (finding.since, finding.reach) == (date(2020, 6, 15), Level.DISTRICT)
    assert rules.idle(course({friday: 5}, day=date(2020, 6, 19))).reach == Level.PROVINCE


def test_a_holiday_is_no_day_without_work():
    before = date(2020, 4, 29)
    assert date(2020, 4, 30) in public_holidays(2020)
    assert date(2020, 5, 1) in public_holidays(2020)
    early = {"starts_on": date(2020, 4, 1)}
    assert rules.idle(course({before: 5}, day=date(2020, 5, 5), **early)) is None
    assert rules.idle(course({before: 5}, day=date(2020, 5, 6), **early)).since == date(2020, 5, 4)


def test_idle_that_never_began_and_idle_that_is_done():
    finding = rules.idle(course({}, day=date(2020, 5, 6)))
    assert (finding.since, finding.facts["last"]) == (START, None)
    assert rules.idle(course({}, left=0)) is None


def test_today_does_not_count_before_it_is_over():
    assert rules.idle(course({DAY + timedelta(days=1): 5}, day=DAY)) is not None


@pytest.mark.parametrize(
    ("days", "reach"), [(3, None), (4, Level.COMMUNE), (6, Level.COMMUNE), (7, Level.DISTRICT), (30, Level.DISTRICT)]
)
def test_returned_results_that_wait(days, reach):
    since = DAY - timedelta(days=days)
    finding = rules.returned(course({}, returned=2, returned_since=since))
    assert (finding.reach if finding else None) == reach
    if finding:
        assert finding.facts == {"forms": 2, "days": days}
    assert rules.returned(course({})) is None


class TestJump:
    def usual(self, **jump) -> dict[date, int]:
        return steady(30, until=DAY - timedelta(days=1)) | {DAY: jump.get("forms", 200)}

    def test_a_day_far_above_the_others(self):
        finding = rules.jump(course(self.usual(), base=9000))
        assert (finding.since, finding.reach) == (DAY, Level.PROVINCE)
        assert finding.facts == {"forms": 200, "usual": 30, "day": DAY.isoformat()}

    def test_neither_twice_as_many_nor_a_handful_nor_a_late_start(self):
        assert rules.jump(course(self.usual(forms=80), base=9000)) is None
        assert rules.jump(course(steady(2, until=DAY - timedelta(days=1)) | {DAY: 40}, base=9000)) is None
        assert rules.jump(course({DAY - timedelta(days=2): 5, DAY: 400}, base=9000)) is None

    def test_nor_what_it_did_once_before(self):
        assert rules.jump(course(self.usual() | {DAY - timedelta(days=9): 190}, base=9000)) is None

    def test_it_is_told_for_some_days(self):
        for later in range(8):
            day = DAY + timedelta(days=later)
            after = {DAY + timedelta(days=n): 30 for n in range(1, later + 1)}
            finding = rules.jump(course(self.usual() | after, base=9000, day=day))
            assert (finding is not None) == (later < rules.JUMP_TOLD)


def test_at_most_one_of_each_kind():
    found = rules.findings_of(course({}, returned=1, returned_since=START))
    assert [finding.kind for finding in found] == [Kind.BEHIND, Kind.IDLE, Kind.RETURNED]
