"""Removals of a second factor by staff: requested, then carried out after a delay or confirmed."""

import datetime as dt
import uuid
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

REMOVAL_DELAY = dt.timedelta(hours=24)
REASON_MAX_LENGTH = 200


class SecondFactorRemovalQuerySet(models.QuerySet["SecondFactorRemoval"]):
    """Removals. Each transition is one atomic UPDATE."""

    def pending(self) -> Self:
        """Return the removals that are neither carried out nor given up."""
        return self.filter(ended_at=None)

    def end(self, pk: uuid.UUID, *, outcome: str, at: dt.datetime) -> bool:
        """Claim a pending removal to end it. Only one of several concurrent callers gets True."""
        return bool(self.pending().filter(pk=pk).update(outcome=outcome, ended_at=at))


class SecondFactorRemoval(models.Model):
    """A request of staff to remove a user's second factor.

    It is for the factor of `factor_since` alone: one that the user sets up later stays.
    """

    class Outcome(models.TextChoices):
        """How a removal ended."""

        CARRIED_OUT = "carried_out"
        STOPPED = "stopped", "stopped by the user"
        CANCELLED = "cancelled", "cancelled by staff"
        OBSOLETE = "obsolete", "the factor was gone"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    factor_since = models.DateTimeField(editable=False)
    reason = models.CharField(max_length=REASON_MAX_LENGTH)
    # Null when the member of staff has been erased.
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    requested_at = models.DateTimeField(default=timezone.now, editable=False)
    # What ends the sessions of the admin of who requested it ends the removal.
    session_hash = models.CharField(max_length=64, blank=True, db_default="", editable=False)
    ended_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=16, choices=Outcome.choices, blank=True, default="")

    objects = SecondFactorRemovalQuerySet.as_manager()

    class Meta:
        indexes = (
            models.Index(
                fields=["requested_at"], name="factor_removal_pending", condition=Q(ended_at=None)
            ),
            models.Index(fields=["ended_at"], name="factor_removal_ended"),
            models.Index(fields=["requested_at"], name="factor_removal_requested"),
        )
        constraints = (
            models.UniqueConstraint(
                fields=["user"], name="factor_removal_one_pending", condition=Q(ended_at=None)
            ),
            models.CheckConstraint(
                name="factor_removal_ended_how", condition=Q(ended_at=None) | ~Q(outcome="")
            ),
        )

    def __str__(self) -> str:
        return f"removal of the second factor of {self.user_id}"

    @property
    def effective_at(self) -> dt.datetime:
        """The earliest time at which it is carried out without a second member of staff."""
        return self.requested_at + REMOVAL_DELAY
