"""The people of the stories: what each of them holds and reads."""

import dataclasses
import datetime as dt
import re
from typing import Any

from django.core import mail
from django.core.mail import EmailMessage
from django.utils import timezone

from authentication.services import EmailService
from authentication.tests.clients import Tokens
from authentication.tests.factories import Factor

_LINK = re.compile(r"/(?:account/)?([a-z-]+)/?\?token=([\w-]+)")
_ROUNDS = 5


@dataclasses.dataclass(frozen=True)
class Link:
    """A link in a mail: its page, its token and when it arrived."""

    page: str
    token: str
    arrived_at: dt.datetime


class Mailboxes:
    """All mailboxes, by address."""

    def __init__(self) -> None:
        self._links: dict[str, list[Link]] = {}
        self._read = 0

    def fetch(self) -> None:
        """Deliver what waits in the outbox, and sort the links by address."""
        # A delivered mail can queue copies.
        for _round in range(_ROUNDS):
            due = EmailService.due()
            for pk in due:
                EmailService.deliver(pk)
            if not due:
                break
        for message in mail.outbox[self._read :]:
            self._sort(message)
        self._read = len(mail.outbox)

    def _sort(self, message: EmailMessage) -> None:
        for page, token in _LINK.findall(str(message.body)):
            link = Link(page, token, timezone.now())
            self._links.setdefault(message.to[0], []).append(link)

    def links(self, *addresses: str, page: str = "") -> list[Link]:
        """Return the links that came to addresses, oldest first, of one page or of all."""
        found = [link for address in addresses for link in self._links.get(address, [])]
        found.sort(key=lambda link: link.arrived_at)
        return [link for link in found if page in ("", link.page)]


@dataclasses.dataclass
class Thief:
    """Who has stolen a session or the password, and reads mailboxes of their own."""

    addresses: tuple[str, ...]
    sessions: list[Tokens] = dataclasses.field(default_factory=list)
    passwords: list[str] = dataclasses.field(default_factory=list)
    factor: Factor | None = None
    acts: list[str] = dataclasses.field(default_factory=list)

    def newest(self) -> Tokens | None:
        """Return the tokens of the newest session, or None without one."""
        return self.sessions[-1] if self.sessions else None


@dataclasses.dataclass
class Owner:
    """The account as its owner left it, and what only the owner knows."""

    address: str
    username: str
    password: str
    device_id: str = ""
    tokens: dict[str, Any] = dataclasses.field(default_factory=dict)
