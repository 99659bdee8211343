"""Deliveries: everything in force is told once, what ceases to be is recalled, and nothing is lost on the way."""

import threading
from collections import defaultdict
from datetime import date, timedelta
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils.timezone import localdate
from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from census_verify import clock
from households.models import CollectionForm
from reports.deliveries import answers, making, waiting
from reports.models import Delivery, DeliveryLine
from verification import approvals, history, items, services
from verification.models import Correction, Round, RoundForm, VerificationPass
from verification.rules import Conflict, CorrectionEntry, InvalidEntry, NotAllowed, Refusal
from verification.terms import REMOVALS, Approval
from verification.tests.factories import decide, open_round, record

Kind = DeliveryLine.Kind
TODAY = date(2020, 6, 19)


def deliver(round, by, first=date(2020, 1, 1), last=None, **fields) -> Delivery:
    wanted = {"area": round.area, "round": round, "first": first, "last": last or clock.today(), "request": uuid4()}
    return making.make(**wanted | fields, by=by)


def correct(form: CollectionForm, by, item: str, new: str, **fields):
    entry = CorrectionEntry(item, new, "birth_certificate")
    return record(form.household, by, "corrected", only=[form.pk], corrections=(entry,), **fields)


def answered(delivery: Delivery, by, answer: str, numbers=None, reason="không khớp") -> None:
    numbers = numbers or list(delivery.lines.values_list("number", flat=True))
    given = dict.fromkeys(numbers, (answer, reason if answer == "refused" else ""))
    answers.load(delivery=delivery, answers=given, by=by)


def rows(delivery: Delivery) -> list[tuple]:
    return list(delivery.lines.order_by("number").values_list("number", "kind", "form", "item"))


@pytest.fixture
def forms(homes):
    return list(homes.four.forms.order_by("line"))


@pytest.fixture
def two_corrections(round, forms, cast):
    """Of the first person a name, approved; of the second a birth date, approved; of the third one that waits."""
    correct(forms[0], cast.officer, "full_name", "NGUYỄN VĂN MỚI")
    correct(forms[1], cast.officer, "birth_date", "03/1956")
    correct(forms[2], cast.officer, "sex", "2")
    decide([forms[0].pk, forms[1].pk], cast.supervisor)
    return forms


