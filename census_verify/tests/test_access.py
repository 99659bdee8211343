"""Every address, asked for by nobody, by somebody without a posting, and by a stranger from another commune."""

import threading
from uuid import uuid4

import pytest
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from census_verify import clock, log_in
from households.models import Import, Reinforcement, User
from reports.models import Alert, Delivery, Export, ReportTemplate, Schedule
from reports.tasks import worker_seen
from verification.models import Printing, Proof, Sheet
from verification.rules import CorrectionEntry
from verification.tests.factories import record
from verification.tests.test_new_people import add

OPEN_TO_ALL = {"healthz", "readyz", "login", "set_language"}


def named_urls(resolver=None, namespace=""):
    """(full name, names of its arguments) of every address outside the admin."""
    for pattern in (resolver or get_resolver()).url_patterns:
        if isinstance(pattern, URLResolver):
            if pattern.namespace != "admin":
                yield from named_urls(pattern, namespace + (f"{pattern.namespace}:" if pattern.namespace else ""))
        elif isinstance(pattern, URLPattern):
            yield namespace + pattern.name, tuple(pattern.pattern.converters)


@pytest.fixture
def addresses(round, homes, cast, tree):
    """Each address with the things of Hương Trà in it."""
    submission = record(homes.two, cast.officer).passes[0].submission
    corrected = record(
        homes.four, cast.officer, "corrected", corrections=(CorrectionEntry("birth_date", "12/3/1956", "archive"),)
    )
    form = corrected.passes[0].form
    proof = Proof.objects.create(
        form=form, province_id=form.province_id, commune_id=form.commune_id, uploaded_by=cast.officer,
        uploaded_at=clock.now(), kind="image", bytes=1, sha256="0", width=1, height=1,
        correction=corrected.passes[0].corrections.get(),
    )  # fmt: skip
    person = add(homes.four, cast.officer).person
    export = Export.objects.create(
        owner=cast.officer, round=round, unit=tree.huong_tra, kind="forms", format="csv", language="vi", reason="kiểm thử",
        asked_at=clock.now(), status="done", finished_at=clock.now(), rows=0,
    )  # fmt: skip
    printing = Printing.objects.create(
        round=round, unit=tree.dong, by=cast.officer, asked_at=clock.now(), language="vi", request=uuid4(),
        status="done", finished_at=clock.now(), pages=1,
    )  # fmt: skip
    sheet = Sheet.objects.create(
        printing=printing, round=round, province=tree.province, commune=tree.huong_tra, hamlet=tree.dong,
        part=1, parts=1, printed_by=cast.officer, printed_at=clock.now(),
    )  # fmt: skip
    alert = Alert.objects.create(
        round=round, unit=tree.huong_tra, kind="idle", since=clock.today(), reach=3, told_at=clock.now(),
        facts={"days": 3, "last": None, "left": 4},
    )  # fmt: skip
    things = {
        "alert": alert.pk,
        "unit": tree.huong_tra.pk,
        "team": cast.team.pk,
        "export": export.pk,
        "household": homes.four.pk,
        "form": tree.huong_tra.pk,
        "register": tree.huong_tra.pk,
        "twin": homes.four.forms.first().pk,
        "correction": proof.correction_id,
        "pass": corrected.passes[0].pk,
        "proof": proof.pk,
        "sheet": sheet.pk,
        "printing": sheet.printing_id,
        "person": homes.four.pk,
        "template": ReportTemplate.objects.create(
            area=tree.province, name="Mẫu", content=b"", sha256="0", uploaded_by=cast.admin, uploaded_at=clock.now()
        ).pk,
        "delivery": Delivery.objects.create(
            area=tree.province,
            round=round,
            year=2020,
            number=1,
            first=clock.today(),
            last=clock.today(),
            request=uuid4(),
            made_by=cast.pc06,
            made_at=clock.now(),
            rows=1,
            sha256="0",
        ).pk,
        "schedule": Schedule.objects.create(
            name="Báo cáo ngày",
            unit=tree.huong_tra,
            period="day",
            files=["report.pdf"],
            signs="head",
            rhythm="daily",
            at="17:30",
            counts_from=clock.now(),
            request=uuid4(),
            made_by=cast.pc06,
            made_at=clock.now(),
            changed_by=cast.pc06,
            changed_at=clock.now(),
        ).pk,
        "reinforcement": Reinforcement.objects.create(
            team=cast.team,
            district=tree.ky_anh,
            starts_on=clock.today(),
            ends_on=clock.today(),
            decided_by=cast.pc06,
            decided_at=clock.now(),
        ).pk,
        "import": Import.objects.create(
            kind="forms",
            area=tree.province,
            by=cast.admin,
            file_name="a.csv",
            size=1,
            sha256="a",
            uploaded_at=clock.now(),
        ).pk,
    }
    found = {}
    for name, arguments in named_urls():
        kwargs = {}
        for argument in arguments:
            noun = name.split(":")[-1].split("_")[0]
            of_noun = person.submission if noun == "person" else submission
            kwargs[argument] = of_noun if argument == "submission" else things[noun]
        found[name] = reverse(name, kwargs=kwargs)
    return found


def answers(client, address):
    return {client.get(address).status_code, client.post(address, {}).status_code}


def test_the_list_is_whole(addresses):
    assert len(addresses) > 20
    assert {"reports:home", "verification:household_verify", "api:household_results"} <= set(addresses)


