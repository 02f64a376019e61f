"""Stories: what a thief changed is taken back by the links that the owner was mailed."""

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient
from time_machine import TimeMachineFixture

from authentication.models import AuditLog, SensitiveChange, User
from authentication.tests.answers import LINK_INVALID, refusal_of
from authentication.tests.clients import (
    NEW_PASSWORD,
    NOON,
    Tokens,
    log_in,
    page_browser,
    post_as,
    sign_in,
    submit_form,
    use_access,
    use_refresh,
)
from authentication.tests.conftest import API, Deliver, forget_cached, token_in
from authentication.tests.factories import PASSWORD, UserFactory

from .email_changes import CONFIRM, NEW, UNDO, Links, login_status, mail_to, request_change
from .profile import update_profile
from .second_factor import set_up_factor
from .taking_back import (
    DISOWN,
    SUBJECTS,
    UNDO_CHANGE,
    in_force,
    latest,
    make_change,
    make_every_change,
    move,
    notice,
    reset_status,
    undo_email,
)

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.security,
    pytest.mark.time_machine(NOON, tick=False),
]
THIRD = "third@example.net"
for_every_kind = pytest.mark.parametrize("kind", SUBJECTS)


@pytest.fixture(autouse=True)
def _no_limits(settings: Settings) -> None:
    settings.RATELIMIT_ENABLE = False
    forget_cached()


@pytest.fixture
def thief(api: APIClient, person: User, signed_in: Tokens) -> Tokens:
    """Return the tokens of a thief who signed in with the password after the owner had."""
    return sign_in(api, person)


class TestChangeOfAddress:
    def test_the_first_undo_link_works_although_the_thief_undid_a_later_change(
        self, api: APIClient, person: User, thief: Tokens, delivered: Deliver
    ) -> None:
        move(api, thief, NEW, delivered)
        owners = notice(delivered(), person.email)
        move(api, thief, THIRD, delivered)
        given = undo_email(api, notice(delivered(), NEW))["reset_token"]
        assert User.objects.get(pk=person.pk).email == NEW

        mine = undo_email(api, owners)["reset_token"]

        assert in_force(person) == set()
        assert reset_status(api, given) == 400
        assert reset_status(api, mine) == 200
        assert login_status(api, person.email, NEW_PASSWORD) == 200

    def test_the_first_undo_link_works_although_the_thief_cancelled_that_change(
        self, api: APIClient, person: User, thief: Tokens, delivered: Deliver
    ) -> None:
        request_change(api, thief, NEW)
        owners = notice(delivered(), person.email)
        api.delete(f"{API}/account/email/", headers={"Authorization": f"Bearer {thief['access']}"})
        move(api, thief, THIRD, delivered)

        undo_email(api, owners)

        assert in_force(person) == set()

    def test_everything_since_is_taken_back(
        self, api: APIClient, person: User, thief: Tokens, delivered: Deliver
    ) -> None:
        move(api, thief, NEW, delivered)
        request_change(api, thief, THIRD)
        pending = token_in(mail_to(delivered(), THIRD))
        make_every_change(api, thief)
        assert in_force(person) == {"email", *SUBJECTS}

        undo_email(api, notice(delivered(), person.email))

        assert in_force(person) == set()
        assert (use_access(api, thief), use_refresh(api, thief)) == (401, 401)
        assert refusal_of(api.post(CONFIRM, {"token": pending})) == LINK_INVALID
        assert not SensitiveChange.objects.filter(undone_at=None).exists()
        event = AuditLog.objects.get(event_type="email_change_undone")
        assert set(event.metadata["undone"]) == {"email", *SUBJECTS}

    def test_what_its_session_did_before_is_taken_back(
        self,
        api: APIClient,
        person: User,
        thief: Tokens,
        delivered: Deliver,
        time_machine: TimeMachineFixture,
    ) -> None:
        set_up_factor(api, thief)
        update_profile(api, thief, {"username": "thief"})
        time_machine.shift(300)
        move(api, thief, NEW, delivered)

        undo_email(api, notice(delivered(), person.email))

        assert in_force(person) == set()

    def test_what_another_session_did_before_keeps_its_own_link(
        self,
        api: APIClient,
        person: User,
        signed_in: Tokens,
        thief: Tokens,
        delivered: Deliver,
        time_machine: TimeMachineFixture,
    ) -> None:
        update_profile(api, signed_in, {"username": "thief"})
        time_machine.shift(300)
        move(api, thief, NEW, delivered)
        mails = delivered()

        undo_email(api, notice(mails, person.email))
        assert in_force(person) == {"username"}
        link = token_in(latest(mails, person.email, SUBJECTS["username"]))

        assert api.post(UNDO_CHANGE, {"token": link}).status_code == 200
        assert in_force(person) == set()

    def test_links_mailed_to_the_new_address_are_void(
        self, api: APIClient, person: User, thief: Tokens, delivered: Deliver
    ) -> None:
        move(api, thief, NEW, delivered)
        update_profile(api, thief, {"username": "thief"})
        sign_in(api, User.objects.get(pk=person.pk))
        mails = delivered()
        theirs = token_in(latest(mails, NEW, SUBJECTS["username"]))
        device = token_in(latest(mails, NEW, "New sign-in to your account"))

        undo_email(api, notice(mails, person.email))

        assert refusal_of(api.post(UNDO_CHANGE, {"token": theirs})) == LINK_INVALID
        assert refusal_of(api.post(DISOWN, {"token": device})) == LINK_INVALID

    def test_a_reset_by_the_new_address_leaves_the_owners_links(
        self, api: APIClient, person: User, thief: Tokens, delivered: Deliver
    ) -> None:
        device = token_in(mail_to(delivered(), person.email))
        move(api, thief, NEW, delivered)
        undo = notice(delivered(), person.email)
        api.post(f"{API}/password/reset/", {"email": NEW})
        assert reset_status(api, token_in(latest(delivered(), NEW, "Reset your password"))) == 200

        assert api.post(DISOWN, {"token": device}).status_code == 200
        assert in_force(person) == set()
        assert api.post(UNDO, {"token": undo}).status_code == 400