class TestMaking:
    def test_what_is_in_force_goes_out_once_in_walking_order(self, round, two_corrections, cast, homes):
        other = homes.phu_gia.forms.get(line=2)
        record(homes.phu_gia, cast.member, "deceased", only=[other.pk], event_on=date(2019, 1, 2), paper="archive")
        decide([other.pk], cast.supervisor)
        made = deliver(round, cast.pc06)
        first, second, third, _fourth = two_corrections
        assert rows(made) == [
            (1, "correction", first.pk, "full_name"),
            (2, "correction", second.pk, "birth_date"),
            (3, "removal", other.pk, ""),
        ]
        assert (made.code, made.rows, len(made.sha256)) == ("42-2020-001", 3, 64)
        line = made.lines.get(number=1)
        assert (line.decided_by, line.cmnd) == (cast.supervisor.full_name, first.cmnd)
        with pytest.raises(Conflict, match="chờ giao"):
            deliver(round, cast.pc06)
        decide([third.pk], cast.supervisor)
        again = deliver(round, cast.pc06)
        assert (again.number, rows(again)) == (2, [(1, "correction", third.pk, "sex")])

    def test_pending_returned_and_undone_never_go_out(self, round, forms, cast):
        correct(forms[0], cast.officer, "full_name", "NGUYỄN VĂN MỚI")
        correct(forms[1], cast.officer, "full_name", "NGUYỄN VĂN KHÁC")
        decide([forms[1].pk], cast.supervisor, "returned", "thiếu giấy")
        undone = correct(forms[2], cast.officer, "sex", "2")
        services.undo_submission(submission=undone.passes[0].submission, by=cast.officer)
        assert waiting.summary(round.area).rows == 0
        with pytest.raises(Conflict):
            deliver(round, cast.pc06)
        assert not Delivery.objects.exists()

    def test_without_approval_it_goes_out_when_recorded_and_is_recalled_when_undone(self, round, forms, cast):
        Round.objects.update(approval_outcomes=[])
        round.refresh_from_db()
        sent = correct(forms[0], cast.officer, "relation", "Vợ", round=round)
        made = deliver(round, cast.pc06)
        assert made.lines.get().decided_by == cast.officer.full_name
        services.undo_submission(submission=sent.passes[0].submission, by=cast.officer)
        assert waiting.summary(round.area).by_kind == {"recall": 1}
        recall = deliver(round, cast.pc06).lines.get()
        assert (recall.kind, recall.replaces, recall.item) == ("recall", made.lines.get(), "relation")
        assert not made.lines.get().stands
        assert waiting.summary(round.area).rows == 0

    def test_reopened_its_value_stays_and_so_does_its_row(self, round, two_corrections, cast):
        deliver(round, cast.pc06)
        passes = VerificationPass.objects.filter(form=two_corrections[0]).values_list("pk", flat=True)
        approvals.reopen(round=round, pass_ids=passes, by=cast.supervisor, reason="xem lại")
        assert waiting.summary(round.area).rows == 0

    def test_a_removal_taken_back_is_recalled_and_told_anew_when_it_stands_again(self, round, forms, cast):
        form = forms[0]
        record(form.household, cast.officer, "emigrated", only=[form.pk], paper="other", reason="định cư")
        decide([form.pk], cast.supervisor)
        first = deliver(round, cast.pc06)
        seen = record(form.household, cast.officer, "matched", only=[form.pk])
        second = deliver(round, cast.pc06)
        assert [rows(first)[0][1], rows(second)[0][1]] == ["removal", "recall"]
        services.undo_submission(submission=seen.passes[0].submission, by=cast.officer)
        third = deliver(round, cast.pc06)
        assert rows(third)[0][1] == "removal"
        assert third.lines.get().replaces == second.lines.get()
        assert DeliveryLine.objects.filter(stands=True).get() == third.lines.get()

    def test_a_later_round_that_sees_the_person_recalls_her_removal(self, round, forms, cast, tree):
        form = forms[0]
        record(form.household, cast.officer, "emigrated", only=[form.pk], paper="other", reason="định cư")
        decide([form.pk], cast.supervisor)
        first = deliver(round, cast.pc06)
        Round.objects.update(status=Round.Status.CLOSED)
        second_round = open_round(tree.province, cast.pc06, name="Phúc tra lần hai")
        visit = {"reason": "đi vắng", "next_visit_on": date(2020, 6, 25)}
        record(form.household, cast.officer, "not_met", only=[form.pk], round=second_round, **visit)
        assert waiting.summary(round.area).rows == 0
        seen = record(form.household, cast.officer, "matched", only=[form.pk], round=second_round)
        recall = deliver(second_round, cast.pc06).lines.get()
        assert (recall.kind, recall.replaces, recall.decided_by) == (
            "recall", first.lines.get(), cast.officer.full_name,
        )  # fmt: skip
        services.undo_submission(submission=seen.passes[0].submission, by=cast.officer)
        assert waiting.summary(round.area).by_kind == {"removal": 1}

    def test_of_some_days_with_what_waited_before_of_the_same_item(self, round, forms, cast, settings):
        Round.objects.update(approval_outcomes=[])
        round.refresh_from_db()
        correct(forms[0], cast.officer, "relation", "Vợ", round=round)
        correct(forms[1], cast.officer, "relation", "Vợ", round=round)
        settings.CENSUS_VERIFY_TODAY = TODAY + timedelta(days=2)
        correct(forms[0], cast.officer, "relation", "Mẹ đẻ", round=round)
        made = deliver(round, cast.pc06, first=TODAY + timedelta(days=1))
        old = list(made.lines.order_by("number").values_list("form", "correction__new"))
        assert old == [(forms[0].pk, "Vợ"), (forms[0].pk, "Mẹ đẻ")]
        assert localdate(waiting.summary(round.area).since) == TODAY

    def test_the_same_request_makes_one(self, round, two_corrections, cast):
        request = uuid4()
        made = deliver(round, cast.pc06, request=request)
        assert deliver(round, cast.pc06, request=request) == made
        assert Delivery.objects.count() == 1

    @pytest.mark.parametrize(
        ("first", "last"), [(TODAY, TODAY - timedelta(days=1)), (TODAY, TODAY + timedelta(days=1))]
    )
    def test_days_that_cannot_be(self, round, two_corrections, cast, first, last):
        with pytest.raises(InvalidEntry):
            deliver(round, cast.pc06, first=first, last=last)

    @pytest.mark.parametrize("who", ["officer", "supervisor", "member", "leader", "stranger"])
    def test_nobody_else_delivers(self, round, two_corrections, cast, who):
        with pytest.raises(NotAllowed):
            deliver(round, getattr(cast, who))
        made = deliver(round, cast.admin)
        for act in (
            lambda by: making.withdraw(delivery=made, reason="sai", by=by),
            lambda by: making.send_again(delivery=made, by=by),
            lambda by: answers.load(delivery=made, answers={1: ("accepted", "")}, by=by),
        ):
            with pytest.raises(NotAllowed):
                act(getattr(cast, who))

    def test_the_number_begins_anew_each_year(self, round, two_corrections, cast, settings):
        deliver(round, cast.pc06)
        Round.objects.update(ends_on=date(2021, 12, 31))
        settings.CENSUS_VERIFY_TODAY = date(2021, 1, 4)
        decide([two_corrections[2].pk], cast.supervisor)
        assert deliver(round, cast.pc06).code == "42-2021-001"

    def test_the_hash_is_of_what_stands_in_the_rows(self, round, two_corrections, cast):
        made = deliver(round, cast.pc06)
        making.withdraw(delivery=made, reason="gửi nhầm", by=cast.pc06)
        again = deliver(round, cast.pc06)
        assert again.sha256 == made.sha256


