"""Signing in and out."""

from collections.abc import Collection

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from authentication.exceptions import (
    InvalidCredentials,
    MfaRequired,
    PermissionRefused,
    SessionOver,
    TokenInvalid,
)
from authentication.models import TokenBlacklist, User, UserSession
from authentication.services.audit import Event, Risk, record
from authentication.services.sessions import TokenService
from authentication.utils.client import ClientInfo

from .admission import admit
from .credentials import admitting, prove_identity
from .open_session import SignedIn, sign_in
from .second_factor_codes import ask_for_factor, check_code

_SET_UP_FIRST = "Please set up a second factor first: without one nobody comes in here."


class AuthenticationService:
    """Signing in and out."""

    @staticmethod
    def log_in(
        *,
        identifier: str,
        password: str,
        client: ClientInfo,
        otp: str = "",
        device_name: str = "",
        remember_me: bool = False,
        documents: Collection[str] = (),
        restore: bool = False,
    ) -> SignedIn:
        """Open a session for whoever knows the password of an account, named by address or username.

        Where the account has a second factor its code is needed too, now or in a second step.

        `documents` are those the person agrees to now, `restore` takes the deletion of the account
        back.

        Raises InvalidCredentials, AccountLocked, EmailNotVerified, AccountDisabled,
        AccountDeletionPending, ConsentRequired, MfaRequired or RateLimited.
        """
        user = prove_identity(identifier=identifier, password=password, client=client)
        with admitting(user):
            admit(user, documents=documents, restore=restore, client=client)
            if user.second_factor_at:
                if not otp:
                    ask_for_factor(
                        user,
                        client=client,
                        by_password=True,
                        device_name=device_name,
                        remember_me=remember_me,
                    )
                if not check_code(user, otp, client=client):
                    raise InvalidCredentials
            now, is_verified = timezone.now(), user.second_factor_at is not None
            with transaction.atomic():
                return sign_in(
                    user,
                    client=client,
                    event=Event.LOGIN,
                    at=now,
                    device_name=device_name,
                    remember_me=remember_me,
                    is_verified=is_verified,
                    proven_at=now,
                    restore=restore,
                )

    @staticmethod
    def admit_to_admin(
        *, identifier: str, password: str, client: ClientInfo, otp: str = ""
    ) -> User:
        """Return the member of staff who knows their password; Django's admin keeps its own session for them.

        Who has a second factor gives its code as well, and where ADMIN_REQUIRE_OTP is on nobody
        comes in without one.

        Raises InvalidCredentials, AccountLocked, EmailNotVerified, AccountDisabled, MfaRequired,
        RateLimited, or PermissionRefused for people who are not staff or lack a second factor.
        """
        user = prove_identity(identifier=identifier, password=password, client=client)
        with admitting(user):
            if user.deletion_requested_at:
                _turn_away(user, client=client, reason="deletion")
                raise PermissionRefused
            if not user.is_staff:
                _turn_away(user, client=client, reason="staff")
                raise PermissionRefused
            if user.second_factor_at:
                if not otp:
                    raise MfaRequired
                if not check_code(user, otp, client=client):
                    raise InvalidCredentials
            elif settings.ADMIN_REQUIRE_OTP:
                _turn_away(user, client=client, reason="second_factor")
                raise PermissionRefused(_SET_UP_FIRST)
            if not User.objects.sign_in(user, at=timezone.now()):
                raise InvalidCredentials
        record(Event.ADMIN_LOGIN, user_id=user.pk, client=client, risk=Risk.MEDIUM)
        return user

    @staticmethod
    def log_out(*, access: str, refresh: str, client: ClientInfo) -> None:
        """End the session of a live access token or, without one, of a refresh token.

        Raises TokenInvalid if neither tells of a session, SessionOver if the refresh token's is
        over.
        """
        session, now = _session_to_end(access, refresh), timezone.now()
        with transaction.atomic():
            if not UserSession.objects.filter(pk=session.pk).end(
                reason=TokenBlacklist.Reason.LOGOUT, at=now
            ):
                raise SessionOver
            record(Event.LOGOUT, user_id=session.user_id, client=client, session=str(session.pk))


def _turn_away(user: User, *, client: ClientInfo, reason: str) -> None:
    record(
        Event.ADMIN_LOGIN_REFUSED,
        user_id=user.pk,
        client=client,
        risk=Risk.HIGH,
        success=False,
        reason=reason,
    )


def _session_to_end(access: str, refresh: str) -> UserSession:
    try:
        return TokenService.authenticate(access=access)
    except TokenInvalid:
        return TokenService.session_of(refresh=refresh)
