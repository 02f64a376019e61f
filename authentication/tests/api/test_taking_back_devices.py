"""Disowning a device takes back what was changed on it; enrolling wants the password."""

from typing import Any

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient
from time_machine import TimeMachineFixture

from authentication.models import AuditLog, SecondFactor, User
from authentication.tests.answers import LINK_INVALID, assert_problem, invalid, refusal_of
from authentication.tests.clients import (
    NEW_PASSWORD,
    NOON,
    WRONG_PASSWORD,
    Tokens,
    post_as,
    sign_in,
    use_access,
)
from authentication.tests.conftest import API, ME, Deliver, bearer, forget_cached, token_in
from authentication.tests.factories import PASSWORD
from authentication.tests.limits import set_limits

from .email_changes import NEW, mail_to
from .profile import update_profile
from .reauthentication import reauthenticate
from .second_factor import SETUP, begin_setup, set_up_factor
from .taking_back import (
    DISOWN,
    NOTICES,
    SUBJECTS,
    UNDO_CHANGE,
    in_force,
    latest,
    make_every_change,
    move,
    stop_notices,
)

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.security,
    pytest.mark.time_machine(NOON, tick=False),
]
NEW_DEVICE = "New sign-in to your account"
ELEVEN_MINUTES = 660


@pytest.fixture
def _no_limits(settings: Settings) -> None:
    settings.RATELIMIT_ENABLE = False
    forget_cached()


@pytest.fixture
def thief(api: APIClient, person: User, signed_in: Tokens, _no_limits: None) -> Tokens:
    """Return the tokens of a thief who signed in with the password after the owner had."""
    return sign_in(api, person)


def sign_in_of(tokens: Tokens, api: APIClient) -> str:
    """Return the id of the event of a session's sign-in, as its owner sees it."""
    listed = api.get(f"{API}/account/activity/", headers=bearer(tokens["access"])).json()
    return next(
        str(it["id"]) for it in listed["events"] if it["event"] == "login" and it["is_current"]
    )


def disown(api: APIClient, tokens: Tokens, event: str) -> int:
    return int(post_as(api, tokens, f"{API}/account/activity/{event}/disown/").status_code)


class TestMailedLink:
    def test_it_takes_back_everything_made_on_the_device(
        self, api: APIClient, person: User, thief: Tokens, delivered: Deliver
    ) -> None:
        link = token_in(mail_to(delivered(), person.email))
        move(api, thief, NEW, delivered)
        make_every_change(api, thief)

        answer = api.post(DISOWN, {"token": link})

        assert answer.status_code == 200
        assert in_force(person) == set()
        assert use_access(api, thief) == 401

    def test_it_takes_back_what_later_sessions_made_and_ends_them(
        self, api: APIClient, person: User, thief: Tokens, delivered: Deliver
    ) -> None:
        link = token_in(mail_to(delivered(), person.email))
        change = {"old_password": PASSWORD, "new_password": NEW_PASSWORD}
        renewed = post_as(api, thief, f"{API}/password/change/", change).json()
        assert update_profile(api, renewed, {"username": "thief"}).status_code == 200

        api.post(DISOWN, {"token": link})

        assert in_force(person) == set()
        assert use_access(api, renewed) == 401

    def test_it_keeps_what_was_made_before(
        self,
        api: APIClient,
        person: User,
        signed_in: Tokens,
        delivered: Deliver,
        time_machine: TimeMachineFixture,
    ) -> None:
        update_profile(api, signed_in, {"username": "ruth.moab"})
        time_machine.shift(60)
        sign_in(api, person)

        api.post(DISOWN, {"token": token_in(latest(delivered(), person.email, NEW_DEVICE))})

        assert in_force(person) == {"username"}
        assert use_access(api, signed_in) == 200

    def test_links_about_what_it_takes_back_are_void(
        self, api: APIClient, person: User, thief: Tokens, delivered: Deliver
    ) -> None:
        update_profile(api, thief, {"username": "thief"})
        mails = delivered()
        api.post(DISOWN, {"token": token_in(latest(mails, person.email, NEW_DEVICE))})

        later = token_in(latest(mails, person.email, SUBJECTS["username"]))

        assert refusal_of(api.post(UNDO_CHANGE, {"token": later})) == LINK_INVALID


