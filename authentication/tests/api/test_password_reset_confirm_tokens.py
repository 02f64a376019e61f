"""POST /api/v1/auth/password/reset/confirm/: every invalid token gets the same refusal."""

import datetime as dt
import json
from collections.abc import Callable

import pytest
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient
from time_machine import TimeMachineFixture

from authentication.models import (
    AuditLog,
    EmailVerificationToken,
    OutgoingEmail,
    PasswordResetToken,
    User,
)
from authentication.services.passwords import password as service
from authentication.tests.answers import (
    LINK_INVALID,
    refusal_of,
)
from authentication.tests.clients import (
    NEW_PASSWORD,
    NOON,
    Tokens,
    set_password,
)
from authentication.tests.factories import PASSWORD, UserFactory

from .passwords import (
    assert_account_unchanged,
    can_sign_in,
    change_password,
    confirm_reset,
    issue_reset_token,
)

pytestmark = pytest.mark.django_db


class TestInvalidTokens:
    """Every invalid token gets the same answer."""

    def assert_refused(
        self, api: APIClient, person: User, token: object, *, audits: int = 1
    ) -> None:
        person.refresh_from_db()
        before = person.password

        answer = confirm_reset(api, token, "Last-Horse-55")

        person.refresh_from_db()
        assert refusal_of(answer) == LINK_INVALID
        assert person.password == before
        assert not can_sign_in(api, person, "Last-Horse-55")
        assert (
            AuditLog.objects.filter(event_type="password_reset_failed", success=False).count()
            == audits
        )
        assert str(token) not in json.dumps(list(AuditLog.objects.values()), default=str)

    def test_a_used_token_is_refused(self, api: APIClient, person: User, reset_token: str) -> None:
        confirm_reset(api, reset_token)

        self.assert_refused(api, person, reset_token)

    @pytest.mark.parametrize(
        ("seconds", "status"), [(3599, 200), (3600, 400), (3601, 400), (3 * 86_400, 400)]
    )
    def test_a_token_expires_after_an_hour(
        self,
        api: APIClient,
        person: User,
        time_machine: TimeMachineFixture,
        seconds: int,
        status: int,
    ) -> None:
        time_machine.move_to(NOON, tick=False)
        token = issue_reset_token(person)
        time_machine.shift(seconds)

        answer = confirm_reset(api, token)

        assert answer.status_code == status
        if status == 400:
            assert refusal_of(answer) == LINK_INVALID
            assert_account_unchanged(person)

    def test_a_replaced_token_is_refused(
        self, api: APIClient, person: User, reset_token: str
    ) -> None:
        newer = issue_reset_token(person)

        self.assert_refused(api, person, reset_token)
        assert confirm_reset(api, newer).status_code == 200

    def test_a_token_from_before_a_password_change_is_refused(
        self, api: APIClient, person: User, signed_in: Tokens, reset_token: str
    ) -> None:
        assert change_password(api, signed_in).status_code == 200

        self.assert_refused(api, person, reset_token)

    def test_a_token_from_before_djangos_set_password_is_refused(
        self, api: APIClient, person: User, reset_token: str
    ) -> None:
        set_password(person)

        self.assert_refused(api, person, reset_token)

    def test_a_token_from_before_an_address_change_is_refused(
        self, api: APIClient, person: User, reset_token: str
    ) -> None:
        person.email = "elsewhere@example.org"
        person.save()

        self.assert_refused(api, person, reset_token)

    def test_a_token_of_a_disabled_account_is_refused(
        self, api: APIClient, person: User, reset_token: str
    ) -> None:
        User.objects.filter(pk=person.pk).update(is_active=False)

        self.assert_refused(api, person, reset_token)

    @pytest.mark.parametrize(
        "tamper",
        [
            lambda token: token[:-1] + ("A" if token[-1] != "A" else "B"),
            lambda token: token[:-1],
            lambda token: f"{token}A",
            lambda token: f"{token}=",
            lambda token: token.swapcase(),
            lambda token: token[::-1],
            lambda _: "' OR 1=1 --",
            lambda _: "x" * 128,
            lambda _: "x" * 60_000,
            lambda _: "\u00fc" * 43,
        ],
        ids=[
            "last letter",
            "shorter",
            "longer",
            "padded",
            "case",
            "reversed",
            "SQL",
            "made up",
            "endless",
            "other script",
        ],
    )
    def test_a_changed_token_is_refused_and_the_right_one_stays_valid(
        self, api: APIClient, person: User, reset_token: str, tamper: Callable[[str], str]
    ) -> None:
        self.assert_refused(api, person, tamper(reset_token))
        assert confirm_reset(api, reset_token).status_code == 200

    def test_the_stored_digest_and_binding_are_refused(
        self, api: APIClient, person: User, reset_token: str
    ) -> None:
        row = PasswordResetToken.objects.get()

        self.assert_refused(api, person, row.token)
        self.assert_refused(api, person, row.binding, audits=2)

    def test_a_token_of_another_kind_is_refused(
        self, api: APIClient, person: User, signed_in: Tokens
    ) -> None:
        verification = EmailVerificationToken.objects.issue(
            person.pk, email=person.email, at=timezone.now()
        )

        self.assert_refused(api, person, verification)
        for foreign in (signed_in["access"], signed_in["refresh"]):
            assert confirm_reset(api, foreign).status_code == 400
        assert can_sign_in(api, person, PASSWORD)

    def test_a_token_changes_its_own_account_only(self, api: APIClient, person: User) -> None:
        other = UserFactory()

        confirm_reset(api, issue_reset_token(other))

        assert can_sign_in(api, person, PASSWORD)
        assert can_sign_in(api, other, NEW_PASSWORD)

    def test_a_token_that_a_concurrent_change_voids_is_refused(
        self, api: APIClient, person: User, reset_token: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def change_it_first(*_: object, **__: object) -> None:
            set_password(User.objects.get(pk=person.pk), "Faster-Horse-1")

        monkeypatch.setattr(service, "check_password_policy", change_it_first)

        answer = confirm_reset(api, reset_token)

        assert refusal_of(answer) == LINK_INVALID
        assert can_sign_in(api, person, "Faster-Horse-1")
        assert PasswordResetToken.objects.get().used_at is None
        assert not OutgoingEmail.objects.exists()

    def test_a_token_of_an_account_that_is_disabled_meanwhile_is_refused(
        self, api: APIClient, person: User, reset_token: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def disable_it_first(*_: object, **__: object) -> None:
            User.objects.filter(pk=person.pk).update(is_active=False)

        monkeypatch.setattr(service, "check_password_policy", disable_it_first)

        answer = confirm_reset(api, reset_token)

        assert refusal_of(answer) == LINK_INVALID
        person.refresh_from_db()
        assert person.check_password(PASSWORD)
        assert PasswordResetToken.objects.get().used_at is None


def test_the_setting_decides_the_lifetime(
    api: APIClient, person: User, time_machine: TimeMachineFixture, settings: Settings
) -> None:
    settings.PASSWORD_RESET_TIMEOUT = 5 * 60
    time_machine.move_to(NOON, tick=False)
    token = issue_reset_token(person)
    time_machine.shift(dt.timedelta(minutes=5))

    assert refusal_of(confirm_reset(api, token)) == LINK_INVALID
