"""The same rules over REST."""

from uuid import uuid4

import pytest
from django.urls import reverse

from verification.models import VerificationPass
from verification.tests.factories import record


def sent(household, **changes) -> dict:
    entries = [{"form_id": form.pk, "outcome": "matched"} for form in household.forms.all()]
    return {
        "submission": str(uuid4()), "by_books": True, "in_person": False, "verified_on": "2020-06-19", "entries": entries,
    } | changes  # fmt: skip


@pytest.fixture
def post(client, round, cast):
    client.force_login(cast.officer)

    def send(household, data):
        url = reverse("api:household_results", args=[household.pk])
        return client.post(url, data, content_type="application/json")

    return send


def test_recorded_and_sent_again(post, homes):
    data = sent(homes.two)
    first, again = post(homes.two, data), post(homes.two, data)
    assert (first.status_code, again.status_code) == (201, 200)
    assert {p["id"] for p in first.json()} == {p["id"] for p in again.json()}
    assert VerificationPass.objects.count() == 2


def test_a_conflict_says_who(post, homes, cast):
    record(homes.two, cast.member)
    answer = post(homes.two, sent(homes.two))
    assert answer.status_code == 409
    assert cast.member.full_name in answer.json()["detail"]


@pytest.mark.parametrize(
    "changes",
    [
        {"verified_on": "2020-06-20"},
        {"verified_on": "2020-02-31"},
        {"submission": "x"},
        {"entries": []},
        {"entries": [{"form_id": 1, "outcome": "matched"}]},
        {"entries": "x"},
        {"by_books": False},
    ],
)
def test_what_cannot_be_right(post, homes, changes):
    answer = post(homes.two, sent(homes.two, **changes))
    assert answer.status_code == 400
    assert answer.json()
    assert not VerificationPass.objects.exists()


def test_a_body_that_is_no_json(client, cast, round, homes):
    client.force_login(cast.officer)
    url = reverse("api:household_results", args=[homes.two.pk])
    assert client.post(url, b"{\xff", content_type="application/json").status_code == 400
    assert client.post(url, "a=b", content_type="application/x-www-form-urlencoded").status_code == 415


def test_a_correction(post, homes):
    form = homes.two.forms.first()
    line = {"field": "sex", "new": "Nữ", "source": "identity_card"}
    entry = {"form_id": form.pk, "outcome": "corrected", "corrections": [line]}
    answer = post(homes.two, sent(homes.two, entries=[entry]))
    assert answer.status_code == 201
    assert VerificationPass.objects.get().corrections.get().new == "2"


def test_not_hers_to_do_and_not_hers_to_see(post, client, homes, cast):
    client.force_login(cast.supervisor)
    assert post(homes.two, sent(homes.two)).status_code == 403
    client.force_login(cast.stranger)
    assert post(homes.two, sent(homes.two)).status_code == 404
    assert not VerificationPass.objects.exists()


def test_a_household_with_its_forms(client, round, cast, homes):
    client.force_login(cast.officer)
    body = client.get(reverse("api:household_detail", args=[homes.two.pk])).json()
    assert [form["birth_date"] for form in body["forms"]] == ["17/05/1980"] * 2


def test_the_schema_has_no_warning(client, cast, round, recwarn):
    client.force_login(cast.pc06)
    answer = client.get(reverse("api:schema"), HTTP_ACCEPT="application/json")
    assert answer.status_code == 200
    assert b"/api/v1/households/{id}/results/" in answer.content
