"""POST /api/v1/auth/exchange-token/."""

import datetime as dt
from typing import Any

import pytest
from django.core.cache import caches
from django.utils import timezone
from pytest_django import Settings
from redis.exceptions import ConnectionError as RedisDown
from rest_framework.test import APIClient
from time_machine import TimeMachineFixture

from authentication.models import AuditLog, User, UserSession
from authentication.services import ExchangeTokenService
from authentication.tests.answers import (
    LINK_INVALID,
    assert_invalid_fields,
    assert_problem,
    comparable,
    cookie_of,
    invalid_fields,
    refresh_cookie,
    refusal_of,
    unexpected,
)
from authentication.tests.clients import post_json, sign_in
from authentication.tests.conftest import API, ME, bearer
from vineyard_group_fellowship.settings.base import caches as caches_at

URL = f"{API}/exchange-token/"

pytestmark = pytest.mark.django_db


@pytest.fixture
def token(person: User) -> str:
    """Return an exchange token of the user."""
    return ExchangeTokenService.create(user_id=person.pk)


def assert_no_session_opened() -> None:
    assert not UserSession.objects.exists()
    assert not AuditLog.objects.filter(event_type="token_exchange").exists()


def test_the_token_opens_a_session_of_an_app(api: APIClient, person: User, token: str) -> None:
    answer = api.post(URL, {"exchange_token": token})

    body = answer.json()
    access, refresh = body["access"], body["refresh"]
    assert answer.status_code == 200
    assert body == {
        "access_token": access,
        "access": access,
        "expires_in": 900,
        "token_type": "Bearer",
        "refresh": refresh,
        "device_id": body["device_id"],
        "user_id": str(person.pk),
        "email": person.email,
        "first_login": True,
        "message": "Token exchange successful",
    }
    assert answer["Cache-Control"] == "no-store"
    assert cookie_of(answer) == refresh_cookie(refresh)
    assert api.get(ME, headers=bearer(access)).json()["id"] == str(person.pk)
    assert UserSession.objects.get().user == person
    assert AuditLog.objects.get(event_type="token_exchange").user == person


def test_a_browser_gets_its_refresh_token_only_as_a_cookie(browser: APIClient, token: str) -> None:
    answer = browser.post(URL, {"exchange_token": token})

    cookie = cookie_of(answer)
    assert "refresh" not in answer.json()
    assert cookie
    assert cookie == refresh_cookie(cookie["value"])
    assert cookie["value"] not in answer.content.decode()


@pytest.mark.parametrize("client", ["api", "browser"])
def test_every_client_gets_its_refresh_token_in_the_body_where_cookies_are_disabled(
    request: pytest.FixtureRequest, token: str, settings: Settings, client: str
) -> None:
    settings.ENABLE_COOKIE_REFRESH_TOKEN = False

    answer = request.getfixturevalue(client).post(URL, {"exchange_token": token})

    assert answer.json()["refresh"]
    assert cookie_of(answer) is None


def test_a_browser_gets_a_new_csrf_token(browser: APIClient, token: str) -> None:
    browser.get(f"{API}/csrf/")
    before = browser.cookies["csrftoken"].value

    browser.post(URL, {"exchange_token": token})

    assert browser.cookies["csrftoken"].value != before


def test_first_login_is_false_after_an_earlier_sign_in(api: APIClient, person: User) -> None:
    sign_in(api, person)

    answer = api.post(URL, {"exchange_token": ExchangeTokenService.create(user_id=person.pk)})

    assert answer.json()["first_login"] is False


def test_another_device_may_trade_the_token(browser: APIClient, api: APIClient, token: str) -> None:
    browser.get(f"{API}/csrf/")

    answer = api.post(
        URL, {"exchange_token": token}, REMOTE_ADDR="203.0.113.9", headers={"User-Agent": "another"}
    )

    assert answer.status_code == 200


def test_two_tokens_of_one_user_open_two_sessions(api: APIClient, person: User, token: str) -> None:
    second = ExchangeTokenService.create(user_id=person.pk)

    answers = [api.post(URL, {"exchange_token": each}) for each in (token, second)]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert UserSession.objects.count() == 2


