"""Setting a second factor up, disabling it, and signing in with it."""

import dataclasses
import datetime as dt

from django.utils import timezone

from authentication.exceptions import (
    NotFound,
    TokenInvalid,
)
from authentication.models import (
    RecoveryCode,
    SecondFactor,
    SignInChallenge,
    User,
    UserSession,
)
from authentication.services.acting import acting
from authentication.services.attempt_limit import UNLIMITED, AttemptLimit
from authentication.services.audit import Event
from authentication.services.redeem import Redemption
from authentication.utils.client import ClientInfo

from .factor_enrolment import (
    Offer,
    confirm_factor,
    end_others,
    note_change,
    offer_factor,
    replace_codes,
)
from .opening import Opening, SignedIn, open_session
from .second_factor_codes import prove_code, read_code


@dataclasses.dataclass(frozen=True, slots=True)
class Status:
    """Whether a person has a second factor, since when, and how many recovery codes are left."""

    enabled: bool
    enabled_at: dt.datetime | None
    recovery_codes_left: int


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
        """Return a new seed, which `confirm` puts in force; see `offer_factor`."""
        return offer_factor(session, password=password, client=client)

    @staticmethod
    def confirm(session: UserSession, *, otp: str, client: ClientInfo) -> list[str]:
        """Put the offered seed in force and return the recovery codes; see `confirm_factor`."""
        return confirm_factor(session, otp=otp, client=client)

    @staticmethod
    def disable(session: UserSession, *, client: ClientInfo) -> None:
        """Remove the second factor, end every other session; raises NotFound without one.

        It needs the password too, given within REAUTHENTICATION_MINUTES.
        """
        with acting(session, recent_proof=True, recent_password=True) as user:
            if not remove_second_factor(user):
                raise NotFound
            now = timezone.now()
            end_others(session, at=now)
            note_change("disabled", Event.SECOND_FACTOR_DISABLED, user, client, at=now)

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
            codes = replace_codes(user, at=now)
            note_change(
                "codes", Event.RECOVERY_CODES_RENEWED, user, client, session=session, at=now
            )
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
