"""The entry page, counted in keys: what an officer presses for each thing that happens at a door."""

import io
import time

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from census_verify.tests.stack import Officer, Stack, wait_until
from census_verify.tests.test_browser import (
    DESK,
    PHONE,
    browser,  # noqa: F401 - a fixture
    open_page,  # noqa: F401 - a fixture
    outcome_of,
    people_on,
    press_and_wait,
    serious_violations,
)

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

LAST_CORRECTION = "SELECT field || ': ' || old || ' -> ' || new || ' ' || source FROM verification_correction ORDER BY id DESC LIMIT 1"


class Keys:
    """Presses keys and counts them."""

    def __init__(self, page: Page):
        self.page, self.count = page, 0

    def press(self, *keys: str) -> "Keys":
        for key in keys:
            self.page.keyboard.press(key)
            self.count += 1
        return self

    def type(self, letters: str) -> "Keys":
        self.page.keyboard.type(letters)
        self.count += len(letters)
        return self

    def enter(self) -> int:
        with self.page.expect_navigation():
            self.press("Enter")
        return self.count


def household_of(page: Page, stack: Stack, people: int) -> Page:
    """An untouched household of so many people, opened."""
    page.goto(f"{stack.url}/households/{stack.open_households(people)[-1]}/verify/")
    assert people_on(page) == people
    return page


def test_all_right_is_one_key(open_page, stack: Stack):  # noqa: F811
    page, before = household_of(open_page("officer"), stack, 4), stack.counted()
    keys = Keys(page).enter()
    print(f"\nhousehold of four, all right: {keys} key")
    assert keys == 1
    assert stack.counted() == before + 4


def test_one_absent_of_four_is_three_keys(open_page, stack: Stack):  # noqa: F811
    page, before = household_of(open_page("officer"), stack, 4), stack.counted()
    keys = Keys(page).press("2", "v")
    assert page.locator("[name$=-reason]").input_value() == "Vắng nhà"
    assert page.locator("[name$=-next_visit_on]").input_value() == "22/6/2020"
    count = keys.enter()
    print(f"\none absent of four: {count} keys")
    assert count == 3
    assert stack.counted() == before + 3


@pytest.mark.parametrize("typed", ["12031956", "12/3/1956"])
def test_a_wrong_birth_date_is_its_digits_and_four(open_page, stack: Stack, typed):  # noqa: F811
    page = household_of(open_page("officer"), stack, 2)
    count = Keys(page).press("1", "g").type(typed).press("3").enter()
    print(f"\na wrong birth date: {len(typed)} typed + {count - len(typed)} keys")
    assert count == len(typed) + 4
    assert stack.ask(LAST_CORRECTION) == "birth_date: 17/05/1980 -> 12/03/1956 identity_card"


def test_a_wrong_name_is_its_letters_and_four(open_page, stack: Stack):  # noqa: F811
    page, name = household_of(open_page("officer"), stack, 2), "NGUYỄN VĂN THỨ"
    count = Keys(page).press("1", "h").type(name).press("2").enter()
    print(f"\na wrong name: {len(name)} letters + {count - len(name)} keys")
    assert count == len(name) + 4
    assert stack.ask(LAST_CORRECTION) == "full_name: NGUYỄN VĂN THỬ -> NGUYỄN VĂN THỨ household_book"


def test_two_items_of_one_person_and_what_they_are_called(open_page, stack: Stack):  # noqa: F811
    page = household_of(open_page("officer"), stack, 3)
    Keys(page).press("2", "m").type("183000123").press("Tab", "3", "Escape", "p").type("042080000123").press("3")
    assert outcome_of(page, 2) == "corrected", "one of them had a value"
    press_and_wait(page, "Enter")
    assert stack.ask(LAST_CORRECTION).startswith("pin:  -> 042080000123")
    page = household_of(page, stack, 3)
    Keys(page).press("2", "p").type("042080000124")
    assert outcome_of(page, 2) == "supplemented", "nothing stood there"


