import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from households.imports import legacy_text
from households.tests.hostile_files import TCVN3_OF, VIETNAMESE, in_tcvn3, in_vni

NAMES = ["Nguyễn Văn Đức", "Trần Thị Hường", "Lê Quỳnh Giang", "Phạm Ngọc Ánh", "Đặng Khuê", "Hoàng Thuỷ", "Bùi Xuân Yến",
         "Đỗ Hữu Tiến", "Vũ Thị Oanh", "Phan Nguyệt"]  # fmt: skip
FRENCH = ["François Lefèvre", "Hélène Müller", "Où est l'été", "Noël à l'école", "Zoë Garçon", "René Dupré", "né à Orléans",
          "théâtre", "hôpital", "forêt"]  # fmt: skip
CONSONANTS = st.sampled_from(["", "b", "NG", "th", "k", "X"])
ONE_OF_THE_ALPHABET = st.sampled_from(VIETNAMESE + [letter.upper() for letter in VIETNAMESE])


def test_there_are_134_letters_with_marks_or_tones():
    plain = {letter for letter in VIETNAMESE if letter.isascii()}
    assert len(VIETNAMESE) - len(plain) == 67


@pytest.mark.parametrize("letter", [letter for letter in VIETNAMESE if not letter.isascii()])
def test_every_letter_comes_back(letter):
    assert len(in_tcvn3(letter)) == 1
    assert legacy_text.to_unicode(in_tcvn3(letter), "tcvn3") == letter
    # the capital fonts draw capitals where small letters are stored
    assert legacy_text.to_unicode(in_tcvn3(letter.upper()), "tcvn3").upper() == letter.upper()
    assert legacy_text.to_unicode(in_vni(letter), "vni") == letter
    assert legacy_text.to_unicode(in_vni(letter.upper()), "vni") == letter.upper()


def test_the_capitals_that_tcvn3_has_stay_capitals():
    assert {letter for letter in TCVN3_OF if letter.isupper()} == set("ĂÂÊÔƠƯĐ")
    assert legacy_text.to_unicode("§Æng", "tcvn3") == "Đặng"


def test_a_small_mark_behind_a_capital_is_read_too():
    assert legacy_text.to_unicode("AÙnh Aùnh", "vni") == "Ánh Ánh"


@given(st.lists(st.tuples(CONSONANTS, ONE_OF_THE_ALPHABET, CONSONANTS).map("".join)).map(" ".join))
def test_words_come_back(text):
    assert legacy_text.to_unicode(in_vni(text), "vni") == text
    assert legacy_text.to_unicode(in_tcvn3(text), "tcvn3").casefold() == text.casefold()


@pytest.mark.parametrize("encode", [in_tcvn3, in_vni])
def test_real_names_come_back(encode):
    encoding = "tcvn3" if encode is in_tcvn3 else "vni"
    for name in NAMES:
        assert legacy_text.to_unicode(encode(name), encoding).casefold() == name.casefold()


def test_columns_of_old_letters_are_recognised():
    assert legacy_text.suspected([["1", "2"], list(map(in_tcvn3, NAMES))]) == "tcvn3"
    assert legacy_text.suspected([list(map(in_vni, NAMES)), ["Nam", "Nam"]]) == "vni"
    assert legacy_text.suspected([[in_tcvn3(name.upper()) for name in NAMES]]) == "tcvn3"
    assert legacy_text.suspected([[in_vni(name.upper()) for name in NAMES]]) == "vni"


@pytest.mark.parametrize(
    "column",
    [
        NAMES,
        [name.upper() for name in NAMES],
        [unicodedata.normalize("NFC", name) for name in ["Lê Hoà", "Lê Trà", "Hà Lê", "Tô Là", "Cù Hoè"]],
        FRENCH,
        ["Nguyen Van A", "Tran B", "1985", ""],
        ["10°", "5µm", "§ 3", "© 2018", "½"],
        ["Größe", "Straße", "Müller", "Jürgen", "Bärbel"],
        ["Peña", "Muñoz", "España", "Ibáñez", "Núñez"],
        ["北京", "上海", "東京", "サ"],
        [],
    ],
)
def test_other_text_is_left_alone(column):
    assert legacy_text.suspected([column]) == ""


@given(st.lists(st.lists(st.text(max_size=30), max_size=10), max_size=4))
def test_any_text_may_be_asked_about(columns):
    assert legacy_text.suspected(columns) in {"", "tcvn3", "vni"}
    for text in (cell for column in columns for cell in column):
        assert isinstance(legacy_text.to_unicode(text, "tcvn3") + legacy_text.to_unicode(text, "vni"), str)
