"""Rows of a file of collection forms: what each column means, and a row of text as a staged row.

A million rows go through here, so a row is read at once where all is well, and cell by cell only where
something is not. Values that repeat (places, dates, relations) are read once and remembered.
"""

import re
import tempfile
from bisect import bisect
from collections import namedtuple
from collections.abc import Callable, Mapping
from datetime import date
from operator import getitem, itemgetter

from households import faults, lineage, text
from households.imports.fields import Field
from households.imports.places import Communes, Hamlets
from households.imports.problems import CellRefused
from households.imports.register_columns import NOTHING, Own, RegisterColumns
from households.models import CollectionForm

NULL = "\\N"
OLDEST_YEAR = 1850


def _field(name: str, heading: str, *aliases: str, is_required: bool = False, example: str = "") -> Field:
    return Field(name, heading, frozenset(text.search_key(alias) for alias in aliases), is_required, example)


# The columns of DC01 in the order of the paper; the template file has them so.
FIELDS: tuple[Field, ...] = (
    _field("barcode", "Mã vạch", "Mã vạch phiếu", "Số phiếu", "Mã phiếu", example="0420000000017"),
    _field("collected_on", "Ngày thu thập", "Ngày thu thập phiếu", example="15/9/2018"),
    _field("district", "Quận/huyện/thị xã", "Huyện", "Quận/huyện", "Tên huyện", example="huyện Hương Khê"),
    _field("commune_code", "Mã xã", "Mã ĐVHC", "Mã xã/phường", "Mã đơn vị hành chính", example="18526"),
    _field("commune", "Xã/phường/thị trấn", "Xã", "Phường/xã", "Tên xã", "Xã/phường", example="xã Hương Trà"),
    _field("hamlet", "Thôn, tổ dân phố", "Thôn", "Xóm", "Tổ dân phố", "Thôn/TDP", "Thôn xóm", is_required=True,
           example="thôn Đông"),
    _field("address", "Địa chỉ", "Số nhà", "Địa chỉ chi tiết", example="đội 3"),
    _field("book_number", "Số sổ hộ khẩu", "Sổ hộ khẩu", "Sổ hộ khẩu số", "Số hộ khẩu", example="350000123"),
    _field("line", "STT trong hộ", "Số thứ tự trong hộ", example="1"),
    _field("full_name", "Họ, chữ đệm và tên khai sinh", "Họ và tên", "Họ tên", "Họ tên khai sinh", is_required=True,
           example="NGUYỄN VĂN MẪU"),
    _field("birth_date", "Ngày, tháng, năm sinh", "Ngày sinh", "Năm sinh", "Ngày tháng năm sinh", is_required=True,
           example="17/5/1980"),
    _field("sex", "Giới tính", "Nam/Nữ", is_required=True, example="Nam"),
    _field("blood_type", "Nhóm máu"),
    _field("marital_status", "Tình trạng hôn nhân", "Hôn nhân", example="Có vợ/chồng"),
    _field("birth_registration_place", "Nơi đăng ký khai sinh", "Nơi ĐKKS", example="xã Hương Trà, huyện Hương Khê, tỉnh Hà Tĩnh"),
    _field("origin_place", "Quê quán", "Nguyên quán", example="xã Hương Trà, huyện Hương Khê, tỉnh Hà Tĩnh"),
    _field("ethnicity", "Dân tộc", example="Kinh"),
    _field("nationality", "Quốc tịch", example="Việt Nam"),
    _field("other_nationality", "Quốc tịch khác"),
    _field("religion", "Tôn giáo", example="Không"),
    _field("pin", "Số định danh cá nhân", "Số ĐDCN", "Số định danh", "Số CCCD", "ĐDCN"),
    _field("cmnd", "Số CMND", "CMND", "Số chứng minh nhân dân"),
    _field("residence_place", "Nơi thường trú", "Thường trú", "Nơi ĐKTT", "Hộ khẩu thường trú",
           example="thôn Đông, xã Hương Trà, huyện Hương Khê, tỉnh Hà Tĩnh"),
    _field("present_place", "Nơi ở hiện tại", "Chỗ ở hiện tại", "Nơi ở hiện nay"),
    _field("father_name", "Họ tên cha", "Cha", "Họ và tên cha"),
    _field("father_nationality", "Quốc tịch cha"),
    _field("father_number", "Số ĐDCN/CMND cha"),
    _field("mother_name", "Họ tên mẹ", "Mẹ", "Họ và tên mẹ"),
    _field("mother_nationality", "Quốc tịch mẹ"),
    _field("mother_number", "Số ĐDCN/CMND mẹ"),
    _field("spouse_name", "Họ tên vợ/chồng", "Vợ/chồng", "Họ và tên vợ (chồng)"),
    _field("spouse_nationality", "Quốc tịch vợ/chồng"),
    _field("spouse_number", "Số ĐDCN/CMND vợ/chồng"),
    _field("representative_name", "Họ tên người đại diện", "Người đại diện hợp pháp"),
    _field("representative_nationality", "Quốc tịch người đại diện"),
    _field("representative_number", "Số ĐDCN/CMND người đại diện"),
    _field("head_name", "Họ tên chủ hộ", "Chủ hộ", "Họ và tên chủ hộ", example="NGUYỄN VĂN MẪU"),
    _field("head_nationality", "Quốc tịch chủ hộ"),
    _field("head_number", "Số ĐDCN/CMND chủ hộ"),
    _field("relation", "Quan hệ với chủ hộ", "Quan hệ", example="Chủ hộ"),
    _field("declared_on", "Ngày khai", example="15/9/2018"),
    _field("form_version", "Mẫu phiếu", "Phiên bản phiếu"),
    _field("signed_by_declarant", "Chữ ký người khai"),
    _field("signed_by_officer", "Chữ ký cán bộ"),
    _field("signed_by_chief", "Chữ ký, dấu Trưởng Công an"),
)  # fmt: skip
NAMES = [field.name for field in FIELDS]
NAME_FIELDS = {name for name in NAMES if name.endswith("_name")}
NUMBER_FIELDS = {name for name in NAMES if name.endswith("_number") and name != "book_number"} | {"pin", "cmnd"}
# What every form has of its own, so remembering would only fill the memory.
UNIQUE_FIELDS = {"barcode", "full_name", "pin", "cmnd"}

