"""What the packaged lists do not have: hamlets, work teams and officers. All made up."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from random import Random

from django.contrib.auth.hashers import make_password

from households.models import AdministrativeUnit, Posting, TeamCommune, User, WorkTeam
from reports.demo.figures import Figures
from reports.demo.names import officer_name
from reports.demo.passes import Staff
from reports.demo.tables import allocate_ids

SINCE = date(2020, 1, 1)
PASSWORD = "phuctra-2020"
SHOWN_DISTRICT, SHOWN_COMMUNE = "444", "18550"  # Hương Khê and its xã Hương Trà, of the newspaper's photograph
TEAMS_OF_A_DISTRICT = 5
FORMS_OF_A_HAMLET, HOMES_OF_A_HAMLET = 764, 15
FEWEST_HAMLETS, MOST_HAMLETS = 4, 15
Type, Role, PersonFiles = AdministrativeUnit.Type, Posting.Role, Posting.PersonFiles
PERSON_FILES = {
    Role.COMMUNE_OFFICER: PersonFiles.MASKED,
    Role.TEAM_MEMBER: PersonFiles.MASKED,
    Role.DISTRICT_OFFICER: PersonFiles.MASKED,
    Role.PC06_OFFICER: PersonFiles.WHOLE,
    Role.ADMINISTRATOR: PersonFiles.WHOLE,
}
FIRST_SYLLABLES = (
    "Đông", "Tây", "Nam", "Bắc", "Tân", "Trung", "Thượng", "Hạ", "Phú", "Yên",
    "Liên", "Xuân", "Vĩnh", "Hòa", "Quang", "Kim", "Đại", "Mỹ", "Hồng", "Thanh",
)  # fmt: skip
SECOND_SYLLABLES = (
    "Thịnh", "Hòa", "Tiến", "Sơn", "Hà", "Lộc", "Thành", "Long", "An", "Bình",
    "Giang", "Lâm", "Thủy", "Phong", "Thắng", "Hưng", "Trung", "Xuân", "Nghĩa", "Vinh",
)  # fmt: skip


@dataclass(frozen=True)
class Account:
    """A demo account, as the command prints it."""

    username: str
    full_name: str
    role: str


DEMO_ACCOUNTS = (
    Account("admin", "Quản trị (tài khoản mẫu)", Role.ADMINISTRATOR),
    Account("pc06", "Cán bộ PC06 (tài khoản mẫu)", Role.PC06_OFFICER),
    Account("lanhdao", "Lãnh đạo (tài khoản mẫu)", Role.LEADER),
    Account("huyen.huongkhe", "Cán bộ huyện Hương Khê (tài khoản mẫu)", Role.DISTRICT_OFFICER),
    Account("xa.huongtra", "Công an xã Hương Trà (tài khoản mẫu)", Role.COMMUNE_OFFICER),
    Account("to.huongkhe1", "Tổ viên tổ 1 Hương Khê (tài khoản mẫu)", Role.TEAM_MEMBER),
)


def make_hamlets(
    cursor, communes: Sequence[AdministrativeUnit], collected: Sequence[int], homes: Sequence[int], random: Random
) -> dict[int, list[AdministrativeUnit]]:
    """Hamlets by commune id: as many as the commune's true size asks, fewer where a small demo has few homes."""
    hamlets: list[AdministrativeUnit] = []
    for commune, forms_in_full, homes_here in zip(communes, collected, homes, strict=True):
        count = min(MOST_HAMLETS, max(FEWEST_HAMLETS, round(forms_in_full / FORMS_OF_A_HAMLET)))
        count = max(min(count, homes_here // HOMES_OF_A_HAMLET), 2 if homes_here >= 4 else 1)
        hamlets += _hamlets_of(commune, count, random)
    by_commune = defaultdict(list)
    for hamlet, pk in zip(hamlets, allocate_ids(cursor, AdministrativeUnit, len(hamlets)), strict=True):
        hamlet.pk, hamlet.path = pk, f"{hamlet.parent.path}{pk}/"
        by_commune[hamlet.parent_id].append(hamlet)
    AdministrativeUnit.objects.bulk_create(hamlets)
    return by_commune


def _hamlets_of(commune: AdministrativeUnit, count: int, random: Random) -> list[AdministrativeUnit]:
    kind = Type.VILLAGE if commune.type == Type.RURAL_COMMUNE else Type.NEIGHBOURHOOD
    names = [str(number) for number in range(1, count + 1)]
    if kind == Type.VILLAGE and random.random() < 0.6:
        pairs = random.sample([f"{a} {b}" for a in FIRST_SYLLABLES for b in SECOND_SYLLABLES if a != b], count)
        names = sorted(pairs, key=AdministrativeUnit.sort_key_for)
    return [
        AdministrativeUnit(
            code=f"{commune.code}-{number:02d}",
            name=name,
            type=kind,
            level=AdministrativeUnit.Level.HAMLET,
            parent=commune,
            sort_key=AdministrativeUnit.sort_key_for(name),
        )
        for number, name in enumerate(names, start=1)
    ]


def make_teams(communes: Sequence[AdministrativeUnit], figures: dict[str, Figures]) -> dict[int, WorkTeam]:
    """Five teams a district, each commune with one, the load within the district even. By commune id."""
    by_district = defaultdict(list)
    for commune in communes:
        by_district[commune.parent].append(commune)
    teams, work = [], {}
    for district, members in by_district.items():
        own = [
            WorkTeam(
                code=f"TCT-{district.code}-{number}",
                name=f"Tổ công tác số {number}, Công an {district.mid_sentence_name}",
                district=district,
            )
            for number in range(1, TEAMS_OF_A_DISTRICT + 1)
        ]
        teams += own
        work |= _balanced(members, own, figures)
    WorkTeam.objects.bulk_create(teams)
    TeamCommune.objects.bulk_create(
        TeamCommune(team=work[commune.pk], commune=commune, valid_from=SINCE) for commune in communes
    )
    return work


def _balanced(communes: Iterable[AdministrativeUnit], teams: list[WorkTeam], figures: dict[str, Figures]) -> dict:
    """The largest first, each to the team that has least; the shown commune's team is number 1."""
    load = [0] * len(teams)
    chosen = {}
    for commune in sorted(communes, key=lambda c: (-figures[c.code].collected, c.code)):
        least = load.index(min(load))
        load[least] += figures[commune.code].collected
        chosen[commune] = least
    shown = next((place for commune, place in chosen.items() if commune.code == SHOWN_COMMUNE), 0)
    teams = [teams[(place - shown) % len(teams)] for place in range(len(teams))]
    return {commune.pk: teams[place] for commune, place in chosen.items()}


def make_officers(
    communes: Sequence[AdministrativeUnit], work: dict[int, WorkTeam], province: AdministrativeUnit, random: Random
) -> tuple[dict[int, Staff], User]:
    """The demo accounts, and a made-up officer for every district, team and commune that nobody can log in as.

    Returns the staff by commune id, and the administrator.
    """
    shown = next(commune for commune in communes if commune.code == SHOWN_COMMUNE)
    places = {
        "huyen.huongkhe": shown.parent, "xa.huongtra": shown, "to.huongkhe1": work[shown.pk],
    }  # fmt: skip
    password, officers, at = make_password(PASSWORD), {}, {}
    for account in DEMO_ACCOUNTS:
        everything = account.role == Role.ADMINISTRATOR
        place = places.get(account.username, province)
        at[place, account.role] = officers[account.username] = User(
            username=account.username,
            full_name=account.full_name,
            password=password,
            is_staff=everything,
            is_superuser=everything,
        )
    postings = [
        (officers[account.username], account.role, places.get(account.username, province)) for account in DEMO_ACCOUNTS
    ]
    for username, role, place in _made_up(communes, work):
        if (place, role) not in at:
            officer = User(username=username, full_name=officer_name(random), password=make_password(None))
            at[place, role] = officers[username] = officer
            postings.append((officer, role, place))
    User.objects.bulk_create(officers.values())
    Posting.objects.bulk_create(_posting(*posting) for posting in postings)
    staff = {
        commune.pk: Staff(
            officer=at[commune, Role.COMMUNE_OFFICER].pk,
            team=work[commune.pk].pk,
            team_member=at[work[commune.pk], Role.TEAM_MEMBER].pk,
            district_officer=at[commune.parent, Role.DISTRICT_OFFICER].pk,
        )
        for commune in communes
    }
    return staff, officers["admin"]


def _made_up(communes: Sequence[AdministrativeUnit], work: dict[int, WorkTeam]):
    for district in dict.fromkeys(commune.parent for commune in communes):
        yield f"huyen.{district.code}", Role.DISTRICT_OFFICER, district
    for team in sorted(set(work.values()), key=lambda team: team.code):
        yield f"to.{team.code.removeprefix('TCT-')}", Role.TEAM_MEMBER, team
    for commune in communes:
        yield f"xa.{commune.code}", Role.COMMUNE_OFFICER, commune


def _posting(officer: User, role: str, place: AdministrativeUnit | WorkTeam) -> Posting:
    team = place if isinstance(place, WorkTeam) else None
    return Posting(
        user=officer,
        role=role,
        unit=None if team else place,
        team=team,
        valid_from=SINCE,
        person_files=PERSON_FILES.get(role, PersonFiles.NONE),
    )
