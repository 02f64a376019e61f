"""POST /api/v1/auth/login/."""

import datetime as dt
import json
from typing import Any

import jwt
import pytest
import time_machine
from django.conf import settings as service
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from authentication.models import AuditLog, OutgoingEmail, User, UserSession
from authentication.tests.conftest import API, CHROME, ME, bearer, queries
from authentication.tests.factories import PASSWORD, UserFactory

URL = f"{API}/login/"
COOKIE = "refresh_token"
ATTRIBUTES = ("path", "domain", "max-age", "secure", "httponly", "samesite")
NAMES = ["email_or_username", "email", "username"]

pytestmark = pytest.mark.django_db


def told(answer: Any) -> dict[str, Any]:
    """Return all a client is told, but for the name of its request."""
    ours = {"X-Correlation-ID", "X-Response-Time", "Content-Length", "Server-Timing", "RateLimit"}
    body = {name: value for name, value in answer.json().items() if name != "correlation_id"}
    headers = {name: value for name, value in answer.headers.items() if name not in ours}
    return {"status": answer.status_code, "body": body, "headers": headers}


def assert_nobody_came_in(answer: Any, status: int, code: str) -> None:
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.content
    assert COOKIE not in answer.cookies
    assert not {"access", "access_token", "refresh", "user", "device_id"} & answer.json().keys()
    assert not UserSession.objects.exists()


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


def test_login_costs_eight_queries_and_seven_on_a_known_device(
    api: APIClient, person: User
) -> None:
    counts = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as captured:
            api.post(URL, {"email": person.email, "password": PASSWORD})
        counts.append(len(queries(captured)))

    assert counts == [8, 7]


def test_the_answer_says_who_came_in(api: APIClient, person: User) -> None:
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

    live = UserSession.objects.filter(is_active=True).order_by("created_at")
    assert [f"{session.created_at:%Y-%m-%d}" for session in live] == ["2041-03-02", "2041-03-03"]
    assert AuditLog.objects.filter(event_type="session_evicted").count() == 1


class TestIdentifiers:
    @pytest.mark.parametrize("field", NAMES)
    @pytest.mark.parametrize(
        "value",
        ["ruth@example.org", "RUTH@Example.org", " ruth@example.org ", "ruth", "RUTH", "\uff52uth"],
    )
    def test_any_of_the_three_fields_takes_either_name(
        self, api: APIClient, field: str, value: str
    ) -> None:
        UserFactory(email="Ruth@example.org", username="Ruth")

        answer = api.post(URL, {field: value, "password": PASSWORD})

        assert answer.status_code == 200, answer.content

    @pytest.mark.parametrize(
        "typed", ["ruthmoab@gmail.com", "R.U.T.H.moab+x@GOOGLEMAIL.com", "ruth.moab@gmail.com."]
    )
    def test_gmail_addresses_are_one_however_written(self, api: APIClient, typed: str) -> None:
        UserFactory(email="ruth.moab+vineyard@gmail.com")

        answer = api.post(URL, {"email": typed, "password": PASSWORD})

        assert answer.status_code == 200, answer.content

    def test_dots_and_tags_count_elsewhere(self, api: APIClient) -> None:
        UserFactory(email="ruth.moab@example.org")

        for typed in ("ruthmoab@example.org", "ruth.moab+x@example.org"):
            assert_nobody_came_in(
                api.post(URL, {"email": typed, "password": PASSWORD}), 401, "invalid_credentials"
            )

    def test_the_first_one_given_decides(self, api: APIClient, person: User) -> None:
        answer = api.post(
            URL, {"email_or_username": person.email, "username": "nobody", "password": PASSWORD}
        )

        assert answer.status_code == 200

    @pytest.mark.parametrize("yes", ["true", "on", "1"])
    def test_a_forms_flags_are_spelled_in_its_ways(
        self, api: APIClient, person: User, yes: str
    ) -> None:
        asked = {"email": person.email, "password": PASSWORD, "remember_me": yes}

        answer = api.post(URL, asked, format="multipart")

        assert answer.status_code == 200
        assert UserSession.objects.get().remember_me


