"""Two replicas whose clocks differ, and a clock that is set back: nothing fresh is dead."""

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from rest_framework.test import APIClient
from time_machine import TimeMachineFixture

from authentication.models import User, UserSession
from authentication.tests.clients import (
    NEW_PASSWORD,
    NOON,
    WRONG_PASSWORD,
    log_in,
    post_as,
    refreshed,
    set_password,
    sign_in,
    use_access,
    use_refresh,
)
from authentication.tests.conftest import API, Deliver, token_in
from authentication.tests.factories import PASSWORD, UserFactory, give_factor
from authentication.utils.one_time_codes import STEP_SECONDS, totp_code

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("without_rate_limits"),
    pytest.mark.time_machine(NOON, tick=False),
]
Replica = Callable[[float], Any]
BEHIND = [-10, -5, 5, 10]
"""How many seconds the second replica is ahead."""


@pytest.fixture
def replica(time_machine: TimeMachineFixture) -> Replica:
    """Return a context in which requests meet a replica whose clock is off by some seconds.

    Time passes from one request to the next by a tenth of a second.
    """
    passed = 0.0

    @contextmanager
    def at(ahead: float) -> Iterator[None]:
        nonlocal passed
        passed += 0.1
        time_machine.move_to(NOON + dt.timedelta(seconds=passed + ahead), tick=False)
        yield

    return at


