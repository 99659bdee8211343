"""Import of the whole province, check, error report, merge, search keys and rules included: CSV against COPY of the same
file into the same columns with the same indexes, XLSX against reading the same file with calamine."""

import sys
import tempfile
from pathlib import Path

import psycopg2
from django.core.management import get_commands

from benchmarks import growth, limits
from benchmarks.make_forms_file import COLUMNS, make_csv, make_xlsx
from benchmarks.measure import Line, Options, Readings, Skipped, clock, quiet
from benchmarks.web import watched

TITLE = "Import"
XLSX_ROWS = 200_000
# as many as a register of forms has: the key, where it lies, its number, its name
INDEXES = ('("Mã xã", "Thôn, tổ dân phố")', '("Mã vạch")', '("Số sổ hộ khẩu")', '("Họ, chữ đệm và tên khai sinh")')
EMPTY = "TRUNCATE households_household, verification_rollupmark CASCADE"


def run(options: Options) -> list[Line]:
    if "import_forms" not in get_commands():
        raise Skipped("this version has no import")
    name = f"{limits.database_name()}_import"
    if not growth.exists(name):
        growth.create_database(name, template=limits.database_name())
    env = growth.env_of(name)
    seen = Readings()
    with tempfile.TemporaryDirectory(prefix="benchmark-import-") as folder:
        file, some, book = Path(folder) / "forms.csv", Path(folder) / "some.csv", Path(folder) / "forms.xlsx"
        rows = make_csv(file, 50_000 if options.quick else None)
        some_rows = make_csv(some, 10_000 if options.quick else XLSX_ROWS)
        make_xlsx(book, some)
        for _ in range(options.rounds):
            for kind, path, count in (("csv", file, rows), ("xlsx", book, some_rows)):
                _sql(env, EMPTY)
                quiet(options.quiet_seconds)
                limit = _copy(env, file) if kind == "csv" else clock(lambda: _read_with_calamine(book))
                seen.add(f"{kind} limit", count / limit)
                quiet(options.quiet_seconds)
                seconds, memory = _import(env, path)
                seen.add(f"{kind} missing", count - _sql(env, "SELECT count(*) FROM households_collectionform"))
                seen.add(kind, count / seconds)
                seen.add(f"{kind} seconds", seconds)
                seen.add(f"{kind} memory", memory / 2**20)
    thousands = f"{rows:,}".replace(",", ".")
    return [
        seen.ratio(f"CSV of {thousands} rows and 25 columns: rows/s", "csv", "csv limit", more=True, must=0.3, aim=0.6,
                   against="COPY of the same file, key + 4 indexes", read_in="rows/s"),
        seen.line("the same, from the command to its end", "csv seconds", "s"),
        seen.ratio("XLSX: rows/s", "xlsx", "xlsx limit", more=True, must=0.35, aim=0.6,
                   against=f"calamine reading the same {some_rows} rows", read_in="rows/s"),
        seen.line("CSV: largest memory of the process", "csv memory", "MB", must=300, aim=150),
        seen.line("XLSX: largest memory of the process", "xlsx memory", "MB", must=300, aim=150),
        seen.line("CSV: rows refused or lost", "csv missing", "", note="the demo's faults are doubtful, not refused"),
    ]  # fmt: skip


def _import(env: dict, path: Path) -> tuple[float, int]:
    """Seconds, and the largest memory in bytes, of `manage.py import_forms` in a process of its own."""
    _, seconds, memory = watched([sys.executable, "manage.py", "import_forms", str(path), "--yes", "--again"], env)
    return seconds, memory


def _copy(env: dict, path: Path) -> float:
    """COPY into a bare table of the same columns, with a key and four indexes."""
    connection = psycopg2.connect(env["DATABASE_URL"])
    connection.autocommit = True
    with connection.cursor() as cursor, path.open("rb") as file:
        columns = [f'"{heading}"' for heading in COLUMNS]
        cursor.execute("DROP TABLE IF EXISTS benchmark_copy")
        cursor.execute(f"CREATE TABLE benchmark_copy (id bigserial PRIMARY KEY, {' text, '.join(columns)} text)")
        for index in INDEXES:
            cursor.execute(f"CREATE INDEX ON benchmark_copy {index}")
        cursor.execute("CHECKPOINT")
        copy = f"COPY benchmark_copy ({', '.join(columns)}) FROM STDIN (FORMAT csv, HEADER)"
        spent = clock(lambda: cursor.copy_expert(copy, file, 1 << 20))
        cursor.execute("DROP TABLE benchmark_copy")
    connection.close()
    return spent


def _read_with_calamine(path: Path) -> int:
    from python_calamine import CalamineWorkbook

    book = CalamineWorkbook.from_path(path)
    return sum(1 for name in book.sheet_names for _ in book.get_sheet_by_name(name).iter_rows())


def _sql(env: dict, sql: str):
    connection = psycopg2.connect(env["DATABASE_URL"])
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(sql)
        found = cursor.fetchone()[0] if cursor.description else None
    connection.close()
    return found
