"""A second factor for an account that is created on the server."""

import dataclasses
import datetime as dt
import time
from typing import Any

from django.conf import settings

from authentication.models import RecoveryCode, SecondFactor, User
from authentication.services.audit import Event, Risk, record
from authentication.utils.client import ClientInfo
from authentication.utils.encryption import encrypt
from authentication.utils.one_time_codes import (
    canonical_code,
    canonical_recovery_code,
    matching_step,
    new_recovery_codes,
    new_seed,
    otpauth_uri,
)

from .second_factor_codes import seed_context


@dataclasses.dataclass(frozen=True, slots=True)
class NewFactor:
    """A new seed, and the time step of the code that confirmed it."""

    seed: bytes = dataclasses.field(default_factory=new_seed, repr=False)
    step: int | None = None

    def otpauth_url(self, account: str) -> str:
        """Return the URI that an app reads from a QR code; it holds the seed."""
        return otpauth_uri(self.seed, issuer=settings.TOTP_ISSUER, account=account)

    def confirmed_by(self, code: str) -> "NewFactor | None":
        """Return the factor as confirmed by a code of the app, or None for a wrong code."""
        step = matching_step(self.seed, canonical_code(code), timestamp=time.time())
        return None if step is None else dataclasses.replace(self, step=step)


def store_new_factor(
    user: User, factor: NewFactor, *, client: ClientInfo, at: dt.datetime, **facts: Any
) -> list[str]:
    """Put a confirmed factor of a new account in force; return its recovery codes.

    Call it in the transaction that creates the account.
    """
    if factor.step is None:
        raise ValueError("The factor is not confirmed.")
    sealed, codes = encrypt(factor.seed, context=seed_context(user.pk)), new_recovery_codes()
    SecondFactor.objects.create(user=user, seed=sealed, last_step=factor.step)
    RecoveryCode.objects.replace(user.pk, map(canonical_recovery_code, codes), at=at)
    User.objects.set_second_factor(user.pk, at=at)
    record(
        Event.SECOND_FACTOR_ENABLED,
        user_id=user.pk,
        client=client,
        risk=Risk.MEDIUM,
        change="enabled",
        **facts,
    )
    return codes