class TestWithdrawing:
    def test_what_was_withdrawn_waits_again_and_the_number_is_not_given_twice(self, round, two_corrections, cast):
        made = deliver(round, cast.pc06)
        withdrawn = making.withdraw(delivery=made, reason="  gửi nhầm ", by=cast.pc06)
        assert (withdrawn.withdrawn_because, withdrawn.withdrawn_by) == ("gửi nhầm", cast.pc06)
        assert making.withdraw(delivery=made, reason="hai lần", by=cast.admin).withdrawn_because == "gửi nhầm"
        again = deliver(round, cast.pc06)
        assert (again.number, rows(again)) == (2, rows(made))

    def test_with_a_reason_only(self, round, two_corrections, cast):
        with pytest.raises(InvalidEntry):
            making.withdraw(delivery=deliver(round, cast.pc06), reason=" ", by=cast.pc06)

    def test_not_what_the_receiver_took(self, round, two_corrections, cast):
        made = deliver(round, cast.pc06)
        answered(made, cast.pc06, "accepted", [1])
        with pytest.raises(Conflict, match="tiếp nhận"):
            making.withdraw(delivery=made, reason="sai", by=cast.pc06)

    def test_not_before_one_that_goes_on_from_it(self, round, forms, cast):
        correct(forms[0], cast.officer, "relation", "Vợ")
        decide([forms[0].pk], cast.supervisor)
        first = deliver(round, cast.pc06)
        correct(forms[1], cast.officer, "relation", "Vợ")
        decide([forms[1].pk], cast.supervisor)
        aside = deliver(round, cast.pc06)
        correct(forms[0], cast.officer, "relation", "Mẹ đẻ")
        decide([forms[0].pk], cast.supervisor)
        second = deliver(round, cast.pc06)
        with pytest.raises(Conflict, match=second.code):
            making.withdraw(delivery=first, reason="sai", by=cast.pc06)
        making.withdraw(delivery=aside, reason="sai", by=cast.pc06)
        making.withdraw(delivery=second, reason="sai", by=cast.pc06)
        making.withdraw(delivery=first, reason="sai", by=cast.pc06)
        assert waiting.summary(round.area).rows == 3

    def test_a_recall_that_is_withdrawn_waits_again(self, round, forms, cast):
        Round.objects.update(approval_outcomes=[])
        round.refresh_from_db()
        sent = correct(forms[0], cast.officer, "relation", "Vợ", round=round)
        deliver(round, cast.pc06)
        services.undo_submission(submission=sent.passes[0].submission, by=cast.officer)
        recall = deliver(round, cast.pc06)
        making.withdraw(delivery=recall, reason="sai", by=cast.pc06)
        assert waiting.summary(round.area).by_kind == {"recall": 1}


