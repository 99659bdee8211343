"""Verification results from a file, into the rounds: set by set, but each judged as if an officer had typed it."""

import json
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from itertools import groupby
from uuid import UUID, uuid5

from django.db.models import Q

from census_verify import clock
from households import bulk
from households.imports.problems import CellRefused, FileRefused
from households.models import CollectionForm, Import, User
from verification import form_values, permissions, result_rows, rules, services
from verification.models import Correction, PassEvent, Round
from verification.result_rows import ResultRows
from verification.rules import Entry, InvalidEntry
from verification.terms import REMOVALS, WITH_CORRECTIONS, Approval, Outcome

SUBMISSIONS = UUID("5b0d1f0e-8a44-4c0b-9a55-2f3a0c1f7a10")  # of imports: one each, so none is counted twice
FORMS_A_PIECE = 2000
CORRECTIONS_A_LOT = 5000
# What every row of one form must say alike; what remains is its correction.
ALIKE = [
    "outcome",
    "by_books",
    "in_person",
    "verified_on",
    "officer_id",
    "event_on",
    "destination",
    "paper",
    "duplicate_barcode",
    "reason",
    "attempts",
    "next_visit_on",
]
DETAILS = "event_on, destination, paper, duplicate_of_id, reason, attempts, next_visit_on"
DECIDED = [Approval.APPROVED.value, Approval.RETURNED.value]


