"""The devices a person is signed in on."""

import uuid

from django.db import transaction
from django.utils import timezone

from authentication.exceptions import NotFound
from authentication.models import TokenBlacklist, UserSession
from authentication.services.audit import Event, record
from authentication.utils.client import ClientInfo

_REASON = TokenBlacklist.Reason.TERMINATED


class SessionService:
    """The devices a person is signed in on."""

    @staticmethod
    def list_live(*, user_id: uuid.UUID) -> list[UserSession]:
        """Return a person's live sessions, the one used last first."""
        live = UserSession.objects.filter(user_id=user_id).live(at=timezone.now()).since_password()
        return list(live.order_by("-last_activity_at", "-created_at"))

    @staticmethod
    def get(*, user_id: uuid.UUID, session_id: uuid.UUID) -> UserSession:
        """Return one live session of a person; raises NotFound, for another person's as for nobody's."""
        live = (
            UserSession.objects.filter(user_id=user_id, pk=session_id)
            .live(at=timezone.now())
            .since_password()
        )
        session = live.first()
        if session is None:
            raise NotFound
        return session

    @staticmethod
    def terminate(*, user_id: uuid.UUID, session_id: uuid.UUID, client: ClientInfo) -> None:
        """End one session of a person; raises NotFound, for another person's as for nobody's."""
        now = timezone.now()
        with transaction.atomic():
            if (
                not UserSession.objects.filter(user_id=user_id, pk=session_id)
                .live(at=now)
                .end(reason=_REASON, at=now)
            ):
                raise NotFound
            record(
                Event.SESSION_TERMINATED, user_id=user_id, client=client, session=str(session_id)
            )

    @staticmethod
    def terminate_others(*, user_id: uuid.UUID, current_id: uuid.UUID, client: ClientInfo) -> int:
        """End every session of a person but the current one; return how many."""
        now = timezone.now()
        with transaction.atomic():
            others = UserSession.objects.filter(user_id=user_id).exclude(pk=current_id).live(at=now)
            count = others.end(reason=_REASON, at=now)
            record(
                Event.SESSIONS_TERMINATED,
                user_id=user_id,
                client=client,
                count=count,
                kept=str(current_id),
            )
        return count
