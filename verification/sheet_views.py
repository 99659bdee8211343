"""The pages of sheets: print them, find one by its number, type its exceptions, read the summary, confirm once."""

import re
import uuid
from collections import Counter
from itertools import groupby
from urllib.parse import urlencode

from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as say
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from census_verify import clock
from households.models import AdministrativeUnit
from households.permissions import scope_of
from verification import items as form_items
from verification import permissions, work
from verification.forms import Methods
from verification.models import Printing, Round, Sheet, VerificationPass
from verification.rules import NotAllowed, Refusal
from verification.sheet_forms import LONGEST, ComposerForm, SheetEntryForm
from verification.sheets import codes, entering, language, lists, making, printing
from verification.tasks import ask_for_sheets
from verification.terms import OUTCOME_KEYS, SHORT_LABELS, Outcome, SourcePaper
from verification.views import current_round

UUID_TEXT = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@require_GET
def sheet_list(request: HttpRequest) -> HttpResponse:
    """The sheets that are out, by hamlet, and the field that opens one by its number."""
    return _list_page(request)


@require_GET
def sheet_open(request: HttpRequest) -> HttpResponse:
    """To the sheet, or the household, whose number was typed or whose QR code was scanned."""
    typed = request.GET.get("code", "").strip()[:60]
    try:
        found = codes.read(typed)
    except codes.WrongCheckDigit:
        return _list_page(request, typed, say("A digit of “%(code)s” is wrong: look at the paper.") % {"code": typed})
    if found is None:
        return _list_page(
            request, typed, say("“%(code)s” is no number of a sheet. It looks like 00012-5.") % {"code": typed}
        )
    kind, pk = found
    if kind == codes.HOUSEHOLD and work.household_of(request.user, pk):
        return redirect("verification:household_verify", pk)
    if kind == codes.SHEET and Sheet.objects.visible_to(request.user).filter(pk=pk).exists():
        return redirect("verification:sheet_detail", pk)
    return _list_page(request, typed, say("There is no “%(code)s” in your communes.") % {"code": typed})


@require_http_methods(["GET", "POST"])
def sheet_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """A sheet with what stands of it, and the text of its exceptions. POST shows what it would record; writes nothing."""
    sheet = _sheet(request, pk)
    if request.method == "GET":
        return _entry_page(request, sheet, {"methods": request.GET.get("methods", "")})
    typed = request.POST.get("typed", "")[:LONGEST]
    if "add" in request.POST:
        typed = ComposerForm(request.POST).added_to(typed)
    if "check" not in request.POST:
        return _entry_page(request, sheet, {**request.POST.dict(), "typed": typed})
    return _summary(request, sheet)


@require_POST
def sheet_confirm(request: HttpRequest, pk: int) -> HttpResponse:
    """Record what the summary said. Where it is no longer true, the summary again."""
    sheet = _sheet(request, pk)
    try:
        arguments = SheetEntryForm(request.POST).arguments()
        recorded = entering.record(sheet=sheet, by=request.user, **arguments)
    except NotAllowed as refusal:
        return render(request, "409.html", {"refusal": refusal, "sheet_id": sheet.pk}, status=refusal.status)
    except Refusal as refusal:
        return _summary(request, sheet, refusal)
    query = urlencode({"saved": recorded.passes[0].submission, "methods": request.POST.get("methods", "")})
    return redirect(f"{reverse('verification:sheet_detail', args=[sheet.pk])}?{query}")


@require_POST
def sheet_withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    sheet = _sheet(request, pk)
    try:
        entering.withdraw(sheet=sheet, by=request.user)
    except Refusal as refusal:
        return render(request, "409.html", {"refusal": refusal, "sheet_id": sheet.pk}, status=refusal.status)
    return redirect("verification:sheet_list")