class ResultKind:
    """Verification results of the open round. One result a form; several rows only for several corrections.

    A standing result is left, or superseded where that was chosen, but never one the district has decided on.
    """

    fields = result_rows.FIELDS
    second_reader = ""

    def rows(self, job: Import, today: date, tell: Callable[..., None]) -> ResultRows:
        """Raises FileRefused where no round is open."""
        return ResultRows(
            columns=job.columns,
            round=open_round_of(job),
            officers=_officers_in(job),
            importer=job.by_id,
            today=today,
            tell=tell,
        )

    def staged_columns(self) -> str:
        return result_rows.STAGED

    def drop_staged(self, cursor, job: Import) -> None:
        cursor.execute(f"DROP TABLE IF EXISTS {job.staging_table}_seen, {job.staging_table}")

    # --- the check ----------------------------------------------------------------------

    def check_staged(self, cursor, job: Import, rows: ResultRows) -> dict:
        """Compare the staged rows with each other and with the round; drop what is refused.

        Returns what loading would change.
        """
        table, round = job.staging_table, open_round_of(job)
        _copy_refused(cursor, rows)
        self._match(cursor, job, round)
        _refuse_rows_that_disagree(cursor, job)
        self._judge(cursor, job, round)
        _refuse_incomplete(cursor)
        _tell_refused(cursor, job)
        cursor.execute(f"DELETE FROM {table} s USING matched m WHERE m.source_row = s.source_row AND m.code <> ''")
        cursor.execute("DELETE FROM matched WHERE code <> ''")
        _doubt_officers(cursor, job)
        # a result recorded after this was seen is somebody's newer work
        cursor.execute(
            f"""
            CREATE UNLOGGED TABLE {table}_seen AS
            SELECT DISTINCT form_id, standing_pass_id FROM matched WHERE standing_pass_id IS NOT NULL
            """
        )
        cursor.execute(
            """
            SELECT count(*) FILTER (WHERE is_first AND standing_pass_id IS NULL),
                count(*) FILTER (WHERE is_first AND standing_pass_id IS NOT NULL),
                count(*) FILTER (WHERE is_first AND approval = ANY(%s)),
                count(*) FILTER (WHERE is_first AND is_unchanged AND approval <> ALL(%s)),
                (SELECT count(*) FROM correction)
            FROM matched
            """,
            [DECIDED, DECIDED],
        )
        names = ("new_results", "existing_results", "decided_results", "unchanged_results", "corrections")
        return dict(zip(names, cursor.fetchone(), strict=True))

    @staticmethod
    def _match(cursor, job: Import, round: Round) -> None:
        """`matched`: each staged row with its form, its place in the round, and the `code` of why it cannot be."""
        cursor.execute(f"ANALYZE {job.staging_table}")
        cursor.execute("DROP TABLE IF EXISTS matched")
        cursor.execute(
            f"""
            CREATE TEMP TABLE matched ON COMMIT DROP AS
            SELECT s.source_row, s.barcode, s.outcome, s.officer_id, s.event_on, s.outcome = ANY(%(corrected)s) AS has_correction,
                s.source_row = min(s.source_row) OVER (PARTITION BY s.barcode) AS is_first,
                count(*) OVER (PARTITION BY s.barcode) > 1 AS is_repeated,
                f.id AS form_id, f.birth_year, own.id AS round_form_id, own.commune_id, own.standing_pass_id,
                coalesce(own.approval, '') AS approval, other.id AS duplicate_of_id, false AS is_unchanged,
                CASE WHEN f.id IS NULL THEN 'form_unknown'
                    WHEN own.id IS NULL THEN 'not_in_round'
                    WHEN s.outcome = %(duplicate)s AND (other.id IS NULL OR other.id = f.id) THEN 'other_form_unknown'
                    WHEN s.outcome = %(duplicate)s AND its.outcome = ANY(%(removals)s) THEN 'other_form_removed'
                    ELSE '' END AS code,
                CASE WHEN s.outcome = %(duplicate)s AND own.id IS NOT NULL THEN 'duplicate_barcode'
                    ELSE 'barcode' END AS field,
                CASE WHEN s.outcome = %(duplicate)s AND own.id IS NOT NULL THEN s.duplicate_barcode
                    ELSE s.barcode END AS value,
                jsonb_build_object('round', %(name)s::text) AS values
            FROM {job.staging_table} s
            LEFT JOIN households_collectionform f ON f.province_id = %(province)s AND f.barcode = s.barcode
            LEFT JOIN verification_roundform own ON own.form_id = f.id AND own.round_id = %(round)s
            LEFT JOIN households_collectionform other ON s.outcome = %(duplicate)s
                AND other.province_id = %(province)s AND other.barcode = s.duplicate_barcode
            LEFT JOIN verification_roundform its ON its.form_id = other.id AND its.round_id = %(round)s
            """,
            {
                "province": job.area_id,
                "round": round.pk,
                "name": round.name,
                "duplicate": Outcome.DUPLICATE,
                "removals": list(REMOVALS),
                "corrected": list(WITH_CORRECTIONS),
            },
        )
        cursor.execute("ALTER TABLE matched ADD PRIMARY KEY (source_row)")
        cursor.execute("ANALYZE matched")
        # two forms that name each other would both go
        cursor.execute(
            """
            UPDATE matched m SET code = 'other_form_removed_in_file',
                values = jsonb_build_object('row', o.source_row)
            FROM matched o
            WHERE m.code = '' AND m.duplicate_of_id = o.form_id AND o.outcome = ANY(%s)
            """,
            [list(REMOVALS)],
        )

    @staticmethod
    def _judge(cursor, job: Import, round: Round) -> None:
        """What the rules say of rows now that their forms are known. `correction`: the corrections to append."""
        cursor.execute("DROP TABLE IF EXISTS correction")
        cursor.execute(
            """
            CREATE TEMP TABLE correction (
                source_row integer, form_id bigint, field text, old text, new text, fault text, source text, note text
            ) ON COMMIT DROP
            """
        )
        refused = list(_refused_events(cursor, job, round))
        refused += _judge_corrections(cursor, job)
        _set_codes(cursor, refused)
        _find_unchanged(cursor, job)

    # --- the load -----------------------------------------------------------------------

    def load(self, cursor, job: Import, today: date, tell: Callable[[str, int, int], None]) -> set[int]:
        """Record the staged results as `services.record_results` would; returns the communes that changed.

        What has changed since the check so that it can no longer be recorded is left as it is, and counted.
        Raises FileRefused where the round was closed meanwhile.
        """
        round, table, now = open_round_of(job), job.staging_table, clock.now()
        cursor.execute("SELECT id FROM verification_round WHERE id = %s FOR SHARE", [round.pk])
        round = open_round_of(job)
        tell("comparing", 0, 0)
        # as entry does, in the order of the rows' ids: two that wait for each other's rows would wait for ever
        cursor.execute(
            f"""
            SELECT count(*) FROM (
                SELECT 1 FROM verification_roundform r WHERE round_id = %s AND form_id IN (
                    SELECT f.id FROM households_collectionform f WHERE province_id = %s AND barcode IN (
                        SELECT barcode FROM {table} UNION SELECT duplicate_barcode FROM {table}))
                ORDER BY r.id FOR UPDATE
            ) locked
            """,
            [round.pk, job.area_id],
        )
        self._match(cursor, job, round)
        self._judge(cursor, job, round)
        self._choose(cursor, job)
        tell("results", 0, 0)
        submission = uuid5(SUBMISSIONS, str(job.pk))
        self._insert_passes(cursor, job, round, submission, now=now, today=today)
        tell("results", 1, 2)
        self._let_stand(cursor, round, submission)
        self._put_in_force(submission)
        cursor.execute("SELECT DISTINCT commune_id FROM chosen")
        return {commune for (commune,) in cursor.fetchall()}

    @staticmethod
    def _choose(cursor, job: Import) -> None:
        """`chosen`: the first row of each form whose result is recorded."""
        cursor.execute("DROP TABLE IF EXISTS chosen")
        cursor.execute(
            f"""
            CREATE TEMP TABLE chosen ON COMMIT DROP AS
            SELECT m.* FROM matched m
            LEFT JOIN {job.staging_table}_seen seen ON seen.form_id = m.form_id
            WHERE m.is_first AND (m.standing_pass_id IS NULL OR %s AND m.approval <> ALL(%s) AND NOT m.is_unchanged)
                AND m.standing_pass_id IS NOT DISTINCT FROM seen.standing_pass_id
                AND NOT EXISTS (SELECT 1 FROM matched bad WHERE bad.form_id = m.form_id AND bad.code <> '')
            """,
            [job.existing == Import.Existing.UPDATE, DECIDED],
        )
        cursor.execute("ALTER TABLE chosen ADD PRIMARY KEY (form_id)")
        cursor.execute("ANALYZE chosen")
        expected = job.changes["new_results"]
        if job.existing == Import.Existing.UPDATE:
            expected += sum(
                job.changes[name] * sign
                for name, sign in (("existing_results", 1), ("decided_results", -1), ("unchanged_results", -1))
            )
        cursor.execute("SELECT count(*) FROM chosen")
        if left_out := expected - cursor.fetchone()[0]:
            job.changes["left_out"] = left_out

    @staticmethod
    def _insert_passes(cursor, job: Import, round: Round, submission: UUID, *, now, today: date) -> None:
        cursor.execute(
            """
            UPDATE verification_verificationpass p SET is_standing = false
            FROM chosen c WHERE p.id = c.standing_pass_id
            """
        )
        cursor.execute(
            """
            INSERT INTO verification_passevent (verification_pass_id, kind, reason, by_id, at)
            SELECT standing_pass_id, %s, '', %s, %s FROM chosen WHERE standing_pass_id IS NOT NULL ORDER BY source_row
            """,
            [PassEvent.Kind.SUPERSEDED, job.by_id, now],
        )
        cursor.execute("DROP TABLE IF EXISTS officer_team")
        cursor.execute(
            "CREATE TEMP TABLE officer_team (officer_id bigint, commune_id bigint, team_id bigint) ON COMMIT DROP"
        )
        teams = [
            (officer.pk, commune_id, services.team_of(officer, commune_id, today))
            for officer, commune_id in _officers_of(cursor, "chosen")
        ]
        _insert_rows(cursor, "officer_team (officer_id, commune_id, team_id)", ("bigint",) * 3, teams)
        cursor.execute(
            f"""
            INSERT INTO verification_verificationpass (round_id, form_id, province_id, commune_id, team_id, officer_id,
                submission, outcome, by_books, in_person, verified_on, recorded_at, is_standing, supersedes_id, {DETAILS})
            SELECT %s, c.form_id, r.province_id, r.commune_id, t.team_id, s.officer_id, %s, s.outcome, s.by_books,
                s.in_person, s.verified_on, %s, true, c.standing_pass_id, s.event_on, s.destination, s.paper,
                c.duplicate_of_id, s.reason, s.attempts, s.next_visit_on
            FROM chosen c
            JOIN {job.staging_table} s USING (source_row)
            JOIN verification_roundform r ON r.id = c.round_form_id
            LEFT JOIN officer_team t ON t.officer_id = s.officer_id AND t.commune_id = c.commune_id
            ORDER BY c.source_row
            """,
            [round.pk, submission, now],
        )

    @staticmethod
    def _let_stand(cursor, round: Round, submission: UUID) -> None:
        """The corrections, each with its approval pending where the round asks for it, and the standing columns."""
        approvals = {o.value: str(rules.approval_at_first(o, round.approval_outcomes)) for o in Outcome}
        params = {
            "outcomes": list(approvals),
            "approvals": list(approvals.values()),
            "round": round.pk,
            "submission": submission,
        }
        cursor.execute(
            """
            INSERT INTO verification_correction
                (verification_pass_id, field, old, new, fault, source, note, approval)
            SELECT p.id, k.field, k.old, k.new, k.fault, k.source, k.note, first.approval
            FROM correction k JOIN chosen c USING (form_id)
            JOIN verification_verificationpass p ON p.submission = %(submission)s AND p.form_id = c.form_id
            JOIN unnest(%(outcomes)s::text[], %(approvals)s::text[]) first (outcome, approval) ON first.outcome = p.outcome
            ORDER BY k.source_row
            """,
            params,
        )
        cursor.execute(
            """
            UPDATE verification_roundform r SET standing_pass_id = p.id, outcome = p.outcome,
                approval = first.approval, counted_on = p.verified_on, next_visit_on = p.next_visit_on,
                waits_since = CASE WHEN first.approval = 'pending' THEN p.recorded_at END
            FROM verification_verificationpass p
            JOIN unnest(%(outcomes)s::text[], %(approvals)s::text[]) first (outcome, approval) ON first.outcome = p.outcome
            WHERE p.submission = %(submission)s AND r.form_id = p.form_id AND r.round_id = %(round)s
            """,
            params,
        )

    @staticmethod
    def _put_in_force(submission: UUID) -> None:
        """What the round asks no approval of is what the forms say from now on."""
        corrections = Correction.objects.filter(verification_pass__submission=submission, approval="")
        corrections = list(corrections.select_related("verification_pass").order_by("verification_pass_id", "pk"))
        for first in range(0, len(corrections), CORRECTIONS_A_LOT):
            form_values.put_in_force(corrections[first : first + CORRECTIONS_A_LOT])