class TestCarriers:
    def test_a_browser_gets_its_refresh_token_by_cookie_alone(
        self, browser: APIClient, person: User
    ) -> None:
        answer = browser.post(URL, {"email": person.email, "password": PASSWORD})

        cookie = answer.cookies[COOKIE]
        assert answer.json().keys() == {
            "access_token",
            "access",
            "expires_in",
            "token_type",
            "user",
        }
        assert cookie.value
        assert cookie.value not in answer.content.decode()

    def test_an_app_gets_it_in_the_body_and_by_cookie(self, api: APIClient, person: User) -> None:
        answer = api.post(URL, {"email": person.email, "password": PASSWORD})

        assert answer.json()["refresh"] == answer.cookies[COOKIE].value

    @pytest.mark.parametrize(
        "headers",
        [
            {"Origin": "http://localhost:3000"},
            {"Sec-Fetch-Site": "same-origin"},
            {"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate"},
            {"Sec-Fetch-Dest": "empty", "Origin": "http://testserver"},
        ],
    )
    def test_any_sign_of_a_browser_makes_it_one(
        self, api: APIClient, person: User, headers: dict[str, str]
    ) -> None:
        answer = api.post(URL, {"email": person.email, "password": PASSWORD}, headers=headers)

        assert answer.status_code == 200
        assert "refresh" not in answer.json()

    @pytest.mark.parametrize("remember_me", [True, False])
    def test_the_cookies_attributes_are_the_specifications(
        self, browser: APIClient, person: User, *, remember_me: bool
    ) -> None:
        answer = browser.post(
            URL, {"email": person.email, "password": PASSWORD, "remember_me": remember_me}
        )

        cookie = answer.cookies[COOKIE]
        assert {name: cookie[name] for name in ATTRIBUTES} == {
            "path": "/",
            "domain": "",
            "max-age": 14 * 24 * 3600,
            "secure": "",
            "httponly": True,
            "samesite": "Lax",
        }

    def test_the_cookies_attributes_follow_the_settings(
        self, browser: APIClient, person: User, settings: Settings
    ) -> None:
        settings.REFRESH_TOKEN_COOKIE_NAME = "other"
        settings.REFRESH_TOKEN_COOKIE_SECURE = True
        settings.REFRESH_TOKEN_COOKIE_DOMAIN = "example.org"
        settings.REFRESH_TOKEN_COOKIE_SAMESITE = "Strict"

        answer = browser.post(URL, {"email": person.email, "password": PASSWORD})

        cookie = answer.cookies["other"]
        assert COOKIE not in answer.cookies
        assert (cookie["secure"], cookie["domain"], cookie["samesite"]) == (
            True,
            "example.org",
            "Strict",
        )

    @pytest.mark.parametrize("client", ["api", "browser"])
    def test_without_the_cookie_everybody_gets_the_body(
        self, request: pytest.FixtureRequest, person: User, settings: Settings, client: str
    ) -> None:
        settings.ENABLE_COOKIE_REFRESH_TOKEN = False

        answer = request.getfixturevalue(client).post(
            URL, {"email": person.email, "password": PASSWORD}
        )

        assert answer.json()["refresh"]
        assert COOKIE not in answer.cookies