class TestSendingAgain:
    def test_refused_rows_go_out_again_when_somebody_says_so(self, round, two_corrections, cast):
        made = deliver(round, cast.pc06)
        answered(made, cast.pc06, "refused", [2])
        assert waiting.summary(round.area).rows == 0
        assert making.to_send_again(made.__class__.objects.get(pk=made.pk)) == 1
        assert making.send_again(delivery=made, by=cast.pc06) == 1
        assert making.send_again(delivery=made, by=cast.pc06) == 0
        again = deliver(round, cast.pc06)
        assert rows(again) == [(1, *rows(made)[1][1:])]
        kept = made.lines.get(number=2)
        assert (kept.answer, kept.answer_reason, kept.sent_again_by, kept.stands) == (
            "refused", "không khớp", cast.pc06, False,
        )  # fmt: skip

    def test_not_where_a_later_value_is_there_already(self, round, forms, cast):
        correct(forms[0], cast.officer, "relation", "Vợ")
        decide([forms[0].pk], cast.supervisor)
        first = deliver(round, cast.pc06)
        answered(first, cast.pc06, "refused")
        correct(forms[0], cast.officer, "relation", "Mẹ đẻ")
        decide([forms[0].pk], cast.supervisor)
        second = deliver(round, cast.pc06)
        assert making.send_again(delivery=first, by=cast.pc06) == 0
        answered(second, cast.pc06, "refused")
        assert making.send_again(delivery=first, by=cast.pc06) == 2
        assert [line.correction.new for line in deliver(round, cast.pc06).lines.order_by("number")] == [
            "Vợ",
            "Mẹ đẻ",
        ]

    def test_not_of_a_withdrawn_delivery(self, round, two_corrections, cast):
        made = deliver(round, cast.pc06)
        answered(made, cast.pc06, "refused")
        making.withdraw(delivery=made, reason="sai", by=cast.pc06)
        with pytest.raises(Conflict):
            making.send_again(delivery=made, by=cast.pc06)

    def test_what_was_refused_is_not_recalled(self, round, forms, cast):
        Round.objects.update(approval_outcomes=[])
        round.refresh_from_db()
        sent = correct(forms[0], cast.officer, "relation", "Vợ", round=round)
        answered(deliver(round, cast.pc06), cast.pc06, "refused")
        services.undo_submission(submission=sent.passes[0].submission, by=cast.officer)
        assert waiting.summary(round.area).rows == 0


def test_the_database_lets_nothing_stand_twice(round, two_corrections, cast):
    line = deliver(round, cast.pc06).lines.get(number=1)
    line.pk, line.number = None, 99
    with pytest.raises(IntegrityError, match="correction_told_once"), transaction.atomic():
        line.save(force_insert=True)


@pytest.mark.parametrize("change", [{"number": 9}, {"decided_by": "x"}, {"kind": "recall"}, {"pin": "1"}])
def test_the_database_keeps_rows_as_they_were(round, two_corrections, cast, change):
    line = deliver(round, cast.pc06).lines.get(number=1)
    with pytest.raises(IntegrityError, match="history"), transaction.atomic():
        DeliveryLine.objects.filter(pk=line.pk).update(**change)
    with pytest.raises(IntegrityError, match="history"), transaction.atomic():
        Delivery.objects.update(rows=1)


@pytest.mark.django_db(transaction=True)
def test_two_at_once_share_nothing(round, two_corrections, cast):
    """Each in a connection of its own, started together."""
    start, came = threading.Barrier(2), []

    def press():
        try:
            start.wait()
            came.append(deliver(round, cast.pc06))
        except Conflict as nothing_left:
            came.append(nothing_left)
        finally:
            connection.close()

    both = [threading.Thread(target=press) for _ in range(2)]
    for each in both:
        each.start()
    for each in both:
        each.join()
    assert sorted(type(each).__name__ for each in came) == ["Conflict", "Delivery"]
    assert DeliveryLine.objects.count() == 2


# Whatever happens, in whatever order

VALUES = {"relation": ["Vợ", "Mẹ đẻ", "Con dâu", "Chị ruột"], "birth_date": ["1956", "03/1956", "12/03/1956"]}
# mostly one person and one item: what is hard is a chain of values, of which some are delivered
person = st.sampled_from([0, 0, 0, 1])
which = st.sampled_from([0, 0, 1, 1, 2, 3])
new_value = st.sampled_from(["relation"] * 3 + ["birth_date"]).flatmap(
    lambda item: st.tuples(st.just(item), st.sampled_from(VALUES[item]))
)
happening = st.one_of(
    st.tuples(st.just("correct"), person, new_value, st.booleans()),
    st.tuples(st.just("correct"), person, new_value, st.just(True)),
    st.tuples(st.just("correct"), person, new_value, st.just(True)),
    st.tuples(st.just("remove"), person, st.booleans()),
    st.tuples(st.just("see"), person),
    st.tuples(st.just("approve"), person),
    st.tuples(st.just("return"), person),
    st.tuples(st.just("undo"), st.sampled_from([0, 0, 1])),
    st.tuples(st.just("reopen"), person),
    st.tuples(st.just("sleep")),
    st.tuples(st.just("deliver"), st.sampled_from([0, 0, 9])),
    st.tuples(st.just("deliver"), st.sampled_from([0, 0, 9])),
    st.tuples(st.just("withdraw"), which),
    st.tuples(st.just("answer"), which, st.sampled_from([0, 1, 5, 7])),
    st.tuples(st.just("answer"), which, st.just(7)),
    st.tuples(st.just("again"), which),
)


