"""Alerts as they are kept, told, read and sent."""

import re
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.urls import reverse
from django.utils import translation

from census_verify import clock
from households.models import Posting
from households.tests.factories import make_officer
from reports import mailing, rollups
from reports.alerts import mail, making
from reports.alerts.bell import unread_of
from reports.alerts.words import sentence_of
from reports.models import Alert, AlertDigest, AlertReading
from reports.tasks import make_alerts
from reports.tests.test_pages import text_of
from verification.models import Round
from verification.terms import Approval
from verification.tests.factories import decide, record

TODAY = date(2020, 6, 19)


@pytest.fixture
def alerts_on(round, live_on):
    """Make the alerts of a day; what is open then, by commune and kind."""

    def on(day: date) -> dict[tuple[str, str], Alert]:
        live_on(day)
        making.make_alerts()
        return {(alert.unit.name, alert.kind): alert for alert in Alert.objects.open().select_related("unit")}

    return on


def alert_of(unit, kind="behind", *, reach=1, **fields) -> Alert:
    facts = {"recent": 1, "needed": 3, "left": 9, "days": 5, "due": "2020-06-30"}
    if kind == "returned":
        facts = {"forms": 1, "days": 4}
    standard = {"round": Round.objects.get(), "since": TODAY, "told_at": clock.now(), "facts": facts}
    return Alert.objects.create(unit=unit, kind=kind, reach=reach, **standard | fields)


def test_found_told_and_over(alerts_on, homes, cast, round):
    found = alerts_on(TODAY + timedelta(days=11))
    assert {kind for _name, kind in found} == {"behind", "idle"}
    assert {name for name, _kind in found} == {"Hương Trà", "Phú Gia", "Hưng Trí"}
    for home in (homes.four, homes.two, homes.three):
        record(home, cast.officer)
    still = alerts_on(TODAY + timedelta(days=12))
    assert {name for name, _kind in still} == {"Phú Gia", "Hưng Trí"}, "the finished commune's are over"
    assert Alert.objects.filter(unit__name="Hương Trà").exclude(ended_at=None).count() == 2


