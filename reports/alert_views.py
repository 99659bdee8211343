"""What wants looking at where the officer is posted: new, open, and just over."""

from collections import Counter
from datetime import timedelta
from itertools import groupby

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from census_verify import clock
from households.models import AdministrativeUnit
from households.permissions import scope_of
from reports.models import Alert, Export
from reports.services import read_alerts, see_exports
from verification.records import State

OVER_FOR = timedelta(days=7)  # that an alert is still listed among those that are over
OVER_AT_MOST = 50


@require_GET
def alert_list(request: HttpRequest) -> HttpResponse:
    """By district where she sees several; the new ones first, then by kind and by how long it lasts."""
    officer = request.user
    if not scope_of(officer).postings:
        return render(request, "reports/no_posting.html", status=403)
    mine = _of(request, Alert.objects.open())
    counted = Counter(alert.kind for alert in mine)
    kind = request.GET.get("kind", "")
    kind = kind if kind in Alert.Kind.values else ""
    shown = [alert for alert in mine if not kind or alert.kind == kind]
    over = _of(request, Alert.objects.filter(ended_at__gte=clock.now() - OVER_FOR))
    files = list(Export.objects.to_tell().visible_to(officer).select_related("unit", "run__schedule"))
    context = {
        "files": files,
        "districts": [(district, list(rows)) for district, rows in groupby(shown, lambda alert: alert.unit.parent)],
        "count": len(mine),
        "shown": len(shown),
        "unread": sum(not alert.is_read for alert in mine),
        "kinds": [(each, counted[each]) for each in Alert.Kind if counted[each]],
        "kind": kind,
        "over": over.order_by("-ended_at", "pk")[:OVER_AT_MOST],
        "mails": settings.SENDS_MAIL,
        "level": min(unit.level for _role, unit in scope_of(officer).postings),
    }
    return render(request, "reports/alert_list.html", context)


@require_GET
def alert_open(request: HttpRequest, pk: int) -> HttpResponse:
    """To the page on which one does something about it. Opened is read; a GET all the same, for e-mails lead here and
    nobody else's view of it changes."""
    alert = get_object_or_404(Alert.objects.visible_to(request.user).select_related("unit"), pk=pk)
    read_alerts(Alert.objects.filter(pk=alert.pk), by=request.user)
    return HttpResponseRedirect(_address_of(alert, request.user))


@require_POST
def alerts_read(request: HttpRequest) -> HttpResponse:
    """All that are open now, and all finished files."""
    read_alerts(Alert.objects.open().visible_to(request.user), by=request.user)
    see_exports(Export.objects.visible_to(request.user))
    return redirect("reports:alert_list")


def _of(request: HttpRequest, alerts: QuerySet[Alert]) -> QuerySet[Alert]:
    alerts = alerts.visible_to(request.user).with_readings_of(request.user).select_related("unit__parent")
    return alerts.order_by("unit__parent__code", "is_read", "kind", "since", "unit__code")


def _address_of(alert: Alert, officer) -> str:
    unit: AdministrativeUnit = alert.unit
    if alert.kind == Alert.Kind.RETURNED and scope_of(officer).persons_cover(unit):
        return f"{reverse('verification:form_list', args=[unit.pk])}?state={State.RETURNED}"
    return reverse("reports:unit_detail", args=[unit.pk])