# --- single cells -----------------------------------------------------------------------

PARTIAL_DATE = re.compile(
    r"(?:(?:(\d{1,2})[/. -])?(\d{1,2})[/. -])?(\d{4})|(\d{4})-(\d{2})-(\d{2})(?:[T ]0?0:00:00.*)?|(\d{2})(\d{2})(\d{4})",
    re.ASCII,
)
SPOILT_NUMBER = re.compile(r"\d[.,]\d+E\+\d+", re.IGNORECASE)
SEXES = {"nam": 1, "1": 1, "m": 1, "male": 1, "nu": 2, "2": 2, "0": 0, "f": 2, "female": 2, "": 0}
MARITAL = {
    "": 0, "0": 0, "chua co thong tin": 0,
    "1": 1, "chua ket hon": 1, "doc than": 1, "chua co vo/chong": 1, "chua vo": 1, "chua chong": 1,
    "2": 2, "da ket hon": 2, "dang co vo/chong": 2, "co vo/chong": 2, "co vo": 2, "co chong": 2, "ket hon": 2,
    "3": 3, "ly hon": 3, "da ly hon": 3, "goa": 3, "goa vo": 3, "goa chong": 3, "da ly hon hoac goa vo/chong": 3,
    "ly hon/goa": 3, "ly hon, goa": 3,
}  # fmt: skip
YES, NO = {"", "1", "x", "co", "yes", "true", "da ky"}, {"0", "khong", "no", "false", "chua", "chua ky", "thieu"}
VERSIONS = {text.search_key(value): value for value in CollectionForm.FormVersion.values} | {"": "TT66/2015"}
VERSIONS |= {"dc01": "TT66/2015", "66/2015": "TT66/2015", "41/2019": "TT41/2019", "104/2020": "TT104/2020"}
LIMITS = {f.name: f.max_length for f in CollectionForm._meta.fields if f.max_length} | {"address": 200}


