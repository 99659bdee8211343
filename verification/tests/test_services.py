"""Recording and undoing results: works, refused to the stranger, refused in a wrong state, pressed twice."""

from datetime import date, timedelta
from uuid import uuid4

import pytest
from django.db import IntegrityError, InternalError, transaction

from census_verify import clock
from households.models import CollectionForm, Posting
from households.tests.factories import make_form, make_household
from verification import rounds, services, work
from verification.models import Correction, PassEvent, Plan, RollupMark, Round, RoundForm, VerificationPass
from verification.rules import Conflict, CorrectionEntry, Entry, InvalidEntry, NotAllowed, Refusal
from verification.tests.factories import decide, make_round, open_round, record

BIRTH_DATE = CorrectionEntry(field="birth_date", new="12/3/1956", source="birth_certificate")


def result_of(form: CollectionForm) -> RoundForm:
    return RoundForm.objects.get(form=form)


def nothing_was_written() -> bool:
    return not (VerificationPass.objects.exists() or Correction.objects.exists() or PassEvent.objects.exists())


class TestRecording:
    def test_a_household_that_is_all_right(self, round, homes, cast, tree):
        RollupMark.objects.all().delete()
        recorded = record(homes.four, cast.officer)
        assert len(recorded.passes) == 4
        assert not recorded.replayed
        rows = RoundForm.objects.filter(household=homes.four)
        assert {(r.outcome, r.approval, r.counted_on) for r in rows} == {("matched", "", date(2020, 6, 19))}
        assert {r.standing_pass_id for r in rows} == {p.pk for p in recorded.passes}
        assert list(RollupMark.objects.values_list("round", "commune")) == [(round.pk, tree.huong_tra.pk)]

    def test_pressed_twice_counts_once(self, round, homes, cast):
        submission = uuid4()
        first = record(homes.four, cast.officer, submission=submission)
        entries = [Entry(form_id=p.form_id, outcome="matched") for p in first.passes]
        again = services.record_results(
            round=round, household_id=homes.four.pk, entries=entries, by_books=True, in_person=True,
            verified_on=clock.today(), submission=submission, by=cast.officer,
        )  # fmt: skip
        assert again.replayed
        assert {p.pk for p in again.passes} == {p.pk for p in first.passes}
        assert VerificationPass.objects.count() == 4

    def test_an_undone_submission_sent_again_is_not_taken_for_recorded(self, round, homes, cast):
        submission = record(homes.two, cast.officer).passes[0].submission
        services.undo_submission(submission=submission, by=cast.officer)
        with pytest.raises(Conflict):
            record(homes.two, cast.officer, submission=submission)

    def test_a_submission_sent_again_with_something_else_is_told(self, round, homes, cast):
        first = record(homes.two, cast.officer)
        entries = [Entry(form_id=p.form_id, outcome="emigrated") for p in first.passes]
        with pytest.raises(Conflict):
            services.record_results(
                round=round, household_id=homes.two.pk, entries=entries, by_books=True, in_person=True,
                verified_on=clock.today(), submission=first.passes[0].submission, by=cast.officer,
            )  # fmt: skip

    def test_two_tabs_one_result_and_the_second_is_told(self, round, homes, cast):
        seen = [Entry(form_id=f.pk, outcome="matched") for f in homes.two.forms.all()]
        record(homes.two, cast.officer)
        with pytest.raises(Conflict) as told:
            services.record_results(
                round=round, household_id=homes.two.pk, entries=seen, by_books=True, in_person=False,
                verified_on=clock.today(), submission=uuid4(), by=cast.member,
            )  # fmt: skip
        assert cast.officer.full_name in told.value.sentence
        assert VerificationPass.objects.count() == 2

    def test_a_submission_of_somebody_else_is_not_replayed(self, round, homes, cast):
        submission = uuid4()
        record(homes.two, cast.officer, submission=submission)
        with pytest.raises(Conflict):
            record(homes.two, cast.member, submission=submission)

    def test_a_later_result_supersedes_and_both_stay(self, round, homes, cast):
        first = record(homes.two, cast.officer).passes[0]
        second = record(homes.two, cast.officer, "moved_away", only=[first.form_id], event_on=date(2020, 5, 1),
                        destination="Thành phố Vinh").passes[0]  # fmt: skip
        first.refresh_from_db()
        assert not first.is_standing
        assert second.supersedes == first
        assert first.events.get().kind == PassEvent.Kind.SUPERSEDED
        assert result_of(first.form).standing_pass == second

    def test_a_team_member_records_for_the_team(self, round, homes, cast):
        recorded = record(homes.phu_gia, cast.member).passes
        assert {p.team for p in recorded} == {cast.team}
        assert {p.team for p in record(homes.two, cast.officer).passes} == {None}

    @pytest.mark.parametrize("who", ["stranger", "supervisor", "pc06", "admin", "leader"])
    def test_refused_to_whoever_does_not_work_there(self, round, homes, cast, who):
        with pytest.raises(NotAllowed):
            record(homes.four, getattr(cast, who))
        assert nothing_was_written()

    def test_a_place_she_only_supervises_is_not_hers_to_record_in(self, round, homes, cast, tree):
        Posting.objects.create(user=cast.officer, role="pc06_officer", unit=tree.phu_gia, valid_from=date(2020, 1, 1))
        with pytest.raises(NotAllowed):
            record(homes.phu_gia, cast.officer)
        assert len(record(homes.two, cast.officer).passes) == 2

    def test_an_ended_posting_records_nothing_more(self, round, homes, cast):
        cast.officer.postings.update(valid_to=clock.today())
        with pytest.raises(NotAllowed):
            record(homes.four, cast.officer)

    def test_refused_when_the_round_is_closed(self, round, homes, cast):
        Round.objects.update(status=Round.Status.CLOSED)
        round.refresh_from_db()
        with pytest.raises(Conflict):
            record(homes.four, cast.officer, round=round)
        assert nothing_was_written()

    @pytest.mark.parametrize(
        ("day", "sentence"),
        [(date(2020, 6, 20), "tương lai"), (date(2019, 12, 31), "trước")],
    )
    def test_a_day_outside_the_round(self, round, homes, cast, day, sentence):
        with pytest.raises(InvalidEntry) as refused:
            record(homes.four, cast.officer, verified_on=day)
        assert refused.value.field == "verified_on"
        assert sentence in refused.value.sentence
        assert nothing_was_written()

    def test_a_method_is_needed(self, round, homes, cast):
        with pytest.raises(InvalidEntry):
            record(homes.four, cast.officer, by_books=False, in_person=False)

    @pytest.mark.parametrize(
        ("outcome", "fields", "place"),
        [
            ("dung", {}, "outcome"),
            ("deceased", {"paper": "civil_status_extract"}, "event_on"),
            ("deceased", {"event_on": date(2020, 1, 2)}, "paper"),
            ("deceased", {"event_on": date(2020, 6, 20), "paper": "civil_status_extract"}, "event_on"),
            ("deceased", {"event_on": date(1979, 1, 2), "paper": "archive"}, "event_on"),
            ("deceased", {"event_on": date(2020, 1, 2), "paper": "x" * 200}, "paper"),
            ("emigrated", {"paper": "nonsense"}, "paper"),
            ("moved_away", {"event_on": date(2020, 1, 2)}, "destination"),
            ("not_met", {"reason": "vắng", "next_visit_on": date(2020, 7, 1)}, "next_visit_on"),
            ("duplicate", {}, "duplicate_barcode"),
            ("duplicate", {"duplicate_barcode": "NOSUCH"}, "duplicate_barcode"),
            ("not_met", {"reason": "đi làm ăn xa"}, "next_visit_on"),
            ("not_met", {"reason": "đi làm ăn xa", "next_visit_on": date(2020, 6, 18)}, "next_visit_on"),
            ("not_met", {"next_visit_on": date(2020, 6, 25)}, "reason"),
            ("unverifiable", {"reason": "không rõ"}, "attempts"),
            ("corrected", {}, "corrections"),
            ("matched", {"corrections": (BIRTH_DATE,)}, "corrections"),
            ("corrected", {"corrections": (CorrectionEntry("birth_date", "12/3/1956", ""),)}, "source"),
            ("corrected", {"corrections": (CorrectionEntry("birth_date", "31/2/1956", "archive"),)}, "new"),
            ("corrected", {"corrections": (CorrectionEntry("birth_date", "17/05/1980", "archive"),)}, "new"),
            ("corrected", {"corrections": (CorrectionEntry("full_name", "Ă" * 1_000_000, "archive"),)}, "new"),
            ("corrected", {"corrections": (CorrectionEntry("password", "x", "archive"),)}, "field"),
            ("corrected", {"corrections": (BIRTH_DATE, BIRTH_DATE)}, "field"),
            ("supplemented", {"corrections": (BIRTH_DATE,)}, "field"),
        ],
    )
    def test_each_outcome_asks_for_its_own_fields(self, round, homes, cast, outcome, fields, place):
        form = homes.two.forms.first()
        with pytest.raises(InvalidEntry) as refused:
            record(homes.two, cast.officer, outcome, only=[form.pk], **fields)
        assert (refused.value.form_id, refused.value.field) == (form.pk, place)
        assert refused.value.sentence
        assert nothing_was_written()

    def test_what_was_typed_for_another_outcome_is_not_kept(self, round, homes, cast):
        made = record(homes.two, cast.officer, "matched", event_on=date(2019, 1, 2), reason="nhầm", attempts=2,
                      destination="Vinh", paper="archive", next_visit_on=date(2020, 1, 1)).passes[0]  # fmt: skip
        assert (made.event_on, made.reason, made.attempts, made.destination, made.paper) == (None, "", None, "", "")

    def test_one_wrong_person_and_nobody_is_recorded(self, round, homes, cast):
        good, bad = homes.two.forms.order_by("line")
        entries = [Entry(form_id=good.pk, outcome="matched"), Entry(form_id=bad.pk, outcome="corrected")]
        with pytest.raises(InvalidEntry):
            services.record_results(
                round=round, household_id=homes.two.pk, entries=entries, by_books=True, in_person=True,
                verified_on=clock.today(), submission=uuid4(), by=cast.officer,
            )  # fmt: skip
        assert nothing_was_written()

    def test_a_form_of_another_household_is_refused(self, round, homes, cast):
        other = homes.three.forms.first()
        with pytest.raises(InvalidEntry):
            services.record_results(
                round=round, household_id=homes.two.pk, entries=[Entry(form_id=other.pk, outcome="matched")],
                by_books=True, in_person=True, verified_on=clock.today(), submission=uuid4(), by=cast.officer,
            )  # fmt: skip
        assert nothing_was_written()

    def test_a_correction_keeps_old_new_and_source(self, round, homes, cast):
        form = homes.two.forms.first()
        record(homes.two, cast.officer, "corrected", only=[form.pk], corrections=(BIRTH_DATE,))
        correction = Correction.objects.get()
        assert (correction.old, correction.new) == ("17/05/1980", "12/03/1956")
        assert (correction.fault, correction.source, correction.approval) == ("L02", "birth_certificate", "pending")
        form.refresh_from_db()
        assert form.birth_date_text == "17/05/1980"  # the collected value stays

    def test_a_removal_waits_for_the_district(self, round, homes, cast):
        form = homes.two.forms.first()
        record(homes.two, cast.officer, "deceased", only=[form.pk], event_on=date(2019, 2, 3),
               paper="civil_status_extract")  # fmt: skip
        assert result_of(form).approval == "pending"

    def test_a_duplicate_names_the_other_form(self, round, homes, cast):
        form, other = homes.two.forms.first(), homes.three.forms.first()
        recorded = record(homes.two, cast.officer, "duplicate", only=[form.pk], duplicate_barcode=other.barcode)
        assert recorded.passes[0].duplicate_of == other

    def test_two_forms_cannot_both_be_the_others_duplicate(self, round, homes, cast):
        one, other = homes.two.forms.order_by("line")
        record(homes.two, cast.officer, "duplicate", only=[one.pk], duplicate_barcode=other.barcode)
        with pytest.raises(Conflict):
            record(homes.two, cast.officer, "duplicate", only=[other.pk], duplicate_barcode=one.barcode)
        assert result_of(other).outcome == ""

    def test_what_does_not_count_in_the_round_stays_on_the_list(self, round, homes, cast, tree):
        for home in (homes.four, homes.two, homes.three):
            record(home, cast.officer, "unverifiable", reason="không rõ", attempts=1)
        assert work.next_household(round, tree.huong_tra.pk, today=clock.today()) is None
        Round.objects.update(counting_outcomes=["matched"])
        round.refresh_from_db()
        assert work.next_household(round, tree.huong_tra.pk, today=clock.today()) == homes.four


