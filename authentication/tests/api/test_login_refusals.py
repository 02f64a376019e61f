"""POST /api/v1/auth/login/: refusals and malformed bodies."""

import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings
from rest_framework.test import APIClient

from authentication.models import AuditLog, OutgoingEmail, User
from authentication.tests.conftest import queries
from authentication.tests.factories import PASSWORD, UserFactory

from .logins import NAMES, URL, assert_not_signed_in, visible

pytestmark = pytest.mark.django_db


class TestRefusals:
    def test_known_and_unknown_names_are_refused_alike(self, api: APIClient, person: User) -> None:
        known = api.post(URL, {"email": person.email, "password": "Wrong-Horse-9"})
        unknown = api.post(URL, {"email": "nobody@example.org", "password": "Wrong-Horse-9"})

        assert_not_signed_in(known, 401, "invalid_credentials")
        assert visible(known) == visible(unknown)
        assert AuditLog.objects.filter(event_type="login_failed", success=False).count() == 2
        assert not OutgoingEmail.objects.exists()

    def test_known_and_unknown_names_cost_as_many_queries_that_write(
        self, api: APIClient, person: User
    ) -> None:
        written = []
        for name in (person.email, "nobody@example.org"):
            with CaptureQueriesContext(connection) as captured:
                api.post(URL, {"email": name, "password": "Wrong-Horse-9"})
            written.append(
                [sql.split(" ")[0] for sql in queries(captured) if sql.startswith("INSERT")]
            )

        assert written[0] == written[1] == ["INSERT"]

    def test_a_wrong_password_is_counted(self, api: APIClient, person: User) -> None:
        api.post(URL, {"email": person.email, "password": "Wrong-Horse-9"})

        person.refresh_from_db()
        assert (person.failed_login_attempts, person.locked_until, person.last_login) == (
            1,
            None,
            None,
        )

    @pytest.mark.parametrize(
        "password",
        [f" {PASSWORD}", f"{PASSWORD} ", PASSWORD.lower(), PASSWORD[:-1], f"{PASSWORD}9"],
    )
    def test_a_password_is_neither_trimmed_nor_folded(
        self, api: APIClient, person: User, password: str
    ) -> None:
        answer = api.post(URL, {"email": person.email, "password": password})

        assert_not_signed_in(answer, 401, "invalid_credentials")

    def test_an_unproven_address_is_told_after_the_right_password_alone(
        self, api: APIClient, db: None
    ) -> None:
        user = UserFactory(email_verified=False, email_verified_at=None)

        wrong = api.post(URL, {"email": user.email, "password": "Wrong-Horse-9"})
        right = api.post(URL, {"email": user.email, "password": PASSWORD})
        unknown = api.post(URL, {"email": "nobody@example.org", "password": "Wrong-Horse-9"})

        assert_not_signed_in(right, 403, "email_not_verified")
        assert visible(wrong) == visible(unknown)

    def test_a_disabled_account_is_told_after_the_right_password_alone(
        self, api: APIClient, db: None
    ) -> None:
        user = UserFactory(is_active=False)

        wrong = api.post(URL, {"email": user.email, "password": "Wrong-Horse-9"})
        right = api.post(URL, {"email": user.email, "password": PASSWORD})
        unknown = api.post(URL, {"email": "nobody@example.org", "password": "Wrong-Horse-9"})

        assert_not_signed_in(right, 403, "account_disabled")
        assert visible(wrong) == visible(unknown)

    def test_an_unproven_address_is_no_matter_where_the_settings_say_so(
        self, api: APIClient, settings: Settings, db: None
    ) -> None:
        settings.REQUIRE_EMAIL_VERIFICATION = False
        user = UserFactory(email_verified=False, email_verified_at=None)

        answer = api.post(URL, {"email": user.email, "password": PASSWORD})

        assert answer.status_code == 200
        assert answer.json()["user"]["email_verified"] is False

    def test_an_account_without_a_password_lets_nobody_in(
        self, api: APIClient, person: User
    ) -> None:
        person.set_unusable_password()
        person.save()

        for password in ("!", person.password[:100], PASSWORD):
            answer = api.post(URL, {"email": person.email, "password": password})
            assert_not_signed_in(answer, 401, "invalid_credentials")

    def test_the_audit_trail_holds_neither_name_nor_password(
        self, api: APIClient, db: None
    ) -> None:
        api.post(URL, {"email": "nobody@example.org", "password": "Wrong-Horse-9"})

        row = json.dumps(
            AuditLog.objects.filter(event_type="login_failed").values().get(), default=str
        )
        assert "nobody" not in row
        assert "Wrong-Horse-9" not in row


class TestMalformed:
    @pytest.mark.parametrize(
        ("asked", "fields"),
        [
            ({}, {"email_or_username", "password"}),
            ({"email": "ruth@example.org"}, {"password"}),
            ({"password": PASSWORD}, {"email_or_username"}),
        ],
    )
    def test_name_and_password_must_be_there(
        self, api: APIClient, asked: dict[str, str], fields: set[str]
    ) -> None:
        answer = api.post(URL, asked)

        assert_not_signed_in(answer, 400, "validation_error")
        assert answer.json()["errors"].keys() == fields

    def test_an_empty_password_is_refused(self, api: APIClient, person: User) -> None:
        answer = api.post(URL, {"email": person.email, "password": ""})

        assert_not_signed_in(answer, 400, "validation_error")
        assert answer.json()["errors"].keys() == {"password"}

    @pytest.mark.parametrize("field", [*NAMES, "password", "otp"])
    def test_only_a_string_is_a_text(self, api: APIClient, person: User, field: str) -> None:
        for value in (1, 1.5, True, [], ["text"], {}, {"text": "text"}):
            answer = api.post(URL, {"email": person.email, "password": PASSWORD, field: value})

            assert_not_signed_in(answer, 400, "validation_error")
            assert answer.json()["errors"].keys() == {field}

    def test_only_true_and_false_are_flags(self, api: APIClient, person: User) -> None:
        values: list[object] = ["true", "", 1, 0, [], {}]
        for value in values:
            answer = api.post(
                URL, {"email": person.email, "password": PASSWORD, "remember_me": value}
            )

            assert_not_signed_in(answer, 400, "validation_error")
            assert answer.json()["errors"].keys() == {"remember_me"}

    @pytest.mark.parametrize(
        ("field", "length"),
        [
            ("email", 255),
            ("username", 255),
            ("email_or_username", 60_000),
            ("password", 129),
        ],
    )
    def test_lengths_are_bounded(
        self, api: APIClient, person: User, field: str, length: int
    ) -> None:
        answer = api.post(URL, {"email": person.email, "password": PASSWORD, field: "x" * length})

        assert_not_signed_in(answer, 400, "validation_error")
        assert answer.json()["errors"].keys() == {field}

    @pytest.mark.parametrize("field", [*NAMES, "password"])
    def test_control_characters_and_surrogates_are_refused(
        self, api: APIClient, person: User, field: str
    ) -> None:
        for character in ("\x00", "\n", "\x7f", "\u202e", "\udfff"):
            asked = json.dumps(
                {"email": person.email, "password": PASSWORD, field: f"a{character}b"}
            )
            answer = api.post(URL, asked, content_type="application/json")

            assert_not_signed_in(answer, 400, "validation_error")
            assert answer.json()["errors"].keys() == {field}

    def test_malformed_sign_in_is_not_counted(self, api: APIClient, person: User) -> None:
        api.post(URL, {"email": person.email, "password": 5})

        person.refresh_from_db()
        assert person.failed_login_attempts == 0
        assert not AuditLog.objects.exists()
