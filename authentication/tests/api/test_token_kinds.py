"""Each kind of token works at its own endpoints and at no others."""

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from authentication.models import User, UserSession
from authentication.services import EmailService, ExchangeTokenService
from authentication.tests.answers import LINK_INVALID, TOKEN_INVALID, refusal_of
from authentication.tests.clients import REFRESH, VERIFY, Tokens, refresh_by_cookie
from authentication.tests.conftest import API, ME, Deliver, bearer, token_in
from authentication.utils.crypto import digest

Send = Callable[[APIClient, str], Any]


@pytest.fixture
def tokens(api: APIClient, signed_in: Tokens, person: User, delivered: Deliver) -> dict[str, str]:
    """Return one live token of each kind, all of one user."""
    User.objects.filter(pk=person.pk).update(email_verified=False)
    EmailService.send_verification_email(person)
    return {
        "access": signed_in["access"],
        "refresh": signed_in["refresh"],
        "exchange": ExchangeTokenService.create(user_id=person.pk),
        "verification": token_in(delivered()[-1]),
    }


def send_as_bearer(api: APIClient, token: str) -> Any:
    return api.get(ME, headers=bearer(token))


def send_to_token_verify(api: APIClient, token: str) -> Any:
    return api.post(VERIFY, {"token": token})


def send_as_refresh_in_the_body(api: APIClient, token: str) -> Any:
    return api.post(REFRESH, {"refresh": token})


def send_as_refresh_in_a_cookie(api: APIClient, token: str) -> Any:
    return refresh_by_cookie(api, token)


def send_as_bearer_to_logout(api: APIClient, token: str) -> Any:
    return api.post(f"{API}/logout/", headers=bearer(token))


def send_as_refresh_to_logout(api: APIClient, token: str) -> Any:
    return api.post(f"{API}/logout/", {"refresh": token})


def send_to_exchange_token(api: APIClient, token: str) -> Any:
    return api.post(f"{API}/exchange-token/", {"exchange_token": token})


def send_to_email_verify(api: APIClient, token: str) -> Any:
    return api.post(f"{API}/email/verify/", {"token": token})


KIND_OF: dict[Send, str] = {
    send_as_bearer: "access",
    send_to_token_verify: "access",
    send_as_bearer_to_logout: "access",
    send_as_refresh_in_the_body: "refresh",
    send_as_refresh_in_a_cookie: "refresh",
    send_as_refresh_to_logout: "refresh",
    send_to_exchange_token: "exchange",
    send_to_email_verify: "verification",
}
"""The kind of token that each endpoint accepts."""


@pytest.mark.parametrize("send", KIND_OF)
def test_a_token_of_the_right_kind_is_accepted(
    api: APIClient, tokens: dict[str, str], send: Send
) -> None:
    answer = send(api, tokens[KIND_OF[send]])

    assert answer.status_code == 200, answer.content


@pytest.mark.parametrize("send", KIND_OF)
def test_a_token_of_another_kind_is_refused(
    api: APIClient, tokens: dict[str, str], send: Send
) -> None:
    sessions = list(UserSession.objects.values())

    refusals = {
        kind: refusal_of(send(api, token))
        for kind, token in tokens.items()
        if kind != KIND_OF[send]
    }

    mailed = send in {send_to_exchange_token, send_to_email_verify}
    assert refusals == dict.fromkeys(refusals, LINK_INVALID if mailed else TOKEN_INVALID)
    assert len(refusals) == 3
    assert list(UserSession.objects.values()) == sessions
    assert not User.objects.get().email_verified


@pytest.mark.parametrize("kind", ["exchange", "verification"])
def test_the_stored_digest_of_a_token_is_refused(
    api: APIClient, tokens: dict[str, str], kind: str
) -> None:
    stolen = digest(tokens[kind])

    answers = [send_to_exchange_token(api, stolen), send_to_email_verify(api, stolen)]

    assert [refusal_of(answer) for answer in answers] == [LINK_INVALID] * 2
