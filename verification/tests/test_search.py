"""Finding people the way officers type."""

import re
import unicodedata
from types import SimpleNamespace

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.html import escape
from hypothesis import given
from hypothesis import strategies as st

from households.models import AdministrativeUnit, CollectionForm
from households.models.register import FORM_WORD_STARTS, FORM_WORDS
from households.permissions import scope_of
from households.tests.factories import make_form, make_hamlet, make_household, make_officer, make_unit
from verification import search
from verification.search import Query, asking, parse
from verification.search import query as parsing
from verification.tests.factories import record

NAMES = [
    "NGUYỄN VĂN AN",
    "NGUYỄN VĂN ÂN",
    "NGUYỄN VĂN ANH",
    "AN THỊ VÂN",
    "TRẦN THỊ HOÀ",
    "TRẦN THỊ HOA",
    "ĐỖ ĐỨC ĐÔNG",
]


def read(typed: str) -> Query:
    return parse(typed, this_year=2020)


class TestParsing:
    @pytest.mark.parametrize(
        ("typed", "words"),
        [
            ("nguyen van an", ("nguyen", "van", "an")),
            ("  Nguyễn   VĂN, An ", ("nguyễn", "văn", "an")),
            ("Trần Thị Hoà", ("trần", "thị", "hòa")),
            (unicodedata.normalize("NFD", "Đỗ Đức"), ("đỗ", "đức")),
            ("an an an", ("an",)),
            ("k'brôi y-đăng", ("k'brôi", "y-đăng")),
            ("% _ \\ ' \" ( | & ! : *", ()),
        ],
    )
    def test_words(self, typed, words):
        assert read(typed) == Query(words=words)

    @pytest.mark.parametrize(
        ("typed", "years"),
        [("85", (1985,)), ("05", (1905, 2005)), ("20", (1920, 2020)), ("21", (1921,)), ("1985", (1985,)),
         ("5", (1905, 2005)), ("05 1905", (1905,))],
    )  # fmt: skip
    def test_years(self, typed, years):
        assert read(f"an {typed}") == Query(words=("an",), years=years)

    @pytest.mark.parametrize(
        "typed", ["17/5/1980", "17-05-1980", "17.5.1980", "17 5 1980", "17051980", "17 / 5 / 1980"]
    )
    def test_dates(self, typed):
        assert read(f"an {typed}") == Query(words=("an",), years=(1980,), month=5, day=17)

    def test_a_month(self):
        assert read("5/1980") == Query(years=(1980,), month=5)

    @pytest.mark.parametrize("typed", ["31/2/1980", "17/13/1980", "0/5/1980", "17/5/2480"])
    def test_a_date_that_does_not_exist_is_not_one(self, typed):
        assert read(typed).day is None

    @pytest.mark.parametrize(
        ("typed", "number"),
        [("183000001", "183000001"), ("183 000 001", "183000001"), ("183.000.001", "183000001"),
         ("042 085 123456", "042085123456"), ("183000", "183000"), ("demo42000000007", "DEMO42000000007"),
         ("99999999", "99999999"), ("2480", "2480")],
    )  # fmt: skip
    def test_numbers(self, typed, number):
        assert read(typed) == Query(numbers=(number,))

    def test_two_years_are_not_one_number(self):
        assert read("1980 183000001") == Query(numbers=("183000001",), years=(1980,))

    @pytest.mark.parametrize("typed", ["thôn 5", "thon 05"])
    def test_a_numbered_place(self, typed):
        assert read(f"lan {typed} 85") == Query(words=("lan",), places=("thon 5",), years=(1985,))

    @pytest.mark.parametrize(
        ("typed", "short"), [("a", True), ("a b", True), ("an", False), ("a 85", False), ("", False)]
    )
    def test_too_short(self, typed, short):
        assert read(typed).is_too_short is short

    @given(st.text(max_size=600))
    def test_any_text_is_understood_somehow(self, typed):
        query = read(typed)
        assert len(query.words) <= parsing.MAX_WORDS
        assert all(parsing.FIRST_YEAR <= year <= 2020 for year in query.years)
        assert all(word and not re.search(r"\s", word) for word in query.words)


