"""Accepting an invitation, and what it meets: registrations, changes, revocations."""

import datetime as dt
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient
from time_machine import TimeMachineFixture

from authentication.models import AuditLog, Consent, EmailChange, Invitation, User
from authentication.services.acted_by import ActedBy
from authentication.services.invitations import InvitationService
from authentication.tests import clients
from authentication.tests.conftest import API, ME, Deliver, bearer
from authentication.tests.factories import UserFactory, unverified_user
from authentication.tests.invitations import ACCEPT, CHOSEN, INVITED, PAGE, accept, invite
from authentication.utils.crypto import digest

from .contests import SQUATTERS, log_in, newest_link, register, reset

pytestmark = pytest.mark.django_db

DONE = (200, "")


@pytest.fixture
def link(delivered: Deliver) -> str:
    """Return the token that was mailed to an invited person."""
    invite(first_name="Naomi", last_name="Moab")
    return newest_link(delivered, INVITED)


def tokens_of(api: APIClient, user: User) -> Any:
    api.cookies.clear()
    return clients.log_in(api, user, CHOSEN).json()


def refused(answer: Any) -> bool:
    return bool(answer.status_code == 400 and answer.json()["code"] == "token_invalid")


class TestAccepting:
    def test_the_account_is_made_and_proven(self, api: APIClient, link: str) -> None:
        assert not User.objects.filter(email=INVITED).exists()

        answer = accept(api, link)

        assert answer.status_code == 200, answer.content
        assert answer.json()["message"] == "Your account is ready. You can sign in now."
        user = User.objects.get(email=INVITED)
        assert (user.first_name, user.last_name, user.email_verified) == ("Naomi", "Moab", True)
        assert user.username.startswith("member-")
        assert log_in(api, CHOSEN, INVITED) == DONE
        events = set(AuditLog.objects.filter(user=user).values_list("event_type", flat=True))
        assert {"registration", "invitation_accepted"} <= events

    def test_a_link_works_once(self, api: APIClient, link: str) -> None:
        accept(api, link)

        assert refused(accept(api, link, "Second-Horse-8"))
        assert log_in(api, CHOSEN, INVITED) == DONE
        assert AuditLog.objects.filter(event_type="invitation_failed").count() == 1

    def test_only_a_digest_is_stored(self, link: str) -> None:
        assert Invitation.objects.get().token == digest(link)

    def test_a_weak_password_does_not_use_up_the_link(self, api: APIClient, link: str) -> None:
        weak = accept(api, link, "short")
        named = accept(api, link, "Naomi-Moab-1")

        assert (weak.status_code, named.status_code) == (400, 400)
        assert "password" in weak.json()["errors"]
        assert not User.objects.filter(email=INVITED).exists()
        assert accept(api, link).status_code == 200

    def test_consents_are_asked_as_at_a_registration(
        self, api: APIClient, link: str, settings: Settings
    ) -> None:
        settings.REQUIRE_CONSENT = True
        consents: dict[str, Any] = {"terms_accepted": True, "privacy_policy_accepted": True}

        refusal = accept(api, link)
        assert set(refusal.json()["errors"]) == set(consents)
        assert accept(api, link, **consents).status_code == 200
        assert Consent.objects.filter(user__email=INVITED).count() == 2

    def test_it_expires_after_seven_days(
        self, api: APIClient, link: str, time_machine: TimeMachineFixture
    ) -> None:
        time_machine.move_to(timezone.now() + dt.timedelta(days=7, seconds=1))

        assert refused(accept(api, link))

    @pytest.mark.parametrize("token", ["x", "", "a" * 43])
    def test_an_unknown_token_is_refused(self, api: APIClient, db: None, token: str) -> None:
        assert accept(api, token).status_code == 400
        assert not User.objects.exists()


class TestPage:
    def test_it_needs_no_script_and_get_spends_nothing(self, link: str) -> None:
        browser = Client()

        for _ in range(2):
            page = browser.get(PAGE, {"token": link}).content.decode()
        assert "Choose a password" in page
        assert INVITED not in page
        assert "Naomi" not in page
        form = {"token": link, "password": CHOSEN, "password_confirm": CHOSEN}
        done = browser.post(PAGE, form, follow=True)

        assert done.redirect_chain[0][1] == 303
        assert "Your account is ready" in done.content.decode()
        assert User.objects.filter(email=INVITED).exists()

    def test_a_form_that_is_sent_twice_works_once(self, link: str) -> None:
        browser = Client()
        browser.get(PAGE, {"token": link})
        form = {"token": link, "password": CHOSEN, "password_confirm": CHOSEN}

        answers = [browser.post(PAGE, form) for _ in range(2)]

        assert [it.status_code for it in answers] == [303, 303]
        assert User.objects.filter(email=INVITED).count() == 1

    def test_mistakes_are_shown_at_once(self, link: str, settings: Settings) -> None:
        settings.REQUIRE_CONSENT = True

        page = Client().post(PAGE, {"token": link, "password": "x", "password_confirm": "y"})

        text = page.content.decode()
        assert page.status_code == 400
        assert "This field is required." in text
        assert f'value="{link}"' in text
        assert "I accept the terms." in text

    def test_a_spent_link_and_none_are_told(self, api: APIClient, link: str) -> None:
        accept(api, link)

        spent = Client().post(PAGE, {"token": link, "password": CHOSEN, "password_confirm": CHOSEN})

        assert "This link no longer works" in spent.content.decode()
        assert "This link is incomplete" in Client().get(PAGE).content.decode()


