"""What the rules of `faults` suspect, kept per form: the sweep over the register, and a few forms afresh.

Forms stream out of the database as text, a lot of communes at a time; the hits go into a table that lives
as long as the transaction; one DELETE and one INSERT make what is stored equal to it. So a second sweep
changes nothing, and memory follows the hits of a lot, not the register.
"""

import io
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from django.db import connection, transaction
from django.db.models import QuerySet

from census_verify import clock
from households import faults, lineage
from households.faults.register_rules import RegisterRule
from households.faults.words import FormerUnit
from households.models import AdministrativeUnit, CollectionForm, SuspectedFault
from households.models.register import FORM_WORDS
from households.permissions import Scope
from households.statements import Statement

COMMUNES_A_LOT = 12
HOUSEHOLDS_A_LOT = 5_000
LOCK = 20180701  # two sweeps at once would each store what the other deletes
SORT_MEMORY = "64MB"

NUMBERS = ("birth_year", "birth_month", "birth_day", "sex", "marital_status", "collected_unit_id")
TEXTS = (
    "full_name", "birth_registration_place", "origin_place", "residence_place", "present_place", "ethnicity", "nationality",
    "religion", "pin", "cmnd", "father_name", "father_number", "mother_name", "mother_number", "spouse_name", "spouse_number",
    "head_name", "head_number", "relation", "book_number", "blood_type",
)  # fmt: skip
SELECT = ", ".join(("household_id", "province_id", "commune_id", "id", "collected_on", *NUMBERS, *TEXTS))
FOUND = "found_suspicion"
FOUND_COLUMNS = "province_id, commune_id, form_id, fault, field, other_id"
OF_REGISTER = ", ".join(f"'{fault}'" for fault in faults.REGISTER_FAULTS)

ESCAPED = re.compile(r"\\(.)")
ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


class Row(NamedTuple):
    """A form as the rules read it, without the weight of a model."""

    key: str  # province, commune and id, as they are written back
    collected_on: date
    birth_year: int
    birth_month: int | None
    birth_day: int | None
    sex: int
    marital_status: int
    collected_unit_id: int
    full_name: str
    birth_registration_place: str
    origin_place: str
    residence_place: str
    present_place: str
    ethnicity: str
    nationality: str
    religion: str
    pin: str
    cmnd: str
    father_name: str
    father_number: str
    mother_name: str
    mother_number: str
    spouse_name: str
    spouse_number: str
    head_name: str
    head_number: str
    relation: str
    book_number: str
    blood_type: str


@dataclass(frozen=True)
class Swept:
    """What a sweep came to: forms read, rows stored and taken away, and the communes of these rows."""

    forms: int
    stored: int
    removed: int
    communes: frozenset[int]


def sweep(commune_ids: Collection[int] | None = None) -> Swept:
    """Make the stored suspicions of these communes, or of the whole register, equal to what the rules say."""
    with transaction.atomic(), connection.cursor() as cursor:
        _begin(cursor)
        wanted = _communes() if commune_ids is None else sorted(commune_ids)
        former_units, forms = lineage.former_units(clock.today()), 0
        for first in range(0, len(wanted), COMMUNES_A_LOT):
            lot = wanted[first : first + COMMUNES_A_LOT]
            forms += _evaluate(cursor, f"household.commune_id IN ({_ids(lot)})", former_units)
        _find_in_register(cursor, commune_ids)
        of_communes = f"stored.fault NOT IN ({OF_REGISTER}) AND stored.commune_id IN ({_ids(wanted)})"
        removed, stored = _store(cursor, "true" if commune_ids is None else of_communes)
    return Swept(forms, len(stored), len(removed), frozenset((*stored, *removed)))


def refresh(form_ids: Iterable[int]) -> Swept:
    """The same for a few forms whose values changed, and for the households they belong to."""
    form_ids = set(form_ids)
    house_ids = set(CollectionForm.objects.filter(pk__in=form_ids).values_list("household_id", flat=True))
    with transaction.atomic(), connection.cursor() as cursor:
        _begin(cursor)
        forms = _evaluate(cursor, f"household.id IN ({_ids(house_ids)})", lineage.former_units(clock.today()))
        _find_in_register_for(cursor, form_ids)
        of_households = f"SELECT id FROM households_collectionform WHERE household_id IN ({_ids(house_ids)})"
        removed, stored = _store(cursor, f"stored.fault NOT IN ({OF_REGISTER}) AND stored.form_id IN ({of_households})")
    return Swept(forms, len(stored), len(removed), frozenset((*stored, *removed)))


