"""The language of exceptions: reads what it writes, says what it cannot read, never breaks."""

from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from households import text
from verification.rules import CorrectionEntry
from verification.sheets import codes, language
from verification.sheets.language import SAYS_NOTHING, Problem, Remark
from verification.terms import OUTCOME_KEYS, Outcome, SourcePaper

TODAY = date(2020, 6, 19)


def read(typed: str) -> tuple[list[Remark], list[Problem]]:
    return language.read(typed, today=TODAY)


def one(typed: str) -> Remark:
    (remark,), problems = read(typed)
    assert problems == []
    return remark


def sentence(typed: str) -> str:
    remarks, (problem,) = read(typed)
    assert remarks == []
    assert problem.at == 1
    return problem.sentence


class TestReading:
    def test_a_correction(self):
        remark = one("4 s ngaysinh 12/03/1956 hk")
        assert (remark.first, remark.last, remark.outcome) == (4, 4, "corrected")
        assert remark.corrections == (CorrectionEntry("birth_date", "12/03/1956", "household_book"),)

    def test_several_items_of_one_person(self):
        remark = one("4 s ngaysinh 12/3/1956 hk\n\n  4 b  cha Nguyễn Văn  Cha ks ")
        assert remark.outcome == "corrected"
        assert [(c.field, c.new) for c in remark.corrections] == [
            ("birth_date", "12/3/1956"), ("father_name", "Nguyễn Văn Cha")]  # fmt: skip
        assert one("4 b cha NGUYỄN CHA ks\n4 b me TRẦN MẸ ks").outcome == "supplemented"

    @pytest.mark.parametrize(
        ("typed", "expected"),
        [
            ("7 d", Remark(7, 7, "matched")),
            ("7Đ", Remark(7, 7, "matched")),
            ("9 v đi làm ăn xa 25/6", Remark(9, 9, "not_met", reason="đi làm ăn xa", next_visit_on=date(2020, 6, 25))),
            ("9v đi 25.6.2020", Remark(9, 9, "not_met", reason="đi", next_visit_on=date(2020, 6, 25))),
            ("9-11 V vắng 25-6", Remark(9, 11, "not_met", reason="vắng", next_visit_on=date(2020, 6, 25))),
            ("12 c 3/4/2020 tl", Remark(12, 12, "deceased", event_on=date(2020, 4, 3), paper="civil_status_extract")),
            ("15 y Đà Nẵng 1/5/2020", Remark(15, 15, "moved_away", destination="Đà Nẵng", event_on=date(2020, 5, 1))),
            ("7 t 4211000123", Remark(7, 7, "duplicate", duplicate_barcode="4211000123")),
            ("8 n", Remark(8, 8, "emigrated")),
            ("8 n CCCD", Remark(8, 8, "emigrated", paper="identity_card")),
            ("20 k 3 không gặp", Remark(20, 20, "unverifiable", attempts=3, reason="không gặp")),
            ("31-58 -", Remark(31, 58)),
            ("31 -", Remark(31, 31)),
        ],
    )
    def test_each_outcome(self, typed, expected):
        remark = one(typed)
        assert language.write([remark]) == language.write([expected])
        assert remark.at == 1

    @pytest.mark.parametrize(
        ("typed", "part"),
        [
            ("s ngaysinh 1956 hk", "số dòng"),
            ("4", "không phải là kết quả"),
            ("4 w", "không phải là kết quả"),
            ("1234 d", "số dòng"),
            ("0 d", "Không có dòng"),
            ("7-4 v vắng 25/6", "Không có dòng"),
            ("4 d rồi", "rồi"),
            ("4 - rồi", "rồi"),
            ("4 s ngaysinh hk", "giá trị mới"),
            ("4 s ngayxinh 1956 hk", "ngayxinh"),
            ("4 s ngaysinh 1956 xx", "giấy tờ"),
            ("4-6 s ngaysinh 1956 hk", "một người"),
            ("4 c 3/4/2020", "ngày chết"),
            ("4 c 31/4/2020 tl", "31/4/2020"),
            ("4 c hôm qua tl", "hôm"),
            ("4 y Vinh", "chuyển"),
            ("4 y Vinh mai", "mai"),
            ("4 t", "mã vạch"),
            ("4 v đi xa", "xa"),
            ("4 v", "hẹn"),
            ("4 k không gặp", "số lần"),
            ("4 k 3", "số lần"),
            ("4 v a\ufffdb 25/6", "UTF-8"),
            ("4 v " + "a" * 201 + " 25/6", "200"),
            ("4 v " + "a " * 400, "dài"),
        ],
    )
    def test_each_problem_is_a_sentence(self, typed, part):
        assert part in sentence(typed)

    def test_a_line_named_twice(self):
        remarks, (problem,) = read("9-11 v vắng 25/6\n10 d\n12 d")
        assert [language.readable_lines(r) for r in remarks] == ["9-11", "12"]
        assert problem.at == 2

    def test_a_whole_sheet_and_no_more(self):
        _, problems = read("\n".join(["1 d"] * (language.MOST_LINES + 5)))
        assert problems[-1].at == language.MOST_LINES + 1


