"""Pages of a cut-off that is over: as they were known then, whatever came later; and what changed since."""

import re
from datetime import date, timedelta

import pytest
from django.urls import reverse

from reports import exports, rollups, services
from reports.live import Live
from reports.rollups import COUNTS, DENOMINATORS
from reports.snapshots import Snapshot
from verification import approvals
from verification import services as verbs
from verification.models import VerificationPass
from verification.tests.factories import decide, record

DAY = date(2020, 6, 19)
BEFORE = DAY - timedelta(days=2)


@pytest.fixture
def history(homes, cast, tree, settings, request, live_on):
    """Four matched and two dead on one day; since then a day of other work, and all that can happen to a result."""
    settings.CENSUS_VERIFY_TODAY = DAY - timedelta(days=9)
    round = request.getfixturevalue("round")
    live_on(BEFORE)
    record(homes.four, cast.officer, verified_on=BEFORE - timedelta(days=1))
    record(homes.two, cast.officer, "deceased", event_on=date(2019, 1, 2), paper="archive")
    rollups.roll_up()
    return round


def what_happens_later(round, homes, cast, live_on) -> None:
    live_on(BEFORE + timedelta(days=1))
    decide(homes.two.forms.values_list("pk", flat=True), cast.supervisor)
    late = record(homes.three, cast.officer, verified_on=BEFORE)
    undone = record(homes.phu_gia, cast.member, verified_on=BEFORE)
    verbs.undo_submission(submission=undone.passes[0].submission, by=cast.member)
    live_on(DAY)
    standing = VerificationPass.objects.standing().filter(form__household=homes.four)
    approvals.reopen(round=round, pass_ids=[standing[0].pk], by=cast.supervisor, reason="nhầm người")
    record(homes.phu_gia, cast.member)
    rollups.roll_up()
    assert late.passes


def figures(tally) -> dict:
    return {name: getattr(tally, name) for name in (*DENOMINATORS, *COUNTS) if getattr(tally, name)}


def lines(source, unit) -> list:
    rows = source.children_of(unit)
    return [(row.owner, figures(row.tally), [day for day in row.days if day.verified]) for row in rows]


def test_a_snapshot_is_what_the_live_page_was(history, homes, cast, tree, live_on):
    live = Live(history)
    units = [tree.province, tree.huong_khe, tree.huong_tra]
    of_units = {unit: figures(live.of_unit(unit).tally) for unit in units}
    of_children = {unit: lines(live, unit) for unit in units}
    of_team = figures(live.of_team(cast.team).tally)
    found = live.found_of(tree.province)
    what_happens_later(history, homes, cast, live_on)
    snapshot = Snapshot(history, BEFORE)
    for unit in units:
        assert figures(snapshot.of_unit(unit).tally) == of_units[unit]
        assert lines(snapshot, unit) == of_children[unit]
    assert figures(snapshot.of_team(cast.team).tally) == of_team
    assert snapshot.found_of(tree.province) == found
    assert figures(Live(history).of_unit(tree.province).tally) != of_units[tree.province]


def test_what_was_recorded_late_is_said_and_not_counted(history, homes, cast, tree, client, live_on):
    what_happens_later(history, homes, cast, live_on)
    client.force_login(cast.pc06)
    answer = client.get("/", {"as_of": "17/6/2020"})
    assert answer.context["shown"].tally.verified == 4
    # three recorded late, two removals approved, one reopened
    assert answer.context["shown"].late == 3 + 2 - 1
    page = re.sub(r"<[^>]+>", "", answer.content.decode())
    assert "4 phiếu phúc tra đến 17/6/2020 được ghi muộn" in re.sub(r"\s+", " ", page)


def test_links_of_a_page_of_the_past_stay_in_the_past(history, cast, tree, client, live_on):
    live_on(DAY)
    client.force_login(cast.pc06)
    page = client.get("/", {"as_of": "2020-06-17"}).content.decode()
    assert f"{reverse('reports:unit_detail', args=[tree.huong_khe.pk])}?as_of=2020-06-17" in page
    assert "?as_of=2020-06-17&amp;sort=" in page or "?as_of=2020-06-17&sort=" in page
    assert 'name="as_of" value="2020-06-17"' in page
    assert "/forms/" not in page, "lists of forms are of now"
    assert 'id="live"' not in page, "the past does not come again by itself"


@pytest.mark.parametrize("typed", ["31/2/2020", "hôm qua", "1/1/1900", "2019-12-31"])
def test_a_day_that_is_none_is_refused_with_a_sentence(history, cast, client, typed):
    client.force_login(cast.pc06)
    answer = client.get("/", {"as_of": typed})
    assert answer.status_code == 400
    assert "không phải là một ngày của đợt này" in answer.content.decode()


def test_today_and_later_are_the_live_page(history, cast, client, settings):
    settings.CENSUS_VERIFY_TODAY = BEFORE
    client.force_login(cast.pc06)
    for typed in (BEFORE.isoformat(), "30/6/2020"):
        answer = client.get("/", {"as_of": typed})
        assert answer.context["as_of"] is None


def test_an_officers_page_of_the_past_is_of_figures(history, cast, tree, client, live_on):
    live_on(DAY)
    client.force_login(cast.officer)
    answer = client.get("/", {"as_of": "17/6/2020"})
    assert answer.context["shown"].as_of == BEFORE
    assert (
        client.get(reverse("reports:unit_detail", args=[tree.hung_tri.pk]), {"as_of": "17/6/2020"}).status_code == 404
    )


