"""What strangers and members ask about an address or a name, and what they see."""

import json
import re
from collections.abc import Callable
from typing import Any

import time_machine
from django.core import mail
from django.db import transaction
from rest_framework.test import APIClient

from authentication.models import AccountExport, UserProfile
from authentication.services import ExportService
from authentication.tests.answers import PER_REQUEST
from authentication.tests.clients import NOON, WRONG_PASSWORD, content_of
from authentication.tests.conftest import API, ME, bearer, deliver_due, forget_cached, token_in
from authentication.tests.factories import PASSWORD, UserFactory, give_factor, unverified_user
from authentication.tests.flows.test_no_enumeration_own_data import (
    ADDRESS,
    disabled,
    left_lately,
    mailed_often,
    member,
    plain,
    unproven,
)

NAME = "boaz.bethlehem"
SECRET = {"access", "access_token", "refresh", "device_id", "reset_token", "user_id"}
"""Fields of answers whose values differ from one to the next, but not in their shape."""
PAUSES = (1, 61, 601, 3601)
MINUTE = 60


def free() -> None:
    """Leave the address free."""


def contested() -> None:
    unverified_user(email=ADDRESS, contested_at=NOON)


def protected() -> None:
    give_factor(UserFactory(email=ADDRESS))


def leaving() -> None:
    UserFactory(email=ADDRESS, deletion_requested_at=NOON)


ADDRESSES = (
    *(member, unproven, contested, protected, leaving, left_lately, disabled, mailed_often),
)
"""What an address can be that is not free."""


def taken() -> None:
    UserFactory(username=NAME)


def renamed() -> None:
    """Let a member give the name up."""
    client, user = APIClient(), UserFactory(username=NAME)
    tokens = client.post(f"{API}/login/", {"email": user.email, "password": PASSWORD}).json()
    answer = client.patch(ME, {"username": "obed"}, headers=bearer(tokens["access"]))
    assert answer.status_code == 200, answer.content


def asked_for() -> None:
    """Let a registration with a member's address ask for the name."""
    body = {"email": UserFactory().email, "password": PASSWORD, "username": NAME}
    assert APIClient().post(f"{API}/register/", body).status_code == 201


def unproven_name() -> None:
    unverified_user(username=NAME)


NAMES = (renamed, asked_for, unproven_name)
"""Why a name is refused that no proven account has."""


