"""The web server as the supervisor starts it, and load on it: wrk with requests prepared in a file."""

import http.client
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings
from django.test import Client

from benchmarks.measure import Skipped
from census_verify import supervisor
from households.models import User

LUA = Path(__file__).parent / "lua" / "prepared.lua"
PRODUCT, BARE = "census_verify.wsgi:application", "benchmarks.bare.wsgi:application"
CSRF = "benchmarksbenchmarksbenchmarks00"  # 32 characters, as Django makes them
HOST = "127.0.0.1"


@dataclass(frozen=True)
class Request:
    path: str
    cookie: str = ""
    body: str = ""  # with a body it is a POST
    is_panel: bool = False  # as the search field asks while somebody types


@dataclass(frozen=True)
class Load:
    """What wrk saw."""

    per_second: float
    p50: float  # milliseconds
    p95: float
    requests: int
    statuses: dict[str, int] = field(default_factory=dict)
    errors: int = 0  # connections and time-outs, not answers

    def only(self, *statuses: int) -> "Load":
        """Itself, where every answer had one of these statuses."""
        wrong = {s: n for s, n in self.statuses.items() if int(s) not in statuses}
        if wrong or self.errors or not self.requests:
            raise RuntimeError(f"answers {self.statuses}, {self.errors} errors, expected {statuses}")
        return self


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]


@contextmanager
def server(application: str = PRODUCT, *, all_programs: bool = False, env: dict | None = None):
    """gunicorn with the supervisor's options on a free port, with `all_programs` also workers and beat.

    Yields (port, children); each child is a `census_verify.processes.Child`.
    """
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        port = free_port()
        environment = os.environ | {"LOG_LEVEL": "WARNING"} | (env or {})
        children = list(supervisor._programs(Path(folder), environment, HOST, port))
        if not all_programs:
            children = children[:1]
        web = children[0]
        web.command = [application if part == PRODUCT else part for part in web.command]
        try:
            for child in children:
                child.start()
            _wait(web, port)
            yield port, children
        finally:
            for child in reversed(children):
                child.stop()


def _wait(web, port: int) -> None:
    for _ in range(300):
        connection = http.client.HTTPConnection(HOST, port, timeout=10)
        try:
            connection.request("GET", "/healthz")
            connection.getresponse().read()
            return
        except (OSError, http.client.HTTPException):
            if not web.is_running():
                break
            time.sleep(0.1)
        finally:
            connection.close()
    raise RuntimeError(f"the web server does not answer: {web.last_words()}")


def cookie_of(officer: User) -> str:
    """The cookies of an officer who has logged in, and of the CSRF check."""
    client = Client(headers={"host": "localhost"})
    client.force_login(officer, settings.AUTHENTICATION_BACKENDS[-1])
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    return f"{settings.SESSION_COOKIE_NAME}={session}; {settings.CSRF_COOKIE_NAME}={CSRF}"


def wrk(port: int, requests: list[Request], *, clients: int, seconds: float, repeat: bool = True) -> Load:
    """Send `requests` one after the other over `clients` connections for some seconds.

    Without `repeat` each is sent once; the load ends early when they have run out.
    """
    if not shutil.which("wrk"):
        raise Skipped("wrk is not installed: apt install wrk")
    with tempfile.TemporaryDirectory(prefix="benchmark-wrk-") as folder:
        file = Path(folder) / "requests"
        file.write_text(
            "".join(f"{r.path}\t{r.cookie}\t{r.body}\t{'htmx' if r.is_panel else ''}\n" for r in requests), "utf-8"
        )
        env = os.environ | {"REQUESTS": str(file), "REPEAT": "1" if repeat else "", "CSRF": CSRF}
        command = ["wrk", "-t1", f"-c{clients}", f"-d{max(1, round(seconds))}s", "--timeout", "20s", "-s", str(LUA)]
        out = subprocess.run([*command, f"http://{HOST}:{port}/"], env=env, capture_output=True, text=True, check=False)
    found = re.search(r"^RESULT (.*)$", out.stdout, re.M)
    if not found:
        raise RuntimeError(out.stdout + out.stderr)
    said = json.loads(found[1])
    return Load(
        said["requests"] / (said["us"] / 1e6), said["p50"] / 1000, said["p95"] / 1000,
        said["requests"], said["statuses"], said["errors"],
    )  # fmt: skip


def python(module: str, *arguments: str, env: dict | None = None) -> tuple[str, float, int]:
    """Run a module in a process of its own: (what it printed, seconds, largest memory in bytes)."""
    return watched([sys.executable, "-m", module, *arguments], env)


def watched(command: list[str], env: dict | None = None) -> tuple[str, float, int]:
    """Run a command: (what it printed, seconds, the largest memory of it and of the processes beside it, in bytes).

    The kernel's own account of a finished child begins with what its parent held when it was started, which is no
    memory of the child's; so its high-water mark is read while it runs.
    """
    peak = 0
    with tempfile.TemporaryFile("w+") as said:
        started = time.perf_counter()
        child = subprocess.Popen(command, env=os.environ | (env or {}), stdout=said)
        while child.poll() is None:
            peak = max(peak, sum(map(_high_water, _family(str(child.pid)))))
            time.sleep(0.05)
        seconds = time.perf_counter() - started
        said.seek(0)
        printed = said.read()
    if child.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {child.returncode}: {printed[-2000:]}")
    return printed, seconds, peak


def _family(pid: str) -> list[str]:
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        children = []
    return [pid, *(one for child in children for one in _family(child))]


def _high_water(pid: str) -> int:
    try:
        return int(re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[1]) * 1024
    except (OSError, TypeError):  # it has just ended
        return 0
