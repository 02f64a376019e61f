"""The mails of development: the files that FileMailbox wrote, and previews of every kind."""

import dataclasses
import datetime as dt
import email
import email.policy
import re
from email.message import EmailMessage
from pathlib import Path

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.utils import timezone

from authentication.models import OutgoingEmail

from .previews import PREVIEWS, preview_facts
from .rendering import render_email

_PREVIEW = "preview-"
_NAME = re.compile(r"[\w-]{1,80}")
_LINK = re.compile(r"https?://[^\s<>\"]+")
_SHOWN = 200


@dataclasses.dataclass(frozen=True, slots=True)
class Mail:
    """A mail as it was sent, or as it would be."""

    name: str
    subject: str
    to: str
    at: dt.datetime
    text: str
    html: str
    source: str

    @property
    def links(self) -> list[str]:
        """The links of the text, each once."""
        return list(dict.fromkeys(_LINK.findall(self.text)))


class MailboxService:
    """Reads the mails of development, which are files."""

    @staticmethod
    def newest() -> list[Mail]:
        """Return the newest mails, the newest first."""
        files = Path(settings.EMAIL_FILE_PATH).glob("*.eml")
        by_time = sorted(files, key=lambda it: it.stat().st_mtime_ns, reverse=True)
        return [_read(path) for path in by_time[:_SHOWN]]

    @staticmethod
    def previews() -> list[str]:
        """Return the names of the previews, one for each kind of mail."""
        return [f"{_PREVIEW}{kind}" for kind in sorted(PREVIEWS)]

    @staticmethod
    def mail(name: str) -> Mail | None:
        """Return a mail by the name of its file, or a preview; None if there is none."""
        if name.startswith(_PREVIEW):
            kind = name.removeprefix(_PREVIEW)
            return _preview(kind) if kind in PREVIEWS else None
        path = Path(settings.EMAIL_FILE_PATH) / f"{name}.eml"
        # The name is a part of an address: it must not lead out of the folder.
        return _read(path) if _NAME.fullmatch(name) and path.is_file() else None


def _read(path: Path) -> Mail:
    at = dt.datetime.fromtimestamp(path.stat().st_mtime, dt.UTC)
    return _mail(path.stem, path.read_bytes(), at=at)


def _preview(kind: str) -> Mail:
    content = render_email(kind, preview_facts(OutgoingEmail.Kind(kind)))
    message = EmailMultiAlternatives(
        subject=content.subject, body=content.text, to=["ruth@example.org"]
    )
    message.attach_alternative(content.html, "text/html")
    return _mail(f"{_PREVIEW}{kind}", message.message().as_bytes(), at=timezone.now())


def _mail(name: str, source: bytes, *, at: dt.datetime) -> Mail:
    message = email.message_from_bytes(source, policy=email.policy.default)
    return Mail(
        name=name,
        subject=str(message["Subject"]),
        to=str(message["To"]),
        at=at,
        text=_part(message, "plain"),
        html=_part(message, "html"),
        source=source.decode("utf-8", errors="replace"),
    )


def _part(message: EmailMessage, kind: str) -> str:
    body = message.get_body((kind,))
    return str(body.get_content()) if body else ""
