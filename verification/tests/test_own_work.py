"""The list of an officer's own work: whose, in which order, what became of it, what can be undone."""

from datetime import date, timedelta
from uuid import uuid4

import pytest
from django.urls import reverse
from django.utils import timezone

from households.models import Posting
from households.tests.factories import make_household
from verification import own_work, services
from verification.models import RoundForm, VerificationPass
from verification.rules import CorrectionEntry, Entry, Refusal
from verification.terms import Approval
from verification.tests.factories import decide, record
from verification.tests.test_records import add_to_round

ADDRESS = "/today/"
TODAY = date(2020, 6, 19)


@pytest.fixture
def page(client, round, cast):
    client.force_login(cast.officer)
    return client


def at(moment, monkeypatch) -> None:
    """The clock stands at `moment`, of the training day."""
    monkeypatch.setattr("census_verify.clock.now", lambda: moment)


def noon() -> "timezone.datetime":
    from census_verify import clock

    return clock.now().replace(hour=12, minute=0, second=0, microsecond=0)


def test_the_newest_first_and_nobody_elses(page, homes, cast):
    record(homes.four, cast.officer)
    record(homes.two, cast.officer, "not_met", reason="vắng", next_visit_on=date(2020, 6, 25))
    record(homes.three, cast.member)
    answer = page.get(ADDRESS)
    assert [line.household for line in answer.context["lines"]] == [homes.two, homes.four]
    totals = answer.context["totals"]
    assert (totals.households, totals.persons) == (2, 6)
    assert totals.by_outcome == [("matched", 4), ("not_met", 2)]
    assert "<strong>2</strong> hộ, <strong>6</strong> người: 4 đúng, 2 vắng mặt." in answer.content.decode()


def test_a_correction_is_told_in_a_line(page, round, homes, cast):
    form = homes.two.forms.first()
    entry = Entry(form.pk, "corrected", corrections=(CorrectionEntry("birth_date", "12/3/1956", "household_book"),))
    services.record_results(
        round=round, household_id=homes.two.pk, entries=[entry], by_books=True, in_person=False, verified_on=TODAY,
        submission=uuid4(), by=cast.officer,
    )  # fmt: skip
    body = page.get(ADDRESS).content.decode()
    assert "Ngày sinh <del>17/05/1980</del> → <ins>12/03/1956</ins>" in body
    assert "chờ duyệt" in body


def test_what_was_undone_or_replaced_stays_in_the_list_and_not_in_the_sum(page, homes, cast):
    undone = record(homes.four, cast.officer).passes[0].submission
    services.undo_submission(submission=undone, by=cast.officer)
    record(homes.two, cast.officer)
    record(homes.two, cast.officer)
    context = page.get(ADDRESS).context
    assert [line.fates[0][0] for line in context["lines"]] == ["saved", "replaced", "undone"]
    assert context["totals"].persons == 2


def test_what_came_back_says_why(page, round, homes, cast):
    record(homes.two, cast.officer, "emigrated", paper="other")
    forms = [form.pk for form in homes.two.forms.all()]
    decide(forms[:1], cast.supervisor, Approval.RETURNED, "thiếu giấy")
    decide(forms[1:], cast.supervisor, Approval.APPROVED)
    answer = page.get(ADDRESS)
    assert sorted(answer.context["lines"][0].fates) == [("approved", 1), ("returned", 1)]
    assert "thiếu giấy" in answer.content.decode()
    assert not answer.context["lines"][0].undoes


class TestUndo:
    """The button is there exactly while the service would do it."""

    def nothing(self, **cast):
        pass

    def undone(self, submission, by, **_):
        services.undo_submission(submission=submission, by=by)

    def replaced(self, home, colleague, **_):
        record(home, colleague, only=[home.forms.first().pk])

    def decided(self, round, home, supervisor, **_):
        form = RoundForm.objects.filter(household=home, approval="pending").first().form_id
        decide([form], supervisor, Approval.APPROVED)

    def closed(self, round, **_):
        round.status = "closed"
        round.save()

    @pytest.mark.parametrize(
        ("then", "minutes", "offered"),
        [
            ("nothing", 0, True),
            ("nothing", 10, True),
            ("nothing", 10.01, False),
            ("undone", 0, False),
            ("replaced", 0, False),
            ("decided", 0, False),
            ("closed", 0, False),
        ],
    )
    def test_offered_while_it_would_be_done(self, page, round, homes, cast, monkeypatch, then, minutes, offered):
        moment = noon()
        at(moment, monkeypatch)
        submission = record(homes.two, cast.officer, "emigrated", paper="other").passes[0].submission
        at(moment + timedelta(minutes=minutes), monkeypatch)
        getattr(self, then)(
            submission=submission, by=cast.officer, home=homes.two, colleague=cast.member, round=round,
            supervisor=cast.supervisor,
        )  # fmt: skip
        address = reverse("verification:submission_undo", args=[submission])
        assert (f'action="{address}"' in page.get(ADDRESS).content.decode()) == offered
        try:
            done = services.undo_submission(submission=submission, by=cast.officer)
        except Refusal:
            done = []
        assert bool(done) == offered

    def test_pressed_twice(self, page, homes, cast):
        submission = record(homes.two, cast.officer).passes[0].submission
        address = reverse("verification:submission_undo", args=[submission])
        assert [page.post(address).status_code for _ in range(2)] == [302, 302]
        assert page.get(ADDRESS).context["totals"].persons == 0

    def test_a_submission_of_many_households_is_undone_as_one_and_says_so(self, page, homes, cast):
        """As a sheet or a file records it."""
        submission = record(homes.two, cast.officer).passes[0].submission
        for row in RoundForm.objects.filter(household=homes.four):
            standing = VerificationPass.objects.create(
                round=row.round, form=row.form, province=row.province, commune=row.commune, officer=cast.officer,
                submission=submission, outcome="matched", by_books=True, in_person=True, verified_on=TODAY,
                recorded_at=VerificationPass.objects.first().recorded_at,
            )  # fmt: skip
            RoundForm.objects.filter(pk=row.pk).update(outcome="matched", counted_on=TODAY, standing_pass=standing)
        answer = page.get(ADDRESS)
        assert [line.undoes for line in answer.context["lines"]] == [2, 2]
        assert "Hoàn tác cả 2 hộ" in answer.content.decode()


