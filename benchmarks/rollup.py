"""The roll-up after one save, after a burst, and of the whole register, each against one grouped count of the same rows."""

from django.db import connection

from benchmarks.measure import Line, Options, Readings, clock, quiet
from benchmarks.saves import households
from census_verify import clock as program_clock
from households.models import User
from reports import proof, rollups
from verification import services
from verification.models import RollupMark, Round
from verification.rules import Entry

TITLE = "Roll-up"
BURST = 100
COUNT = """
    SELECT commune_id, hamlet_id, outcome, approval, counted_on, count(*) FROM verification_roundform
    WHERE round_id = %(round)s {where} GROUP BY 1, 2, 3, 4, 5"""
COUNT_FORMS = """
    SELECT hamlet_id, qualification, refusal_reason, count(*) FROM households_collectionform {where} GROUP BY 1, 2, 3"""


def run(options: Options) -> list[Line]:
    round, left, seen = Round.objects.current(), households(), Readings()
    rollups.roll_up()
    for _ in range(options.rounds):
        quiet(options.quiet_seconds)
        for name, saves in (("one", 1), ("burst", BURST)):
            communes = [_record(round, due) for due in left.take(4, saves)]
            seen.add(name, clock(rollups.roll_up) * 1000)
            seen.add(f"count {name}", _count_ms(round, list(set(communes))))
        RollupMark.objects.bulk_create(
            RollupMark(round=round, commune_id=commune, every_day=True)
            for commune in round.plans.values_list("commune_id", flat=True)
        )
        seen.add("all", clock(rollups.roll_up) * 1000)
        seen.add("count all", _count_ms(round, None))
    difference = proof.first_difference(round)
    return [
        seen.ratio("after one save", "one", "count one", against="one grouped count of the commune", read_in="ms"),
        seen.ratio("after one save, of the register", "one", "count all",
                   against="one grouped count of the whole register", read_in="ms"),
        seen.ratio(f"after {BURST} saves in as many places", "burst", "count burst",
                   against="one grouped count of the touched communes", read_in="ms"),
        seen.ratio("everything anew", "all", "count all", against="one grouped count of the whole register", read_in="ms"),
        Line("stored minus recount afterwards", [0 if difference is None else 1], "", must=0, aim=0, note=difference or ""),
    ]  # fmt: skip


def _record(round: Round, due) -> int:
    """Records a household as its officer does; returns its commune."""
    services.record_results(
        round=round,
        household_id=due.household_id,
        entries=[Entry(form_id=f, outcome="matched", expected_pass=None) for f in due.form_ids],
        by_books=True,
        in_person=True,
        verified_on=program_clock.today(),
        submission=due.fields()["submission"],
        by=User.objects.get(pk=due.officer_id),
    )
    return due.commune_id


def _count_ms(round: Round, communes: list[int] | None) -> float:
    params = {"round": round.pk, "communes": communes}
    results = "" if communes is None else "AND commune_id = ANY(%(communes)s)"
    forms = "" if communes is None else "WHERE commune_id = ANY(%(communes)s)"

    def count():
        with connection.cursor() as cursor:
            cursor.execute(COUNT.format(where=results), params)
            cursor.fetchall()
            cursor.execute(COUNT_FORMS.format(where=forms), params)
            cursor.fetchall()

    count()
    return clock(count) * 1000
