"""Rows of a file of verification results: what each column means, and a row of text as a staged row.

What a row says is judged by the rules of entry; what they refuse is told in their own words.
"""

import tempfile
from collections.abc import Callable, Mapping
from datetime import date

from households import text
from households.faults import Fault
from households.imports.fields import Field
from households.imports.form_rows import FIELDS as FORM_FIELDS
from households.imports.form_rows import NULL, Remembered, read_day, read_text
from households.imports.problems import CellRefused, in_each_language
from verification import rules
from verification.forms import Methods
from verification.import_words import Words
from verification.items import ITEMS
from verification.models import Round
from verification.rules import CorrectionEntry, Entry, InvalidEntry
from verification.scan_import import read_barcode
from verification.terms import OUTCOME_KEYS, Outcome, SourcePaper


def _field(name: str, heading: str, *aliases: str, is_required: bool = False, example: str = "") -> Field:
    return Field(name, heading, frozenset(aliases), is_required, example)


FIELDS: tuple[Field, ...] = (
    _field("barcode", "Mã vạch", "Mã vạch phiếu", "Số phiếu", "Mã phiếu", is_required=True, example="0420000000017"),
    _field("outcome", "Kết quả phúc tra", "Kết quả", "Kết quả xác minh", is_required=True, example="Đúng"),
    _field("verified_on", "Ngày phúc tra", "Ngày xác minh", "Ngày kiểm tra", is_required=True, example="19/6/2020"),
    _field("methods", "Hình thức phúc tra", "Cách phúc tra", "Phương pháp", "Hình thức", is_required=True,
           example="Cả hai"),
    _field("officer", "Tài khoản cán bộ", "Cán bộ", "Cán bộ phúc tra", "Người phúc tra", example="xa.huongtra"),
    _field("event_on", "Ngày chết hoặc chuyển đi", "Ngày chết", "Ngày chuyển đi"),
    _field("destination", "Nơi chuyển đến", "Chuyển đến", "Chuyển đi đâu"),
    _field("paper", "Giấy tờ chứng minh chết, thôi quốc tịch", "Giấy tờ", "Giấy chứng tử"),
    _field("duplicate_barcode", "Trùng với phiếu có mã vạch", "Trùng với phiếu", "Mã vạch phiếu trùng"),
    _field("reason", "Lý do", "Lý do vắng mặt, không xác minh được"),
    _field("attempts", "Số lần xác minh", "Số lần"),
    _field("next_visit_on", "Ngày hẹn lại", "Hẹn lại ngày", "Hẹn lại"),
    _field("item", "Mục sai, thiếu", "Mục", "Mục sai", "Mục chỉnh sửa", example=""),
    _field("new", "Nội dung mới", "Giá trị mới", "Nội dung chỉnh sửa"),
    _field("source", "Giấy tờ làm căn cứ", "Căn cứ", "Giấy tờ chứng minh"),
    _field("fault", "Mã lỗi", "Loại lỗi", "Lỗi phát hiện"),
    _field("note", "Ghi chú chỉnh sửa"),
)  # fmt: skip
NAMES = [field.name for field in FIELDS]
SAID_NAMES = NAMES[1:]  # what a row says of the form that its barcode names
# What an entry calls a correction's part, and what the column is called.
COLUMN_OF = {"corrections": "item", "field": "item"}