def open_round_of(job: Import) -> Round:
    """Raises FileRefused where none is open in the import's province."""
    round = Round.objects.open().filter(area=job.area_id).first()
    if round is None:
        raise FileRefused("no_open_round")
    return round


def _officers_in(job: Import) -> dict[str, int]:
    """Account name -> id of everybody who has or had a post in the province."""
    path = job.area.path
    posted = Q(postings__unit__path__startswith=path) | Q(postings__team__district__path__startswith=path)
    return {username.lower(): pk for username, pk in User.objects.filter(posted).values_list("username", "pk")}


def _officers_of(cursor, table: str) -> Iterator[tuple[User, int]]:
    """Each officer with each commune that she has results in."""
    cursor.execute(f"SELECT DISTINCT officer_id, commune_id FROM {table}")
    pairs = cursor.fetchall()
    officers = User.objects.in_bulk({officer_id for officer_id, _ in pairs})
    return ((officers[officer_id], commune_id) for officer_id, commune_id in pairs)


def _doubt_officers(cursor, job: Import) -> None:
    """An officer who does not record in the commune today may have done so once: told, and loaded."""
    elsewhere = [
        (officer.pk, commune_id)
        for officer, commune_id in _officers_of(cursor, "matched")
        if officer.pk != job.by_id and not permissions.can_record_in(officer, commune_id)
    ]
    cursor.execute("DROP TABLE IF EXISTS elsewhere")
    cursor.execute("CREATE TEMP TABLE elsewhere (officer_id bigint, commune_id bigint) ON COMMIT DROP")
    _insert_rows(cursor, "elsewhere (officer_id, commune_id)", ("bigint", "bigint"), elsewhere)
    cursor.execute(
        """
        INSERT INTO households_importproblem (of_import_id, row, "column", value, code, values, is_refusal)
        SELECT %s, m.source_row, %s, u.username, 'officer_elsewhere', '{}', false
        FROM matched m JOIN elsewhere e USING (officer_id, commune_id) JOIN households_user u ON u.id = m.officer_id
        ORDER BY m.source_row
        """,
        [job.pk, _headings(job)["officer"]],
    )
    cursor.execute(
        f"""
        UPDATE {job.staging_table} s SET is_doubtful = true
        FROM matched m JOIN elsewhere e USING (officer_id, commune_id)
        WHERE m.source_row = s.source_row AND NOT s.is_doubtful
        """
    )


