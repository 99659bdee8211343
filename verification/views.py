import re
from dataclasses import dataclass, field
from itertools import groupby
from urllib.parse import urlencode
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from census_verify import clock
from households import faults, suspicions
from households.models import AdministrativeUnit, CollectionForm, Household
from households.permissions import scope_of
from verification import items, permissions, records, services
from verification import own_work as own
from verification import search as searching
from verification import work as work_left
from verification.forms import EntrySheet, Methods, day_typed
from verification.models import PassEvent, Round, RoundForm, VerificationPass
from verification.rules import Refusal
from verification.terms import OUTCOME_KEYS, Approval, Outcome

# Where a row of the entry page shows an item; what it does not show stands with the name.
COLUMNS = {
    **dict.fromkeys(("birth_date", "sex"), 2),
    **dict.fromkeys(("pin", "cmnd"), 3),
    **dict.fromkeys(("ethnicity", "religion", "nationality", "marital_status", "blood_type"), 4),
    **dict.fromkeys(("birth_registration_place", "origin_place"), 5),
    **dict.fromkeys(("residence_place", "present_place"), 6),
}
LAST_COLUMN = 8
ID = re.compile(r"[0-9]{1,18}")


@dataclass
class Person:
    """A row of the entry page: the form, its place in the round, what is suspected, what was typed."""

    number: int
    form: CollectionForm
    row: RoundForm | None
    round: Round
    suspected: dict[str, list[str]] = field(default_factory=dict)
    entry: object = None
    corrections: list = field(default_factory=list)
    problem: Refusal | None = None
    returned: PassEvent | None = None

    @property
    def faults(self) -> list[tuple[int, int, str]]:
        """What is suspected, under the column it concerns: (column, columns to the right, sentence)."""
        found = []
        for item, reasons in self.suspected.items():
            column = COLUMNS.get(item, 1)
            found.append((column, LAST_COLUMN - column, f"{items.ITEMS[item].label}: {'; '.join(reasons)}"))
        return sorted(found)

    @property
    def items(self) -> list[tuple[str, str, str]]:
        """Every item a correction may name, with what the form says: (name, label, readable value)."""
        return [
            (item.name, item.label, items.readable(item.name, items.value_of(self.form, item.name)))
            for item in items.ITEMS.values()
        ]

    @property
    def is_asked(self) -> bool:
        """Enter records this person: in the round, and it is her turn."""
        return bool(self.row) and self.row.is_due(self.round, clock.today())


@require_GET
def work(request: HttpRequest) -> HttpResponse:
    """To the first household whose turn it is, in the communes where the officer records."""
    for unit in scope_of(request.user).person_units:
        if permissions.can_record_in(request.user, unit.pk):
            household = work_left.next_household(_current_round(), unit.pk, today=clock.today())
            if household:
                return redirect("verification:household_verify", household.pk)
    return redirect("reports:home")


@require_GET
def unit_work(request: HttpRequest, pk: int) -> HttpResponse:
    """To the first household whose turn it is in a commune or hamlet; `?after=` skips the households up to one."""
    unit = _unit_of_persons(request, pk)
    hamlet = unit if unit.level == AdministrativeUnit.Level.HAMLET else None
    commune_id = unit.parent_id if hamlet else unit.pk
    skipped = request.GET.get("after", "")
    after = work_left.place_of(request.user, int(skipped)) if ID.fullmatch(skipped) else None
    household = work_left.next_household(_current_round(), commune_id, today=clock.today(), hamlet=hamlet, after=after)
    if household:
        return redirect("verification:household_verify", household.pk)
    return redirect("reports:unit_detail", unit.pk)


@require_GET
def own_work(request: HttpRequest) -> HttpResponse:
    """What the officer herself recorded today, or on the day of `?day=`."""
    if not scope_of(request.user).can_record:
        raise Http404("nothing is recorded by this officer")
    round, today, typed = _current_round(), clock.today(), request.GET.get("day", "").strip()
    asked = day_typed(typed) if typed else today
    is_of_round = asked is not None and round.starts_on <= asked <= today
    day = asked if is_of_round else today
    lines, next_key = own.page_of(request.user, day, request.GET.get("after", ""))
    before, after = own.days_beside(request.user, day)
    context = {
        "round": round,
        "day": day,
        "today": today,
        "unknown_day": "" if is_of_round or not typed else typed[:20],
        "totals": own.totals_of(request.user, day),
        "lines": lines,
        "next_key": next_key,
        "is_first_page": "after" not in request.GET,
        "day_before": before,
        "day_after": after,
    }
    return render(request, "verification/own_work.html", context)


