"""The records behind a figure: the forms of a commune or hamlet by where they stand."""

import re

from django.db import connection
from django.db.models import Exists, F, FilteredRelation, OuterRef, Q, QuerySet, Subquery, TextChoices, Value
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from census_verify import clock
from households.models import AdministrativeUnit, CollectionForm, SuspectedFault
from verification import waiting
from verification.models import NewPerson, Round
from verification.terms import REMOVALS, WITH_CORRECTIONS, Approval, Outcome

PAGE = 100
KEY = re.compile(r"[0-9A-Z-]{1,16}~[0-9]{1,9}~[0-9]{1,4}~[0-9]{1,18}")
# What a line of the list shows; a form has fifty columns more.
SHOWN = (
    *("full_name", "birth_year", "birth_month", "birth_day", "sex", "pin", "line", "refusal_reason", "household_id"),
    *("household__book_number", "household__address", "hamlet__name", "hamlet__type", "hamlet__level"),
)
WALKING_ORDER = ("hamlet__code", "household__sequence", "line", "pk")


class State(TextChoices):
    ALL = "all", _("all forms")
    OPEN = "open", _("not verified yet")
    UNTOUCHED = "untouched", _("not checked even once")
    LEFT = "left", _("left of the plan")
    NOT_MET = "not_met", _("to be visited again")
    DUE = "due", _("to be visited again, the day has come")
    LATER = "later", _("to be visited again later")
    PENDING = "pending", _("waiting for approval")
    RETURNED = "returned", _("returned")
    VERIFIED = "verified", _("verified")
    REFUSED = "refused", _("refused at scanning")
    NEW_PEOPLE = "new_people", _("new people, outside the plan")
    FOUND = "found", _("corrected or supplemented")
    REMOVALS = "removals", _("proposed for removal")


# Parts of another state, and outcomes put together: lists of their own, without a tab on every list.
PARTS = (State.UNTOUCHED, State.DUE, State.LATER, State.FOUND, State.REMOVALS)


def state_filter(state: str, round: Round, *, unit: AdministrativeUnit) -> Q:
    """`state` is a State or an outcome. The figures of the roll-up count exactly these forms, but for what is
    left of a plan that was adjusted: the adjustment is a number and has no forms."""
    # "is" is asked of the column, whose values the planner knows; "is not" of what stands in its place, never
    # NULL, since asked of the column it takes a second look at each form
    counted, not_counted = round.verified_q("result__"), ~round.verified_q()
    # a hamlet has no plan: what is left of it is of all its collected forms
    has_plan = unit.level <= AdministrativeUnit.Level.COMMUNE
    in_plan = Q(collected_on__lte=round.collected_until) if has_plan else Q()
    is_new = Exists(NewPerson.objects.filter(round=round, form=OuterRef("pk")))
    not_met, today = Q(result__outcome=Outcome.NOT_MET), clock.today()
    filters = {
        State.ALL: Q(),
        State.OPEN: Q(result__isnull=False) & not_counted,
        # what the plan still lacks: the open ones, and those that must be collected again first
        State.LEFT: not_counted & in_plan & ~is_new,
        State.UNTOUCHED: Q(result__outcome=""),
        State.NOT_MET: not_met,
        State.DUE: not_met & Q(result__next_visit_on__lte=today),
        State.LATER: not_met & Q(result__next_visit_on__gt=today),
        State.PENDING: Q(result__approval="pending"),
        State.RETURNED: Q(result__approval="returned"),
        State.VERIFIED: counted,
        State.REFUSED: Q(qualification=CollectionForm.Qualification.REFUSED),
        State.NEW_PEOPLE: Q(is_new),
        State.FOUND: Q(result__outcome__in=WITH_CORRECTIONS),
        State.REMOVALS: Q(result__outcome__in=REMOVALS),
    }
    return filters[state] if state in filters else Q(result__outcome=state)


