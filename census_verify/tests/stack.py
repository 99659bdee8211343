"""The whole program, really running: its own PostgreSQL and Valkey, web, worker, beat; and officers at it.

Always the servers that the program brings along, so that a test may kill them. One program serves all tests,
and each test works in a district of its own: what one records, returns or uses up, no other one meets.
"""

import http.cookiejar
import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import psycopg2

from census_verify.local_servers import LocalPostgres, LocalValkey
from census_verify.processes import Child
from census_verify.tests.stack_data import AT_THE_PROVINCE, PASSWORD, codes_of

REPO = Path(__file__).resolve().parents[2]
EXPECTED_FIELD = re.compile(r'name="(p\d+-expected_pass)" value="(\d*)"')
FORM_FIELD = re.compile(r'name="(p(\d+)-outcome)"')


class Stack:
    def __init__(self, folder: Path, households: list[int]):
        """`households`: how many the first commune of each district holds."""
        self.households = households
        self.enter(0)
        self.var = folder
        self.postgres, self.valkey = LocalPostgres(folder), LocalValkey(folder)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.env = os.environ | {
            "DATABASE_URL": self.postgres.url,
            "REDIS_URL": self.valkey.url,
            "CENSUS_VERIFY_VAR": str(folder),
            "CENSUS_VERIFY_TODAY": "2020-06-19",
            "SECRET_KEY": "only-for-this-test-run-0123456789-0123456789-0123456789",
            "DJANGO_SETTINGS_MODULE": "census_verify.settings",
        }
        python = sys.executable
        web = [python, "-m", "gunicorn", "census_verify.wsgi", "--bind", f"127.0.0.1:{self.port}"]
        self.web = self._child("web", [*web, "--worker-class", "gthread", "--workers", "2", "--threads", "4"])
        worker = [python, "-m", "celery", "-A", "census_verify", "worker", "--concurrency", "2", "--without-mingle"]
        worker += ["--queues", "celery,exports,imports"]
        self.worker = self._child("worker", [*worker, "-n", "one@%h"])
        self.second_worker = self._child("second-worker", [*worker, "-n", "two@%h"])
        beat = [python, "-m", "celery", "-A", "census_verify", "beat", "--schedule", str(folder / "beat")]
        self.beat = self._child("beat", beat)

    def enter(self, district: int) -> None:
        """From here on everything is asked of this district."""
        self.district = district
        _, self.commune_code, self.other_commune_code = codes_of(district)

    def login_of(self, who: str) -> str:
        """The user name of `officer`, `colleague`, `district` … of this district, or of the province's."""
        return who if who in AT_THE_PROVINCE else f"{who}.{self.district}"

    def _child(self, name: str, command: list[str]) -> Child:
        return Child(name, command, self.var, env=self.env, cwd=REPO)

    def start(self) -> None:
        self.postgres.start()
        self.valkey.start()
        self.manage("migrate", "--verbosity", "0")
        self.manage("collectstatic", "--noinput", "--verbosity", "0")
        fill = [sys.executable, "-m", "census_verify.tests.stack_data", *map(str, self.households)]
        subprocess.run(fill, env=self.env, cwd=REPO, check=True)
        for child in (self.web, self.worker, self.beat):
            child.start()
        wait_until(lambda: self.get("/readyz") == 200, seconds=60)
        wait_until(lambda: not self.marks(), seconds=20)

    def stop(self) -> None:
        for child in (self.beat, self.second_worker, self.worker, self.web, self.valkey, self.postgres):
            child.stop()

    def manage(self, *command: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            [sys.executable, "manage.py", *command], env=self.env, cwd=REPO, check=True, capture_output=True, text=True
        )

    def get(self, path: str) -> int:
        try:
            with urllib.request.urlopen(self.url + path, timeout=10) as answer:
                return answer.status
        except urllib.error.HTTPError as answer:
            return answer.code
        except OSError:
            return 0

    def connect(self):
        return psycopg2.connect(self.postgres.url)

    def ask(self, sql: str, *parameters):
        """The first column of the first row."""
        connection = self.connect()
        try:
            with connection.cursor() as cursor:
                cursor.execute(sql, parameters)
                return cursor.fetchone()[0]
        finally:
            connection.close()

    def marks(self) -> int:
        return self.ask("SELECT count(*) FROM verification_rollupmark")

    def verified(self) -> int:
        """The province's stored figure."""
        return self.ask(
            "SELECT verified FROM reports_tally t JOIN households_administrativeunit u ON u.id = t.unit_id"
            " WHERE u.level = 1"
        )

    def counted(self) -> int:
        """The same, counted from the passes: a removal once it was approved."""
        return self.ask(
            "SELECT count(*) FROM verification_verificationpass p JOIN verification_roundform r ON r.standing_pass_id = p.id"
            " WHERE p.is_standing AND p.outcome <> 'not_met'"
            " AND NOT (p.outcome IN ('deceased', 'duplicate', 'emigrated') AND r.approval IN ('pending', 'returned'))"
        )

    def require_true_totals(self) -> None:
        """Every stored figure is the recount, once what is marked was rolled up."""
        wait_until(lambda: not self.marks(), seconds=30)
        assert "equals the recount" in self.manage("check_rollups").stdout
        assert self.verified() == self.counted()

    @property
    def commune(self) -> int:
        return self.unit(self.commune_code)

    def unit(self, code: str) -> int:
        return self.ask("SELECT id FROM households_administrativeunit WHERE code = %s", code)

    def hamlet(self, name: str) -> int:
        return self.ask(
            "SELECT id FROM households_administrativeunit WHERE name = %s AND parent_id = %s", name, self.commune
        )

    def open_households(self, people: int | None = None) -> list[int]:
        """The commune's households without any result; all of them, or those of so many people."""
        connection = self.connect()
        try:
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT household_id FROM verification_roundform r JOIN households_administrativeunit u"
                    " ON u.id = r.commune_id WHERE u.code = %s GROUP BY 1"
                    " HAVING bool_and(outcome = '') AND count(*) = coalesce(%s, count(*)) ORDER BY 1",
                    [self.commune_code, people],
                )
                return [pk for (pk,) in cursor.fetchall()]
        finally:
            connection.close()