@given(
    asks=st.sampled_from([[], ["deceased"], ["corrected"], ["corrected", "deceased"]]),
    story=st.lists(happening, min_size=6, max_size=30),
)
@example(
    asks=["corrected"],
    story=[
        ("correct", 0, ("relation", "Vợ"), True), ("deliver", 9), ("correct", 0, ("relation", "Con dâu"), True),
        ("deliver", 9), ("withdraw", 1),
    ],
)  # fmt: skip
@example(
    asks=["corrected"],
    story=[
        ("correct", 0, ("relation", "Vợ"), True), ("sleep",), ("correct", 0, ("relation", "Con dâu"), True),
        ("deliver", 0),
    ],
)  # fmt: skip
@example(
    asks=["corrected"],
    story=[
        ("correct", 0, ("relation", "Vợ"), True), ("deliver", 9), ("answer", 0, 7),
        ("correct", 0, ("relation", "Con dâu"), True), ("deliver", 9), ("again", 1),
    ],
)  # fmt: skip
@hypothesis_settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_nothing_is_lost_and_nothing_is_told_twice(asks, story, round, homes, cast, settings):
    """Everything in force stands in one delivery or waits; what the receiver holds in the end is the register."""
    with transaction.atomic():
        settings.CENSUS_VERIFY_TODAY = TODAY
        Round.objects.update(approval_outcomes=asks, undo_minutes=20_000)
        told = Story(Round.objects.get(), list(homes.four.forms.order_by("line")[:3]), cast, settings)
        for what, *how in story:
            told.happens(what, *how)
        told.ends()
        transaction.set_rollback(True)