class TestOneChange:
    @for_every_kind
    def test_its_link_undoes_it_and_ends_the_session_that_made_it(
        self,
        api: APIClient,
        person: User,
        signed_in: Tokens,
        thief: Tokens,
        kind: str,
        delivered: Deliver,
    ) -> None:
        make_change(api, thief, kind)
        assert in_force(person) == {kind}
        link = token_in(latest(delivered(), person.email, SUBJECTS[kind]))

        answer = api.post(UNDO_CHANGE, {"token": link})

        assert answer.status_code == 200
        assert in_force(person) == set()
        assert use_access(api, thief) == 401
        # A deletion signs every device out by itself.
        assert use_access(api, signed_in) == (401 if kind == "deletion" else 200)
        assert reset_status(api, answer.json()["reset_token"]) == 200
        event = AuditLog.objects.get(event_type="change_undone")
        assert (event.user, event.metadata["undone"]) == (person, [kind])
        assert refusal_of(api.post(UNDO_CHANGE, {"token": link})) == LINK_INVALID

    @for_every_kind
    def test_its_link_works_after_the_owner_has_reset_the_password(
        self, api: APIClient, person: User, thief: Tokens, kind: str, delivered: Deliver
    ) -> None:
        make_change(api, thief, kind)
        api.post(f"{API}/password/reset/", {"email": person.email})
        mails = delivered()
        assert (
            reset_status(api, token_in(latest(mails, person.email, "Reset your password"))) == 200
        )

        link = token_in(latest(mails, person.email, SUBJECTS[kind]))

        assert api.post(UNDO_CHANGE, {"token": link}).status_code == 200
        assert in_force(person) == set()
        assert log_in(api, person, NEW_PASSWORD).status_code == 200

    @for_every_kind
    def test_its_link_is_refused_after_seven_days(
        self,
        api: APIClient,
        person: User,
        thief: Tokens,
        kind: str,
        delivered: Deliver,
        time_machine: TimeMachineFixture,
    ) -> None:
        make_change(api, thief, kind)
        link = token_in(latest(delivered(), person.email, SUBJECTS[kind]))
        time_machine.shift(7 * 86_400)

        assert refusal_of(api.post(UNDO_CHANGE, {"token": link})) == LINK_INVALID
        assert in_force(person) == {kind}

    def test_the_link_of_the_first_takes_back_later_ones_of_its_kind(
        self, api: APIClient, person: User, thief: Tokens, delivered: Deliver
    ) -> None:
        update_profile(api, thief, {"username": "thief"})
        link = token_in(latest(delivered(), person.email, SUBJECTS["username"]))
        other = sign_in(api, person)
        update_profile(api, other, {"username": "second.thief"})

        api.post(UNDO_CHANGE, {"token": link})

        assert in_force(person) == set()
        assert use_access(api, other) == 401

    def test_a_session_that_replaced_the_one_that_made_it_ends(
        self, api: APIClient, person: User, thief: Tokens, delivered: Deliver
    ) -> None:
        update_profile(api, thief, {"username": "thief"})
        link = token_in(latest(delivered(), person.email, SUBJECTS["username"]))
        change = {"old_password": PASSWORD, "new_password": NEW_PASSWORD}
        renewed = post_as(api, thief, f"{API}/password/change/", change).json()

        api.post(UNDO_CHANGE, {"token": link})

        assert use_access(api, renewed) == 401

    def test_a_username_that_another_account_has_taken_is_not_restored(
        self, api: APIClient, person: User, thief: Tokens, delivered: Deliver
    ) -> None:
        update_profile(api, thief, {"username": "thief"})
        link = token_in(latest(delivered(), person.email, SUBJECTS["username"]))
        UserFactory(username=person.username)

        answer = api.post(UNDO_CHANGE, {"token": link})

        assert answer.status_code == 200
        assert User.objects.get(pk=person.pk).username == "thief"
        assert use_access(api, thief) == 401

    def test_the_page_undoes_it_and_opens_the_reset_form(
        self, api: APIClient, person: User, thief: Tokens, delivered: Deliver, settings: Settings
    ) -> None:
        make_change(api, thief, "username")
        mail = latest(delivered(), person.email, SUBJECTS["username"])
        page = "/account/undo-change/"
        assert f"{settings.BACKEND_URL}{page}?token=" in str(mail.body)

        answer = submit_form(page_browser(), page, {"token": token_in(mail)})

        assert answer["Location"].startswith(f"{settings.BACKEND_URL}/account/reset-password/")
        assert in_force(person) == set()


def test_a_link_of_another_kind_is_refused(api: APIClient, links: Links, person: User) -> None:
    assert refusal_of(api.post(UNDO_CHANGE, {"token": links.undo})) == LINK_INVALID
    assert AuditLog.objects.filter(event_type="change_undo_failed").count() == 1