def test_nobody_is_sent_to_log_in(addresses, client):
    for name, address in addresses.items():
        if name in OPEN_TO_ALL:
            continue
        for answer in (client.get(address), client.post(address, {})):
            if name.startswith("api:"):
                assert answer.status_code == 403, name
            else:
                assert answer.status_code == 302, name
                assert answer.url.startswith(reverse("login")), name


def test_without_a_posting_nothing_is_seen(addresses, client):
    client.force_login(User.objects.create(username="idle", full_name="Chưa Phân Công"))
    for name, address in addresses.items():
        if name in OPEN_TO_ALL | {
            "logout",
            "password_change",
            "password_change_done",
            "reports:export_list",
            "reports:alerts_read",
        }:
            continue
        if name in ("reports:team_list", "verification:work"):
            body = client.get(address, follow=True).content.decode()
            assert "Tổ công tác số" not in body
            continue
        assert answers(client, address) <= {400, 403, 404, 405}, name


def test_a_stranger_finds_nothing_of_another_commune(addresses, client, cast):
    client.force_login(cast.stranger)
    for name, address in addresses.items():
        if "/" + address.split("/", 2)[1] + "/" == "/accounts/" or not any(
            c.isdigit() for c in address.replace("v1", "")
        ):
            continue
        assert answers(client, address) <= {404, 405}, name


def test_lists_hold_nothing_of_another_commune(addresses, client, cast):
    client.force_login(cast.stranger)
    for name in ("reports:home", "reports:team_list", "reports:export_list", "api:commune_list", "api:district_list"):
        body = client.get(addresses[name], follow=True).content.decode()
        assert "Hương Trà" not in body, name
        assert "Hương Khê" not in body, name


def test_a_leader_sees_figures_and_no_person(addresses, client, cast):
    client.force_login(cast.leader)
    assert client.get(addresses["reports:home"]).status_code == 200
    assert client.get(addresses["reports:unit_detail"]).status_code == 200
    assert client.get(addresses["reports:unit_figures"]).status_code == 200
    for name in ("verification:form_list", "verification:form_print", "verification:household_verify",
                 "api:household_detail", "verification:unit_work", "verification:proof_detail", "verification:proof_small",
                 "verification:correction_proof", "verification:sheet_list", "verification:sheet_detail",
                 "verification:unit_sheets", "verification:person_create", "verification:person_detail",
                 "verification:own_work"):  # fmt: skip
        assert client.get(addresses[name]).status_code == 404, name


def test_supervisors_see_and_may_not_record(addresses, client, cast, homes):
    for who in (cast.supervisor, cast.pc06, cast.admin):
        client.force_login(who)
        assert client.get(addresses["verification:household_verify"]).status_code == 200
        form = homes.four.forms.first()
        sent = {"submission": uuid4(), "methods": "both", "verified_on": "19/6/2020", f"p{form.pk}-outcome": "matched"}
        assert client.post(addresses["verification:household_verify"], sent).status_code == 403


def test_the_admin_is_for_administrators(client, cast):
    assert client.get("/admin/").status_code == 302
    client.force_login(cast.pc06)
    assert client.get("/admin/households/user/").status_code == 302
    client.force_login(cast.admin)
    for page in (
        "",
        "households/user/",
        "households/province/",
        "households/commune/",
        "verification/round/",
        "verification/plan/",
    ):
        assert client.get(f"/admin/{page}").status_code == 200, page


def test_pages_forbid_scripts_and_styles_from_elsewhere(client, cast, round):
    client.force_login(cast.pc06)
    policy = client.get("/").headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy


def test_health(client, db):
    assert client.get("/healthz").json() == {"status": "ok"}
    unready = client.get("/readyz")
    assert unready.status_code == 503
    assert "not seen" in unready.json()["worker"]
    worker_seen()
    ready = client.get("/readyz")
    assert (ready.status_code, ready.json()["status"]) == (200, "ok")


def test_a_wrong_password_eight_times_locks_name_and_address(client, cast):
    cast.officer.set_password("a-long-password")
    cast.officer.save()
    for _ in range(8):
        client.post(reverse("login"), {"username": "officer", "password": "wrong"})
    right = client.post(reverse("login"), {"username": "officer", "password": "a-long-password"})
    assert right.status_code == 429
    assert "_auth_user_id" not in client.session


def test_a_storm_of_log_ins_is_asked_to_come_again(client, cast, monkeypatch):
    cast.officer.set_password("a-long-password")
    cast.officer.save()
    everybody_inside = threading.BoundedSemaphore(log_in.AT_ONCE)
    for _ in range(log_in.AT_ONCE):
        everybody_inside.acquire()
    monkeypatch.setattr(log_in, "_inside", everybody_inside)
    typed = {"username": "officer", "password": "a-long-password"}
    for _ in range(10):  # more often than wrong passwords lock
        later = client.post(reverse("login"), typed)
    assert (later.status_code, later.headers["Retry-After"]) == (503, "2")
    assert "Nhiều người đang đăng nhập" in later.content.decode()
    assert "a-long-password" not in later.content.decode()
    assert 'value="officer"' in later.content.decode()
    assert "_auth_user_id" not in client.session
    everybody_inside.release()
    assert client.post(reverse("login"), typed).status_code == 302
    assert int(client.session["_auth_user_id"]) == cast.officer.pk
    assert client.post(reverse("login"), typed).status_code == 302, "the turn was given back"


def test_passwords_are_kept_with_argon2(settings, cast):
    from census_verify import settings as ours

    settings.PASSWORD_HASHERS = ours.PASSWORD_HASHERS
    cast.officer.set_password("a-long-password")
    assert cast.officer.password.startswith("argon2$argon2id$v=19$m=102400,t=2,p=1$")
