"""Which unit a file means: by code, by name, by former name, and by the codes and spellings that were ever used."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from households import text
from households.imports.problems import CellRefused
from households.lineage import unit_on
from households.models import AdministrativeUnit, UnitChange
from households.unit_import import read_csv

Level, Type = AdministrativeUnit.Level, AdministrativeUnit.Type
HAMLET_TYPES = {
    "thon": Type.VILLAGE,
    "xom": Type.VILLAGE,
    "ban": Type.VILLAGE,
    "lang": Type.VILLAGE,
    "to dan pho": Type.NEIGHBOURHOOD,
    "tdp": Type.NEIGHBOURHOOD,
    "to": Type.NEIGHBOURHOOD,
    "khoi": Type.NEIGHBOURHOOD,
    "khoi pho": Type.NEIGHBOURHOOD,
    "khu pho": Type.NEIGHBOURHOOD,
}
TOWN_TYPES = {Type.WARD, Type.TOWNSHIP}


@dataclass(frozen=True)
class FoundCommune:
    """The commune of collection and the one it has become."""

    collected: AdministrativeUnit
    commune: AdministrativeUnit

    @property
    def ids(self) -> str:
        return f"{self.collected.pk}\t{self.commune.pk}"


Names = dict[str, list[AdministrativeUnit]]


class Communes:
    """Every commune `area` has or had, found by what files write."""

    def __init__(self, area: AdministrativeUnit, today: date):
        units = AdministrativeUnit.objects.under(area).filter(level=Level.COMMUNE).select_related("parent")
        units = list(units.order_by("valid_from", "pk"))
        self.own = self._by_code_and_name((unit, unit.code, (unit.full_name, unit.name)) for unit in units)
        today_by_code = {unit.code: unit for unit in units if unit.valid_to is None}
        aliases = [
            (today_by_code[row["code_2020"]], row["alias_code"], (row["alias_full_name"],))
            for row in read_csv("households", "unit_aliases.csv")
            if row["code_2020"] in today_by_code
        ]
        self.with_aliases = self._by_code_and_name(
            [*((unit, unit.code, (unit.full_name, unit.name)) for unit in units), *aliases]
        )
        self.days_of_change = sorted({day for unit in units for day in (unit.valid_from, unit.valid_to) if day})
        # asked now: while rows are being read the connection is busy with writing them
        self.became = {unit: _unit_on(unit, today) for unit in units}

    @staticmethod
    def _by_code_and_name(entries: Iterable[tuple[AdministrativeUnit, str, tuple[str, ...]]]) -> tuple[Names, Names]:
        by_code, by_name = defaultdict(list), defaultdict(list)
        for unit, code, names in entries:
            for key, of in ((code, by_code), *((text.search_key(name), by_name) for name in names)):
                if key and unit not in of[key]:
                    of[key].append(unit)
        return by_code, by_name

    def find(self, code: str, name: str, district: str, collected_on: date) -> FoundCommune:
        """Raises CellRefused: unknown, ambiguous, split since, or a code and a name that contradict each other.

        Its own code and name on the day of collection come first; aliases help where those find nothing.
        """
        code, name, district = code.strip(), text.search_key(name.strip()), text.search_key(district.strip())
        if not code and not name:
            raise CellRefused("missing")
        code = code and code.zfill(5)  # spreadsheets make numbers of codes, and codes of the far north begin with zeros
        try:
            found = self._standing(self._matching(self.own, code, name, district), collected_on)
        except CellRefused:
            found = []
        if not found:
            found = self._matching(self.with_aliases, code, name, district)
            found = self._standing(found, collected_on) or found
        if len(found) > 1:
            raise CellRefused(
                "commune_ambiguous", units="; ".join(f"{u.full_name}, {u.parent.full_name}" for u in found)
            )
        commune = self.became[found[0]]
        if commune is None:
            raise CellRefused("commune_split", unit=found[0].full_name)
        return FoundCommune(found[0], commune)

    def _matching(self, names: tuple[Names, Names], code: str, name: str, district: str) -> list[AdministrativeUnit]:
        """Raises CellRefused where nothing matches."""
        by_code, by_name = names
        coded, named = by_code.get(code, []), by_name.get(name, [])
        if code and not coded:
            raise CellRefused("commune_code_unknown", code=code)
        if name and not named:
            raise CellRefused("commune_unknown")
        found = coded or named
        if code and name:
            found = [u for u in coded if u in named] or [u for u in coded if self._becomes_one_of(u, named)]
            if not found:
                raise CellRefused("code_and_name_differ", code=code, named=coded[-1].full_name)
        return self._in_district(found, district)

    @staticmethod
    def _standing(units: list[AdministrativeUnit], day: date) -> list[AdministrativeUnit]:
        return [u for u in units if (not u.valid_from or u.valid_from <= day) and (not u.valid_to or u.valid_to > day)]

    def _becomes_one_of(self, unit: AdministrativeUnit, others: list[AdministrativeUnit]) -> bool:
        return self.became[unit] in {self.became[other] for other in others} - {None}

    @staticmethod
    def _in_district(found: list[AdministrativeUnit], district: str) -> list[AdministrativeUnit]:
        if not district:
            return found
        inside = [u for u in found if district in {text.search_key(u.parent.full_name), text.search_key(u.parent.name)}]
        if not inside:
            raise CellRefused("commune_not_in_district", district=", ".join(u.parent.full_name for u in found))
        return inside


def _unit_on(unit: AdministrativeUnit, day: date) -> AdministrativeUnit | None:
    try:
        return unit_on(unit, day)
    except (UnitChange.MultipleObjectsReturned, UnitChange.DoesNotExist):
        return None


class Hamlets:
    """The hamlets of the register by commune, and the new ones that a file brings."""

    def __init__(self, area: AdministrativeUnit, today: date):
        self.known: dict[tuple[int, str], int] = {}
        units = AdministrativeUnit.objects.under(area).valid_on(today).filter(level=Level.HAMLET)
        for unit in units.order_by("-pk"):
            for name in {unit.code, unit.full_name, unit.name}:
                self.known[unit.parent_id, text.search_key(name)] = unit.pk

    def find(self, commune_id: int, name: str) -> tuple[int | None, str]:
        """(its id or None where it is new, its name in single blanks)."""
        name = " ".join(name.split())
        if not name:
            raise CellRefused("missing")
        if len(name) > 100:
            raise CellRefused("too_long", limit=100)
        return self.known.get((commune_id, text.search_key(name))), name


def make_hamlets(names: Iterable[tuple[int, str]], today: date) -> dict[tuple[int, str], int]:
    """Create hamlets by (commune, name as written); returns their ids. Codes go on from the commune's last."""
    names = list(names)
    communes = AdministrativeUnit.objects.in_bulk({commune_id for commune_id, _ in names})
    last: dict[int, int] = {}
    for commune_id, code in AdministrativeUnit.objects.filter(parent__in=communes, level=Level.HAMLET).values_list(
        "parent_id", "code"
    ):
        number = code.rpartition("-")[2]
        last[commune_id] = max(last.get(commune_id, 0), int(number) if number.isdigit() else 0)
    made: dict[tuple[int, str], int] = {}
    for commune_id, written in names:
        commune = communes[commune_id]
        type, name = split_hamlet_name(written, commune)
        last[commune_id] = last.get(commune_id, 0) + 1
        hamlet = AdministrativeUnit.objects.create_under(
            commune,
            code=f"{commune.code}-{last[commune_id]:02d}",
            name=name,
            type=type,
            level=Level.HAMLET,
            valid_from=today,
            sort_key=AdministrativeUnit.sort_key_for(name),
        )
        made[commune_id, written] = hamlet.pk
    return made


def split_hamlet_name(written: str, commune: AdministrativeUnit) -> tuple[str, str]:
    """(type, name) of "Thôn Đông", "TDP 3" or plain "Đông"."""
    words = written.split()
    for count in (3, 2, 1):
        type = HAMLET_TYPES.get(text.search_key(" ".join(words[:count])))
        if type and len(words) > count:
            return type, " ".join(words[count:])
    return (Type.NEIGHBOURHOOD if commune.type in TOWN_TYPES else Type.VILLAGE), written
