"""Several refresh cookies in one request, and the cookie of another session."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient
from time_machine import TimeMachineFixture

from authentication.models import AuditLog, OutgoingEmail, TokenBlacklist, User, UserSession
from authentication.services import ExchangeTokenService
from authentication.tests.answers import CLEARED, TOKEN_INVALID, cookie_of, refusal_of
from authentication.tests.clients import (
    LOGIN,
    NOON,
    REFRESH,
    Tokens,
    refreshed,
    sign_in,
    use_access,
    use_refresh,
)
from authentication.tests.conftest import API, BROWSER, bearer, queries
from authentication.tests.factories import PASSWORD, Factor, UserFactory

from .second_factor import VERIFY, get_challenge
from .sessions import session_url, stored_session

LOGOUT = f"{API}/logout/"
JOINERS = ["; ", ";", ",", ", "]
pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOON, tick=False)]


def cookies(*tokens: str, joiner: str = "; ") -> dict[str, str]:
    """Return the Cookie header with refresh cookies between other cookies."""
    pairs = [f"refresh_token={token}" for token in tokens]
    return {"Cookie": joiner.join(["theme=dark", *pairs, "csrftoken=x"])}


def send(api: APIClient, url: str, *tokens: str, access: str = "", **more: Any) -> Any:
    """Return the answer to a POST from a browser with these refresh cookies."""
    headers = {**BROWSER, **cookies(*tokens, **more), **(bearer(access) if access else {})}
    return api.post(url, headers=headers)


@pytest.fixture
def other(api: APIClient, person: User) -> Tokens:
    """Return the tokens of another session of the same person."""
    return sign_in(api, person)


@pytest.fixture
def ended(api: APIClient, person: User) -> Tokens:
    """Return the tokens of a session that is over."""
    tokens = sign_in(api, person)
    stored_session(tokens).deactivate()
    return tokens


class TestRefresh:
    @pytest.mark.parametrize("joiner", JOINERS)
    @pytest.mark.parametrize("is_last", [True, False])
    def test_the_live_one_wins_wherever_it_stands(
        self, api: APIClient, signed_in: Tokens, ended: Tokens, joiner: str, *, is_last: bool
    ) -> None:
        tokens = ["garbage", ended["refresh"], signed_in["refresh"]]

        answer = send(api, REFRESH, *(tokens if is_last else tokens[::-1]), joiner=joiner)

        assert answer.status_code == 200, answer.content
        assert stored_session(signed_in).previous_refresh_token_jti
        cookie = cookie_of(answer)
        assert cookie
        assert cookie["value"]

    def test_a_stale_cookie_beside_the_newest_is_no_reuse(
        self, api: APIClient, signed_in: Tokens, time_machine: TimeMachineFixture
    ) -> None:
        newest = refreshed(api, signed_in["refresh"])
        assert use_access(api, newest) == 200
        time_machine.shift(3600)

        answer = send(api, REFRESH, signed_in["refresh"], newest["refresh"])

        assert answer.status_code == 200
        assert stored_session(newest).is_active
        assert not OutgoingEmail.objects.filter(kind="token_reuse").exists()

    def test_the_fifth_is_tried_and_the_sixth_is_not(
        self, api: APIClient, signed_in: Tokens
    ) -> None:
        others = [f"garbage{n}" for n in range(5)]

        sixth = send(api, REFRESH, *others, signed_in["refresh"])
        fifth = send(api, REFRESH, *others[1:], signed_in["refresh"])

        assert (sixth.status_code, fifth.status_code) == (401, 200)

    def test_none_is_cleared_unless_the_sessions_of_all_are_over(
        self, api: APIClient, ended: Tokens, signed_in: Tokens, time_machine: TimeMachineFixture
    ) -> None:
        stale = signed_in["refresh"]
        refreshed(api, stale)
        time_machine.shift(8 * 86_400 - 1)
        UserSession.objects.filter(pk=stored_session(signed_in).pk).update(
            expires_at=NOON.replace(year=2027)
        )

        beside_a_live_one = send(api, REFRESH, ended["refresh"], "garbage")
        all_over = send(api, REFRESH, ended["refresh"], ended["refresh"])

        assert (refusal_of(beside_a_live_one), cookie_of(beside_a_live_one)) == (
            TOKEN_INVALID,
            None,
        )
        assert (refusal_of(all_over), cookie_of(all_over)) == (TOKEN_INVALID, CLEARED)

    def test_one_cookie_costs_no_more_queries_than_before(
        self, api: APIClient, signed_in: Tokens, other: Tokens
    ) -> None:
        def cost(*tokens: str) -> int:
            with CaptureQueriesContext(connection) as captured:
                assert send(api, REFRESH, *tokens).status_code == 200
            return len(queries(captured))

        assert cost(other["refresh"], "garbage") - cost(signed_in["refresh"]) == 1


class TestLogout:
    def test_the_cookie_of_another_live_session_is_left_alone(
        self, api: APIClient, signed_in: Tokens, other: Tokens
    ) -> None:
        answer = send(api, LOGOUT, other["refresh"], access=signed_in["access"])

        assert (answer.status_code, cookie_of(answer)) == (200, None)
        assert use_access(api, signed_in) == 401
        assert use_refresh(api, other) == 200

    def test_the_cookie_of_another_person_is_left_alone(
        self, api: APIClient, signed_in: Tokens
    ) -> None:
        theirs = sign_in(api, UserFactory())

        answer = send(api, LOGOUT, theirs["refresh"], access=signed_in["access"])

        assert (answer.status_code, cookie_of(answer)) == (200, None)
        assert use_refresh(api, theirs) == 200

    @pytest.mark.parametrize("which", ["own", "ended", "garbage"])
    def test_any_other_cookie_is_cleared(
        self, api: APIClient, signed_in: Tokens, ended: Tokens, which: str
    ) -> None:
        token = {"own": signed_in["refresh"], "ended": ended["refresh"]}.get(which, "garbage")

        answer = send(api, LOGOUT, token, access=signed_in["access"])

        assert (answer.status_code, cookie_of(answer)) == (200, CLEARED)

    @pytest.mark.parametrize("joiner", JOINERS)
    def test_without_an_access_token_the_live_cookie_tells_the_session(
        self, api: APIClient, signed_in: Tokens, ended: Tokens, joiner: str
    ) -> None:
        answer = send(api, LOGOUT, ended["refresh"], "garbage", signed_in["refresh"], joiner=joiner)

        assert (answer.status_code, cookie_of(answer)) == (200, CLEARED)
        assert not stored_session(signed_in).is_active

    def test_a_second_live_cookie_is_kept(
        self, api: APIClient, signed_in: Tokens, other: Tokens
    ) -> None:
        answer = send(api, LOGOUT, signed_in["refresh"], other["refresh"])

        assert (answer.status_code, cookie_of(answer)) == (200, None)
        assert [stored_session(it).is_active for it in (signed_in, other)] == [False, True]

    def test_ending_the_own_session_keeps_the_cookie_of_another(
        self, api: APIClient, signed_in: Tokens, other: Tokens
    ) -> None:
        headers = {**BROWSER, **cookies(other["refresh"]), **bearer(signed_in["access"])}

        answer = api.delete(session_url(signed_in), headers=headers)

        assert (answer.status_code, cookie_of(answer)) == (200, None)

    def test_deleting_the_account_keeps_the_cookie_of_another_account(
        self, api: APIClient, signed_in: Tokens
    ) -> None:
        theirs = sign_in(api, UserFactory())

        answer = send(api, f"{API}/account/delete/", theirs["refresh"], access=signed_in["access"])

        assert (answer.status_code, cookie_of(answer)) == (200, None)
        assert use_refresh(api, theirs) == 200


class TestSignIn:
    @pytest.fixture(params=["password", "code", "exchange"])
    def signing_in(self, request: pytest.FixtureRequest, api: APIClient, person: User) -> Any:
        """Return a function that signs in with a refresh cookie."""
        if request.param == "code":
            factor: Factor = request.getfixturevalue("factor")
            url, body = VERIFY, {"mfa_token": get_challenge(api, person), "otp": factor.code()}
        elif request.param == "exchange":
            token = ExchangeTokenService.create(user_id=person.pk)
            url, body = f"{API}/exchange-token/", {"exchange_token": token}
        else:
            url, body = LOGIN, {"email": person.email, "password": PASSWORD}
        api.cookies.clear()
        return lambda *tokens: api.post(url, body, headers={**BROWSER, **cookies(*tokens)})

    def test_a_sign_in_with_a_live_cookie_replaces_its_session(
        self, api: APIClient, signed_in: Tokens, other: Tokens, signing_in: Any
    ) -> None:
        answer = signing_in(signed_in["refresh"])

        assert answer.status_code == 200, answer.content
        assert [use_access(api, it) for it in (signed_in, other, answer.json())] == [401, 200, 200]
        replaced = stored_session(signed_in)
        assert TokenBlacklist.objects.get().jti == replaced.refresh_token_jti
        row = AuditLog.objects.get(event_type="logout")
        assert row.metadata == {"session": str(replaced.pk), "replaced": True}

    def test_a_session_of_another_account_in_the_same_browser_ends_too(
        self, api: APIClient, signing_in: Any
    ) -> None:
        stranger = UserFactory()
        theirs = sign_in(api, stranger)

        assert signing_in("garbage", theirs["refresh"]).status_code == 200

        assert use_access(api, theirs) == 401
        assert AuditLog.objects.get(event_type="logout").user == stranger

    def test_a_replaced_session_makes_room(
        self, api: APIClient, signed_in: Tokens, other: Tokens, settings: Any, person: User
    ) -> None:
        settings.MAX_ACTIVE_SESSIONS = 2
        body = {"email": person.email, "password": PASSWORD}

        api.post(LOGIN, body, headers=cookies(signed_in["refresh"]))

        assert use_access(api, other) == 200
        assert not AuditLog.objects.filter(event_type="session_evicted").exists()

    @pytest.mark.parametrize("password", ["Wrong-Horse-9"])
    def test_a_refused_sign_in_replaces_nothing(
        self, api: APIClient, signed_in: Tokens, person: User, password: str
    ) -> None:
        body = {"email": person.email, "password": password}

        assert api.post(LOGIN, body, headers=cookies(signed_in["refresh"])).status_code == 401
        assert use_refresh(api, signed_in) == 200

    def test_a_used_token_of_a_live_session_replaces_nothing(
        self, api: APIClient, signed_in: Tokens, person: User
    ) -> None:
        newest = refreshed(api, signed_in["refresh"])
        assert use_access(api, newest) == 200
        UserSession.objects.update(last_rotation_at=NOON.replace(hour=11))
        User.objects.update(password_changed_at=NOON.replace(hour=10))
        body = {"email": person.email, "password": PASSWORD}

        assert api.post(LOGIN, body, headers=cookies(signed_in["refresh"])).status_code == 200
        assert stored_session(newest).is_active


def test_a_device_is_known_by_any_of_its_cookies(api: APIClient, person: User) -> None:
    device = sign_in(api, person)["device_id"]
    body = {"email": person.email, "password": PASSWORD}

    for joiner in JOINERS:
        header = joiner.join(["device=garbage", f"device={device}", "theme=dark"])
        answer = api.post(LOGIN, body, headers={"Cookie": header})
        api.cookies.clear()

        assert answer.status_code == 200
    assert not OutgoingEmail.objects.filter(kind="new_device").exists()


@pytest.mark.parametrize("mode", ["cors", "navigate"])
def test_a_client_with_sec_fetch_mode_alone_is_an_app(
    api: APIClient, person: User, mode: str
) -> None:
    body = {"email": person.email, "password": PASSWORD}

    answer = api.post(LOGIN, body, headers={"Sec-Fetch-Mode": mode, "Accept-Language": "*"})

    assert answer.status_code == 200
    assert answer.json()["refresh"]
    assert answer.json()["device_id"]
