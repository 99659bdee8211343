"""Many officers at once, on as many connections, while figures are rolled up: none is lost, none counted twice."""

import random
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from uuid import uuid4

import pytest
from django.db import connection

from census_verify import clock
from households.tests.factories import make_household, make_officer
from reports import proof, rollups
from reports.models import Tally
from verification import services
from verification.models import RoundForm, VerificationPass
from verification.rules import Conflict, Entry
from verification.tests.factories import open_round

pytestmark = pytest.mark.django_db(transaction=True)
OFFICERS, HOUSEHOLDS, PEOPLE = 8, 125, 2  # two thousand results sent


@pytest.fixture
def crowd(cast, tree):
    hamlets = [tree.dong, tree.tay, tree.phu_gia_1, tree.hung_tri_1]
    homes = [make_household(hamlets[number % 4], people=PEOPLE) for number in range(HOUSEHOLDS)]
    communes = [tree.huong_tra, tree.phu_gia, tree.hung_tri]
    officers = [make_officer("commune_officer", communes[0]) for _ in range(OFFICERS)]
    for officer in officers:
        officer.postings.model.objects.bulk_create(
            officer.postings.model(user=officer, role="commune_officer", unit=unit, valid_from="2020-01-01")
            for unit in communes[1:]
        )
    return open_round(tree.province, cast.pc06), homes, officers


def work_through(round, homes, officer, seed: int) -> int:
    """Every household once, in an order of her own; whoever was first is not overwritten. How many she recorded."""
    order, recorded = random.Random(seed).sample(homes, len(homes)), 0
    try:
        for home in order:
            rows = RoundForm.objects.in_round(round).filter(household=home).values_list("form_id", "standing_pass_id")
            outcome = {"outcome": "matched"}
            if seed % 2:
                outcome = {"outcome": "moved_away", "event_on": clock.today(), "destination": "Thành phố Vinh"}
            try:
                services.record_results(
                    round=round, household_id=home.pk, by=officer, submission=uuid4(), verified_on=clock.today(),
                    by_books=True, in_person=True,
                    entries=[Entry(form_id=form, expected_pass=seen, **outcome) for form, seen in rows],
                )  # fmt: skip
                recorded += 1
            except Conflict:
                pass
    finally:
        connection.close()
    return recorded


def roll_up_until(done: Event) -> None:
    try:
        while not done.is_set():
            rollups.roll_up()
    finally:
        connection.close()


def test_stored_minus_recount_is_nothing(crowd):
    round, homes, officers = crowd
    done = Event()
    with ThreadPoolExecutor(OFFICERS + 1) as pool:
        counting = pool.submit(roll_up_until, done)
        work = [pool.submit(work_through, round, homes, officer, seed) for seed, officer in enumerate(officers)]
        recorded = sum(one.result(timeout=120) for one in work)
        done.set()
        counting.result(timeout=60)
    rollups.roll_up()
    assert VerificationPass.objects.count() == recorded * PEOPLE
    assert VerificationPass.objects.standing().count() == HOUSEHOLDS * PEOPLE
    assert Tally.objects.get(unit=round.area).verified == HOUSEHOLDS * PEOPLE
    assert list(proof.differences(round)) == []
