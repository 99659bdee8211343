"""Results of a scan batch from a file: which forms are good, and why the others were refused."""

from collections.abc import Callable, Mapping
from datetime import date

from households.imports.fields import Field
from households.imports.form_rows import NULL, SPOILT_NUMBER, Remembered, read_text
from households.imports.problems import CellRefused
from households.models import CollectionForm, Import
from verification.import_words import Words

FIELDS = (
    Field("barcode", "Mã vạch", frozenset({"Mã vạch phiếu", "Số phiếu", "Mã phiếu"}), True, "0420000000017"),
    Field("result", "Kết quả quét", frozenset({"Kết quả", "Đạt/không đạt", "Đạt yêu cầu"}), True, "đạt"),
    Field(
        "reason", "Lý do không đạt", frozenset({"Lý do", "Nguyên nhân", "Lý do trả lại"}), example="thiếu chữ ký, dấu"
    ),
    Field("batch", "Đợt quét", frozenset({"Đợt", "Lô quét", "Số đợt"}), example="Đợt 1"),
)
QUALIFIED, REFUSED = CollectionForm.Qualification.QUALIFIED, CollectionForm.Qualification.REFUSED
RESULT_WORDS = {
    QUALIFIED: ("1", "đạt", "đạt yêu cầu", "x", "có", "good", "passed"),
    REFUSED: ("0", "không đạt", "không đạt yêu cầu", "không", "hỏng", "trả lại", "failed"),
}
REASON_WORDS = {
    "unreadable": ("mờ", "rách", "nhòe", "mờ, rách", "phiếu mờ", "phiếu rách", "không quét được", "blurred", "torn"),
    "no_signature": ("thiếu chữ ký", "thiếu dấu", "không có chữ ký", "chưa ký", "chưa đóng dấu"),
    "items_missing": ("thiếu mục", "thiếu thông tin", "thiếu thông tin bắt buộc"),
}
STAGED = "source_row integer, is_doubtful boolean, barcode text, qualification text, refusal_reason text, batch text"
ROWS_A_PIECE = 50_000


def read_barcode(cell: str) -> str:
    value = read_text(20)(cell)
    if not value:
        raise CellRefused("missing")
    if SPOILT_NUMBER.fullmatch(value):
        raise CellRefused("number_spoilt")
    return value


class ScanRows:
    """Reads the rows of one file."""

    def __init__(self, *, columns: Mapping[str, int], tell: Callable[..., None]):
        self.columns, self.tell = columns, tell
        known = {QUALIFIED, REFUSED}
        self.results = Words([c for c in CollectionForm.Qualification.choices if c[0] in known], RESULT_WORDS)
        self.reasons = Words(CollectionForm.RefusalReason.choices, REASON_WORDS)
        self.read_batch = read_text(20)
        self.said = Remembered(self._read_result)

    def read(self, row: int, cells: list[str]) -> str | None:
        """The row as a line of COPY into STAGED, or None where it is refused."""
        given = tuple(cells[at] if (at := self.columns.get(f.name)) is not None else "" for f in FIELDS)
        refused = []
        for place, read in ((0, read_barcode), (slice(1, None), self.said.__getitem__)):
            try:
                read(given[place])
            except CellRefused as refusal:
                refused.append(refusal.of(refusal.column or "barcode"))
        for refusal in refused:
            at = self.columns.get(refusal.column)
            self.tell(row, refusal.column, cells[at] if at is not None else "", refusal, is_refusal=True)
        if refused:
            return None
        return f"{row}\tf\t{_escaped(read_barcode(given[0]))}\t{self.said[given[1:]]}\n"

    def _read_result(self, given: tuple[str, str, str]) -> str:
        result, reason, batch = given
        column = "result"
        try:
            if not result.strip():
                raise CellRefused("missing")
            result = self.results.find(result, "scan_result_unknown", "results")
            column = "reason"
            if result == QUALIFIED and reason.strip():
                raise CellRefused("scan_reason_of_good")
            if result == REFUSED and not reason.strip():
                raise CellRefused("scan_reason_missing", reasons=self.reasons.labels())
            if result == REFUSED:
                reason = self.reasons.find(reason, "scan_reason_unknown", "reasons")
            column = "batch"
            return f"{result}\t{reason.strip()}\t{_escaped(self.read_batch(batch)) or NULL}"
        except CellRefused as refused:
            raise refused.of(column) from None

    def close(self) -> None:
        pass


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\")