def judge_households(cursor, household_ids: Collection[int]) -> None:
    """Only the rules of form and household, for households that an import put together from pieces."""
    former_units, ids = lineage.former_units(clock.today()), sorted(household_ids)
    for first in range(0, len(ids), HOUSEHOLDS_A_LOT):
        lot = _ids(ids[first : first + HOUSEHOLDS_A_LOT])
        _begin(cursor)
        _evaluate(cursor, f"household_id IN ({lot})", former_units)
        of_households = f"SELECT id FROM households_collectionform WHERE household_id IN ({lot})"
        _store(cursor, f"stored.fault NOT IN ({OF_REGISTER}) AND stored.form_id IN ({of_households})")


def store_register_suspicions(cursor, commune_ids: Collection[int] | None = None) -> frozenset[int]:
    """Only the rules of the whole register (`faults.REGISTER_RULES`), for whatever these communes' forms have to
    do with. For an import that has run the other rules itself. Returns the communes of which something changed."""
    with transaction.atomic():
        _begin(cursor)
        _find_in_register(cursor, commune_ids)
        removed, stored = _store(cursor, f"stored.fault IN ({OF_REGISTER})" if commune_ids is None else "false")
    return frozenset((*stored, *removed))


def reasons(forms: list[CollectionForm], scope: Scope) -> dict[int, dict[str, list[str]]]:
    """Why each form of a household is suspected, in the reader's words: form id -> item -> sentences.

    The rules of form and household are asked now, so that the sentences are of the values on the page; what only
    the register shows comes from what is stored.
    """
    found: dict[int, dict[str, list[str]]] = {form.pk: {} for form in forms}

    def add(form_id: int, field: str, reason: str) -> None:
        sentences = found[form_id].setdefault(field, [])
        if reason not in sentences:
            sentences.append(reason)

    stored = list(_of_register_or_place(forms))
    # the names of former units are asked for only where one of them is named
    in_former = any(row.fault == faults.Fault.L24 for row in stored)
    former_units = lineage.former_units(clock.today()) if in_former else None
    for form in forms:
        for suspicion in faults.suspicions(form, former_units):
            add(form.pk, suspicion.field, suspicion.reason)
    for form, suspicion in faults.suspicions_in_household(forms):
        add(form.pk, suspicion.field, suspicion.reason)
    for row in stored:
        if row.other:
            may_see = scope.persons_cover(row.other.commune)
            add(row.form_id, row.field, faults.reason_of(row.fault, row.field, row.other, may_see_other=may_see))
    return found


ANY_OF_REGISTER_OR_PLACE = Statement(
    "any_suspicion_of_register_or_place",
    "bigint[], text[]",
    "SELECT EXISTS (SELECT FROM households_suspectedfault WHERE form_id = ANY($1) AND fault = ANY($2))",
)


def _of_register_or_place(forms: list[CollectionForm]) -> QuerySet[SuspectedFault]:
    """Hardly a household has one, so it is asked quickly first."""
    wanted = [*faults.REGISTER_FAULTS, faults.Fault.L24.value]
    if not ANY_OF_REGISTER_OR_PLACE.row([form.pk for form in forms], wanted)[0]:
        return SuspectedFault.objects.none()
    asked = SuspectedFault.objects.filter(form__in=forms, fault__in=wanted)
    return asked.select_related("other__commune__parent").order_by("form_id", "fault", "field")


def _begin(cursor) -> None:
    cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
    cursor.execute(f"SET LOCAL work_mem = '{SORT_MEMORY}'")
    cursor.execute(f"DROP TABLE IF EXISTS pg_temp.{FOUND}, pg_temp.judged_form")
    cursor.execute(
        f"CREATE TEMP TABLE {FOUND} (province_id bigint, commune_id bigint, form_id bigint, fault varchar(3),"
        " field varchar(32), other_id bigint) ON COMMIT DROP"
    )
    # of which forms which rules of the register were asked
    cursor.execute("CREATE TEMP TABLE judged_form (id bigint, fault varchar(3), field varchar(32)) ON COMMIT DROP")


def _communes() -> list[int]:
    communes = AdministrativeUnit.objects.filter(level=AdministrativeUnit.Level.COMMUNE)
    return list(communes.order_by("pk").values_list("pk", flat=True))


def _ids(ids: Iterable[int]) -> str:
    return ", ".join(str(int(pk)) for pk in ids) or "NULL"


