"""POST /api/v1/auth/exchange-token/."""

import datetime as dt
import json

import pytest
from django.core.cache import caches
from django.utils import timezone
from pytest_django import Settings
from redis.exceptions import ConnectionError as RedisDown
from rest_framework.test import APIClient
from time_machine import TimeMachineFixture

from authentication.models import AuditLog, User, UserSession
from authentication.services import ExchangeTokenService
from authentication.tests.answers import LINK_INVALID, cookie_of, refresh_cookie, refusal_of
from authentication.tests.clients import sign_in
from authentication.tests.conftest import API, ME, bearer

URL = f"{API}/exchange-token/"

pytestmark = pytest.mark.django_db


@pytest.fixture
def token(person: User) -> str:
    """Return an exchange token of the person's."""
    return ExchangeTokenService.create(user_id=person.pk)


def assert_nobody_came_in() -> None:
    assert not UserSession.objects.exists()
    assert not AuditLog.objects.filter(event_type="token_exchange").exists()


def test_an_app_gets_a_session(api: APIClient, person: User, token: str) -> None:
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


def test_a_browser_gets_its_refresh_token_by_cookie_alone(browser: APIClient, token: str) -> None:
    answer = browser.post(URL, {"exchange_token": token})

    cookie = cookie_of(answer)
    assert "refresh" not in answer.json()
    assert cookie
    assert cookie == refresh_cookie(cookie["value"])
    assert cookie["value"] not in answer.content.decode()


@pytest.mark.parametrize("client", ["api", "browser"])
def test_without_the_cookie_everybody_gets_the_body(
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


def test_it_is_the_first_login_but_once(api: APIClient, person: User) -> None:
    sign_in(api, person)

    answer = api.post(URL, {"exchange_token": ExchangeTokenService.create(user_id=person.pk)})

    assert answer.json()["first_login"] is False


def test_any_device_of_the_person_may_trade_it(
    browser: APIClient, api: APIClient, token: str
) -> None:
    browser.get(f"{API}/csrf/")

    answer = api.post(
        URL, {"exchange_token": token}, REMOTE_ADDR="203.0.113.9", headers={"User-Agent": "another"}
    )

    assert answer.status_code == 200


def test_two_tokens_of_one_person_are_two_sessions(
    api: APIClient, person: User, token: str
) -> None:
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
        settings.CACHES = {
            name: {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": name}
            for name in ("default", "limits")
        }
        time_machine.move_to(timezone.now(), tick=False)
        token = ExchangeTokenService.create(user_id=person.pk)
        time_machine.shift(dt.timedelta(seconds=seconds))

        answer = api.post(URL, {"exchange_token": token})

        assert answer.status_code == status
        assert UserSession.objects.exists() == (status == 200)

    @pytest.mark.parametrize(
        "wrong", ["x", "x" * 43, "x" * 60_000, "' OR 1=1 --"], ids=lambda it: it[:16]
    )
    def test_an_unknown_token_opens_nothing(self, api: APIClient, token: str, wrong: str) -> None:
        answer = api.post(URL, {"exchange_token": wrong})

        assert refusal_of(answer) == LINK_INVALID
        assert_nobody_came_in()

    def test_used_and_unknown_tokens_are_refused_alike(self, api: APIClient, token: str) -> None:
        api.post(URL, {"exchange_token": token})

        used = api.post(URL, {"exchange_token": token})
        unknown = api.post(URL, {"exchange_token": "x" * 43})

        assert refusal_of(used) == refusal_of(unknown)

    def test_a_disabled_person_does_not_come_in(
        self, api: APIClient, person: User, token: str
    ) -> None:
        User.objects.filter(pk=person.pk).update(is_active=False)

        answer = api.post(URL, {"exchange_token": token})

        assert refusal_of(answer) == LINK_INVALID
        assert_nobody_came_in()

    def test_a_refused_trade_still_spends_the_token(
        self, api: APIClient, person: User, token: str
    ) -> None:
        User.objects.filter(pk=person.pk).update(is_active=False)
        api.post(URL, {"exchange_token": token})
        User.objects.filter(pk=person.pk).update(is_active=True)

        answer = api.post(URL, {"exchange_token": token})

        assert refusal_of(answer) == LINK_INVALID

    def test_without_a_cache_the_client_is_told_to_come_back(
        self, api: APIClient, token: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(*_: object) -> None:
            raise RedisDown

        with monkeypatch.context() as broken:
            broken.setattr("authentication.services.sign_in.exchange_tokens.cache.get", refuse)
            answer = api.post(URL, {"exchange_token": token})

        assert (answer.status_code, answer.json()["code"]) == (503, "service_unavailable")
        assert int(answer["Retry-After"]) >= 1
        assert_nobody_came_in()
        assert api.post(URL, {"exchange_token": token}).status_code == 200

    def test_an_access_token_is_no_exchange_token(self, api: APIClient, person: User) -> None:
        tokens = sign_in(api, person)

        answer = api.post(URL, {"exchange_token": tokens["access"][:128]})

        assert refusal_of(answer) == LINK_INVALID


class TestMalformed:
    @pytest.mark.parametrize(
        "value", ["", "  ", None, 1, True, [], ["x"], {}, "a\x00b", "a\ud800b"], ids=ascii
    )
    def test_a_token_is_a_string(self, api: APIClient, token: str, value: object) -> None:
        answer = api.post(
            URL, json.dumps({"exchange_token": value}), content_type="application/json"
        )

        assert (answer.status_code, answer.json()["code"]) == (400, "validation_error")
        assert answer.json()["errors"].keys() == {"exchange_token"}
        assert_nobody_came_in()

    def test_the_token_must_be_there(self, api: APIClient, db: None) -> None:
        answer = api.post(URL, {"token": "x"})

        assert answer.status_code == 400
        assert answer.json()["errors"] == {"exchange_token": ["This field is required."]}


def test_the_cache_never_holds_the_token(token: str) -> None:
    for key in (token, f"exchange:{token}"):
        assert caches["default"].get(key) is None


@pytest.mark.parametrize("header", ["Bearer stale.access.token", "Bearer"])
def test_a_stale_access_token_is_not_in_the_way(api: APIClient, token: str, header: str) -> None:
    answer = api.post(URL, {"exchange_token": token}, headers={"Authorization": header})

    assert answer.status_code == 200
