from collections import Counter
from datetime import date, timedelta
from io import StringIO
from random import Random

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import Count, F, Q
from hypothesis import given
from hypothesis import strategies as st

from households import suspicions as sweeping
from households import text
from households.faults import suspicions
from households.models import AdministrativeUnit, CollectionForm, Household, Posting, SuspectedFault, User, WorkTeam
from households.permissions import scope_of
from households.tests.factories import make_household
from households.unit_import import read_csv
from reports.demo.calendar import DAYS, PACES
from reports.demo.figures import PROVINCE, Figures, apportion, totals
from reports.demo.names import FEMALE, MALE, misspelt, rests, surnames
from reports.demo.seed import seed
from reports.demo.tables import TABLES
from reports.demo.units import DEMO_ACCOUNTS, PASSWORD, SHOWN_COMMUNE
from reports.models import DailyTally, Tally
from reports.proof import differences
from verification import items
from verification.models import Correction, PassEvent, Plan, RollupMark, Round, RoundForm, VerificationPass
from verification.rules import is_verified
from verification.terms import REMOVALS, WITH_CORRECTIONS

Level = AdministrativeUnit.Level
SMALL = 0.002


def load(share: float = SMALL, random_seed: int = 7) -> Tally:
    return seed(share=share, random_seed=random_seed)


def command(**options) -> str:
    out = StringIO()
    call_command("seed_demo", stdout=out, **options)
    return out.getvalue()


def communes_of(round: Round) -> list[Tally]:
    return list(Tally.objects.filter(round=round, unit__level=Level.COMMUNE).select_related("unit"))


# --- sharing out -----------------------------------------------------------------------


