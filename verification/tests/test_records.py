"""Lists of records: states, pages by key, query counts, the list to print."""

from datetime import date

import pytest
from django.urls import reverse

from households import suspicions
from households.models import CollectionForm
from households.tests.factories import make_form, make_household
from verification import records
from verification.models import RoundForm
from verification.terms import Outcome
from verification.tests.factories import decide, record
from verification.tests.test_new_people import add


@pytest.fixture
def page(client, round, cast):
    client.force_login(cast.officer)
    return client


def test_pages_by_key_show_everybody_once_in_walking_order(page, round, homes, tree, monkeypatch):
    monkeypatch.setattr(records, "PAGE", 2)
    everybody, key = [], ""
    for _ in range(9):
        forms, key = records.page_after(tree.huong_tra, round, "all", key)
        everybody += [form.pk for form in forms]
        if not key:
            break
    expected = [f.pk for home in (homes.four, homes.two, homes.three) for f in home.forms.order_by("line")]
    assert everybody == expected


@pytest.fixture
def one_of_each(round, homes, cast, tree):
    """Every outcome and decision, a form refused at scanning, and forms collected after the round's day."""
    day = date(2020, 6, 1)
    for outcome, fields in {
        "matched": {},
        "deceased": {"event_on": day, "paper": "civil_status_extract"},
        "moved_away": {"event_on": day, "destination": "Vinh"},
        "emigrated": {"paper": "other"},
        "not_met": {"reason": "vắng", "next_visit_on": date(2020, 6, 25)},
        "unverifiable": {"reason": "vắng", "attempts": 2},
    }.items():
        home = make_household([tree.dong, tree.tay][len(outcome) % 2], people=2)
        add_to_round(round, home)
        record(home, cast.officer, outcome, only=[home.forms.first().pk], **fields)
    waiting = list(RoundForm.objects.filter(approval="pending").order_by("pk").values_list("form_id", flat=True))
    decide(waiting[:1], cast.supervisor)
    decide(waiting[1:2], cast.supervisor, "returned", "thiếu")
    make_form(homes.two, line=3, qualification="refused", refusal_reason="unreadable")
    make_form(homes.two, line=4, collected_on=date(2019, 5, 1))
    make_form(homes.two, line=5, qualification="collected")
    add(homes.two, cast.officer)
    add(homes.three, cast.officer, full_name="Lê Thị Hai")


def add_to_round(round, home) -> None:
    RoundForm.objects.bulk_create(
        RoundForm(
            round=round, form=form, household=home, hamlet=home.hamlet, commune=home.commune, province=home.province
        )
        for form in home.forms.all()
    )


@pytest.mark.parametrize("state", [*records.State.values, *Outcome.values])
@pytest.mark.parametrize("counting", [None, ["matched"]])
def test_a_page_holds_the_forms_of_its_state(one_of_each, round, tree, monkeypatch, state, counting):
    """What `page_after` says in SQL is what `forms_of` says in querysets, in the same order."""
    round.counting_outcomes = counting or round.counting_outcomes
    monkeypatch.setattr(records, "PAGE", 3)
    for unit in (tree.huong_tra, tree.dong, tree.tay):
        paged, key = [], ""
        while True:
            forms, key = records.page_after(unit, round, state, key)
            paged += [form.pk for form in forms]
            if not key:
                break
        assert paged == list(records.forms_of(unit, round, state).values_list("pk", flat=True))


@pytest.mark.parametrize("key", ["", "x", "1~2~3", "a~b~c~d", "18526~1~1~" + "9" * 40, "~~~"])
def test_a_key_that_is_none_gives_the_first_page(page, tree, homes, key):
    url = reverse("verification:form_list", args=[tree.huong_tra.pk])
    assert page.get(url, {"after": key, "state": "all"}).status_code == 200


def test_as_many_queries_with_two_people_as_with_many(page, tree, homes, django_assert_num_queries):
    url = reverse("verification:form_list", args=[tree.huong_tra.pk])
    page.get(url)
    with django_assert_num_queries(8):  # one for what was returned, above the first page of what is open
        page.get(url)
    make_household(tree.dong, people=30)
    with django_assert_num_queries(7):
        page.get(url, {"state": "all"})


def test_numbers_are_masked(page, tree, homes):
    CollectionForm.objects.update(pin="042080123456")
    body = page.get(reverse("verification:form_list", args=[tree.huong_tra.pk]), {"state": "all"}).content.decode()
    assert "042080123456" not in body
    assert "183000001" not in body


def test_an_unknown_state_is_the_open_ones(page, tree, homes, cast):
    record(homes.four, cast.officer)
    url = reverse("verification:form_list", args=[tree.dong.pk])
    assert page.get(url, {"state": "'; DROP"}).context["state"] == "open"
    assert len(page.get(url).context["forms"]) == 2
    assert len(page.get(url, {"state": "matched"}).context["forms"]) == 4


def test_the_list_to_print_goes_hamlet_by_hamlet(page, tree, homes, cast):
    record(homes.two, cast.officer)
    answer = page.get(reverse("verification:form_print", args=[tree.huong_tra.pk]))
    assert [(hamlet.name, len(rows)) for hamlet, rows in answer.context["hamlets"]] == [("Đông", 4), ("Tây", 3)]
    assert answer.context["count"] == 7


def test_districts_have_no_list_of_persons(client, round, cast, tree):
    client.force_login(cast.pc06)
    assert client.get(reverse("verification:form_list", args=[tree.huong_khe.pk])).status_code == 404
    assert client.get(reverse("verification:form_list", args=[tree.huong_tra.pk])).status_code == 200


class TestOfAFault:
    """The forms the program suspects of one fault."""

    @pytest.fixture
    def address(self, page, homes, tree):
        CollectionForm.objects.filter(household__in=[homes.four, homes.hung_tri]).update(religion="")
        suspicions.sweep()
        return reverse("verification:form_list", args=[tree.huong_tra.pk])

    def test_only_they_and_in_each_state(self, page, address, homes, cast):
        assert len(page.get(address, {"fault": "L20"}).context["forms"]) == 4
        record(homes.four, cast.officer, only=[homes.four.forms.first().pk])
        assert len(page.get(address, {"fault": "L20"}).context["forms"]) == 3
        assert len(page.get(address, {"fault": "L20", "state": "all"}).context["forms"]) == 4
        assert len(page.get(address, {"fault": "L25", "state": "all"}).context["forms"]) == 0

    def test_as_many_queries_as_without(self, page, address, django_assert_num_queries):
        page.get(address)
        with django_assert_num_queries(7):
            page.get(address, {"fault": "L20", "state": "all"})

    def test_an_unknown_fault_is_none(self, page, address):
        for fault in ("L99", "'; DROP", "l20"):
            assert len(page.get(address, {"fault": fault}).context["forms"]) == 9

    def test_pages_and_tabs_keep_the_fault(self, page, address, monkeypatch):
        monkeypatch.setattr(records, "PAGE", 3)
        answer = page.get(address, {"fault": "L20", "state": "all"})
        assert "?state=verified&amp;fault=L20" in answer.content.decode()
        following = page.get(address, {"fault": "L20", "state": "all", "after": answer.context["next_key"]})
        assert len(following.context["forms"]) == 1

    def test_the_list_to_print_too(self, page, address, tree):
        answer = page.get(reverse("verification:form_print", args=[tree.huong_tra.pk]), {"fault": "L20"})
        assert answer.context["count"] == 4

    def test_refused_to_a_stranger(self, client, address, cast):
        client.force_login(cast.stranger)
        assert client.get(address, {"fault": "L20"}).status_code == 404