def written_by(model) -> list[tuple]:
    """Which transaction wrote each row last."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT id, xmin::text FROM {model._meta.db_table} ORDER BY id")
        return cursor.fetchall()


def test_making_them_again_tells_and_writes_nothing_again(alerts_on):
    first = alerts_on(TODAY + timedelta(days=11))
    written = written_by(Alert)
    for _ in range(2):
        assert making.make_alerts() == making.Made(told=0, ended=0)
    assert written_by(Alert) == written, "a row that is as it was is left alone"
    again = {(a.unit.name, a.kind): a for a in Alert.objects.select_related("unit")}
    assert {key: (a.pk, a.told_at) for key, a in again.items()} == {key: (a.pk, a.told_at) for key, a in first.items()}


def test_it_goes_further_up_and_is_new_again(alerts_on, homes, cast, round):
    round_start = TODAY - timedelta(days=30)
    Round.objects.update(starts_on=round_start)
    reach = []
    for number in range(6, 12):
        alert = alerts_on(round_start + timedelta(days=number + 1))[("Phú Gia", "behind")]
        reach.append(alert.reach)
    assert reach == [3, 3, 2, 2, 1, 1]
    assert alert.since == round_start + timedelta(days=6)


def test_what_was_told_today_is_taken_up_again_without_a_word(alerts_on, homes, cast):
    day = TODAY + timedelta(days=11)
    alert = alerts_on(day)[("Phú Gia", "behind")]
    Alert.objects.filter(pk=alert.pk).update(ended_at=clock.now(), since=alert.since + timedelta(days=2))
    again = alerts_on(day)[("Phú Gia", "behind")]
    assert (again.pk, again.told_at, again.since, again.ended_at) == (alert.pk, alert.told_at, alert.since, None)


def test_what_comes_back_another_day_is_told_anew(alerts_on):
    alert = alerts_on(TODAY + timedelta(days=11))[("Phú Gia", "idle")]
    yesterday = alert.told_at - timedelta(days=1)
    before = alert.since - timedelta(days=9)
    Alert.objects.filter(pk=alert.pk).update(ended_at=clock.now(), told_at=yesterday, since=before)
    again = alerts_on(TODAY + timedelta(days=11))[("Phú Gia", "idle")]
    assert again.pk != alert.pk
    assert again.told_at > yesterday


def test_nothing_stays_open_of_a_closed_round(alerts_on, round):
    assert alerts_on(TODAY + timedelta(days=11))
    Round.objects.update(status=Round.Status.CLOSED)
    assert alerts_on(TODAY + timedelta(days=12)) == {}
    assert not making.make_alerts().told


def test_returned_results_that_wait(alerts_on, round, homes, cast):
    record(homes.four, cast.officer, "emigrated", paper="other")
    decide([form.pk for form in homes.four.forms.all()], cast.supervisor, Approval.RETURNED, "thiếu ảnh")
    assert ("Hương Trà", "returned") not in alerts_on(TODAY + timedelta(days=3))
    alert = alerts_on(TODAY + timedelta(days=4))[("Hương Trà", "returned")]
    assert (alert.facts["forms"], alert.reach) == (4, 3)
    record(homes.four, cast.officer)
    assert ("Hương Trà", "returned") not in alerts_on(TODAY + timedelta(days=5))


def test_the_database_allows_one_open_alert_of_a_kind(round, tree):
    alert_of(tree.huong_tra)
    with pytest.raises(IntegrityError), transaction.atomic():
        alert_of(tree.huong_tra)
    alert_of(tree.huong_tra, ended_at=clock.now())


class TestWhoIsTold:
    @pytest.fixture(autouse=True)
    def _three(self, round, tree):
        alert_of(tree.huong_tra, "behind", reach=3)
        alert_of(tree.phu_gia, "behind", reach=2)
        alert_of(tree.hung_tri, "behind", reach=1)

    @pytest.mark.parametrize(
        ("officer", "names"),
        [
            ("officer", {"Hương Trà"}),
            ("member", {"Hương Trà", "Phú Gia"}),
            ("supervisor", {"Phú Gia"}),
            ("stranger", {"Hưng Trí"}),
            ("pc06", {"Hưng Trí"}),
            ("leader", {"Hưng Trí"}),
        ],
    )
    def test_by_posting(self, cast, officer, names):
        reader = getattr(cast, officer)
        assert {alert.unit.name for alert in Alert.objects.visible_to(reader)} == names
        assert unread_of(reader) == len(names)

    def test_the_bell_and_the_page_count_the_same(self, client, cast):
        client.force_login(cast.member)
        page = client.get(reverse("reports:alert_list"))
        assert len([alert for _district, rows in page.context["districts"] for alert in rows]) == 2
        assert '<span class="waiting">2</span>' in page.content.decode()

    def test_opening_one_leads_to_the_unit_and_is_reading_it(self, client, cast, tree):
        alert = Alert.objects.get(unit=tree.phu_gia)
        client.force_login(cast.supervisor)
        address = reverse("reports:alert_open", args=[alert.pk])
        for _ in range(2):
            answer = client.get(address)
            assert answer.headers["Location"] == reverse("reports:unit_detail", args=[tree.phu_gia.pk])
        assert client.get(answer.headers["Location"]).status_code == 200
        assert AlertReading.objects.filter(alert=alert, officer=cast.supervisor).count() == 1
        assert (unread_of(cast.supervisor), unread_of(cast.member)) == (0, 2), "nobody else has read it"
        Alert.objects.filter(pk=alert.pk).update(reach=1, told_at=clock.now())
        assert unread_of(cast.supervisor) == 1, "it went further up since"

    def test_a_stranger_is_told_nothing(self, client, cast, tree):
        alert = Alert.objects.get(unit=tree.phu_gia)
        for stranger in (cast.stranger, cast.pc06, cast.officer):
            client.force_login(stranger)
            assert client.get(reverse("reports:alert_open", args=[alert.pk])).status_code == 404
        assert not AlertReading.objects.exists()

    def test_all_at_once_and_twice(self, client, cast):
        client.force_login(cast.member)
        for _ in range(2):
            client.post(reverse("reports:alerts_read"))
        assert unread_of(cast.member) == 0
        assert AlertReading.objects.count() == 2
        assert unread_of(cast.pc06) == 1
        assert client.get(reverse("reports:alerts_read")).status_code == 405
        assert reverse("reports:alerts_read") not in client.get(reverse("reports:alert_list")).content.decode()


def test_returned_ones_lead_to_what_came_back(client, round, cast, tree):
    alert = alert_of(tree.huong_tra, "returned")
    address = reverse("reports:alert_open", args=[alert.pk])
    client.force_login(cast.officer)
    answer = client.get(address, follow=True)
    assert answer.redirect_chain[0][0].endswith("?state=returned")
    assert answer.status_code == 200
    client.force_login(cast.leader)
    assert client.get(address).headers["Location"] == reverse("reports:unit_detail", args=[tree.huong_tra.pk])


def test_by_kind_over_and_nothing(client, round, cast, tree):
    client.force_login(cast.officer)
    page = reverse("reports:alert_list")
    assert "Không có việc gì cần xem" in text_of(client.get(page))
    alert_of(tree.huong_tra, "behind")
    alert_of(tree.huong_tra, "returned")
    alert_of(tree.huong_tra, "jump", ended_at=clock.now(), facts={})
    shown = client.get(page, {"kind": "returned"})
    assert [alert.kind for _district, rows in shown.context["districts"] for alert in rows] == ["returned"]
    assert "1 việc đã hết trong bảy ngày qua" in text_of(shown)
    assert "Không có việc loại này" in text_of(client.get(page, {"kind": "idle"}))
    assert client.get(page, {"kind": "'\x00"}).status_code in (200, 400)
    assert len(client.get(page, {"kind": "nonsense"}).context["districts"][0][1]) == 2


def test_as_many_queries_for_many_as_for_one(client, round, cast, tree, django_assert_num_queries):
    client.force_login(cast.pc06)
    alert_of(tree.huong_tra)
    client.get(reverse("reports:alert_list"))
    with django_assert_num_queries(7):
        client.get(reverse("reports:alert_list"))
    for unit in (tree.phu_gia, tree.hung_tri):
        alert_of(unit)
    with django_assert_num_queries(7):
        client.get(reverse("reports:alert_list"))


@pytest.mark.parametrize("language", ["vi", "en"])
def test_sentences_of_every_kind(round, tree, language):
    facts = {
        "behind": [{"recent": 12, "needed": 1345, "left": 9, "days": 5, "due": "2020-06-30"},
                   {"recent": 12, "needed": None, "left": 9, "days": 5, "due": "2020-06-30"}],
        "idle": [{"days": 3, "last": "2020-06-15", "left": 4}, {"days": 3, "last": None, "left": 4}],
        "returned": [{"forms": 1, "days": 4}, {"forms": 2, "days": 4}],
        "jump": [{"forms": 900, "usual": 100, "day": "2020-06-18"}],
    }  # fmt: skip
    assert set(facts) == set(Alert.Kind.values)
    with translation.override(language):
        told = [sentence_of(Alert(kind=kind, facts=each)) for kind, some in facts.items() for each in some]
    assert len(set(told)) == len(told)
    assert ("1.345" if language == "vi" else "1,345") in told[0]
    assert all(re.search(r"phiếu|kết quả", sentence) for sentence in told) == (language == "vi")


class TestMail:
    @pytest.fixture(autouse=True)
    def _at_eight(self, monkeypatch, settings):
        self.now = datetime(2020, 6, 19, 1, 0, tzinfo=UTC)  # eight in the morning
        monkeypatch.setattr(clock, "now", lambda: self.now)

    @pytest.fixture(autouse=True)
    def _reader(self, round, cast, tree):
        cast.pc06.email = "pc06@phuctra.example"
        cast.pc06.save(update_fields=["email"])
        self.alert = alert_of(tree.phu_gia)

    def test_one_a_day_with_links_that_open(self, box, client, cast, tree):
        assert mail.send_digests() == 1
        assert mail.send_digests() == 0
        (told,) = box.mails
        assert told["To"] == "pc06@phuctra.example"
        assert "1 đơn vị cần xem" in told["Subject"]
        body = told.get_content()
        assert sentence_of(self.alert) in body
        assert "Xã Phú Gia" in body
        (link,) = re.findall(r"https://phuctra\.example(/alerts/\d+/)", body)
        client.force_login(cast.pc06)
        assert client.get(link, follow=True).status_code == 200
        assert unread_of(cast.pc06) == 0

    def test_nothing_new_the_next_day_and_then_something(self, box, tree, django_assert_num_queries):
        mail.send_digests()
        self.now += timedelta(days=1)
        with django_assert_num_queries(2):  # the last thing told, and whom it is new to: nobody is asked about
            assert mail.send_digests() == 0
        alert_of(tree.hung_tri)
        assert mail.send_digests() == 1
        assert "Phú Gia" not in box.mails[1].get_content()

    def test_not_before_seven_nor_without_a_server_nor_what_was_read(self, box, cast, settings):
        self.now = datetime(2020, 6, 18, 23, 59, tzinfo=UTC)
        assert mail.send_digests() == 0
        self.now = datetime(2020, 6, 19, 1, 0, tzinfo=UTC)
        settings.SENDS_MAIL = False
        assert mail.send_digests() == 0
        settings.SENDS_MAIL = True
        AlertReading.objects.create(alert=self.alert, officer=cast.pc06, read_at=self.now)
        assert mail.send_digests() == 0
        assert (box.mails, AlertDigest.objects.count()) == ([], 0)

    def test_only_to_those_who_are_posted_and_may_come_in(self, box, cast, tree):
        gone = make_officer("pc06_officer", tree.province, "gone")
        gone.email = "gone@phuctra.example"
        gone.save()
        Posting.objects.filter(user=gone).update(valid_to=TODAY)
        off = make_officer("pc06_officer", tree.province, "off", is_active=False)
        off.email = "off@phuctra.example"
        off.save()
        mail.send_digests()
        assert [told["To"] for told in box.mails] == ["pc06@phuctra.example"]

    def test_a_server_that_says_no_is_asked_again(self, box):
        box.refuses = 1
        assert mail.send_digests() == 0
        assert "451" in AlertDigest.objects.get().failure
        assert mail.send_digests() == 1
        assert (len(box.mails), AlertDigest.objects.get().tries) == (1, 2)

    def test_but_not_for_ever(self, box):
        box.refuses = 10
        for _ in range(5):
            assert mail.send_digests() == 0
        assert (AlertDigest.objects.get().tries, box.refuses) == (mailing.TRIES, 10 - mailing.TRIES)

    def test_a_server_that_is_away_costs_no_try(self, box, settings):
        port, settings.EMAIL_PORT = settings.EMAIL_PORT, 1
        assert mail.send_digests() == 0
        assert not AlertDigest.objects.exists()
        settings.EMAIL_PORT = port
        assert mail.send_digests() == 1

    def test_nobody_gets_two_after_a_death_in_between(self, box, cast):
        AlertDigest.objects.create(officer=cast.pc06, day=TODAY, alerts=1, tries=1, tried_at=self.now)
        assert mail.send_digests() == 0
        assert box.mails == []

    def test_the_task_makes_and_sends(self, box):
        rollups.roll_up()
        assert make_alerts() >= 1
        assert len(box.mails) == 1
        assert AlertDigest.objects.get().sent_at