def read_text(limit: int) -> Callable[[str], str]:
    def read(cell: str) -> str:
        value = " ".join(cell.split())
        if len(value) > limit:
            raise CellRefused("too_long", limit=limit)
        return value

    return read


def read_name(cell: str) -> str:
    """Capitals with all marks, as the form is filled (domain.md section 3)."""
    value = " ".join(cell.split()).upper()
    if len(value) > 100:
        raise CellRefused("too_long", limit=100)
    return value


def read_number(cell: str) -> str:
    """A number keeps what it is written with but blanks and dots; its length is a fault, not a refusal."""
    value = cell.replace(" ", "").strip(".'")
    if (value.isascii() and value.isdigit()) or not value:
        if len(value) > 20:
            raise CellRefused("too_long", limit=20)
        return value
    if SPOILT_NUMBER.fullmatch(value):
        raise CellRefused("number_spoilt")
    value = value.replace(".", "")
    if len(value) > 20:
        raise CellRefused("too_long", limit=20)
    return value


def read_required_name(cell: str) -> str:
    value = read_name(cell)
    if not value:
        raise CellRefused("missing")
    return value


def read_birth_date(cell: str) -> tuple[int, int | None, int | None, str]:
    """(year, month, day, the three as COPY takes them) of dd/mm/yyyy, mm/yyyy or yyyy."""
    cell = cell.strip()
    if not cell:
        raise CellRefused("missing")
    match = PARTIAL_DATE.fullmatch(cell)
    if not match:
        raise CellRefused("birth_date_unreadable")
    parts = match.groups()
    if parts[3]:
        year, month, day = (int(part) for part in parts[3:6])
    elif parts[6]:
        day, month, year = (int(part) for part in parts[6:9])
    else:
        day, month, year = (int(part) if part else None for part in parts[:3])
    try:
        date(year, month or 1, day or 1)
    except ValueError:
        raise CellRefused("no_such_day") from None
    if not OLDEST_YEAR <= year <= 2399:
        raise CellRefused("birth_year_out_of_range", oldest=OLDEST_YEAR)
    return year, month, day, f"{year}\t{month or NULL}\t{day or NULL}"


def read_day(cell: str) -> tuple[date | None, str]:
    """(the day or None, as COPY takes it); a whole date or nothing."""
    if not cell.strip():
        return None, NULL
    year, month, day, _ = read_birth_date(cell)
    if not (month and day):
        raise CellRefused("day_unreadable")
    found = date(year, month, day)
    return found, found.isoformat()


def read_word(words: Mapping[str, object], code: str, **values) -> Callable[[str], object]:
    def read(cell: str):
        try:
            return words[text.search_key(cell.strip())]
        except KeyError:
            raise CellRefused(code, **values) from None

    return read


def read_yes(cell: str) -> str:
    word = text.search_key(cell.strip())
    if word in YES:
        return "t"
    if word in NO:
        return "f"
    raise CellRefused("yes_or_no")


def read_blood_type(cell: str) -> str:
    value = cell.strip().upper().replace("0", "O")
    if value and value not in CollectionForm.BloodType.values:
        raise CellRefused("blood_type")
    return value


def read_line(cell: str) -> str:
    value = cell.strip()
    if value and not (value.isascii() and value.isdigit() and 0 < int(value) < 1000):
        raise CellRefused("line_number")
    return str(int(value)) if value else ""


class Read:
    """What a cell's text is read as."""

    def __init__(self, read: Callable[[str], object]):
        self.read = read

    def __getitem__(self, cell: str):
        return self.read(cell)


class Remembered(dict):
    """The same, kept, for texts that repeat; forgotten and begun again when it grows."""

    def __init__(self, read: Callable[[str], object], most: int = 8_000):
        super().__init__()
        self.read, self.most = read, most

    def __missing__(self, cell: str):
        value = self.read(cell)
        if len(self) >= self.most:
            self.clear()
        self[cell] = value
        return value


