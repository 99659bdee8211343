"""The entry page: one household on one screen, the page that this program exists for."""

import re
from dataclasses import dataclass, field
from urllib.parse import urlencode
from uuid import UUID

from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.text import capfirst
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from census_verify import clock
from households import suspicions
from households.models import AdministrativeUnit, CollectionForm, Household
from households.permissions import scope_of
from verification import approvals, cross_checks, history, items, permissions, services, twins, waiting
from verification import work as work_left
from verification.entry_rows import Rows
from verification.forms import BROKEN, BROKEN_SENTENCE, EntrySheet, Methods
from verification.models import PassEvent, Round, RoundForm, VerificationPass
from verification.rules import Doubt, Doubtful, InvalidEntry, Refusal, proposed_visit
from verification.terms import OUTCOME_KEYS, SHORT_LABELS, Approval, Outcome
from verification.views import current_round, unit_of_persons

ID = re.compile(r"[0-9]{1,18}")
ORDER_COOKIE = "entry_order"
A_YEAR = 365 * 24 * 60 * 60


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
    doubts: list[Doubt] = field(default_factory=list)
    returned: PassEvent | None = None
    chains: list[history.Chain] = field(default_factory=list)  # of the items that were ever corrected

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

    @property
    def asks(self) -> bool:
        """Her outcome's own fields are on the page; until one is chosen they are a template of the page."""
        return (
            bool(self.entry)
            and self.entry.is_bound
            and self.entry["outcome"].value() not in (None, "", Outcome.MATCHED)
        )


@require_GET
def work(request: HttpRequest) -> HttpResponse:
    """To the first household whose turn it is, in the communes where the officer records."""
    for unit in scope_of(request.user).person_units:
        if permissions.can_record_in(request.user, unit.pk):
            household = work_left.next_household(current_round(), unit.pk, today=clock.today(), order=_order(request))
            if household:
                return redirect("verification:household_verify", household.pk)
    return redirect("reports:home")


@require_GET
def unit_work(request: HttpRequest, pk: int) -> HttpResponse:
    """To the first household whose turn it is in a commune or hamlet; `?after=` skips the households up to one."""
    unit = unit_of_persons(request, pk)
    hamlet = unit if unit.level == AdministrativeUnit.Level.HAMLET else None
    commune_id = unit.parent_id if hamlet else unit.pk
    skipped = request.GET.get("after", "")
    after = work_left.place_of(request.user, int(skipped)) if ID.fullmatch(skipped) else None
    household = work_left.next_household(
        current_round(), commune_id, today=clock.today(), hamlet=hamlet, after=after, order=_order(request)
    )
    if household:
        return redirect("verification:household_verify", household.pk)
    return redirect("reports:unit_detail", unit.pk)


@require_http_methods(["GET", "POST"])
def household_verify(request: HttpRequest, pk: int) -> HttpResponse:
    """One household, one submission. GET shows it, POST records it and goes to the next."""
    if request.method == "POST" and "more" not in request.POST:
        return _record(request, pk)
    household, round = _household(request, pk), current_round()
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
    round = current_round()
    try:
        sheet = EntrySheet.sent(request.POST).cleaned()
        recorded = _recorded(pk, round, request, sheet)
    except Refusal as refusal:
        household = _household(request, pk)
        persons = _persons(household, round)
        sheet = EntrySheet([p.form.pk for p in persons if p.row], data=request.POST)
        return _entry_page(request, household, round, persons, sheet, refusal)
    address = _next_address(request, place, round, recorded.passes[0])
    # The page's script waits for the answer and goes there itself; a browser without it is sent there.
    return JsonResponse({"next": address}) if "X-Entry" in request.headers else redirect(address)


