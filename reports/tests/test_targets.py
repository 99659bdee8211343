"""Whether the targets hold: of the whole, of each commune, between the communes; and which units break them."""

from datetime import date, timedelta

import pytest
from django.urls import reverse

from households.tests.factories import make_household
from reports import rollups, targets
from reports.live import Live
from reports.targets import Standing
from verification.models import Target
from verification.tests.factories import open_round, record

DAY, END = date(2020, 6, 19), date(2020, 6, 30)


@pytest.fixture
def states(round, homes, cast, tree):
    def of(**target):
        Target.objects.all().delete()
        Target.objects.create(**{"round": round, "due_on": END} | target)
        source = Live(type(round).objects.get(pk=round.pk))
        (state,) = targets.states_of(source.of_unit(tree.province), lambda: source.communes_under(tree.province))
        return state

    record(homes.four, cast.officer)
    rollups.roll_up()
    return of


def test_the_whole(states):
    met, missing = states(percent=25), states(percent=100)
    assert (met.standing, met.missing, met.per_day) == (Standing.MET, 0, 0)
    assert (missing.missing, missing.per_day) == (10, 1)
    assert missing.standing in (Standing.OPEN, Standing.UNLIKELY)
    over = states(percent=100, due_on=DAY)
    assert (over.standing, over.per_day) == (Standing.MISSED, None)


def test_every_commune_and_who_is_under_the_floor(states):
    state = states(kind="floor", percent=40)
    assert [row.owner.name for row in state.breakers] == ["Phú Gia", "Hưng Trí"]
    assert state.missing == 1 + 2, "40 percent of two forms and of three"
    assert state.value == 0
    assert states(kind="floor", percent=40, due_on=DAY).standing == Standing.MISSED


def test_the_spread_between_communes(states):
    state = states(kind="spread", percent=50)
    assert state.standing == Standing.MET
    assert round_to_places(state.value) == 44.44
    assert states(kind="spread", percent=20).standing == Standing.OPEN
    assert [row.owner.name for row in states(kind="spread", percent=20).breakers] == ["Phú Gia", "Hưng Trí"]


def round_to_places(value) -> float:
    return float(f"{value:.2f}")


def test_hardly_to_be_reached_only_when_the_better_end_misses(cast, tree, settings):
    """Two forms a day where two hundred are needed, then two hundred where ten are needed."""
    home = [make_household(tree.dong, people=5) for _ in range(40)]
    settings.CENSUS_VERIFY_TODAY = DAY - timedelta(days=30)
    round = open_round(tree.province, cast.pc06)
    for number in range(14):
        settings.CENSUS_VERIFY_TODAY = DAY - timedelta(days=14 - number)
        first = home[number].forms.order_by("line").first()
        record(home[number], cast.officer, only=[first.pk])
    settings.CENSUS_VERIFY_TODAY = DAY
    rollups.roll_up()
    Target.objects.create(round=round, percent=100, due_on=END)
    Target.objects.create(round=round, percent=8, due_on=END)
    source = Live(round)
    standing = {s.target.percent: s.standing for s in targets.states_of(source.of_unit(tree.province), list)}
    assert standing == {100: Standing.UNLIKELY, 8: Standing.OPEN}


def test_the_page_names_the_communes(states, client, cast, tree):
    states(kind="floor", percent=40)
    client.force_login(cast.pc06)
    page = client.get("/").content.decode()
    assert "Mỗi xã 40% đến 30/6/2020" in page
    assert reverse("reports:unit_detail", args=[tree.phu_gia.pk]) in page
