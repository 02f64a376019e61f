"""One-time tokens sent by mail: to prove an address, and to choose a new password."""

import datetime as dt
import uuid
from typing import Any, ClassVar, Self

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.db import models
from django.utils import timezone

from authentication.utils.crypto import digest
from authentication.utils.identifiers import canonical_email

from .one_time_token import OneTimeToken, OneTimeTokenQuerySet, expires_after_creation
from .user import User


def _verification_expiry() -> dt.datetime:
    return timezone.now() + settings.EMAIL_VERIFICATION_LIFETIME


class EmailVerificationTokenQuerySet(OneTimeTokenQuerySet):
    """Verification tokens."""

    def issue(self, user_id: uuid.UUID, *, email: str, at: dt.datetime) -> str:
        """Return a new token for an address; older ones of the user are void.

        Lock the account first: of two issued at once, each would void the older ones alone.
        """
        self.void(user_id)
        expires_at = at + settings.EMAIL_VERIFICATION_LIFETIME
        return self.issue_token(user_id, email=email, at=at, expires_at=expires_at)


class EmailVerificationToken(OneTimeToken):
    """A mailed link that proves an address."""

    USED_FIELD: ClassVar[str] = "verified_at"

    email = models.EmailField(max_length=254)
    expires_at = models.DateTimeField(default=_verification_expiry)
    verified_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[Any] = EmailVerificationTokenQuerySet.as_manager()

    class Meta:
        indexes = (models.Index(fields=["expires_at"], name="verification_expires_at"),)
        constraints = (expires_after_creation("verification_expires_later"),)

    def __str__(self) -> str:
        return f"verification of {self.user_id}"

    def is_valid(self) -> bool:
        """Return whether the token can still be used."""
        return self.verified_at is None and self.expires_at > timezone.now()

    def is_bound(self) -> bool:
        """Return whether the account has the token's address and has not proven it yet."""
        is_same = canonical_email(self.email) == self.user.email_canonical
        return is_same and not self.user.email_verified

    def verify(self) -> bool:
        """Use the token; False if it is used, expired or void."""
        now = timezone.now()
        unused = EmailVerificationToken.objects.unused().filter(pk=self.pk, expires_at__gt=now)
        used = bool(unused.update(verified_at=now))
        if used:
            self.refresh_from_db()
        return used

    def resend(self) -> str:
        """Void this token and return a new one for the same address."""
        issued_at = timezone.now()
        return str(
            EmailVerificationToken.objects.issue(self.user_id, email=self.email, at=issued_at)
        )


class _Binding(PasswordResetTokenGenerator):
    """Django's generator, bound to when the password was set: any change of it voids the token."""

    def _make_hash_value(self, user: AbstractBaseUser, timestamp: int) -> str:
        changed = getattr(user, "password_changed_at", None)
        # Not to the hash itself: a sign-in makes it anew when its parameters have changed.
        return f"{user.pk}{changed}{getattr(user, 'email_canonical', '')}{timestamp}"


_binding = _Binding()


class PasswordResetTokenQuerySet(OneTimeTokenQuerySet):
    """Reset tokens. They expire PASSWORD_RESET_TIMEOUT seconds after their creation."""

    def issue(self, user: User, *, at: dt.datetime) -> str:
        """Return a new token for a user; older ones are void. Lock the account first."""
        self.void(user.pk)
        return self.issue_token(user.pk, at=at, binding=_binding.make_token(user))

    def usable(self, token: str, *, at: dt.datetime) -> Self:
        oldest = at - dt.timedelta(seconds=settings.PASSWORD_RESET_TIMEOUT)
        return self.unused().filter(token=digest(token), created_at__gt=oldest)


class PasswordResetToken(OneTimeToken):
    """A mailed link that lets its owner choose a new password."""

    binding = models.CharField(max_length=100, editable=False)
    used_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[Any] = PasswordResetTokenQuerySet.as_manager()

    class Meta:
        indexes = (models.Index(fields=["created_at"], name="reset_created_at"),)

    def __str__(self) -> str:
        return f"reset of {self.user_id}"

    def is_valid(self) -> bool:
        """Return whether the token is unused and the password is the one it was made for."""
        return self.used_at is None and self.is_bound()

    def is_bound(self) -> bool:
        """Return whether password and address are those the token was made for."""
        return _binding.check_token(self.user, self.binding)
