"""The page of one person: what it shows, and what staff do there."""

import datetime as dt
import re
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from authentication.models import (
    AuditLog,
    Consent,
    EmailVerificationToken,
    OutgoingEmail,
    SecondFactorRemoval,
    User,
    UserSession,
)
from authentication.services import SecondFactorRemovalService
from authentication.services.acted_by import ActedBy
from authentication.services.admin_pages import STAFF_ACTIONS
from authentication.tests.clients import WRONG_PASSWORD, Tokens, use_access
from authentication.tests.conftest import Deliver, token_in
from authentication.tests.factories import UserFactory, unverified_user

from .roles import actions_on, page_of
from .staff import USERS, ClientOf, MakeStaff, api_login_status, assert_audited, messages_of

pytestmark = pytest.mark.django_db

WHY = "They called the office."


def do(client: Client, user: User, action: str, **fields: str) -> Any:
    """Answer the question of an action with yes."""
    return client.post(f"{page_of(user)}{action}/", {"reason": WHY, **fields}, follow=True)


def text_of(answer: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


class TestPage:
    def test_it_says_who_what_and_when(self, superuser_client: Client, person: User) -> None:
        now = timezone.now()
        User.objects.filter(pk=person.pk).update(
            email_bounced_at=now, deletion_requested_at=now, second_factor_at=now
        )
        UserSession.objects.create(
            user=person, device_name="Ruth's phone", expires_at=now + dt.timedelta(days=1)
        )
        AuditLog.log_event("password_change", user=person)
        OutgoingEmail.objects.create(user=person, kind="new_device", status="dead")
        Consent.objects.create(user=person, document="terms", version="7")

        text = text_of(superuser_client.get(page_of(person)))

        due = timezone.localtime(now + dt.timedelta(days=14))
        for told in (
            person.get_full_name(),
            person.email,
            "mail bounced",
            f"deletion on {due.day} {due:%B}",
            "two-step on",
            "Ruth&#x27;s phone",
            "Changed the password",
            "New device could not be delivered",
            "version 7",
        ):
            assert told in text, told
        assert str(person.pk) not in text

    def test_parts_are_shown_to_staff_who_may_see_their_tables(
        self, client_of: ClientOf, make_staff: MakeStaff, person: User
    ) -> None:
        answer = client_of(make_staff("view_user", "view_consent")).get(page_of(person))

        assert [title for title, *_ in answer.context["parts"]] == ["Consents"]
        assert actions_on(answer) == set()

    def test_only_what_suits_is_offered(self, superuser_client: Client, person: User) -> None:
        proven = actions_on(superuser_client.get(page_of(person)))
        unproven = actions_on(superuser_client.get(page_of(unverified_user())))

        always = {"unlock", "send-reset", "end-sessions", "disable", "delete", "note"}
        assert proven == always | {"role", "start-export"}
        assert unproven == always | {"send-verification", "correct-address"}


class TestActions:
    def test_unlocking_takes_a_question_and_one_answer(
        self, superuser_client: Client, superuser: User, api: APIClient, person: User
    ) -> None:
        for _ in range(5):
            api_login_status(api, person, WRONG_PASSWORD)
        asked = superuser_client.get(f"{page_of(person)}unlock/")
        assert asked.status_code == 200
        assert api_login_status(api, person) == 403

        answer = do(superuser_client, person, "unlock")

        assert messages_of(answer) == ["Unlocked."]
        assert answer.redirect_chain == [(page_of(person), 302)]
        assert_audited("account_unlocked", actor=superuser, target=person, reason=WHY)
        assert f"Staff unlocked the account by {superuser.get_full_name()}" in text_of(answer)
        assert api_login_status(api, person) == 200

    def test_a_deed_stands_in_the_history(self, superuser_client: Client, person: User) -> None:
        do(superuser_client, person, "end-sessions")

        assert f"Signed out everywhere. {WHY}" in text_of(
            superuser_client.get(f"{USERS}{person.pk}/history/")
        )

    def test_every_device_is_signed_out(
        self, superuser_client: Client, api: APIClient, person: User, signed_in: Tokens
    ) -> None:
        do(superuser_client, person, "end-sessions", reason="")

        assert use_access(api, signed_in) == 401
        assert "reason" not in AuditLog.objects.get(event_type="admin_action").metadata

    def test_a_grave_deed_needs_a_reason(self, superuser_client: Client, person: User) -> None:
        answer = do(superuser_client, person, "disable", reason="  ")

        person.refresh_from_db()
        assert person.is_active
        assert "This field is required." in text_of(answer)

    def test_a_disabled_account_is_enabled_again(
        self, superuser_client: Client, superuser: User, person: User
    ) -> None:
        do(superuser_client, person, "disable")
        person.refresh_from_db()
        assert not person.is_active
        assert "enable" in actions_on(superuser_client.get(page_of(person)))

        do(superuser_client, person, "enable")

        person.refresh_from_db()
        assert person.is_active
        events = AuditLog.objects.filter(event_type="admin_action")
        assert {it.metadata["reason"] for it in events} == {WHY}

    def test_the_quota_of_mails_is_told(self, superuser_client: Client, person: User) -> None:
        answers = [do(superuser_client, person, "send-reset") for _ in range(4)]

        assert "is on its way" in messages_of(answers[0])[0]
        assert "This account gets no more mails of this kind for now" in messages_of(answers[3])[0]
        assert LogEntry.objects.count() == 3

    def test_a_removal_is_asked_for_and_confirmed_by_a_second_person(
        self, superuser_client: Client, client_of: ClientOf, person: User
    ) -> None:
        User.objects.filter(pk=person.pk).update(second_factor_at=timezone.now())

        asked = do(superuser_client, person, "remove-factor")
        own = do(superuser_client, person, "confirm-removal")
        second = client_of(UserFactory(is_staff=True, is_superuser=True))
        do(second, person, "confirm-removal")

        assert "confirm-removal" not in actions_on(asked)
        assert "cancel-removal" in actions_on(asked)
        assert "A second member of staff has to confirm it." in messages_of(own)[0]
        person.refresh_from_db()
        assert person.second_factor_at is None

    def test_a_removal_that_is_over_is_told(
        self, superuser_client: Client, superuser: User, person: User
    ) -> None:
        User.objects.filter(pk=person.pk).update(second_factor_at=timezone.now())
        do(superuser_client, person, "remove-factor")
        removal = SecondFactorRemoval.objects.get()
        SecondFactorRemovalService.cancel(removal, by=ActedBy(superuser))

        answer = do(superuser_client, person, "cancel-removal")

        assert messages_of(answer) == ["This removal is over already."]


class TestAddress:
    def test_a_mistyped_address_is_corrected_and_gets_the_link(
        self, superuser_client: Client, superuser: User, delivered: Deliver
    ) -> None:
        user = unverified_user()
        old = EmailVerificationToken.objects.create(
            user=user,
            email=user.email,
            token="x",
            expires_at=timezone.now() + dt.timedelta(days=1),
        )

        do(superuser_client, user, "correct-address", new_email="Naomi@example.org")

        user.refresh_from_db()
        old.refresh_from_db()
        [mail] = delivered()
        assert (user.email, user.email_verified) == ("Naomi@example.org", False)
        assert (mail.to, bool(token_in(mail))) == (["Naomi@example.org"], True)
        assert not EmailVerificationToken.objects.unused().filter(pk=old.pk).exists()
        assert_audited("email_corrected", actor=superuser, target=user, reason=WHY)

    @pytest.mark.parametrize(
        ("address", "told"),
        [
            ("person@@example.org", "Enter a valid email address."),
            ("ruth@example.org", "Another account has this address."),
            ("RUTH@example.org", "Another account has this address."),
        ],
    )
    def test_an_address_that_cannot_be_had_is_told(
        self, superuser_client: Client, address: str, told: str
    ) -> None:
        UserFactory(email="ruth@example.org")
        user = unverified_user()

        answer = do(superuser_client, user, "correct-address", new_email=address)

        assert told in text_of(answer)
        assert User.objects.get(pk=user.pk).email == user.email

    @pytest.mark.security
    def test_a_proven_address_is_changed_by_its_owner_alone(
        self, superuser_client: Client, person: User
    ) -> None:
        answer = do(superuser_client, person, "correct-address", new_email="thief@example.org")

        assert "The person has confirmed this address." in messages_of(answer)[0]
        assert User.objects.get(pk=person.pk).email == person.email

    @pytest.mark.security
    def test_staff_do_not_take_an_account_of_staff_by_its_address(
        self, client_of: ClientOf, make_staff: MakeStaff
    ) -> None:
        target = unverified_user()
        User.objects.filter(pk=target.pk).update(is_staff=True)
        client = client_of(make_staff("view_user", "change_user"))

        answer = do(client, target, "correct-address", new_email="thief@example.org")

        assert "A superuser has to correct its address." in messages_of(answer)[0]
        assert User.objects.get(pk=target.pk).email == target.email


@pytest.mark.security
class TestPermission:
    @pytest.mark.parametrize("name", STAFF_ACTIONS)
    def test_staff_who_may_only_look_do_nothing(
        self, client_of: ClientOf, make_staff: MakeStaff, person: User, name: str
    ) -> None:
        client = client_of(make_staff("view_user", "view_auditlog"))
        before = User.objects.filter(pk=person.pk).values().get()

        answers = [client.get(f"{page_of(person)}{name}/"), do(client, person, name)]

        assert [it.status_code for it in answers] == [403, 403]
        assert User.objects.filter(pk=person.pk).values().get() == before
        assert not AuditLog.objects.exists()

    @pytest.mark.parametrize("name", STAFF_ACTIONS)
    def test_a_superuser_is_out_of_reach_of_other_staff(
        self, client_of: ClientOf, make_staff: MakeStaff, superuser: User, name: str
    ) -> None:
        client = client_of(make_staff("view_user", "change_user", "change_secondfactorremoval"))

        assert do(client, superuser, name, new_email="thief@example.org").status_code == 403
        assert actions_on(client.get(page_of(superuser))) == set()

    def test_nobody_disables_themselves(self, superuser_client: Client, superuser: User) -> None:
        answer = do(superuser_client, superuser, "disable")

        assert "This is your own account." in messages_of(answer)[0]
        assert User.objects.get(pk=superuser.pk).is_active

    def test_a_link_alone_does_nothing(self, superuser_client: Client, person: User) -> None:
        strict = Client(enforce_csrf_checks=True)
        strict.cookies = superuser_client.cookies

        assert superuser_client.get(f"{page_of(person)}disable/?reason=x").status_code == 200
        assert strict.post(f"{page_of(person)}disable/", {"reason": "x"}).status_code == 403
        assert User.objects.get(pk=person.pk).is_active

    @pytest.mark.parametrize("path", ["x/", "unlock-all/"])
    def test_an_unknown_deed_is_a_404(
        self, superuser_client: Client, person: User, path: str
    ) -> None:
        superuser_client.raise_request_exception = False

        assert superuser_client.get(f"{page_of(person)}{path}").status_code == 404
