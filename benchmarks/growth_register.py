"""A register of 15 million forms: the demo province, and fourteen more made of its rows under real units.

Set-based copies: every id is moved by a fixed distance for each province, so that what refers to each other
still does. Whatever table refers to a household, form or pass is found by its foreign keys and copied too.
Indexes are built afterwards. Wants a database superuser, as foreign keys are not checked row by row.
"""

import csv
import time
from dataclasses import dataclass
from pathlib import Path

from django.db import connection, transaction

UNITS = Path(__file__).parent / "data" / "units_of_14_provinces.csv"
FORMS_IN_ALL = 15_000_000
# how far the ids of each copied province lie from those of the one before
FAR, FAR_UNITS, FAR_OFFICERS = 10_000_000, 100_000, 10_000
DISTRICTS_FROM = 90_000
BIG = ["households_household", "households_collectionform", "verification_verificationpass"]
UNIT, USER, TEAM = "households_administrativeunit", "households_user", "households_workteam"
TYPES = {"thành phố trung ương": "thành phố", "quận": "thành phố"}


@dataclass(frozen=True)
class Copied:
    """A table to copy: its columns, each with what stands for it in province `k`, and which rows."""

    name: str
    columns: dict[str, str]
    where: str


def build(say=print) -> None:
    """Turn the demo province of this database into fifteen. Takes some ten minutes; run once."""
    started = time.monotonic()

    def step(what: str) -> None:
        say(f"  {time.monotonic() - started:6.0f} s  {what}")

    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("SET maintenance_work_mem = '1GB'")
        cursor.execute("SET synchronous_commit = off")
        # everything but the new indexes stands or falls together
        with transaction.atomic():
            _keep_communes(cursor)
            provinces = _make_units(cursor)
            step(f"{provinces} provinces of units, teams, officers")
            tables = _tables(cursor)
            definitions = _drop_indexes(cursor, [t.name for t in tables])
            for table in tables:
                _copy(cursor, table, provinces)
                step(f"{table.name} copied")
            cursor.execute("UPDATE verification_round SET area_id = (SELECT id FROM " + UNIT + " WHERE level = 0)")
            _set_sequences(cursor)
        for definition in definitions:
            cursor.execute(definition)
            step(definition[:110])
        for table in tables:
            cursor.execute(f"VACUUM (ANALYZE, FREEZE) {table.name}")
        cursor.execute("VACUUM ANALYZE")
        step("vacuumed")
        cursor.execute("SET session_replication_role = DEFAULT")
    _roll_up_everything()
    step("rolled up")


def _keep_communes(cursor) -> None:
    """The first communes, by code, that make two thirds of the province."""
    cursor.execute(
        f"""
        CREATE TEMP TABLE kept AS
        SELECT commune_id AS id, first_form, row_number() OVER (ORDER BY code) AS place FROM (
            SELECT commune_id, unit.code, min(form.id) AS first_form,
                sum(count(*)) OVER (ORDER BY unit.code) AS forms
            FROM households_collectionform form JOIN {UNIT} unit ON unit.id = commune_id GROUP BY commune_id, unit.code
        ) communes WHERE forms <= (%s - (SELECT count(*) FROM households_collectionform)) / 14
        """,
        [FORMS_IN_ALL],
    )
    cursor.execute("SELECT province_id FROM households_collectionform LIMIT 1")
    (province,) = cursor.fetchone()
    cursor.execute("CREATE TEMP TABLE source AS SELECT %s::bigint AS province", [province])
    cursor.execute("ANALYZE kept")


