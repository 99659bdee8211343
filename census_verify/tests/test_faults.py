"""Faults, tested by doing them to the running program: afterwards every total equals the recount,
nothing is lost, nothing counted twice."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest

from census_verify.tests.stack import Officer, Stack, wait_until

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]

HOLD_THE_PROVINCE = """
    SELECT t.id FROM reports_tally t JOIN households_administrativeunit u ON u.id = t.unit_id
    WHERE u.level = 1 FOR UPDATE OF t"""
WAITS_FOR_A_LOCK = (
    "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%%reports_tally%%'"
)

# whoever makes the export, at a lock of somebody else
STANDS_OVER_AN_EXPORT = """
    SELECT count(*) FROM pg_locks made JOIN pg_locks waits USING (pid)
    WHERE made.locktype = 'advisory' AND made.objid = %s AND made.granted AND NOT waits.granted"""


def save_until_done(officer: Officer, pk: int, fields: dict) -> list[int]:
    """Presses again with the same submission until it is recorded; returns every status on the way."""
    statuses = []
    for _ in range(100):
        try:
            statuses.append(officer.save(pk, fields).status)
        except OSError:  # the connection was cut
            statuses.append(0)
        if statuses[-1] == 302:
            return statuses
        time.sleep(0.2)
    raise AssertionError(f"never recorded: {statuses}")


def test_a_saved_household_is_on_the_provinces_page_within_five_seconds(stack: Stack):
    before, pk = stack.verified(), stack.open_households()[0]
    officer, pc06 = Officer(stack, "officer"), Officer(stack, "pc06")
    fields = officer.household_fields(pk)
    people = sum(name.endswith("-outcome") for name in fields)
    assert officer.save(pk, fields).status == 302
    figure = f"<strong>{before + people}</strong>"
    assert wait_until(lambda: figure in pc06.send("/").body, seconds=5) < 5
    stack.require_true_totals()


def test_a_worker_killed_inside_a_roll_up(stack: Stack):
    before, pk = stack.verified(), stack.open_households()[0]
    officer = Officer(stack, "officer")
    fields = officer.household_fields(pk)
    with stack.connect() as connection, connection.cursor() as cursor:
        cursor.execute(HOLD_THE_PROVINCE)
        assert officer.save(pk, fields).status == 302
        wait_until(lambda: stack.ask(WAITS_FOR_A_LOCK) > 0, seconds=15)
        stack.worker.kill()
        wait_until(lambda: not stack.worker.is_running(), seconds=5)
        # the database may still run the dead worker's statement; end it as its closed connection would
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE wait_event_type = 'Lock' AND pid <> pg_backend_pid()"
        )
        connection.rollback()
    connection.close()
    assert stack.marks() >= 1, "the mark came back with the totals"
    assert stack.verified() == before
    stack.worker.start()
    wait_until(lambda: stack.verified() > before, seconds=30)
    stack.require_true_totals()


def test_the_broker_killed_and_restarted(stack: Stack):
    before = stack.verified()
    officer = Officer(stack, "officer")
    first, second = stack.open_households()[:2]
    fields = officer.household_fields(first)
    stack.valkey.kill()
    assert stack.get("/readyz") == 503
    assert stack.get("/healthz") == 200
    assert officer.save(first, fields).status == 302, "an officer does not need the broker"
    assert officer.send("/").status == 200
    stack.valkey.start()
    wait_until(lambda: stack.verified() > before, seconds=60)
    assert officer.save(second).status == 302
    wait_until(lambda: stack.get("/readyz") == 200, seconds=60)
    stack.require_true_totals()


@pytest.mark.households(30)
@pytest.mark.parametrize("how", ["stopped", "killed"])
def test_the_database_restarted_while_officers_save(stack: Stack, how):
    before = stack.counted()
    households = stack.open_households()[:24]
    officers = [Officer(stack, "officer"), Officer(stack, "colleague"), Officer(stack, "officer")]
    fields = {pk: officers[0].household_fields(pk) for pk in households}
    people = sum(name.endswith("-outcome") for sent in fields.values() for name in sent)
    half_way = threading.Event()

    def work(number: int) -> list[int]:
        statuses = []
        for place, pk in enumerate(households[number::3]):
            if place == 3:
                half_way.set()
            statuses += save_until_done(officers[number], pk, fields[pk])
        return statuses

    with ThreadPoolExecutor(3) as pool:
        work_done = [pool.submit(work, number) for number in range(3)]
        half_way.wait(60)
        getattr(stack.postgres, "stop" if how == "stopped" else "kill")()
        assert stack.get("/readyz") == 503
        stack.postgres.start()
        statuses = {status for done in work_done for status in done.result(timeout=120)}
    assert statuses <= {302, 503}, "an outage is told as one, never as a fault of the program"
    assert stack.counted() == before + people, "all of it, and each once"
    stack.require_true_totals()


@pytest.mark.households(60)
def test_two_workers_at_once(stack: Stack):
    before = stack.counted()
    stack.second_worker.start()
    households = stack.open_households()[:60]
    officers = [Officer(stack, "officer"), Officer(stack, "colleague")]
    fields = {pk: officers[0].household_fields(pk) for pk in households}

    def work(number: int) -> None:
        for pk in households:  # both save every household: one of them is first
            officers[number].save(pk, fields[pk] if number == 0 else None)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(work, range(2)))
    people = sum(name.endswith("-outcome") for sent in fields.values() for name in sent)
    assert stack.counted() == before + people
    stack.require_true_totals()


def test_an_export_whose_worker_died_is_made_all_the_same(stack: Stack):
    pc06 = Officer(stack, "pc06")
    province = stack.ask("SELECT id FROM households_administrativeunit WHERE level = 1")
    stack.worker.kill()
    asked = pc06.send("/exports/new/", {"kind": "units", "unit": province, "format": "csv"})
    assert asked.status == 302
    stack.valkey.kill()  # the message is gone as well
    stack.valkey.start()
    stack.worker.start()
    wait_until(lambda: pc06.send(f"{asked.location}file/").status == 200, seconds=90)
    assert "Hương Khê" in pc06.send(f"{asked.location}file/").body


def test_a_schedule_that_fell_due_while_everything_was_dead_is_made_up_once(stack: Stack):
    """Nobody at the worker for three days, the broker lost with all messages, then a worker killed at the files."""
    pc06 = Officer(stack, "pc06")
    officer = stack.ask("SELECT id FROM households_user WHERE username = 'pc06'")
    district = stack.ask("SELECT id FROM households_user WHERE username = %s", stack.login_of("district"))
    unit = stack.ask("SELECT parent_id FROM households_administrativeunit WHERE id = %s", stack.commune)
    stack.worker.kill()
    form = {
        "request": str(uuid4()), "name": "Phụ lục", "period": "day", "files": "annexes.csv", "annex": "outcomes",
        "signs": "head", "which_day": "", "rhythm": "daily", "at": "0:00", "recipients": [officer, district],
    }  # fmt: skip
    asked = pc06.send(f"/reports/schedules/new/?unit={unit}", form)
    assert asked.status == 302, asked.body
    schedule = int(asked.location.strip("/").rsplit("/", 1)[1])
    with stack.connect() as connection, connection.cursor() as cursor:
        cursor.execute(
            "UPDATE reports_schedule SET counts_from = counts_from - interval '3 days' WHERE id = %s", [schedule]
        )
    connection.close()
    stack.valkey.kill()
    stack.valkey.start()
    stack.worker.start()
    files = (
        "SELECT count(*) FROM reports_export e JOIN reports_schedulerun r ON r.id = e.run_id WHERE r.schedule_id = %s"
    )
    wait_until(lambda: stack.ask(files, schedule) > 0, seconds=90, every=0.01)
    stack.worker.kill()
    stack.second_worker.start()
    wait_until(lambda: stack.ask(f"{files} AND e.status = 'done'", schedule) == 2, seconds=90)
    outcomes = "SELECT string_agg(outcome, ' ' ORDER BY due_at) FROM reports_schedulerun WHERE schedule_id = %s"
    assert stack.ask(outcomes, schedule) == "made_up made_up files"
    assert stack.ask(files, schedule) == 2
    hers = stack.ask("SELECT max(id) FROM reports_export WHERE owner_id = %s AND run_id IS NOT NULL", district)
    assert Officer(stack, "district").send(f"/exports/{hers}/file/").status == 200


def test_a_file_that_kills_its_worker_each_time_is_given_up(stack: Stack):
    pc06 = Officer(stack, "pc06")
    province = stack.ask("SELECT id FROM households_administrativeunit WHERE level = 1")
    stack.worker.kill()
    asked = pc06.send("/exports/new/", {"kind": "units", "unit": province, "format": "csv"})
    export = int(asked.location.strip("/").rsplit("/", 1)[1])
    blocker = stack.connect()
    with blocker.cursor() as cursor:
        cursor.execute("LOCK TABLE reports_tally IN ACCESS EXCLUSIVE MODE")  # whoever makes the file stands here
        for death in (1, 2, 3):
            stack.worker.start()
            wait_until(lambda: stack.ask(STANDS_OVER_AN_EXPORT, export) > 0, seconds=60)
            assert stack.ask("SELECT tries FROM reports_export WHERE id = %s", export) == death
            stack.worker.kill()
            # on another connection: within a transaction PostgreSQL does not look at the activity again
            stack.ask(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                " WHERE wait_event_type = 'Lock' AND pid <> pg_backend_pid()"
            )
            wait_until(lambda: not stack.ask(STANDS_OVER_AN_EXPORT, export), seconds=15)
    blocker.rollback()
    blocker.close()
    stack.worker.start()
    status = "SELECT status FROM reports_export WHERE id = %s"
    wait_until(lambda: stack.ask(status, export) == "failed", seconds=60)
    assert "dừng giữa chừng 3 lần" in pc06.send(asked.location).body
    assert pc06.send(f"{asked.location}retry/", {}).status == 302
    wait_until(lambda: pc06.send(f"{asked.location}file/").status == 200, seconds=60)
