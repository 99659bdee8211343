"""Lists of persons: chosen, looked at, and taken along as a file with a reason; and the log of those files."""

from itertools import islice

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from census_verify import clock
from households.models import AdministrativeUnit, Posting, User
from reports import permissions, services
from reports.exports import forms as lists
from reports.exports.columns import Order
from reports.forms import PersonListForm, RegisterForm
from reports.models import Disclosure, Export, Tally
from reports.views import current_round, lineage_of, unit_of_figures
from verification.models import Round
from verification.records import State
from verification.terms import Outcome

Level, FORMS = AdministrativeUnit.Level, Export.Kind.FORMS
# Lists that are asked for by name; others stand under them.
NAMED = (State.OPEN, State.NOT_MET, State.RETURNED, State.FOUND, State.REMOVALS, State.NEW_PEOPLE)
LINES_SHOWN = 20
COMMUNES_LOOKED_AT = 12  # for the first lines of a list of a whole district or province
LOG_PAGE = 100


@require_http_methods(["GET", "HEAD", "POST"])
def person_lists(request: HttpRequest, pk: int) -> HttpResponse:
    """The first lines of a list and how long it is, before a file of it is made."""
    unit, round = _unit(request, pk), current_round()
    asked = request.POST if request.method == "POST" else request.GET
    form = PersonListForm(asked, officer=request.user, unit=unit)
    values = form.cleaned_data if form.is_valid() else None
    if values and values["format"] and request.method == "POST":
        export = services.request_export(by=request.user, round=round, kind=FORMS, unit=unit, **values)
        return redirect("reports:export_detail", export.pk)
    chosen = {name: form.cleaned_data.get(name) for name in ("state", "order", "numbers")}
    state, order = chosen["state"] or State.OPEN.value, chosen["order"] or Order.NAME.value
    tally = Tally.objects.filter(round=round, unit=unit).first()
    listing = Export(owner=request.user, round=round, unit=unit, options={"state": state, "order": order})
    heads, lines = _first_lines(listing)
    labels = dict([*State.choices, *Outcome.choices])
    context = {
        "unit": unit,
        "round": round,
        "above": [
            each for each, _opens in lineage_of(request.user, unit) if permissions.can_export(request.user, FORMS, each)
        ],
        "form": form,
        "errors": [sentence for sentences in form.errors.values() for sentence in sentences],
        "state": state,
        "state_label": labels[state],
        "order": order,
        "orders": Order.choices,
        "named": [(each.value, each.label, lists.rows_of_state(tally, each) if tally else None) for each in NAMED],
        "others": [(value, label) for value, label in labels.items() if value not in NAMED],
        "expected": lists.rows_of_state(tally, state) if tally else None,
        "is_at_most": state in (State.DUE, State.LATER),
        "heads": heads,
        "lines": lines,
        "lines_shown": LINES_SHOWN,
        "may_have_whole_numbers": permissions.sees_whole_numbers(request.user, unit),
        "whole": Posting.PersonFiles.WHOLE,
        "numbers": chosen["numbers"] or Posting.PersonFiles.MASKED,
        "reason": asked.get("reason", "")[:200],
        "on_paper": unit.level >= Level.DISTRICT,
    }
    return render(request, "reports/person_lists.html", context, status=200 if not form.errors else 400)


@require_http_methods(["GET", "HEAD", "POST"])
def register_file(request: HttpRequest, pk: int) -> HttpResponse:
    """The whole register of a unit in the layout of DC01, for another program or another machine."""
    unit, round = unit_of_figures(request, pk), current_round()
    if not permissions.can_export(request.user, Export.Kind.REGISTER, unit):
        raise Http404
    form = RegisterForm(request.POST or None)
    if form.is_valid():
        kind = Export.Kind.REGISTER
        export = services.request_export(by=request.user, round=round, kind=kind, unit=unit, **form.cleaned_data)
        return redirect("reports:export_detail", export.pk)
    context = {
        "unit": unit,
        "round": round,
        "form": form,
        "errors": [sentence for sentences in form.errors.values() for sentence in sentences],
        "tally": Tally.objects.filter(round=round, unit=unit).first(),
    }
    return render(request, "reports/register_file.html", context, status=400 if form.errors else 200)


@require_GET
def disclosure_list(request: HttpRequest) -> HttpResponse:
    """Who made and took files with persons, newest first; for PC06 and administrators."""
    if not permissions.can_read_disclosures(request.user):
        raise Http404
    found = Disclosure.objects.visible_to(request.user).select_related("officer", "unit", "export__unit")
    officer = None
    if (pk := request.GET.get("officer", "")).isdecimal():
        officer = get_object_or_404(User, pk=int(pk[:9]))
        found = found.filter(officer=officer)
    if (before := request.GET.get("before", "")).isdecimal():
        found = found.filter(pk__lt=int(before[:18]))
    lines = list(found.order_by("-pk")[: LOG_PAGE + 1])
    context = {
        "round": Round.objects.current(),
        "officer": officer,
        "lines": lines[:LOG_PAGE],
        "next": lines[LOG_PAGE - 1].pk if len(lines) > LOG_PAGE else None,
        "is_first_page": not before,
        "today": clock.today(),
    }
    return render(request, "reports/disclosure_list.html", context)


def _unit(request: HttpRequest, pk: int) -> AdministrativeUnit:
    unit = unit_of_figures(request, pk)
    if not permissions.can_export(request.user, FORMS, unit):
        raise Http404
    return unit


def _first_lines(listing: Export) -> tuple[list[str], list[list]]:
    """Heads and cells of the first lines; numbers masked whatever the file will have."""
    columns = lists.preview_columns(listing)
    found = []
    for _place, rows in islice(lists.rows_by_commune(listing, columns, LINES_SHOWN), COMMUNES_LOOKED_AT):
        found.extend(rows)
        if len(found) >= LINES_SHOWN:
            break
    titles = [str(column.title) for column in columns.values()]
    return titles, [list(zip(titles, row, strict=True)) for row in found[:LINES_SHOWN]]
