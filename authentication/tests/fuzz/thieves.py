"""What a thief with a session or the password can do, and what others do beside."""

import base64
import contextlib
import io
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

import time_machine
from django.core import mail
from django.core.cache import caches
from django.core.management import call_command
from django.db import transaction
from hypothesis.stateful import RuleBasedStateMachine
from rest_framework.test import APIClient

from authentication.models import User, UserSession
from authentication.services.sessions import TokenService
from authentication.tests.clients import NOON
from authentication.tests.conftest import API, ME, bearer
from authentication.tests.factories import PASSWORD, Factor, UserFactory

from .machine import pick
from .people import Link, Mailboxes, Owner, Thief

UNDO_PAGES = {
    "undo-email": f"{API}/account/email/undo/",
    "undo-change": f"{API}/account/change/undo/",
    "not-me": f"{API}/account/disown-session/",
}
"""The pages of links that take something back and lead to a new password."""

PAGES = {
    **UNDO_PAGES,
    "confirm-email": f"{API}/account/email/confirm/",
    "verify-email": f"{API}/email/verify/",
    "reset-password": f"{API}/password/reset/confirm/",
}
"""The endpoints of the links in mails."""


class Stage(RuleBasedStateMachine):
    """The service, its people, their mailboxes and a clock."""

    def __init__(self) -> None:
        super().__init__()
        self.api = APIClient()
        self.database = transaction.atomic()
        self.database.__enter__()
        self.travel = time_machine.travel(NOON, tick=False)
        self.clock = self.travel.start()
        mail.outbox.clear()
        for name in ("default", "limits"):
            caches[name].clear()
        self.mailboxes = Mailboxes()
        self.count = 0
        user = UserFactory(email="owner@example.org", username="owner", password=PASSWORD)
        self.pk = user.pk
        self.owner = Owner(user.email, user.username, PASSWORD)
        self.thief = Thief(addresses=("one@thief.example", "two@thief.example"))

    def roll_back(self) -> None:
        self.travel.stop()
        transaction.set_rollback(True)
        self.database.__exit__(None, None, None)

    def send(
        self, method: str, url: str, body: Any = None, tokens: Any = None, **headers: str
    ) -> Any:
        """Send a request as an app does; return the answer."""
        sent = {**(bearer(tokens["access"]) if tokens else {}), **headers}
        answer = getattr(self.api, method)(url, body, headers=sent)
        self.api.cookies.clear()
        assert answer.status_code < 500, (url, body, answer.content)
        return answer

    def user(self) -> User:
        found: User = User.objects.get(pk=self.pk)
        return found

    def next_password(self) -> str:
        self.count += 1
        return f"Correct-Horse-{self.count}"

    def sign_in(self, password: str, device_id: str = "", **extra: Any) -> Any:
        device = {"X-Device-Id": device_id} if device_id else {}
        body = {"email": self.user().email, "password": password, **extra}
        return self.send("post", f"{API}/login/", body, **device)

    def open(self, link: Link, **body: str) -> Any:
        return self.send("post", PAGES[link.page], {"token": link.token, **body})


