"""GET and PATCH /api/v1/profiles/me/."""

import datetime as dt
import json
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient
from time_machine import TimeMachineFixture

from authentication.models import AuditLog, User, UserProfile
from authentication.tests.answers import TOKEN_INVALID, refusal_of, rows
from authentication.tests.clients import Tokens, sign_in
from authentication.tests.conftest import API, BROWSER, ME, bearer
from authentication.tests.factories import PASSWORD, UserFactory

pytestmark = pytest.mark.django_db


def stored() -> dict[str, Any]:
    """Return everything but the sessions, which note that somebody was there."""
    tables = rows()
    del tables["UserSession"]
    return {**tables, "UserProfile": list(UserProfile.objects.order_by("pk").values())}


def test_a_person_sees_themselves(api: APIClient, signed_in: Tokens, person: User) -> None:
    answer = api.get(ME, headers=bearer(signed_in["access"]))

    assert answer.status_code == 200
    assert answer.json() == {
        "id": str(person.pk),
        "email": person.email,
        "username": person.username,
        "first_name": "Ruth",
        "last_name": "Moab",
        "email_verified": True,
        "display_name": "",
        "timezone": "UTC",
        "visibility": "private",
        "consents": {"terms_accepted_at": None, "privacy_policy_accepted_at": None},
        "created_at": person.created_at.isoformat().replace("+00:00", "Z"),
    }
    assert answer["Cache-Control"] == "no-store"


def test_consents_are_shown_with_their_times(
    api: APIClient, signed_in: Tokens, person: User
) -> None:
    at = dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC)
    User.objects.filter(pk=person.pk).update(terms_accepted_at=at)

    answer = api.get(ME, headers=bearer(signed_in["access"]))

    assert answer.json()["consents"] == {
        "terms_accepted_at": "2026-01-02T03:04:05Z",
        "privacy_policy_accepted_at": None,
    }


def test_who_came_without_a_profile_gets_one(
    api: APIClient, signed_in: Tokens, person: User
) -> None:
    UserProfile.objects.all().delete()

    answer = api.get(ME, headers=bearer(signed_in["access"]))

    assert answer.status_code == 200
    assert UserProfile.objects.get().user == person