def _recorded(pk: int, round: Round, request: HttpRequest, sheet: dict) -> services.Recorded:
    if not any(entry.corrections for entry in sheet["entries"]):
        return services.record_results(round=round, household_id=pk, by=request.user, **sheet)
    forms = cross_checks.forms_of(pk)
    with transaction.atomic():  # a doubt takes back what was written; what is plainly wrong was told before it
        recorded = services.record_results(round=round, household_id=pk, by=request.user, **sheet)
        if not recorded.replayed:
            cross_checks.require_seen(forms, sheet["entries"], seen=request.POST.get("seen", "").split())
    return recorded


@require_POST
def unit_order(request: HttpRequest, pk: int) -> HttpResponse:
    """In which order the officer walks; kept in her browser."""
    unit = unit_of_persons(request, pk)
    order = request.POST.get("order", "")
    answer = redirect("verification:unit_work", unit.pk)
    if order in work_left.Order.values:
        answer.set_cookie(
            ORDER_COOKIE, order, max_age=A_YEAR, httponly=True, samesite="Lax", secure=request.is_secure()
        )
    return answer


@require_GET
def twin_list(request: HttpRequest, pk: int) -> HttpResponse:
    """Forms that may be the same person's as this one, side by side; `?q=` searches for others."""
    form = get_object_or_404(CollectionForm.objects.visible_to(request.user).select_related("household"), pk=pk)
    typed = request.GET.get("q", "").strip()[:200]
    found = twins.of(form, request.user, current_round(), typed)
    context = {"form": form, "typed": typed, "found": found, "lines": twins.side_by_side(form, found)}
    is_part = "X-Entry" in request.headers
    return render(request, "verification/_twins.html" if is_part else "verification/twins.html", context)


@require_POST
def household_reopen(request: HttpRequest, pk: int) -> HttpResponse:
    """Take results of a household off again, so that they are verified anew."""
    household, round = _household(request, pk), current_round()
    ids = [int(value) for value in request.POST.getlist("pass") if value.isdecimal() and len(value) < 19]
    reason = request.POST.get("reason", "")
    try:
        if any(sign in reason for sign in BROKEN):
            raise InvalidEntry(str(BROKEN_SENTENCE), field="reason")
        of_household = VerificationPass.objects.filter(round=round, pk__in=ids, form__household=household)
        approvals.reopen(
            round=round, pass_ids=of_household.values_list("pk", flat=True), by=request.user, reason=reason
        )
    except Refusal as refusal:
        return render(request, "409.html", {"refusal": refusal, "household_id": pk}, status=refusal.status)
    return redirect(f"{reverse('verification:household_verify', args=[pk])}?reopened=1")


@require_POST
def submission_undo(request: HttpRequest, submission: UUID) -> HttpResponse:
    """Undo what one submission recorded, and open its household, or its sheet, again."""
    passes = VerificationPass.objects.visible_to(request.user).filter(submission=submission)
    first = passes.select_related("form").first()
    if first is None:
        raise Http404
    of_sheet = {"sheet_id": first.sheet_id, "household_id": None if first.sheet_id else first.form.household_id}
    try:
        services.undo_submission(submission=submission, by=request.user)
    except Refusal as refusal:
        return render(request, "409.html", {"refusal": refusal, **of_sheet}, status=refusal.status)
    if first.sheet_id:
        return redirect(f"{reverse('verification:sheet_detail', args=[first.sheet_id])}?undone=1")
    return redirect(f"{reverse('verification:household_verify', args=[first.form.household_id])}?undone=1")


def _household(request: HttpRequest, pk: int) -> Household:
    household = work_left.household_of(request.user, pk)
    if household is None:
        raise Http404
    return household


def _persons(household: Household, round: Round) -> list[Person]:
    rows = RoundForm.objects.in_round(round).filter(household=household).select_related("standing_pass__officer")
    row_of = {row.form_id: row for row in rows}
    forms = list(household.forms.select_related("new_person").order_by("line", "pk"))
    persons = [Person(number, form, row_of.get(form.pk), round) for number, form in enumerate(forms, start=1)]
    came_back = [p.row.standing_pass_id for p in persons if p.row and p.row.approval == Approval.RETURNED]
    event_of = waiting.returns_of(came_back)
    chains_of, reopened = history.to_tell(forms)
    for person in persons:
        person.returned = event_of.get(person.row and person.row.standing_pass_id)
        if person.row and person.row.standing_pass_id is None:
            person.returned = reopened.get(person.form.pk)
        person.chains = list(chains_of.get(person.form.pk, {}).values())
    return persons


