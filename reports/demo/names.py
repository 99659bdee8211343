"""Made-up names in the proportions in which names are met in Hà Tĩnh. No list of persons was read for it."""

from functools import cache
from random import Random
from typing import NamedTuple

from households import text

MALE, FEMALE = 1, 2
SURNAMES = {
    "Nguyễn": 380, "Trần": 120, "Lê": 95, "Phạm": 50, "Phan": 48, "Hoàng": 40, "Võ": 32, "Đặng": 26, "Bùi": 22,
    "Hồ": 22, "Thái": 18, "Dương": 18, "Đinh": 16, "Cao": 14, "Ngô": 14, "Trương": 14, "Hà": 10, "Đỗ": 9, "Đậu": 9,
    "Lương": 8, "Lưu": 7, "Mai": 6, "Tô": 5, "Vũ": 5, "Huỳnh": 4, "Lý": 4, "Đoàn": 4, "Biện": 3, "Kiều": 2, "Bạch": 2,
}  # fmt: skip
# Three generations: born until 1959, until 1984, since.
ERAS = (1960, 1985)
MIDDLE = {
    MALE: (
        {"Văn": 60, "Đình": 8, "Xuân": 7, "Hữu": 6, "Đức": 5, "Quang": 3, "Công": 3, "Viết": 3, "Sỹ": 3, "": 2},
        {"Văn": 45, "Đình": 8, "Xuân": 8, "Hữu": 6, "Đức": 6, "Quang": 5, "Công": 5, "Viết": 3, "Trọng": 3, "Anh": 2},
        {"Văn": 20, "Đình": 6, "Xuân": 5, "Hữu": 5, "Đức": 8, "Quang": 8, "Công": 5, "Bảo": 5, "Gia": 6, "Minh": 6,
         "Anh": 6, "Tuấn": 4, "Hoàng": 6, "Thế": 3, "Nhật": 3, "Mạnh": 3},
    ),
    FEMALE: (
        {"Thị": 96, "": 4},
        {"Thị": 80, "Thị Thanh": 3, "Thị Thu": 3, "Thị Hồng": 3, "Thị Kim": 2, "Thị Thúy": 2, "Thị Minh": 2},
        {"Thị": 30, "Thị Thu": 6, "Thị Ngọc": 6, "Thị Khánh": 4, "Thị Hoài": 5, "Thị Phương": 5, "Thị Quỳnh": 5, "Bảo": 5,
         "Ngọc": 5, "Khánh": 4, "Thùy": 3, "Gia": 3, "Thị Mỹ": 4, "Thị Trà": 3, "Thị Cẩm": 3},
    ),
}  # fmt: skip
GIVEN = {
    MALE: (
        "Hòa Bình Thanh Lộc Minh Tâm Sơn Hùng Dũng Hải Long Lâm Thành Chính Trung Nghĩa Lương Đức Phúc Thọ Khang Ninh Xuân Thu "
        "Đông Hợi Tý Sửu Dần Thìn Tỵ Ngọ Mùi Thân Tuất Cầm Kỳ Thi Họa Trạch Diện Hoan Hoành Huệ Hóa Lý Mạo Nhân Nhượng Quế "
        "Tài Thuận Tiến Tín Toàn Toản Trí Tường Vinh Yêm Dương Liệu Đàn Việt",
        "Hùng Dũng Cường Tuấn Thắng Sơn Hải Long Nam Hà Hòa Bình Thanh Minh Tâm Thành Trung Đức Phúc Hiếu Nghĩa Quang Vinh Toàn "
        "Tiến Thạch Thịnh Hưng Huy Hoàng Anh Linh Lợi Lâm Phong Phương Phú Quân Quý Sáng Sỹ Tài Tân Thái Thế Thọ Thương Tình "
        "Trọng Trường Tú Tùng Việt Vũ Vượng Chiến Chung Chương Công Danh Đạt Đông Giang Hậu Hiền Hiệp Khoa Kiên",
        "Anh Bảo Bách Chiến Cường Dũng Duy Dương Đạt Đăng Đức Giang Hải Hào Hiếu Hoàng Huy Hùng Hưng Khang Khánh Khoa Khôi Kiên "
        "Kiệt Lâm Linh Long Lộc Lực Mạnh Minh Nam Nghĩa Nguyên Nhân Nhật Phát Phong Phú Phúc Phước Quân Quang Quốc Quyền Sang "
        "Sáng Sơn Tài Tâm Tân Thái Thành Thắng Thiên Thịnh Thông Tiến Tín Toàn Trí Trung Trường Tú Tuấn Tùng Việt Vinh Vũ Vương",
    ),
    FEMALE: (
        "Hòa Bình Thanh Minh Tâm Lan Huệ Hồng Cúc Đào Mận Liên Sen Nhung Lụa Gấm Thơm Thảo Hường Hương Hoa Hoài Hợi Tý Sửu Dần "
        "Thìn Tỵ Ngọ Mùi Tuất Chắt Nậy Lam Loan Phượng Yến Oanh Nga Nguyệt Nhàn Nhuần Xuân Thu Tứ Ngũ Lục Bảy Tám Chín Mười "
        "Em Khuê Lài Lý Mai Mão Miên Minh Quế Quy Soa Tình Thìn Vinh",
        "Hà Hằng Hạnh Hiền Hoa Hoài Hòa Hồng Huệ Huyền Hường Hương Lan Lê Liên Liễu Linh Loan Luyến Lý Lương Mai Mến Minh Mơ Nga "
        "Ngân Nguyệt Nhàn Nhung Oanh Phương Phượng Quyên Quỳnh Sâm Sen Soa Tâm Thanh Thảo Thắm Thắng Thơ Thơm Thu Thuận Thủy "
        "Thúy Thư Thương Tình Trang Trâm Trinh Tuyết Vân Vinh Vui Xoan Xuân Yến Anh Bình Cẩm Chung Dung Giang",
        "An Anh Ánh Bình Châu Chi Diệp Diệu Dung Duyên Đan Giang Hà Hân Hằng Hạnh Hiền Hoa Hoài Huyền Hương Khánh Lam Lan Lê Liên "
        "Linh Loan Ly Mai Minh My Mỹ Na Nga Ngân Ngọc Nguyên Nhi Như Nhung Oanh Phúc Phương Phượng Quyên Quỳnh Sương Tâm Thanh "
        "Thảo Thơ Thu Thủy Thúy Thư Thương Tiên Trà Trang Trâm Trinh Tú Tuyết Uyên Vân Vi Vy Xuân Yến",
    ),
}  # fmt: skip
POOL = 4096