# --- refusing ---------------------------------------------------------------------------


def _copy_refused(cursor, rows: ResultRows) -> None:
    cursor.execute("DROP TABLE IF EXISTS refused_row")
    cursor.execute("CREATE TEMP TABLE refused_row (barcode text, source_row integer) ON COMMIT DROP")
    rows.refused.seek(0)
    cursor.copy_expert("COPY refused_row FROM STDIN", rows.refused, bulk.PIECE)
    cursor.execute("ANALYZE refused_row")


def _refuse_rows_that_disagree(cursor, job: Import) -> None:
    """Rows of one form that are not the corrections of one result."""
    alike = ", ".join(f"s.{name}" for name in ALIKE)
    cursor.execute(
        f"""
        UPDATE matched m SET code = 'result_contradicted', field = 'barcode', value = m.barcode,
            values = jsonb_build_object('row', CASE WHEN m.is_first THEN g.second ELSE g.first END)
        FROM (
            SELECT s.barcode, min(s.source_row) AS first, (array_agg(s.source_row ORDER BY s.source_row))[2] AS second
            FROM {job.staging_table} s JOIN matched r USING (source_row) WHERE r.is_repeated
            GROUP BY s.barcode HAVING count(DISTINCT ({alike})) > 1
        ) g
        WHERE g.barcode = m.barcode AND m.code = ''
        """
    )
    cursor.execute(
        """
        UPDATE matched m SET code = 'barcode_twice', field = 'barcode', value = m.barcode,
            values = jsonb_build_object('row', first.source_row)
        FROM matched first
        WHERE m.code = '' AND m.is_repeated AND NOT m.is_first AND m.outcome <> ALL(%s)
            AND first.barcode = m.barcode AND first.is_first
        """,
        [list(WITH_CORRECTIONS)],
    )