@require_GET
def form_list(request: HttpRequest, pk: int) -> HttpResponse:
    """The records behind the figures of a commune or hamlet."""
    unit, round = _unit_of_persons(request, pk), _current_round()
    state, fault = _state(request), _fault(request)
    forms, next_key = records.page_after(unit, round, state, request.GET.get("after", ""), fault=fault)
    context = {
        "unit": unit,
        "round": round,
        "state": state,
        "state_label": dict([*records.State.choices, *Outcome.choices])[state],
        "fault": fault,
        "fault_label": faults.Fault(fault).label if fault else "",
        "states": [
            *((value, label) for value, label in records.State.choices if value == state or value not in records.PARTS),
            *((o.value, o.label) for o in Outcome if o == state and o not in records.State.values),
        ],
        "forms": forms,
        "next_key": next_key,
        "is_first_page": "after" not in request.GET,
    }
    return render(request, "verification/form_list.html", context)


@require_GET
def form_print(request: HttpRequest, pk: int) -> HttpResponse:
    """The same records as a list to print and take along, a hamlet after the other."""
    unit, round = _unit_of_persons(request, pk), _current_round()
    state, fault = _state(request), _fault(request)
    forms = records.forms_of(unit, round, state, fault)
    label = dict([*records.State.choices, *Outcome.choices])[state]
    context = {
        "unit": unit,
        "round": round,
        "state_label": f"{label}; {faults.Fault(fault).label}" if fault else label,
    }
    hamlets = [(hamlet, list(rows)) for hamlet, rows in groupby(forms, key=lambda form: form.hamlet)]
    context |= {"hamlets": hamlets, "count": sum(len(rows) for _, rows in hamlets), "printed_at": clock.now()}
    context["outcomes"] = [(OUTCOME_KEYS[o], o.label) for o in Outcome]
    return render(request, "verification/form_print.html", context)


@require_http_methods(["GET", "POST"])
def household_verify(request: HttpRequest, pk: int) -> HttpResponse:
    """The entry page: one household, one submission. GET shows it, POST records it and goes to the next."""
    if request.method == "POST" and "more" not in request.POST:
        return _record(request, pk)
    household, round = _household(request, pk), _current_round()
    persons = _persons(household, round)
    asked = [p.form.pk for p in persons if p.row]
    if request.method == "POST":  # without scripts: the page again, with a line more to correct
        sheet = EntrySheet(asked, data=request.POST)
    else:
        sheet = EntrySheet(asked, initial=_initial(persons, request.GET.get("methods", "")))
    return _entry_page(request, household, round, persons, sheet, sought=request.GET.get("person", ""))


def _record(request: HttpRequest, pk: int) -> HttpResponse:
    place = work_left.place_of(request.user, pk)
    if place is None:
        raise Http404
    round = _current_round()
    try:
        sheet = EntrySheet.sent(request.POST).cleaned()
        recorded = services.record_results(round=round, household_id=pk, by=request.user, **sheet)
    except Refusal as refusal:
        household = _household(request, pk)
        persons = _persons(household, round)
        sheet = EntrySheet([p.form.pk for p in persons if p.row], data=request.POST)
        return _entry_page(request, household, round, persons, sheet, refusal)
    return _to_next(place, round, recorded.passes[0], request.POST.get("methods", ""))


def _household(request: HttpRequest, pk: int) -> Household:
    household = work_left.household_of(request.user, pk)
    if household is None:
        raise Http404
    return household


@require_GET
def search(request: HttpRequest) -> HttpResponse:
    """Persons by name, date, number or place. As a page; or, asked for by htmx, as the panel under the field."""
    if not scope_of(request.user).person_units:
        raise Http404("figures only, no persons")
    typed = request.GET.get("q", "").strip()
    query = searching.parse(typed, this_year=clock.today().year)
    limit = searching.PANEL if request.htmx else searching.PAGE
    found = searching.find(query, request.user, Round.objects.current(), at_most=limit)
    context = {"typed": typed[: searching.MAX_TYPED], "query": query, "found": found}
    units = scope_of(request.user).person_units
    context["is_one_commune"] = len(units) == 1 and units[0].level == AdministrativeUnit.Level.COMMUNE
    return render(request, "verification/_search_panel.html" if request.htmx else "verification/search.html", context)


@require_POST
def submission_undo(request: HttpRequest, submission: UUID) -> HttpResponse:
    """Undo what one submission recorded, and open its household again."""
    passes = VerificationPass.objects.visible_to(request.user).filter(submission=submission)
    first = passes.select_related("form").first()
    if first is None:
        raise Http404
    try:
        services.undo_submission(submission=submission, by=request.user)
    except Refusal as refusal:
        return render(
            request, "409.html", {"refusal": refusal, "household_id": first.form.household_id}, status=refusal.status
        )
    return redirect(f"{reverse('verification:household_verify', args=[first.form.household_id])}?undone=1")


