"""Entries at the database: with the mark each leaves and the roll-up that follows, against the same without.

pgbench runs the statements of a save over the real tables (a later result supersedes an earlier one, so that any form can
be taken again), while the roll-up runs beside it as the worker does. In the end every stored figure is recounted.
"""

import threading

from django.db import connection

from benchmarks.entry import pgbench
from benchmarks.measure import Line, Options, Readings, quiet
from reports import proof, rollups
from verification.models import Round

TITLE = "Entries at the database, with marks and roll-up"
CLIENTS = 32
# what a new pass says otherwise than the one it takes the place of
NEW = {
    "submission": "gen_random_uuid()",
    "recorded_at": "now()",
    "is_standing": "true",
    "supersedes_id": ":standing",
    "outcome": "'matched'",
    "verified_on": "date '2020-06-19'",
    "event_on": "NULL",
    "duplicate_of_id": "NULL",
    "next_visit_on": "NULL",
}
ENTRY = """\\set i random(1, :n)
BEGIN;
SELECT row.id AS row, row.commune_id AS commune, row.standing_pass_id AS standing FROM benchmark.target
    JOIN verification_roundform row ON row.id = target.row_id WHERE i = :i FOR UPDATE OF row \\gset
UPDATE verification_verificationpass SET is_standing = false WHERE id = :standing;
INSERT INTO verification_verificationpass ({columns}) SELECT {values} FROM verification_verificationpass
    WHERE id = :standing RETURNING id AS pass \\gset
UPDATE verification_roundform SET standing_pass_id = :pass, outcome = 'matched', approval = '', counted_on = '2020-06-19',
    next_visit_on = NULL WHERE id = :row;
{mark}
COMMIT;
"""
MARK = "INSERT INTO verification_rollupmark (round_id, commune_id) VALUES (:round, :commune);"


def run(options: Options) -> list[Line]:
    round, seen = Round.objects.current(), Readings()
    rollups.roll_up()
    first_pass = _last_pass()
    columns = _columns()
    values = ", ".join(NEW.get(column, column) for column in columns)
    scripts = {
        mark: ENTRY.format(columns=", ".join(columns), values=values, mark=MARK if mark else "")
        for mark in (False, True)
    }
    for place, where in (("spread", "true"), ("district", "commune_id IN (SELECT id FROM busiest)")):
        n = _targets(round, where)
        for _ in range(options.rounds):
            for mark in (False, True):
                quiet(options.quiet_seconds)
                with _Worker(runs=mark):
                    tps = pgbench(scripts[mark], CLIENTS, options.seconds * 1.5, n=n, round=round.pk)
                seen.add(f"{place} {'with' if mark else 'without'}", tps)
                rollups.mark_everything(round) if not mark else None
                rollups.roll_up()
    entries = _last_pass() - first_pass
    difference = proof.first_difference(round)
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE benchmark.target")
        cursor.execute("DROP SCHEMA benchmark CASCADE")
    return [
        seen.ratio("32 officers over all communes", "spread with", "spread without", more=True, must=0.65, aim=0.85,
                   against="the same without mark and roll-up", read_in="/s"),
        seen.ratio("32 officers in one district", "district with", "district without", more=True, must=0.65, aim=0.85,
                   against="the same without mark and roll-up", read_in="/s"),
        Line(f"after {entries:,} concurrent entries: stored minus recount".replace(",", "."),
             [0 if difference is None else 1], "", must=0, aim=0, note=difference or ""),
    ]  # fmt: skip


class _Worker:
    """The roll-up as the worker runs it: a little more than a second after the one before."""

    def __init__(self, *, runs: bool):
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._work) if runs else None

    def __enter__(self):
        if self.thread:
            self.thread.start()

    def __exit__(self, *_):
        self.over.set()
        if self.thread:
            self.thread.join()

    def _work(self):
        while not self.over.wait(1.1):
            rollups.roll_up()
        connection.close()


def _targets(round: Round, where: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute("CREATE SCHEMA IF NOT EXISTS benchmark")
        cursor.execute("DROP TABLE IF EXISTS benchmark.target, busiest")
        cursor.execute(
            "CREATE TEMP TABLE busiest AS SELECT unit.id FROM households_administrativeunit unit WHERE parent_id = ("
            "SELECT parent_id FROM households_administrativeunit commune JOIN verification_plan plan ON plan.commune_id = "
            "commune.id GROUP BY parent_id ORDER BY sum(forms) DESC LIMIT 1)"
        )
        cursor.execute(
            "CREATE TABLE benchmark.target AS SELECT row_number() OVER (ORDER BY md5(id::text))::int AS i, id AS row_id "
            f"FROM verification_roundform WHERE round_id = %s AND standing_pass_id IS NOT NULL AND {where}",
            [round.pk],
        )
        cursor.execute("ALTER TABLE benchmark.target ADD PRIMARY KEY (i)")
        cursor.execute("VACUUM ANALYZE benchmark.target")
        cursor.execute("SELECT count(*) FROM benchmark.target")
        return cursor.fetchone()[0]


def _columns() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT column_name FROM information_schema.columns WHERE table_name = 'verification_verificationpass' "
            "AND table_schema = 'public' AND column_name <> 'id' AND is_generated = 'NEVER' ORDER BY ordinal_position"
        )
        return [name for (name,) in cursor.fetchall()]


def _last_pass() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT last_value FROM verification_verificationpass_id_seq")
        return cursor.fetchone()[0]
