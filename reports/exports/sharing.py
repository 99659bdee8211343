"""One file of a scheduled run for all who get it: the same report is the same bytes (decision 0031), so the first
export makes it and those behind it, of the same run, kind and format, take its file over."""

import os
import shutil
from pathlib import Path

from django.db.models import Max, QuerySet

from reports.models import Export

Status = Export.Status


def alike(export: Export) -> QuerySet[Export]:
    """This export and those that hold the same; only itself where it is of no run."""
    if export.run_id is None:
        return Export.objects.filter(pk=export.pk)
    same = {name: getattr(export, name) for name in ("run_id", "kind", "format", "options", "language", "unit_id")}
    return Export.objects.filter(**same)


def must_wait(export: Export) -> bool:
    """One before it is still to be made: the work is done once."""
    return alike(export).filter(pk__lt=export.pk, status=Status.QUEUED).exists()


def tries_of(export: Export) -> int:
    """How often its making was begun. What kills its worker for one kills it for all; one that is asked for once more
    does not count those before it."""
    return alike(export).filter(asked_at__gte=export.asked_at).aggregate(Max("tries"))["tries__max"]


def queued_behind(export: Export) -> list[int]:
    return list(
        alike(export).filter(pk__gt=export.pk, status=Status.QUEUED).order_by("pk").values_list("pk", flat=True)
    )


def take_over(twin: Path, path: Path) -> None:
    """The same file under another name; a copy where the disk knows no links."""
    try:
        os.link(twin, path)
    except OSError:
        shutil.copyfile(twin, path)
