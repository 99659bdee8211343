"""Results that are taken off again: their forms are verified anew, the passes stay as history."""

from datetime import date

import pytest
from django.urls import reverse

from verification import approvals, history
from verification.models import PassEvent, RoundForm, VerificationPass
from verification.rules import Conflict, CorrectionEntry, InvalidEntry, NotAllowed
from verification.tests.factories import decide, record

DIED = {"event_on": date(2019, 1, 2), "paper": "archive"}


@pytest.fixture
def verified(round, homes, cast) -> list[int]:
    return [p.pk for p in record(homes.four, cast.officer).passes]


def press(client, home, passes, reason="nhầm người"):
    return client.post(reverse("verification:household_reopen", args=[home.pk]), {"pass": passes, "reason": reason})


def test_the_form_is_verified_anew_and_the_pass_remains(round, homes, cast, client, verified):
    client.force_login(cast.supervisor)
    answer = press(client, homes.four, verified[:1])
    assert answer.status_code == 302
    row = RoundForm.objects.get(form=VerificationPass.objects.get(pk=verified[0]).form)
    assert (row.outcome, row.approval, row.standing_pass, row.counted_on) == ("", "", None, None)
    assert not VerificationPass.objects.get(pk=verified[0]).is_standing
    event = PassEvent.objects.get()
    assert (event.kind, event.reason, event.by) == ("reopened", "nhầm người", cast.supervisor)
    assert VerificationPass.objects.standing().count() == 3
    again = record(homes.four, cast.officer, only=[row.form_id])
    assert again.passes[0].supersedes_id is None
    assert VerificationPass.objects.standing().count() == 4


def test_the_officer_reads_why_and_nothing_is_proposed(homes, cast, client, verified):
    client.force_login(cast.supervisor)
    press(client, homes.four, verified[:1])
    client.force_login(cast.officer)
    answer = client.get(reverse("verification:household_verify", args=[homes.four.pk]))
    assert "nhầm người" in answer.content.decode()
    (asked,) = [person for person in answer.context["persons"] if person.is_asked]
    assert not asked.entry["outcome"].value(), "Enter alone records nothing"


def test_pressed_twice_the_second_says_that_it_no_longer_stands(homes, cast, client, verified):
    client.force_login(cast.supervisor)
    assert press(client, homes.four, verified).status_code == 302
    answer = press(client, homes.four, verified)
    assert answer.status_code == 409
    assert "không còn hiệu lực" in answer.content.decode()
    assert PassEvent.objects.count() == 4


def test_all_or_none(round, homes, cast, verified):
    waits = record(homes.two, cast.officer, "deceased", **DIED).passes[0].pk
    with pytest.raises(Conflict, match="đang chờ duyệt"):
        approvals.reopen(round=round, pass_ids=[*verified, waits], by=cast.supervisor, reason="xem lại")
    assert VerificationPass.objects.standing().count() == 6


def test_what_was_approved_stays_in_the_form(round, homes, cast):
    wrong = CorrectionEntry("birth_date", "12/3/1956", "archive")
    made = record(homes.two, cast.officer, "corrected", corrections=[wrong]).passes
    decide(homes.two.forms.values_list("pk", flat=True), cast.supervisor)
    approvals.reopen(round=round, pass_ids=[p.pk for p in made], by=cast.supervisor, reason="xem lại")
    form = homes.two.forms.first()
    assert form.birth_year == 1956
    assert history.chain_of([form])[form.pk]["birth_date"].is_corrected


@pytest.mark.parametrize("reason", ["", "   ", "a\x00b"])
def test_without_a_reason_nothing_happens(homes, cast, client, verified, reason):
    client.force_login(cast.supervisor)
    assert press(client, homes.four, verified, reason).status_code == 400
    assert VerificationPass.objects.standing().count() == 4


def test_nobody_chosen_or_of_another_household(homes, cast, client, verified):
    client.force_login(cast.supervisor)
    for passes in ([], ["x"], ["9" * 30]):
        assert press(client, homes.four, passes).status_code == 400
    assert press(client, homes.two, verified).status_code == 400
    assert VerificationPass.objects.standing().count() == 4


def test_for_whom_it_is(round, homes, cast, client, verified):
    client.force_login(cast.stranger)
    assert press(client, homes.four, verified).status_code == 404
    for looker in (cast.officer, cast.pc06):
        client.force_login(looker)
        assert press(client, homes.four, verified).status_code == 403
        page = client.get(reverse("verification:household_verify", args=[homes.four.pk]))
        assert "/reopen/" not in page.content.decode()
    client.force_login(cast.supervisor)
    assert "/reopen/" in client.get(reverse("verification:household_verify", args=[homes.four.pk])).content.decode()
    with pytest.raises(NotAllowed):
        approvals.reopen(round=round, pass_ids=verified, by=cast.officer, reason="xem lại")


def test_a_closed_round_stays_as_it_is(round, homes, cast, verified):
    round.status = "closed"
    round.save()
    with pytest.raises(Conflict):
        approvals.reopen(round=round, pass_ids=verified, by=cast.supervisor, reason="xem lại")
    with pytest.raises(InvalidEntry):
        approvals.reopen(round=round, pass_ids=[], by=cast.supervisor, reason="xem lại")
