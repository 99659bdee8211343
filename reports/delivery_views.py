"""Deliveries to the national population database, for PC06 and the administrators of the province."""

from pathlib import Path
from uuid import UUID, uuid4

from django.db.models import Max, Sum
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as say
from django.views.decorators.http import require_GET, require_POST

from census_verify import clock
from households.imports import workbooks
from households.models import AdministrativeUnit
from reports import permissions, services
from reports.deliveries import answers, files, making, reading, waiting
from reports.models import Delivery, DeliveryLine, Export
from reports.views import current_round, kept
from verification.forms import day_typed
from verification.models import Correction, PassEvent, VerificationPass
from verification.rules import InvalidEntry, Refusal

Kind = DeliveryLine.Kind
LISTED = 50  # deliveries on a page
PROBLEMS_SHOWN = 100
FILES_SHOWN = 10
FORMATS = (Export.Format.JSON, Export.Format.CSV)
SHOWN = {"accepted": "accepted", "refused": "refused", "unanswered": ""}


@require_GET
def delivery_list(request: HttpRequest) -> HttpResponse:
    return _list(request, _area(request))


@require_POST
def delivery_new(request: HttpRequest) -> HttpResponse:
    area = _area(request)
    try:
        first, last = _day(request.POST, "first"), _day(request.POST, "last")
        delivery = making.make(
            area=area,
            round=current_round(),
            first=first,
            last=last,
            request=_request(request.POST.get("request", "")),
            by=request.user,
        )
    except Refusal as refusal:
        return _list(request, area, refusal)
    return redirect("reports:delivery_detail", delivery.pk)


@require_GET
def delivery_detail(request: HttpRequest, pk: int) -> HttpResponse:
    return _detail(request, _delivery(request, pk))


@require_POST
def delivery_file(request: HttpRequest, pk: int) -> HttpResponse:
    delivery = _delivery(request, pk)
    if not permissions.can_export(request.user, Export.Kind.DELIVERY, delivery.area):
        raise Http404
    format = request.POST.get("format", "")
    if format not in FORMATS:
        sentence = say("The corrections file is made as JSON or as CSV.")
        return render(request, "400.html", {"sentence": sentence}, status=400)
    try:
        export = services.request_delivery_file(
            by=request.user, delivery=delivery, format=format, reason=request.POST.get("reason", "")
        )
    except Refusal as refusal:
        return _detail(request, delivery, refusal)
    return redirect("reports:export_detail", export.pk)


@require_POST
def delivery_answers(request: HttpRequest, pk: int) -> HttpResponse:
    """The receiver's file: all of it right and stored, or told row by row."""
    delivery, sent = _delivery(request, pk), request.FILES.get("file")
    try:
        if sent is None:
            raise InvalidEntry(say("Choose the receiver's file."))
        path = Path(sent.temporary_file_path())
        try:
            stored = answers.load(delivery=delivery, answers=answers.read(path, sent.name, delivery), by=request.user)
        finally:
            workbooks.forget(path)  # what was written out of it; the file goes with the request
    except Refusal as refusal:
        return _detail(request, delivery, refusal)
    return redirect(f"{reverse('reports:delivery_detail', args=[delivery.pk])}?stored={stored}#answers")


@require_POST
def delivery_withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    delivery = _delivery(request, pk)
    try:
        making.withdraw(delivery=delivery, reason=request.POST.get("reason", ""), by=request.user)
    except Refusal as refusal:
        return _detail(request, delivery, refusal)
    return redirect("reports:delivery_detail", delivery.pk)


@require_POST
def delivery_again(request: HttpRequest, pk: int) -> HttpResponse:
    """What the receiver refused may go out with the next delivery."""
    delivery = _delivery(request, pk)
    try:
        making.send_again(delivery=delivery, by=request.user)
    except Refusal as refusal:
        return _detail(request, delivery, refusal)
    return redirect("reports:delivery_detail", delivery.pk)


@require_GET
def delivery_format(request: HttpRequest) -> HttpResponse:
    """The layout of the files in words."""
    _area(request)
    context = {
        "head": files.described("corrections", "delivery"),
        "fields": files.described("corrections", "row"),
        "values": files.value_layouts(),
        "answers": files.described("answers", "row"),
        "headings": files.HEADINGS,
    }
    return render(request, "reports/delivery_format.html", context)


@require_GET
def delivery_schema(request: HttpRequest) -> HttpResponse:
    return _schema(request, "corrections")