def _to_reopen(request: HttpRequest, household: Household, round: Round, persons: list[Person]) -> list[Person]:
    """Whose results she may take off again: those that stand and do not wait for her decision."""
    if round.status != Round.Status.OPEN or not permissions.can_decide_in(request.user, household.commune, round):
        return []
    return [p for p in persons if p.row and p.row.standing_pass_id and p.row.approval != Approval.PENDING]


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
            if person.asks:
                person.corrections = sheet.corrections(person.form.pk)
        if isinstance(refusal, Doubtful):
            person.doubts = [doubt for doubt in refusal.doubts if doubt.form_id == person.form.pk]
        elif refusal and refusal.form_id == person.form.pk:
            person.problem = refusal
    today = clock.today()
    hamlets = work_left.hamlets_with_open(round, household.commune_id)
    can_record = permissions.can_record_in(request.user, household.commune_id) and round.status == "open"
    words = [(o.value, capfirst(SHORT_LABELS[o]), o.label, OUTCOME_KEYS[o]) for o in Outcome]
    context = {
        "household": household,
        "round": round,
        "persons": persons,
        "rows": Rows(household, [(value, word, key) for value, word, _label, key in words], can_record=can_record),
        "sheet": sheet,
        "blank": EntrySheet([]),
        "refusal": refusal,
        "hamlets": hamlets,
        "open_households": sum(h.open_households for h in hamlets),
        "pace": work_left.pace(round, household.commune_id, today=today),
        "outcome_words": words,
        "can_record": can_record,
        "saved": work_left.saved_by(request.user, request.GET.get("saved", "")),
        "undone": "undone" in request.GET,
        "reopened": "reopened" in request.GET,
        "current": _current(persons, sought, refusal),
        "sought": sought,
        "marital_statuses": CollectionForm.MaritalStatus.choices[1:],
        "anybody_asked": any(p.is_asked for p in persons),
        "to_reopen": _to_reopen(request, household, round, persons),
        "anybody_returned": any(p.returned for p in persons),
        "orders": work_left.Order.choices,
        "order": _order(request),
        "next_visit": proposed_visit(today, round.ends_on),
        "values": {str(p.form.pk): {name: value for name, _label, value in p.items} for p in persons if p.row},
    }
    return render(request, "verification/household_verify.html", context, status=refusal.status if refusal else 200)


def _current(persons: list[Person], sought: str, refusal: Refusal | None) -> int:
    """The person the keys act on at first: the one refused, the one searched for, else the first whose turn it is."""
    refused = [p.number for p in persons if refusal and p.form.pk == refusal.form_id]
    found = [p.number for p in persons if str(p.form.pk) == sought]
    asked = [p.number for p in persons if p.is_asked]
    return next(iter([*refused, *found, *asked]), 1)


def _order(request: HttpRequest) -> work_left.Order:
    order = request.COOKIES.get(ORDER_COOKIE, "")
    return work_left.Order(order) if order in work_left.Order.values else work_left.Order.WALK


def _next_address(request: HttpRequest, place: work_left.Place, round: Round, recorded: VerificationPass) -> str:
    following = work_left.next_household(
        round, place.commune_id, today=clock.today(), after=place, order=_order(request)
    )
    query = urlencode({"saved": recorded.submission, "methods": request.POST.get("methods", "")})
    if following is None:
        return f"{reverse('reports:unit_detail', args=[place.commune_id])}?{query}"
    return f"{reverse('verification:household_verify', args=[following.pk])}?{query}"
