"""Officers whose line breaks, or who close the browser, in the middle of a request: nothing of it stays behind."""

import socket
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlencode

import pytest

from census_verify.tests.stack import Officer, Stack, wait_until

pytestmark = pytest.mark.faults
REQUESTS = 1000


def raw_request(officer: Officer, path: str, fields: dict | None = None) -> bytes:
    cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in officer.cookies)
    head = f"Host: 127.0.0.1\r\nCookie: {cookies}\r\nConnection: close\r\n"
    if fields is None:
        return f"GET {path} HTTP/1.1\r\n{head}\r\n".encode()
    token = next(cookie.value for cookie in officer.cookies if cookie.name == "csrftoken")
    body = urlencode({"csrfmiddlewaretoken": token} | fields).encode()
    kind = "Content-Type: application/x-www-form-urlencoded\r\n"
    return f"POST {path} HTTP/1.1\r\n{head}{kind}Content-Length: {len(body)}\r\n\r\n".encode() + body


def hang_up(stack: Stack, request: bytes, number: int) -> None:
    """A third of them in the middle of what is sent, a third as soon as it is sent, a third in the middle of the answer."""
    with socket.create_connection(("127.0.0.1", stack.port), timeout=30) as line:
        line.sendall(request[: len(request) * 2 // 3] if number % 3 == 0 else request)
        if number % 3 == 2:
            line.recv(100)
        # reset, not an orderly farewell: as a cable that was pulled
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


@pytest.mark.households(60)
def test_a_thousand_requests_cut_off_in_the_middle(stack: Stack):
    officer = Officer(stack, "officer")
    households = stack.open_households()[:50]
    saves = [raw_request(officer, f"/households/{pk}/verify/", officer.household_fields(pk)) for pk in households]
    requests = [
        *saves,
        *(raw_request(officer, f"/households/{pk}/verify/") for pk in households),
        raw_request(officer, "/"),
    ]
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda number: hang_up(stack, requests[number % len(requests)], number), range(REQUESTS)))

    idle = "SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%%' AND pid <> pg_backend_pid()"
    locks = "SELECT count(*) FROM pg_locks WHERE locktype = 'transactionid' AND pid <> pg_backend_pid()"
    wait_until(lambda: stack.ask(idle) == 0, seconds=10)
    wait_until(lambda: stack.ask(locks) == 0, seconds=10)
    log = stack.web.log.read_text(errors="replace")
    assert "Internal Server Error" not in log
    for pk in households:  # each answers, and was recorded whole or not at all
        assert officer.send(f"/households/{pk}/verify/").status == 200
    halves = """SELECT count(*) FROM (SELECT household_id FROM verification_roundform WHERE household_id = ANY(%s)
        GROUP BY 1 HAVING bool_or(outcome = '') AND bool_or(outcome <> '')) half"""
    assert stack.ask(halves, households) == 0
    stack.require_true_totals()
