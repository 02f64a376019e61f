"""A member changes to an address that an account has not proven."""

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient

from authentication.models import AuditLog, User
from authentication.tests.answers import LINK_INVALID, refusal_of
from authentication.tests.clients import NOON, Tokens
from authentication.tests.conftest import API, Deliver
from authentication.tests.factories import PASSWORD, unverified_user

from .contests import SQUATTERS, correct, exchange, log_in, newest_link, register, subjects, verify
from .email_changes import CONFIRM, NEW, change_state, request_change

pytestmark = [pytest.mark.django_db, pytest.mark.security]

LINKS = ["Confirm your email address", "Confirm your new email address"]


@pytest.fixture(autouse=True)
def _no_limits(settings: Settings) -> None:
    settings.RATELIMIT_ENABLE = False


def test_an_account_that_was_never_used_gives_way_to_the_proof(
    api: APIClient, person: User, signed_in: Tokens, delivered: Deliver
) -> None:
    register(api, SQUATTERS, email=NEW, username="squatter")
    link = newest_link(delivered, NEW)

    requested = request_change(api, signed_in)

    assert requested.status_code == 200
    assert "You already have an account" not in subjects(delivered, NEW)
    assert log_in(api, SQUATTERS, NEW) == (403, "email_not_verified")
    confirmed = api.post(CONFIRM, {"token": newest_link(delivered, NEW)})
    assert confirmed.status_code == 200
    assert change_state(api, signed_in)["email"] == NEW
    assert log_in(api, PASSWORD, NEW) == (200, "")
    assert log_in(api, SQUATTERS, NEW) == (401, "invalid_credentials")
    assert refusal_of(verify(api, link)) == LINK_INVALID
    event = AuditLog.objects.get(event_type="address_released")
    assert (event.user, list(event.metadata)) == (None, ["name"])


def test_the_account_without_an_address_gets_no_mail_and_can_be_corrected(
    api: APIClient, person: User, signed_in: Tokens, delivered: Deliver
) -> None:
    register(api, SQUATTERS, email=NEW, username="mistyped")
    request_change(api, signed_in)
    api.post(CONFIRM, {"token": newest_link(delivered, NEW)})
    sent = len(delivered())

    for _ in range(5):
        log_in(api, PASSWORD, "mistyped")
    assert len(delivered()) == sent
    api.post(f"{API}/email/resend/", {"email": NEW})
    assert len(delivered()) == sent

    User.objects.filter(username="mistyped").update(failed_login_attempts=0, locked_until=None)
    user = User.objects.get(username="mistyped")
    assert not user.has_address
    answer = correct(APIClient(), user.email, SQUATTERS, "right@example.org")
    assert answer.status_code == 200
    assert (
        exchange(api, verify(api, newest_link(delivered, "right@example.org"))).status_code == 200
    )


def test_an_account_in_use_keeps_its_address_and_gets_no_untrue_mail(
    api: APIClient, person: User, signed_in: Tokens, delivered: Deliver
) -> None:
    used = unverified_user(email=NEW, last_login=NOON)

    assert request_change(api, signed_in).status_code == 200

    assert subjects(delivered, NEW) == []
    used.refresh_from_db()
    assert used.email == NEW


def test_an_account_proven_meanwhile_keeps_its_address(
    api: APIClient, person: User, signed_in: Tokens, delivered: Deliver
) -> None:
    register(api, SQUATTERS, email=NEW)
    link = newest_link(delivered, NEW)
    request_change(api, signed_in)
    move = newest_link(delivered, NEW)
    assert verify(api, link).status_code == 200

    assert refusal_of(api.post(CONFIRM, {"token": move})) == LINK_INVALID
    assert change_state(api, signed_in)["email"] == person.email


def test_the_change_answers_the_same_for_unproven_and_free_addresses(
    api: APIClient, person: User, signed_in: Tokens, delivered: Deliver
) -> None:
    unverified_user(email=NEW)
    answers = []
    for address in (NEW, "other@example.net"):
        body = request_change(api, signed_in, address).json()
        del body["pending"]["requested_at"], body["pending"]["email"]
        answers.append(body)
        assert subjects(delivered, address) == ["Confirm your new email address"]

    assert answers[0] == answers[1]


def test_a_squatter_who_moves_away_keeps_no_right_to_the_address(
    api: APIClient, delivered: Deliver, settings: Settings
) -> None:
    settings.REQUIRE_EMAIL_VERIFICATION = False
    register(api, SQUATTERS, email="owner@example.org", username="squatter")
    body = {"email": "owner@example.org", "password": SQUATTERS}
    tokens = api.post(f"{API}/login/", body).json()
    request_change(api, tokens)
    assert api.post(CONFIRM, {"token": newest_link(delivered, NEW)}).status_code == 200

    register(api, PASSWORD, email="owner@example.org", username="naomi")

    assert log_in(api, PASSWORD, "naomi") == (200, "")
    assert "You already have an account" not in subjects(delivered, NEW)