class TestUndoing:
    def test_refused_when_the_round_is_closed(self, round, homes, cast):
        submission = record(homes.two, cast.officer).passes[0].submission
        Round.objects.update(status=Round.Status.CLOSED)
        with pytest.raises(Conflict):
            services.undo_submission(submission=submission, by=cast.officer)
        assert VerificationPass.objects.standing().count() == 2

    def test_refused_when_the_district_has_decided(self, round, homes, cast):
        made = record(homes.two, cast.officer, "emigrated").passes
        decide([made[0].form_id], cast.supervisor)
        with pytest.raises(Conflict):
            services.undo_submission(submission=made[0].submission, by=cast.officer)

    def test_nothing_stands_again(self, round, homes, cast):
        submission = record(homes.two, cast.officer).passes[0].submission
        undone = services.undo_submission(submission=submission, by=cast.officer)
        assert len(undone) == 2
        assert not VerificationPass.objects.standing().exists()
        assert {r.outcome for r in RoundForm.objects.filter(household=homes.two)} == {""}
        assert VerificationPass.objects.count() == 2
        assert PassEvent.objects.filter(kind=PassEvent.Kind.UNDONE).count() == 2

    def test_the_result_before_it_stands_again(self, round, homes, cast):
        first = record(homes.two, cast.officer).passes[0]
        later = record(homes.two, cast.officer, "not_met", only=[first.form_id], reason="vắng",
                       next_visit_on=date(2020, 6, 25)).passes[0]  # fmt: skip
        services.undo_submission(submission=later.submission, by=cast.officer)
        row = result_of(first.form)
        assert (row.standing_pass, row.outcome, row.next_visit_on) == (first, "matched", None)
        first.refresh_from_db()
        assert first.is_standing
        assert list(first.events.values_list("kind", flat=True)) == ["superseded", "restored"]

    def test_pressed_twice(self, round, homes, cast):
        submission = record(homes.two, cast.officer).passes[0].submission
        services.undo_submission(submission=submission, by=cast.officer)
        assert services.undo_submission(submission=submission, by=cast.officer) == []
        assert PassEvent.objects.count() == 2

    def test_refused_to_another_officer(self, round, homes, cast):
        submission = record(homes.two, cast.officer).passes[0].submission
        with pytest.raises(NotAllowed):
            services.undo_submission(submission=submission, by=cast.member)
        assert VerificationPass.objects.standing().count() == 2

    def test_refused_when_a_later_result_stands(self, round, homes, cast):
        first = record(homes.two, cast.officer).passes[0]
        record(homes.two, cast.member)
        with pytest.raises(Conflict):
            services.undo_submission(submission=first.submission, by=cast.officer)
        assert not PassEvent.objects.filter(kind=PassEvent.Kind.UNDONE).exists()

    def test_refused_after_the_rounds_minutes(self, round, homes, cast, monkeypatch):
        submission = record(homes.two, cast.officer).passes[0].submission
        later = clock.now() + timedelta(minutes=round.undo_minutes, seconds=1)
        monkeypatch.setattr(clock, "now", lambda: later)
        with pytest.raises(Conflict):
            services.undo_submission(submission=submission, by=cast.officer)

    def test_undone_can_be_recorded_anew(self, round, homes, cast):
        submission = record(homes.two, cast.officer).passes[0].submission
        services.undo_submission(submission=submission, by=cast.officer)
        assert len(record(homes.two, cast.officer).passes) == 2


