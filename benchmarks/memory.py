"""Memory of each process after a quarter of a minute of pages and saves."""

from pathlib import Path

from benchmarks.measure import Line, Options
from benchmarks.saves import households
from benchmarks.web import Request, cookie_of, server, wrk
from census_verify.processes import holders
from households.models import User

TITLE = "Memory of each process"


def run(options: Options) -> list[Line]:
    left = households()
    pages = [Request("/", cookie_of(User.objects.get(username="pc06")))]
    pages += [Request(due.path, left.cookie(due.officer_id)) for due in left.take(4, 100)]
    with server(all_programs=True) as (port, children):
        wrk(port, pages, clients=16, seconds=options.seconds * 2).only(200)
        wrk(
            port, left.requests(4, int(options.seconds * 100)), clients=16, seconds=options.seconds * 2, repeat=False
        ).only(302)
        lines, total = [], 0.0
        for child in children:
            for number, pid in enumerate(sorted(holders([child.marker])), start=1):
                pss, highest = _memory(pid)
                total += pss
                name = f"{child.name} {number}" if number > 1 else child.name
                lines.append(Line(name, [pss], "MB", against="PSS: own pages, and its share of those shared",
                                  note=f"most at one time {highest:.0f} MB (RSS)"))  # fmt: skip
    return [*lines, Line("all processes together", [total], "MB")]


def _memory(pid: int) -> tuple[float, float]:
    """(proportional set size, largest resident size) in MB."""
    folder = Path("/proc") / str(pid)
    pss = next(line for line in (folder / "smaps_rollup").read_text().splitlines() if line.startswith("Pss:"))
    highest = next(line for line in (folder / "status").read_text().splitlines() if line.startswith("VmHWM:"))
    return int(pss.split()[1]) / 1024, int(highest.split()[1]) / 1024