class ScanKind:
    """Results of a scan batch. The last scan of a form is what holds; officers' work is never taken back by one."""

    fields = FIELDS
    second_reader = ""

    def rows(self, job: Import, today: date, tell: Callable[..., None]) -> ScanRows:
        return ScanRows(columns=job.columns, tell=tell)

    def staged_columns(self) -> str:
        return STAGED

    def check_staged(self, cursor, job: Import, rows: ScanRows) -> dict:
        """Compare the staged rows with each other and with the register; drop what is refused.

        Returns what loading would change.
        """
        cursor.execute(f"ANALYZE {job.staging_table}")
        self._compare(cursor, job)
        headings = {f.name: f.heading for f in FIELDS} | {
            name: job.headings[at] for name, at in job.columns.items() if at < len(job.headings)
        }
        cursor.execute(
            """
            INSERT INTO households_importproblem (of_import_id, row, "column", value, code, values, is_refusal)
            SELECT %s, source_row, %s, barcode, code, values, true FROM scanned WHERE code <> '' ORDER BY source_row
            """,
            [job.pk, headings["barcode"][:100]],
        )
        cursor.execute(
            f"DELETE FROM {job.staging_table} s USING scanned c WHERE c.source_row = s.source_row AND c.code <> ''"
        )
        cursor.execute(
            """
            SELECT count(*) FILTER (WHERE is_change AND qualification = 'qualified'),
                count(*) FILTER (WHERE is_change AND qualification = 'refused'),
                count(*) FILTER (WHERE NOT is_change), (
                    SELECT count(*) FROM entering e JOIN scanned c USING (source_row) WHERE c.code = '')
            FROM scanned WHERE code = ''
            """
        )
        return dict(
            zip(
                ("forms_qualified", "forms_refused", "forms_unchanged", "forms_into_round"),
                cursor.fetchone(),
                strict=True,
            )
        )

    @staticmethod
    def _compare(cursor, job: Import) -> None:
        """`scanned`: each staged row with its form, and the `code` of why it cannot be; `entering`: rows whose
        form would enter an open round."""
        cursor.execute("DROP TABLE IF EXISTS scanned, entering")
        cursor.execute(
            f"""
            CREATE TEMP TABLE scanned ON COMMIT DROP AS
            SELECT s.source_row, s.barcode, s.qualification, s.refusal_reason, coalesce(s.batch, f.batch) AS batch,
                f.id AS form_id, f.commune_id, f.qualification AS before,
                (f.qualification, f.refusal_reason, f.batch) IS DISTINCT FROM
                    (s.qualification, s.refusal_reason, coalesce(s.batch, f.batch)) AS is_change,
                CASE WHEN s.source_row > min(s.source_row) OVER same THEN 'barcode_twice'
                    WHEN f.id IS NULL THEN 'form_unknown' ELSE '' END AS code,
                jsonb_build_object('row', min(s.source_row) OVER same) AS values
            FROM {job.staging_table} s
            LEFT JOIN households_collectionform f ON f.province_id = %s AND f.barcode = s.barcode
            WINDOW same AS (PARTITION BY s.barcode)
            """,
            [job.area_id],
        )
        cursor.execute("ANALYZE scanned")
        becomes_refused = "s.code = '' AND s.qualification = 'refused' AND s.before <> 'refused'"
        cursor.execute(
            f"""
            UPDATE scanned s SET code = 'refused_with_result' WHERE {becomes_refused}
                AND EXISTS (SELECT 1 FROM verification_verificationpass p WHERE p.form_id = s.form_id)
            """
        )
        cursor.execute(
            f"""
            UPDATE scanned s SET code = 'refused_in_round', values = jsonb_build_object('round', r.name)
            FROM verification_roundform f JOIN verification_round r ON r.id = f.round_id AND r.status = 'open'
            WHERE f.form_id = s.form_id AND {becomes_refused}
            """
        )
        # the communes of a round are those it has a plan for
        cursor.execute(
            """
            CREATE TEMP TABLE entering ON COMMIT DROP AS
            SELECT s.source_row, s.form_id, r.id AS round_id, r.name AS round, plan.id AS plan_id,
                row_number() OVER (PARTITION BY plan.id ORDER BY s.source_row) AS place
            FROM scanned s
            JOIN households_collectionform f ON f.id = s.form_id
            JOIN verification_round r ON r.status = 'open' AND f.collected_on <= r.collected_until
            JOIN verification_plan plan ON plan.round_id = r.id AND plan.commune_id = f.commune_id
            WHERE s.code = '' AND s.qualification = 'qualified' AND s.before <> 'qualified'
                AND NOT EXISTS (SELECT 1 FROM verification_roundform o WHERE o.form_id = f.id AND o.round_id = r.id)
                AND NOT EXISTS (SELECT 1 FROM verification_newperson n WHERE n.form_id = f.id AND n.round_id = r.id)
            """
        )
        # nothing passes 100%: the plan is frozen, and a form collected after it was cannot be beyond it
        cursor.execute(
            """
            WITH room AS (
                SELECT plan.id, plan.forms + coalesce((
                        SELECT sum(forms) FROM verification_planadjustment WHERE plan_id = plan.id), 0) AS plan,
                    (SELECT count(*) FROM verification_roundform f
                        WHERE f.round_id = plan.round_id AND f.commune_id = plan.commune_id) AS in_scope,
                    unit.type || ' ' || unit.name AS commune
                FROM verification_plan plan
                JOIN households_administrativeunit unit ON unit.id = plan.commune_id
                WHERE plan.id IN (SELECT plan_id FROM entering)
            )
            UPDATE scanned s SET code = 'round_is_full',
                values = jsonb_build_object('commune', room.commune, 'plan', room.plan, 'round', e.round)
            FROM entering e JOIN room ON room.id = e.plan_id
            WHERE e.source_row = s.source_row AND e.place > room.plan - room.in_scope
            """
        )

    def load(self, cursor, job: Import, today: date, tell: Callable[[str, int, int], None]) -> set[int]:
        """Write the results to the forms; what became good enters the open rounds. Returns the communes that changed.

        What has changed since the check so that it can no longer be is left as it is, and counted.
        """
        # nobody but an import changes forms, and no round opens meanwhile; officers' saves go on
        cursor.execute("LOCK TABLE households_collectionform IN SHARE ROW EXCLUSIVE MODE")
        cursor.execute("SELECT id FROM verification_round WHERE status <> 'closed' ORDER BY id FOR SHARE")
        self._compare(cursor, job)
        cursor.execute("CREATE INDEX ON scanned (source_row)")
        cursor.execute("SELECT coalesce(max(source_row), 0), count(*) FILTER (WHERE code <> '') FROM scanned")
        last, left_out = cursor.fetchone()
        if left_out:
            job.changes["left_out"] = left_out
        for first in range(0, last + 1, ROWS_A_PIECE):
            cursor.execute(
                """
                UPDATE households_collectionform f
                SET qualification = s.qualification, refusal_reason = s.refusal_reason, batch = s.batch
                FROM scanned s
                WHERE f.id = s.form_id AND s.code = '' AND s.is_change AND s.source_row >= %s AND s.source_row < %s
                """,
                [first, first + ROWS_A_PIECE],
            )
            tell("forms", min(first + ROWS_A_PIECE, last), last)
        cursor.execute(
            """
            INSERT INTO verification_roundform
                (round_id, form_id, province_id, commune_id, hamlet_id, household_id, outcome, approval)
            SELECT e.round_id, f.id, f.province_id, f.commune_id, f.hamlet_id, f.household_id, '', ''
            FROM entering e JOIN scanned s USING (source_row) JOIN households_collectionform f ON f.id = s.form_id
            WHERE s.code = '' ORDER BY f.id
            """
        )
        cursor.execute("SELECT DISTINCT commune_id FROM scanned WHERE code = '' AND is_change")
        return {commune for (commune,) in cursor.fetchall()}

    def drop_staged(self, cursor, job: Import) -> None:
        cursor.execute(f"DROP TABLE IF EXISTS {job.staging_table}")
