"""The district's decision, and what it makes of the forms: works, refused to the stranger, refused in a wrong state,
pressed twice; and whatever happens in whatever order, a form says the last value approved, or the collected one."""

import json
from contextlib import suppress
from datetime import date
from itertools import pairwise

import pytest
from django.db import IntegrityError, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from census_verify import clock
from households import suspicions, text
from households.models import CollectionForm, SuspectedFault
from households.tests.factories import make_form, make_officer
from verification import approvals, form_values, history, items, services
from verification.models import Correction, PassEvent, RollupMark, Round, RoundForm, VerificationPass
from verification.rules import Conflict, CorrectionEntry, InvalidEntry, NotAllowed, Refusal
from verification.terms import Approval
from verification.tests.factories import decide, record

BIRTH_DATE = CorrectionEntry(field="birth_date", new="12/3/1956", source="birth_certificate")
NAME = CorrectionEntry(field="full_name", new="trần thị giả", source="birth_certificate", note="số 12/1956")


def fresh(form) -> CollectionForm:
    return CollectionForm.objects.get(pk=form.pk)


@pytest.fixture
def form(homes) -> CollectionForm:
    return homes.two.forms.order_by("line").first()


@pytest.fixture
def correct(round, homes, cast, form):
    """Records corrections of one person."""

    def recorded(*corrections, by=cast.officer, outcome="corrected") -> VerificationPass:
        return record(homes.two, by, outcome, only=[form.pk], corrections=corrections).passes[0]

    return recorded


class TestDeciding:
    @pytest.fixture
    def waiting(self, round, homes, cast) -> list[int]:
        made = record(homes.two, cast.officer, "corrected", corrections=(BIRTH_DATE,)).passes
        return [p.form_id for p in made]

    def test_approved(self, round, waiting, cast, tree):
        RollupMark.objects.all().delete()
        rows = decide(waiting, cast.supervisor)
        assert {(row.approval, row.waits_since) for row in rows} == {("approved", None)}
        assert set(Correction.objects.values_list("approval", "decided_by")) == {("approved", cast.supervisor.pk)}
        assert PassEvent.objects.filter(kind="approved").count() == 2
        assert set(RollupMark.objects.values_list("commune", flat=True)) == {tree.huong_tra.pk}

    def test_returned_with_its_reason_and_on_the_list_again(self, round, waiting, cast, homes):
        rows = decide(waiting, cast.supervisor, "returned", "giấy khai sinh mờ")
        assert all(row.is_due(round, clock.today()) for row in rows)
        events = PassEvent.objects.filter(kind="returned")
        assert {(e.reason, e.at) for e in events} == {("giấy khai sinh mờ", rows[0].waits_since)}

    def test_a_return_needs_a_reason(self, waiting, cast):
        with pytest.raises(InvalidEntry):
            decide(waiting, cast.supervisor, "returned", " ")

    @pytest.mark.parametrize("who", ["officer", "stranger", "pc06", "leader"])
    def test_refused_to_others(self, waiting, cast, who):
        with pytest.raises(NotAllowed):
            decide(waiting, getattr(cast, who))
        assert not PassEvent.objects.exists()

    def test_of_another_district(self, round, waiting, homes, cast, tree):
        other = make_officer("district_officer", tree.ky_anh)
        with pytest.raises(NotAllowed):
            decide(waiting, other)

    def test_where_the_round_says_the_province_decides(self, round, waiting, cast):
        Round.objects.update(approving_level=Round.ApprovingLevel.PROVINCE)
        with pytest.raises(NotAllowed):
            decide(waiting, cast.supervisor)
        assert {row.approval for row in decide(waiting, cast.pc06)} == {"approved"}

    def test_a_post_in_another_place_decides_nothing_here(self, round, waiting, tree, cast):
        """A district officer of one district who is a team's member in another."""
        from households.models import Posting

        both = make_officer("district_officer", tree.ky_anh)
        Posting.objects.create(user=both, role="team_member", team=cast.team, valid_from=date(2020, 1, 1))
        with pytest.raises(NotAllowed):
            decide(waiting, both)

    def test_nobody_chosen(self, round, cast):
        with pytest.raises(InvalidEntry):
            approvals.decide(round=round, pass_ids=[], approval=Approval.APPROVED, by=cast.supervisor)

    def test_in_a_closed_round(self, round, waiting, cast):
        Round.objects.update(status=Round.Status.CLOSED)
        with pytest.raises(Conflict):
            decide(waiting, cast.supervisor)

    def test_pressed_twice(self, waiting, cast, round):
        decide(waiting, cast.supervisor)
        with pytest.raises(Conflict) as refused:
            decide(waiting, cast.supervisor)
        assert len(refused.value.offenders) == 2
        assert all(cast.supervisor.full_name in sentence for sentence in refused.value.offenders.values())
        assert PassEvent.objects.count() == 2

    def test_one_that_does_not_wait_and_none_is_decided(self, waiting, cast, homes):
        other = record(homes.four, cast.officer).passes[0].form_id
        with pytest.raises(Conflict) as refused:
            decide([*waiting, other], cast.supervisor)
        assert list(refused.value.offenders) == [other]
        assert not PassEvent.objects.exists()

    def test_what_was_recorded_anew_is_not_decided_unseen(self, round, correct, cast, form):
        seen = correct(BIRTH_DATE)
        correct(NAME)
        with pytest.raises(Conflict, match=r"look again|xem lại"):
            approvals.decide(round=round, pass_ids=[seen.pk], approval=Approval.APPROVED, by=cast.supervisor)
        assert fresh(form).birth_year == 1980


