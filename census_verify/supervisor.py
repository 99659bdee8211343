"""Starts and watches everything the program consists of: what `./run` and `./test` call.

    python -m census_verify.supervisor run [--full] [--share 0.05] [--no-demo]
    python -m census_verify.supervisor test [arguments of pytest …]

Knows nothing of Django: it must be able to say why the program does not start. All state lies in
one folder, var/ or CENSUS_VERIFY_VAR, which belongs to one supervisor at a time. A database or
broker named in DATABASE_URL or REDIS_URL always wins over the one brought along.
"""

import argparse
import fcntl
import http.client
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path

from census_verify.local_servers import LocalPostgres, LocalValkey
from census_verify.processes import CannotStart, Child, end_leftovers

REPO = Path(__file__).resolve().parent.parent
TRAINING_DAY = "2020-06-19"
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# One process for all steps: loading Django takes longer than a step that has nothing to do.
MANAGE = """
import json, sys, django
django.setup()
from django.core.management import CommandError, call_command
try:
    for step in json.loads(sys.argv[1]):
        call_command(*step)
except CommandError as refusal:
    sys.exit(str(refusal))
"""
LONGEST_PAUSE = 30
DEMO_ACCOUNTS = "admin, pc06, lanhdao, huyen.huongkhe, xa.huongtra, to.huongkhe1"
DEMO_PASSWORD = "phuctra-2020"


class StopRequested(BaseException):
    """Ctrl-C or a signal; not an Exception, so that nothing on the way takes it for an error."""


def main(arguments):
    sys.stdout.reconfigure(errors="replace", line_buffering=True)
    try:
        if arguments[:1] == ["test"]:
            return test(arguments[1:])
        return run(_parse(arguments))
    except CannotStart as refusal:
        print(refusal, file=sys.stderr)
        return 1


def run(options):
    if not options.no_demo:
        os.environ.setdefault("CENSUS_VERIFY_TODAY", TRAINING_DAY)
    host, port = _address()
    var = _make_var(Path(os.environ.get("CENSUS_VERIFY_VAR") or REPO / "var"))
    with _only_supervisor_of(var):
        end_leftovers(list(var.glob("run/*.alive")))
        _require_free(host, port)
        servers, env = servers_and_env(var)
        web, *others = _programs(var, env, host, port)
        children = []
        try:
            _listen_for_signals()
            for child in servers:
                _start(child, children)
            _prepare(var, env, options, children)
            # The page first: on two cores, all at once would take seconds from it.
            _start(web, children)
            _wait_for_page(web, host, port)
            for child in others:
                _start(child, children)
            _say_where(host, port, var, demo=not options.no_demo)
            _watch(children)
        except StopRequested:
            print("\nĐang dừng … / Stopping …")
        finally:
            _ignore_signals()
            for child in reversed(children):
                child.stop()
                print(f"  – {child.name}")
    print("Đã dừng. / Stopped.")
    return 0


def test(arguments):
    """pytest with servers and a folder of its own, so that any number of runs go side by side."""
    with tempfile.TemporaryDirectory(prefix="census_verify-test-") as folder:
        servers, env = servers_and_env(_make_var(Path(folder)))
        try:
            for server in servers:
                server.start()
            return _run_pytest(arguments, env)
        finally:
            for server in reversed(servers):
                server.stop()


# --- what is run -----------------------------------------------------------------------


def servers_and_env(var):
    """The servers to start, and the environment in which every other program finds them."""
    servers = []
    env = os.environ | {"CENSUS_VERIFY_VAR": str(var), "DJANGO_SETTINGS_MODULE": "census_verify.settings"}
    env["SECRET_KEY"] = os.environ.get("SECRET_KEY") or _kept_secret(var)
    for name, server in (("DATABASE_URL", LocalPostgres(var)), ("REDIS_URL", LocalValkey(var))):
        if not os.environ.get(name):
            servers.append(server)
            env[name] = server.url
    return servers, env


def _programs(var, env, host, port):
    """Web, workers and beat, in the order they start; they stop in the opposite order."""

    def program(name, module, *options):
        return Child(name, [sys.executable, "-m", module, *options], var, env=env, cwd=REPO)

    (var / "beat").mkdir(mode=0o700, exist_ok=True)
    bind = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    web = ["census_verify.wsgi:application", "--bind", bind, "--preload", "--no-control-socket"]
    web += ["--worker-class", "gthread", "--workers", "2", "--threads", "4", "--graceful-timeout", "5"]
    # Two processes: a long export or import must not keep roll-ups waiting. Nobody else works here, so
    # there is nobody to gossip with, and no second spent on looking for others.
    worker = ["-A", "census_verify", "worker", "--loglevel", "INFO", "--concurrency", "1"]
    worker += ["--without-gossip", "--without-mingle"]
    files = [*worker, "--queues", "exports,imports", "--hostname", "files@%h"]
    beat = ["-A", "census_verify", "beat", "--loglevel", "INFO", "--schedule", str(var / "beat" / "schedule")]
    return (
        program("web", "gunicorn", *web),
        program("worker", "celery", *worker),
        program("files", "celery", *files),
        program("beat", "celery", *beat),
    )


def _start(child, children):
    """Listed before it runs, so that a signal in between finds it."""
    children.append(child)
    child.start()


