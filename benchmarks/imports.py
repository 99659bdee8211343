"""Import of the whole province, check, error report, merge, search keys and rules included: CSV against COPY of the same
forms into the register's table with its indexes, and of the file into bare columns; XLSX against reading it with calamine."""

import sys
import tempfile
from pathlib import Path

import psycopg2
from django.core.management import get_commands
from django.db import connection

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
        forms = _dump_forms(Path(folder) / "forms.copy", rows)
        for _ in range(options.rounds):
            for kind, path, count in (("csv", file, rows), ("xlsx", book, some_rows)):
                _sql(env, EMPTY)
                quiet(options.quiet_seconds)
                if kind == "csv":
                    seen.add("own limit", count / _copy_into_register(env, forms))
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
        seen.ratio(f"CSV of {thousands} rows and 25 columns: rows/s", "csv", "own limit", more=True, must=0.3, aim=0.6,
                   against="COPY of the same forms into the register's table with its indexes", read_in="rows/s"),
        seen.ratio("the same", "csv", "csv limit", more=True, must=0.3, aim=0.6,
                   against="COPY of the file into 25 text columns, key + 4 indexes", read_in="rows/s"),
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


def _dump_forms(path: Path, rows: int) -> Path:
    with connection.cursor() as cursor, path.open("wb") as file:
        cursor.copy_expert(
            f"COPY (SELECT * FROM households_collectionform ORDER BY id LIMIT {rows}) TO STDOUT", file, 1 << 20
        )
    return path


def _copy_into_register(env: dict, path: Path) -> float:
    """COPY of rows that are ready into a table like the register's, with all its indexes."""
    other = psycopg2.connect(env["DATABASE_URL"])
    other.autocommit = True
    with other.cursor() as cursor, path.open("rb") as file:
        cursor.execute("DROP TABLE IF EXISTS benchmark_copy")
        cursor.execute(
            "CREATE TABLE benchmark_copy (LIKE households_collectionform INCLUDING DEFAULTS INCLUDING INDEXES)"
        )
        cursor.execute("CHECKPOINT")
        spent = clock(lambda: cursor.copy_expert("COPY benchmark_copy FROM STDIN", file, 1 << 20))
        cursor.execute("DROP TABLE benchmark_copy")
    other.close()
    return spent


def _copy(env: dict, path: Path) -> float:
    """COPY into a bare table of the same columns, with a key and four indexes."""
    other = psycopg2.connect(env["DATABASE_URL"])
    other.autocommit = True
    with other.cursor() as cursor, path.open("rb") as file:
        columns = [f'"{heading}"' for heading in COLUMNS]
        cursor.execute("DROP TABLE IF EXISTS benchmark_copy")
        cursor.execute(f"CREATE TABLE benchmark_copy (id bigserial PRIMARY KEY, {' text, '.join(columns)} text)")
        for index in INDEXES:
            cursor.execute(f"CREATE INDEX ON benchmark_copy {index}")
        cursor.execute("CHECKPOINT")
        copy = f"COPY benchmark_copy ({', '.join(columns)}) FROM STDIN (FORMAT csv, HEADER)"
        spent = clock(lambda: cursor.copy_expert(copy, file, 1 << 20))
        cursor.execute("DROP TABLE benchmark_copy")
    other.close()
    return spent


def _read_with_calamine(path: Path) -> int:
    from python_calamine import CalamineWorkbook

    book = CalamineWorkbook.from_path(path)
    return sum(1 for name in book.sheet_names for _ in book.get_sheet_by_name(name).iter_rows())


def _sql(env: dict, sql: str):
    other = psycopg2.connect(env["DATABASE_URL"])
    other.autocommit = True
    with other.cursor() as cursor:
        cursor.execute(sql)
        found = cursor.fetchone()[0] if cursor.description else None
    other.close()
    return found
