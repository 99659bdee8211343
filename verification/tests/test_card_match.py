"""Whose card it is, and what form and card say differently."""

import pytest

from households.tests.factories import make_form, make_household
from verification import card_match
from verification.card_match import Verdict, candidates, compare
from verification.cards import parse
from verification.tests.cards import card_text

pytestmark = pytest.mark.django_db


@pytest.fixture
def person(round, homes):
    return make_form(homes.two, line=3, full_name="TRẦN THỊ GIẢ", pin="042180000777", cmnd="183000777", sex=2)


HERS = {"number": "042180000777", "cmnd": "183000777", "name": "Trần Thị Giả", "sex": "Nữ"}


def found(officer, round, **changes) -> card_match.Candidates:
    return candidates(parse(card_text(**HERS | changes)), officer, round)


def ids(found: card_match.Candidates) -> list[int]:
    return [form.pk for form in found.forms]


class TestFinding:
    def test_by_personal_number_then_old_number_then_name(self, person, cast, round):
        assert ids(found(cast.officer, round)) == [person.pk]
        assert ids(found(cast.officer, round, number="042180000778")) == [person.pk]
        assert ids(found(cast.officer, round, number="042180000778", cmnd="")) == [person.pk]
        assert ids(found(cast.officer, round, number="042180000778", cmnd="", name="Trần Thị Khác")) == []

    def test_a_personal_number_goes_before_an_old_one(self, person, homes, cast, round):
        make_form(homes.two, line=4, full_name="TRẦN THỊ GIẢ", cmnd="183000777", sex=2)
        assert ids(found(cast.officer, round)) == [person.pk]

    def test_a_card_number_that_was_written_as_identity_card(self, homes, cast, round):
        form = make_form(homes.two, line=4, full_name="LÊ THỊ THỬ", cmnd="042180000900", sex=2)
        assert ids(found(cast.officer, round, number="042180000900", name="Lê Thị Thử", cmnd="")) == [form.pk]

    def test_by_name_where_the_form_knows_the_year_only(self, homes, cast, round):
        form = make_form(homes.two, line=4, full_name="LÊ THỊ THỬ", birth_month=None, birth_day=None, cmnd="", sex=2)
        other = {"number": "042180000900", "cmnd": ""}
        assert ids(found(cast.officer, round, name="Lê Thị Thử", **other)) == [form.pk]
        assert ids(found(cast.officer, round, name="Lê Thị Thử", born="1980", **other)) == [form.pk]
        assert ids(found(cast.officer, round, name="Lê Thị Thử", born="17051981", **other)) == []

    def test_several_are_all_given(self, person, homes, cast, round):
        twin = make_form(homes.three, line=4, full_name="TRẦN THỊ GIẢ", pin="042180000777", sex=2)
        assert set(ids(found(cast.officer, round))) == {person.pk, twin.pk}

    def test_a_number_on_somebody_elses_form_is_doubtful(self, person, cast, round):
        doubtful = found(cast.officer, round, name="Lê Thị Khác", born="01011999")
        assert (ids(doubtful), doubtful.is_doubtful, doubtful.is_elsewhere) == ([person.pk], True, False)

    def test_the_right_name_goes_before_a_number_on_somebody_elses_form(self, person, homes, cast, round):
        right = make_form(homes.three, line=4, full_name="LÊ THỊ ĐÚNG", birth_year=1999, cmnd="", sex=2)
        both = found(cast.officer, round, name="Lê Thị Đúng", born="17051999")
        assert (ids(both), both.is_doubtful) == ([right.pk, person.pk], False)

    def test_another_commune_is_said_and_nothing_of_it_given(self, person, cast, round):
        elsewhere = found(cast.stranger, round)
        assert (elsewhere.forms, elsewhere.is_elsewhere) == ([], True)
        unknown = found(cast.stranger, round, number="042180000999", cmnd="")
        assert (unknown.forms, unknown.is_elsewhere) == ([], False)

    @pytest.mark.parametrize("who", ["member", "supervisor", "pc06"])
    def test_whoever_may_see_the_person_finds_her(self, person, cast, round, who):
        assert ids(found(getattr(cast, who), round)) == [person.pk]

    def test_a_garbled_name_is_found_by_its_number_alone(self, person, cast, round):
        assert ids(found(cast.officer, round, name="Traanf Thij Giar")) == [person.pk]
        assert ids(found(cast.officer, round, name="Traanf Thij Giar", number="042180000778", cmnd="")) == []

    def test_it_takes_few_queries(self, person, homes, cast, round, django_assert_max_num_queries):
        found(cast.officer, round)  # the first prepares the statements
        with django_assert_max_num_queries(3):
            found(cast.officer, round)
        with django_assert_max_num_queries(12):
            found(cast.officer, round, number="042180000778", cmnd="", name="Trần Thị Khác")


