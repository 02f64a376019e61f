"""POST /api/v1/auth/reauthenticate/, and what asks for it."""

import datetime as dt
from typing import Any

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient
from time_machine import TimeMachineFixture

from authentication.models import AuditLog, EmailChange, User, UserSession
from authentication.services import ExchangeTokenService
from authentication.services.sign_in.credentials import check_current_password
from authentication.tests.answers import TOKEN_INVALID, invalid, refusal_of, rows
from authentication.tests.clients import NEW_PASSWORD, NOON, Tokens, refreshed, sign_in, use_access
from authentication.tests.conftest import API, bearer
from authentication.tests.factories import PASSWORD

URL = f"{API}/reauthenticate/"
GRAVE = f"{API}/account/email/"
WRONG = "Wrong-Horse-9"
TEN_MINUTES = dt.timedelta(minutes=10)
ASKED_FOR = {
    "type": "/api/problems/reauthentication_required/",
    "title": "Please confirm that it is you",
    "status": 403,
    "detail": "First we need to know that it's you. Please enter your password or a code.",
    "code": "reauthentication_required",
    "error": "First we need to know that it's you. Please enter your password or a code.",
    "WWW-Authenticate": None,
}

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOON, tick=False)]


def prove(api: APIClient, tokens: Tokens, **body: Any) -> Any:
    return api.post(URL, body, headers=bearer(tokens["access"]))


def act(api: APIClient, tokens: Tokens) -> Any:
    """Do something grave."""
    return api.post(GRAVE, {"email": "naomi@example.net"}, headers=bearer(tokens["access"]))


