"""What the rules know beside the form: relations to the head, code lists, how places are written."""

import csv
import re
from functools import cache, lru_cache
from importlib import resources
from itertools import pairwise
from typing import NamedTuple

from households import text

MALE, FEMALE = 1, 2
SINGLE, MARRIED, DIVORCED_OR_WIDOWED = 1, 2, 3

# Relations to the head, folded as `text.search_key` does; forms of 2018 were free text (domain.md section 5).
HEAD_WORDS = frozenset({"chu ho"})
SPOUSES = frozenset({"vo", "chong"})
CHILDREN = frozenset({"con", "con trai", "con gai", "con de", "con trai de", "con gai de"})
PARENTS = frozenset({"bo", "cha", "me", "bo de", "cha de", "me de"})
ELDERS = PARENTS | {"ong noi", "ong ngoai", "ba noi", "ba ngoai", "bo vo", "bo chong", "cha vo", "cha chong", "me vo", "me chong"}  # fmt: skip
ADULTS = ELDERS | SPOUSES | {"con dau", "con re"}
SEX_OF_RELATION = {
    **dict.fromkeys(
        ("chong", "bo", "cha", "bo de", "cha de", "cha nuoi", "bo nuoi", "con trai", "ong noi", "ong ngoai", "con re", "anh",
         "anh ruot", "em trai", "bo vo", "bo chong", "cha vo", "cha chong", "chau trai", "chu ruot", "cau ruot"),
        MALE,
    ),
    **dict.fromkeys(
        ("vo", "me", "me de", "me nuoi", "con gai", "ba noi", "ba ngoai", "con dau", "chi", "chi ruot", "em gai", "me vo",
         "me chong", "chau gai", "co ruot", "di ruot"),
        FEMALE,
    ),
}  # fmt: skip

NO_RELIGION = frozenset({"khong", "khong ton giao", "khong theo ton giao", "khong theo ton giao nao", "khong co"})
# ways of writing what the list of QCVN 109 writes otherwise
RELIGION_VARIANTS = frozenset(
    {"phat", "dao phat", "thien chua giao", "dao thien chua", "cong giao la ma", "tin lanh", "dao tin lanh", "dao cao dai", "hoa hao",
     "dao hoi", "islam", "ba-la-mon", "baha'i", "bahai", "minh su dao", "tu an hieu nghia", "co doc phuc lam",
     "tinh do cu si", "phat giao hieu nghia ta lon", "buu son ky huong"}
)  # fmt: skip
ETHNIC_VARIANTS = frozenset({"khmer", "mong", "h'mong", "hmong", "e de", "ba na", "co ho", "gia rai", "van kieu", "bru - van kieu"})  # fmt: skip


def _rows(name: str) -> list[list[str]]:
    with resources.files("households").joinpath("data", name).open(encoding="utf-8", newline="") as lines:
        return list(csv.reader(lines))[1:]


@cache
def pin_provinces() -> frozenset[str]:
    """The first three digits of a personal number (Thông tư 07/2016/TT-BCA, phụ lục 1)."""
    return frozenset(row[0] for row in _rows("province_pin_codes.csv"))


@cache
def pin_code_of_province() -> dict[str, str]:
    """Folded name of a province -> the first three digits of numbers registered there."""
    return {text.search_key(row[1]): row[0] for row in _rows("province_pin_codes.csv")}


@cache
def ethnic_groups() -> frozenset[str]:
    """The 54 groups by name and by the other names of the list, folded."""
    names = {name for row in _rows("ethnic_groups.csv") for name in (row[1], *row[2].split(","))}
    return frozenset(text.search_key(name) for name in names if name.strip()) | ETHNIC_VARIANTS


@cache
def religions() -> frozenset[str]:
    return frozenset(text.search_key(row[1]) for row in _rows("religions.csv")) | RELIGION_VARIANTS | NO_RELIGION


class FormerUnit(NamedTuple):
    """A commune that stands no more, and what it became."""

    unit_id: int
    name: str
    now: str


_BETWEEN_PARTS = re.compile(r"\s*[,;]\s*|\s+[-–]\s+")
_SHORT_TYPES = {"x.": "xa", "p.": "phuong", "tt.": "thi tran", "tp.": "thanh pho", "tp": "thanh pho", "tx.": "thi xa", "tx": "thi xa", "h.": "huyen"}  # fmt: skip
_SHORT_TYPE = re.compile(r"^(tt\.|tp\.?|tx\.?|x\.|p\.|h\.)\s*(?=\S)")
_COMMUNE_TYPES = ("xa ", "phuong ", "thi tran ")
_PROVINCE_TYPE = re.compile(r"^(tinh|thanh pho)\s+")


@lru_cache(maxsize=65536)
def place_parts(place: str) -> tuple[str, ...]:
    """A place's parts folded, short types written out: "P. Hưng Trí, TX Kỳ Anh" -> ("phuong hung tri", "thi xa ky anh")."""
    parts = _BETWEEN_PARTS.split(text.search_key(place))
    return tuple(_SHORT_TYPE.sub(lambda m: _SHORT_TYPES[m.group(1)] + " ", part) for part in parts)


@lru_cache(maxsize=65536)
def commune_key(place: str) -> str:
    """The commune with its district that a place names ("xa thach mon, thanh pho ha tinh"); empty when it names none."""
    for commune, district in pairwise(place_parts(place)):
        if commune.startswith(_COMMUNE_TYPES):
            return f"{commune}, {district}"
    return ""


@lru_cache(maxsize=65536)
def province_code(place: str) -> str:
    """The first digits of personal numbers registered in the province a place ends with; empty when it names none."""
    return pin_code_of_province().get(_PROVINCE_TYPE.sub("", place_parts(place)[-1]), "")