@require_http_methods(["GET", "POST"])
def unit_sheets(request: HttpRequest, pk: int) -> HttpResponse:
    """What there is to print in a commune, hamlet by hamlet; POST prints a hamlet or all of it."""
    units = AdministrativeUnit.objects.select_related("parent__parent__parent")
    unit = get_object_or_404(units.filter(scope_of(request.user).persons_filter_of_units()), pk=pk)
    if unit.level < AdministrativeUnit.Level.COMMUNE:
        raise Http404
    round = current_round()
    refusal = None
    if request.method == "POST":
        try:
            return _print(request, unit, round)
        except Refusal as refused:
            refusal = refused
    commune = unit if unit.level == AdministrativeUnit.Level.COMMUNE else unit.parent
    rows = lists.to_print(round, commune)
    context = {
        "unit": unit,
        "commune": commune,
        "round": round,
        "rows": rows,
        "people": sum(row.people for row in rows),
        "households": sum(row.households for row in rows),
        "sheets_out": sum(row.sheets_out for row in rows),
        "most": printing.MOST_PEOPLE,
        "request_id": uuid.uuid4(),
        "can_print": permissions.can_record_in(request.user, commune.pk) and round.status == Round.Status.OPEN,
        "refusal": refusal,
    }
    return render(request, "verification/unit_sheets.html", context, status=refusal.status if refusal else 200)


@require_GET
def printing_detail(request: HttpRequest, pk: int) -> HttpResponse:
    job = _printing(request, pk)
    made = making.made_so_far(job)
    context = {"job": job, "made": {"done": made[0], "count": made[1]} if made else None}
    if job.status in (Printing.Status.DONE, Printing.Status.CLEARED):
        sheets = job.sheets.select_related("hamlet", "printed_by").order_by("pk")
        context["sheets"] = lists.of_printing(sheets)
    template = "verification/_printing_state.html" if request.htmx else "verification/printing_detail.html"
    return render(request, template, context)


@require_POST
def printing_cancel(request: HttpRequest, pk: int) -> HttpResponse:
    job = _printing(request, pk)
    try:
        making.cancel(printing=job)
    except Refusal as refusal:
        return render(request, "409.html", {"refusal": refusal}, status=refusal.status)
    return redirect("verification:printing_detail", job.pk)


@require_GET
def printing_file(request: HttpRequest, pk: int) -> HttpResponse:
    job = _printing(request, pk)
    unit = job.unit
    commune_id = unit.pk if unit.level == AdministrativeUnit.Level.COMMUNE else unit.parent_id
    path = making.file_path(job)
    # what she may not print today she may not fetch today, whenever it was made
    may_fetch = job.status == Printing.Status.DONE and permissions.can_record_in(request.user, commune_id)
    if not may_fetch or not path.exists():
        raise Http404("the file was cleared away")
    return FileResponse(path.open("rb"), as_attachment=True, filename=making.file_name(job))


# --- pages ------------------------------------------------------------------------------


def _list_page(request: HttpRequest, typed: str = "", problem: str = "") -> HttpResponse:
    scope = scope_of(request.user)
    if not scope.person_units:
        raise Http404("figures only, no persons")
    round = current_round()
    out = lists.out_for(request.user, round)
    places = groupby(out, key=lambda one: one.sheet.hamlet)
    context = {
        "round": round,
        "code": typed,
        "problem": problem,
        "out": out,
        "places": [(hamlet, list(sheets)) for hamlet, sheets in places],
        "lines": sum(one.lines for one in out),
        "done": sum(one.done for one in out),
        "back": lists.back_from(request.user, round),
        "jobs": Printing.objects.filter(by=request.user).select_related("unit").order_by("-asked_at", "-pk")[:5],
        "communes": [unit for unit in scope.person_units if scope.records_in(unit.pk)],
    }
    return render(request, "verification/sheet_list.html", context, status=404 if problem else 200)


def _entry_page(request: HttpRequest, sheet: Sheet, sent: dict) -> HttpResponse:
    """`sent`: what was typed before, or nothing yet."""
    lines = entering.lines_of(sheet)
    can_record = permissions.can_record_in(request.user, sheet.commune_id) and sheet.round.status == Round.Status.OPEN
    methods = sent.get("methods", "")
    context = {
        "sheet": sheet,
        "lines": lines,
        "open": sum(line.is_open for line in lines),
        "done": sum(line.is_done for line in lines),
        "can_enter": can_record and not sheet.withdrawn_at and any(line.is_open for line in lines),
        "can_withdraw": can_record and not (sheet.withdrawn_at or sheet.entered_at),
        "text": sent.get("typed", ""),
        "submission": uuid.uuid4(),
        "methods": methods if methods in dict(Methods.CHOICES) else Methods.BOTH,
        "method_choices": Methods.CHOICES,
        "verified_on": sent.get("verified_on") or clock.today(),
        "composer": ComposerForm(),
        "items": [(item.name, item.label, language.ITEM_WORDS[item.name]) for item in form_items.ITEMS.values()],
        "papers": [(SourcePaper(paper).label, words) for paper, words in language.PAPER_WORDS.items()],
        "keys": [(OUTCOME_KEYS[outcome], SHORT_LABELS[outcome]) for outcome in Outcome],
        "saved": _saved(request, sheet),
        "undone": "undone" in request.GET,
    }
    return render(request, "verification/sheet_detail.html", context)


