"""What the machine and PostgreSQL can do at most: the bare tables, and the bare program's requests."""

import random

from django.conf import settings
from django.db import connection

from benchmarks.web import CSRF, Request, python

# The columns of an import file, as a bare table keeps them: 25, as many as the file has.
BARE_COLUMNS = [
    "id",
    "commune_id",
    "household_id",
    "full_name",
    "birth_year",
    "birth_month",
    "birth_day",
    "sex",
    "marital_status",
    "ethnicity",
    "religion",
    "nationality",
    "pin",
    "cmnd",
    "birth_registration_place",
    "origin_place",
    "residence_place",
    "present_place",
    "father_name",
    "mother_name",
    "relation",
    "head_name",
    "book_number",
    "search_key",
    "barcode",
]
NOTE = "%C4%91%C3%A3+ph%C3%BAc+tra"


def make_bare_tables() -> int:
    """The limit's own register: as many forms, 25 columns, the key and an index. Returns its number of rows."""
    with connection.cursor() as cursor:
        cursor.execute("DROP SCHEMA IF EXISTS benchmark CASCADE")
        cursor.execute("CREATE SCHEMA benchmark")
        columns = ", ".join(BARE_COLUMNS[1:])
        cursor.execute(
            f"CREATE TABLE benchmark.form AS SELECT (row_number() OVER ())::bigint AS id, {columns}, 0::smallint AS status, "
            "NULL::timestamptz AS verified_at, NULL::int AS verified_by FROM households_collectionform"
        )
        cursor.execute("ALTER TABLE benchmark.form ADD PRIMARY KEY (id)")
        cursor.execute("CREATE INDEX ON benchmark.form (commune_id, status)")
        cursor.execute(
            "CREATE TABLE benchmark.verification (id bigserial PRIMARY KEY, form_id bigint NOT NULL, officer_id int NOT NULL, "
            "result smallint NOT NULL, note text, at timestamptz NOT NULL)"
        )
        cursor.execute("CREATE INDEX ON benchmark.verification (form_id)")
        cursor.execute("VACUUM ANALYZE benchmark.form")
        cursor.execute("SELECT count(*) FROM benchmark.form")
        return cursor.fetchone()[0]


def drop_bare_tables() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP SCHEMA IF EXISTS benchmark CASCADE")


def bare_cookies(officers: int = 64) -> list[str]:
    printed, _, _ = python("benchmarks.bare.prepare", str(officers))
    return [f"sessionid={key}; csrftoken={CSRF}" for key in printed.split()]


def bare_entries(cookies: list[str], rows: int, *, people: int = 1, count: int = 20_000) -> list[Request]:
    chosen = random.Random(1)
    return [
        Request(
            "/entry", chosen.choice(cookies), f"form={chosen.randrange(1, rows - people)}&people={people}&note={NOTE}"
        )
        for _ in range(count)
    ]


def database_name() -> str:
    return settings.DATABASES["default"]["NAME"]
