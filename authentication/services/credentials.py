"""Building block: whether somebody knows an account's password. The only door; every sign-in goes through it."""

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import transaction

from authentication.exceptions import AccountDisabled, AccountLocked, EmailNotVerified, InvalidCredentials, Problem
from authentication.models import Attempt, User
from authentication.utils.client import ClientInfo
from authentication.utils.crypto import pseudonym
from authentication.utils.identifiers import canonical_identifier

from .audit import Event, Risk, record
from .email import EmailService, Kind
from .lockout import AccountLedger, Ledger, UnknownLedger, hashing, take_turn


def prove_identity(*, identifier: str, password: str, client: ClientInfo) -> User:
    """Return the account that an address or username names, to whoever knows its password.

    Names nobody has are counted, locked, hashed for and answered as accounts are, so that no one can tell.

    Raises InvalidCredentials, AccountLocked, EmailNotVerified or AccountDisabled.
    """
    canonical = canonical_identifier(identifier)
    user: User | None = User.objects.identified_by(canonical).first()
    ledger = AccountLedger(user) if user else UnknownLedger(canonical)
    attempt = _take_turn(ledger, user, canonical, client)
    with hashing(ledger, attempt):
        # One hash, whether or not there is an account to compare it with.
        known = user.check_password(password) if user else make_password(password) is None
    if user is None or not known:
        _fail(user, canonical, ledger, attempt, client)
        raise InvalidCredentials
    if refusal := _refusal_of(user):
        User.objects.clear_attempts(user.pk)
        _record_failure(user, canonical, client, reason=refusal.code)
        raise refusal
    return user


def check_current_password(user: User, password: str, *, client: ClientInfo) -> bool:
    """Return whether a person who is signed in knows their password, counted as a sign-in is.

    Raises AccountLocked.
    """
    ledger = AccountLedger(user)
    attempt = _take_turn(ledger, user, user.email_canonical, client)
    with hashing(ledger, attempt):
        known = user.check_password(password)
    if known:
        User.objects.clear_attempts(user.pk)
        return True
    _fail(user, user.email_canonical, ledger, attempt, client)
    return False


def _take_turn(ledger: Ledger, user: User | None, canonical: str, client: ClientInfo) -> Attempt:
    try:
        return take_turn(ledger)
    except AccountLocked:
        _record_failure(user, canonical, client, reason="locked")
        raise


def _refusal_of(user: User) -> Problem | None:
    if not user.is_active:
        return AccountDisabled()
    if settings.REQUIRE_EMAIL_VERIFICATION and not user.email_verified:
        return EmailNotVerified()
    return None


def _fail(user: User | None, canonical: str, ledger: Ledger, attempt: Attempt, client: ClientInfo) -> None:
    with transaction.atomic():
        _record_failure(user, canonical, client, reason="credentials")
        if attempt is Attempt.LAST:
            ledger.confirm()
            owner = user.pk if user else None
            record(Event.ACCOUNT_LOCKED, user_id=owner, client=client, risk=Risk.HIGH, name=_name(canonical))
            EmailService.queue(Kind.ACCOUNT_LOCKED, user_id=owner)


def _record_failure(user: User | None, canonical: str, client: ClientInfo, *, reason: str) -> None:
    record(
        Event.LOGIN_FAILED,
        user_id=user.pk if user else None,
        client=client,
        risk=Risk.MEDIUM,
        success=False,
        reason=reason,
        name=_name(canonical),
    )


def _name(canonical: str) -> str:
    return pseudonym("identifier", canonical)