OUTCOME_WORDS = {
    Outcome.MATCHED: ("đúng thông tin", "thông tin đúng", "khớp"),
    Outcome.CORRECTED: ("sai", "sai đã sửa", "đã sửa", "đã chỉnh sửa"),
    Outcome.SUPPLEMENTED: ("thiếu", "bổ sung", "đã bổ sung"),
    Outcome.DECEASED: ("chết",),
    Outcome.MOVED_AWAY: ("chuyển đi",),
    Outcome.DUPLICATE: ("trùng",),
    Outcome.EMIGRATED: ("thôi quốc tịch", "định cư nước ngoài"),
    Outcome.NOT_MET: ("vắng mặt", "hẹn lại", "vắng"),
    Outcome.UNVERIFIABLE: ("chưa xác minh được",),
}
METHOD_WORDS = {
    Methods.BOOKS: ("sổ", "đối chiếu sổ sách"),
    Methods.PERSON: ("gặp trực tiếp", "trực tiếp xác minh"),
    Methods.BOTH: ("sổ sách và trực tiếp", "sổ sách, trực tiếp", "cả 2"),
}
PAPER_WORDS = {
    SourcePaper.BIRTH_CERTIFICATE: ("khai sinh", "GKS"),
    SourcePaper.HOUSEHOLD_BOOK: ("SHK",),
    SourcePaper.IDENTITY_CARD: ("CMND", "CCCD", "chứng minh nhân dân", "căn cước công dân"),
    SourcePaper.CIVIL_STATUS_EXTRACT: ("trích lục", "giấy chứng tử", "trích lục khai tử"),
    SourcePaper.ARCHIVE: ("tàng thư",),
    SourcePaper.IN_PERSON: ("biên bản", "biên bản xác minh", "gặp trực tiếp"),
    SourcePaper.OTHER: ("khác",),
}
STAGED = """
    source_row integer, is_doubtful boolean, barcode text, outcome text, by_books boolean, in_person boolean,
    verified_on date, officer_id bigint, event_on date, destination text, paper text, duplicate_barcode text,
    reason text, attempts smallint, next_visit_on date, item text, new text, source text, fault text, note text
"""
NO_BIRTH_YEAR = 0  # of a form that is not looked up yet: before everything


class ResultRows:
    """Reads the rows of one file. What is wrong with a row is handed to `tell`."""

    def __init__(self, *, columns: Mapping[str, int], round: Round, officers: Mapping[str, int], importer: int,
                 today: date, tell: Callable[..., None]):  # fmt: skip
        self.columns, self.round, self.officers, self.importer = columns, round, officers, importer
        self.today, self.tell = today, tell
        self.outcomes = outcome_words()
        self.methods = Words(Methods.CHOICES, METHOD_WORDS)
        self.papers = Words(SourcePaper.choices, PAPER_WORDS)
        self.items = item_words()
        self.faults = Words(Fault.choices)
        self.at = [columns.get(name) for name in SAID_NAMES]
        # a thousand rows say the same of a thousand forms
        self.said = Remembered(self._read_said)
        self.refused = tempfile.TemporaryFile()  # noqa: SIM115 - lines of (barcode, row); `close` closes it

    def read(self, row: int, cells: list[str]) -> str | None:
        """The row as a line of COPY into STAGED, or None where it is refused."""
        refusals: list[CellRefused] = []
        barcode = ""
        try:
            barcode = read_barcode(cells[self.columns["barcode"]])
        except CellRefused as refused:
            refusals.append(refused.of("barcode"))
        line, said_refusals, doubts = self.said[tuple(["" if at is None else cells[at] for at in self.at])]
        refusals += said_refusals
        for problem, is_refusal in (*((r, True) for r in refusals), *((d, False) for d in doubts)):
            at = self.columns.get(problem.column)
            self.tell(row, problem.column, "" if at is None else cells[at], problem, is_refusal=is_refusal)
        if refusals:
            self.refused.write(f"{escaped(barcode)}\t{row}\n".encode())
            return None
        return f"{row}\t{'t' if doubts else 'f'}\t{escaped(barcode)}\t{line}\n"

    def close(self) -> None:
        self.refused.close()

    def _read_said(self, cells: tuple[str, ...]) -> tuple[str, list[CellRefused], list[CellRefused]]:
        """(the cells behind the barcode as COPY takes them, why they are refused, what is odd about them)."""
        given = dict(zip(SAID_NAMES, cells, strict=True))
        values, refusals = {}, []
        for name, cell in given.items():
            try:
                values[name] = self._read_cell(name, cell)
            except CellRefused as refused:
                refusals.append(refused.of(name))
        if refusals:
            return "", refusals, []
        entry = rules.only_asked(entry_of(values))
        methods = {
            "by_books": values["methods"] in (Methods.BOOKS, Methods.BOTH),
            "in_person": values["methods"] in (Methods.PERSON, Methods.BOTH),
        }

        def judge() -> None:
            rules.require_methods(**methods)
            rules.require_day(values["verified_on"], starts_on=self.round.starts_on, today=self.today)
            rules.require_entry(entry, today=self.today, ends_on=self.round.ends_on, birth_year=NO_BIRTH_YEAR)

        try:
            judge()
        except InvalidEntry:
            return "", [in_words_of_the_rules(judge)], []
        doubts = [
            CellRefused("not_asked").of(name)
            for name in NAMES
            if name in rules.DETAILS and values[name] and not getattr(entry, name)
        ]
        staged = (
            entry.outcome, methods["by_books"], methods["in_person"], values["verified_on"], values["officer"],
            entry.event_on or NULL, escaped(entry.destination), entry.paper,
            escaped(entry.duplicate_barcode), escaped(entry.reason), entry.attempts or NULL,
            entry.next_visit_on or NULL, values["item"], escaped(values["new"]), values["source"], values["fault"],
            escaped(values["note"]),
        )  # fmt: skip
        return "\t".join(map(str, staged)), [], doubts

    def _read_cell(self, name: str, cell: str):
        cell = " ".join(cell.split())
        match name:
            case "outcome":
                if not cell:
                    raise CellRefused("missing")
                return self.outcomes.find(cell, "outcome_unknown", "outcomes")
            case "methods":
                return self.methods.find(cell, "methods_unknown", "methods") if cell else ""
            case "verified_on":
                if not cell:
                    raise CellRefused("missing")
                return _read_day(cell)
            case "event_on" | "next_visit_on":
                return _read_day(cell) if cell else None
            case "paper" | "source":
                return self.papers.find(cell, "paper_unknown", "papers") if cell else ""
            case "item":
                return self.items.find(cell, "item_unknown", "items") if cell else ""
            case "fault":
                # one that there is not is refused by the rule
                return self.faults.get(text.search_key(cell), cell[:40])
            case "officer":
                if not cell:
                    return self.importer
                if cell.lower() not in self.officers:
                    raise CellRefused("officer_unknown")
                return self.officers[cell.lower()]
            case "attempts":
                if cell and not (cell.isascii() and cell.isdigit() and len(cell) < 5):
                    raise CellRefused("attempts_unreadable")
                return int(cell) if cell else None
            case "duplicate_barcode":
                return read_text(20)(cell)
            case "new":
                # a value too long for its item is refused by the item's own sentence
                return read_text(2000)(cell)
        return read_text(200)(cell)


