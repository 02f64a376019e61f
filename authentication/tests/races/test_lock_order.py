"""Two requests that lock rows of one user take them in one order, so they do not deadlock."""

import contextlib
import datetime as dt
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from authentication.models import (
    ActionToken,
    EmailChange,
    EmailVerificationToken,
    PasswordResetToken,
    User,
    UserSession,
)
from authentication.models.mailed_tokens import EmailVerificationTokenQuerySet
from authentication.models.session_queries import UserSessionQuerySet
from authentication.models.user_queries import UserQuerySet
from authentication.services.sessions import tokens
from authentication.tests.clients import sign_in
from authentication.tests.conftest import API
from authentication.tests.factories import UserFactory

from .crowd import all_at_once

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]

# Shorter than anybody waits for a row (DB_LOCK_TIMEOUT_MS): where the order is kept one of the two
# comes too late.
_MEETING_SECONDS = 1
_HOUR = dt.timedelta(hours=1)
_NEW_PASSWORD = "Another-Horse-7"

Meet = Callable[[Any, str], None]


@pytest.fixture
def meet(monkeypatch: pytest.MonkeyPatch) -> Meet:
    """Return a function that makes two requests wait for each other after a named call."""
    here = threading.Barrier(2)

    def patch(owner: Any, name: str) -> None:
        act = getattr(owner, name)

        def act_and_wait(*args: Any, **kwargs: Any) -> Any:
            done = act(*args, **kwargs)
            with contextlib.suppress(threading.BrokenBarrierError):
                here.wait(_MEETING_SECONDS)
            return done

        monkeypatch.setattr(owner, name, act_and_wait)

    # The first request of a process loads what the others find.
    APIClient().get(f"{API}/csrf/")
    return patch


def post(path: str, **body: Any) -> int:
    return int(APIClient().post(f"{API}/{path}", body).status_code)


def action_token(person: User, action: str, **subject: str) -> str:
    return ActionToken.objects.issue(
        action, user_id=person.pk, at=timezone.now(), lifetime=_HOUR, **subject
    )


def reset_token(person: User) -> str:
    return PasswordResetToken.objects.issue(person, at=timezone.now())


def verification_token(person: User) -> str:
    return EmailVerificationToken.objects.issue(person.pk, email=person.email, at=timezone.now())


def test_a_refresh_and_a_reset(api: APIClient, person: User, meet: Meet) -> None:
    refresh, reset = sign_in(api, person)["refresh"], reset_token(person)
    meet(tokens, "rotate")
    meet(UserQuerySet, "lock_row")

    statuses = all_at_once(
        partial(post, "token/refresh/", refresh=refresh),
        partial(post, "password/reset/confirm/", token=reset, new_password=_NEW_PASSWORD),
    )

    assert statuses == [200, 200]
    assert not UserSession.objects.filter(is_active=True).exists()


def test_a_refresh_and_the_undoing_of_a_change_of_address(
    api: APIClient, person: User, meet: Meet
) -> None:
    refresh = sign_in(api, person)["refresh"]
    change = EmailChange.objects.create(
        user=person,
        old_email="before@example.org",
        new_email=person.email,
        confirmed_at=timezone.now(),
    )
    undo = action_token(person, "undo_email", change=str(change.pk))
    meet(tokens, "rotate")
    meet(User, "save")

    statuses = all_at_once(
        partial(post, "token/refresh/", refresh=refresh),
        partial(post, "account/email/undo/", token=undo),
    )

    assert statuses == [200, 200]
    assert not UserSession.objects.filter(is_active=True).exists()


def test_a_link_that_proves_an_address_and_the_next_one(meet: Meet) -> None:
    person = UserFactory(email_verified=False, email_verified_at=None)
    token = verification_token(person)
    meet(EmailVerificationTokenQuerySet, "spend")
    meet(UserQuerySet, "lock_row")

    status, _ = all_at_once(
        partial(post, "email/verify/", token=token), partial(verification_token, person)
    )

    # Whichever comes first: the older link is used, or void.
    assert status in {200, 400}
    assert User.objects.get().email_verified == (status == 200)


def test_a_link_that_disowns_a_device_and_a_reset(api: APIClient, person: User, meet: Meet) -> None:
    sign_in(api, person)
    disown = action_token(person, "disown_session", session=str(UserSession.objects.get().pk))
    reset = reset_token(person)
    meet(UserSessionQuerySet, "end")
    meet(UserQuerySet, "lock_row")

    disowned, renewed = all_at_once(
        partial(post, "account/disown-session/", token=disown),
        partial(post, "password/reset/confirm/", token=reset, new_password=_NEW_PASSWORD),
    )

    # Whichever comes first voids the other: a new password ends such links, and disowning makes a
    # newer reset link.
    assert (disowned, renewed) in {(200, 200), (200, 400), (400, 200)}
    assert not UserSession.objects.filter(is_active=True).exists()