def _unit_of_persons(request: HttpRequest, pk: int) -> AdministrativeUnit:
    """A commune or hamlet whose persons the officer may see."""
    units = AdministrativeUnit.objects.select_related("parent__parent")
    unit = get_object_or_404(units.filter(scope_of(request.user).persons_filter_of_units()), pk=pk)
    if unit.level < AdministrativeUnit.Level.COMMUNE:
        raise Http404
    return unit


def _state(request: HttpRequest) -> str:
    state = request.GET.get("state", records.State.OPEN)
    return state if state in records.State.values or state in Outcome.values else records.State.OPEN


def _fault(request: HttpRequest) -> str:
    fault = request.GET.get("fault", "")
    return fault if fault in faults.Fault.values else ""


def _current_round() -> Round:
    round = Round.objects.current()
    if round is None:
        raise Http404("no round was opened yet")
    return round


def _persons(household: Household, round: Round) -> list[Person]:
    rows = RoundForm.objects.in_round(round).filter(household=household).select_related("standing_pass__officer")
    row_of = {row.form_id: row for row in rows}
    forms = list(household.forms.order_by("line", "pk"))
    persons = [Person(number, form, row_of.get(form.pk), round) for number, form in enumerate(forms, start=1)]
    for event in _returns([p.row.standing_pass_id for p in persons if p.row and p.row.approval == Approval.RETURNED]):
        next(p for p in persons if p.form.pk == event.verification_pass.form_id).returned = event
    return persons


def _returns(pass_ids: list[int]) -> list[PassEvent]:
    """Why the district returned these passes, the last word last."""
    events = PassEvent.objects.filter(verification_pass__in=pass_ids, kind=PassEvent.Kind.RETURNED)
    return list(events.select_related("verification_pass").order_by("pk")) if pass_ids else []


def _initial(persons: list[Person], methods: str) -> dict:
    """Nothing recorded yet: matched is proposed, so that Enter alone is enough. What the district
    returned is proposed to nobody: the officer has to read why."""
    initial: dict = {"methods": methods if methods in dict(Methods.CHOICES) else Methods.BOTH}
    for person in persons:
        if person.row:
            standing = person.row.standing_pass_id
            initial[person.form.pk] = {
                "outcome": Outcome.MATCHED if person.is_asked and not person.returned else "",
                "expected_pass": standing or "",
            }
    return initial


def _entry_page(
    request, household, round, persons, sheet, refusal: Refusal | None = None, sought: str = ""
) -> HttpResponse:
    reasons = suspicions.reasons([person.form for person in persons], scope_of(request.user))
    for person in persons:
        person.suspected = reasons[person.form.pk]
        if person.row:
            person.entry = sheet.person(person.form.pk)
            person.corrections = sheet.corrections(person.form.pk)
        if refusal and refusal.form_id == person.form.pk:
            person.problem = refusal
    today = clock.today()
    hamlets = work_left.hamlets_with_open(round, household.commune_id)
    context = {
        "household": household,
        "province": household.commune.parent.parent,
        "round": round,
        "persons": persons,
        "sheet": sheet,
        "refusal": refusal,
        "hamlets": hamlets,
        "open_households": sum(h.open_households for h in hamlets),
        "pace": work_left.pace(round, household.commune_id, today=today),
        "outcomes": [(o.value, o.label, OUTCOME_KEYS[o]) for o in Outcome],
        "can_record": permissions.can_record_in(request.user, household.commune_id) and round.status == "open",
        "saved": work_left.saved_by(request.user, request.GET.get("saved", "")),
        "undone": "undone" in request.GET,
        "current": _current(persons, sought),
        "sought": sought,
        "marital_statuses": CollectionForm.MaritalStatus.choices[1:],
        "anybody_asked": any(p.is_asked for p in persons),
    }
    return render(request, "verification/household_verify.html", context, status=refusal.status if refusal else 200)


def _current(persons: list[Person], sought: str) -> int:
    """The person the keys act on at first: the one refused, the one searched for, else the first whose turn it is."""
    refused = [p.number for p in persons if p.problem]
    found = [p.number for p in persons if str(p.form.pk) == sought]
    asked = [p.number for p in persons if p.is_asked]
    return next(iter([*refused, *found, *asked]), 1)


def _to_next(place: work_left.Place, round: Round, recorded: VerificationPass, methods: str) -> HttpResponse:
    following = work_left.next_household(round, place.commune_id, today=clock.today(), after=place)
    query = urlencode({"saved": recorded.submission, "methods": methods})
    if following is None:
        return redirect(f"{reverse('reports:unit_detail', args=[place.commune_id])}?{query}")
    return redirect(f"{reverse('verification:household_verify', args=[following.pk])}?{query}")
