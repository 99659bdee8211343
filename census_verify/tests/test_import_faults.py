"""An import during which the worker, the broker or the database dies: loaded whole in the end, each row once, never half."""

import re
from contextlib import contextmanager

import pytest

from census_verify.tests.stack import Officer, Stack, wait_until

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]

ROWS = 3_000
HEADINGS = "Mã vạch;Ngày thu thập;Mã xã;Thôn, tổ dân phố;Số sổ hộ khẩu;Họ và tên;Ngày sinh;Giới tính;Quan hệ với chủ hộ"
NOT_A_ROW = "\nF999999;32/13/2018;{commune};thôn Phú Bình;9;NGUYỄN VĂN THỬ;17/5/1980;Nam;Chủ hộ"
# the load stores what is suspected after all forms stand in the table, and before it commits
LAST_STEP = "households_suspectedfault"
AT_THE_LAST_STEP = (
    "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%%INSERT INTO "
    + LAST_STEP
    + "%%'"
)


def file_of(series: str, commune: str) -> bytes:
    """A household of three to a book; the last row is refused. Synthetic people."""
    rows = [
        f"\n{series}{n:07d};15/9/2018;{commune};thôn Phú Bình;{series}{n // 3};NGUYỄN VĂN THỬ {'ABC'[n % 3]};17/5/1980;Nam;"
        f"{'Chủ hộ' if n % 3 == 0 else 'Con'}"
        for n in range(ROWS)
    ]
    return "".join([HEADINGS, *rows, NOT_A_ROW.format(commune=commune)]).encode("utf-8-sig")


class Import:
    """A file on its way, as the administrator sees it."""

    def __init__(self, stack: Stack, series: str):
        self.stack, self.series, self.admin = stack, series, Officer(stack, "admin")
        uploaded = self.admin.upload("/imports/new/?kind=forms", "phieu.csv", file_of(series, stack.other_commune_code))
        assert uploaded.status == 302, uploaded.body
        self.address = uploaded.location.removesuffix("columns/")
        self.pk = int(self.address.strip("/").split("/")[-1])

    def begin_check(self) -> None:
        page = self.admin.send(f"{self.address}columns/").body
        selects = re.findall(r'<select[^>]*name="(c\d+)".*?</select>', page, re.S)
        chosen = re.findall(r'<select[^>]*name="c\d+".*?<option value="([^"]*)" selected', page, re.S)
        fields = dict(zip(selects, chosen, strict=True)) | {"encoding": "unicode"}
        assert self.admin.send(f"{self.address}columns/", fields).status == 302

    def confirm(self) -> None:
        assert self.admin.send(f"{self.address}confirm/", {"existing": "skip"}).status == 302

    def check(self) -> None:
        self.begin_check()
        self.wait_for("checked")

    @property
    def status(self) -> str:
        return self.stack.ask("SELECT status FROM households_import WHERE id = %s", self.pk)

    def wait_for(self, status: str) -> None:
        wait_until(lambda: self.status == status, seconds=90)

    def loaded(self) -> int:
        """How many of its forms are in the register."""
        return self.stack.ask("SELECT count(*) FROM households_collectionform WHERE barcode LIKE %s", f"{self.series}%")

    def require_loaded_whole(self) -> None:
        self.wait_for("loaded")
        assert self.loaded() == ROWS
        assert self.stack.ask("SELECT refused FROM households_import WHERE id = %s", self.pk) == 1
        households = "SELECT count(DISTINCT household_id) FROM households_collectionform WHERE barcode LIKE %s"
        assert self.stack.ask(households, f"{self.series}%") == ROWS // 3
        self.require_nothing_staged()
        self.stack.require_true_totals()

    def require_nothing_staged(self) -> None:
        tables = "SELECT count(*) FROM pg_class WHERE relname LIKE %s AND relkind = 'r'"
        assert self.stack.ask(tables, f"staged_import_{self.pk}%") == 0


@contextmanager
def held_before_its_last_step(stack: Stack, job: Import):
    """The load is confirmed and stands still with all its forms written, none of them committed."""
    connection = stack.connect()
    try:
        with connection.cursor() as cursor:
            cursor.execute(f"LOCK TABLE {LAST_STEP} IN SHARE MODE")
            job.confirm()
            wait_until(lambda: stack.ask(AT_THE_LAST_STEP) > 0, seconds=60)
            yield cursor
    finally:
        connection.close()


def test_a_worker_killed_in_a_load(stack: Stack):
    job = Import(stack, "W")
    job.check()
    with held_before_its_last_step(stack, job) as cursor:
        stack.worker.kill()
        # the database may still wait for the lock on behalf of the dead; end it as the closed connection would
        cursor.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
        cursor.connection.rollback()
    wait_until(lambda: stack.ask(AT_THE_LAST_STEP) == 0, seconds=20)
    assert job.loaded() == 0, "not half"
    assert job.status == "loading"
    stack.worker.start()
    job.require_loaded_whole()


def test_a_database_killed_in_a_load_is_checked_anew_before_it_is_loaded(stack: Stack):
    job = Import(stack, "D")
    job.check()
    with held_before_its_last_step(stack, job):
        stack.postgres.kill()
    stack.postgres.start()
    job.wait_for("checked")
    assert job.loaded() == 0, "not half"
    job.confirm()
    job.require_loaded_whole()


def test_a_broker_away_when_the_columns_are_named(stack: Stack):
    job = Import(stack, "B")
    stack.valkey.kill()
    job.begin_check()
    assert job.admin.send(job.address).status == 200, "the page does without the bar"
    stack.valkey.start()
    job.wait_for("checked")
    job.confirm()
    job.require_loaded_whole()


def test_cancelled_while_all_its_forms_are_written(stack: Stack):
    job = Import(stack, "C")
    job.check()
    with held_before_its_last_step(stack, job):
        assert job.admin.send(f"{job.address}cancel/", {}).status == 302
    job.wait_for("cancelled")
    assert job.loaded() == 0
    job.require_nothing_staged()
    stack.require_true_totals()
