"""The pages of figures in a real browser: they come again by themselves, sort, filter, look back and ahead."""

import re

import pytest
from playwright.sync_api import Page, expect

from census_verify.tests.stack import Officer, Stack, wait_until
from census_verify.tests.test_browser import (  # noqa: F401 the fixtures
    DESK,
    PHONE,
    browser,
    open_page,
    serious_violations,
)

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

REFRESHED = 40_000  # ms: the page asks every 15 s, and the roll-up has to come first


def verified_on(page: Page) -> int:
    """Nothing as long as nothing was planned: before the round was opened."""
    figures = page.locator(".lede strong").all_inner_texts()
    return int(figures[1].replace(".", "")) if len(figures) > 1 else 0


def test_a_page_of_figures_comes_again_by_itself_and_not_under_the_readers_hands(open_page, stack: Stack):  # noqa: F811
    district = stack.unit(f"{400 + stack.district}")
    page = open_page("pc06")
    page.goto(f"{stack.url}/units/{district}/")
    before, stamp = verified_on(page), page.locator("#stamp").inner_text()
    summary = page.locator("#live details > summary").first
    officer, home = Officer(stack, "officer"), stack.open_households(2)[0]
    if summary.count():
        summary.click()
        assert officer.save(home).status == 302
        page.wait_for_timeout(20_000)
        assert verified_on(page) == before, "somebody reads in it"
        summary.click()
        page.locator("h1").click()
    else:
        assert officer.save(home).status == 302
    expect(page.locator(".lede strong").nth(1)).not_to_have_text(str(before), timeout=REFRESHED)
    assert verified_on(page) == before + 2
    assert page.locator("#stamp").inner_text() != stamp
    assert page.complaints == []


def test_sorted_and_back_with_the_keyboard(open_page, stack: Stack):  # noqa: F811
    page = open_page("pc06")
    names = page.locator("table[aria-labelledby=table] tbody th")
    in_order = names.all_inner_texts()
    head = page.locator("thead a", has_text="Lũy kế").first
    head.focus()
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert page.locator("[aria-sort=descending]").inner_text().startswith("Lũy kế")
    figures = [
        int(text.replace(".", "")) for text in page.locator("table[aria-labelledby=table] tbody td:nth-child(4)").all_inner_texts()
    ]  # fmt: skip
    assert figures == sorted(figures, reverse=True)
    assert sorted(names.all_inner_texts()) == sorted(in_order)


def test_what_was_known_then_and_what_changed_since(open_page, stack: Stack):  # noqa: F811
    officer, home = Officer(stack, "officer"), stack.open_households(3)[0]
    assert officer.save(home).status == 302
    wait_until(lambda: not stack.marks(), seconds=20)
    page = open_page("district")
    now = verified_on(page)
    page.fill("#as-of", "18/6/2020")
    with page.expect_navigation():
        page.press("#as-of", "Enter")
    assert "as_of=18" in page.url
    expect(page.locator(".as-of")).to_contain_text("18/6/2020")
    then = verified_on(page)
    page.get_by_role("link", name="Từ đó đến nay thay đổi gì").click()
    page.wait_for_url("**/changes/?from=2020-06-18")
    expect(page.locator(".lede")).to_contain_text(f"+{now - then}")
    page.get_by_role("link", name="Xã Hương Trà").click()
    page.wait_for_url(re.compile(r"/units/\d+/changes/"))
    page.locator("caption#moves").wait_for()
    names = page.locator("table[aria-labelledby=forms] tbody tr")
    assert names.count() == now - then
    page.go_back()
    page.fill("input[name=from]", "hôm kia")
    page.press("input[name=from]", "Enter")
    expect(page.locator("main")).to_contain_text("hôm kia")
    assert [c for c in page.complaints if "400" not in c] == []


def test_a_team_is_moved_in_thought_then_by_decision(open_page, stack: Stack):  # noqa: F811
    officer = Officer(stack, "member")
    for home in stack.open_households(2)[:2]:
        officer.save(home)
    page = open_page("pc06")
    page.goto(f"{stack.url}/teams/what-if/")
    expect(page.get_by_role("heading", name="hiện nay")).to_be_visible()
    decided = stack.ask("SELECT count(*) FROM households_reinforcement")
    district = stack.unit(f"{400 + stack.district}")
    team = stack.ask("SELECT id FROM households_workteam WHERE district_id = %s", district)
    elsewhere = stack.ask(
        "SELECT id FROM households_administrativeunit WHERE level = 2 AND id <> %s ORDER BY id LIMIT 1", district
    )
    page.select_option("select[name=team]", str(team))
    page.select_option("select[name=to]", str(elsewhere))
    page.fill("input[name=days]", "3")
    page.get_by_role("button", name="Xem kết quả dự kiến").click()
    page.locator("table[aria-labelledby=effects]").wait_for()
    assert page.locator("table[aria-labelledby=effects] tbody tr").count() == 2
    assert stack.ask("SELECT count(*) FROM households_reinforcement") == decided, "nothing was decided yet"
    page.get_by_role("button", name="Quyết định").click()
    page.locator("table[aria-labelledby=decided]").wait_for()
    assert stack.ask("SELECT count(*) FROM households_reinforcement") == decided + 1
    page.locator("table[aria-labelledby=decided] tbody tr").first.get_by_role("button").click()
    page.locator("table[aria-labelledby=decided] .state.off").first.wait_for()
    assert page.complaints == []


@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize("language", ["vi", "en"])
def test_accessible_and_not_too_wide(open_page, stack: Stack, viewport, language):  # noqa: F811
    officer = Officer(stack, "officer")
    officer.save(stack.open_households(2)[0])
    wait_until(lambda: not stack.marks(), seconds=20)
    province, district, commune = stack.unit("42"), stack.unit(f"{400 + stack.district}"), stack.commune
    team = stack.ask("SELECT id FROM households_workteam WHERE district_id = %s", district)
    page = open_page("pc06", viewport=viewport)
    page.context.add_cookies([{"name": "django_language", "value": language, "url": stack.url}])
    for path in (
        f"/units/{province}/",
        f"/units/{district}/?sort=-rate&outlook=tight",
        f"/units/{commune}/?as_of=18/6/2020",
        "/reports/",
        "/reports/deliveries/",
        "/reports/deliveries/format/",
        "/reports/schedules/",
        f"/reports/schedules/new/?unit={district}",
        f"/units/{province}/report/?period=week&to=18/6/2020",
        f"/units/{commune}/lists/",
        f"/units/{district}/lists/?state=found",
        f"/units/{province}/register/",
        "/reports/disclosures/",
        f"/units/{district}/changes/?from=2020-06-18",
        f"/units/{commune}/changes/?from=2020-06-18",
        f"/units/{district}/officers/",
        f"/units/{district}/slides/",
        f"/units/{province}/map/",
        f"/units/{province}/map/?by=slack&units=districts",
        f"/units/{district}/map/?by=idle&as_of=18/6/2020",
        "/teams/",
        "/teams/what-if/",
        "/alerts/",
        f"/teams/{team}/figures/",
        f"/teams/{team}/officers/",
        f"/teams/{team}/changes/?from=2020-06-18",
    ):
        page.goto(stack.url + path)
        assert page.locator("html").get_attribute("lang") == language
        serious = serious_violations(page)
        assert serious == [], (path, serious)
        too_wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert too_wide <= 0, f"{path} scrolls sideways by {too_wide} px"
    assert page.complaints == []