class Story:
    """What officers, the district, PC06 and the receiver do, one after the other."""

    def __init__(self, round, forms, cast, settings):
        self.round, self.forms, self.cast, self.settings = round, forms, cast, settings
        self.collected = self.register()
        self.submissions = []

    def register(self) -> dict:
        forms = CollectionForm.objects.in_bulk([form.pk for form in self.forms])
        values = {(pk, item): items.value_of(form, item) for pk, form in forms.items() for item in VALUES}
        removed = RoundForm.objects.filter(form__in=forms, outcome__in=REMOVALS, approval__in=["", Approval.APPROVED])
        return values | {(row.form_id, ""): str(row.standing_pass_id) for row in removed}

    def happens(self, what: str, *how) -> None:
        try:
            with transaction.atomic():
                getattr(self, what if what != "return" else "give_back")(*how)
        except Refusal:
            return
        self.holds()

    def correct(self, person, new_value, is_approved):
        form = CollectionForm.objects.get(pk=self.forms[person].pk)
        sent = correct(form, self.cast.officer, *new_value, round=self.round)
        self._recorded(sent, person, is_approved)

    def remove(self, person, is_approved):
        form = self.forms[person]
        died = {"event_on": date(2019, 1, 2), "paper": "archive", "round": self.round}
        self._recorded(
            record(form.household, self.cast.officer, "deceased", only=[form.pk], **died), person, is_approved
        )

    def _recorded(self, sent, person, is_approved):
        self.submissions.append(sent)
        waits = RoundForm.objects.filter(form=self.forms[person], approval=Approval.PENDING).exists()
        if is_approved and waits:
            self.approve(person)

    def see(self, person):
        form = self.forms[person]
        self.submissions.append(record(form.household, self.cast.officer, "matched", only=[form.pk], round=self.round))

    def approve(self, person):
        decide([self.forms[person].pk], self.cast.supervisor, round=self.round)

    def give_back(self, person):
        decide([self.forms[person].pk], self.cast.supervisor, "returned", "thiếu", round=self.round)

    def undo(self, back):
        if back < len(self.submissions):
            submission = self.submissions[-1 - back].passes[0].submission
            services.undo_submission(submission=submission, by=self.cast.officer)

    def reopen(self, person):
        standing = VerificationPass.objects.standing().filter(form=self.forms[person]).values_list("pk", flat=True)
        approvals.reopen(round=self.round, pass_ids=list(standing), by=self.cast.supervisor, reason="xem lại")

    def sleep(self):
        self.settings.CENSUS_VERIFY_TODAY = min(clock.today() + timedelta(days=1), date(2020, 6, 24))

    def deliver(self, days):
        deliver(self.round, self.cast.pc06, first=clock.today() - timedelta(days=days))

    def _delivery(self, back) -> Delivery:
        made = list(Delivery.objects.order_by("-pk")[back : back + 1])
        if not made:
            raise InvalidEntry("there is none")
        return made[0]

    def withdraw(self, back):
        making.withdraw(delivery=self._delivery(back), reason="sai", by=self.cast.pc06)

    def answer(self, back, bits):
        delivery = self._delivery(back)
        open_lines = delivery.lines.filter(answer="").order_by("number").values_list("number", flat=True)
        given = {
            number: ("refused", "sai") if bits >> (place % 3) & 1 else ("accepted", "")
            for place, number in enumerate(open_lines)
        }
        answers.load(delivery=delivery, answers=given, by=self.cast.pc06)

    def again(self, back):
        making.send_again(delivery=self._delivery(back), by=self.cast.pc06)

    # what has to hold at any time

    def holds(self):
        waits = self.waits()
        told = {
            line.correction_id: line
            for line in DeliveryLine.objects.filter(stands=True, correction__isnull=False).select_related("delivery")
        }
        in_force = self.in_force()
        for correction in Correction.objects.all():
            line, kinds = told.get(correction.pk), waits["correction_id", correction.pk]
            if correction.pk in in_force:
                assert kinds == (["correction"] if line is None else []), (correction, line)
            else:
                had = line is not None and line.kind == Kind.CORRECTION and line.answer != "refused"
                assert kinds == (["recall"] if had else []), (correction, line)
            assert line is None or line.delivery.withdrawn_at is None
        removed = {int(value) for (_, item), value in self.register().items() if item == ""}
        for verification_pass in VerificationPass.objects.filter(outcome__in=REMOVALS):
            pk = verification_pass.pk
            line = DeliveryLine.objects.filter(stands=True, verification_pass=pk).first()
            said = None if line is None else (line.kind, line.answer == "refused")
            has = said in (("removal", False), ("recall", True))
            is_held = said in (("removal", True), ("recall", True))
            wanted = [] if has == (pk in removed) or is_held else ["removal" if pk in removed else "recall"]
            assert waits["pass_id", pk] == wanted, (verification_pass, line)

    def waits(self) -> dict[tuple, list[str]]:
        found = defaultdict(list)
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT kind, correction_id, pass_id FROM ({waiting.WAITING}) rows",
                waiting.parameters(self.round.area),
            )
            for kind, correction, of_pass in cursor.fetchall():
                found[("correction_id", correction) if correction else ("pass_id", of_pass)].append(kind)
        return found

    def in_force(self) -> set[int]:
        forms = list(CollectionForm.objects.filter(pk__in=[form.pk for form in self.forms]))
        chains = history.chain_of(forms).values()
        steps = [step for chain in chains for each in chain.values() for step in each.steps]
        return {step.correction.pk for step in steps if step.is_in_force}

    def ends(self):
        """All that was refused is sent again and taken, all that waits is delivered: the receiver has the register."""
        for delivery in Delivery.objects.filter(withdrawn_at=None).order_by("pk"):
            making.send_again(delivery=delivery, by=self.cast.pc06)
        if waiting.summary(self.round.area).rows:
            deliver(self.round, self.cast.pc06)
        assert waiting.summary(self.round.area).rows == 0
        held = dict(self.collected)
        lines = DeliveryLine.objects.filter(delivery__withdrawn_at=None, sent_again_at=None).exclude(answer="refused")
        for line in lines.select_related("correction").order_by("delivery_id", "number"):
            key = (line.form_id, line.item)
            if line.kind == Kind.REMOVAL:
                held[key] = str(line.verification_pass_id)
            elif line.kind == Kind.RECALL and not line.item:
                if held.get(key) == str(line.verification_pass_id):
                    del held[key]
            else:
                held[key] = line.correction.old if line.kind == Kind.RECALL else line.correction.new
        assert held == self.register()
