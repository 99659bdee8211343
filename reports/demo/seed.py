"""Loading the demo: all of it in one transaction, or nothing."""

import gc
from collections import defaultdict
from datetime import date, datetime
from random import Random

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from households import suspicions
from households.lineage import unit_on
from households.models import AdministrativeUnit, CollectionForm, Household, User
from households.unit_import import import_units, read_csv
from reports.alerts.making import make_alerts
from reports.demo import tables, units
from reports.demo.commune import Ground, make_commune
from reports.demo.figures import COLLECTED, CommuneOfCensus, Figures, apportion, spread, totals
from reports.demo.forms import Place
from reports.demo.passes import COLLECTED_UNTIL, Ids
from reports.models import Tally
from reports.rollups import roll_up
from verification.models import Plan, RollupMark, Round, Target

ROUND_NAME = "Phúc tra phiếu thu thập thông tin dân cư năm 2020"
STARTS_ON, ENDS_ON = date(2020, 1, 1), date(2020, 6, 30)
FORMS_A_LOT = 12_000
# the officers of the demo accounts find work left
FIXED_RATES = {units.SHOWN_COMMUNE: 0.84}


class NotSeeded(Exception):
    """Why no demo data was loaded, in a sentence."""


def require_fit_for_demo() -> None:
    """Raises NotSeeded unless this is a training installation with nothing in its register."""
    if not settings.CENSUS_VERIFY_TODAY:
        raise NotSeeded(
            "Demo data is for the training mode only: set CENSUS_VERIFY_TODAY=2020-06-19 and run this again. "
            "Never do so where real people are registered."
        )
    if CollectionForm.objects.filter(is_synthetic=False).exists():
        raise NotSeeded(
            "The register holds forms of real people; demo data is not mixed with them. Nothing was loaded."
        )
    if Household.objects.exists() or Round.objects.exists() or units.WorkTeam.objects.exists():
        raise NotSeeded(
            "There are households, rounds or teams already; demo data wants an empty register. Nothing was loaded."
        )
    taken = User.objects.filter(username__in=[account.username for account in units.DEMO_ACCOUNTS])
    if taken.exists():
        names = ", ".join(taken.values_list("username", flat=True))
        raise NotSeeded(
            f"There are accounts called {names} already; demo accounts would take their names. Nothing was loaded."
        )


def is_seeded() -> bool:
    return CollectionForm.objects.filter(is_synthetic=True).exists()


@transaction.atomic
def seed(*, share: float, random_seed: int) -> Tally:
    """Load the demo at a share of the province's size and return the province's figures.

    The same share and seed give the same rows. Raises NotSeeded.
    """
    require_fit_for_demo()
    import_units()
    grounds, round = _prepare(share, str(random_seed))
    with connection.cursor() as cursor, tables.bare_tables(cursor):
        ids = Ids.starting_at(tables.first_ids(cursor))
        _fill_tables(grounds, round, ids, str(random_seed))
        tables.set_sequences(cursor, ids.following())
    suspicions.sweep()
    # marked without a call to the worker: the figures are counted here, in the same transaction
    RollupMark.objects.bulk_create(RollupMark(round=round, commune=ground.unit) for ground in grounds)
    roll_up()
    make_alerts()
    return Tally.objects.get(round=round, unit=round.area)


def _fill_tables(grounds: list[Ground], round: Round, ids: Ids, random_seed: str) -> None:
    """Make up some communes while the ones before are being written. People are freed without the collector."""
    copier, lines = tables.Copier(connection.connection.cursor()), tables.no_lines()
    gc.disable()
    try:
        for ground in grounds:
            make_commune(ground, round.pk, ids, random_seed, lines)
            if len(lines[CollectionForm]) >= FORMS_A_LOT:
                copier.write(lines)
                lines = tables.no_lines()
        copier.write(lines)
    finally:
        gc.enable()
        copier.close()