def verdicts(form, **changes) -> dict[str, str]:
    return {c.item: c.verdict.value for c in compare(form, parse(card_text(**changes)))}


class TestComparing:
    @pytest.fixture
    def form(self, homes):
        return make_form(homes.two, line=3, pin="042080000123")

    def test_all_the_same(self, form):
        assert set(verdicts(form).values()) == {Verdict.SAME}

    @pytest.mark.parametrize(
        ("on_form", "on_card", "verdict"),
        [
            ({"full_name": "TRẦN THỊ HOÀ"}, {"name": "Trần Thị Hòa"}, "same"),
            ({"full_name": "TRẦN THỊ HOA"}, {"name": "Trần Thị Hòa"}, "differs"),
            ({"full_name": "TRẦN THỊ HOÀ"}, {"name": "Traanf Thij Hoaf"}, "garbled"),
        ],
    )
    def test_names(self, homes, on_form, on_card, verdict):
        assert verdicts(make_form(homes.two, line=3, **on_form), **on_card)["full_name"] == verdict

    @pytest.mark.parametrize(
        ("day", "month", "year", "born", "verdict"),
        [
            (17, 5, 1980, "17051980", "same"),
            (None, None, 1980, "17051980", "adds"),
            (None, 5, 1980, "17051980", "adds"),
            (None, None, 1981, "17051980", "differs"),
            (None, 6, 1980, "17051980", "differs"),
            (18, 5, 1980, "17051980", "differs"),
            (17, 5, 1980, "1980", "same"),
        ],
    )
    def test_birth_dates(self, homes, day, month, year, born, verdict):
        form = make_form(homes.two, line=3, birth_day=day, birth_month=month, birth_year=year)
        assert verdicts(form, born=born)["birth_date"] == verdict

    @pytest.mark.parametrize(
        ("on_form", "on_card", "item", "verdict"),
        [
            ({"pin": ""}, {}, "pin", "adds"),
            ({"pin": "042080000999"}, {}, "pin", "differs"),
            ({"cmnd": ""}, {}, "cmnd", "adds"),
            ({"cmnd": "183000002"}, {}, "cmnd", "differs"),
            ({"cmnd": "183000002"}, {"cmnd": ""}, "cmnd", "silent"),
            ({"cmnd": "042080000123"}, {}, "cmnd", "same"),
            ({"sex": 0}, {}, "sex", "adds"),
            ({"sex": 2}, {}, "sex", "differs"),
        ],
    )
    def test_numbers_and_sex(self, homes, on_form, on_card, item, verdict):
        assert verdicts(make_form(homes.two, line=3, **on_form), **on_card)[item] == verdict

    @pytest.mark.parametrize(
        ("written", "on_card", "verdict"),
        [
            ("xã Hương Trà, huyện Hương Khê, tỉnh Hà Tĩnh", "Thôn Đông, Hương Trà, Hương Khê, Hà Tĩnh", "same"),
            ("thôn Đông, X. Hương Trà, H. Hương Khê, Hà Tĩnh", "Hương Trà, Hương Khê, Hà Tĩnh", "same"),
            ("phường Nam Hà, thành phố Hà Tĩnh, tỉnh Hà Tĩnh", "TDP 3, Nam Hà, TP Hà Tĩnh, Hà Tĩnh", "same"),
            ("xã Phú Gia, huyện Hương Khê, tỉnh Hà Tĩnh", "Hương Trà, Hương Khê, Hà Tĩnh", "differs"),
            ("", "Hương Trà, Hương Khê, Hà Tĩnh", "adds"),
        ],
    )
    def test_addresses_are_compared_loosely(self, homes, written, on_card, verdict):
        form = make_form(homes.two, line=3, residence_place=written)
        assert verdicts(form, residence=on_card)["residence_place"] == verdict

    def test_what_is_ticked_at_first(self, homes):
        form = make_form(homes.two, line=3, birth_day=None, birth_month=None, residence_place="xã Phú Gia")
        card = parse(card_text())
        assert [c.item for c in compare(form, card) if card_match.is_proposed(c, card)] == ["birth_date", "pin"]
        against = parse(card_text(number="042380000123"))
        assert [c.item for c in compare(form, against) if card_match.is_proposed(c, against)] == ["birth_date"]

    def test_somebody_else(self, homes):
        form = make_household(homes.two.hamlet, people=1).forms.get()
        card = parse(card_text(name="Lê Văn Khác", born="01011960"))
        assert card_match.is_somebody_else(compare(form, card))
        assert not card_match.is_somebody_else(compare(form, parse(card_text(name="Lê Văn Khác"))))
