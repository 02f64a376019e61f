"""A life with the service, step by step in any order, over HTTP: after each step it must know what its clients know."""

import collections
import datetime as dt
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.core.cache import caches
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from pytest_django import Settings
from rest_framework.test import APIClient

from authentication.models import AuditLog, TokenBlacklist, User, UserSession
from authentication.tests.clients import NOON
from authentication.tests.conftest import API, ME, bearer, deliver_due, token_in
from authentication.tests.forging import claims_of
from vineyard_group_fellowship.settings.base import caches as local

from .life import DAY, LEEWAY, Link, Pair, Person, Session

MINUTES = dt.timedelta(minutes=1)
LINK_LIVES = {"verify": DAY, "reset": 60 * MINUTES}
PAUSES = (
    1,
    1,
    1,
    9,
    9,
    11,
    11,
    61,
    6 * 60,
    16 * 60,
    31 * 60,
    61 * 60,
    86_401,
    3 * 86_400,
    8 * 86_400,
)

# What is named more often is done more often.
ACTS = (
    *(
        "time_passes",
        "time_passes",
        "time_passes",
        "refresh",
        "refresh",
        "refresh",
        "replay",
        "replay",
        "replay",
        "replay",
    ),
    *(
        "look_around",
        "look_around",
        "look_around",
        "log_in",
        "log_in",
        "guess",
        "guess_until_locked",
        "log_out",
    ),
    *(
        "change_the_password",
        "ask_for_a_new_password",
        "ask_for_a_new_password",
        "reset_the_password",
    ),
    *(
        "reset_the_password",
        "ask_for_the_link_again",
        "read_the_mail",
        "verify",
        "exchange",
        "register",
        "register_again",
    ),
)


