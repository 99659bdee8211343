"""The kinds of import there are, and what loading one means for the rounds."""

from households.imports import stages
from households.imports.form_load import FormKind
from households.models import Import
from verification import form_values, outbox
from verification.models import Round
from verification.result_import import ResultKind
from verification.scan_import import ScanKind

# A form with a result stays as its officer saw it.
HAS_A_RESULT = "EXISTS (SELECT 1 FROM verification_verificationpass p WHERE p.form_id = f.id)"
KINDS: dict[str, stages.Kind] = {
    Import.Kind.FORMS: FormKind(
        keeps=HAS_A_RESULT, changed_items=form_values.CHANGED_ITEMS, second_reader="verification.second_reader"
    ),
    Import.Kind.SCANS: ScanKind(),
    Import.Kind.RESULTS: ResultKind(),
}


def check(import_id: int) -> Import | None:
    """`stages.check` for the import's own kind."""
    return stages.check(import_id, _kind_of(import_id))


def load(import_id: int) -> Import | None:
    """`stages.load` for the import's own kind; the communes' figures are counted anew."""
    return stages.load(import_id, _kind_of(import_id), mark_changed)


def cancel(job: Import) -> Import:
    return stages.cancel(job, KINDS[job.kind])


def _kind_of(import_id: int) -> stages.Kind:
    return KINDS[Import.objects.values_list("kind", flat=True).get(pk=import_id)]


def mark_changed(job: Import, commune_ids: set[int]) -> None:
    for round in Round.objects.exclude(status=Round.Status.PLANNED):
        outbox.mark(round.pk, commune_ids)
