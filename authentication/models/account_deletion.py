"""Atomic updates that request, cancel and begin a deletion."""

import datetime as dt
import uuid
from typing import Any, Self

from django.conf import settings
from django.db.models import Q

from .login_attempts import LoginAttemptsQuerySet

_FIRST_RETRY, _LAST_RETRY = dt.timedelta(hours=1), dt.timedelta(days=1)
_LEASE = dt.timedelta(minutes=10)


class AccountDeletionQuerySet(LoginAttemptsQuerySet):
    """The steps of a deletion, one statement each."""

    def request_deletion(self, pk: uuid.UUID, *, at: dt.datetime, receipt: str = "") -> bool:
        """Store when the deletion was requested; False if one is pending already.

        `receipt` is the hash of the number that will prove the erasure.
        """
        waiting = self.filter(pk=pk, deletion_requested_at=None)
        return bool(waiting.update(deletion_requested_at=at, deletion_receipt=receipt))

    def cancel_deletion(self, pk: uuid.UUID) -> bool:
        """Cancel a pending deletion; False once the erasure has begun."""
        pending = self.filter(pk=pk, deletion_requested_at__isnull=False, erasure_key="")
        return bool(pending.update(deletion_requested_at=None, deletion_receipt=""))

    def due_for_erasure(self, *, at: dt.datetime) -> Self:
        """Return the accounts with an expired grace, and those with an interrupted erasure.

        Those that could not be erased are left out until their next try.
        """
        expired = Q(deletion_requested_at__lte=at - settings.ACCOUNT_DELETION_GRACE)
        return self.erasable(at=at).filter(expired | ~Q(erasure_key=""))

    def erasable(self, *, at: dt.datetime) -> Self:
        """Leave out the accounts that another process erases, or failed to erase lately."""
        return self.filter(Q(erasure_retry_at=None) | Q(erasure_retry_at__lte=at))

    def postpone_erasure(self, pk: uuid.UUID, *, at: dt.datetime) -> None:
        """Store that an erasure failed, and when it is tried again."""
        failures = self.filter(pk=pk).values_list("erasure_failures", flat=True).first() or 0
        pause = min(_FIRST_RETRY * 2 ** min(failures, 10), _LAST_RETRY)
        self.filter(pk=pk).update(erasure_failures=failures + 1, erasure_retry_at=at + pause)

    def begin_erasure(self, pk: uuid.UUID, *, key: str, at: dt.datetime) -> Any:
        """Close an account for good and return it, with the key that its events are renamed by.

        None if the account is gone, its deletion was cancelled, or another process erases it. Such
        a process is taken for dead after ten minutes.
        """
        unwanted = Q(deletion_requested_at__isnull=False) | Q(email_verified=False, last_login=None)
        self.filter(unwanted, pk=pk, erasure_key="").update(erasure_key=key, is_active=False)
        begun = self.exclude(erasure_key="").filter(pk=pk)
        claimed = begun.erasable(at=at).update(erasure_retry_at=at + _LEASE)
        return begun.first() if claimed else None

    def release_erasure(self, pk: uuid.UUID) -> None:
        """Let the next process go on with an erasure at once."""
        self.filter(pk=pk).update(erasure_retry_at=None)
