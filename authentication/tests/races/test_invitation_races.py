"""Invitations on PostgreSQL: acceptance against registration, proof, revocation and itself."""

import time
from functools import partial
from typing import Any

import pytest
from rest_framework.test import APIClient

from authentication.models import Invitation, OutgoingEmail, User
from authentication.services.acted_by import ActedBy
from authentication.services.invitations import InvitationService
from authentication.tests.api.contests import SQUATTERS, newest_link
from authentication.tests.clients import LOGIN
from authentication.tests.conftest import API, Deliver
from authentication.tests.invitations import ACCEPT, CHOSEN, INVITED, invite

from .crowd import all_at_once, statuses

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]

ROUNDS = range(5)


def accept(token: str, password: str = CHOSEN) -> Any:
    return APIClient().post(ACCEPT, {"token": token, "password": password})


def register() -> Any:
    body = {"email": INVITED, "password": SQUATTERS}
    return APIClient().post(f"{API}/register/", body)


def log_in(password: str) -> int:
    body = {"email_or_username": INVITED, "password": password}
    return int(APIClient().post(LOGIN, body).status_code)


def link_to(delivered: Deliver, kind: str) -> str:
    """Return the newest link; a thread may be sending its mail."""
    end = time.monotonic() + 10
    while not OutgoingEmail.objects.filter(kind=kind, status="sent").exists():
        delivered()
        assert time.monotonic() < end
        time.sleep(0.05)
    return newest_link(delivered, INVITED)


@pytest.fixture
def link(delivered: Deliver) -> str:
    invite()
    return link_to(delivered, "invitation")


@pytest.mark.parametrize("_", ROUNDS)
def test_of_many_acceptances_one_succeeds(link: str, _: int) -> None:
    answers = all_at_once(*[partial(accept, link, f"Chosen-Horse-{n}7") for n in range(6)])

    assert statuses(answers) == {200: 1, 400: 5}
    assert User.objects.filter(email=INVITED).count() == 1


@pytest.mark.parametrize("_", ROUNDS)
def test_the_invited_person_wins_against_registrations(link: str, _: int) -> None:
    accepted, *registered = all_at_once(partial(accept, link), *[register] * 3)

    assert accepted.status_code == 200
    assert statuses(registered) == {201: 3}
    assert User.objects.get(email=INVITED).email_verified
    assert log_in(CHOSEN) == 200
    assert log_in(SQUATTERS) == 401


@pytest.mark.parametrize("_", ROUNDS)
def test_of_an_acceptance_and_a_proof_one_owns_the_address(
    link: str, delivered: Deliver, _: int
) -> None:
    register()
    proof = link_to(delivered, "verification")
    verify = partial(APIClient().post, f"{API}/email/verify/", {"token": proof})

    accepted, verified = all_at_once(partial(accept, link), verify)

    assert sorted((accepted.status_code, verified.status_code)) == [200, 400]
    winner = CHOSEN if accepted.status_code == 200 else SQUATTERS
    assert log_in(winner) == 200


@pytest.mark.parametrize("_", ROUNDS)
def test_of_a_revocation_and_an_acceptance_one_happens(link: str, _: int) -> None:
    invitation = Invitation.objects.get()

    def revoke() -> bool:
        try:
            InvitationService.revoke(invitation, by=ActedBy(None))
        except Exception:  # noqa: BLE001 -- a refusal
            return False
        return True

    answer, is_revoked = all_at_once(partial(accept, link), revoke)

    assert (answer.status_code == 200) is not is_revoked
    assert User.objects.filter(email=INVITED).exists() is not is_revoked


@pytest.mark.parametrize("_", ROUNDS)
def test_of_many_inviters_one_invitation_is_open(_: int) -> None:
    all_at_once(*[invite] * 3)

    assert Invitation.objects.open().count() == 1