@pytest.mark.households(60)
def test_fifty_mixed_households_without_a_mouse(open_page, stack: Stack):  # noqa: F811
    """Eight in ten all right, one with a correction, one with somebody absent."""
    page = open_page("colleague")
    page.goto(f"{stack.url}/next/")
    keys, server = Keys(page), 0.0
    for number in range(50):
        if number % 10 == 4:
            keys.press("1", "g").type("12031956").press("3")
        elif number % 10 == 9:
            keys.press("2", "v")
        started = time.perf_counter()
        keys.enter()
        server += time.perf_counter() - started
        assert "/verify/" in page.url
    print(f"\nfifty mixed households: {keys.count} keys, {server:.1f} s from Enter to the next page, all together")
    assert keys.count == 50 + 5 * (2 + 8 + 1) + 5 * 2
    stack.require_true_totals()
    assert page.complaints == []


def test_six_people_fit_a_small_screen(open_page, stack: Stack):  # noqa: F811
    """Without what is suspected of them, which takes a line each."""
    page = household_of(open_page("officer", viewport=DESK), stack, 5)
    row = max(page.locator(".person tr:first-child").evaluate_all("rows => rows.map(row => row.offsetHeight)"))
    above = page.locator(".people tbody").first.evaluate("body => body.getBoundingClientRect().top + scrollY")
    below = page.locator(".actionbar").evaluate(
        "bar => bar.offsetHeight + parseFloat(getComputedStyle(bar).marginTop)"
        " + parseFloat(getComputedStyle(bar).marginBottom)"
    )
    print(f"\nsix people take {above + 6 * row + below:.0f} of 768 px")
    assert above + 6 * row + below <= 768


def test_a_doubt_is_told_before_and_a_second_enter_records_it(open_page, stack: Stack):  # noqa: F811
    page = household_of(open_page("officer"), stack, 4)
    before = stack.counted()
    Keys(page).press("2", "q").type("Chủ hộ").press("Tab", "2", "Enter")
    expect(page.get_by_role("alert")).to_contain_text("Kiểm tra lại")
    assert stack.counted() == before
    assert page.locator("[name$=-c0-new]").input_value() == "Chủ hộ", "what was typed stays"
    assert serious_violations(page) == []
    press_and_wait(page, "Enter")
    assert stack.counted() == before + 4
    assert stack.ask(LAST_CORRECTION).endswith("-> Chủ hộ household_book")


def test_a_lost_line_loses_nothing(open_page, stack: Stack):  # noqa: F811
    page, before = household_of(open_page("officer"), stack, 2), stack.counted()
    page.context.set_offline(True)
    page.keyboard.press("Enter")
    expect(page.locator(".last")).to_contain_text("Mất đường truyền")
    page.keyboard.press("Enter")
    with page.expect_navigation(timeout=20_000):
        page.context.set_offline(False)
    assert "/verify/?saved=" in page.url
    assert stack.counted() == before + 2, "once"
    page.complaints.clear()  # the browser notes each failed try


def test_a_power_cut_while_sending_loses_nothing(open_page, stack: Stack):  # noqa: F811
    page, before = household_of(open_page("officer"), stack, 2), stack.counted()
    page.route("**/verify/", lambda route: route.abort() if route.request.method == "POST" else route.continue_())
    Keys(page).press("1", "g").type("12031956").press("3", "Enter")
    expect(page.locator(".last")).to_contain_text("Mất đường truyền")
    again = page.context.new_page()  # the machine is on again, the officer goes to work
    again.goto(f"{stack.url}/next/")
    wait_until(lambda: again.wait_for_timeout(50) or stack.counted() == before + 2, seconds=10)
    expect(again.locator(".last")).to_contain_text("Đã ghi")
    assert again.evaluate("localStorage.length") == 0, "nothing of the people stays on the computer"
    assert stack.ask(LAST_CORRECTION) == "birth_date: 17/05/1980 -> 12/03/1956 identity_card"