class _Judge:
    """Takes the lines of a COPY, one form each, households together, and collects what is suspected."""

    def __init__(self, former_units: Mapping[str, FormerUnit]):
        self.former_units = former_units
        self.household, self.rows = "", []
        self.days: dict[str, date] = {}
        self.hits: list[str] = []
        self.forms = 0

    def write(self, line: bytes) -> None:
        text = line.decode()
        parts = text[:-1].split("\t")
        if "\\" in text:
            parts = [ESCAPED.sub(lambda match: ESCAPES.get(match[1], match[1]), part) for part in parts]
        household, province, commune, pk, collected, year, month, day, sex, marital, unit, *texts = parts
        if household != self.household:
            self.judge_household()
            self.household = household
        collected_on = self.days.get(collected)
        if collected_on is None:
            collected_on = self.days[collected] = date.fromisoformat(collected)
        row = Row(
            f"{province}\t{commune}\t{pk}",
            collected_on,
            int(year),
            int(month) if month else None,
            int(day) if day else None,
            int(sex),
            int(marital),
            int(unit),
            *texts,
        )
        self.rows.append(row)
        self.forms += 1

    def judge_household(self) -> None:
        rows, self.rows = self.rows, []
        found = [(row, fault, field) for row in rows for fault, field in faults.suspected(row, self.former_units)]
        found += [(row, found.fault.value, found.field) for row, found in faults.suspicions_in_household(rows)]
        # a form's own rule and its household's may suspect the same of the same item
        self.hits += dict.fromkeys(f"{row.key}\t{fault}\t{field}\t\\N\n" for row, fault, field in found)


def _evaluate(cursor, of_households: str, former_units: Mapping[str, FormerUnit]) -> int:
    """Judge the forms of some households by the rules of form and household; the hits go to the table.

    Returns the forms read. Household by household through the index: the first row comes at once, and the
    database reads on while it is judged; a sort would have it wait.
    """
    judge = _Judge(former_units)
    query = f"""
        SELECT form.* FROM households_household household
        CROSS JOIN LATERAL (
            SELECT {SELECT} FROM households_collectionform WHERE household_id = household.id ORDER BY line, id
        ) form WHERE {of_households}"""
    cursor.copy_expert(f"COPY ({query}) TO STDOUT (NULL '')", judge)
    judge.judge_household()
    if judge.hits:
        body = io.BytesIO("".join(judge.hits).encode())
        cursor.copy_expert(f"COPY {FOUND} ({FOUND_COLUMNS}) FROM STDIN", body)
    return judge.forms


def _find_in_register(cursor, commune_ids: Collection[int] | None) -> None:
    """Judge by the rules of the register: all of it, or what has to do with the forms of these communes."""
    for rule in faults.REGISTER_RULES:
        _find_repeated(cursor, rule, commune_ids)
    cursor.execute("ANALYZE judged_form")


def _find_repeated(cursor, rule: RegisterRule, commune_ids: Collection[int] | None) -> None:
    # by a hash first: a set of numbers is a fraction of the set of texts
    hashed = f"hashtextextended({rule.key}, form.province_id)"
    asked = ""
    if commune_ids is not None:
        # the communes' forms, and those that were suspected because of one of them
        cursor.execute("DROP TABLE IF EXISTS pg_temp.touched_form, pg_temp.touched_key")
        cursor.execute(
            f"""
            CREATE TEMP TABLE touched_form ON COMMIT DROP AS
            SELECT form.id, {hashed} AS hash, {rule.has_key} AS has_key FROM households_collectionform form
            WHERE form.commune_id IN ({_ids(commune_ids)}) OR form.id IN (
                SELECT stored.form_id FROM households_suspectedfault stored
                JOIN households_collectionform other ON other.id = stored.other_id
                WHERE stored.fault = '{rule.fault.value}' AND stored.field = '{rule.field}'
                    AND other.commune_id IN ({_ids(commune_ids)}))
            """
        )
        _note_judged(cursor, rule, "touched_form")
        cursor.execute(
            "CREATE TEMP TABLE touched_key ON COMMIT DROP AS SELECT DISTINCT hash FROM touched_form WHERE has_key"
        )
        cursor.execute("ANALYZE touched_key")
        asked = f" AND {hashed} IN (SELECT hash FROM touched_key)"
    cursor.execute("DROP TABLE IF EXISTS pg_temp.repeated_form")
    cursor.execute(
        f"""
        CREATE TEMP TABLE repeated_form ON COMMIT DROP AS
        SELECT form.id, form.province_id, form.commune_id, {rule.key} AS key, {rule.who} AS who
        FROM households_collectionform form
        WHERE {rule.has_key} AND {hashed} IN (
            SELECT {hashed} FROM households_collectionform form WHERE {rule.has_key}{asked}
            GROUP BY 1 HAVING count(*) > 1)
        """
    )
    _pair(cursor, rule)
    if commune_ids is not None:
        _note_judged(cursor, rule, "repeated_form")