class Thieves(Stage):
    """The acts of a thief. Each does nothing if the thief lacks what it needs."""

    def act(self, method: str, url: str, body: Any = None) -> Any:
        """Send a request with the thief's newest session; None without a session."""
        tokens = self.thief.newest()
        if tokens is None:
            return None
        answer = self.send(method, url, body, tokens)
        if answer.status_code < 300:
            self.thief.acts.append(url)
        return answer

    def known_password(self) -> str:
        return self.thief.passwords[-1] if self.thief.passwords else ""

    def steal_the_session(self, number: int) -> None:
        if self.owner.tokens:
            self.thief.sessions.append(dict(self.owner.tokens))

    def learn_the_password(self, number: int) -> None:
        self.thief.passwords.append(self.owner.password)

    def thief_signs_in(self, number: int) -> None:
        if not self.thief.passwords:
            return
        extra: dict[str, Any] = {"restore": True} if number % 2 else {}
        if self.thief.factor:
            extra["otp"] = self.thief.factor.code()
        answer = self.sign_in(self.known_password(), **extra)
        if answer.status_code == 200:
            self.thief.sessions.append(answer.json())
            self.thief.acts.append("login")

    def thief_proves(self, number: int) -> None:
        if password := self.known_password():
            self.act("post", f"{API}/reauthenticate/", {"password": password})

    def thief_refreshes(self, number: int) -> None:
        if tokens := self.thief.newest():
            answer = self.send("post", f"{API}/token/refresh/", {"refresh": tokens["refresh"]})
            if answer.status_code == 200:
                self.thief.sessions.append(answer.json())

    def thief_moves_the_address(self, number: int) -> None:
        address = self.thief.addresses[number % len(self.thief.addresses)]
        self.act("post", f"{API}/account/email/", {"email": address})

    def thief_opens_a_link(self, number: int) -> None:
        self.mailboxes.fetch()
        link = pick(self.mailboxes.links(*self.thief.addresses), number)
        if link is None:
            return
        password = self.next_password()
        extra = {"new_password": password} if link.page == "reset-password" else {}
        answer = self.open(link, **extra)
        if answer.status_code != 200:
            return
        if extra:
            self.thief.passwords.append(password)
        if reset := answer.json().get("reset_token"):
            body = {"token": reset, "new_password": password}
            if self.send("post", PAGES["reset-password"], body).status_code == 200:
                self.thief.passwords.append(password)
        if exchange := answer.json().get("exchange_token"):
            traded = self.send("post", f"{API}/exchange-token/", {"exchange_token": exchange})
            if traded.status_code == 200:
                self.thief.sessions.append(traded.json())

    def thief_asks_for_a_reset(self, number: int) -> None:
        self.send("post", f"{API}/password/reset/", {"email": self.user().email})

    def thief_changes_the_password(self, number: int) -> None:
        if old := self.known_password():
            new = self.next_password()
            body = {"old_password": old, "new_password": new}
            answer = self.act("post", f"{API}/password/change/", body)
            if answer is not None and answer.status_code == 200:
                self.thief.passwords.append(new)
                self.thief.sessions.append(answer.json())

    def thief_enrols_a_factor(self, number: int) -> None:
        body = {"password": self.known_password()}
        answer = self.act("post", f"{API}/2fa/totp/setup/", body)
        if answer is not None and answer.status_code == 200:
            factor = Factor(base64.b32decode(answer.json()["secret"]), [])
            confirmed = self.act("post", f"{API}/2fa/totp/confirm/", {"otp": factor.code()})
            if confirmed.status_code == 200:
                self.thief.factor = factor

    def thief_changes_the_username(self, number: int) -> None:
        self.act("patch", ME, {"username": f"thief{number}"})

    def thief_stops_the_notices(self, number: int) -> None:
        self.act("put", f"{API}/account/notices/", {"notices": False})

    def thief_asks_for_deletion(self, number: int) -> None:
        self.act("post", f"{API}/account/delete/")

    def thief_asks_for_an_export(self, number: int) -> None:
        self.act("post", f"{API}/account/export/")

    def thief_ends_the_other_sessions(self, number: int) -> None:
        self.act("post", f"{API}/sessions/terminate-all/")

    def thief_disowns_a_device(self, number: int) -> None:
        answer = self.act("get", f"{API}/account/activity/")
        if answer is not None and answer.status_code == 200:
            event = pick(answer.json()["events"], number)
            self.act("post", f"{API}/account/activity/{event['id']}/disown/")

    def second_person_asks(self, number: int) -> None:
        """Send each public request about an address of the account, and about one that is free."""
        self.count += 1
        member = (self.owner.address, self.user().email, *self.thief.addresses)[number % 4]
        free = f"free{self.count}@example.org"
        for path, body in _QUESTIONS[number % len(_QUESTIONS)]:
            answers = [
                self.send("post", f"{API}/{path}/", {**body, "email": address})
                for address in (member, free)
            ]
            assert _shape(answers[0]) == _shape(answers[1]), (path, member)

    def staff_unlock(self, number: int) -> None:
        call_command("unlock_account", self.user().email, stdout=io.StringIO())

    def staff_end_the_sessions(self, number: int) -> None:
        call_command("revoke_sessions", self.user().email, stdout=io.StringIO())
        self.owner.tokens = {}


_QUESTIONS: tuple[tuple[tuple[str, dict[str, str]], ...], ...] = (
    (("register", {"password": "Secret-Vine-12"}), ("email/resend", {})),
    (("password/reset", {}),),
    (("login", {"password": "Wrong-Horse-9"}),),
)
_OWN = {"user_id", "email", "correlation_id"}


def _shape(answer: Any) -> tuple[int, dict[str, Any]]:
    """Return an answer without the values that differ between any two requests."""
    body = answer.json()
    return answer.status_code, {name: body[name] for name in body if name not in _OWN}


@contextlib.contextmanager
def held_request(meanwhile: Callable[[], None]) -> Iterator[None]:
    """Run something after the next request was authenticated, and before it acts."""
    genuine, waiting = TokenService.authenticate, [meanwhile]

    def authenticate(*, access: str) -> UserSession:
        session = genuine(access=access)
        if waiting:
            waiting.pop()()
        return session

    with mock.patch.object(TokenService, "authenticate", authenticate):
        yield
