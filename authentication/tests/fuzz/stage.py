"""The stage of the stories: the service, its people, their mailboxes and a clock."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

import time_machine
from django.core import mail
from django.db import transaction
from django.test import override_settings
from hypothesis.stateful import RuleBasedStateMachine
from rest_framework.test import APIClient

from authentication.models import User
from authentication.services.passwords import password
from authentication.services.redeem import Redemption
from authentication.services.sessions import TokenService, tokens
from authentication.services.sign_in import authentication, exchange
from authentication.tests.clients import NOON, Tokens
from authentication.tests.conftest import API, bearer, forget_cached
from authentication.tests.factories import PASSWORD, Factor, UserFactory
from authentication.tests.forging import claims_of
from authentication.utils.one_time_codes import STEP_SECONDS

from .people import Link, Mailboxes, Owner, Thief

UNDO_PAGES = {
    "undo-email": f"{API}/account/email/undo/",
    "undo-change": f"{API}/account/change/undo/",
    "not-me": f"{API}/account/disown-session/",
}
"""The pages of links that take something back and lead to a new password."""

REMEDIES = {**UNDO_PAGES, "keep-second-factor": f"{API}/2fa/removal/stop/"}
"""The pages of links that an owner opens who did not do what their mails are about."""

PAGES = {
    **REMEDIES,
    "confirm-email": f"{API}/account/email/confirm/",
    "verify-email": f"{API}/email/verify/",
    "reset-password": f"{API}/password/reset/confirm/",
}
"""The endpoints of the links in mails that anyone may open."""


class Stage(RuleBasedStateMachine):
    """The service, its people, their mailboxes and a clock."""

    def __init__(self) -> None:
        super().__init__()
        self.api = APIClient()
        self.database = transaction.atomic()
        self.database.__enter__()
        self.travel = time_machine.travel(NOON, tick=False)
        self.clock = self.travel.start()
        self.settings = override_settings(REQUIRE_EMAIL_VERIFICATION=True)
        self.settings.enable()
        mail.outbox.clear()
        forget_cached()
        self.mailboxes = Mailboxes()
        self.routes: set[tuple[str, str]] = set()
        self.count = self.turns = 0
        self.opened: set[Link] = set()
        self.staff = [UserFactory(is_staff=True, is_superuser=True) for _ in range(2)]
        self.owner = Owner("owner@example.org", "owner", PASSWORD)
        self.thief = Thief(addresses=("one@thief.example", "two@thief.example"))
        self.pk: Any = None
        # The names under which a sign-in failed, or which staff unlocked: what a stranger sees of
        # their locks is no longer what a stranger has done.
        self.tried: set[str] = set()

    def roll_back(self) -> None:
        self.settings.disable()
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
        self.routes.add((method.upper(), answer.resolver_match.route))
        assert answer.status_code < 500, (url, body, answer.content)
        return answer

    def user(self) -> User:
        found: User = User.objects.get(pk=self.pk)
        return found

    def next_password(self) -> str:
        self.count += 1
        return f"Another-Vine-{self.count}"

    def fresh_code(self, factor: Factor) -> str:
        """Return a code of a time step that no code was used in."""
        self.clock.shift(STEP_SECONDS + 1)
        return factor.code()

    def sign_in(self, password: str, device_id: str = "", **extra: Any) -> Any:
        device = {"X-Device-Id": device_id} if device_id else {}
        body = {"email": self.user().email, "password": password, **extra}
        answer = self.send("post", f"{API}/login/", body, **device)
        if answer.status_code != 200:
            self.tried.add(body["email"])
        return answer

    def open(self, link: Link, device_id: str = "", **body: str) -> Any:
        device = {"X-Device-Id": device_id} if device_id else {}
        return self.send("post", PAGES[link.page], {"token": link.token, **body}, **device)

    def is_of_the_account(self, tokens: Tokens) -> bool:
        """Return whether a session is one of the owner's account, and not of the thief's own."""
        return bool(claims_of(tokens["access"])["user_id"] == str(self.pk))

    def is_of_another(self, link: Link) -> bool:
        """Return whether a link is about another account than the owner's."""
        return link.account() not in {None, self.pk}


@contextlib.contextmanager
def held_request(meanwhile: Callable[[], None], *, at: int = 0) -> Iterator[None]:
    """Run something in the middle of the next request: after it was checked, before it acts.

    It is checked where its session, password, mailed token or exchange token is looked up. `at`
    says how many of these checks it passes first.
    """
    waiting, failures = [*range(at), meanwhile], []

    def holding(genuine: Callable[..., Any]) -> Callable[..., Any]:
        def held(*args: Any, **kwargs: Any) -> Any:
            found = genuine(*args, **kwargs)
            if waiting and callable(act := waiting.pop(0)):
                try:
                    act()
                except Exception as failure:
                    failures.append(failure)
                    raise
            return found

        return held

    with contextlib.ExitStack() as held:
        for owner, name in _CHECKS:
            genuine = getattr(owner, name)
            held.enter_context(mock.patch.object(owner, name, holding(genuine)))
        try:
            yield
        finally:
            # The service answers a failure in the middle of a request with a 500.
            if failures:
                raise failures[0]


_CHECKS: tuple[tuple[Any, str], ...] = (
    (tokens, "_session_of"),
    (TokenService, "authenticate"),
    (Redemption, "look_up"),
    (authentication, "authenticate"),
    (exchange, "_user_of"),
    (password, "_check_passwords"),
)
