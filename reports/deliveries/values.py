"""Values of a form as the exchange standard QCVN 109:2017/BTTTT writes them (domain.md section 5): codes where it has
codes, names in three parts, days as yyyy-mm-dd or yyyy. Every value also says, as `VanBan`, what the form says."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache

from households import text
from households.unit_import import read_csv

Value = dict[str, str]
BLOOD_TYPES = {"": "00", "A": "01", "B": "02", "AB": "03", "O": "04"}
VIETNAM, VIETNAMESE = "VN", "việt nam"
CITIES = {"hà nội", "hải phòng", "đà nẵng", "hồ chí minh", "cần thơ"}  # of the rank of a province


def plain(value: str) -> Value:
    return {"VanBan": value}


def name(value: str) -> Value:
    """Ho, ChuDem, Ten; the middle name may be empty, and of one word alone the surname too."""
    if not value:
        return {"VanBan": ""}
    ho, chu_dem, ten = text.split_name(value)
    return {"VanBan": value, "Ho": ho, "ChuDem": chu_dem, "Ten": ten}


def birth_date(value: str) -> Value:
    """The standard knows the whole day or the year alone. Where the form has month and year, the year goes there and
    the month beside it: a day is never made up, and nothing is left out."""
    if not value:
        return {"VanBan": ""}
    year, *month_and_day = reversed(value.split("/"))
    if len(month_and_day) == 1:
        return {"VanBan": value, "NgayThangNamSinh": year, "ThangSinh": month_and_day[0]}
    return {"VanBan": value, "NgayThangNamSinh": "-".join((year, *month_and_day))}


def code(value: str) -> Value:
    """Sex and marital status are kept as the standard's codes."""
    return {"VanBan": value, "Ma": value or "0"}


def blood_type(value: str) -> Value:
    return {"VanBan": value, "Ma": BLOOD_TYPES[value]}


def ethnicity(value: str) -> Value:
    return _with_code(value, _ethnic_groups())


def religion(value: str) -> Value:
    """“Không” has no code of its own in the part of the standard we have: then the text stands alone."""
    return _with_code(value, _religions())


def nationality(value: str) -> Value:
    return {"VanBan": value, "Ma": VIETNAM} if text.marked_key(value) == VIETNAMESE else {"VanBan": value}


def place(value: str) -> Value:
    """The whole text (ChiTiet of the standard), and the code of the smallest unit in it that the packaged lists know."""
    found = code_of_place(value)
    return {"VanBan": value, "MaDonViHanhChinh": found, "QuocGia": VIETNAM} if found else {"VanBan": value}


def _with_code(value: str, codes: dict[str, str]) -> Value:
    found = codes.get(text.marked_key(value))
    return {"VanBan": value, "Ma": found} if found else {"VanBan": value}


@cache
def _ethnic_groups() -> dict[str, str]:
    """Names before other names: Thổ is a group of its own, and what some Tày are called."""
    listed = read_csv("households", "ethnic_groups.csv")
    other = {text.marked_key(alias): row["code_121_1979"] for row in listed for alias in row["aliases"].split(", ")}
    return other | {text.marked_key(row["name"]): row["code_121_1979"] for row in listed}


@cache
def _religions() -> dict[str, str]:
    return {text.marked_key(row["name"]): row["code_qcvn109"] for row in read_csv("households", "religions.csv")}


# Places


@dataclass(frozen=True)
class Listed:
    """Units by what stands in a text, each under its own: a district's name says nothing without its province."""

    provinces: dict[str, str]
    below: dict[tuple[str, str], str]  # (code of the unit above, name) -> code


@cache
def _listed() -> Listed:
    provinces = {}
    for row in read_csv("households", "province_pin_codes.csv"):
        key = text.marked_key(row["name"])
        ranks = ("thành phố ", "tp ", "tp. ") if key in CITIES else ("tỉnh ",)
        provinces |= dict.fromkeys([key, *(rank + key for rank in ranks)], row["gso_code"])
    below: dict[tuple[str, str], str] = {}
    for list_of in ("units_2018.csv", "units_2020.csv"):  # a name of both lists has the code of today
        for row in read_csv("households", list_of):
            below[row["parent_code"], text.marked_key(row["full_name"])] = row["code"]
    return Listed(provinces, below)


@lru_cache(maxsize=65536)
def code_of_place(written: str) -> str:
    """Read from the end: province, then district, then commune, as far as each is in the lists; "" where nothing is."""
    listed = _listed()
    parts = [text.marked_key(part) for part in written.split(",")]
    found = listed.provinces.get(parts.pop().rstrip(".") if parts else "", "")
    while found and parts and (below := listed.below.get((found, parts.pop()))):
        found = below
    return found


@dataclass(frozen=True)
class Described:
    """An item as the file calls it, and how its values are written."""

    name: str
    write: Callable[[str], Value]


ITEMS = {
    "full_name": Described("HoVaTen", name),
    "birth_date": Described("NgayThangNamSinh", birth_date),
    "sex": Described("GioiTinh", code),
    "pin": Described("SoDinhDanh", plain),
    "cmnd": Described("SoCMND", plain),
    "relation": Described("QuanHeVoiChuHo", plain),
    "marital_status": Described("TinhTrangHonNhan", code),
    "birth_registration_place": Described("NoiDangKyKhaiSinh", place),
    "origin_place": Described("QueQuan", place),
    "residence_place": Described("ThuongTru", place),
    "present_place": Described("NoiOHienTai", place),
    "ethnicity": Described("DanToc", ethnicity),
    "religion": Described("TonGiao", religion),
    "nationality": Described("QuocTich", nationality),
    "blood_type": Described("NhomMau", blood_type),
    "father_name": Described("HoVaTenCha", name),
    "mother_name": Described("HoVaTenMe", name),
    "spouse_name": Described("HoVaTenVoChong", name),
    "representative_name": Described("HoVaTenNguoiDaiDien", name),
    "head_name": Described("HoVaTenChuHo", name),
    "book_number": Described("SoSoHoKhau", plain),
}
PAPERS = {
    "birth_certificate": "giay_khai_sinh",
    "household_book": "so_ho_khau",
    "identity_card": "cmnd_cccd",
    "civil_status_extract": "trich_luc_ho_tich",
    "archive": "tang_thu",
    "in_person": "bien_ban_xac_minh",
    "other": "giay_to_khac",
}
REMOVALS = {"deceased": "da_chet", "duplicate": "trung_phieu", "emigrated": "thoi_quoc_tich"}
KINDS = {"correction": "sua", "removal": "loai_bo", "recall": "thu_hoi"}
ANSWERS = {"accepted": "chap_nhan", "refused": "tu_choi"}
