"""Consents: listed, accepted, and required at a sign-in."""

from typing import Any

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient
from time_machine import TimeMachineFixture

from authentication.models import AuditLog, Consent, User
from authentication.services import ExchangeTokenService
from authentication.tests.answers import TOKEN_INVALID, assert_problem, invalid, refusal_of, rows
from authentication.tests.clients import (
    FOREIGN_PAGE,
    NOON,
    WRONG_PASSWORD,
    Tokens,
    get_as,
    log_in,
    post_as,
    sign_in,
)
from authentication.tests.conftest import API, CHROME
from authentication.tests.factories import PASSWORD, UserFactory

URL = f"{API}/account/consents/"
BOTH = {"terms_accepted": True, "privacy_policy_accepted": True}

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOON, tick=False)]


@pytest.fixture(autouse=True)
def _versions(settings: Settings) -> None:
    settings.TERMS_VERSION, settings.PRIVACY_POLICY_VERSION = "2026-11", "4"


def shown(api: APIClient, tokens: Tokens) -> dict[str, Any]:
    answer = get_as(api, tokens, URL)
    assert answer.status_code == 200, answer.content
    body: dict[str, Any] = answer.json()
    return body


def rows_without_sessions() -> dict[str, list[dict[str, Any]]]:
    return {table: found for table, found in rows().items() if table != "UserSession"}


def test_a_consent_given_at_registration_is_shown_with_its_version_time_and_place(
    api: APIClient, settings: Settings
) -> None:
    settings.REQUIRE_EMAIL_VERIFICATION = False
    api.post(
        f"{API}/register/",
        {"email": "naomi@example.org", "password": PASSWORD, **BOTH},
        headers={"User-Agent": CHROME},
        REMOTE_ADDR="198.51.100.7",
    )
    tokens = sign_in(api, User.objects.get())

    entry = {
        "accepted_at": "2026-11-22T12:00:00Z",
        "ip_address": "198.51.100.7",
        "user_agent": CHROME,
    }
    assert shown(api, tokens) == {
        "current": {"terms": "2026-11", "privacy_policy": "4"},
        "due": {},
        "history": [
            {"document": "privacy_policy", "version": "4", **entry},
            {"document": "terms", "version": "2026-11", **entry},
        ],
    }


def test_every_document_is_due_before_the_first_consent(api: APIClient, signed_in: Tokens) -> None:
    body = shown(api, signed_in)

    assert (body["due"], body["history"]) == ({"terms": "2026-11", "privacy_policy": "4"}, [])


def test_a_consent_is_stored_and_audited(api: APIClient, person: User, signed_in: Tokens) -> None:
    answer = post_as(api, signed_in, URL, {"terms_accepted": True})

    person.refresh_from_db()
    assert answer.status_code == 200
    assert answer.json() == shown(api, signed_in)
    assert answer.json()["due"] == {"privacy_policy": "4"}
    assert (person.terms_version, person.terms_accepted_at, person.privacy_policy_version) == (
        "2026-11",
        NOON,
        "",
    )
    logged = AuditLog.objects.get(event_type="consent_given")
    assert (logged.user, logged.metadata) == (person, {"versions": {"terms": "2026-11"}})


def test_a_new_version_is_due_again_and_the_old_one_stays_in_the_history(
    api: APIClient, signed_in: Tokens, settings: Settings, time_machine: TimeMachineFixture
) -> None:
    post_as(api, signed_in, URL, BOTH)
    settings.TERMS_VERSION = "2027-01"
    time_machine.shift(60)

    before, after = shown(api, signed_in), post_as(api, signed_in, URL, BOTH).json()

    assert (before["due"], after["due"]) == ({"terms": "2027-01"}, {})
    assert [(it["document"], it["version"]) for it in after["history"]] == [
        ("terms", "2027-01"),
        ("privacy_policy", "4"),
        ("terms", "2026-11"),
    ]


def test_a_repeated_consent_keeps_the_time_of_the_first(
    api: APIClient, signed_in: Tokens, time_machine: TimeMachineFixture
) -> None:
    first = post_as(api, signed_in, URL, BOTH).json()
    time_machine.shift(60)
    before = rows_without_sessions()

    again = post_as(api, signed_in, URL, BOTH)

    assert (again.status_code, again.json()) == (200, first)
    assert rows_without_sessions() == before


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ({}, {"non_field_errors": ["Please choose at least one document."]}),
        ({"terms_accepted": False}, {"terms_accepted": ["Please accept this to continue."]}),
        ({"terms_accepted": "yes"}, {"terms_accepted": ["Must be a valid boolean."]}),
        (
            {"terms_accepted": None},
            {"non_field_errors": ["Please choose at least one document."]},
        ),
    ],
)
def test_a_consent_must_be_true(
    api: APIClient, signed_in: Tokens, body: dict[str, Any], errors: dict[str, list[str]]
) -> None:
    answer = post_as(api, signed_in, URL, body)

    assert refusal_of(answer) == invalid(**errors)
    assert not Consent.objects.exists()


def test_the_history_holds_only_the_accounts_own_consents(api: APIClient, person: User) -> None:
    other = sign_in(api, UserFactory())
    post_as(api, other, URL, BOTH)

    assert shown(api, sign_in(api, person))["history"] == []


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_request_without_an_access_token_is_refused(api: APIClient, method: str) -> None:
    assert refusal_of(getattr(api, method)(URL)) == TOKEN_INVALID


def test_another_site_cannot_give_a_consent(api: APIClient, signed_in: Tokens) -> None:
    answer = post_as(api, signed_in, URL, BOTH, **FOREIGN_PAGE)

    assert_problem(answer, 403, "csrf_failed")
    assert not Consent.objects.exists()


class TestSignIn:
    @pytest.fixture(autouse=True)
    def _required(self, settings: Settings) -> None:
        settings.REQUIRE_CURRENT_CONSENT = True

    def test_a_sign_in_without_a_consent_that_is_due_is_refused(
        self, api: APIClient, person: User
    ) -> None:
        answer = log_in(api, person, terms_accepted=True)

        assert_problem(answer, 403, "consent_required", documents={"privacy_policy": "4"})
        assert not Consent.objects.exists()
        person.refresh_from_db()
        assert person.failed_login_attempts == 0

    def test_a_sign_in_with_the_consents_opens_a_session_and_stores_them(
        self, api: APIClient, person: User
    ) -> None:
        first, again = log_in(api, person, **BOTH), log_in(api, person)

        assert (first.status_code, again.status_code) == (200, 200)
        assert Consent.objects.filter(user=person).count() == 2

    def test_a_wrong_password_reveals_no_consent_that_is_due(
        self, api: APIClient, person: User
    ) -> None:
        answer = log_in(api, person, WRONG_PASSWORD, **BOTH)

        assert_problem(answer, 401, "invalid_credentials")
        assert not Consent.objects.exists()

    def test_a_consent_that_is_due_does_not_spend_the_exchange_token(
        self, api: APIClient, person: User
    ) -> None:
        token = ExchangeTokenService.create(user_id=person.pk)
        refused = api.post(f"{API}/exchange-token/", {"exchange_token": token})
        accepted = api.post(f"{API}/exchange-token/", {"exchange_token": token, **BOTH})

        assert_problem(refused, 403, "consent_required")
        assert accepted.status_code == 200
