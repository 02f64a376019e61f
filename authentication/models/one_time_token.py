"""Secrets that work once; only their SHA-256 digests are stored."""

import datetime as dt
import uuid
from typing import Any, ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from authentication.utils.crypto import digest, new_token


class OneTimeTokenQuerySet(models.QuerySet[Any]):
    """One-time tokens: issued, looked up, spent, voided."""

    def unused(self) -> Self:
        """Return the tokens that have not been spent or voided."""
        return self.filter(voided_at=None, **{self.model.USED_FIELD: None})

    def usable(self, token: str, *, at: dt.datetime) -> Self:
        """Return the row of a token that is neither spent nor expired."""
        return self.unused().filter(token=digest(token), expires_at__gt=at)

    def spend(self, token: str, *, at: dt.datetime) -> bool:
        """Claim a token; of any number of callers one gets True."""
        return bool(self.usable(token, at=at).update(**{self.model.USED_FIELD: at}))

    def void(self, user_id: uuid.UUID) -> None:
        """Void the unused tokens of a user.

        The rows stay for a while: they tell whose link it was that somebody opens too late.
        """
        self.unused().filter(user_id=user_id).update(voided_at=timezone.now())

    def owner_of(self, token: str) -> uuid.UUID | None:
        """Return whose token it is, whatever its state; None for an unknown one."""
        return self.filter(token=digest(token)).values_list("user_id", flat=True).first()

    def issue_token(self, user_id: uuid.UUID, *, at: dt.datetime, **fields: Any) -> str:
        """Store a new token and return its secret."""
        token = new_token()
        self.create(user_id=user_id, token=digest(token), created_at=at, **fields)
        return token


class OneTimeToken(models.Model):
    """A secret that works once, for one user."""

    USED_FIELD: ClassVar[str] = "used_at"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    token = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    voided_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects: ClassVar[Any] = OneTimeTokenQuerySet.as_manager()

    class Meta:
        abstract = True

    def is_bound(self) -> bool:
        """Return whether the account is still as it was when the token was made."""
        return True


def expires_after_creation(name: str) -> models.CheckConstraint:
    """Return the constraint that a token's end lies after its creation."""
    return models.CheckConstraint(name=name, condition=Q(expires_at__gt=F("created_at")))
