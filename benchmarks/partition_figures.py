"""`python -m benchmarks.partition_figures is-built|drop|build|measure`: the copies by province, and what each statement costs."""

import json
import random
import statistics
import sys
from collections.abc import Callable
from unittest import mock

from django.db import connection, transaction
from django.db.models import Q

from benchmarks import django_setup  # noqa: F401
from benchmarks.entry import pgbench
from benchmarks.measure import clock
from census_verify import clock as program_clock
from households.models.register import FORM_WORDS
from verification.search import asking
from verification.search.query import parse

FORMS, ROUND_FORMS = "households_collectionform", "verification_roundform"
TABLES = {FORMS: "form", ROUND_FORMS: "round_form"}
SCHEMA = "parted"
KINDS = {"plain": (FORMS, ROUND_FORMS), "partitioned": (f"{SCHEMA}.form", f"{SCHEMA}.round_form")}
ASKED = 30
PGBENCH = """\\set i random(1, :n)
BEGIN;
SELECT row_id AS row, province_id AS province FROM parted.target WHERE i = :i \\gset
UPDATE {table} SET counted_on = '2020-06-19', approval = '' WHERE id = :row {and_province};
COMMIT;
"""


def drop() -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE")


def build() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET maintenance_work_mem = '1GB'")
        cursor.execute("SET synchronous_commit = off")
        cursor.execute(f"CREATE SCHEMA {SCHEMA}")
        provinces = _provinces(cursor)
        for table, name in TABLES.items():
            cursor.execute(
                f"CREATE TABLE {SCHEMA}.{name} (LIKE {table}, PRIMARY KEY (province_id, id)) PARTITION BY LIST (province_id)"
            )
            indexes = _indexes(cursor, table, name)
            for province in provinces:
                part = f"{SCHEMA}.{name}_{province}"
                _make_part(cursor, table, part, province)
                for number, index in enumerate(indexes):
                    cursor.execute(index.format(name=f"{name}_{province}_{number}", table=part))
                cursor.execute(f"ALTER TABLE {SCHEMA}.{name} ATTACH PARTITION {part} FOR VALUES IN ({province})")
                print(part, flush=True)
            for number, index in enumerate(indexes):  # takes up the indexes the partitions have
                cursor.execute(index.format(name=f"all_{name}_{number}", table=f"{SCHEMA}.{name}"))
            cursor.execute(f"VACUUM ANALYZE {SCHEMA}.{name}")
        cursor.execute(
            "CREATE TABLE parted.target AS SELECT row_number() OVER ()::int AS i, id AS row_id, province_id FROM "
            "(SELECT id, province_id FROM verification_roundform TABLESAMPLE SYSTEM (1) "
            "WHERE standing_pass_id IS NOT NULL ORDER BY random() LIMIT 100000) drawn"
        )
        cursor.execute("ALTER TABLE parted.target ADD PRIMARY KEY (i)")
        cursor.execute("VACUUM ANALYZE parted.target")


