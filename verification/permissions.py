"""Who may do what with results. Which rows: `visible_to` of the querysets."""

from households.models import AdministrativeUnit
from households.permissions import Role, scope_of
from verification.models import Round

ROUND_ROLES = {Role.PC06_OFFICER, Role.ADMINISTRATOR}
DECIDING_ROLES = {
    Round.ApprovingLevel.DISTRICT: Role.DISTRICT_OFFICER,
    Round.ApprovingLevel.PROVINCE: Role.PC06_OFFICER,
}


def can_record_in(officer, commune_id: int) -> bool:
    """Results are recorded by the commune's officers and by the team that works there."""
    return scope_of(officer).records_in(commune_id)


def can_run_rounds_in(officer, area: AdministrativeUnit) -> bool:
    """PC06 and administrators open rounds, adjust plans and assign teams in their own area."""
    scope = scope_of(officer)
    return bool(scope.roles & ROUND_ROLES) and scope.figures_cover(area)


def units_to_decide_in(officer, round: Round) -> list[AdministrativeUnit]:
    """The districts (or provinces, as the round says) whose corrections and removals she approves or returns."""
    return scope_of(officer).units_as(DECIDING_ROLES[round.approving_level])


def can_decide_in(officer, commune: AdministrativeUnit, round: Round) -> bool:
    """The district approves or returns what its communes corrected or propose to remove."""
    return any(commune.is_under(unit) for unit in units_to_decide_in(officer, round))


def can_see_queue(officer) -> bool:
    """Whoever sees the persons of a district or more may read what waits there; who decides is another question."""
    return any(unit.level <= AdministrativeUnit.Level.DISTRICT for unit in scope_of(officer).person_units)
