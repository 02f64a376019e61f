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

    def spend_row(self, pk: int, *, at: dt.datetime) -> bool:
        """Claim a token whose secret is not known; of any number of callers one gets True."""
        return bool(self.unused().filter(pk=pk, expires_at__gt=at).update(verified_at=at))


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
        is_open = self.verified_at is None and self.voided_at is None
        return is_open and self.expires_at > timezone.now()

    def is_bound(self) -> bool:
        """Return whether the account has the token's address and has not proven it yet."""
        is_same = canonical_email(self.email) == self.user.email_canonical
        return is_same and not self.user.email_verified

    def verify(self) -> bool:
        """Spend the token and store that its address is proven, as following the link does.

        False if the token is used, void or expired, of another address than the account's or of
        one that is proven already. For other apps; the API's view calls the service.
        """
        from authentication.services import EmailVerificationService

        return EmailVerificationService.verify_row(self)

    def resend(self) -> None:
        """Void the token and mail a new link, if the address is not proven yet."""
        from authentication.services import EmailVerificationService

        EmailVerificationService.replace(self)


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
        """Return whether the token works and the password is the one it was made for."""
        return self.used_at is None and self.voided_at is None and self.is_bound()

    def is_bound(self) -> bool:
        """Return whether password and address are those the token was made for."""
        return _binding.check_token(self.user, self.binding)
