"""Schedules made, changed, paused and ended. What is due counts from the moment of the change: nothing of the time
before is run afterwards."""

from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as say

from census_verify import clock
from households.models import AdministrativeUnit, User
from reports.models import Schedule
from verification.rules import Conflict

Status = Schedule.Status
WHEN = ("rhythm", "weekdays", "day_of_month", "at")


@transaction.atomic
def make_schedule(*, by: User, unit: AdministrativeUnit, request: UUID, recipients: list[User], **what) -> Schedule:
    """`request` is the page's that asks: sent twice, it is one schedule."""
    now = clock.now()
    marks = {"made_by": by, "made_at": now, "changed_by": by, "changed_at": now, "counts_from": now}
    schedule, is_new = Schedule.objects.get_or_create(request=request, defaults={"unit": unit} | what | marks)
    if is_new:
        schedule.recipients.set(recipients)
    return schedule


@transaction.atomic
def change_schedule(*, by: User, schedule: Schedule, recipients: list[User], **what) -> Schedule:
    locked = _locked(schedule)
    require_not_ended(locked)
    if any(getattr(locked, name) != what[name] for name in WHEN):
        locked.counts_from = clock.now()
    for name, value in what.items():
        setattr(locked, name, value)
    locked.recipients.set(recipients)
    return _changed(locked, by)


@transaction.atomic
def pause_schedule(*, by: User, schedule: Schedule) -> Schedule:
    return _turn(_locked(schedule), Status.PAUSED, by)


@transaction.atomic
def resume_schedule(*, by: User, schedule: Schedule) -> Schedule:
    return _turn(_locked(schedule), Status.ACTIVE, by)


@transaction.atomic
def end_schedule(*, by: User, schedule: Schedule) -> Schedule:
    """For good; its runs and files stay."""
    return _turn(_locked(schedule), Status.ENDED, by)


def require_not_ended(schedule: Schedule) -> None:
    if schedule.status == Status.ENDED:
        raise Conflict(say("This schedule has ended and stays as it is. Make a new one."))


def _turn(schedule: Schedule, status: Status, by: User) -> Schedule:
    if schedule.status == status:  # pressing twice is no mistake
        return schedule
    require_not_ended(schedule)
    schedule.status, schedule.counts_from = status, clock.now()
    return _changed(schedule, by)


def _changed(schedule: Schedule, by: User) -> Schedule:
    schedule.changed_by, schedule.changed_at = by, clock.now()
    schedule.save()
    return schedule


def _locked(schedule: Schedule) -> Schedule:
    return Schedule.objects.select_for_update().get(pk=schedule.pk)
