"""Households of true sizes out of a commune's people: who lives with whom, and as what.

The ages come first, in the proportions of the census; the people are then put into homes until all
are placed. So the age bands are those of the census whatever the homes look like.
"""

from collections import defaultdict
from collections.abc import Sequence
from random import Random

from reports.demo.figures import apportion
from reports.demo.names import FEMALE, MALE

LARGEST_HOUSEHOLD = 9
ADULT = 25
BAND = 5
OLDEST_BAND = 85
# how many of an age live with a husband or wife
COUPLED = [0.0] * ADULT + [0.62] * 5 + [0.86] * 30 + [0.76] * 10 + [0.6] * 10 + [0.34] * 40

# what her child is to the head
CHILD_OF = {"Chủ hộ": "Con", "Vợ": "Con", "Con dâu": "Cháu nội", "Con": "Cháu ngoại"}


class Person:
    """One person: first her place in the household, then what is written on her form.

    Parents and spouse are places in the household's list (-1: not in it), not references: without
    cycles every commune's people are gone as soon as the next one's come.
    """

    __slots__ = (  # noqa: RUF023 - in the order they are filled
        "age", "sex", "relation", "father", "mother", "spouse", "surname", "name", "search_key", "sort_key",
        "birth_year", "birth_month", "birth_day", "marital_status", "blood_type", "registered", "registered_code",
        "origin", "origin_code", "residence", "residence_code", "present", "present_code", "ethnicity", "religion",
        "pin", "cmnd", "father_name", "father_number", "mother_name", "mother_number", "spouse_name", "spouse_number",
        "head_name", "head_number", "book_number", "form_id", "refused", "duplicate_of",
    )  # fmt: skip

    def __init__(self, age: int, sex: int, relation: str = "", father: int = -1, mother: int = -1):
        self.age, self.sex, self.relation = age, sex, relation
        self.father, self.mother, self.spouse = father, mother, -1


Home = list[Person]


def ages_of(people: int, bands: Sequence[int], random: Random) -> list[int]:
    """An age for each of so many people; `bands` counts the census by five years of age, 85+ last."""
    ages = []
    for band, count in enumerate(apportion(people, bands)):
        first = band * BAND
        if first < OLDEST_BAND:
            ages += [first + int(BAND * random.random()) for _ in range(count)]
        else:
            ages += [min(103, first + int(random.expovariate(0.25))) for _ in range(count)]
    if ages and max(ages) < ADULT:
        ages[0] = 40
    return ages


def homes_of(ages: Sequence[int], households: int, random: Random) -> list[Home]:
    """Put everybody into about so many homes, in no particular order."""
    pairs = _couples_and_singles([age for age in ages if age >= ADULT], random)
    pairs.sort(key=lambda pair: random.random() * _seldom_heads(pair))
    heading, joining = pairs[:households], pairs[households:]
    finder = _Finder(random)
    homes = [_home(pair, finder, random) for pair in heading]
    for pair in joining:
        _join(pair, finder, random)
    for age in sorted((age for age in ages if age < ADULT), reverse=True):
        _raise_child(age, finder, random)
    random.shuffle(homes)
    return homes


def _couples_and_singles(ages: list[int], random: Random) -> list[list[Person]]:
    """Neighbours in age marry; the older is mostly the man. Old people alone are mostly widows."""
    ages = [age for _, age in sorted((age + 5 * random.random(), age) for age in ages)]
    pairs = []
    while ages:
        age = ages.pop()
        if ages and random.random() < COUPLED[age]:
            man, woman = (age, ages.pop()) if random.random() < 0.85 else (ages.pop(), age)
            pairs.append([Person(man, MALE), Person(woman, FEMALE)])
        else:
            women = 0.75 if age >= 60 else 0.45
            pairs.append([Person(age, FEMALE if random.random() < women else MALE)])
    return pairs


def _seldom_heads(pair: list[Person]) -> float:
    """The larger, the less likely they head a home of their own: the young single, the old widowed."""
    age = pair[-1].age
    if len(pair) == 1:
        return 20.0 if age < 35 else 12.0 if age >= 72 else 2.0
    return 6.0 if age < 33 else 4.0 if age >= 72 else 1.0


