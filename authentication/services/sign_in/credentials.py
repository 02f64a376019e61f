"""Proving who one is: the only place where a password is compared (docs/lockout.md)."""

import contextlib
import dataclasses
from collections.abc import Callable, Iterator, Sequence

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import transaction

from authentication.exceptions import (
    AccountDisabled,
    AccountLocked,
    CodeInvalid,
    EmailNotVerified,
    InvalidCredentials,
    MfaRequired,
    Problem,
)
from authentication.models import User, UserSession, find_account
from authentication.services.attempt_limit import (
    NO_ACCOUNT,
    UNLIMITED,
    AttemptLimit,
    device_digests,
)
from authentication.utils.client import ClientInfo
from authentication.utils.identifiers import canonical_identifier
from authentication.utils.legacy_hashes import even_out, is_imported

from .failures import record_failure, record_refusal, record_wrong_password, report_lock
from .login_attempts import LoginAttempt, reserve_attempt, reserve_session_attempt
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
    limit: AttemptLimit = UNLIMITED,
) -> Authenticated:
    """Return the account of an address or username, for its password and, if it has one, a code.

    Both proofs are counted and settled here. `admit` may refuse the account between the two, so
    that no code is spent on a sign-in that is refused anyway. A name without an account is counted,
    locked, hashed for and answered as an account is.

    Raises InvalidCredentials, AccountLocked, AccountDisabled, EmailNotVerified, CodeMissing,
    CodeInvalid, RateLimited, and what `admit` raises.
    """
    proven = prove_password_of(
        identifier, password, refusal_of=_refusal_of, client=client, limit=limit
    )
    user = proven.user
    admit(user)
    if user.second_factor_at:
        if not otp:
            raise CodeMissing(user)
        prove_code(user, otp, client=client)
        user.proven_by_factor = True
    return proven


def prove_password_of(
    identifier: str,
    password: str,
    *,
    refusal_of: Callable[[User], Problem | None],
    client: ClientInfo,
    limit: AttemptLimit = UNLIMITED,
) -> Authenticated:
    """Return the account of an address or username, for its password.

    It is counted and answered as a sign-in is. `refusal_of` may return an error, which is audited
    and raised: only the holder of the right password sees it.

    Raises InvalidCredentials, AccountLocked, RateLimited, and that error.
    """
    canonical = canonical_identifier(identifier)
    found = find_account(canonical)
    # For a name without an account the hashes take as long, and match nothing.
    devices = device_digests(client, found.pk if found else NO_ACCOUNT)
    proven = _prove_password(
        found, canonical, password, devices=devices, client=client, limit=limit
    )
    if refusal := refusal_of(proven.user):
        record_failure(proven.user, canonical, client, reason=refusal.code)
        raise refusal
    return proven


def prove_password(session: UserSession, password: str, *, client: ClientInfo) -> None:
    """Check the password of a session's user, counted for the session.

    Raises InvalidCredentials, AccountLocked.
    """
    user = session.user
    with _refusals_recorded(user, user.email_canonical, client):
        attempt = reserve_session_attempt(session)
    _compare(user, user.email_canonical, password, attempt, client, session=session)


def prove_session_code(session: UserSession, code: str, *, client: ClientInfo) -> None:
    """Check a code of a session's user, counted for the session first and then for the account.

    Raises CodeInvalid, AccountLocked, RateLimited.
    """
    user = session.user
    with _refusals_recorded(user, user.email_canonical, client):
        attempt = reserve_session_attempt(session)
    try:
        prove_code(user, code, client=client)
    except CodeInvalid:
        with transaction.atomic():
            report_lock(user, user.email_canonical, attempt, client, session=session)
        raise
    except Exception:
        attempt.release()
        raise
    attempt.succeed()


def is_password_of_unproven(user: User, password: str) -> bool:
    """Return whether a registration repeats the password of an account that is not proven yet.

    It is not counted as an attempt: no answer depends on it, and it opens nothing.
    """
    return compare_evenly(user, password)


def hash_evenly(password: str) -> str:
    """Return a hash of a password, in the time that a comparison with any account takes."""
    encoded = make_password(password)
    even_out(password, "")
    return encoded


def compare_evenly(user: User, password: str) -> bool:
    """Return whether this is the account's password, in a time that no imported hash changes."""
    encoded = user.password
    is_right = user.check_password(password)
    if is_imported(encoded) and not is_right:
        # A right password was hashed anew.
        make_password(password)
    even_out(password, encoded)
    return is_right


def _prove_password(
    user: User | None,
    canonical: str,
    password: str,
    *,
    devices: Sequence[str],
    client: ClientInfo,
    limit: AttemptLimit = UNLIMITED,
) -> Authenticated:
    with _refusals_recorded(user, canonical, client):
        attempt = reserve_attempt(user, canonical, devices=devices, limit=limit)
    return _compare(user, canonical, password, attempt, client)


@contextlib.contextmanager
def _refusals_recorded(user: User | None, canonical: str, client: ClientInfo) -> Iterator[None]:
    try:
        yield
    except AccountLocked:
        record_refusal(user, canonical, client)
        raise


def _compare(
    user: User | None,
    canonical: str,
    password: str,
    attempt: LoginAttempt,
    client: ClientInfo,
    *,
    session: UserSession | None = None,
) -> Authenticated:
    if not _is_right(user, password, attempt):
        record_wrong_password(user, canonical, attempt, client, session=session)
        raise InvalidCredentials
    assert user is not None  # noqa: S101 -- for the type checker: without an account none is right
    attempt.succeed()
    return Authenticated(user, attempt.device)


def _is_right(user: User | None, password: str, attempt: LoginAttempt) -> bool:
    try:
        if user and attempt.is_compared:
            return compare_evenly(user, password)
        # As long a hash, compared with nothing.
        hash_evenly(password)
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
