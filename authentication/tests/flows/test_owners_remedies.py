"""An owner does what her mails say, and nothing of a thief works or is pending after it.

Each test is a story of fuzz/test_stories.py that once went wrong.
"""

from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings
from rest_framework.test import APIClient
from time_machine import TimeMachineFixture

from authentication.models import AuditLog, PasswordResetToken, SecondFactorRemoval, User
from authentication.tests.api.contests import TARGET, correct, register
from authentication.tests.api.email_changes import NEW, UNDO, request_change
from authentication.tests.api.passwords import confirm_reset
from authentication.tests.api.reauthentication import reauthenticate
from authentication.tests.api.second_factor import CONFIRM, begin_setup
from authentication.tests.api.sessions import session_id
from authentication.tests.api.taking_back import (
    DISOWN,
    latest,
    make_change,
    move,
    notice,
    reset_status,
    undo_email,
)
from authentication.tests.clients import NEW_PASSWORD, NOON, Tokens, log_in, post_as, sign_in
from authentication.tests.conftest import API, Deliver, bearer, token_in
from authentication.tests.factories import PASSWORD, give_factor
from authentication.tests.removals import boss, has_factor, outcome, request_removal

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.security,
    pytest.mark.integration,
    pytest.mark.time_machine(NOON, tick=False),
]


@pytest.fixture(autouse=True)
def _no_limits(settings: Settings) -> None:
    settings.RATELIMIT_ENABLE = False


def disown(api: APIClient, tokens: Tokens, other: Tokens) -> None:
    """Say, in a session, that the sign-in of another was not you."""
    about = {"event_type": "login", "metadata__session": session_id(other)}
    event = AuditLog.objects.get(**about)
    url = f"{API}/account/activity/{event.pk}/disown/"
    assert post_as(api, tokens, url).status_code == 200


def choose_a_password(api: APIClient, undone: dict[str, Any]) -> None:
    assert reset_status(api, undone["reset_token"]) == 200


class TestSeedOfferedBefore:
    def test_a_reset_voids_it(
        self, api: APIClient, person: User, signed_in: Tokens, delivered: Deliver
    ) -> None:
        thief = sign_in(api, person)
        offered = begin_setup(api, thief)
        move(api, thief, NEW, delivered)
        choose_a_password(api, undo_email(api, notice(delivered(), person.email)))

        stolen = log_in(api, person, NEW_PASSWORD).json()
        answer = post_as(api, stolen, CONFIRM, {"otp": offered.code()})

        assert answer.status_code == 400
        assert not has_factor(person)


class TestRemovalRequestedMeanwhile:
    def test_an_undone_change_of_address_stops_it(
        self,
        api: APIClient,
        person: User,
        delivered: Deliver,
        time_machine: TimeMachineFixture,
    ) -> None:
        staff, factor = boss(email="boss@example.org"), give_factor(person)
        time_machine.shift(60)
        thief = sign_in(api, person, otp=factor.code())
        move(api, thief, NEW, delivered)
        assert "waits for 24 hours" in request_removal(staff, person)[0]

        undo_email(api, notice(delivered(), person.email))

        assert not SecondFactorRemoval.objects.pending().exists()
        assert outcome() == "stopped"
        assert has_factor(person)

    def test_a_change_that_was_not_confirmed_leaves_it_to_its_own_mail(
        self, api: APIClient, person: User, signed_in: Tokens, delivered: Deliver
    ) -> None:
        staff = boss(email="boss@example.org")
        reauthenticate(api, signed_in, password=PASSWORD)
        post_as(api, signed_in, "/api/v1/auth/account/email/", {"email": NEW})
        link = notice(delivered(), person.email)
        give_factor(person)
        request_removal(staff, person)

        undo_email(api, link)

        assert SecondFactorRemoval.objects.pending().exists()


