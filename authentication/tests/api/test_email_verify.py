"""POST /api/v1/auth/email/verify/."""

import datetime as dt
import json
from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from redis.exceptions import ConnectionError as RedisDown
from rest_framework.test import APIClient
from time_machine import TimeMachineFixture

from authentication.models import AuditLog, EmailVerificationToken, User, UserSession
from authentication.tests.answers import LINK_INVALID, cookie_of, refusal_of
from authentication.tests.conftest import API
from authentication.tests.factories import UserFactory

URL = f"{API}/email/verify/"
VERIFIED = "Email verified successfully"

pytestmark = pytest.mark.django_db


@pytest.fixture
def newcomer(db: None) -> User:
    """Return a person whose address is not proven yet."""
    return UserFactory(email_verified=False, email_verified_at=None)


@pytest.fixture
def token(newcomer: User) -> str:
    """Return the token of the mail the newcomer got."""
    return EmailVerificationToken.objects.issue(
        newcomer.pk, email=newcomer.email, at=timezone.now()
    )


def assert_unproven(user: User) -> None:
    user.refresh_from_db()
    assert (user.email_verified, user.email_verified_at) == (False, None)
    assert not AuditLog.objects.filter(event_type="email_verified").exists()
    assert not UserSession.objects.exists()


def test_the_mailed_token_proves_the_address(
    time_machine: TimeMachineFixture, api: APIClient, newcomer: User, token: str
) -> None:
    now = timezone.now().replace(microsecond=0)
    time_machine.move_to(now, tick=False)

    answer = api.post(URL, {"token": token})

    newcomer.refresh_from_db()
    assert answer.status_code == 200
    assert answer.json().keys() == {"message", "exchange_token"}
    assert answer.json()["message"] == VERIFIED
    assert (newcomer.email_verified, newcomer.email_verified_at) == (True, now)
    assert EmailVerificationToken.objects.get().verified_at == now
    assert AuditLog.objects.get().event_type == "email_verified"


def test_it_signs_nobody_in_by_itself(api: APIClient, token: str) -> None:
    answer = api.post(URL, {"token": token})

    assert cookie_of(answer) is None
    assert answer["Cache-Control"] == "no-store"
    assert not UserSession.objects.exists()


def test_the_exchange_token_opens_a_session(api: APIClient, newcomer: User, token: str) -> None:
    exchange_token = api.post(URL, {"token": token}).json()["exchange_token"]

    answer = api.post(f"{API}/exchange-token/", {"exchange_token": exchange_token})

    assert answer.status_code == 200
    assert answer.json()["user_id"] == str(newcomer.pk)


def test_blanks_around_a_copied_token_do_not_matter(
    api: APIClient, newcomer: User, token: str
) -> None:
    answer = api.post(URL, {"token": f" {token} "})

    assert answer.status_code == 200


@pytest.mark.parametrize("form", ["json", "multipart"])
def test_json_and_forms_are_read(api: APIClient, token: str, form: str) -> None:
    answer = api.post(URL, {"token": token}, format=form)

    assert answer.status_code == 200


