"""Who may do what with results. Which rows: `visible_to` of the querysets."""

from households.permissions import Role, scope_of

REGISTER_ROLES = {Role.PC06_OFFICER, Role.ADMINISTRATOR}


def can_record_in(officer, commune_id: int) -> bool:
    """Results are recorded by the commune's officers and by the team that works there."""
    return scope_of(officer).records_in(commune_id)


def can_run_rounds(officer) -> bool:
    """PC06 and administrators open rounds and adjust plans."""
    return bool(scope_of(officer).roles & REGISTER_ROLES)
