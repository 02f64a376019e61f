"""The security events of an account, and "this was not me"."""

import datetime as dt
import uuid
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from authentication.exceptions import NotFound
from authentication.models import (
    ActionToken,
    AuditLog,
    KnownCountry,
    KnownDevice,
    PasswordResetToken,
    TokenBlacklist,
    User,
    UserSession,
)
from authentication.services.acting import acting
from authentication.services.attempt_limit import UNLIMITED, AttemptLimit
from authentication.services.audit import Event, Risk, record
from authentication.services.mail import EmailService, Kind
from authentication.services.redeem import Redemption
from authentication.services.revocation import end_admin_sessions
from authentication.services.sign_in import recognise
from authentication.utils.client import ClientInfo

from .reversal import Reversal


class ActivityService:
    """The security events of an account, and "this was not me"."""

    @staticmethod
    def events_of(*, user_id: uuid.UUID) -> QuerySet[AuditLog]:
        """Return the security events of a user."""
        events: QuerySet[AuditLog] = AuditLog.objects.filter(user_id=user_id).shown()
        return events

    @staticmethod
    def disown(
        session: UserSession, *, event_id: uuid.UUID, client: ClientInfo
    ) -> uuid.UUID | None:
        """End the session that an event names, and mail a link to choose a new password.

        With a recent proof the sensitive changes made on it, or since it was opened, are undone at
        once, but for those of the session that asks. Without one the mailed link undoes them: a
        thief's session must not remove the owner's second factor.

        Returns the id of that session, None if the event names none. Raises NotFound for an event
        that is not the user's.
        """
        event = ActivityService.events_of(user_id=session.user_id).filter(pk=event_id).first()
        if event is None:
            raise NotFound
        disowned = event.metadata.get("session")
        now = timezone.now()
        with acting(session) as user:
            session.user = user
            reversal = Reversal.of_session(user, disowned, at=now, but=session.pk)
            is_due = reversal.changes().filter(undone_at=None).exists()
            _end(user, disowned, device=session.device_fingerprint, at=now)
            undone = reversal.carry_out() if is_due and session.is_proven(at=now) else []
            _note(user, disowned, client=client, about=str(event.pk), undone=undone)
            if is_due and not undone:
                EmailService.queue(Kind.SESSION_DISOWNED, user_id=user.pk, session=disowned)
            else:
                EmailService.queue(Kind.PASSWORD_RESET, user_id=user.pk)
        return uuid.UUID(disowned) if disowned else None

    @staticmethod
    def disown_by_mail(*, token: str, client: ClientInfo, limit: AttemptLimit = UNLIMITED) -> str:
        """End the session that a mail was about; return a token to choose a new password.

        Sessions opened since end too. All sensitive changes made on them, or since, are undone, and
        the links about these changes and sessions are void.

        Raises LinkInvalid if the token is unknown, used or expired.
        """
        now = timezone.now()
        redemption = Redemption(
            ActionToken.objects.of(ActionToken.Action.DISOWN_SESSION),
            token,
            failure=Event.SESSION_DISOWN_FAILED,
            client=client,
            at=now,
            limit=limit,
        )
        with redemption.spend() as link:
            device = recognise(link.user, client)
            digest, session_id = device.digest if device else "", link.subject["session"]
            reversal = Reversal.of_session(link.user, session_id, at=now)
            reversal.void_links()
            _end(link.user, session_id, device=digest, at=now)
            reversal.sessions().end(reason=TokenBlacklist.Reason.DISOWNED, at=now)
            undone = reversal.carry_out()
            _note(link.user, session_id, client=client, undone=undone)
            return str(PasswordResetToken.objects.issue(link.user, at=now))


def _end(user: User, session_id: str | None, *, device: str, at: dt.datetime) -> None:
    """End a session and make every device unknown but the one that acts, unless it is the same."""
    disowned = UserSession.objects.filter(user=user, pk=session_id) if session_id else None
    if disowned is not None and disowned.filter(device_fingerprint=device).exists():
        device = ""
    KnownDevice.objects.forget(user.pk, but=device)
    # A session of the admin has no row, so the event may be about it.
    end_admin_sessions(user)
    if disowned is not None:
        opened_at = disowned.values_list("created_at", flat=True).first()
        if opened_at:
            KnownCountry.objects.forget_since(user.pk, opened_at)
        disowned.end(reason=TokenBlacklist.Reason.DISOWNED, at=at)


def _note(user: User, session_id: str | None, *, client: ClientInfo, **facts: Any) -> None:
    record(
        Event.SESSION_DISOWNED,
        user_id=user.pk,
        client=client,
        risk=Risk.HIGH,
        session=session_id,
        **{name: fact for name, fact in facts.items() if fact},
    )