@require_GET
def delivery_answers_schema(request: HttpRequest) -> HttpResponse:
    return _schema(request, "answers")


def _schema(request: HttpRequest, name: str) -> HttpResponse:
    _area(request)
    return HttpResponse(files.schema(name), content_type="application/schema+json")


def _area(request: HttpRequest) -> AdministrativeUnit:
    areas = permissions.delivery_areas_of(request.user)
    if not areas:
        raise Http404
    return areas[0]


def _delivery(request: HttpRequest, pk: int) -> Delivery:
    mine = Delivery.objects.filter(area__in=permissions.delivery_areas_of(request.user))
    return get_object_or_404(mine.select_related("area", "made_by", "withdrawn_by", "round"), pk=pk)


def _day(typed, name: str):
    day = day_typed(typed.get(name, ""))
    if day is None:
        raise InvalidEntry(say("Write both days as 19/6/2020."), field=name)
    return day


def _request(typed: str) -> UUID:
    try:
        return UUID(typed)
    except ValueError:
        raise InvalidEntry(say("Open the page again and press once more.")) from None


def _list(request: HttpRequest, area: AdministrativeUnit, refused: Refusal | None = None) -> HttpResponse:
    deliveries = list(Delivery.objects.filter(area=area).select_related("area", "made_by")[: LISTED + 1])
    waits = _waiting(area)
    typed = request.POST if refused else request.GET
    first, last, chosen = waits.since and waits.since.astimezone(clock.now().tzinfo).date(), clock.today(), waits
    if "first" in typed and not refused:
        try:
            first, last = _day(typed, "first"), _day(typed, "last")
            making.require_days(first, last)
        except InvalidEntry as wrong:
            refused = wrong
        else:
            chosen = waiting.summary(area, first, last)
    context = {
        "area": area,
        "waits": waits,
        "chosen": chosen,
        "chosen_kinds": [(Kind(kind).label, rows) for kind, rows in sorted(chosen.by_kind.items())],
        "sums": reading.in_order(reading.Sum(*key, rows) for key, rows in waits.by_item.items()),
        "first": first,
        "last": last,
        "request_id": uuid4(),
        "deliveries": deliveries[:LISTED],
        "are_more": len(deliveries) > LISTED,
        "refused": refused,
        "files_are_hers": permissions.can_export(request.user, Export.Kind.DELIVERY, area),
    }
    return render(request, "reports/delivery_list.html", context, status=refused.status if refused else 200)


def _waiting(area: AdministrativeUnit) -> waiting.Waiting:
    """Counted anew when something happened since: over a whole province that takes a second or two."""
    happened = (
        PassEvent.objects.aggregate(Max("pk")),
        Correction.objects.aggregate(Max("pk")),
        VerificationPass.objects.aggregate(Max("pk")),
        Delivery.objects.filter(area=area).aggregate(
            Max("pk"), Max("withdrawn_at"), Sum("accepted"), Sum("refused"), Sum("sent_again")
        ),
    )
    return kept(("deliveries wait", area.pk, happened), lambda: waiting.summary(area))


def _detail(request: HttpRequest, delivery: Delivery, refused: Refusal | None = None) -> HttpResponse:
    shown, after = request.GET.get("answer", ""), request.GET.get("after", "")
    after = int(after) if after.isascii() and after.isdigit() and len(after) < 10 else 0
    lines, next_key = reading.page_after(delivery, after, SHOWN.get(shown))
    problems = getattr(refused, "problems", [])
    stored = request.GET.get("stored", "")
    context = {
        "delivery": delivery,
        "sums": reading.sums_of(delivery),
        "lines": lines,
        "after": after,
        "next_key": next_key,
        "shown": shown if shown in SHOWN else "",
        "refused": refused,
        "problems": problems[:PROBLEMS_SHOWN],
        "more_problems": len(problems) - PROBLEMS_SHOWN,
        "stored": int(stored) if stored.isascii() and stored.isdigit() and len(stored) < 10 else None,
        "to_send_again": making.to_send_again(delivery),
        "can_make_files": permissions.can_export(request.user, Export.Kind.DELIVERY, delivery.area),
        "formats": FORMATS,
        "files": Export.objects.visible_to(request.user).filter(
            kind=Export.Kind.DELIVERY, options__delivery=delivery.pk
        )[:FILES_SHOWN],
    }
    return render(request, "reports/delivery_detail.html", context, status=refused.status if refused else 200)
