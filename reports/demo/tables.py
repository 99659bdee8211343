"""The big tables by COPY: rows as lines, a commune at a time, written while the next commune is made up."""

import io
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

from households.models import CollectionForm, Household, SuspectedFault
from reports.models import Delivery, DeliveryLine
from verification.models import Correction, NewPerson, PassEvent, Proof, RoundForm, SheetLine, VerificationPass

NULL = "\\N"
# In the order they refer to each other. The columns stand as the lines are written (`lines.py`).
COLUMNS: dict[type, str] = {
    Household: "id province_id commune_id hamlet_id book_number address head_name sequence",
    CollectionForm: (
        "province_id commune_id hamlet_id collected_unit_id household_id form_version collected_on declared_on is_synthetic"
        " nationality other_nationality representative_name representative_nationality representative_number"
        " id line barcode batch qualification refusal_reason signed_by_declarant signed_by_officer signed_by_chief"
        " full_name birth_year birth_month birth_day blood_type sex marital_status"
        " birth_registration_place birth_registration_code origin_place origin_code residence_place residence_code"
        " present_place present_code ethnicity religion pin cmnd"
        " father_name father_nationality father_number mother_name mother_nationality mother_number"
        " spouse_name spouse_nationality spouse_number head_name head_nationality head_number"
        " relation book_number search_key sort_key"
    ),
    VerificationPass: (
        "province_id commune_id round_id is_standing supersedes_id"
        " team_id officer_id submission by_books in_person verified_on recorded_at"
        " id form_id outcome event_on destination paper duplicate_of_id reason attempts next_visit_on"
    ),
    RoundForm: (
        "round_id province_id commune_id hamlet_id household_id"
        " id form_id outcome approval counted_on next_visit_on standing_pass_id waits_since"
    ),
    Correction: "id verification_pass_id field old new fault source note approval decided_by_id decided_at",
    PassEvent: "id verification_pass_id kind reason by_id at",
}
TABLES = tuple(COLUMNS)
Lines = dict[type, list[str]]
# Large pieces: for each one the writing thread must win the interpreter back from the generator.
PIECE = 4 * 1024 * 1024


def no_lines() -> Lines:
    return {table: [] for table in TABLES}


class Copier:
    """Writes lines in a thread of its own, on the transaction's own connection.

    Nobody else may use the connection until `close`. At most one lot waits, so memory stays flat.
    """

    def __init__(self, raw_cursor):
        self.cursor = raw_cursor
        self.thread = ThreadPoolExecutor(max_workers=1)
        self.writing: Future | None = None

    def write(self, lines: Lines) -> None:
        self._wait()
        self.writing = self.thread.submit(self._copy, lines)

    def close(self) -> None:
        try:
            self._wait()
        finally:
            self.thread.shutdown()

    def _wait(self) -> None:
        writing, self.writing = self.writing, None
        if writing:
            writing.result()

    def _copy(self, lines: Lines) -> None:
        for table in TABLES:
            if lines[table]:
                body = io.BytesIO("".join(lines[table]).encode())
                lines[table].clear()
                # FREEZE: the tables were emptied in this transaction, so index-only scans work at once
                columns = ", ".join(COLUMNS[table].split())
                self.cursor.copy_expert(f"COPY {table._meta.db_table} ({columns}) FROM STDIN (FREEZE)", body, PIECE)


@contextmanager
def bare_tables(cursor) -> Iterator[None]:
    """Empty tables without indexes and foreign keys; both come back, and are checked, at the end.

    One index built over all rows costs a fraction of keeping it row by row. Primary keys stay: ids rise.
    """
    # what refers to a form has to be empty with the forms; a delivery is nothing without its rows
    referring = (SuspectedFault, NewPerson, Proof, SheetLine, DeliveryLine, Delivery)
    names = [table._meta.db_table for table in (*TABLES, *referring)]
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
    cursor.execute(f"TRUNCATE {', '.join(names)}")
    yield
    cursor.execute("SET LOCAL maintenance_work_mem = '256MB'")
    for _, definition, _ in indexes:
        cursor.execute(definition)
    for table, name, definition in constraints:
        cursor.execute(f"ALTER TABLE {table} ADD CONSTRAINT {_quoted(name)} {definition}")
    # a rough look is enough for the roll-up that follows; autovacuum takes the closer one
    cursor.execute("SET LOCAL default_statistics_target = 25")
    cursor.execute(f"ANALYZE {', '.join(names)}")
    cursor.execute("SET LOCAL default_statistics_target TO DEFAULT")


def _definitions(cursor, sql: str, names: list[str]) -> list[tuple[str, str, str]]:
    cursor.execute(sql, [names])
    return cursor.fetchall()


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def first_ids(cursor) -> dict[type, int]:
    """The id each table's next row would get."""
    ids = {}
    for table in TABLES:
        cursor.execute("SELECT nextval(pg_get_serial_sequence(%s, 'id'))", [table._meta.db_table])
        (ids[table],) = cursor.fetchone()
    return ids


def set_sequences(cursor, next_ids: Mapping[type, int]) -> None:
    for table, following in next_ids.items():
        cursor.execute("SELECT setval(pg_get_serial_sequence(%s, 'id'), %s, false)", [table._meta.db_table, following])


def allocate_ids(cursor, table: type, count: int) -> Sequence[int]:
    cursor.execute(
        "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)", [table._meta.db_table, count]
    )
    return [pk for (pk,) in cursor.fetchall()]