def test_without_a_cache_the_address_is_proven_and_no_exchange_token_made(
    api: APIClient, newcomer: User, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise RedisDown

    monkeypatch.setattr("authentication.services.sign_in.exchange_tokens.cache.set", refuse)

    answer = api.post(URL, {"token": token})

    newcomer.refresh_from_db()
    assert (answer.status_code, answer.json()) == (
        200,
        {"message": VERIFIED, "exchange_token": None},
    )
    assert newcomer.email_verified


def test_the_database_never_holds_the_token(token: str) -> None:
    [row] = EmailVerificationToken.objects.values()

    assert token not in str(row)
    assert len(row["token"]) == 64


class TestRefusals:
    def test_a_token_works_once(self, api: APIClient, token: str) -> None:
        api.post(URL, {"token": token})

        answer = api.post(URL, {"token": token})

        assert refusal_of(answer) == LINK_INVALID
        assert AuditLog.objects.filter(event_type="email_verified").count() == 1
        assert (
            AuditLog.objects.filter(event_type="email_verification_failed", success=False).count()
            == 1
        )

    def test_a_token_works_for_a_day(
        self, time_machine: TimeMachineFixture, api: APIClient, newcomer: User, token: str
    ) -> None:
        time_machine.move_to(timezone.now() + dt.timedelta(hours=24, seconds=1), tick=False)

        answer = api.post(URL, {"token": token})

        assert refusal_of(answer) == LINK_INVALID
        assert_unproven(newcomer)

    def test_a_token_still_works_at_the_end_of_the_day(
        self, time_machine: TimeMachineFixture, api: APIClient, token: str
    ) -> None:
        time_machine.move_to(timezone.now() + dt.timedelta(hours=23, minutes=59), tick=False)

        answer = api.post(URL, {"token": token})

        assert answer.status_code == 200

    def test_a_newer_token_voids_the_older(
        self, api: APIClient, newcomer: User, token: str
    ) -> None:
        newer = EmailVerificationToken.objects.issue(
            newcomer.pk, email=newcomer.email, at=timezone.now()
        )

        older = api.post(URL, {"token": token})

        assert refusal_of(older) == LINK_INVALID
        assert_unproven(newcomer)
        assert api.post(URL, {"token": newer}).status_code == 200

    def test_a_token_proves_nothing_but_the_address_it_was_sent_to(
        self, api: APIClient, newcomer: User, token: str
    ) -> None:
        newcomer.email = "other@example.org"
        newcomer.save()

        answer = api.post(URL, {"token": token})

        assert refusal_of(answer) == LINK_INVALID
        assert_unproven(newcomer)

    def test_a_disabled_account_proves_nothing(
        self, api: APIClient, newcomer: User, token: str
    ) -> None:
        User.objects.filter(pk=newcomer.pk).update(is_active=False)

        answer = api.post(URL, {"token": token})

        assert refusal_of(answer) == LINK_INVALID
        assert_unproven(newcomer)

    @pytest.mark.parametrize(
        "wrong",
        ["x", "x" * 43, "x" * 60_000, "' OR 1=1 --", "%00", "../../etc/passwd"],
        ids=lambda it: it[:16],
    )
    def test_an_unknown_token_proves_nothing(
        self, api: APIClient, newcomer: User, token: str, wrong: str
    ) -> None:
        answer = api.post(URL, {"token": wrong})

        assert refusal_of(answer) == LINK_INVALID
        assert_unproven(newcomer)

    @pytest.mark.parametrize(
        "changed", [str.swapcase, lambda token: token[:-1], lambda token: f"{token}x"]
    )
    def test_a_token_must_match_in_every_character(
        self, api: APIClient, newcomer: User, token: str, changed: Callable[[str], str]
    ) -> None:
        answer = api.post(URL, {"token": changed(token)})

        assert refusal_of(answer) == LINK_INVALID
        assert_unproven(newcomer)

    def test_what_the_database_holds_is_no_token(
        self, api: APIClient, newcomer: User, token: str
    ) -> None:
        answer = api.post(URL, {"token": EmailVerificationToken.objects.get().token})

        assert refusal_of(answer) == LINK_INVALID
        assert_unproven(newcomer)

    def test_known_and_unknown_tokens_are_refused_alike(self, api: APIClient, token: str) -> None:
        api.post(URL, {"token": token})

        used = api.post(URL, {"token": token})
        unknown = api.post(URL, {"token": "x" * 43})

        assert refusal_of(used) == refusal_of(unknown)


class TestMalformed:
    @pytest.mark.parametrize(
        "value", ["", "  ", None, 1, True, [], ["x"], {}, "a\x00b", "a\nb", "a\ud800b"], ids=ascii
    )
    def test_a_token_is_a_string(
        self, api: APIClient, newcomer: User, token: str, value: object
    ) -> None:
        answer = api.post(URL, json.dumps({"token": value}), content_type="application/json")

        assert (answer.status_code, answer.json()["code"]) == (400, "validation_error")
        assert answer.json()["errors"].keys() == {"token"}
        assert_unproven(newcomer)

    def test_the_token_must_be_there(self, api: APIClient, db: None) -> None:
        answer = api.post(URL, {})

        assert answer.status_code == 400
        assert answer.json()["errors"] == {"token": ["This field is required."]}

    def test_a_malformed_token_asks_the_database_nothing(self, api: APIClient, db: None) -> None:
        with CaptureQueriesContext(connection) as captured:
            api.post(URL, {"token": ["x"]})

        assert not captured.captured_queries


def test_a_link_opened_with_get_spends_nothing(api: APIClient, newcomer: User, token: str) -> None:
    answer = api.get(f"{URL}?token={token}")

    assert answer.status_code == 405
    assert_unproven(newcomer)
    assert api.post(URL, {"token": token}).status_code == 200


@pytest.mark.parametrize("header", ["Bearer stale.access.token", "Bearer"])
def test_a_stale_access_token_is_not_in_the_way(api: APIClient, token: str, header: str) -> None:
    answer = api.post(URL, {"token": token}, headers={"Authorization": header})

    assert answer.status_code == 200