def forms_in(
    unit: AdministrativeUnit, round: Round, state: str, fault: str = "", *, read_whole: bool = False
) -> QuerySet[CollectionForm]:
    """Forms of a unit by where they stand, each with its `result` in the round, `outcome` and `approval`; with
    `fault` only those suspected of it.

    `read_whole`: every row will be read, so the results are best joined commune by commune; the first
    hundred of a page are quicker found form by form.
    """
    of_unit = {
        AdministrativeUnit.Level.HAMLET: Q(hamlet=unit, commune=unit.parent_id),
        AdministrativeUnit.Level.COMMUNE: Q(commune=unit) & _hamlets_of(unit),
    }.get(unit.level, Q(commune__path__startswith=unit.path))
    suspected = Q()
    if fault:
        suspected = Q(
            Exists(SuspectedFault.objects.filter(commune=OuterRef("commune"), fault=fault, form=OuterRef("pk")))
        )
    in_round = Q(round_forms__round=round)
    if read_whole:
        in_round &= Q(round_forms__commune=F("commune"))
    return (
        CollectionForm.objects.filter(of_unit, suspected)
        .annotate(result=FilteredRelation("round_forms", condition=in_round))
        .annotate(outcome=_or_blank("result__outcome"), approval=_or_blank("result__approval"))
        .filter(state_filter(state, round, unit=unit))
    )


def _or_blank(field: str) -> Coalesce:
    """Never NULL, so that "not verified" also holds of a form outside the round."""
    return Coalesce(field, Value(""))


def forms_of(unit: AdministrativeUnit, round: Round, state: str, fault: str = "") -> QuerySet[CollectionForm]:
    """`forms_in` in walking order, with what a list shows of each."""
    found_in_round = NewPerson.objects.filter(round=round, form=OuterRef("pk"))
    return (
        forms_in(unit, round, state, fault)
        .annotate(
            counted_on=F("result__counted_on"),
            standing_pass=F("result__standing_pass"),
            next_visit_on=F("result__next_visit_on"),
            officer_name=Coalesce(
                F("result__standing_pass__officer__full_name"),
                Subquery(found_in_round.values("officer__full_name")),
            ),
            is_new=Exists(found_in_round),
            hamlet_code=F("hamlet__code"),
            sequence=F("household__sequence"),
        )
        .select_related("household", "hamlet")
        .order_by(*WALKING_ORDER)
    )


def _hamlets_of(commune: AdministrativeUnit) -> Q:
    """The stretch of codes its hamlets lie in. Without it a list in the order of codes is read through
    every unit of the country, however small the commune."""
    first, last = (Subquery(commune.children.order_by(order).values("code")[:1]) for order in ("code", "-code"))
    return Q(hamlet__code__gte=first, hamlet__code__lte=last)


# The same states for `_ids_of_page`; a test holds them and `state_filter` together.
COUNTED = """(result.outcome = ANY(%(counting)s)
    AND (result.outcome <> ALL(%(removals)s) OR result.approval IN ('', 'approved')))"""
IS_NEW = """EXISTS (
    SELECT FROM verification_newperson found WHERE found.form_id = form.id AND found.round_id = %(round)s)"""
STATES_SQL = {
    State.ALL: "true",
    State.OPEN: f"result.id IS NOT NULL AND NOT {COUNTED}",
    State.LEFT: f"{COUNTED} IS NOT TRUE AND NOT {IS_NEW}"
    " AND (%(in_plan)s::date IS NULL OR form.collected_on <= %(in_plan)s)",
    State.UNTOUCHED: "result.outcome = ''",
    State.NOT_MET: "result.outcome = 'not_met'",
    State.DUE: "result.outcome = 'not_met' AND result.next_visit_on <= %(today)s",
    State.LATER: "result.outcome = 'not_met' AND result.next_visit_on > %(today)s",
    State.PENDING: "result.approval = 'pending'",
    State.RETURNED: "result.approval = 'returned'",
    State.VERIFIED: COUNTED,
    State.REFUSED: "form.qualification = 'refused'",
    State.NEW_PEOPLE: IS_NEW,
    State.FOUND: "result.outcome IN ('corrected', 'supplemented')",
    State.REMOVALS: "result.outcome = ANY(%(removals)s)",
    **{outcome: f"result.outcome = '{outcome}'" for outcome in Outcome if outcome != Outcome.NOT_MET},
}
# States that most forms are in are found by walking the households until a page is full; of the others the
# households are picked out first. (What is left is partly not in the round, so it is walked for too.)
WALKED = {State.ALL, State.LEFT, State.VERIFIED, Outcome.MATCHED}
PICKED_HOMES = """
    WITH picked AS MATERIALIZED (
        SELECT DISTINCT result.household_id FROM verification_roundform result
        WHERE result.round_id = %(round)s AND result.commune_id = %(commune)s AND {state})"""
PICKED_HOMES_OF_FORMS = """
    WITH picked AS MATERIALIZED (
        SELECT DISTINCT form.household_id FROM households_collectionform form
        WHERE form.commune_id = %(commune)s AND {state})"""
