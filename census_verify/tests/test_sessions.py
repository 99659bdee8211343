"""Nothing of an officer is kept between requests: what ends her access holds for the very next one."""

from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from census_verify import clock


@pytest.fixture
def logged_in(client, cast, round, homes):
    client.force_login(cast.officer)
    client.household = reverse("verification:household_verify", args=[homes.two.pk])
    assert client.get(client.household).status_code == 200
    return client


def is_sent_to_log_in(client: Client) -> bool:
    answer = client.get(client.household)
    return answer.status_code == 302 and answer.url.startswith(reverse("login"))


def test_logging_out_ends_the_session_wherever_its_cookie_is(logged_in):
    copied = Client()
    copied.household = logged_in.household
    copied.cookies["sessionid"] = logged_in.cookies["sessionid"].value
    assert copied.get(copied.household).status_code == 200
    logged_in.post(reverse("logout"))
    assert is_sent_to_log_in(copied)


def test_a_changed_password_ends_the_sessions_elsewhere(logged_in, cast):
    officer = get_user_model().objects.get(pk=cast.officer.pk)
    officer.set_password("mot-mat-khau-khac-2020")
    officer.save()
    assert is_sent_to_log_in(logged_in)


def test_a_deactivated_account(logged_in, cast):
    get_user_model().objects.filter(pk=cast.officer.pk).update(is_active=False)
    assert is_sent_to_log_in(logged_in)


def test_a_deleted_account(logged_in, cast):
    get_user_model().objects.filter(pk=cast.officer.pk).delete()
    assert is_sent_to_log_in(logged_in)


def test_an_ended_posting(logged_in, cast):
    cast.officer.postings.update(valid_to=clock.today())
    assert logged_in.get(logged_in.household).status_code == 404


def test_a_team_that_no_longer_works_there(client, cast, round, homes, tree):
    client.force_login(cast.member)
    household = reverse("verification:household_verify", args=[homes.two.pk])
    assert client.get(household).status_code == 200
    cast.team.team_communes.filter(commune=tree.huong_tra).update(valid_to=clock.today())
    assert client.get(household).status_code == 404


def test_a_session_whose_time_is_over(logged_in):
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))
    assert is_sent_to_log_in(logged_in)


@pytest.mark.parametrize("cookie", ["", "x" * 32, "'; DROP TABLE django_session; --", "é" * 40])
def test_a_made_up_session_is_nobodys(logged_in, cookie):
    logged_in.cookies["sessionid"] = cookie
    assert is_sent_to_log_in(logged_in)


@pytest.mark.django_db(transaction=True)
def test_a_connection_the_server_closed_is_replaced_unseen(client, cast, round, homes):
    """`CONN_HEALTH_CHECKS` without a question: the closed socket is noticed, the request is answered."""
    client.force_login(cast.officer)
    household = reverse("verification:household_verify", args=[homes.two.pk])
    assert client.get(household).status_code == 200
    pid = connection.connection.info.backend_pid
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
    other.close()
    assert not connection.is_usable()
    connection.close()
    assert client.get(household).status_code == 200
    assert connection.is_usable()
