"""Keeps the rows of alerts equal to what the rules find: told once, further up when it goes on, over when it is."""

from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction
from django.utils import timezone

from census_verify import clock
from reports.alerts.rules import ONE_DAY, Course, Finding, findings_of
from reports.live import Live
from reports.models import Alert
from reports.progress import UnitRow
from verification import waiting
from verification.models import Round

LOCK = 20200631  # two makers at once would tell one thing twice; rollups.LOCK is the one before


@dataclass(frozen=True)
class Made:
    told: int  # alerts that somebody is told of who was not
    ended: int


def make_alerts() -> Made:
    """May run as often as one likes: what was told stays told. Nothing is left open of a round that is closed."""
    now = clock.now()
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        round = Round.objects.current()
        found = _found(round, now) if round and round.status == Round.Status.OPEN else {}
        return _keep(round, found, now)


def _found(round: Round, now: datetime) -> dict[tuple[int, str], Finding]:
    """By commune and kind."""
    source = Live(round)
    rows = source.with_days(source.communes_under(round.area))
    returned = waiting.returned_by_commune(round)
    return {
        (row.owner.pk, finding.kind): finding
        for row in rows
        for finding in findings_of(_course(row, round, now, returned.get(row.owner.pk)))
    }


def _course(row: UnitRow, round: Round, now: datetime, returned: waiting.Summary | None) -> Course:
    since = returned.since.astimezone(timezone.get_default_timezone()).date() if returned else None
    return Course(
        day=round.known_on(now) - ONE_DAY,
        starts_on=round.starts_on,
        ends_on=round.ends_on,
        base=row.tally.base,
        left=row.tally.left,
        days=row.days,
        returned=returned.count if returned else 0,
        returned_since=since,
        today=timezone.localdate(now),
    )


def _keep(round: Round | None, found: dict[tuple[int, str], Finding], now: datetime) -> Made:
    open_alerts = {(alert.unit_id, alert.kind): alert for alert in Alert.objects.open().filter(round=round)}
    left_open = Alert.objects.open().exclude(pk__in=[open_alerts[key].pk for key in found if key in open_alerts])
    ended = left_open.update(ended_at=now)
    told, changed, new = 0, [], []
    known = _told_before(round, {key: found[key] for key in found if key not in open_alerts}, now)
    for key, finding in found.items():
        alert = open_alerts.get(key) or known.get(key)
        if alert is None:
            facts = {"since": finding.since, "reach": finding.reach, "facts": finding.facts}
            new.append(Alert(round=round, unit_id=key[0], kind=finding.kind, told_at=now, **facts))
            continue
        was = (alert.since, alert.reach, alert.facts, alert.ended_at)
        if finding.reach < alert.reach:  # it goes further up: all of them are told, the commune that they were
            alert.reach, alert.told_at = finding.reach, now
            told += 1
        alert.since, alert.facts, alert.ended_at = finding.since, finding.facts, None
        if (alert.since, alert.reach, alert.facts, alert.ended_at) != was:
            changed.append(alert)
    Alert.objects.bulk_update(changed, ["since", "reach", "told_at", "facts", "ended_at"])
    Alert.objects.bulk_create(new)
    return Made(told + len(new), ended)


def _told_before(round: Round | None, found: dict[tuple[int, str], Finding], now: datetime) -> dict:
    """Alerts that were over and are taken up again without a word: of the same beginning, or told this very day."""
    if not found:
        return {}
    today = timezone.localdate(now)
    units = {unit_id for unit_id, _kind in found}
    over = Alert.objects.filter(round=round, unit__in=units).exclude(ended_at=None).order_by("told_at")
    return {
        key: alert
        for alert in over
        if (key := (alert.unit_id, alert.kind)) in found
        and (alert.since == found[key].since or timezone.localdate(alert.told_at) == today)
    }