def _refuse_incomplete(cursor) -> None:
    """The other rows of a form of which one row was refused, here or while it was read."""
    cursor.execute(
        """
        UPDATE matched m SET code = 'result_incomplete', field = 'barcode', value = m.barcode,
            values = jsonb_build_object('row', bad.source_row)
        FROM (
            SELECT barcode, min(source_row) AS source_row FROM (
                SELECT barcode, source_row FROM refused_row WHERE barcode <> ''
                UNION ALL
                SELECT barcode, source_row FROM matched
                WHERE is_repeated AND code NOT IN ('', 'barcode_twice', 'result_contradicted')
            ) every GROUP BY barcode
        ) bad
        WHERE bad.barcode = m.barcode AND m.code = ''
        """
    )


def _tell_refused(cursor, job: Import) -> None:
    cursor.execute(
        """
        INSERT INTO households_importproblem (of_import_id, row, "column", value, code, values, is_refusal)
        SELECT %s, source_row, %s::jsonb ->> field, left(value, 100), code, values, true
        FROM matched WHERE code <> '' ORDER BY source_row
        """,
        [job.pk, json.dumps(_headings(job))],
    )


def _headings(job: Import) -> dict[str, str]:
    """What the file calls each field; the field's own heading where it has no such column."""
    of_file = {name: job.headings[at][:100] for name, at in job.columns.items() if at < len(job.headings)}
    return {field.name: field.heading for field in result_rows.FIELDS} | of_file


def _set_codes(cursor, refused: Iterable[tuple[int, CellRefused, str]]) -> None:
    rows = [(row, r.code, r.column, value, json.dumps(r.values)) for row, r, value in refused]
    cursor.execute(
        """
        UPDATE matched m SET code = r.code, field = r.field, value = r.value, values = r.values::jsonb
        FROM unnest(%s::int[], %s::text[], %s::text[], %s::text[], %s::text[]) r (row, code, field, value, values)
        WHERE m.source_row = r.row AND m.code = ''
        """,
        [list(column) for column in zip(*rows, strict=True)] if rows else [[]] * 5,
    )


def _insert_rows(cursor, into: str, types: tuple[str, ...], rows: list[tuple]) -> None:
    columns = [list(column) for column in zip(*rows, strict=True)] if rows else [[]] * len(types)
    arrays = ", ".join(f"%s::{type}[]" for type in types)
    cursor.execute(f"INSERT INTO {into} SELECT * FROM unnest({arrays})", columns)


# --- what only the form can tell --------------------------------------------------------


