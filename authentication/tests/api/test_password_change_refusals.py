"""POST /api/v1/auth/password/change/: refused requests change nothing."""

import itertools

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient

from authentication.models import AuditLog, OutgoingEmail, PasswordHistory, User, UserSession
from authentication.services.passwords import password as service
from authentication.tests.answers import (
    TOKEN_INVALID,
    assert_problem,
    invalid,
    refusal_of,
)
from authentication.tests.clients import (
    FOREIGN_PAGE,
    NEW_PASSWORD,
    WRONG_PASSWORD,
    Tokens,
    set_password,
    sign_in,
)
from authentication.tests.conftest import bearer
from authentication.tests.factories import PASSWORD, UserFactory

from .lockout import attempt, fail
from .passwords import (
    CHANGE,
    assert_password_unchanged,
    change_password,
)

WRONG_OLD = {"old_password": ["This is not your current password."]}
WRONG_TYPES = [12345678, 1.5, True, [], [NEW_PASSWORD], {}, {"text": NEW_PASSWORD}]
pytestmark = pytest.mark.django_db


class TestOldPassword:
    @pytest.mark.parametrize(
        "old",
        [
            WRONG_PASSWORD,
            PASSWORD.lower(),
            f"{PASSWORD} ",
            f" {PASSWORD}",
            PASSWORD[:-1],
            NEW_PASSWORD,
        ],
    )
    def test_a_password_that_differs_is_refused_and_changes_nothing(
        self, api: APIClient, person: User, signed_in: Tokens, old: str
    ) -> None:
        answer = change_password(api, signed_in, old_password=old)

        assert refusal_of(answer) == invalid(**WRONG_OLD)
        assert_password_unchanged(api, person, signed_in, answer=answer)

    def test_five_wrong_passwords_lock_the_session(
        self, api: APIClient, person: User, signed_in: Tokens
    ) -> None:
        wrong = [
            change_password(api, signed_in, old_password=WRONG_PASSWORD).status_code
            for _ in range(5)
        ]

        right = change_password(api, signed_in)

        assert wrong == [400] * 5
        assert_problem(right, 403, "account_locked")
        assert 3500 < int(right["Retry-After"]) <= 3601
        assert OutgoingEmail.objects.get().kind == "account_locked"
        assert AuditLog.objects.filter(event_type="account_locked").count() == 1
        assert not AuditLog.objects.filter(event_type="password_change").exists()

    def test_wrong_old_passwords_do_not_lock_the_device(
        self, api: APIClient, person: User, signed_in: Tokens
    ) -> None:
        for _ in range(5):
            change_password(api, signed_in, old_password=WRONG_PASSWORD)

        device = signed_in["device_id"]
        assert attempt(api, person.email, PASSWORD, device=device).status_code == 200

    def test_wrong_sign_ins_on_unknown_devices_do_not_count(
        self, api: APIClient, person: User, signed_in: Tokens
    ) -> None:
        fail(api, person.email, 5)

        assert change_password(api, signed_in).status_code == 200

    def test_the_right_password_resets_the_count(
        self, api: APIClient, person: User, signed_in: Tokens
    ) -> None:
        for _ in range(4):
            change_password(api, signed_in, old_password=WRONG_PASSWORD)

        change_password(api, signed_in, new_password="weak")

        person.refresh_from_db()
        assert (person.failed_login_attempts, person.locked_until) == (0, None)


class TestMalformed:
    @pytest.mark.parametrize("field", ["old_password", "new_password"])
    def test_both_fields_are_required(
        self, api: APIClient, person: User, signed_in: Tokens, field: str
    ) -> None:
        body = {"old_password": PASSWORD, "new_password": NEW_PASSWORD}
        del body[field]

        answer = api.post(CHANGE, body, headers=bearer(signed_in["access"]))

        assert refusal_of(answer) == invalid(**{field: ["This field is required."]})
        assert_password_unchanged(api, person, signed_in, answer=answer)

    def test_a_field_takes_a_string_without_control_characters_only(
        self, api: APIClient, person: User, signed_in: Tokens, settings: Settings
    ) -> None:
        settings.RATELIMIT_ENABLE = False
        fields = ["old_password", "new_password", "new_password_confirm"]
        values = [*WRONG_TYPES, "", "Another\x00Horse-7", "Another\nHorse-7"]
        failures = {}

        for field, value in itertools.product(fields, values):
            answer = change_password(api, signed_in, **{field: value})
            if (answer.status_code, answer.json().get("errors", {}).keys()) != (400, {field}):
                failures[field, str(value)] = answer.json()

        assert failures == {}
        assert_password_unchanged(api, person, signed_in, answer=answer)
        assert person.failed_login_attempts == 0


class TestAccess:
    def test_a_request_without_an_access_token_is_refused(
        self, api: APIClient, person: User, signed_in: Tokens
    ) -> None:
        body = {"old_password": PASSWORD, "new_password": NEW_PASSWORD}

        for headers in ({}, bearer(signed_in["refresh"]), bearer("stale")):
            answer = api.post(CHANGE, body, headers=headers)

            assert refusal_of(answer) == TOKEN_INVALID
        assert_password_unchanged(api, person, signed_in, answer=answer)

    def test_a_cross_site_request_is_refused(
        self, api: APIClient, person: User, signed_in: Tokens
    ) -> None:
        answer = change_password(api, signed_in, headers=FOREIGN_PAGE)

        assert_problem(answer, 403, "csrf_failed")
        assert_password_unchanged(api, person, signed_in, answer=answer)

    def test_a_user_may_try_ten_times_an_hour(
        self, api: APIClient, person: User, signed_in: Tokens
    ) -> None:
        tries = [api.post(CHANGE, {}, headers=bearer(signed_in["access"])) for _ in range(10)]

        refused = change_password(api, signed_in)
        other = change_password(api, sign_in(api, UserFactory()))

        assert {answer.status_code for answer in tries} == {400}
        assert_problem(refused, 429, "rate_limited")
        assert 0 < int(refused["Retry-After"]) <= 3600
        assert refused["RateLimit-Policy"] == '"password_change";q=10;w=3600'
        assert other.status_code == 200
        person.refresh_from_db()
        assert person.check_password(PASSWORD)


def test_a_request_that_a_concurrent_change_overtakes_changes_nothing(
    api: APIClient, person: User, signed_in: Tokens, monkeypatch: pytest.MonkeyPatch
) -> None:
    def change_it_first(*_: object, **__: object) -> None:
        set_password(User.objects.get(pk=person.pk), "Faster-Horse-1")

    monkeypatch.setattr(service, "check_password_policy", change_it_first)

    answer = change_password(api, signed_in)

    person.refresh_from_db()
    assert refusal_of(answer) == TOKEN_INVALID
    assert person.check_password("Faster-Horse-1")
    assert not OutgoingEmail.objects.exists()
    assert not PasswordHistory.objects.exists()
    assert not AuditLog.objects.filter(
        event_type__in=["password_change", "session_renewed"]
    ).exists()
    assert UserSession.objects.count() == UserSession.objects.filter(is_active=True).count() == 1