@pytest.mark.parametrize("ahead", BEHIND)
class TestTwoReplicas:
    def test_tokens_of_a_sign_in_and_of_each_refresh_work_on_both(
        self, api: APIClient, person: User, replica: Replica, ahead: float
    ) -> None:
        with replica(0):
            tokens = sign_in(api, person)
        for clock in (ahead, 0, ahead, 0):
            with replica(clock):
                tokens = refreshed(api, tokens["refresh"])
                assert use_access(api, tokens) == 200
            with replica(ahead - clock):
                assert use_access(api, tokens) == 200

    def test_a_second_use_within_the_grace_period_ends_no_session(
        self,
        api: APIClient,
        person: User,
        replica: Replica,
        time_machine: TimeMachineFixture,
        ahead: float,
    ) -> None:
        with replica(0):
            tokens = sign_in(api, person)
            newest = refreshed(api, tokens["refresh"])
            use_access(api, newest)
        time_machine.shift(9 + ahead)

        again = refreshed(api, tokens["refresh"])

        assert again["refresh"] == newest["refresh"]
        assert use_access(api, again) == 200
        assert UserSession.objects.filter(is_active=True).count() == 1

    def test_a_changed_password_ends_older_tokens_and_no_newer_ones(
        self, api: APIClient, person: User, replica: Replica, ahead: float
    ) -> None:
        with replica(0):
            older, other = sign_in(api, person), sign_in(api, person)
            other = refreshed(api, other["refresh"])
        with replica(ahead):
            body = {"old_password": PASSWORD, "new_password": NEW_PASSWORD}
            newer = post_as(api, older, f"{API}/password/change/", body).json()
        for clock in (0, ahead):
            with replica(clock):
                assert [use_access(api, it) for it in (older, other, newer)] == [401, 401, 200]
        with replica(0):
            assert use_access(api, refreshed(api, newer["refresh"])) == 200

    def test_a_password_set_outside_the_api_ends_every_session(
        self, api: APIClient, person: User, replica: Replica, ahead: float
    ) -> None:
        with replica(0):
            tokens = sign_in(api, person)
        with replica(ahead):
            set_password(User.objects.get(pk=person.pk))
        with replica(0):
            assert (use_access(api, tokens), use_refresh(api, tokens)) == (401, 401)

    def test_a_reset_works_and_its_sign_in_too(
        self,
        api: APIClient,
        person: User,
        replica: Replica,
        delivered: Deliver,
        ahead: float,
    ) -> None:
        with replica(0):
            older = sign_in(api, person)
            api.post(f"{API}/password/reset/", {"email": person.email})
            token = token_in(delivered()[-1])
        with replica(ahead):
            body = {"token": token, "new_password": NEW_PASSWORD}
            assert api.post(f"{API}/password/reset/confirm/", body).status_code == 200
        with replica(0):
            newer = log_in(api, person, NEW_PASSWORD).json()
        for clock in (0, ahead):
            with replica(clock):
                assert (use_access(api, older), use_access(api, newer)) == (401, 200)

    def test_a_registration_is_verified_and_exchanged(
        self, api: APIClient, replica: Replica, delivered: Deliver, ahead: float
    ) -> None:
        with replica(0):
            api.post(f"{API}/register/", {"email": "naomi@example.org", "password": PASSWORD})
        with replica(ahead):
            token = token_in(delivered()[-1])
        with replica(0):
            proven = api.post(f"{API}/email/verify/", {"token": token}).json()
        with replica(ahead):
            body = {"exchange_token": proven["exchange_token"]}
            tokens = api.post(f"{API}/exchange-token/", body).json()
            api.cookies.clear()
        with replica(0):
            assert use_access(api, tokens) == 200
            assert use_access(api, refreshed(api, tokens["refresh"])) == 200

    @pytest.mark.parametrize("drift", [-20, 0, 20])
    def test_a_second_factor_is_proven_by_a_phone_with_a_clock_of_its_own(
        self, api: APIClient, person: User, replica: Replica, ahead: float, drift: float
    ) -> None:
        seed = give_factor(person).seed
        with replica(0):
            asked = log_in(api, person).json()
        shown = totp_code(seed, int(NOON.timestamp() + drift) // STEP_SECONDS)
        with replica(ahead):
            body = {"mfa_token": asked["mfa_token"], "otp": shown}
            tokens = api.post(f"{API}/2fa/verify/", body).json()
            api.cookies.clear()
        with replica(0):
            assert use_access(api, tokens) == 200

    def test_a_lock_on_a_known_device_and_its_end_hold_on_both(
        self,
        api: APIClient,
        person: User,
        replica: Replica,
        time_machine: TimeMachineFixture,
        ahead: float,
    ) -> None:
        with replica(0):
            known = {"X-Device-Id": sign_in(api, person)["device_id"]}
        body = {"email": person.email, "password": WRONG_PASSWORD}
        statuses = []
        for number in range(6):
            with replica(ahead if number % 2 else 0):
                statuses.append(api.post(f"{API}/login/", body, headers=known).status_code)
        time_machine.shift(30 * 60 + 20)

        assert statuses == [401] * 5 + [403]
        assert (
            api.post(f"{API}/login/", {**body, "password": PASSWORD}, headers=known).status_code
            == 200
        )


@pytest.mark.parametrize("seconds", [5, 10])
def test_a_clock_that_is_set_back_leaves_sessions_alive(
    api: APIClient, person: User, time_machine: TimeMachineFixture, seconds: int
) -> None:
    tokens = sign_in(api, person)
    time_machine.shift(-seconds)

    renewed = refreshed(api, tokens["refresh"])

    session = UserSession.objects.get()
    assert session.last_rotation_at >= session.created_at
    assert [use_access(api, it) for it in (tokens, renewed)] == [200, 200]
    assert use_access(api, sign_in(api, person)) == 200


def test_a_password_that_is_changed_after_the_clock_was_set_back_voids_older_links(
    api: APIClient, person: User, time_machine: TimeMachineFixture, delivered: Deliver
) -> None:
    set_password(person)
    api.post(f"{API}/password/reset/", {"email": person.email})
    token = token_in(delivered()[-1])
    time_machine.shift(-5)

    set_password(person, PASSWORD)

    answer = api.post(
        f"{API}/password/reset/confirm/", {"token": token, "new_password": "Third-Horse-55"}
    )
    assert answer.status_code == 400


def test_times_of_two_accounts_are_independent(
    api: APIClient, person: User, time_machine: TimeMachineFixture
) -> None:
    other = UserFactory()
    time_machine.shift(5)
    sign_in(api, person)
    time_machine.shift(-5)

    tokens = sign_in(api, other)

    assert UserSession.objects.get(user=other).created_at == NOON
    assert use_access(api, tokens) == 200
