"""DELETE /api/v1/auth/sessions/<id>/ and POST /api/v1/auth/sessions/terminate-all/."""

import datetime as dt

import pytest
from rest_framework.test import APIClient
from time_machine import TimeMachineFixture

from authentication.models import AuditLog, TokenBlacklist, User
from authentication.tests.answers import (
    CLEARED,
    assert_problem,
    cookie_of,
    refusal_of,
    rows,
)
from authentication.tests.clients import (
    EVIL,
    NOON,
    Tokens,
    post_as,
    sign_in,
    use_access,
    use_refresh,
)
from authentication.tests.conftest import BROWSER, bearer
from authentication.tests.factories import UserFactory
from authentication.tests.forging import claims_of

from .sessions import (
    NOT_FOUND,
    SESSIONS,
    TERMINATE_ALL,
    session_id,
    stored_session,
    terminate,
)

pytestmark = pytest.mark.time_machine(NOON, tick=False)


def test_ending_another_session_revokes_its_tokens_only(api: APIClient, person: User) -> None:
    here, there = sign_in(api, person), sign_in(api, person)

    answer = terminate(api, there, by=here)

    assert (answer.status_code, answer.json()) == (
        200,
        {"message": "Session terminated successfully"},
    )
    assert cookie_of(answer) is None
    assert (use_access(api, there), use_refresh(api, there)) == (401, 401)
    assert (use_access(api, here), use_refresh(api, here)) == (200, 200)


def test_an_ended_session_keeps_its_reason_and_is_audited(
    time_machine: TimeMachineFixture, api: APIClient, person: User
) -> None:
    here, there = sign_in(api, person), sign_in(api, person)
    time_machine.shift(60)

    terminate(api, there, by=here)

    session = stored_session(there)
    assert (session.is_active, session.end_reason) == (False, "terminated")
    assert session.ended_at == NOON + dt.timedelta(seconds=60)
    revoked = TokenBlacklist.objects.get()
    assert (revoked.jti, revoked.reason) == (claims_of(there["refresh"])["jti"], "terminated")
    event = AuditLog.objects.get(event_type="session_terminated")
    assert (event.user_id, event.metadata, event.success) == (
        person.pk,
        {"session": session_id(there)},
        True,
    )


@pytest.mark.parametrize("headers", [{}, BROWSER], ids=["app", "browser"])
def test_ending_the_current_session_clears_the_cookie(
    api: APIClient, signed_in: Tokens, headers: dict[str, str]
) -> None:
    answer = terminate(api, signed_in, by=signed_in, **headers)

    assert (answer.status_code, answer.json()) == (
        200,
        {"message": "Session terminated successfully"},
    )
    assert cookie_of(answer) == CLEARED
    assert (use_access(api, signed_in), use_refresh(api, signed_in)) == (401, 401)


def test_ending_a_session_twice_is_not_found_the_second_time(api: APIClient, person: User) -> None:
    here, there = sign_in(api, person), sign_in(api, person)
    terminate(api, there, by=here)
    before = rows()

    answer = terminate(api, there, by=here)

    assert refusal_of(answer) == NOT_FOUND
    assert rows() == before


def test_terminate_all_ends_and_counts_every_other_session(api: APIClient, person: User) -> None:
    others = [sign_in(api, person) for _ in range(3)]
    here, stranger = sign_in(api, person), sign_in(api, UserFactory())
    stored_session(others[0]).deactivate("logout")

    answer = post_as(api, here, TERMINATE_ALL)

    body = {"message": "All sessions terminated successfully", "terminated_count": 2}
    assert (answer.status_code, answer.json()) == (200, body)
    assert cookie_of(answer) is None
    assert [use_refresh(api, tokens) for tokens in (*others, here, stranger)] == [
        401,
        401,
        401,
        200,
        200,
    ]
    reasons = {claims_of(tokens["refresh"])["jti"]: "terminated" for tokens in others[1:]}
    assert (
        dict(TokenBlacklist.objects.filter(reason="terminated").values_list("jti", "reason"))
        == reasons
    )
    event = AuditLog.objects.get(event_type="sessions_terminated")
    assert (event.user_id, event.metadata) == (person.pk, {"count": 2, "kept": session_id(here)})


def test_terminate_all_with_no_other_session_ends_none(api: APIClient, signed_in: Tokens) -> None:
    answer = post_as(api, signed_in, TERMINATE_ALL)

    assert answer.json() == {
        "message": "All sessions terminated successfully",
        "terminated_count": 0,
    }
    assert use_access(api, signed_in) == 200


@pytest.mark.parametrize(("method", "path"), [("delete", ""), ("post", "terminate-all/")])
def test_a_cross_site_request_ends_nothing(
    api: APIClient, person: User, method: str, path: str
) -> None:
    here, there = sign_in(api, person), sign_in(api, person)
    url = SESSIONS + (path or f"{session_id(there)}/")
    before = rows()

    answer = getattr(api, method)(url, headers={"Origin": EVIL, **bearer(here["access"])})

    assert_problem(answer, 403, "csrf_failed")
    assert rows() == before
