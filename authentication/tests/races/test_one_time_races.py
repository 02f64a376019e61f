"""One-time tokens work once when used concurrently."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from authentication.models import (
    AuditLog,
    EmailVerificationToken,
    PasswordResetToken,
    User,
    UserSession,
)
from authentication.services import ExchangeTokenService
from authentication.services.acting import locked_account
from authentication.tests.conftest import API
from authentication.tests.factories import UserFactory

from .crowd import all_at_once, posts, statuses

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]

CROWD = 16


def verification_of(person: User) -> str:
    return EmailVerificationToken.objects.issue(person.pk, email=person.email, at=timezone.now())


def exchange(token: str) -> Any:
    return APIClient().post(f"{API}/exchange-token/", {"exchange_token": token})


@pytest.fixture
def unproven() -> User:
    return UserFactory(email_verified=False, email_verified_at=None)


def test_a_verification_token_proves_an_address_once(unproven: User) -> None:
    token = verification_of(unproven)

    answers = posts(CROWD, f"{API}/email/verify/", lambda _: {"token": token})

    assert statuses(answers) == {200: 1, 400: CROWD - 1}
    assert {answer.json()["code"] for answer in answers if answer.status_code == 400} == {
        "token_invalid"
    }
    assert User.objects.get().email_verified
    assert AuditLog.objects.filter(event_type="email_verified").count() == 1


def test_an_exchange_token_opens_one_session(person: User) -> None:
    token = ExchangeTokenService.create(user_id=person.pk)

    answers = all_at_once(*[partial(exchange, token)] * CROWD)

    assert statuses(answers) == {200: 1, 400: CROWD - 1}
    assert UserSession.objects.count() == 1
    assert AuditLog.objects.filter(event_type="token_exchange").count() == 1


def test_a_reset_token_sets_one_password(person: User) -> None:
    token = PasswordResetToken.objects.issue(person, at=timezone.now())

    answers = posts(
        CROWD,
        f"{API}/password/reset/confirm/",
        lambda number: {"token": token, "new_password": f"Another-Horse-{number}"},
    )

    assert statuses(answers) == {200: 1, 400: CROWD - 1}
    winner = next(number for number, answer in enumerate(answers) if answer.status_code == 200)
    assert User.objects.get().check_password(f"Another-Horse-{winner}")
    assert AuditLog.objects.filter(event_type="password_reset").count() == 1


def locked(user: User, issue: Callable[[User], str]) -> str:
    """Issue a token as the sender of a mail does."""
    with locked_account(user.pk):
        return issue(user)


def reset_of(user: User) -> str:
    return str(PasswordResetToken.objects.issue(user, at=timezone.now()))


def test_of_verification_tokens_made_at_the_same_moment_one_is_good(unproven: User) -> None:
    all_at_once(*[lambda: locked(unproven, verification_of)] * 8)

    assert EmailVerificationToken.objects.unused().count() == 1


def test_of_reset_tokens_made_at_the_same_moment_one_is_good(person: User) -> None:
    all_at_once(*[lambda: locked(person, reset_of)] * 8)

    assert PasswordResetToken.objects.unused().count() == 1
