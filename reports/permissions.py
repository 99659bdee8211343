"""Who may see which figures and ask for which files."""

from django.db.models import QuerySet

from households.models import AdministrativeUnit, Posting, WorkTeam
from households.permissions import scope_of
from reports.models import Delivery, Disclosure, Export

PersonFiles = Posting.PersonFiles
# which right each kind of file with persons asks for
FILES_FOR = {
    Export.Kind.FORMS: (PersonFiles.MASKED, PersonFiles.WHOLE),
    Export.Kind.REGISTER: (PersonFiles.WHOLE,),
}


def teams_visible_to(officer) -> QuerySet[WorkTeam]:
    """Teams of the districts whose figures she may see, and her own."""
    scope = scope_of(officer)
    teams = WorkTeam.objects.filter(scope.figures_filter("district__path")) | WorkTeam.objects.filter(
        pk__in=scope.team_ids
    )
    return teams.distinct()


def template_areas_of(officer) -> list[AdministrativeUnit]:
    """The provinces whose report templates she looks after: administrators only."""
    areas = scope_of(officer).units_as(Posting.Role.ADMINISTRATOR)
    return [unit for unit in areas if unit.level == AdministrativeUnit.Level.PROVINCE]


def delivery_areas_of(officer) -> list[AdministrativeUnit]:
    """The provinces whose corrections she delivers to the national database: PC06 and administrators."""
    areas = scope_of(officer).units_as(Posting.Role.PC06_OFFICER, Posting.Role.ADMINISTRATOR)
    return [unit for unit in areas if unit.level == AdministrativeUnit.Level.PROVINCE]


def can_export(officer, kind: str, unit: AdministrativeUnit | None) -> bool:
    """Figures of units she sees; persons only where she sees them and has the right to files with persons."""
    scope = scope_of(officer)
    if kind == Export.Kind.TEAMS:
        return teams_visible_to(officer).exists()
    if kind == Export.Kind.DELIVERY:
        return unit in delivery_areas_of(officer) and sees_whole_numbers(officer, unit)
    if unit is None or not scope.figures_cover(unit):
        return False
    if kind == Export.Kind.DAYS and unit.level == AdministrativeUnit.Level.HAMLET:
        return False  # days are counted from the commune upwards
    if kind in Export.REPORTS and unit.level == AdministrativeUnit.Level.HAMLET:
        return False  # reports go up from the commune
    if kind not in Export.PERSONS:
        return True
    return scope.persons_cover(unit) and scope.persons_in_files(unit) in FILES_FOR[kind]


def may_have(officer, export: Export) -> bool:
    """This very file: with whole numbers only as long as she has the right to them, of a delivery only as long as it
    was not withdrawn."""
    if export.kind == Export.Kind.DELIVERY and Delivery.objects.filter(
        pk=export.options["delivery"], withdrawn_at__isnull=False
    ):
        return False
    if export.options.get("numbers") == PersonFiles.WHOLE:
        return can_export(officer, export.kind, export.unit) and sees_whole_numbers(officer, export.unit)
    return can_export(officer, export.kind, export.unit)


def sees_whole_numbers(officer, unit: AdministrativeUnit) -> bool:
    return scope_of(officer).persons_in_files(unit) == PersonFiles.WHOLE


def can_read_disclosures(officer) -> bool:
    """PC06 and administrators look after who takes files with persons."""
    return bool(scope_of(officer).units_as(*Disclosure.READERS))