def _make_units(cursor) -> int:
    """Provinces, districts and communes by the official list; hamlets, teams and officers from the demo province."""
    with UNITS.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    cursor.execute(
        "CREATE TEMP TABLE listed (k int, place int, code text, name text, type text, level int, parent_code text)"
    )
    provinces, of_province, parent = 0, {}, {}
    places = {2: 0, 3: 0}
    for row in rows:
        level = int(row["level"])
        if level == 1:
            provinces, places = provinces + 1, {2: 0, 3: 0}
            place = 0
        else:
            places[level] += 1
            place = places[level]
        of_province[row["code"]] = provinces
        parent[row["code"]] = row["parent_code"]
        cursor.execute(
            "INSERT INTO listed VALUES (%s, %s, %s, %s, %s, %s, %s)",
            [
                provinces,
                place,
                row["code"],
                row["name"],
                TYPES.get(row["type"], row["type"]),
                level,
                row["parent_code"],
            ],
        )
    cursor.execute(
        f"""
        CREATE TEMP TABLE made AS
        SELECT listed.*, CASE listed.level
            WHEN 1 THEN (SELECT province FROM source) + k * {FAR_UNITS}
            WHEN 2 THEN {DISTRICTS_FROM} + listed.place + k * {FAR_UNITS}
            ELSE kept.id + k * {FAR_UNITS} END AS id
        FROM listed LEFT JOIN kept ON listed.level = 3 AND kept.place = listed.place
        WHERE listed.level < 3 OR kept.id IS NOT NULL
        """
    )
    columns = "id, code, name, type, level, parent_id, path, sort_key"
    cursor.execute(
        f"""
        INSERT INTO {UNIT} ({columns})
        SELECT made.id, made.code, made.name, made.type, 1, country.id, country.path || made.id || '/', made.name
        FROM made, {UNIT} country WHERE made.level = 1 AND country.level = 0
        """
    )
    for level in (2, 3):
        cursor.execute(
            f"""
            INSERT INTO {UNIT} ({columns})
            SELECT made.id, made.code, made.name, made.type, made.level, above.id, above.path || made.id || '/', made.name
            FROM made JOIN made up ON up.code = made.parent_code AND up.level = made.level - 1
            JOIN {UNIT} above ON above.id = up.id WHERE made.level = %s
            """,
            [level],
        )
    cursor.execute(
        f"""
        INSERT INTO {UNIT} ({columns})
        SELECT hamlet.id + made.k * {FAR_UNITS}, made.code || substr(hamlet.code, 6), hamlet.name, hamlet.type, 4,
            made.id, above.path || (hamlet.id + made.k * {FAR_UNITS}) || '/', hamlet.sort_key
        FROM {UNIT} hamlet JOIN kept ON kept.id = hamlet.parent_id
        JOIN made ON made.level = 3 AND made.id = kept.id + made.k * {FAR_UNITS} JOIN {UNIT} above ON above.id = made.id
        WHERE hamlet.level = 4
        """
    )
    _copy_staff(cursor)
    cursor.execute(f"ANALYZE {UNIT}")
    return provinces


def _copy_staff(cursor) -> None:
    cursor.execute(
        f"""
        INSERT INTO {TEAM} (id, code, name, district_id)
        SELECT DISTINCT ON (k, team.id) team.id + k * {FAR_OFFICERS}, k || '-' || team.code, team.name, unit.parent_id
        FROM {TEAM} team JOIN households_teamcommune tc ON tc.team_id = team.id JOIN kept ON kept.id = tc.commune_id,
            generate_series(1, 14) k JOIN {UNIT} unit ON true
        WHERE unit.id = kept.id + k * {FAR_UNITS} ORDER BY k, team.id, kept.id
        """
    )
    cursor.execute(
        f"""
        INSERT INTO households_teamcommune (id, team_id, commune_id, valid_from, valid_to)
        SELECT tc.id + k * {FAR_OFFICERS}, team_id + k * {FAR_OFFICERS}, commune_id + k * {FAR_UNITS}, valid_from, valid_to
        FROM households_teamcommune tc JOIN kept ON kept.id = tc.commune_id, generate_series(1, 14) k
        """
    )
    user = _columns(cursor, USER) | {"id": f"t.id + k * {FAR_OFFICERS}", "username": "k || '.' || t.username"}
    cursor.execute(
        f"INSERT INTO {USER} ({', '.join(user)}) SELECT {', '.join(user.values())} FROM {USER} t, generate_series(1, 14) k"
    )
    # district officers get no posting: the real districts are others
    cursor.execute(
        f"""
        INSERT INTO households_posting (id, user_id, role, unit_id, team_id, valid_from, valid_to)
        SELECT t.id + k * {FAR_OFFICERS}, t.user_id + k * {FAR_OFFICERS}, t.role, t.unit_id + k * {FAR_UNITS},
            t.team_id + k * {FAR_OFFICERS}, t.valid_from, t.valid_to
        FROM households_posting t, generate_series(1, 14) k
        WHERE (t.team_id IS NULL OR t.team_id + k * {FAR_OFFICERS} IN (SELECT id FROM {TEAM}))
            AND (t.unit_id IS NULL OR t.unit_id + k * {FAR_UNITS} IN (SELECT id FROM {UNIT}))
        """
    )
    cursor.execute(
        f"""
        INSERT INTO verification_plan (id, round_id, commune_id, forms, population, frozen_on)
        SELECT t.id + k * {FAR_OFFICERS}, round_id, commune_id + k * {FAR_UNITS}, forms, population, frozen_on
        FROM verification_plan t JOIN kept ON kept.id = t.commune_id, generate_series(1, 14) k
        """
    )