def _refused_events(cursor, job: Import, round: Round) -> Iterator[tuple[int, CellRefused, str]]:
    """Deaths and departures that the rules refuse now that the person's birth year is known."""
    cursor.execute(
        f"""
        SELECT m.birth_year, s.* FROM matched m JOIN {job.staging_table} s USING (source_row)
        WHERE m.code = '' AND s.event_on IS NOT NULL ORDER BY s.source_row
        """
    )
    names = [column.name for column in cursor.description]
    today = clock.today()
    for cells in cursor.fetchall():
        values = dict(zip(names, cells, strict=True))
        entry = result_rows.entry_of(values)

        def judge(entry=entry, birth_year=values["birth_year"]) -> None:
            rules.require_entry(entry, today=today, ends_on=round.ends_on, birth_year=birth_year)

        try:
            judge()
        except InvalidEntry:
            day = values["event_on"]
            yield values["source_row"], result_rows.in_words_of_the_rules(judge), f"{day.day}/{day.month}/{day.year}"


def _judge_corrections(cursor, job: Import) -> list[tuple[int, CellRefused, str]]:
    """Fill `correction` with what the corrected forms' rows come to; returns the rows that are refused."""
    refused = []
    cursor.execute("CREATE INDEX ON matched (form_id)")
    for piece in _corrected_forms(cursor, job):
        forms = CollectionForm.objects.in_bulk(list(piece))
        appended = []
        for form_id, rows in piece.items():
            for row, judged in _corrections_of(forms[form_id], rows):
                if isinstance(judged, CellRefused):
                    refused.append((row["source_row"], judged, row[judged.column]))
                else:
                    c = judged
                    appended.append((row["source_row"], form_id, c.field, c.old, c.new, c.fault, c.source, c.note))
        types = ("int", "bigint", *["text"] * 6)
        _insert_rows(cursor, "correction (source_row, form_id, field, old, new, fault, source, note)", types, appended)
    cursor.execute("CREATE INDEX ON correction (form_id)")
    cursor.execute("ANALYZE correction")
    return refused


def _corrected_forms(cursor, job: Import) -> Iterator[dict[int, list[dict]]]:
    """Form id -> the rows that correct it, some forms at a time."""
    last = 0
    while True:
        cursor.execute(
            f"""
            SELECT m.form_id, s.source_row, s.outcome, s.item, s.new, s.source, s.fault, s.note
            FROM matched m JOIN {job.staging_table} s USING (source_row)
            WHERE m.code = '' AND m.has_correction AND m.form_id IN (
                SELECT DISTINCT form_id FROM matched WHERE code = '' AND has_correction AND form_id > %s
                ORDER BY form_id LIMIT %s)
            ORDER BY m.form_id, s.source_row
            """,
            [last, FORMS_A_PIECE],
        )
        names = [column.name for column in cursor.description]
        rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        if not rows:
            return
        yield {form_id: list(of_form) for form_id, of_form in groupby(rows, key=lambda row: row["form_id"])}
        last = rows[-1]["form_id"]


def _corrections_of(form: CollectionForm, rows: list[dict]) -> Iterator[tuple[dict, Correction | CellRefused]]:
    """Each row with the correction to append, or why there is none."""
    corrections = [result_rows.correction_entry_of(row) for row in rows]
    entry = Entry(form_id=form.pk, outcome=rows[0]["outcome"], corrections=tuple(corrections))
    for row, correction in zip(rows, corrections, strict=True):

        def judge(correction=correction) -> tuple[int, Correction]:
            return services.correction_of(correction, entry, form)

        try:
            yield row, judge()[1]
        except InvalidEntry:
            yield row, result_rows.in_words_of_the_rules(judge)


def _find_unchanged(cursor, job: Import) -> None:
    """Forms whose standing result says what the file says, corrections and all."""
    alike = "outcome by_books in_person verified_on officer_id event_on destination paper reason attempts next_visit_on"
    said = "string_agg(concat_ws(chr(31), field, new, fault, source, note), chr(30) ORDER BY field)"
    cursor.execute(
        f"""
        UPDATE matched m SET is_unchanged = true
        FROM verification_verificationpass p, {job.staging_table} s
        WHERE m.is_first AND m.code = '' AND p.id = m.standing_pass_id AND s.source_row = m.source_row
            AND ({", ".join(f"p.{name}" for name in alike.split())}, p.duplicate_of_id)
                IS NOT DISTINCT FROM ({", ".join(f"s.{name}" for name in alike.split())}, m.duplicate_of_id)
            AND (NOT m.has_correction OR (SELECT {said} FROM correction WHERE form_id = m.form_id)
                IS NOT DISTINCT FROM (SELECT {said} FROM verification_correction WHERE verification_pass_id = p.id))
        """
    )
