"""The morning's e-mail: one a day to each officer with an address, of what she has not opened.

The program's bell is the record; a mail that is lost loses nothing. So a mail is claimed before it is sent and is
never sent again unless the server said no: after a crash in between nobody knows, and nobody gets two.
"""

import logging
from collections.abc import Iterator
from datetime import date, datetime

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.db.models import Max, OuterRef, Q, Subquery
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import ngettext

from census_verify import clock
from households.models import Posting, User
from reports.alerts.words import sentence_of
from reports.models import Alert, AlertDigest
from reports.templatetags.figures import count, day

FROM_HOUR = 7  # of the morning, local time; earlier nobody is there to read
TRIES = 3  # a day, for a server that refuses
AT_MOST = 200  # alerts written out in one mail; beyond it the page says more
logger = logging.getLogger(__name__)


def send_digests() -> int:
    """To whoever is due one today; how many the server took. Nothing where no server is set (EMAIL_URL)."""
    now = clock.now()
    if not settings.SENDS_MAIL or timezone.localtime(now).hour < FROM_HOUR:
        return 0
    due, server = list(_due(now)), get_connection()
    if not due:
        return 0
    try:
        server.open()
    except OSError as away:  # nobody's try: the next run asks again
        logger.warning("the mail server is away, %s e-mails wait: %s", len(due), type(away).__name__)
        return 0
    try:
        return sum(_send(server, officer, alerts, now) for officer, alerts in due)
    finally:
        server.close()


def _due(now: datetime) -> Iterator[tuple[User, list[Alert]]]:
    """Officers posted today, with what they have not opened and were not sent before. Where nothing was told since
    her last e-mail an officer is not asked about at all."""
    today = timezone.localdate(now)
    told_last = Alert.objects.open().aggregate(Max("told_at"))["told_at__max"]
    if told_last is None:
        return
    had = AlertDigest.objects.filter(day=today).exclude(sent_at=None, failure__gt="", tries__lt=TRIES)
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
    digest = _claim(officer, timezone.localdate(now), len(alerts), now)
    if digest is None:
        return False
    with translation.override(settings.LANGUAGE_CODE):
        message = _message(officer, alerts, digest, server)
    try:
        message.send()
    except OSError as refusal:  # smtplib's errors are OSErrors, and so is a server that is away
        logger.warning("the alerts of %s were not taken: %s", digest.day, type(refusal).__name__)
        digest.failure = f"{type(refusal).__name__}: {refusal}"[:200]
        digest.save(update_fields=["failure"])
        return False
    digest.sent_at = clock.now()
    digest.save(update_fields=["sent_at"])
    return True


def _claim(officer: User, today: date, alerts: int, now: datetime) -> AlertDigest | None:
    """None where another worker has it, or a try of today got no answer."""
    facts = {"alerts": alerts, "tried_at": now}
    digest, is_new = AlertDigest.objects.get_or_create(officer=officer, day=today, defaults=facts | {"tries": 1})
    if is_new:
        return digest
    again = AlertDigest.objects.filter(pk=digest.pk, sent_at=None, tries=digest.tries).exclude(failure="")
    if not again.update(**facts, tries=digest.tries + 1, failure=""):
        return None
    digest.refresh_from_db()
    return digest


def _message(officer: User, alerts: list[Alert], digest: AlertDigest, server) -> EmailMessage:
    units = len({alert.unit_id for alert in alerts})
    subject = ngettext("%(n)s unit to look at, %(day)s", "%(n)s units to look at, %(day)s", units) % {
        "n": count(units),
        "day": day(digest.day),
    }
    context = {
        "officer": officer,
        "lines": [(alert, sentence_of(alert), _link("reports:alert_open", alert.pk)) for alert in alerts[:AT_MOST]],
        "more": max(len(alerts) - AT_MOST, 0),
        "page": _link("reports:alert_list"),
        "round": alerts[0].round,
    }
    # one and the same name for all tries of a day: a server that did take the first one knows the second by it
    name = f"<alerts-{digest.pk}-{digest.day.isoformat()}@{settings.DEFAULT_FROM_EMAIL.rpartition('@')[2].strip('> ')}>"
    headers = {"Message-ID": name, "Auto-Submitted": "auto-generated"}
    body = render_to_string("reports/alert_mail.txt", context)
    return EmailMessage(subject, body, to=[officer.email], headers=headers, connection=server)


def _link(name: str, *args: int) -> str:
    return settings.CENSUS_VERIFY_ADDRESS.rstrip("/") + reverse(name, args=args)
