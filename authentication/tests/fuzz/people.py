"""The people of the stories: what each of them holds and reads."""

import dataclasses
import datetime as dt
import re
from typing import Any

from django.core import mail
from django.core.mail import EmailMessage
from django.utils import timezone

from authentication.models import ActionToken, EmailVerificationToken, PasswordResetToken
from authentication.services import EmailService
from authentication.tests.clients import Tokens
from authentication.tests.factories import Factor
from authentication.utils.crypto import digest

_LINK = re.compile(r"/(?:account/)?([a-z-]+)/?\?token=([\w:-]+)")
_TABLES: tuple[Any, ...] = (ActionToken, EmailVerificationToken, PasswordResetToken)
_ROUNDS = 5


@dataclasses.dataclass(frozen=True)
class Link:
    """A link in a mail: its page, its token and when it arrived."""

    page: str
    token: str
    arrived_at: dt.datetime

    def account(self) -> Any:
        """Return the id of the account that the link is about now; None if the link is void."""
        found = (it.objects.filter(token=digest(self.token)) for it in _TABLES)
        return next((row.user_id for rows in found for row in rows), None)


class Mailboxes:
    """All mailboxes, by address."""

    def __init__(self) -> None:
        self._links: dict[str, list[Link]] = {}
        self._arrivals: dict[str, list[dt.datetime]] = {}
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
        self._arrivals.setdefault(message.to[0], []).append(timezone.now())
        text = f"{message.body}\n{message.extra_headers.get('List-Unsubscribe', '')}"
        for page, token in _LINK.findall(text):
            link = Link(page, token, timezone.now())
            self._links.setdefault(message.to[0], []).append(link)

    def links(self, *addresses: str, page: str = "") -> list[Link]:
        """Return the links that came to addresses, oldest first, of one page or of all."""
        found = [link for address in addresses for link in self._links.get(address, [])]
        found.sort(key=lambda link: link.arrived_at)
        return [link for link in found if page in ("", link.page)]

    def has_mail(self, address: str, *, since: dt.datetime) -> bool:
        return any(it >= since for it in self._arrivals.get(address, []))


@dataclasses.dataclass
class Thief:
    """Who has stolen a session or the password, or squats, and reads mailboxes of their own."""

    addresses: tuple[str, ...]
    sessions: list[Tokens] = dataclasses.field(default_factory=list)
    passwords: list[str] = dataclasses.field(default_factory=list)
    factor: Factor | None = None
    codes: list[str] = dataclasses.field(default_factory=list)
    challenges: list[str] = dataclasses.field(default_factory=list)
    exchanges: list[str] = dataclasses.field(default_factory=list)
    device_id: str = ""
    has_stolen: bool = False
    """Whether a session was stolen: no mail is about the beginning of such a theft."""
    acts: list[str] = dataclasses.field(default_factory=list)
    former: list[Tokens] = dataclasses.field(default_factory=list)
    """The sessions of earlier thefts."""

    def newest(self) -> Tokens | None:
        """Return the tokens of the newest session, or None without one."""
        return self.sessions[-1] if self.sessions else None

    def password(self) -> str:
        """Return the password learned last, or none."""
        return self.passwords[-1] if self.passwords else ""


@dataclasses.dataclass
class Owner:
    """The account as its owner left it, and what only the owner knows."""

    address: str
    username: str
    password: str
    factor: Factor | None = None
    device_id: str = ""
    tokens: dict[str, Any] = dataclasses.field(default_factory=dict)
    links: list[Link] = dataclasses.field(default_factory=list)
    """The links about what she did herself."""
    is_in: bool = True
    """Whether the account is hers: False until she has proven an address that is squatted."""