def _read_day(cell: str) -> date:
    try:
        return read_day(cell)[0]
    except CellRefused as refused:
        if refused.code == "no_such_day":
            raise
        raise CellRefused("day_unreadable") from None


def outcome_words() -> Words:
    keys = {outcome: (key,) for outcome, key in OUTCOME_KEYS.items()}
    return Words(Outcome.choices, {outcome: (*keys[outcome], *words) for outcome, words in OUTCOME_WORDS.items()})


def item_words() -> Words:
    """The items by name, by label, and by what a file of forms may call their columns."""
    headings = {field.name: (field.heading, *field.aliases) for field in FORM_FIELDS if field.name in ITEMS}
    return Words([(item.name, item.label) for item in ITEMS.values()], headings)


def entry_of(values: Mapping) -> Entry:
    """What a row says, as an officer would have typed it."""
    corrections = ()
    if any(values[name] for name in ("item", "new", "source", "fault", "note")):
        corrections = (correction_entry_of(values),)
    details = {name: values[name] for name in rules.DETAILS}
    return Entry(form_id=0, outcome=values["outcome"], corrections=corrections, **details)


def correction_entry_of(values: Mapping) -> CorrectionEntry:
    return CorrectionEntry(
        field=values["item"], new=values["new"], source=values["source"], fault=values["fault"], note=values["note"]
    )


def in_words_of_the_rules(judge: Callable[[], object]) -> CellRefused:
    """What `judge`, which raises InvalidEntry, has to say, in every language, of the column it says it of."""
    field = ""

    def sentence() -> str:
        nonlocal field
        try:
            judge()
        except InvalidEntry as refused:
            field = refused.field
            return refused.sentence
        raise AssertionError("judged twice, refused once")

    refused = CellRefused("not_recordable", sentence=in_each_language(sentence))
    return refused.of(COLUMN_OF.get(field, field))


def escaped(value: str) -> str:
    return value.replace("\\", "\\\\")
