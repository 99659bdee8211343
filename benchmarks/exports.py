"""Every form of the province as CSV and as XLSX, beside what they cannot be quicker than, in the same rounds.

CSV: beside COPY TO of as many columns of the bare table. XLSX: beside the Rust writer alone, fed the same
number of rows and cells from memory, on as many sheets. Each piece runs in a process of its own; its wall
time, the processor time of it and of its database connection, and its peak memory are taken.

    python benchmarks/exports.py [rounds]
"""

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from itertools import cycle, islice
from pathlib import Path

import django

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "census_verify.settings")

BARE_COLUMNS = (
    "id, commune_id, hamlet_id, book_number, full_name, birth_year, sex, relation, pin, cmnd, barcode,"
    " residence_place, qualification, refusal_reason, collected_on, declared_on"
)
SAMPLE = 20_000


def copy_to(folder: Path) -> int:
    from django.db import connection

    with (folder / "bare.csv").open("wb") as file, connection.cursor() as cursor:
        cursor.copy_expert(f"COPY (SELECT {BARE_COLUMNS} FROM households_collectionform) TO STDOUT CSV", file)
        return cursor.rowcount


def csv_of_all(folder: Path) -> int:
    return _export("csv")


def xlsx_of_all(folder: Path) -> int:
    return _export("xlsx")


def rust_writer(folder: Path) -> int:
    """Fed dictionaries kept in memory; reading and preparing them is not counted."""
    import rustpy_xlsxwriter as rust

    from households.models import CollectionForm
    from reports.exports import forms, writers

    export = _asked_for("xlsx")
    count = CollectionForm.objects.count()
    titles = [heading.title for heading in forms.headings()]
    rows = [dict(zip(titles, row, strict=True)) for row in islice(forms.forms_sheet(export).rows, SAMPLE)]
    export.delete()
    again = islice(cycle(rows), count)
    sheets = -(-count // writers.SHEET_ROWS)
    _start_watch()
    rust.write_worksheets(
        [(f"Data {n}", islice(again, writers.SHEET_ROWS)) for n in range(sheets)], str(folder / "bare.xlsx")
    )
    return count


PIECES = {piece.__name__: piece for piece in (copy_to, csv_of_all, rust_writer, xlsx_of_all)}
RATIOS = {"CSV / COPY TO": ("csv_of_all", "copy_to"), "XLSX / Rust writer": ("xlsx_of_all", "rust_writer")}
started = {}


def _asked_for(format: str):
    from census_verify import clock
    from households.models import AdministrativeUnit
    from households.models.officers import Posting
    from reports.models import Export
    from verification.models import Round

    province = AdministrativeUnit.objects.get(level=AdministrativeUnit.Level.PROVINCE)
    owner = Posting.objects.filter(unit=province, role=Posting.Role.PC06_OFFICER).first().user
    return Export.objects.create(
        owner=owner, round=Round.objects.current(), unit=province, kind="forms", format=format,
        options={"state": "all"}, language="vi", asked_at=clock.now(),
    )  # fmt: skip


def _export(format: str) -> int:
    from reports import exports

    export = _asked_for(format)
    exports.make(export.pk)
    export.refresh_from_db()
    assert export.status == "done", export.failure
    exports.file_path(export).unlink()
    export.delete()
    return export.rows


def _processor_seconds() -> float:
    """Of this process and, where the database is on this machine, of the connection that serves it."""
    from django.db import connection

    own = resource.getrusage(resource.RUSAGE_SELF)
    seconds = own.ru_utime + own.ru_stime
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        stat = Path(f"/proc/{cursor.fetchone()[0]}/stat")
    if stat.exists():
        fields = stat.read_text().rsplit(")", 1)[1].split()
        seconds += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return seconds


def _start_watch() -> None:
    started.update(wall=time.perf_counter(), processor=_processor_seconds())


def run_piece(name: str) -> None:
    django.setup()
    with tempfile.TemporaryDirectory() as folder:
        _start_watch()
        rows = PIECES[name](Path(folder))
        wall, processor = time.perf_counter() - started["wall"], _processor_seconds() - started["processor"]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"rows": rows, "wall": wall, "processor": processor, "peak_mb": peak}))


def main(rounds: int) -> None:
    results = {name: [] for name in PIECES}
    for _ in range(rounds):
        for name in PIECES:
            answer = subprocess.run([sys.executable, __file__, "--piece", name], check=True, capture_output=True)
            results[name].append(json.loads(answer.stdout))
            print(name, results[name][-1], flush=True)
    for name, runs in results.items():
        median = {key: round(statistics.median(run[key] for run in runs), 1) for key in runs[0]}
        print(f"{name}: {median['rows'] / median['wall']:,.0f} rows/s, {median}")
    for title, (ours, limit) in RATIOS.items():
        for measure in ("wall", "processor"):
            of_rounds = [
                b[measure] / a[measure] * a["rows"] / b["rows"]
                for a, b in zip(results[ours], results[limit], strict=True)
            ]
            print(f"{title}, {measure}: {statistics.median(of_rounds):.2f} ({min(of_rounds):.2f}–{max(of_rounds):.2f})")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--piece"]:
        run_piece(sys.argv[2])
    else:
        main(int(sys.argv[1]) if sys.argv[1:] else 5)
