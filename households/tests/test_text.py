import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from households import text

# Order of ICU 72, locale vi, for words that differ by letter and by tone (domain.md section 10).
IN_ORDER = ["ba", "bà", "bả", "bã", "bá", "bạ", "băng", "bâng", "da", "đa", "đà", "e", "ê", "hoa", "hòa", "lý", "o", "ô", "ơ",
            "tu", "tư", "xa", "ý"]  # fmt: skip


def test_search_key_drops_every_mark():
    assert text.search_key("Nguyễn Văn ĐỨC") == "nguyen van duc"
    assert text.search_key("Hoà") == text.search_key("Hòa") == "hoa"


def test_search_key_does_not_care_how_the_letters_were_composed():
    composed = "Trần Thị Thủy"
    assert text.search_key(unicodedata.normalize("NFD", composed)) == text.search_key(composed)


def test_sort_key_is_the_vietnamese_alphabet():
    assert sorted(set(IN_ORDER), key=text.sort_key) == IN_ORDER


def test_people_are_sorted_by_given_name_then_surname():
    names = ["TRẦN VĂN AN", "NGUYỄN THỊ BÌNH", "LÊ VĂN AN", "ĐẶNG ÁNH"]
    assert sorted(names, key=text.person_sort_key) == ["LÊ VĂN AN", "TRẦN VĂN AN", "ĐẶNG ÁNH", "NGUYỄN THỊ BÌNH"]


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("NGUYỄN VĂN AN", ("NGUYỄN", "VĂN", "AN")),
        ("LÊ ANH", ("LÊ", "", "ANH")),
        ("TÔN NỮ THỊ NGỌC HÀ", ("TÔN", "NỮ THỊ NGỌC", "HÀ")),
        ("HỒ", ("", "", "HỒ")),
    ],
)
def test_split_name(name, parts):
    assert text.split_name(name) == parts


def test_clean_makes_nfc_and_takes_control_characters_out():
    assert text.clean(unicodedata.normalize("NFD", "  Đức\x00\t Thọ\n")) == "Đức Thọ"


@given(st.text(max_size=40))
def test_cleaning_twice_changes_nothing_more(anything):
    once = text.clean(anything)
    assert text.clean(once) == once


@given(st.lists(st.sampled_from(IN_ORDER), min_size=1, max_size=4).map(" ".join))
def test_keys_are_plain_and_stable(words):
    assert text.search_key(words) == text.search_key(text.search_key(words))
    assert text.sort_key(words).isascii()
