"""Moving teams between districts: what would come of it is shown without writing anything; the decision opens the
communes to them for its days."""

from datetime import date, timedelta
from types import SimpleNamespace

import pytest
from django.urls import reverse

from households.models import Reinforcement
from households.permissions import scope_of
from households.tests.factories import make_household
from reports import rollups, what_if
from reports.live import Live
from verification import rounds
from verification.models import VerificationPass
from verification.rules import Conflict, NotAllowed
from verification.tests.factories import open_round, record

DAY = date(2020, 6, 19)
ADDRESS = "/teams/what-if/"


@pytest.fixture
def busy(tree, cast, settings):
    """Two districts with much left; the team of Hương Khê makes five forms a day by itself, so does each officer."""
    homes = {hamlet: [make_household(hamlet, people=5) for _ in range(30)] for hamlet in (tree.dong, tree.hung_tri_1)}
    settings.CENSUS_VERIFY_TODAY = DAY - timedelta(days=30)
    round = open_round(tree.province, cast.pc06)
    for ago in range(14, 0, -1):
        settings.CENSUS_VERIFY_TODAY = DAY - timedelta(days=ago)
        record(homes[tree.dong].pop(), cast.member)
        record(homes[tree.hung_tri_1].pop(), cast.stranger)
    settings.CENSUS_VERIFY_TODAY = DAY
    rollups.roll_up()
    return SimpleNamespace(round=round, homes=homes)


def asked(team, district, days=5) -> dict:
    return {"team": team.pk, "to": district.pk, "days": days}


def test_a_teams_own_pace(busy, tree, cast):
    pace = what_if.own_pace(busy.round, [tree.huong_khe, tree.ky_anh], DAY)
    assert pace == {cast.team.pk: 5.0}


def test_both_districts_and_in_which_direction(busy, client, tree, cast):
    client.force_login(cast.pc06)
    effects = {e.row.owner: e for e in client.get(ADDRESS, asked(cast.team, tree.ky_anh, 10)).context["effects"]}
    assert {unit: effect.forms for unit, effect in effects.items()} == {tree.huong_khe: -50, tree.ky_anh: 50}
    gains, gives = effects[tree.ky_anh], effects[tree.huong_khe]
    assert gains.then.latest < gains.now.latest
    assert gives.then.earliest > gives.now.earliest
    assert not Reinforcement.objects.exists(), "looking writes nothing"


def test_without_a_move_nothing_changes(busy, tree, cast):
    rows = Live(busy.round).children_of(tree.province)
    still = [what_if.Move(cast.team, tree.ky_anh, 0)]
    for effect in what_if.effects(rows, still, {cast.team.pk: 5.0}, DAY):
        assert effect.then == effect.now


def test_the_decision_opens_the_communes_for_its_days(busy, client, tree, cast, settings):
    client.force_login(cast.pc06)
    for _ in range(2):  # pressing twice is one decision
        assert client.post(ADDRESS, asked(cast.team, tree.ky_anh, 2)).status_code == 302
    decided = Reinforcement.objects.get()
    assert (decided.starts_on, decided.ends_on) == (DAY + timedelta(days=1), DAY + timedelta(days=2))
    assert decided.decided_by == cast.pc06
    records = {}
    for ahead in range(4):
        settings.CENSUS_VERIFY_TODAY = DAY + timedelta(days=ahead)
        records[ahead] = scope_of(cast.member).records_in(tree.hung_tri.pk)
    assert records == {0: False, 1: True, 2: True, 3: False}
    settings.CENSUS_VERIFY_TODAY = DAY + timedelta(days=1)
    assert scope_of(cast.member).records_in(tree.huong_tra.pk), "her own communes stay hers"
    record(busy.homes[tree.hung_tri_1].pop(), cast.member)
    assert VerificationPass.objects.order_by("-pk")[0].team == cast.team


def test_cancelled_it_ends_at_once(busy, client, tree, cast, settings):
    (decided,) = rounds.reinforce(moves=[(cast.team, tree.ky_anh, 5)], by=cast.pc06)
    settings.CENSUS_VERIFY_TODAY = DAY + timedelta(days=1)
    client.force_login(cast.pc06)
    for _ in range(2):
        assert client.post(reverse("reports:reinforcement_cancel", args=[decided.pk])).status_code == 302
    assert not scope_of(cast.member).records_in(tree.hung_tri.pk)
    decided.refresh_from_db()
    assert decided.cancelled_by == cast.pc06


def test_a_team_is_in_one_place(busy, client, tree, cast):
    rounds.reinforce(moves=[(cast.team, tree.ky_anh, 5)], by=cast.pc06)
    client.force_login(cast.pc06)
    answer = client.post(ADDRESS, asked(cast.team, tree.ky_anh, 3))
    assert answer.status_code == 409
    assert "đã tăng cường" in answer.content.decode()
    with pytest.raises(Conflict):
        rounds.reinforce(moves=[(cast.other_team, tree.huong_khe, 5), (cast.team, tree.ky_anh, 9)], by=cast.pc06)
    assert Reinforcement.objects.count() == 1, "all or none"


@pytest.mark.parametrize("days", ["0", "61", "x", "", "-1", "9" * 30])
def test_days_that_are_none(busy, client, tree, cast, days):
    client.force_login(cast.pc06)
    for send in (client.get, client.post):
        answer = send(ADDRESS, asked(cast.team, tree.ky_anh, days))
        assert answer.status_code == 400
        assert 'role="alert"' in answer.content.decode()
    assert not Reinforcement.objects.exists()


def test_its_own_district_or_a_strange_one(busy, client, tree, cast):
    client.force_login(cast.pc06)
    for district in (tree.huong_khe, tree.huong_tra, tree.country):
        assert client.post(ADDRESS, asked(cast.team, district)).status_code == 400
    assert not Reinforcement.objects.exists()


def test_for_whom_it_is(busy, client, tree, cast):
    for stranger in (cast.officer, cast.supervisor, cast.member):
        client.force_login(stranger)
        assert client.get(ADDRESS).status_code == 404
    client.force_login(cast.leader)
    assert client.get(ADDRESS, asked(cast.team, tree.ky_anh)).status_code == 200
    assert client.post(ADDRESS, asked(cast.team, tree.ky_anh)).status_code == 403
    with pytest.raises(NotAllowed):
        rounds.reinforce(moves=[(cast.team, tree.ky_anh, 5)], by=cast.supervisor)
    assert not Reinforcement.objects.exists()