@given(st.integers(0, 2_000_000), st.lists(st.integers(0, 200_000), min_size=1, max_size=300).filter(any))
def test_parts_add_up_and_lie_within_one_of_their_due(total, weights):
    parts = apportion(total, weights)
    whole = sum(weights)
    assert sum(parts) == total
    assert all(total * w // whole <= part <= -(-total * w // whole) for part, w in zip(parts, weights, strict=True))


@given(st.data(), st.lists(st.tuples(st.integers(0, 5_000), st.integers(0, 5_000)), min_size=1, max_size=100))
def test_nobody_gets_more_than_her_cap(data, rows):
    weights, caps = [w + 1 for w, _ in rows], [c for _, c in rows]
    total = data.draw(st.integers(0, sum(caps)))
    parts = apportion(total, weights, caps)
    assert sum(parts) == total
    assert all(0 <= part <= cap for part, cap in zip(parts, caps, strict=True))


def test_more_than_all_caps_is_refused():
    with pytest.raises(ValueError, match="do not fit"):
        apportion(5, [1, 1], [2, 2])


@given(st.floats(SMALL, 1))
def test_any_share_has_the_provinces_rates(share):
    figures = totals(share)
    assert figures.rates == PROVINCE.rates == ("98.80", "99.57", "85.01")
    assert abs(figures.collected - PROVINCE.collected * share) <= 200


def test_the_whole_share_is_the_newspapers_figures():
    assert totals(1) == Figures(population=1_496_921, collected=1_478_997, qualified=1_472_612, verified=1_257_366)


# --- names and days --------------------------------------------------------------------


def test_names_carry_the_keys_the_register_would_give_them():
    for sex in (MALE, FEMALE):
        for era in range(3):
            for surname, rest in zip(surnames()[:200], rests(sex, era)[:200], strict=True):
                name = f"{surname.text} {rest.text}"
                key = f"{rest.given_sorted}!{surname.sorted}!{rest.middle_sorted}"
                assert (f"{surname.folded} {rest.folded}", key) == (text.search_key(name), text.person_sort_key(name))


@given(st.integers())
def test_a_misspelt_name_is_another_name(number):
    random = Random(number)
    name = f"{random.choice(surnames()).text} {random.choice(rests(FEMALE, 2)).text}"
    assert misspelt(name, random) != name


def test_nobody_works_at_tet_and_few_in_april():
    pace = dict(zip(DAYS, PACES, strict=True))
    assert not any(pace[date(2020, 1, day)] for day in range(23, 30))
    assert pace[date(2020, 4, 10)] < pace[date(2020, 3, 10)] / 3
    assert pace[date(2020, 5, 10)] < pace[date(2020, 5, 11)] / 3  # a Sunday


# --- the loaded province ---------------------------------------------------------------


@pytest.mark.django_db
class TestProvince:
    """One small province, looked at from every side; loading it takes most of the time."""

    def test_it_holds_together(self):
        before = constraints()
        province = load()
        round = Round.objects.get()
        self.constraints_hold(before)
        self.figures(province, round)
        self.spread(round)
        self.every_stored_figure_is_the_recount(round)
        self.results(round)
        self.corrections()
        self.events()
        self.households()
        self.faults(round)
        self.ages()
        self.days(province)
        self.officers()

    def figures(self, province, round):
        figures = totals(SMALL)
        stored = Figures(province.population, province.collected, province.qualified, province.verified)
        assert stored == figures
        assert figures.rates == PROVINCE.rates
        assert province.plan == province.collected == CollectionForm.objects.filter(is_synthetic=True).count()
        assert province.in_scope == province.qualified == RoundForm.objects.in_round(round).count()
        assert Plan.objects.count() == 216
        assert {(t.kind, str(t.percent), t.due_on) for t in round.targets.all()} == {
            ("overall", "85.00", date(2020, 6, 30)),
            ("overall", "100.00", date(2020, 6, 30)),
            ("floor", "80.00", date(2020, 6, 30)),
            ("spread", "25.00", date(2020, 6, 30)),
        }

    def spread(self, round):
        communes = communes_of(round)
        assert len(communes) == 216
        assert all(0 < c.verified <= c.qualified <= c.collected <= c.population for c in communes)
        done = [c for c in communes if c.verified == c.plan]
        assert len(done) >= 6
        assert all(c.qualified == c.collected and not c.pending for c in done)
        assert sum(c.verified < 0.6 * c.plan for c in communes) >= 4
        shown = next(c for c in communes if c.unit.code == SHOWN_COMMUNE)
        assert shown.verified < shown.in_scope

    def every_stored_figure_is_the_recount(self, round):
        assert not RollupMark.objects.exists()
        assert list(differences(round)) == []

    def results(self, round):
        for row in RoundForm.objects.exclude(outcome="").select_related("standing_pass", "form"):
            standing = row.standing_pass
            same = (row.outcome, row.counted_on, row.next_visit_on, row.form_id, row.commune_id)
            assert same == (
                standing.outcome,
                standing.verified_on,
                standing.next_visit_on,
                standing.form_id,
                standing.commune_id,
            )
            assert bool(row.approval) == (row.outcome in round.approval_outcomes)
            counts = is_verified(row.outcome, row.approval, round.counting_outcomes)
            assert counts == (row.outcome != "not_met" and not (row.outcome in REMOVALS and row.approval == "pending"))
        passes = VerificationPass.objects.all()
        assert not passes.filter(next_visit_on__lt=date(2020, 6, 19)).exists()
        late = passes.exclude(recorded_at__date=F("verified_on"))
        assert late.exists()
        assert not late.exclude(recorded_at__date=F("verified_on") + timedelta(days=1)).exists()
        assert not passes.filter(recorded_at__gt="2020-06-19T17:30:00+07:00").exists()
        assert not passes.filter(duplicate_of__isnull=False).exclude(duplicate_of__commune=F("commune")).exists()

    def corrections(self):
        for correction in Correction.objects.select_related("verification_pass__form"):
            form = correction.verification_pass.form
            says = correction.new if correction.approval == "approved" else correction.old
            assert says == items.value_of(form, correction.field)
            assert correction.new == items.ITEMS[correction.field].clean(correction.new, form)
            wanted = "corrected" if correction.old else "supplemented"
            assert correction.verification_pass.outcome == wanted
        with_corrections = VerificationPass.objects.filter(outcome__in=WITH_CORRECTIONS)
        assert with_corrections.count() == Correction.objects.values("verification_pass").distinct().count()

    def events(self):
        decided = RoundForm.objects.filter(approval__in=["approved", "returned"])
        assert decided.count() == PassEvent.objects.count()
        assert not PassEvent.objects.filter(at__lte=F("verification_pass__recorded_at")).exists()

    def households(self):
        sizes = Household.objects.annotate(people=Count("forms")).values_list("people", flat=True)
        assert min(sizes) >= 1
        assert max(sizes) <= 9
        assert 3.2 <= sum(sizes) / len(sizes) <= 3.9
        assert set(
            AdministrativeUnit.objects.filter(level=Level.COMMUNE, valid_to=None).values_list("pk", flat=True)
        ) == set(Household.objects.values_list("commune", flat=True))
        assert not CollectionForm.objects.exclude(hamlet__parent=F("commune")).exists()
        assert not CollectionForm.objects.exclude(collected_unit__valid_from=None).exists()

    def faults(self, round):
        """About one form in ten had a fault, most of them are corrected; what was found right is right for the
        program too."""
        forms = list(CollectionForm.objects.order_by("household", "line"))
        suspected = sum(bool(suspicions(form)) for form in forms)
        assert 0.005 < suspected / len(forms) < 0.04
        assert 0.06 < Correction.objects.count() / RoundForm.objects.exclude(outcome="").count() < 0.12
        matched = RoundForm.objects.filter(outcome="matched").select_related("form")
        assert [s for row in matched for s in suspicions(row.form)] == []
        self.stored_suspicions(forms)
        for form in forms:
            assert (form.search_key, form.sort_key) == (
                text.search_key(form.full_name),
                text.person_sort_key(form.full_name),
            )

    def stored_suspicions(self, forms):
        """Stored when the demo was loaded; every kind is there that a demo can show, none is common."""
        kinds = Counter(SuspectedFault.objects.values_list("fault", flat=True))
        assert {"L01", "L04", "L07", "L15", "L16", "L17", "L18", "L19", "L21", "L24"} <= set(kinds)
        assert max(kinds.values()) < 0.04 * len(forms)
        assert sweeping.sweep().communes == frozenset()

    def ages(self):
        """Each band of five years within 2 points of the census."""
        bands = [
            int(r["population"]) for r in read_csv("reports", "population_2019_hatinh_age.csv") if r["code"] == "42"
        ]
        ages = Counter(
            min(17, (2018 - year) // 5) for year in CollectionForm.objects.values_list("birth_year", flat=True)
        )
        for band, people in enumerate(bands):
            assert ages[band] / ages.total() == pytest.approx(people / sum(bands), abs=0.02)

    def days(self, province):
        days = DailyTally.objects.filter(round=province.round, unit=province.unit, verified__gt=0).order_by("day")
        verified = dict(days.values_list("day", "verified"))
        assert sum(verified.values()) == province.verified
        assert max(verified) == date(2020, 6, 19)
        assert min(verified) < date(2020, 2, 1)

    def officers(self):
        assert WorkTeam.objects.count() == 65
        assert {a.username for a in DEMO_ACCOUNTS} <= set(User.objects.values_list("username", flat=True))
        officers = {username: User.objects.get(username=username) for username in ("xa.huongtra", "to.huongkhe1")}
        assert all(officer.check_password(PASSWORD) for officer in officers.values())
        shown = AdministrativeUnit.objects.get(code=SHOWN_COMMUNE, valid_to=None)
        assert all(scope_of(officer).records_in(shown.pk) for officer in officers.values())
        usable = User.objects.exclude(Q(password__startswith="!"))
        assert usable.count() == len(DEMO_ACCOUNTS)
        assert Posting.objects.filter(role="commune_officer").count() == 216

    def constraints_hold(self, before):
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        assert constraints() == before


def constraints() -> dict:
    """Every constraint and index of the tables that are filled without them."""
    with connection.cursor() as cursor:
        return {table: connection.introspection.get_constraints(cursor, table._meta.db_table) for table in TABLES}


def contents() -> list:
    """What was made, told without ids."""
    return [
        list(
            CollectionForm.objects.order_by("barcode").values_list(
                "barcode",
                "full_name",
                "birth_year",
                "birth_day",
                "pin",
                "cmnd",
                "residence_place",
                "book_number",
                "hamlet__code",
            )
        ),
        list(
            VerificationPass.objects.order_by("form__barcode").values_list(
                "form__barcode", "outcome", "submission", "recorded_at", "officer__username", "team__code"
            )
        ),
        list(Plan.objects.order_by("commune__code").values_list("commune__code", "forms", "population")),
    ]


@pytest.mark.django_db(transaction=True)
class TestAgain:
    def emptied(self):
        call_command("flush", interactive=False, verbosity=0)

    def test_the_same_seed_gives_the_same_rows_and_another_gives_others(self):
        load()
        first = contents()
        self.emptied()
        load()
        assert contents() == first
        self.emptied()
        load(random_seed=8)
        assert contents()[0] != first[0]

    def test_twice_is_harmless_and_new_rows_still_fit(self):
        said = command(share=SMALL)
        assert "85,01%" in said
        assert PASSWORD in said
        assert "huyen.huongkhe" in said
        before = CollectionForm.objects.count(), Round.objects.count(), User.objects.count()
        assert "already" in command(share=SMALL)
        assert (CollectionForm.objects.count(), Round.objects.count(), User.objects.count()) == before
        hamlet = AdministrativeUnit.objects.filter(level=Level.HAMLET).first()
        make_household(hamlet, people=2)
        assert CollectionForm.objects.count() == before[0] + 2

    def test_a_broken_run_leaves_nothing(self, monkeypatch):
        from reports.demo import seed as seeding

        def break_down():
            raise RuntimeError("the lights went out")

        monkeypatch.setattr(seeding, "roll_up", break_down)
        with pytest.raises(RuntimeError):
            load()
        assert not any(model.objects.exists() for model in (CollectionForm, Household, Round, User, AdministrativeUnit))
        monkeypatch.undo()
        assert load().verified == totals(SMALL).verified


# --- where it is refused ---------------------------------------------------------------


@pytest.mark.django_db
def test_without_training_mode_it_is_refused(settings):
    settings.CENSUS_VERIFY_TODAY = None
    with pytest.raises(CommandError, match="training mode"):
        command(share=SMALL)
    assert not User.objects.exists()


def test_beside_real_people_it_is_refused(homes):
    CollectionForm.objects.update(is_synthetic=False)
    forms = CollectionForm.objects.count()
    with pytest.raises(CommandError, match="real people"):
        command(share=SMALL)
    assert CollectionForm.objects.count() == forms


def test_where_an_account_has_a_demo_name_it_is_refused(db):
    User.objects.create(username="admin", full_name="Somebody")
    with pytest.raises(CommandError, match="accounts called admin"):
        command(share=SMALL)


@pytest.mark.parametrize("share", [0, 0.0001, 1.5, -1])
def test_a_share_out_of_range_is_refused(share):
    with pytest.raises(CommandError, match="between"):
        command(share=share)
