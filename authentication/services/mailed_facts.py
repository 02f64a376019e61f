"""Building block: what a mail says that is made only when it is sent, its secret link above all (contract 8)."""

import datetime as dt
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.utils import timezone

from authentication.models import (
    ActionToken,
    EmailVerificationToken,
    OutgoingEmail,
    PasswordResetToken,
    User,
    UserSession,
)

Kind = OutgoingEmail.Kind
Facts = dict[str, Any]

_DISOWN_LIFETIME = dt.timedelta(days=7)


def facts_of(mail: OutgoingEmail, user: User) -> Facts:
    """Return all that a mail's templates need; tokens made for an earlier attempt to send it are void."""
    made = _MAKERS[mail.kind](mail, user) if mail.kind in _MAKERS else {}
    return {**mail.context, **made, "user": user}


def _verification(_: OutgoingEmail, user: User) -> Facts:
    token = EmailVerificationToken.objects.issue(user.pk, email=user.email, at=timezone.now())
    return {"link": settings.EMAIL_VERIFICATION_URL.replace("{token}", token)}


def _password_reset(_: OutgoingEmail, user: User) -> Facts:
    token = PasswordResetToken.objects.issue(user, at=timezone.now())
    return {"link": settings.PASSWORD_RESET_URL.replace("{token}", token)}


def _new_device(mail: OutgoingEmail, user: User) -> Facts:
    session_id = mail.context.get("session")
    token = ActionToken.objects.issue(
        ActionToken.Action.DISOWN_SESSION,
        user_id=user.pk,
        at=timezone.now(),
        lifetime=_DISOWN_LIFETIME,
        session=session_id,
    )
    # A session that retention has forgotten meanwhile leaves the mail without its facts, not unsent.
    session = UserSession.objects.filter(pk=session_id).first() or UserSession(created_at=mail.created_at)
    return {"link": settings.DISOWN_SESSION_URL.replace("{token}", token), "session": session}


_MAKERS: dict[str, Callable[[OutgoingEmail, User], Facts]] = {
    Kind.VERIFICATION: _verification,
    Kind.PASSWORD_RESET: _password_reset,
    Kind.NEW_DEVICE: _new_device,
}