def cleaned(most: int = 40):
    """Text as the language hands it on: in NFC, single blanks, nothing broken."""
    return (
        st.text(min_size=1, max_size=most)
        .map(lambda t: text.clean("".join(c for c in t if c not in SAYS_NOTHING)))
        .filter(lambda t: t and len(t) <= most)
    )


DAYS = st.dates(date(1850, 1, 1), date(2399, 12, 31))
PAPERS = st.sampled_from(SourcePaper.values)
CORRECTIONS = st.builds(CorrectionEntry, field=st.sampled_from(list(language.ITEM_WORDS)), new=cleaned(), source=PAPERS)
WITH = {
    Outcome.MATCHED: {},
    Outcome.CORRECTED: {"corrections": st.lists(CORRECTIONS, min_size=1, max_size=4).map(tuple)},
    Outcome.SUPPLEMENTED: {"corrections": st.lists(CORRECTIONS, min_size=1, max_size=4).map(tuple)},
    Outcome.DECEASED: {"event_on": DAYS, "paper": PAPERS},
    Outcome.MOVED_AWAY: {"event_on": DAYS, "destination": cleaned()},
    Outcome.DUPLICATE: {"duplicate_barcode": st.text("0123456789ABC", min_size=1, max_size=20)},
    Outcome.EMIGRATED: {"paper": st.sampled_from(["", *SourcePaper.values])},
    Outcome.NOT_MET: {"reason": cleaned(), "next_visit_on": DAYS},
    Outcome.UNVERIFIABLE: {"attempts": st.integers(0, 99), "reason": cleaned()},
}


@st.composite
def remarks(draw) -> list[Remark]:
    """Remarks in any order that name no line twice."""
    made, numbers = [], draw(st.lists(st.integers(1, 900), unique=True, max_size=8))
    for number in numbers:
        outcome = draw(st.sampled_from(["", *Outcome]))
        fields = {name: draw(strategy) for name, strategy in WITH.get(outcome, {}).items()}
        made.append(Remark(number, number, outcome and outcome.value, **fields))
    if made and draw(st.booleans()):
        made.append(Remark(901, draw(st.integers(902, 999))))
    return made


@settings(suppress_health_check=[HealthCheck.too_slow])  # its tables of letters are made by the first draw
@given(remarks())
def test_what_is_written_reads_back(written):
    found, problems = read(language.write(written))
    assert problems == []
    assert [language.write([r]) for r in found] == [language.write([r]) for r in written]
    at = 1
    for remark, original in zip(found, written, strict=True):
        assert remark == Remark(**{**original.__dict__, "at": at})
        at += max(1, len(original.corrections))


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.text(max_size=400))
def test_any_text_is_read_or_told(typed):
    found, problems = read(typed)
    lines = typed.splitlines()
    for problem in problems:
        assert 1 <= problem.at <= len(lines)
        assert problem.sentence
    said = {r.at for r in found} | {p.at for p in problems}
    blank = {at for at, line in enumerate(lines, start=1) if not text.clean(line)}
    merged = sum(len(r.corrections) - 1 for r in found if r.corrections)
    assert len(said) + len(blank - said) + merged >= len(lines)


@given(st.lists(st.sampled_from(["4", " ", "-", "s", "v", "k", "ngaysinh", "hk", "1956", "25/6", "\n", "đ", "99"])))
def test_near_misses_are_read_or_told(parts):
    test_any_text_is_read_or_told.hypothesis.inner_test("".join(parts))


@given(st.text(max_size=30))
def test_a_code_is_read_or_none(typed):
    try:
        found = codes.read(typed)
    except codes.WrongCheckDigit:
        return
    assert found is None or found[1] > 0


@given(st.sampled_from([codes.SHEET, codes.HOUSEHOLD]), st.integers(1, 10**18 - 1))
def test_a_code_reads_back(kind, pk):
    assert codes.read(codes.code_of(kind, pk)) == (kind, pk)
    assert codes.read(codes.number_of(pk)) == (codes.SHEET, pk)


@given(st.integers(1, 10**12), st.data())
def test_a_typing_error_is_noticed(pk, data):
    digits = codes.number_of(pk).replace("-", "")
    at = data.draw(st.integers(0, len(digits) - 1))
    wrong = data.draw(st.sampled_from([d for d in "0123456789" if d != digits[at]]))
    mistyped = [digits[:at] + wrong + digits[at + 1 :]]
    if at and digits[at] != digits[at - 1]:
        mistyped.append(digits[: at - 1] + digits[at] + digits[at - 1] + digits[at + 1 :])
    for typed in mistyped:
        with pytest.raises(codes.WrongCheckDigit):
            codes.read(typed)


def test_every_word_says_one_thing():
    for words in (language.ITEM_WORDS, language.PAPER_WORDS):
        every = [word for of_one in words.values() for word in of_one]
        assert len(every) == len(set(every))
        assert all(text.search_key(word) == word and word.isalpha() for word in every)
    assert set(language.PAPER_WORDS) == set(SourcePaper)
    assert set(OUTCOME_KEYS.values()) == set(language.OUTCOME_OF)
