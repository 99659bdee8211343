"""The pages of progress: what they say, that it adds up, what they cost."""

import re
from datetime import date

import pytest
from django.core.cache import caches
from django.middleware.csrf import _does_token_match
from django.urls import reverse

from households.tests.factories import make_form, make_hamlet, make_household
from reports import rollups
from reports.live import Live
from verification.models import Round, Target
from verification.tests.factories import record


@pytest.fixture
def rolled_up(round, homes, cast):
    Target.objects.create(round=round, percent=25, due_on=date(2020, 6, 30))
    Target.objects.create(round=round, percent=100, due_on=date(2020, 6, 30))
    record(homes.four, cast.officer)
    rollups.roll_up()
    return round


def text_of(answer) -> str:
    """What a reader sees, without marks and with single blanks."""
    body = re.sub(r"(?s).*<main|</main>.*", "", answer.content.decode())
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body))


def test_the_provinces_page_opens_with_its_sentence(rolled_up, client, cast):
    client.force_login(cast.pc06)
    page = text_of(client.get("/"))
    for part in ("Tỉnh Hà Tĩnh", "19/6/2020", "28,57%", "Còn 10 phiếu", "30/6/2020"):
        assert part in page, part
    assert re.search(r"4 ?/ ?14 phiếu", page)


def test_in_english(rolled_up, client, cast):
    client.force_login(cast.pc06)
    client.cookies["django_language"] = "en"
    page = text_of(client.get("/"))
    assert "28.57%" in page
    assert not re.search(r"phiếu|đạt|kế hoạch", page)


def test_every_step_of_the_funnel_is_explained(rolled_up, homes, cast, tree):
    make_form(homes.two, line=3, qualification="refused", refusal_reason="unreadable")
    form = homes.three.forms.first()
    record(homes.three, cast.officer, "deceased", only=[form.pk], event_on=date(2019, 1, 2), paper="archive")
    record(homes.two, cast.officer, "not_met", reason="vắng", next_visit_on=date(2020, 6, 25))
    rollups.roll_up()
    shown = Live(rolled_up).of_unit(tree.province)
    assert sum(count for _, count in shown.refusals) == shown.tally.collected - shown.tally.qualified == 1
    assert sum(count for *_, count in shown.open_parts) == shown.tally.in_scope - shown.tally.verified


def test_the_table_adds_up_to_the_page(rolled_up, client, cast, tree):
    client.force_login(cast.pc06)
    context = client.get(reverse("reports:unit_detail", args=[tree.huong_khe.pk])).context
    assert [row.owner.name for row in context["rows"]] == ["Hương Trà", "Phú Gia"]
    assert context["total"].tally.verified == context["shown"].tally.verified == 4
    assert context["total"].tally.base == context["shown"].tally.base == 11


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("", ["Hương Trà", "Phú Gia"]),
        ("rate", ["Phú Gia", "Hương Trà"]),
        ("-rate", ["Hương Trà", "Phú Gia"]),
        ("-name", ["Phú Gia", "Hương Trà"]),
        ("-left", ["Hương Trà", "Phú Gia"]),
        ("password", ["Hương Trà", "Phú Gia"]),
    ],
)
def test_sorted_by_any_column(rolled_up, client, cast, tree, sort, expected):
    client.force_login(cast.pc06)
    rows = client.get(reverse("reports:unit_detail", args=[tree.huong_khe.pk]), {"sort": sort}).context["rows"]
    assert [row.owner.name for row in rows] == expected


def test_as_many_queries_with_one_child_as_with_many(rolled_up, client, cast, tree, django_assert_num_queries):
    client.force_login(cast.pc06)
    for number in range(8):
        hamlet = make_hamlet(tree.huong_tra, f"Mới {number}")
        make_household(hamlet, people=2)
    rollups.mark_everything(rolled_up)
    rollups.roll_up()
    for address, kept in {"/": 9, reverse("reports:unit_detail", args=[tree.huong_tra.pk]): 9}.items():
        client.get(address)
        with django_assert_num_queries(kept):
            client.get(address)
        caches["pages"].clear()
        with django_assert_num_queries(kept + 6):
            client.get(address)


class TestAKeptPage:
    """The figures of a page are rendered once a roll-up; what is shown is always what is stored."""

    def test_shows_the_next_roll_up_at_once(self, rolled_up, client, cast, homes):
        client.force_login(cast.pc06)
        client.get("/")
        record(homes.two, cast.officer)
        rollups.roll_up()
        answer = client.get("/")
        assert answer.context["rows"][0].tally.verified == 6

    def test_is_nobody_elses(self, rolled_up, client, cast, tree):
        """A supervisor's table leads to lists of persons, a leader's never does."""
        address = reverse("reports:unit_detail", args=[tree.huong_tra.pk])
        persons = reverse("verification:form_list", args=[tree.huong_tra.pk])
        client.force_login(cast.supervisor)
        assert persons in client.get(address).content.decode()
        client.force_login(cast.leader)
        assert persons not in client.get(address).content.decode()

    def test_carries_the_readers_own_token(self, rolled_up, client, cast):
        for officer in (cast.pc06, cast.admin):
            client.force_login(officer)
            page = client.get("/")
            tokens = set(re.findall(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.content.decode()))
            assert tokens
            secret = client.cookies["csrftoken"].value
            assert all(_does_token_match(token, secret) for token in tokens)

    def test_speaks_the_readers_language(self, rolled_up, client, cast):
        client.force_login(cast.pc06)
        assert "phiếu/ngày" in client.get("/").content.decode()
        client.cookies["django_language"] = "en"
        assert "forms a day" in client.get("/").content.decode()

    def test_follows_the_rounds_settings(self, rolled_up, client, cast):
        client.force_login(cast.pc06)
        client.get("/")
        rolled_up.targets.create(percent=42, due_on="2020-06-25")
        assert "42%" in client.get("/").content.decode()


def test_a_page_says_when_newer_results_wait(rolled_up, client, cast, homes):
    client.force_login(cast.pc06)
    assert not client.get("/").context["shown"].marks_wait
    record(homes.two, cast.officer)
    assert client.get("/").context["shown"].marks_wait


def test_a_teams_member_finds_the_team(rolled_up, client, cast):
    client.force_login(cast.member)
    answer = client.get("/", follow=True)
    assert answer.context["team"] == cast.team
    figures = client.get(reverse("reports:team_figures", args=[cast.team.pk]))
    assert [row.owner.name for row in figures.context["rows"]] == ["Hương Trà", "Phú Gia"]
    assert figures.context["total"].tally.verified == 4


def test_teams_beside_each_other(rolled_up, client, cast, django_assert_num_queries):
    client.force_login(cast.pc06)
    first = client.get(reverse("reports:team_list"))
    assert [row.tally.verified for row in first.context["rows"]] == [4, 0]
    assert first.context["total"].tally.verified == 4
    with django_assert_num_queries(7):
        again = client.get(reverse("reports:team_list"))
    assert text_of(again) == text_of(first)


def test_before_any_round_a_page_says_so(client, cast, db):
    client.force_login(cast.pc06)
    answer = client.get("/")
    assert answer.status_code == 200
    assert not Round.objects.exists()
    assert "Chưa mở đợt phúc tra" in answer.content.decode()


def test_a_unit_without_forms_has_dashes_not_percentages(rolled_up, client, cast, tree):
    client.force_login(cast.pc06)
    empty = make_hamlet(tree.phu_gia, "Trống")
    answer = client.get(reverse("reports:unit_detail", args=[empty.pk]))
    assert answer.status_code == 200
    assert answer.context["shown"].tally.rate is None
