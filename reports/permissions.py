"""Who may see which figures and ask for which files."""

from django.db.models import QuerySet

from households.models import AdministrativeUnit, Posting, WorkTeam
from households.permissions import scope_of
from reports.models import Export


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
    scope = scope_of(officer)
    areas = scope.units_as(Posting.Role.PC06_OFFICER) + scope.units_as(Posting.Role.ADMINISTRATOR)
    return [unit for unit in dict.fromkeys(areas) if unit.level == AdministrativeUnit.Level.PROVINCE]


def can_export(officer, kind: str, unit: AdministrativeUnit | None) -> bool:
    """Figures of units she sees; lists of persons only where she sees the persons."""
    scope = scope_of(officer)
    if kind == Export.Kind.TEAMS:
        return teams_visible_to(officer).exists()
    if kind == Export.Kind.DELIVERY:
        return unit in delivery_areas_of(officer)
    if unit is None or not scope.figures_cover(unit):
        return False
    if kind == Export.Kind.DAYS and unit.level == AdministrativeUnit.Level.HAMLET:
        return False  # days are counted from the commune upwards
    if kind in Export.REPORTS and unit.level == AdministrativeUnit.Level.HAMLET:
        return False  # reports go up from the commune
    return kind != Export.Kind.FORMS or scope.persons_cover(unit)
