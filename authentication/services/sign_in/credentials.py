"""Proving who one is: the only place where a password is compared (docs/lockout.md)."""

import dataclasses
from collections.abc import Callable, Sequence

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import transaction

from authentication.exceptions import (
    AccountDisabled,
    AccountLocked,
    EmailNotVerified,
    InvalidCredentials,
    MfaRequired,
    Problem,
)
from authentication.models import User, UserSession
from authentication.services.audit import Event, Risk, record
from authentication.services.mail import EmailService, Kind
from authentication.utils.client import ClientInfo
from authentication.utils.crypto import pseudonym
from authentication.utils.identifiers import canonical_identifier

from .known_devices import device_digests
from .login_attempts import NO_ACCOUNT, LoginAttempt, reserve_attempt
from .second_factor_codes import prove_code


class CodeMissing(MfaRequired):
    """The password of `user` was right, and a code is needed that was not given."""

    def __init__(self, user: User) -> None:
        super().__init__()
        self.user = user


@dataclasses.dataclass(frozen=True, slots=True)
class Authenticated:
    """A user who has proven who they are, and the hash of the known device they did it on."""

    user: User
    device: str


def authenticate(
    *,
    identifier: str,
    password: str,
    client: ClientInfo,
    otp: str = "",
    admit: Callable[[User], None] = lambda _: None,
) -> Authenticated:
    """Return the account of an address or username, for its password and, if it has one, a code.

    Both proofs are counted and settled here. `admit` may refuse the account between the two, so
    that no code is spent on a sign-in that is refused anyway. A name without an account is counted,
    locked, hashed for and answered as an account is.

    Raises InvalidCredentials, AccountLocked, AccountDisabled, EmailNotVerified, CodeMissing,
    CodeInvalid, RateLimited, and what `admit` raises.
    """
    canonical = canonical_identifier(identifier)
    found: User | None = User.objects.identified_by(canonical).first()
    # For a name without an account the hashes take as long, and match nothing.
    devices = device_digests(client, found.pk if found else NO_ACCOUNT)
    proven = _prove_password(found, canonical, password, devices=devices, client=client)
    user = proven.user
    if refusal := _refusal_of(user):
        _record_failure(user, canonical, client, reason=refusal.code)
        raise refusal
    admit(user)
    if user.second_factor_at:
        if not otp:
            raise CodeMissing(user)
        prove_code(user, otp, client=client)
        user.proven_by_factor = True
    return proven


def prove_password(session: UserSession, password: str, *, client: ClientInfo) -> None:
    """Check the password of a session's user, counted as a sign-in from the session's device is.

    Raises InvalidCredentials, AccountLocked.
    """
    user, devices = session.user, [session.device_fingerprint]
    _prove_password(user, user.email_canonical, password, devices=devices, client=client)


def _prove_password(
    user: User | None,
    canonical: str,
    password: str,
    *,
    devices: Sequence[str],
    client: ClientInfo,
) -> Authenticated:
    try:
        attempt = reserve_attempt(user, canonical, devices=devices)
    except AccountLocked:
        _record_failure(user, canonical, client, reason="locked")
        raise
    if not _is_right(user, password, attempt):
        _fail(user, canonical, attempt, client)
        raise InvalidCredentials
    assert user is not None  # noqa: S101 -- for the type checker: without an account none is right
    attempt.succeed()
    return Authenticated(user, attempt.device)


def _is_right(user: User | None, password: str, attempt: LoginAttempt) -> bool:
    try:
        if user and attempt.is_compared:
            return user.check_password(password)
        # As long a hash, compared with nothing.
        make_password(password)
    except Exception:
        # No verdict: the service is too busy to hash, or its database failed.
        attempt.release()
        raise
    return False


def _refusal_of(user: User) -> Problem | None:
    if not user.is_active:
        return AccountDisabled()
    if settings.REQUIRE_EMAIL_VERIFICATION and not user.email_verified:
        return EmailNotVerified()
    return None


def _fail(user: User | None, canonical: str, attempt: LoginAttempt, client: ClientInfo) -> None:
    reason = "credentials" if attempt.is_compared or not user else "locked"
    with transaction.atomic():
        _record_failure(user, canonical, client, reason=reason)
        if attempt.has_set_lock():
            # Without a comparison only the name is locked: log it as for a name without an account.
            owner = user.pk if user and attempt.is_compared else None
            name = _pseudonym(canonical)
            record(Event.ACCOUNT_LOCKED, user_id=owner, client=client, risk=Risk.HIGH, name=name)
            EmailService.queue(Kind.ACCOUNT_LOCKED, user_id=owner)


def _record_failure(user: User | None, canonical: str, client: ClientInfo, *, reason: str) -> None:
    record(
        Event.LOGIN_FAILED,
        user_id=user.pk if user else None,
        client=client,
        risk=Risk.MEDIUM,
        success=False,
        reason=reason,
        name=_pseudonym(canonical),
    )


def _pseudonym(canonical: str) -> str:
    return pseudonym("identifier", canonical)
