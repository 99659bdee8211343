from django.core.management.base import BaseCommand, CommandError

from households.models import AdministrativeUnit
from reports.rollups import sweep_faults


class Command(BaseCommand):
    help = (
        "Ask the rules of the error catalogue about every form of the register, or of some units, and store what "
        "they suspect. Running it again changes nothing."
    )

    def add_arguments(self, parser):
        parser.add_argument(
            "--unit",
            action="append",
            default=[],
            help="code of a commune, district or province of today; may be repeated",
        )

    def handle(self, *args, unit: list[str], **options):
        swept = sweep_faults(_communes_under(unit) if unit else None)
        self.stdout.write(
            f"{swept.forms} forms read; {swept.stored} suspicions stored, {swept.removed} removed, "
            f"in {len(swept.communes)} communes"
        )


def _communes_under(codes: list[str]) -> list[int]:
    communes: set[int] = set()
    for code in codes:
        unit = AdministrativeUnit.objects.filter(
            code=code, valid_to=None, level__lte=AdministrativeUnit.Level.COMMUNE
        ).first()
        if unit is None:
            raise CommandError(f"There is no unit of today with the code {code}. Nothing was done.")
        below = AdministrativeUnit.objects.under(unit).filter(level=AdministrativeUnit.Level.COMMUNE)
        communes |= set(below.values_list("pk", flat=True))
    return sorted(communes)
