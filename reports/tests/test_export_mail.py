"""E-mails of finished files: to whoever has not opened them, once, with links."""

import re
from datetime import UTC, date, datetime, timedelta

import pytest
from django.urls import reverse

from census_verify import clock
from households.tests.factories import make_officer
from reports import exports, mailing, rollups, services
from reports.exports import mail
from reports.models import Export, ExportMail, Schedule
from reports.schedules import running
from reports.tasks import make_export, tell_of_exports
from reports.tests.test_schedules import schedule_of

TODAY = date(2020, 6, 19)


@pytest.fixture(autouse=True)
def _now(monkeypatch, settings, tmp_path):
    settings.EXPORT_DIR = tmp_path / "exports"
    moment = [datetime(2020, 6, 19, 10, 30, tzinfo=UTC)]  # half past five in the afternoon
    monkeypatch.setattr(clock, "now", lambda: moment[0])
    return moment


@pytest.fixture
def later(_now):
    def pass_by(**time) -> None:
        _now[0] += timedelta(**time)

    return pass_by


@pytest.fixture
def pc06(cast):
    cast.pc06.email = "pc06@phuctra.example"
    cast.pc06.save(update_fields=["email"])
    return cast.pc06


@pytest.fixture
def export(round, pc06, tree) -> Export:
    rollups.roll_up()
    export = services.request_export(by=pc06, round=round, kind="units", format="csv", unit=tree.province)
    exports.make(export.pk)
    return export


def test_after_two_minutes_and_once_with_a_link_that_opens(box, export, pc06, later, client):
    assert mail.send_mails() == 0
    later(minutes=2)
    assert tell_of_exports() == 1
    later(minutes=10)
    assert mail.send_mails() == 0
    (told,) = box.mails
    assert told["To"] == "pc06@phuctra.example"
    assert "Tệp đã xong" in told["Subject"]
    assert "tỉnh Hà Tĩnh" in told["Subject"]
    assert [part.get_content_type() for part in told.walk()] == ["text/plain"], "a link, never the file"
    (link,) = re.findall(r"https://phuctra\.example(/exports/\d+/)", told.get_content())
    client.force_login(pc06)
    assert client.get(link).status_code == 200
    assert ExportMail.objects.get().sent_at


def test_not_to_whoever_has_seen_it(box, export, pc06, later, client):
    client.force_login(pc06)
    client.get(reverse("reports:export_detail", args=[export.pk]))
    later(minutes=5)
    assert mail.send_mails() == 0
    assert box.mails == []


@pytest.mark.parametrize("change", ["no address", "not posted", "inactive", "stopped", "long ago"])
def test_nor_without_an_address_or_a_posting_nor_of_what_is_no_news(box, export, pc06, later, change):
    if change == "no address":
        type(pc06).objects.update(email="")
    elif change == "not posted":
        pc06.postings.update(valid_to=TODAY)
    elif change == "inactive":
        type(pc06).objects.update(is_active=False)
    elif change == "stopped":
        Export.objects.update(status="cancelled")
    later(minutes=5, days=2 if change == "long ago" else 0)
    assert mail.send_mails() == 0
    assert not ExportMail.objects.exists()


def test_nothing_where_no_server_is_set(export, later, settings, django_assert_num_queries):
    later(minutes=5)
    assert not settings.SENDS_MAIL
    with django_assert_num_queries(0):
        assert mail.send_mails() == 0


def test_a_failed_one_says_so(box, export, later):
    Export.objects.update(status="failed", failure="x")
    later(minutes=5)
    assert mail.send_mails() == 1
    assert "không tạo được" in box.mails[0].get_content()


def test_a_server_that_says_no_is_asked_again_and_not_for_ever(box, export, later):
    later(minutes=5)
    box.refuses = 10
    for _ in range(5):
        assert mail.send_mails() == 0
    assert (ExportMail.objects.get().tries, box.refuses) == (mailing.TRIES, 10 - mailing.TRIES)
    assert "451" in ExportMail.objects.get().failure


def test_nobody_gets_two_after_a_death_in_between(box, export, pc06, later):
    later(minutes=5)
    ExportMail.objects.create(officer=pc06, export=export, tries=1, tried_at=clock.now())
    assert mail.send_mails() == 0
    assert box.mails == []


def test_of_a_run_one_to_each_with_all_her_files(box, round, pc06, tree, later):
    other = make_officer("leader", tree.province, email="lanhdao@phuctra.example")
    schedule = schedule_of(pc06, tree.province, pc06, other, files=["annexes.csv", "annexes.xlsx"])
    asked = running.run_now(schedule, by=pc06)
    make_export(asked[0])
    later(minutes=5)
    assert mail.send_mails() == 0, "her other file is still being made"
    for pk in asked:
        make_export(pk)
    assert set(Export.objects.values_list("status", flat=True)) == {"done"}
    assert mail.send_mails() == 0
    later(minutes=2)
    Export.objects.filter(owner=pc06, format="csv").update(seen_at=clock.now())
    assert mail.send_mails() == 2
    later(minutes=2)
    assert mail.send_mails() == 0
    assert [told["To"] for told in box.mails] == ["pc06@phuctra.example", "lanhdao@phuctra.example"]
    for told, owner in zip(box.mails, (pc06, other), strict=True):
        links = re.findall(r"/exports/(\d+)/", told.get_content())
        assert {int(pk) for pk in links} == set(Export.objects.filter(owner=owner).values_list("pk", flat=True))
        assert schedule.name in told["Subject"]
    assert Schedule.objects.get().runs.count() == 1