def _reader_of(name: str) -> Callable[[str], object]:
    if name == "full_name":
        return read_required_name
    if name in NAME_FIELDS:
        return read_name
    if name in NUMBER_FIELDS:
        return read_number
    return {
        "birth_date": read_birth_date,
        "collected_on": read_day,
        "declared_on": read_day,
        "sex": read_word(SEXES, "sex"),
        "marital_status": read_word(MARITAL, "marital_status"),
        "form_version": read_word(VERSIONS, "form_version"),
        "blood_type": read_blood_type,
        "signed_by_declarant": read_yes,
        "signed_by_officer": read_yes,
        "signed_by_chief": read_yes,
        "line": read_line,
    }.get(name) or read_text(LIMITS.get(name, 100))


def _table_of(name: str) -> Read | Remembered:
    if name in UNIQUE_FIELDS:
        return Read(_reader_of(name))
    # as many birth dates as a hundred years have days
    return Remembered(_reader_of(name), 36_525) if name == "birth_date" else Remembered(_reader_of(name))


def _value_of_absent(name: str):
    """What a column that the file lacks is for every row; a needed one is asked for before rows are read."""
    try:
        return _reader_of(name)("")
    except CellRefused:
        return None


# --- rows -------------------------------------------------------------------------------

# What the rules look at; the names are those of CollectionForm.
FormValues = namedtuple(
    "FormValues",
    "full_name birth_year birth_month birth_day sex blood_type marital_status birth_registration_place origin_place"
    " residence_place present_place ethnicity nationality other_nationality religion pin cmnd"
    " father_name father_nationality father_number mother_name mother_nationality mother_number"
    " spouse_name spouse_nationality spouse_number"
    " representative_name representative_nationality representative_number"
    " head_name head_nationality head_number relation book_number collected_on declared_on"
    " signed_by_declarant signed_by_officer signed_by_chief collected_unit_id",
)
STAGED = """
    source_row integer, is_doubtful boolean, run integer, place_in_run smallint, line text,
    collected_unit_id bigint, commune_id bigint, barcode text, collected_on date, declared_on date, form_version text,
    signed_by_declarant boolean, signed_by_officer boolean, signed_by_chief boolean,
    birth_year smallint, birth_month smallint, birth_day smallint, sex smallint, marital_status smallint,
    full_name text, blood_type text, birth_registration_place text, origin_place text, residence_place text,
    present_place text, ethnicity text, nationality text, other_nationality text, religion text, pin text, cmnd text,
    father_name text, father_nationality text, father_number text, mother_name text, mother_nationality text,
    mother_number text, spouse_name text, spouse_nationality text, spouse_number text, representative_name text,
    representative_nationality text, representative_number text, head_name text, head_nationality text,
    head_number text, relation text, book_number text, search_key text, sort_key text, more text
"""
# A run: rows of one household that follow each other in the file.
STAGED_RUNS = """
    run integer, commune_id bigint, hamlet_id bigint, hamlet_name text, book_number text, address text, head_name text,
    position text
"""
# What the rules suspect, by row; with its run where a rule looked at the whole household.
STAGED_SUSPECTED = "source_row integer, run integer, fault text, field text"


