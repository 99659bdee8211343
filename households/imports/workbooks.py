"""Workbooks as text: each sheet is written out once, by the first look, and everybody reads that.

Unpacking a workbook and reading its cells costs more than all that follows, and a look, a check and an error file each
need the rows. So `xlsx_rows`, in its process of its own, writes every sheet as lines into a folder beside the file;
two readers can then share the rows as they share those of a CSV file. Whoever finds no folder makes it.
"""

import json
import shutil
import subprocess
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from households.imports import xlsx_rows
from households.imports.problems import FileRefused

INDEX = "sheets.json"


@dataclass(frozen=True)
class Sheet:
    """`text` has a line for each of its rows, cells apart by tabs."""

    name: str
    rows: int
    text: Path


def sheets_of(path: Path) -> list[Sheet]:
    """The sheets of the workbook, in its order. Raises FileRefused."""
    folder = _folder(path)
    found = _known(path, folder)
    if found is None:
        found = _write_out(path, folder)
    return [Sheet(name, rows, folder / str(number)) for number, (name, rows) in enumerate(found)]


def move(path: Path, to: Path) -> None:
    """A file with what was written out of it, if it is a workbook."""
    forget(to)  # a register made anew counts its imports from one again
    path.rename(to)
    with suppress(FileNotFoundError):
        _folder(path).rename(_folder(to))


def remove(path: Path) -> None:
    path.unlink(missing_ok=True)
    forget(path)


def forget(path: Path) -> None:
    """Take away what was written out; the file stays, and can be written out again."""
    shutil.rmtree(_folder(path), ignore_errors=True)


def _folder(path: Path) -> Path:
    return path.with_name(f"{path.name}-sheets")


def _stamp(path: Path) -> list[int]:
    status = path.stat()
    return [status.st_size, status.st_mtime_ns]


def _known(path: Path, folder: Path) -> list[tuple[str, int]] | None:
    """[(name, rows)] where the folder is this file's."""
    try:
        index = json.loads((folder / INDEX).read_text())
    except FileNotFoundError:
        return None
    return index["sheets"] if index["of"] == _stamp(path) else None


def _write_out(path: Path, folder: Path) -> list[tuple[str, int]]:
    fresh = Path(tempfile.mkdtemp(dir=path.parent, prefix=f"{folder.name}-"))
    try:
        found = [json.loads(line) for line in _run(path, fresh).splitlines()]
        (fresh / INDEX).write_text(json.dumps({"of": _stamp(path), "sheets": found}))
        shutil.rmtree(folder, ignore_errors=True)
        with suppress(OSError):  # another process was quicker, and wrote the same
            fresh.rename(folder)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return found


def _run(path: Path, folder: Path) -> bytes:
    """What `xlsx_rows` prints; its refusal is ours."""
    command = [sys.executable, "-I", xlsx_rows.__file__, str(path), str(folder)]
    done = subprocess.run(command, capture_output=True, check=False)
    complaint = done.stderr.decode(errors="replace")
    if done.returncode == xlsx_rows.REFUSED:
        code, values = json.loads(complaint.splitlines()[-1])
        raise FileRefused(code, **values)
    if done.returncode < 0 or "memory" in complaint.lower():
        raise FileRefused("xlsx_too_big", limit=xlsx_rows.XLSX_ROWS)
    if done.returncode:
        raise FileRefused("xlsx_damaged")
    return done.stdout
