"""Security mails to the address that an account had, while the change can still be undone."""

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient
from time_machine import TimeMachineFixture

from authentication.models import OutgoingEmail, User
from authentication.services import EmailService
from authentication.tests.clients import NEW_PASSWORD, NOON, Tokens, post_as, sign_in
from authentication.tests.conftest import API, Deliver, token_in
from authentication.tests.factories import PASSWORD

from .email_changes import NEW, mail_to, request_change
from .profile import update_profile
from .taking_back import SUBJECTS, in_force, latest, move, notice, undo_email

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOON, tick=False)]
CHANGED = "Your password was changed"
THIRD = "third@example.net"


@pytest.fixture(autouse=True)
def _no_limits(settings: Settings) -> None:
    settings.RATELIMIT_ENABLE = False


def subjects_to(delivered: Deliver, address: str) -> list[str]:
    # A copy is queued when the first mail is sent.
    delivered()
    return [str(mail.subject) for mail in delivered() if mail.to == [address]]


def change_password(api: APIClient, tokens: Tokens) -> Tokens:
    change = {"old_password": PASSWORD, "new_password": NEW_PASSWORD}
    renewed: Tokens = post_as(api, tokens, f"{API}/password/change/", change).json()
    return renewed


def test_a_security_mail_goes_to_both_and_the_copy_brings_the_old_address_back(
    api: APIClient, person: User, signed_in: Tokens, delivered: Deliver
) -> None:
    move(api, signed_in, NEW, delivered)

    change_password(api, signed_in)

    assert subjects_to(delivered, NEW)[-1] == CHANGED
    assert subjects_to(delivered, person.email)[-1] == CHANGED
    copy = latest(delivered(), person.email, CHANGED)
    assert "bring" in str(copy.body)
    undo_email(api, token_in(copy))
    assert in_force(person) == set()


def test_each_former_address_gets_a_copy_about_its_own_change(
    api: APIClient, person: User, signed_in: Tokens, delivered: Deliver
) -> None:
    move(api, signed_in, NEW, delivered)
    move(api, signed_in, THIRD, delivered)
    update_profile(api, signed_in, {"username": "thief"})

    for address in (person.email, NEW, THIRD):
        assert subjects_to(delivered, address)[-1] == SUBJECTS["username"]
    undo_email(api, token_in(latest(delivered(), NEW, SUBJECTS["username"])))
    assert User.objects.get(pk=person.pk).email == NEW
    undo_email(api, token_in(latest(delivered(), person.email, SUBJECTS["username"])))
    assert in_force(person) == set()


def test_the_notice_of_a_second_change_goes_to_the_first_address_too(
    api: APIClient, person: User, signed_in: Tokens, delivered: Deliver
) -> None:
    move(api, signed_in, NEW, delivered)
    request_change(api, signed_in, THIRD)

    assert subjects_to(delivered, person.email) == ["Your email address is about to change"] * 2


def test_notices_that_the_new_owner_turned_off_still_go_to_the_former_address(
    api: APIClient, person: User, signed_in: Tokens, delivered: Deliver
) -> None:
    move(api, signed_in, NEW, delivered)
    User.objects.filter(pk=person.pk).update(notices_stopped_at=NOON)

    sign_in(api, User.objects.get(pk=person.pk))

    assert "New sign-in to your account" in subjects_to(delivered, person.email)
    assert "New sign-in to your account" not in subjects_to(delivered, NEW)


@pytest.mark.parametrize("path", ["password/reset", "account/export"])
def test_links_that_the_new_address_asked_for_are_not_copied(
    api: APIClient, person: User, signed_in: Tokens, delivered: Deliver, path: str
) -> None:
    move(api, signed_in, NEW, delivered)
    before = subjects_to(delivered, person.email)

    post_as(api, signed_in, f"{API}/{path}/", {"email": NEW})

    assert subjects_to(delivered, person.email) == before


def test_no_copy_is_sent_once_the_change_is_undone_or_seven_days_old(
    api: APIClient,
    person: User,
    signed_in: Tokens,
    delivered: Deliver,
    time_machine: TimeMachineFixture,
) -> None:
    move(api, signed_in, NEW, delivered)
    time_machine.shift(7 * 86_400)
    change_password(api, sign_in(api, User.objects.get(pk=person.pk)))

    assert CHANGED not in subjects_to(delivered, person.email)


def test_a_mail_sent_late_goes_to_the_address_it_was_queued_for(
    api: APIClient,
    person: User,
    signed_in: Tokens,
    delivered: Deliver,
    time_machine: TimeMachineFixture,
) -> None:
    request_change(api, signed_in, NEW)
    delivered()
    EmailService.queue("username_changed", user_id=person.pk)
    late = OutgoingEmail.objects.get(kind="username_changed")
    OutgoingEmail.objects.filter(pk=late.pk).update(next_attempt_at=NOON.replace(hour=13))
    time_machine.shift(60)
    api.post(f"{API}/account/email/confirm/", {"token": token_in(mail_to(delivered(), NEW))})
    time_machine.shift(3600)

    assert SUBJECTS["username"] in subjects_to(delivered, person.email)
    assert SUBJECTS["username"] not in subjects_to(delivered, NEW)


def test_copies_of_one_kind_are_limited_and_those_of_another_are_not(
    api: APIClient, person: User, signed_in: Tokens, delivered: Deliver
) -> None:
    move(api, signed_in, NEW, delivered)
    for number in range(5):
        update_profile(api, signed_in, {"username": f"thief{number}"})
        delivered()

    found = subjects_to(delivered, person.email)
    change_password(api, signed_in)

    assert found.count(SUBJECTS["username"]) == 3
    assert CHANGED in subjects_to(delivered, person.email)


def test_a_mail_that_is_tried_again_is_copied_once(
    api: APIClient, person: User, signed_in: Tokens, delivered: Deliver
) -> None:
    move(api, signed_in, NEW, delivered)
    update_profile(api, signed_in, {"username": "thief"})
    delivered()
    OutgoingEmail.objects.filter(kind="username_changed").update(status="queued", sent_at=None)
    OutgoingEmail.objects.update(next_attempt_at=NOON)

    assert subjects_to(delivered, person.email).count(SUBJECTS["username"]) == 1
    assert notice(delivered(), person.email)
