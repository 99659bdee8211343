"""An officer at the running program, in a real browser."""

import os
import shutil

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect, sync_playwright

from census_verify.tests.stack import Stack, wait_until
from census_verify.tests.stack_data import PASSWORD

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

OFFLINE = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
           "--disable-component-update", "--disable-sync"]  # fmt: skip
DESK, PHONE = {"width": 1366, "height": 768}, {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def browser():
    # the sync driver keeps an event loop in this thread, in which Django would refuse database work
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    assert found, "no Chromium: apt install chromium (./test does it where it is root)"
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=found, args=OFFLINE)
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def open_page(browser, stack: Stack):
    contexts = []

    def open_as(who: str, *, scripts: bool = True, viewport: dict = DESK) -> Page:
        context = browser.new_context(viewport=viewport, java_script_enabled=scripts, locale="vi-VN")
        contexts.append(context)
        page = context.new_page()
        page.complaints = []
        page.on("console", lambda m: page.complaints.append(m.text) if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.goto(f"{stack.url}/accounts/login/")
        page.fill("input[name=username]", stack.login_of(who))
        page.fill("input[name=password]", PASSWORD)
        page.press("input[name=password]", "Enter")
        page.wait_for_url(lambda address: "/accounts/login/" not in address)  # a team finds its own page
        return page

    yield open_as
    for context in contexts:
        context.close()


def test_a_log_in_that_has_to_wait_comes_again_by_itself(browser, stack: Stack):
    with browser.new_context(viewport=DESK, locale="vi-VN") as context:
        page = context.new_page()
        refused = []

        def keep_waiting(route):
            if route.request.method == "POST" and len(refused) < 2:
                refused.append(route.request.post_data)
                route.fulfill(status=503, headers={"Retry-After": "0"}, body="")
            else:
                route.continue_()

        page.route(lambda url: "/accounts/login/" in url, keep_waiting)
        page.goto(f"{stack.url}/exports/")
        page.fill("#id_username", stack.login_of("officer"))
        page.fill("#id_password", "wrong")
        page.press("#id_password", "Enter")
        expect(page.get_by_role("alert")).to_be_visible()
        assert len(refused) == 2
        page.fill("#id_password", PASSWORD)
        page.press("#id_password", "Enter")
        page.wait_for_url(f"{stack.url}/exports/")


def people_on(page: Page) -> int:
    return page.locator("select[name$=-outcome]").count()


def outcome_of(page: Page, number: int) -> str:
    return page.locator("select[name$=-outcome]").nth(number - 1).input_value()


def press_and_wait(page: Page, key: str) -> None:
    with page.expect_navigation():
        page.keyboard.press(key)


def serious_violations(page: Page) -> list[str]:
    violations = Axe().run(page).response["violations"]
    return [v["id"] + ": " + v["nodes"][0]["html"][:200] for v in violations if v["impact"] in ("serious", "critical")]


@pytest.mark.households(60)
def test_fifty_households_with_the_keyboard_only(open_page, stack: Stack):
    before = stack.verified()
    page = open_page("officer")
    page.goto(f"{stack.url}/next/")
    people, absent = 0, 0
    for number in range(50):
        here = people_on(page)
        if number % 10 == 9:  # somebody is absent: person, letter, and over what is proposed the reason
            page.keyboard.press("2")
            page.keyboard.press("v")
            assert outcome_of(page, 2) == "not_met"
            page.keyboard.type("đi làm ăn xa")
            absent += 1
        people += here
        press_and_wait(page, "Enter")
        assert "/verify/" in page.url, page.content()[:2000]
    wait_until(lambda: stack.verified() == before + people - absent, seconds=10)
    stack.require_true_totals()
    assert page.complaints == []
    pc06 = open_page("pc06")
    figure = f"{stack.verified():,}".replace(",", ".")
    expect(pc06.locator("main")).to_contain_text(figure)


def test_a_correction_undo_and_the_list_of_keys(open_page, stack: Stack):
    page = open_page("officer")
    page.goto(f"{stack.url}/next/")
    household = page.url.split("?")[0]
    page.keyboard.press("1")
    page.keyboard.press("e")
    assert outcome_of(page, 1) == "corrected"
    form = page.locator("select[name$=-outcome]").first.get_attribute("name").split("-")[0]
    page.select_option(f"[name={form}-c0-field]", "birth_date")
    page.fill(f"[name={form}-c0-new]", "12/3/1956")
    page.select_option(f"[name={form}-c0-source]", "household_book")
    press_and_wait(page, "Enter")
    correction = "SELECT old || ' -> ' || new || ' ' || source FROM verification_correction ORDER BY id DESC LIMIT 1"
    assert stack.ask(correction) == "17/05/1980 -> 12/03/1956 household_book"
    counted = stack.counted()
    press_and_wait(page, "u")
    assert page.url.split("?")[0] == household
    assert stack.counted() < counted
    page.keyboard.press("Shift+?")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    assert page.complaints == []


def test_a_refused_sheet_keeps_what_was_typed_and_says_where(open_page, stack: Stack):
    page = open_page("officer")
    page.goto(f"{stack.url}/next/")
    page.keyboard.press("1")
    page.keyboard.press("e")
    form = page.locator("select[name$=-outcome]").first.get_attribute("name").split("-")[0]
    page.select_option(f"[name={form}-c0-field]", "full_name")
    page.fill(f"[name={form}-c0-new]", "TRẦN THỊ GIẢ")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("giấy tờ")
    assert page.input_value(f"[name={form}-c0-new]") == "TRẦN THỊ GIẢ"
    assert outcome_of(page, 1) == "corrected"


def test_without_scripts_the_same_page_works(open_page, stack: Stack):
    page = open_page("colleague", scripts=False)
    page.goto(f"{stack.url}/next/")
    before, people = stack.counted(), people_on(page)
    page.locator("form button[type=submit], form button:not([type])").filter(has_text="Enter").click()
    page.wait_for_url("**/verify/?saved=*")
    assert stack.counted() == before + people


def test_two_presses_of_enter_are_one(open_page, stack: Stack):
    page = open_page("officer")
    page.goto(f"{stack.url}/next/")
    before, people = stack.counted(), people_on(page)
    page.evaluate(
        "() => { const form = document.querySelector('select[name$=-outcome]').form;"
        " form.requestSubmit(); form.requestSubmit(); }"
    )
    page.wait_for_url("**/verify/?saved=*")
    assert stack.counted() == before + people


def test_search_with_the_keyboard_from_the_entry_page(open_page, stack: Stack):
    page = open_page("officer")
    page.goto(f"{stack.url}/next/")
    household, counted = page.url, stack.counted()
    page.keyboard.press("/")
    expect(page.locator("#q")).to_be_focused()
    page.keyboard.type("nguyen van thu d1 80", delay=20)  # its letters and digits are keys of the entry page
    expect(page.locator("#search-panel")).to_contain_text("Không tìm thấy ai")
    page.keyboard.press("Escape")
    expect(page.locator("#search-panel")).to_be_hidden()
    assert page.url == household
    page.keyboard.press("/")
    page.keyboard.type("nguyễn thử 1980", delay=20)  # over what was typed before
    results = page.locator("#search-panel li a")
    expect(results).to_have_count(8)
    assert serious_violations(page) == []
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(results.nth(1)).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#q")).to_be_focused()
    page.keyboard.press("ArrowDown")
    target = results.nth(0).get_attribute("href")
    press_and_wait(page, "Enter")
    assert page.url == stack.url + target
    expect(page.locator(".person.is-current")).to_have_count(1)
    page.keyboard.press("/")
    page.keyboard.type("thử 1980")
    press_and_wait(page, "Enter")
    assert "/search/?q=" in page.url
    expect(page.locator("tbody tr")).to_have_count(20)
    assert stack.counted() == counted
    assert page.complaints == []


def test_late_answers_do_not_replace_newer_ones(open_page, stack: Stack):
    page = open_page("pc06")
    waiting = []

    def hold(route):
        if "q=zzz" in route.request.url:
            waiting.append(route)
        else:
            route.continue_()

    page.route("**/search/?q=*", hold)
    page.keyboard.press("/")
    page.keyboard.type("zzz")
    wait_until(lambda: page.wait_for_timeout(20) or waiting, seconds=5)
    page.keyboard.press("Control+a")
    page.keyboard.type("nguyen thu")
    expect(page.locator("#search-panel li a")).to_have_count(8)
    for route in waiting:
        route.abort()
    page.wait_for_timeout(200)
    expect(page.locator("#search-panel li a")).to_have_count(8)


def test_search_without_scripts(open_page, stack: Stack):
    page = open_page("colleague", scripts=False)
    page.fill("#q", "nguyen thu 80")
    press_and_wait(page, "Enter")
    page.locator("tbody a").first.click()
    expect(page.locator(".person.is-current")).to_have_count(1)


@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize("language", ["vi", "en"])
def test_no_page_is_inaccessible_too_wide_or_untranslated(open_page, stack: Stack, viewport, language):
    for username, paths in (
        ("pc06", ["/", "/teams/", "/exports/", "/accounts/password/", "/search/?q=nguyen+1980", "/search/?q=zzz"]),
        ("officer", ["/", "/next/", "/units/{commune}/forms/?state=all", "/units/{commune}/forms/print/"]),
    ):
        page = open_page(username, viewport=viewport)
        page.context.add_cookies([{"name": "django_language", "value": language, "url": stack.url}])
        for path in paths:
            page.goto(stack.url + path.format(commune=stack.commune))
            assert page.locator("html").get_attribute("lang") == language
            serious = serious_violations(page)
            assert serious == [], (path, serious)
            too_wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert too_wide <= 0, f"{path} scrolls sideways by {too_wide} px"
        assert page.complaints == []
