"""The morning: 300 officers log in within ten seconds, with their passwords."""

import asyncio
import time

from django.contrib.auth.hashers import check_password
from django.urls import reverse

from benchmarks.client import Officer
from benchmarks.measure import Line, Options, Readings, clock, percentile, quiet
from benchmarks.officers import officers
from benchmarks.web import CSRF, server
from census_verify.supervisor import DEMO_PASSWORD

TITLE = "Login storm: 300 in ten seconds"
OFFICERS, SECONDS = 300, 10


def run(options: Options) -> list[Line]:
    seen = Readings()
    people = officers(OFFICERS)
    count = 60 if options.quick else OFFICERS
    names = [officer.username for officer in people[:count]]
    with server() as (port, _):
        for _ in range(min(options.rounds, 3)):
            quiet(options.quiet_seconds)
            seen.add("hash", clock(lambda: check_password(DEMO_PASSWORD, people[0].password)) * 1000)
            spent, errors, took = asyncio.run(_storm(port, names))
            seen.add("p50", percentile(spent, 50) * 1000)
            seen.add("p95", percentile(spent, 95) * 1000)
            seen.add("errors", errors)
            seen.add("took", took)
    scheme = people[0].password.rsplit("$", 2)[0]
    return [
        seen.line("errors", "errors", "", must=0, aim=0),
        seen.line("one login: p50", "p50", "ms"),
        seen.line("one login: p95", "p95", "ms"),
        seen.line(
            "until the last was in", "took", "s", note=f"{count} logins, sent over {SECONDS * count / OFFICERS:.0f} s"
        ),
        seen.line("checking one password, alone", "hash", "ms", note=scheme),
    ]


async def _storm(port: int, names: list[str]) -> tuple[list[float], int, float]:
    spent, errors = [], 0
    started = time.perf_counter()
    gap = SECONDS / OFFICERS

    async def log_in(place: int, name: str) -> None:
        nonlocal errors
        await asyncio.sleep(place * gap)
        officer = Officer(port, f"csrftoken={CSRF}")
        asked = time.perf_counter()
        try:
            page = await officer.get(reverse("login"))
            answer = await officer.log_in(name)
            errors += page.status != 200 or answer.status != 302
        except (OSError, asyncio.IncompleteReadError):
            errors += 1
        spent.append(time.perf_counter() - asked)
        officer.close()

    await asyncio.gather(*(log_in(place, name) for place, name in enumerate(names)))
    return spent, errors, time.perf_counter() - started
