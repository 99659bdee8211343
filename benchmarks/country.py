"""The country's peak: 200 entries a second at a fixed rate, whether the server keeps up or not."""

import asyncio
import time

from benchmarks.client import Officer
from benchmarks.measure import Line, Options, Readings, percentile, quiet
from benchmarks.saves import households
from benchmarks.web import Request, server

TITLE = "The country's peak: 200 entries a second"
RATE, OFFICERS = 200, 300


def run(options: Options) -> list[Line]:
    left, seen = households(), Readings()
    seconds = 3 if options.quick else 8
    rounds = min(options.rounds, 3)  # as many households of one as the province has
    with server() as (port, _):
        for people, rate in ((1, RATE), (4, RATE // 4)):
            warm = left.requests(people, 20)
            asyncio.run(_drive(port, warm, 20))
            for _ in range(rounds if people == 1 else options.rounds):
                quiet(options.quiet_seconds)
                requests = left.requests(people, int(rate * seconds))
                spent, errors, took = asyncio.run(_drive(port, requests, rate))
                seen.add(f"{people} p95", percentile(spent, 95) * 1000)
                seen.add(f"{people} p50", percentile(spent, 50) * 1000)
                seen.add(f"{people} errors", errors)
                seen.add(f"{people} rate", len(requests) * people / took)
    lines = []
    for people, what in ((1, "200 saves of one person a second"), (4, "50 saves of four a second (200 entries)")):
        lines += [
            seen.line(f"{what}: p95", f"{people} p95", "ms", must=300, aim=100),
            seen.line(f"{what}: p50", f"{people} p50", "ms"),
            seen.line(f"{what}: errors", f"{people} errors", "", must=0, aim=0),
            seen.line(f"{what}: entries/s that came through", f"{people} rate", "/s", more=True),
        ]
    return lines


async def _drive(port: int, requests: list[Request], rate: float) -> tuple[list[float], int, float]:
    """Sends each at its moment; the time of an answer counts from that moment, waiting for a free connection too."""
    free: asyncio.LifoQueue[Officer] = asyncio.LifoQueue()
    for _ in range(OFFICERS):
        free.put_nowait(Officer(port))
    spent, errors = [], 0
    started = time.perf_counter()

    async def send(place: int, request: Request) -> None:
        nonlocal errors
        due = started + place / rate
        await asyncio.sleep(max(0, due - time.perf_counter()))
        officer = await free.get()
        officer.cookie = request.cookie
        try:
            answer = await officer.post(request.path, request.body)
            errors += answer.status != 302
        except (OSError, asyncio.IncompleteReadError):
            errors += 1
            officer.close()
        spent.append(time.perf_counter() - due)
        free.put_nowait(officer)

    await asyncio.gather(*(send(place, request) for place, request in enumerate(requests)))
    took = time.perf_counter() - started
    while not free.empty():
        free.get_nowait().close()
    return spent, errors, max(took, len(requests) / rate)
