"""Reading a card's text, whatever a scanner and an input method made of it."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verification.cards import MAX_TEXT, Card, UnreadableCard, parse
from verification.tests.cards import ISSUED_ON, card_text


def refusal(scanned: str) -> str:
    with pytest.raises(UnreadableCard) as refused:
        parse(scanned)
    return refused.value.sentence


class TestReading:
    def test_seven_fields(self):
        assert parse(card_text()) == Card(
            number="042080000123",
            cmnd="183000001",
            full_name="Nguyễn Văn Thử",
            birth_year=1980,
            birth_month=5,
            birth_day=17,
            sex=1,
            residence="Thôn Đông, Hương Trà, Hương Khê, Hà Tĩnh",
            issued_on=ISSUED_ON,
        )

    @pytest.mark.parametrize(
        "same",
        [
            card_text() + "||0123",  # cards of 2024 add some
            card_text() + "\r\n",
            "\ufeff  " + card_text().replace("|", " | "),
            card_text(born="17/05/1980", issued="1/1/2019"),
            card_text(born="17-5-1980", issued="01.01.2019"),
            unicodedata.normalize("NFD", card_text()),
            card_text(name="Nguyễn   Văn\tThử"),
        ],
    )
    def test_other_writings_of_the_same(self, same):
        assert parse(same) == parse(card_text())

    def test_without_the_old_number(self):
        six = parse(card_text().replace("|183000001", "", 1))
        assert six == parse(card_text(cmnd=""))
        assert six.cmnd == ""

    @pytest.mark.parametrize("born", ["1956", "00001956"])
    def test_only_the_year_is_known(self, born):
        card = parse(card_text(born=born))
        assert (card.birth_year, card.birth_month, card.birth_day) == (1956, None, None)
        assert card.birth_date_text == "1956"

    def test_a_woman(self):
        assert parse(card_text(sex="Nữ", number="042180000123", name="Trần Thị Giả")).sex == 2

    def test_it_does_not_show_itself(self):
        assert repr(parse(card_text())) == str(parse(card_text())) == "<Card>"


class TestDefects:
    @pytest.mark.parametrize("scanned", ["", "|", "xin chào", "https://example.invalid/abc", "042080000123",
                                         "Nguyễn|Văn|Thử", "١٢٣|4", "x" * 2000, "1|" * 2000])  # fmt: skip
    def test_not_a_card(self, scanned):
        assert "không phải nội dung thẻ" in refusal(scanned)

    def test_cut_off_anywhere(self):
        whole = card_text()
        for cut in range(13, len(whole)):
            assert "bị cụt hoặc hỏng" in refusal(whole[:cut]), whole[:cut]

    @pytest.mark.parametrize(
        "changed",
        [{"name": ""}, {"residence": ""}, {"born": "17.05"}, {"born": "1705198"}, {"sex": "X"}, {"cmnd": "1830"},
         {"issued": "2019"}, {"issued": ""}, {"name": "A" * 101}],
    )  # fmt: skip
    def test_damaged(self, changed):
        assert "bị cụt hoặc hỏng" in refusal(card_text(**changed))

    @pytest.mark.parametrize("number", ["42080000123", "183000001", "0420800001234"])
    def test_a_number_of_another_length(self, number):
        assert f"số vừa đọc có {len(number)}" in refusal(card_text(number=number))

    @pytest.mark.parametrize("born", ["31021980", "29/2/1981", "17131980", "17001980", "17050000", "32/1/1980"])
    def test_a_birth_date_that_does_not_exist(self, born):
        assert "Ngày sinh trong nội dung thẻ không có thật" in refusal(card_text(born=born))

    @pytest.mark.parametrize("issued", ["31022019", "00002019", "31/2/2019"])
    def test_a_day_of_issue_that_does_not_exist(self, issued):
        assert "Ngày cấp trong nội dung thẻ không có thật" in refusal(card_text(issued=issued))

    @pytest.mark.parametrize(
        ("changed", "says"),
        [
            ({"sex": "Nữ"}, "thẻ lại ghi nữ"),
            ({"born": "17051981"}, "sinh năm 1981"),
            ({"number": "042380000123"}, "2080"),
        ],
    )
    def test_a_number_that_contradicts_the_card_is_a_warning(self, changed, says):
        card = parse(card_text(**changed))
        assert says in card.contradiction
        assert not card.is_garbled

    def test_a_number_that_fits(self):
        assert parse(card_text()).contradiction == ""


class TestGarbledLetters:
    @pytest.mark.parametrize(
        "changed",
        [
            {"name": "Nguyeenx Vawn Thuwr"},  # Telex
            {"name": "Nguyeenx Văn Thử"},
            {"name": "Lee Thij Thur", "residence": "Xax Huwowng Traf, Haf Tixnh"},
            {"name": "Hof Tins", "residence": "12, 34"},
            {"name": "Nguye64n Va8n Thu73"},  # VNI
            {"name": "Nguy?n V?n Th?"},
            {"name": "Nguy\ufffdn Văn Thử"},
            {"name": "Nguyễn Văn Thư\u0309\u0309"},
            {"name": "\u0301Nguyễn Văn Thử"},
            {"name": "Nguyá»…n VÄƒn Thá»\xad"},  # UTF-8 read as Windows-1252
            {"name": "VÄƒn"},
            {"name": "Nguyen Van Thu", "residence": "Huong Tra, Huong Khe, Ha Tinh"},
            {"residence": "Th?n ??ng, H??ng Tr?"},
            {"sex": "Nu"},
            {"sex": "Nuwx"},
        ],
    )  # fmt: skip
    def test_it_is_told_and_the_numbers_are_still_there(self, changed):
        changed = {"sex": "Nữ", "number": "042180000123"} | changed
        card = parse(card_text(**changed))
        assert card.is_garbled
        assert (card.number, card.birth_year, card.sex) == ("042180000123", 1980, 2)

    @pytest.mark.parametrize("name", ["Mai Lan Anh", "Ksor H'Wen", "Y Bhŏk Niê", "Nguyễn Thị Hoà", "Tôn Nữ Thị Ân"])
    def test_names_that_only_look_like_it(self, name):
        assert not parse(card_text(name=name)).is_garbled


WORD = st.sampled_from(
    [
        "Nguyễn",
        "Trần",
        "Đỗ",
        "Ưng",
        "Thị",
        "Văn",
        "Đức",
        "Hoà",
        "Thuỷ",
        "Quý",
        "Ngoãn",
        "Ý",
        "An",
        "Êban",
        "H'Wen",
        "Thử",
        "Giả",
        "Mẫu",
    ]
)


def read(scanned: str) -> Card | str:
    try:
        return parse(scanned)
    except UnreadableCard as refused:
        return refused.sentence


@given(st.text())
def test_any_text_is_a_card_or_a_sentence(scanned):
    assert read(scanned)


FIELD = st.one_of(
    st.text(max_size=12), st.from_regex(r"[0-9]{0,12}", fullmatch=True), st.sampled_from(["", "Nam", "Nữ"])
)


@given(st.lists(FIELD, min_size=5, max_size=9), st.integers(0, 10**12 - 1))
def test_any_fields_behind_a_number_are_a_card_or_a_sentence(fields, number):
    card = read("|".join([f"{number:012d}", *fields]))
    assert card
    if isinstance(card, Card):
        assert isinstance(card.contradiction, str)


@given(
    number=st.from_regex(r"[0-9]{12}", fullmatch=True),
    cmnd=st.from_regex(r"([0-9]{9}|[0-9]{12})?", fullmatch=True),
    name=st.lists(WORD, min_size=2, max_size=5).map(" ".join),
    born=st.dates(min_value=ISSUED_ON.replace(year=1900), max_value=ISSUED_ON),
    sex=st.sampled_from(["Nam", "Nữ"]),
    residence=st.lists(WORD, min_size=2, max_size=8).map(" ".join).map(lambda words: f"Xã {words}"),
    slashes=st.booleans(),
)
def test_a_well_formed_card_comes_back_as_it_was(number, cmnd, name, born, sex, residence, slashes):
    written = f"{born:%d/%m/%Y}" if slashes else f"{born:%d%m%Y}"
    scanned = card_text(number, cmnd, name, written, sex, residence)
    card = parse(scanned)
    assert len(scanned) < MAX_TEXT
    assert (card.number, card.cmnd, card.full_name, card.residence) == (number, cmnd, name, residence)
    assert (card.birth_year, card.birth_month, card.birth_day) == (born.year, born.month, born.day)
    assert (card.sex, card.issued_on) == (1 if sex == "Nam" else 2, ISSUED_ON)
