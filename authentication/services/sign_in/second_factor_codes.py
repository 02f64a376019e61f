"""Checking the codes of a second factor: the only place where one is compared."""

import datetime as dt
import math
import uuid
from typing import Any

import structlog
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from authentication.exceptions import (
    CodeInvalid,
    MfaRequired,
    RateLimited,
    ServiceUnavailable,
    ValidationFailed,
)
from authentication.models import RecoveryCode, SecondFactor, SignInChallenge, TryResult, User
from authentication.models.second_factor import TRY_WINDOW
from authentication.services.audit import Event, Risk, count, record
from authentication.services.mail import EmailService, Kind
from authentication.utils.client import ClientInfo
from authentication.utils.encryption import DecryptionError, decrypt
from authentication.utils.one_time_codes import (
    NOT_A_CODE,
    canonical_code,
    is_totp_code,
    matching_step,
)

from .failures import refusal_to_record

WRONG_CODE = _("This code is not valid.")
_UNREADABLE = _("We can't check the codes of your app right now. A recovery code works.")
_UNREADABLE_SECONDS = 300

logger = structlog.get_logger(__name__)


def prove_code(user: User, typed: str, *, client: ClientInfo) -> None:
    """Check a code of the user's app or a recovery code, however typed; a right one is spent.

    Tries of app codes are counted before the code is looked at: ten an hour for an account, over
    all sign-ins. Recovery codes are not counted: nobody guesses 120 bits, and a stranger who knows
    the password must not bar the owner from them. A text that cannot be a code costs no try.

    Raises ValidationFailed for such a text, CodeInvalid for a wrong code, RateLimited, with the
    seconds left, when there is no try left.
    """
    code, now = read_code(typed), timezone.now()
    if is_totp_code(code):
        _prove_app_code(user, code, client=client, at=now)
    else:
        _prove_recovery_code(user, code, client=client, at=now)


def _prove_app_code(user: User, code: str, *, client: ClientInfo, at: dt.datetime) -> None:
    attempt = SecondFactor.objects.reserve_try(user.pk, at=at)
    factor = SecondFactor.objects.get(user_id=user.pk)
    if attempt is TryResult.REFUSED:
        _record_refusal(user, client)
        raise RateLimited(retry_after=_seconds_left(factor, at=at))
    if not _is_app_code_of(factor, code, at=at):
        _fail(user, attempt, client)
        raise CodeInvalid
    record(Event.SECOND_FACTOR_USED, user_id=user.pk, client=client, method="totp")


def _prove_recovery_code(user: User, code: str, *, client: ClientInfo, at: dt.datetime) -> None:
    with transaction.atomic():
        if RecoveryCode.objects.spend(user.pk, code, at=at):
            record(Event.SECOND_FACTOR_USED, user_id=user.pk, client=client, method="recovery_code")
            EmailService.queue(Kind.RECOVERY_CODE_USED, user_id=user.pk, when=at.isoformat())
            return
        _record_failure(user, client, reason="code")
    raise CodeInvalid


def read_code(typed: str) -> str:
    """Return a code as it is compared; raises ValidationFailed for a text that cannot be one."""
    code = canonical_code(typed)
    if not code:
        raise ValidationFailed(errors={"otp": [NOT_A_CODE]})
    return code


def challenge(user: User, *, client: ClientInfo, **request: Any) -> MfaRequired:
    """Return the answer to a sign-in that stops at the second factor, with a token to go on.

    `request` holds by_password, device_name and remember_me.
    """
    with transaction.atomic():
        token = SignInChallenge.objects.issue(user, at=timezone.now(), **request)
        record(Event.SECOND_FACTOR_ASKED, user_id=user.pk, client=client)
    has_recovery_codes = RecoveryCode.objects.unused(user.pk).exists()
    methods = ["totp", "recovery_code"] if has_recovery_codes else ["totp"]
    return MfaRequired(members={"mfa_token": token, "mfa_methods": methods})


def seed_context(user_id: uuid.UUID) -> str:
    """Return the context that a user's seed is encrypted for."""
    return f"totp:{user_id}"


def _is_app_code_of(factor: SecondFactor, code: str, *, at: dt.datetime) -> bool:
    if not factor.seed:
        return False
    seed = _seed_of(factor)
    step = matching_step(seed, code, timestamp=at.timestamp())
    return step is not None and SecondFactor.objects.accept_step(factor, step=step)


def read_seed(sealed: str, *, user_id: uuid.UUID) -> bytes:
    """Return a user's seed.

    Raises ServiceUnavailable, logged, if its key is not among FIELD_ENCRYPTION_KEYS.
    """
    try:
        return decrypt(sealed, context=seed_context(user_id))
    except DecryptionError:
        logger.critical(
            "second_factor_unreadable", user=str(user_id), setting="FIELD_ENCRYPTION_KEYS"
        )
        raise ServiceUnavailable(_UNREADABLE, retry_after=_UNREADABLE_SECONDS) from None


def has_readable_seed(user_id: uuid.UUID) -> bool:
    """Return whether codes of a user's app can be checked."""
    seed = SecondFactor.objects.filter(user_id=user_id).values_list("seed", flat=True).first()
    try:
        return bool(seed and decrypt(seed, context=seed_context(user_id)))
    except DecryptionError:
        return False


def _seed_of(factor: SecondFactor) -> bytes:
    try:
        return read_seed(factor.seed, user_id=factor.user_id)
    except ServiceUnavailable:
        # No code was compared.
        SecondFactor.objects.release_try(factor.user_id)
        raise


def _fail(user: User, attempt: TryResult, client: ClientInfo) -> None:
    with transaction.atomic():
        _record_failure(user, client, reason="code")
        if attempt is TryResult.LAST:
            record(Event.SECOND_FACTOR_BLOCKED, user_id=user.pk, client=client, risk=Risk.HIGH)
            EmailService.queue(Kind.SECOND_FACTOR_BLOCKED, user_id=user.pk)


def _record_refusal(user: User, client: ClientInfo) -> None:
    if number := refusal_to_record(client):
        _record_failure(user, client, reason="limit", refusals_of_network=number)
    else:
        count(Event.SECOND_FACTOR_FAILED)


def _record_failure(user: User, client: ClientInfo, *, reason: str, **facts: Any) -> None:
    record(
        Event.SECOND_FACTOR_FAILED,
        user_id=user.pk,
        client=client,
        risk=Risk.MEDIUM,
        success=False,
        reason=reason,
        **facts,
    )


def _seconds_left(factor: SecondFactor, *, at: dt.datetime) -> int:
    return math.ceil(((factor.window_started_at or at) + TRY_WINDOW - at).total_seconds())