class TestTheValuesOfTheForm:
    def test_become_the_approved_ones(self, correct, cast, form):
        correct(BIRTH_DATE, NAME)
        assert fresh(form).full_name == "NGUYỄN VĂN THỬ"
        decide([form.pk], cast.supervisor)
        after = fresh(form)
        assert (after.full_name, after.birth_date_text) == ("TRẦN THỊ GIẢ", "12/03/1956")
        assert (after.search_key, after.sort_key) == text.name_keys("TRẦN THỊ GIẢ")

    @pytest.mark.parametrize(
        ("typed", "column", "value"),
        [
            (("birth_date", "1956"), ("birth_year", "birth_month", "birth_day"), (1956, None, None)),
            (("birth_date", "3/1956"), ("birth_year", "birth_month", "birth_day"), (1956, 3, None)),
            (("sex", "nữ"), ("sex",), (2,)),
            (("marital_status", "3"), ("marital_status",), (3,)),
            (("blood_type", "ab"), ("blood_type",), ("AB",)),
            (("origin_place", "xã Mới, tỉnh Nghệ An"), ("origin_place", "origin_code"), ("xã Mới, tỉnh Nghệ An", "")),
            (("pin", "042 080 000123"), ("pin",), ("042080000123",)),
        ],
    )
    def test_every_kind_of_item(self, correct, cast, form, typed, column, value):
        CollectionForm.objects.filter(pk=form.pk).update(origin_code="18526")
        correct(CorrectionEntry(*typed, source="archive"))
        decide([form.pk], cast.supervisor)
        assert CollectionForm.objects.filter(pk=form.pk).values_list(*column).get() == value

    def test_many_forms_keep_what_of_them_was_not_corrected(self, round, homes, cast):
        one, two = homes.two.forms.order_by("line")
        record(homes.two, cast.officer, "corrected", only=[one.pk], corrections=(BIRTH_DATE,))
        record(homes.two, cast.officer, "corrected", only=[two.pk], corrections=(NAME,))
        decide([one.pk, two.pk], cast.supervisor)
        assert (fresh(one).full_name, fresh(one).birth_date_text) == ("NGUYỄN VĂN THỬ", "12/03/1956")
        assert (fresh(two).full_name, fresh(two).birth_date_text) == ("TRẦN THỊ GIẢ", "17/05/1980")

    def test_returned_ones_stay_collected(self, correct, cast, form):
        correct(BIRTH_DATE)
        decide([form.pk], cast.supervisor, "returned", "mờ")
        assert fresh(form).birth_date_text == "17/05/1980"

    def test_changed_meanwhile_and_none_is_written(self, round, homes, cast, form):
        made = record(homes.two, cast.officer, "corrected", corrections=(BIRTH_DATE,)).passes
        CollectionForm.objects.filter(pk=form.pk).update(birth_year=1981)
        with pytest.raises(Conflict) as refused:
            decide([p.form_id for p in made], cast.supervisor)
        assert "NGUYỄN VĂN THỬ" in refused.value.sentence
        assert "17/05/1981" in refused.value.sentence
        assert set(CollectionForm.objects.filter(household=homes.two).values_list("birth_year", flat=True)) == {
            1981,
            1980,
        }
        assert set(RoundForm.objects.filter(household=homes.two).values_list("approval", flat=True)) == {"pending"}
        decide([form.pk], cast.supervisor, "returned", "phiếu đã đổi")

    def test_a_later_pass_judges_the_approved_values(self, correct, cast, form, homes):
        """It does not take them back: approval changed the form; the later pass says what it says of the form now."""
        correct(BIRTH_DATE)
        decide([form.pk], cast.supervisor)
        again = correct(CorrectionEntry("birth_date", "13/3/1956", "household_book"))
        assert list(again.corrections.values_list("old", "new")) == [("12/03/1956", "13/03/1956")]
        services.undo_submission(submission=again.submission, by=cast.officer)
        assert fresh(form).birth_date_text == "12/03/1956"
        assert RoundForm.objects.get(form=form).approval == "approved"
        record(homes.two, cast.officer, "matched", only=[form.pk])
        assert fresh(form).birth_date_text == "12/03/1956"

    def test_a_removal_changes_no_value_and_is_known(self, round, homes, cast, form, client):
        record(homes.two, cast.officer, "deceased", only=[form.pk], event_on=date(2019, 1, 2), paper="archive")
        before = CollectionForm.objects.filter(pk=form.pk).values().get()
        decide([form.pk], cast.supervisor)
        assert CollectionForm.objects.filter(pk=form.pk).values().get() == before
        client.force_login(cast.officer)
        for address in ("/search/?q=nguyễn văn thử", f"/units/{form.commune_id}/forms/?state=deceased"):
            assert "đã loại: Đã chết" in client.get(address).content.decode(), address

    def test_without_approval_a_correction_is_in_force_at_once_and_undone_with_its_pass(self, correct, cast, form):
        Round.objects.update(approval_outcomes=["deceased"])
        made = correct(BIRTH_DATE)
        assert fresh(form).birth_date_text == "12/03/1956"
        services.undo_submission(submission=made.submission, by=cast.officer)
        assert fresh(form).birth_date_text == "17/05/1980"

    def test_an_undo_does_not_overwrite_what_came_after(self, correct, cast, form):
        Round.objects.update(approval_outcomes=["deceased"])
        made = correct(BIRTH_DATE)
        CollectionForm.objects.filter(pk=form.pk).update(birth_year=1957)
        with pytest.raises(Conflict):
            services.undo_submission(submission=made.submission, by=cast.officer)


