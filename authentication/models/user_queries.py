"""Accounts: found by their canonical names, and changed in one statement each."""

import datetime as dt
import enum
import uuid
from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import models
from django.db.models import Case, F, Q, Value, When

if TYPE_CHECKING:
    from .user import User


class Attempt(enum.Enum):
    """What became of a request to try a password."""

    COUNTED = "counted"
    LAST = "last"
    REFUSED = "refused"


class LockReason(models.TextChoices):
    """Why an account is locked, if not by hand."""

    GUESSING = "guessing", "The last guess allowed is being compared"
    GUESSED = "guessed", "Too many wrong passwords"


def lockout_end(at: dt.datetime) -> dt.datetime:
    """Return when a lock ends that guesses set at a time."""
    return at + dt.timedelta(minutes=settings.ACCOUNT_LOCKOUT_MINUTES)


_UNREACHABLE = Q(email_bounced_at__isnull=False) | Q(email_complained_at__isnull=False)


class UserQuerySet(models.QuerySet["User"]):
    """Accounts, found by their canonical names and changed one row at a time."""

    def identified_by(self, canonical: str) -> Self:
        """Return the account of a canonical identifier: an address if it has an @, else a username."""
        return self.filter(
            **{"email_canonical" if "@" in canonical else "username_canonical": canonical}
        )

    def unlocked(self, *, at: dt.datetime) -> Self:
        """Return the accounts that may try a password now."""
        return self.filter(Q(locked_until=None) | Q(locked_until__lte=at))

    def reserve_attempt(self, pk: uuid.UUID, *, at: dt.datetime) -> "Attempt":
        """Count a password attempt before it is made; the last one allowed locks the account.

        Counted first, in one statement, because guesses sent at once would all pass a check made
        before it.
        """
        mine = self.filter(pk=pk).unlocked(at=at)
        threshold = settings.ACCOUNT_LOCKOUT_THRESHOLD
        # A lock that has run out begins a new count.
        count = Case(
            When(locked_until__isnull=False, then=Value(1)), default=F("failed_login_attempts") + 1
        )
        early = mine.filter(
            Q(failed_login_attempts__lt=threshold - 1) | Q(locked_until__isnull=False)
        )
        if early.update(failed_login_attempts=count, locked_until=None):
            return Attempt.COUNTED
        locked = {
            "failed_login_attempts": threshold,
            "locked_until": lockout_end(at),
            "lock_reason": LockReason.GUESSING,
        }
        if mine.filter(locked_until=None, failed_login_attempts__gte=threshold - 1).update(
            **locked
        ):
            return Attempt.LAST
        return Attempt.REFUSED

    def release_attempt(self, pk: uuid.UUID, attempt: Attempt, *, at: dt.datetime) -> None:
        """Uncount an attempt reserved at a time, that was no failure; with the last one the lock it set."""
        mine = (
            self._guessing(pk, at)
            if attempt is Attempt.LAST
            else self.filter(pk=pk, locked_until=None)
        )
        mine = mine.filter(failed_login_attempts__gt=0)
        mine.update(failed_login_attempts=F("failed_login_attempts") - 1, locked_until=None)

    def confirm_lock(self, pk: uuid.UUID, *, at: dt.datetime) -> bool:
        """Note that the last attempt, reserved at a time, failed; False if the lock it set is gone."""
        return bool(self._guessing(pk, at).update(lock_reason=LockReason.GUESSED))

    def _guessing(self, pk: uuid.UUID, at: dt.datetime) -> Self:
        return self.filter(pk=pk, locked_until=lockout_end(at), lock_reason=LockReason.GUESSING)

    def clear_attempts(self, pk: uuid.UUID) -> None:
        """Forget the failures: the person has proven who they are."""
        self.filter(pk=pk).update(failed_login_attempts=0, locked_until=None)

    def unlock(self, pk: uuid.UUID, *, at: dt.datetime) -> None:
        """Forget the failures, those that the names of the account have counted included."""
        self.filter(pk=pk).update(failed_login_attempts=0, locked_until=None, unlocked_at=at)

    def sign_in(self, user: "User", *, at: dt.datetime) -> bool:
        """Forget the failures and note the sign-in; False if password, factor or account changed since it was read.

        The row stays locked until the transaction ends.
        """
        # By the time it was set and not by its hash, which another sign-in may just have made anew.
        same = self.filter(pk=user.pk, password_changed_at=user.password_changed_at, is_active=True)
        same = same.filter(
            second_factor_at=user.second_factor_at, deletion_requested_at=user.deletion_requested_at
        )
        return bool(same.update(failed_login_attempts=0, locked_until=None, last_login=at))

    def change_password(self, user: "User", *, since: dt.datetime) -> bool:
        """Store the new password that was set on `user`; False if somebody has replaced that of `since` meanwhile."""
        same = self.filter(pk=user.pk, password_changed_at=since)
        return bool(
            same.update(
                password=user.password,
                password_changed_at=user.password_changed_at,
                password_breached_at=None,
                failed_login_attempts=0,
                locked_until=None,
            )
        )

    def set_second_factor(self, pk: uuid.UUID, *, at: dt.datetime) -> bool:
        """Note since when signing in takes a second factor; False if it replaces another one."""
        first = bool(self.filter(pk=pk, second_factor_at=None).update(second_factor_at=at))
        return first or not self.filter(pk=pk).update(second_factor_at=at)

    def clear_second_factor(self, pk: uuid.UUID) -> bool:
        """Note that signing in takes a password alone; False if it did already."""
        return bool(
            self.filter(pk=pk, second_factor_at__isnull=False).update(second_factor_at=None)
        )

    def flag_breached(self, pk: uuid.UUID, *, changed_at: dt.datetime, at: dt.datetime) -> bool:
        """Mark a password as known from a breach, if it is still the one that was checked."""
        same = self.filter(pk=pk, password_changed_at=changed_at, password_breached_at=None)
        return bool(same.update(password_breached_at=at))

    def hold(self, pk: uuid.UUID) -> None:
        """Keep an account's row to the caller's transaction: whoever else asks for it waits.

        Take it before any other row of the person's, or two requests may end up waiting for each
        other.
        """
        # Its key stays free: whoever writes a row that points here, in the middle of something
        # else, need not wait.
        self.select_for_update(no_key=True).values_list("pk").get(pk=pk)

    def verify_email(self, pk: uuid.UUID, *, at: dt.datetime) -> bool:
        """Mark the address as proven, and as taking mail; False if it was already."""
        unproven = self.filter(pk=pk).filter(Q(email_verified=False) | _UNREACHABLE)
        proven = {"email_verified": True, "email_verified_at": at}
        return bool(unproven.update(**proven, email_bounced_at=None, email_complained_at=None))

    def mark_unreachable(self, pk: uuid.UUID, *, complained: bool, at: dt.datetime) -> bool:
        """Note that an address takes no mail, or wants none; False if that is known, or older than its last proof."""
        field = "email_complained_at" if complained else "email_bounced_at"
        unproven_since = Q(email_verified_at=None) | Q(email_verified_at__lt=at)
        return bool(self.filter(unproven_since, pk=pk, **{field: None}).update(**{field: at}))

    def request_deletion(self, pk: uuid.UUID, *, at: dt.datetime) -> bool:
        """Note that a person wants to leave; False if they do already."""
        return bool(self.filter(pk=pk, deletion_requested_at=None).update(deletion_requested_at=at))

    def cancel_deletion(self, pk: uuid.UUID) -> bool:
        """Take a deletion back; False once the erasure has begun."""
        leaving = self.filter(pk=pk, deletion_requested_at__isnull=False, erasure_key="")
        return bool(leaving.update(deletion_requested_at=None))

    def due_for_erasure(self, *, at: dt.datetime) -> Self:
        """Return the accounts whose days of grace are over, those included whose erasure was cut short."""
        over = Q(deletion_requested_at__lte=at - settings.ACCOUNT_DELETION_GRACE)
        return self.filter(over | ~Q(erasure_key=""))

    def begin_erasure(self, pk: uuid.UUID, *, key: str) -> "User | None":
        """Close an account for good and return it, with the key under which its events go on.

        None if it is gone, or its person has come back meanwhile.
        """
        unwanted = Q(deletion_requested_at__isnull=False) | Q(email_verified=False, last_login=None)
        self.filter(unwanted, pk=pk, erasure_key="").update(erasure_key=key, is_active=False)
        return self.exclude(erasure_key="").filter(pk=pk).first()

    def want_notices(self, pk: uuid.UUID, *, wanted: bool, at: dt.datetime) -> bool:
        """Remember whether a person wants notices; False if that is so already."""
        other = self.filter(pk=pk, notices_stopped_at__isnull=not wanted)
        return bool(other.update(notices_stopped_at=None if wanted else at))
