"""Runs what is due: once, whoever asks and however often; what was missed is made up by one run."""

import logging
from datetime import date, datetime

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from census_verify import clock
from households.models import User
from reports import permissions
from reports.models import Export, Schedule, ScheduleRun
from reports.official.contents import usual_date
from reports.official.forms import options_of
from reports.official.letter import Signs
from reports.official.periods import Kind, period_ending
from reports.schedules.keeping import require_not_ended
from reports.schedules.rhythm import ONE_DAY, rhythm_of
from verification.models import Round

Outcome = ScheduleRun.Outcome
logger = logging.getLogger(__name__)


def run_due() -> list[int]:
    """Everything that fell due since it was looked at last. Returns the exports that are to be made.

    A schedule is run whole or not at all, under its own lock: two workers, or one that died in the middle, make one run
    of a due time.
    """
    now, asked = clock.now(), []
    active = Schedule.objects.filter(status=Schedule.Status.ACTIVE, counts_from__lt=now)
    for pk in list(active.values_list("pk", flat=True)):
        try:
            asked += _run_schedule(pk, now)
        except Exception:  # one that cannot be run holds up no other one; it is tried again the next time
            logger.exception("schedule %s could not be run", pk)
    return asked


def run_now(schedule: Schedule, *, by: User) -> list[int]:
    """By hand, whatever its rhythm. Nothing while its files are being made, or when it was run this very minute: pressing
    twice is no mistake."""
    due_at = clock.now().replace(second=0, microsecond=0)
    with transaction.atomic():
        locked = Schedule.objects.select_for_update().get(pk=schedule.pk)
        require_not_ended(locked)
        if Export.objects.filter(run__schedule=locked, status=Export.Status.QUEUED).exists():
            return []
        return _run_once(locked, due_at, by=by)


def day_of(schedule: Schedule, round: Round, due_at: datetime) -> date:
    """The last day of its report: as the schedule says, of the day on which it is due or the last one that is cut off."""
    return timezone.localdate(due_at) if schedule.of_today else round.known_on(due_at) - ONE_DAY


@transaction.atomic
def _run_schedule(pk: int, now: datetime) -> list[int]:
    schedule = Schedule.objects.select_for_update(skip_locked=True).filter(pk=pk, status=Schedule.Status.ACTIVE).first()
    due = rhythm_of(schedule).due_between(schedule.counts_from, now) if schedule else []
    if not due:
        return []
    *missed, last = due
    ScheduleRun.objects.bulk_create(
        [ScheduleRun(schedule=schedule, due_at=at, started_at=now, outcome=Outcome.MADE_UP) for at in missed],
        ignore_conflicts=True,
    )
    schedule.counts_from = last
    schedule.save(update_fields=["counts_from"])
    return _run_once(schedule, last)


def _run_once(schedule: Schedule, due_at: datetime, *, by: User | None = None) -> list[int]:
    """The run of one due time, and an export of each file for each recipient who may see the unit today."""
    facts = {"started_at": clock.now(), "by": by, "outcome": Outcome.FILES}
    run, is_new = ScheduleRun.objects.get_or_create(schedule=schedule, due_at=due_at, defaults=facts)
    if not is_new:
        return []
    round = Round.objects.current()
    run.outcome, run.until = _what_to_make(schedule, round, due_at)
    exports = _ask(run, round) if run.outcome == Outcome.FILES else []
    if run.outcome == Outcome.FILES and not exports:
        run.outcome = Outcome.NOBODY
    run.save(update_fields=["outcome", "until"])
    return [export.pk for export in exports]


def _what_to_make(schedule: Schedule, round: Round | None, due_at: datetime) -> tuple[Outcome, date | None]:
    if round is None or round.status != Round.Status.OPEN:
        return Outcome.NO_ROUND, None
    until = day_of(schedule, round, due_at)
    return (Outcome.FILES, until) if until >= round.starts_on else (Outcome.NOT_BEGUN, None)


def _ask(run: ScheduleRun, round: Round) -> list[Export]:
    schedule = run.schedule
    period = period_ending(Kind(schedule.period), run.until, starts_on=round.starts_on)
    wanted = {"period": period, "dated_on": usual_date(round, period), "signs": Signs(schedule.signs)}
    may, may_not = [], []
    for officer in schedule.recipients.order_by("pk"):
        allowed = permissions.can_export(officer, Export.Kind.REPORT, schedule.unit)
        (may if allowed else may_not).append(officer)
    run.left_out.set(may_not)
    exports = []
    for file in schedule.files:
        kind, format = file.split(".")
        is_word = file == Schedule.File.REPORT_WORD
        of_file = {
            "annex": schedule.annex if kind == Export.Kind.ANNEXES else "",
            "template": schedule.template if is_word else None,
        }
        exports += [
            Export(
                run=run,
                owner=officer,
                round=round,
                unit=schedule.unit,
                kind=kind,
                format=format,
                options=options_of(wanted | of_file),
                language=settings.LANGUAGE_CODE,
                asked_at=run.started_at,
            )
            for officer in may
        ]
    return Export.objects.bulk_create(exports)
