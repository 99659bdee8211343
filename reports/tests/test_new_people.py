"""New people in the figures: apart from the plan, equal to the recount, each with the list behind it."""

import csv
import io
import re

import pytest
from django.db import transaction
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from households.models import CollectionForm
from reports import exports, progress, proof, rollups, services
from reports.live import Live
from reports.models import Tally
from verification import new_people, records
from verification.models import NewPerson
from verification.records import State
from verification.tests.factories import record
from verification.tests.test_new_people import add


@pytest.fixture
def two_found(round, homes, cast):
    """One in each hamlet of Hương Trà; and one in Phú Gia by the team."""
    record(homes.four, cast.officer)
    add(homes.four, cast.officer, full_name="Lê Thị Một")
    add(homes.three, cast.officer, full_name="Lê Thị Hai")
    add(homes.phu_gia, cast.member, full_name="Lê Thị Ba")
    rollups.roll_up()
    return round


def tally(round, unit) -> Tally:
    return Live(round).of_unit(unit).tally


def test_the_plan_and_its_rate_do_not_know_them(round, homes, cast, tree):
    record(homes.four, cast.officer)
    rollups.roll_up()
    units = [tree.dong, tree.huong_tra, tree.huong_khe, tree.province]
    before = [(t.plan, t.base, t.left, t.rate, t.in_scope, t.verified) for t in (tally(round, u) for u in units)]
    add(homes.four, cast.officer)
    rollups.roll_up()
    after = [(t.plan, t.base, t.left, t.rate, t.in_scope, t.verified) for t in (tally(round, u) for u in units)]
    assert after == before
    assert [tally(round, unit).new_people for unit in units] == [1, 1, 1, 1]
    assert tally(round, tree.dong).collected == homes.four.forms.count() + homes.two.forms.count()


def test_each_unit_and_team_has_its_own(two_found, cast, tree):
    expected = {tree.dong: 1, tree.tay: 1, tree.huong_tra: 2, tree.phu_gia: 1, tree.huong_khe: 3, tree.ky_anh: 0}
    assert {unit: tally(two_found, unit).new_people for unit in expected} == expected
    assert tally(two_found, tree.province).new_people == 3
    assert Live(two_found).of_team(cast.team).tally.new_people == 3
    rows = Live(two_found).children_of(tree.huong_khe)
    assert progress.total_of(rows, two_found).tally.new_people == 3
    assert list(proof.differences(two_found)) == []


def test_the_proof_sees_a_figure_that_is_wrong(two_found, tree):
    Tally.objects.filter(unit=tree.tay).update(new_people=0)
    assert [d for d in proof.differences(two_found) if "new_people" in d]


@pytest.mark.parametrize("state", [State.NEW_PEOPLE, State.LEFT, State.ALL])
def test_the_list_behind_the_figure_has_as_many_rows_on_screen_and_in_the_file(
    two_found, cast, tree, state, settings, tmp_path
):
    settings.EXPORT_DIR = tmp_path
    for unit in (tree.huong_tra, tree.dong, tree.tay):
        figures = tally(two_found, unit)
        expected = {State.NEW_PEOPLE: figures.new_people, State.LEFT: figures.left, State.ALL: figures.collected}[state]
        forms, _key = records.page_after(unit, two_found, state, "")
        assert len(forms) == expected == records.forms_in(unit, two_found, state).count()
        export = services.request_export(
            by=cast.officer, round=two_found, kind="forms", format="csv", unit=unit, state=state, reason="kiểm thử"
        )
        exports.make(export.pk)
        export.refresh_from_db()
        assert export.rows == expected
        assert exports.forms.expected_rows(export) == expected


def test_what_is_left_of_the_plan_is_never_a_new_person_however_late_it_was_collected(round, homes, cast, tree):
    """A plan frozen on the very day: the date alone does not tell them apart."""
    round.collected_until = "2020-06-30"
    round.save()
    round.refresh_from_db()
    person = add(homes.four, cast.officer, round=round, reason="moved_in").person
    left, _key = records.page_after(tree.huong_tra, round, State.LEFT, "")
    assert person.form_id not in {form.pk for form in left}


def test_pages_show_the_figure_and_open_its_list(two_found, cast, tree, client):
    client.force_login(cast.officer)
    page = client.get(reverse("reports:unit_figures", args=[tree.huong_tra.pk])).content.decode()
    link = f"{reverse('verification:form_list', args=[tree.huong_tra.pk])}?state=new_people"
    assert re.search(rf'phát sinh, ngoài kế hoạch: <a href="{re.escape(link)}">2</a>', page)
    listed = client.get(link).content.decode()
    assert "LÊ THỊ MỘT" in listed
    assert "LÊ THỊ HAI" in listed
    assert "nhân khẩu mới phát sinh, ngoài kế hoạch</span>" in listed
    assert "chưa phúc tra</span>" not in listed
    client.force_login(cast.pc06)
    page = client.get(reverse("reports:home")).content.decode()
    assert "phát sinh, ngoài kế hoạch: 3" in page
    api = client.get(reverse("api:unit_detail", args=[tree.huong_tra.pk])).json()
    assert api["figures"]["new_people"] == 2


def test_the_table_of_units_as_a_file_has_them(two_found, cast, tree, settings, tmp_path):
    settings.EXPORT_DIR = tmp_path
    export = services.request_export(by=cast.pc06, round=two_found, kind="units", format="csv", unit=tree.huong_khe)
    exports.make(export.pk)
    raw = exports.file_path(export).read_text("utf-8-sig")
    head, *lines = csv.reader(io.StringIO(raw))
    column = head.index("Nhân khẩu mới phát sinh, ngoài kế hoạch")
    assert [line[column] for line in lines] == ["2", "1", "3"]


def test_a_list_asks_the_same_however_many_there_are(two_found, homes, cast, tree, client, django_assert_num_queries):
    client.force_login(cast.officer)
    address = f"{reverse('verification:form_list', args=[tree.huong_tra.pk])}?state=new_people"
    client.get(address)
    with django_assert_num_queries(7) as few:
        client.get(address)
    for number in range(5):
        add(homes.two, cast.officer, full_name=f"Lê Thị {'ABCDE'[number]}")
    with django_assert_num_queries(len(few)):
        client.get(address)


steps = st.lists(
    st.tuples(
        st.sampled_from(["add", "add", "undo", "roll_up", "scan", "record"]), st.sampled_from(["four", "two", "three"])
    ),
    max_size=10,
)


@given(history=steps)
@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
def test_any_history(round, homes, cast, tree, history):
    before, standing = transaction.savepoint(), []
    for number, (what, name) in enumerate(history):
        home = getattr(homes, name)
        if what == "add":
            standing.append(add(home, cast.officer, full_name=f"Lê Thị {'ABCDEFGHIK'[number]}").person)
        elif what == "undo" and standing:
            new_people.undo_person(submission=standing.pop().submission, by=cast.officer)
        elif what == "scan" and standing:
            CollectionForm.objects.filter(pk=standing[-1].form_id).update(qualification="qualified")
            new_people._mark([standing[-1].commune_id])
        elif what == "record":
            record(home, cast.officer)
        else:
            rollups.roll_up()
    rollups.roll_up()
    assert list(proof.differences(round)) == []
    assert tally(round, tree.province).new_people == len(standing) == NewPerson.objects.standing().count()
    figures = tally(round, tree.province)
    assert figures.verified <= figures.in_scope <= figures.plan <= figures.collected - figures.new_people
    transaction.savepoint_rollback(before)
