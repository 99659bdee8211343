"""Two officers at one household in the same moment, on two connections to the database."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from uuid import uuid4

import pytest
from django.db import connection, transaction

from census_verify import clock
from verification import services
from verification.models import RoundForm, VerificationPass
from verification.rules import Conflict, Entry
from verification.tests.factories import record

pytestmark = pytest.mark.django_db(transaction=True)


def save(round, household, by, expected) -> str:
    """Saves as the officer saw the household; returns what she is told."""
    forms = list(household.forms.values_list("pk", flat=True))
    entries = [Entry(form_id=pk, outcome="matched", expected_pass=expected.get(pk)) for pk in forms]
    try:
        services.record_results(
            round=round, household_id=household.pk, entries=entries, by_books=True, in_person=True,
            verified_on=clock.today(), submission=uuid4(), by=by,
        )  # fmt: skip
    except Conflict as told:
        return told.sentence
    finally:
        connection.close()
    return "recorded"


def all_press_at_once(round, household, officers, expected) -> list[str]:
    """All press while the household's rows are held, so that they queue behind one lock."""
    ready = Barrier(len(officers) + 1)

    def press(by):
        ready.wait()
        return save(round, household, by, expected)

    with ThreadPoolExecutor(len(officers)) as pool:
        with transaction.atomic():
            list(RoundForm.objects.filter(household=household).select_for_update())
            told = [pool.submit(press, by) for by in officers]
            ready.wait()
            wait_until_waiting(len(officers))
        return [one.result(timeout=30) for one in told]


def wait_until_waiting(count: int) -> None:
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    with connection.cursor() as cursor:
        for _ in range(1000):
            cursor.execute("SELECT pg_stat_clear_snapshot(), pg_sleep(0.01)")
            cursor.execute(waiting)
            if cursor.fetchone()[0] >= count:
                return
    raise AssertionError("nobody waits")


def test_one_is_recorded_and_the_other_is_told_by_whom(round, homes, cast):
    told = all_press_at_once(round, homes.two, [cast.officer, cast.member], {})
    assert told.count("recorded") == 1
    (sentence,) = [one for one in told if one != "recorded"]
    assert VerificationPass.objects.first().officer.full_name in sentence
    assert VerificationPass.objects.count() == 2


def test_over_an_earlier_result_too(round, homes, cast):
    earlier = {p.form_id: p.pk for p in record(homes.two, cast.officer).passes}
    told = all_press_at_once(round, homes.two, [cast.officer, cast.member], earlier)
    assert told.count("recorded") == 1
    (sentence,) = [one for one in told if one != "recorded"]
    assert VerificationPass.objects.standing().first().officer.full_name in sentence
    assert VerificationPass.objects.standing().count() == 2
    assert VerificationPass.objects.count() == 4
