"""The verbs of reporting."""

from django.db import transaction
from django.utils import translation

from census_verify import clock
from households.models import AdministrativeUnit, User
from reports.models import Export
from reports.tasks import ask_for_export
from verification.models import Round


@transaction.atomic
def request_export(
    *, by: User, round: Round, kind: str, format: str, unit: AdministrativeUnit | None, sort: str = "", state: str = ""
) -> Export:
    """Put down what is wanted; the worker makes the file. With the broker away beat asks again."""
    export = Export.objects.create(
        owner=by,
        round=round,
        kind=kind,
        format=format,
        unit=unit,
        options={"sort": sort, "state": state},
        language=translation.get_language(),
        asked_at=clock.now(),
    )
    transaction.on_commit(lambda: ask_for_export(export.pk))
    return export