@pytest.fixture
def people(round, homes, tree):
    """One household of Hương Trà with the names, the third born in 1985."""
    home = make_household(tree.dong, head_name=NAMES[0], address="Thôn Đông, đội 3, đường Nguyễn Du")
    return [
        make_form(home, line=n, full_name=name, birth_year=1985 if n == 3 else 1960, cmnd=f"1839{n:05d}")
        for n, name in enumerate(NAMES, start=1)
    ]


@pytest.fixture
def elsewhere(people, tree):
    """A second province beside the first, with a namesake in a hamlet and a street of the same name, and its officer."""
    province = make_unit(tree.country, "Nghệ An", "tỉnh", AdministrativeUnit.Level.PROVINCE, code="40")
    district = make_unit(province, "Nam Đàn", "huyện", AdministrativeUnit.Level.DISTRICT)
    commune = make_unit(district, "Kim Liên", "xã", AdministrativeUnit.Level.COMMUNE)
    home = make_household(make_hamlet(commune, "Đông"), address="Thôn Đông, đường Nguyễn Du")
    form = make_form(home, full_name="ĐỖ ĐỨC ĐỒNG", cmnd="188800007")
    return SimpleNamespace(province=province, home=home, form=form, officer=make_officer("pc06_officer", province))


def names(typed: str, officer, round=None) -> list[str]:
    return [form.full_name for form in search.find(read(typed), officer, round).forms]