def test_two_officers_in_one_household(open_page, stack: Stack):  # noqa: F811
    page, before = household_of(open_page("officer"), stack, 3), stack.counted()
    colleague = Officer(stack, "colleague")
    pk = int(page.url.split("/")[4])
    assert colleague.save(pk).status == 302
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("chưa ghi gì")
    assert stack.counted() == before + 3, "one result a form"
    page.get_by_role("link", name="Xem bản mới nhất").click()
    expect(page.locator(".state.ok")).to_have_count(3)


def test_the_form_that_a_duplicate_repeats(open_page, stack: Stack):  # noqa: F811
    page = household_of(open_page("officer"), stack, 2)
    page.keyboard.press("1")
    page.keyboard.press("t")
    page.get_by_role("link", name="Tìm phiếu kia").click()
    dialog = page.locator("#twins")
    expect(dialog).to_be_visible()
    expect(dialog.locator("tbody tr").first).to_contain_text("NGUYỄN VĂN THỬ")
    assert serious_violations(page) == []
    barcode = dialog.locator("[data-barcode]").first.get_attribute("data-barcode")
    page.keyboard.press("Enter")  # the first one has the focus
    expect(dialog).to_be_hidden()
    assert page.locator("[name$=-duplicate_barcode]").input_value() == barcode
    press_and_wait(page, "Enter")
    found = "SELECT f.barcode FROM verification_verificationpass p JOIN households_collectionform f ON f.id = p.duplicate_of_id ORDER BY p.id DESC LIMIT 1"
    assert stack.ask(found) == barcode


def test_a_photo_of_the_paper_goes_with_its_correction(open_page, stack: Stack):  # noqa: F811
    page = household_of(open_page("officer"), stack, 2)
    Keys(page).press("1", "g").type("12031956").press("1")
    photo = io.BytesIO()
    Image.new("RGB", (400, 300), "white").save(photo, "PNG")
    page.locator("[data-proof]:visible input[type=file]").last.set_input_files(
        {"name": "giấy khai sinh.png", "mimeType": "image/png", "buffer": photo.getvalue()}
    )
    expect(page.locator(".proof-state:visible")).to_contain_text("Đã đính kèm")
    assert serious_violations(page) == []
    page.keyboard.press("Escape")
    press_and_wait(page, "Enter")
    proved = (
        "SELECT c.source FROM verification_proof p JOIN verification_correction c ON c.id = p.correction_id"
        " ORDER BY p.uploaded_at DESC LIMIT 1"
    )
    assert stack.ask(proved) == "birth_certificate"


def test_without_scripts_another_result_takes_one_more_page(open_page, stack: Stack):  # noqa: F811
    page = household_of(open_page("officer", scripts=False), stack, 2)
    before = stack.counted()
    page.locator("select.outcome").first.select_option("corrected")
    page.locator("#submit").click()
    expect(page.get_by_role("alert")).to_be_visible()
    page.locator("select.item").first.select_option("birth_date")
    page.locator("input.new").first.fill("12/3/1956")
    page.locator("select.paper").first.select_option("identity_card")
    page.locator("#submit").click()
    page.wait_for_url("**/verify/?saved=*")
    assert stack.counted() == before + 2
    page.locator("#order select").select_option("book")
    page.get_by_role("button", name="Chọn").click()
    assert "/verify/" in page.url


@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize("language", ["vi", "en"])
def test_what_each_outcome_asks_is_accessible_and_fits(open_page, stack: Stack, viewport, language):  # noqa: F811
    page = open_page("officer", viewport=viewport)
    page.context.add_cookies([{"name": "django_language", "value": language, "url": stack.url}])
    household_of(page, stack, 5)
    for number, outcome in enumerate(("corrected", "deceased", "duplicate", "not_met", "unverifiable")):
        page.locator("select.outcome").nth(number).select_option(outcome)
    assert serious_violations(page) == []
    too_wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert too_wide <= 0
    assert page.complaints == []
