"""Who may see which rows, and who may do what, by posting."""

from dataclasses import dataclass

from django.db.models import Q
from rest_framework.permissions import BasePermission

from census_verify import clock
from households.models.officers import Posting, TeamCommune
from households.models.units import AdministrativeUnit

Role = Posting.Role
NOBODY = Q(pk__in=[])


@dataclass(frozen=True)
class Scope:
    """What an officer's postings of today open to her."""

    roles: frozenset[str] = frozenset()
    figure_units: tuple[AdministrativeUnit, ...] = ()
    person_units: tuple[AdministrativeUnit, ...] = ()
    record_unit_ids: frozenset[int] = frozenset()  # communes where she works, not those she only supervises
    team_ids: tuple[int, ...] = ()

    @property
    def can_record(self) -> bool:
        return bool(self.record_unit_ids)

    @property
    def home_unit(self) -> AdministrativeUnit | None:
        """The unit her first page shows: the highest she is posted to."""
        return min(self.figure_units, key=lambda unit: (unit.level, unit.code), default=None)

    @property
    def import_areas(self) -> list[AdministrativeUnit]:
        """The provinces into whose register she may import: administrators only."""
        if Role.ADMINISTRATOR not in self.roles:
            return []
        return [unit for unit in self.person_units if unit.level == AdministrativeUnit.Level.PROVINCE]

    def figures_cover(self, unit: AdministrativeUnit) -> bool:
        return any(unit.is_under(above) for above in self.figure_units)

    def persons_cover(self, unit: AdministrativeUnit) -> bool:
        return any(unit.is_under(above) for above in self.person_units)

    def figures_filter(self, path: str = "commune__path") -> Q:
        """Rows of units whose figures she may see; `path` names the column with the unit's path."""
        condition = NOBODY
        for unit in self.figure_units:
            condition |= Q(**{f"{path}__startswith": unit.path})
        return condition

    def persons_filter(self, prefix: str = "") -> Q:
        """Rows of persons she may see; `prefix` leads to the row that carries province and commune."""
        condition = NOBODY
        for unit in self.person_units:
            if unit.level == AdministrativeUnit.Level.COMMUNE:
                condition |= Q(**{f"{prefix}commune_id": unit.pk})
            else:
                condition |= Q(**{f"{prefix}commune__path__startswith": unit.path})
        return condition

    def persons_filter_of_units(self) -> Q:
        """Units whose persons she may see."""
        condition = NOBODY
        for unit in self.person_units:
            condition |= Q(path__startswith=unit.path)
        return condition

    def records_in(self, commune_id: int) -> bool:
        """May she record results in this commune? Supervisors look, they do not record."""
        return commune_id in self.record_unit_ids


def scope_of(officer) -> Scope:
    """The scope of today, kept on the officer object, so once a request."""
    if not officer.is_authenticated or not officer.is_active:
        return Scope()
    today = clock.today()
    kept = getattr(officer, "_scope", None)
    if kept and kept[0] == today:
        return kept[1]
    postings = list(officer.postings.valid_on(today).select_related("unit", "team"))
    person_units = [p.unit for p in postings if p.unit and p.role != Role.LEADER]
    leader_units = [p.unit for p in postings if p.role == Role.LEADER]
    record_unit_ids = {p.unit_id for p in postings if p.role == Role.COMMUNE_OFFICER}
    team_ids = tuple(p.team_id for p in postings if p.team_id)
    if team_ids:
        assigned = TeamCommune.objects.valid_on(today).filter(team__in=team_ids)
        team_communes = [row.commune for row in assigned.select_related("commune").order_by("commune__code")]
        person_units += team_communes
        record_unit_ids |= {commune.pk for commune in team_communes}
    scope = Scope(
        roles=frozenset(p.role for p in postings),
        figure_units=tuple(dict.fromkeys(person_units + leader_units)),
        person_units=tuple(dict.fromkeys(person_units)),
        record_unit_ids=frozenset(record_unit_ids),
        team_ids=team_ids,
    )
    officer._scope = (today, scope)
    return scope


def import_areas_of(officer) -> list[AdministrativeUnit]:
    """The provinces into whose register she may import."""
    return scope_of(officer).import_areas


class IsPostedOfficer(BasePermission):
    """The API is closed to whoever has no posting today."""

    def has_permission(self, request, view) -> bool:
        return bool(scope_of(request.user).roles)
