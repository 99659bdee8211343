"""A person without a form, added with the keyboard alone and without scripts."""

import pytest
from playwright.sync_api import Page, expect

from census_verify.tests.stack import Stack, wait_until
from census_verify.tests.test_browser import DESK, PHONE, browser, open_page, press_and_wait, serious_violations

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
__all__ = ["browser", "open_page"]  # fixtures

NEW_PEOPLE = (
    "SELECT new_people FROM reports_tally t JOIN households_administrativeunit u ON u.id = t.unit_id WHERE u.level = 1"
)


def complaints(page: Page) -> list[str]:
    """But for the browser's own line about an answer of 400 or 409, which the page explains."""
    return [told for told in page.complaints if "Failed to load resource" not in told]


def new_person_page(page: Page, stack: Stack) -> int:
    home = stack.open_households()[0]
    page.goto(f"{stack.url}/households/{home}/people/new/")
    expect(page.locator("#id_reason")).to_be_focused()
    return home


def tab_and_type(page: Page, *values: str) -> int:
    """Types into field after field; returns the keys it took."""
    for place, value in enumerate(values):
        if place:
            page.keyboard.press("Tab")
        page.keyboard.type(value)
    return sum(map(len, values)) + len(values) - 1


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
def test_a_newborn_with_the_keyboard_only(open_page, stack: Stack, scripts):
    plan_before, found_before = stack.verified(), stack.ask(NEW_PEOPLE)
    page = open_page("officer", scripts=scripts)
    home = new_person_page(page, stack)
    name = "Lê Thị Sớm"
    keys = tab_and_type(page, "1", "1", name, "3/5/2020", "2", "Con")
    assert page.input_value("#id_reason") == "born"
    assert page.input_value("#id_paper") == "birth_certificate"
    press_and_wait(page, "Enter")
    expect(page.get_by_role("alert")).to_contain_text("Chưa lưu")
    assert page.input_value("#id_full_name") == name
    press_and_wait(page, "Enter")
    assert "/people/" in page.url
    print(
        f"a newborn: {keys} keys of typing and Tab, Enter twice; of these beside what is written: {keys - len(name) - 8 - 3}"
    )
    expect(page.locator("h1")).to_have_text(name.upper())
    expect(page.get_by_role("link", name="Về hộ")).to_be_focused()
    press_and_wait(page, "Enter")
    assert f"/households/{home}/verify/" in page.url
    expect(page.locator("main")).to_contain_text(name.upper())
    wait_until(lambda: stack.ask(NEW_PEOPLE) == found_before + 1, seconds=20)
    assert stack.verified() == plan_before
    stack.require_true_totals()
    assert complaints(page) == []


def test_what_is_wrong_is_said_at_its_field_and_undo_takes_the_person_back(open_page, stack: Stack):
    page = open_page("colleague")
    home = new_person_page(page, stack)
    tab_and_type(page, "2", "2", "Trần Văn Giả", "31/2/1990")
    press_and_wait(page, "Enter")
    # the browser honours it, unless a test beside this one has its attention
    expect(page.locator("#id_birth_date")).to_have_attribute("autofocus", "")
    page.focus("#id_birth_date")
    expect(page.locator("#id_birth_date_error")).to_be_visible()
    assert page.input_value("#id_full_name") == "Trần Văn Giả"
    page.keyboard.press("Control+a")
    tab_and_type(page, "28/2/1990", "1", "Con rể")
    press_and_wait(page, "Enter")
    expect(page.get_by_role("alert")).to_contain_text("nghi vấn")
    assert serious_violations(page) == []
    press_and_wait(page, "Enter")
    with page.expect_navigation():
        page.get_by_role("button", name="Hoàn tác").press("Enter")
    assert f"/households/{home}/verify/" in page.url
    assert "TRẦN VĂN GIẢ" not in page.content()
    assert stack.ask("SELECT count(*) FROM households_collectionform WHERE full_name = 'TRẦN VĂN GIẢ'") == 0
    assert complaints(page) == []


@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize("language", ["vi", "en"])
def test_the_pages_are_accessible_and_not_too_wide(open_page, stack: Stack, viewport, language):
    page = open_page("officer", viewport=viewport)
    page.context.add_cookies([{"name": "django_language", "value": language, "url": stack.url}])
    new_person_page(page, stack)
    pages = ["empty", "refused", "doubted", "saved"]
    for state in pages:
        assert page.locator("html").get_attribute("lang") == language
        assert serious_violations(page) == [], state
        too_wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert too_wide <= 0, f"{state} scrolls sideways by {too_wide} px"
        if state == "empty":
            page.fill("#id_full_name", "Lê Thị Sớm")
        elif state == "refused":
            page.fill("#id_birth_date", "3/5/2020")
            for field, value in (("reason", "born"), ("sex", "2"), ("paper", "birth_certificate")):
                page.select_option(f"#id_{field}", value)
        if state != "saved":
            page.locator("#id_full_name").focus()
            press_and_wait(page, "Enter")
    assert "/people/" in page.url
    assert complaints(page) == []
