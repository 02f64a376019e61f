"""Atomic updates that request, cancel and begin a deletion."""

import datetime as dt
import uuid
from typing import Any, Self

from django.conf import settings
from django.db.models import Q

from .login_attempts import LoginAttemptsQuerySet


class AccountDeletionQuerySet(LoginAttemptsQuerySet):
    """The steps of a deletion, one statement each."""

    def request_deletion(self, pk: uuid.UUID, *, at: dt.datetime) -> bool:
        """Store when the deletion was requested; False if one is pending already."""
        return bool(self.filter(pk=pk, deletion_requested_at=None).update(deletion_requested_at=at))

    def cancel_deletion(self, pk: uuid.UUID) -> bool:
        """Cancel a pending deletion; False once the erasure has begun."""
        pending = self.filter(pk=pk, deletion_requested_at__isnull=False, erasure_key="")
        return bool(pending.update(deletion_requested_at=None))

    def due_for_erasure(self, *, at: dt.datetime) -> Self:
        """Return the accounts with an expired grace, and those with an interrupted erasure."""
        expired = Q(deletion_requested_at__lte=at - settings.ACCOUNT_DELETION_GRACE)
        return self.filter(expired | ~Q(erasure_key=""))

    def begin_erasure(self, pk: uuid.UUID, *, key: str) -> Any:
        """Close an account for good and return it, with the key that its events are renamed by.

        None if the account is gone or its deletion was cancelled.
        """
        unwanted = Q(deletion_requested_at__isnull=False) | Q(email_verified=False, last_login=None)
        self.filter(unwanted, pk=pk, erasure_key="").update(erasure_key=key, is_active=False)
        return self.exclude(erasure_key="").filter(pk=pk).first()