def _find_in_register_for(cursor, form_ids: Collection[int]) -> None:
    """The same for a few forms, found by indexes instead of by reading the register: they, those that were
    suspected because of one of them, and whoever has the same key as one of these now."""
    for rule in faults.REGISTER_RULES:
        cursor.execute("DROP TABLE IF EXISTS pg_temp.known_form, pg_temp.repeated_form")
        cursor.execute(
            f"""
            CREATE TEMP TABLE known_form ON COMMIT DROP AS
            SELECT form.id, form.province_id, form.search_key, form.birth_year, form.birth_month, form.birth_day,
                form.sex, form.pin, form.cmnd, {rule.has_key} AS has_key FROM households_collectionform form
            WHERE form.id IN (
                SELECT unnest(%s::bigint[]) UNION SELECT form_id FROM households_suspectedfault
                WHERE other_id = ANY(%s) AND fault = '{rule.fault.value}' AND field = '{rule.field}')
            """,
            [list(form_ids), list(form_ids)],
        )
        _note_judged(cursor, rule, "known_form")
        cursor.execute("ANALYZE known_form")
        # in a lateral of its own, so that the columns an index expression names can only be those of `form`
        cursor.execute(
            f"""
            CREATE TEMP TABLE repeated_form ON COMMIT DROP AS
            SELECT DISTINCT alike.* FROM (
                SELECT DISTINCT ON (form.province_id, {rule.key}) form.* FROM known_form form WHERE form.has_key
            ) known CROSS JOIN LATERAL (
                SELECT form.id, form.province_id, form.commune_id, {rule.key} AS key, {rule.who} AS who
                FROM households_collectionform form
                WHERE form.province_id = known.province_id AND {rule.has_key} AND {rule.finds.format(FORM_WORDS=FORM_WORDS)}
            ) alike
            """
        )
        _pair(cursor, rule)
        _note_judged(cursor, rule, "repeated_form")
    cursor.execute("ANALYZE judged_form")


def _note_judged(cursor, rule: RegisterRule, table: str) -> None:
    values = [rule.fault.value, rule.field]
    cursor.execute(f"INSERT INTO judged_form SELECT id, %s, %s FROM {table}", values)


def _pair(cursor, rule: RegisterRule) -> None:
    """Each of `repeated_form` with the other form: the first of somebody else with the same key."""
    cursor.execute(
        f"""
        WITH member AS (
            SELECT *, first_value(who) OVER (PARTITION BY province_id, key ORDER BY id) AS first_who FROM repeated_form
        ), paired AS (
            SELECT *, CASE WHEN who <> first_who THEN min(id) OVER of_key
                ELSE min(id) FILTER (WHERE who <> first_who) OVER of_key END AS other_id
            FROM member WINDOW of_key AS (PARTITION BY province_id, key)
        )
        INSERT INTO {FOUND} ({FOUND_COLUMNS})
        SELECT province_id, commune_id, id, '{rule.fault.value}', '{rule.field}', other_id
        FROM paired WHERE other_id IS NOT NULL
        """
    )


def _store(cursor, judged: str) -> tuple[list[int], list[int]]:
    """Make what is stored of the judged forms equal to what was found; the communes of rows removed and stored."""
    cursor.execute(f"ANALYZE {FOUND}")
    cursor.execute(
        f"""
        DELETE FROM households_suspectedfault stored
        WHERE (({judged}) OR (stored.form_id, stored.fault, stored.field) IN (SELECT id, fault, field FROM judged_form))
            AND NOT EXISTS (
                SELECT 1 FROM {FOUND} found WHERE found.form_id = stored.form_id
                    AND found.fault = stored.fault AND found.field = stored.field)
        RETURNING commune_id
        """
    )
    removed = [commune for (commune,) in cursor.fetchall()]
    cursor.execute(
        f"""
        INSERT INTO households_suspectedfault AS stored ({FOUND_COLUMNS})
        SELECT {FOUND_COLUMNS} FROM {FOUND} ORDER BY commune_id, form_id, fault, field
        ON CONFLICT (form_id, fault, field) DO UPDATE
        SET province_id = EXCLUDED.province_id, commune_id = EXCLUDED.commune_id, other_id = EXCLUDED.other_id
        WHERE (stored.province_id, stored.commune_id, stored.other_id)
            IS DISTINCT FROM (EXCLUDED.province_id, EXCLUDED.commune_id, EXCLUDED.other_id)
        RETURNING commune_id
        """
    )
    return removed, [commune for (commune,) in cursor.fetchall()]
