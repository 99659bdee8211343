"""A chip card at the running program: from a USB scanner, which is a quick keyboard, and from camera and photo."""

import os
import shutil
import struct
import zlib
from random import randrange
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest
import zxingcpp
from playwright.sync_api import Page, expect, sync_playwright

from census_verify.tests import test_browser
from census_verify.tests.stack import Stack
from census_verify.tests.test_browser import DESK, OFFLINE, PHONE, press_and_wait, serious_violations
from verification.tests.cards import card_text

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

open_page = test_browser.open_page  # the fixture, with the browser below
QR = zxingcpp.BarcodeFormat.QRCode
WIDTH, HEIGHT = 640, 480


def grey_code(text: str) -> list[bytes]:
    """The lines of a grey picture with the QR code of this text in its middle."""
    code = memoryview(zxingcpp.create_barcode(text, QR).to_image(scale=6))
    rows, columns = code.shape
    above, left = (HEIGHT - rows) // 2, (WIDTH - columns) // 2
    white = bytes([255]) * WIDTH
    lines = [white] * above
    for y in range(rows):
        row = bytes(code[y, x] for x in range(columns))
        lines.append(white[:left] + row + white[: WIDTH - left - columns])
    return lines + [white] * (HEIGHT - len(lines))


def png(lines: list[bytes]) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", WIDTH, len(lines), 8, 0, 0, 0, 0)
    body = zlib.compress(b"".join(b"\0" + line for line in lines))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def film(lines: list[bytes]) -> bytes:
    """What Chromium shows in place of a camera: one frame, over and over."""
    colours = bytes([128]) * (WIDTH * HEIGHT // 2)
    frame = b"FRAME\n" + b"".join(lines) + colours
    return f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F10:1 Ip A1:1 C420jpeg\n".encode() + frame * 2


NUMBER_IN_FILM = "042080777777"


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    """With a camera that sees one card for ever."""
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    file = tmp_path_factory.mktemp("camera") / "card.y4m"
    file.write_bytes(film(grey_code(card_text(number=NUMBER_IN_FILM))))
    camera = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
    camera.append(f"--use-file-for-fake-video-capture={file}")
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=found, args=[*OFFLINE, *camera])
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


class Person(NamedTuple):
    form: int
    household: int
    line: int
    number: str

    @property
    def card(self) -> str:
        return card_text(number=self.number)


@pytest.fixture
def person(stack: Stack):
    """Somebody with a number of her own, of whom the form knows the year of birth only."""

    def make(household: int = 0, line: int = 2, number: str = "") -> Person:
        household = household or stack.open_households()[-1]
        number = number or f"04208{randrange(10**7):07d}"
        connection = stack.connect()
        with connection, connection.cursor() as cursor:
            cursor.execute(
                "UPDATE households_collectionform SET pin = %s, birth_day = NULL, birth_month = NULL, birth_year = 1980"
                " WHERE household_id = %s AND line = %s RETURNING id",
                [number, household, line],
            )
            (form,) = cursor.fetchone()
        connection.close()
        return Person(form, household, line, number)

    return make


def scan(page: Page, text: str, end: str = "Enter") -> None:
    """As a scanner does: every key at once, no field chosen."""
    with page.expect_navigation(url="**/scan/"):
        page.keyboard.type(text)
        if end:
            page.keyboard.press(end)


@pytest.mark.parametrize("end", ["Enter", "Tab", ""], ids=["enter", "tab", "no end key"])
def test_a_scan_on_the_entry_page_presses_none_of_its_keys(open_page, stack: Stack, person, end):
    page = open_page("officer")
    hers = person()
    page.goto(f"{stack.url}/next/")
    counted = stack.counted()
    posted = []
    page.on("request", lambda request: posted.append((request.method, urlsplit(request.url).path)))
    scan(page, hers.card, end)
    assert page.url == f"{stack.url}/scan/"
    assert [method for method, path in posted if "/verify/" in path] == []
    assert ("POST", "/scan/") in posted
    assert all(hers.number not in path for _method, path in posted)
    expect(page.locator("main")).to_contain_text("1 mục trên phiếu chưa đúng như thẻ")
    assert stack.counted() == counted
    assert page.complaints == []


