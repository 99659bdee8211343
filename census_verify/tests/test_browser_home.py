"""The first page of those who record, in a real browser: keyboard, scripts off, both languages, both sizes."""

import re

import pytest
from playwright.sync_api import Page, expect

from census_verify.tests.stack import Stack
from census_verify.tests.test_browser import (  # noqa: F401 the fixtures
    DESK,
    PHONE,
    browser,
    open_page,
    outcome_of,
    press_and_wait,
    serious_violations,
)

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


def figure_of(page: Page, state: str) -> int:
    return int(page.locator(f".states a[href$='state={state}'] .figure").inner_text().replace(".", ""))


def tab_to(page: Page, target: str) -> None:
    """With the Tab key alone until the link or button that reads `target` has the focus."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.innerText.trim()").startswith(target):
            return
    raise AssertionError(f"“{target}” is not reached with Tab")


def test_a_day_with_the_keyboard_from_the_home_and_back(open_page, stack: Stack):  # noqa: F811
    page = open_page("officer")
    before, done = figure_of(page, "untouched"), figure_of(page, "verified")
    tab_to(page, "Tiếp tục phúc tra" if done else "Bắt đầu phúc tra")
    press_and_wait(page, "Enter")
    people = page.locator("select[name$=-outcome]").count()
    assert outcome_of(page, 1) == "matched"
    press_and_wait(page, "Enter")
    page.goto(stack.url)
    assert (figure_of(page, "untouched"), figure_of(page, "verified")) == (before - people, done + people), "at once"
    tab_to(page, "Việc tôi làm hôm nay")
    press_and_wait(page, "Enter")
    assert "/today/" in page.url
    first = page.locator("tbody tr").first
    expect(first).to_contain_text(f"{people} đúng")
    expect(first).to_contain_text("đã ghi")
    tab_to(page, "Hoàn tác")
    press_and_wait(page, "Enter")
    assert "/verify/?undone=1" in page.url
    page.goto(f"{stack.url}/today/")
    expect(page.locator("tbody tr").first).to_contain_text("đã hoàn tác")
    page.goto(stack.url)
    assert (figure_of(page, "untouched"), figure_of(page, "verified")) == (before, done)
    assert page.complaints == []


def test_a_tab_leads_to_the_list_it_counts(open_page, stack: Stack):  # noqa: F811
    page = open_page("officer")
    hamlet = page.locator("tbody tr").first
    untouched = int(hamlet.locator("td").nth(1).inner_text().replace(".", ""))
    hamlet.locator("td").nth(1).locator("a").click()
    page.wait_for_url("**/forms/?state=untouched")
    counted = page.locator("tbody tr").count()
    while page.locator(".pager a:last-child").filter(has_text="→").count():
        page.locator(".pager a:last-child").click()
        page.wait_for_load_state()
        counted += page.locator("tbody tr").count()
    assert counted == untouched


def test_without_scripts(open_page, stack: Stack):  # noqa: F811
    page = open_page("colleague", scripts=False)
    page.locator("tbody tr .open").first.click()
    page.wait_for_url("**/verify/")
    people = page.locator("select[name$=-outcome]").count()
    page.locator("form button[type=submit], form button:not([type])").filter(has_text="Enter").click()
    page.wait_for_url("**/verify/?saved=*")
    page.goto(f"{stack.url}/today/")
    expect(page.locator("tbody tr").first).to_contain_text(f"{people} đúng")
    page.locator("tbody tr").first.get_by_role("button").click()
    page.wait_for_url("**/verify/?undone=1")
    page.goto(f"{stack.url}/today/?day=18/6/2020")
    expect(page.locator("main")).to_contain_text("không ghi kết quả nào")


def test_a_team_goes_into_each_of_its_communes(open_page, stack: Stack):  # noqa: F811
    page = open_page("member")
    expect(page.locator("tbody tr")).to_have_count(2)
    page.get_by_role("link", name="Xã Phú Gia", exact=True).click()
    page.wait_for_url(re.compile(r"/units/\d+/$"))
    expect(page.locator("h1")).to_have_text("Xã Phú Gia")
    page.get_by_role("link", name="Tổ của tôi").click()
    page.wait_for_url(re.compile(r"/teams/\d+/$"))
    page.get_by_role("link", name="Số liệu").click()
    page.wait_for_url(re.compile(r"/teams/\d+/figures/$"))
    assert page.complaints == []


@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize("language", ["vi", "en"])
def test_accessible_and_not_too_wide(open_page, stack: Stack, viewport, language):  # noqa: F811
    commune = stack.commune
    for username, paths in (
        ("officer", ["/", "/today/", f"/units/{commune}/figures/", f"/units/{commune}/forms/?state=later"]),
        ("member", ["/", f"/units/{commune}/", "/today/?day=x"]),
    ):
        page = open_page(username, viewport=viewport)
        page.context.add_cookies([{"name": "django_language", "value": language, "url": stack.url}])
        for path in paths:
            page.goto(stack.url + path)
            assert page.locator("html").get_attribute("lang") == language
            serious = serious_violations(page)
            assert serious == [], (path, serious)
            too_wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert too_wide <= 0, f"{path} scrolls sideways by {too_wide} px"
        assert page.complaints == []


def test_everything_is_on_the_first_screen(open_page, stack: Stack):  # noqa: F811
    page = open_page("officer")
    for part in (".day .lede", ".day .button", ".states", "#table", "#own", ".home tbody tr:last-child"):
        box = page.locator(part).bounding_box()
        assert box["y"] + box["height"] <= DESK["height"], part
