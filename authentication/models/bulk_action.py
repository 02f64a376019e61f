"""What staff do for many people: asked about, then carried out by a task, person by person."""

import datetime as dt
import uuid
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Count, Q
from django.utils import timezone

from .second_factor_removal import REASON_MAX_LENGTH

# Longer than one person takes. After it, the process that carries the action out is taken for dead.
LEASE = dt.timedelta(minutes=2)


class BulkActionQuerySet(models.QuerySet["BulkAction"]):
    """Queries of bulk actions. Each transition is one atomic UPDATE."""

    def running(self) -> Self:
        """Return the actions that were started and are neither finished nor stopped."""
        return self.filter(started_at__isnull=False, stopped_at=None, finished_at=None)

    def start(self, pk: uuid.UUID, *, reason: str, at: dt.datetime) -> bool:
        """Start an action. Only one of several concurrent callers gets True."""
        waiting = self.filter(pk=pk, started_at=None, stopped_at=None)
        return bool(waiting.update(started_at=at, reason=reason))

    def unattended(self, *, at: dt.datetime) -> Self:
        """Return the running actions that no process carries out."""
        return self.running().filter(Q(leased_until=None) | Q(leased_until__lte=at))

    def claim(self, pk: uuid.UUID, *, at: dt.datetime) -> bool:
        """Claim an action to carry it out. Only one of several concurrent callers gets True."""
        return bool(self.unattended(at=at).filter(pk=pk).update(leased_until=at + LEASE))

    def renew(self, pk: uuid.UUID, *, at: dt.datetime) -> bool:
        """Extend the lease; False if the action was stopped."""
        return bool(self.running().filter(pk=pk).update(leased_until=at + LEASE))

    def release(self, pk: uuid.UUID) -> None:
        """Let another process go on."""
        self.filter(pk=pk).update(leased_until=None)

    def stop(self, pk: uuid.UUID, *, at: dt.datetime) -> bool:
        """Stop an action. Only one of several concurrent callers gets True."""
        open_ones = self.filter(pk=pk, stopped_at=None, finished_at=None)
        return bool(open_ones.update(stopped_at=at))

    def outdated(self, at: dt.datetime) -> Self:
        """Return the actions older than the audit log, and those not started within a day.

        By them the erasure of a person finds the reasons in the log.
        """
        unanswered = Q(started_at=None, asked_at__lte=at - dt.timedelta(days=1))
        return self.filter(unanswered | Q(asked_at__lte=at - settings.AUDIT_LOG_RETENTION))

    def finish(self, pk: uuid.UUID, *, at: dt.datetime) -> None:
        """Store that an action has come to its end, unless it was stopped."""
        self.running().filter(pk=pk).update(finished_at=at)


class BulkAction(models.Model):
    """One action of staff for at most 500 people.

    It is shown first (`asked_at`), then started, and ends as finished or stopped.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    action = models.CharField(max_length=40)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    reason = models.CharField(max_length=REASON_MAX_LENGTH, blank=True)
    asked_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True, blank=True)
    stopped_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    # Of the actor's session of the admin: what ends that session ends the action.
    session_hash = models.CharField(max_length=64, blank=True, editable=False)
    leased_until = models.DateTimeField(null=True, blank=True, editable=False)
    # The client of the member of staff, for the events.
    ip_address = models.GenericIPAddressField(null=True, blank=True)
    user_agent = models.TextField(blank=True)
    correlation_id = models.CharField(max_length=64, blank=True)

    objects = BulkActionQuerySet.as_manager()

    class Meta:
        verbose_name = "bulk action"
        indexes = (models.Index(fields=["-asked_at"], name="bulk_action_newest"),)

    def __str__(self) -> str:
        return f"{self.action} ({self.asked_at:%Y-%m-%d %H:%M})"

    @property
    def is_over(self) -> bool:
        """Whether nothing will be done any more."""
        return self.stopped_at is not None or self.finished_at is not None


class BulkActionPersonQuerySet(models.QuerySet["BulkActionPerson"]):
    """Queries of the people of bulk actions."""

    def next_of(self, bulk_id: uuid.UUID) -> "BulkActionPerson | None":
        """Return the next person for whom an action is to be done."""
        return self.filter(bulk_id=bulk_id, handled_at=None).order_by("number").first()

    def claim(self, pk: int, *, at: dt.datetime) -> bool:
        """Claim a person; only one of several concurrent callers gets True."""
        return bool(self.filter(pk=pk, handled_at=None).update(handled_at=at))

    def refuse(self, pk: int, *, refusal: str, at: dt.datetime) -> None:
        """Store why an action was not done for a person."""
        self.filter(pk=pk).update(handled_at=at, refusal=refusal[:200])

    def counts_of(self, bulk_id: uuid.UUID) -> dict[str, int]:
        """Return `total`, `handled` and `refused` of an action, by one query."""
        return self.filter(bulk_id=bulk_id).aggregate(
            total=Count("pk"),
            handled=Count("handled_at"),
            refused=Count("pk", filter=~Q(refusal="")),
        )


class BulkActionPerson(models.Model):
    """One person of a bulk action; `refusal` says why the action was not done for them."""

    bulk = models.ForeignKey(BulkAction, on_delete=models.CASCADE, related_name="people")
    number = models.PositiveSmallIntegerField()
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    handled_at = models.DateTimeField(null=True, blank=True)
    refusal = models.CharField(max_length=200, blank=True)

    objects = BulkActionPersonQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["bulk", "user"], name="bulk_action_person_once"),
        )

    def __str__(self) -> str:
        return f"person {self.number} of {self.bulk_id}"
