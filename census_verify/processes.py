"""Programs run as children, so that none is ever left behind.

A supervisor may end by Ctrl-C, by a crash or by kill -9, and a child may have children of its own
that outlive it. Therefore every child gets a session of its own (Ctrl-C in a terminal reaches the
supervisor alone), is told by the kernel when its parent dies, and holds one *marker* file open,
which its whole family inherits: who has the marker open is ours, whatever its number or name.
"""

import ctypes
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from functools import partial
from pathlib import Path

PR_SET_PDEATHSIG = 1
# Loaded here and not in the forked child, where little more than a system call is safe.
LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None
LOG_LIMIT = 10 * 1024 * 1024


class CannotStart(Exception):
    """Carries one sentence, in Vietnamese and English, that the person at the terminal can act on."""


class Child:
    """One program, its log and its family. Assumes that nobody else runs the same name in the same
    folder: what still runs there when it starts is a leftover, and is ended."""

    def __init__(
        self, name, command, var, *, env=None, cwd=None, patience=8, stop_signal=signal.SIGTERM, to_terminal=False
    ):
        self.name = name
        self.command = command
        self.env = env
        self.cwd = cwd
        self.patience = patience
        self.stop_signal = stop_signal
        self.identity = {}
        self.streams = {"stdout": None, "stderr": None} if to_terminal else {}
        self.process = None
        self.started_at = 0.0
        self.marker = Path(var).resolve() / "run" / f"{name}.alive"
        self.log = Path(var).resolve() / "log" / f"{name}.log"

    def start(self):
        self._spawn(self.command, self.cwd, **self.streams)

    def stop(self):
        """Asks, waits, then insists."""
        if self.is_running():
            self.process.send_signal(self.stop_signal)
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(self.patience)
        self.kill()

    def kill(self):
        """kill -9 of the program and of everything it started."""
        if self.is_running():
            self.process.kill()
            self.process.wait()
        end_leftovers([self.marker], patience=0)

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def last_words(self, lines=12):
        """The end of the log, for the message that says why it did not start."""
        with suppress(OSError):
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])
        return ""

    def _spawn(self, command, cwd, **streams):
        end_leftovers([self.marker])
        for path in (self.marker, self.log):
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self.log.exists() and self.log.stat().st_size > LOG_LIMIT:
            self.log.replace(self.log.with_suffix(".log.1"))
        with self.marker.open("a") as marker, self.log.open("a") as log:
            self.process = subprocess.Popen(
                command,
                cwd=cwd,
                env=self.env,
                pass_fds=[marker.fileno()],
                start_new_session=True,
                preexec_fn=partial(_die_with_parent, os.getpid(), self.stop_signal),
                **{"stdin": subprocess.DEVNULL, "stdout": log, "stderr": log, **streams},
                **self.identity,
            )
        self.started_at = time.monotonic()


def end_leftovers(markers, patience=5):
    """Ends whoever still has a marker open: politely, and after `patience` seconds for certain."""
    deadline = time.monotonic() + patience
    asked = set()
    while pids := holders(markers):
        insist = time.monotonic() >= deadline
        if time.monotonic() >= deadline + 10:
            raise CannotStart(f"Không dừng được tiến trình cũ / Old processes do not end: {sorted(pids)}")
        for pid in pids if insist else pids - asked:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL if insist else signal.SIGTERM)
        asked |= pids
        time.sleep(0.03)


def holders(markers):
    """The numbers of the processes that have one of these files open. Empty where there is no /proc."""
    names = {str(marker) for marker in markers}
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        # What ended or closed while we looked, and what belongs to other users.
        with suppress(OSError):
            for descriptor in os.listdir(process / "fd"):
                with suppress(OSError):
                    if os.readlink(process / "fd" / descriptor) in names:
                        found.add(int(process.name))
    return found - {os.getpid()}


def _die_with_parent(parent, stop_signal):
    """Runs in the child, after it changed its user (which would clear the request) and before exec."""
    if LIBC:
        LIBC.prctl(PR_SET_PDEATHSIG, stop_signal)
        if os.getppid() != parent:
            os._exit(1)
