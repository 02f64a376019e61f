"""PATCH /api/v1/auth/sessions/{id}/: another name for a device."""

from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from authentication.models import AuditLog, User, UserSession
from authentication.tests.answers import assert_invalid_fields, assert_problem
from authentication.tests.clients import Tokens, get_as, sign_in
from authentication.tests.conftest import API, bearer
from authentication.tests.factories import UserFactory
from authentication.tests.limits import set_limits

pytestmark = pytest.mark.django_db


def rename(api: APIClient, tokens: Tokens, session: Any, body: Any) -> Any:
    """Return the answer to a new name for a session's device."""
    url = f"{API}/sessions/{session}/"
    return api.patch(url, body, format="json", headers=bearer(tokens["access"]))


@pytest.fixture
def other(api: APIClient, signed_in: Tokens, person: User) -> UserSession:
    """Return another session of the person."""
    sign_in(api, person, device_name="iPhone")
    return UserSession.objects.get(device_name="iPhone")


def test_a_device_gets_another_name(
    api: APIClient, signed_in: Tokens, other: UserSession, person: User
) -> None:
    before = UserSession.objects.values().get(pk=other.pk)

    answer = rename(api, signed_in, other.pk, {"device_name": " Ruth's phone\u200b "})

    assert answer.status_code == 200
    assert (answer.json()["device_name"], answer.json()["is_current"]) == ("Ruth's phone", False)
    assert UserSession.objects.values().get(pk=other.pk) == {
        **before,
        "device_name": "Ruth's phone",
    }
    event = AuditLog.objects.get(event_type="session_renamed")
    assert (event.user, event.metadata) == (person, {"session": str(other.pk)})
    listed = get_as(api, signed_in, f"{API}/sessions/").json()["sessions"]
    assert "Ruth's phone" in {it["device_name"] for it in listed}


def test_the_own_device_is_renamed(api: APIClient, signed_in: Tokens) -> None:
    own = UserSession.objects.get()

    answer = rename(api, signed_in, own.pk, {"device_name": "x" * 100})

    assert answer.json()["is_current"] is True
    assert answer.json()["device_name"] == "x" * 100


@pytest.mark.parametrize(
    "body",
    [{}, *({"device_name": it} for it in ("", " ", "\u200b\u202e", None, 1, ["a"], "x" * 101))],
)
def test_a_name_that_shows_nothing_or_is_too_long_is_refused(
    api: APIClient, signed_in: Tokens, other: UserSession, body: Any
) -> None:
    assert_invalid_fields(rename(api, signed_in, other.pk, body), "device_name")

    other.refresh_from_db()
    assert other.device_name == "iPhone"


@pytest.mark.parametrize("whose", ["stranger's", "ended", "nobody's"])
def test_any_other_session_is_not_found(
    api: APIClient, signed_in: Tokens, other: UserSession, whose: str
) -> None:
    wanted: object = other.pk
    if whose == "stranger's":
        stranger = UserFactory()
        sign_in(APIClient(), stranger)
        wanted = UserSession.objects.get(user=stranger).pk
    elif whose == "ended":
        UserSession.objects.filter(pk=other.pk).end(reason="logout", at=timezone.now())
    else:
        wanted = "00000000-0000-4000-8000-000000000000"

    answer = rename(api, signed_in, wanted, {"device_name": "Mine now"})

    assert_problem(answer, 404, "not_found")
    assert not UserSession.objects.filter(device_name="Mine now").exists()
    assert not AuditLog.objects.filter(event_type="session_renamed").exists()


def test_it_is_limited_with_its_siblings(
    api: APIClient, signed_in: Tokens, other: UserSession, settings: Settings
) -> None:
    set_limits(settings, sessions="1/h")
    get_as(api, signed_in, f"{API}/sessions/")

    assert rename(api, signed_in, other.pk, {"device_name": "x"}).status_code == 429


def test_an_ended_session_renames_nothing(
    api: APIClient, signed_in: Tokens, other: UserSession
) -> None:
    own = UserSession.objects.exclude(pk=other.pk).get()
    own.deactivate()

    answer = rename(api, signed_in, other.pk, {"device_name": "x"})

    assert answer.status_code == 401
