"""The account: who a person is, how they prove it, and whether they may come in now."""

import datetime as dt
import enum
import unicodedata
import uuid
from typing import Any, ClassVar, Self

from django.conf import settings
from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.models import AbstractUser, BaseUserManager
from django.contrib.auth.password_validation import validate_password
from django.db import models
from django.db.models import Case, F, Q, Value, When
from django.utils import timezone
from django.utils.crypto import salted_hmac

from authentication.utils.crypto import new_jti
from authentication.utils.identifiers import EMAIL_MAX_LENGTH, USERNAME_MAX_LENGTH, canonical_email

from .fields import CanonicalField
from .password_history import PasswordHistory


class Attempt(enum.Enum):
    """What became of a request to try a password."""

    COUNTED = "counted"
    LAST = "last"
    REFUSED = "refused"


_UNREACHABLE = Q(email_bounced_at__isnull=False) | Q(email_complained_at__isnull=False)


class UserQuerySet(models.QuerySet["User"]):
    """Accounts, found by their canonical names and changed one row at a time."""

    def identified_by(self, canonical: str) -> Self:
        """Return the account of a canonical identifier: an address if it has an @, else a username."""
        return self.filter(**{"email_canonical" if "@" in canonical else "username_canonical": canonical})

    def unlocked(self, *, at: dt.datetime) -> Self:
        """Return the accounts that may try a password now."""
        return self.filter(Q(locked_until=None) | Q(locked_until__lte=at))

    def reserve_attempt(self, pk: uuid.UUID, *, at: dt.datetime) -> "Attempt":
        """Count a password attempt before it is made; the last one allowed locks the account.

        Counted first, in one statement, because guesses sent at once would all pass a check made before it.
        """
        mine = self.filter(pk=pk).unlocked(at=at)
        last = settings.ACCOUNT_LOCKOUT_THRESHOLD - 1
        # A lock that has run out begins a new count.
        count = Case(When(locked_until__isnull=False, then=Value(1)), default=F("failed_login_attempts") + 1)
        early = mine.filter(Q(failed_login_attempts__lt=last) | Q(locked_until__isnull=False))
        if early.update(failed_login_attempts=count, locked_until=None):
            return Attempt.COUNTED
        until = at + dt.timedelta(minutes=settings.ACCOUNT_LOCKOUT_MINUTES)
        if mine.filter(locked_until=None).update(failed_login_attempts=last + 1, locked_until=until):
            return Attempt.LAST
        return Attempt.REFUSED

    def return_attempt(self, pk: uuid.UUID, attempt: Attempt) -> None:
        """Take back an attempt that was counted and never made; with the last one the lock it set."""
        unlock = {"locked_until": None} if attempt is Attempt.LAST else {}
        self.filter(pk=pk, failed_login_attempts__gt=0).update(
            failed_login_attempts=F("failed_login_attempts") - 1, **unlock
        )

    def confirm_lock(self, pk: uuid.UUID) -> None:
        """Let those who wait for the last attempt's outcome know that it failed."""
        over = settings.ACCOUNT_LOCKOUT_THRESHOLD + 1
        self.filter(pk=pk, locked_until__isnull=False).update(failed_login_attempts=over)

    def clear_attempts(self, pk: uuid.UUID) -> None:
        """Forget the failures: the person has proven who they are."""
        self.filter(pk=pk).update(failed_login_attempts=0, locked_until=None)

    def sign_in(self, user: "User", *, at: dt.datetime) -> bool:
        """Forget the failures and note the sign-in; False if password, factor or account changed since it was read.

        The row stays locked until the transaction ends.
        """
        # By the time it was set and not by its hash, which another sign-in may just have made anew.
        same = self.filter(pk=user.pk, password_changed_at=user.password_changed_at, is_active=True)
        same = same.filter(second_factor_at=user.second_factor_at)
        return bool(same.update(failed_login_attempts=0, locked_until=None, last_login=at))

    def change_password(self, user: "User", *, since: dt.datetime) -> bool:
        """Store the new password that was set on `user`; False if somebody has replaced that of `since` meanwhile."""
        same = self.filter(pk=user.pk, password_changed_at=since)
        return bool(
            same.update(
                password=user.password,
                password_changed_at=user.password_changed_at,
                password_breached_at=None,
                failed_login_attempts=0,
                locked_until=None,
            )
        )

    def set_second_factor(self, pk: uuid.UUID, *, at: dt.datetime) -> bool:
        """Note since when signing in takes a second factor; False if it replaces another one."""
        first = bool(self.filter(pk=pk, second_factor_at=None).update(second_factor_at=at))
        return first or not self.filter(pk=pk).update(second_factor_at=at)

    def clear_second_factor(self, pk: uuid.UUID) -> bool:
        """Note that signing in takes a password alone; False if it did already."""
        return bool(self.filter(pk=pk, second_factor_at__isnull=False).update(second_factor_at=None))

    def flag_breached(self, pk: uuid.UUID, *, changed_at: dt.datetime, at: dt.datetime) -> bool:
        """Mark a password as known from a breach, if it is still the one that was checked."""
        same = self.filter(pk=pk, password_changed_at=changed_at, password_breached_at=None)
        return bool(same.update(password_breached_at=at))

    def hold(self, pk: uuid.UUID) -> None:
        """Keep an account's row to the caller's transaction: whoever else asks for it waits."""
        self.select_for_update().values_list("pk").get(pk=pk)

    def verify_email(self, pk: uuid.UUID, *, at: dt.datetime) -> bool:
        """Mark the address as proven, and as taking mail; False if it was already."""
        unproven = self.filter(pk=pk).filter(Q(email_verified=False) | _UNREACHABLE)
        proven = {"email_verified": True, "email_verified_at": at}
        return bool(unproven.update(**proven, email_bounced_at=None, email_complained_at=None))

    def mark_unreachable(self, pk: uuid.UUID, *, complained: bool, at: dt.datetime) -> bool:
        """Note that an address takes no mail, or wants none; False if that is known, or older than its last proof."""
        field = "email_complained_at" if complained else "email_bounced_at"
        unproven_since = Q(email_verified_at=None) | Q(email_verified_at__lt=at)
        return bool(self.filter(unproven_since, pk=pk, **{field: None}).update(**{field: at}))

    def want_notices(self, pk: uuid.UUID, *, wanted: bool, at: dt.datetime) -> bool:
        """Remember whether a person wants notices; False if that is so already."""
        other = self.filter(pk=pk, notices_stopped_at__isnull=not wanted)
        return bool(other.update(notices_stopped_at=None if wanted else at))


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
            validate_password(password, self.model(email=email, **fields))
        proven = {"email_verified": True, "email_verified_at": timezone.now()}
        return self.create_user(email, password, **{"is_staff": True, "is_superuser": True, **proven, **fields})


