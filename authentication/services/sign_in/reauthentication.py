"""Asks a signed-in user for the password or a code again."""

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from authentication.exceptions import (
    CodeInvalid,
    InvalidCredentials,
    ReauthenticationRequired,
    ValidationFailed,
)
from authentication.models import User, UserSession
from authentication.services.acting import acting
from authentication.services.audit import Event, record
from authentication.utils.client import ClientInfo

from .credentials import authenticate, prove_password, prove_session_code
from .second_factor_codes import WRONG_CODE, prove_code

_WRONG_PASSWORD = _("This is not your current password.")
_MISSING = {
    "password": _("Please give your password."),
    "otp": _("Please give a code from your authenticator app."),
}


class ReauthenticationService:
    """Proving again, during a session, who one is, and asking for that proof."""

    @staticmethod
    def require_recent(session: UserSession) -> None:
        """Raise ReauthenticationRequired unless the session has a recent proof."""
        if not session.is_proven(at=timezone.now()):
            raise ReauthenticationRequired

    @staticmethod
    def prove(
        session: UserSession, *, client: ClientInfo, password: str = "", otp: str = ""
    ) -> None:
        """Store that the session's user has just proven who they are.

        An account with a second factor needs a code, which verifies the session; others need the
        password. What is given is checked, and counted for the session.

        Raises ValidationFailed for what is missing or wrong, AccountLocked or RateLimited after too
        many tries.
        """
        has_factor = session.user.second_factor_at is not None
        needed, given = "otp" if has_factor else "password", {"otp": otp, "password": password}
        if not given[needed]:
            raise ValidationFailed(errors={needed: [_MISSING[needed]]})
        if password:
            check_own_password(session, password, field="password", client=client)
        if has_factor:
            _check_own_code(session, otp, client=client)
        with acting(session):
            now = timezone.now()
            UserSession.objects.reauthenticate(
                session.pk, by_factor=has_factor, by_password=bool(password), at=now
            )
            record(
                Event.REAUTHENTICATED,
                user_id=session.user_id,
                client=client,
                session=str(session.pk),
            )

    @staticmethod
    def prove_in_admin(user: User, proof: str, *, client: ClientInfo) -> None:
        """Check a code of a member of staff, or the password of one without a second factor.

        Both are counted as for a sign-in. Raises ValidationFailed for a wrong one, AccountLocked or
        RateLimited after too many tries, and what refuses the account's sign-in.
        """
        try:
            if user.second_factor_at:
                prove_code(user, proof, client=client)
            else:
                authenticate(identifier=user.username, password=proof, client=client)
        except CodeInvalid:
            raise ValidationFailed(errors={"otp": [WRONG_CODE]}) from None
        except InvalidCredentials:
            raise ValidationFailed(errors={"password": [_WRONG_PASSWORD]}) from None


def check_own_password(
    session: UserSession, password: str, *, field: str, client: ClientInfo
) -> None:
    """Check the password of a session's user; raises ValidationFailed, AccountLocked."""
    try:
        prove_password(session, password, client=client)
    except InvalidCredentials:
        raise ValidationFailed(errors={field: [_WRONG_PASSWORD]}) from None


def _check_own_code(session: UserSession, otp: str, *, client: ClientInfo) -> None:
    try:
        prove_session_code(session, otp, client=client)
    except CodeInvalid:
        raise ValidationFailed(errors={"otp": [WRONG_CODE]}) from None