@pytest.mark.security
class TestStories:
    def test_a_squatter_loses_the_address_and_all_they_stored(
        self, api: APIClient, link: str
    ) -> None:
        register(api, SQUATTERS, INVITED, first_name="Mallory", terms_accepted=True)

        assert accept(api, link).status_code == 200

        user = User.objects.get(email=INVITED)
        assert (user.first_name, user.email_verified, user.contested_at) == ("Naomi", True, None)
        assert log_in(api, CHOSEN, INVITED) == DONE
        assert log_in(api, SQUATTERS, INVITED)[0] == 401
        assert not Consent.objects.exists()

    def test_a_squatter_who_registers_before_the_invitation(
        self, api: APIClient, delivered: Deliver
    ) -> None:
        register(api, SQUATTERS, INVITED)
        invite()

        assert accept(api, newest_link(delivered, INVITED)).status_code == 200
        assert log_in(api, SQUATTERS, INVITED)[0] == 401

    def test_a_person_who_registered_and_proved_it_meanwhile(
        self, api: APIClient, link: str, delivered: Deliver
    ) -> None:
        own = "Naomis-Own-Horse-5"
        register(api, own, INVITED)
        api.post(f"{API}/email/verify/", {"token": newest_link(delivered, INVITED)})

        assert refused(accept(api, link))
        assert log_in(api, own, INVITED) == DONE

    def test_the_older_verification_link_is_void_after_the_acceptance(
        self, api: APIClient, link: str, delivered: Deliver
    ) -> None:
        register(api, SQUATTERS, INVITED)
        verification = newest_link(delivered, INVITED)
        accept(api, link)

        assert api.post(f"{API}/email/verify/", {"token": verification}).status_code == 400
        assert log_in(api, CHOSEN, INVITED) == DONE

    def test_a_member_who_moved_to_the_address(
        self, api: APIClient, link: str, person: User
    ) -> None:
        User.objects.filter(pk=person.pk).update(email=INVITED, email_canonical=INVITED)

        assert refused(accept(api, link))
        assert User.objects.get(email=INVITED).pk == person.pk

    def test_an_address_that_a_member_can_still_take_back(
        self, api: APIClient, link: str, person: User
    ) -> None:
        EmailChange.objects.create(
            user=person,
            old_email=INVITED,
            new_email=person.email,
            confirmed_at=timezone.now(),
        )

        assert refused(accept(api, link))
        assert not User.objects.filter(email=INVITED).exists()

    def test_an_invitation_that_is_revoked_while_the_page_is_open(
        self, api: APIClient, link: str
    ) -> None:
        browser = Client()
        browser.get(PAGE, {"token": link})
        InvitationService.revoke(Invitation.objects.get(), by=ActedBy(None))

        form = {"token": link, "password": CHOSEN, "password_confirm": CHOSEN}
        assert "no longer works" in browser.post(PAGE, form).content.decode()
        assert not User.objects.filter(email=INVITED).exists()

    def test_two_inviters_and_the_newer_link_counts(
        self, api: APIClient, link: str, delivered: Deliver
    ) -> None:
        invite(actor=UserFactory(is_staff=True, is_superuser=True))
        newer = newest_link(delivered, INVITED)

        assert refused(accept(api, link))
        assert accept(api, newer).status_code == 200

    def test_an_inviter_who_has_left_changes_nothing(
        self, api: APIClient, delivered: Deliver
    ) -> None:
        inviter = UserFactory(is_staff=True, is_superuser=True)
        invite(actor=inviter)
        token = newest_link(delivered, INVITED)
        User.objects.filter(pk=inviter.pk).update(is_staff=False, is_superuser=False)
        User.objects.filter(pk=inviter.pk).delete()

        assert Invitation.objects.get().invited_by is None
        assert accept(api, token).status_code == 200

    def test_the_reader_of_the_mailbox_takes_back_a_link_that_was_forwarded(
        self, api: APIClient, link: str, delivered: Deliver
    ) -> None:
        accept(api, link, SQUATTERS)
        api.post(f"{API}/password/reset/", {"email": INVITED})

        assert reset(api, newest_link(delivered, INVITED), CHOSEN) == 200
        assert log_in(api, SQUATTERS, INVITED)[0] == 401
        assert log_in(api, CHOSEN, INVITED) == DONE

    def test_a_disabled_account_is_not_opened(self, api: APIClient, link: str) -> None:
        user = unverified_user(email=INVITED, is_active=False)

        assert refused(accept(api, link))
        assert not User.objects.get(pk=user.pk).email_verified


def test_the_profile_works_at_once(api: APIClient, link: str) -> None:
    accept(api, link)
    tokens = tokens_of(api, User.objects.get(email=INVITED))

    assert api.get(ME, headers=bearer(tokens["access_token"])).status_code == 200
    assert api.get(ACCEPT).status_code == 405