class TestWhatIsSuspected:
    @pytest.fixture
    def judged(self, monkeypatch, django_capture_on_commit_callbacks):
        """Runs what a decision sends to the worker."""
        sent = []
        monkeypatch.setattr(
            form_values.current_app, "send_task", lambda name, args=(), **options: sent.append((name, args))
        )

        def run(*arguments, **options):
            with django_capture_on_commit_callbacks(execute=True):
                decide(*arguments, **options)
            for name, args in sent:
                if name == "verification.tasks.judge_again":
                    form_values.judge_again(json.loads(json.dumps(args))[0])

        return run

    def test_is_judged_by_the_approved_values(self, correct, cast, form, judged, round):
        CollectionForm.objects.filter(pk=form.pk).update(ethnicity="", birth_month=None, birth_day=None)
        suspicions.sweep()
        faults = SuspectedFault.objects.filter(form=form)
        assert {"L01", "L20"} <= set(faults.values_list("fault", flat=True))
        correct(BIRTH_DATE, CorrectionEntry("ethnicity", "Kinh", "household_book"))
        RollupMark.objects.all().delete()
        judged([form.pk], cast.supervisor)
        assert not {"L01", "L20"} & set(faults.values_list("fault", flat=True))
        assert RollupMark.objects.filter(commune=form.commune_id).count() == 2, "of the decision, and of the judging"
        assert suspicions.sweep().communes == frozenset(), "a sweep finds nothing more to do"

    @pytest.mark.parametrize("item", ["cmnd", "full_name"])
    def test_of_two_people_the_other_is_cleared_too(self, correct, cast, form, homes, judged, item):
        if item == "cmnd":
            CollectionForm.objects.update(cmnd="")
            CollectionForm.objects.filter(pk=form.pk).update(cmnd="183777777")
            other = make_form(homes.hung_tri, line=9, cmnd="183777777", full_name="LÊ VĂN KHÁC")
            right = CorrectionEntry("cmnd", "183777778", "identity_card")
        else:
            CollectionForm.objects.filter(pk=form.pk).update(full_name="LÊ O'HÀ", search_key="le o'ha", birth_day=9)
            other = make_form(homes.hung_tri, line=9, full_name="LÊ O'HÀ", birth_day=9, cmnd="")
            right = CorrectionEntry("full_name", "LÊ THỊ HÀ", "identity_card")
        suspicions.sweep()
        both = SuspectedFault.objects.filter(form__in=[form, other], fault="L10" if item == "cmnd" else "L09")
        assert set(both.values_list("form", flat=True)) == {form.pk, other.pk}
        correct(right)
        judged([form.pk], cast.supervisor)
        assert not both.exists()

    def test_a_new_pair_is_found_through_the_index(self, correct, cast, form, homes, judged):
        CollectionForm.objects.update(cmnd="")
        other = make_form(homes.hung_tri, line=9, cmnd="183777777", full_name="LÊ VĂN KHÁC")
        correct(CorrectionEntry("cmnd", "183777777", "identity_card"))
        judged([form.pk], cast.supervisor)
        pairs = set(SuspectedFault.objects.filter(fault="L10").values_list("form", "other"))
        assert pairs == {(form.pk, other.pk), (other.pk, form.pk)}
        before = set(SuspectedFault.objects.values_list("form", "fault", "field", "other"))
        suspicions.sweep()
        assert set(SuspectedFault.objects.filter(fault="L10").values_list("form", "fault", "field", "other")) == {
            row for row in before if row[1] == "L10"
        }