def test_a_browser_shows_its_access_token_too(browser: APIClient, person: User) -> None:
    access = browser.post(f"{API}/login/", {"email": person.email, "password": PASSWORD}).json()[
        "access"
    ]

    answer = browser.get(ME, headers={**BROWSER, **bearer(access)})

    assert answer.status_code == 200


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_schemes_case_does_not_matter(api: APIClient, signed_in: Tokens, scheme: str) -> None:
    answer = api.get(ME, headers={"Authorization": f"{scheme} {signed_in['access']}"})

    assert answer.status_code == 200


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
        before = api.get(ME, headers=bearer(signed_in["access"])).json()

        answer = api.patch(ME, {field: value}, headers=bearer(signed_in["access"]))

        assert answer.status_code == 200
        assert answer.json() == {**before, field: value}
        assert api.get(ME, headers=bearer(signed_in["access"])).json() == {**before, field: value}
        event = AuditLog.objects.get(event_type="profile_updated")
        assert event.metadata == {"fields": [field]}

    def test_a_changed_username_signs_in_at_once(
        self, api: APIClient, signed_in: Tokens, person: User
    ) -> None:
        old = person.username

        api.patch(ME, {"username": "New.Name"}, headers=bearer(signed_in["access"]))

        for name, status in (("new.name", 200), (old, 401)):
            assert (
                api.post(f"{API}/login/", {"username": name, "password": PASSWORD}).status_code
                == status
            )

    def test_ones_own_username_may_change_its_case(
        self, api: APIClient, signed_in: Tokens, person: User
    ) -> None:
        answer = api.patch(
            ME, {"username": person.username.upper()}, headers=bearer(signed_in["access"])
        )

        assert answer.json()["username"] == person.username.upper()

    def test_nothing_to_change_changes_nothing(self, api: APIClient, signed_in: Tokens) -> None:
        before = api.get(ME, headers=bearer(signed_in["access"])).json()

        answer = api.patch(ME, {}, headers=bearer(signed_in["access"]))

        assert (answer.status_code, answer.json()) == (200, before)

    def test_what_is_not_ones_own_to_change_is_ignored(
        self, api: APIClient, signed_in: Tokens, person: User
    ) -> None:
        before = User.objects.filter(pk=person.pk).values().get()
        wishes = {
            "email": "other@example.org",
            "email_verified": False,
            "is_staff": True,
            "is_superuser": True,
            "is_active": False,
            "password": "Another-Horse-9",
            "id": "0c5ad2c5-0f9e-4a53-a4c5-2b4d6cbf8f10",
            "user": 1,
            "consents": {"terms_accepted_at": None},
            "created_at": "2000-01-01T00:00:00Z",
            "failed_login_attempts": 0,
        }

        answer = api.patch(ME, wishes, headers=bearer(signed_in["access"]))

        assert answer.status_code == 200
        assert User.objects.filter(pk=person.pk).values().get() == before

    def test_nobody_else_changes(self, api: APIClient, signed_in: Tokens) -> None:
        other = UserFactory()
        before = (
            User.objects.filter(pk=other.pk).values().get(),
            UserProfile.objects.filter(user=other).values().get(),
        )

        api.patch(
            ME, {"first_name": "X", "timezone": "Asia/Tokyo"}, headers=bearer(signed_in["access"])
        )

        after = (
            User.objects.filter(pk=other.pk).values().get(),
            UserProfile.objects.filter(user=other).values().get(),
        )
        assert after == before

    @pytest.mark.parametrize("form", ["json", "multipart"])
    def test_json_and_forms_are_read(self, api: APIClient, signed_in: Tokens, form: str) -> None:
        answer = api.patch(
            ME, {"display_name": "Ruth M."}, format=form, headers=bearer(signed_in["access"])
        )

        assert answer.json()["display_name"] == "Ruth M."


class TestRefusals:
    @pytest.mark.parametrize("method", ["GET", "PATCH"])
    @pytest.mark.parametrize(
        "header",
        [
            None,
            "",
            "Bearer",
            "Bearer ",
            "Bearer a b",
            "Bearer garbage",
            "Bearer a.b.c",
            "Basic dXNlcjpwYXNz",
            "Bearer \u00fc",
        ],
    )
    def test_without_a_token_nobody_is_shown(
        self, api: APIClient, signed_in: Tokens, method: str, header: str | None
    ) -> None:
        before = stored()
        headers = {} if header is None else {"Authorization": header}

        answer = api.generic(
            method, ME, '{"first_name": "X"}', content_type="application/json", headers=headers
        )

        assert refusal_of(answer) == TOKEN_INVALID
        assert stored() == before

    def test_a_refresh_token_is_no_access_token(self, api: APIClient, signed_in: Tokens) -> None:
        answer = api.get(ME, headers=bearer(signed_in["refresh"]))

        assert refusal_of(answer) == TOKEN_INVALID

    def test_the_refresh_cookie_shows_nobody(self, browser: APIClient, person: User) -> None:
        browser.post(f"{API}/login/", {"email": person.email, "password": PASSWORD})

        answer = browser.get(ME)

        assert refusal_of(answer) == TOKEN_INVALID

    def test_a_token_in_the_address_shows_nobody(self, api: APIClient, signed_in: Tokens) -> None:
        access = signed_in["access"]

        answer = api.get(f"{ME}?access_token={access}&access={access}&token={access}")

        assert refusal_of(answer) == TOKEN_INVALID

    def test_an_expired_token_shows_nobody(
        self, time_machine: TimeMachineFixture, api: APIClient, person: User
    ) -> None:
        time_machine.move_to(timezone.now(), tick=False)
        tokens = sign_in(api, person)
        time_machine.shift(dt.timedelta(minutes=15, seconds=11))

        answer = api.get(ME, headers=bearer(tokens["access"]))

        assert refusal_of(answer) == TOKEN_INVALID

    def test_a_disabled_person_is_refused_at_once(
        self, api: APIClient, signed_in: Tokens, person: User
    ) -> None:
        User.objects.filter(pk=person.pk).update(is_active=False)

        answer = api.patch(ME, {"first_name": "X"}, headers=bearer(signed_in["access"]))

        person.refresh_from_db()
        assert refusal_of(answer) == TOKEN_INVALID
        assert person.first_name == "Ruth"

    @pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
    def test_other_methods_are_not_taken(
        self, api: APIClient, signed_in: Tokens, method: str
    ) -> None:
        answer = api.generic(method, ME, headers=bearer(signed_in["access"]))

        assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
        assert answer["Allow"] == "GET, PATCH, HEAD, OPTIONS"


