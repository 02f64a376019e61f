"""GET and PATCH /api/v1/profiles/me/: refused requests change nothing."""

import datetime as dt
import itertools
import json
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient
from time_machine import TimeMachineFixture

from authentication.models import User, UserProfile
from authentication.tests.answers import (
    TOKEN_INVALID,
    assert_invalid_fields,
    assert_problem,
    refusal_of,
    rows,
)
from authentication.tests.clients import Tokens, get_as, log_in, sign_in
from authentication.tests.conftest import ME, bearer
from authentication.tests.factories import UserFactory

from .profile import update_profile
from .registration import register

INVALID_AUTHORIZATION = [
    None,
    "",
    "Bearer",
    "Bearer ",
    "Bearer a b",
    "Bearer garbage",
    "Bearer a.b.c",
    "Basic dXNlcjpwYXNz",
    "Bearer \u00fc",
]
TEXTS = ["username", "first_name", "last_name", "display_name", "timezone", "visibility"]
INVALID_VALUES = [
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
    ("display_name", "\u2800"),
    ("display_name", "\u3164 \u00ad"),
    ("first_name", "\u200b"),
    ("display_name", "a\u202eb"),
    ("first_name", "a\ud800b"),
    ("timezone", ""),
    ("timezone", "Mars/Olympus"),
    ("timezone", "../../etc/passwd"),
    ("visibility", ""),
    ("visibility", "everyone"),
    ("visibility", "PRIVATE"),
]
pytestmark = pytest.mark.django_db


def stored_rows() -> dict[str, Any]:
    """Return every row except the sessions, which record each use of their tokens."""
    tables = rows()
    del tables["UserSession"]
    return {**tables, "UserProfile": list(UserProfile.objects.order_by("pk").values())}


def refuses(answer: Any, field: str) -> bool:
    body = answer.json()
    found = (answer.status_code, body.get("code"), body.get("errors", {}).keys())
    return bool(found == (400, "validation_error", {field}))


class TestRefusals:
    def test_a_request_without_a_valid_access_token_is_refused(
        self, api: APIClient, signed_in: Tokens
    ) -> None:
        before, failures = stored_rows(), {}

        for method, header in itertools.product(["GET", "PATCH"], INVALID_AUTHORIZATION):
            headers = {} if header is None else {"Authorization": header}
            answer = api.generic(
                method, ME, '{"first_name": "X"}', content_type="application/json", headers=headers
            )
            if refusal_of(answer) != TOKEN_INVALID:
                failures[method, header] = answer.content

        assert failures == {}
        assert stored_rows() == before

    def test_a_refresh_token_is_refused(self, api: APIClient, signed_in: Tokens) -> None:
        answer = api.get(ME, headers=bearer(signed_in["refresh"]))

        assert refusal_of(answer) == TOKEN_INVALID

    def test_the_refresh_cookie_is_not_enough(self, browser: APIClient, person: User) -> None:
        log_in(browser, person)

        answer = browser.get(ME)

        assert refusal_of(answer) == TOKEN_INVALID

    def test_a_token_in_the_query_is_ignored(self, api: APIClient, signed_in: Tokens) -> None:
        access = signed_in["access"]

        answer = api.get(f"{ME}?access_token={access}&access={access}&token={access}")

        assert refusal_of(answer) == TOKEN_INVALID

    def test_an_expired_token_is_refused(
        self, time_machine: TimeMachineFixture, api: APIClient, person: User
    ) -> None:
        time_machine.move_to(timezone.now(), tick=False)
        tokens = sign_in(api, person)
        time_machine.shift(dt.timedelta(minutes=15, seconds=11))

        answer = get_as(api, tokens, ME)

        assert refusal_of(answer) == TOKEN_INVALID

    def test_a_disabled_user_is_refused_at_once(
        self, api: APIClient, signed_in: Tokens, person: User
    ) -> None:
        User.objects.filter(pk=person.pk).update(is_active=False)

        answer = update_profile(api, signed_in, {"first_name": "X"})

        person.refresh_from_db()
        assert refusal_of(answer) == TOKEN_INVALID
        assert person.first_name == "Ruth"

    @pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
    def test_other_methods_are_not_allowed(
        self, api: APIClient, signed_in: Tokens, method: str
    ) -> None:
        answer = api.generic(method, ME, headers=bearer(signed_in["access"]))

        assert_problem(answer, 405, "method_not_allowed")
        assert answer["Allow"] == "GET, PATCH, HEAD, OPTIONS"


class TestMalformed:
    def test_an_invalid_value_changes_nothing(self, api: APIClient, signed_in: Tokens) -> None:
        before, failures = stored_rows(), {}

        for field, value in INVALID_VALUES:
            body = json.dumps({"last_name": "Bethlehem", field: value})
            answer = api.patch(
                ME, body, content_type="application/json", headers=bearer(signed_in["access"])
            )
            if not refuses(answer, field):
                failures[field, ascii(value)] = answer.content

        assert failures == {}
        assert stored_rows() == before

    def test_a_text_field_takes_a_string_only(self, api: APIClient, signed_in: Tokens) -> None:
        values = [1, 1.5, True, [], ["private"], {}, {"private": 1}]
        before, failures = stored_rows(), {}

        for field, value in itertools.product(TEXTS, values):
            answer = update_profile(api, signed_in, {field: value})
            if not refuses(answer, field):
                failures[field, str(value)] = answer.content

        assert failures == {}
        assert stored_rows() == before

    def test_a_username_sent_with_a_taken_address_is_taken(
        self, api: APIClient, signed_in: Tokens
    ) -> None:
        other = UserFactory()
        register(api, email=other.email, username="naomi")
        before = stored_rows()

        answer = update_profile(api, signed_in, {"username": "Naomi"})

        assert_invalid_fields(answer, "username")
        assert answer.json()["errors"] == {"username": ["This username is taken."]}
        assert stored_rows() == before

    @pytest.mark.parametrize("username", ["coco", "COCO", "\u0441\u043e\u0441\u043e"])
    def test_a_taken_username_is_refused_and_nothing_changes(
        self, api: APIClient, signed_in: Tokens, username: str
    ) -> None:
        UserFactory(username="coco")
        before = stored_rows()

        answer = update_profile(api, signed_in, {"username": username, "display_name": "X"})

        assert_invalid_fields(answer, "username")
        assert answer.json()["errors"] == {"username": ["This username is taken."]}
        assert stored_rows() == before
