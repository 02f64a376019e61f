"""Secrets sent by mail, each good for one use; only their digests are stored."""

import datetime as dt
import uuid
from typing import Self

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.db import models, transaction
from django.db.models import F, Q
from django.utils import timezone

from authentication.utils.crypto import digest, new_token

from .user import User


def _verification_expiry() -> dt.datetime:
    return timezone.now() + settings.EMAIL_VERIFICATION_LIFETIME


class EmailVerificationTokenQuerySet(models.QuerySet["EmailVerificationToken"]):
    """Verification tokens and the one statement that spends one."""

    def issue(self, user_id: uuid.UUID, *, email: str, at: dt.datetime) -> str:
        """Return a new token for an address; older ones of the person are void."""
        token, expires_at = new_token(), at + settings.EMAIL_VERIFICATION_LIFETIME
        with transaction.atomic():
            # One after the other: of two made at once each would void the other's elders alone.
            User.objects.hold(user_id)
            self.filter(user_id=user_id, verified_at=None).delete()
            self.create(
                user_id=user_id,
                email=email,
                token=digest(token),
                created_at=at,
                expires_at=expires_at,
            )
        return token

    def spend(self, token: str, *, at: dt.datetime) -> bool:
        """Claim a token; of any number of callers one gets True."""
        unused = self.filter(token=digest(token), verified_at=None, expires_at__gt=at)
        return bool(unused.update(verified_at=at))


class EmailVerificationToken(models.Model):
    """Proof, still to be given, that a person reads the mail of an address."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    email = models.EmailField(max_length=254)
    token = models.CharField(max_length=64, unique=True, editable=False)  # SHA-256
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField(default=_verification_expiry)
    verified_at = models.DateTimeField(null=True, blank=True)

    objects = EmailVerificationTokenQuerySet.as_manager()

    class Meta:
        indexes = (models.Index(fields=["expires_at"], name="verification_expires_at"),)
        constraints = (
            models.CheckConstraint(
                name="verification_expires_later", condition=Q(expires_at__gt=F("created_at"))
            ),
        )

    def __str__(self) -> str:
        return f"verification of {self.user_id}"

    def is_valid(self) -> bool:
        """Return whether the token can still be used."""
        return self.verified_at is None and self.expires_at > timezone.now()

    def verify(self) -> bool:
        """Use the token; False if it was used, has expired or was voided."""
        unused = EmailVerificationToken.objects.filter(
            pk=self.pk, verified_at=None, expires_at__gt=timezone.now()
        )
        used = bool(unused.update(verified_at=timezone.now()))
        if used:
            self.refresh_from_db()
        return used

    def resend(self) -> str:
        """Void this token and return a new one for the same address."""
        return EmailVerificationToken.objects.issue(
            self.user_id, email=self.email, at=timezone.now()
        )


class _Binding(PasswordResetTokenGenerator):
    """Django's generator, bound to when the password was set: any change of it voids the token."""

    def _make_hash_value(self, user: AbstractBaseUser, timestamp: int) -> str:
        changed = getattr(user, "password_changed_at", None)
        # Not to the hash itself: a sign-in makes it anew when its parameters have changed.
        return f"{user.pk}{changed}{getattr(user, 'email_canonical', '')}{timestamp}"


_binding = _Binding()


class PasswordResetTokenQuerySet(models.QuerySet["PasswordResetToken"]):
    """Reset tokens and the one statement that spends one."""

    def issue(self, user: User, *, at: dt.datetime) -> str:
        """Return a new token for a person; their older ones are void."""
        token = new_token()
        with transaction.atomic():
            # As for verification tokens.
            User.objects.hold(user.pk)
            self.filter(user=user, used_at=None).delete()
            self.create(
                user=user, token=digest(token), binding=_binding.make_token(user), created_at=at
            )
        return token

    def usable(self, token: str, *, at: dt.datetime) -> Self:
        """Return the row of a token that is neither used nor too old."""
        oldest = at - dt.timedelta(seconds=settings.PASSWORD_RESET_TIMEOUT)
        return self.filter(token=digest(token), used_at=None, created_at__gt=oldest)

    def owner_of(self, token: str, *, at: dt.datetime) -> User | None:
        """Return whose token this is, if it can still be used."""
        found = self.usable(token, at=at).select_related("user").first()
        return found.user if found and found.user.is_active and found.is_valid() else None

    def spend(self, token: str, *, at: dt.datetime) -> bool:
        """Claim a token; of any number of callers one gets True."""
        return bool(self.usable(token, at=at).update(used_at=at))


class PasswordResetToken(models.Model):
    """Leave, given by mail, to choose a new password."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    token = models.CharField(max_length=64, unique=True, editable=False)  # SHA-256
    binding = models.CharField(max_length=100, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    used_at = models.DateTimeField(null=True, blank=True)

    objects = PasswordResetTokenQuerySet.as_manager()

    class Meta:
        indexes = (models.Index(fields=["created_at"], name="reset_created_at"),)

    def __str__(self) -> str:
        return f"reset of {self.user_id}"

    def is_valid(self) -> bool:
        """Return whether the token can still be used, and the password is still the one it was made for."""
        return self.used_at is None and _binding.check_token(self.user, self.binding)