def _summary(request: HttpRequest, sheet: Sheet, refusal: Refusal | None = None) -> HttpResponse:
    form = SheetEntryForm(request.POST)
    try:
        entering.require_enterable(sheet, request.user)
    except NotAllowed as refused:
        return render(request, "409.html", {"refusal": refused, "sheet_id": sheet.pk}, status=refused.status)
    except Refusal as refused:
        refusal = refused
    typed = request.POST.get("typed", "")[:LONGEST]
    if not refusal:
        try:
            entering.require_day(sheet, form.arguments()["verified_on"])
        except Refusal as refused:
            refusal = refused
    checked = entering.check(sheet=sheet, typed=typed)
    text_lines = dict(enumerate(typed.splitlines(), start=1))
    skipped = (
        (say("with a result already"), checked.done),
        (say("left for later"), checked.left),
        (say("no longer in the round"), checked.gone),
    )
    context = {
        "sheet": sheet,
        "check": checked,
        "problems": [(problem, text_lines.get(problem.at, "")) for problem in checked.problems],
        "parts": [
            *((SHORT_LABELS[Outcome(outcome)], n) for outcome, n in checked.counts),
            *((label, len(lines)) for label, lines in skipped if lines),
        ],
        "returned": [line for line in checked.left if line.is_returned],
        "to_record": len(checked.entries),
        "text": typed,
        "submission": request.POST.get("submission", ""),
        "methods": request.POST.get("methods", ""),
        "method_label": dict(Methods.CHOICES).get(request.POST.get("methods", ""), ""),
        "verified_on": request.POST.get("verified_on", ""),
        "refusal": refusal,
        # what only the day or the way of checking forbids is mended on the page before
        "can_confirm": bool(checked.entries)
        and not checked.problems
        and (refusal is None or isinstance(refusal, entering.ChangedMeanwhile)),
    }
    status = refusal.status if refusal else 200
    return render(request, "verification/sheet_check.html", context, status=status)


def _saved(request: HttpRequest, sheet: Sheet) -> dict | None:
    """What the officer's last batch recorded of this sheet, for the line that offers to undo it."""
    submission = request.GET.get("saved", "")
    if not UUID_TEXT.fullmatch(submission):
        return None
    passes = VerificationPass.objects.standing().filter(submission=submission, officer=request.user, sheet=sheet)
    outcomes = list(passes.values_list("outcome", "recorded_at"))
    if not outcomes:
        return None
    counted = Counter(outcome for outcome, _ in outcomes)
    return {
        "submission": submission,
        "at": outcomes[0][1],
        "count": len(outcomes),
        "counts": [(SHORT_LABELS[outcome], counted[outcome]) for outcome in Outcome if counted[outcome]],
    }


def _print(request: HttpRequest, unit: AdministrativeUnit, round: Round) -> HttpResponse:
    asked = request.POST.get("request", "")
    if not UUID_TEXT.fullmatch(asked):
        return render(request, "400.html", status=400)
    job = printing.request(unit=unit, round=round, request=uuid.UUID(asked), by=request.user)
    if printing.due(round, unit).count() <= making.QUICK_PEOPLE:
        making.make(job.pk)
    else:
        ask_for_sheets(job.pk)
    return redirect("verification:printing_detail", job.pk)


def _sheet(request: HttpRequest, pk: int) -> Sheet:
    sheets = Sheet.objects.visible_to(request.user).select_related(
        "round", "hamlet", "commune__parent", "printed_by", "entered_by", "withdrawn_by"
    )
    return get_object_or_404(sheets, pk=pk)


def _printing(request: HttpRequest, pk: int) -> Printing:
    return get_object_or_404(
        Printing.objects.filter(by=request.user).select_related("unit__parent", "by", "round"), pk=pk
    )
