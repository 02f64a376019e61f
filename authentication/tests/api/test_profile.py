"""GET and PATCH /api/v1/profiles/me/."""

import datetime as dt

import pytest
from rest_framework.test import APIClient

from authentication.models import AuditLog, User, UserProfile
from authentication.tests.answers import assert_invalid_fields
from authentication.tests.clients import LOGIN, NEW_PASSWORD, Tokens, get_as, log_in
from authentication.tests.conftest import BROWSER, ME, bearer
from authentication.tests.factories import PASSWORD, UserFactory

from .profile import update_profile

pytestmark = pytest.mark.django_db


def test_a_user_sees_exactly_these_facts(api: APIClient, signed_in: Tokens, person: User) -> None:
    answer = get_as(api, signed_in, ME)

    assert answer.status_code == 200
    assert answer.json() == {
        "id": str(person.pk),
        "email": person.email,
        "username": person.username,
        "first_name": "Ruth",
        "last_name": "Moab",
        "email_verified": True,
        "display_name": "",
        "display_name_or_email": person.username,
        "timezone": "UTC",
        "visibility": "private",
        "profile_visibility": "private",
        "language": "",
        "consents": {"terms_accepted_at": None, "privacy_policy_accepted_at": None},
        "created_at": person.created_at.isoformat().replace("+00:00", "Z"),
        "date_joined": person.created_at.isoformat().replace("+00:00", "Z"),
    }
    assert answer["Cache-Control"] == "no-store"


def test_consents_are_shown_with_their_times(
    api: APIClient, signed_in: Tokens, person: User
) -> None:
    at = dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC)
    User.objects.filter(pk=person.pk).update(terms_accepted_at=at)

    answer = get_as(api, signed_in, ME)

    assert answer.json()["consents"] == {
        "terms_accepted_at": "2026-01-02T03:04:05Z",
        "privacy_policy_accepted_at": None,
    }


def test_a_missing_profile_is_created(api: APIClient, signed_in: Tokens, person: User) -> None:
    UserProfile.objects.all().delete()

    answer = get_as(api, signed_in, ME)

    assert answer.status_code == 200
    assert UserProfile.objects.get().user == person


def test_a_browser_reads_its_profile_with_an_access_token(browser: APIClient, person: User) -> None:
    access = log_in(browser, person).json()["access"]

    answer = browser.get(ME, headers={**BROWSER, **bearer(access)})

    assert (answer.status_code, answer.json()["id"]) == (200, str(person.pk))


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_case_of_the_scheme_is_ignored(
    api: APIClient, signed_in: Tokens, person: User, scheme: str
) -> None:
    answer = api.get(ME, headers={"Authorization": f"{scheme} {signed_in['access']}"})

    assert (answer.status_code, answer.json()["id"]) == (200, str(person.pk))


def other_name(field: str, value: str) -> dict[str, str]:
    """Return the field under which the profile shows a value once more."""
    return {
        "username": {"display_name_or_email": value},
        "display_name": {"display_name_or_email": value},
        "visibility": {"profile_visibility": "community" if value == "members" else value},
    }.get(field, {})


