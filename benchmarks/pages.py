"""Pages: requests a second against a bare view that knows only who asks; time at one officer; data against the stored rows."""

from django.db import connection
from django.test.utils import CaptureQueriesContext

from benchmarks import limits
from benchmarks.measure import Line, Options, Readings, median_ms, quiet
from benchmarks.saves import households
from benchmarks.web import BARE, Request, cookie_of, server, wrk
from households.models import AdministrativeUnit, User
from reports.live import Live
from verification import records
from verification.models import Round

TITLE = "Pages"
CLIENTS = 16
BARE_LIST = """
    SELECT form.id, form.full_name, form.birth_year, form.birth_month, form.birth_day, form.sex, form.pin, form.cmnd,
        form.barcode, form.relation, result.outcome, result.approval, result.counted_on, result.next_visit_on,
        household.address, household.book_number, household.sequence, hamlet.code, hamlet.name
    FROM households_collectionform form
    JOIN verification_roundform result ON result.form_id = form.id AND result.round_id = %s
    JOIN households_household household ON household.id = form.household_id
    JOIN households_administrativeunit hamlet ON hamlet.id = form.hamlet_id
    WHERE form.commune_id = %s AND result.outcome = 'matched'
    ORDER BY hamlet.code, household.sequence, form.line, form.id LIMIT 100"""


def run(options: Options) -> list[Line]:
    limits.make_bare_tables()
    round, seen = Round.objects.current(), Readings()
    left = households()
    pc06 = User.objects.get(username="pc06")
    homes = left.take(4, 300)
    cookie = cookie_of(pc06)
    commune, commune_cookie = _largest_commune(left)
    first = f"/units/{commune.pk}/forms/?state=matched"
    deep = f"{first}&after={_last_key(commune, round)}"
    addresses = {
        "household": [Request(due.path, left.cookie(due.officer_id)) for due in homes],
        "commune": [Request("/", left.cookie(due.officer_id)) for due in homes[:50]],
        "district": [Request(f"/units/{commune.parent_id}/", cookie)],
        "province": [Request("/", cookie)],
        "list": [Request(first, commune_cookie)],
        "deep": [Request(deep, commune_cookie)],
    }
    with server(BARE) as (bare_port, _), server() as (port, _):
        who = [Request("/who", c) for c in limits.bare_cookies()]
        for requests in addresses.values():
            wrk(port, requests, clients=4, seconds=2)
        for _ in range(options.rounds):
            quiet(options.quiet_seconds)
            seen.add("who", wrk(bare_port, who, clients=CLIENTS, seconds=options.seconds).only(200).per_second)
            seen.add("who alone", wrk(bare_port, who, clients=1, seconds=options.seconds / 2).only(200).p50)
            for name, requests in addresses.items():
                quiet(options.quiet_seconds)
                load = wrk(port, requests, clients=CLIENTS, seconds=options.seconds).only(200)
                seen.add(name, load.per_second)
                seen.add(f"{name} alone", wrk(port, requests, clients=1, seconds=options.seconds / 2).only(200).p50)
            quiet(options.quiet_seconds)
            seen.add("list sql", median_ms(lambda: _fetch(BARE_LIST, [round.pk, commune.pk]), 5))
            seen.add("summary", _summary_ms(round))
            seen.add("data", _data_ms(round))
    limits.drop_bare_tables()
    return [
        *(
            seen.ratio(f"{what}: requests/s", name, "who", more=True, must=0.25, aim=0.5,
                       against="login-only view, 16 clients", read_in="/s")
            for name, what in (("province", "province page"), ("district", "district page"), ("commune", "commune page"))
        ),
        seen.ratio("household page: requests/s", "household", "who", more=True, against="login-only view, 16 clients",
                   read_in="/s"),
        *(
            seen.line(f"{what}, one officer", f"{name} alone", "ms", against="over HTTP, p50")
            for name, what in (("household", "household page"), ("commune", "commune page"), ("province", "province page"))
        ),
        seen.ratio("province page: its data queries", "data", "summary", must=10, aim=3,
                   against="reading the 230 summary rows", read_in="ms"),
        seen.ratio("list of 100 forms, filtered and ordered", "list alone", "list sql", must=10, aim=5,
                   against="the SQL of these 100 rows", read_in="ms"),
        seen.ratio(f"the same at its end ({_depth(commune, round)} rows on)", "deep alone", "list alone", must=1.5, aim=1.1,
                   against="its first page", read_in="ms"),
    ]  # fmt: skip


def _largest_commune(left) -> tuple[AdministrativeUnit, str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT commune_id, min(posting.user_id) FROM verification_roundform "
            "JOIN households_posting posting ON posting.unit_id = commune_id AND role = 'commune_officer' "
            "GROUP BY 1 ORDER BY count(*) DESC LIMIT 1"
        )
        commune, officer = cursor.fetchone()
    return AdministrativeUnit.objects.get(pk=commune), left.cookie(officer)


def _depth(commune: AdministrativeUnit, round: Round) -> str:
    """A list is of one commune, so its end is as deep as it gets."""
    return f"{_count(commune, round) - 200:,}".replace(",", ".")


def _count(commune: AdministrativeUnit, round: Round) -> int:
    return records.forms_of(commune, round, "matched").count()


def _last_key(commune: AdministrativeUnit, round: Round) -> str:
    """The key before the last whole page."""
    at = _count(commune, round) - 200
    row = records.forms_of(commune, round, "matched")[at]
    return f"{row.hamlet_code}~{row.sequence}~{row.line}~{row.pk}"


def _fetch(sql: str, params: list) -> list:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall()


def _summary_ms(round: Round) -> float:
    sql = (
        "SELECT tally.* FROM reports_tally tally JOIN households_administrativeunit unit ON unit.id = tally.unit_id "
        "WHERE tally.round_id = %s AND unit.level BETWEEN 1 AND 3"
    )
    return median_ms(lambda: _fetch(sql, [round.pk]), 20)


def _data_ms(round: Round) -> float:
    """The statements that bring the province page's figures, without what Python makes of them."""
    province = AdministrativeUnit.objects.select_related("parent").get(
        pk=User.objects.get(username="pc06").postings.get().unit_id
    )
    with CaptureQueriesContext(connection) as captured:
        Live(round).of_unit(province)
        Live(round).children_of(province)
    statements = [query["sql"].replace("%", "%%") for query in captured.captured_queries]
    return median_ms(lambda: [_fetch(sql, []) for sql in statements if sql.startswith(("SELECT", "EXECUTE"))], 20)