def test_from_the_scan_to_the_record_with_the_keyboard_only(open_page, stack: Stack, person):
    page = open_page("officer")
    hers = person()
    scan(page, hers.card)
    expect(page.locator("input[name=take]:checked")).to_have_count(1)
    page.keyboard.press("2")  # off
    expect(page.locator("input[name=take]:checked")).to_have_count(0)
    page.keyboard.press("2")
    press_and_wait(page, "Enter")
    assert page.url == f"{stack.url}/households/{hers.household}/verify/?person={hers.form}"
    prefix = f"[name=p{hers.form}-c0"
    assert page.input_value(f"{prefix}-field]") == "birth_date"
    assert page.input_value(f"{prefix}-new]") == "17/05/1980"
    assert page.input_value(f"{prefix}-source]") == "identity_card"
    expect(page.locator(".person.is-current")).to_have_id(f"p{hers.line}")
    press_and_wait(page, "Enter")
    correction = "SELECT old || ' -> ' || new || ' ' || source FROM verification_correction ORDER BY id DESC LIMIT 1"
    assert stack.ask(correction) == "1980 -> 17/05/1980 identity_card"
    assert page.complaints == []


def test_what_was_typed_before_the_scan_is_still_there_after_it(open_page, stack: Stack, person):
    page = open_page("officer")
    page.goto(f"{stack.url}/next/")
    household = int(page.url.split("/")[4])
    hers = person(household)
    other = page.locator("select[name$=-outcome]").first.get_attribute("name").split("-")[0]
    page.keyboard.press("1")
    page.keyboard.press("k")
    page.keyboard.type("Đi làm ăn xa")
    scan(page, hers.card)  # while the cursor is in the reason
    press_and_wait(page, "Enter")
    assert page.input_value(f"[name={other}-outcome]") == "unverifiable"
    assert page.input_value(f"[name={other}-reason]") == "Đi làm ăn xa"
    assert page.input_value(f"[name=p{hers.form}-outcome]") == "corrected"
    scan(page, card_text(number="042080999999", cmnd="", name="Lê Văn Không Có"))
    expect(page.locator("main")).to_contain_text("chưa được ghi")
    with page.expect_navigation():
        page.get_by_role("button", name="Về lại hộ đó").click()
    assert page.input_value(f"[name={other}-reason]") == "Đi làm ăn xa"
    assert page.input_value(f"[name=p{hers.form}-c0-new]") == "17/05/1980"
    assert page.complaints == []


@pytest.mark.parametrize("field", ["#q", "input[name=verified_on]", "select[name$=-outcome]"])
def test_a_scan_into_a_field_leaves_nothing_there(open_page, stack: Stack, person, field):
    page = open_page("officer")
    hers = person()
    page.goto(f"{stack.url}/next/")
    asked = []
    page.on("request", lambda request: asked.append(request.url) if "/search/" in request.url else None)
    left = page.locator(field).first
    before = left.input_value()
    left.focus()
    page.evaluate(
        "(field) => { window.left = document.querySelector(field);"
        " document.getElementById('card').addEventListener('submit', (e) => e.preventDefault()); }",
        field,
    )
    page.keyboard.type(hers.card)
    assert left.input_value() == before
    page.keyboard.press("Enter")
    page.wait_for_timeout(300)
    assert left.input_value() == before
    assert not [url for url in asked if hers.number in url]


def test_typing_numbers_quickly_is_typing(open_page, stack: Stack):
    page = open_page("officer")
    page.goto(f"{stack.url}/next/")
    page.focus("#q")
    page.keyboard.type("183000001")
    assert page.input_value("#q") == "183000001"
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    page.keyboard.press("2")
    expect(page.locator(".person.is-current")).to_have_id("p2")