class TestUnsubscribeLinkOfAThief:
    def test_it_changes_nothing_once_the_address_is_undone(
        self, api: APIClient, person: User, signed_in: Tokens, delivered: Deliver
    ) -> None:
        move(api, sign_in(api, person), NEW, delivered)
        log_in(api, User.objects.get(pk=person.pk))
        mailed = [it for it in delivered() if it.to == [NEW] and "New sign-in" in it.subject]
        header = mailed[-1].extra_headers["List-Unsubscribe"]
        choose_a_password(api, undo_email(api, notice(delivered(), person.email)))

        answer = Client().post(header.strip("<>"), {"List-Unsubscribe": "One-Click"})

        assert answer.status_code == 200
        assert User.objects.get(pk=person.pk).notices_stopped_at is None


class TestLinkAboutTheOwnersDevice:
    def test_it_gives_a_thief_nothing_once_the_address_is_undone(
        self,
        api: APIClient,
        person: User,
        delivered: Deliver,
        time_machine: TimeMachineFixture,
    ) -> None:
        owner = sign_in(api, person)
        make_change(api, owner, "notices")
        time_machine.shift(3600)
        thief = sign_in(api, person)
        move(api, thief, NEW, delivered)
        time_machine.shift(11 * 60)  # The thief's proof of identity is over.
        disown(api, thief, owner)
        link = latest(delivered(), NEW, "Sign the device out for good")

        undo_email(api, notice(delivered(), person.email))

        assert api.post(DISOWN, {"token": token_in(link)}).status_code == 400


class TestUndoLinkToAnAddressThatWasCorrected:
    def test_its_reader_gets_no_hold_of_the_account(
        self, api: APIClient, settings: Settings, delivered: Deliver
    ) -> None:
        settings.REQUIRE_EMAIL_VERIFICATION = False
        register(api, PASSWORD)
        user = User.objects.get(email=TARGET)
        request_change(api, sign_in(api, user), NEW)
        link = notice(delivered(), TARGET)
        assert correct(api, TARGET, PASSWORD, "boaz@example.org").status_code == 200

        assert api.post(UNDO, {"token": link}).status_code == 400

        assert not User.objects.get(pk=user.pk).email_verified
        assert log_in(api, User.objects.get(pk=user.pk)).status_code == 200


class TestSquatterWhoMoves:
    """Where unproven accounts may sign in, a squatter asks for another address."""

    @pytest.fixture(autouse=True)
    def _unverified_sign_in(self, settings: Settings) -> None:
        settings.REQUIRE_EMAIL_VERIFICATION = False

    def test_links_to_the_address_are_void_once_the_account_has_left_it(
        self, api: APIClient, delivered: Deliver
    ) -> None:
        register(api, PASSWORD)
        user = User.objects.get(email=TARGET)
        thief = sign_in(api, user)
        move(api, thief, NEW, delivered)

        assert api.post(UNDO, {"token": notice(delivered(), TARGET)}).status_code == 400

        assert User.objects.get(pk=user.pk).email == NEW

    def test_disowning_the_move_does_not_give_an_address_that_was_never_proven(
        self, api: APIClient, delivered: Deliver
    ) -> None:
        register(api, PASSWORD)
        user = User.objects.get(email=TARGET)
        first, second = sign_in(api, user), sign_in(api, user)
        move(api, first, NEW, delivered)
        second = sign_in(api, User.objects.get(pk=user.pk))

        disown(api, second, first)

        user.refresh_from_db()
        assert (user.email, user.email_verified) == (NEW, True)

    def test_the_token_of_an_undone_change_stays_valid_when_all_mails_have_come(
        self, api: APIClient, delivered: Deliver
    ) -> None:
        register(api, PASSWORD)
        thief = sign_in(api, User.objects.get(email=TARGET))
        register(api, NEW_PASSWORD)
        request_change(api, thief, NEW)

        undone = undo_email(api, notice(delivered(), TARGET))
        delivered()

        choose_a_password(api, undone)

    def test_notices_that_were_turned_off_are_on_at_the_first_proof(
        self, api: APIClient, delivered: Deliver
    ) -> None:
        register(api, PASSWORD)
        user = User.objects.get(email=TARGET)
        thief = sign_in(api, user)
        api.put(
            "/api/v1/auth/account/notices/", {"notices": False}, headers=bearer(thief["access"])
        )
        assert User.objects.get(pk=user.pk).notices_stopped_at

        confirm_reset(api, PasswordResetToken.objects.issue(user, at=NOON))

        assert User.objects.get(pk=user.pk).notices_stopped_at is None