class TestTheDatabaseItself:
    """Constraints and triggers, by writing past the services."""

    @pytest.fixture
    def recorded(self, round, homes, cast):
        return record(homes.two, cast.officer, "corrected", only=[homes.two.forms.first().pk],
                      corrections=(BIRTH_DATE,)).passes[0]  # fmt: skip

    def refused(self, error, write):
        with pytest.raises(error), transaction.atomic():
            write()

    def test_a_pass_is_never_edited_nor_deleted(self, recorded):
        one = VerificationPass.objects.filter(pk=recorded.pk)
        self.refused((IntegrityError, InternalError), lambda: one.update(outcome="matched"))
        self.refused((IntegrityError, InternalError), lambda: one.update(verified_on=date(2020, 6, 1)))
        self.refused((IntegrityError, InternalError), lambda: one._raw_delete(one.db))

    def test_a_correction_keeps_what_it_says(self, recorded):
        one = recorded.corrections.all()
        self.refused((IntegrityError, InternalError), lambda: one.update(new="1/1/1990"))
        self.refused((IntegrityError, InternalError), lambda: one._raw_delete(one.db))

    def test_an_event_is_appended_only(self, recorded, cast):
        services.undo_submission(submission=recorded.submission, by=cast.officer)
        self.refused((IntegrityError, InternalError), lambda: PassEvent.objects.update(kind="approved"))

    def test_one_standing_pass_a_form_and_round(self, recorded):
        recorded.pk, recorded.submission = None, uuid4()
        self.refused(IntegrityError, lambda: recorded.save(force_insert=True))

    def test_a_submission_holds_a_form_once(self, recorded):
        recorded.pk, recorded.is_standing = None, False
        self.refused(IntegrityError, lambda: recorded.save(force_insert=True))

    def test_a_pass_has_a_method(self, recorded):
        recorded.pk, recorded.submission, recorded.is_standing = None, uuid4(), False
        recorded.by_books = recorded.in_person = False
        self.refused(IntegrityError, lambda: recorded.save(force_insert=True))

    def test_an_outcome_without_its_fields(self, recorded):
        recorded.pk, recorded.submission, recorded.is_standing = None, uuid4(), False
        recorded.outcome = "deceased"
        self.refused(IntegrityError, lambda: recorded.save(force_insert=True))

    def test_a_result_is_whole_or_not_there(self, recorded):
        self.refused(IntegrityError, lambda: RoundForm.objects.filter(form=recorded.form_id).update(counted_on=None))

    def test_a_refused_form_has_its_reason(self, homes):
        self.refused(IntegrityError, lambda: homes.two.forms.update(qualification="refused"))

    def test_numbers_may_stand_twice_but_a_barcode_may_not(self, homes):
        one, other = homes.two.forms.all()
        homes.two.forms.update(pin="042080000001", cmnd="183000001")
        self.refused(IntegrityError, lambda: homes.two.forms.filter(pk=one.pk).update(barcode=other.barcode))


