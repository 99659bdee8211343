"""What every e-mail of the program does alike: it is claimed before it is sent, and nobody gets two.

The pages are the record; a mail that is lost loses nothing. So a mail whose sending got no answer (a crash in between)
is never sent again: nobody knows whether it went out. One that the server refused is tried again.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TypeVar

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.db.models import Q
from django.urls import reverse

from census_verify import clock
from reports.models import Mailing

TRIES = 3  # for a server that refuses
MAY_BE_TRIED_AGAIN = Q(sent_at=None, failure__gt="", tries__lt=TRIES)
Mail = TypeVar("Mail", bound=Mailing)
logger = logging.getLogger(__name__)


@contextmanager
def open_server(waiting: int) -> Iterator:
    """The connection for a number of mails; None where the server is away, which is nobody's try: the next run asks
    again."""
    server = get_connection()
    try:
        server.open()
    except OSError as away:
        logger.warning("the mail server is away, %s e-mails wait: %s", waiting, type(away).__name__)
        yield None
        return
    try:
        yield server
    finally:
        server.close()


def claim(kind: type[Mail], now: datetime, *, facts: dict | None = None, **key) -> Mail | None:
    """The row of the mail that `key` names, with `facts` on it; None where another worker has it, it was sent, or a try
    got no answer."""
    facts = {"tried_at": now} | (facts or {})
    mail, is_new = kind.objects.get_or_create(**key, defaults=facts | {"tries": 1})
    if is_new:
        return mail
    again = kind.objects.filter(MAY_BE_TRIED_AGAIN, pk=mail.pk, tries=mail.tries)
    if not again.update(**facts, tries=mail.tries + 1, failure=""):
        return None
    mail.refresh_from_db()
    return mail


def send(mail: Mailing, message: EmailMessage) -> bool:
    """Whether the server took it; if not, why stands in the row."""
    try:
        message.send()
    except OSError as refusal:  # smtplib's errors are OSErrors, and so is a server that is away
        logger.warning("%s was not taken: %s", mail._meta.verbose_name, type(refusal).__name__)
        mail.failure = f"{type(refusal).__name__}: {refusal}"[:200]
        mail.save(update_fields=["failure"])
        return False
    mail.sent_at = clock.now()
    mail.save(update_fields=["sent_at"])
    return True


def letter(server, to: str, subject: str, body: str, *, name: str) -> EmailMessage:
    """`name` is the same for all tries of a mail: a server that did take the first one knows the second by it."""
    host = settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].strip("> ")
    headers = {"Message-ID": f"<{name}@{host}>", "Auto-Submitted": "auto-generated"}
    return EmailMessage(subject, body, to=[to], headers=headers, connection=server)


def link(name: str, *args: int) -> str:
    return settings.CENSUS_VERIFY_ADDRESS.rstrip("/") + reverse(name, args=args)
