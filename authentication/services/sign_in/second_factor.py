"""Setting a second factor up, disabling it, and signing in with it."""

import dataclasses
import datetime as dt

from django.conf import settings
from django.utils import timezone

from authentication.exceptions import (
    EmailNotVerified,
    NotFound,
    TokenInvalid,
    ValidationFailed,
)
from authentication.models import (
    RecoveryCode,
    SecondFactor,
    SensitiveChange,
    SignInChallenge,
    TokenBlacklist,
    User,
    UserSession,
)
from authentication.services.acting import acting
from authentication.services.attempt_limit import UNLIMITED, AttemptLimit
from authentication.services.audit import Event, Risk, record
from authentication.services.mail import EmailService, Kind
from authentication.services.redeem import Redemption
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

from .opening import Opening, SignedIn, open_session
from .reauthentication import check_own_password
from .second_factor_codes import WRONG_CODE, prove_code, read_code, read_seed, seed_context


@dataclasses.dataclass(frozen=True, slots=True)
class Status:
    """Whether a person has a second factor, since when, and how many recovery codes are left."""

    enabled: bool
    enabled_at: dt.datetime | None
    recovery_codes_left: int


@dataclasses.dataclass(frozen=True, slots=True)
class Offer:
    """A new seed, as it is typed into an app and as an app reads it."""

    secret: str
    otpauth_url: str


class SecondFactorService:
    """Setting a second factor up, disabling it, and signing in with it."""

    @staticmethod
    def status_of(user: User) -> Status:
        """Return whether an account has a second factor."""
        enabled_at = user.second_factor_at
        left = RecoveryCode.objects.unused(user.pk).count() if enabled_at else 0
        return Status(
            enabled=enabled_at is not None, enabled_at=enabled_at, recovery_codes_left=left
        )

    @staticmethod
    def set_up(session: UserSession, *, password: str, client: ClientInfo) -> Offer:
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

    @staticmethod
    def confirm(session: UserSession, *, otp: str, client: ClientInfo) -> list[str]:
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
            UserSession.objects.reauthenticate(session.pk, by_factor=True, at=now)
            change = "replaced" if replaced else "enabled"
            _note(change, Event.SECOND_FACTOR_ENABLED, user, client, session=session, at=now)
        return codes

    @staticmethod
    def disable(session: UserSession, *, client: ClientInfo) -> None:
        """Remove the second factor, end every other session; raises NotFound without one.

        It needs the password too, given within REAUTHENTICATION_MINUTES.
        """
        with acting(session, recent_proof=True, recent_password=True) as user:
            if not remove_second_factor(user):
                raise NotFound
            now = timezone.now()
            _end_others(session, at=now)
            _note("disabled", Event.SECOND_FACTOR_DISABLED, user, client, at=now)

    @staticmethod
    def renew_recovery_codes(session: UserSession, *, client: ClientInfo) -> list[str]:
        """Return new recovery codes, which are shown only once; the older ones are void.

        It needs the password too, given within REAUTHENTICATION_MINUTES. Raises NotFound if there
        is no second factor.
        """
        with acting(session, recent_proof=True, recent_password=True) as user:
            if not user.second_factor_at:
                raise NotFound
            now = timezone.now()
            codes = _replace_codes(user, at=now)
            _note("codes", Event.RECOVERY_CODES_RENEWED, user, client, session=session, at=now)
        return codes

    @staticmethod
    def finish_sign_in(
        *, mfa_token: str, code: str, client: ClientInfo, limit: AttemptLimit = UNLIMITED
    ) -> SignedIn:
        """Open the session for which only the second factor was missing.

        Raises TokenInvalid if the token is unknown, used, expired or tried too often, or the
        account has changed since; CodeInvalid for a wrong code, RateLimited after ten in an hour.
        """
        code, now = read_code(code), timezone.now()
        redemption = Redemption(
            SignInChallenge.objects.all(),
            mfa_token,
            failure=Event.SECOND_FACTOR_FAILED,
            client=client,
            at=now,
            problem=TokenInvalid,
            limit=limit,
        )
        challenge = redemption.look_up()
        if not SignInChallenge.objects.reserve_try(mfa_token, at=now):
            redemption.refuse()
        user = challenge.user
        prove_code(user, code, client=client)
        with redemption.spend(challenge):
            # The account as it was read before the code was checked: open_session compares it.
            return open_session(user, _opening(challenge, at=now), client=client, at=now)


def remove_second_factor(user: User, *, since: dt.datetime | None = None) -> bool:
    """Remove a user's second factor; return False if there is none. Lock the account first.

    `since` keeps what is older: the factor if it was set up before, and the recovery codes.
    """
    enabled_at = user.second_factor_at
    if enabled_at and (since is None or enabled_at >= since):
        SecondFactor.objects.remove(user.pk)
        RecoveryCode.objects.filter(user=user).delete()
        return bool(User.objects.clear_second_factor(user.pk))
    newer = RecoveryCode.objects.filter(user=user, created_at__gte=since) if since else None
    return newer is not None and bool(newer.delete()[0])


def _opening(challenge: SignInChallenge, *, at: dt.datetime) -> Opening:
    return Opening(
        Event.LOGIN if challenge.by_password else Event.TOKEN_EXCHANGE,
        device_name=challenge.device_name,
        remember_me=challenge.remember_me,
        is_verified=True,
        proven_at=at if challenge.by_password else None,
        password_proven_at=challenge.created_at if challenge.by_password else None,
        # With a deletion pending, a password opens a challenge only if the client asked to restore.
        restore=challenge.by_password,
    )


def _step_offered(factor: SecondFactor | None, otp: str, *, at: dt.datetime) -> int | None:
    if factor is None or not factor.is_offered(at=at):
        return None
    seed = read_seed(factor.pending_seed, user_id=factor.user_id)
    return matching_step(seed, otp, timestamp=at.timestamp())


def _replace_codes(user: User, *, at: dt.datetime) -> list[str]:
    codes = new_recovery_codes()
    RecoveryCode.objects.replace(user.pk, map(canonical_recovery_code, codes), at=at)
    return codes


def _end_others(session: UserSession, *, at: dt.datetime) -> None:
    others = UserSession.objects.filter(user_id=session.user_id).exclude(pk=session.pk)
    others.end(reason=TokenBlacklist.Reason.SECOND_FACTOR, at=at)


def _note(
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
