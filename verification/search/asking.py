"""A query becomes a few bounded questions to one index, asked from the most exact to the loosest until a page is full."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import OperationalError, connection
from django.db.models import Q

from households import text
from households.models import AdministrativeUnit, CollectionForm, Household
from households.models.register import ADDRESS_WORDS, FORM_WORD_STARTS, FORM_WORDS
from households.permissions import Scope, scope_of
from verification.models import Round
from verification.search import found
from verification.search.found import Found
from verification.search.query import Query

PAGE = 20
PANEL = 8  # while typing
HOMES = 1000  # whose address is compared
CANDIDATES = 300  # ranked within a stage; a stage that holds more asks the officer to narrow it down
MAX_PLACES = 250  # communes and hamlets that one reading of the query may name
MAX_READINGS = 4  # which words are the place: as many readings are tried
FEW_COMMUNES = 5  # as terms of the index; of more it is cheaper to drop what lies elsewhere
TIME_LIMIT = "SET LOCAL statement_timeout = 1000; "

FORM, HOUSEHOLD = CollectionForm._meta.db_table, Household._meta.db_table
UNIT = AdministrativeUnit._meta.db_table
FOLDED_ADDRESS = f"(' ' || translate(h.address, '{text.FOLD_FROM}', '{text.FOLD_TO}'))"
# Words of so many names that as a mere beginning they would be read for nothing: "nguyen" begins no other word.
FREQUENT = {"nguyen", "tran", "pham", "hoang", "phan", "dang", "thi", "van", "le", "vo", "bui", "duong", "xuan", "duc"}


def find(query: Query, officer, round: Round | None, *, at_most: int = PAGE) -> Found:
    """The persons the officer may see that fit the query; each with `outcome` and `approval` in the round."""
    scope = scope_of(officer)
    if query.is_empty or query.is_too_short or not scope.person_units:
        return Found()
    area = Area.of(scope)
    try:
        ids, is_whole = (_by_number(query, area), True) if query.numbers else _by_words(query, area)
    except OperationalError as error:
        if "statement timeout" not in str(error):
            raise
        return Found(took_too_long=True)
    return Found(found.read(ids[:at_most], scope, round), len(ids) > at_most or not is_whole)


@dataclass(frozen=True)
class Area:
    """Where an officer may look, as the database is asked about it. What comes back is filtered by `visible_to`
    all the same."""

    communes: tuple[int, ...]  # none: the whole of `provinces`
    provinces: tuple[int, ...]  # where the communes lie; none: everything
    own: tuple[int, ...]  # where she works; these come first
    units: Q
    paths: tuple[str, ...] = ()
    has_others: bool = False  # the register has provinces beside these

    @classmethod
    def of(cls, scope: Scope) -> "Area":
        level = AdministrativeUnit.Level
        units = scope.person_units
        own, where = tuple(sorted(scope.record_unit_ids)), scope.persons_filter_of_units()
        above = any(unit.level == level.COUNTRY for unit in units)
        provinces = () if above else tuple(sorted({unit.province_id for unit in units}))
        if all(unit.level == level.COMMUNE for unit in units):
            communes = tuple(unit.pk for unit in units)
        elif all(unit.level <= level.PROVINCE for unit in units):
            communes = ()
        else:
            communes = AdministrativeUnit.objects.filter(where, level=level.COMMUNE).values_list("pk", flat=True)
            communes = tuple(communes) or (0,)  # none is not all
        has_others = (
            bool(provinces)
            and not 0 < len(communes) <= FEW_COMMUNES
            and AdministrativeUnit.objects.filter(level=level.PROVINCE).exclude(pk__in=provinces).exists()
        )
        return cls(communes, provinces, own, where, tuple(unit.path for unit in units), has_others)

    def condition(self, table: str = "") -> tuple[str, list]:
        if self.communes:
            return f"{table}commune_id = ANY(%s)", [list(self.communes)]
        return (f"{table}province_id = ANY(%s)", [list(self.provinces)]) if self.provinces else ("true", [])

    @property
    def terms(self) -> list[str]:
        """Communes or provinces as a term of the index; the only province is none, as everybody lives there.

        To be asked as a condition of its own: then PostgreSQL skips in each word's list what lies elsewhere, while
        within one tsquery it looks at every namesake of the country."""
        if 0 < len(self.communes) <= FEW_COMMUNES:
            return [any_of(f"@{pk}" for pk in self.communes)]
        return [any_of(f"^{pk}" for pk in self.provinces)] if self.has_others else []

    def communes_of(self, column: str) -> tuple[str, list]:
        """Whether `column` is one of its communes, for an index that begins with the commune."""
        if self.communes:
            return f"{column} = ANY(%s)", [list(self.communes)]
        below = " OR ".join(["path LIKE %s"] * len(self.paths)) or "true"
        return f"{column} IN (SELECT id FROM {UNIT} WHERE level = 3 AND ({below}))", [f"{p}%" for p in self.paths]

    def provinces_of(self, column: str) -> tuple[str, list]:
        """The same of its provinces."""
        if self.provinces:
            return f"{column} = ANY(%s)", [list(self.provinces)]
        return f"{column} IN (SELECT id FROM {UNIT} WHERE level = 1)", []


def lexeme(word: str) -> str:
    """A word of a tsquery, whatever it holds."""
    return "'" + word.replace("\\", "\\\\").replace("'", "''") + "'"


def any_of(words: Iterable[str]) -> str:
    return "(" + " | ".join(map(lexeme, words)) + ")"


def _years(query: Query) -> list[str]:
    return [any_of(f"#{year}" for year in query.years)] if query.years else []


def _day(query: Query, table: str = "") -> tuple[str, list]:
    conditions, values = ["true"], []
    for column, value in (("birth_month", query.month), ("birth_day", query.day)):
        if value:
            conditions.append(f"{table}{column} = %s")
            values.append(value)
    return " AND ".join(conditions), values


def _stages(query: Query) -> list[tuple[list[str], list[str]]]:
    """From exact to loose: (terms of the index, beginnings of words). Each holds all of the one before."""
    if not query.words:
        return [([], [])]
    spelled = [any_of(text.spellings(word)) for word in query.words]
    folded = [lexeme(word) for word in query.folded]
    stages = [(folded, []), (folded[:-1], [query.folded[-1]])]
    *first, last = query.folded
    if any(word not in FREQUENT for word in first):
        whole = [lexeme(word) for word in first if word in FREQUENT]
        stages.append((whole, [word for word in first if word not in FREQUENT] + [last]))
    if query.has_marks:
        pairs = zip(query.words, query.folded, strict=True)
        marked = [any_of(text.spellings(word)) if word != bare else lexeme(bare) for word, bare in pairs]
        stages = [(spelled, []), *([(marked, [])] if marked != spelled else []), *stages]
    return stages


def _by_words(query: Query, area: Area) -> tuple[list[int], bool]:
    """Ids, one more than a page where there are more: by name, then by name and hamlet, then by name and address.
    And whether these are all: too many places or homes may have the name to look at each."""
    ids, is_whole = [] if query.places else _by_name(query, area), True
    for looser in (_by_hamlet, _by_address):
        if len(ids) <= PAGE and (query.words or query.places):
            further, is_all = looser(query, area, ids)
            ids, is_whole = ids + further, is_whole and is_all
    return ids, is_whole


def _by_name(query: Query, area: Area) -> list[int]:
    """One statement; PostgreSQL runs a stage only when those before it did not fill the page."""
    stages, values, earlier = [], [], ("", [])
    here, where = area.condition()
    born, day = _day(query)
    own, there = list(area.own), area.terms
    for terms, starts in _stages(query):
        terms = [*terms, *_years(query)]
        fits, asked = [f"{FORM_WORD_STARTS} LIKE %s"] * len(starts), [f"% {start}%" for start in starts]
        if terms:
            fits.append(f"{FORM_WORDS} @@ %s::tsquery")
            asked.append(" & ".join(terms))
        fits, not_again = " AND ".join(fits or ["true"]), earlier
        conditions = [fits, *[f"{FORM_WORDS} @@ %s::tsquery"] * len(there), here, born]
        conditions += [f"NOT ({not_again[0]})"] if not_again[0] else []
        these = [*asked, *there, *where, *day, *not_again[1]]
        earlier = (fits, asked)
        # Several words: the planner takes them for independent and would walk the table for what hardly occurs
        # together ("van thi"). Behind a fence it takes the index; one word alone may well be quicker to walk for.
        fence = "MATERIALIZED" if len(terms) + len(starts) + len(there) > 1 else "NOT MATERIALIZED"
        stages.append(f"""(
            WITH fitting AS {fence} (
                SELECT id, search_key, sort_key, commune_id, hamlet_id, line FROM {FORM} WHERE {" AND ".join(conditions)}
            )
            SELECT id FROM (SELECT * FROM fitting LIMIT {CANDIDATES}) AS candidates
            ORDER BY search_key LIKE %s DESC, {FORM_WORD_STARTS} LIKE %s DESC, commune_id = ANY(%s) DESC,
                hamlet_id, sort_key, id
            LIMIT {PAGE + 1})""")
        values += [*these, f"%{' '.join(query.folded)}%", f"% {query.folded[-1] if query.folded else ''}", own]
    return _ids(f"SELECT id FROM ({' UNION ALL '.join(stages)}) AS found LIMIT {PAGE + 1}", values)


def _by_hamlet(query: Query, area: Area, known: list[int]) -> tuple[list[int], bool]:
    """Some words beside each other name the hamlet, the commune or the district, the others the person."""
    stages, values = [], []
    (here, where), (born, day) = area.condition(), _day(query)
    readings = _readings(query, area)
    tried = [reading for reading in readings if len(reading[1]) <= MAX_PLACES][:MAX_READINGS]
    for named, places in tried:
        names = [lexeme(word) for n, word in enumerate(query.folded) if n not in named]
        terms = [any_of(places)] + ([" & ".join(more)] if (more := [*names, *_years(query)]) else [])
        conditions = [*[f"{FORM_WORDS} @@ %s::tsquery"] * len(terms), here, born, "id <> ALL(%s)"]
        stages.append(f"""(
            WITH fitting AS MATERIALIZED (
                SELECT id, sort_key, commune_id, hamlet_id, household_id, line FROM {FORM}
                WHERE {" AND ".join(conditions)}
            )
            SELECT id FROM (SELECT * FROM fitting LIMIT {CANDIDATES}) AS candidates
            ORDER BY commune_id = ANY(%s) DESC, hamlet_id, {"sort_key" if names else "household_id, line"}, id
            LIMIT {PAGE + 1})""")
        values += [*terms, *where, *day, known, list(area.own)]
    ids = _ids(f"SELECT id FROM ({' UNION ALL '.join(stages)}) AS found LIMIT {PAGE * 2}", values) if stages else []
    return list(dict.fromkeys(ids)), len(tried) == len(readings)


def _readings(query: Query, area: Area) -> list[tuple[frozenset[int], list[str]]]:
    """Which words may be the place, and the communes ("@…") and hamlets ("~…") of that name; most words first."""
    numbered = {len(query.words) + n for n in range(len(query.places))}
    hamlets_of: dict[tuple[frozenset, int], list[int]] = {}
    in_commune: dict[int, int] = {}
    for pk, commune, *names in _hamlets(area):
        in_commune[commune] = in_commune.get(commune, 0) + 1
        named = _named(query, *names)
        plain = sorted(named - numbered)
        beside_each_other = not plain or plain[-1] - plain[0] == len(plain) - 1
        if named and numbered <= named and beside_each_other:
            hamlets_of.setdefault((named, commune), []).append(pk)
    readings: dict[frozenset, list[str]] = {}
    for (named, commune), hamlets in hamlets_of.items():
        whole = len(hamlets) == in_commune[commune]
        readings.setdefault(named, []).extend([f"@{commune}"] if whole else [f"~{pk}" for pk in hamlets])
    return sorted(readings.items(), key=lambda reading: (-len(reading[0]), len(reading[1])))


def _named(query: Query, hamlet: str, above: tuple[str, ...]) -> frozenset[int]:
    """Which words of the query name this hamlet: beginnings of its own words, but of a commune or district the
    whole name, as "Hương" begins half the communes. A word typed with marks is not one without."""
    lines = [hamlet, *(name for name in above if _is_named_whole(query, name))]
    bare = f" {text.search_key(' '.join(lines))} "
    marked = f" {text.marked_key(' '.join(lines))} " if query.has_marks else bare
    named = {n for n, w in enumerate(query.words) if f" {w}" in (marked if w != query.folded[n] else bare)}
    return frozenset(named | {len(query.words) + n for n, place in enumerate(query.places) if f" {place} " in bare})


def _is_named_whole(query: Query, unit_name: str) -> bool:
    return set(text.search_key(unit_name).split()) <= set(query.folded)


def _hamlets(area: Area) -> list[tuple[int, int, str, tuple[str, ...]]]:
    """Each hamlet, its commune, its name in full, and the names above it."""
    units = AdministrativeUnit.objects.filter(area.units, level=AdministrativeUnit.Level.HAMLET)
    hamlets = []
    for pk, commune, kind, name, *above in units.values_list(
        "pk", "parent_id", "type", "name", "parent__name", "parent__parent__name"
    ):
        # tổ dân phố 3 is also written tổ 3, TDP 3
        short = f" tổ {name} tdp {name}" if kind == AdministrativeUnit.Type.NEIGHBOURHOOD else ""
        hamlets.append((pk, commune, f"{kind} {name}{short}", tuple(above)))
    return hamlets


def _by_address(query: Query, area: Area, known: list[int]) -> tuple[list[int], bool]:
    """Name and address beside each other, in either order: so the first or the last word is of the address."""
    wanted = [*query.folded, *query.place_words]
    ends = query.place_words[:2] or (wanted[0], wanted[-1])
    at = (" & " if query.places else " | ").join(map(lexeme, ends))
    here, where = area.condition()
    terms = [at, *area.terms]
    conditions = " AND ".join([f"{ADDRESS_WORDS} @@ %s::tsquery"] * len(terms) + [here])
    homes = _ids(
        f"WITH fitting AS MATERIALIZED (SELECT id FROM {HOUSEHOLD} WHERE {conditions}) SELECT id FROM fitting LIMIT {HOMES}",
        [*terms, *where],
    )
    if not homes:
        return [], True
    born, day = _day(query, "f.")
    fits = " AND ".join([f"(' ' || f.search_key || {FOLDED_ADDRESS}) LIKE %s"] * len(wanted))
    ids = _ids(
        f"SELECT f.id FROM {HOUSEHOLD} h JOIN {FORM} f ON f.household_id = h.id"
        f" WHERE h.id = ANY(%s) AND {born} AND {fits} AND f.id <> ALL(%s) AND (%s OR f.birth_year = ANY(%s))"
        f" ORDER BY f.hamlet_id, f.household_id, f.line LIMIT {PAGE + 1}",
        [homes, *day, *(f"% {word}%" for word in wanted), known, not query.years, list(query.years)],
    )
    return ids, len(homes) < HOMES


def _by_number(query: Query, area: Area) -> list[int]:
    """Identity card, personal number, barcode, household book: whole, or from the sixth sign on as a beginning.
    Words and years typed beside narrow it down."""
    number = query.numbers[0]
    high = number + ("z" if len(number) >= 6 else "")
    fits, rest = ["true"], []
    for word in query.folded:
        fits.append("(' ' || f.search_key) LIKE %s")
        rest.append(f"% {word}%")
    if query.years:
        fits.append("f.birth_year = ANY(%s)")
        rest.append(list(query.years))
    for other in query.numbers[1:]:
        fits.append("%s IN (f.cmnd, f.pin, f.barcode, f.book_number)")
        rest.append(other)
    (here, where), (born, day) = area.condition("f."), _day(query, "f.")
    also = " AND ".join([here, born, *fits])
    also_values = [*where, *day, *rest]
    branches, values = [], []
    of_provinces, provinces = area.provinces_of("f.province_id")
    for column in ("cmnd", "pin", "barcode"):
        province, its_values = (of_provinces, provinces) if column == "barcode" else ("true", [])
        branches.append(
            f"(SELECT f.id, f.{column} <> %s AS is_part, f.hamlet_id, f.household_id, f.line FROM {FORM} f"
            f" WHERE f.{column} BETWEEN %s AND %s AND f.{column} <> '' AND {province} AND {also} LIMIT {CANDIDATES})"
        )
        values += [number, number, high, *its_values, *also_values]
    of_communes, communes = area.communes_of("h.commune_id")
    branches.append(
        f"(SELECT f.id, h.book_number <> %s, f.hamlet_id, f.household_id, f.line FROM {HOUSEHOLD} h"
        f" JOIN {FORM} f ON f.household_id = h.id"
        f" WHERE h.book_number BETWEEN %s AND %s AND {of_communes} AND {also} LIMIT {CANDIDATES})"
    )
    values += [number, number, high, *communes, *also_values]
    return _ids(
        f"SELECT id FROM ({' UNION ALL '.join(branches)}) AS found"
        " GROUP BY id ORDER BY bool_and(is_part), min(hamlet_id), min(household_id), min(line), id"
        f" LIMIT {PAGE + 1}",
        values,
    )


def _ids(sql: str, values: list) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(TIME_LIMIT + sql, values)
        return [row[0] for row in cursor.fetchall()]
