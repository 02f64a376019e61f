"""Every kind of write of a thief's session, near the commit of the owner's password reset."""

import dataclasses
import datetime as dt
import functools
import random
import threading
import time
import uuid
from collections.abc import Callable
from typing import Any
from unittest import mock

import pytest
from django.contrib.auth.hashers import make_password
from django.utils import timezone
from rest_framework.test import APIClient

from authentication.models import (
    AccountExport,
    ActionToken,
    Consent,
    EmailChange,
    PasswordResetToken,
    RecoveryCode,
    SecondFactor,
    SensitiveChange,
    User,
    UserProfile,
    UserSession,
)
from authentication.models.user_queries import UserQuerySet
from authentication.services.background import queue as background
from authentication.services.sessions import TokenService
from authentication.tests.clients import another_password
from authentication.tests.conftest import API, bearer
from authentication.tests.factories import PASSWORD, UserFactory
from authentication.tests.flows.test_session_recheck import (
    NEEDS_FACTOR,
    WRITES,
    Write,
    filled_in,
    give_factor_and_proof,
)

from .crowd import all_at_once

pytestmark = [
    pytest.mark.services,
    pytest.mark.security,
    pytest.mark.django_db(transaction=True),
]

ROUNDS = 30
# Kinds that run side by side, each on an account of its own.
GROUPS = [sorted(WRITES)[start::3] for start in range(3)]
# How far apart two requests begin at most, in seconds. Each takes some hundredths.
SPREAD = 0.02
PATIENCE = 20
_HELD: dict[uuid.UUID, threading.Event] = {}


@dataclasses.dataclass
class Theft:
    """An account with a session of a thief, the write it sends, and the owner's reset link."""

    kind: str
    person: User
    write: Write
    access: str
    link: str
    before: dict[str, Any] = dataclasses.field(default_factory=dict)

    def send_write(self, *, is_late: bool, wait: float) -> int:
        """Send the write; a late one begins when the reset holds the account's row."""
        if is_late:
            assert _HELD[self.person.pk].wait(PATIENCE)
        time.sleep(wait)
        act = getattr(APIClient(), self.write.method)
        return int(act(self.write.url, self.write.body, headers=bearer(self.access)).status_code)

    def reset(self, *, wait: float) -> int:
        time.sleep(wait)
        try:
            return self.post_reset(self.link)
        finally:
            _HELD[self.person.pk].set()

    def reset_again(self) -> int:
        """Reset by another link: a password change came first, which voids the link of before."""
        person = User.objects.get(pk=self.person.pk)
        return self.post_reset(PasswordResetToken.objects.issue(person, at=timezone.now()))

    @staticmethod
    def post_reset(link: str) -> int:
        body = {"token": link, "new_password": another_password()}
        return int(APIClient().post(f"{API}/password/reset/confirm/", body).status_code)


@pytest.fixture(autouse=True)
def _signal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tell the writer when a reset has written the password and has yet to commit."""
    genuine = UserQuerySet.change_password

    def change_password(self: UserQuerySet, user: User, **since: dt.datetime) -> bool:
        done = genuine(self, user, **since)
        _HELD[user.pk].set()
        return done

    monkeypatch.setattr(UserQuerySet, "change_password", change_password)
    # No mail is sent: the tests look at what is stored.
    monkeypatch.setattr(background, "_pool", mock.Mock())
    # The first request of a process loads what the others find.
    APIClient().get(f"{API}/csrf/")


def theft(kind: str) -> Theft:
    person = UserFactory(password=None)
    User.objects.filter(pk=person.pk).update(password=_hash())
    write = filled_in(WRITES[kind], person)
    now = timezone.now()
    session = UserSession.objects.create(
        user=person,
        created_at=now,
        last_rotation_at=now,
        expires_at=now + dt.timedelta(days=1),
        reauthenticated_at=now,
    )
    if kind in NEEDS_FACTOR:
        give_factor_and_proof(person)
    access = TokenService.issue(session, at=now).access
    _HELD[person.pk] = threading.Event()
    person.refresh_from_db()
    link = PasswordResetToken.objects.issue(person, at=now)
    return Theft(kind, person, write, access, link, before=state_of(person))


@functools.cache
def _hash() -> str:
    """Return the hash of the password of all accounts, made once."""
    return make_password(PASSWORD)


def state_of(person: User) -> dict[str, Any]:
    """Return what a write could leave behind, in force or pending, besides sessions."""
    mine = {"user_id": person.pk}
    account = User.objects.filter(pk=person.pk).values(
        *("email", "username", "is_active", "terms_version", "notices_stopped_at"),
        *("deletion_requested_at", "second_factor_at"),
    )
    tables: dict[str, Any] = {
        "profile": UserProfile.objects.filter(**mine).values_list("display_name"),
        "factor": SecondFactor.objects.filter(**mine).values_list("seed"),
        "codes": RecoveryCode.objects.filter(**mine).values_list("pk"),
        "consents": Consent.objects.filter(**mine).values_list("document"),
        "exports": AccountExport.objects.filter(**mine).values_list("pk"),
        "links": ActionToken.objects.filter(**mine).values_list("pk", "used_at"),
        "sensitive": SensitiveChange.objects.filter(**mine).values_list("pk"),
        "changes": EmailChange.objects.filter(**mine).values_list("pk"),
    }
    return {**account.get(), **{name: sorted(rows) for name, rows in tables.items()}}


def survivors(case: Theft, *, was_refused: bool) -> dict[str, Any]:
    """Return what is in force or pending after the reset and must not be."""
    now, mine = timezone.now(), {"user_id": case.person.pk}
    found: dict[str, Any] = {
        "sessions": UserSession.objects.filter(**mine).live(at=now).count(),
        "pending address": EmailChange.objects.filter(**mine).pending(at=now).count(),
        "offered factor": SecondFactor.objects.filter(**mine).exclude(pending_seed="").count(),
    }
    if was_refused:
        after = state_of(case.person)
        found |= {name: it for name, it in after.items() if it != case.before[name]}
    return {name: it for name, it in found.items() if it}


@pytest.mark.parametrize("kinds", GROUPS, ids=["first third", "second third", "last third"])
def test_nothing_of_a_write_near_the_commit_of_a_reset_survives_it(kinds: list[str]) -> None:
    dice, wrong, refused = random.Random(16), [], 0  # noqa: S311 -- no secret
    for number in range(ROUNDS):
        is_late = number % 2 == 0
        cases = [theft(kind) for kind in kinds]
        waits = [dice.uniform(0, SPREAD) for _ in range(2 * len(cases))]
        acts: list[Callable[[], int]] = []
        for case, before, between in zip(cases, waits[::2], waits[1::2], strict=True):
            # A late write is sent while the reset commits, the others around the whole of it.
            acts.append(
                functools.partial(
                    case.send_write, is_late=is_late, wait=between / 10 if is_late else between
                )
            )
            acts.append(functools.partial(case.reset, wait=before))

        answers = all_at_once(*acts)

        for case, written, first in zip(cases, answers[::2], answers[1::2], strict=True):
            was_refused = written in {400, 401}
            refused += was_refused
            reset = case.reset_again() if first == 400 else first
            left = survivors(case, was_refused=was_refused)
            if left or reset != 200 or (is_late and not was_refused):
                wrong.append((case.kind, is_late, written, reset, left))

    assert wrong == []
    # Half of the writes come late, so that at least these met the reset.
    assert refused >= ROUNDS * len(kinds) / 2
