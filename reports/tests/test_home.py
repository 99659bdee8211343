"""The first page of those who record: a commune's home and a team's."""

import re
from datetime import date

import pytest
from django.core.cache import caches
from django.urls import reverse

from households.tests.factories import make_hamlet, make_household
from reports import rollups
from reports.templatetags.lines import range_of
from reports.tests.test_pages import text_of
from verification import records
from verification.models import RoundForm
from verification.terms import Approval
from verification.tests.factories import decide, record
from verification.tests.test_records import add_to_round
from verification.tests.test_sheets import printed


@pytest.fixture
def home_of(client, round, homes):
    def get(officer, address: str = "/"):
        client.force_login(officer)
        return client.get(address, follow=True)

    return get


def figures_of(answer) -> dict[str, int]:
    """The tabs: the state each leads to, and the figure on it."""
    found = re.findall(
        r'\?state=(\w+)"><span class="step">[^<]+</span> <strong class="figure">([\d.]+)<', answer.content.decode()
    )
    return {state: int(figure.replace(".", "")) for state, figure in found}


def test_the_sentence_first(home_of, homes, cast):
    record(homes.two, cast.officer, verified_on=date(2020, 6, 18))
    rollups.roll_up()
    record(homes.four, cast.officer)
    answer = home_of(cast.officer)
    told = range_of(answer.context["told"])
    assert f"Hôm nay cần 1 phiếu, đã làm 4 , dự kiến xong {told} . " in text_of(answer)
    assert "Còn 3/9 phiếu, hạn 30/6." in text_of(answer)


def test_the_end_is_told_as_by_the_figures_and_with_what_was_done_since(home_of, homes, cast, tree):
    record(homes.two, cast.officer, verified_on=date(2020, 6, 18))
    rollups.roll_up()
    figures = reverse("reports:unit_figures", args=[tree.huong_tra.pk])
    before = home_of(cast.officer).context["told"]
    assert before == home_of(cast.officer, figures).context["shown"].forecast
    record(homes.four, cast.officer)
    at_once = home_of(cast.officer).context["told"]
    assert at_once.latest < before.latest, "not rolled up yet, and counted all the same"
    rollups.roll_up()
    assert at_once == home_of(cast.officer, figures).context["shown"].forecast


def test_the_tabs_are_the_lists_behind_them(home_of, client, round, homes, cast, tree):
    record(homes.four, cast.officer, "not_met", reason="vắng", next_visit_on=date(2020, 6, 19))
    record(homes.two, cast.officer, "emigrated", paper="other")
    forms = [form.pk for form in homes.two.forms.all()]
    decide(forms[:1], cast.supervisor, Approval.RETURNED, "thiếu ảnh")
    record(homes.three, cast.officer, only=[homes.three.forms.first().pk])
    answer = home_of(cast.officer)
    figures = figures_of(answer)
    assert figures == {"untouched": 2, "not_met": 4, "returned": 1, "verified": 1}
    address = reverse("verification:form_list", args=[tree.huong_tra.pk])
    for state in (*figures, "due", "later", "pending"):
        listed = len(client.get(address, {"state": state}).context["forms"])
        assert listed == getattr(answer.context["standing"], state), state
    page = text_of(answer)
    assert "4 đã đến hạn" in page
    assert "“thiếu ảnh”" in page


def test_the_live_figures_are_the_stored_ones_once_rolled_up(home_of, client, round, homes, cast, tree):
    record(homes.four, cast.officer, "not_met", reason="vắng", next_visit_on=date(2020, 6, 25))
    record(homes.three, cast.officer)
    assert home_of(cast.officer).context["standing"].verified == 3, "at once, before any roll-up"
    rollups.roll_up()
    caches["pages"].clear()
    answer = home_of(cast.officer)
    standing, tally = answer.context["standing"], answer.context["shown"].tally
    assert (standing.verified, standing.not_met, standing.pending, standing.returned, standing.in_round) == (
        tally.verified, tally.not_met, tally.pending, tally.returned, tally.in_scope,
    )  # fmt: skip
    assert answer.context["work"].left == tally.left
    assert answer.context["work"].plan == tally.plan


def test_as_many_queries_with_one_hamlet_as_with_many(
    home_of, round, cast, homes, tree, django_assert_num_queries, client
):
    rollups.roll_up()
    home_of(cast.officer)
    with django_assert_num_queries(11):
        client.get("/")
    for number in range(9):
        home = make_household(make_hamlet(tree.huong_tra, f"Mới {number}"), people=2)
        add_to_round(round, home)
        record(home, cast.officer, only=[home.forms.first().pk])
    with django_assert_num_queries(11):
        client.get("/")


def test_for_others_a_communes_page_stays_the_figures(home_of, cast, tree):
    address = reverse("reports:unit_detail", args=[tree.huong_tra.pk])
    for officer in (cast.supervisor, cast.pc06, cast.leader):
        answer = home_of(officer, address)
        assert "reports/unit_detail.html" in [t.name for t in answer.templates]
        assert "Việc hôm nay" not in answer.content.decode()
    assert home_of(cast.stranger, address).status_code == 404
    assert home_of(cast.stranger, reverse("reports:unit_figures", args=[tree.huong_tra.pk])).status_code == 404