class TestChanges:
    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("username", "new-name"),
            ("first_name", "Naomi"),
            ("first_name", ""),
            ("last_name", "\u05d1\u05d9\u05ea \u05dc\u05d7\u05dd"),
            ("display_name", "Ruth \U0001f33e"),
            ("timezone", "Asia/Jerusalem"),
            ("visibility", "members"),
            ("visibility", "public"),
        ],
    )
    def test_one_field_changes_and_the_others_stay(
        self, api: APIClient, signed_in: Tokens, field: str, value: str
    ) -> None:
        before = get_as(api, signed_in, ME).json()

        answer = update_profile(api, signed_in, {field: value})

        assert answer.status_code == 200
        after = {**before, field: value, **other_name(field, value)}
        assert answer.json() == after
        assert get_as(api, signed_in, ME).json() == after
        event = AuditLog.objects.get(event_type="profile_updated")
        assert event.metadata == {"fields": [field]}

    def test_a_changed_username_signs_in_at_once(
        self, api: APIClient, signed_in: Tokens, person: User
    ) -> None:
        old = person.username

        update_profile(api, signed_in, {"username": "New.Name"})

        statuses = [
            api.post(LOGIN, {"username": name, "password": PASSWORD}).status_code
            for name in ("new.name", old)
        ]
        assert statuses == [200, 401]

    def test_a_username_may_change_its_case(
        self, api: APIClient, signed_in: Tokens, person: User
    ) -> None:
        answer = update_profile(api, signed_in, {"username": person.username.upper()})

        assert answer.json()["username"] == person.username.upper()

    def test_an_empty_change_changes_nothing(self, api: APIClient, signed_in: Tokens) -> None:
        before = get_as(api, signed_in, ME).json()

        answer = update_profile(api, signed_in, {})

        assert (answer.status_code, answer.json()) == (200, before)

    @pytest.mark.parametrize(
        ("field", "value", "place"),
        [
            ("email", "other@example.org", "/api/v1/auth/account/email/"),
            ("password", NEW_PASSWORD, "/api/v1/auth/password/change/"),
            ("new_password", NEW_PASSWORD, "/api/v1/auth/password/change/"),
            ("two_factor_enabled", False, "/api/v1/auth/2fa/"),
            ("terms_accepted", True, "/api/v1/auth/account/consents/"),
            ("consents", {"terms_accepted_at": "2026-11-22T12:00:00Z"}, "account/consents/"),
            ("notices", False, "/api/v1/auth/account/notices/"),
            ("email_verified", False, "here."),
            ("is_staff", True, "here."),
            ("is_superuser", True, "here."),
            ("is_active", False, "here."),
            ("groups", [1], "here."),
            ("id", "0c5ad2c5-0f9e-4a53-a4c5-2b4d6cbf8f10", "here."),
            ("created_at", "2000-01-01T00:00:00Z", "here."),
        ],
    )
    def test_a_field_that_is_changed_elsewhere_is_refused_and_its_endpoint_named(
        self,
        api: APIClient,
        signed_in: Tokens,
        person: User,
        field: str,
        value: object,
        place: str,
    ) -> None:
        before = User.objects.filter(pk=person.pk).values().get()

        answer = update_profile(api, signed_in, {field: value, "first_name": "X"})

        assert_invalid_fields(answer, field)
        assert place in answer.json()["errors"][field][0]
        assert User.objects.filter(pk=person.pk).values().get() == before

    def test_the_whole_profile_may_be_sent_back(self, api: APIClient, signed_in: Tokens) -> None:
        shown = get_as(api, signed_in, ME).json()

        answer = update_profile(api, signed_in, {**shown, "first_name": "Naomi", "is_staff": False})

        assert (answer.status_code, answer.json()) == (200, {**shown, "first_name": "Naomi"})

    def test_unknown_fields_are_ignored(
        self, api: APIClient, signed_in: Tokens, person: User
    ) -> None:
        before = User.objects.filter(pk=person.pk).values().get()

        answer = update_profile(api, signed_in, {"user": 1, "failed_login_attempts": 0, "x": []})

        assert answer.status_code == 200
        assert User.objects.filter(pk=person.pk).values().get() == before

    def test_other_users_are_not_changed(self, api: APIClient, signed_in: Tokens) -> None:
        other = UserFactory()
        before = (
            User.objects.filter(pk=other.pk).values().get(),
            UserProfile.objects.filter(user=other).values().get(),
        )

        update_profile(api, signed_in, {"first_name": "X", "timezone": "Asia/Tokyo"})

        after = (
            User.objects.filter(pk=other.pk).values().get(),
            UserProfile.objects.filter(user=other).values().get(),
        )
        assert after == before

    @pytest.mark.parametrize("form", ["json", "multipart"])
    def test_json_and_forms_are_accepted(
        self, api: APIClient, signed_in: Tokens, form: str
    ) -> None:
        answer = api.patch(
            ME, {"display_name": "Ruth M."}, format=form, headers=bearer(signed_in["access"])
        )

        assert answer.json()["display_name"] == "Ruth M."