class Strangers:
    """A world with one address, where people ask and all that they see is kept."""

    def __init__(self, occupy: Callable[[], None]) -> None:
        self.seen: list[Any] = []
        self.asker = UserFactory(email="asker@example.org", username="asker")
        self.climbers = [
            unverified_user(email=f"climber{number}@example.org", username=f"climber{number}")
            for number in range(2)
        ]
        occupy()
        mail.outbox.clear()
        self.password = PASSWORD
        self.tokens: dict[str, Any] = {}

    def ask(
        self, method: str, url: str, body: Any = None, *, tokens: Any = None, **headers: str
    ) -> Any:
        """Send a request and keep what its sender sees of the answer."""
        client = APIClient()
        headers |= bearer(tokens["access"]) if tokens else {}
        answer = getattr(client, method)(url, body, headers=headers)
        shown = {name: it for name, it in answer.headers.items() if name not in PER_REQUEST}
        shown.pop("Content-Length", None)
        if tokens:
            # The hours of sessions begin at different times.
            shown.pop("RateLimit", None)
        found = json.loads(content_of(answer)) if answer.streaming else answer.json()
        body = {name: _length(it) if name in SECRET else it for name, it in found.items()}
        cookies = [_without_value(it) for it in answer.cookies.values()]
        self.seen.append((method, url, answer.status_code, shown, cookies, plain(body)))
        return found

    def post(self, path: str, **body: Any) -> Any:
        return self.ask("post", f"{API}/{path}/", body)

    def as_member(self, method: str, path: str, **body: Any) -> Any:
        """Ask as a member who has just signed in."""
        if not self.tokens:
            mine = {"email": self.asker.email, "password": self.password}
            self.tokens = self.ask("post", f"{API}/login/", mine)
        url = path if path.startswith("/") else f"{API}/{path}/"
        return self.ask(method, url, body, tokens=self.tokens)

    def register(self, number: int) -> None:
        extra = {"username": f"ruth{number}", "terms_accepted": True} if number % 2 else {}
        self.post("register", email=_spelt(number), password=PASSWORD, **extra)

    def guess(self, number: int) -> None:
        self.post("login", email=_spelt(number), password=WRONG_PASSWORD)

    def guess_until_locked(self, number: int) -> None:
        for _ in range(6):
            self.guess(number)

    def guess_as_a_device(self, number: int) -> None:
        """Guess with a device id that no account knows."""
        body = {"email": _spelt(number), "password": WRONG_PASSWORD}
        self.ask("post", f"{API}/login/", body, **{"X-Device-Id": "d" * 43})

    def reset(self, number: int) -> None:
        self.post("password/reset", email=_spelt(number))

    def reset_often(self, number: int) -> None:
        """Ask for more mails than an address gets in an hour."""
        for _ in range(4):
            self.reset(number)
            self.deliver(number)

    def resend(self, number: int) -> None:
        self.post("email/resend", email=_spelt(number))

    def correct(self, number: int) -> None:
        """Correct an unproven account to the address, with the right password."""
        climber = self.climbers[number % 2].username
        body = {"identifier": climber, "password": PASSWORD, "new_email": _spelt(number)}
        self.post("email/correct", **body)

    def correct_a_guess(self, number: int) -> None:
        body = {"identifier": _spelt(number), "password": WRONG_PASSWORD}
        self.post("email/correct", **body, new_email="new@example.org")

    def move(self, number: int) -> None:
        self.as_member("post", "reauthenticate", password=self.password)
        self.as_member("post", "account/email", email=_spelt(number))

    def give_up(self, number: int) -> None:
        self.as_member("delete", "account/email")

    def undo(self, number: int) -> None:
        """Undo the newest change by the link that came to the asker, and choose a password."""
        self.deliver(number)
        links = [it for it in self.mailbox() if "undo-email" in str(it.body)]
        if links:
            undone = self.post("account/email/undo", token=token_in(links[-1]))
            if token := undone.get("reset_token"):
                self.tokens, self.password = {}, f"Chosen-Vine-{len(self.seen)}"
                self.post("password/reset/confirm", token=token, new_password=self.password)

    def look(self, number: int) -> None:
        """Look at all that a member can see of their own account."""
        for path in ("account/email", "account/activity", "account/notices", "sessions"):
            self.as_member("get", path)
        self.as_member("get", ME)

    def export(self, number: int) -> None:
        self.as_member("post", "reauthenticate", password=self.password)
        self.as_member("post", "account/export")
        for export in AccountExport.objects.filter(user=self.asker, ready_at=None):
            ExportService.build(export.pk)
        self.deliver(number)
        links = [it for it in self.mailbox() if "copy of your data" in it.subject]
        if links:
            self.as_member("post", "account/export/download", token=token_in(links[-1]))

    def deliver(self, number: int) -> None:
        for _ in range(3):
            deliver_due()

    def mailbox(self) -> list[Any]:
        return [it for it in mail.outbox if it.to == [self.asker.email]]

    def rename(self, number: int) -> None:
        self.as_member("post", "reauthenticate", password=self.password)
        self.as_member("patch", ME, username=_named(number))

    def register_the_name(self, number: int) -> None:
        body = {"email": f"new{number}@example.org", "password": PASSWORD}
        self.post("register", **body, username=_named(number))

    def guess_by_name(self, number: int) -> None:
        self.post("login", username=_named(number), password=WRONG_PASSWORD)

    def log(self) -> list[Any]:
        """Return all that was seen, the subjects of the asker's mails included."""
        mails = [_words(it.subject) for it in self.mailbox()]
        shown = UserProfile.objects.filter(user=self.asker).values_list("display_name", flat=True)
        return [*self.seen, mails, list(shown)]


ABOUT_ADDRESSES = (
    *("register", "guess", "reset", "resend", "correct", "correct_a_guess", "move", "move"),
    *("give_up", "undo", "look", "look", "export", "deliver", "time_passes"),
    *("guess_until_locked", "guess_as_a_device", "reset_often"),
)
ABOUT_NAMES = ("rename", "register_the_name", "guess_by_name", "look", "deliver", "time_passes")


def told(occupy: Callable[[], None], acts: list[tuple[str, int]]) -> list[Any]:
    """Play acts in a world of their own; return all that was seen."""
    forget_cached()
    with time_machine.travel(NOON, tick=False) as clock, transaction.atomic():
        strangers = Strangers(occupy)
        clock.shift(MINUTE)
        for act, number in acts:
            if act == "time_passes":
                clock.shift(PAUSES[number % len(PAUSES)])
            else:
                getattr(strangers, act)(number)
        seen = strangers.log()
        transaction.set_rollback(True)
    return seen


def _length(value: Any) -> Any:
    return len(value) if isinstance(value, str) else value


def _without_value(cookie: Any) -> tuple[str, int, dict[str, Any]]:
    return cookie.key, len(cookie.value), dict(cookie)


def _spelt(number: int) -> str:
    return ADDRESS.upper() if number % 4 == 3 else ADDRESS


def _named(number: int) -> str:
    return NAME.upper() if number % 4 == 3 else NAME


def _words(subject: str) -> str:
    return re.sub(r"\d+", "<number>", subject)
