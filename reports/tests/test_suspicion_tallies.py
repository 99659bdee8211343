"""Suspected faults per unit: counted with the other figures, shown on the unit's page, each figure its list."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from households.models import CollectionForm, SuspectedFault
from households.tests.factories import make_form, make_team
from reports import proof, rollups, tasks
from reports.models import SuspicionTally
from verification import rounds, services
from verification.models import RollupMark
from verification.tests.factories import record


def counted(owner, kind: str = "unit") -> dict[str, tuple[int, int]]:
    return {t.fault: (t.forms, t.open) for t in SuspicionTally.objects.filter(**{kind: owner})}


def differences(round) -> list[str]:
    return list(proof.differences(round))


@pytest.fixture
def suspected(homes, request):
    """L20 of two forms of a household and of one refused form beside them; L04 and L05 of one of the two."""
    two = list(homes.two.forms.order_by("line"))
    CollectionForm.objects.filter(household=homes.two).update(ethnicity="", nationality="")
    CollectionForm.objects.filter(pk=two[0].pk).update(origin_place="", birth_registration_place="")
    round = request.getfixturevalue("round")
    refused = make_form(homes.two, line=3, ethnicity="", qualification="refused", refusal_reason="unreadable")
    rollups.sweep_faults()
    rollups.roll_up()
    assert SuspectedFault.objects.filter(form=refused).exists()
    return round


def test_counted_by_form_and_climbing_to_the_country_and_the_team(suspected, tree, cast):
    for owner in (tree.huong_tra, tree.huong_khe, tree.province, tree.country):
        found = counted(owner)
        # two items of one form are one form; the refused form is suspected, and nobody's to verify
        assert (found["L20"], found["L04"], found["L05"]) == ((3, 2), (1, 1), (1, 1)), owner
    assert counted(cast.team, "team")["L20"] == (3, 2)
    assert "L20" not in counted(tree.phu_gia)
    assert "L20" not in counted(cast.other_team, "team")
    assert differences(suspected) == []


def test_a_result_answers_the_suspicion_and_an_undo_opens_it_again(suspected, homes, cast, tree):
    made = record(homes.two, cast.officer)
    rollups.roll_up()
    assert counted(tree.province)["L20"] == (3, 0)
    assert differences(suspected) == []
    services.undo_submission(submission=made.passes[0].submission, by=cast.officer)
    rollups.roll_up()
    assert counted(tree.province)["L20"] == (3, 2)
    assert differences(suspected) == []


def test_a_result_that_does_not_count_answers_nothing(suspected, homes, cast, tree):
    from datetime import date

    record(homes.two, cast.officer, "not_met", reason="vắng", next_visit_on=date(2020, 6, 25))
    rollups.roll_up()
    assert counted(tree.province)["L20"] == (3, 2)
    assert differences(suspected) == []


def test_what_is_suspected_no_more_is_counted_no_more(suspected, homes, tree):
    CollectionForm.objects.update(ethnicity="Kinh", nationality="Việt Nam")
    swept = rollups.sweep_faults()
    assert swept.removed
    assert RollupMark.objects.filter(commune=tree.huong_tra).count() == 1
    rollups.roll_up()
    assert "L20" not in counted(tree.province)
    assert differences(suspected) == []


def test_a_second_sweep_leaves_no_mark(suspected):
    assert rollups.sweep_faults().communes == frozenset()
    assert not RollupMark.objects.exists()
    assert tasks.sweep_faults() == 0


def test_a_round_counts_its_own_area_only(suspected, tree, cast, homes):
    from verification.tests.factories import open_round

    services.close_round(round=suspected, by=cast.pc06) if hasattr(services, "close_round") else None
    elsewhere = open_round(tree.ky_anh, cast.pc06)
    CollectionForm.objects.filter(household=homes.four).update(religion="")
    rollups.sweep_faults()
    rollups.roll_up()
    assert not SuspicionTally.objects.filter(round=elsewhere, unit=tree.huong_tra).exists()
    assert differences(elsewhere) == []


def test_a_commune_that_changes_team_takes_them_along(suspected, tree, cast):
    new_team = make_team(tree.huong_khe)
    rounds.assign_commune(commune=tree.huong_tra, team=new_team, by=cast.pc06)
    rollups.roll_up()
    assert "L20" not in counted(cast.team, "team")
    assert counted(new_team, "team")["L20"] == (3, 2)
    assert differences(suspected) == []


@pytest.mark.parametrize("column", ["forms", "open"])
def test_the_proof_finds_a_figure_that_was_tampered_with(suspected, tree, column):
    SuspicionTally.objects.filter(unit=tree.huong_khe, fault="L20").update(**{column: 9})
    (found,) = differences(suspected)
    assert found.startswith(f"Huyện Hương Khê L20 suspicions.{column}: stored 9")


class TestOnThePage:
    def test_each_figure_is_a_link_to_its_forms(self, suspected, client, cast, tree):
        client.force_login(cast.officer)
        body = client.get(reverse("reports:unit_figures", args=[tree.huong_tra.pk])).content.decode()
        assert "Lỗi theo loại" in body
        address = reverse("verification:form_list", args=[tree.huong_tra.pk])
        for state, forms in (("all", 3), ("open", 2)):
            assert f'href="{address}?state={state}&amp;fault=L20">{forms}</a>' in body
            assert len(client.get(address, {"state": state, "fault": "L20"}).context["forms"]) == forms

    def test_a_leader_has_the_figures_and_no_link(self, suspected, client, cast, tree):
        client.force_login(cast.leader)
        body = client.get(reverse("reports:unit_figures", args=[tree.huong_tra.pk])).content.decode()
        assert "Lỗi theo loại" in body
        assert "fault=L20" not in body

    def test_nothing_suspected_no_table(self, round, client, cast):
        rollups.roll_up()
        client.force_login(cast.pc06)
        assert "Lỗi theo loại" not in client.get("/").content.decode()


class TestCommand:
    def said(self, *args) -> str:
        out = StringIO()
        call_command("sweep_faults", *args, stdout=out)
        return out.getvalue()

    def test_twice(self, homes):
        CollectionForm.objects.filter(household=homes.two).update(ethnicity="")
        assert "14 forms read" in self.said()
        assert "0 suspicions stored, 0 removed" in self.said()

    def test_of_one_district(self, homes, tree):
        assert "3 forms read" in self.said("--unit", tree.ky_anh.code)

    def test_an_unknown_unit_is_said(self, homes):
        with pytest.raises(CommandError, match="no unit of today with the code 99999"):
            self.said("--unit", "99999")
        assert not SuspectedFault.objects.exists()
