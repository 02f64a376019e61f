"""The base class of the state machine."""

import collections
import datetime as dt
from typing import Any

import time_machine
from django.core import mail
from django.db import transaction
from django.utils import timezone
from hypothesis.stateful import RuleBasedStateMachine
from rest_framework.test import APIClient

from authentication.tests.clients import NOON
from authentication.tests.conftest import API, bearer, forget_cached
from authentication.tests.forging import claims_of

from .life import DAY, Counter, Link, Pair, Person, Refusals, Session

MINUTES = dt.timedelta(minutes=1)


class ServiceMachine(RuleBasedStateMachine):
    """The service, its model and a clock."""

    def __init__(self) -> None:
        super().__init__()
        self.people: list[Person] = []
        self.events: collections.Counter[str] = collections.Counter()
        self.checked_after_end: set[str] = set()
        self.passwords = 0
        self.refusals = Refusals()
        self.api = APIClient()
        self.database = transaction.atomic()
        self.database.__enter__()
        self.travel = time_machine.travel(NOON, tick=False)
        self.clock = self.travel.start()
        mail.outbox.clear()
        forget_cached()

    def roll_back(self) -> None:
        self.travel.stop()
        transaction.set_rollback(True)
        self.database.__exit__(None, None, None)

    @property
    def now(self) -> dt.datetime:
        return timezone.now()

    @property
    def sessions(self) -> list[Session]:
        return [session for person in self.people for session in person.sessions]

    def links(self, kind: str) -> list[Link]:
        return [link for person in self.people for link in person.links[kind]]

    def post(self, path: str, body: dict[str, Any], access: str = "") -> Any:
        answer = self.api.post(f"{API}/{path}/", body, headers=bearer(access) if access else {})
        # The machine sends every token explicitly.
        self.api.cookies.clear()
        return answer

    def expect(self, answer: Any, status: int, *events: str) -> Any:
        assert answer.status_code == status, (answer.status_code, status, answer.content)
        self.events.update(events)
        return answer.json()

    def new_password(self) -> str:
        self.passwords += 1
        return f"Correct-Horse-{self.passwords}"

    def open_session(
        self,
        person: Person,
        body: dict[str, Any],
        *,
        remember: bool = False,
        device: Counter | None = None,
    ) -> Session:
        """Add the session of an answer to the model; without `device`, on a new device."""
        now, lifetime = self.now, (14 if remember else 7) * DAY
        expires_at = now + lifetime
        session = Session(
            key=claims_of(body["refresh"])["sid"],
            owner=person,
            lifetime=lifetime,
            created_at=now,
            pairs=[Pair(body["refresh"], expires_at, {body["access"]: now + 15 * MINUTES})],
            rotated_at=now,
            device=device or Counter(),
        )
        person.sessions.append(session)
        return session

    def person(self, number: int) -> Person:
        return self.people[number % len(self.people)]


def pick(things: list[Any], number: int) -> Any:
    """Return one of the last four items of a list, or None if it is empty."""
    newest = things[-4:]
    return newest[number % len(newest)] if newest else None