def test_under_an_input_method_letters_are_told_and_the_person_found(open_page, stack: Stack, person):
    page = open_page("officer")
    hers = person()
    page.goto(f"{stack.url}/next/")
    # an input method hands over "Process" for the digits; only their place on the keyboard is known
    page.evaluate(
        """(number) => {
            const press = (key, code, shiftKey) => document.body.dispatchEvent(
              new KeyboardEvent("keydown", { key, code, shiftKey, bubbles: true, cancelable: true }));
            for (const digit of number) press("Process", `Digit${digit}`, false);
            press("Process", "Backslash", true);
        }""",
        hers.number,
    )
    with page.expect_navigation(url="**/scan/"):
        page.keyboard.type(card_text(name="Nguyeenx Vawn Thuwr").split("|", 1)[1])
        page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("Tắt bộ gõ tiếng Việt")
    expect(page.locator("h1")).to_have_text("NGUYỄN VĂN THỬ")


def test_without_scripts(open_page, stack: Stack, person):
    page = open_page("officer", scripts=False)
    hers = person()
    page.get_by_role("link", name="Quét thẻ").click()
    expect(page.locator("main [name=text]")).to_be_focused()
    page.keyboard.type(hers.card)
    press_and_wait(page, "Enter")
    press_and_wait(page, "Enter")  # what is ticked
    expect(page.locator("main")).to_contain_text("lấy theo thẻ")
    press_and_wait(page, "Enter")
    assert f"/households/{hers.household}/verify/" in page.url
    assert page.input_value(f"[name=p{hers.form}-c0-new]") == "17/05/1980"


def test_several_are_chosen_by_a_digit(open_page, stack: Stack, person):
    page = open_page("officer")
    first = person()
    second = person(stack.open_households()[-2], number=first.number)
    scan(page, first.card)
    expect(page.locator("main")).to_contain_text("Có 2 phiếu")
    assert serious_violations(page) == []
    chosen = page.locator("button[name=form]").nth(1).get_attribute("value")
    press_and_wait(page, "2")
    assert str(first.form) != str(second.form)
    assert page.locator("#take input[name=form]").get_attribute("value") == chosen


def test_a_photo_of_the_card(open_page, stack: Stack, person):
    page = open_page("officer")
    hers = person()
    page.goto(f"{stack.url}/scan/")
    page.set_input_files(
        "#photo", {"name": "a.png", "mimeType": "image/png", "buffer": png([bytes([90]) * WIDTH] * 400)}
    )
    expect(page.locator("#reading-state")).to_contain_text("Không thấy mã QR")
    with page.expect_navigation(url="**/scan/"):
        card = {"name": "b.png", "mimeType": "image/png", "buffer": png(grey_code(hers.card))}
        page.set_input_files("#photo", card)
    expect(page.locator("main")).to_contain_text("1 mục trên phiếu chưa đúng như thẻ")
    assert page.complaints == []


def test_the_camera(open_page, stack: Stack, person):
    page = open_page("officer")
    person(number=NUMBER_IN_FILM)
    page.goto(f"{stack.url}/scan/")
    with page.expect_navigation(url="**/scan/"):
        page.click("#camera")
    expect(page.locator("main")).to_contain_text("1 mục trên phiếu chưa đúng như thẻ")
    assert page.complaints == []


@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize("language", ["vi", "en"])
def test_accessible_and_not_too_wide(open_page, stack: Stack, person, viewport, language):
    page = open_page("officer", viewport=viewport)
    page.context.add_cookies([{"name": "django_language", "value": language, "url": stack.url}])
    hers = person()
    nobody = card_text(number="042080999999", cmnd="", name="Lê Văn Không Có")
    for text in ("", hers.card, hers.card.replace("Nguyễn", "Nguyeenx"), nobody, hers.card[:50]):
        page.goto(f"{stack.url}/scan/")
        if text:
            page.fill("#text", text)
            press_and_wait(page, "Enter")
        assert page.locator("html").get_attribute("lang") == language
        assert serious_violations(page) == [], text[-20:]
        too_wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert too_wide <= 0, f"scrolls sideways by {too_wide} px"
    assert [line for line in page.complaints if "400" not in line] == []