class TestInASession:
    def test_with_a_recent_proof_it_takes_back_at_once(
        self, api: APIClient, person: User, signed_in: Tokens, thief: Tokens
    ) -> None:
        update_profile(api, thief, {"username": "thief"})
        stop_notices(api, thief)

        assert disown(api, signed_in, sign_in_of(thief, api)) == 200
        assert in_force(person) == set()
        event = AuditLog.objects.get(event_type="session_disowned")
        assert set(event.metadata["undone"]) == {"username", "notices"}

    def test_it_keeps_what_the_session_that_asks_has_made(
        self, api: APIClient, person: User, signed_in: Tokens, thief: Tokens
    ) -> None:
        update_profile(api, signed_in, {"username": "ruth.moab"})
        stop_notices(api, thief)

        assert disown(api, signed_in, sign_in_of(thief, api)) == 200
        assert in_force(person) == {"username"}

    def test_without_one_the_mailed_link_takes_back(
        self, api: APIClient, person: User, signed_in: Tokens, thief: Tokens, delivered: Deliver
    ) -> None:
        event = sign_in_of(thief, api)
        # From now on the owner's session would need a code of the thief's app.
        set_up_factor(api, thief)

        assert disown(api, signed_in, event) == 200
        assert in_force(person) == {"second_factor"}
        assert use_access(api, thief) == 401
        link = token_in(latest(delivered(), person.email, "Sign the device out for good"))

        assert api.post(DISOWN, {"token": link}).status_code == 200
        assert in_force(person) == set()

    def test_a_stolen_session_cannot_remove_the_owners_second_factor(
        self, api: APIClient, person: User, signed_in: Tokens, thief: Tokens
    ) -> None:
        set_up_factor(api, signed_in)

        assert disown(api, thief, sign_in_of(signed_in, api)) == 200
        assert in_force(person) == {"second_factor"}


class TestEnrolling:
    def test_it_wants_the_password(self, api: APIClient, signed_in: Tokens) -> None:
        assert refusal_of(post_as(api, signed_in, SETUP)) == invalid(
            password=["This field is required."]
        )
        assert not SecondFactor.objects.exists()

    def test_a_wrong_password_is_refused_and_counted(
        self, api: APIClient, person: User, signed_in: Tokens
    ) -> None:
        answers = [post_as(api, signed_in, SETUP, {"password": WRONG_PASSWORD}) for _ in range(5)]

        assert [refusal_of(answer) for answer in answers] == [
            invalid(password=["This is not your current password."])
        ] * 5
        assert_problem(
            post_as(api, signed_in, SETUP, {"password": PASSWORD}), 403, "account_locked"
        )
        assert not SecondFactor.objects.exists()

    def test_a_password_without_a_recent_proof_is_not_enough(
        self, api: APIClient, signed_in: Tokens, time_machine: TimeMachineFixture
    ) -> None:
        time_machine.shift(ELEVEN_MINUTES)

        answer = post_as(api, signed_in, SETUP, {"password": PASSWORD})

        assert_problem(answer, 403, "reauthentication_required")
        assert reauthenticate(api, signed_in, password=PASSWORD).status_code == 200
        assert begin_setup(api, signed_in)


class TestRecentProof:
    def test_another_username_needs_one(
        self, api: APIClient, person: User, signed_in: Tokens, time_machine: TimeMachineFixture
    ) -> None:
        time_machine.shift(ELEVEN_MINUTES)
        same = {"username": person.username, "display_name": "Ruth"}

        refused = update_profile(api, signed_in, {"username": "thief", "display_name": "T"})

        assert_problem(refused, 403, "reauthentication_required")
        assert in_force(person) == set()
        assert update_profile(api, signed_in, same).status_code == 200

    def test_turning_notices_off_needs_one_and_turning_them_on_does_not(
        self, api: APIClient, person: User, signed_in: Tokens, time_machine: TimeMachineFixture
    ) -> None:
        stop_notices(api, signed_in)
        time_machine.shift(ELEVEN_MINUTES)
        on: dict[str, Any] = {"notices": True}

        answer = api.put(NOTICES, on, headers=bearer(signed_in["access"]))

        assert (answer.status_code, in_force(person)) == (200, set())
        assert_problem(stop_notices(api, signed_in), 403, "reauthentication_required")
        assert in_force(person) == set()

    def test_notices_that_are_off_already_are_mailed_once(
        self, api: APIClient, person: User, signed_in: Tokens, delivered: Deliver
    ) -> None:
        stop_notices(api, signed_in)
        stop_notices(api, signed_in)

        assert [it.subject for it in delivered()] == [SUBJECTS["notices"]]


def test_changes_of_the_profile_are_limited(
    api: APIClient, signed_in: Tokens, settings: Settings
) -> None:
    set_limits(settings, profile="1/h")

    statuses = [
        api.patch(ME, {"display_name": "R"}, headers=bearer(signed_in["access"])).status_code
        for _ in range(2)
    ]

    assert statuses == [200, 429]
