"""A long file is read by two processes, in turns of BLOCK rows.

The rules are Python, Python uses one core, and a million rows take minutes. The second process reads the same file,
leaves out the first one's blocks and sends over its standard output what its own came to: the first one alone writes to
the database.
"""

import json
import os
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from operator import itemgetter
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit, urlunsplit

from django.conf import settings
from django.db import connection

BLOCK = 20_000  # rows, and to the end of the household
HOME_FIELDS = (
    *("commune_code", "commune", "hamlet", "book_number", "head_name", "address"),
    *("home_order", "home_book", "home_head"),
)
LONG_ENOUGH = 40 * 2**20  # bytes of text; below it the second process would hardly have started
FRAME = struct.Struct(">cQ")
LINES, SUSPECTED, RUNS, PROBLEMS, HAMLETS = b"L", b"S", b"R", b"P", b"H"


def is_worth_it(text_bytes: int) -> bool:
    return text_bytes >= LONG_ENOUGH and (os.cpu_count() or 1) > 1


def turn_of(
    rows, read: Iterator[tuple[int, list[str]]], turn: int, block_rows: int, columns: Mapping[str, int]
) -> Iterator:
    """Of all rows those of every second block, the first ones (`turn` 0) or the others.

    A block ends where a household does, so that each is judged by one reader; both find the same ends.
    """
    home = itemgetter(*(columns[name] for name in HOME_FIELDS if name in columns))
    whose, begun_at, before = 1, None, None
    for row, cells in read:
        if begun_at is None or (row >= begun_at + block_rows and home(cells) != home(before)):
            whose, begun_at = 1 - whose, row
            if whose == turn:
                rows.begin_block(row)
        before = cells
        if whose == turn:
            yield row, cells


# --- in the second process ----------------------------------------------------------------


def send(out: BinaryIO, kind: bytes, payload: bytes) -> None:
    out.write(FRAME.pack(kind, len(payload)))
    out.write(payload)


def send_file(out: BinaryIO, kind: bytes, file: BinaryIO) -> None:
    file.seek(0)
    while piece := file.read(2**20):
        send(out, kind, piece)


# --- in the first -------------------------------------------------------------------------


class SecondReader(threading.Thread):
    """Takes what the second process sends: lines to `put`, the rest kept until `finish`."""

    def __init__(
        self, module: str, import_id: int, today: date, put: Callable[[bytes], None], problems: BinaryIO, rows
    ):
        super().__init__(daemon=True)
        command = [sys.executable, "-m", module, str(import_id), str(BLOCK), today.isoformat()]
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, cwd=settings.BASE_DIR, env=os.environ | _where_we_are()
        )
        self.put, self.rows = put, rows
        self.files = {SUSPECTED: rows.suspected, RUNS: rows.runs, PROBLEMS: problems}
        # what belongs behind the first one's own lines waits here, for it is still writing to these files
        self.kept: list[tuple[bytes, bytes]] = []
        self.is_whole = False
        self.failure: Exception | None = None

    def run(self) -> None:
        try:
            out = self.process.stdout
            while head := out.read(FRAME.size):
                kind, length = FRAME.unpack(head)
                payload = out.read(length)
                if kind == LINES:
                    self.put(payload)
                else:
                    self.kept.append((kind, payload))
                    self.is_whole = kind == HAMLETS
        except Exception as failure:
            self.failure = failure

    def finish(self) -> None:
        """Wait for its last row and take over what it found. Raises what broke it."""
        self.join()
        if self.failure:
            raise self.failure
        if self.process.wait() or not self.is_whole:
            raise RuntimeError("the second reader of the file broke off")
        for kind, payload in self.kept:
            if kind == HAMLETS:
                for commune, key, row, name in json.loads(payload):
                    self.rows.add_new_hamlet((commune, key), row, name)
            else:
                self.files[kind].write(payload)


def _where_we_are() -> dict[str, str]:
    """The database and the folder of this process, which need not be those of its environment."""
    address = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}")
    return {"DATABASE_URL": urlunsplit(address), "CENSUS_VERIFY_VAR": str(Path(settings.IMPORT_DIR).parent)}


@contextmanager
def second_reader(*of) -> Iterator[SecondReader]:
    reader = SecondReader(*of)
    reader.start()
    try:
        yield reader
    finally:
        reader.process.kill()
        reader.process.wait()
        reader.join()
        reader.process.stdout.close()