class TestOpeningARound:
    def test_the_plan_is_frozen_and_the_scope_is_the_qualified(self, tree, cast, homes):
        make_form(homes.two, line=3, qualification="refused", refusal_reason="unreadable")
        round = open_round(tree.province, cast.pc06)
        assert Plan.objects.get(round=round, commune=tree.huong_tra).forms == 10
        assert RoundForm.objects.filter(round=round, commune=tree.huong_tra).count() == 9
        make_household(tree.dong, people=3)
        assert Plan.objects.get(round=round, commune=tree.huong_tra).forms == 10

    def test_pressed_twice(self, round, cast):
        with pytest.raises(Conflict):
            rounds.open_round(round=round, populations={}, by=cast.pc06)

    def test_refused_to_an_officer(self, tree, cast):
        with pytest.raises(NotAllowed):
            rounds.open_round(round=make_round(tree.province), populations={}, by=cast.officer)

    def test_a_population_is_missing(self, tree, cast):
        with pytest.raises(InvalidEntry) as refused:
            rounds.open_round(round=make_round(tree.province), populations={}, by=cast.pc06)
        assert "Xã Hương Trà" in refused.value.sentence
        assert not Plan.objects.exists()

    def test_an_adjustment_is_recorded(self, round, tree, cast):
        plan = Plan.objects.get(round=round, commune=tree.huong_tra)
        rounds.adjust_plan(plan=plan, forms=5, reason="bổ sung năm 2019", by=cast.pc06)
        assert list(plan.adjustments.values_list("forms", "by")) == [(5, cast.pc06.pk)]
        for forms, reason, by in [
            (0, "x", cast.pc06),
            (5, " ", cast.pc06),
            (-99, "x", cast.pc06),
            (-6, "x", cast.pc06),
            (5, "x", cast.officer),
        ]:
            with pytest.raises(Refusal):
                rounds.adjust_plan(plan=plan, forms=forms, reason=reason, by=by)
        assert plan.adjustments.count() == 1
        assert Plan.objects.with_adjusted().get(pk=plan.pk).adjusted == 14
        assert work.pace(round, tree.huong_tra.pk, today=date(2020, 6, 30)).needed_today == 14


