"""The records behind a figure: the forms of a commune or hamlet by where they stand."""

import re

from django.db.models import Exists, F, FilteredRelation, OuterRef, Q, QuerySet, Subquery, TextChoices, Value
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from households.models import AdministrativeUnit, CollectionForm, SuspectedFault
from verification.models import Round
from verification.terms import Outcome

PAGE = 100
KEY = re.compile(r"[0-9A-Z-]{1,16}~[0-9]{1,9}~[0-9]{1,4}~[0-9]{1,18}")
WALKING_ORDER = ("hamlet__code", "household__sequence", "line", "pk")


class State(TextChoices):
    ALL = "all", _("all forms")
    OPEN = "open", _("not verified yet")
    LEFT = "left", _("left of the plan")
    NOT_MET = "not_met", _("to be visited again")
    PENDING = "pending", _("waiting for approval")
    RETURNED = "returned", _("returned")
    VERIFIED = "verified", _("verified")
    REFUSED = "refused", _("refused at scanning")


def state_filter(state: str, round: Round, *, unit: AdministrativeUnit) -> Q:
    """`state` is a State or an outcome. The figures of the roll-up count exactly these forms, but for what is
    left of a plan that was adjusted: the adjustment is a number and has no forms."""
    # "is" is asked of the column, whose values the planner knows; "is not" of what stands in its place, never
    # NULL, since asked of the column it takes a second look at each form
    counted, not_counted = round.verified_q("result__"), ~round.verified_q()
    # a hamlet has no plan: what is left of it is of all its collected forms
    has_plan = unit.level <= AdministrativeUnit.Level.COMMUNE
    in_plan = Q(collected_on__lte=round.collected_until) if has_plan else Q()
    filters = {
        State.ALL: Q(),
        State.OPEN: Q(result__isnull=False) & not_counted,
        # what the plan still lacks: the open ones, and those that must be collected again first
        State.LEFT: not_counted & in_plan,
        State.NOT_MET: Q(result__outcome=Outcome.NOT_MET),
        State.PENDING: Q(result__approval="pending"),
        State.RETURNED: Q(result__approval="returned"),
        State.VERIFIED: counted,
        State.REFUSED: Q(qualification=CollectionForm.Qualification.REFUSED),
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
    return (
        forms_in(unit, round, state, fault)
        .annotate(
            counted_on=F("result__counted_on"),
            next_visit_on=F("result__next_visit_on"),
            officer_name=F("result__standing_pass__officer__full_name"),
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


def page_after(forms: QuerySet[CollectionForm], key: str) -> tuple[list[CollectionForm], str]:
    """One page of `forms` behind `key`, and the key of its last row ("" on the last page).

    By key, not by offset, so page fifty costs what the first one costs.
    """
    if KEY.fullmatch(key):
        hamlet, *numbers = key.split("~")
        sequence, line, pk = map(int, numbers)
        forms = forms.filter(
            Q(hamlet__code__gt=hamlet)
            | Q(hamlet__code=hamlet, household__sequence__gt=sequence)
            | Q(hamlet__code=hamlet, household__sequence=sequence, line__gt=line)
            | Q(hamlet__code=hamlet, household__sequence=sequence, line=line, pk__gt=pk)
        )
    rows = list(forms[: PAGE + 1])
    if len(rows) <= PAGE:
        return rows, ""
    last = rows[PAGE - 1]
    return rows[:PAGE], f"{last.hamlet_code}~{last.sequence}~{last.line}~{last.pk}"


def masked(number: str) -> str:
    """A number in a list shows its last three digits only (domain.md section 11)."""
    return "•" * (len(number) - 3) + number[-3:] if len(number) > 3 else number
