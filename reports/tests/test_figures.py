"""How figures read, and the chart's geometry."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from reports import burnup
from reports.models import rate
from reports.progress import two_places
from reports.templatetags import figures
from verification.rules import needed_per_day


def test_vietnamese_and_english_figures():
    with translation.override("vi"):
        assert figures.count(1257366) == "1.257.366"
        assert figures.percent(rate(1257366, 1478997)) == "85,01%"
        assert figures.day(date(2020, 6, 19)) == "19/6/2020"
    with translation.override("en"):
        assert figures.count(1257366) == "1,257,366"
        assert figures.percent(rate(1257366, 1478997)) == "85.01%"


def test_no_base_no_percentage():
    assert rate(0, 0) is None
    assert figures.percent(None) == figures.count(None) == "–"


def test_what_is_not_finished_never_reads_one_hundred():
    assert two_places(rate(1478996, 1478997)) == Decimal("99.99")
    assert two_places(rate(1478997, 1478997)) == 100


@given(base=st.integers(1, 2_000_000), part=st.integers(0, 2_000_000))
def test_a_printed_rate_is_within_half_a_hundredth(base, part):
    exact = rate(min(part, base), base)
    assert abs(two_places(exact) - exact) <= Decimal("0.01")
    assert (two_places(exact) == 100) == (part >= base)


def test_needed_per_day_is_that_of_the_article():
    assert needed_per_day(221631, first_day=date(2020, 6, 20), due_on=date(2020, 6, 30)) == 20148
    assert needed_per_day(2, first_day=date(2020, 6, 20), due_on=date(2020, 6, 30)) == 1
    assert needed_per_day(0, first_day=date(2020, 7, 1), due_on=date(2020, 6, 30)) == 0
    assert needed_per_day(5, first_day=date(2020, 7, 1), due_on=date(2020, 6, 30)) is None


@pytest.mark.parametrize("series", [[], [(date(2020, 1, 1), 5)], [(date(2020, 6, 30), 99)]])
def test_a_chart_of_little_data_stays_inside_its_frame(series):
    inside(draw(series))


@given(st.lists(st.tuples(st.integers(0, 170), st.integers(0, 30000)), max_size=40, unique_by=lambda t: t[0]))
def test_a_chart_stays_inside_its_frame_and_never_falls(days):
    chart = draw(sorted((date(2020, 1, 1) + timedelta(days=d), n) for d, n in days))
    heights = inside(chart)
    assert heights == sorted(heights, reverse=True)


def draw(series) -> burnup.Chart:
    return burnup.draw(
        series,
        plan=1000,
        starts_on=date(2020, 1, 1),
        ends_on=date(2020, 6, 30),
        today=date(2020, 6, 19),
        percents=[85, 100],
    )


def inside(chart: burnup.Chart) -> list[float]:
    points = [tuple(map(float, point.split(","))) for point in chart.line.split()]
    for x, y in points:
        assert 0 <= x <= chart.width
        assert 0 <= y <= chart.height
    assert [x for x, _ in points] == sorted(x for x, _ in points)
    return [y for _, y in points]
