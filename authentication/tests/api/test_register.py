"""POST /api/v1/auth/register/."""

import uuid

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient

from authentication.models import (
    AuditLog,
    PasswordHistory,
    User,
    UserProfile,
    UserSession,
)
from authentication.tests.clients import Tokens
from authentication.tests.conftest import API, Deliver, bearer, token_in
from authentication.tests.factories import PASSWORD

from .registration import (
    CONSENTS,
    NEWCOMER,
    REGISTER,
    REGISTERED,
    assert_nothing_stored,
    assert_refused,
    register,
)

pytestmark = pytest.mark.django_db


def test_the_request_of_the_contract_creates_an_account(api: APIClient) -> None:
    consents = {"terms_accepted": True, "privacy_policy_accepted": True}
    body = {**NEWCOMER, "username": "naomi", "password_confirm": PASSWORD, **consents}

    answer = api.post(REGISTER, body)

    user = User.objects.get()
    assert answer.status_code == 201
    assert answer.json() == {
        "message": REGISTERED,
        "user_id": str(user.pk),
        "email": "naomi@example.org",
    }
    assert (user.email, user.username, user.first_name, user.last_name) == (
        "naomi@example.org",
        "naomi",
        "Naomi",
        "Bethlehem",
    )
    assert user.terms_accepted_at == user.privacy_policy_accepted_at == user.created_at
    assert (user.email_verified, user.email_verified_at) == (False, None)
    assert (user.is_active, user.is_staff, user.is_superuser) == (True, False, False)
    assert UserProfile.objects.get().user == user
    assert PasswordHistory.objects.get().password_hash == user.password
    assert AuditLog.objects.get(event_type="registration").user == user


def test_four_fields_are_enough(api: APIClient) -> None:
    answer = register(api)

    user = User.objects.get()
    assert answer.status_code == 201
    assert user.username.startswith("member-")
    assert "naomi" not in user.username
    assert (user.terms_accepted_at, user.privacy_policy_accepted_at) == (None, None)


def test_optional_fields_are_kept(api: APIClient) -> None:
    answer = register(api, timezone="Europe/Berlin", display_name="Naomi B.")

    profile = UserProfile.objects.get()
    assert answer.status_code == 201
    assert (profile.timezone, profile.display_name, profile.visibility) == (
        "Europe/Berlin",
        "Naomi B.",
        "private",
    )


def test_names_may_be_empty(api: APIClient) -> None:
    answer = register(api, first_name="", last_name="  ", display_name="")

    user = User.objects.get()
    assert answer.status_code == 201
    assert (user.first_name, user.last_name) == ("", "")


@pytest.mark.parametrize("form", ["json", "multipart", "form"])
def test_json_and_forms_are_accepted(api: APIClient, form: str) -> None:
    yes = True if form == "json" else "true"
    body = {**NEWCOMER, "terms_accepted": yes, "privacy_policy_accepted": yes}

    if form == "form":
        text = "&".join(f"{name}={value}" for name, value in body.items())
        answer = api.post(REGISTER, text, content_type="application/x-www-form-urlencoded")
    else:
        answer = api.post(REGISTER, body, format=form)

    assert answer.status_code == 201, answer.content
    assert User.objects.get().terms_accepted_at


def test_the_mailed_link_verifies_the_address(api: APIClient, delivered: Deliver) -> None:
    register(api)

    [message] = delivered()
    verified = api.post(f"{API}/email/verify/", {"token": token_in(message)})
    assert message.to == ["naomi@example.org"]
    assert verified.status_code == 200
    assert User.objects.get().email_verified


def test_the_mail_goes_to_the_address_as_typed(api: APIClient, delivered: Deliver) -> None:
    register(api, email="Naomi.B+vineyard@GMail.com")

    [message] = delivered()
    assert message.to == ["Naomi.B+vineyard@GMail.com"]
    assert User.objects.get().email_canonical == "naomib@gmail.com"


def test_the_mailed_link_ignores_the_host_of_the_request(
    api: APIClient, delivered: Deliver, settings: Settings
) -> None:
    settings.ALLOWED_HOSTS = ["*"]

    register(api, headers={"Host": "evil.example", "X-Forwarded-Host": "evil.example"})

    [message] = delivered()
    assert settings.BACKEND_URL in str(message.body)
    assert "evil.example" not in str(message.message())


def test_a_registration_starts_no_session(api: APIClient) -> None:
    answer = register(api)

    assert "refresh_token" not in answer.cookies
    assert not UserSession.objects.exists()


def test_the_password_is_stored_as_argon2id(api: APIClient) -> None:
    register(api)

    user = User.objects.get()
    assert user.password.startswith("argon2$argon2id$")
    assert user.check_password(PASSWORD)


def test_unknown_fields_grant_no_rights(api: APIClient) -> None:
    forbidden = {
        "is_staff": True,
        "is_superuser": True,
        "email_verified": True,
        "is_active": False,
        "id": str(uuid.uuid4()),
    }

    answer = register(api, **forbidden, groups=[1], email_canonical="x@example.org")

    user = User.objects.get()
    assert answer.status_code == 201
    assert (user.is_staff, user.is_superuser, user.email_verified, user.is_active) == (
        False,
        False,
        False,
        True,
    )
    assert str(user.pk) != forbidden["id"]
    assert user.email_canonical == "naomi@example.org"


@pytest.mark.parametrize(
    "header", ["Bearer stale.access.token", "Bearer", "Basic dXNlcjpwYXNz", "Bearer \u00fc"]
)
def test_the_authorization_header_is_ignored(api: APIClient, header: str) -> None:
    answer = register(api, headers={"Authorization": header})

    assert answer.status_code == 201
    assert User.objects.count() == 1


def test_a_signed_in_client_may_register_another_account(api: APIClient, signed_in: Tokens) -> None:
    answer = register(api, headers=bearer(signed_in["access"]))

    assert answer.status_code == 201
    assert User.objects.count() == 2


class TestConsent:
    @pytest.mark.parametrize("flag", CONSENTS)
    def test_a_refused_consent_refuses_the_registration(self, api: APIClient, flag: str) -> None:
        answer = register(api, **{flag: False})

        assert_refused(answer, flag)
        assert_nothing_stored()

    @pytest.mark.parametrize("missing", [CONSENTS, CONSENTS[:1], CONSENTS[1:]])
    def test_a_missing_consent_is_refused_where_it_is_mandatory(
        self, api: APIClient, settings: Settings, missing: list[str]
    ) -> None:
        settings.REQUIRE_CONSENT = True

        answer = register(api, **{flag: True for flag in CONSENTS if flag not in missing})

        assert_refused(answer, *missing)
        assert_nothing_stored()

    def test_both_consents_are_enough_where_they_are_mandatory(
        self, api: APIClient, settings: Settings
    ) -> None:
        settings.REQUIRE_CONSENT = True

        answer = register(api, terms_accepted=True, privacy_policy_accepted=True)

        assert answer.status_code == 201

    def test_one_consent_is_recorded_alone(self, api: APIClient) -> None:
        register(api, terms_accepted=True)

        user = User.objects.get()
        assert user.terms_accepted_at is not None
        assert user.privacy_policy_accepted_at is None
