"""From an officer's save to the figure on the page, with worker and beat running."""

import http.client
import time

from benchmarks.measure import Line, Options, quiet
from benchmarks.saves import households
from benchmarks.web import CSRF, HOST, server
from reports import rollups
from reports.models import Tally
from verification.models import Round

TITLE = "From the save to the figure"
SAVES = 10
LONGEST = 20


def run(options: Options) -> list[Line]:
    left, spent = households(), []
    rollups.roll_up()
    round = Round.objects.current()
    with server(all_programs=True) as (port, _):
        time.sleep(8)  # until worker and beat are at it
        for request, due in _saves(left, 2 if options.quick else SAVES):
            quiet(options.quiet_seconds / 5)
            tally = Tally.objects.filter(round=round, unit=due.commune_id)
            before = tally.values_list("verified", flat=True).get()
            _post(port, request)
            started = time.perf_counter()
            while tally.values_list("verified", flat=True).get() == before and time.perf_counter() < started + LONGEST:
                time.sleep(0.02)
            spent.append(time.perf_counter() - started)
    return [Line("seconds from the answer to the save until the commune's figure has it", spent, "s", must=5, aim=1)]


def _saves(left, count: int):
    for due in left.take(4, count):
        yield due.request(left.cookie(due.officer_id)), due


def _post(port: int, request) -> None:
    connection = http.client.HTTPConnection(HOST, port, timeout=30)
    headers = {"Cookie": request.cookie, "X-CSRFToken": CSRF, "Content-Type": "application/x-www-form-urlencoded"}
    connection.request("POST", request.path, request.body, headers)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    if answer.status != 302:
        raise RuntimeError(f"the save was answered with {answer.status}")
