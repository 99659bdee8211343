"""Who may do what with results. Which rows: `visible_to` of the querysets."""

from households.models import AdministrativeUnit
from households.permissions import Role, scope_of

ROUND_ROLES = {Role.PC06_OFFICER, Role.ADMINISTRATOR}
DECIDING_ROLES = {Role.DISTRICT_OFFICER}


def can_record_in(officer, commune_id: int) -> bool:
    """Results are recorded by the commune's officers and by the team that works there."""
    return scope_of(officer).records_in(commune_id)


def can_run_rounds_in(officer, area: AdministrativeUnit) -> bool:
    """PC06 and administrators open rounds, adjust plans and assign teams in their own area."""
    scope = scope_of(officer)
    return bool(scope.roles & ROUND_ROLES) and scope.figures_cover(area)


def can_decide_in(officer, commune: AdministrativeUnit) -> bool:
    """The district approves or returns what its communes corrected or propose to remove."""
    scope = scope_of(officer)
    return bool(scope.roles & DECIDING_ROLES) and scope.persons_cover(commune)