class TestHistory:
    def test_the_chain_of_an_item(self, correct, cast, form, homes, django_assert_num_queries):
        correct(BIRTH_DATE)
        decide([form.pk], cast.supervisor, "returned", "mờ")
        correct(BIRTH_DATE)
        decide([form.pk], cast.supervisor)
        undone = correct(CorrectionEntry("birth_date", "14/3/1956", "archive"))
        services.undo_submission(submission=undone.submission, by=cast.officer)
        correct(CorrectionEntry("birth_date", "13/3/1956", "household_book"))
        now = fresh(form)
        with django_assert_num_queries(2):
            chains = history.chain_of([now])
        chain = chains[form.pk]["birth_date"]
        assert (chain.collected, chain.current) == ("17/05/1980", "12/03/1956")
        assert [(step.correction.new, str(step.state)) for step in chain.steps] == [
            ("12/03/1956", "returned"),
            ("12/03/1956", "in_force"),
            ("14/03/1956", "undone"),
            ("13/03/1956", "pending"),
        ]
        assert chain.steps[1].correction.decided_by == cast.supervisor

    def test_the_same_questions_for_many(self, round, homes, cast, django_assert_num_queries):
        for home in (homes.two, homes.four):
            record(home, cast.officer, "corrected", corrections=(BIRTH_DATE,))
        forms = list(CollectionForm.objects.all())
        with django_assert_num_queries(1):
            assert sum(map(len, history.chain_of(forms).values())) == 6
        with django_assert_num_queries(3):
            assert sum(map(len, history.happenings_of([f.pk for f in forms]).values())) == 6