class _Finder:
    """Homes by the age of their head, and mothers by their age, so that a fitting one is found at once."""

    def __init__(self, random: Random):
        self.random = random.random
        self.heads: dict[int, list[Home]] = defaultdict(list)
        self.mothers: dict[int, list[tuple[Home, int, int]]] = defaultdict(list)

    def head_of(self, age: int) -> Home:
        return self._near(self.heads, age, len)

    def mother_of(self, age: int) -> tuple[Home, int, int]:
        return self._near(self.mothers, age, _size_of_home) if self.mothers else (self.head_of(age), -1, -1)

    def _near(self, by_age: dict[int, list], age: int, size):
        """Of two near that age the one with fewer people: so the sizes stay as even as real ones are."""
        band = age // BAND
        for away in (0, 1, -1, 2, -2, 3, -3, 4, -4, 5, -5, 6, -6, 8, -8, 10, -10):
            near = by_age.get(band + away)
            if near:
                one, other = near[int(len(near) * self.random())], near[int(len(near) * self.random())]
                if size(other) < size(one):
                    one = other
                if size(one) < LARGEST_HOUSEHOLD:
                    return one
        return min((one for near in by_age.values() for one in near), key=size)


def _size_of_home(found: tuple[Home, int, int]) -> int:
    return len(found[0])


def _home(pair: list[Person], finder: _Finder, random: Random) -> Home:
    if len(pair) == 2:
        if random.random() < 0.18:
            pair.reverse()
        pair[1].relation = "Vợ" if pair[1].sex == FEMALE else "Chồng"
        pair[0].spouse, pair[1].spouse = 1, 0
    pair[0].relation = "Chủ hộ"
    finder.heads[pair[0].age // BAND].append(pair)
    _remember_mother(pair, 0, len(pair), finder)
    return pair


def _remember_mother(home: Home, first: int, last: int, finder: _Finder) -> None:
    places = range(first, last)
    mother = next((place for place in places if home[place].sex == FEMALE), -1)
    father = next((place for place in places if home[place].sex == MALE), -1)
    if mother >= 0 and home[mother].age < 65:
        finder.mothers[home[mother].age // BAND].append((home, father, mother))


def _join(pair: list[Person], finder: _Finder, random: Random) -> None:
    """Old people live with a grown child, young ones with their parents."""
    elder, generation = pair[0], 22 + int(15 * random.random())
    if elder.age >= 58:
        home = finder.head_of(elder.age - generation)
        _move_in_as_parents(pair, home)
        return
    home = finder.head_of(elder.age + generation)
    head, first = home[0], len(home)
    father, mother = _parents_at(home, 0, head.spouse)
    own = pair[0] if len(pair) == 1 or random.random() < 0.88 else pair[1]
    for person in pair:
        if person is not own:
            person.relation = "Con dâu" if person.sex == FEMALE else "Con rể"
        elif head.age - person.age >= 16:
            person.relation, person.father, person.mother = "Con", father, mother
        else:
            person.relation = "Em"
    home += pair
    if len(pair) == 2:
        pair[0].spouse, pair[1].spouse = first + 1, first
        _remember_mother(home, first, first + 2, finder)


def _move_in_as_parents(pair: list[Person], home: Home) -> None:
    head, first = home[0], len(home)
    for place, person in enumerate(pair, start=first):
        own = person.age - head.age >= 16
        if own and person.sex == MALE and head.father < 0:
            person.relation, head.father = "Cha đẻ", place
        elif own and person.sex == FEMALE and head.mother < 0:
            person.relation, head.mother = "Mẹ đẻ", place
        elif own and head.spouse >= 0:
            word = "Cha" if person.sex == MALE else "Mẹ"
            person.relation = f"{word} {'vợ' if head.sex == MALE else 'chồng'}"
        else:
            person.relation = "Bác" if person.age > head.age else "Cô" if person.sex == FEMALE else "Chú"
    home += pair
    if len(pair) == 2:
        pair[0].spouse, pair[1].spouse = first + 1, first


def _parents_at(home: Home, one: int, other: int) -> tuple[int, int]:
    """(father, mother) of the two places, -1 for who is not there."""
    if home[one].sex == MALE:
        return one, other
    return other, one


def _raise_child(age: int, finder: _Finder, random: Random) -> None:
    at_birth = 19 + int(8.5 * (random.random() + random.random()))
    home, father, mother = finder.mother_of(age + at_birth)
    sex = MALE if random.random() < 0.52 else FEMALE
    if mother < 0 or home[mother].age - age < 16:
        home.append(Person(age, sex, "Cháu"))
        return
    home.append(Person(age, sex, CHILD_OF.get(home[mother].relation, "Cháu"), father, mother))
