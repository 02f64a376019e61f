"""Failed passwords, counted on an account or a known device (docs/lockout.md)."""

import datetime as dt
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Case, F, Q, Value, When
from django.utils import timezone

CLEARED: dict[str, Any] = {"failed_login_attempts": 0, "locked_until": None}
"""The fields of a row without failures and without a lock."""


class LockReason(models.TextChoices):
    """Why an account is locked; empty for a lock that `lock_account` set."""

    GUESSED = "guessed", "Too many wrong passwords"


def lock_end(at: dt.datetime) -> dt.datetime:
    """Return when a lock ends that wrong passwords set at a time."""
    return at + dt.timedelta(minutes=settings.ACCOUNT_LOCKOUT_MINUTES)


class LoginAttemptsQuerySet(models.QuerySet[Any]):
    """Rows with `failed_login_attempts` and `locked_until`, changed in one statement each."""

    @staticmethod
    def threshold() -> int:
        """Return how many failures lock a row."""
        return int(settings.ACCOUNT_LOCKOUT_THRESHOLD)

    @staticmethod
    def lock_end(at: dt.datetime) -> dt.datetime:
        """Return when a lock ends that was set at a time."""
        return lock_end(at)

    def unlocked(self, *, at: dt.datetime) -> Self:
        """Return the rows for which a password may be compared now."""
        return self.filter(Q(locked_until=None) | Q(locked_until__lte=at))

    def reserve_attempt(self, *, at: dt.datetime, **fields: Any) -> bool:
        """Count an attempt before its password is compared; False if the row is locked.

        The last attempt allowed sets the lock. `fields` are written too.
        """
        rows, counted = self.reservation(
            at=at, ends_at=self.lock_end(at), last=self.threshold() - 1
        )
        return bool(rows.update(**counted, **fields))

    def reservation(
        self, *, at: dt.datetime, ends_at: dt.datetime, last: int
    ) -> tuple[Self, dict[str, Any]]:
        """Return the UPDATE that counts an attempt; after `last` failures it locks until `ends_at`.

        It is one UPDATE: if the count were checked first, parallel guesses would all pass, and a
        count in two statements could be reset between them.
        """
        # A row with the end of a lock is unlocked only after that end: this attempt is the first.
        expired = Q(locked_until__isnull=False)
        is_last = Q(failed_login_attempts__gte=last) & ~expired
        return self.unlocked(at=at), {
            "failed_login_attempts": Case(
                When(expired, then=Value(1)), default=F("failed_login_attempts") + 1
            ),
            "locked_until": Case(When(is_last, then=Value(ends_at)), default=None),
        }

    def locked_by_attempt(self, *, reserved_at: dt.datetime) -> bool:
        """Return whether the attempt that was reserved at a time set the lock that stands."""
        return self.filter(locked_until=self.lock_end(reserved_at)).exists()

    def release_attempt(self, *, reserved_at: dt.datetime) -> None:
        """Uncount an attempt that had no verdict, and lift the lock if that attempt set it."""
        own = Q(locked_until=None) | Q(locked_until=self.lock_end(reserved_at))
        self.filter(own, failed_login_attempts__gt=0).update(
            failed_login_attempts=F("failed_login_attempts") - 1, locked_until=None
        )

    def clear_attempts(self, **fields: Any) -> None:
        """Reset the failure count and lift a lock, after a right password; write `fields`."""
        self.update(**CLEARED, **fields)


class LockableAccount(models.Model):
    """The failure count and the lock of an account."""

    failed_login_attempts = models.PositiveSmallIntegerField(default=0)
    locked_until = models.DateTimeField(null=True, blank=True)
    lock_reason = models.CharField(
        max_length=16,
        choices=LockReason.choices,
        blank=True,
        default="",
        db_default="",
        editable=False,
    )
    # When staff last unlocked the account: failures by its names before that do not count.
    unlocked_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        abstract = True

    def _own_row(self) -> Any:
        return type(self)._default_manager.filter(pk=self.pk)  # noqa: SLF001 -- Django's name

    def is_account_locked(self) -> bool:
        """Return whether the account is locked now."""
        return self.locked_until is not None and self.locked_until > timezone.now()

    def is_locked_by_hand(self) -> bool:
        """Return whether staff or other code locked the account, known devices included."""
        return self.is_account_locked() and not self.lock_reason

    def lock_account(self, duration: dt.timedelta | None = None) -> None:
        """Lock the account for a duration, by default ACCOUNT_LOCKOUT_MINUTES."""
        now = timezone.now()
        self.locked_until, self.lock_reason = now + duration if duration else lock_end(now), ""
        self.save(update_fields=["locked_until", "lock_reason"])

    def unlock_account(self) -> None:
        """Reset the failure count and lift the lock."""
        self._own_row().unlock(at=timezone.now())
        self.refresh_from_db(fields=["failed_login_attempts", "locked_until", "unlocked_at"])

    def record_failed_login(self) -> None:
        """Count a failure; the last one allowed locks the account."""
        self._own_row().reserve_attempt(at=timezone.now(), lock_reason="")
        self.refresh_from_db(fields=["failed_login_attempts", "locked_until", "lock_reason"])

    def record_successful_login(self) -> None:
        """Reset the failure count and store the time of the sign-in."""
        self._own_row().clear_attempts(last_login=timezone.now())
        self.refresh_from_db(fields=["failed_login_attempts", "locked_until", "last_login"])
