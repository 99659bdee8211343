"""The morning's e-mail: one a day to each officer with an address, of what she has not opened.

The program's bell is the record; how a mail is claimed and sent, see `reports.mailing`.
"""

from collections.abc import Iterator
from datetime import datetime

from django.conf import settings
from django.core.mail import EmailMessage
from django.db.models import Max, OuterRef, Q, Subquery
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.translation import ngettext

from census_verify import clock
from households.models import Posting, User
from reports import mailing
from reports.alerts.words import sentence_of
from reports.models import Alert, AlertDigest
from reports.templatetags.figures import count, day

FROM_HOUR = 7  # of the morning, local time; earlier nobody is there to read
AT_MOST = 200  # alerts written out in one mail; beyond it the page says more


def send_digests() -> int:
    """To whoever is due one today; how many the server took. Nothing where no server is set (EMAIL_URL)."""
    now = clock.now()
    if not settings.SENDS_MAIL or timezone.localtime(now).hour < FROM_HOUR:
        return 0
    due = list(_due(now))
    if not due:
        return 0
    with mailing.open_server(len(due)) as server:
        return sum(_send(server, officer, alerts, now) for officer, alerts in due) if server else 0


def _due(now: datetime) -> Iterator[tuple[User, list[Alert]]]:
    """Officers posted today, with what they have not opened and were not sent before. Where nothing was told since
    her last e-mail an officer is not asked about at all."""
    today = timezone.localdate(now)
    told_last = Alert.objects.open().aggregate(Max("told_at"))["told_at__max"]
    if told_last is None:
        return
    had = AlertDigest.objects.filter(day=today).exclude(mailing.MAY_BE_TRIED_AGAIN)
    posted = Posting.objects.valid_on(clock.today()).values("user")
    last_sent = AlertDigest.objects.filter(officer=OuterRef("pk")).order_by().values("officer").values(m=Max("sent_at"))
    officers = (
        User.objects.filter(is_active=True, pk__in=posted).exclude(email="").exclude(pk__in=had.values("officer"))
    )
    officers = officers.annotate(last_sent=Subquery(last_sent)).filter(Q(last_sent=None) | Q(last_sent__lt=told_last))
    for officer in officers.order_by("pk"):
        alerts = Alert.objects.open().visible_to(officer).with_readings_of(officer).filter(is_read=False)
        if officer.last_sent:
            alerts = alerts.filter(told_at__gt=officer.last_sent)
        found = list(
            alerts.select_related("unit__parent", "round").order_by("unit__parent__code", "kind", "unit__code")
        )
        if found:
            yield officer, found


def _send(server, officer: User, alerts: list[Alert], now: datetime) -> bool:
    key = {"officer": officer, "day": timezone.localdate(now)}
    digest = mailing.claim(AlertDigest, now, facts={"alerts": len(alerts)}, **key)
    if digest is None:
        return False
    with translation.override(settings.LANGUAGE_CODE):
        message = _message(officer, alerts, digest, server)
    return mailing.send(digest, message)


def _message(officer: User, alerts: list[Alert], digest: AlertDigest, server) -> EmailMessage:
    units = len({alert.unit_id for alert in alerts})
    subject = ngettext("%(n)s unit to look at, %(day)s", "%(n)s units to look at, %(day)s", units) % {
        "n": count(units),
        "day": day(digest.day),
    }
    context = {
        "officer": officer,
        "lines": [
            (alert, sentence_of(alert), mailing.link("reports:alert_open", alert.pk)) for alert in alerts[:AT_MOST]
        ],
        "more": max(len(alerts) - AT_MOST, 0),
        "page": mailing.link("reports:alert_list"),
        "round": alerts[0].round,
    }
    name = f"alerts-{digest.pk}-{digest.day.isoformat()}"
    return mailing.letter(
        server, officer.email, subject, render_to_string("reports/alert_mail.txt", context), name=name
    )