def generated_username() -> str:
    """Return a username nobody has, made of nothing that identifies its owner."""
    return f"member-{new_jti()[:16]}"


def _normal(password: str | None) -> str | None:
    # Keyboards differ in how they compose an accented letter; nothing else is done to a password.
    return None if password is None else unicodedata.normalize("NFC", password)


class User(AbstractUser):
    """One person's account."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = models.EmailField(max_length=EMAIL_MAX_LENGTH)
    email_canonical = CanonicalField(of="email", max_length=EMAIL_MAX_LENGTH)
    username = models.CharField(max_length=USERNAME_MAX_LENGTH)
    # Case folding can lengthen a name: one letter becomes three at most.
    username_canonical = CanonicalField(of="username", max_length=3 * USERNAME_MAX_LENGTH)

    email_verified = models.BooleanField(default=False)
    email_verified_at = models.DateTimeField(null=True, blank=True)
    # Set by the mail provider; nothing but security mail goes there until the address is proven anew.
    email_bounced_at = models.DateTimeField(null=True, blank=True)
    email_complained_at = models.DateTimeField(null=True, blank=True)
    notices_stopped_at = models.DateTimeField(null=True, blank=True)
    password_changed_at = models.DateTimeField(default=timezone.now)
    password_breached_at = models.DateTimeField(null=True, blank=True)

    # Since when signing in takes a second factor; its seed and codes have tables of their own.
    second_factor_at = models.DateTimeField(null=True, blank=True, editable=False)

    failed_login_attempts = models.PositiveSmallIntegerField(default=0)
    locked_until = models.DateTimeField(null=True, blank=True)
    terms_accepted_at = models.DateTimeField(null=True, blank=True)
    privacy_policy_accepted_at = models.DateTimeField(null=True, blank=True)
    # Of which version; the history, with whence, is Consent's.
    terms_version = models.CharField(max_length=32, blank=True, default="")
    privacy_policy_version = models.CharField(max_length=32, blank=True, default="")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    date_joined = None  # type: ignore[assignment]  # The specification's name for it is created_at.

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []
    objects: ClassVar[UserManager] = UserManager()  # type: ignore[assignment]  # in place of Django's

    class Meta:
        indexes = (
            models.Index(fields=["username"], name="user_username"),
            models.Index(fields=["email_verified"], name="user_email_verified"),
            models.Index(fields=["created_at"], name="user_created_at"),
        )
        constraints = (
            # Constraints and not unique=True, which on PostgreSQL adds an index for LIKE that nothing uses.
            models.UniqueConstraint(fields=["email"], name="user_email_unique"),
            models.UniqueConstraint(fields=["email_canonical"], name="user_email_canonical_unique"),
            models.UniqueConstraint(fields=["username_canonical"], name="user_username_canonical_unique"),
            models.CheckConstraint(
                name="user_verified_has_a_time", condition=Q(email_verified=False) | Q(email_verified_at__isnull=False)
            ),
        )

    def __str__(self) -> str:
        return self.username

    def set_password(self, raw_password: str | None) -> None:
        """Set a new password, from when on every older token is dead."""
        self.password = make_password(_normal(raw_password))
        self._password = raw_password
        self.password_changed_at = timezone.now()
        self.password_breached_at = None

    def check_password(self, raw_password: str | None) -> bool:
        """Return whether this is the password; one made with older parameters is hashed anew."""

        def rehash(password: str) -> None:
            # Not set_password: the password is the same, and the tokens stay good. If another one was set while this
            # was hashed, it stays.
            old, self.password = self.password, make_password(password)
            User.objects.filter(pk=self.pk, password=old).update(password=self.password)
            PasswordHistory.objects.filter(user=self, password_hash=old).update(password_hash=self.password)

        return check_password(_normal(raw_password), self.password, rehash)

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        # Django's sessions, the admin's, end when the password changes; here also when a second factor comes or goes.
        key_salt = "authentication.User.session_auth_hash"
        since = self.second_factor_at.isoformat() if self.second_factor_at else ""
        return salted_hmac(key_salt, f"{self.password}|{since}", secret=secret, algorithm="sha256").hexdigest()

    def is_account_locked(self) -> bool:
        """Return whether the account is locked now."""
        return self.locked_until is not None and self.locked_until > timezone.now()

    def lock_account(self, duration: dt.timedelta | None = None) -> None:
        """Lock the account, for ACCOUNT_LOCKOUT_MINUTES unless told otherwise."""
        wait = duration or dt.timedelta(minutes=settings.ACCOUNT_LOCKOUT_MINUTES)
        self.locked_until = timezone.now() + wait
        self.save(update_fields=["locked_until"])

    def unlock_account(self) -> None:
        """Let the person try again at once."""
        self.failed_login_attempts, self.locked_until = 0, None
        self.save(update_fields=["failed_login_attempts", "locked_until"])

    def record_failed_login(self) -> None:
        """Count a failure; the last one allowed locks."""
        User.objects.reserve_attempt(self.pk, at=timezone.now())
        self.refresh_from_db(fields=["failed_login_attempts", "locked_until"])

    def record_successful_login(self) -> None:
        """Forget the failures and note the sign-in."""
        User.objects.sign_in(self, at=timezone.now())
        self.refresh_from_db(fields=["failed_login_attempts", "locked_until", "last_login"])
