"""Where an officer keeps schedules: what is made there goes to others, so a posting to that very office is asked."""

from django.db.models import F, Q

from census_verify import clock
from households.models import AdministrativeUnit, Posting, TeamCommune
from households.permissions import Role, scope_of

Level = AdministrativeUnit.Level
KEEPING_ROLES = (Role.ADMINISTRATOR, Role.PC06_OFFICER, Role.DISTRICT_OFFICER)


def areas_of(officer) -> list[AdministrativeUnit]:
    """PC06 and administrators keep those of their province, district officers those of their district."""
    scope = scope_of(officer)
    return scope.units_as(*KEEPING_ROLES)


def units_to_schedule(officer) -> list[AdministrativeUnit]:
    """Of which she may have files made: her areas, and what lies right below them."""
    areas = areas_of(officer)
    below = AdministrativeUnit.objects.filter(parent__in=areas, level__lte=Level.COMMUNE).valid_on(clock.today())
    return list(dict.fromkeys([*areas, *below.in_order()]))


def may_receive(unit: AdministrativeUnit) -> list[Posting]:
    """The officers posted today where the unit's figures are seen, by their posting: at the unit itself, above it, or
    in the team of the commune. Each once, the highest posting first."""
    today = clock.today()
    above = [int(pk) for pk in unit.path.strip("/").split("/")]
    teams = TeamCommune.objects.valid_on(today).filter(commune=unit).values("team")
    postings = Posting.objects.valid_on(today).filter(Q(unit__in=above) | Q(team__in=teams), user__is_active=True)
    found = postings.select_related("user", "unit", "team").order_by(
        F("unit__level").asc(nulls_last=True), "role", "user__full_name", "user__pk"
    )
    first = {}
    for posting in found:
        first.setdefault(posting.user_id, posting)
    return list(first.values())
