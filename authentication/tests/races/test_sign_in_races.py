"""Sign-ins beside each other, disabling, and other ends of sessions."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient

from authentication.models import AuditLog, TokenBlacklist, User, UserSession
from authentication.tests.clients import (
    another_password,
    set_password,
    sign_in,
    use_access,
    use_refresh,
)
from authentication.tests.conftest import API, bearer
from authentication.tests.factories import PASSWORD

from .crowd import all_at_once, posts, statuses

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]

URL = f"{API}/login/"
CROWD = 12


def test_concurrent_sign_ins_respect_max_active_sessions(person: User, settings: Settings) -> None:
    settings.MAX_ACTIVE_SESSIONS = 3

    settings.ACCOUNT_LOCKOUT_THRESHOLD = CROWD + 1

    answers = posts(CROWD, URL, lambda _: {"email": person.email, "password": PASSWORD})

    assert statuses(answers) == {200: CROWD}
    assert UserSession.objects.filter(is_active=True).count() == 3
    assert UserSession.objects.filter(end_reason="evicted").count() == CROWD - 3
    assert TokenBlacklist.objects.filter(reason="evicted").count() == CROWD - 3
    assert AuditLog.objects.filter(event_type="session_evicted").count() == CROWD - 3


def change_password(other: dict[str, str]) -> int:
    body = {"old_password": PASSWORD, "new_password": another_password()}
    return int(
        APIClient()
        .post(f"{API}/password/change/", body, headers=bearer(other["access"]))
        .status_code
    )


def log_in(email: str) -> Any:
    return APIClient().post(URL, {"email": email, "password": PASSWORD})


def deactivate(other: dict[str, str]) -> int:
    return 200 if User.objects.update(is_active=False) else 404


@pytest.mark.parametrize("stop", [change_password, deactivate])
def test_a_sign_in_at_the_moment_it_should_be_stopped_leaves_no_live_token(
    api: APIClient, person: User, stop: Callable[[dict[str, str]], int]
) -> None:
    for _ in range(4):
        User.objects.update(is_active=True)
        set_password(person, PASSWORD)
        other = sign_in(api, person)

        stopped, *answers = all_at_once(partial(stop, other), *[partial(log_in, person.email)] * 3)

        assert stopped == 200
        assert set(statuses(answers)) <= {200, 401, 403}
        opened = [answer.json() for answer in answers if answer.status_code == 200]
        assert [use_access(api, tokens) for tokens in opened] == [401] * len(opened)
        assert [use_refresh(api, tokens) for tokens in opened] == [401] * len(opened)
