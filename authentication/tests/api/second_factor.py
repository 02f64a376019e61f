"""Requests that set up, use and remove a second factor."""

import base64
from typing import Any

from rest_framework.test import APIClient

from authentication.models import User
from authentication.tests.answers import assert_problem, invalid
from authentication.tests.clients import Tokens, get_as, log_in, post_as
from authentication.tests.conftest import API
from authentication.tests.factories import PASSWORD, Factor

STATUS = f"{API}/2fa/"
SETUP, CONFIRM = f"{STATUS}totp/setup/", f"{STATUS}totp/confirm/"
DISABLE, RENEW = f"{STATUS}disable/", f"{STATUS}recovery-codes/"
VERIFY = f"{STATUS}verify/"
EXCHANGE = f"{API}/exchange-token/"
STEP = 30
"""The seconds for which an authenticator app shows one code."""

WRONG_CODE = invalid(otp=["This code is not valid."])


def get_status(api: APIClient, tokens: Tokens) -> dict[str, Any]:
    """Return what the session of the tokens sees of its account's second factor."""
    body: dict[str, Any] = get_as(api, tokens, STATUS).json()
    return body


def begin_setup(api: APIClient, tokens: Tokens, password: str = PASSWORD) -> Factor:
    """Ask for a seed; return it as a factor without recovery codes."""
    answer = post_as(api, tokens, SETUP, {"password": password})
    assert answer.status_code == 200, answer.content
    return Factor(base64.b32decode(answer.json()["secret"]), [])


def set_up_factor(api: APIClient, tokens: Tokens) -> Factor:
    """Ask for a seed and confirm it; return the factor."""
    factor = begin_setup(api, tokens)
    answer = post_as(api, tokens, CONFIRM, {"otp": factor.code()})
    assert answer.status_code == 200, answer.content
    return Factor(factor.seed, answer.json()["recovery_codes"])


def get_challenge(api: APIClient, person: User, **body: Any) -> str:
    """Sign in with the password alone; return the token for the second step."""
    answer = log_in(api, person, **body)
    assert_problem(answer, 403, "mfa_required")
    token: str = answer.json()["mfa_token"]
    return token


def verify(api: APIClient, token: str, code: str, field: str = "otp") -> Any:
    """Send a code in the second step; return the answer."""
    return api.post(VERIFY, {"mfa_token": token, field: code})


def wrong_code(factor: Factor) -> str:
    """Return a code that the factor does not show now."""
    return factor.code(steps=9)
