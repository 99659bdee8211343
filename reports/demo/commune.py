"""One commune's register and results, as lines for COPY."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from households.models import AdministrativeUnit, CollectionForm, Household
from reports.demo import faults, forms, people
from reports.demo.figures import Figures, apportion
from reports.demo.forms import KINH, NO_RELIGION, Place, Surroundings
from reports.demo.passes import Ids, Staff, Walk
from reports.demo.people import Home, Person
from reports.demo.tables import NULL, Lines

COLLECTION_DAYS = [date(2018, 7, 1) + timedelta(days) for days in range(184)]
BATCH = "Đợt 1"
REFUSALS = CollectionForm.RefusalReason
# the minorities of Hà Tĩnh live in the mountains of Hương Khê; homes of a thousand there, elsewhere
MINORITIES = {"Chứt": 4, "Lào": 6, "Mường": 3, "Thái": 2}
MOUNTAIN_DISTRICT, ELSEWHERE = "444", {"Thái": 1, "Mường": 1, "Tày": 1}
DUPLICATE_SHARE = 0.03  # of grown single children: a daughter married away may be on two forms


@dataclass(frozen=True)
class Ground:
    """A commune as the generator needs it."""

    unit: AdministrativeUnit
    district_code: str
    province_id: int
    figures: Figures
    households: int
    age_bands: Sequence[int]
    hamlets: Sequence[AdministrativeUnit]
    # of each hamlet: the commune of 2018 it lay in
    collected_in: Sequence[tuple[int, Place]]
    near: Sequence[Place]
    province_places: Sequence[Place]
    # communes that stand no more as clerks wrote them, and what they became
    former: Sequence[tuple[str, str]]
    staff: Staff


def make_commune(ground: Ground, round_id: int, ids: Ids, seed: str, lines: Lines) -> None:
    """Append everything the commune has; the same for the same seed, whatever other communes there are."""
    random = Random(f"{seed}/{ground.unit.code}")
    figures = ground.figures
    homes = people.homes_of(people.ages_of(figures.collected, ground.age_bands, random), ground.households, random)
    refused = set(random.sample(range(figures.collected), figures.refused))
    walk = Walk(figures, ground.staff, ids, f"{ground.province_id}\t{ground.unit.pk}", round_id, random)
    writer = _Writer(ground, round_id, ids, walk, refused, random, lines)
    first = 0
    weights = [random.randrange(70, 131) for _ in ground.hamlets]
    for place, count in enumerate(apportion(len(homes), weights)):
        for sequence, home in enumerate(homes[first : first + count], start=1):
            writer.write(home, place, sequence)
        first += count


class _Writer:
    """Fills the forms of one home after the other and turns them into lines."""

    def __init__(self, ground, round_id: int, ids: Ids, walk: Walk, refused: set[int], random: Random, lines: Lines):
        self.ground, self.ids, self.walk, self.refused, self.random = ground, ids, walk, refused, random
        self.lines = lines
        self.hamlet_names = [hamlet.full_name for hamlet in ground.hamlets]
        self.round_id, self.written = round_id, 0
        self.catholic = 0.35 if random.random() < 0.12 else 0.04
        self.minorities = list((MINORITIES if ground.district_code == MOUNTAIN_DISTRICT else ELSEWHERE).items())
        self.village = faults.Village(ground.former)
        # somebody's wife, by age: who is on a second form is on her parents', too
        self.wives: dict[int, Person] = {}

    def write(self, home: Home, place: int, sequence: int) -> None:
        ground, random, household_id = self.ground, self.random, next(self.ids.household)
        hamlet_name, (collected_unit_id, collected_in) = self.hamlet_names[place], ground.collected_in[place]
        around = Surroundings(
            home=collected_in,
            hamlet=hamlet_name,
            near=ground.near,
            province=ground.province_places,
            cards=self.ids.card,
            pins=self.ids.pin,
            book_number=f"350{next(self.ids.book):06d}",
            ethnicity=self._ethnicity(),
            religion="Công giáo" if random.random() < self.catholic else NO_RELIGION,
        )
        forms.fill(home, around, random)
        where = f"{ground.province_id}\t{ground.unit.pk}\t{ground.hamlets[place].pk}"
        self.lines[Household].append(
            f"{household_id}\t{where}\t{around.book_number}\t{hamlet_name}\t{home[0].name}\t{sequence}\n"
        )
        planted = self._spoil(home)
        day = COLLECTION_DAYS[int(len(COLLECTION_DAYS) * random.random())]
        common = f"{where}\t{collected_unit_id}\t{household_id}\tTT66/2015\t{day}\t{day}\tt\tViệt Nam\t\t\t\t"
        # first what was found: approved corrections are what the forms say
        self.walk.visit(home, planted, f"{self.round_id}\t{where}\t{household_id}\t", self.lines)
        write = self.lines[CollectionForm].append
        for line, person in enumerate(home, start=1):
            write(f"{common}\t{person.form_id}\t{line}{self._paper(person)}{form_columns(person)}\n")

    def _spoil(self, home: Home) -> dict[int, faults.Planted]:
        """Give ids, and about one form in ten a fault."""
        planted, draw = {}, self.random.random
        for person in home:
            person.form_id = next(self.ids.form)
            person.refused = self.written in self.refused
            self.written += 1
            person.duplicate_of = 0
            if draw() < faults.FAULTY_SHARE:
                planted[person.form_id] = faults.plant(person, self.random, self.village)
            elif person.relation == "Vợ":
                self.wives[person.age // 3] = person
            elif person.relation == "Con" and 20 <= person.age < 40 and person.spouse < 0 and draw() < DUPLICATE_SHARE:
                self._second_form(person)
        self.village.numbers.extend(person.cmnd for person in home if person.cmnd)
        return planted

    def _second_form(self, person: Person) -> None:
        wife = self.wives.get(person.age // 3)
        if not wife or person.sex != wife.sex:
            return
        person.duplicate_of = wife.form_id
        for item in ("name", "search_key", "sort_key", "birth_year", "birth_month", "birth_day", "cmnd", "pin",
                     "registered", "registered_code"):  # fmt: skip
            setattr(person, item, getattr(wife, item))

    def _ethnicity(self) -> str:
        chance = int(1000 * self.random.random())
        for name, homes in self.minorities:
            chance -= homes
            if chance < 0:
                return name
        return KINH

    def _paper(self, person: Person) -> str:
        """Barcode, batch, qualification, reason of refusal, and the three signatures."""
        barcode = f"DEMO42{next(self.ids.barcode):09d}"
        if not person.refused:
            return f"\t{barcode}\t{BATCH}\tqualified\t\tt\tt\tt"
        reason = self.random.choice(REFUSALS.values)
        chief = "f" if reason == REFUSALS.NO_SIGNATURE else "t"
        return f"\t{barcode}\t\trefused\t{reason}\tt\tt\t{chief}"


def form_columns(p: Person) -> str:
    """A form's items in the order of `tables.COLUMNS`."""
    vn = "Việt Nam"
    # the one column that may hold a backslash: it stands for a letter of the alphabet there
    sort_key = p.sort_key.replace("\\", r"\\")
    return (
        f"\t{p.name}\t{p.birth_year}\t{p.birth_month or NULL}\t{p.birth_day or NULL}\t{p.blood_type}\t{p.sex}\t{p.marital_status}"
        f"\t{p.registered.text}\t{p.registered_code}\t{p.origin}\t{p.origin_code}\t{p.residence}\t{p.residence_code}"
        f"\t{p.present}\t{p.present_code}\t{p.ethnicity}\t{p.religion}\t{p.pin}\t{p.cmnd}"
        f"\t{p.father_name}\t{p.father_name and vn}\t{p.father_number}\t{p.mother_name}\t{p.mother_name and vn}\t{p.mother_number}"
        f"\t{p.spouse_name}\t{p.spouse_name and vn}\t{p.spouse_number}\t{p.head_name}\t{p.head_name and vn}\t{p.head_number}"
        f"\t{p.relation}\t{p.book_number}\t{p.search_key}\t{sort_key}"
    )