def _make_part(cursor, table: str, part: str, province: int) -> None:
    cursor.execute(f"SELECT min(id), max(id) FROM {table} WHERE province_id = %s AND id BETWEEN %s AND %s",
                   [province, province // 100_000 * 10_000_000, province // 100_000 * 10_000_000 + 9_999_999])  # fmt: skip
    first, last = cursor.fetchone()
    cursor.execute(f"CREATE TABLE {part} (LIKE {table})")
    cursor.execute(f"INSERT INTO {part} SELECT * FROM {table} WHERE id BETWEEN {first} AND {last} ORDER BY id")
    # so that to attach it nothing is read again
    cursor.execute(f"ALTER TABLE {part} ADD CHECK (province_id = {province}), ADD PRIMARY KEY (province_id, id)")


def _indexes(cursor, table: str, name: str) -> list[str]:
    """The plain table's indexes, as a partition can have them: a unique one names the province first."""
    cursor.execute(
        "SELECT pg_get_indexdef(indexrelid), indisunique FROM pg_index WHERE indrelid = %s::regclass AND NOT indisprimary",
        [table],
    )
    made = []
    for definition, unique in cursor.fetchall():
        rest = definition.split(" USING ", 1)[1]
        if unique and "(province_id" not in rest:
            rest = rest.replace("(", "(province_id, ", 1)
        made.append(f"CREATE {'UNIQUE ' if unique else ''}INDEX {{name}} ON {{table}} USING {rest}")
    return made


def _provinces(cursor) -> list[int]:
    cursor.execute("SELECT id FROM households_administrativeunit WHERE level = 1 ORDER BY id")
    return [pk for (pk,) in cursor.fetchall()]


def measure() -> dict:
    readings = {}
    with connection.cursor() as cursor:
        cursor.execute("SET work_mem = '32MB'")
        provinces = _provinces(cursor)
        people = _people(cursor, provinces)
        for what, of_kinds in _questions(cursor).items():
            for kind, ms in _in_turn(of_kinds, people).items():
                readings[f"{what} / {kind}"] = ms
        cursor.execute("SELECT count(*) FROM parted.target")
        (targets,) = cursor.fetchone()
        for kind, table, more in (
            ("plain", ROUND_FORMS, ""),
            ("partitioned", "parted.round_form", "AND province_id = :province"),
        ):
            script = PGBENCH.format(table=table, and_province=more)
            readings[f"save at the database, 16 clients: saves/s / {kind}"] = pgbench(script, 16, 4, n=targets)
        readings |= _provinces_come_and_go(cursor, provinces[-1])
        readings |= _vacuum(cursor, provinces[-1])
        return {"readings": readings, "sizes": _sizes(cursor)}


def _people(cursor, provinces: list[int]) -> list[dict]:
    """Some persons over all provinces, each with what is asked about her."""
    chosen, found = random.Random(5), []
    for _ in range(ASKED):
        province = chosen.choice(provinces)
        first = province // 100_000 * 10_000_000
        cursor.execute(
            "SELECT household_id, commune_id, hamlet_id, search_key, barcode FROM households_collectionform "
            "WHERE id >= %s AND province_id = %s ORDER BY id LIMIT 1",
            [first + chosen.randrange(1, 900_000), province],
        )
        household, commune, hamlet, key, barcode = cursor.fetchone()
        words = key.split()[-2:]
        found.append({"province": province, "household": household, "commune": commune, "hamlet": hamlet, "words": words,
                      "terms": " & ".join(map(asking.lexeme, words)), "there": asking.lexeme(f"^{province}"),
                      "barcode": barcode})  # fmt: skip
    return found


def _statements(kind: str, form: str, round_form: str) -> dict[str, str]:
    household = f"SELECT * FROM {form} form JOIN {round_form} result ON result.form_id = form.id"
    # in a partition everybody is of the province
    there = f"AND {FORM_WORDS} @@ %(there)s::tsquery" if kind == "plain" else ""
    return {
        "household read, with its province": f"{household} AND result.province_id = form.province_id "
        "WHERE form.household_id = %(household)s AND form.province_id = %(province)s",
        "household read, without its province": f"{household} WHERE form.household_id = %(household)s",
        "count of a commune": f"SELECT hamlet_id, outcome, approval, counted_on, count(*) FROM {round_form} "
        "WHERE round_id = 1 AND commune_id = %(commune)s AND province_id = %(province)s GROUP BY 1, 2, 3, 4",
        "list page of a hamlet": "SELECT form.id, full_name, outcome "
        f"FROM {form} form JOIN {round_form} result ON result.form_id = form.id "
        "AND result.province_id = form.province_id AND result.round_id = 1 WHERE form.commune_id = %(commune)s "
        "AND form.hamlet_id = %(hamlet)s AND form.province_id = %(province)s ORDER BY form.id LIMIT 100",
        "list page of a province, by barcode": f"SELECT id, full_name, barcode FROM {form} "
        "WHERE province_id = %(province)s AND barcode > %(barcode)s AND NOT barcode = '' ORDER BY barcode LIMIT 100",
        "all namesakes in a province": f"SELECT count(*) FROM {form} "
        f"WHERE province_id = %(province)s AND {FORM_WORDS} @@ %(terms)s::tsquery {there}",
    }


def _questions(cursor) -> dict[str, dict[str, Callable[[dict], None]]]:
    """What is asked about a person, of either kind of tables."""

    def statement(sql: str) -> Callable[[dict], None]:
        def ask(person):
            cursor.execute(sql, person)
            cursor.fetchall()

        return ask

    statements = {kind: _statements(kind, *tables) for kind, tables in KINDS.items()}
    asked = {what: {kind: statement(statements[kind][what]) for kind in KINDS} for what in statements["plain"]}
    return asked | {"search for a name over a province": {kind: _search(kind) for kind in KINDS}}


def _search(kind: str) -> Callable[[dict], None]:
    """The statement of the search itself, as an officer of a whole province asks it."""
    year, (form, _) = program_clock.today().year, KINDS[kind]

    def ask(person):
        area = asking.Area((), (person["province"],), (), Q(), has_others=kind == "plain")
        with mock.patch.multiple(asking, FORM=form, TIME_LIMIT=""):
            asking._by_name(parse(" ".join(person["words"]), this_year=year), area)

    return ask


def _in_turn(asks: dict[str, Callable[[dict], None]], people: list[dict]) -> dict[str, float]:
    """Median ms of each kind, asked about one person after the other in turn."""
    spent = {kind: [] for kind in asks}
    for is_first in (True, False):  # what is not in memory yet is read the first time
        for person in people:
            for kind, ask in asks.items():
                took = clock(lambda a=ask, p=person: a(p))
                if not is_first:
                    spent[kind].append(took * 1000)
    return {kind: statistics.median(ms) for kind, ms in spent.items()}


class _Undone(Exception):
    pass


def _provinces_come_and_go(cursor, province: int) -> dict[str, float]:
    """100.000 forms more into tables that hold 15 million; a province away. Each is rolled back."""
    more = f"SELECT * FROM {FORMS} WHERE id IN (SELECT id FROM {FORMS} WHERE province_id = {province} LIMIT 100000)"
    readings = {}
    cursor.execute("SET session_replication_role = replica")

    def undone(action) -> float:
        try:
            with transaction.atomic():
                spent = clock(action) * 1000
                raise _Undone
        except _Undone:
            return spent

    def into_plain():
        cursor.execute(f"INSERT INTO {FORMS} SELECT * FROM lot")
        # what an index put off until later belongs to the loading too
        cursor.execute("SELECT gin_clean_pending_list('form_words'::regclass)")

    def into_part():
        cursor.execute(f"CREATE TABLE parted.form_new (LIKE {FORMS})")
        cursor.execute("INSERT INTO parted.form_new SELECT * FROM lot")
        cursor.execute("ALTER TABLE parted.form_new ADD CHECK (province_id = -1), ADD PRIMARY KEY (province_id, id)")
        for number, index in enumerate(_indexes(cursor, FORMS, "form")):
            cursor.execute(index.format(name=f"form_new_{number}", table="parted.form_new"))
        cursor.execute("ALTER TABLE parted.form ATTACH PARTITION parted.form_new FOR VALUES IN (-1)")

    cursor.execute("DROP TABLE IF EXISTS lot")
    cursor.execute(f"CREATE TEMP TABLE lot AS {more}")
    cursor.execute("UPDATE lot SET id = id + 9000000000, barcode = '', province_id = -1")
    readings["load of 100.000 forms of a new province / plain"] = undone(into_plain)
    readings["load of 100.000 forms of a new province / partitioned"] = undone(into_part)
    readings["a province away (round forms: DELETE, or DETACH and DROP) / plain"] = undone(
        lambda: cursor.execute(f"DELETE FROM {ROUND_FORMS} WHERE province_id = %s", [province])
    )

    def detach():
        cursor.execute(f"ALTER TABLE parted.round_form DETACH PARTITION parted.round_form_{province}")
        cursor.execute(f"DROP TABLE parted.round_form_{province}")

    readings["a province away (round forms: DELETE, or DETACH and DROP) / partitioned"] = undone(detach)
    cursor.execute("SET session_replication_role = DEFAULT")
    cursor.execute(f"VACUUM {FORMS}")  # what was rolled back left its rows behind
    return readings


def _vacuum(cursor, province: int) -> dict[str, float]:
    """After the results of 20.000 forms of one province changed."""
    readings = {}
    for kind, table, vacuumed in (
        ("plain", ROUND_FORMS, ROUND_FORMS),
        ("partitioned", "parted.round_form", f"parted.round_form_{province}"),
    ):
        first = province // 100_000 * 10_000_000
        cursor.execute(f"VACUUM {table}")
        cursor.execute(
            f"UPDATE {table} SET counted_on = counted_on + 1 WHERE province_id = %s AND id BETWEEN %s AND %s "
            "AND counted_on IS NOT NULL",
            [province, first, first + 25_000],
        )
        readings[f"vacuum after 20.000 results of one province / {kind}"] = (
            clock(lambda v=vacuumed: cursor.execute(f"VACUUM (INDEX_CLEANUP ON) {v}")) * 1000
        )
    return readings


def _sizes(cursor) -> dict[str, tuple[int, int]]:
    sizes = {}
    for table, name in TABLES.items():
        for what, function in (("table", "pg_table_size"), ("indexes", "pg_indexes_size")):
            cursor.execute(f"SELECT {function}(%s)", [table])
            (plain,) = cursor.fetchone()
            cursor.execute(
                f"SELECT coalesce(sum({function}(inhrelid)), 0)::bigint FROM pg_inherits WHERE inhparent = %s::regclass",
                [f"{SCHEMA}.{name}"],
            )
            sizes[f"{table}: {what}"] = (plain, cursor.fetchone()[0])
    return sizes


def is_built() -> bool:
    """Whether the copies are whole, and have the columns and indexes that the plain tables have today."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('parted.target') IS NOT NULL")
        return cursor.fetchone()[0] and all(_is_same(cursor, table, name) for table, name in TABLES.items())


def _is_same(cursor, table: str, name: str) -> bool:
    copy = f"{SCHEMA}.{name}"
    wanted = {index.format(name="", table="").split(" USING ")[1] for index in _indexes(cursor, table, name)}
    has = {index.split(" USING ")[1] for index in _indexes(cursor, copy, name)}
    return wanted == has and all(
        _rows(cursor, sql, table) == _rows(cursor, sql, copy)
        for sql in (
            "SELECT attname, atttypid FROM pg_attribute WHERE attrelid = '{}'::regclass AND attnum > 0 "
            "AND NOT attisdropped ORDER BY attnum",
            "SELECT count(*) FROM {}",
        )
    )


def _rows(cursor, sql: str, table: str) -> list[tuple]:
    cursor.execute(sql.format(table))
    return cursor.fetchall()


if __name__ == "__main__":
    if sys.argv[1] == "drop":
        drop()
    elif sys.argv[1] == "build":
        build()
    elif sys.argv[1] == "is-built":
        print("yes" if is_built() else "no")
    else:
        print(json.dumps(measure()))
