"""An e-mail that a file is ready, or that none came of it: to whoever has not opened it some minutes later, with links
and never with the file. One an export; one a run of a schedule and officer, with all her files.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import groupby

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as say

from census_verify import clock
from households.models import Posting
from reports import mailing
from reports.models import Export, ExportMail

UNSEEN_FOR = timedelta(minutes=2)  # whoever sits in front of the page needs no e-mail
NEWS_FOR = timedelta(days=1)  # a server that is set up later does not send what was finished long ago


def send_mails() -> int:
    """How many the server took. Nothing where none is set (EMAIL_URL)."""
    if not settings.SENDS_MAIL:
        return 0
    now = clock.now()
    due = list(_due(now))
    if not due:
        return 0
    with mailing.open_server(len(due)) as server:
        return sum(_send(server, exports, now) for exports in due) if server else 0


def _due(now: datetime) -> Iterator[list[Export]]:
    """Each an e-mail: one export, or all of one officer's from one run."""
    had = ExportMail.objects.exclude(mailing.MAY_BE_TRIED_AGAIN)
    of_her_run = Export.objects.filter(run=OuterRef("run"), owner=OuterRef("owner"))
    too_early = Q(status=Export.Status.QUEUED) | Q(finished_at__gt=now - UNSEEN_FOR)
    unseen = (
        _named(Export.objects.to_tell())
        .filter(finished_at__range=(now - NEWS_FOR, now - UNSEEN_FOR), owner__is_active=True)
        .filter(owner__in=Posting.objects.valid_on(clock.today()).values("user"))
        .exclude(owner__email="")
        .exclude(Exists(of_her_run.filter(too_early)))
        .exclude(Exists(had.filter(export=OuterRef("pk"))))
        .exclude(Exists(had.filter(run=OuterRef("run"), officer=OuterRef("owner"))))
        .order_by("run", "owner", "pk")
    )
    for (run, owner), exports in groupby(unseen, lambda export: (export.run_id, export.owner_id)):
        if run is None:
            yield from ([export] for export in exports)
        else:  # with those she has opened
            yield list(_named(Export.objects.filter(run=run, owner=owner)))


def _named(exports: QuerySet[Export]) -> QuerySet[Export]:
    return exports.select_related("owner", "unit", "run__schedule").order_by("pk")


def _send(server, exports: list[Export], now: datetime) -> bool:
    first = exports[0]
    key = {"officer": first.owner, "run": first.run, "export": None if first.run else first}
    mail = mailing.claim(ExportMail, now, **key)
    if mail is None:
        return False
    with translation.override(settings.LANGUAGE_CODE):
        subject = say("Files are finished: %(name)s") if first.run else say("A file is finished: %(name)s")
        name = str(first.run.schedule) if first.run else _name(first)
        context = {
            "officer": first.owner,
            "schedule": first.run and first.run.schedule,
            "files": [(export, _name(export), mailing.link("reports:export_detail", export.pk)) for export in exports],
        }
        body = render_to_string("reports/export_mail.txt", context)
        message = mailing.letter(
            server, first.owner.email, subject % {"name": name}, body, name=f"files-{mail.pk}-{mail.officer_id}"
        )
    return mailing.send(mail, message)


def _name(export: Export) -> str:
    return " ".join(render_to_string("reports/_export_name.txt", {"export": export}).split())
