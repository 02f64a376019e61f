"""Building block: whether somebody holds an account's second factor, and asking for it. The only door for codes."""

import datetime as dt
import math
import uuid
from typing import Any, NoReturn

from django.db import transaction
from django.utils import timezone

from authentication.exceptions import MfaRequired, RateLimited
from authentication.models import Attempt, RecoveryCode, SecondFactor, SignInChallenge, User
from authentication.models.second_factor import TRY_WINDOW
from authentication.services.audit import Event, Risk, record
from authentication.services.mail import EmailService, Kind
from authentication.utils.client import ClientInfo
from authentication.utils.encryption import decrypt
from authentication.utils.one_time_codes import canonical_recovery_code, is_totp_code, matching_step

WRONG_CODE = "This code is not valid."


def check_code(user: User, code: str, *, client: ClientInfo) -> bool:
    """Return whether a code is the person's, of their app or for recovery; it is spent then.

    Tries are counted before they are looked at, ten an hour an account, however many sign-ins they
    are spread over.

    Raises RateLimited, with the seconds left, when there is none.
    """
    now = timezone.now()
    attempt = SecondFactor.objects.reserve_try(user.pk, at=now)
    factor = SecondFactor.objects.get(user_id=user.pk)
    if attempt is Attempt.REFUSED:
        _record_failure(user, client, reason="limit")
        raise RateLimited(retry_after=_wait(factor, at=now))
    known = (
        _is_app_code_of(factor, code, at=now)
        if is_totp_code(code)
        else _is_recovery_code_of(user, code, at=now)
    )
    if known:
        method = "totp" if is_totp_code(code) else "recovery_code"
        record(Event.SECOND_FACTOR_USED, user_id=user.pk, client=client, method=method)
    else:
        _fail(user, attempt, client)
    return known


def ask_for_factor(user: User, *, client: ClientInfo, **wishes: Any) -> NoReturn:
    """Stop a sign-in at the second factor: raise MfaRequired, with a token that goes on with it."""
    with transaction.atomic():
        token = SignInChallenge.objects.issue(user, at=timezone.now(), **wishes)
        record(Event.SECOND_FACTOR_ASKED, user_id=user.pk, client=client)
    methods = (
        ["totp", "recovery_code"] if RecoveryCode.objects.unused(user.pk).exists() else ["totp"]
    )
    raise MfaRequired(members={"mfa_token": token, "mfa_methods": methods})


def seed_context(user_id: uuid.UUID) -> str:
    """Return the place a person's seed is encrypted for."""
    return f"totp:{user_id}"


def _is_app_code_of(factor: SecondFactor, code: str, *, at: dt.datetime) -> bool:
    if not factor.seed:
        return False
    seed = decrypt(factor.seed, context=seed_context(factor.user_id))
    step = matching_step(seed, code, timestamp=at.timestamp())
    return step is not None and SecondFactor.objects.accept_step(factor, step=step)


def _is_recovery_code_of(user: User, code: str, *, at: dt.datetime) -> bool:
    canonical = canonical_recovery_code(code)
    if not canonical or not RecoveryCode.objects.spend(user.pk, canonical, at=at):
        return False
    SecondFactor.objects.return_try(user.pk)
    return True


def _fail(user: User, attempt: Attempt, client: ClientInfo) -> None:
    with transaction.atomic():
        _record_failure(user, client, reason="code")
        if attempt is Attempt.LAST:
            record(Event.SECOND_FACTOR_BLOCKED, user_id=user.pk, client=client, risk=Risk.HIGH)
            EmailService.queue(Kind.SECOND_FACTOR_BLOCKED, user_id=user.pk)


def _record_failure(user: User, client: ClientInfo, *, reason: str) -> None:
    record(
        Event.SECOND_FACTOR_FAILED,
        user_id=user.pk,
        client=client,
        risk=Risk.MEDIUM,
        success=False,
        reason=reason,
    )


def _wait(factor: SecondFactor, *, at: dt.datetime) -> int:
    return math.ceil(((factor.window_started_at or at) + TRY_WINDOW - at).total_seconds())
