"""Files by the clock: who may keep a schedule, when it is due, what each recipient gets, and what is made up."""

from datetime import UTC, date, datetime, time, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from django.db import IntegrityError, connection, transaction
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from census_verify import clock
from households.models import Posting
from households.tests.factories import make_officer
from reports import exports, permissions
from reports.exports import sharing
from reports.models import Export, Schedule, ScheduleRun
from reports.schedules import keeping, running
from reports.schedules.rhythm import Rhythm
from reports.tasks import make_export, run_schedules
from reports.tests.test_pages import text_of
from verification.models import Round
from verification.rules import Conflict

VIETNAM = ZoneInfo("Asia/Ho_Chi_Minh")
Outcome = ScheduleRun.Outcome


def at(day: int, hour: int, minute: int = 0) -> datetime:
    """A moment of June 2020 in Vietnam."""
    return datetime(2020, 6, day, hour, minute, tzinfo=VIETNAM)


@pytest.fixture(autouse=True)
def _own_folder(settings, tmp_path):
    settings.EXPORT_DIR = tmp_path / "exports"


@pytest.fixture
def go_to(monkeypatch, settings):
    """The program's clock stands at a moment from here on."""

    def go(moment: datetime) -> None:
        settings.CENSUS_VERIFY_TODAY = moment.astimezone(VIETNAM).date()
        monkeypatch.setattr(clock, "now", lambda: moment)

    return go


@pytest.fixture(autouse=True)
def _at_noon(go_to):
    go_to(at(19, 12))


def schedule_of(by, unit, *recipients, **what) -> Schedule:
    standard = {
        "name": "Báo cáo ngày", "period": "day", "files": ["annexes.csv"], "annex": "outcomes", "signs": "head",
        "template": None, "of_today": False, "rhythm": "daily", "weekdays": [], "day_of_month": None,
        "at": time(17, 30), "request": uuid4(),
    }  # fmt: skip
    return keeping.make_schedule(by=by, unit=unit, recipients=list(recipients) or [by], **standard | what)


def runs_of(schedule: Schedule) -> list[tuple[datetime, str]]:
    return [(run.due_at, run.outcome) for run in schedule.runs.order_by("due_at")]


def made(schedule: Schedule) -> list[Export]:
    """All its files, made by the worker."""
    for pk in Export.objects.filter(run__schedule=schedule).order_by("pk").values_list("pk", flat=True):
        make_export(pk)
    return list(Export.objects.filter(run__schedule=schedule).order_by("pk"))


