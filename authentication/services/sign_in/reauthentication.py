"""Proving again, in the middle of a session, who one is."""

from django.db import transaction
from django.utils import timezone

from authentication.exceptions import ReauthenticationRequired, TokenInvalid, ValidationFailed
from authentication.models import UserSession
from authentication.services.audit import Event, record
from authentication.utils.client import ClientInfo

from .credentials import check_current_password
from .second_factor_codes import WRONG_CODE, check_code

_WRONG = "This is not your current password."
_NEEDED = {
    "password": "Please give your password.",
    "otp": "Please give a code of your second factor.",
}


class ReauthenticationService:
    """Proving again, in the middle of a session, who one is, and asking for that proof."""

    @staticmethod
    def require_recent(session: UserSession) -> None:
        """Raise ReauthenticationRequired unless the session's person proved who they are a short while ago."""
        if not session.is_proven(at=timezone.now()):
            raise ReauthenticationRequired

    @staticmethod
    def prove(
        session: UserSession, *, client: ClientInfo, password: str = "", otp: str = ""
    ) -> None:
        """Note that the session's person has just proved who they are.

        Who has a second factor gives a code of it, which makes the session a verified one; others
        their password. Whatever is given is checked, and counted as at a sign-in.

        Raises ValidationFailed for what is missing or wrong, AccountLocked or RateLimited after too
        many tries.
        """
        user = session.user
        needed = "otp" if user.second_factor_at else "password"
        if not {"otp": otp, "password": password}[needed]:
            raise ValidationFailed(errors={needed: [_NEEDED[needed]]})
        if password and not check_current_password(user, password, client=client):
            raise ValidationFailed(errors={"password": [_WRONG]})
        by_factor = user.second_factor_at is not None
        if by_factor and not check_code(user, otp, client=client):
            raise ValidationFailed(errors={"otp": [WRONG_CODE]})
        with transaction.atomic():
            if not UserSession.objects.reauthenticate(
                session.pk, by_factor=by_factor, at=timezone.now()
            ):
                raise TokenInvalid
            record(Event.REAUTHENTICATED, user_id=user.pk, client=client, session=str(session.pk))