class TestFinding:
    def test_marks_are_not_needed_and_any_order_will_do(self, people, cast):
        assert names("duc dong do", cast.officer) == ["ĐỖ ĐỨC ĐÔNG"]
        assert names("đức đông đỗ", cast.officer) == ["ĐỖ ĐỨC ĐÔNG"]

    def test_exact_marks_come_first_then_whole_words_then_beginnings(self, people, cast):
        assert names("nguyễn văn ân", cast.officer)[:3] == ["NGUYỄN VĂN ÂN", "NGUYỄN VĂN AN", "NGUYỄN VĂN ANH"]
        assert names("nguyễn văn an", cast.officer)[0] == "NGUYỄN VĂN AN"
        assert names("nguyen van an", cast.officer)[2] == "NGUYỄN VĂN ANH"

    def test_the_tone_may_stand_on_either_vowel(self, people, cast):
        assert names("hòa", cast.officer) == names("hoà", cast.officer) == ["TRẦN THỊ HOÀ", "TRẦN THỊ HOA"]
        assert names("hoa", cast.officer)[:2] == ["TRẦN THỊ HOA", "TRẦN THỊ HOÀ"]

    def test_the_given_name_comes_before_other_places(self, people, cast):
        found = names("an", cast.officer)
        assert set(found[:2]) == {"NGUYỄN VĂN AN", "NGUYỄN VĂN ÂN"}
        assert found[2:4] == ["AN THỊ VÂN", "NGUYỄN VĂN ANH"]

    def test_the_middle_of_a_word_is_not_a_word(self, people, cast):
        assert names("uyen", cast.officer) == []

    @pytest.mark.parametrize("typed", ["nguyen van 85", "van nguyen 1985", "anh 17/5/1985", "anh 5/1985"])
    def test_a_year_or_date_narrows_it_down(self, people, cast, typed):
        assert names(typed, cast.officer) == ["NGUYỄN VĂN ANH"]

    @pytest.mark.parametrize("typed", ["183900003", "183 900 003", "183.900.003", "anh 1839000", "1839 00003"])
    def test_an_identity_card_whole_or_its_beginning(self, people, cast, typed):
        assert "NGUYỄN VĂN ANH" in names(typed, cast.officer)

    def test_a_number_searched_for_is_a_beginning_only_from_six_digits_on(self, people, cast):
        assert names("18390", cast.officer) == []

    def test_barcode_and_household_book(self, people, cast):
        assert names(people[1].barcode.lower(), cast.officer) == ["NGUYỄN VĂN ÂN"]
        assert names(people[0].household.book_number, cast.officer) == NAMES

    def test_pin(self, people, cast):
        CollectionForm.objects.filter(pk=people[4].pk).update(pin="042160123456")
        assert names("042160123456", cast.officer) == names("042 160 123456", cast.officer) == ["TRẦN THỊ HOÀ"]

    def test_hamlet_and_commune(self, people, cast, tree):
        assert set(names("van an dong", cast.officer)[:3]) == {"NGUYỄN VĂN AN", "NGUYỄN VĂN ÂN", "AN THỊ VÂN"}
        assert set(names("van an thôn đông", cast.officer)[:3]) == {"NGUYỄN VĂN AN", "NGUYỄN VĂN ÂN", "AN THỊ VÂN"}
        assert set(names("huong tra van an", cast.supervisor)[:3]) == {"NGUYỄN VĂN AN", "NGUYỄN VĂN ÂN", "AN THỊ VÂN"}
        assert names("van an phu gia", cast.supervisor) == []

    def test_a_numbered_hamlet_and_an_address(self, people, cast, tree):
        make_form(make_household(make_hamlet(tree.huong_tra, "5")), full_name="LÊ THỊ LAN")
        assert names("lan thon 5", cast.officer) == ["LÊ THỊ LAN"]
        assert names("van an doi 3", cast.officer)[:1] == ["NGUYỄN VĂN AN"]
        assert names("duc duong nguyen du", cast.officer) == ["ĐỖ ĐỨC ĐÔNG"]

    def test_nobody_twice_and_never_more_than_a_page(self, people, cast, tree):
        home = make_household(tree.tay)
        for line in range(30):
            make_form(home, line=line, full_name="NGUYỄN VĂN AN")
        found = search.find(read("nguyễn văn an"), cast.officer, None)
        assert len({form.pk for form in found.forms}) == len(found.forms) == search.PAGE
        assert found.has_more

    @pytest.mark.parametrize("cap", ["MAX_PLACES", "HOMES"])
    def test_what_was_not_looked_at_is_not_called_all(self, people, cast, monkeypatch, cap):
        assert not search.find(read("duc thon dong"), cast.officer, None).has_more
        monkeypatch.setattr(asking, cap, 0 if cap == "MAX_PLACES" else 1)
        assert search.find(read("duc thon dong"), cast.officer, None).has_more

    def test_the_standing_result(self, homes, round, cast):
        record(homes.two, cast.officer)
        found = search.find(read(homes.two.book_number), cast.officer, round)
        assert {form.outcome for form in found.forms} == {"matched"}

    @pytest.mark.parametrize(
        "typed",
        ["", "%", "_", "\\", "'", "\\' \\\\", "a%b", "nguyen\\", "'); drop table x; --", "👮 an", "\u0301\u0300", "\u200b",
         "an " * 15, "x" * 500, "ngu" * 100, "9" * 200, "١٩٨٥", "²", "k''", "an\x01van", "~1", "@1 | @2", "#1985", "an:*",
         "-1", "1e9", "0x10", "99999999999999999999", "'\\", "¼ ½"],
    )  # fmt: skip
    def test_hostile_typing(self, people, cast, typed):
        for officer in (cast.officer, cast.pc06):
            found = search.find(read(typed), officer, None)
            assert not found.took_too_long

    def test_nothing_of_the_index_can_be_asked_for_by_typing(self, people, cast, tree):
        for typed in (f"@{tree.hung_tri.pk}", f"~{tree.dong.pk} nguyen", "#1960"):
            assert "NGUYỄN VĂN THỬ" not in names(typed, cast.officer) or "#" in typed