class Life(RuleBasedStateMachine):
    """Up to two people with any number of devices, and whoever has got hold of their old tokens."""

    def __init__(self) -> None:
        super().__init__()
        self.people: list[Person] = []
        self.events: collections.Counter[str] = collections.Counter()
        self.buried: set[str] = set()
        self.passwords = 0
        self.api = APIClient()
        self.database = transaction.atomic()
        self.database.__enter__()
        self.travel = time_machine.travel(NOON, tick=False)
        self.clock = self.travel.start()
        mail.outbox.clear()
        for name in ("default", "limits"):
            caches[name].clear()

    def teardown(self) -> None:
        try:
            for session in self.sessions:
                if session.key in self.buried:
                    self.try_the_tokens_of(session)
            self.every_event_was_noted_once()
        finally:
            self.go_back()

    def go_back(self) -> None:
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
        # The machine sends every token itself.
        self.api.cookies.clear()
        return answer

    def expect(self, answer: Any, status: int, *events: str) -> Any:
        assert answer.status_code == status, (answer.status_code, status, answer.content)
        self.events.update(events)
        return answer.json()

    def new_password(self) -> str:
        self.passwords += 1
        return f"Correct-Horse-{self.passwords}"

    def open(self, person: Person, body: dict[str, Any], *, remember: bool = False) -> Session:
        """Note the session an answer gives."""
        now, lifetime = self.now, (14 if remember else 7) * DAY
        expires_at = now + lifetime
        session = Session(
            key=claims_of(body["refresh"])["sid"],
            owner=person,
            lifetime=lifetime,
            created_at=now,
            pairs=[Pair(body["refresh"], expires_at, {body["access"]: now + 15 * MINUTES})],
            rotated_at=now,
        )
        person.succeed()
        person.sessions.append(session)
        return session

    @initialize()
    def somebody_is_signed_in_on_two_devices(self) -> None:
        self.register(0)
        self.read_the_mail(0)
        self.verify(0)
        self.exchange(0)
        self.log_in(1)

    # One rule and not one for each act: Hypothesis favours some rules, and lives would stay short.
    @rule(act=st.sampled_from(ACTS), number=st.integers(min_value=0, max_value=99))
    def somebody_acts(self, act: str, number: int) -> None:
        getattr(self, act)(number)

    def time_passes(self, number: int) -> None:
        self.clock.shift(PAUSES[number % len(PAUSES)])

    def register(self, _: int) -> None:
        if len(self.people) == 2:
            return
        person = Person(f"person{len(self.people)}@example.org", [self.new_password()])

        self.expect(
            self.post("register", {"email": person.email, "password": person.password}),
            201,
            "registration",
        )

        self.people.append(person)

    def register_again(self, number: int) -> None:
        asked = {"email": self.person(number).email.upper(), "password": self.new_password()}

        self.expect(self.post("register", asked), 201, "registration_duplicate")

    def person(self, number: int) -> Person:
        return self.people[number % len(self.people)]

    def ask_for_a_new_password(self, number: int) -> None:
        self.expect(
            self.post("password/reset", {"email": self.person(number).email}),
            200,
            "password_reset_requested",
        )
        if number % 3:
            self.read_the_mail(0)

    def ask_for_the_link_again(self, number: int) -> None:
        self.expect(
            self.post("email/resend", {"email": self.person(number).email}), 200, "email_resend"
        )

    def read_the_mail(self, _: int) -> None:
        deliver_due()
        for message in mail.outbox:
            if "?token=" in str(message.body):
                kind = "verify" if "verify-email" in str(message.body) else "reset"
                person = next(it for it in self.people if it.email == message.to[0])
                for older in person.links[kind]:
                    older.void = True
                person.links[kind].append(
                    Link(person, token_in(message), self.now + LINK_LIVES[kind])
                )
        mail.outbox.clear()

    def verify(self, number: int) -> None:
        link = pick(self.links("verify"), number)
        if link is None:
            return
        live = link.is_live(self.now)

        answer = self.post("email/verify", {"token": link.token})

        if not live:
            self.expect(answer, 400, "email_verification_failed")
            return
        token = self.expect(answer, 200, "email_verified")["exchange_token"]
        link.uses += 1
        link.owner.verified = True
        link.owner.links["exchange"].append(Link(link.owner, token, self.now + MINUTES))

    def exchange(self, number: int) -> None:
        link, now = pick(self.links("exchange"), number), self.now
        if link is None:
            return
        live = link.is_live(now)

        answer = self.post("exchange-token", {"exchange_token": link.token})

        if live:
            link.gave = self.open(link.owner, self.expect(answer, 200, "token_exchange"))
            link.uses, link.spent_at = 1, now
            return
        self.expect(answer, 400, "token_exchange_failed")
        if (
            link.gave
            and link.spent_at
            and now < link.spent_at + 10 * MINUTES
            and not link.gave.ended
        ):
            link.gave.ended = True
            self.events["exchange_replayed"] += 1

    def log_in(self, number: int) -> None:
        person, remember = self.person(number // 2), bool(number % 2)
        locked = person.is_locked(self.now)

        asked = {"email": person.email, "password": person.password, "remember_me": remember}
        answer = self.post("login", asked)

        if locked:
            assert self.expect(answer, 403, "login_failed")["code"] == "account_locked"
        elif not person.verified:
            assert self.expect(answer, 403, "login_failed")["code"] == "email_not_verified"
            person.succeed()
        else:
            self.open(person, self.expect(answer, 200, "login"), remember=remember)

    def guess(self, number: int) -> None:
        person = self.person(number)

        answer = self.post("login", {"email": person.email, "password": "Wrong-Horse-9"})

        self.expect_failure(person, answer, refused=401)

    def guess_until_locked(self, number: int) -> None:
        for _ in range(5):
            self.guess(number)

    def expect_failure(self, person: Person, answer: Any, *, refused: int) -> None:
        if person.is_locked(self.now):
            assert self.expect(answer, 403, "login_failed")["code"] == "account_locked"
            return
        self.expect(answer, refused, "login_failed")
        if person.fail(self.now):
            self.events["account_locked"] += 1

    def refresh(self, number: int) -> None:
        session, now = pick(self.sessions, number), self.now
        live = session.is_live(now)

        answer = self.post("token/refresh", {"refresh": session.pairs[-1].refresh})

        if not live:
            self.expect(answer, 401)
            return
        body = self.expect(answer, 200, "token_refresh")
        assert body["refresh"] != session.pairs[-1].refresh
        expires_at = session.next_expiry(now)
        access = {body["access"]: min(now + 15 * MINUTES, expires_at)}
        session.pairs.append(Pair(body["refresh"], expires_at, access))
        session.rotated_at, session.successor_seen = now, False

    def replay(self, number: int) -> None:
        session = pick([session for session in self.sessions if len(session.pairs) > 1], number)
        if session is None:
            return
        pair, now = (
            session.pairs[-3 if number % 5 == 0 and len(session.pairs) > 2 else -2],
            self.now,
        )
        live, expired = session.is_live(now), pair.expires_at + LEEWAY <= now
        forgiven = live and session.forgives(pair, now)

        answer = self.post("token/refresh", {"refresh": pair.refresh})

        if forgiven:
            body = self.expect(answer, 200)
            assert body["refresh"] == session.pairs[-1].refresh
            session.pairs[-1].access[body["access"]] = min(now + 15 * MINUTES, session.expires_at)
            return
        self.expect(answer, 401)
        if live and not expired:
            session.ended = True
            self.events["token_reuse_detected"] += 1

    def look_around(self, number: int) -> None:
        session, now = pick(self.sessions, number), self.now
        pair = session.pairs[-2 if number % 5 == 0 and len(session.pairs) > 1 else -1]
        access, expires_at = list(pair.access.items())[-1]
        works = session.is_live(now) and expires_at + LEEWAY > now

        answer = self.api.get(ME, headers=bearer(access))

        self.expect(answer, 200 if works else 401)
        if works and pair is session.pairs[-1]:
            session.successor_seen = True

    def log_out(self, number: int) -> None:
        session = pick(self.sessions, number)
        pair, live = session.pairs[-1], session.is_live(self.now)

        answer = self.post("logout", {"refresh": pair.refresh}, next(iter(pair.access)))

        self.expect(answer, 200 if live else 401, *(["logout"] if live else []))
        session.ended |= live

    def change_the_password(self, number: int) -> None:
        session, now = pick(self.sessions, number), self.now
        person, pair, knows, again = (
            session.owner,
            session.pairs[-1],
            number % 5 > 0,
            number % 7 == 0,
        )
        access, expires_at = list(pair.access.items())[-1]
        password = pick(person.passwords[-5:], number) if again else self.new_password()
        asked = {
            "old_password": person.password if knows else "Wrong-Horse-9",
            "new_password": password,
        }

        answer = self.post("password/change", asked, access)

        if not session.is_live(now) or expires_at + LEEWAY <= now:
            self.expect(answer, 401)
            return
        session.successor_seen = True
        if person.is_locked(now) or not knows:
            self.expect_failure(person, answer, refused=400)
        elif again:
            person.succeed()
            self.expect(answer, 400)
        else:
            person.change_password(password)
            body = self.expect(answer, 200, "password_change", "session_renewed")
            self.open(person, body, remember=session.lifetime > 7 * DAY)

    def reset_the_password(self, number: int) -> None:
        link, password = pick(self.links("reset"), number), self.new_password()
        if link is None:
            return
        live = link.is_live(self.now)

        answer = self.post(
            "password/reset/confirm", {"token": link.token, "new_password": password}
        )

        if not live:
            self.expect(answer, 400, "password_reset_failed")
            return
        self.expect(answer, 200, "password_reset")
        link.uses += 1
        link.owner.verified = True
        link.owner.change_password(password)

    @invariant()
    def the_sessions_that_live_are_those_their_devices_know(self) -> None:
        live = UserSession.objects.live(at=self.now).values_list("pk", flat=True)
        assert {str(key) for key in live} == {
            it.key for it in self.sessions if it.is_live(self.now)
        }

    @invariant()
    def a_session_has_one_refresh_token_at_most(self) -> None:
        revoked = set(TokenBlacklist.objects.values_list("jti", flat=True))
        for session in self.sessions:
            tokens = [claims_of(pair.refresh)["jti"] for pair in session.pairs]
            assert set(tokens[:-1]) <= revoked
            assert (tokens[-1] in revoked) == session.ended

    @invariant()
    def no_token_outlives_its_session(self) -> None:
        for session in self.sessions:
            if session.key not in self.buried and not session.is_live(self.now):
                self.buried.add(session.key)
                self.try_the_tokens_of(session)

    def try_the_tokens_of(self, session: Session) -> None:
        for pair in session.pairs:
            self.expect(self.post("token/refresh", {"refresh": pair.refresh}), 401)
            for access in pair.access:
                self.expect(self.post("token/verify", {"token": access}), 401)

    @invariant()
    def a_token_of_a_mail_is_used_once_at_most(self) -> None:
        assert all(
            link.uses <= 1 for kind in ("verify", "reset", "exchange") for link in self.links(kind)
        )

    @invariant()
    def what_people_have_is_stored(self) -> None:
        for person in self.people:
            stored = User.objects.get(email=person.email)
            assert stored.email_verified == person.verified
            assert stored.is_account_locked() == person.is_locked(self.now)
            assert not person.is_locked(self.now) or stored.locked_until == person.locked_until
            assert stored.check_password(person.password)

    @invariant()
    def every_event_was_noted_once(self) -> None:
        assert (
            collections.Counter(AuditLog.objects.values_list("event_type", flat=True))
            == self.events
        )


def pick(things: list[Any], number: int) -> Any:
    """Return one of the newest of a list, or None of an empty one."""
    newest = things[-4:]
    return newest[number % len(newest)] if newest else None


@pytest.mark.django_db
@pytest.mark.integration
@pytest.mark.parametrize("part", range(4))
def test_after_any_steps_the_service_knows_what_its_clients_know(
    settings: Settings, part: int
) -> None:
    settings.RATELIMIT_ENABLE = False
    # A Redis has a clock of its own.
    settings.CACHES = local("")
    # Several parts, so that several processes share the examples.
    run_state_machine_as_test(seed(part)(type(f"Life{part}", (Life,), {})), settings=STEPS)


STEPS = settings(
    # The first example of each part is the same shortest one.
    max_examples=11,
    stateful_step_count=40,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
