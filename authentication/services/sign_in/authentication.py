"""Signing in and out."""

import dataclasses
import uuid
from collections.abc import Collection, Sequence

from django.db import transaction
from django.utils import timezone

from authentication.exceptions import TokenInvalid
from authentication.models import TokenBlacklist, User, UserSession
from authentication.services.acting import acting, locked_account
from authentication.services.attempt_limit import UNLIMITED, AttemptLimit
from authentication.services.audit import Event, record
from authentication.services.sessions import TokenService
from authentication.utils.client import ClientInfo

from .admin_admission import check_staff, record_admin_login
from .admission import admit
from .credentials import CodeMissing, authenticate
from .known_devices import remember
from .opening import Opening, SignedIn, open_at_once, open_session
from .second_factor_codes import challenge


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
        limit: AttemptLimit = UNLIMITED,
    ) -> SignedIn:
        """Open a session for the password of an account, named by address or username.

        An account with a second factor needs its code too, in `otp` or after MfaRequired.
        `documents` are those the user agrees to now. `restore` cancels a pending deletion. Raises
        InvalidCredentials, AccountLocked, EmailNotVerified, AccountDisabled, ConsentRequired,
        AccountDeletionPending, MfaRequired, CodeInvalid or RateLimited.
        """
        try:
            proven = authenticate(
                identifier=identifier,
                password=password,
                otp=otp,
                client=client,
                limit=limit,
                admit=lambda it: admit(it, documents=documents, restore=restore, client=client),
            )
        except CodeMissing as missing:
            wanted = {"device_name": device_name, "remember_me": remember_me, "by_password": True}
            raise challenge(missing.user, client=client, **wanted) from None
        opening = Opening(
            Event.LOGIN,
            device_name,
            remember_me,
            is_verified=proven.user.second_factor_at is not None,
            restore=restore,
            device=proven.device,
        )
        return _open(proven.user, opening, client=client)

    @staticmethod
    def admit_to_admin(
        *,
        identifier: str,
        password: str,
        client: ClientInfo,
        otp: str = "",
        limit: AttemptLimit = UNLIMITED,
    ) -> User:
        """Return the member of staff with this password; Django's admin keeps its own session.

        With ADMIN_REQUIRE_OTP a second factor is needed.

        Raises InvalidCredentials, AccountLocked, EmailNotVerified, AccountDisabled, MfaRequired,
        CodeInvalid, RateLimited, PermissionRefused for people who are not staff, or FactorMissing
        for staff without a second factor, who may set one up by AdminEnrolmentService.
        """
        user = authenticate(
            identifier=identifier,
            password=password,
            otp=otp,
            client=client,
            limit=limit,
            admit=lambda it: check_staff(it, client=client),
        ).user
        record_admin_login(user, client=client)
        return user

    @staticmethod
    def remember_device(user: User, *, client: ClientInfo) -> str:
        """Make the client's device known after a sign-in to the admin; return the device's id."""
        with locked_account(user.pk):
            return remember(user, client, at=timezone.now()).device_id

    @staticmethod
    def log_out(*, access: str, refresh: Sequence[str], client: ClientInfo) -> uuid.UUID:
        """End the session of a live access token or, without one, of a refresh token.

        Of several refresh tokens one of a live session decides. Returns the session's id.

        Raises TokenInvalid if neither names a session, SessionOver if the session has ended.
        """
        session = _session_to_end(access, refresh)
        with acting(session):
            UserSession.objects.filter(pk=session.pk).end(
                reason=TokenBlacklist.Reason.LOGOUT, at=timezone.now()
            )
            record(Event.LOGOUT, user_id=session.user_id, client=client, session=str(session.pk))
        return session.pk


def _open(user: User, opening: Opening, *, client: ClientInfo) -> SignedIn:
    now = timezone.now()
    opening = dataclasses.replace(opening, proven_at=now, password_proven_at=now)
    if signed_in := open_at_once(user, opening, client=client, at=now):
        return signed_in
    with transaction.atomic():
        return open_session(user, opening, client=client, at=now)


def _session_to_end(access: str, refresh: Sequence[str]) -> UserSession:
    try:
        return TokenService.authenticate(access=access)
    except TokenInvalid:
        return TokenService.session_of_one(refresh)
