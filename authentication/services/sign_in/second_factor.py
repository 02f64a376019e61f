"""Setting a second factor up, giving it up, and signing in with it."""

import dataclasses
import datetime as dt

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from authentication.exceptions import (
    CodeInvalid,
    EmailNotVerified,
    NotFound,
    TokenInvalid,
    ValidationFailed,
)
from authentication.models import (
    RecoveryCode,
    SecondFactor,
    SignInChallenge,
    TokenBlacklist,
    User,
    UserSession,
)
from authentication.services.audit import Event, Risk, record
from authentication.services.mail import EmailService, Kind
from authentication.utils.client import ClientInfo
from authentication.utils.encryption import decrypt, encrypt
from authentication.utils.one_time_codes import (
    base32,
    canonical_recovery_code,
    matching_step,
    new_recovery_codes,
    new_seed,
    otpauth_uri,
)

from .open_session import SignedIn, sign_in
from .second_factor_codes import WRONG_CODE, check_code, seed_context


@dataclasses.dataclass(frozen=True, slots=True)
class Status:
    """Whether a person has a second factor, since when, and how many recovery codes they have left."""

    enabled: bool
    enabled_at: dt.datetime | None
    recovery_codes_left: int


@dataclasses.dataclass(frozen=True, slots=True)
class Offer:
    """A new seed, as it is typed into an app and as an app reads it."""

    secret: str
    otpauth_url: str


class SecondFactorService:
    """Setting a second factor up, giving it up, and signing in with it."""

    @staticmethod
    def status_of(user: User) -> Status:
        """Return whether a person has a second factor."""
        enabled_at = user.second_factor_at
        left = RecoveryCode.objects.unused(user.pk).count() if enabled_at else 0
        return Status(
            enabled=enabled_at is not None, enabled_at=enabled_at, recovery_codes_left=left
        )

    @staticmethod
    def set_up(user: User, *, client: ClientInfo) -> Offer:
        """Return a new seed, which `confirm` puts in force; until then an older one stays in force.

        Raises EmailNotVerified: who could not be reached must not be able to lock themselves out.
        """
        if not user.email_verified:
            raise EmailNotVerified
        seed = new_seed()
        with transaction.atomic():
            User.objects.hold(user.pk)
            SecondFactor.objects.offer(
                user.pk, seed=encrypt(seed, context=seed_context(user.pk)), at=timezone.now()
            )
            record(Event.SECOND_FACTOR_OFFERED, user_id=user.pk, client=client)
        return Offer(
            base32(seed), otpauth_uri(seed, issuer=settings.TOTP_ISSUER, account=user.email)
        )

    @staticmethod
    def confirm(session: UserSession, *, otp: str, client: ClientInfo) -> list[str]:
        """Put the seed that was set up in force, and return the recovery codes, which are never shown again.

        The session that asks has proven the factor; no other one gains anything. Where it replaces
        a factor the others end, as when one is given up.

        Raises EmailNotVerified, ValidationFailed for a code that is not of the seed that was set
        up.
        """
        user, now = session.user, timezone.now()
        if not user.email_verified:
            raise EmailNotVerified
        factor = SecondFactor.objects.filter(user_id=user.pk).first()
        step = _step_offered(factor, otp, at=now)
        with transaction.atomic():
            User.objects.hold(user.pk)
            if (
                factor is None
                or step is None
                or not SecondFactor.objects.confirm(factor, step=step)
            ):
                raise ValidationFailed(errors={"otp": [WRONG_CODE]})
            replaced = not User.objects.set_second_factor(user.pk, at=now)
            codes = _replace_codes(user, at=now)
            if replaced:
                _end_others(session, at=now)
            if not UserSession.objects.reauthenticate(session.pk, by_factor=True, at=now):
                raise TokenInvalid
            _note("replaced" if replaced else "enabled", Event.SECOND_FACTOR_ENABLED, user, client)
        return codes

    @staticmethod
    def disable(session: UserSession, *, client: ClientInfo) -> None:
        """Give the second factor up and sign out everywhere else.

        Raises NotFound if there is none.
        """
        user = session.user
        with transaction.atomic():
            if not User.objects.clear_second_factor(user.pk):
                raise NotFound
            SecondFactor.objects.remove(user.pk)
            RecoveryCode.objects.filter(user=user).delete()
            _end_others(session, at=timezone.now())
            _note("disabled", Event.SECOND_FACTOR_DISABLED, user, client)

    @staticmethod
    def renew_recovery_codes(session: UserSession, *, client: ClientInfo) -> list[str]:
        """Return new recovery codes, which are never shown again; the older ones are void.

        Raises NotFound if there is no second factor.
        """
        user = session.user
        with transaction.atomic():
            User.objects.hold(user.pk)
            if not User.objects.filter(pk=user.pk, second_factor_at__isnull=False).exists():
                raise NotFound
            codes = _replace_codes(user, at=timezone.now())
            _note("codes", Event.RECOVERY_CODES_RENEWED, user, client)
        return codes

    @staticmethod
    def finish_sign_in(*, mfa_token: str, code: str, client: ClientInfo) -> SignedIn:
        """Open the session for which only the second factor was missing.

        Raises TokenInvalid if the token is unknown, used, expired, tried too often, or the account
        has changed since; CodeInvalid for a wrong code, RateLimited after ten of them in an hour.
        """
        challenge = SignInChallenge.objects.take_try(mfa_token, at=timezone.now())
        if challenge is None:
            raise TokenInvalid
        user, now = challenge.user, timezone.now()
        if not check_code(user, code, client=client):
            raise CodeInvalid
        with transaction.atomic():
            if not SignInChallenge.objects.spend(challenge.pk, at=now):
                raise TokenInvalid
            return sign_in(
                user,
                client=client,
                event=Event.LOGIN if challenge.by_password else Event.TOKEN_EXCHANGE,
                at=now,
                device_name=challenge.device_name,
                remember_me=challenge.remember_me,
                is_verified=True,
                proven_at=now if challenge.by_password else None,
                # A password of somebody who is leaving opens a challenge only where they take that
                # back.
                restore=challenge.by_password,
            )


def _step_offered(factor: SecondFactor | None, otp: str, *, at: dt.datetime) -> int | None:
    if factor is None or not factor.is_offered(at=at):
        return None
    seed = decrypt(factor.pending_seed, context=seed_context(factor.user_id))
    return matching_step(seed, otp, timestamp=at.timestamp())


def _replace_codes(user: User, *, at: dt.datetime) -> list[str]:
    codes = new_recovery_codes()
    RecoveryCode.objects.replace(user.pk, map(canonical_recovery_code, codes), at=at)
    return codes


def _end_others(session: UserSession, *, at: dt.datetime) -> None:
    others = UserSession.objects.filter(user_id=session.user_id).exclude(pk=session.pk)
    others.end(reason=TokenBlacklist.Reason.SECOND_FACTOR, at=at)


def _note(change: str, event: str, user: User, client: ClientInfo) -> None:
    record(event, user_id=user.pk, client=client, risk=Risk.MEDIUM, change=change)
    EmailService.queue(
        Kind.SECOND_FACTOR_CHANGED, user_id=user.pk, change=change, when=timezone.now().isoformat()
    )
