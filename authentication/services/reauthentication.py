"""Proving again, in the middle of a session, who one is."""

from django.db import transaction
from django.utils import timezone

from authentication.exceptions import ReauthenticationRequired, TokenInvalid, ValidationFailed
from authentication.models import UserSession
from authentication.utils.client import ClientInfo

from .audit import Event, record
from .credentials import check_current_password

_WRONG = "This is not your current password."


class ReauthenticationService:
    """Proving again, in the middle of a session, who one is, and asking for that proof."""

    @staticmethod
    def require_recent(session: UserSession) -> None:
        """Raise ReauthenticationRequired unless the session's person proved who they are a short while ago."""
        if not session.is_proven(at=timezone.now()):
            raise ReauthenticationRequired

    @staticmethod
    def prove(session: UserSession, *, password: str, client: ClientInfo) -> None:
        """Note that the session's person knows their password, counted and locked as a sign-in is.

        Raises ValidationFailed for a wrong password, AccountLocked after too many.
        """
        if not check_current_password(session.user, password, client=client):
            raise ValidationFailed(errors={"password": [_WRONG]})
        with transaction.atomic():
            if not UserSession.objects.reauthenticate(session.pk, at=timezone.now()):
                raise TokenInvalid
            record(Event.REAUTHENTICATED, user_id=session.user_id, client=client, session=str(session.pk))
