"""An unproven address that is registered more than once: its proof decides who owns the account."""

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient
from time_machine import TimeMachineFixture

from authentication.models import (
    AuditLog,
    Consent,
    EmailVerificationToken,
    KnownCountry,
    StaffNote,
    User,
    UserProfile,
    UserSession,
)
from authentication.tests.answers import LINK_INVALID, refusal_of
from authentication.tests.clients import NEW_PASSWORD, Tokens, page_browser, submit_form, use_access
from authentication.tests.conftest import API, ME, Deliver, bearer
from authentication.tests.factories import unverified_user

from .contests import (
    OWNERS,
    SQUATTERS,
    TARGET,
    exchange,
    log_in,
    newest_link,
    register,
    reset,
    subjects,
    verify,
)

CONFIRM, CHOOSE = "Confirm your email address", "Please choose a password"
UNPROVEN, WRONG = (403, "email_not_verified"), (401, "invalid_credentials")

pytestmark = [pytest.mark.django_db, pytest.mark.security]


@pytest.fixture(autouse=True)
def _no_limits(settings: Settings) -> None:
    settings.RATELIMIT_ENABLE = False


@pytest.mark.parametrize("order", [(SQUATTERS, OWNERS), (OWNERS, SQUATTERS)])
def test_the_reader_of_the_mail_owns_a_contested_account_and_no_password_of_before_works(
    api: APIClient, delivered: Deliver, order: tuple[str, str]
) -> None:
    for password in order:
        register(api, password)
    assert log_in(api, order[0]) == UNPROVEN

    verified = verify(api, newest_link(delivered))
    entered = exchange(api, verified)

    assert (verified.status_code, entered.status_code) == (200, 200)
    assert entered.json()["first_login"] is True
    assert [log_in(api, password) for password in order] == [WRONG, WRONG]
    assert subjects(delivered) == [CONFIRM, CONFIRM, CHOOSE]
    assert reset(api, newest_link(delivered), OWNERS) == 200
    assert log_in(api, OWNERS) == (200, "")
    assert log_in(api, SQUATTERS) == WRONG
    assert User.objects.count() == 1


def test_the_countries_of_earlier_uses_are_forgotten(api: APIClient, delivered: Deliver) -> None:
    register(api, SQUATTERS)
    register(api, OWNERS)
    now = timezone.now()
    KnownCountry.objects.create(
        user=User.objects.get(),
        country="DE",
        ip_address="91.64.0.7",
        created_at=now,
        last_used_at=now,
    )

    verify(api, newest_link(delivered))

    assert not KnownCountry.objects.exists()


def test_a_link_of_the_first_registration_proves_the_address_too(
    api: APIClient, delivered: Deliver
) -> None:
    register(api, OWNERS)
    link = newest_link(delivered)
    register(api, SQUATTERS)

    assert verify(api, link).status_code == 200

    assert [log_in(api, it) for it in (OWNERS, SQUATTERS)] == [WRONG, WRONG]
    assert subjects(delivered) == [CONFIRM, CHOOSE]


def test_the_same_password_again_mails_the_link_again_and_contests_nothing(
    api: APIClient, delivered: Deliver
) -> None:
    register(api, OWNERS, first_name="Naomi")
    first = newest_link(delivered)
    register(api, OWNERS, email=TARGET.upper())

    assert subjects(delivered) == [CONFIRM, CONFIRM]
    assert verify(api, first).status_code == 400
    assert verify(api, newest_link(delivered)).status_code == 200
    assert log_in(api, OWNERS) == (200, "")
    assert User.objects.get().first_name == "Naomi"
    assert CHOOSE not in subjects(delivered)


def test_a_contested_account_stays_contested_after_its_first_password_again(
    api: APIClient, delivered: Deliver
) -> None:
    for password in (SQUATTERS, OWNERS, SQUATTERS):
        register(api, password)

    verify(api, newest_link(delivered))

    assert [log_in(api, it) for it in (OWNERS, SQUATTERS)] == [WRONG, WRONG]


def test_a_reset_resolves_a_contested_account_with_the_password_of_the_reset(
    api: APIClient, delivered: Deliver
) -> None:
    register(api, SQUATTERS, first_name="Call 0190", terms_accepted=True)
    register(api, OWNERS)
    link = newest_link(delivered)
    api.post(f"{API}/password/reset/", {"email": TARGET})

    assert reset(api, newest_link(delivered), NEW_PASSWORD) == 200

    assert log_in(api, NEW_PASSWORD) == (200, "")
    assert [log_in(api, it) for it in (OWNERS, SQUATTERS)] == [WRONG, WRONG]
    assert refusal_of(verify(api, link)) == LINK_INVALID
    assert CHOOSE not in subjects(delivered)
    assert User.objects.get().first_name == ""


def test_names_and_consents_of_a_contested_account_are_cleared_and_its_username_stays(
    api: APIClient, delivered: Deliver
) -> None:
    names = {"first_name": "Call 0190", "last_name": "Evil", "display_name": "Call 0190"}
    register(api, SQUATTERS, username="first.name", terms_accepted=True, **names)
    register(api, OWNERS, username="second.name", first_name="Naomi")

    entered: Tokens = exchange(api, verify(api, newest_link(delivered))).json()

    profile = api.get(ME, headers=bearer(entered["access"])).json()
    assert profile["username"] == "first.name"
    assert "0190" not in str(profile)
    user = User.objects.get()
    assert (user.first_name, user.last_name, user.terms_version) == ("", "", "")
    assert user.terms_accepted_at is None
    assert not Consent.objects.exists()


