"""The verbs of reporting."""

from datetime import date

from django.db import transaction
from django.db.models import QuerySet, Value
from django.db.models.functions import Coalesce
from django.utils import translation
from django.utils.translation import gettext as say

from census_verify import clock
from households import text
from households.models import AdministrativeUnit, Posting, User
from reports import exports, permissions
from reports.models import Alert, AlertReading, Delivery, Export
from reports.official.forms import options_of
from reports.tasks import ask_for_export
from verification.models import Round
from verification.rules import Conflict, InvalidEntry


def request_export(
    *,
    by: User,
    round: Round,
    kind: str,
    format: str,
    unit: AdministrativeUnit | None,
    sort: str = "",
    state: str = "",
    as_of: date | None = None,
    outlook: str = "",
    order: str = "",
    numbers: str = "",
    reason: str = "",
) -> Export:
    """Put down what is wanted; the worker makes the file. With the broker away beat asks again. With `as_of` the
    figures of that day's cut-off, with `outlook` only the units of which that is told. Of persons also the `order`
    (`exports.columns.Order`), whether `numbers` are whole (`Posting.PersonFiles`), and what they are wanted for."""
    options = {"sort": sort, "state": state, "outlook": outlook, "order": order, "numbers": numbers}
    options |= {"as_of": as_of.isoformat()} if as_of else {}
    return _put_down(by=by, round=round, unit=unit, kind=kind, format=format, options=options, reason=reason)


def request_report(*, by: User, round: Round, unit: AdministrativeUnit, kind: str, format: str, **wanted) -> Export:
    """As `request_export`, of a report or its annexes: `wanted` says of which days, dated when, signed by whom."""
    return _put_down(by=by, round=round, unit=unit, kind=kind, format=format, options=options_of(wanted))


def request_delivery_file(*, by: User, delivery: Delivery, format: str, reason: str) -> Export:
    """As `request_export`, of the rows of a delivery. Raises InvalidEntry without a reason, Conflict once withdrawn."""
    reason = text.clean(reason)[:200]
    if not reason:
        raise InvalidEntry(say("Say what the file is for."), field="reason")
    if delivery.withdrawn_at:
        raise Conflict(say("This delivery was withdrawn: no file is made of it."))
    return _put_down(
        by=by,
        round=delivery.round,
        unit=delivery.area,
        kind=Export.Kind.DELIVERY,
        format=format,
        options={"delivery": delivery.pk, "code": delivery.code, "numbers": Posting.PersonFiles.WHOLE},
        reason=reason,
    )


@transaction.atomic
def _put_down(*, by: User, **wanted) -> Export:
    """The row of a file that is wanted; the worker is told when it is there."""
    export = Export.objects.create(owner=by, language=translation.get_language(), asked_at=clock.now(), **wanted)
    transaction.on_commit(lambda: ask_for_export(export.pk))
    return export


@transaction.atomic
def cancel_export(*, export: Export) -> None:
    """Stop a file that is no longer wanted: at once while it waits, within a second or so while a worker
    writes it. The worker holds the row, so it is told through the cache."""
    unheld = Export.objects.select_for_update(skip_locked=True).filter(pk=export.pk).first()
    if unheld is None:
        try:
            exports.ask_to_stop(export)
        except Exception as gone:
            raise Conflict(say("The file could not be stopped just now. Try once more.")) from gone
        return
    if unheld.status == Export.Status.QUEUED:
        unheld.status, unheld.finished_at = Export.Status.CANCELLED, clock.now()
        unheld.save(update_fields=["status", "finished_at"])
    elif unheld.status != Export.Status.CANCELLED:  # pressing twice is no mistake
        raise Conflict(say("The file is finished: there is nothing to stop."))


@transaction.atomic
def retry_export(*, export: Export, by: User) -> None:
    """Make a file once more that failed, was stopped or was cleared away; in the same row, so that whoever was told of
    it finds it."""
    unheld = Export.objects.select_for_update(skip_locked=True, of=("self",)).select_related("unit")
    again = unheld.filter(pk=export.pk).first()
    if again is None or again.status == Export.Status.QUEUED:
        return  # pressing twice is no mistake
    if again.status not in Export.AGAIN:
        raise Conflict(say("The file is ready: there is nothing to make once more."))
    if not again.may_be_asked_again:
        raise Conflict(say("A file that names persons is asked for anew, with a reason."))
    if not permissions.may_have(by, again):
        raise Conflict(say("This table is not yours to export."))
    exports.forget_progress(again)
    again.status, again.asked_at, again.tries = Export.Status.QUEUED, clock.now(), 0
    again.failure = again.sha256 = ""
    if again.format == Export.Format.ZIP:  # what a list becomes that is too long for one PDF
        again.format = Export.Format.PDF
    again.finished_at = again.rows = again.seen_at = again.fetched_at = None
    again.save()
    transaction.on_commit(lambda: ask_for_export(again.pk))


def see_exports(finished: QuerySet[Export]) -> None:
    """Their owner has opened them: the bell tells of them no more."""
    finished.to_tell().update(seen_at=clock.now())


def fetch_export(export: Export) -> None:
    """She has the file: when first, her page and that of a schedule's run say."""
    now = clock.now()
    Export.objects.filter(pk=export.pk, fetched_at=None).update(fetched_at=now, seen_at=Coalesce("seen_at", Value(now)))


def read_alerts(alerts: QuerySet[Alert], *, by: User) -> None:
    """She has opened them. An alert that goes further up afterwards is new to her again."""
    now = clock.now()
    readings = [AlertReading(alert_id=pk, officer=by, read_at=now) for pk in alerts.values_list("pk", flat=True)]
    AlertReading.objects.bulk_create(
        readings, update_conflicts=True, unique_fields=["alert", "officer"], update_fields=["read_at"]
    )
