"""The second factor: the seed of an authenticator app (RFC 6238), and recovery codes."""

import datetime as dt
import enum
import uuid
from collections.abc import Iterable
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Case, F, Q, Value, When
from django.db.models.functions import Greatest
from django.utils import timezone

from authentication.utils.crypto import digest

TRIES_AN_HOUR = 10
TRY_WINDOW = dt.timedelta(hours=1)
SETUP_LIFETIME = dt.timedelta(hours=1)


class TryResult(enum.Enum):
    """The result of a request to try a code."""

    COUNTED = "counted"
    LAST = "last"
    REFUSED = "refused"


class SecondFactorQuerySet(models.QuerySet["SecondFactor"]):
    """Second factors. What two codes at once could race for is one statement on the row."""

    def reserve_try(self, user_id: uuid.UUID, *, at: dt.datetime) -> TryResult:
        """Count a try before the code is compared, or parallel codes would all pass the limit."""
        mine, last = self.filter(user_id=user_id), TRIES_AN_HOUR - 1
        over = Q(window_started_at=None) | Q(window_started_at__lte=at - TRY_WINDOW)
        early = mine.filter(over | Q(window_tries__lt=last))
        begin, count = When(over, then=Value(at)), When(over, then=Value(1))
        if early.update(
            window_started_at=Case(begin, default=F("window_started_at")),
            window_tries=Case(count, default=F("window_tries") + 1),
        ):
            return TryResult.COUNTED
        return (
            TryResult.LAST
            if mine.filter(window_tries=last).update(window_tries=last + 1)
            else TryResult.REFUSED
        )

    def accept_step(self, factor: "SecondFactor", *, step: int) -> bool:
        """Claim the time step of a right code, once, and uncount its try.

        The seed is compared too, so that a code of a replaced or removed seed is refused.
        """
        unused = self.filter(user_id=factor.user_id, seed=factor.seed, last_step__lt=step)
        return bool(unused.update(last_step=step, window_tries=_one_less()))

    def release_try(self, user_id: uuid.UUID) -> None:
        """Uncount a try whose code was not compared."""
        self.filter(user_id=user_id).update(window_tries=_one_less())

    def forget_tries(self, user_id: uuid.UUID) -> None:
        """Begin a new count of wrong codes."""
        self.filter(user_id=user_id).update(window_started_at=None, window_tries=0)

    def offer(self, user_id: uuid.UUID, *, seed: str, at: dt.datetime) -> None:
        """Store a new seed, pending until a code confirms it. The seed in force stays."""
        fresh = {"pending_seed": seed, "pending_at": at}
        self.update_or_create(user_id=user_id, defaults=fresh)

    def withdraw(self, user_id: uuid.UUID) -> None:
        """Delete a pending seed. The seed in force stays."""
        self.filter(user_id=user_id).update(pending_seed="", pending_at=None)

    def confirm(self, factor: "SecondFactor", *, step: int) -> bool:
        """Put the pending seed in force, by a right code of this time step; False if gone."""
        offered = self.filter(
            user_id=factor.user_id, pending_seed=factor.pending_seed, last_step__lt=step
        )
        return bool(
            offered.update(seed=F("pending_seed"), pending_seed="", pending_at=None, last_step=step)
        )

    def remove(self, user_id: uuid.UUID) -> None:
        """Delete the seeds. Tries and last step stay, so that a new seed does not reset them."""
        self.filter(user_id=user_id).update(seed="", pending_seed="", pending_at=None)


def _one_less() -> Greatest:
    # A window that has begun anew meanwhile may hold fewer.
    return Greatest(F("window_tries") - 1, 0)


class SecondFactor(models.Model):
    """The encrypted seeds of a person's time-based codes (RFC 6238), and the tries of codes.

    Whether the person has a second factor at all, their account says (`User.second_factor_at`).
    """

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="+"
    )
    seed = models.TextField(blank=True, default="", editable=False)
    pending_seed = models.TextField(blank=True, default="", editable=False)
    pending_at = models.DateTimeField(null=True, blank=True)
    # The time step of the last code that was accepted: compared as a number, so that no spelling
    # comes into it.
    last_step = models.BigIntegerField(default=0)
    window_started_at = models.DateTimeField(null=True, blank=True)
    window_tries = models.PositiveSmallIntegerField(default=0)

    objects = SecondFactorQuerySet.as_manager()

    def __str__(self) -> str:
        return f"second factor of {self.user_id}"

    def is_offered(self, *, at: dt.datetime) -> bool:
        """Return whether a seed waits to be confirmed."""
        return (
            bool(self.pending_seed)
            and self.pending_at is not None
            and at < self.pending_at + SETUP_LIFETIME
        )


class RecoveryCodeQuerySet(models.QuerySet["RecoveryCode"]):
    """Recovery codes and the one statement that spends one."""

    def replace(self, user_id: uuid.UUID, codes: Iterable[str], *, at: dt.datetime) -> None:
        """Store new codes in the place of all older ones."""
        self.filter(user_id=user_id).delete()
        self.bulk_create(
            RecoveryCode(user_id=user_id, digest=digest(code), created_at=at) for code in codes
        )

    def unused(self, user_id: uuid.UUID) -> Self:
        """Return the codes a person has left."""
        return self.filter(user_id=user_id, used_at=None)

    def spend(self, user_id: uuid.UUID, code: str, *, at: dt.datetime) -> bool:
        """Claim a code; of any number of callers one gets True."""
        return bool(self.unused(user_id).filter(digest=digest(code)).update(used_at=at))


class RecoveryCode(models.Model):
    """A code that replaces the authenticator app once.

    Its 120 random bits are stored as a plain SHA-256: NIST SP 800-63B, 5.1.2.2, asks for a salt and
    a slow hash below 112 bits only. So a try costs one look-up.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    digest = models.CharField(max_length=64, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    used_at = models.DateTimeField(null=True, blank=True)

    objects = RecoveryCodeQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["user", "digest"], name="recovery_code_unique"),
        )

    def __str__(self) -> str:
        return f"recovery code of {self.user_id}"
