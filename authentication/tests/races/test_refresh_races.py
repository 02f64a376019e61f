"""Concurrent refreshes with one refresh token."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from authentication.models import (
    AuditLog,
    OutgoingEmail,
    PasswordResetToken,
    TokenBlacklist,
    User,
    UserSession,
)
from authentication.tests.clients import (
    REFRESH,
    Tokens,
    another_password,
    refresh_by_cookie,
    refreshed,
    set_password,
    sign_in,
    use_access,
    use_refresh,
)
from authentication.tests.conftest import API, bearer
from authentication.tests.factories import PASSWORD
from authentication.tests.forging import claims_of

from .crowd import all_at_once, posts, statuses

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]

CROWD, ROUNDS = 24, 3


def refresh(tokens: Tokens) -> Any:
    return APIClient().post(REFRESH, {"refresh": tokens["refresh"]})


def rotations() -> tuple[int, int]:
    """Return how many rotations were written down, and how many were audited."""
    revoked = TokenBlacklist.objects.filter(reason="rotation").count()
    return revoked, AuditLog.objects.filter(event_type="token_refresh").count()


def test_of_24_refreshes_with_one_token_one_rotates_and_all_get_the_same_successor(
    api: APIClient, person: User
) -> None:
    tokens = sign_in(api, person)

    answers = posts(CROWD, REFRESH, lambda _: {"refresh": tokens["refresh"]})

    assert statuses(answers) == {200: CROWD}
    (successor,) = {answer.json()["refresh"] for answer in answers}
    assert rotations() == (1, 1)
    session = UserSession.objects.get()
    assert session.refresh_token_jti == claims_of(successor)["jti"]
    assert session.previous_refresh_token_jti == claims_of(tokens["refresh"])["jti"]
    assert {use_access(api, answer.json()) for answer in answers} == {200}
    assert use_refresh(api, {"refresh": successor}) == 200


def test_of_24_refreshes_by_cookie_all_get_the_same_cookie(api: APIClient, person: User) -> None:
    tokens = sign_in(api, person)

    answers = all_at_once(*[lambda: refresh_by_cookie(APIClient(), tokens["refresh"])] * CROWD)

    assert statuses(answers) == {200: CROWD}
    assert len({answer.cookies["refresh_token"].value for answer in answers}) == 1
    assert rotations() == (1, 1)


def test_a_chain_of_crowded_refreshes_stays_one_chain(api: APIClient, person: User) -> None:
    token = sign_in(api, person)["refresh"]

    for _ in range(4):
        answers = all_at_once(*[partial(refresh, {"refresh": token})] * 8)
        (token,) = {answer.json()["refresh"] for answer in answers}

    # Of one client only the first of the day is recorded.
    assert rotations() == (4, 1)
    assert UserSession.objects.get().refresh_token_jti == claims_of(token)["jti"]


def test_concurrent_reuse_ends_the_session_and_mails_once(api: APIClient, person: User) -> None:
    tokens = sign_in(api, person)
    newest = refreshed(api, refreshed(api, tokens["refresh"])["refresh"])

    answers = posts(12, REFRESH, lambda _: {"refresh": tokens["refresh"]})

    assert statuses(answers) == {401: 12}
    assert (use_access(api, newest), use_refresh(api, newest)) == (401, 401)
    assert AuditLog.objects.filter(event_type="token_reuse_detected").count() == 1
    assert OutgoingEmail.objects.filter(kind="token_reuse").count() == 1


# Refresh against what ends it.


def log_out(tokens: Tokens, other: Tokens) -> int:
    return int(APIClient().post(f"{API}/logout/", headers=bearer(tokens["access"])).status_code)


def log_out_by_refresh_token(tokens: Tokens, other: Tokens) -> int:
    return int(APIClient().post(f"{API}/logout/", {"refresh": tokens["refresh"]}).status_code)


def terminate(tokens: Tokens, other: Tokens) -> int:
    url = f"{API}/sessions/{claims_of(tokens['access'])['sid']}/"
    return int(APIClient().delete(url, headers=bearer(other["access"])).status_code)


def terminate_others(tokens: Tokens, other: Tokens) -> int:
    return int(
        APIClient()
        .post(f"{API}/sessions/terminate-all/", headers=bearer(other["access"]))
        .status_code
    )


def deactivate(tokens: Tokens, other: Tokens) -> int:
    return 200 if User.objects.update(is_active=False) else 404


def change_password(tokens: Tokens, other: Tokens) -> int:
    body = {"old_password": PASSWORD, "new_password": another_password()}
    return int(
        APIClient()
        .post(f"{API}/password/change/", body, headers=bearer(other["access"]))
        .status_code
    )


def reset_password(tokens: Tokens, other: Tokens) -> int:
    token = PasswordResetToken.objects.issue(User.objects.get(), at=timezone.now())
    body = {"token": token, "new_password": another_password()}
    return int(APIClient().post(f"{API}/password/reset/confirm/", body).status_code)


ENDS = [
    log_out,
    log_out_by_refresh_token,
    terminate,
    terminate_others,
    deactivate,
    change_password,
    reset_password,
]


@pytest.mark.parametrize("end", ENDS)
def test_concurrent_refreshes_leave_no_live_token_after_a_session_end(
    api: APIClient, person: User, end: Callable[[Tokens, Tokens], int]
) -> None:
    for _ in range(ROUNDS):
        User.objects.update(is_active=True)
        set_password(person, PASSWORD)
        tokens, other = sign_in(api, person), sign_in(api, person)

        ended, *answers = all_at_once(partial(end, tokens, other), *[partial(refresh, tokens)] * 4)

        assert ended == 200
        assert set(statuses(answers)) <= {200, 401}
        survivors = [answer.json() for answer in answers if answer.status_code == 200]
        assert {use_access(api, given) for given in (tokens, *survivors)} == {401}
        assert {use_refresh(api, given) for given in (*survivors, tokens)} == {401}


def test_sessions_that_end_each_other_at_the_same_moment_leave_no_fault(
    api: APIClient, person: User
) -> None:
    devices = [sign_in(api, person) for _ in range(6)]

    answers = all_at_once(*(partial(terminate_others, tokens, tokens) for tokens in devices))

    # A session that another ended first gets a 401; no request gets a server error.
    assert set(answers) <= {200, 401}
    assert 200 in answers
    assert UserSession.objects.filter(is_active=True).count() <= 1


def test_old_access_token_does_not_mark_the_successor_as_seen(api: APIClient, person: User) -> None:
    for _ in range(ROUNDS):
        tokens = sign_in(api, person)

        answers: list[Any] = all_at_once(
            *[partial(use_access, APIClient(), tokens)] * 3, partial(refresh, tokens)
        )

        session = UserSession.objects.get(pk=claims_of(tokens["refresh"])["sid"])
        assert answers[-1].status_code == 200
        assert session.successor_seen is False
