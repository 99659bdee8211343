"""The promises of ./run, tried on real processes: nothing here is imitated."""

import fcntl
import os
import signal
import socket
import stat
import subprocess
import sys
import textwrap
import time
import urllib.request
from contextlib import closing, suppress

import psycopg2
import pytest
import redis

from census_verify.local_servers import LONGEST_SOCKET_PATH, LocalPostgres, LocalValkey
from census_verify.processes import CannotStart, Child, holders
from census_verify.supervisor import REPO, servers_and_env

OWN_FAMILY = ["sh", "-c", "sleep 300 & sleep 300"]
IGNORES_SIGTERM = ["sh", "-c", "trap '' TERM; while :; do sleep 0.1; done"]


@pytest.fixture
def var(tmp_path):
    return tmp_path / "var"


@pytest.fixture
def started():
    """Starts programs, and sees to it that none outlives its test."""
    children = []

    def start(child):
        children.append(child)
        child.start()
        return child

    yield start
    for child in reversed(children):
        child.stop()


def eventually(question, patience=15):
    deadline = time.monotonic() + patience
    while not (answer := question()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return answer


def supervise(var, *arguments, **env):
    """Standard streams are pipes, as in CI."""
    return subprocess.Popen(
        [sys.executable, "-m", "census_verify.supervisor", "run", *arguments],
        cwd=REPO,
        env={name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL", "HOST")}
        | {"CENSUS_VERIFY_VAR": str(var), **env},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class TestChild:
    def test_its_whole_family_ends_with_it(self, var, started):
        child = started(Child("family", OWN_FAMILY, var))
        assert eventually(lambda: len(holders([child.marker])) == 3)
        child.stop()
        assert holders([child.marker]) == set()

    def test_what_outlived_its_parent_is_ended_by_the_next_start(self, var, started):
        child = started(Child("family", OWN_FAMILY, var))
        eventually(lambda: len(holders([child.marker])) == 3)
        os.kill(child.process.pid, signal.SIGKILL)
        child.process.wait()
        orphans = holders([child.marker])
        assert len(orphans) == 2
        child.start()
        assert not orphans & holders([child.marker])

    def test_one_that_will_not_listen_is_killed(self, var, started):
        child = started(Child("deaf", IGNORES_SIGTERM, var, patience=0.5))
        time.sleep(0.2)
        child.stop()
        assert child.process.returncode == -signal.SIGKILL

    def test_it_dies_with_a_supervisor_that_is_killed(self, var):
        script = """
            import sys, time
            from census_verify.processes import Child
            Child("lonely", ["sleep", "300"], sys.argv[1]).start()
            print("started", flush=True)
            time.sleep(300)
        """
        parent = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(script), str(var)], cwd=REPO, stdout=subprocess.PIPE
        )
        marker = Child("lonely", [], var).marker
        with parent:
            parent.stdout.readline()
            assert len(holders([marker])) == 1
            parent.kill()
        assert eventually(lambda: not holders([marker]))


class TestServers:
    def test_a_named_server_wins_over_the_one_brought_along(self, var, monkeypatch):
        var.mkdir()
        monkeypatch.setenv("DATABASE_URL", "postgresql://somewhere/else")
        monkeypatch.delenv("REDIS_URL", raising=False)
        servers, env = servers_and_env(var)
        assert [server.name for server in servers] == ["valkey"]
        assert env["DATABASE_URL"] == "postgresql://somewhere/else"

        monkeypatch.delenv("DATABASE_URL")
        monkeypatch.setenv("REDIS_URL", "redis://somewhere/0")
        servers, env = servers_and_env(var)
        assert [server.name for server in servers] == ["postgres"]
        assert env["REDIS_URL"] == "redis://somewhere/0"

    def test_the_secret_key_is_made_once_and_kept_from_others(self, var, monkeypatch):
        var.mkdir()
        monkeypatch.delenv("SECRET_KEY", raising=False)
        first = servers_and_env(var)[1]["SECRET_KEY"]
        assert len(first) >= 50
        assert servers_and_env(var)[1]["SECRET_KEY"] == first
        assert stat.S_IMODE((var / "secret_key").stat().st_mode) == 0o600

    def test_a_path_too_long_for_a_socket_falls_back_to_a_short_one(self, var, started):
        valkey = started(LocalValkey(var / "dài" / ("x" * LONGEST_SOCKET_PATH)))
        assert len(os.fsencode(valkey.socket)) <= LONGEST_SOCKET_PATH
        assert stat.S_IMODE(valkey.socket.parent.stat().st_mode) == 0o700
        with closing(redis.from_url(valkey.url)) as client:
            assert client.ping()
        valkey.stop()
        assert not valkey.socket.parent.parent.exists()

    def test_a_short_folder_that_is_not_ours_is_refused(self, var):
        valkey = LocalValkey(var / ("x" * LONGEST_SOCKET_PATH))
        trap = valkey.socket.parent.parent
        trap.symlink_to(var.parent)
        try:
            with pytest.raises(CannotStart, match="belongs to another user"):
                valkey.start()
        finally:
            trap.unlink()

    @pytest.mark.faults
    def test_postgres_keeps_what_it_promised_through_kill_9(self, var, started):
        postgres = started(LocalPostgres(var))
        with closing(psycopg2.connect(postgres.url)) as connection, connection, connection.cursor() as cursor:
            cursor.execute("CREATE EXTENSION pg_trgm")
            cursor.execute("CREATE TABLE kept AS SELECT lower('ĐẶNG') AS name")
        postgres.kill()
        with pytest.raises(psycopg2.OperationalError):
            psycopg2.connect(postgres.url)
        postgres.start()
        with closing(psycopg2.connect(postgres.url)) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT name FROM kept")
            assert cursor.fetchall() == [("đặng",)]

    @pytest.mark.faults
    def test_postgres_starts_though_an_innocent_program_has_its_old_number(self, var, started):
        postgres = started(LocalPostgres(var))
        pid_file = postgres.folder / "postmaster.pid"
        lines = pid_file.read_text().splitlines()
        postgres.kill()
        with subprocess.Popen(["sleep", "300"], **postgres.identity) as innocent:
            pid_file.write_text("\n".join([str(innocent.pid), *lines[1:]]) + "\n")
            try:
                postgres.start()
                assert innocent.poll() is None
            finally:
                innocent.kill()

    @pytest.mark.faults
    def test_a_database_half_made_is_made_again(self, var, started):
        postgres = LocalPostgres(var)
        (postgres.home / "data.new" / "base").mkdir(parents=True)
        started(postgres)
        psycopg2.connect(postgres.url).close()

    def test_nothing_listens_but_the_socket_in_a_closed_folder(self, var, started):
        postgres = started(LocalPostgres(var))
        assert stat.S_IMODE(postgres.socket.parent.stat().st_mode) == 0o700
        with closing(psycopg2.connect(postgres.url)) as connection, connection.cursor() as cursor:
            cursor.execute("SHOW listen_addresses")
            assert cursor.fetchone() == ("",)

    @pytest.mark.faults
    def test_valkey_comes_back_after_kill_9(self, var, started):
        valkey = started(LocalValkey(var))
        valkey.kill()
        with closing(redis.from_url(valkey.url)) as client:
            with pytest.raises(redis.ConnectionError):
                client.ping()
            valkey.start()
            assert client.ping()

    def test_data_of_another_postgres_are_left_alone(self, var):
        postgres = LocalPostgres(var)
        postgres.folder.mkdir(parents=True)
        (postgres.folder / "PG_VERSION").write_text("9\n")
        with pytest.raises(CannotStart, match="made by PostgreSQL 9"):
            postgres.start()


class TestRun:
    def test_a_taken_port_is_said_before_anything_starts(self, var):
        with socket.create_server(("127.0.0.1", 0)) as other:
            port = other.getsockname()[1]
            supervisor = supervise(var, "--no-demo", PORT=str(port))
            _, error = supervisor.communicate(timeout=30)
        assert supervisor.returncode == 1
        assert f"Cannot listen on 127.0.0.1 port {port}" in error
        assert "Traceback" not in error
        assert not (var / "postgres").exists()

    def test_a_port_that_is_no_number_is_refused(self, var):
        supervisor = supervise(var, PORT="http")
        assert "PORT=http is not a port number." in supervisor.communicate(timeout=30)[1]
        assert supervisor.returncode == 1

    def test_one_folder_has_one_supervisor(self, var):
        (var / "run").mkdir(parents=True)
        with (var / "run" / "supervisor.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            supervisor = supervise(var, PORT=str(free_port()))
            _, error = supervisor.communicate(timeout=30)
        assert supervisor.returncode == 1
        assert "already running" in error
        assert "Traceback" not in error

    @pytest.mark.faults
    def test_it_comes_up_heals_and_stops_in_order(self, var):
        port = free_port()
        supervisor = supervise(var, "--no-demo", PORT=str(port))
        try:
            assert eventually(lambda: answers(port), patience=90), supervisor.communicate(timeout=1)
            web = Child("web", [], var).marker
            assert eventually(lambda: beats(var))
            before = holders([web])
            for pid in before:
                os.kill(pid, signal.SIGKILL)
            assert eventually(lambda: holders([web]) - before and answers(port), patience=30)

            supervisor.send_signal(signal.SIGINT)
            output, error = supervisor.communicate(timeout=60)
        finally:
            supervisor.kill()
            supervisor.wait()
        assert supervisor.returncode == 0, error
        assert "web: đã chạy lại / runs again" in output
        assert holders(var.glob("run/*.alive")) == set()
        stopped = [line.split()[-1] for line in output.splitlines() if line.startswith("  – ")]
        assert stopped == ["beat", "files", "worker", "web", "valkey", "postgres"]


def answers(port):
    with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as answer:
        return answer.status == 200


def beats(var):
    """Whether beat has sent its first message: until then it does not know what to do with a signal."""
    with suppress(OSError):
        return "Sending due task" in (var / "log" / "beat.log").read_text()
