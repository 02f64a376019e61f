"""The message that is sent for a mail of the outbox."""

from email.charset import QP, Charset
from email.utils import make_msgid, parseaddr
from typing import Any

import idna
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.utils import timezone
from django.utils.translation import override

from authentication.models import OutgoingEmail, User
from authentication.utils.languages import of_mail

from .email_context import context_for
from .former_addresses import recipient
from .rendering import render_email
from .unsubscribe import unsubscribe_token

# Mails that are not security mails: users can unsubscribe from them.
NOTICES = frozenset({OutgoingEmail.Kind.NEW_DEVICE, OutgoingEmail.Kind.NEW_COUNTRY})

# Django's own choice sends 8-bit bytes, which a server without 8BITMIME may refuse or damage.
_QUOTED_PRINTABLE = Charset("utf-8")
_QUOTED_PRINTABLE.body_encoding = QP


def build_message(mail: OutgoingEmail, user: User) -> EmailMultiAlternatives | None:
    """Return a mail as text and HTML, in quoted-printable (RFC 2045), with new link tokens.

    None stands for a mail that is withheld from its reader, unseen by the user who caused it.

    Raises EmailObsolete if the mail must not be sent any more.
    """
    language = of_mail(user)
    with override(language):
        context = context_for(mail, user)
    if context.get("withheld"):
        return None
    if context["user"] != user:
        language = of_mail(context["user"])
    with override(language):
        content = render_email(context.get("kind", mail.kind), context)
    to = context.get("to") or recipient(mail, user, at=timezone.now())
    message = EmailMultiAlternatives(
        subject=content.subject,
        body=content.text,
        from_email=settings.EMAIL_ENVELOPE_SENDER or None,
        to=[to],
        reply_to=[settings.SUPPORT_EMAIL],
        headers={
            "Auto-Submitted": "auto-generated",
            "Content-Language": language,
            # A new one for each attempt: a repeated mail has other links than the first.
            "Message-ID": make_msgid(domain=_sender_domain()),
            **({"X-Correlation-ID": mail.correlation_id} if mail.correlation_id else {}),
            **_sender_header(),
            **_unsubscribe_headers(mail, user, to),
        },
    )
    encoded: Any = _QUOTED_PRINTABLE
    message.encoding = encoded
    message.attach_alternative(content.html, "text/html")
    return message


def _sender_header() -> dict[str, str]:
    """Return the header of the visible sender, where the envelope has another.

    The envelope's gets bounces and automatic replies (RFC 3834), which nobody needs to read.
    """
    return {"From": settings.DEFAULT_FROM_EMAIL} if settings.EMAIL_ENVELOPE_SENDER else {}


def _sender_domain() -> str:
    """Return the domain of the sender's address, in ASCII: the host's name is of no use there."""
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2]
    return domain if domain.isascii() else idna.encode(domain, uts46=True).decode("ascii")


def _unsubscribe_headers(mail: OutgoingEmail, user: User, to: str) -> dict[str, str]:
    """Return the headers for one-click unsubscribing (RFC 8058); none for security mails."""
    if mail.kind not in NOTICES:
        return {}
    token = unsubscribe_token(user.pk, to)
    link = f"{settings.BACKEND_URL}/account/unsubscribe/?token={token}"
    return {"List-Unsubscribe": f"<{link}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
