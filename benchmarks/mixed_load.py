"""A working hour of the province: 300 officers with time to think, pc06 looking on; afterwards everything is recounted."""

import asyncio
import random
import time
from collections import defaultdict
from urllib.parse import quote

from django.urls import NoReverseMatch, reverse

from benchmarks.client import Officer
from benchmarks.measure import Line, Options, percentile
from benchmarks.officers import officers
from benchmarks.saves import Due, households
from benchmarks.web import CSRF, cookie_of, server
from households.models import CollectionForm, User
from reports import proof
from verification.models import Round

TITLE = "Mixed load: 300 officers for ten minutes"
WATCHERS = 5  # of pc06, each on the province's page
THINK = 20.0  # seconds on average between two actions of an officer
STARTS_WITHIN = 40  # the officers come in one after the other


class Spent:
    """Seconds of every action, and what was answered otherwise than expected."""

    def __init__(self):
        self.seconds: dict[str, list[float]] = defaultdict(list)
        self.wrong: list[str] = []

    def add(self, action: str, answer, *expected: int) -> None:
        self.seconds[action].append(answer.seconds)
        if answer.status not in expected:
            self.wrong.append(f"{action}: {answer.status}")


def run(options: Options) -> tuple[list[Line], str]:
    left = households()
    people = officers(options.officers)
    work = _work_of(left, people, options)
    pc06 = cookie_of(User.objects.get(username="pc06"))
    terms = _terms()
    spent = Spent()
    with server(all_programs=True) as (port, _):
        asyncio.run(_everybody(port, people, work, pc06, terms, spent, options.minutes * 60))
    difference = proof.first_difference(Round.objects.current())
    everything = [s for seconds in spent.seconds.values() for s in seconds]
    rate = len(everything) / (options.minutes * 60)
    lines = [
        Line("errors", [len(spent.wrong)], "", must=0, aim=0, note=", ".join(sorted(set(spent.wrong))[:3])),
        Line(
            "stored minus recount at the end",
            [0 if difference is None else 1],
            "",
            must=0,
            aim=0,
            note=difference or "",
        ),
        Line("requests a second", [rate], "/s", note=f"{len(everything)} in all"),
    ]
    table = ["| action | times | p50 ms | p95 ms | p99 ms | longest |", "| --- | ---: | ---: | ---: | ---: | ---: |"]
    for action, seconds in spent.seconds.items():
        p50, p95, p99, longest = (percentile(seconds, p) * 1000 for p in (50, 95, 99, 100))
        table.append(f"| {action} | {len(seconds)} | {p50:.0f} | {p95:.0f} | {p99:.0f} | {longest:.0f} |")
    return lines, "\n".join(table) + "\n"


def _work_of(left, people: list[User], options: Options) -> dict[int, list[Due]]:
    """For each officer households of her own commune that nobody else of the run takes."""
    posted = dict(User.objects.filter(pk__in=[p.pk for p in people]).values_list("pk", "postings__unit_id"))
    by_commune: dict[int, list[Due]] = defaultdict(list)
    for size in (4, 3, 5, 2):
        for due in left.left.get(size, []):
            by_commune[due.commune_id].append(due)
    most = int(options.minutes * 60 / THINK) + 2
    work = {}
    for officer in people:
        stock = by_commune[posted[officer.pk]]
        work[officer.pk], by_commune[posted[officer.pk]] = stock[:most], stock[most:]
    return work


def _terms() -> list[str]:
    keys = CollectionForm.objects.filter(pk__gt=1000).order_by("pk").values_list("search_key", flat=True)[:4000:40]
    return [" ".join(key.split()[-2:]) for key in keys]


async def _everybody(port, people, work, pc06, terms, spent: Spent, seconds: float) -> None:
    until = time.perf_counter() + seconds
    chosen = random.Random(4)
    arrive = min(STARTS_WITHIN, seconds / 3)
    tasks = [
        _officer(port, officer, work[officer.pk], terms, spent, until, chosen.random() * arrive, random.Random(place))
        for place, officer in enumerate(people)
    ]
    tasks += [_watcher(port, pc06, spent, until, random.Random(-place)) for place in range(1, WATCHERS + 1)]
    await asyncio.gather(*tasks)


async def _officer(port, officer, work, terms, spent: Spent, until: float, starts: float, chosen) -> None:
    """Logs in, then: open the next household, look, save; now and then a list, a search, the commune's page."""
    await asyncio.sleep(starts)
    browser = Officer(port, f"csrftoken={CSRF}")
    answer = await browser.log_in(officer.username)
    spent.add("log in", answer, 302)
    # the check of a form is by the token we know
    session = [cookie for cookie in answer.cookies if not cookie.startswith("csrftoken=")]
    browser.cookie = "; ".join([f"csrftoken={CSRF}", *session])
    try:
        search = reverse("verification:search")
    except NoReverseMatch:
        search = ""
    for due in work:
        if not await _think(chosen, until):
            break
        spent.add("open a household", await browser.get(due.path), 200)
        if not await _think(chosen, until):
            break
        spent.add("save it", await browser.post(due.path, due.request("").body), 302)
        what = chosen.random()
        if what < 0.1:
            spent.add("commune page", await browser.get("/"), 200)
        elif what < 0.2:
            spent.add("list", await browser.get(f"/units/{due.commune_id}/forms/"), 200)
        elif what < 0.3 and search:
            spent.add("search", await browser.get(f"{search}?q={quote(chosen.choice(terms))}"), 200)
    browser.close()


async def _watcher(port, cookie: str, spent: Spent, until: float, chosen) -> None:
    browser = Officer(port, cookie)
    while await _think(chosen, until):
        spent.add("province page", await browser.get("/"), 200)
    browser.close()


async def _think(chosen, until: float) -> bool:
    """Some while, on average THINK seconds; False when the day is over."""
    await asyncio.sleep(min(chosen.uniform(0.4, 1.6) * THINK, max(0, until - time.perf_counter())))
    return time.perf_counter() < until
