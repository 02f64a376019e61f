"""Building block: whether somebody knows an account's password. The only door; every sign-in goes through it."""

import contextlib
from collections.abc import Iterator

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import Error, transaction

from authentication.exceptions import (
    AccountDisabled,
    AccountLocked,
    EmailNotVerified,
    InvalidCredentials,
    Problem,
)
from authentication.models import User
from authentication.services.audit import Event, Risk, record
from authentication.services.mail import EmailService, Kind
from authentication.utils.client import ClientInfo
from authentication.utils.crypto import pseudonym
from authentication.utils.identifiers import canonical_identifier

from .lockout import Turn, decided, owners_turn, turn_of


def prove_identity(*, identifier: str, password: str, client: ClientInfo) -> User:
    """Return the account that an address or username names, to whoever knows its password.

    Names nobody has are counted, locked, hashed for and answered as accounts are, so that no one
    can tell. Strangers, who ask from where the person has not shown who they are lately, get no
    other answer for a name than what was tried by that very name warrants.

    The attempts that the account has counted are for the caller to forget, who lets the person in
    (`admitting`).

    Raises InvalidCredentials, AccountLocked, EmailNotVerified or AccountDisabled.
    """
    canonical = canonical_identifier(identifier)
    user: User | None = User.objects.identified_by(canonical).first()
    with _locks_noted(user, canonical, client):
        turn = turn_of(user, canonical, client)
    known = _is_known(user, password, turn)
    if user and turn.is_undecided:
        with _locks_noted(user, canonical, client), turn.hashing():
            turn = decided(turn, user, canonical, client)
        known = turn.is_compared and _is_known(user, password, turn)
    if user is None or not known:
        _fail(user, canonical, turn, client)
        raise InvalidCredentials
    turn.succeed(user, client)
    with admitting(user):
        if refusal := _refusal_of(user):
            _record_failure(user, canonical, client, reason=refusal.code)
            raise refusal
    return user


@contextlib.contextmanager
def admitting(user: User) -> Iterator[None]:
    """Forget the attempts if whoever proved their identity is not let in after all: the password was no failure."""
    try:
        yield
    except Exception:
        # Without a database nothing is forgotten, and that is not what is to be told.
        with contextlib.suppress(Error):
            User.objects.clear_attempts(user.pk)
        raise


def check_current_password(user: User, password: str, *, client: ClientInfo) -> bool:
    """Return whether a person who is signed in knows their password, counted as a sign-in is.

    Raises AccountLocked.
    """
    with _locks_noted(user, user.email_canonical, client):
        turn = owners_turn(user)
    if _is_known(user, password, turn):
        User.objects.clear_attempts(user.pk)
        return True
    _fail(user, user.email_canonical, turn, client)
    return False


def _is_known(user: User | None, password: str, turn: Turn) -> bool:
    with turn.hashing():
        if user and turn.is_compared:
            return user.check_password(password)
        # As long a hash, with nothing to compare it with.
        make_password(password)
        return False


@contextlib.contextmanager
def _locks_noted(user: User | None, canonical: str, client: ClientInfo) -> Iterator[None]:
    try:
        yield
    except AccountLocked:
        _record_failure(user, canonical, client, reason="locked")
        raise


def _refusal_of(user: User) -> Problem | None:
    if not user.is_active:
        return AccountDisabled()
    if settings.REQUIRE_EMAIL_VERIFICATION and not user.email_verified:
        return EmailNotVerified()
    return None


def _fail(user: User | None, canonical: str, turn: Turn, client: ClientInfo) -> None:
    with transaction.atomic():
        locks_account = turn.account is not None and turn.account.confirm()
        _record_failure(
            user,
            canonical,
            client,
            reason="credentials" if turn.is_compared or not user else "locked",
        )
        # Where nothing was compared the work, and whose event it is, are those of a name that
        # nobody has.
        if locks_account or (turn.locks_name and not turn.is_compared):
            owner = user.pk if user and locks_account else None
            record(
                Event.ACCOUNT_LOCKED,
                user_id=owner,
                client=client,
                risk=Risk.HIGH,
                name=_name(canonical),
            )
            EmailService.queue(Kind.ACCOUNT_LOCKED, user_id=owner)
    # Not in the transaction: it asks the cache, which may be slow, and would keep the account's
    # row.
    if turn.name:
        turn.name.confirm()


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