class TestTheProof:
    def test_the_password_is_one(self, api: APIClient, person: User, signed_in: Tokens) -> None:
        answer = prove(api, signed_in, password=PASSWORD)

        row = AuditLog.objects.get(event_type="reauthenticated")
        assert answer.status_code == 200
        assert answer.json() == {"message": "Thank you. You can go on.", "expires_in": 600}
        assert (row.user, row.metadata) == (person, {"session": str(UserSession.objects.get().pk)})

    def test_it_lets_an_old_session_do_what_it_could_not(
        self, api: APIClient, signed_in: Tokens, time_machine: TimeMachineFixture
    ) -> None:
        time_machine.shift(TEN_MINUTES)
        assert refusal_of(act(api, signed_in)) == ASKED_FOR
        assert not EmailChange.objects.exists()

        prove(api, signed_in, password=PASSWORD)

        assert act(api, signed_in).status_code == 200

    def test_it_is_good_on_its_own_device_alone(
        self, api: APIClient, person: User, signed_in: Tokens, time_machine: TimeMachineFixture
    ) -> None:
        other = sign_in(api, person)
        time_machine.shift(TEN_MINUTES)

        prove(api, signed_in, password=PASSWORD)

        assert refusal_of(act(api, other)) == ASKED_FOR

    def test_a_wrong_password_is_none(
        self, api: APIClient, signed_in: Tokens, time_machine: TimeMachineFixture
    ) -> None:
        time_machine.shift(TEN_MINUTES)

        answer = prove(api, signed_in, password=WRONG)

        assert refusal_of(answer) == invalid(password=["This is not your current password."])
        assert UserSession.objects.get().reauthenticated_at == NOON
        assert refusal_of(act(api, signed_in)) == ASKED_FOR

    def test_wrong_passwords_lock_the_account_and_a_right_one_ends_the_count(
        self, api: APIClient, person: User, signed_in: Tokens
    ) -> None:
        for _ in range(4):
            prove(api, signed_in, password=WRONG)
        assert prove(api, signed_in, password=PASSWORD).status_code == 200

        statuses = [prove(api, signed_in, password=WRONG).status_code for _ in range(5)]
        locked = prove(api, signed_in, password=PASSWORD)

        assert statuses == [400] * 5
        assert (locked.status_code, locked.json()["code"]) == (403, "account_locked")
        assert (
            api.post(f"{API}/login/", {"email": person.email, "password": PASSWORD}).status_code
            == 403
        )

    @pytest.mark.parametrize("password", [None, "", 1, True, [], {}, "a\x00b", "x" * 129])
    def test_what_is_no_password_is_refused_and_not_counted(
        self, api: APIClient, person: User, signed_in: Tokens, password: object
    ) -> None:
        use_access(api, signed_in)
        before = rows()

        answer = prove(api, signed_in, password=password)

        assert (answer.status_code, answer.json()["code"]) == (400, "validation_error")
        assert answer.json()["errors"].keys() == {"password"}
        assert rows() == before

    def test_none_at_all_is_refused(self, api: APIClient, signed_in: Tokens) -> None:
        assert refusal_of(prove(api, signed_in)) == invalid(password=["Please give your password."])

    def test_without_a_session_there_is_nothing_to_prove(
        self, api: APIClient, person: User
    ) -> None:
        assert refusal_of(api.post(URL, {"password": PASSWORD})) == TOKEN_INVALID

    def test_a_session_ended_meanwhile_is_not_revived(
        self, api: APIClient, signed_in: Tokens, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def somebody_is_faster(*asked: Any, **given: Any) -> bool:
            UserSession.objects.get().deactivate()
            return check_current_password(*asked, **given)

        monkeypatch.setattr(
            "authentication.services.sign_in.reauthentication.check_current_password",
            somebody_is_faster,
        )

        assert refusal_of(prove(api, signed_in, password=PASSWORD)) == TOKEN_INVALID
        assert not AuditLog.objects.filter(event_type="reauthenticated").exists()


class TestWhatProvesAndWhatDoesNot:
    def test_signing_in_by_password_does_for_ten_minutes(
        self, api: APIClient, signed_in: Tokens, time_machine: TimeMachineFixture
    ) -> None:
        time_machine.shift(TEN_MINUTES - dt.timedelta(seconds=1))
        assert act(api, signed_in).status_code == 200
        time_machine.shift(1)

        assert refusal_of(act(api, signed_in)) == ASKED_FOR

    def test_the_settings_say_for_how_long(
        self,
        api: APIClient,
        signed_in: Tokens,
        settings: Settings,
        time_machine: TimeMachineFixture,
    ) -> None:
        settings.REAUTHENTICATION_LIFETIME = dt.timedelta(minutes=2)
        time_machine.shift(120)

        assert refusal_of(act(api, signed_in)) == ASKED_FOR
        assert prove(api, signed_in, password=PASSWORD).json()["expires_in"] == 120

    def test_a_refresh_keeps_the_proof_and_does_not_renew_it(
        self, api: APIClient, signed_in: Tokens, time_machine: TimeMachineFixture
    ) -> None:
        time_machine.shift(TEN_MINUTES - dt.timedelta(seconds=1))
        tokens = refreshed(api, signed_in["refresh"])
        assert act(api, tokens).status_code == 200
        time_machine.shift(1)

        assert refusal_of(act(api, refreshed(api, tokens["refresh"]))) == ASKED_FOR

    def test_an_exchange_token_does_not(self, api: APIClient, person: User) -> None:
        token = ExchangeTokenService.create(user_id=person.pk)
        tokens = api.post(f"{API}/exchange-token/", {"exchange_token": token}).json()

        assert refusal_of(act(api, tokens)) == ASKED_FOR
        assert prove(api, tokens, password=PASSWORD).status_code == 200
        assert act(api, tokens).status_code == 200

    def test_changing_the_password_does(
        self, api: APIClient, signed_in: Tokens, time_machine: TimeMachineFixture
    ) -> None:
        time_machine.shift(TEN_MINUTES)
        body = {"old_password": PASSWORD, "new_password": NEW_PASSWORD}

        tokens = api.post(
            f"{API}/password/change/", body, headers=bearer(signed_in["access"])
        ).json()

        assert act(api, tokens).status_code == 200


class TestWhatNeedsNone:
    def test_ending_sessions_is_easy_in_a_hurry(
        self, api: APIClient, person: User, signed_in: Tokens, time_machine: TimeMachineFixture
    ) -> None:
        one, two = sign_in(api, person), sign_in(api, person)
        time_machine.shift(TEN_MINUTES)
        headers = bearer(signed_in["access"])
        session = AuditLog.objects.filter(event_type="login")[1].metadata["session"]

        first = api.delete(f"{API}/sessions/{session}/", headers=headers)
        others = api.post(f"{API}/sessions/terminate-all/", headers=headers)
        own = api.post(f"{API}/logout/", headers=headers)

        assert [it.status_code for it in (first, others, own)] == [200, 200, 200]
        assert [use_access(api, it) for it in (one, two, signed_in)] == [401] * 3