class FormRows:
    """Reads the rows of one file. What is wrong with a row is handed to `tell`."""

    def __init__(self, *, columns: Mapping[str, int], communes: Communes, hamlets: Hamlets,
                 collected_on: date | None, today: date, tell: Callable[..., None]):  # fmt: skip
        self.columns, self.communes, self.hamlets = columns, communes, hamlets
        self.register = RegisterColumns(columns)
        self.default_day, self.today, self.tell = collected_on, today, tell
        present = [name for name in NAMES if name in columns]
        absent = [name for name in NAMES if name not in columns]
        self.readers = [(name, _table_of(name)) for name in present]
        # A row's cells of these columns, what each is read as, and the values of all fields in their order: three
        # calls instead of a loop, for this is done a million times.
        self.pick = itemgetter(*(columns[name] for name in present))
        self.tables = [table for _, table in self.readers]
        self.absent = [_value_of_absent(name) for name in absent]
        self.arrange = itemgetter(*((*present, *absent).index(name) for name in NAMES))
        self.places: dict[tuple, tuple] = {}
        # (commune, folded name) -> the row it was told of, its name there
        self.new_hamlets: dict[tuple[int, str], tuple[int, str]] = {}
        self.hamlets_told_again: list[int] = []  # rows
        self.run, self.run_key, self.place_in_run = 0, None, 0
        self.former_units = lineage.former_units(today)
        self.of_run: list[tuple[int, FormValues]] = []  # the rows of the run so far
        self.suspected = tempfile.TemporaryFile()  # noqa: SIM115 - lines for STAGED_SUSPECTED; `close` closes it
        self.runs = tempfile.TemporaryFile()  # noqa: SIM115 - lines for STAGED_RUNS

    def read(self, row: int, cells: list[str]) -> str | None:
        """The row as a line of COPY into STAGED, or None where it is refused."""
        if "\\" in "".join(cells):
            cells = [cell.replace("\\", "\\\\") for cell in cells]  # as COPY wants it
        try:
            read = map(getitem, self.tables, self.pick(cells))
            own = self.register.read(cells) if self.register else NOTHING
            return self._staged(row, self.arrange((*read, *self.absent)), own)
        except CellRefused as refused:
            self._tell_all(row, cells, refused)
            return None

    def begin_block(self, first: int) -> None:
        """Rows between were another reader's: a new run, numbered from `first` on."""
        self.end_run()
        self.run, self.run_key, self.place_in_run = first, None, 0

    def add_new_hamlet(self, key: tuple[int, str], row: int, name: str) -> None:
        """One that another reader has told of; if so have we, the later row does not count."""
        mine = self.new_hamlets.get(key)
        if mine is not None:
            self.hamlets_told_again.append(max(mine[0], row))
        if mine is None or row < mine[0]:
            self.new_hamlets[key] = (row, name)

    def close(self) -> None:
        self.runs.close()
        self.suspected.close()

    def _tell_all(self, row: int, cells: list[str], first: CellRefused) -> None:
        """Every cell that cannot be read; where all can, what `first` says of the row as a whole."""
        told = False
        for (name, table), cell in zip(self.readers, self.pick(cells), strict=True):
            try:
                table[cell]
            except CellRefused as refused:
                self.tell(row, name, cell, refused, is_refusal=True)
                told = True
        if not told:
            at = self.columns.get(first.column)
            self.tell(row, first.column, cells[at] if at is not None else "", first, is_refusal=True)

    def _staged(self, row: int, values: tuple, own: Own) -> str:
        (
            barcode, (collected, collected_text), district, commune_code, commune_name, hamlet, address, book, line,
            full_name, (year, month, day, birth), sex, blood, marital, birth_place, origin, ethnicity, nationality,
            other_nationality, religion, pin, cmnd, residence, present, father, father_of, father_number, mother,
            mother_of, mother_number, spouse, spouse_of, spouse_number, representative, representative_of,
            representative_number, head, head_of, head_number, relation, (declared, declared_text), version,
            signed_1, signed_2, signed_3,
        ) = values  # fmt: skip
        if collected is None:
            if self.default_day is None:
                raise CellRefused("collected_on_missing").of("collected_on")
            collected, collected_text = self.default_day, self.default_day.isoformat()
        if collected > self.today:
            raise CellRefused("collected_in_the_future").of("collected_on")
        place = (commune_code, commune_name, district, hamlet, bisect(self.communes.days_of_change, collected))
        found = self.places.get(place)
        if found is None:
            found = self._find_place(place, collected)
        units, collected_unit_id, commune_id, hamlet_id, hamlet_name = found
        is_doubtful = False
        if not (sex and book and barcode and hamlet_id):
            is_doubtful = self._tell_doubts(row, commune_id, hamlet_name, sex=sex, book=book, barcode=barcode,
                                            is_new_hamlet=hamlet_id is None)  # fmt: skip
        home_book = book if own.book is None else own.book
        home_head = head if own.head is None else own.head
        key = (commune_id, hamlet_name, own.order or home_book or (home_head, address))
        if key != self.run_key:
            self.end_run()
            self.run, self.run_key, self.place_in_run = self.run + 1, key, 0
            home = (hamlet_name, home_book, address, home_head, own.order)
            run = (str(self.run), str(commune_id), str(hamlet_id or NULL), *home)
            self.runs.write(("\t".join(run) + "\n").encode())
        self.place_in_run += 1
        form = FormValues(
            full_name, year, month, day, sex, blood, marital, birth_place, origin, residence, present, ethnicity,
            nationality, other_nationality, religion, pin, cmnd, father, father_of, father_number, mother, mother_of,
            mother_number, spouse, spouse_of, spouse_number, representative, representative_of, representative_number,
            head, head_of, head_number, relation, book, collected, declared, signed_1 == "t", signed_2 == "t",
            signed_3 == "t", collected_unit_id,
        )  # fmt: skip
        self.of_run.append((row, form))
        for fault, item in faults.suspected(form, self.former_units):
            self.suspected.write(f"{row}\t{NULL}\t{fault}\t{item}\n".encode())
        search_key, sort_key = text.name_keys(full_name)
        if "\\" in full_name:  # it is written as COPY wants it by now
            search_key, sort_key = text.name_keys(full_name.replace("\\\\", "\\"))
            search_key = search_key.replace("\\", "\\\\")
        return "\t".join((
            str(row), "t" if is_doubtful else "f", str(self.run), str(self.place_in_run), line, units, barcode,
            collected_text, declared_text, version, signed_1, signed_2, signed_3, birth, str(sex), str(marital),
            full_name, blood, birth_place, origin, residence, present, ethnicity, nationality, other_nationality,
            religion, pin, cmnd, father, father_of, father_number, mother, mother_of, mother_number, spouse, spouse_of,
            spouse_number, representative, representative_of, representative_number, head, head_of, head_number,
            relation, book, search_key, sort_key.replace("\\", "\\\\"), own.more + "\n",
        ))  # fmt: skip

    def end_run(self) -> None:
        """What the rules suspect of the household whose rows have just ended."""
        if suspicions := faults.suspicions_in_household([form for _, form in self.of_run]):
            rows = {id(form): row for row, form in self.of_run}
            told = {(rows[id(form)], found.fault, found.field) for form, found in suspicions}
            for row, fault, item in sorted(told):
                self.suspected.write(f"{row}\t{self.run}\t{fault}\t{item}\n".encode())
        self.of_run.clear()

    def _find_place(self, place: tuple, collected: date) -> tuple:
        code, name, district, hamlet, _ = place
        try:
            found = self.communes.find(code, name, district, collected)
        except CellRefused as refused:
            raise refused.of("commune" if name or "commune_code" not in self.columns else "commune_code") from None
        try:
            hamlet_id, hamlet_name = self.hamlets.find(found.commune.pk, hamlet)
        except CellRefused as refused:
            raise refused.of("hamlet") from None
        if len(self.places) > 10_000:
            self.places.clear()
        self.places[place] = (found.ids, found.collected.pk, found.commune.pk, hamlet_id, hamlet_name)
        return self.places[place]

    def _tell_doubts(self, row: int, commune_id: int, hamlet_name: str, *, sex: int, book: str, barcode: str,
                     is_new_hamlet: bool) -> bool:  # fmt: skip
        """What is odd about a row that is loaded all the same; a new hamlet is told of once."""
        doubts = [
            (name, "", code)
            for name, value, code in (
                ("sex", sex, "sex_missing"),
                ("book_number", book, "no_book"),
                ("barcode", barcode, "no_barcode"),
            )
            if not value
        ]
        folded = (commune_id, text.search_key(hamlet_name))
        if is_new_hamlet and folded not in self.new_hamlets:
            self.new_hamlets[folded] = (row, hamlet_name)
            doubts.append(("hamlet", hamlet_name, "new_hamlet"))
        for name, value, code in doubts:
            self.tell(row, name, value, CellRefused(code), is_refusal=False)
        return bool(doubts)