class TestWhatIsLeft:
    """`work` counts in SQL of its own what querysets say elsewhere."""

    @pytest.fixture
    def mixed(self, round, homes, cast):
        """In Hương Trà: four matched, one returned by the district, one waiting for it, one absent, two untouched."""
        record(homes.four, cast.officer)
        record(homes.two, cast.officer, "emigrated")
        first, second, _ = homes.three.forms.all()
        record(homes.three, cast.officer, "not_met", only=[first.pk], reason="x", next_visit_on=date(2020, 6, 29))
        decide(list(homes.two.forms.values_list("pk", flat=True)[:1]), cast.supervisor, "returned", "thiếu giấy tờ")
        record(homes.three, cast.officer, "unverifiable", only=[second.pk], reason="x", attempts=2)
        return round

    def test_households_of_the_hamlets(self, mixed, tree):
        open_forms = RoundForm.objects.open(mixed).filter(commune=tree.huong_tra)
        expected = {
            hamlet.pk: open_forms.filter(hamlet=hamlet).values("household").distinct().count()
            for hamlet in (tree.dong, tree.tay)
        }
        hamlets = work.hamlets_with_open(mixed, tree.huong_tra.pk)
        assert [hamlet.full_name for hamlet in hamlets] == ["Thôn Đông", "Thôn Tây"]
        assert (
            {hamlet.pk: hamlet.open_households for hamlet in hamlets} == expected == {tree.dong.pk: 1, tree.tay.pk: 1}
        )

    def test_the_pace(self, mixed, tree):
        verified = RoundForm.objects.in_round(mixed).filter(mixed.verified_q(), commune=tree.huong_tra).count()
        pace = work.pace(mixed, tree.huong_tra.pk, today=mixed.ends_on)
        assert (pace.done_today, pace.needed_today) == (0, 9 - verified)
        assert work.pace(mixed, tree.huong_tra.pk, today=date(2020, 6, 19)).done_today == verified

    def test_the_household_of_who_may_see_it(self, homes, cast, tree):
        household = work.household_of(cast.officer, homes.four.pk)
        assert household == homes.four
        assert (household.hamlet, household.commune, household.commune.parent.parent) == (
            tree.dong, tree.huong_tra, tree.province,
        )  # fmt: skip
        assert work.household_of(cast.stranger, homes.four.pk) is None
        assert work.household_of(cast.leader, homes.four.pk) is None
        assert work.household_of(cast.officer, 10**15) is None


