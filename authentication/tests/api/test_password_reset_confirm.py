"""POST /api/v1/auth/password/reset/confirm/."""

import json

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient
from time_machine import TimeMachineFixture

from authentication.models import (
    AuditLog,
    PasswordHistory,
    User,
    UserSession,
)
from authentication.services import ExchangeTokenService
from authentication.tests.answers import (
    LINK_INVALID,
    assert_invalid_fields,
    assert_problem,
    cookie_of,
    refusal_of,
)
from authentication.tests.clients import (
    NEW_PASSWORD,
    NOON,
    WRONG_PASSWORD,
    Tokens,
    log_in,
    post_as,
    sign_in,
    use_access,
    use_refresh,
)
from authentication.tests.conftest import API, CHROME, Deliver, token_in
from authentication.tests.factories import PASSWORD, UserFactory

from .passwords import (
    CONFIRM,
    can_sign_in,
    confirm_reset,
    issue_reset_token,
)

DONE = "Password reset successfully"
pytestmark = pytest.mark.django_db


class TestReset:
    def test_only_the_new_password_signs_in(
        self, api: APIClient, person: User, reset_token: str
    ) -> None:
        answer = confirm_reset(api, reset_token)

        assert (answer.status_code, answer.json()["message"]) == (200, DONE)
        assert can_sign_in(api, person, NEW_PASSWORD)
        assert not can_sign_in(api, person, PASSWORD)

    @pytest.mark.parametrize("client", ["api", "browser"])
    def test_a_reset_starts_no_session(
        self, request: pytest.FixtureRequest, reset_token: str, client: str
    ) -> None:
        answer = confirm_reset(request.getfixturevalue(client), reset_token)

        assert answer.json()["message"] == DONE
        assert answer.cookies.keys() == {"device"}
        assert not UserSession.objects.exists()

    def test_every_session_ends(
        self, api: APIClient, person: User, signed_in: Tokens, reset_token: str
    ) -> None:
        other = sign_in(api, person)

        confirm_reset(api, reset_token)

        assert [use_access(api, it) for it in (signed_in, other)] == [401, 401]
        assert [use_refresh(api, it) for it in (signed_in, other)] == [401, 401]
        assert set(UserSession.objects.values_list("is_active", "end_reason")) == {
            (False, "password_reset")
        }

    def test_mailed_links_from_before_are_refused(
        self, api: APIClient, person: User, signed_in: Tokens, delivered: Deliver
    ) -> None:
        post_as(api, signed_in, f"{API}/account/email/", {"email": "thief@example.net"})
        sign_in(api, person, headers={"User-Agent": CHROME})
        mails = delivered()
        move = token_in(next(mail for mail in mails if mail.to == ["thief@example.net"]))
        disown = token_in(next(mail for mail in mails if "New sign-in" in mail.subject))
        confirm_reset(api, issue_reset_token(person))

        answers = [
            api.post(f"{API}/account/email/confirm/", {"token": move}),
            api.post(f"{API}/account/disown-session/", {"token": disown}),
        ]

        assert [refusal_of(answer) for answer in answers] == [LINK_INVALID] * 2
        assert User.objects.get(pk=person.pk).email == person.email

    def test_an_exchange_token_from_before_is_refused(
        self, api: APIClient, person: User, reset_token: str
    ) -> None:
        exchange = ExchangeTokenService.create(user_id=person.pk)
        confirm_reset(api, reset_token)

        answer = api.post(f"{API}/exchange-token/", {"exchange_token": exchange})

        assert refusal_of(answer) == LINK_INVALID
        assert not UserSession.objects.exists()

    def test_other_users_keep_their_sessions_and_links(
        self, api: APIClient, reset_token: str
    ) -> None:
        other = UserFactory()
        tokens, theirs = sign_in(api, other), issue_reset_token(other)

        confirm_reset(api, reset_token)

        assert use_access(api, tokens) == 200
        assert confirm_reset(api, theirs).status_code == 200

    def test_a_reset_lifts_a_lock(self, api: APIClient, person: User, reset_token: str) -> None:
        for _ in range(5):
            can_sign_in(api, person, WRONG_PASSWORD)
        assert not can_sign_in(api, person, PASSWORD)

        answer = confirm_reset(api, reset_token)

        assert answer.status_code == 200
        assert can_sign_in(api, person, NEW_PASSWORD)
        person.refresh_from_db()
        assert (person.failed_login_attempts, person.locked_until) == (0, None)

    def test_a_reset_verifies_the_address(
        self, api: APIClient, time_machine: TimeMachineFixture, db: None
    ) -> None:
        time_machine.move_to(NOON, tick=False)
        newcomer = UserFactory(email_verified=False, email_verified_at=None)

        confirm_reset(api, issue_reset_token(newcomer))

        newcomer.refresh_from_db()
        changed_at = newcomer.password_changed_at
        assert (newcomer.email_verified, newcomer.email_verified_at) == (True, changed_at)
        assert can_sign_in(api, newcomer, NEW_PASSWORD)

    def test_the_owner_gets_one_mail(
        self, api: APIClient, person: User, reset_token: str, delivered: Deliver
    ) -> None:
        confirm_reset(api, reset_token)

        [message] = delivered()
        text = message.message().as_string()
        assert (message.to, message.subject) == ([person.email], "Your password was changed")
        assert not any(secret in text for secret in (reset_token, PASSWORD, NEW_PASSWORD))

    def test_the_reset_is_audited_once_without_a_secret(
        self, api: APIClient, person: User, reset_token: str
    ) -> None:
        body = {"token": reset_token, "new_password": NEW_PASSWORD}

        answer = api.post(CONFIRM, body, headers={"User-Agent": CHROME}, REMOTE_ADDR="8.8.4.4")

        row = AuditLog.objects.get()
        text = json.dumps(AuditLog.objects.values().get(), default=str)
        assert (row.event_type, row.user, row.success) == ("password_reset", person, True)
        assert (row.ip_address, row.user_agent) == ("8.8.4.4", CHROME)
        assert row.correlation_id == answer["X-Correlation-ID"]
        assert not any(secret in text for secret in (reset_token, PASSWORD, NEW_PASSWORD))

    def test_the_new_hash_is_in_the_history_and_the_breach_flag_is_cleared(
        self, api: APIClient, person: User, reset_token: str
    ) -> None:
        User.objects.filter(pk=person.pk).update(password_breached_at=person.created_at)

        confirm_reset(api, reset_token)

        person.refresh_from_db()
        assert PasswordHistory.objects.latest("created_at").password_hash == person.password
        assert person.password_breached_at is None

    def test_a_session_after_the_reset_is_not_verified(
        self, api: APIClient, person: User, reset_token: str
    ) -> None:
        confirm_reset(api, reset_token)
        can_sign_in(api, person, NEW_PASSWORD)

        assert not UserSession.objects.get().is_verified

    @pytest.mark.parametrize("header", ["Bearer stale.access.token", "Basic dXNlcjpwYXNz"])
    def test_an_invalid_authorization_header_is_ignored(
        self, api: APIClient, reset_token: str, header: str
    ) -> None:
        body = {"token": reset_token, "new_password": NEW_PASSWORD}

        answer = api.post(CONFIRM, body, headers={"Authorization": header})

        assert (answer.status_code, answer.json()["message"]) == (200, DONE)


