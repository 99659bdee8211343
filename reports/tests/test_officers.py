"""Officers by their results: added up they are the figures of the unit and of the team."""

import pytest
from django.urls import reverse

from reports import rollups
from reports.live import Live
from reports.models import OfficerTally
from reports.rollups import COUNTS
from verification.rules import CorrectionEntry
from verification.tests.factories import decide, record


@pytest.fixture
def worked(round, homes, cast):
    record(homes.four, cast.officer)
    record(homes.two, cast.member, "corrected", corrections=[CorrectionEntry("birth_date", "1/1/1956", "archive")])
    record(homes.phu_gia, cast.member)
    record(homes.hung_tri, cast.stranger)
    rollups.roll_up()
    return round


def page(client, name: str, pk: int, **asked):
    return client.get(reverse(f"reports:{name}", args=[pk]), asked)


def test_the_sums_are_the_units_and_the_teams(worked, client, cast, tree):
    client.force_login(cast.pc06)
    source = Live(worked)
    for name, owner, shown in (
        ("unit_officers", tree.province, source.of_unit(tree.province)),
        ("unit_officers", tree.huong_tra, source.of_unit(tree.huong_tra)),
        ("team_officers", cast.team, source.of_team(cast.team)),
    ):
        total = page(client, name, owner.pk).context["total"]
        for column in COUNTS:
            assert getattr(total, column) == getattr(shown.tally, column), (owner, column)


def test_what_each_found(worked, client, cast, tree):
    client.force_login(cast.pc06)
    answer = page(client, "unit_officers", tree.huong_khe.pk, sort="-found")
    rows = [(row.officer, row.results, row.found) for row in answer.context["rows"]]
    assert rows == [(cast.member, 4, 2), (cast.officer, 4, 0)]
    assert cast.officer.full_name in answer.content.decode()


def test_a_decision_of_the_district_is_counted_for_who_recorded(worked, homes, cast, tree):
    decide(homes.two.forms.values_list("pk", flat=True), cast.supervisor)
    rollups.roll_up()
    row = OfficerTally.objects.get(unit=tree.province, officer=cast.member)
    assert (row.pending, row.verified) == (0, 4)


def test_somebody_whose_result_was_superseded_has_it_no_longer(worked, homes, cast, tree):
    record(homes.four, cast.member)
    rollups.roll_up()
    assert not OfficerTally.objects.filter(officer=cast.officer).exists()


def test_for_whom_it_is(worked, client, cast, tree):
    client.force_login(cast.stranger)
    assert page(client, "unit_officers", tree.huong_tra.pk).status_code == 404
    assert page(client, "team_officers", cast.team.pk).status_code == 404
    client.force_login(cast.leader)
    assert page(client, "unit_officers", tree.huong_tra.pk).status_code == 200


def test_as_many_queries_for_one_officer_as_for_many(worked, client, cast, tree, django_assert_num_queries):
    client.force_login(cast.pc06)
    page(client, "unit_officers", tree.province.pk)
    for owner in (tree.ky_anh, tree.province):
        with django_assert_num_queries(9):
            page(client, "unit_officers", owner.pk)
