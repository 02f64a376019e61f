"""The account."""

import datetime as dt
import unicodedata
import uuid
from typing import Any, ClassVar

from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.models import AbstractUser, BaseUserManager
from django.contrib.auth.password_validation import validate_password
from django.db import models
from django.db.models import Max, Q
from django.utils import timezone
from django.utils.crypto import salted_hmac

from authentication.utils.clock import after, not_before
from authentication.utils.crypto import new_jti
from authentication.utils.identifiers import EMAIL_MAX_LENGTH, USERNAME_MAX_LENGTH, canonical_email

from .fields import CanonicalField, SkeletonField
from .login_attempts import LockableAccount, LockReason
from .password_history import PasswordHistory
from .staff_role import ACCOUNT_PERMISSIONS
from .user_queries import UserQuerySet

_LONGEST_NORMALIZED = 512

_Manager = BaseUserManager.from_queryset(UserQuerySet)


class UserManager(_Manager):  # type: ignore[valid-type,misc,type-arg]  # made at run time, by Django's own recipe
    """Makes accounts; email is the name people sign in with."""

    def get_by_natural_key(self, username: str | None) -> "User":
        """Return the account with this address, in whatever spelling."""
        user: User = self.get(email_canonical=canonical_email(username or ""))
        return user

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Return a new account; without a username it gets one that tells nothing of its owner."""
        fields.setdefault("username", generated_username())
        user: User = self.model(email=email, **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Return a new account that may do everything, with a proven address.

        Raises ValidationError for a weak password: `createsuperuser --noinput` does not look at it.
        """
        if password is not None:
            self.check_superuser(email, password, **fields)
        proven = {"email_verified": True, "email_verified_at": timezone.now()}
        return self.create_user(
            email, password, **{"is_staff": True, "is_superuser": True, **proven, **fields}
        )

    def check_superuser(self, email: str, password: str, **fields: Any) -> None:
        """Raise ValidationError if the password of a new superuser is weak."""
        validate_password(password, self.model(email=email, **fields))


def generated_username() -> str:
    """Return a random username, which tells nothing about its owner."""
    return f"member-{new_jti()[:16]}"


_RELEASED = "@released.invalid"


def released_address() -> str:
    """Return a unique address for an account that has lost its own.

    No mail goes to the domain `invalid` (RFC 2606).
    """
    return f"{uuid.uuid4().hex}{_RELEASED}"


def _normal(password: str | None) -> str | None:
    # Keyboards differ in how they compose an accented letter; nothing else is done to a password.
    # Much longer texts than a password can be are left alone: a run of combining marks takes
    # quadratic time.
    if password is None or len(password) > _LONGEST_NORMALIZED:
        return password
    return unicodedata.normalize("NFC", password)