class TestTheNextHousehold:
    """`work.next_household` says in SQL what `RoundFormQuerySet.due` says in querysets."""

    @pytest.mark.parametrize("day", [date(2020, 6, 19), date(2020, 6, 21), date(2020, 6, 23)])
    def test_is_the_first_with_somebody_due(self, round, homes, cast, tree, day):
        record(homes.four, cast.officer, "not_met", reason="đi làm ăn xa", next_visit_on=date(2020, 6, 21))
        record(homes.two, cast.officer, "emigrated")
        decide(list(homes.two.forms.values_list("pk", flat=True)[:1]), cast.supervisor, "returned", "thiếu giấy tờ")
        due = RoundForm.objects.due(round, day).filter(commune=tree.huong_tra)
        in_order = list(
            due.order_by("hamlet__code", "household__sequence").values_list("household", flat=True).distinct()
        )
        walk, after = [], None
        for _ in in_order:
            after = work.next_household(round, tree.huong_tra.pk, today=day, after=after and place(after, cast))
            walk.append(after.pk)
        # what was returned comes first, and from there the walk goes round
        expected = list(dict.fromkeys(in_order))
        start = expected.index(homes.two.pk)
        assert walk == expected[start:] + expected[:start]

    def test_returned_ones_come_first_and_a_skipped_one_does_not_come_at_every_step(self, round, homes, cast, tree):
        record(homes.two, cast.officer, "emigrated")
        record(homes.three, cast.officer, "emigrated")
        for home in (homes.two, homes.three):
            decide([home.forms.first().pk], cast.supervisor, "returned", "thiếu giấy tờ")
        first = work.next_household(round, tree.huong_tra.pk, today=clock.today())
        assert first == homes.two
        second = work.next_household(round, tree.huong_tra.pk, today=clock.today(), after=place(first, cast))
        assert second == homes.three
        third = work.next_household(round, tree.huong_tra.pk, today=clock.today(), after=place(second, cast))
        assert third == homes.four
        in_tay = work.next_household(round, tree.huong_tra.pk, today=clock.today(), hamlet=tree.tay)
        assert in_tay == homes.three

    def test_begins_again_behind_the_last(self, round, homes, cast, tree):
        last = place(homes.three, cast)
        assert work.next_household(round, tree.huong_tra.pk, today=clock.today(), after=last) == homes.four
        for home in (homes.four, homes.two):
            record(home, cast.officer)
        assert work.next_household(round, tree.huong_tra.pk, today=clock.today(), after=last) is None

    def test_keeps_to_its_hamlet(self, round, homes, cast, tree):
        first = work.next_household(round, tree.huong_tra.pk, today=clock.today(), hamlet=tree.tay)
        assert first == homes.three
        last = place(homes.two, cast)
        again = work.next_household(round, tree.huong_tra.pk, today=clock.today(), hamlet=tree.dong, after=last)
        assert again == homes.four

    def test_a_place_is_of_who_may_see_it(self, homes, cast):
        assert place(homes.hung_tri, cast) is None
        assert work.place_of(cast.leader, homes.four.pk) is None
        assert work.place_of(cast.officer, 10**15) is None


def place(household, cast) -> work.Place | None:
    return work.place_of(cast.officer, household.pk)