class TestSinceWhen:
    def test_it_waits(self, round, correct, cast, form):
        made = correct(BIRTH_DATE)
        row = RoundForm.objects.get(form=form)
        assert row.waits_since == VerificationPass.objects.get(pk=made.pk).recorded_at
        decide([form.pk], cast.supervisor, "returned", "mờ")
        returned_at = RoundForm.objects.get(form=form).waits_since
        later = correct(NAME)
        services.undo_submission(submission=later.submission, by=cast.officer)
        row.refresh_from_db()
        assert (row.approval, row.waits_since) == ("returned", returned_at)

    def test_by_constraint_while_it_waits_and_no_longer(self, correct, form):
        correct(BIRTH_DATE)
        for wrong in ({"waits_since": None}, {"approval": "approved"}):
            with pytest.raises(IntegrityError, match="round_form_waits_since"), transaction.atomic():
                RoundForm.objects.filter(form=form).update(**wrong)


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["correct", "correct", "match", "undo", "approve", "approve", "return"]),
        st.sampled_from(["full_name", "birth_date", "sex", "origin_place", "cmnd"]),
        st.integers(0, 2),
    ),
    max_size=12,
)
VALUES = {
    "full_name": ("TRẦN THỊ MỘT", "TRẦN THỊ HAI", "TRẦN THỊ BA"),
    "birth_date": ("1956", "3/1957", "12/3/1958"),
    "sex": ("1", "2", "2"),
    "origin_place": ("xã Một", "xã Hai", "xã Ba"),
    "cmnd": ("183000011", "183000012", "183000013"),
}


@given(steps=STEPS, asks=st.booleans())
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_form_says_the_last_value_in_force_or_the_collected_one(round, homes, cast, steps, asks):
    form = homes.two.forms.order_by("line").first()
    with transaction.atomic():
        if not asks:
            Round.objects.filter(pk=round.pk).update(approval_outcomes=[])
        said = {item: items.value_of(form, item) for item in VALUES}
        collected, before = dict(said), []  # what stood before each pass that may still be undone
        for what, item, value in steps:
            with suppress(Refusal):
                if what == "correct":
                    entry = CorrectionEntry(item, VALUES[item][value], "archive")
                    made = record(homes.two, cast.officer, "corrected", only=[form.pk], corrections=(entry,))
                    before.append((made.passes[0].submission, dict(said)))
                    if not asks:
                        said[item] = made.passes[0].corrections.get().new
                elif what == "match":
                    made = record(homes.two, cast.officer, "matched", only=[form.pk])
                    before.append((made.passes[0].submission, dict(said)))
                elif what == "undo" and before:
                    services.undo_submission(submission=before[-1][0], by=cast.officer)
                    said = before.pop()[1]
                elif what in ("approve", "return"):
                    standing = RoundForm.objects.get(form=form, round=round).standing_pass
                    approval = "approved" if what == "approve" else "returned"
                    decide([form.pk], cast.supervisor, approval, "xem lại")
                    for correction in standing.corrections.all() if what == "approve" else ():
                        said[correction.field] = correction.new
        now = fresh(form)
        assert {item: items.value_of(now, item) for item in VALUES} == said
        assert (now.search_key, now.sort_key) == text.name_keys(now.full_name)
        for item, chain in history.chain_of([now])[form.pk].items():
            assert (chain.collected, chain.current) == (collected[item], said[item])
            in_force = [step.correction for step in chain.steps if step.is_in_force]
            assert chain.current == (in_force[-1].new if in_force else chain.collected)
            for earlier, later in pairwise(in_force):
                assert later.old == earlier.new
        transaction.set_rollback(True)
