"""A thousand requests whose client hangs up in the middle: nothing of them may stay behind."""

import random
import socket
import struct
import time

from django.db import connection

from benchmarks.measure import Line, Options
from benchmarks.saves import households
from benchmarks.web import CSRF, HOST, Request, server, wrk

TITLE = "Requests cut off by the client"


def run(options: Options) -> list[Line]:
    left, chosen = households(), random.Random(3)
    count = 100 if options.quick else 1000
    requests = left.requests(4, count // 2)
    pages = [Request(request.path, request.cookie) for request in requests]
    with server() as (port, (web, *_)):
        for place in range(count):
            _cut(port, (requests if place % 2 else pages)[place // 2], chosen)
        time.sleep(3)
        idle = _idle_in_transaction()
        after = wrk(port, pages[:100], clients=16, seconds=options.seconds)
        refused = sum(n for status, n in after.statuses.items() if status != "200") + after.errors
        broken = web.log.read_text(errors="replace").count("Internal Server Error") if web.log.exists() else 0
    return [
        Line(f"connections idle in transaction after {count} cut-off requests", [idle], "", must=0, aim=0),
        Line(
            "answers other than 200 among the next pages", [refused], "", must=0, aim=0, note=f"{after.requests} pages"
        ),
        Line("errors 500 in the server's log", [broken], "", must=0, aim=0),
    ]


def _cut(port: int, request: Request, chosen: random.Random) -> None:
    """Sends a request, whole or in part, and resets the connection at some moment of its making."""
    body = request.body.encode()
    head = f"{'POST' if body else 'GET'} {request.path} HTTP/1.1\r\nHost: localhost\r\nCookie: {request.cookie}\r\n"
    if body:
        head += (
            f"X-CSRFToken: {CSRF}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n"
        )
    whole = head.encode() + b"\r\n" + body
    part = whole if chosen.random() < 0.7 else whole[: chosen.randrange(1, len(whole))]
    with socket.create_connection((HOST, port), 5) as connection_:
        connection_.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection_.sendall(part)
        time.sleep(chosen.random() * 0.03)


def _idle_in_transaction() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
            "AND state LIKE 'idle in transaction%'"
        )
        return cursor.fetchone()[0]
