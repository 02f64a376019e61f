"""Logs of crashes and request lines contain no secrets."""

import json
import logging
import re
import uuid
from typing import Any

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient

from authentication.models import AuditLog
from authentication.services import (
    AuthenticationService,
    EmailVerificationService,
    ExchangeTokenService,
    PasswordService,
    RegistrationService,
    SecondFactorService,
    TokenService,
)
from authentication.tests.clients import NOON
from authentication.tests.conftest import API, bearer
from authentication.utils.one_time_codes import new_recovery_codes

from .logged import logged
from .watched import (
    EMAIL,
    PASSWORD_FIELDS,
    WatchedClient,
    everything_cached,
    everything_stored,
    new_password,
)

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.security,
    pytest.mark.integration,
    pytest.mark.time_machine(NOON, tick=False),
]


SECRET_FIELDS = (*PASSWORD_FIELDS, "token", "refresh", "exchange_token", "mfa_token")
CRASHING_METHODS = [
    ("register", RegistrationService, "register", {"email": EMAIL}),
    ("login", AuthenticationService, "log_in", {"email": EMAIL}),
    ("token/refresh", TokenService, "rotate", {}),
    ("token/verify", TokenService, "authenticate", {}),
    ("exchange-token", ExchangeTokenService, "redeem", {}),
    ("email/verify", EmailVerificationService, "verify", {}),
    ("password/reset/confirm", PasswordService, "reset", {}),
    ("logout", AuthenticationService, "log_out", {}),
    ("2fa/verify", SecondFactorService, "finish_sign_in", {}),
]


@pytest.mark.parametrize("form", ["json", "console"])
@pytest.mark.parametrize(
    ("path", "service", "method", "body"),
    CRASHING_METHODS,
    ids=[crash[0] for crash in CRASHING_METHODS],
)
def test_a_crash_is_logged_without_secrets(
    path: str,
    service: type,
    method: str,
    body: dict[str, str],
    form: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def crash(**given: Any) -> None:
        remembered = dict(given)
        raise LookupError(f"the fault, with {len(remembered)} values")

    monkeypatch.setattr(service, method, crash)
    watched = WatchedClient()
    secrets = {name: watched.keep(name, new_password()) for name in SECRET_FIELDS}
    secrets["otp"] = watched.keep("otp", new_recovery_codes()[0])
    watched.api.cookies["refresh_token"] = watched.keep("sent cookie", new_password())
    headers = bearer(watched.keep("bearer", new_password()))

    with logged(form) as log:
        answer = watched.api.post(
            f"{API}/{path}/?token={secrets['token']}", {**secrets, **body}, headers=headers
        )

    assert (answer.status_code, answer.json()["code"]) == (500, "server_error")
    assert "the fault, with" in log.getvalue()
    assert method in log.getvalue() or "crash" in log.getvalue()
    assert (
        watched.found_in(
            log.getvalue() + answer.content.decode() + everything_stored() + everything_cached()
        )
        == []
    )


@pytest.mark.parametrize("form", ["json", "console"])
@pytest.mark.parametrize(
    ("message", "line"),
    [
        ('"%s" %s %s', "GET /account/reset-password/?token={secret} HTTP/1.1"),
        ('"%s" %s %s', "GET /api/v1/auth/sessions/?a=1&access_token={secret}#x HTTP/1.1"),
        (
            "code %d, message %s",
            "Bad request syntax ('GET /account/verify-email/?token={secret} HTTP/9')",
        ),
        ("- Broken pipe from %s\n", "/account/verify-email/?token={secret}"),
    ],
    ids=["page", "API", "malformed", "broken"],
)
def test_a_request_line_of_the_server_is_logged_without_its_query(
    form: str, message: str, line: str
) -> None:
    watched = WatchedClient()
    line = line.format(secret=watched.keep("mailed", new_password()))
    arguments: tuple[Any, ...] = {3: (line, "200", "1234"), 2: (400, line), 1: (line,)}[
        message.count("%")
    ]

    with logged(form) as log:
        logging.getLogger("django.server").warning(message, *arguments)

    assert re.search(r"/account/|/api/", log.getvalue())
    assert watched.found_in(log.getvalue()) == []


def test_the_callers_correlation_id_is_logged_and_stored(settings: Settings) -> None:
    settings.SLOW_REQUEST_SECONDS = -1
    name = f"flow-{uuid.uuid4().hex}"

    with logged("json") as log:
        answer: Any = APIClient().post(
            f"{API}/login/",
            {"email": EMAIL, "password": new_password()},
            headers={"X-Correlation-ID": name},
        )

    assert answer["X-Correlation-ID"] == answer.json()["correlation_id"] == name
    assert AuditLog.objects.get().correlation_id == name
    assert {json.loads(line)["correlation_id"] for line in log.getvalue().splitlines()} == {name}