class TestDays:
    @pytest.fixture
    def two_days(self, page, homes, cast, monkeypatch):
        moment = noon()
        at(moment - timedelta(days=3), monkeypatch)
        record(homes.four, cast.officer, verified_on=date(2020, 6, 16))
        at(moment, monkeypatch)
        record(homes.two, cast.officer)

    @pytest.mark.parametrize("typed", ["2020-06-16", "16/6/2020", "16062020", "16.6.2020"])
    def test_back_to_a_day(self, two_days, page, homes, typed):
        context = page.get(ADDRESS, {"day": typed}).context
        assert [line.household for line in context["lines"]] == [homes.four]
        assert (context["day_before"], context["day_after"]) == (None, TODAY)

    def test_today_leads_to_the_day_before(self, two_days, page):
        assert page.get(ADDRESS).context["day_before"] == date(2020, 6, 16)

    @pytest.mark.parametrize(
        "typed", ["hôm qua", "31/2/2020", "2020-06-20", "1/1/0001", "9999-12-31", "0", "2019-12-31"]
    )
    def test_what_is_no_day_of_the_round_is_said(self, two_days, page, homes, typed):
        answer = page.get(ADDRESS, {"day": typed})
        assert answer.status_code == 200
        assert "không phải là một ngày của đợt này" in answer.content.decode()
        assert [line.household for line in answer.context["lines"]] == [homes.two]

    def test_a_day_with_nothing_says_so(self, two_days, page):
        assert "không ghi kết quả nào" in page.get(ADDRESS, {"day": "17/6/2020"}).content.decode()


def test_pages_by_key_show_everything_once(page, round, tree, cast, monkeypatch):
    monkeypatch.setattr(own_work, "PAGE", 3)
    at(noon(), monkeypatch)  # all at one moment: the key still tells them apart
    for _ in range(8):
        home = make_household(tree.tay, people=1)
        add_to_round(round, home)
        record(home, cast.officer)
    seen, key = [], ""
    for _ in range(9):
        lines, key = own_work.page_of(cast.officer, TODAY, key)
        seen += [line.household.pk for line in lines]
        if not key:
            break
    assert len(seen) == len(set(seen)) == 8
    second = page.get(ADDRESS, {"after": own_work.page_of(cast.officer, TODAY, "")[1]})
    assert len(second.context["lines"]) == 3


@pytest.mark.parametrize("key", ["x", "1~2~3", "9" * 17 + "~" + "0" * 8 + "-0000-0000-0000-" + "0" * 12 + "~1", "~~", "1~" + "-" * 36 + "~1"])  # fmt: skip
def test_a_key_that_is_none_gives_the_first_page(page, homes, cast, key):
    record(homes.two, cast.officer)
    assert len(page.get(ADDRESS, {"after": key}).context["lines"]) == 1


def test_as_many_queries_with_one_line_as_with_many(page, round, tree, homes, cast, django_assert_num_queries):
    record(homes.two, cast.officer, "emigrated", paper="other")
    page.get(ADDRESS)
    with django_assert_num_queries(14):
        page.get(ADDRESS)
    for _ in range(12):
        home = make_household(tree.tay, people=3)
        add_to_round(round, home)
        record(home, cast.officer)
    with django_assert_num_queries(14):
        assert len(page.get(ADDRESS).context["lines"]) == 13


def test_who_records_nowhere_has_no_such_page(client, round, cast):
    for officer in (cast.supervisor, cast.pc06, cast.leader):
        client.force_login(officer)
        assert client.get(ADDRESS).status_code == 404
    client.force_login(cast.officer)
    assert client.post(ADDRESS).status_code == 405


def test_after_a_transfer_the_persons_of_the_old_commune_are_not_shown(client, round, homes, cast, tree):
    record(homes.two, cast.officer)
    Posting.objects.filter(user=cast.officer).update(unit=tree.phu_gia)
    client.force_login(type(cast.officer).objects.get(pk=cast.officer.pk))
    context = client.get(ADDRESS).context
    assert (context["lines"], context["totals"].persons) == ([], 0)
