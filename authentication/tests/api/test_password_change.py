"""POST /api/v1/auth/password/change/."""

import json
from collections.abc import Callable

import pytest
from rest_framework.test import APIClient

from authentication.models import AuditLog, OutgoingEmail, PasswordHistory, User, UserSession
from authentication.tests.answers import (
    LINK_INVALID,
    cookie_of,
    refresh_cookie,
    refusal_of,
)
from authentication.tests.clients import (
    NEW_PASSWORD,
    Tokens,
    log_in,
    refreshed,
    sign_in,
    use_access,
    use_refresh,
    use_verify,
)
from authentication.tests.conftest import API, BROWSER, CHROME, Deliver, bearer, token_in
from authentication.tests.factories import PASSWORD, UserFactory

from .passwords import (
    CHANGE,
    can_sign_in,
    change_password,
)

CHANGED = "Password changed successfully"
pytestmark = pytest.mark.django_db


class TestChange:
    def test_the_device_gets_new_tokens(self, api: APIClient, signed_in: Tokens) -> None:
        answer = change_password(api, signed_in)

        body = answer.json()
        assert answer.status_code == 200
        assert body.keys() == {
            "message",
            "access_token",
            "access",
            "expires_in",
            "token_type",
            "refresh",
        }
        assert (body["message"], body["token_type"], body["expires_in"]) == (CHANGED, "Bearer", 900)
        assert body["access_token"] == body["access"]
        assert answer["Cache-Control"] == "no-store"
        assert cookie_of(answer) == refresh_cookie(body["refresh"])
        assert (use_access(api, body), use_refresh(api, body)) == (200, 200)

    def test_a_browser_gets_its_refresh_token_in_the_cookie_only(
        self, browser: APIClient, signed_in: Tokens
    ) -> None:
        answer = change_password(browser, signed_in)

        cookie = cookie_of(answer)
        assert answer.json().keys() == {
            "message",
            "access_token",
            "access",
            "expires_in",
            "token_type",
        }
        assert cookie
        assert cookie == refresh_cookie(cookie["value"])
        assert cookie["value"] not in answer.content.decode()
        assert browser.post(f"{API}/token/refresh/").status_code == 200

    def test_a_browser_gets_a_new_csrf_token(self, browser: APIClient, signed_in: Tokens) -> None:
        browser.get(f"{API}/csrf/")
        before = browser.cookies["csrftoken"].value

        change_password(browser, signed_in)

        assert browser.cookies["csrftoken"].value != before

    @pytest.mark.parametrize("use", [use_access, use_refresh, use_verify])
    def test_every_older_token_is_refused(
        self,
        api: APIClient,
        person: User,
        signed_in: Tokens,
        use: Callable[[APIClient, Tokens], int],
    ) -> None:
        other = sign_in(api, person)
        newest = refreshed(api, other["refresh"])

        change_password(api, signed_in)

        assert [use(api, tokens) for tokens in (signed_in, other, newest)] == [401, 401, 401]

    def test_every_other_session_ends_and_this_one_keeps_its_name_and_lifetime(
        self, api: APIClient, person: User
    ) -> None:
        sign_in(api, person)
        mine = sign_in(api, person, device_name="Ruth's phone", remember_me=True)

        change_password(api, mine)

        live = UserSession.objects.get(is_active=True)
        assert (live.device_name, live.remember_me) == ("Ruth's phone", True)
        assert list(
            UserSession.objects.filter(is_active=False).values_list("end_reason", flat=True)
        ) == [
            "password_change",
            "password_change",
        ]

    def test_a_pending_email_change_is_cancelled(
        self, api: APIClient, person: User, signed_in: Tokens, delivered: Deliver
    ) -> None:
        api.post(
            f"{API}/account/email/",
            {"email": "thief@example.net"},
            headers=bearer(signed_in["access"]),
        )
        move = token_in(next(mail for mail in delivered() if mail.to == ["thief@example.net"]))
        renewed = change_password(api, signed_in).json()

        answer = api.post(f"{API}/account/email/confirm/", {"token": move})

        assert refusal_of(answer) == LINK_INVALID
        state = api.get(f"{API}/account/email/", headers=bearer(renewed["access"])).json()
        assert state == {"email": person.email, "pending": None}

    def test_other_users_stay_signed_in(self, api: APIClient, signed_in: Tokens) -> None:
        others = sign_in(api, UserFactory())

        change_password(api, signed_in)

        assert (use_access(api, others), use_refresh(api, others)) == (200, 200)

    def test_only_the_new_password_signs_in(
        self, api: APIClient, person: User, signed_in: Tokens
    ) -> None:
        change_password(api, signed_in)

        assert can_sign_in(api, person, NEW_PASSWORD)
        assert not can_sign_in(api, person, PASSWORD)

    def test_the_owner_gets_one_mail(
        self, api: APIClient, person: User, signed_in: Tokens, delivered: Deliver
    ) -> None:
        change_password(api, signed_in)

        [message] = delivered()
        assert (message.to, message.subject) == ([person.email], "Your password was changed")
        assert OutgoingEmail.objects.get().kind == "password_changed"
        assert not any(secret in str(message.message()) for secret in (PASSWORD, NEW_PASSWORD))

    def test_the_change_is_audited_once_with_user_and_address(
        self, api: APIClient, person: User, signed_in: Tokens
    ) -> None:
        body = {"old_password": PASSWORD, "new_password": NEW_PASSWORD}
        headers = {**bearer(signed_in["access"]), "User-Agent": CHROME}

        answer = api.post(CHANGE, body, headers=headers, REMOTE_ADDR="8.8.4.4")

        row = AuditLog.objects.get(event_type="password_change")
        assert (row.user, row.success, row.risk_level) == (person, True, "medium")
        assert (row.ip_address, row.user_agent) == ("8.8.4.4", CHROME)
        assert row.correlation_id == answer["X-Correlation-ID"]
        assert not any(secret in json.dumps(row.metadata) for secret in (PASSWORD, NEW_PASSWORD))

    def test_the_new_hash_is_added_to_the_history(
        self, api: APIClient, person: User, signed_in: Tokens
    ) -> None:
        change_password(api, signed_in)

        person.refresh_from_db()
        newest = PasswordHistory.objects.latest("created_at")
        assert (newest.user, newest.password_hash) == (person, person.password)

    def test_the_breach_flag_is_cleared(self, api: APIClient, person: User) -> None:
        User.objects.filter(pk=person.pk).update(password_breached_at=person.created_at)
        tokens = sign_in(api, person)

        change_password(api, tokens)

        answer = log_in(api, person, NEW_PASSWORD)
        assert "password_breached" not in answer.json()["user"]


def test_a_page_of_the_front_end_is_accepted(
    browser: APIClient, person: User, signed_in: Tokens
) -> None:
    headers = {**BROWSER, "Origin": "http://localhost:3000"}

    answer = change_password(browser, signed_in, headers=headers)

    assert (answer.status_code, answer.json()["message"]) == (200, CHANGED)
    assert can_sign_in(APIClient(), person, NEW_PASSWORD)
