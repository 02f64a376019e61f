"""Email backend that writes each message to an .eml file, for development."""

import contextlib
import email
import email.policy
from collections.abc import Collection, Sequence
from email.utils import getaddresses
from pathlib import Path

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend
from django.utils import timezone

from authentication.utils.crypto import new_jti
from authentication.utils.identifiers import canonical_email


def delete_mail_files(addresses: Collection[str]) -> None:
    """Delete the files of mails to the given canonical addresses."""
    for path in Path(settings.EMAIL_FILE_PATH).glob("*.eml"):
        with contextlib.suppress(FileNotFoundError):
            mail = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
            if {canonical_email(it) for _, it in getaddresses([str(mail["To"])])} & set(addresses):
                path.unlink()


class FileMailbox(BaseEmailBackend):
    """Writes `<time>-<random>.eml` files to EMAIL_FILE_PATH, with file mode 0600."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        folder = Path(settings.EMAIL_FILE_PATH)
        folder.mkdir(parents=True, exist_ok=True)
        for message in email_messages:
            path = folder / f"{timezone.now():%Y%m%d-%H%M%S}-{new_jti()[:8]}.eml"
            path.touch(mode=0o600)
            path.write_bytes(message.message().as_bytes())
        return len(email_messages)
