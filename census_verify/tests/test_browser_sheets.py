"""Sheets at the running program, in a real browser: printed, typed with the keyboard only, and without scripts."""

import io

import pytest
from playwright.sync_api import Page, expect
from pypdf import PdfReader

from census_verify.tests.stack import Stack
from census_verify.tests.test_browser import (  # noqa: F401 - fixtures
    DESK,
    PHONE,
    browser,
    open_page,
    press_and_wait,
    serious_violations,
)

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


def print_hamlet(page: Page, stack: Stack, name: str) -> str:
    """Prints a hamlet and waits for the file; the number of its first sheet."""
    page.goto(f"{stack.url}/units/{stack.hamlet(name)}/sheets/")
    row = page.locator("tr.is-chosen button")
    row.focus()
    press_and_wait(page, "Enter")
    expect(page.locator("a.button.main")).to_be_visible(timeout=60_000)
    return page.locator("dl.facts dd a").first.inner_text()


def open_sheet(page: Page, stack: Stack, typed: str) -> None:
    """As a scanner does it: the text, then Enter, into the field that has the focus."""
    page.goto(f"{stack.url}/sheets/")
    expect(page.locator("#code")).to_be_focused()
    page.keyboard.type(typed)
    press_and_wait(page, "Enter")


def of_sheet(stack: Stack, number: str, column: str = "count(*)"):
    return stack.ask(
        f"SELECT {column} FROM verification_verificationpass WHERE is_standing AND sheet_id = %s",
        int(number.replace("-", "")[:-1]),
    )


def test_a_sheet_with_the_keyboard_only(open_page, stack: Stack):  # noqa: F811
    page = open_page("officer")
    number = print_hamlet(page, stack, "Nam")
    with page.expect_download() as download:
        page.locator("a.button.main").press("Enter")
    pdf = PdfReader(io.BytesIO(download.value.path().read_bytes()))
    assert number in pdf.pages[0].extract_text()
    before = stack.counted()
    open_sheet(page, stack, "PK" + number.replace("-", ""))
    people = page.locator(".sheet-lines tbody tr:not(.home)").count()
    expect(page.locator("#typed")).to_be_focused()
    page.keyboard.type("2 s ngaysinh 12/03/1956 hk\n3 v đi làm ăn xa 25/6\n4 k 3 không gặp\n200 d")
    page.keyboard.press("Tab")
    press_and_wait(page, "Enter")
    expect(page.locator(".problems")).to_contain_text("200")
    assert stack.counted() == before
    press_and_wait(page, "Enter")  # back to the text
    expect(page.locator("#typed")).to_be_focused()
    page.keyboard.press("Control+End")
    for _ in "\n200 d":
        page.keyboard.press("Backspace")
    page.keyboard.press("Tab")
    press_and_wait(page, "Enter")
    main = page.locator("main")
    expect(main).to_contain_text(f"{people} người: {people - 3} đúng, 1 sai, 1 vắng, 1 không xác minh được")
    expect(main).to_contain_text("17/05/1980 → 12/03/1956")
    assert serious_violations(page) == []
    assert stack.counted() == before
    press_and_wait(page, "Enter")
    expect(page.locator(".notice.saved")).to_contain_text(f"{people} người")
    assert of_sheet(stack, number) == people
    assert of_sheet(stack, number, "count(DISTINCT submission)") == 1
    assert stack.counted() == before + people - 1
    page.locator(".notice.saved button").focus()
    press_and_wait(page, "Enter")
    assert "undone=1" in page.url
    assert of_sheet(stack, number) == 0
    stack.require_true_totals()
    assert page.complaints == []


def test_without_scripts_by_choosing_from_lists(open_page, stack: Stack):  # noqa: F811
    page = open_page("colleague", scripts=False)
    number = print_hamlet(page, stack, "Tây")
    open_sheet(page, stack, number)
    people = page.locator(".sheet-lines tbody tr:not(.home)").count()
    page.fill("[name=line]", "1")
    page.select_option("[name=outcome]", "not_met")
    page.fill("[name=value]", "đi làm ăn xa")
    page.fill("[name=day]", "25/6")
    with page.expect_navigation():
        page.click("[name=add]")
    assert page.input_value("#typed") == "1 v đi làm ăn xa 25/6\n"
    with page.expect_navigation():
        page.click("[name=check]")
    with page.expect_navigation():
        page.locator("main form button.main").click()
    expect(page.locator(".notice.saved")).to_contain_text(f"{people} người")
    assert of_sheet(stack, number) == people


def test_somebody_else_was_quicker(open_page, stack: Stack):  # noqa: F811
    page = open_page("officer")
    number = print_hamlet(page, stack, "Đông")
    open_sheet(page, stack, number)
    home = page.locator(".sheet-lines .home a").first.get_attribute("href")
    page.keyboard.press("Tab")
    press_and_wait(page, "Enter")
    other = open_page("colleague")
    other.goto(stack.url + home)
    press_and_wait(other, "Enter")
    press_and_wait(page, "Enter")
    expect(page.get_by_role("alert")).to_contain_text("vừa thay đổi")
    expect(page.locator("main")).to_contain_text("đã có kết quả")
    assert of_sheet(stack, number) == 0
    press_and_wait(page, "Enter")
    expect(page.locator(".notice.saved")).to_be_visible()
    assert of_sheet(stack, number) > 0


@pytest.mark.households(900)
def test_a_whole_commune_in_the_worker_killed_once(open_page, stack: Stack):  # noqa: F811
    page = open_page("officer")
    page.goto(f"{stack.url}/units/{stack.commune}/sheets/")
    page.locator("button.main").focus()
    press_and_wait(page, "Enter")
    expect(page.locator("progress[value]")).to_be_visible(timeout=30_000)
    stack.worker.kill()
    stack.worker.start()
    expect(page.locator("a.button.main")).to_be_visible(timeout=120_000)
    job = int(page.url.rstrip("/").rsplit("/", 1)[1])
    sheets = stack.ask("SELECT count(*) FROM verification_sheet WHERE printing_id = %s", job)
    lines = "SELECT count(*) FROM verification_sheetline l JOIN verification_sheet s ON s.id = l.sheet_id"
    due = stack.ask(f"{lines} WHERE s.printing_id = %s", job)
    assert sheets > 10
    assert due == stack.ask(
        "SELECT count(*) FROM verification_roundform WHERE commune_id = %s AND outcome = ''", stack.commune
    )
    page.goto(f"{stack.url}/sheets/")
    expect(page.locator("section table")).not_to_have_count(0)


@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize("language", ["vi", "en"])
def test_no_page_is_inaccessible_too_wide_or_untranslated(open_page, stack: Stack, viewport, language):  # noqa: F811
    page = open_page("officer", viewport=viewport)
    number = print_hamlet(page, stack, "Nam")
    page.context.add_cookies([{"name": "django_language", "value": language, "url": stack.url}])
    sheet = int(number.replace("-", "")[:-1])
    for path in ("/sheets/", f"/units/{stack.hamlet('Nam')}/sheets/", f"/sheets/{sheet}/", page.url[len(stack.url) :]):
        page.goto(stack.url + path)
        assert page.locator("html").get_attribute("lang") == language
        assert serious_violations(page) == [], path
        too_wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert too_wide <= 0, f"{path} scrolls sideways by {too_wide} px"
    assert page.complaints == []
