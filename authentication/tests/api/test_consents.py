"""/api/v1/auth/account/consents/: what a person agreed to, in which version, when and from where."""

from typing import Any

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient
from time_machine import TimeMachineFixture

from authentication.models import AuditLog, Consent, User
from authentication.services import ExchangeTokenService
from authentication.tests.answers import TOKEN_INVALID, invalid, refusal_of, rows
from authentication.tests.clients import NOON, Tokens, sign_in
from authentication.tests.conftest import API, BROWSER, CHROME, bearer
from authentication.tests.factories import PASSWORD, UserFactory

URL = f"{API}/account/consents/"
BOTH = {"terms_accepted": True, "privacy_policy_accepted": True}

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOON, tick=False)]


@pytest.fixture(autouse=True)
def _versions(settings: Settings) -> None:
    settings.TERMS_VERSION, settings.PRIVACY_POLICY_VERSION = "2026-11", "4"


def shown(api: APIClient, tokens: Tokens) -> dict[str, Any]:
    answer = api.get(URL, headers=bearer(tokens["access"]))
    assert answer.status_code == 200, answer.content
    body: dict[str, Any] = answer.json()
    return body


def give(api: APIClient, tokens: Tokens, body: dict[str, Any], **headers: str) -> Any:
    return api.post(URL, body, headers={**bearer(tokens["access"]), **headers})


def test_what_was_agreed_to_at_registration_is_shown_with_version_time_and_place(
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


def test_who_agreed_to_nothing_has_it_all_due(api: APIClient, signed_in: Tokens) -> None:
    body = shown(api, signed_in)

    assert (body["due"], body["history"]) == ({"terms": "2026-11", "privacy_policy": "4"}, [])


def test_agreeing_is_remembered_and_audited(
    api: APIClient, person: User, signed_in: Tokens
) -> None:
    answer = give(api, signed_in, {"terms_accepted": True})

    person.refresh_from_db()
    assert answer.status_code == 200
    assert answer.json() == shown(api, signed_in)
    assert answer.json()["due"] == {"privacy_policy": "4"}
    assert (person.terms_version, person.terms_accepted_at, person.privacy_policy_version) == (
        "2026-11",
        NOON,
        "",
    )
    told = AuditLog.objects.get(event_type="consent_given")
    assert (told.user, told.metadata) == (person, {"versions": {"terms": "2026-11"}})


def test_a_new_version_is_due_again_and_the_old_one_stays_in_the_history(
    api: APIClient, signed_in: Tokens, settings: Settings, time_machine: TimeMachineFixture
) -> None:
    give(api, signed_in, BOTH)
    settings.TERMS_VERSION = "2027-01"
    time_machine.shift(60)

    before, after = shown(api, signed_in), give(api, signed_in, BOTH).json()

    assert (before["due"], after["due"]) == ({"terms": "2027-01"}, {})
    assert [(it["document"], it["version"]) for it in after["history"]] == [
        ("terms", "2027-01"),
        ("privacy_policy", "4"),
        ("terms", "2026-11"),
    ]


def test_agreeing_twice_keeps_the_first_time(
    api: APIClient, signed_in: Tokens, time_machine: TimeMachineFixture
) -> None:
    first = give(api, signed_in, BOTH).json()
    time_machine.shift(60)
    before = {name: found for name, found in rows().items() if name != "UserSession"}

    again = give(api, signed_in, BOTH)

    assert (again.status_code, again.json()) == (200, first)
    assert {name: found for name, found in rows().items() if name != "UserSession"} == before


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ({}, {"non_field_errors": ["Please choose at least one document."]}),
        ({"terms_accepted": False}, {"terms_accepted": ["Please accept this to continue."]}),
        ({"terms_accepted": "yes"}, {"terms_accepted": ["Must be a valid boolean."]}),
        ({"terms_accepted": None}, {"terms_accepted": ["This field may not be null."]}),
    ],
)
def test_anything_but_yes_is_refused(
    api: APIClient, signed_in: Tokens, body: dict[str, Any], errors: dict[str, list[str]]
) -> None:
    answer = give(api, signed_in, body)

    assert refusal_of(answer) == invalid(**errors)
    assert not Consent.objects.exists()


def test_only_ones_own_are_shown(api: APIClient, person: User) -> None:
    other = sign_in(api, UserFactory())
    give(api, other, BOTH)

    assert shown(api, sign_in(api, person))["history"] == []


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_stranger_is_told_nothing(api: APIClient, method: str) -> None:
    assert refusal_of(getattr(api, method)(URL)) == TOKEN_INVALID


def test_another_site_cannot_agree(api: APIClient, signed_in: Tokens) -> None:
    foreign = {**BROWSER, "Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}

    assert give(api, signed_in, BOTH, **foreign).json()["code"] == "csrf_failed"
    assert not Consent.objects.exists()


class TestAtSignIn:
    @pytest.fixture(autouse=True)
    def _required(self, settings: Settings) -> None:
        settings.REQUIRE_CURRENT_CONSENT = True

    def sign_in(self, api: APIClient, person: User, **body: Any) -> Any:
        return api.post(f"{API}/login/", {"email": person.email, "password": PASSWORD, **body})

    def test_whoever_has_not_agreed_is_asked_to(self, api: APIClient, person: User) -> None:
        answer = self.sign_in(api, person, terms_accepted=True)

        assert (answer.status_code, answer.json()["code"]) == (403, "consent_required")
        assert answer.json()["documents"] == {"privacy_policy": "4"}
        assert not Consent.objects.exists()
        person.refresh_from_db()
        assert person.failed_login_attempts == 0

    def test_agreeing_lets_them_in_and_is_remembered(self, api: APIClient, person: User) -> None:
        first, again = self.sign_in(api, person, **BOTH), self.sign_in(api, person)

        assert (first.status_code, again.status_code) == (200, 200)
        assert Consent.objects.filter(user=person).count() == 2

    def test_only_who_knows_the_password_is_asked(self, api: APIClient, person: User) -> None:
        answer = api.post(
            f"{API}/login/", {"email": person.email, "password": "Wrong-Horse-9", **BOTH}
        )

        assert answer.json()["code"] == "invalid_credentials"
        assert not Consent.objects.exists()

    def test_an_exchange_token_is_not_spent_by_the_question(
        self, api: APIClient, person: User
    ) -> None:
        token = ExchangeTokenService.create(user_id=person.pk)
        asked = api.post(f"{API}/exchange-token/", {"exchange_token": token})
        answered = api.post(f"{API}/exchange-token/", {"exchange_token": token, **BOTH})

        assert (asked.status_code, asked.json()["code"]) == (403, "consent_required")
        assert answered.status_code == 200