class TestRefusals:
    def test_a_token_works_once(self, api: APIClient, token: str) -> None:
        api.post(URL, {"exchange_token": token})

        answer = api.post(URL, {"exchange_token": token})

        assert refusal_of(answer) == LINK_INVALID
        assert cookie_of(answer) is None
        assert UserSession.objects.count() == 1
        assert (
            AuditLog.objects.filter(event_type="token_exchange_failed", success=False).count() == 1
        )

    @pytest.mark.parametrize(("seconds", "status"), [(59, 200), (61, 400)])
    def test_a_token_works_for_a_minute(
        self,
        time_machine: TimeMachineFixture,
        api: APIClient,
        person: User,
        settings: Settings,
        seconds: int,
        status: int,
    ) -> None:
        # Redis keeps its own time: only a cache of this process follows the test's clock.
        settings.CACHES = caches_at("")
        time_machine.move_to(timezone.now(), tick=False)
        token = ExchangeTokenService.create(user_id=person.pk)
        time_machine.shift(dt.timedelta(seconds=seconds))

        answer = api.post(URL, {"exchange_token": token})

        assert answer.status_code == status
        assert UserSession.objects.exists() == (status == 200)

    def test_an_unknown_token_opens_no_session(self, api: APIClient, token: str) -> None:
        def outcome(wrong: str) -> dict[str, Any]:
            return refusal_of(api.post(URL, {"exchange_token": wrong}))

        wrong = ["x", "x" * 43, "x" * 60_000, "' OR 1=1 --"]
        assert unexpected(wrong, outcome, LINK_INVALID) == {}
        assert_no_session_opened()

    def test_used_and_unknown_tokens_get_the_same_answer(self, api: APIClient, token: str) -> None:
        api.post(URL, {"exchange_token": token})

        used = api.post(URL, {"exchange_token": token})
        unknown = api.post(URL, {"exchange_token": "x" * 43})

        assert refusal_of(used) == LINK_INVALID
        assert comparable(used, ignore={"RateLimit"}) == comparable(unknown, ignore={"RateLimit"})

    def test_a_token_of_a_disabled_account_opens_no_session(
        self, api: APIClient, person: User, token: str
    ) -> None:
        User.objects.filter(pk=person.pk).update(is_active=False)

        answer = api.post(URL, {"exchange_token": token})

        assert refusal_of(answer) == LINK_INVALID
        assert_no_session_opened()

    def test_a_refused_token_is_spent(self, api: APIClient, person: User, token: str) -> None:
        User.objects.filter(pk=person.pk).update(is_active=False)
        api.post(URL, {"exchange_token": token})
        User.objects.filter(pk=person.pk).update(is_active=True)

        answer = api.post(URL, {"exchange_token": token})

        assert refusal_of(answer) == LINK_INVALID

    def test_the_token_is_kept_while_the_cache_is_down(
        self, api: APIClient, token: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(*_: object) -> None:
            raise RedisDown

        with monkeypatch.context() as broken:
            broken.setattr("authentication.services.sign_in.exchange_tokens.cache.get", refuse)
            answer = api.post(URL, {"exchange_token": token})

        assert_problem(answer, 503, "service_unavailable")
        assert int(answer["Retry-After"]) >= 1
        assert_no_session_opened()
        assert api.post(URL, {"exchange_token": token}).status_code == 200

    def test_an_access_token_is_refused_as_an_exchange_token(
        self, api: APIClient, person: User
    ) -> None:
        tokens = sign_in(api, person)

        answer = api.post(URL, {"exchange_token": tokens["access"][:128]})

        assert refusal_of(answer) == LINK_INVALID


class TestMalformedBody:
    def test_a_token_must_be_a_string_of_text(
        self, api: APIClient, token: str, settings: Settings
    ) -> None:
        settings.RATELIMIT_ENABLE = False

        def outcome(value: object) -> set[str]:
            return invalid_fields(post_json(api, URL, {"exchange_token": value}))

        values: list[Any] = ["", "  ", None, 1, True, [], ["x"], {}, "a\x00b", "a\ud800b"]
        assert unexpected(values, outcome, {"exchange_token"}) == {}
        assert_no_session_opened()

    def test_a_missing_token_is_refused(self, api: APIClient, db: None) -> None:
        answer = api.post(URL, {"token": "x"})

        assert_invalid_fields(answer, "exchange_token")
        assert answer.json()["errors"] == {"exchange_token": ["This field is required."]}


def test_the_cache_stores_only_a_digest_of_the_token(token: str) -> None:
    found = [caches["default"].get(key) for key in (token, f"exchange:{token}")]

    assert found == [None, None]


@pytest.mark.parametrize("header", ["Bearer stale.access.token", "Bearer"])
def test_a_stale_access_token_is_ignored(api: APIClient, token: str, header: str) -> None:
    answer = api.post(URL, {"exchange_token": token}, headers={"Authorization": header})

    assert answer.status_code == 200
    assert UserSession.objects.count() == 1