def test_the_file_of_the_past_is_the_page_of_the_past(history, homes, cast, tree, live_on):
    what_happens_later(history, homes, cast, live_on)
    export = services.request_export(
        by=cast.pc06, round=history, kind="units", format="csv", unit=tree.huong_khe, as_of=BEFORE
    )
    exports.make(export.pk)
    export.refresh_from_db()
    text = exports.file_path(export).read_text("utf-8-sig")
    line = next(line for line in text.splitlines() if "Hương Trà" in line)
    rows = {row.owner.name: row for row in Snapshot(history, BEFORE).children_of(tree.huong_khe)}
    assert f";{rows['Hương Trà'].tally.verified};" in line.replace(",", ";")


def test_what_changed_down_to_the_forms(history, homes, cast, tree, client, live_on):
    what_happens_later(history, homes, cast, live_on)
    client.force_login(cast.supervisor)
    answer = client.get(reverse("reports:unit_changes", args=[tree.huong_tra.pk]), {"from": "17/6/2020"})
    context = answer.context
    assert context["gained"] == 3 + 2 - 1
    moves = {(move.before, move.after): move.forms for move in context["moves"]}
    nothing = ("", "")
    assert moves == {
        (nothing, ("matched", "")): 3,
        (("deceased", "pending"), ("deceased", "approved")): 2,
        (("matched", ""), nothing): 1,
    }
    assert context["moved"] == 6 == len(context["forms"])
    one = client.get(
        reverse("reports:unit_changes", args=[tree.huong_tra.pk]), {"from": "17/6/2020", "move": "matched---"}
    )
    assert [form.household for form, _move in one.context["forms"]] == [homes.four]
    assert context["total"].verified == context["gained"]


def test_the_table_of_changes_adds_up(history, homes, cast, tree, client, live_on):
    what_happens_later(history, homes, cast, live_on)
    client.force_login(cast.pc06)
    for unit in (tree.province, tree.huong_khe):
        context = client.get(
            reverse("reports:unit_changes", args=[unit.pk]), {"from": "16/6/2020", "to": "18/6/2020"}
        ).context
        assert sum(pair.verified for pair in context["pairs"]) == context["gained"] == context["total"].verified


def test_who_sees_figures_only_sees_no_forms_that_moved(history, homes, cast, tree, client, live_on):
    what_happens_later(history, homes, cast, live_on)
    client.force_login(cast.leader)
    answer = client.get(reverse("reports:unit_changes", args=[tree.huong_tra.pk]), {"from": "17/6/2020"})
    assert answer.context["moved"] == 6
    assert "forms" not in answer.context
    assert "NGUYỄN VĂN THỬ" not in answer.content.decode()


@pytest.mark.parametrize("days", [{"from": "19/6/2020"}, {"from": "18/6/2020", "to": "17/6/2020"}, {"from": "x"}])
def test_days_of_changes_that_cannot_be_are_refused(history, cast, tree, client, settings, days):
    settings.CENSUS_VERIFY_TODAY = DAY
    client.force_login(cast.pc06)
    assert client.get(reverse("reports:unit_changes", args=[tree.province.pk]), days).status_code == 400


def test_a_teams_changes(history, homes, cast, client, live_on):
    what_happens_later(history, homes, cast, live_on)
    client.force_login(cast.pc06)
    context = client.get(reverse("reports:team_changes", args=[cast.team.pk]), {"from": "17/6/2020"}).context
    assert context["gained"] == 3 + 2 - 1 + 2


class TestWhatComesAgainByItself:
    def ask(self, client, address):
        return client.get(address, headers={"HX-Request": "true"})

    def test_nothing_while_nothing_moved_and_the_figures_when_they_did(self, history, homes, cast, client):
        client.force_login(cast.pc06)
        address = client.get("/").context["live_address"]
        assert self.ask(client, address).status_code == 204
        record(homes.three, cast.officer)
        rollups.roll_up()
        answer = self.ask(client, address)
        assert answer.status_code == 200
        body = answer.content.decode()
        assert "<strong>7</strong>" in body
        assert "<html" not in body
        assert 'id="stamp"' in body
        assert self.ask(client, answer.context["live_address"]).status_code == 204

    def test_the_order_of_the_table_stays(self, history, cast, client, tree):
        client.force_login(cast.pc06)
        page = client.get(reverse("reports:unit_detail", args=[tree.huong_khe.pk]), {"sort": "-verified"})
        assert "sort=-verified" in page.context["live_address"]


def test_slides_are_the_unit_and_each_below_it(history, cast, client, tree, django_assert_num_queries):
    client.force_login(cast.pc06)
    answer = client.get(reverse("reports:unit_slides", args=[tree.province.pk]))
    owners = [shown.owner for shown, _chart in answer.context["slides"]]
    assert owners == [tree.province, tree.huong_khe, tree.ky_anh]
    client.force_login(cast.stranger)
    assert client.get(reverse("reports:unit_slides", args=[tree.huong_khe.pk])).status_code == 404


def test_only_units_of_one_outlook_are_shown_and_downloaded(history, cast, client, tree):
    client.force_login(cast.pc06)
    answer = client.get("/", {"outlook": "not_started"})
    body = answer.content.decode()
    assert "Thị xã Kỳ Anh" in body
    assert reverse("reports:unit_detail", args=[tree.huong_khe.pk]) not in body
    assert 'name="outlook" value="not_started"' in body