class TestMalformed:
    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("username", ""),
            ("username", "ab"),
            ("username", "x" * 31),
            ("username", "ru th"),
            ("username", "ruth@home"),
            ("username", "admin"),
            ("username", "r\u0443th"),
            ("first_name", "x" * 151),
            ("last_name", "x" * 151),
            ("display_name", "x" * 81),
            ("display_name", "a\x00b"),
            ("display_name", "a\u202eb"),
            ("first_name", "a\ud800b"),
            ("timezone", ""),
            ("timezone", "Mars/Olympus"),
            ("timezone", "../../etc/passwd"),
            ("visibility", ""),
            ("visibility", "everyone"),
            ("visibility", "PRIVATE"),
        ],
    )
    def test_a_value_that_does_not_fit_changes_nothing(
        self, api: APIClient, signed_in: Tokens, field: str, value: str
    ) -> None:
        before = stored()
        asked = json.dumps({"last_name": "Bethlehem", field: value})

        answer = api.patch(
            ME, asked, content_type="application/json", headers=bearer(signed_in["access"])
        )

        assert (answer.status_code, answer.json()["code"]) == (400, "validation_error")
        assert answer.json()["errors"].keys() == {field}
        assert stored() == before

    @pytest.mark.parametrize(
        "field", ["username", "first_name", "last_name", "display_name", "timezone", "visibility"]
    )
    def test_only_a_string_is_a_text(self, api: APIClient, signed_in: Tokens, field: str) -> None:
        before = stored()

        for value in (None, 1, 1.5, True, [], ["private"], {}, {"private": 1}):
            answer = api.patch(ME, {field: value}, headers=bearer(signed_in["access"]))

            assert (answer.status_code, answer.json()["code"]) == (400, "validation_error")
            assert answer.json()["errors"].keys() == {field}
        assert stored() == before

    def test_a_username_somebody_asked_for_with_a_taken_address_is_taken(
        self, api: APIClient, signed_in: Tokens
    ) -> None:
        other = UserFactory()
        api.post(
            f"{API}/register/",
            {"email": other.email, "password": "Another-Horse-7", "username": "naomi"},
        )
        before = stored()

        answer = api.patch(ME, {"username": "Naomi"}, headers=bearer(signed_in["access"]))

        assert answer.status_code == 400
        assert answer.json()["errors"] == {"username": ["This username is taken."]}
        assert stored() == before

    @pytest.mark.parametrize("username", ["coco", "COCO", "\u0441\u043e\u0441\u043e"])
    def test_a_taken_username_is_named_and_nothing_changes(
        self, api: APIClient, signed_in: Tokens, username: str
    ) -> None:
        UserFactory(username="coco")
        before = stored()

        answer = api.patch(
            ME, {"username": username, "display_name": "X"}, headers=bearer(signed_in["access"])
        )

        assert answer.status_code == 400
        assert answer.json()["errors"] == {"username": ["This username is taken."]}
        assert stored() == before
