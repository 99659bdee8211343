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


def test_marked_key_keeps_the_marks_and_one_place_of_the_tone():
    assert text.marked_key("  TRẦN thị HOÀ ") == text.marked_key("Trần Thị Hòa") == "trần thị hòa"
    assert text.marked_key("Thuỷ") == "thủy"
    assert text.marked_key("Hóa") != text.marked_key("Hòa")


@given(words=st.text(alphabet="aăâbcdđeêghiklmnoôơpqrstuưvxyàảãáạòủỷ ", max_size=40))
def test_marked_key_is_stable_and_folds_to_the_search_key(words):
    key = text.marked_key(words)
    assert text.marked_key(key) == key
    assert text.search_key(key) == text.search_key(words)


def test_spellings_are_how_forms_write_a_word():
    assert {"HÒA", "HOÀ", "Hòa", "hoà"} <= set(text.spellings("hoà"))


def test_the_folding_of_the_database_is_the_search_key():
    table = str.maketrans(text.FOLD_FROM, text.FOLD_TO)
    words = "Thôn Đông Hòa, đường NGUYỄN Thị Ỷ"
    assert " ".join(words.translate(table).split()) == text.search_key(words.replace(",", ""))
    assert len(text.FOLD_FROM) == len(text.FOLD_TO) == len(set(text.FOLD_FROM))