@dataclass(frozen=True)
class Answer:
    status: int
    body: str
    location: str = ""


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args, **kwargs):
        return None


class Officer:
    """Somebody at a browser without scripts."""

    def __init__(self, stack: Stack, who: str):
        self.stack = stack
        self.cookies = http.cookiejar.CookieJar()
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.cookies), NoRedirect)
        self.send("/accounts/login/")
        answer = self.send("/accounts/login/", {"username": stack.login_of(who), "password": PASSWORD})
        assert answer.status == 302, answer

    def send(self, path: str, fields: dict | None = None) -> Answer:
        data = (
            None
            if fields is None
            else urllib.parse.urlencode({"csrfmiddlewaretoken": self._token} | fields, doseq=True)
        )
        return self._open(urllib.request.Request(self.stack.url + path, data and data.encode()))

    def upload(self, path: str, name: str, file: bytes) -> Answer:
        """Sends a file from the page that asks for one."""
        edge = uuid4().hex
        token = f'Content-Disposition: form-data; name="csrfmiddlewaretoken"\r\n\r\n{self._token}'
        head = f'Content-Disposition: form-data; name="file"; filename="{name}"\r\nContent-Type: text/csv\r\n\r\n'
        data = f"--{edge}\r\n{token}\r\n--{edge}\r\n{head}".encode() + file + f"\r\n--{edge}--\r\n".encode()
        kind = {"Content-Type": f"multipart/form-data; boundary={edge}"}
        return self._open(urllib.request.Request(self.stack.url + path, data, kind))

    @property
    def _token(self) -> str:
        return next(c.value for c in self.cookies if c.name == "csrftoken")

    def _open(self, request: urllib.request.Request) -> Answer:
        try:
            answer = self.opener.open(request, timeout=60)
        except urllib.error.HTTPError as refused:
            answer = refused
        with answer:
            return Answer(answer.status, answer.read().decode(), answer.headers.get("Location", ""))

    def household_fields(self, pk: int) -> dict:
        """What the entry page would send when Enter is pressed."""
        body = self.send(f"/households/{pk}/verify/").body
        submission = re.search(r'name="submission"[^>]*value="([^"]+)"', body).group(1)
        fields = {"submission": submission, "methods": "both", "verified_on": "19/6/2020"}
        fields |= dict(EXPECTED_FIELD.findall(body))
        return fields | {name: "matched" for name, _ in FORM_FIELD.findall(body)}

    def save(self, pk: int, fields: dict | None = None) -> Answer:
        return self.send(f"/households/{pk}/verify/", fields or self.household_fields(pk))


def wait_until(true: Callable[[], bool], *, seconds: float, every: float = 0.1) -> float:
    """Waits, and returns how long it took; fails when it never becomes true."""
    started = time.monotonic()
    while not true():
        if time.monotonic() - started > seconds:
            raise AssertionError(f"still not so after {seconds} s")
        time.sleep(every)
    return time.monotonic() - started
