"""Who may see which rows, and who may do what, by posting."""

from dataclasses import dataclass
from datetime import date

from django.db.models import Q
from rest_framework.permissions import BasePermission

from census_verify import clock
from households.models.officers import Posting, User
from households.models.units import UNIT_COLUMNS, AdministrativeUnit
from households.statements import Statement

Role, PersonFiles = Posting.Role, Posting.PersonFiles
RECORDING_ROLES = {Role.COMMUNE_OFFICER, Role.TEAM_MEMBER}
NOBODY = Q(pk__in=[])


@dataclass(frozen=True)
class Scope:
    """What an officer's postings of today open to her."""

    roles: frozenset[str] = frozenset()
    figure_units: tuple[AdministrativeUnit, ...] = ()
    person_units: tuple[AdministrativeUnit, ...] = ()
    postings: tuple[tuple[str, AdministrativeUnit], ...] = ()  # (role, unit); a team's communes each
    record_unit_ids: frozenset[int] = frozenset()  # communes where she works, not those she only supervises
    team_ids: tuple[int, ...] = ()
    file_rights: tuple[tuple[AdministrativeUnit, str], ...] = ()  # where she may make files with lists of persons

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

    def units_as(self, *roles: str) -> list[AdministrativeUnit]:
        """Where she is posted in one of these roles."""
        return list(dict.fromkeys(unit for posted, unit in self.postings if posted in roles))

    def figures_cover(self, unit: AdministrativeUnit) -> bool:
        return any(unit.is_under(above) for above in self.figure_units)

    def persons_cover(self, unit: AdministrativeUnit) -> bool:
        return self.persons_cover_path(unit.path)

    def persons_cover_path(self, path: str) -> bool:
        return any(path.startswith(above.path) for above in self.person_units)

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

    def persons_in_files(self, unit: AdministrativeUnit) -> str:
        """The widest `Posting.PersonFiles` she has for files of the unit's persons; blank where she has none."""
        rights = {right for above, right in self.file_rights if unit.is_under(above)}
        return next((right for right in (PersonFiles.WHOLE, PersonFiles.MASKED) if right in rights), PersonFiles.NONE)

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
    _officer, scope = _read_officer(officer.pk, today)
    officer._scope = (today, scope)
    return scope


def officer_with_scope(user_id: int) -> User | None:
    """The account and its scope of today in one question: every request asks it."""
    today = clock.today()
    officer, scope = _read_officer(user_id, today)
    if officer:
        officer._scope = (today, scope)
    return officer


USER_COLUMNS = [field.attname for field in User._meta.concrete_fields]
# One row for each unit of each posting valid today: the unit posted to, or each commune of the team and of the
# districts it helps out in.
# Written out, because building it from querysets takes longer than the rest of a request's welcome.
OFFICER = Statement(
    "officer_with_postings",
    "bigint, date",
    f"""
    SELECT {", ".join(f"officer.{c}" for c in USER_COLUMNS)}, posting.role, posting.team_id, posting.person_files,
        {", ".join(f"unit.{c}" for c in UNIT_COLUMNS)}
    FROM households_user officer
    LEFT JOIN households_posting posting ON posting.user_id = officer.id
        AND posting.valid_from <= $2 AND (posting.valid_to IS NULL OR posting.valid_to > $2)
    LEFT JOIN LATERAL (
        SELECT commune_id FROM households_teamcommune
        WHERE team_id = posting.team_id AND valid_from <= $2 AND (valid_to IS NULL OR valid_to > $2)
        UNION
        SELECT commune.id FROM households_reinforcement helps
        JOIN households_administrativeunit commune ON commune.parent_id = helps.district_id
        WHERE helps.team_id = posting.team_id AND $2 BETWEEN helps.starts_on AND helps.ends_on
            AND helps.cancelled_at IS NULL
    ) assigned ON posting.team_id IS NOT NULL
    LEFT JOIN households_administrativeunit unit ON unit.id = coalesce(posting.unit_id, assigned.commune_id)
    WHERE officer.id = $1
    ORDER BY posting.team_id NULLS FIRST, unit.code, posting.id""",
)


def _read_officer(user_id: int, today: date) -> tuple[User | None, Scope]:
    rows = OFFICER.rows(user_id, today)
    if not rows:
        return None, Scope()
    width = len(USER_COLUMNS)
    postings = []
    for row in rows:
        role, team_id, files, unit = row[width], row[width + 1], row[width + 2], row[width + 3 :]
        if role:
            place = AdministrativeUnit.from_db("default", UNIT_COLUMNS, unit) if unit[0] else None
            postings.append((role, team_id, files, place))
    units = [(role, unit) for role, _team, _files, unit in postings if unit]
    person_units = [unit for role, unit in units if role != Role.LEADER]
    leader_units = [unit for role, unit in units if role == Role.LEADER]
    return User.from_db("default", USER_COLUMNS, rows[0][:width]), Scope(
        roles=frozenset(role for role, _team, _files, _unit in postings),
        figure_units=tuple(dict.fromkeys(person_units + leader_units)),
        person_units=tuple(dict.fromkeys(person_units)),
        postings=tuple(units),
        record_unit_ids=frozenset(unit.pk for role, unit in units if role in RECORDING_ROLES),
        team_ids=tuple(dict.fromkeys(team_id for _role, team_id, _files, _unit in postings if team_id)),
        file_rights=tuple((unit, files) for _role, _team, files, unit in postings if unit and files),
    )


def import_areas_of(officer) -> list[AdministrativeUnit]:
    """The provinces into whose register she may import."""
    return scope_of(officer).import_areas


class IsPostedOfficer(BasePermission):
    """The API is closed to whoever has no posting today."""

    def has_permission(self, request, view) -> bool:
        return bool(scope_of(request.user).roles)
