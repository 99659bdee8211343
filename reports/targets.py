"""What the targets of a round come to: held, still open, hardly to be reached or missed, and which units break them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from math import ceil

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from reports.forecast import Forecast
from reports.progress import Progress, UnitRow
from verification.models import Target
from verification.rules import needed_per_day

Kind = Target.Kind
AT_ONCE = 8


class Standing(TextChoices):
    MET = "met", _("met")
    OPEN = "open", _("not yet")
    UNLIKELY = "unlikely", _("hardly to be reached")
    MISSED = "missed", _("missed")
    NO_PLAN = "no_plan", _("no plan")


@dataclass(frozen=True)
class TargetState:
    target: Target
    standing: Standing
    value: Decimal | None = None  # what is there now: percent, or points
    missing: int = 0  # forms that the whole, or all the units under the floor, still need
    per_day: int | None = None  # of these a day from tomorrow; None when the time is over
    breakers: list[UnitRow] = field(default_factory=list)  # the units that break it, the worst first


def states_of(shown: Progress, read_communes: Callable[[], list[UnitRow]]) -> list[TargetState]:
    """Those of the whole first, by their due dates. `read_communes`: those below, asked only where a target is about
    them."""
    states, communes = [], None
    for target in sorted(shown.round.stored_targets, key=lambda target: target.kind != Kind.OVERALL):
        if target.kind == Kind.OVERALL:
            states.append(_overall(target, shown))
            continue
        communes = read_communes() if communes is None else communes
        if len(communes) > 1:
            states.append((_floor if target.kind == Kind.EACH_COMMUNE else _spread)(target, shown, communes))
    return states


def needed_for(target: Target, plan: int) -> int:
    """Forms that meet it."""
    return ceil(plan * target.percent / 100)


def _overall(target: Target, shown: Progress) -> TargetState:
    tally = shown.tally
    if not tally.plan:
        return TargetState(target, Standing.NO_PLAN)
    missing = max(needed_for(target, tally.plan) - tally.verified, 0)
    standing = _standing(target, missing, shown.day, lambda: shown.forecast)
    return TargetState(target, standing, tally.rate, missing, _per_day(target, missing, shown.day))


def _floor(target: Target, shown: Progress, communes: list[UnitRow]) -> TargetState:
    planned = [row for row in communes if row.tally.plan]
    missing = {row.owner.pk: needed_for(target, row.tally.plan) - row.tally.verified for row in planned}
    breakers = sorted((row for row in planned if missing[row.owner.pk] > 0), key=lambda row: row.tally.rate)
    if not planned:
        return TargetState(target, Standing.NO_PLAN)
    standing = _of_all(target, shown, breakers, missing)
    together = sum(missing[row.owner.pk] for row in breakers)
    lowest = min(row.tally.rate for row in planned)
    return TargetState(target, standing, lowest, together, _per_day(target, together, shown.day), breakers)


def _of_all(target: Target, shown: Progress, breakers: list[UnitRow], missing: dict[int, int]) -> Standing:
    """As the worst of them. The last ones are asked first: one that cannot reach it settles it for all."""
    if not breakers:
        return Standing.MET
    for first in range(0, len(breakers), AT_ONCE):
        for row in shown.source.with_days(breakers[first : first + AT_ONCE]):
            standing = _standing(target, missing[row.owner.pk], shown.day, lambda row=row: row.forecast)
            if standing != Standing.OPEN:
                return standing
    return Standing.OPEN


def _spread(target: Target, shown: Progress, communes: list[UnitRow]) -> TargetState:
    """What the last commune needs to come near enough to the best one is no number of forms that stands still,
    so only what is there now is told."""
    planned = sorted((row for row in communes if row.tally.plan), key=lambda row: row.tally.rate)
    if not planned:
        return TargetState(target, Standing.NO_PLAN)
    best, apart = planned[-1].tally.rate, planned[-1].tally.rate - planned[0].tally.rate
    breakers = [row for row in planned if best - row.tally.rate > target.percent]
    standing = Standing.MET if not breakers else Standing.MISSED if shown.day > target.due_on else Standing.OPEN
    return TargetState(target, standing, apart, breakers=breakers)


def _standing(target: Target, missing: int, day: date, forecast: Callable[[], Forecast]) -> Standing:
    if missing <= 0:
        return Standing.MET
    if day >= target.due_on:
        return Standing.MISSED
    best = [band for band in forecast().band(target.due_on) if band.day == target.due_on]
    verified = forecast().verified
    return Standing.OPEN if best and best[-1].high - verified >= missing else Standing.UNLIKELY


def _per_day(target: Target, missing: int, day: date) -> int | None:
    return needed_per_day(missing, first_day=day + timedelta(days=1), due_on=target.due_on)
