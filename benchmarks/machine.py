"""What the figures were taken on."""

import os
import platform
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from django.db import connection

PACKAGES = ("Django", "gunicorn", "psycopg2-binary", "psycopg", "celery", "python-calamine", "rustpy-xlsxwriter")
SETTINGS = (
    "shared_buffers", "work_mem", "maintenance_work_mem", "max_wal_size", "random_page_cost",
    "fsync", "synchronous_commit", "jit",
)  # fmt: skip


def facts() -> dict[str, str]:
    """Processor, memory, disk, versions, settings of the server, and how large the register is."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM households_collectionform")
        (forms,) = cursor.fetchone()
        cursor.execute("SELECT count(*) FROM verification_verificationpass")
        (passes,) = cursor.fetchone()
        cursor.execute(
            "SELECT name, setting, coalesce(unit, '') FROM pg_settings WHERE name = ANY(%s)", [list(SETTINGS)]
        )
        settings = ", ".join(f"{name} {_sized(value, unit)}" for name, value, unit in sorted(cursor.fetchall()))
    return {
        "day": time.strftime("%d/%m/%Y"),
        "machine": f"{os.cpu_count()} × {_processor()}, {_memory_gb():.0f} GB memory, {platform.system()} {platform.release()}",
        "disk": f"fdatasync of 8 kB: {_fdatasync_ms():.2f} ms (a commit costs one; group commit shares it)",
        "versions": f"Python {platform.python_version()}, PostgreSQL {_server_version()}, " + ", ".join(_packages()),
        "server": settings,
        "register": f"{_dotted(forms)} forms, {_dotted(passes)} passes",
        "shared": "database, web server, worker and load generator share the machine; the database's cache is warm",
    }


def _dotted(count: int) -> str:
    return f"{count:,}".replace(",", ".")


def _sized(value: str, unit: str) -> str:
    kilobytes = {"8kB": 8, "kB": 1, "MB": 1024}.get(unit)
    return f"{int(value) * kilobytes // 1024} MB" if kilobytes else value


def _server_version() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        return cursor.fetchone()[0]


def _packages() -> list[str]:
    found = []
    for name in PACKAGES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    return found


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def _memory_gb() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30


def _fdatasync_ms() -> float:
    path = Path(".fdatasync")
    with path.open("wb", buffering=0) as file:
        spent = []
        for _ in range(50):
            file.write(b"x" * 8192)
            started = time.perf_counter()
            os.fdatasync(file.fileno())
            spent.append(time.perf_counter() - started)
    path.unlink()
    return sorted(spent)[25] * 1000