class TestScope:
    def test_only_what_the_officer_may_see(self, people, cast):
        for officer, sees in (
            (cast.officer, True), (cast.member, True), (cast.supervisor, True), (cast.pc06, True), (cast.admin, True),
            (cast.stranger, False),
        ):  # fmt: skip
            for typed in ("đức đông", "183900007", people[6].barcode, people[6].household.book_number, "duc thon dong"):
                assert ("ĐỖ ĐỨC ĐÔNG" in names(typed, officer)) is sees, (officer.username, typed)

    def test_in_a_register_of_two_provinces_each_finds_its_own(self, people, cast, elsewhere):
        ways = (
            "đức đông",
            "183900007",
            people[6].barcode,
            people[6].household.book_number,
            "duc nguyen du",
            "duc thon dong",
        )
        for typed in ways:
            for officer in (cast.officer, cast.supervisor, cast.pc06):
                assert names(typed, officer).count("ĐỖ ĐỨC ĐÔNG") == 1, (officer.username, typed)
                assert "ĐỖ ĐỨC ĐỒNG" not in names(typed, officer)
            assert "ĐỖ ĐỨC ĐÔNG" not in names(typed, elsewhere.officer)
        ways = (
            "duc dong",
            "188800007",
            elsewhere.form.barcode,
            elsewhere.home.book_number,
            "duc nguyen du",
            "duc thon dong",
        )
        for typed in ways:
            assert names(typed, elsewhere.officer) == ["ĐỖ ĐỨC ĐỒNG"], typed

    def test_a_district_without_communes_is_not_everywhere(self, people, cast, tree):
        empty = make_unit(tree.province, "Trống", "huyện", AdministrativeUnit.Level.DISTRICT)
        assert search.find(read("an"), make_officer("district_officer", empty), None) == search.Found()

    def test_a_leader_sees_nobody(self, people, cast, client):
        client.force_login(cast.leader)
        assert client.get(reverse("verification:search"), {"q": "an"}).status_code == 404
        assert search.find(read("an"), cast.leader, None) == search.Found()
        assert 'role="search"' not in client.get("/").content.decode()


class TestPage:
    @pytest.fixture
    def ask(self, client, cast):
        def ask(typed: str, officer=None, **headers) -> str:
            client.force_login(officer or cast.officer)
            answer = client.get(reverse("verification:search"), {"q": typed}, headers=headers)
            assert answer.status_code == 200
            return answer.content.decode()

        return ask

    def test_the_page_needs_no_script(self, ask, people):
        body = ask("nguyen van an 85")
        form = people[2]
        address = f"{reverse('verification:household_verify', args=[form.household_id])}?person={form.pk}"
        assert f'href="{address}"' in body
        assert "<html" in body
        assert "••••••003" in body
        assert form.cmnd not in body

    def test_the_panel_is_a_fragment(self, ask, people):
        body = ask("nguyen van an 85", **{"HX-Request": "true"})
        assert "<html" not in body
        assert "NGUYỄN</mark>" in body

    def test_a_number_searched_for_is_shown(self, ask, people):
        assert "183900003" in ask("183900003")

    def test_what_was_typed_is_text(self, ask, people):
        typed = "<script>alert(1)</script>"
        body = ask(typed)
        assert typed not in body
        assert escape(typed) in body

    @pytest.mark.parametrize(
        ("typed", "sentence"), [("", "năm hoặc ngày sinh"), ("a", "Một chữ cái"), ("zzzz", "Không tìm thấy ai")]
    )
    def test_each_state_says_what_to_do(self, ask, people, typed, sentence):
        assert sentence in ask(typed)

    @pytest.mark.django_db(transaction=True)
    def test_too_long_a_search_is_stopped_with_advice(self, ask, people, monkeypatch):
        monkeypatch.setattr(asking, "TIME_LIMIT", "SET LOCAL statement_timeout = 1; SELECT pg_sleep(1); ")
        assert "đã dừng tìm" in ask("an")

    def test_the_household_opens_at_the_person(self, client, cast, people):
        client.force_login(cast.officer)
        address = reverse("verification:household_verify", args=[people[2].household_id])
        assert 'data-current="3"' in client.get(address, {"person": people[2].pk}).content.decode()
        for nonsense in ("", "0", "x", "-1", "9" * 30):
            assert client.get(address, {"person": nonsense}).status_code == 200

    def test_the_number_of_queries_does_not_grow(self, client, cast, people, tree, django_assert_num_queries):
        client.force_login(cast.officer)
        address = reverse("verification:search")
        client.get(address, {"q": "van an 60"})  # what is prepared once a connection is prepared now
        # session, officer, postings, round, names, places, addresses, the rows
        with django_assert_num_queries(8):
            client.get(address, {"q": "van an 60"})
        home = make_household(tree.tay)
        for line in range(15):
            make_form(home, line=line, full_name="NGUYỄN VĂN AN", birth_year=1960)
        with django_assert_num_queries(8):
            client.get(address, {"q": "van an 60"})
        for line in range(15, 30):
            make_form(home, line=line, full_name="NGUYỄN VĂN AN", birth_year=1960)
        with django_assert_num_queries(6):
            client.get(address, {"q": "van an 60"})

    def test_nobody_and_no_post(self, client, cast):
        assert client.get(reverse("verification:search"), {"q": "an"}).status_code == 302
        client.force_login(cast.officer)
        assert client.post(reverse("verification:search"), {"q": "an"}).status_code == 405


