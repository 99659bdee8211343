"""Staged rows of collection forms against the register, and into it: set-based, in SQL."""

from collections.abc import Callable
from datetime import date
from typing import IO

from census_verify import clock
from households import bulk, suspicions, text
from households.imports import changed_items, form_rows, places, register_columns
from households.imports.places import Communes, Hamlets
from households.models import CollectionForm, Household, Import, SuspectedFault

PAGES_A_PIECE = 16_000  # of the staging table, some 240.000 rows: between two pieces a load may be cancelled
ITEMS_IN_ORDER = """
    barcode collected_on declared_on form_version signed_by_declarant signed_by_officer signed_by_chief birth_year
    birth_month birth_day sex marital_status full_name blood_type birth_registration_place origin_place residence_place
    present_place ethnicity nationality other_nationality religion pin cmnd father_name father_nationality father_number
    mother_name mother_nationality mother_number spouse_name spouse_nationality spouse_number representative_name
    representative_nationality representative_number head_name head_nationality head_number relation book_number
    search_key sort_key
"""
ITEMS = ITEMS_IN_ORDER.split()
# What an update takes over along with the column of the file.
GOES_WITH = {
    "birth_date": ["birth_year", "birth_month", "birth_day"],
    "full_name": ["full_name", "search_key", "sort_key"],
}
NEVER_UPDATED = {"barcode", "district", "commune_code", "commune", "hamlet", "address", "line", "book_number"}
NEVER_UPDATED |= set(register_columns.NAMES)


