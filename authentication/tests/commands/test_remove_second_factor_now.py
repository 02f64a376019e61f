"""manage.py remove_second_factor --now: the lost factor of the last superuser."""

from typing import Any

import pytest
from django.core.management import CommandError
from django.test import Client
from pytest_django import Settings
from rest_framework.test import APIClient

from authentication.models import (
    AuditLog,
    RecoveryCode,
    SecondFactor,
    SecondFactorRemoval,
    User,
)
from authentication.services import SecondFactorRemovalService
from authentication.services.acted_by import ActedBy
from authentication.tests.clients import log_in, sign_in, use_access
from authentication.tests.conftest import API, Deliver, token_in
from authentication.tests.factories import UserFactory, give_factor
from authentication.tests.removals import boss, has_factor

from .running import run_command

REASON = "Her phone is at the bottom of the lake."

pytestmark = [pytest.mark.django_db, pytest.mark.security]


@pytest.fixture(autouse=True)
def _codes_in_the_admin(settings: Settings) -> None:
    settings.ADMIN_REQUIRE_OTP = True


@pytest.fixture
def last(db: None) -> User:
    """Return a superuser who has a second factor and is alone."""
    user = boss()
    give_factor(user)
    return user


def remove(user: User, **options: Any) -> str:
    return run_command("remove_second_factor", user.email, now=True, reason=REASON, **options)


def test_the_password_alone_signs_in_then(api: APIClient, last: User) -> None:
    assert log_in(api, last).json()["code"] == "mfa_required"

    assert "is removed" in remove(last)

    assert not has_factor(last)
    assert not RecoveryCode.objects.exists()
    assert log_in(api, last).status_code == 200


def test_every_session_ends_and_the_event_names_who_and_why(
    api: APIClient, last: User, client: Client
) -> None:
    factor = give_factor_again(last)
    tokens = sign_in(api, last, otp=factor.code())

    remove(last, by="Naomi, at the console")

    assert use_access(api, tokens) == 401
    event = AuditLog.objects.get(event_type="second_factor_disabled", user=last)
    assert event.risk_level == "high"
    assert event.metadata == {
        "change": "removed_at_once",
        "actor": "command line",
        "operator": "Naomi, at the console",
        "reason": REASON,
    }


def give_factor_again(user: User) -> Any:
    user.refresh_from_db()
    RecoveryCode.objects.filter(user=user).delete()
    SecondFactor.objects.filter(user=user).delete()
    return give_factor(user)


def test_every_address_is_mailed(api: APIClient, last: User, delivered: Deliver) -> None:
    factor = give_factor_again(last)
    tokens = sign_in(api, last, otp=factor.code())
    headers = {"Authorization": f"Bearer {tokens['access']}"}
    old = last.email
    assert api.post(
        f"{API}/account/email/", {"email": "new@example.net"}, headers=headers
    ).status_code in {200, 202}
    confirm = next(mail for mail in delivered() if mail.to == ["new@example.net"])
    body = {"token": token_in(confirm)}
    assert api.post(f"{API}/account/email/confirm/", body).status_code == 200
    last.refresh_from_db()
    delivered().clear()

    remove(last)
    delivered()

    mails = delivered()
    assert {address for mail in mails for address in mail.to} == {"new@example.net", old}
    (own,) = (mail for mail in mails if mail.to == ["new@example.net"])
    assert "turned off for your account on our server, at once" in " ".join(str(own.body).split())


def test_a_pending_removal_is_over_with_it(last: User) -> None:
    other = boss()
    SecondFactorRemovalService.request(last, by=ActedBy(other, reason="Lost"))

    remove(last)

    removal = SecondFactorRemoval.objects.get()
    assert (removal.outcome, removal.ended_at is not None) == ("carried_out", True)


class TestRefusals:
    def refused(self, user: User, words: str, **options: Any) -> None:
        with pytest.raises(CommandError, match=words):
            remove(user, **options)
        assert has_factor(user)

    def test_another_superuser_with_a_factor_has_to_request_it(self, last: User) -> None:
        other = boss(username="naomi")
        give_factor(other)

        self.refused(last, "Another superuser can request the removal in the admin: naomi")

    @pytest.mark.parametrize(
        "changed",
        [
            {"is_active": False},
            {"is_staff": False},
            {"is_superuser": False},
            {"email_verified": False},
            {"second_factor_at": None},
        ],
    )
    def test_another_who_cannot_enter_the_admin_does_not_count(
        self, last: User, changed: dict[str, Any]
    ) -> None:
        other = boss()
        give_factor(other)
        User.objects.filter(pk=other.pk).update(**changed)

        remove(last)

        assert not has_factor(last)

    def test_a_factor_that_nothing_can_read_does_not_count(
        self, last: User, settings: Settings
    ) -> None:
        other = boss()
        give_factor(other)
        settings.FIELD_ENCRYPTION_KEYS = ["a later key, of more than thirty-two characters"]

        self.refused(last, "Another superuser")  # A recovery code still lets the other in.
        RecoveryCode.objects.filter(user=other).delete()

        remove(last)
        assert not has_factor(last)

    def test_where_the_admin_asks_for_no_factor_any_other_superuser_counts(
        self, last: User, settings: Settings
    ) -> None:
        settings.ADMIN_REQUIRE_OTP = False
        boss()

        self.refused(last, "Another superuser")

    def test_only_a_superusers_factor_is_removed_at_once(self) -> None:
        for user in (UserFactory(), UserFactory(is_staff=True)):
            give_factor(user)

            self.refused(user, "not a superuser")

    def test_a_disabled_account_is_refused(self, last: User) -> None:
        User.objects.filter(pk=last.pk).update(is_active=False)

        self.refused(last, "disabled")

    def test_an_account_without_a_factor_is_refused(self) -> None:
        with pytest.raises(CommandError, match="Two-step sign-in is off"):
            remove(boss())

    @pytest.mark.parametrize("reason", ["", " ", "x" * 201, "a\x00b"])
    def test_a_reason_is_required(self, last: User, reason: str) -> None:
        with pytest.raises(CommandError, match="reason"):
            run_command("remove_second_factor", last.email, now=True, reason=reason)

        assert has_factor(last)

    @pytest.mark.parametrize("name", [" ", "x" * 65, "a\x1bb"])
    def test_the_operators_name_must_be_usable(self, last: User, name: str) -> None:
        self.refused(last, "name", by=name)

    def test_a_cancellation_is_made_by_staff(self, last: User) -> None:
        self.refused(last, "--cancel with --staff", cancel=True)
