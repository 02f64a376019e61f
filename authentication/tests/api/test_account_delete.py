"""POST /api/v1/auth/account/delete/, and signing in during the grace period."""

from typing import Any

import pytest
from rest_framework.test import APIClient
from time_machine import TimeMachineFixture

from authentication.models import AuditLog, User, UserSession
from authentication.tests.answers import (
    CLEARED,
    TOKEN_INVALID,
    assert_problem,
    cookie_of,
    refusal_of,
)
from authentication.tests.clients import (
    FOREIGN_PAGE,
    NOON,
    WRONG_PASSWORD,
    Tokens,
    log_in,
    post_as,
    sign_in,
    use_access,
    use_refresh,
)
from authentication.tests.conftest import API, Deliver
from authentication.tests.erasing import erase_due
from authentication.tests.factories import PASSWORD, give_factor

URL = f"{API}/account/delete/"

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOON, tick=False)]


class TestRequest:
    def test_the_request_signs_out_every_device_at_once(
        self, api: APIClient, person: User, delivered: Deliver
    ) -> None:
        mine, other = sign_in(api, person), sign_in(api, person)

        answer = post_as(api, mine, URL)

        assert answer.status_code == 200
        assert answer.json() == {
            "message": "Your account will be deleted. Sign in before then if you change your mind.",
            "deletion_at": "2026-12-06T12:00:00Z",
        }
        assert cookie_of(answer) == CLEARED
        assert [use_access(api, it) for it in (mine, other)] == [401, 401]
        assert [use_refresh(api, it) for it in (mine, other)] == [401, 401]
        assert delivered()[-1].subject == "Your account will be deleted"
        assert AuditLog.objects.get(event_type="account_deletion_requested").risk_level == "high"

    def test_the_request_needs_a_recent_proof(
        self, api: APIClient, signed_in: Tokens, time_machine: TimeMachineFixture
    ) -> None:
        time_machine.shift(11 * 60)

        assert_problem(post_as(api, signed_in, URL), 403, "reauthentication_required")
        assert not User.objects.exclude(deletion_requested_at=None).exists()

    def test_the_request_needs_an_access_token_and_a_page_of_ours(
        self, api: APIClient, signed_in: Tokens
    ) -> None:
        assert refusal_of(api.post(URL)) == TOKEN_INVALID
        assert_problem(post_as(api, signed_in, URL, **FOREIGN_PAGE), 403, "csrf_failed")
        assert not User.objects.exclude(deletion_requested_at=None).exists()

    def test_a_sign_in_that_still_waits_for_its_code_does_not_cancel_the_request(
        self, api: APIClient, person: User, time_machine: TimeMachineFixture
    ) -> None:
        factor = give_factor(person)
        waiting = log_in(api, person).json()["mfa_token"]
        time_machine.shift(60)
        tokens = log_in(api, person, otp=factor.code()).json()
        assert post_as(api, tokens, URL).status_code == 200
        time_machine.shift(60)

        answer = api.post(f"{API}/2fa/verify/", {"mfa_token": waiting, "otp": factor.code()})

        assert refusal_of(answer) == TOKEN_INVALID
        person.refresh_from_db()
        assert person.deletion_requested_at is not None


class TestGracePeriod:
    @pytest.fixture(autouse=True)
    def _deletion_requested(self, api: APIClient, person: User, signed_in: Tokens) -> None:
        assert post_as(api, signed_in, URL).status_code == 200

    def test_a_sign_in_is_refused_and_names_the_day_of_the_deletion(
        self, api: APIClient, person: User
    ) -> None:
        answer = log_in(api, person)

        deletion_at = "2026-12-06T12:00:00Z"
        assert_problem(answer, 403, "account_deletion_pending", deletion_at=deletion_at)
        assert not UserSession.objects.filter(is_active=True).exists()
        person.refresh_from_db()
        assert person.failed_login_attempts == 0

    def test_a_wrong_password_reveals_no_pending_deletion(
        self, api: APIClient, person: User
    ) -> None:
        assert_problem(log_in(api, person, WRONG_PASSWORD), 401, "invalid_credentials")

    def test_a_sign_in_with_restore_keeps_the_account(
        self, api: APIClient, person: User, time_machine: TimeMachineFixture
    ) -> None:
        time_machine.shift(13 * 86_400)

        answer = log_in(api, person, restore=True)
        time_machine.shift(2 * 86_400)
        erase_due()

        assert answer.status_code == 200
        assert AuditLog.objects.filter(event_type="account_restored", user=person).count() == 1
        person.refresh_from_db()
        assert person.deletion_requested_at is None
        assert log_in(api, person).status_code == 200

    def test_restore_is_refused_once_the_erasure_has_begun(
        self, api: APIClient, person: User
    ) -> None:
        User.objects.begin_erasure(person.pk, key="k", at=NOON)

        assert_problem(log_in(api, person, restore=True), 403, "account_disabled")
        assert not UserSession.objects.filter(is_active=True).exists()

    def test_the_admin_refuses_an_account_with_a_pending_deletion(
        self, client: Any, person: User
    ) -> None:
        User.objects.filter(pk=person.pk).update(is_staff=True, is_superuser=True)

        answer = client.post("/admin/login/", {"username": person.email, "password": PASSWORD})

        assert answer.status_code == 200
        assert b"not allowed" in answer.content

    def test_a_sign_in_that_read_the_account_before_the_request_opens_no_session(
        self, person: User
    ) -> None:
        before = User.objects.get(pk=person.pk)
        before.deletion_requested_at = None

        assert User.objects.sign_in(before, at=NOON) is False