class FormKind:
    """Collection forms. `keeps` is a condition in SQL on a form `f` that no import may change; `changed_items` a query
    of the items changed since the collection: (form_id, item, collected, value, since)."""

    fields = (*form_rows.FIELDS, *register_columns.FIELDS)

    def __init__(self, keeps: str, changed_items: str = "", second_reader: str = ""):
        self.keeps, self.changed_items, self.second_reader = keeps, changed_items, second_reader

    def rows(self, job: Import, today: date, tell: Callable[..., None]) -> form_rows.FormRows:
        return form_rows.FormRows(
            columns=job.columns,
            communes=Communes(job.area, today),
            hamlets=Hamlets(job.area, today),
            collected_on=job.collected_on,
            today=today,
            tell=tell,
        )

    def staged_columns(self) -> str:
        return form_rows.STAGED

    # --- the check ----------------------------------------------------------------------

    def check_staged(self, cursor, job: Import, rows: form_rows.FormRows) -> dict:
        """Compare the staged rows with each other and with the register; drop what is refused.

        Returns what loading would change.
        """
        table = job.staging_table
        rows.end_run()
        self._copy_beside(cursor, f"{table}_runs", form_rows.STAGED_RUNS, rows.runs)
        cursor.execute(f"ALTER TABLE {table}_runs ADD PRIMARY KEY (run), ADD COLUMN lost_rows boolean DEFAULT false")
        self._copy_beside(cursor, f"{table}_suspected", form_rows.STAGED_SUSPECTED, rows.suspected)
        # of the other columns nothing is asked, and there are fifty
        cursor.execute(f"ANALYZE {table} (source_row, run, commune_id, barcode, search_key, birth_year)")
        if rows.hamlets_told_again:
            self._tell_hamlets_once(cursor, job, rows.hamlets_told_again)
        barcode = _heading(job, "barcode")
        cursor.execute(
            f"""
            DROP TABLE IF EXISTS twice;
            CREATE TEMP TABLE twice ON COMMIT DROP AS
            SELECT barcode, min(source_row) AS first FROM {table} WHERE barcode <> '' GROUP BY barcode HAVING count(*) > 1
            """
        )
        cursor.execute(
            f"""
            INSERT INTO households_importproblem (of_import_id, row, "column", value, code, values, is_refusal)
            SELECT %s, s.source_row, %s, left(s.barcode, 100), 'barcode_twice', jsonb_build_object('row', t.first), true
            FROM {table} s JOIN twice t USING (barcode) WHERE s.source_row > t.first
            """,
            [job.pk, barcode],
        )
        cursor.execute(
            f"""
            UPDATE {table}_runs SET lost_rows = true WHERE run IN (
                SELECT s.run FROM {table} s JOIN twice t USING (barcode) WHERE s.source_row > t.first
            )
            """
        )
        cursor.execute(f"DELETE FROM {table} s USING twice t WHERE s.barcode = t.barcode AND s.source_row > t.first")
        # a form without a barcode is known again by its person
        cursor.execute(
            f"""
            CREATE UNLOGGED TABLE {table}_existing AS
            SELECT s.source_row, f.id AS form_id, f.commune_id, ({self.keeps}) AS is_kept
            FROM {table} s JOIN households_collectionform f ON f.province_id = %s AND f.barcode = s.barcode
            WHERE s.barcode <> ''
            UNION ALL
            SELECT DISTINCT ON (s.source_row) s.source_row, f.id, f.commune_id, ({self.keeps})
            FROM {table} s JOIN households_collectionform f
                ON f.commune_id = s.commune_id AND f.search_key = s.search_key AND f.birth_year = s.birth_year
                AND f.birth_month IS NOT DISTINCT FROM s.birth_month AND f.birth_day IS NOT DISTINCT FROM s.birth_day
                AND f.sex = s.sex AND f.full_name = s.full_name
            WHERE s.barcode = ''
            """,
            [job.area_id],
        )
        if self.changed_items:
            changed_items.find_by_collected_values(cursor, job, self.changed_items, self.keeps)
        cursor.execute(
            f"""
            INSERT INTO households_importproblem (of_import_id, row, "column", value, code, values, is_refusal)
            SELECT %s, s.source_row, %s, left(s.barcode, 100), 'in_another_commune',
                jsonb_build_object('commune', u.type || ' ' || u.name), true
            FROM {table} s JOIN {table}_existing e USING (source_row)
            JOIN households_administrativeunit u ON u.id = e.commune_id
            WHERE e.commune_id <> s.commune_id
            """,
            [job.pk, barcode],
        )
        cursor.execute(
            f"""
            DELETE FROM {table} s USING {table}_existing e
            WHERE e.source_row = s.source_row AND e.commune_id <> s.commune_id
            """
        )
        cursor.execute(
            f"DELETE FROM {table}_existing e WHERE NOT EXISTS (SELECT 1 FROM {table} s WHERE s.source_row = e.source_row)"
        )
        cursor.execute(
            f"""
            UPDATE {table}_runs SET lost_rows = true
            WHERE run IN (SELECT s.run FROM {table} s JOIN {table}_existing e USING (source_row))
            """
        )
        cursor.execute(f"ANALYZE {table}_existing")
        if self.changed_items:
            said = {name: _heading(job, name) for name in job.columns}
            changed_items.tell_what_stays(cursor, job, said)
        return self._changes(cursor, job, rows)

    @staticmethod
    def _tell_hamlets_once(cursor, job: Import, rows: list[int]) -> None:
        """Two readers each told of a hamlet when they first met it; these rows were the later ones."""
        problems = "households_importproblem"
        cursor.execute(
            f"DELETE FROM {problems} WHERE of_import_id = %s AND code = 'new_hamlet' AND row = ANY(%s)", [job.pk, rows]
        )
        cursor.execute(
            f"""
            UPDATE {job.staging_table} SET is_doubtful = false WHERE source_row = ANY(%s)
            AND NOT EXISTS (SELECT 1 FROM {problems} p WHERE p.of_import_id = %s AND p.row = source_row)
            """,
            [rows, job.pk],
        )

    @staticmethod
    def _copy_beside(cursor, table: str, columns: str, lines: IO[bytes]) -> None:
        cursor.execute(f"CREATE UNLOGGED TABLE {table} ({columns})")
        lines.seek(0)
        cursor.copy_expert(f"COPY {table} FROM STDIN", lines, bulk.PIECE)
        cursor.execute(f"ANALYZE {table}")

    def _changes(self, cursor, job: Import, rows: form_rows.FormRows) -> dict:
        table = job.staging_table
        cursor.execute(
            f"""
            SELECT count(*), count(*) FILTER (WHERE e.form_id IS NOT NULL), count(*) FILTER (WHERE e.is_kept)
            FROM {table} s LEFT JOIN {table}_existing e USING (source_row)
            """
        )
        staged, existing, kept = cursor.fetchone()
        self._match_households(cursor, job)
        cursor.execute("SELECT count(*) FILTER (WHERE household_id IS NULL), count(*) FROM file_household")
        new_households, households = cursor.fetchone()
        cursor.execute(
            f"""
            SELECT fault, count(*) FROM (SELECT DISTINCT fault, source_row FROM {table}_suspected) suspected
            WHERE source_row IN (SELECT source_row FROM {table}) GROUP BY fault ORDER BY fault
            """
        )
        suspected = dict(cursor.fetchall())
        cursor.execute(
            f"SELECT DISTINCT commune_id, hamlet_name FROM {table}_runs r WHERE hamlet_id IS NULL"
            f" AND EXISTS (SELECT 1 FROM {table} s WHERE s.run = r.run)"
        )
        needed = {(commune, text.search_key(name)) for commune, name in cursor.fetchall()}
        return {
            "new_forms": staged - existing,
            "existing_forms": existing,
            "kept_forms": kept,
            "new_households": new_households,
            "known_households": households - new_households,
            "new_hamlets": sorted(name for key, (_, name) in rows.new_hamlets.items() if key in needed),
            "suspected": suspected,
            "left_unread": _own_headings(job) if not _takes_register_columns(job) else [],
        }

    @staticmethod
    def _match_households(cursor, job: Import) -> None:
        """`file_household`: the households with new forms, and which of the register's each is, if any.

        The runs with new forms are counted by the check, for that takes a look at every row; the load finds them there.
        """
        table = job.staging_table
        cursor.execute(
            f"""
            CREATE UNLOGGED TABLE IF NOT EXISTS {table}_new_runs AS
            SELECT r.run, count(*)::int AS forms, CASE
                WHEN r.position <> '' THEN concat_ws(chr(31), r.commune_id, '', r.hamlet_name, r.position)
                WHEN r.book_number <> ''
                THEN r.commune_id || ' ' || r.book_number
                ELSE concat_ws(chr(31), r.commune_id, '', r.hamlet_name, r.address, r.head_name) END AS household_key
            FROM {table} s JOIN {table}_runs r USING (run)
            WHERE NOT EXISTS (SELECT 1 FROM {table}_existing e WHERE e.source_row = s.source_row)
            GROUP BY r.run
            """
        )
        cursor.execute(f"ANALYZE {table}_new_runs")
        cursor.execute(
            f"""
            DROP TABLE IF EXISTS file_household;
            CREATE TEMP TABLE file_household ON COMMIT DROP AS
            SELECT g.*, (
                SELECT min(h.id) FROM households_household h
                WHERE h.commune_id = g.commune_id AND h.book_number = g.book_number
                AND (g.book_number <> '' OR (h.hamlet_id = g.hamlet_id AND h.head_name = g.head_name
                    AND h.address = g.address))
            ) AS household_id
            FROM (
                SELECT DISTINCT ON (household_key) household_key, run AS first_run, commune_id, hamlet_id, book_number,
                    address, head_name, position, count(*) OVER same > 1 OR bool_or(lost_rows) OVER same AS is_pieced
                FROM {table}_new_runs JOIN {table}_runs USING (run)
                WINDOW same AS (PARTITION BY household_key) ORDER BY household_key, run
            ) g
            """
        )

    # --- the load -----------------------------------------------------------------------

    def load(self, cursor, job: Import, today: date, tell: Callable[[str, int, int], None]) -> set[int]:
        """Put the staged rows into the register; returns the communes that changed.

        `tell(stage, done, total)` is called between pieces and raises where the load is to stop.
        """
        # officers' results go on meanwhile; who adds a person is told to come again (`households.services.add_form`)
        cursor.execute("LOCK TABLE households_collectionform, households_household IN SHARE ROW EXCLUSIVE MODE")
        # one index built over all rows costs a fraction of keeping it row by row
        was_empty = not (CollectionForm.objects.exists() or Household.objects.exists())
        as_register = _takes_register_columns(job)
        if not was_empty:
            pieced = self._load(cursor, job, today, tell, as_register=as_register)
        else:
            with bulk.without_indexes(cursor, [Household, CollectionForm, SuspectedFault]):
                pieced = self._load(cursor, job, today, tell, as_register=as_register)
                tell("indexes", 0, 0)
        tell("register", 0, 0)
        suspicions.judge_households(cursor, pieced)
        cursor.execute(f"SELECT DISTINCT commune_id FROM {job.staging_table}")
        communes = {commune for (commune,) in cursor.fetchall()}
        return communes | suspicions.store_register_suspicions(cursor, None if was_empty else communes)

    def _load(
        self, cursor, job: Import, today: date, tell: Callable[[str, int, int], None], *, as_register: bool
    ) -> set[int]:
        """Returns the households whose forms did not all come in one piece of the file."""
        tell("households", 0, 0)
        self._make_hamlets(cursor, job, today)
        self._match_households(cursor, job)
        self._make_households(cursor, job, as_register=as_register)
        first_id = self._insert_forms(cursor, job, tell, as_register=as_register)
        tell("suspected", 0, 0)
        self._insert_suspected(cursor, job, first_id)
        cursor.execute("SELECT household_id FROM file_household WHERE NOT is_new OR is_pieced")
        pieced = {household_id for (household_id,) in cursor.fetchall()}
        if job.existing == Import.Existing.UPDATE:
            pieced |= self._update_forms(cursor, job)
        return pieced

    @staticmethod
    def _make_hamlets(cursor, job: Import, today: date) -> None:
        runs = f"{job.staging_table}_runs"
        cursor.execute(
            f"""
            SELECT commune_id, hamlet_name FROM {runs} WHERE hamlet_id IS NULL
            GROUP BY commune_id, hamlet_name ORDER BY commune_id, min(run)
            """
        )
        known = Hamlets(job.area, today)
        by_key: dict[tuple[int, str], list[str]] = {}
        for commune_id, name in cursor.fetchall():
            by_key.setdefault((commune_id, text.search_key(name)), []).append(name)
        new = [(key, names) for key, names in by_key.items() if key not in known.known]
        made = places.make_hamlets([(commune_id, names[0]) for (commune_id, _), names in new], today)
        ids = {key: made[key[0], names[0]] for key, names in new} | known.known
        meant = [(key[0], name, ids[key]) for key, names in by_key.items() for name in names]
        communes, names, hamlets = ([row[n] for row in meant] for n in range(3))
        # all at once: each by itself would look through all runs, and a province has two thousand hamlets
        cursor.execute(
            f"""
            UPDATE {runs} r SET hamlet_id = meant.hamlet_id
            FROM unnest(%s::bigint[], %s::text[], %s::bigint[]) AS meant (commune_id, hamlet_name, hamlet_id)
            WHERE r.hamlet_id IS NULL AND r.commune_id = meant.commune_id AND r.hamlet_name = meant.hamlet_name
            """,
            [communes, names, hamlets],
        )

    @staticmethod
    def _make_households(cursor, job: Import, *, as_register: bool) -> None:
        """Households of the file into the register, in the file's order behind those of their hamlet; in a province's
        own register each at its place."""
        cursor.execute("ALTER TABLE file_household ADD COLUMN is_new boolean, ADD COLUMN last_line integer DEFAULT 0")
        cursor.execute(
            """
            UPDATE file_household SET is_new = household_id IS NULL,
                household_id = coalesce(household_id, nextval(pg_get_serial_sequence('households_household', 'id')))
            """
        )
        cursor.execute(
            """
            INSERT INTO households_household
                (id, province_id, commune_id, hamlet_id, book_number, address, head_name, sequence)
            SELECT g.household_id, %s, g.commune_id, g.hamlet_id, g.book_number, g.address, g.head_name,
                CASE WHEN %s AND g.position <> '' THEN g.position::int
                    ELSE coalesce(last.sequence, 0) + row_number() OVER (PARTITION BY g.hamlet_id ORDER BY g.first_run) END
            FROM file_household g
            LEFT JOIN (SELECT hamlet_id, max(sequence) AS sequence FROM households_household GROUP BY hamlet_id) last
                USING (hamlet_id)
            WHERE g.is_new ORDER BY g.first_run
            """,
            [job.area_id, as_register],
        )
        cursor.execute(
            """
            UPDATE file_household g SET last_line = (
                SELECT coalesce(max(f.line), 0) FROM households_collectionform f WHERE f.household_id = g.household_id
            ) WHERE NOT is_new
            """
        )
        # each run's household, and how many of its people stood in earlier runs
        cursor.execute("ANALYZE file_household")
        cursor.execute(
            f"""
            DROP TABLE IF EXISTS run_household;
            CREATE TEMP TABLE run_household ON COMMIT DROP AS
            SELECT n.run, r.hamlet_id, g.household_id, g.last_line
                + coalesce(sum(n.forms) OVER (PARTITION BY g.household_id ORDER BY n.run
                    ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0)::int AS lines_before
            FROM {job.staging_table}_new_runs n JOIN {job.staging_table}_runs r USING (run)
            JOIN file_household g USING (household_key)
            """
        )
        cursor.execute("ALTER TABLE run_household ADD PRIMARY KEY (run)")
        cursor.execute(
            "UPDATE run_household r SET hamlet_id = h.hamlet_id FROM households_household h"
            " WHERE h.id = r.household_id AND h.hamlet_id IS DISTINCT FROM r.hamlet_id"
        )
        cursor.execute("ANALYZE run_household")

    def _insert_forms(self, cursor, job: Import, tell: Callable[[str, int, int], None], *, as_register: bool) -> int:
        """Returns what a form's id is more than its row's number."""
        table = job.staging_table
        cursor.execute(f"SELECT count(*) FROM {table}_existing")
        (existing,) = cursor.fetchone()
        only_new = f"WHERE NOT EXISTS (SELECT 1 FROM {table}_existing e WHERE e.source_row = s.source_row) AND"
        cursor.execute("SELECT pg_relation_size(%s) / current_setting('block_size')::int", [table])
        (pages,) = cursor.fetchone()
        # A form's id is its row's number behind all ids there are, so that whatever else belongs to it finds it.
        cursor.execute(f"SELECT coalesce(max(source_row), 0) FROM {table}")
        (rows,) = cursor.fetchone()
        cursor.execute("SELECT nextval(pg_get_serial_sequence('households_collectionform', 'id'))")
        (first_id,) = cursor.fetchone()
        cursor.execute(
            "SELECT setval(pg_get_serial_sequence('households_collectionform', 'id'), %s)", [first_id + rows]
        )
        own = {field.name: "''" for field in register_columns.FORM_FIELDS} | {"qualification": "'collected'"}
        if as_register:
            own = {name: f"split_part(s.more, chr(31), {n})" for n, name in enumerate(own, start=1)}
        done = 0
        for page in range(0, pages, PAGES_A_PIECE):
            cursor.execute(
                f"""
                INSERT INTO households_collectionform (id, province_id, commune_id, hamlet_id, collected_unit_id,
                    household_id, line, is_synthetic, {", ".join(ITEMS)}, {", ".join(own)})
                SELECT %s + s.source_row, %s, s.commune_id, r.hamlet_id, s.collected_unit_id, r.household_id,
                    coalesce(nullif(s.line, '')::int, r.lines_before + s.place_in_run),
                    %s, {", ".join("s." + item for item in ITEMS)}, {", ".join(own.values())}
                FROM {table} s JOIN run_household r USING (run)
                {only_new if existing else "WHERE"} s.ctid >= '({page},0)'::tid AND s.ctid < '({page + PAGES_A_PIECE},0)'::tid
                """,
                [first_id, job.area_id, clock.training_day() is not None],
            )
            done += cursor.rowcount
            tell("forms", done, job.changes["new_forms"])
        return first_id

    @staticmethod
    def _insert_suspected(cursor, job: Import, first_id: int) -> None:
        """What the rules suspected while the rows were read; of a household only where it stood in one piece."""
        cursor.execute(
            f"""
            INSERT INTO households_suspectedfault (province_id, commune_id, form_id, fault, field)
            SELECT DISTINCT %s::bigint, s.commune_id, %s + s.source_row, x.fault, x.field
            FROM {job.staging_table}_suspected x JOIN {job.staging_table} s USING (source_row)
            WHERE NOT EXISTS (SELECT 1 FROM {job.staging_table}_existing e WHERE e.source_row = s.source_row)
            AND (x.run IS NULL OR x.run IN (
                SELECT r.run FROM run_household r JOIN file_household g USING (household_id)
                WHERE g.is_new AND NOT g.is_pieced
            ))
            """,
            [job.area_id, first_id],
        )

    def _update_forms(self, cursor, job: Import) -> set[int]:
        """Items of the file's columns into forms that are there; kept ones and places stay. Returns their households."""
        items = [item for name in job.columns if name not in NEVER_UPDATED for item in GOES_WITH.get(name, [name])]
        if not items:
            return set()
        table = job.staging_table
        cursor.execute(
            f"""
            UPDATE households_collectionform f SET {", ".join(f"{item} = s.{item}" for item in items)}
            FROM {table} s JOIN {table}_existing e USING (source_row)
            WHERE e.form_id = f.id AND NOT ({self.keeps})
            RETURNING f.household_id
            """
        )
        return {household_id for (household_id,) in cursor.fetchall()}

    def drop_staged(self, cursor, job: Import) -> None:
        for suffix in ("_existing", "_suspected", "_new_runs", "_runs", ""):
            cursor.execute(f"DROP TABLE IF EXISTS {job.staging_table}{suffix}")


def _own_headings(job: Import) -> list[str]:
    """What the file calls the columns that only a register of this program has."""
    return [_heading(job, name) for name in register_columns.NAMES if name in job.columns]


def _takes_register_columns(job: Import) -> bool:
    """Where the province has forms, scans and officers say what these columns would."""
    return bool(_own_headings(job)) and not CollectionForm.objects.filter(province=job.area_id).exists()


def _heading(job: Import, name: str) -> str:
    """What the file calls a field; the field's own heading where the file has no such column."""
    at = job.columns.get(name)
    if at is not None and at < len(job.headings):
        return job.headings[at][:100]
    return next(field.heading for field in FormKind.fields if field.name == name)
