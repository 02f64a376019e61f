"""Changes of the email address: requested, confirmed from the new one, undone from the old."""

import datetime as dt
import uuid
from typing import Self

from django.conf import settings
from django.db import models
from django.utils import timezone

from authentication.utils.identifiers import EMAIL_MAX_LENGTH

from .fields import CanonicalField
from .sensitive_change import UNDO_LIFETIME

CONFIRM_LIFETIME = dt.timedelta(hours=24)


class EmailChangeQuerySet(models.QuerySet["EmailChange"]):
    """Queries of email changes. Each transition is one atomic UPDATE."""

    def pending(self, *, at: dt.datetime) -> Self:
        """Return the changes that can still be confirmed, for 24 hours after the request."""
        return self.filter(
            confirmed_at=None, undone_at=None, requested_at__gt=at - CONFIRM_LIFETIME
        )

    def moved(self, user_id: uuid.UUID, *, at: dt.datetime) -> Self:
        """Return the confirmed changes of a user that can still be undone, oldest first."""
        mine = self.filter(
            user_id=user_id, is_from_proven=True, confirmed_at__isnull=False, undone_at=None
        )
        return mine.filter(requested_at__gt=at - UNDO_LIFETIME).order_by("requested_at")

    def reserving(self, canonical: str, *, at: dt.datetime) -> Self:
        """Return the confirmed changes away from an address that can still be undone.

        Until then no other account may use the address.
        """
        since = at - UNDO_LIFETIME
        return self.filter(
            old_email_canonical=canonical,
            is_from_proven=True,
            confirmed_at__isnull=False,
            undone_at=None,
            requested_at__gt=since,
        )

    def confirm(self, pk: uuid.UUID, *, is_from_proven: bool, at: dt.datetime) -> bool:
        """Claim a change to confirm it. Only one of several concurrent callers gets True.

        Only a proven old address stays the account's for a while: another may be a stranger's.
        """
        waiting = self.filter(pk=pk, confirmed_at=None, undone_at=None)
        return bool(waiting.update(confirmed_at=at, is_from_proven=is_from_proven))

    def cancel(self, user_id: uuid.UUID, *, at: dt.datetime) -> bool:
        """Cancel the pending change of a user; return False if there is none."""
        return bool(self.filter(user_id=user_id).pending(at=at).update(undone_at=at))


class EmailChange(models.Model):
    """One change of an email address. It can be undone for 7 days after the request."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    old_email = models.EmailField(max_length=EMAIL_MAX_LENGTH)
    old_email_canonical = CanonicalField(of="old_email", max_length=EMAIL_MAX_LENGTH)
    new_email = models.EmailField(max_length=EMAIL_MAX_LENGTH)
    new_email_canonical = CanonicalField(of="new_email", max_length=EMAIL_MAX_LENGTH)
    requested_at = models.DateTimeField(default=timezone.now, editable=False)
    confirmed_at = models.DateTimeField(null=True, blank=True)
    undone_at = models.DateTimeField(null=True, blank=True)
    is_from_proven = models.BooleanField(default=True, db_default=True, editable=False)

    objects = EmailChangeQuerySet.as_manager()

    class Meta:
        indexes = (
            models.Index(fields=["user", "-requested_at"], name="email_change_user_newest"),
            models.Index(fields=["new_email_canonical", "-requested_at"], name="email_change_to"),
            models.Index(fields=["old_email_canonical"], name="email_change_from"),
            # The admin's list.
            models.Index(fields=["requested_at"], name="email_change_requested"),
        )

    def __str__(self) -> str:
        return f"change of {self.user_id}"
