"""Listing and ending the sessions of a user."""

import uuid

from django.utils import timezone

from authentication.exceptions import NotFound
from authentication.models import KnownDevice, TokenBlacklist, User, UserSession
from authentication.services.acting import acting
from authentication.services.audit import Event, record, record_action
from authentication.services.operators import Operator
from authentication.services.revocation import end_admin_sessions
from authentication.utils.client import ClientInfo

_REASON = TokenBlacklist.Reason.TERMINATED


class SessionService:
    """Listing and ending the sessions of a user."""

    @staticmethod
    def list_live(*, user_id: uuid.UUID) -> list[UserSession]:
        """Return a user's live sessions, the most recently used first."""
        live = UserSession.objects.filter(user_id=user_id).live(at=timezone.now()).since_password()
        return list(live.order_by("-last_activity_at", "-created_at"))

    @staticmethod
    def list_for_operator(
        user: User, *, operator: Operator, client: ClientInfo
    ) -> list[UserSession]:
        """Return what `list_live` does; record who asked."""
        record_action("list_sessions", user_id=user.pk, client=client, **operator.facts())
        return SessionService.list_live(user_id=user.pk)

    @staticmethod
    def get(*, user_id: uuid.UUID, session_id: uuid.UUID) -> UserSession:
        """Return one live session of a user; raises NotFound for any other session."""
        mine = UserSession.objects.filter(user_id=user_id, pk=session_id)
        live = mine.live(at=timezone.now()).since_password()
        session: UserSession | None = live.first()
        if session is None:
            raise NotFound
        return session

    @staticmethod
    def rename(
        session: UserSession, session_id: uuid.UUID, *, device_name: str, client: ClientInfo
    ) -> UserSession:
        """Give the device of one session of the same user another name, and return the session.

        Raises NotFound for any other session.
        """
        with acting(session) as user:
            renamed = SessionService.get(user_id=user.pk, session_id=session_id)
            renamed.device_name = device_name
            renamed.save(update_fields=["device_name"])
            record(Event.SESSION_RENAMED, user_id=user.pk, client=client, session=str(session_id))
        return renamed

    @staticmethod
    def terminate(session: UserSession, session_id: uuid.UUID, *, client: ClientInfo) -> None:
        """End one session of the same user; raises NotFound for any other session."""
        now = timezone.now()
        with acting(session) as user:
            mine = UserSession.objects.filter(user=user, pk=session_id)
            if not mine.live(at=now).end(reason=_REASON, at=now):
                raise NotFound
            record(
                Event.SESSION_TERMINATED,
                user_id=user.pk,
                client=client,
                session=str(session_id),
            )

    @staticmethod
    def terminate_others(session: UserSession, *, client: ClientInfo) -> int:
        """End the user's other sessions, make their devices unknown; return how many ended."""
        now = timezone.now()
        with acting(session) as user:
            KnownDevice.objects.forget(user.pk, but=session.device_fingerprint)
            end_admin_sessions(user)
            others = UserSession.objects.filter(user=user).exclude(pk=session.pk)
            count = others.live(at=now).end(reason=_REASON, at=now)
            record(
                Event.SESSIONS_TERMINATED,
                user_id=user.pk,
                client=client,
                count=count,
                kept=str(session.pk),
            )
        return count