class Surname(NamedTuple):
    text: str
    folded: str
    sorted: str


class Rest(NamedTuple):
    """Middle and given name, with what the two keys of a form need of them."""

    text: str
    folded: str
    given_sorted: str
    middle_sorted: str


@cache
def surnames() -> list[Surname]:
    """A pool in which each surname stands as often as it is met: drawing an index is the quickest draw."""
    pool = _weighted(SURNAMES, "surname")
    known = {name: Surname(name.upper(), text.search_key(name), text.sort_key(name)) for name in SURNAMES}
    return [known[name] for name in pool]


@cache
def rests(sex: int, era: int) -> list[Rest]:
    middles = _weighted(MIDDLE[sex][era], "middle")
    # earlier in the list is met more often
    given = GIVEN[sex][era].split()
    givens = _weighted({name: 2 * len(given) - place for place, name in enumerate(given)}, "given")
    return [_rest(middle, name) for middle, name in zip(middles, givens, strict=True)]


def era_of(birth_year: int) -> int:
    return (birth_year >= ERAS[0]) + (birth_year >= ERAS[1])


def officer_name(random: Random) -> str:
    sex = MALE if random.random() < 0.9 else FEMALE
    surname = random.choice(surnames())
    return f"{surname.text} {random.choice(rests(sex, 1)).text}".title()


def misspelt(name: str, random: Random) -> str:
    """The name with the marks of one word lost, as clerks lose them; always another name than before."""
    words = name.split()
    for place in random.sample(range(len(words)), len(words)):
        bare = text.search_key(words[place]).upper()
        if bare != words[place]:
            return " ".join([*words[:place], bare, *words[place + 1 :]])
    return " ".join([*words[:-1], words[-1] + "H"])


def _rest(middle: str, given: str) -> Rest:
    name = f"{middle} {given}".strip()
    return Rest(name.upper(), text.search_key(name), text.sort_key(given), text.sort_key(middle))


def _weighted(weights: dict[str, int], part: str) -> list[str]:
    return Random(part).choices(list(weights), list(weights.values()), k=POOL)
