"""Records failed sign-ins and the locks that they set."""

from typing import Any

from django.db import transaction

from authentication.models import User, UserSession
from authentication.services.audit import Event, Risk, count, record
from authentication.services.mail import EmailService, Kind
from authentication.utils.client import ClientInfo
from authentication.utils.crypto import pseudonym

from .counters import count_refusal
from .login_attempts import LoginAttempt

_RECORDED_AT_FIRST = 5


def record_wrong_password(
    user: User | None,
    canonical: str,
    attempt: LoginAttempt,
    client: ClientInfo,
    *,
    session: UserSession | None = None,
) -> None:
    """Record that a password was not right, and the lock that this may have set."""
    facts: dict[str, Any] = {"reason": "credentials"}
    if user and not attempt.is_compared:
        facts["reason"] = "locked"
    if attempt.device or session:
        facts["known_device"] = True
    if not attempt.has_set_lock():
        record_failure(user, canonical, client, **facts)
        return
    with transaction.atomic():
        record_failure(user, canonical, client, **facts)
        _report_lock(user, canonical, attempt, client, session=session)


def report_lock(
    user: User | None,
    canonical: str,
    attempt: LoginAttempt,
    client: ClientInfo,
    *,
    session: UserSession | None,
) -> None:
    """Record a lock that this failure set, and mail the owner; of a session, say which it is."""
    if attempt.has_set_lock():
        _report_lock(user, canonical, attempt, client, session=session)


def record_refusal(user: User | None, canonical: str, client: ClientInfo) -> None:
    """Record a sign-in that a lock refused, if `refusal_to_record` names it."""
    if number := refusal_to_record(client):
        record_failure(user, canonical, client, reason="locked", refusals_of_network=number)
    else:
        count(Event.LOGIN_FAILED)


def refusal_to_record(client: ClientInfo) -> int | None:
    """Count an attempt that a lock or a bar refused; return its number if it is to be recorded.

    Recorded are the 1st to 5th of a network within a day, and the 10th, 20th, 50th, 100th, 200th
    and so on. Each is counted in the metrics. A row for each would be 6 GB a day at 100 a second.
    """
    number = count_refusal(client)
    is_round = str(number).rstrip("0") in {"1", "2", "5"}
    return number if number <= _RECORDED_AT_FIRST or is_round else None


def record_failure(
    user: User | None, canonical: str, client: ClientInfo, *, reason: str, **facts: Any
) -> None:
    """Record a refused sign-in; of the name only a keyed hash is stored."""
    record(
        Event.LOGIN_FAILED,
        user_id=user.pk if user else None,
        client=client,
        risk=Risk.MEDIUM,
        success=False,
        reason=reason,
        name=_pseudonym(canonical),
        **facts,
    )


def _report_lock(
    user: User | None,
    canonical: str,
    attempt: LoginAttempt,
    client: ClientInfo,
    *,
    session: UserSession | None,
) -> None:
    # Without a comparison only the name is locked: log it as for a name without an account.
    owner = user.pk if user and attempt.is_of_account() else None
    facts: dict[str, Any] = {"session": str(session.pk)} if session else {}
    if attempt.device:
        facts["known_device"] = True
    record(
        Event.ACCOUNT_LOCKED,
        user_id=owner,
        client=client,
        risk=Risk.HIGH,
        name=_pseudonym(canonical),
        **facts,
    )
    about = {"session": str(session.pk)} if session else {}
    EmailService.queue(Kind.ACCOUNT_LOCKED, user_id=owner, **about)


def _pseudonym(canonical: str) -> str:
    return pseudonym("identifier", canonical)