class User(LockableAccount, AbstractUser):
    """One person's account."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = models.EmailField(max_length=EMAIL_MAX_LENGTH)
    email_canonical = CanonicalField(of="email", max_length=EMAIL_MAX_LENGTH)
    username = models.CharField(max_length=USERNAME_MAX_LENGTH)
    # Case folding can lengthen a name: one letter becomes three at most.
    username_canonical = CanonicalField(of="username", max_length=3 * USERNAME_MAX_LENGTH)
    username_skeleton = SkeletonField()

    email_verified = models.BooleanField(default=False)
    email_verified_at = models.DateTimeField(null=True, blank=True)
    # Set when an unproven address is registered again with another password. Its proof
    # then voids the password (services/address_proof.py).
    contested_at = models.DateTimeField(null=True, blank=True, editable=False)
    # Set by the mail provider: only security mail goes there until the address is proven again.
    email_bounced_at = models.DateTimeField(null=True, blank=True)
    email_complained_at = models.DateTimeField(null=True, blank=True)
    deletion_requested_at = models.DateTimeField(null=True, blank=True)
    # The hash of the number that the person was given to prove the erasure.
    deletion_receipt = models.CharField(
        max_length=64, blank=True, default="", db_default="", editable=False
    )
    # Set when the erasure begins; it goes with the row.
    erasure_key = models.CharField(max_length=64, blank=True, default="", editable=False)
    erasure_failures = models.PositiveSmallIntegerField(default=0, db_default=0, editable=False)
    erasure_retry_at = models.DateTimeField(null=True, blank=True, editable=False)
    notices_stopped_at = models.DateTimeField(null=True, blank=True)
    password_changed_at = models.DateTimeField(default=timezone.now)
    password_breached_at = models.DateTimeField(null=True, blank=True)

    # Replaced when the account's sessions are revoked. The admin's sessions hold a hash of it.
    admin_session_salt = models.CharField(
        max_length=32, blank=True, default="", db_default="", editable=False
    )

    # Since when a sign-in needs a second factor. Seed and codes have tables of their own.
    second_factor_at = models.DateTimeField(null=True, blank=True, editable=False)

    terms_accepted_at = models.DateTimeField(null=True, blank=True)
    privacy_policy_accepted_at = models.DateTimeField(null=True, blank=True)
    # The accepted versions; the history is in Consent.
    terms_version = models.CharField(max_length=32, blank=True, default="")
    privacy_policy_version = models.CharField(max_length=32, blank=True, default="")
    # The person's choice; "" follows the browser. Mails are then in that of the registration.
    language = models.CharField(max_length=8, blank=True, default="", db_default="")
    registered_language = models.CharField(
        max_length=8, blank=True, default="", db_default="", editable=False
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    date_joined = None  # type: ignore[assignment]  # The specification's name for it is created_at.

    # Set for the password policy: the display name, which the profile keeps.
    shown_as = ""
    # Not stored: whether this sign-in, or the session of this request, was proven by a factor.
    proven_by_factor = False

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []
    objects: ClassVar[UserManager] = UserManager()  # type: ignore[assignment]  # in place of Django's

    class Meta:
        permissions = ACCOUNT_PERMISSIONS
        indexes = (
            models.Index(fields=["username"], name="user_username"),
            # For what the admin finds while it is typed: a collation's index knows no beginnings.
            models.Index(
                fields=["email_canonical"],
                name="user_email_begins",
                opclasses=["varchar_pattern_ops"],
            ),
            models.Index(
                fields=["username_canonical"],
                name="user_username_begins",
                opclasses=["varchar_pattern_ops"],
            ),
            models.Index(fields=["username_skeleton"], name="user_username_skeleton"),
            # The admin's lists, newest first: of a filter, then of all.
            models.Index(fields=["email_verified", "created_at"], name="user_email_verified"),
            models.Index(fields=["created_at"], name="user_disabled", condition=Q(is_active=False)),
            models.Index(
                fields=["created_at"],
                name="user_staff",
                condition=Q(is_staff=True) | Q(is_superuser=True),
            ),
            models.Index(fields=["created_at"], name="user_created_at"),
            models.Index(
                fields=["deletion_requested_at"],
                name="user_leaving",
                condition=Q(deletion_requested_at__isnull=False),
            ),
            models.Index(
                fields=["locked_until"],
                name="user_locked",
                condition=Q(lock_reason=LockReason.GUESSED, locked_until__isnull=False),
            ),
        )
        constraints = (
            # unique=True would add an index for LIKE on PostgreSQL, which nothing uses.
            models.UniqueConstraint(fields=["email"], name="user_email_unique"),
            models.UniqueConstraint(fields=["email_canonical"], name="user_email_canonical_unique"),
            models.UniqueConstraint(
                fields=["username_canonical"], name="user_username_canonical_unique"
            ),
            models.CheckConstraint(
                name="user_verified_has_a_time",
                condition=Q(email_verified=False) | Q(email_verified_at__isnull=False),
            ),
        )

    def __str__(self) -> str:
        return self.username

    @property
    def has_address(self) -> bool:
        """Return whether mail can be sent to the account's address."""
        return not self.email.endswith(_RELEASED)

    def is_verified(self) -> bool:
        """Return whether the session of the request was proven by a second factor (django-otp)."""
        return self.proven_by_factor

    def set_password(self, raw_password: str | None) -> None:
        """Set a new password; every older token is invalid from then on."""
        self.password = make_password(_normal(raw_password))
        self._password = raw_password
        self.password_changed_at = self._time_of_new_password()
        self.password_breached_at = None

    def _time_of_new_password(self) -> dt.datetime:
        # Later than what the old password and its sessions did: older tokens and links are void.
        now = timezone.now()
        if self._state.adding:
            return not_before(now, self.created_at)
        rotated_at = self.sessions.aggregate(at=Max("last_rotation_at"))["at"]
        return after(now, self.password_changed_at, rotated_at)

    def check_password(self, raw_password: str | None) -> bool:
        """Return whether this is the password; a hash with older parameters is renewed."""

        def rehash(password: str) -> None:
            # Not set_password: the password is the same, so tokens stay valid. A password that was
            # set meanwhile is not overwritten.
            old, self.password = self.password, make_password(password)
            User.objects.filter(pk=self.pk, password=old).update(password=self.password)
            PasswordHistory.objects.filter(user=self, password_hash=old).update(
                password_hash=self.password
            )

        return check_password(_normal(raw_password), self.password, rehash)

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        # Django's sessions (the admin's) end with a new password, and here with a change of the
        # second factor and with every revocation of the account's sessions.
        key_salt = "authentication.User.session_auth_hash"
        since = self.second_factor_at.isoformat() if self.second_factor_at else ""
        # Without a revocation the hash is that of older releases: the upgrade ends no session.
        salt = f"|{self.admin_session_salt}" if self.admin_session_salt else ""
        return salted_hmac(
            key_salt, f"{self.password}|{since}{salt}", secret=secret, algorithm="sha256"
        ).hexdigest()
