"""POST /api/v1/auth/email/correct/: the address of an account that is not proven yet."""

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient

from authentication.models import AuditLog, EmailChange, User
from authentication.services.accounts import addresses, email_verification
from authentication.tests.answers import (
    LINK_INVALID,
    assert_invalid_fields,
    assert_problem,
    refusal_of,
)
from authentication.tests.clients import NOON
from authentication.tests.conftest import API, Deliver
from authentication.tests.factories import PASSWORD, UserFactory, unverified_user

from .contests import (
    CORRECT,
    OWNERS,
    SQUATTERS,
    TARGET,
    correct,
    exchange,
    log_in,
    newest_link,
    register,
    reset,
    subjects,
    to,
    verify,
)

TYPO = "naomi@exmaple.org"
ANSWER = {"message": "Verification email sent to the new address"}
CONFIRM, EXISTS = "Confirm your email address", "You already have an account"
UNPROVEN, WRONG = (403, "email_not_verified"), (401, "invalid_credentials")

pytestmark = [pytest.mark.django_db, pytest.mark.security]


@pytest.fixture(autouse=True)
def _no_limits(settings: Settings) -> Iterator[None]:
    settings.RATELIMIT_ENABLE = False
    yield
    # Neither a decoy nor an account without an address is left over by accident.
    assert not User.objects.filter(email__endswith="@released.invalid").exists()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("identifier", TYPO),
        ("email_or_username", TYPO.upper()),
        ("email", TYPO),
        ("username", "naomi"),
    ],
)
def test_the_right_password_corrects_the_address_and_the_new_link_signs_in(
    api: APIClient, delivered: Deliver, field: str, value: str
) -> None:
    register(api, PASSWORD, email=TYPO, username="naomi")
    older = newest_link(delivered, TYPO)

    body = {field: value, "password": PASSWORD, "new_email": "Naomi@Example.org"}
    answer = api.post(CORRECT, body)

    assert (answer.status_code, answer.json()) == (200, ANSWER)
    assert refusal_of(verify(api, older)) == LINK_INVALID
    verified = verify(api, newest_link(delivered, "Naomi@Example.org"))
    assert exchange(api, verified).status_code == 200
    assert log_in(api, PASSWORD) == log_in(api, PASSWORD, "naomi") == (200, "")
    assert log_in(api, PASSWORD, TYPO) == WRONG
    assert AuditLog.objects.filter(event_type="email_corrected").count() == 1


def test_the_mistyped_address_is_free_for_its_owner(api: APIClient, delivered: Deliver) -> None:
    register(api, PASSWORD, email=TYPO)
    correct(api, TYPO, PASSWORD, TARGET)

    register(api, OWNERS, email=TYPO)

    assert verify(api, newest_link(delivered, TYPO)).status_code == 200
    assert verify(api, newest_link(delivered)).status_code == 200
    assert log_in(api, OWNERS, TYPO) == log_in(api, PASSWORD) == (200, "")


def test_the_link_can_be_sent_again_to_the_new_address(api: APIClient, delivered: Deliver) -> None:
    register(api, PASSWORD, email=TYPO)
    assert subjects(delivered, TYPO) == [CONFIRM]
    correct(api, TYPO, PASSWORD, TARGET)

    api.post(f"{API}/email/resend/", {"email": TARGET})

    assert subjects(delivered) == [CONFIRM, CONFIRM]


class TestNewAddressWithAnAccount:
    def test_a_proven_one_gets_a_mail_and_the_account_keeps_its_own(
        self, api: APIClient, delivered: Deliver
    ) -> None:
        owner = UserFactory(email=TARGET)
        register(api, SQUATTERS, email=TYPO)
        older = newest_link(delivered, TYPO)

        answer = correct(api, TYPO, SQUATTERS, TARGET)

        assert (answer.status_code, answer.json()) == (200, ANSWER)
        assert subjects(delivered) == [EXISTS]
        assert refusal_of(verify(api, older)) == LINK_INVALID
        assert log_in(api, PASSWORD) == (200, "")
        assert User.objects.get(email=TARGET) == owner

    def test_an_address_that_can_still_be_taken_back_is_not_free(
        self, api: APIClient, delivered: Deliver
    ) -> None:
        owner = UserFactory()
        EmailChange.objects.create(
            user=owner,
            old_email=TARGET,
            new_email=owner.email,
            confirmed_at=owner.created_at,
        )
        register(api, SQUATTERS, email=TYPO)

        assert correct(api, TYPO, SQUATTERS, TARGET).json() == ANSWER

        assert subjects(delivered, owner.email) == [EXISTS]
        assert not User.objects.filter(email=TARGET).exists()

    def test_an_unproven_one_is_contested_and_its_owner_gets_a_link(
        self, api: APIClient, delivered: Deliver
    ) -> None:
        register(api, SQUATTERS)
        register(api, OWNERS, email=TYPO)

        assert correct(api, TYPO, OWNERS, TARGET).json() == ANSWER

        assert subjects(delivered) == [CONFIRM, CONFIRM]
        verified = verify(api, newest_link(delivered))
        assert exchange(api, verified).status_code == 200
        assert log_in(api, SQUATTERS) == log_in(api, OWNERS) == WRONG
        assert reset(api, newest_link(delivered), PASSWORD) == 200

    def test_its_own_address_gets_the_link_again(self, api: APIClient, delivered: Deliver) -> None:
        register(api, PASSWORD)

        assert correct(api, TARGET, PASSWORD, TARGET.upper()).json() == ANSWER

        assert verify(api, newest_link(delivered)).status_code == 200
        assert log_in(api, PASSWORD) == (200, "")


