"""Lists of the records of a unit and of one's own work, and the search."""

from itertools import groupby
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET

from census_verify import clock
from households import faults
from households.models import AdministrativeUnit
from households.permissions import scope_of
from verification import own_work as own
from verification import records, waiting
from verification import search as searching
from verification.forms import day_typed
from verification.models import Round
from verification.sheets import codes
from verification.terms import OUTCOME_KEYS, Outcome


@require_GET
def own_work(request: HttpRequest) -> HttpResponse:
    """What the officer herself recorded today, or on the day of `?day=`."""
    if not scope_of(request.user).can_record:
        raise Http404("nothing is recorded by this officer")
    round, today, typed = current_round(), clock.today(), request.GET.get("day", "").strip()
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
    unit, round = unit_of_persons(request, pk), current_round()
    state, fault = _state(request), _fault(request)
    forms, next_key = records.page_after(unit, round, state, request.GET.get("after", ""), fault=fault)
    is_first_of_open = state == records.State.OPEN and not fault and "after" not in request.GET
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
        "returned": _came_back(request, round, unit) if is_first_of_open else [],
        "returned_more": waiting.AT_TOP,
    }
    return render(request, "verification/form_list.html", context)


@require_GET
def form_print(request: HttpRequest, pk: int) -> HttpResponse:
    """The same records as a list to print and take along, a hamlet after the other."""
    unit, round = unit_of_persons(request, pk), current_round()
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


@require_GET
def search(request: HttpRequest) -> HttpResponse:
    """Persons by name, date, number or place. As a page; or, asked for by htmx, as the panel under the field."""
    if not scope_of(request.user).person_units:
        raise Http404("figures only, no persons")
    typed = request.GET.get("q", "").strip()
    if not request.htmx and codes.is_scanned(typed):
        return redirect(f"{reverse('verification:sheet_open')}?{urlencode({'code': typed})}")
    query = searching.parse(typed, this_year=clock.today().year)
    limit = searching.PANEL if request.htmx else searching.PAGE
    found = searching.find(query, request.user, Round.objects.current(), at_most=limit)
    context = {"typed": typed[: searching.MAX_TYPED], "query": query, "found": found}
    units = scope_of(request.user).person_units
    context["is_one_commune"] = len(units) == 1 and units[0].level == AdministrativeUnit.Level.COMMUNE
    return render(request, "verification/_search_panel.html" if request.htmx else "verification/search.html", context)


def _came_back(request: HttpRequest, round: Round, unit: AdministrativeUnit) -> list[waiting.Returned]:
    if unit.level == AdministrativeUnit.Level.HAMLET:
        return waiting.returned_in(round, [unit.parent_id], request.user, hamlet=unit)
    return waiting.returned_in(round, [unit.pk], request.user)


def unit_of_persons(request: HttpRequest, pk: int) -> AdministrativeUnit:
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


def current_round() -> Round:
    round = Round.objects.current()
    if round is None:
        raise Http404("no round was opened yet")
    return round
