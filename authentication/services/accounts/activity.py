"""What happened to a person's account, as they are told it, and what follows when they say that it was not they."""

import uuid
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from authentication.exceptions import LinkInvalid, NotFound
from authentication.models import (
    ActionToken,
    AuditLog,
    PasswordResetToken,
    TokenBlacklist,
    User,
    UserSession,
)
from authentication.services.audit import Event, Risk, record
from authentication.services.mail import EmailService, Kind
from authentication.utils.client import ClientInfo

_DISOWN = ActionToken.Action.DISOWN_SESSION
# They say nothing a person could act on, and there are many of them.
_UNTOLD = (Event.TOKEN_REFRESH,)


class ActivityService:
    """What happened to a person's account, and what follows when they say that it was not they."""

    @staticmethod
    def events_of(*, user_id: uuid.UUID) -> QuerySet[AuditLog]:
        """Return the security events of a person."""
        return AuditLog.objects.filter(user_id=user_id).exclude(event_type__in=_UNTOLD)

    @staticmethod
    def disown(*, user_id: uuid.UUID, event_id: uuid.UUID, client: ClientInfo) -> uuid.UUID | None:
        """End the session an event of the person's tells of, and mail them a link to choose a new password.

        Returns the session, or None if the event tells of none. Raises NotFound, for another
        person's event as for nobody's.
        """
        event = ActivityService.events_of(user_id=user_id).filter(pk=event_id).first()
        if event is None:
            raise NotFound
        session_id = event.metadata.get("session")
        with transaction.atomic():
            _end(user_id, session_id, client=client, about=str(event.pk))
            EmailService.queue(Kind.PASSWORD_RESET, user_id=user_id)
        return uuid.UUID(session_id) if session_id else None

    @staticmethod
    def disown_by_mail(*, token: str, client: ClientInfo) -> str:
        """End the session that a mail told of, and return a token to choose a new password with.

        Raises LinkInvalid if the token is unknown, used or expired.
        """
        now = timezone.now()
        found = ActionToken.objects.usable(token, action=_DISOWN, at=now)
        if found is not None and found.user.is_active:
            with transaction.atomic():
                # The account first, as everybody does it who changes it and what is its own.
                User.objects.hold(found.user_id)
                if ActionToken.objects.spend(token, action=_DISOWN, at=now):
                    _end(found.user_id, found.subject["session"], client=client)
                    return PasswordResetToken.objects.issue(found.user, at=now)
        record(
            Event.SESSION_DISOWN_FAILED,
            user_id=None,
            client=client,
            risk=Risk.MEDIUM,
            success=False,
        )
        raise LinkInvalid


def _end(user_id: uuid.UUID, session_id: str | None, *, client: ClientInfo, **facts: Any) -> None:
    if session_id:
        mine = UserSession.objects.filter(user_id=user_id, pk=session_id)
        mine.end(reason=TokenBlacklist.Reason.DISOWNED, at=timezone.now())
    record(
        Event.SESSION_DISOWNED,
        user_id=user_id,
        client=client,
        risk=Risk.HIGH,
        session=session_id,
        **facts,
    )
