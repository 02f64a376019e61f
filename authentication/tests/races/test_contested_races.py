"""Claims on one address at the same moment: registrations, proofs, corrections, deletions."""

from functools import partial
from typing import Any
from unittest import mock

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from authentication.models import ActionToken, EmailChange, EmailVerificationToken, User
from authentication.models.email_change import CONFIRM_LIFETIME
from authentication.services.accounts.erasure import erase
from authentication.services.background import queue as background
from authentication.tests.conftest import API
from authentication.tests.factories import PASSWORD, UserFactory, unverified_user

from .crowd import all_at_once, posts, statuses

pytestmark = [
    pytest.mark.services,
    pytest.mark.security,
    pytest.mark.django_db(transaction=True),
]

ROUNDS, CROWD = 30, 6
ANOTHER = "Another-Horse-7"


@pytest.fixture(autouse=True)
def _no_mails(monkeypatch: pytest.MonkeyPatch) -> None:
    """Send no mails: each would void the links that the tests issue."""
    monkeypatch.setattr(background, "_pool", mock.Mock())


def post(path: str, **body: Any) -> int:
    return int(APIClient().post(f"{API}/{path}/", body).status_code)


def log_in(email: str, password: str) -> int:
    return post("login", email=email, password=password)


def delete(user: User) -> int:
    return int(erase(user.pk))


def verification_link(user: User) -> str:
    return str(EmailVerificationToken.objects.issue(user.pk, email=user.email, at=timezone.now()))


def test_two_registrations_at_once_make_one_contested_account() -> None:
    for number in range(ROUNDS):
        email = f"naomi{number}@example.org"
        register = partial(post, "register", email=email)

        answers = all_at_once(
            partial(register, password=PASSWORD), partial(register, password=ANOTHER)
        )

        user = User.objects.get(email=email)
        assert answers == [201, 201]
        assert user.contested_at is not None
        assert post("email/verify", token=verification_link(user)) == 200
        assert [log_in(email, it) for it in (PASSWORD, ANOTHER)] == [401, 401]


def test_one_registration_sent_many_times_at_once_is_not_contested() -> None:
    body = {"email": "naomi@example.org", "password": PASSWORD}

    answers = posts(CROWD, f"{API}/register/", lambda _: body)

    user = User.objects.get()
    assert statuses(answers) == {201: CROWD}
    assert user.contested_at is None
    assert post("email/verify", token=verification_link(user)) == 200
    assert log_in(user.email, PASSWORD) == 200


def test_a_registration_beside_the_proof_contests_the_account_or_finds_it_proven() -> None:
    for number in range(ROUNDS):
        user = unverified_user(email=f"naomi{number}@example.org")
        link = verification_link(user)

        registered, verified = all_at_once(
            partial(post, "register", email=user.email, password=ANOTHER),
            partial(post, "email/verify", token=link),
        )

        user.refresh_from_db()
        assert (registered, verified) == (201, 200)
        assert (user.email_verified, user.contested_at) == (True, None)
        assert log_in(user.email, ANOTHER) == 401
        assert log_in(user.email, PASSWORD) == (200 if user.has_usable_password() else 401)


def test_a_registration_beside_the_deletion_of_the_account_is_answered_as_ever() -> None:
    for number in range(ROUNDS):
        user = unverified_user(email=f"naomi{number}@example.org")

        registered, _ = all_at_once(
            partial(post, "register", email=user.email, password=ANOTHER),
            partial(delete, user),
        )

        assert registered == 201


def test_a_correction_beside_a_registration_gives_the_address_to_one_account() -> None:
    for number in range(ROUNDS):
        typo, email = f"typo{number}@example.org", f"naomi{number}@example.org"
        unverified_user(email=typo)
        correction = {"identifier": typo, "password": PASSWORD, "new_email": email}

        answers = all_at_once(
            partial(post, "email/correct", **correction),
            partial(post, "register", email=email, password=ANOTHER),
        )

        assert answers == [200, 201]
        user = User.objects.get(email=email)
        # Whichever came second claimed an address that had an account.
        assert user.contested_at is not None


def test_a_proof_by_its_own_link_beside_the_proof_by_a_member_has_one_winner() -> None:
    for number in range(ROUNDS):
        user, member = unverified_user(email=f"naomi{number}@example.org"), UserFactory()
        change = EmailChange.objects.create(
            user=member, old_email=member.email, new_email=user.email
        )
        move = ActionToken.objects.issue(
            "confirm_email",
            user_id=member.pk,
            at=timezone.now(),
            lifetime=CONFIRM_LIFETIME,
            change=str(change.pk),
        )

        answers = all_at_once(
            partial(post, "email/verify", token=verification_link(user)),
            partial(post, "account/email/confirm", token=move),
        )

        assert sorted(answers) == [200, 400]
        owner = User.objects.get(email=user.email)
        assert owner.email_verified
        assert owner.pk == (user.pk if answers[0] == 200 else member.pk)
