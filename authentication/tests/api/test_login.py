"""POST /api/v1/auth/login/."""

import datetime as dt

import jwt
import pytest
import time_machine
from django.conf import settings as service
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from authentication.models import AuditLog, User, UserSession
from authentication.tests.conftest import API, CHROME, ME, bearer, queries
from authentication.tests.factories import PASSWORD

from .logins import URL

pytestmark = pytest.mark.django_db


def test_the_right_password_opens_a_session(api: APIClient, person: User) -> None:
    answer = api.post(
        URL, {"email": person.email, "password": PASSWORD, "device_name": "Ruth's phone"}
    )

    body = answer.json()
    assert answer.status_code == 200
    assert body.keys() == {
        "access_token",
        "access",
        "expires_in",
        "token_type",
        "refresh",
        "device_id",
        "user",
    }
    assert api.get(ME, headers=bearer(body["access"])).status_code == 200
    assert UserSession.objects.get().device_name == "Ruth's phone"
    assert AuditLog.objects.get(event_type="login").user == person


def test_login_costs_four_queries_and_more_where_rows_are_inserted_one_by_one(
    api: APIClient, person: User
) -> None:
    counts = []
    for _ in range(2):
        # A live refresh cookie would be replaced, with statements of its own.
        api.cookies.pop("refresh_token", None)
        with CaptureQueriesContext(connection) as captured:
            api.post(URL, {"email": person.email, "password": PASSWORD})
        counts.append(len(queries(captured)))

    # The second one is on a known device.
    assert counts == ([4, 4] if connection.vendor == "postgresql" else [7, 6])


def test_answer_contains_the_user(api: APIClient, person: User) -> None:
    answer = api.post(URL, {"email": person.email, "password": PASSWORD})

    body = answer.json()
    assert body["user"] == {
        "id": str(person.pk),
        "email": person.email,
        "username": person.username,
        "first_name": "Ruth",
        "last_name": "Moab",
        "email_verified": True,
    }
    assert body["access_token"] == body["access"]
    assert (body["expires_in"], body["token_type"]) == (900, "Bearer")
    assert answer["Cache-Control"] == "no-store"


def test_a_breached_password_is_told_until_it_changes(api: APIClient, person: User) -> None:
    User.objects.filter(pk=person.pk).update(password_breached_at=timezone.now())

    answer = api.post(URL, {"email": person.email, "password": PASSWORD})

    assert answer.json()["user"]["password_breached"] is True


def test_tokens_hold_nothing_personal(api: APIClient, person: User) -> None:
    body = api.post(URL, {"email": person.email, "password": PASSWORD}).json()

    for kind, token in (("access", body["access"]), ("refresh", body["refresh"])):
        claims = jwt.decode(token, options={"verify_signature": False})
        assert claims.keys() == {"token_type", "user_id", "jti", "iat", "exp", "iss", "sid"}
        assert claims["token_type"] == kind
        assert claims["iss"] == "vineyard_group_fellowship"
        assert claims["sid"] == str(UserSession.objects.get().pk)
        assert jwt.get_unverified_header(token)["alg"] == "HS256"


def test_signing_in_is_noted(api: APIClient, person: User) -> None:
    User.objects.filter(pk=person.pk).update(failed_login_attempts=3)

    with time_machine.travel("2041-03-01T12:00:00Z", tick=False):
        api.post(
            URL,
            {"email": person.email, "password": PASSWORD},
            headers={"User-Agent": CHROME},
            REMOTE_ADDR="8.8.4.4",
        )

    person.refresh_from_db()
    session = UserSession.objects.get()
    assert person.failed_login_attempts == 0
    assert person.last_login == session.created_at == dt.datetime(2041, 3, 1, 12, tzinfo=dt.UTC)
    assert (session.device_name, session.device_type) == ("Chrome on Linux", "desktop")
    assert (session.ip_address, session.user_agent) == ("8.8.4.4", CHROME)


def test_every_sign_in_has_a_session_of_its_own(api: APIClient, person: User) -> None:
    first = api.post(URL, {"email": person.email, "password": PASSWORD}).json()
    api.cookies.clear()
    second = api.post(URL, {"email": person.email, "password": PASSWORD}).json()

    assert UserSession.objects.filter(is_active=True).count() == 2
    assert api.get(ME, headers=bearer(first["access"])).status_code == 200
    assert api.get(ME, headers=bearer(second["access"])).status_code == 200


