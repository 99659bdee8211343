"""Search: over the province by part of a name without marks, in a commune, by number; at 1, 8 and 32 officers."""

import random
from urllib.parse import quote

from django.db import connection
from django.urls import NoReverseMatch, reverse

from benchmarks import limits
from benchmarks.measure import Line, Options, Readings, Skipped, clock, percentile, quiet
from benchmarks.saves import households
from benchmarks.web import BARE, Request, cookie_of, server, wrk
from households.models import User

TITLE = "Search"
TERMS = 60
OFFICERS = (1, 8, 32)


def run(options: Options) -> list[Line]:
    try:
        address = reverse("verification:search")
    except NoReverseMatch:
        raise Skipped("this version has no search") from None
    limits.make_bare_tables()
    with connection.cursor() as cursor:
        cursor.execute("CREATE INDEX ON benchmark.form USING gin (search_key gin_trgm_ops)")
        cursor.execute("VACUUM ANALYZE benchmark.form")
    left, seen = households(), Readings()
    terms, pins = _terms(), _pins()
    pc06 = cookie_of(User.objects.get(username="pc06"))
    in_commune = [left.cookie(due.officer_id) for due in left.take(4, TERMS)]
    asked = {
        "province": [Request(f"{address}?q={quote(term)}", pc06) for term in terms],
        "commune": [Request(f"{address}?q={quote(t)}", c) for t, c in zip(terms, in_commune, strict=False)],
        "panel": [
            Request(f"{address}?q={quote(t)}", c, is_panel=True) for t, c in zip(terms, in_commune, strict=False)
        ],
        "number": [Request(f"{address}?q={pin}", pc06) for pin in pins],
    }
    with server(BARE) as (bare_port, _), server() as (port, _):
        who = [Request("/who", cookie) for cookie in limits.bare_cookies()]
        for requests in asked.values():
            wrk(port, requests, clients=4, seconds=2)
        for _ in range(options.rounds):
            quiet(options.quiet_seconds)
            for name, value in _sql_ms(terms).items():
                seen.add(name, value)
            for officers in OFFICERS:
                who_load = wrk(bare_port, who, clients=officers, seconds=options.seconds / 2).only(200)
                seen.add(f"who {officers}", who_load.p50)
                seen.add(f"who p95 {officers}", who_load.p95)
                for name, requests in asked.items():
                    load = wrk(port, requests, clients=officers, seconds=options.seconds).only(200)
                    seen.add(f"{name} {officers}", load.p50)
                    seen.add(f"{name} p95 {officers}", load.p95)
                    seen.add(f"{name} rate {officers}", load.per_second)
    limits.drop_bare_tables()
    return [
        seen.ratio("part of a name over the province, one officer", "province 1", "sql", must=3, aim=1.5,
                   against="the trigram SQL alone, top 20", read_in="ms"),
        seen.line("the same: p95 of server time", "province p95 1", "ms", must=60, against="60 ms"),
        seen.ratio("in a commune, one officer: p95", "commune p95 1", "who p95 1", must=1.5, aim=1.1,
                   against="p95 of the login-only view", read_in="ms"),
        seen.ratio("the same as the panel under the field, while typing: p95", "panel p95 1", "who p95 1", must=1.5, aim=1.1,
                   against="p95 of the login-only view", read_in="ms"),
        seen.ratio("by number, one officer", "number 1", "who 1", against="login-only view", read_in="ms"),
        *(
            seen.line(f"{what}, {officers} officers: p95", f"{name} p95 {officers}", "ms")
            for name, what in (("province", "province"), ("commune", "commune"), ("number", "number"))
            for officers in OFFICERS[1:]
        ),
        *(seen.line(f"province, {n} officers: searches/s", f"province rate {n}", "/s", more=True) for n in OFFICERS),
    ]  # fmt: skip


def _column(sql: str) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return [value for (value,) in cursor.fetchall()]


def _terms() -> list[str]:
    """Middle and given name, as somebody types who does not remember the rest: without marks."""
    keys = _column("SELECT search_key FROM households_collectionform WHERE id % 997 = 7 ORDER BY id LIMIT 1000")
    names = [words for words in map(str.split, keys) if len(words) >= 3]
    return [" ".join(name[-2:]) for name in random.Random(2).sample(names, min(TERMS, len(names)))]


def _pins() -> list[str]:
    return _column(
        f"SELECT pin FROM households_collectionform WHERE pin <> '' AND id % 97 = 7 ORDER BY id LIMIT {TERMS}"
    )


def _sql_ms(terms: list[str]) -> dict[str, float]:
    """The bare statement: ids and names of the first twenty whose folded name holds the words."""
    spent = []
    with connection.cursor() as cursor:
        for term in terms:
            sql = "SELECT id, full_name FROM benchmark.form WHERE search_key LIKE %s ORDER BY id LIMIT 20"

            def ask(sql=sql, term=term):
                cursor.execute(sql, [f"%{term}%"])
                cursor.fetchall()

            ask()
            spent.append(clock(ask) * 1000)
    return {"sql": percentile(spent, 50), "sql p95": percentile(spent, 95)}
