"""Signing in and out."""

from django.db import transaction
from django.utils import timezone

from authentication.exceptions import InvalidCredentials, PermissionRefused, SessionOver, TokenInvalid
from authentication.models import TokenBlacklist, User, UserSession
from authentication.utils.client import ClientInfo

from .audit import Event, Risk, record
from .credentials import prove_identity
from .signing_in import SignedIn, sign_in
from .tokens import TokenService


class AuthenticationService:
    """Signing in and out."""

    @staticmethod
    def log_in(
        *, identifier: str, password: str, client: ClientInfo, device_name: str = "", remember_me: bool = False
    ) -> SignedIn:
        """Open a session for whoever knows the password of an account, named by address or username.

        Raises InvalidCredentials, AccountLocked, EmailNotVerified or AccountDisabled.
        """
        user = prove_identity(identifier=identifier, password=password, client=client)
        with transaction.atomic():
            return sign_in(
                user,
                client=client,
                event=Event.LOGIN,
                at=timezone.now(),
                device_name=device_name,
                remember_me=remember_me,
                is_proven=True,
            )

    @staticmethod
    def admit_to_admin(*, identifier: str, password: str, client: ClientInfo) -> User:
        """Return the member of staff who knows their password; Django's admin keeps its own session for them.

        Raises InvalidCredentials, AccountLocked, EmailNotVerified, AccountDisabled, or PermissionRefused for people
        who are not staff.
        """
        user = prove_identity(identifier=identifier, password=password, client=client)
        if not user.is_staff:
            User.objects.clear_attempts(user.pk)
            record(Event.ADMIN_LOGIN_REFUSED, user_id=user.pk, client=client, risk=Risk.HIGH, success=False)
            raise PermissionRefused
        if not User.objects.sign_in(user, at=timezone.now()):
            raise InvalidCredentials
        record(Event.ADMIN_LOGIN, user_id=user.pk, client=client, risk=Risk.MEDIUM)
        return user

    @staticmethod
    def log_out(*, access: str, refresh: str, client: ClientInfo) -> None:
        """End the session of a live access token or, without one, of a refresh token.

        Raises TokenInvalid if neither tells of a session, SessionOver if the refresh token's is over.
        """
        session, now = _session_to_end(access, refresh), timezone.now()
        with transaction.atomic():
            if not UserSession.objects.filter(pk=session.pk).end(reason=TokenBlacklist.Reason.LOGOUT, at=now):
                raise SessionOver
            record(Event.LOGOUT, user_id=session.user_id, client=client, session=str(session.pk))


def _session_to_end(access: str, refresh: str) -> UserSession:
    try:
        return TokenService.authenticate(access=access)
    except TokenInvalid:
        return TokenService.session_of(refresh=refresh)