def test_past_the_most_sessions_allowed_the_one_idle_longest_ends(
    api: APIClient, person: User, settings: Settings
) -> None:
    settings.MAX_ACTIVE_SESSIONS = 2
    moments = ("2041-03-01", "2041-03-02", "2041-03-03")

    for moment in moments:
        with time_machine.travel(f"{moment}T12:00:00Z", tick=False):
            api.post(URL, {"email": person.email, "password": PASSWORD})
        api.cookies.clear()

    live = UserSession.objects.filter(is_active=True).order_by("created_at")
    assert [f"{session.created_at:%Y-%m-%d}" for session in live] == ["2041-03-02", "2041-03-03"]
    assert AuditLog.objects.filter(event_type="session_evicted").count() == 1


def test_a_session_lives_although_the_password_was_changed_by_a_faster_clock(
    api: APIClient, person: User
) -> None:
    ahead = timezone.now() + dt.timedelta(seconds=3)
    User.objects.filter(pk=person.pk).update(password_changed_at=ahead)

    body = api.post(URL, {"email": person.email, "password": PASSWORD}).json()

    assert api.get(ME, headers=bearer(body["access"])).status_code == 200


class TestExpiry:
    @pytest.mark.parametrize(("remember_me", "days"), [(None, 7), (False, 7), (True, 14)])
    def test_remember_me_doubles_the_lifetime(
        self, api: APIClient, person: User, *, remember_me: bool | None, days: int
    ) -> None:
        asked = {"email": person.email, "password": PASSWORD}

        body = api.post(
            URL, asked if remember_me is None else {**asked, "remember_me": remember_me}
        ).json()

        session = UserSession.objects.get()
        expiry = jwt.decode(body["refresh"], options={"verify_signature": False})["exp"]
        assert session.expires_at - session.created_at == dt.timedelta(days=days)
        assert expiry == int(session.expires_at.timestamp())


@pytest.mark.parametrize(
    "header", ["Bearer stale.access.token", "Bearer a b", "Basic dXNlcjpwYXNz", "Bearer \u00fc"]
)
def test_authorization_header_is_ignored(api: APIClient, person: User, header: str) -> None:
    answer = api.post(
        URL, {"email": person.email, "password": PASSWORD}, headers={"Authorization": header}
    )

    assert answer.status_code == 200


def test_a_browser_gets_a_new_csrf_token(browser: APIClient, person: User) -> None:
    browser.get(f"{API}/csrf/")
    before = browser.cookies["csrftoken"].value

    browser.post(URL, {"email": person.email, "password": PASSWORD})

    assert browser.cookies["csrftoken"].value != before


def test_a_refused_sign_in_leaves_the_csrf_token_alone(browser: APIClient, person: User) -> None:
    browser.get(f"{API}/csrf/")
    before = browser.cookies["csrftoken"].value

    browser.post(URL, {"email": person.email, "password": "Wrong-Horse-9"})

    assert browser.cookies["csrftoken"].value == before


def test_a_strange_user_agent_does_no_harm(api: APIClient, person: User) -> None:
    answer = api.post(
        URL,
        {"email": person.email, "password": PASSWORD},
        headers={"User-Agent": "\x00\x1b[31m" + "x" * 9000},
    )

    agent = UserSession.objects.get().user_agent
    assert answer.status_code == 200
    assert len(agent) == 512
    assert agent.isprintable()


@pytest.mark.parametrize("device_name", ["", "  "])
def test_an_unnamed_device_is_named_after_its_user_agent(
    api: APIClient, person: User, device_name: str
) -> None:
    asked = {"email": person.email, "password": PASSWORD, "device_name": device_name}

    api.post(URL, asked, headers={"User-Agent": CHROME})

    assert UserSession.objects.get().device_name == "Chrome on Linux"


def test_the_access_token_lives_as_long_as_it_says(api: APIClient, person: User) -> None:
    with time_machine.travel("2041-03-01T12:00:00Z", tick=False) as clock:
        body = api.post(URL, {"email": person.email, "password": PASSWORD}).json()
        leeway = service.SIMPLE_JWT["LEEWAY"].total_seconds()

        clock.shift(body["expires_in"] + leeway - 1)
        before = api.get(ME, headers=bearer(body["access"]))
        clock.shift(2)
        after = api.get(ME, headers=bearer(body["access"]))

    assert (before.status_code, after.status_code) == (200, 401)
