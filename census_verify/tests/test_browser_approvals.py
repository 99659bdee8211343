"""The district's queue at the running program, in a real browser: with the keyboard only, and without scripts."""

import re
import threading

import pytest
from playwright.sync_api import Page, expect

from census_verify.tests.stack import Officer, Stack, wait_until
from census_verify.tests.test_browser import (  # noqa: F401 - fixtures
    PHONE,
    browser,
    open_page,
    press_and_wait,
    serious_violations,
)

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

QUEUE = "/approvals/?kind=corrections"
NEW = "SELECT full_name FROM households_collectionform WHERE id = %s"


def correct(stack: Stack, *names: str) -> list[int]:
    """Somebody of a household of its own each is corrected to the name; the forms."""
    officer, forms = Officer(stack, "officer"), []
    for name in names:
        home = stack.open_households()[0]
        form_id = stack.ask(
            "SELECT form_id FROM verification_roundform WHERE household_id = %s ORDER BY 1 LIMIT 1", home
        )
        fields = officer.household_fields(home)
        fields |= {f"p{form_id}-outcome": "corrected", f"p{form_id}-c0-field": "full_name",
                   f"p{form_id}-c0-new": name, f"p{form_id}-c0-source": "birth_certificate"}  # fmt: skip
        assert officer.save(home, fields).status == 302
        forms.append(form_id)
    return forms


def approval_of(stack: Stack, form_id: int) -> str:
    return stack.ask("SELECT approval FROM verification_roundform WHERE form_id = %s", form_id)


def names_on(page: Page) -> list[str]:
    return page.locator(".decision h2").all_inner_texts()


def decide_all(stack: Stack) -> None:
    """Everything in the queue is approved, or returned where the form reads otherwise by now."""
    district = Officer(stack, "district")
    while ids := re.findall(r'name="pass" value="(\d+)"', district.send("/approvals/").body):
        for pass_id in ids:
            if district.send("/approvals/", {"approve": pass_id}).status == 409:
                returned = {"return": pass_id, f"reason-{pass_id}": "phiếu nay ghi khác"}
                assert district.send("/approvals/", returned).status == 302


def test_with_the_keyboard_only(open_page, stack: Stack):  # noqa: F811
    forms = correct(stack, "PHẠM VĂN MỘT", "PHẠM VĂN HAI", "PHẠM VĂN BA", "PHẠM VĂN BỐN")
    page = open_page("district")
    page.goto(stack.url + QUEUE)
    assert len(names_on(page)) == 4
    assert serious_violations(page) == []
    page.keyboard.press("Shift+?")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    # the second is approved with two keys, and the third is where the keys go on
    page.keyboard.press("j")
    press_and_wait(page, "a")
    expect(page.get_by_role("status")).to_contain_text("Đã duyệt 1 kết quả")
    assert approval_of(stack, forms[1]) == "approved"
    assert stack.ask(NEW, forms[1]) == "PHẠM VĂN HAI"
    expect(page.locator(".decision").nth(1)).to_have_class(re.compile("is-current"))
    # it goes back with a reason; without one it stays, and what was typed, too
    page.keyboard.press("r")
    press_and_wait(page, "Enter")
    expect(page.get_by_role("alert")).to_be_visible()
    page.keyboard.type("giấy khai sinh mờ")
    press_and_wait(page, "Enter")
    assert approval_of(stack, forms[2]) == "returned"
    # the two left at once
    page.keyboard.press("k")
    page.keyboard.press("x")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("x")
    expect(page.locator("#how-many")).to_have_text("đã chọn 2")
    press_and_wait(page, "a")
    assert [approval_of(stack, form) for form in forms] == ["approved", "approved", "returned", "approved"]
    expect(page.locator("main")).to_contain_text("Đã duyệt xong")
    assert [text for text in page.complaints if "400" not in text] == []
    # the officer finds it first, with the reason
    officer = open_page("officer")
    officer.goto(f"{stack.url}/next/")
    expect(officer.locator("main")).to_contain_text("giấy khai sinh mờ")
    stack.require_true_totals()


def test_without_scripts_and_on_a_telephone(open_page, stack: Stack):  # noqa: F811
    forms = correct(stack, "VÕ VĂN MỘT", "VÕ VĂN HAI", "VÕ VĂN BA")
    page = open_page("district", scripts=False, viewport=PHONE)
    page.goto(stack.url + QUEUE)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    first = page.locator(".decision").first
    first.locator("summary", has_text="Trả lại").click()
    first.locator("input[name^=reason-]").fill("chưa khớp sổ hộ khẩu")
    first.locator("button[name=return]").click()
    expect(page.get_by_role("status")).to_contain_text("Đã trả lại 1 kết quả")
    for box in page.locator("input[name=pass]").all():
        box.check()
    page.locator("#approve-chosen").click()
    expect(page.get_by_role("status")).to_contain_text("Đã duyệt 2 kết quả")
    assert [approval_of(stack, form) for form in forms] == ["returned", "approved", "approved"]


def test_two_officers_at_the_same_moment(open_page, stack: Stack):  # noqa: F811
    (form,) = correct(stack, "LÝ VĂN MỘT")
    one, other = Officer(stack, "district"), Officer(stack, "district2")
    pass_id = re.search(r'name="pass" value="(\d+)"', one.send("/approvals/").body)[1]
    other.send("/approvals/")
    answers: list = []
    go = threading.Barrier(2)

    def press(officer: Officer, sent: dict) -> None:
        go.wait()
        answers.append(officer.send("/approvals/", sent))

    threads = [
        threading.Thread(target=press, args=(one, {"approve": pass_id})),
        threading.Thread(target=press, args=(other, {"return": pass_id, f"reason-{pass_id}": "xem lại"})),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answer.status for answer in answers) == [302, 409]
    told = next(answer.body for answer in answers if answer.status == 409)
    assert re.search(r"LÝ VĂN MỘT|NGUYỄN VĂN THỬ", told)
    assert re.search(r"(đã được|đã bị) Cán Bộ Thử \d+ (duyệt|trả lại) lúc", told)
    assert stack.ask("SELECT count(*) FROM verification_passevent WHERE verification_pass_id = %s", pass_id) == 1
    expected = "LÝ VĂN MỘT" if approval_of(stack, form) == "approved" else "NGUYỄN VĂN THỬ"
    assert stack.ask(NEW, form) == expected


def test_what_is_suspected_follows_in_the_worker(stack: Stack):
    (form,) = correct(stack, "HỒ VĂN MỘT")
    # the made-up people of these tests share one name and one birth date, so each is suspected to be on two forms
    stack.manage("sweep_faults")
    suspected = "SELECT count(*) FROM households_suspectedfault WHERE form_id = %s AND fault = 'L09'"
    assert stack.ask(suspected, form) == 1
    decide_all(stack)
    wait_until(lambda: not stack.ask(suspected, form), seconds=20)
    stack.require_true_totals()
