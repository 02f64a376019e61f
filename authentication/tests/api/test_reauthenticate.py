"""POST /api/v1/auth/reauthenticate/, and the endpoints that need a recent proof."""

import datetime as dt
from typing import Any

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient
from time_machine import TimeMachineFixture

from authentication.models import AuditLog, EmailChange, User, UserSession
from authentication.services import ExchangeTokenService
from authentication.services.sign_in.credentials import prove_password
from authentication.tests.answers import TOKEN_INVALID, assert_problem, invalid, refusal_of, rows
from authentication.tests.clients import (
    NOON,
    WRONG_PASSWORD,
    Tokens,
    post_as,
    refreshed,
    sign_in,
    use_access,
)
from authentication.tests.conftest import API, bearer
from authentication.tests.factories import PASSWORD

from .lockout import attempt
from .passwords import change_password
from .reauthentication import (
    REAUTHENTICATE,
    REAUTHENTICATION_REQUIRED,
    reauthenticate,
    request_email_change,
)

TEN_MINUTES = dt.timedelta(minutes=10)

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOON, tick=False)]


class TestProof:
    def test_the_password_is_a_proof(self, api: APIClient, person: User, signed_in: Tokens) -> None:
        answer = reauthenticate(api, signed_in, password=PASSWORD)

        row = AuditLog.objects.get(event_type="reauthenticated")
        assert answer.status_code == 200
        assert answer.json() == {"message": "Thank you. You can go on.", "expires_in": 600}
        assert (row.user, row.metadata) == (person, {"session": str(UserSession.objects.get().pk)})

    def test_a_proof_lets_an_old_session_act_again(
        self, api: APIClient, signed_in: Tokens, time_machine: TimeMachineFixture
    ) -> None:
        time_machine.shift(TEN_MINUTES)
        assert refusal_of(request_email_change(api, signed_in)) == REAUTHENTICATION_REQUIRED
        assert not EmailChange.objects.exists()

        reauthenticate(api, signed_in, password=PASSWORD)

        assert request_email_change(api, signed_in).status_code == 200

    def test_a_proof_counts_on_its_own_session_only(
        self, api: APIClient, person: User, signed_in: Tokens, time_machine: TimeMachineFixture
    ) -> None:
        other = sign_in(api, person)
        time_machine.shift(TEN_MINUTES)

        reauthenticate(api, signed_in, password=PASSWORD)

        assert refusal_of(request_email_change(api, other)) == REAUTHENTICATION_REQUIRED

    def test_a_wrong_password_is_not_a_proof(
        self, api: APIClient, signed_in: Tokens, time_machine: TimeMachineFixture
    ) -> None:
        time_machine.shift(TEN_MINUTES)

        answer = reauthenticate(api, signed_in, password=WRONG_PASSWORD)

        assert refusal_of(answer) == invalid(password=["This is not your current password."])
        assert UserSession.objects.get().reauthenticated_at == NOON
        assert refusal_of(request_email_change(api, signed_in)) == REAUTHENTICATION_REQUIRED

    def test_wrong_passwords_lock_the_session_and_a_right_one_resets_the_count(
        self, api: APIClient, person: User, signed_in: Tokens
    ) -> None:
        for _ in range(4):
            reauthenticate(api, signed_in, password=WRONG_PASSWORD)
        assert reauthenticate(api, signed_in, password=PASSWORD).status_code == 200

        statuses = [
            reauthenticate(api, signed_in, password=WRONG_PASSWORD).status_code for _ in range(5)
        ]
        locked = reauthenticate(api, signed_in, password=PASSWORD)

        assert statuses == [400] * 5
        assert_problem(locked, 403, "account_locked")
        device = signed_in["device_id"]
        assert attempt(api, person.email, PASSWORD, device=device).status_code == 200

    def test_a_malformed_password_is_refused_and_not_counted(
        self, api: APIClient, signed_in: Tokens, settings: Settings
    ) -> None:
        settings.RATELIMIT_ENABLE = False
        use_access(api, signed_in)
        before, failures = rows(), {}
        passwords: list[object] = [None, "", 1, True, [], {}, "a\x00b", "x" * 129]

        for password in passwords:
            answer = reauthenticate(api, signed_in, password=password)
            refusal = answer.json()
            found = (answer.status_code, refusal.get("code"), refusal.get("errors", {}).keys())
            if found != (400, "validation_error", {"password"}):
                failures[str(password)] = refusal

        assert failures == {}
        assert rows() == before

    def test_a_request_without_a_password_is_refused(
        self, api: APIClient, signed_in: Tokens
    ) -> None:
        assert refusal_of(reauthenticate(api, signed_in)) == invalid(
            password=["Please give your password."]
        )

    def test_a_request_without_a_session_is_refused(self, api: APIClient, person: User) -> None:
        assert refusal_of(api.post(REAUTHENTICATE, {"password": PASSWORD})) == TOKEN_INVALID

    def test_a_session_that_ended_meanwhile_is_not_revived(
        self, api: APIClient, signed_in: Tokens, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def end_session_first(*given: Any, **named: Any) -> None:
            UserSession.objects.get().deactivate()
            prove_password(*given, **named)

        monkeypatch.setattr(
            "authentication.services.sign_in.reauthentication.prove_password",
            end_session_first,
        )

        assert refusal_of(reauthenticate(api, signed_in, password=PASSWORD)) == TOKEN_INVALID
        assert not AuditLog.objects.filter(event_type="reauthenticated").exists()


class TestOtherProofs:
    def test_a_sign_in_by_password_is_a_proof_for_ten_minutes(
        self, api: APIClient, signed_in: Tokens, time_machine: TimeMachineFixture
    ) -> None:
        time_machine.shift(TEN_MINUTES - dt.timedelta(seconds=1))
        assert request_email_change(api, signed_in).status_code == 200
        time_machine.shift(1)

        assert refusal_of(request_email_change(api, signed_in)) == REAUTHENTICATION_REQUIRED

    def test_the_setting_decides_the_lifetime_of_a_proof(
        self,
        api: APIClient,
        signed_in: Tokens,
        settings: Settings,
        time_machine: TimeMachineFixture,
    ) -> None:
        settings.REAUTHENTICATION_LIFETIME = dt.timedelta(minutes=2)
        time_machine.shift(120)

        assert refusal_of(request_email_change(api, signed_in)) == REAUTHENTICATION_REQUIRED
        assert reauthenticate(api, signed_in, password=PASSWORD).json()["expires_in"] == 120

    def test_a_refresh_keeps_the_proof_and_does_not_renew_it(
        self, api: APIClient, signed_in: Tokens, time_machine: TimeMachineFixture
    ) -> None:
        time_machine.shift(TEN_MINUTES - dt.timedelta(seconds=1))
        tokens = refreshed(api, signed_in["refresh"])
        assert request_email_change(api, tokens).status_code == 200
        time_machine.shift(1)

        assert (
            refusal_of(request_email_change(api, refreshed(api, tokens["refresh"])))
            == REAUTHENTICATION_REQUIRED
        )

    def test_an_exchange_token_is_not_a_proof(self, api: APIClient, person: User) -> None:
        token = ExchangeTokenService.create(user_id=person.pk)
        tokens = api.post(f"{API}/exchange-token/", {"exchange_token": token}).json()

        assert refusal_of(request_email_change(api, tokens)) == REAUTHENTICATION_REQUIRED
        assert reauthenticate(api, tokens, password=PASSWORD).status_code == 200
        assert request_email_change(api, tokens).status_code == 200

    def test_a_password_change_is_a_proof(
        self, api: APIClient, signed_in: Tokens, time_machine: TimeMachineFixture
    ) -> None:
        time_machine.shift(TEN_MINUTES)

        tokens = change_password(api, signed_in).json()

        assert request_email_change(api, tokens).status_code == 200


class TestActionsWithoutProof:
    def test_ending_sessions_needs_no_proof(
        self, api: APIClient, person: User, signed_in: Tokens, time_machine: TimeMachineFixture
    ) -> None:
        one, two = sign_in(api, person), sign_in(api, person)
        time_machine.shift(TEN_MINUTES)
        session = AuditLog.objects.filter(event_type="login")[1].metadata["session"]

        first = api.delete(f"{API}/sessions/{session}/", headers=bearer(signed_in["access"]))
        others = post_as(api, signed_in, f"{API}/sessions/terminate-all/")
        own = post_as(api, signed_in, f"{API}/logout/")

        assert [it.status_code for it in (first, others, own)] == [200, 200, 200]
        assert [use_access(api, it) for it in (one, two, signed_in)] == [401] * 3