def _prepare(share: float, random_seed: str) -> tuple[list[Ground], Round]:
    """Everything but the register and the results: figures, hamlets, teams, officers, the round and its plans."""
    random = Random(random_seed)
    communes = _communes()
    province = communes[0].parent.parent
    census = _census(communes)
    figures = spread(census, totals(share), FIXED_RATES, random)
    homes = [max(1, round(figures[c.code].collected * c.households / c.population)) for c in census]
    with connection.cursor() as cursor:
        in_full = apportion(COLLECTED, [c.population for c in census])
        hamlets = units.make_hamlets(cursor, communes, in_full, homes, random)
    work = units.make_teams(communes, figures)
    staff, administrator = units.make_officers(communes, work, province, random)
    places, bands = _Places(communes), _age_bands()
    grounds = [
        Ground(
            unit=commune,
            district_code=commune.parent.code,
            province_id=province.pk,
            figures=figures[commune.code],
            households=households,
            age_bands=bands[commune.parent.code],
            hamlets=hamlets[commune.pk],
            collected_in=places.of_hamlets(commune, len(hamlets[commune.pk])),
            near=places.by_district[commune.parent_id],
            province_places=places.all,
            former=places.former,
            staff=staff[commune.pk],
        )
        for commune, households in zip(communes, homes, strict=True)
    ]
    return grounds, _open_round(province, communes, figures, administrator)


def _census(communes: list[AdministrativeUnit]) -> list[CommuneOfCensus]:
    rows = {row["code"]: row for row in read_csv("reports", "population_2019_hatinh.csv")}
    return [
        CommuneOfCensus(c.code, c.parent.code, int(rows[c.code]["population"]), int(rows[c.code]["households"]))
        for c in communes
    ]


def _communes() -> list[AdministrativeUnit]:
    communes = AdministrativeUnit.objects.valid_on(STARTS_ON).filter(level=AdministrativeUnit.Level.COMMUNE)
    return list(communes.select_related("parent__parent").order_by("code"))


def _open_round(province, communes, figures: dict[str, Figures], administrator: User) -> Round:
    opened_at = datetime(2020, 1, 1, 8, tzinfo=timezone.get_default_timezone())
    round = Round.objects.create(
        name=ROUND_NAME,
        area=province,
        starts_on=STARTS_ON,
        ends_on=ENDS_ON,
        collected_until=COLLECTED_UNTIL,
        status=Round.Status.OPEN,
        opened_at=opened_at,
        opened_by=administrator,
    )
    Target.objects.bulk_create(
        Target(round=round, kind=kind, percent=percent, due_on=ENDS_ON)
        for kind, percent in (("overall", 85), ("overall", 100), ("floor", 80), ("spread", 25))
    )
    Plan.objects.bulk_create(
        Plan(
            round=round,
            commune=commune,
            forms=figures[commune.code].collected,
            population=figures[commune.code].population,
            frozen_on=STARTS_ON,
        )
        for commune in communes
    )
    return round


def _age_bands() -> dict[str, list[int]]:
    bands = defaultdict(list)
    for row in read_csv("reports", "population_2019_hatinh_age.csv"):
        bands[row["code"]].append(int(row["population"]))
    return bands


class _Places:
    """The communes of 2018 as clerks wrote them, by the district and by the commune of 2020 they lead to."""

    def __init__(self, communes: list[AdministrativeUnit]):
        self.all: list[Place] = []
        self.former: list[tuple[str, str]] = []
        self.by_district: dict[int, list[Place]] = defaultdict(list)
        self.by_commune: dict[int, list[tuple[int, int, Place]]] = defaultdict(list)
        population = {
            r["code"]: int(r["population"]) for r in read_csv("reports", "population_2019_hatinh_premerger.csv")
        }
        of_2018 = AdministrativeUnit.objects.valid_on(COLLECTED_UNTIL).filter(level=AdministrativeUnit.Level.COMMUNE)
        for unit in of_2018.select_related("parent__parent").order_by("code"):
            today = unit_on(unit, STARTS_ON)
            place = Place(_written(unit), unit.code)
            self.all.append(place)
            self.by_district[unit.parent_id].append(place)
            self.by_commune[today.pk].append((population[unit.code], unit.pk, place))
            if today != unit and _written(today) != place.text:
                self.former.append((place.text, _written(today)))

    def of_hamlets(self, commune: AdministrativeUnit, hamlets: int) -> list[tuple[int, Place]]:
        """The commune of 2018 each hamlet lay in: one after the other, by their people."""
        old = self.by_commune[commune.pk]
        parts = apportion(hamlets, [people for people, _, _ in old])
        return [(pk, place) for (_, pk, place), part in zip(old, parts, strict=True) for _ in range(part)]


def _written(commune: AdministrativeUnit) -> str:
    """As clerks write a place."""
    units = (commune, commune.parent, commune.parent.parent)
    return ", ".join(unit.mid_sentence_name for unit in units)