def test_the_figures_are_on_the_second_tab(home_of, cast, tree):
    rollups.roll_up()
    address = reverse("reports:unit_figures", args=[tree.huong_tra.pk])
    assert f'href="{address}"' in home_of(cast.officer).content.decode()
    page = home_of(cast.officer, address).content.decode()
    assert f'href="{address}" aria-current="page"' in page
    assert "Đã thu thập" in page or "Phiếu đã thu thập" in page


def test_what_was_saved_last_can_be_undone_here(home_of, homes, cast, tree):
    submission = record(homes.three, cast.officer).passes[0].submission
    page = home_of(cast.officer, reverse("reports:unit_detail", args=[tree.huong_tra.pk]) + f"?saved={submission}")
    assert reverse("verification:submission_undo", args=[submission]) in page.content.decode()


def test_with_nobodys_turn_there_is_no_button_that_leads_nowhere(home_of, homes, cast, tree):
    later = {"reason": "vắng", "next_visit_on": date(2020, 6, 25)}
    for home in (homes.four, homes.two, homes.three):
        record(home, cast.officer, "not_met", **later)
    page = home_of(cast.officer).content.decode()
    assert "Hôm nay không còn ai đến lượt" in page
    assert reverse("verification:unit_work", args=[tree.huong_tra.pk]) not in page


def test_a_finished_plan_and_a_round_that_is_over_say_so(home_of, round, homes, cast, settings):
    settings.CENSUS_VERIFY_TODAY = date(2020, 7, 2)
    assert "Đã hết hạn ngày 30/6, còn 9 phiếu" in text_of(home_of(cast.officer))
    settings.CENSUS_VERIFY_TODAY = date(2020, 6, 19)
    for home in (homes.four, homes.two, homes.three):
        record(home, cast.officer)
    assert "Đã xong kế hoạch 9 phiếu" in text_of(home_of(cast.officer))


class TestTeam:
    def test_each_commune_in_a_line(self, home_of, homes, cast, tree):
        record(homes.phu_gia, cast.member)
        answer = home_of(cast.member)
        assert [unit.name for unit, _day, _told in answer.context["communes"]] == ["Hương Trà", "Phú Gia"]
        assert answer.context["left"] == 9
        page = answer.content.decode()
        for unit in (tree.huong_tra, tree.phu_gia):
            assert reverse("reports:unit_detail", args=[unit.pk]) in page
        assert "Hưng Trí" not in page
        assert reverse("verification:unit_work", args=[tree.huong_tra.pk]) in page
        assert reverse("verification:unit_work", args=[tree.phu_gia.pk]) not in page, "nobody's turn there"

    def test_into_a_communes_home(self, home_of, cast, tree):
        answer = home_of(cast.member, reverse("reports:unit_detail", args=[tree.phu_gia.pk]))
        assert answer.context["work"].commune_id == tree.phu_gia.pk
        assert "Tổ của tôi" in answer.content.decode()

    def test_for_others_it_is_the_figures(self, home_of, cast):
        answer = home_of(cast.supervisor, reverse("reports:team_detail", args=[cast.team.pk]))
        assert answer.context["shown"].owner == cast.team
        assert home_of(cast.stranger, reverse("reports:team_figures", args=[cast.team.pk])).status_code == 404

    def test_as_many_queries_with_two_communes_as_with_one(
        self, home_of, client, round, cast, tree, django_assert_num_queries
    ):
        home_of(cast.member)
        address = reverse("reports:team_detail", args=[cast.team.pk])
        with django_assert_num_queries(9):
            client.get(address)
        cast.team.team_communes.filter(commune=tree.phu_gia).delete()
        with django_assert_num_queries(9):
            client.get(address)


def test_in_english(home_of, client, homes, cast):
    record(homes.two, cast.officer)
    client.cookies["django_language"] = "en"
    page = text_of(home_of(cast.officer))
    assert "Needed today: 1 , done: 2" in page
    assert not re.search(r"phiếu|Chưa|Hẹn", page)


def test_states_that_are_parts_have_no_tab_of_their_own(home_of, client, cast, tree, homes):
    address = reverse("verification:form_list", args=[tree.huong_tra.pk])
    client.force_login(cast.officer)
    assert "?state=due" not in client.get(address).content.decode()
    assert "?state=due" in client.get(address, {"state": "due"}).content.decode()
    assert set(records.PARTS) < set(records.State)
    assert RoundForm.objects.exists()


def test_the_sheets_that_are_out(home_of, round, cast, tree, settings, tmp_path):
    settings.SHEET_DIR = tmp_path
    assert "mang đi" not in text_of(home_of(cast.officer))
    printed(tree.dong, round, cast.officer)
    assert "Đang mang đi 1 phiếu kiểm" in text_of(home_of(cast.officer))
    assert "mang đi" not in text_of(home_of(cast.stranger))