def test_the_query_uses_the_index(people):
    """The expressions of the query and of the index must stay the same text."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_indexscan = off")
        cursor.execute(
            f"EXPLAIN SELECT id FROM {asking.FORM} WHERE {FORM_WORDS} @@ '''an'''::tsquery AND {FORM_WORD_STARTS} LIKE '% va%'"
        )
        assert "form_words" in str(cursor.fetchall())
        cursor.execute(f"EXPLAIN SELECT id FROM {asking.HOUSEHOLD} WHERE {asking.ADDRESS_WORDS} @@ '''an'''::tsquery")
        assert "household_address" in str(cursor.fetchall())


class TestWhatIsAsked:
    """What one province's search reads may not grow with the provinces beside it."""

    def test_a_few_communes_and_a_province_among_others_are_terms_of_the_index(self, cast, tree, elsewhere):
        assert asking.Area.of(scope_of(cast.officer)).terms == [f"('@{tree.huong_tra.pk}')"]
        assert asking.Area.of(scope_of(cast.pc06)).terms == [f"('^{tree.province.pk}')"]
        assert asking.Area.of(scope_of(make_officer("pc06_officer", tree.country))).terms == []

    def test_many_communes_are_asked_for_by_their_province(self, cast, tree, elsewhere, monkeypatch):
        monkeypatch.setattr(asking, "FEW_COMMUNES", 1)
        assert asking.Area.of(scope_of(cast.supervisor)).terms == [f"('^{tree.province.pk}')"]
        assert names("đức đông", cast.supervisor) == ["ĐỖ ĐỨC ĐÔNG"]

    def test_the_only_province_is_no_term(self, people, cast):
        assert asking.Area.of(scope_of(cast.pc06)).terms == []

    def test_the_place_is_a_condition_of_its_own(self, cast, tree, elsewhere):
        """Within one tsquery the namesakes of the whole country would be looked at."""
        with CaptureQueriesContext(connection) as asked:
            assert names("đức đông", cast.pc06) == ["ĐỖ ĐỨC ĐÔNG"]
            assert names("duc nguyen du", cast.pc06) == ["ĐỖ ĐỨC ĐÔNG"]
        statements = [query["sql"] for query in asked.captured_queries if "tsquery" in query["sql"]]
        there = f"@@ '(''^{tree.province.pk}'')'::tsquery"
        assert [there in sql for sql in statements].count(True) >= 3  # the name twice, the address
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_indexscan = off")
            cursor.execute("EXPLAIN " + statements[0].removeprefix(asking.TIME_LIMIT))
            plan = "\n".join(line for (line,) in cursor.fetchall())
        conditions = [line for line in plan.splitlines() if "Index Cond" in line]
        assert conditions
        assert all(f"'^{tree.province.pk}'" in line and line.count(" @@ ") >= 2 for line in conditions), plan

    def test_a_number_is_looked_for_in_communes_of_the_province_only(
        self, cast, tree, elsewhere, django_assert_num_queries
    ):
        area = asking.Area.of(scope_of(cast.pc06))
        with django_assert_num_queries(1) as asked:
            assert asking._by_number(read(elsewhere.home.book_number), area) == []
        sql = asked.captured_queries[0]["sql"]
        assert f"level = 3 AND (path LIKE '{tree.province.path}%')" in sql
        assert "level = 1" not in sql
