"""A sign-in in one statement stores what the plain transaction stores, or nothing."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from authentication.models import AuditLog, KnownDevice, OutgoingEmail, User, UserSession
from authentication.services.audit import Event
from authentication.services.sign_in.opening import Opening, SignedIn, open_at_once, open_session
from authentication.tests.factories import UserFactory
from authentication.utils.client import ClientInfo

pytestmark = pytest.mark.django_db

NOW = timezone.now().replace(microsecond=123456)
CLIENT = ClientInfo(
    ip_address="2001:db8::7",
    user_agent='App\'s "agent" 100 % {1}',
    correlation_id="abc",
)
OPENING = Opening(
    Event.LOGIN,
    'Ruth\'s "phone" 100 %s',
    remember_me=True,
    is_verified=True,
    proven_at=NOW,
    password_proven_at=NOW,
)
# What two sign-ins cannot share.
OWN = {
    *("_state", "id", "user_id", "session_key", "refresh_token_jti", "device_fingerprint"),
    *("digest", "next_attempt_at", "created_at", "timestamp"),
}


def stored_for(user: User, signed_in: SignedIn | None) -> list[dict[str, Any]]:
    assert signed_in
    user.refresh_from_db()
    assert user.last_login == signed_in.session.created_at == NOW
    session = str(signed_in.session.pk)
    rows = [
        *UserSession.objects.filter(user=user),
        *AuditLog.objects.filter(user=user),
        *KnownDevice.objects.filter(user=user),
        *OutgoingEmail.objects.filter(user=user),
    ]
    assert len(rows) == 4
    return [
        {
            name: str(value).replace(session, "the session")
            for name, value in vars(row).items()
            if name not in OWN
        }
        for row in rows
    ]


def test_it_stores_what_the_transaction_stores() -> None:
    earlier = NOW - dt.timedelta(days=9)
    first, second = (UserFactory(last_login=earlier) for _ in range(2))
    User.objects.update(password_changed_at=earlier, created_at=earlier)
    first.refresh_from_db()
    second.refresh_from_db()

    at_once = open_at_once(first, OPENING, client=CLIENT, at=NOW)
    plain = open_session(second, OPENING, client=CLIENT, at=NOW)

    assert stored_for(first, at_once) == stored_for(second, plain)


CHANGES: list[Callable[[User], Any]] = [
    lambda _: User.objects.update(is_active=False),
    lambda _: User.objects.update(password_changed_at=NOW),
    lambda _: User.objects.update(second_factor_at=NOW),
    lambda _: User.objects.update(deletion_requested_at=NOW),
    lambda _: User.objects.update(last_login=NOW),
    lambda _: User.objects.all().delete(),
    lambda it: open_session(it, OPENING, client=CLIENT, at=NOW),
]


@pytest.mark.security
@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("last_login", [None, NOW - dt.timedelta(days=1)])
def test_it_stores_nothing_if_the_account_changed(
    settings: Settings, change: Callable[[User], Any], last_login: dt.datetime | None
) -> None:
    settings.MAX_ACTIVE_SESSIONS = 1
    person = UserFactory(last_login=last_login)
    change(User.objects.get())
    before = [model.objects.count() for model in (UserSession, AuditLog, OutgoingEmail)]

    assert open_at_once(person, OPENING, client=CLIENT, at=NOW) is None

    after = [model.objects.count() for model in (UserSession, AuditLog, OutgoingEmail)]
    assert after == before


def test_it_leaves_a_full_account_to_the_transaction(settings: Settings) -> None:
    settings.MAX_ACTIVE_SESSIONS = 2
    UserFactory()
    opened = [
        open_at_once(User.objects.get(), OPENING, client=CLIENT, at=NOW + dt.timedelta(seconds=it))
        for it in range(3)
    ]

    assert [bool(it) for it in opened] == [True, True, False]