def test_the_second_claimant_of_an_address_keeps_the_link_when_the_first_leaves(
    api: APIClient, delivered: Deliver
) -> None:
    register(api, SQUATTERS, username="squatter")
    register(api, OWNERS)
    link = newest_link(delivered)

    assert correct(api, TARGET, SQUATTERS, "x@example.org").json() == ANSWER

    assert verify(api, newest_link(delivered, "x@example.org")).status_code == 200
    assert log_in(api, SQUATTERS, "squatter") == (200, "")
    verified = verify(api, link)
    entered = exchange(api, verified)
    assert (verified.status_code, entered.status_code) == (200, 200)
    assert log_in(api, SQUATTERS) == log_in(api, OWNERS) == WRONG
    assert reset(api, newest_link(delivered), OWNERS) == 200
    assert User.objects.get(email=TARGET).username != "squatter"


class TestRefusals:
    def test_a_wrong_password_and_an_unknown_account_are_refused_alike_and_locked(
        self, api: APIClient, delivered: Deliver
    ) -> None:
        register(api, PASSWORD, email=TYPO)

        names = (TYPO, "unknown@example.org")
        for name in names * 5:
            wrong = correct(api, name, "Wrong-Horse-9", TARGET)
            assert_problem(wrong, 401, "invalid_credentials")
        for name in names:
            assert_problem(correct(api, name, PASSWORD, TARGET), 403, "account_locked")
        assert log_in(api, PASSWORD, TYPO) == (403, "account_locked")
        assert not User.objects.filter(email=TARGET).exists()

    def test_the_right_password_of_a_proven_account_is_told_so(
        self, api: APIClient, person: User
    ) -> None:
        answer = correct(api, person.email, PASSWORD, TARGET)

        assert_problem(answer, 403, "permission_denied")
        assert "confirmed already" in answer.json()["detail"]
        assert User.objects.get().email == person.email

    def test_the_right_password_of_a_disabled_account_is_told_so(
        self, api: APIClient, person: User
    ) -> None:
        User.objects.update(is_active=False, email_verified=False)

        assert_problem(correct(api, person.email, PASSWORD, TARGET), 403, "account_disabled")

    def test_a_malformed_body_names_its_fields(self, api: APIClient) -> None:
        assert_invalid_fields(api.post(CORRECT, {}), "password", "new_email")
        body = {"password": PASSWORD, "new_email": TARGET}
        assert_invalid_fields(api.post(CORRECT, body), "identifier")
        body = {"identifier": TYPO, "password": PASSWORD, "new_email": "no"}
        assert_invalid_fields(api.post(CORRECT, body), "new_email")


def test_corrections_of_many_accounts_mail_one_address_three_times_an_hour(
    api: APIClient, delivered: Deliver
) -> None:
    mails = []
    for number in range(5):
        email = f"x{number}@example.org"
        register(api, SQUATTERS, email=email)
        delivered()
        correct(api, email, SQUATTERS, TARGET)
        mails.append(len(to(delivered, TARGET)))
        # It leaves the address again, so that the next account may have it.
        correct(api, TARGET, SQUATTERS, f"{uuid.uuid4().hex}@example.org")

    assert mails == [1, 2, 3, 3, 3]


@pytest.mark.parametrize(
    ("event", "status", "code"),
    [
        ({"email_verified": True, "email_verified_at": NOON}, 403, "permission_denied"),
        ({"password_changed_at": NOON}, 401, "invalid_credentials"),
        ({"is_active": False}, 403, "account_disabled"),
    ],
)
def test_a_correction_is_judged_again_when_it_acts(
    api: APIClient,
    monkeypatch: pytest.MonkeyPatch,
    event: dict[str, Any],
    status: int,
    code: str,
) -> None:
    user = unverified_user(email=TYPO)
    genuine = addresses.has_mails_left

    def meanwhile(canonical: str) -> bool:
        User.objects.filter(pk=user.pk).update(**event)
        return genuine(canonical)

    monkeypatch.setattr(email_verification, "has_mails_left", meanwhile)

    assert_problem(correct(api, TYPO, PASSWORD, TARGET), status, code)

    assert User.objects.get().email == TYPO
