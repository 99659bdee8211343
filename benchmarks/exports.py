"""Export of every form: CSV against COPY TO, XLSX against the Rust writer alone, the register in the layout of DC01 against
COPY TO of the whole table; memory of the process that makes it."""

import json
import tempfile
from pathlib import Path

from django.db import connection

from benchmarks.limits import BARE_COLUMNS
from benchmarks.measure import Line, Options, Readings, clock, quiet
from benchmarks.web import python
from households.models import CollectionForm
from reports import exports
from reports.models import Export, Tally
from verification.models import Round

TITLE = "Export of every form"
XLSX_ROWS = 300_000
EVERY_COLUMN = [field.column for field in CollectionForm._meta.concrete_fields]
MADE = {"csv": "CSV", "xlsx": "XLSX", "register": "Register"}


def run(options: Options) -> list[Line]:
    seen, notes = Readings(), {}
    round = Round.objects.current()
    collected = Tally.objects.get(round=round, unit=round.area).collected
    floor_rows = _floor_rows(20_000 if options.quick else XLSX_ROWS)
    for _ in range(options.rounds):
        for format in ("csv", "xlsx"):
            quiet(options.quiet_seconds)
            seen.add("copy", collected / clock(lambda: _copy_to(BARE_COLUMNS)))
            seen.add("rust", _rust_floor(floor_rows))
            quiet(options.quiet_seconds)
            _measure(seen, notes, "forms", format, format, collected)
        quiet(options.quiet_seconds)
        seen.add("copy all", collected / clock(lambda: _copy_to(EVERY_COLUMN)))
        quiet(options.quiet_seconds)
        _measure(seen, notes, "register", "csv", "register", collected)
        # one reading of each limit belongs to each format
        for limit in ("copy", "rust"):
            seen.add(f"{limit} for xlsx", seen.of[limit].pop())
    return [
        seen.ratio("CSV: rows/s", "csv", "copy", more=True, must=0.4, aim=0.7,
                   against="COPY TO of 25 columns of the forms", read_in="rows/s", note=notes.get("csv", "")),
        seen.ratio("XLSX: rows/s", "xlsx", "rust for xlsx", more=True, must=0.4, aim=0.7,
                   against=f"the Rust writer alone, {XLSX_ROWS:,} rows of 16 columns".replace(",", "."), read_in="rows/s",
                   note=notes.get("xlsx", "")),
        seen.ratio("The register in the layout of DC01, CSV: rows/s", "register", "copy all", more=True, must=0.2, aim=0.4,
                   against="COPY TO of every column of the forms", read_in="rows/s", note=notes.get("register", "")),
        *(
            seen.line(f"{name}: largest memory of the process", f"{made} memory", "MB", must=200, aim=100)
            for made, name in MADE.items()
        ),
        *(
            seen.line(f"{name}: rows that differ from the screen's figure", f"{made} rows", "", must=0, aim=0)
            for made, name in MADE.items()
        ),
    ]  # fmt: skip


def _measure(seen: Readings, notes: dict, kind: str, format: str, name: str, collected: int) -> None:
    """Have a process make the file, and clear it away; its row stays, for the log of files with persons refers to it."""
    printed, _, memory = python("benchmarks.make_export", kind, format)
    made = json.loads(printed.splitlines()[-1])
    export, seconds = Export.objects.get(pk=made["export"]), made["seconds"]
    if export.status != Export.Status.DONE:
        notes[name] = f"no file: {export.failure}"
        seconds = float("inf")
    seen.add(name, (export.rows or 0) / seconds)
    seen.add(f"{name} rows", abs((export.rows or 0) - collected))
    seen.add(f"{name} memory", memory / 2**20)
    exports.file_path(export).unlink(missing_ok=True)
    Export.objects.filter(pk=export.pk, status=Export.Status.DONE).update(status=Export.Status.CLEARED)


def _copy_to(columns: list[str]) -> None:
    with tempfile.TemporaryFile() as file, connection.cursor() as cursor:
        cursor.copy_expert(
            f"COPY households_collectionform ({', '.join(columns)}) TO STDOUT (FORMAT csv, HEADER)", file, 1 << 20
        )


def _floor_rows(count: int) -> list[dict]:
    columns = BARE_COLUMNS[:16]
    rows = CollectionForm.objects.values_list(*columns)[:count]
    return [dict(zip(columns, (v if isinstance(v, int) else str(v or "") for v in row), strict=True)) for row in rows]


def _rust_floor(rows: list[dict]) -> float:
    from rustpy_xlsxwriter import write_worksheet

    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        return len(rows) / clock(lambda: write_worksheet(rows, str(Path(folder) / "floor.xlsx")))
