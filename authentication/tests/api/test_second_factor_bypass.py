"""No other token and no other endpoint replaces the code of a second factor."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from authentication.models import (
    AuditLog,
    PasswordResetToken,
    User,
    UserSession,
)
from authentication.services import ExchangeTokenService
from authentication.services.sign_in.credentials import Authenticated, authenticate
from authentication.tests.answers import (
    TOKEN_INVALID,
    assert_problem,
    cookie_of,
    refusal_of,
    rows,
)
from authentication.tests.clients import (
    NEW_PASSWORD,
    NOON,
    log_in,
)
from authentication.tests.conftest import API, ME, bearer
from authentication.tests.factories import Factor, give_factor
from authentication.utils.crypto import digest

from .passwords import confirm_reset
from .second_factor import (
    DISABLE,
    EXCHANGE,
    get_challenge,
    verify,
)

METHODS = ["totp", "recovery_code"]
pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOON, tick=False)]


def rows_without_audits_and_mails() -> dict[str, Any]:
    return {
        name: found for name, found in rows().items() if name not in {"AuditLog", "OutgoingEmail"}
    }


class TestTokenKinds:
    def test_no_other_endpoint_accepts_the_token(
        self, api: APIClient, person: User, factor: Factor
    ) -> None:
        token = get_challenge(api, person)
        before = rows_without_audits_and_mails()

        answers = [
            api.get(ME, headers=bearer(token)),
            api.post(f"{API}/token/refresh/", {"refresh": token}),
            api.post(f"{API}/token/verify/", {"token": token}),
            api.post(EXCHANGE, {"exchange_token": token}),
            api.post(f"{API}/email/verify/", {"token": token}),
            confirm_reset(api, token),
            api.post(f"{API}/logout/", {"refresh": token}, headers=bearer(token)),
            api.post(f"{API}/account/disown-session/", {"token": token}),
            api.post(f"{API}/account/email/confirm/", {"token": token}),
            api.post(f"{API}/account/email/undo/", {"token": token}),
            api.post(f"{API}/reauthenticate/", {"otp": factor.code()}, headers=bearer(token)),
            api.get(f"{API}/sessions/", headers=bearer(token)),
            api.post(DISABLE, headers=bearer(token)),
        ]

        assert {answer.json()["code"] for answer in answers} == {"token_invalid"}
        assert rows_without_audits_and_mails() == before
        assert verify(api, token, factor.code()).status_code == 200

    def test_the_endpoint_accepts_no_other_token(
        self, api: APIClient, person: User, factor: Factor
    ) -> None:
        tokens = log_in(api, person, otp=factor.code()).json()
        others = [
            tokens["access"],
            tokens["refresh"],
            ExchangeTokenService.create(user_id=person.pk),
            PasswordResetToken.objects.issue(person, at=NOON),
            digest(get_challenge(api, person)),
        ]

        answers = [verify(api, token, factor.code(steps=1)) for token in others]

        assert [refusal_of(answer) for answer in answers] == [TOKEN_INVALID] * len(others)


class TestBypass:
    def test_an_exchange_token_requires_the_code(
        self, browser: APIClient, person: User, factor: Factor
    ) -> None:
        exchange = ExchangeTokenService.create(user_id=person.pk)

        answer = browser.post(EXCHANGE, {"exchange_token": exchange})

        body = answer.json()
        assert (answer.status_code, body["code"], body["mfa_methods"]) == (
            403,
            "mfa_required",
            METHODS,
        )
        assert cookie_of(answer) is None
        assert not UserSession.objects.exists()
        assert verify(browser, body["mfa_token"], factor.code()).status_code == 200
        session = UserSession.objects.get()
        # A mailed link is not a proof of identity: `needs_recent_proof` still refuses.
        assert (session.is_verified, session.reauthenticated_at) == (True, None)
        assert AuditLog.objects.filter(event_type="token_exchange", success=True).count() == 1

    def test_an_exchange_token_works_once(
        self, api: APIClient, person: User, factor: Factor
    ) -> None:
        exchange = ExchangeTokenService.create(user_id=person.pk)
        api.post(EXCHANGE, {"exchange_token": exchange})

        assert api.post(EXCHANGE, {"exchange_token": exchange}).status_code == 400

    def test_a_password_reset_needs_no_code_and_keeps_the_factor(
        self, api: APIClient, person: User, factor: Factor
    ) -> None:
        token = PasswordResetToken.objects.issue(person, at=NOON)

        assert confirm_reset(api, token).status_code == 200

        assert get_challenge(api, person, password=NEW_PASSWORD)
        assert not UserSession.objects.exists()
        assert log_in(api, person, password=NEW_PASSWORD, otp=factor.code()).status_code == 200

    def test_a_factor_that_is_set_up_during_the_password_check_is_required(
        self, api: APIClient, person: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def set_up_meanwhile(**given: Any) -> Authenticated:
            proven = authenticate(**given)
            give_factor(User.objects.get(pk=proven.user.pk))
            return proven

        monkeypatch.setattr(
            "authentication.services.sign_in.authentication.authenticate", set_up_meanwhile
        )

        assert log_in(api, person).status_code == 401
        assert not UserSession.objects.exists()

    def test_an_unverified_address_is_refused_before_the_factor(
        self, api: APIClient, person: User, factor: Factor
    ) -> None:
        User.objects.update(email_verified=False, email_verified_at=None)

        answer = log_in(api, person, otp=factor.code())

        assert_problem(answer, 403, "email_not_verified")