def _prepare(var, env, options, children):
    """Schema, units, static files, demo data: each finds by itself that there is nothing to do,
    but for the static files, which would all be compressed again."""
    steps = [["migrate", "--noinput", "--verbosity", "0"], ["import_units"]]
    stamp, current = var / "static.stamp", _static_stamp()
    stale = not (var / "static").exists() or not stamp.exists() or stamp.read_text() != current
    if stale:
        stamp.unlink(missing_ok=True)
        steps.append(["collectstatic", "--noinput", "--clear", "--verbosity", "0"])
    if not options.no_demo:
        steps.append(["seed_demo", *(["--full"] if options.full else ["--share", str(options.share)])])
    command = [sys.executable, "-c", MANAGE, json.dumps(steps)]
    preparation = Child("prepare", command, var, env=env, cwd=REPO, to_terminal=True)
    _start(preparation, children)
    if preparation.process.wait():
        raise CannotStart("Chuẩn bị dữ liệu không thành công, xem ở trên. / Preparing the data failed, see above.")
    children.remove(preparation)
    if stale:
        stamp.write_text(current)


def _static_stamp():
    """Changes when a static file of ours, or a package that brings some, changes."""
    files = [REPO / "requirements.txt", *sorted((REPO / "static").rglob("*"))]
    facts = [(str(file), file.stat().st_size, file.stat().st_mtime_ns) for file in files]
    return sha256(repr(facts).encode()).hexdigest()


def _run_pytest(arguments, env):
    # In our own session: Ctrl-C reaches pytest from the terminal, and it says what it had found.
    pytest = subprocess.Popen([sys.executable, "-m", "pytest", *arguments], cwd=REPO, env=env)
    signal.signal(signal.SIGINT, lambda *_: None)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: pytest.terminate())
    return pytest.wait()


# --- the folder, the key, the address --------------------------------------------------


def _make_var(var):
    """0700: exports and logs hold people's data."""
    try:
        var.mkdir(mode=0o700, parents=True, exist_ok=True)
        (var / "run").mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise CannotStart(f"Không ghi được vào {var} / Cannot write to {var}: {error.strerror}") from None
    return var.resolve()


def _kept_secret(var):
    """Made once: sessions outlive a restart."""
    path = var / "secret_key"
    with suppress(FileExistsError), open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secrets.token_urlsafe(50))
    return path.read_text()


@contextmanager
def _only_supervisor_of(var):
    with open(var / "run" / "supervisor.lock", "a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CannotStart(
                f"Chương trình đang chạy với thư mục {var}. / The program is already running with {var}."
            ) from None
        yield


def _address():
    host, port = os.environ.get("HOST") or "127.0.0.1", os.environ.get("PORT") or "8000"
    if not port.isdecimal() or not 0 < int(port) < 65536:
        raise CannotStart(f"PORT={port} không phải là số cổng. / PORT={port} is not a port number.")
    return host, int(port)


def _require_free(host, port):
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise CannotStart(
            f"Không mở được cổng {port} trên {host} ({error.strerror}); hãy đặt PORT khác, ví dụ: PORT={port + 1} ./run\n"
            f"Cannot listen on {host} port {port}; choose another, for example: PORT={port + 1} ./run"
        ) from None


# --- watching --------------------------------------------------------------------------


def _wait_for_page(web, host, port, patience=60):
    deadline = time.monotonic() + patience
    while not _page_answers(host, port):
        if not web.is_running() or time.monotonic() > deadline:
            raise CannotStart(f"web không trả lời / web does not answer, {web.log}:\n{web.last_words()}")
        time.sleep(0.05)


def _page_answers(host, port):
    """Asks as a visitor would, under a name the program accepts."""
    reachable = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    name = os.environ.get("ALLOWED_HOSTS", "").split(",")[0].strip().lstrip(".*") or "localhost"
    connection = http.client.HTTPConnection(reachable, port, timeout=10)
    try:
        connection.request("GET", "/healthz", headers={"Host": name})
        return connection.getresponse().status < 400
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _say_where(host, port, var, *, demo):
    shown = "localhost" if host in ("127.0.0.1", "0.0.0.0", "::", "::1") else host
    print(f"\n  Địa chỉ / Address:   http://{shown}:{port}/")
    if demo:
        print(f"  Tài khoản / Accounts: {DEMO_ACCOUNTS}\n  Mật khẩu / Password:  {DEMO_PASSWORD}")
    print(f"  Nhật ký / Logs:      {var / 'log'}\n  Dừng / Stop:         Ctrl-C\n")


def _watch(children):
    """Starts again whatever dies, each time after a longer pause, until a signal ends the loop."""
    failures = dict.fromkeys(children, 0)
    due = {}
    while True:
        for child in children:
            if child.is_running():
                continue
            if child not in due:
                due[child] = time.monotonic() + _pause(child, failures)
            elif time.monotonic() >= due[child]:
                del due[child]
                _start_again(child)
        time.sleep(0.3)


def _pause(child, failures):
    """One second, doubled at every failure; forgotten after a minute of good work."""
    failures[child] = failures[child] + 1 if time.monotonic() - child.started_at < 60 else 1
    seconds = min(2 ** (failures[child] - 1), LONGEST_PAUSE)
    print(f"{child.name}: bị dừng, chạy lại sau {seconds} giây / stopped, starting again in {seconds} s ({child.log})")
    return seconds


def _start_again(child):
    try:
        child.start()
        print(f"{child.name}: đã chạy lại / runs again")
    except CannotStart as refusal:
        print(refusal)


def _listen_for_signals():
    def stop(*_):
        _ignore_signals()
        raise StopRequested

    for number in SIGNALS:
        signal.signal(number, stop)


def _ignore_signals():
    """A second Ctrl-C must not interrupt an orderly stop."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def _parse(arguments):
    parser = argparse.ArgumentParser(prog="./run", description="Starts census_verify.")
    parser.add_argument("command", choices=["run"], help=argparse.SUPPRESS)
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--full", action="store_true", help="the demo province in full: 1.5 million forms")
    size.add_argument("--share", type=float, default=0.05, help="this share of it (default 0.05)")
    size.add_argument("--no-demo", action="store_true", help="no demo data and today's date: for real work")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