def _columns(cursor, table: str) -> dict[str, str]:
    """Each column with the expression that copies it as it is."""
    cursor.execute(
        "SELECT column_name FROM information_schema.columns "
        "WHERE table_schema = 'public' AND table_name = %s AND is_generated = 'NEVER' ORDER BY ordinal_position",
        [table],
    )
    return {name: f"t.{name}" for (name,) in cursor.fetchall()}


def _tables(cursor) -> list[Copied]:
    """The big tables and everything that refers to one of them, referred ones first."""
    cursor.execute(
        """
        SELECT conrelid::regclass::text, confrelid::regclass::text, attname FROM pg_constraint
        JOIN pg_attribute ON attrelid = conrelid AND attnum = conkey[1]
        WHERE contype = 'f' AND connamespace = 'public'::regnamespace
        """
    )
    keys = cursor.fetchall()
    names = list(BIG)
    while found := {table for table, to, _ in keys if to in names and table not in names}:
        names += sorted(found)
    shifted = {UNIT: FAR_UNITS, USER: FAR_OFFICERS, TEAM: FAR_OFFICERS} | dict.fromkeys(names, FAR)
    return [_table(cursor, name, keys, shifted) for name in names]


def _table(cursor, name: str, keys: list[tuple], shifted: dict[str, int]) -> Copied:
    columns = _columns(cursor, name)
    references = {column: to for table, to, column in keys if table == name}
    for column, to in references.items():
        if to in shifted:
            columns[column] = f"t.{column} + k * {shifted[to]}"
    if "id" in columns and "id" not in references:
        columns["id"] = f"t.id + k * {FAR}"
    if "collected_unit_id" in columns:  # the communes of 2018 were not copied
        columns["collected_unit_id"] = columns["commune_id"]
    if "submission" in columns:
        columns["submission"] = "md5(t.submission::text || k)::uuid"
    if "duplicate_of_id" in columns:  # the other form may be of a commune that was left out
        columns["duplicate_of_id"] = (
            "CASE WHEN t.duplicate_of_id IS NOT NULL THEN k * " + str(FAR) + " + coalesce((SELECT o.id "
            "FROM households_collectionform o WHERE o.id = t.duplicate_of_id AND o.commune_id IN (SELECT id FROM kept)"
            "), (SELECT first_form FROM kept WHERE kept.id = t.commune_id)) END"
        )
    if "commune_id" in columns:
        return Copied(name, columns, "t.commune_id IN (SELECT id FROM kept)")
    column, to = next((c, to) for c, to in references.items() if shifted.get(to) == FAR)
    return Copied(name, columns, f"t.{column} IN (SELECT id FROM {to} WHERE commune_id IN (SELECT id FROM kept))")


def _copy(cursor, table: Copied, provinces: int) -> None:
    cursor.execute("SELECT pg_relation_size(%s) / current_setting('block_size')::int", [table.name])
    (pages,) = cursor.fetchone()
    columns = ", ".join(table.columns)
    for k in range(1, provinces + 1):
        # only the pages of the demo province are read, not the copies behind them
        cursor.execute(
            f"INSERT INTO {table.name} ({columns}) SELECT {', '.join(table.columns.values())} "
            f"FROM {table.name} t, (SELECT {k} AS k) moved WHERE t.ctid < '({pages},0)'::tid AND {table.where}"
        )


def _drop_indexes(cursor, tables: list[str]) -> list[str]:
    """Unique constraints and indexes, but for primary keys; returns the statements that bring them back."""
    definitions = []
    cursor.execute(
        "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint "
        "WHERE conrelid = ANY(%s::text[]::regclass[]) AND contype = 'u'",
        [tables],
    )
    for table, name, definition in cursor.fetchall():
        cursor.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')
        definitions.append(f'ALTER TABLE {table} ADD CONSTRAINT "{name}" {definition}')
    cursor.execute(
        "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index "
        "WHERE indrelid = ANY(%s::text[]::regclass[]) AND NOT indisprimary",
        [tables],
    )
    for index, definition in cursor.fetchall():
        cursor.execute(f"DROP INDEX {index}")
        definitions.append(definition)
    return definitions


def _set_sequences(cursor) -> None:
    cursor.execute(
        "SELECT table_name FROM information_schema.columns WHERE table_schema = 'public' AND is_identity = 'YES'"
    )
    for (table,) in cursor.fetchall():
        cursor.execute(
            f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT coalesce(max(id), 0) + 1 FROM {table}), false)"
        )


def _roll_up_everything() -> None:
    from reports.rollups import mark_everything, roll_up
    from verification.models import Round

    mark_everything(Round.objects.current())
    roll_up()


def is_built() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {UNIT} WHERE level = 1")
        return cursor.fetchone()[0] > 1


if __name__ == "__main__":
    from benchmarks import django_setup  # noqa: F401

    build()