class TestAddressRegisteredByAnAttacker:
    """An attacker registered a victim's address and knows its password (REG-04)."""

    ATTACKERS = "Attackers-Horse-1"

    @pytest.fixture
    def victim(self, api: APIClient, settings: Settings, db: None) -> User:
        settings.REQUIRE_EMAIL_VERIFICATION = False
        body = {"email": "victim@example.org", "password": self.ATTACKERS}
        assert api.post(f"{API}/register/", body).status_code == 201
        found: User = User.objects.get(email_canonical="victim@example.org")
        return found

    def test_the_victims_reset_ends_the_attackers_password_and_sessions(
        self, api: APIClient, victim: User, delivered: Deliver
    ) -> None:
        tokens = log_in(api, victim, self.ATTACKERS).json()
        api.cookies.clear()
        api.post(f"{API}/password/reset/", {"email": victim.email})
        [token] = [
            token_in(message) for message in delivered() if message.subject == "Reset your password"
        ]

        assert confirm_reset(api, token).status_code == 200

        assert (use_access(api, tokens), use_refresh(api, tokens)) == (401, 401)
        assert not can_sign_in(api, victim, self.ATTACKERS)
        assert can_sign_in(api, victim, NEW_PASSWORD)

    def test_the_attackers_password_is_refused_as_the_new_one(
        self, api: APIClient, victim: User
    ) -> None:
        confirm_reset(api, issue_reset_token(victim))

        answer = confirm_reset(api, issue_reset_token(victim), self.ATTACKERS)

        assert_invalid_fields(answer, "new_password")

    def test_an_unverified_address_keeps_the_attacker_out(
        self, api: APIClient, victim: User, settings: Settings
    ) -> None:
        settings.REQUIRE_EMAIL_VERIFICATION = True

        answer = log_in(api, victim, self.ATTACKERS)

        assert_problem(answer, 403, "email_not_verified")
        assert cookie_of(answer) is None
