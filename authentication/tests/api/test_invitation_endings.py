"""The end of invitations: erasure, retention, and the copy of the data."""

import datetime as dt

import pytest
from django.utils import timezone
from rest_framework.test import APIClient
from time_machine import TimeMachineFixture

from authentication.models import Invitation, User
from authentication.services.accounts import erase_each
from authentication.services.accounts.personal_data import personal_data
from authentication.services.operations.retention import RetentionService
from authentication.tests.clients import log_in
from authentication.tests.conftest import API, Deliver, bearer
from authentication.tests.factories import unverified_user
from authentication.tests.invitations import CHOSEN, INVITED, accept, invite

from .contests import newest_link

pytestmark = pytest.mark.django_db

DONE = (200, "")


@pytest.fixture
def link(delivered: Deliver) -> str:
    """Return the token that was mailed to an invited person."""
    invite(first_name="Naomi", last_name="Moab")
    return newest_link(delivered, INVITED)


class TestEnding:
    def test_an_erasure_finds_invitations_to_the_person_and_by_them(
        self, api: APIClient, link: str
    ) -> None:
        accept(api, link)
        user = User.objects.get(email=INVITED)
        other = invite("orpah@example.org")
        Invitation.objects.filter(pk=other.pk).update(invited_by=user)
        tokens = log_in(api, user, CHOSEN).json()
        api.post(f"{API}/account/delete/", headers=bearer(tokens["access_token"]))
        User.objects.filter(pk=user.pk).update(
            deletion_requested_at=timezone.now() - dt.timedelta(days=15)
        )

        assert erase_each([user.pk]) == 1

        other.refresh_from_db()
        assert (Invitation.objects.count(), other.invited_by) == (1, None)

    def test_an_open_invitation_to_an_erased_person_ends(self, api: APIClient, link: str) -> None:
        user = unverified_user(email=INVITED, deletion_requested_at=timezone.now())
        User.objects.filter(pk=user.pk).update(
            deletion_requested_at=timezone.now() - dt.timedelta(days=15)
        )

        assert erase_each([user.pk]) == 1
        assert accept(api, link).json()["code"] == "token_invalid"

    def test_a_person_who_never_answers_is_forgotten(
        self, link: str, time_machine: TimeMachineFixture
    ) -> None:
        time_machine.move_to(timezone.now() + dt.timedelta(days=38))

        assert RetentionService.clean("tokens").count >= 1
        assert not Invitation.objects.exists()

    def test_the_copy_of_the_data_has_the_invitation(self, api: APIClient, link: str) -> None:
        accept(api, link)

        copy = dict(personal_data(User.objects.get(email=INVITED)))
        (row,) = copy["invitations"]
        assert (row["email"], row["first_name"]) == (INVITED, "Naomi")
        assert "token" not in row
