"""Offering a second factor, and putting it in force by its first code."""

import dataclasses
import datetime as dt

from django.conf import settings
from django.utils import timezone

from authentication.exceptions import EmailNotVerified, ValidationFailed
from authentication.models import (
    RecoveryCode,
    SecondFactor,
    SensitiveChange,
    TokenBlacklist,
    User,
    UserSession,
)
from authentication.services.acting import acting
from authentication.services.audit import Event, Risk, record
from authentication.services.mail import EmailService, Kind
from authentication.utils.client import ClientInfo
from authentication.utils.encryption import encrypt
from authentication.utils.one_time_codes import (
    base32,
    canonical_recovery_code,
    matching_step,
    new_recovery_codes,
    new_seed,
    otpauth_uri,
)

from .reauthentication import check_own_password
from .second_factor_codes import WRONG_CODE, read_code, read_seed, seed_context


@dataclasses.dataclass(frozen=True, slots=True)
class Offer:
    """A new seed, as it is typed into an app and as an app reads it."""

    secret: str
    otpauth_url: str


def offer_factor(session: UserSession, *, password: str, client: ClientInfo) -> Offer:
    """Return a new seed, which `confirm` puts in force; an older one stays in force until then.

    It needs the password too: the owner could not get past a factor that a thief of a session
    has set up.

    Raises EmailNotVerified: a user whom no mail reaches could lock themselves out;
    ValidationFailed for a wrong password, AccountLocked after too many.
    """
    check_own_password(session, password, field="password", client=client)
    seed, now = new_seed(), timezone.now()
    with acting(session, recent_proof=True) as user:
        if not user.email_verified:
            raise EmailNotVerified
        sealed = encrypt(seed, context=seed_context(user.pk))
        SecondFactor.objects.offer(user.pk, seed=sealed, at=now)
        record(Event.SECOND_FACTOR_OFFERED, user_id=user.pk, client=client)
    address = otpauth_uri(seed, issuer=settings.TOTP_ISSUER, account=user.email)
    return Offer(base32(seed), address)


def confirm_factor(session: UserSession, *, otp: str, client: ClientInfo) -> list[str]:
    """Put the offered seed in force and return the recovery codes, which are shown only once.

    The session is verified by it. If it replaces another factor, the other sessions end.

    Raises EmailNotVerified, ValidationFailed for a code that is not of the offered seed.
    """
    now = timezone.now()
    factor = SecondFactor.objects.filter(user_id=session.user_id).first()
    step = _step_offered(factor, read_code(otp), at=now)
    with acting(session, recent_proof=True) as user:
        if not user.email_verified:
            raise EmailNotVerified
        if factor is None or step is None or not SecondFactor.objects.confirm(factor, step=step):
            raise ValidationFailed(errors={"otp": [WRONG_CODE]})
        replaced = not User.objects.set_second_factor(user.pk, at=now)
        codes = replace_codes(user, at=now)
        if replaced:
            end_others(session, at=now)
        UserSession.objects.reauthenticate(session.pk, by_factor=True, at=now)
        change = "replaced" if replaced else "enabled"
        note_change(change, Event.SECOND_FACTOR_ENABLED, user, client, session=session, at=now)
    return codes


def replace_codes(user: User, *, at: dt.datetime) -> list[str]:
    """Replace the recovery codes of an account; return the new ones."""
    codes = new_recovery_codes()
    RecoveryCode.objects.replace(user.pk, map(canonical_recovery_code, codes), at=at)
    return codes


def end_others(session: UserSession, *, at: dt.datetime) -> None:
    """End the other sessions of the account."""
    others = UserSession.objects.filter(user_id=session.user_id).exclude(pk=session.pk)
    others.end(reason=TokenBlacklist.Reason.SECOND_FACTOR, at=at)


def note_change(
    change: str,
    event: str,
    user: User,
    client: ClientInfo,
    *,
    session: UserSession | None = None,
    at: dt.datetime,
) -> None:
    """Audit and mail a change; what a `session` has set up can be undone."""
    record(event, user_id=user.pk, client=client, risk=Risk.MEDIUM, change=change)
    about = {"change": change, "when": at.isoformat()}
    if session:
        kind = SensitiveChange.Kind.SECOND_FACTOR
        undoable = SensitiveChange.objects.note(kind, session=session, at=at, what=change)
        about["undo"] = str(undoable.pk)
    EmailService.queue(Kind.SECOND_FACTOR_CHANGED, user_id=user.pk, **about)


def _step_offered(factor: SecondFactor | None, otp: str, *, at: dt.datetime) -> int | None:
    if factor is None or not factor.is_offered(at=at):
        return None
    seed = read_seed(factor.pending_seed, user_id=factor.user_id)
    return matching_step(seed, otp, timestamp=at.timestamp())
