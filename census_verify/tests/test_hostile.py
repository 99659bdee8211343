"""Addresses and bodies nobody types: each is refused, none is a fault of the program."""

import pytest
from django.test import RequestFactory
from django.urls import reverse

from census_verify.middleware import client_address
from households.faults import form_rules
from households.models import CollectionForm

HUGE = 10**30


@pytest.fixture
def page(client, round, cast):
    client.force_login(cast.pc06)
    return client


@pytest.mark.parametrize(
    "address",
    [
        "/units/5/forms/?after=%00~1~1~1",
        "/units/{unit}/forms/?state=all&after=a~%C2%B2~1~1",
        "/units/{unit}/forms/?state=%00",
        f"/units/{HUGE}/",
        f"/units/{HUGE}/forms/",
        f"/units/{HUGE}/next/",
        f"/households/{HUGE}/verify/",
        f"/exports/{HUGE}/",
        f"/teams/{HUGE}/",
        f"/api/v1/units/{HUGE}/",
        f"/api/v1/households/{HUGE}/",
        "/api/v1/communes/?cursor=cD0lMDA=",
        "/api/v1/communes/?cursor=%FF",
        "/admin/autocomplete/?app_label=households&model_name=posting&field_name=unit&term=%00",
        "/?sort=%00",
        "/units/{unit}/next/?after=" + "9" * 40,
        "/households/1/verify/?saved=%F0%9F%98%80&methods=%00",
    ],
)
def test_addresses(page, tree, address):
    assert page.get(address.format(unit=tree.huong_tra.pk)).status_code < 500


@pytest.mark.parametrize("number", [HUGE, 10**18, 2**63])
def test_a_result_for_a_household_beyond_all_numbers(client, round, cast, number):
    client.force_login(cast.officer)
    assert client.post(f"/households/{number}/verify/", {"methods": "both"}).status_code == 404


def test_a_body_nested_too_deep(client, round, cast, homes):
    client.force_login(cast.officer)
    url = reverse("api:household_results", args=[homes.two.pk])
    assert client.post(url, "[" * 100_000, content_type="application/json").status_code == 400


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("expected_pass", HUGE),
        ("attempts", HUGE),
        ("attempts", -1),
        ("event_on", "0001-01-01"),
        ("event_on", "9999-12-31"),
        ("next_visit_on", "9999-12-31"),
        ("form_id", HUGE),
        ("paper", "x" * 2000),
        ("reason", {}),
        ("corrections", [{"field": "sex"}]),
        ("corrections", "x"),
    ],
)
@pytest.mark.parametrize("outcome", ["deceased", "unverifiable", "not_met", "corrected"])
def test_values_over_the_api(client, round, cast, homes, field, value, outcome):
    client.force_login(cast.officer)
    url = reverse("api:household_results", args=[homes.two.pk])
    entry = {"form_id": homes.two.forms.first().pk, "outcome": outcome, "reason": "x", "paper": "archive", field: value}
    sent = {
        "submission": "a" * 32,
        "by_books": True,
        "in_person": True,
        "verified_on": "2020-06-19",
        "entries": [entry],
    }
    assert 400 <= client.post(url, sent, content_type="application/json").status_code < 500


def test_pages_are_kept_by_nobody(page):
    assert page.get("/").headers["Cache-Control"] == "no-store"
    assert page.get("/nowhere/").headers["Cache-Control"] == "no-store"


def test_a_missing_page_has_the_way_back(page):
    answer = page.get("/nowhere/")
    assert answer.status_code == 404
    assert "csrfmiddlewaretoken" in answer.content.decode()


def test_an_administrator_no_more_is_none(client, cast):
    client.force_login(cast.admin)
    assert client.get("/admin/households/user/").status_code == 200
    cast.admin.postings.update(valid_to="2020-06-19")
    assert client.get("/admin/households/user/").status_code == 302


def test_the_first_superuser_may_post_the_first_administrator(client, db, django_user_model):
    client.force_login(django_user_model.objects.create_superuser("first", full_name="Người Đầu", password="x" * 12))
    assert client.get("/admin/households/user/").status_code == 200


def test_the_visitors_address_behind_a_proxy_and_without_one(settings):
    request = RequestFactory().get("/", headers={"x-forwarded-for": "1.1.1.1, 2.2.2.2"}, REMOTE_ADDR="127.0.0.1")
    assert client_address(request) == "127.0.0.1"
    settings.BEHIND_PROXY = True
    assert client_address(request) == "2.2.2.2"


def test_digits_of_other_scripts_are_no_number():
    form = CollectionForm(pin="04208012345²", cmnd="", birth_year=1980, sex=1)
    assert form_rules.pin_structure(form) is None
    assert form_rules.number_of_wrong_length(form).fault == "L07"
