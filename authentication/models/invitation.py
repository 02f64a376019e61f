"""Invitations: an address that may become an account, once its reader has chosen a password."""

import datetime as dt
import uuid
from typing import Any, ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from authentication.utils.crypto import digest, new_token
from authentication.utils.identifiers import EMAIL_MAX_LENGTH, canonical_email

from .fields import CanonicalField

LIFETIME = dt.timedelta(days=7)
_OPEN = Q(accepted_at=None, voided_at=None)


class InvitationQuerySet(models.QuerySet["Invitation"]):
    """Invitations. Each transition is one statement."""

    def open(self) -> Self:
        """Return those that are neither accepted nor void; some may have expired."""
        return self.filter(_OPEN)

    def usable(self, token: str, *, at: dt.datetime) -> Self:
        """Return the invitation of a mailed token, if it can be accepted."""
        return self.open().filter(token=digest(token), expires_at__gt=at)

    def spend(self, token: str, *, user_id: uuid.UUID, at: dt.datetime) -> bool:
        """Claim a token for an account; of any number of callers one gets True."""
        return bool(self.usable(token, at=at).update(accepted_at=at, user_id=user_id))

    def issue(self, pk: uuid.UUID, *, at: dt.datetime) -> str:
        """Return a new token for an invitation; an older one is void. "" if it is not open."""
        token = new_token()
        still = self.open().filter(pk=pk, expires_at__gt=at)
        return token if still.update(token=digest(token)) else ""

    def void(self, pk: uuid.UUID, *, at: dt.datetime) -> bool:
        """Void an invitation; False if it was accepted or void already."""
        return bool(self.open().filter(pk=pk).update(voided_at=at))

    def void_all_to(self, *canonicals: str, at: dt.datetime) -> None:
        """Void the open invitations to addresses."""
        self.open().filter(email_canonical__in=canonicals).update(voided_at=at)


class Invitation(models.Model):
    """One invitation. The account is made when it is accepted."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = models.EmailField(max_length=EMAIL_MAX_LENGTH)
    email_canonical = CanonicalField(of="email", max_length=EMAIL_MAX_LENGTH)
    first_name = models.CharField(max_length=150, blank=True, default="")
    last_name = models.CharField(max_length=150, blank=True, default="")
    invited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    # The account that it led to.
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, related_name="+"
    )
    # Of the newest mail; none before it is sent.
    token = models.CharField(max_length=64, unique=True, null=True, blank=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True, editable=False)
    voided_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects: ClassVar[Any] = InvitationQuerySet.as_manager()

    class Meta:
        default_permissions = ("view",)
        permissions = (
            ("invite_user", "Can invite people"),
            ("import_users", "Can invite people from a file"),
        )
        indexes = (
            models.Index(fields=["email_canonical", "created_at"], name="invitation_to"),
            models.Index(fields=["created_at"], name="invitation_created_at"),
            models.Index(fields=["expires_at"], name="invitation_expires_at"),
        )
        constraints = (
            # Of two invitations to one address at once, the later voids the earlier.
            models.UniqueConstraint(
                fields=["email_canonical"], condition=_OPEN, name="invitation_one_open"
            ),
        )

    def __str__(self) -> str:
        return f"invitation {self.pk}"

    @classmethod
    def to(
        cls,
        email: str,
        *,
        first_name: str,
        last_name: str,
        invited_by: Any,
        at: dt.datetime,
        pk: uuid.UUID | None = None,
    ) -> "Invitation":
        """Return an invitation that is not stored yet."""
        return cls(
            pk=pk or uuid.uuid4(),
            email=email,
            email_canonical=canonical_email(email),
            first_name=first_name,
            last_name=last_name,
            invited_by=invited_by,
            created_at=at,
            expires_at=at + LIFETIME,
        )

    def state(self, *, at: dt.datetime) -> str:
        """Return what became of it: accepted, revoked, expired or pending."""
        if self.accepted_at:
            return "accepted"
        if self.voided_at:
            return "revoked"
        return "pending" if self.expires_at > at else "expired"