class TestExpiry:
    @pytest.mark.parametrize(("remember_me", "days"), [(None, 7), (False, 7), (True, 14)])
    def test_remembering_doubles_it(
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


class TestRefusals:
    def test_known_and_unknown_names_are_refused_alike(self, api: APIClient, person: User) -> None:
        known = api.post(URL, {"email": person.email, "password": "Wrong-Horse-9"})
        unknown = api.post(URL, {"email": "nobody@example.org", "password": "Wrong-Horse-9"})

        assert_nobody_came_in(known, 401, "invalid_credentials")
        assert told(known) == told(unknown)
        assert AuditLog.objects.filter(event_type="login_failed", success=False).count() == 2
        assert not OutgoingEmail.objects.exists()

    def test_known_and_unknown_names_cost_as_many_queries_that_write(
        self, api: APIClient, person: User
    ) -> None:
        written = []
        for name in (person.email, "nobody@example.org"):
            with CaptureQueriesContext(connection) as captured:
                api.post(URL, {"email": name, "password": "Wrong-Horse-9"})
            written.append(
                [sql.split(" ")[0] for sql in queries(captured) if sql.startswith("INSERT")]
            )

        assert written[0] == written[1] == ["INSERT"]

    def test_a_wrong_password_is_counted(self, api: APIClient, person: User) -> None:
        api.post(URL, {"email": person.email, "password": "Wrong-Horse-9"})

        person.refresh_from_db()
        assert (person.failed_login_attempts, person.locked_until, person.last_login) == (
            1,
            None,
            None,
        )

    @pytest.mark.parametrize(
        "password",
        [f" {PASSWORD}", f"{PASSWORD} ", PASSWORD.lower(), PASSWORD[:-1], f"{PASSWORD}9"],
    )
    def test_a_password_is_neither_trimmed_nor_folded(
        self, api: APIClient, person: User, password: str
    ) -> None:
        answer = api.post(URL, {"email": person.email, "password": password})

        assert_nobody_came_in(answer, 401, "invalid_credentials")

    def test_an_unproven_address_is_told_after_the_right_password_alone(
        self, api: APIClient, db: None
    ) -> None:
        user = UserFactory(email_verified=False, email_verified_at=None)

        wrong = api.post(URL, {"email": user.email, "password": "Wrong-Horse-9"})
        right = api.post(URL, {"email": user.email, "password": PASSWORD})
        unknown = api.post(URL, {"email": "nobody@example.org", "password": "Wrong-Horse-9"})

        assert_nobody_came_in(right, 403, "email_not_verified")
        assert told(wrong) == told(unknown)

    def test_a_disabled_account_is_told_after_the_right_password_alone(
        self, api: APIClient, db: None
    ) -> None:
        user = UserFactory(is_active=False)

        wrong = api.post(URL, {"email": user.email, "password": "Wrong-Horse-9"})
        right = api.post(URL, {"email": user.email, "password": PASSWORD})
        unknown = api.post(URL, {"email": "nobody@example.org", "password": "Wrong-Horse-9"})

        assert_nobody_came_in(right, 403, "account_disabled")
        assert told(wrong) == told(unknown)

    def test_an_unproven_address_is_no_matter_where_the_settings_say_so(
        self, api: APIClient, settings: Settings, db: None
    ) -> None:
        settings.REQUIRE_EMAIL_VERIFICATION = False
        user = UserFactory(email_verified=False, email_verified_at=None)

        answer = api.post(URL, {"email": user.email, "password": PASSWORD})

        assert answer.status_code == 200
        assert answer.json()["user"]["email_verified"] is False

    def test_an_account_without_a_password_lets_nobody_in(
        self, api: APIClient, person: User
    ) -> None:
        person.set_unusable_password()
        person.save()

        for password in ("!", person.password[:100], PASSWORD):
            answer = api.post(URL, {"email": person.email, "password": password})
            assert_nobody_came_in(answer, 401, "invalid_credentials")

    def test_the_audit_trail_holds_neither_name_nor_password(
        self, api: APIClient, db: None
    ) -> None:
        api.post(URL, {"email": "nobody@example.org", "password": "Wrong-Horse-9"})

        row = json.dumps(
            AuditLog.objects.filter(event_type="login_failed").values().get(), default=str
        )
        assert "nobody" not in row
        assert "Wrong-Horse-9" not in row


class TestMalformed:
    @pytest.mark.parametrize(
        ("asked", "field"),
        [
            ({}, "password"),
            ({"email": "ruth@example.org"}, "password"),
            ({"password": PASSWORD}, "email_or_username"),
        ],
    )
    def test_name_and_password_must_be_there(
        self, api: APIClient, asked: dict[str, str], field: str
    ) -> None:
        answer = api.post(URL, asked)

        assert_nobody_came_in(answer, 400, "validation_error")
        assert answer.json()["errors"].keys() == {field}

    @pytest.mark.parametrize("field", [*NAMES, "password"])
    def test_empty_is_as_good_as_missing(self, api: APIClient, person: User, field: str) -> None:
        answer = api.post(URL, {"email": person.email, "password": PASSWORD, field: ""})

        assert_nobody_came_in(answer, 400, "validation_error")
        assert answer.json()["errors"].keys() == {field}

    @pytest.mark.parametrize("field", [*NAMES, "password", "device_name", "otp"])
    def test_only_a_string_is_a_text(self, api: APIClient, person: User, field: str) -> None:
        for value in (None, 1, 1.5, True, [], ["text"], {}, {"text": "text"}):
            answer = api.post(URL, {"email": person.email, "password": PASSWORD, field: value})

            assert_nobody_came_in(answer, 400, "validation_error")
            assert answer.json()["errors"].keys() == {field}

    def test_only_true_and_false_are_flags(self, api: APIClient, person: User) -> None:
        values: list[object] = [None, "true", "", 1, 0, [], {}]
        for value in values:
            answer = api.post(
                URL, {"email": person.email, "password": PASSWORD, "remember_me": value}
            )

            assert_nobody_came_in(answer, 400, "validation_error")
            assert answer.json()["errors"].keys() == {"remember_me"}

    @pytest.mark.parametrize(
        ("field", "length"),
        [
            ("email", 255),
            ("username", 255),
            ("email_or_username", 60_000),
            ("password", 129),
            ("device_name", 101),
        ],
    )
    def test_lengths_are_bounded(
        self, api: APIClient, person: User, field: str, length: int
    ) -> None:
        answer = api.post(URL, {"email": person.email, "password": PASSWORD, field: "x" * length})

        assert_nobody_came_in(answer, 400, "validation_error")
        assert answer.json()["errors"].keys() == {field}

    @pytest.mark.parametrize("field", [*NAMES, "password", "device_name"])
    def test_control_characters_and_surrogates_are_refused(
        self, api: APIClient, person: User, field: str
    ) -> None:
        for character in ("\x00", "\n", "\x7f", "\u202e", "\udfff"):
            asked = json.dumps(
                {"email": person.email, "password": PASSWORD, field: f"a{character}b"}
            )
            answer = api.post(URL, asked, content_type="application/json")

            assert_nobody_came_in(answer, 400, "validation_error")
            assert answer.json()["errors"].keys() == {field}

    def test_what_is_malformed_is_no_attempt(self, api: APIClient, person: User) -> None:
        api.post(URL, {"email": person.email, "password": 5})

        person.refresh_from_db()
        assert person.failed_login_attempts == 0
        assert not AuditLog.objects.exists()


@pytest.mark.parametrize(
    "header", ["Bearer stale.access.token", "Bearer a b", "Basic dXNlcjpwYXNz", "Bearer \u00fc"]
)
def test_a_stale_access_token_is_never_in_the_way(
    api: APIClient, person: User, header: str
) -> None:
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