def test_the_person_is_asked_for_consent_where_it_is_required(
    api: APIClient, delivered: Deliver, settings: Settings
) -> None:
    settings.REQUIRE_CURRENT_CONSENT = True
    both: dict[str, Any] = {"terms_accepted": True, "privacy_policy_accepted": True}
    for password in (SQUATTERS, OWNERS):
        register(api, password, **both)
    verified = verify(api, newest_link(delivered))

    assert exchange(api, verified).json()["code"] == "consent_required"
    assert exchange(api, verified, **both).status_code == 200


def test_a_squatter_with_a_session_keeps_nothing(
    api: APIClient, delivered: Deliver, settings: Settings
) -> None:
    settings.REQUIRE_EMAIL_VERIFICATION = False
    register(api, SQUATTERS)
    tokens = api.post(f"{API}/login/", {"email": TARGET, "password": SQUATTERS}).json()
    api.post(f"{API}/account/email/", {"email": "x@example.org"}, headers=bearer(tokens["access"]))
    api.post(f"{API}/account/export/", headers=bearer(tokens["access"]))
    chosen = {"timezone": "Asia/Tokyo", "visibility": "members"}
    assert api.patch(ME, chosen, headers=bearer(tokens["access"])).status_code == 200
    StaffNote.objects.create(user=User.objects.get(), text="Called us names.")
    User.objects.update(deletion_receipt="0" * 64)
    register(api, OWNERS)
    shown = api.get(f"{API}/account/activity/", headers=bearer(tokens["access"]))
    assert "registration_duplicate" not in str(shown.json())

    verified = verify(api, newest_link(delivered))

    assert use_access(api, tokens) == 401
    assert not UserSession.objects.filter(is_active=True).exists()
    assert verify(api, newest_link(delivered, "x@example.org")).status_code == 400
    profile = UserProfile.objects.get()
    assert (profile.timezone, profile.visibility) == ("UTC", "private")
    assert not StaffNote.objects.exists()
    assert User.objects.get().deletion_receipt == ""
    assert exchange(api, verified).status_code == 200


class TestVoidLinks:
    def test_a_reset_voids_the_link(self, api: APIClient, delivered: Deliver) -> None:
        register(api, OWNERS)
        link = newest_link(delivered)
        api.post(f"{API}/password/reset/", {"email": TARGET})
        assert reset(api, newest_link(delivered), NEW_PASSWORD) == 200

        assert refusal_of(verify(api, link)) == LINK_INVALID

    def test_a_change_of_password_voids_the_link(
        self, api: APIClient, delivered: Deliver, settings: Settings
    ) -> None:
        settings.REQUIRE_EMAIL_VERIFICATION = False
        register(api, OWNERS)
        link = newest_link(delivered)
        tokens = api.post(f"{API}/login/", {"email": TARGET, "password": OWNERS}).json()
        body = {"old_password": OWNERS, "new_password": NEW_PASSWORD}
        changed = api.post(f"{API}/password/change/", body, headers=bearer(tokens["access"]))
        assert changed.status_code == 200

        assert refusal_of(verify(api, link)) == LINK_INVALID
        assert not User.objects.get().email_verified

    def test_a_proven_account_has_no_link_that_signs_in(self, api: APIClient) -> None:
        user = unverified_user(email=TARGET)
        link = EmailVerificationToken.objects.issue(user.pk, email=TARGET, at=timezone.now())
        User.objects.verify_email(user.pk, at=timezone.now())

        answer = verify(api, link)

        assert refusal_of(answer) == LINK_INVALID
        assert "exchange_token" not in answer.json()

    def test_a_link_opened_late_is_void_and_the_account_stays_contested(
        self, api: APIClient, delivered: Deliver, time_machine: TimeMachineFixture
    ) -> None:
        register(api, SQUATTERS)
        register(api, OWNERS)
        link = newest_link(delivered)
        time_machine.move_to(timezone.now() + dt.timedelta(hours=25), tick=False)

        assert refusal_of(verify(api, link)) == LINK_INVALID
        assert log_in(api, SQUATTERS) == UNPROVEN
        api.post(f"{API}/email/resend/", {"email": TARGET})
        assert verify(api, newest_link(delivered)).status_code == 200
        assert log_in(api, SQUATTERS) == WRONG


def test_the_page_of_the_link_says_what_to_do_when_no_password_works(
    api: APIClient, delivered: Deliver
) -> None:
    register(api, SQUATTERS)
    register(api, OWNERS)
    query = {"token": newest_link(delivered)}

    page = submit_form(page_browser(), "/account/verify-email/", query)

    assert "/account/forgot-password/" in page.content.decode()
    assert log_in(api, SQUATTERS) == WRONG


def test_a_second_registration_is_audited_without_the_account_it_is_about(api: APIClient) -> None:
    register(api, SQUATTERS)
    register(api, OWNERS)

    event = AuditLog.objects.get(event_type="registration_duplicate")
    assert event.user is None
    assert event.metadata.keys() == {"name"}
    assert TARGET not in str(event.metadata)


def test_an_unproven_address_is_not_taken_where_enumeration_is_allowed(
    api: APIClient, delivered: Deliver, settings: Settings
) -> None:
    settings.PREVENT_EMAIL_ENUMERATION = False
    for password in (SQUATTERS, OWNERS):
        register(api, password)

    assert verify(api, newest_link(delivered)).status_code == 200
    refused = api.post(f"{API}/register/", {"email": TARGET, "password": OWNERS})
    assert refused.status_code == 400