PICKED_HOMES_OF_NEW_PEOPLE = """
    WITH picked AS MATERIALIZED (
        SELECT DISTINCT household_id FROM verification_newperson
        WHERE round_id = %(round)s AND commune_id = %(commune)s AND form_id IS NOT NULL)"""
OF_FAULT = """ AND EXISTS (
    SELECT FROM households_suspectedfault suspected
    WHERE suspected.commune_id = %(commune)s AND suspected.fault = %(fault)s AND suspected.form_id = form.id)"""
PICKED_HOMES_BY = {State.REFUSED: PICKED_HOMES_OF_FORMS, State.NEW_PEOPLE: PICKED_HOMES_OF_NEW_PEOPLE}
# Hamlet by hamlet, each in the order of its index and no further than a page: what comes behind is never read.
PAGE_IDS = """
    SELECT page.id FROM (
        SELECT id, code FROM households_administrativeunit
        WHERE parent_id = %(commune)s AND (%(hamlet)s::bigint IS NULL OR id = %(hamlet)s) AND code >= %(after_code)s
        ORDER BY code
    ) hamlet CROSS JOIN LATERAL (
        SELECT form.id, home.sequence, form.line FROM households_household home
        JOIN households_collectionform form ON form.household_id = home.id
        LEFT JOIN verification_roundform result ON result.form_id = form.id AND result.round_id = %(round)s
        WHERE home.commune_id = %(commune)s AND home.hamlet_id = hamlet.id AND {state} {only_picked}
            AND (hamlet.code > %(after_code)s OR home.sequence >= %(after_sequence)s)
            AND (hamlet.code > %(after_code)s OR (home.sequence, form.line, form.id)
                > (%(after_sequence)s, %(after_line)s, %(after_id)s))
        ORDER BY home.sequence, form.line, form.id LIMIT %(rows)s
    ) page ORDER BY hamlet.code, page.sequence, page.line, page.id LIMIT %(rows)s"""


def _ids_of_page(unit: AdministrativeUnit, round: Round, state: str, fault: str, after: tuple) -> list[int]:
    """The forms of one page and of the row behind it, in walking order."""
    is_hamlet = unit.level == AdministrativeUnit.Level.HAMLET
    code, sequence, line, pk = after
    condition = STATES_SQL[state] + (OF_FAULT if fault else "")
    sql = PAGE_IDS.format(state=condition, only_picked="")
    if state not in WALKED:
        only_picked = "AND home.id IN (SELECT household_id FROM picked)"
        picked = PICKED_HOMES_BY.get(state, PICKED_HOMES)
        sql = picked.format(state=STATES_SQL[state]) + PAGE_IDS.format(state=condition, only_picked=only_picked)
    values = {
        "round": round.pk,
        "commune": unit.parent_id if is_hamlet else unit.pk,
        "hamlet": unit.pk if is_hamlet else None,
        "counting": list(round.counting_outcomes),
        "removals": [outcome.value for outcome in REMOVALS],
        "fault": fault,
        "today": clock.today(),
        "in_plan": None if is_hamlet else round.collected_until,
        "after_code": code,
        "after_sequence": sequence,
        "after_line": line,
        "after_id": pk,
        "rows": PAGE + 1,
    }
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return [pk for (pk,) in cursor.fetchall()]


def page_after(
    unit: AdministrativeUnit, round: Round, state: str, key: str, *, fault: str = ""
) -> tuple[list[CollectionForm], str]:
    """One page of a commune's or hamlet's forms behind `key`, and the key of its last row ("" on the last page).
    Each has `returned`, the event that says why, where the district returned it.

    By key, not by offset, so page fifty costs what the first one costs.
    """
    after = ("", 0, 0, 0)
    if KEY.fullmatch(key):
        hamlet, *numbers = key.split("~")
        after = (hamlet, *map(int, numbers))
    ids = _ids_of_page(unit, round, state, fault, after)
    row_of = {form.pk: form for form in forms_of(unit, round, State.ALL).filter(pk__in=ids[:PAGE]).only(*SHOWN)}
    rows = [row_of[pk] for pk in ids if pk in row_of]
    returns = waiting.returns_of([row.standing_pass for row in rows if row.approval == Approval.RETURNED])
    for row in rows:
        row.returned = returns.get(row.standing_pass)
    if len(ids) <= PAGE:
        return rows, ""
    last = rows[-1]
    return rows, f"{last.hamlet_code}~{last.sequence}~{last.line}~{last.pk}"


def masked(number: str) -> str:
    """A number in a list shows its last three digits only (domain.md section 11)."""
    return "•" * (len(number) - 3) + number[-3:] if len(number) > 3 else number