class TestRhythm:
    def test_every_day(self):
        assert Rhythm(time(17, 30)).due_between(at(19, 17, 30), at(21, 17, 30)) == [at(20, 17, 30), at(21, 17, 30)]

    def test_on_weekdays(self):
        rhythm = Rhythm(time(7), weekdays=(1, 5))
        assert rhythm.due_between(at(15, 0), at(22, 8)) == [at(15, 7), at(19, 7), at(22, 7)]
        assert rhythm.next_after(at(19, 7)) == at(22, 7)

    def test_the_31st_of_a_shorter_month_is_its_last_day(self):
        rhythm = Rhythm(time(6), day_of_month=31)
        assert rhythm.next_after(at(1, 0)) == at(30, 6)
        assert rhythm.next_after(at(30, 6)).day == 31

    @given(
        st.builds(
            Rhythm,
            st.times().map(lambda moment: moment.replace(second=0, microsecond=0)),
            st.sampled_from([(), (1,), (3, 7), (1, 2, 3, 4, 5)]),
        )
        | st.builds(lambda at, day: Rhythm(at, day_of_month=day), st.times(), st.integers(1, 31)),
        st.integers(0, 366 * 24 * 60).map(
            lambda minutes: datetime(2020, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
        ),
        st.timedeltas(timedelta(0), timedelta(days=70)),
        st.floats(0, 1),
    )
    def test_looked_at_in_two_goes_nothing_is_missed_and_nothing_twice(self, rhythm, begin, length, part):
        middle, end = begin + length * part, begin + length
        whole = rhythm.due_between(begin, end)
        assert rhythm.due_between(begin, middle) + rhythm.due_between(middle, end) == whole
        assert whole == sorted(set(whole))
        following = rhythm.next_after(begin)
        assert following > begin
        assert whole[:1] == ([following] if following <= end else [])
        assert {due.astimezone(VIETNAM).time() for due in whole} <= {rhythm.at}
        assert all(rhythm.is_on(due.astimezone(VIETNAM).date()) for due in whole)


class TestRunning:
    def test_at_its_time_and_once(self, round, cast, tree, go_to):
        schedule = schedule_of(cast.pc06, tree.province, cast.pc06, cast.leader)
        assert running.run_due() == []
        go_to(at(19, 17, 29))
        assert running.run_due() == []
        go_to(at(19, 17, 30))
        assert len(running.run_due()) == 2
        for _ in range(2):
            assert running.run_due() == []
        assert runs_of(schedule) == [(at(19, 17, 30), Outcome.FILES)]
        run = schedule.runs.get()
        assert (run.until, run.by, run.started_at) == (date(2020, 6, 18), None, at(19, 17, 30))
        go_to(at(20, 17, 31))
        assert len(running.run_due()) == 2
        assert [due for due, _outcome in runs_of(schedule)] == [at(19, 17, 30), at(20, 17, 30)]

    def test_several_missed_are_made_up_by_one(self, round, cast, tree, go_to):
        schedule = schedule_of(cast.pc06, tree.province)
        go_to(at(22, 8))
        assert len(running.run_due()) == 1
        assert running.run_due() == []
        assert runs_of(schedule) == [
            (at(19, 17, 30), Outcome.MADE_UP),
            (at(20, 17, 30), Outcome.MADE_UP),
            (at(21, 17, 30), Outcome.FILES),
        ]
        # as if it had been made in time
        run = schedule.runs.get(outcome=Outcome.FILES)
        assert (run.until, run.started_at) == (date(2020, 6, 20), at(22, 8))

    def test_two_at_once_make_one_run(self, round, cast, tree, go_to):
        schedule = schedule_of(cast.pc06, tree.province)
        go_to(at(19, 17, 30))
        first = running.run_due()
        # the second looked before the first had written
        Schedule.objects.update(counts_from=at(19, 12))
        assert (len(first), running.run_due()) == (1, [])
        assert schedule.runs.count() == Export.objects.count() == 1

    def test_the_database_keeps_one_run_a_due_time_and_one_file_a_run(self, round, cast, tree, go_to):
        schedule = schedule_of(cast.pc06, tree.province)
        go_to(at(19, 17, 30))
        running.run_due()
        with pytest.raises(IntegrityError), transaction.atomic():
            ScheduleRun.objects.create(schedule=schedule, due_at=at(19, 17, 30), started_at=at(19, 18), outcome="files")
        export = Export.objects.get()
        export.pk = None
        with pytest.raises(IntegrityError), transaction.atomic():
            export.save(force_insert=True)
        with pytest.raises(IntegrityError), transaction.atomic():
            Schedule.objects.update(rhythm="weekly")
        with pytest.raises(IntegrityError), transaction.atomic():
            Schedule.objects.update(files=[])

    @pytest.mark.parametrize(
        ("hour", "of_today", "until"),
        [(24, False, 18), (17, False, 19), (18, False, 18), (24, True, 19), (17, True, 19)],
    )
    def test_of_which_day(self, round, cast, tree, go_to, hour, of_today, until):
        Round.objects.update(cut_off_hour=hour)
        schedule_of(cast.pc06, tree.province, of_today=of_today)
        go_to(at(19, 17, 30))
        running.run_due()
        (export,) = Export.objects.all()
        assert export.options["last"] == f"2020-06-{until}"
        assert export.language == "vi"

    def test_without_a_round_or_before_a_day_of_it_is_over(self, round, cast, tree, go_to):
        schedule = schedule_of(cast.pc06, tree.province)
        Round.objects.update(starts_on=date(2020, 6, 19))
        go_to(at(19, 17, 30))
        assert running.run_due() == []
        Round.objects.update(status=Round.Status.CLOSED)
        go_to(at(20, 17, 30))
        assert running.run_due() == []
        assert [outcome for _due, outcome in runs_of(schedule)] == [Outcome.NOT_BEGUN, Outcome.NO_ROUND]
        assert not Export.objects.exists()

    def test_one_that_cannot_be_run_holds_up_no_other(self, round, cast, tree, go_to):
        broken = schedule_of(cast.pc06, tree.province)
        schedule_of(cast.pc06, tree.huong_khe)
        Schedule.objects.filter(pk=broken.pk).update(signs="nobody")
        go_to(at(19, 17, 30))
        assert len(running.run_due()) == 1
        Schedule.objects.filter(pk=broken.pk).update(signs="head")
        assert len(running.run_due()) == 1, "tried again"
        assert runs_of(broken) == [(at(19, 17, 30), Outcome.FILES)]

    def test_the_task_runs_and_the_files_are_made(self, round, cast, tree, go_to):
        schedule = schedule_of(cast.pc06, tree.province)
        go_to(at(19, 17, 30))
        run_schedules()
        (export,) = made(schedule)
        assert export.status == Export.Status.DONE
        assert exports.file_path(export).read_bytes()


class TestRecipients:
    def test_the_work_is_done_once_and_each_has_a_file_of_her_own(self, round, cast, tree, go_to):
        schedule = schedule_of(cast.pc06, tree.province, cast.pc06, cast.leader, cast.admin, files=["annexes.xlsx"])
        go_to(at(19, 17, 30))
        running.run_due()
        done = made(schedule)
        assert {export.owner for export in done} == {cast.pc06, cast.leader, cast.admin}
        assert {export.status for export in done} == {Export.Status.DONE}
        assert len({export.sha256 for export in done}) == len({export.rows for export in done}) == 1
        assert len({exports.file_path(export) for export in done}) == 3
        assert len({exports.file_path(export).stat().st_ino for export in done}) == 1, "written once"
        exports.file_path(done[0]).unlink()
        assert exports.file_path(done[1]).exists()

    def test_one_behind_another_waits_for_it(self, round, cast, tree, go_to):
        schedule_of(cast.pc06, tree.province, cast.pc06, cast.leader)
        go_to(at(19, 17, 30))
        first, second = running.run_due()
        exports.make(second)
        assert Export.objects.get(pk=second).status == Export.Status.QUEUED
        make_export(first)
        assert set(Export.objects.values_list("status", flat=True)) == {Export.Status.DONE}

    def test_where_links_are_not_known_it_is_copied(self, tmp_path, monkeypatch):
        def no_links(*_paths):
            raise OSError("not on this disk")

        monkeypatch.setattr(sharing.os, "link", no_links)
        (tmp_path / "a").write_text("x")
        sharing.take_over(tmp_path / "a", tmp_path / "b")
        assert (tmp_path / "b").read_text() == "x"

    def test_whoever_lost_her_posting_gets_nothing_and_the_page_says_so(self, round, cast, tree, go_to, client):
        schedule = schedule_of(cast.pc06, tree.huong_khe, cast.pc06, cast.supervisor)
        Posting.objects.filter(user=cast.supervisor).update(unit=tree.ky_anh)
        go_to(at(19, 17, 30))
        running.run_due()
        assert [export.owner for export in made(schedule)] == [cast.pc06]
        assert list(schedule.runs.get().left_out.all()) == [cast.supervisor]
        client.force_login(cast.pc06)
        assert "Không còn được xem số liệu của đơn vị" in text_of(
            client.get(reverse("reports:schedule_detail", args=[schedule.pk]))
        )

    def test_nor_where_she_lost_it_before_the_file_was_made_or_fetched(self, round, cast, tree, go_to, client):
        schedule = schedule_of(cast.pc06, tree.huong_khe, cast.supervisor, cast.pc06)
        go_to(at(19, 17, 30))
        running.run_due()
        Posting.objects.filter(user=cast.supervisor).update(unit=tree.ky_anh)
        hers, other = sorted(made(schedule), key=lambda export: export.owner != cast.supervisor)
        assert (hers.status, other.status) == (Export.Status.FAILED, Export.Status.DONE)
        Posting.objects.filter(user=cast.pc06).update(valid_to=clock.today())
        client.force_login(cast.pc06)
        assert client.get(reverse("reports:export_file", args=[other.pk])).status_code == 404

    def test_none_left(self, round, cast, tree, go_to):
        schedule = schedule_of(cast.pc06, tree.huong_khe, cast.supervisor)
        Posting.objects.filter(user=cast.supervisor).update(unit=tree.ky_anh)
        go_to(at(19, 17, 30))
        assert running.run_due() == []
        assert runs_of(schedule) == [(at(19, 17, 30), Outcome.NOBODY)]

    def test_a_file_that_killed_its_worker_for_one_is_not_tried_for_the_others(self, round, cast, tree, go_to):
        schedule = schedule_of(cast.pc06, tree.province, cast.pc06, cast.leader)
        go_to(at(19, 17, 30))
        first, _second = running.run_due()
        Export.objects.filter(pk=first).update(tries=3)
        assert {export.status for export in made(schedule)} == {Export.Status.FAILED}
        assert Export.objects.exclude(pk=first).get().tries == 0


class TestChanges:
    def test_the_time_of_a_change_is_where_it_counts_from(self, round, cast, tree, go_to):
        schedule = schedule_of(cast.pc06, tree.province)
        go_to(at(19, 18))  # and the machine was off at 17:30
        values = {name: getattr(schedule, name) for name in ("name", "period", "files", "annex", "signs", "template",
                  "of_today", "rhythm", "weekdays", "day_of_month")}  # fmt: skip
        keeping.change_schedule(by=cast.pc06, schedule=schedule, recipients=[cast.pc06], at=time(16), **values)
        assert running.run_due() == []
        go_to(at(20, 16))
        assert len(running.run_due()) == 1
        assert runs_of(schedule) == [(at(20, 16), Outcome.FILES)]
        # another name leaves what is due as it is
        go_to(at(21, 16, 1))
        values["name"] = "Tên khác"
        keeping.change_schedule(by=cast.pc06, schedule=schedule, recipients=[cast.pc06], at=time(16), **values)
        assert len(running.run_due()) == 1

    def test_what_falls_due_in_a_pause_is_not_made_up(self, round, cast, tree, go_to):
        schedule = schedule_of(cast.pc06, tree.province)
        keeping.pause_schedule(by=cast.pc06, schedule=schedule)
        go_to(at(21, 12))
        assert running.run_due() == []
        keeping.resume_schedule(by=cast.pc06, schedule=schedule)
        assert running.run_due() == []
        go_to(at(21, 17, 30))
        assert len(running.run_due()) == 1
        assert runs_of(schedule) == [(at(21, 17, 30), Outcome.FILES)]

    def test_an_ended_one_stays_ended(self, round, cast, tree, go_to):
        schedule = schedule_of(cast.pc06, tree.province)
        keeping.end_schedule(by=cast.pc06, schedule=schedule)
        keeping.end_schedule(by=cast.pc06, schedule=schedule)
        go_to(at(21, 12))
        assert running.run_due() == []
        for verb in (keeping.resume_schedule, keeping.pause_schedule):
            with pytest.raises(Conflict):
                verb(by=cast.pc06, schedule=schedule)
        with pytest.raises(Conflict):
            running.run_now(schedule, by=cast.pc06)


@pytest.fixture
def typed(cast):
    """What the form sends."""
    return {
        "request": str(uuid4()), "name": "Báo cáo tuần", "period": "week", "files": ["report.pdf", "annexes.xlsx"],
        "annex": "", "signs": "head", "which_day": "", "rhythm": "weekly", "weekdays": ["1", "5"], "day_of_month": "",
        "at": "7h15", "recipients": [cast.pc06.pk, cast.leader.pk],
    }  # fmt: skip


class TestPages:
    def test_made_on_the_page_and_sent_twice_is_one(self, client, round, cast, tree, typed):
        client.force_login(cast.pc06)
        address = reverse("reports:schedule_create")
        assert client.get(address).status_code == 200
        answers = [client.post(address, typed) for _ in range(2)]
        schedule = Schedule.objects.get()
        assert {answer.url for answer in answers} == {reverse("reports:schedule_detail", args=[schedule.pk])}
        assert (schedule.unit, schedule.at, schedule.weekdays, schedule.day_of_month) == (
            tree.province, time(7, 15), [1, 5], None
        )  # fmt: skip
        assert set(schedule.recipients.all()) == {cast.pc06, cast.leader}
        told = text_of(client.get(answers[0].url))
        assert "Thứ 2, Thứ 6 lúc 07:15" in told
        assert "07:15 22/6/2020" in told
        assert "số liệu đến hết ngày 21/6/2020" in told
        assert "Báo cáo tuần" in text_of(client.get(reverse("reports:schedule_list")))

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("name", ""), ("name", "x" * 81), ("name", "a\x00b"), ("period", "range"), ("files", []), ("files", ["forms.csv"]),
            ("files", ["annexes.csv"]), ("annex", "persons"), ("signs", "x"), ("which_day", "x"), ("rhythm", ""),
            ("weekdays", []), ("weekdays", ["8"]), ("at", ""), ("at", "25:00"), ("recipients", []), ("recipients", ["x"]),
            ("recipients", [10**20]), ("request", "x"),
        ],
    )  # fmt: skip
    def test_what_cannot_be_is_a_sentence_at_its_field(self, client, round, cast, tree, typed, field, value):
        client.force_login(cast.pc06)
        answer = client.post(reverse("reports:schedule_create"), typed | {field: value})
        assert answer.status_code == 400
        at_field = {"files": "annex"}.get(field) if value == ["annexes.csv"] else field
        assert at_field in answer.context["form"].errors
        if field != "request":
            assert f'id="e-{at_field}"' in answer.content.decode()
        assert not Schedule.objects.exists()

    @pytest.mark.parametrize("day", ["", "0", "32", "x", "9" * 30])
    def test_a_day_of_the_month_that_is_none(self, client, round, cast, tree, typed, day):
        client.force_login(cast.pc06)
        answer = client.post(reverse("reports:schedule_create"), typed | {"rhythm": "monthly", "day_of_month": day})
        assert "Ghi một ngày từ 1 đến 31" in text_of(answer)

    def test_recipients_are_those_who_see_the_unit(self, client, round, cast, tree, typed):
        client.force_login(cast.supervisor)
        address = reverse("reports:schedule_create")
        form = client.get(address).context["form"]
        assert {officer for officer, _posting, _chosen in form.choices_of_recipients} == {
            cast.supervisor, cast.pc06, cast.admin, cast.leader
        }  # fmt: skip
        assert client.post(address, typed | {"recipients": [cast.officer.pk]}).status_code == 400
        of_commune = client.get(address, {"unit": tree.huong_tra.pk}).context["form"]
        officers = {officer for officer, _posting, _chosen in of_commune.choices_of_recipients}
        assert {cast.officer, cast.member} <= officers
        assert cast.stranger not in officers
        assert all(permissions.can_export(officer, "report", tree.huong_tra) for officer in officers)

    def test_only_of_ones_own_area(self, client, round, cast, tree, typed):
        client.force_login(cast.supervisor)
        for unit in (tree.ky_anh.pk, tree.province.pk, "x", 10**30):
            assert client.get(reverse("reports:schedule_create"), {"unit": unit}).status_code == 404
        assert client.get(reverse("reports:schedule_create"), {"unit": tree.huong_tra.pk}).status_code == 200

    @pytest.mark.parametrize("who", ["officer", "member", "leader", "stranger"])
    def test_whoever_keeps_none_finds_no_page(self, client, round, cast, tree, typed, who):
        schedule = schedule_of(cast.pc06, tree.huong_tra, cast.officer)
        client.force_login(getattr(cast, who))
        for name in ("schedule_list", "schedule_create"):
            assert client.get(reverse(f"reports:{name}")).status_code == 404
        for name in ("detail", "edit", "run", "pause", "resume", "end"):
            address = reverse(f"reports:schedule_{name}", args=[schedule.pk])
            assert {client.get(address).status_code, client.post(address).status_code} <= {404, 405}
        assert reverse("reports:schedule_list") not in client.get(reverse("reports:report_list")).content.decode()
        schedule.refresh_from_db()
        assert (schedule.status, schedule.runs.count()) == (Schedule.Status.ACTIVE, 0)

    def test_another_district_and_the_province_above(self, client, round, cast, tree):
        schedule = schedule_of(cast.pc06, tree.huong_khe)
        of_province = schedule_of(cast.pc06, tree.province)
        other = make_officer("district_officer", tree.ky_anh)
        client.force_login(other)
        assert client.get(reverse("reports:schedule_detail", args=[schedule.pk])).status_code == 404
        client.force_login(cast.supervisor)
        assert client.get(reverse("reports:schedule_detail", args=[schedule.pk])).status_code == 200
        assert client.get(reverse("reports:schedule_detail", args=[of_province.pk])).status_code == 404
        client.force_login(cast.admin)
        assert client.get(reverse("reports:schedule_detail", args=[of_province.pk])).status_code == 200

    def test_changed(self, client, round, cast, tree, typed):
        schedule = schedule_of(cast.pc06, tree.province)
        client.force_login(cast.admin)
        address = reverse("reports:schedule_edit", args=[schedule.pk])
        assert 'value="17:30"' in client.get(address).content.decode()
        wanted = typed | {"rhythm": "monthly", "day_of_month": "31", "which_day": "today"}
        for _ in range(2):
            assert client.post(address, wanted).status_code == 302
        schedule.refresh_from_db()
        assert (schedule.rhythm, schedule.day_of_month, schedule.weekdays, schedule.of_today) == (
            "monthly",
            31,
            [],
            True,
        )
        assert (schedule.made_by, schedule.changed_by) == (cast.pc06, cast.admin)
        assert client.post(address, wanted | {"at": ""}).status_code == 400
        keeping.end_schedule(by=cast.pc06, schedule=schedule)
        assert client.post(address, wanted).status_code == 409

    def test_a_recipient_who_is_posted_elsewhere_stays_on_the_form_and_may_be_taken_off(
        self, client, round, cast, tree, typed
    ):
        schedule = schedule_of(cast.pc06, tree.huong_khe, cast.pc06, cast.supervisor)
        Posting.objects.filter(user=cast.supervisor).update(unit=tree.ky_anh)
        client.force_login(cast.pc06)
        address = reverse("reports:schedule_edit", args=[schedule.pk])
        assert "không còn được xem đơn vị này" in text_of(client.get(address))
        both = typed | {"recipients": [cast.pc06.pk, cast.supervisor.pk]}
        assert client.post(address, both).status_code == 302
        assert client.post(address, typed | {"recipients": [cast.pc06.pk]}).status_code == 302
        assert list(schedule.recipients.all()) == [cast.pc06]
        assert client.post(address, both).status_code == 400, "she may not be put on it again"

    def test_paused_resumed_ended_twice_each(self, client, round, cast, tree):
        schedule = schedule_of(cast.pc06, tree.province)
        client.force_login(cast.pc06)
        for verb, status in (("pause", "paused"), ("resume", "active"), ("end", "ended")):
            for _ in range(2):
                address = reverse(f"reports:schedule_{verb}", args=[schedule.pk])
                assert client.post(address).status_code == 302
                schedule.refresh_from_db()
                assert schedule.status == status
            assert client.get(address).status_code == 405
        for verb in ("pause", "resume", "run"):
            answer = client.post(reverse(f"reports:schedule_{verb}", args=[schedule.pk]))
            assert answer.status_code == 409
            assert "đã kết thúc" in text_of(answer)

    def test_run_by_hand_and_twice_is_one(self, client, round, cast, tree, go_to):
        schedule = schedule_of(cast.pc06, tree.province, cast.pc06, cast.leader)
        keeping.pause_schedule(by=cast.pc06, schedule=schedule)
        client.force_login(cast.pc06)
        address = reverse("reports:schedule_run", args=[schedule.pk])
        for _ in range(2):
            assert client.post(address).status_code == 302
        go_to(at(19, 12, 5))
        client.post(address)  # its files are still being made
        assert runs_of(schedule) == [(at(19, 12), Outcome.FILES)]
        assert schedule.runs.get().by == cast.pc06
        page = reverse("reports:schedule_detail", args=[schedule.pk])
        waiting = client.get(page)
        assert "đang tạo 2/2 tệp" in text_of(waiting)
        assert 'hx-trigger="every 2s"' in waiting.content.decode()
        made(schedule)
        ready = client.get(page)
        assert "đã tạo 2 tệp" in text_of(ready)
        assert 'hx-trigger="every 2s"' not in ready.content.decode()
        client.post(address)
        assert schedule.runs.count() == 2

    def test_by_hand_in_the_minute_it_is_due_is_that_run(self, round, cast, tree, go_to):
        schedule = schedule_of(cast.pc06, tree.province)
        go_to(at(19, 17, 30) + timedelta(seconds=10))
        assert len(running.run_now(schedule, by=cast.pc06)) == 1
        assert running.run_due() == []
        assert runs_of(schedule) == [(at(19, 17, 30), Outcome.FILES)]

    def test_the_run_tells_what_each_got(self, client, round, cast, tree, go_to):
        schedule = schedule_of(cast.pc06, tree.province, cast.pc06, cast.leader)
        go_to(at(21, 8))
        running.run_due()
        hers, other = sorted(made(schedule), key=lambda export: export.owner != cast.pc06)
        Export.objects.filter(pk=other.pk).update(status="failed", failure="Vì lý do này.")
        client.force_login(cast.pc06)
        file = client.get(reverse("reports:export_file", args=[hers.pk]))
        assert b"".join(file.streaming_content)
        page = client.get(reverse("reports:schedule_detail", args=[schedule.pk]))
        told = text_of(page)
        for words in ("Vì lý do này.", "1/2 tệp không tạo được", "bị lỡ; lần chạy sau đã bù", "08:00 21/6/2020", "1/2"):
            assert words.lower() in told.lower()
        dues = [run.due_at for run in page.context["runs"]]
        assert dues == sorted(dues, reverse=True)
        assert page.context["run"].due_at == dues[0], "the latest is told"
        for run in schedule.runs.all():
            assert client.get(page.request["PATH_INFO"], {"run": run.pk}).context["run"] == run
        assert client.get(page.request["PATH_INFO"], {"run": "'\x00"}).status_code in (200, 400)

    def test_as_many_queries_for_many_as_for_one(self, client, round, cast, tree, go_to, django_assert_num_queries):
        client.force_login(cast.pc06)
        schedules = [schedule_of(cast.pc06, tree.province)]
        pages = [reverse("reports:schedule_list"), reverse("reports:schedule_detail", args=[schedules[0].pk])]
        go_to(at(19, 17, 30))
        running.run_due()
        for page in pages:
            client.get(page)
        counted = []
        for many in (False, True):
            if many:
                schedules += [
                    schedule_of(cast.pc06, unit, cast.pc06, cast.leader) for unit in (tree.huong_khe, tree.ky_anh)
                ]
                schedules[0].recipients.add(cast.leader, cast.admin)
                go_to(at(22, 18))
                running.run_due()
            for page in pages:
                with django_assert_num_queries(12, exact=False) as asked:
                    assert client.get(page).status_code == 200
                counted.append(len(asked))
        assert counted[:2] == counted[2:]


@pytest.mark.django_db(transaction=True)
def test_a_schedule_another_worker_holds_is_left_to_it(round, cast, tree, go_to):
    schedule = schedule_of(cast.pc06, tree.province)
    go_to(at(19, 17, 30))
    worker = connection.copy()
    try:
        worker.set_autocommit(False)
        with worker.cursor() as cursor:
            cursor.execute("SELECT 1 FROM reports_schedule WHERE id = %s FOR UPDATE", [schedule.pk])
            assert running.run_due() == []
    finally:
        worker.rollback()
        worker.close()
    assert len(running.run_due()) == 1
