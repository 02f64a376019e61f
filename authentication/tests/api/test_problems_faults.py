"""Every fault under /api/ is a problem (RFC 9457) that reveals nothing about the service."""

import re
from typing import Any

import pytest
from django.db import InterfaceError, OperationalError
from django.test import Client
from pytest_django import Settings
from redis.exceptions import ConnectionError as RedisDown
from rest_framework.test import APIClient

from authentication.models import User
from authentication.services import AuthenticationService
from authentication.tests.clients import LOGIN
from authentication.tests.conftest import API, BROWSER
from vineyard_group_fellowship.middleware.origin import OriginProofMiddleware

from .problems import (
    SECRET,
    answering_crashes,
    credentials,
    mismatches,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("without_rate_limits")]


def assert_reveals_nothing(answer: Any) -> None:
    text = answer.content.decode() + str(answer.headers)
    internal = (
        r"ZeroDivision|OperationalError|InterfaceError|hunter2|SELECT|Traceback|\.py"
        r"|authentication\."
    )
    assert not re.search(internal, text)


def raise_crash(*_: object, **__: object) -> None:
    raise ZeroDivisionError(SECRET)


class TestFaults:
    @pytest.mark.parametrize("debug", [True, False], ids=["debug", "production"])
    def test_an_exception_in_a_view_reveals_nothing(
        self,
        api: APIClient,
        person: User,
        monkeypatch: pytest.MonkeyPatch,
        settings: Settings,
        debug: bool,  # noqa: FBT001 -- pytest passes it by name
    ) -> None:
        settings.DEBUG = debug
        monkeypatch.setattr(AuthenticationService, "log_in", raise_crash)

        answer = answering_crashes(api).post(LOGIN, credentials(person.email))

        assert mismatches(answer, 500, "server_error") == {}
        assert_reveals_nothing(answer)

    @pytest.mark.parametrize("debug", [True, False], ids=["debug", "production"])
    def test_an_exception_in_a_middleware_reveals_nothing(
        self,
        api: APIClient,
        monkeypatch: pytest.MonkeyPatch,
        settings: Settings,
        debug: bool,  # noqa: FBT001 -- pytest passes it by name
    ) -> None:
        settings.DEBUG = debug
        monkeypatch.setattr(OriginProofMiddleware, "process_view", raise_crash)

        answer = answering_crashes(api).get(f"{API}/csrf/")

        assert mismatches(answer, 500, "server_error") == {}
        assert_reveals_nothing(answer)

    @pytest.mark.parametrize(
        "fault", [OperationalError(SECRET), InterfaceError(SECRET), RedisDown(SECRET)], ids=repr
    )
    def test_a_store_that_fails_is_a_503_with_retry_after(
        self, api: APIClient, person: User, monkeypatch: pytest.MonkeyPatch, fault: Exception
    ) -> None:
        def fail(**_: object) -> None:
            raise fault

        monkeypatch.setattr(AuthenticationService, "log_in", fail)

        answer = answering_crashes(api).post(LOGIN, credentials(person.email))

        assert mismatches(answer, 503, "service_unavailable") == {}
        assert int(answer["Retry-After"]) >= 1
        assert "refresh_token" not in answer.cookies
        assert_reveals_nothing(answer)

    def test_a_database_that_fails_is_a_503_and_the_cookie_stays_valid(
        self, browser: APIClient, person: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        browser.post(LOGIN, credentials(person.email))

        def refuse(*_: object, **__: object) -> None:
            raise OperationalError(SECRET)

        with monkeypatch.context() as broken:
            broken.setattr("django.db.backends.utils.CursorWrapper.execute", refuse)
            answer = answering_crashes(browser).post(f"{API}/token/refresh/")

        assert mismatches(answer, 503, "service_unavailable") == {}
        assert "refresh_token" not in answer.cookies
        assert browser.post(f"{API}/token/refresh/").status_code == 200

    def test_a_cross_site_request_is_a_problem(self, browser: APIClient) -> None:
        answer = browser.post(LOGIN, {}, headers={**BROWSER, "Sec-Fetch-Site": "cross-site"})

        assert mismatches(answer, 403, "csrf_failed") == {}

    def test_a_rate_limit_is_a_problem(self, api: APIClient, settings: Settings) -> None:
        settings.RATELIMIT_ENABLE = True
        settings.RATE_LIMITS = {**settings.RATE_LIMITS, "csrf": "1/h"}
        api.get(f"{API}/csrf/")

        answer = api.get(f"{API}/csrf/")

        assert mismatches(answer, 429, "rate_limited") == {}
        assert int(answer["Retry-After"]) >= 1

    def test_an_exception_outside_the_api_is_djangos_page(
        self, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        page = "authentication.view_modules.account_pages.VerifyEmailPage.get"
        monkeypatch.setattr(page, raise_crash)
        client.raise_request_exception = False

        answer = client.get("/account/verify-email/")

        assert answer.status_code == 500
        assert answer["Content-Type"] == "text/html; charset=utf-8"
        assert_reveals_nothing(answer)
