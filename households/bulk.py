"""Many rows at once: tables without their indexes meanwhile."""

from collections.abc import Iterator
from contextlib import contextmanager

PIECE = 1024 * 1024  # bytes that COPY asks for at a time


@contextmanager
def without_indexes(cursor, models: list[type]) -> Iterator[None]:
    """The models' tables without indexes and foreign keys; both come back, and are checked, at the end.

    One index built over all rows costs a fraction of keeping it row by row. Primary keys stay: ids rise.
    Nobody else can read the tables until the transaction ends.
    """
    names = [model._meta.db_table for model in models]
    # rows written so far must have had their checks before a constraint may go
    cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    constraints = _definitions(
        cursor,
        "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint "
        "WHERE conrelid = ANY(%s::text[]::regclass[]) AND contype IN ('u', 'f') ORDER BY contype DESC, conname",
        names,
    )
    indexes = _definitions(
        cursor,
        "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid), '' FROM pg_index "
        "WHERE indrelid = ANY(%s::text[]::regclass[]) AND NOT indisprimary AND NOT EXISTS "
        "(SELECT 1 FROM pg_constraint WHERE conindid = indexrelid AND contype = 'u') ORDER BY 1",
        names,
    )
    for table, name, _ in constraints:
        cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {_quoted(name)}")
    for index, _, _ in indexes:
        cursor.execute(f"DROP INDEX {index}")
    yield
    cursor.execute("SET LOCAL maintenance_work_mem = '256MB'")
    for _, definition, _ in indexes:
        cursor.execute(definition)
    for table, name, definition in constraints:
        cursor.execute(f"ALTER TABLE {table} ADD CONSTRAINT {_quoted(name)} {definition}")
    # a rough look is enough for what follows; autovacuum takes the closer one
    cursor.execute("SET LOCAL default_statistics_target = 25")
    cursor.execute(f"ANALYZE {', '.join(names)}")
    cursor.execute("SET LOCAL default_statistics_target TO DEFAULT")


def _definitions(cursor, sql: str, names: list[str]) -> list[tuple[str, str, str]]:
    cursor.execute(sql, [names])
    return cursor.fetchall()


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
