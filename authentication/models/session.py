"""Sessions: a sign-in on one device, which decides whether its tokens are valid."""

import datetime as dt
import functools
import uuid
from typing import Any, ClassVar

from django.conf import settings
from django.db import models, transaction
from django.db.models import Exists, F, Q
from django.utils import timezone

from authentication.utils.clock import LEEWAY, not_before
from authentication.utils.crypto import derived_jti, new_jti

from .audit_log import AuditLog
from .blacklist import TokenBlacklist
from .compiled import CompiledQuery, Value
from .session_queries import UserSessionQuerySet

ACTIVITY_INTERVAL = dt.timedelta(minutes=5)
_NEAR_EXPIRY = dt.timedelta(days=1)


def _of_token(related: str, *, jti: str, session_id: uuid.UUID, user_id: uuid.UUID) -> Any:
    revoked = Exists(TokenBlacklist.objects.filter(jti=jti))
    found = UserSession.objects.filter(pk=session_id, user_id=user_id)
    return found.select_related(related).annotate(token_revoked=revoked)


_MARKS: dict[str, Value] = {
    "jti": "jti",
    "session_id": uuid.UUID(int=1),
    "user_id": uuid.UUID(int=2),
}
_OF_TOKEN = CompiledQuery(functools.partial(_of_token, "user"), **_MARKS)
_OF_TOKEN_WITH_PROFILE = CompiledQuery(functools.partial(_of_token, "user__profile"), **_MARKS)


class UserSession(models.Model):
    """A sign-in on one device; its id is the tokens' `sid`."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="sessions",
        db_index=False,  # `session_user_active` begins with it.
    )
    # The key that access token identifiers are derived with (access_jti).
    session_key = models.CharField(max_length=64, default=new_jti, editable=False)
    refresh_token_jti = models.CharField(max_length=64, default=new_jti, unique=True)
    previous_refresh_token_jti = models.CharField(max_length=64, blank=True, default="")
    # Whether the newest tokens have been used. Until then the previous refresh token may be
    # exchanged for them once more.
    successor_seen = models.BooleanField(default=False)
    remember_me = models.BooleanField(default=False)

    device_name = models.CharField(max_length=100, blank=True, default="")
    device_type = models.CharField(max_length=16, blank=True, default="")
    browser = models.CharField(max_length=64, blank=True, default="")
    operating_system = models.CharField(max_length=64, blank=True, default="")
    # The digest of the known device.
    device_fingerprint = models.CharField(max_length=64, blank=True, default="")
    user_agent = models.CharField(max_length=512, blank=True, default="")
    ip_address = models.GenericIPAddressField(null=True, blank=True)
    # A keyed hash of the network and user agent of the last refresh; empty before the first.
    last_client_digest = models.CharField(
        max_length=64, blank=True, default="", db_default="", editable=False
    )
    # Of the sign-in, as its address is: a city by its name, a country by its code (ISO 3166).
    city = models.CharField(max_length=100, blank=True, default="")
    country = models.CharField(max_length=100, blank=True, default="")

    is_active = models.BooleanField(default=True)
    is_verified = models.BooleanField(default=False)  # by a second factor
    # When a password or code was last given in this session; null after a mailed link.
    reauthenticated_at = models.DateTimeField(null=True, blank=True)
    password_proven_at = models.DateTimeField(null=True, blank=True)
    # Wrong passwords and codes that were given in this session.
    failed_login_attempts = models.PositiveSmallIntegerField(default=0, db_default=0)
    locked_until = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    last_activity_at = models.DateTimeField(default=timezone.now)
    last_rotation_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    end_reason = models.CharField(
        max_length=16, choices=TokenBlacklist.Reason.choices, blank=True, default=""
    )

    # Set by of_token(): whether the token the session was loaded for is on the blacklist.
    token_revoked = False

    objects: ClassVar[Any] = UserSessionQuerySet.as_manager()

    class Meta:
        indexes = (
            models.Index(fields=["user", "is_active"], name="session_user_active"),
            models.Index(fields=["expires_at"], name="session_expires_at"),
            models.Index(fields=["expires_at"], name="session_live", condition=Q(is_active=True)),
            # The admin's filters. A refresh writes neither: its session has not ended.
            models.Index(fields=["expires_at"], name="session_ended", condition=Q(is_active=False)),
            models.Index(
                fields=["end_reason", "expires_at"],
                name="session_end_reason",
                condition=~Q(end_reason=""),
            ),
        )
        constraints = (
            models.CheckConstraint(
                name="session_expires_after_creation", condition=Q(expires_at__gt=F("created_at"))
            ),
            models.CheckConstraint(
                name="session_ended_has_a_time",
                condition=Q(is_active=True) | Q(ended_at__isnull=False),
            ),
        )

    def __str__(self) -> str:
        return f"{self.device_name or 'session'} {self.pk}"

    @classmethod
    def of_token(
        cls,
        *,
        jti: str,
        session_id: uuid.UUID,
        user_id: uuid.UUID,
        with_profile: bool = False,
    ) -> Any:
        """Return a token's session with its user and `token_revoked`, in one query."""
        query = _OF_TOKEN_WITH_PROFILE if with_profile else _OF_TOKEN
        return query.get(jti=jti, session_id=session_id, user_id=user_id)

    @property
    def access_jti(self) -> str:
        """The identifier of the access tokens issued with the newest refresh token."""
        return derived_jti(self.session_key, self.refresh_token_jti)

    def is_live(self, *, at: dt.datetime) -> bool:
        """Return whether the session has not ended or expired, and its account is active."""
        return self.is_active and self.expires_at > at and self.user.is_active

    def predates_password(self) -> bool:
        """Return whether the newest tokens are older than the password.

        Compared by the row's time: the tokens' own times are whole seconds.
        """
        return self.last_rotation_at < self.user.password_changed_at

    def is_proven(self, *, at: dt.datetime) -> bool:
        """Return whether the session has a proof no older than REAUTHENTICATION_MINUTES.

        An account with a second factor needs a code: a password from before it was set up is not
        enough.
        """
        if self.reauthenticated_at is None or (self.user.second_factor_at and not self.is_verified):
            return False
        return at < self.reauthenticated_at + settings.REAUTHENTICATION_LIFETIME

    def has_recent_password(self, *, at: dt.datetime) -> bool:
        """Return whether the password was given in the session within REAUTHENTICATION_MINUTES."""
        given_at = self.password_proven_at
        return given_at is not None and at < given_at + settings.REAUTHENTICATION_LIFETIME

    def is_in_grace(self, jti: str, *, at: dt.datetime) -> bool:
        """Return whether a replaced refresh token may get its successor again.

        It may within REFRESH_REUSE_GRACE of the rotation, or later if the new tokens are unused.
        The rotation's time may be another replica's.
        """
        if not jti or jti != self.previous_refresh_token_jti:
            return False
        ends_at = self.last_rotation_at + settings.REFRESH_REUSE_GRACE + LEEWAY
        return at <= ends_at or not self.successor_seen

    def activity(self, *, at: dt.datetime) -> dt.datetime:
        """Return the activity time to store: a new one every five minutes at most."""
        return at if at - self.last_activity_at >= ACTIVITY_INTERVAL else self.last_activity_at

    def next_expiry(self, *, at: dt.datetime) -> dt.datetime:
        """Return when the session expires without further use; never past the absolute limit."""
        lifetime = (
            settings.SESSION_REMEMBERED_LIFETIME if self.remember_me else settings.SESSION_LIFETIME
        )
        return min(at + lifetime, self.created_at + settings.SESSION_ABSOLUTE_LIFETIME)

    def is_expired(self) -> bool:
        """Return whether the session has expired."""
        return self.expires_at <= timezone.now()

    def is_near_expiry(self, within: dt.timedelta = _NEAR_EXPIRY) -> bool:
        """Return whether the session expires within a time, by default a day."""
        return self.expires_at <= timezone.now() + within

    def needs_rotation(self) -> bool:
        """Return whether the newest access token has expired."""
        lifetime: dt.timedelta = settings.SIMPLE_JWT["ACCESS_TOKEN_LIFETIME"]
        return self.last_rotation_at + lifetime <= timezone.now()

    def mark_rotation(self, jti: str = "") -> bool:
        """Replace the refresh token's identifier, by default with a new one.

        Returns False if another request was faster. The row is read again in either case.
        """
        at = not_before(timezone.now(), self.last_rotation_at, self.user.password_changed_at)
        swapped = UserSession.objects.swap_jti(self, new=jti or new_jti(), at=at)
        self.refresh_from_db()
        return swapped

    def deactivate(self, reason: str = TokenBlacklist.Reason.TERMINATED) -> bool:
        """End the session, with an event in the audit log; False if it had ended."""
        with transaction.atomic():
            ended = UserSession.objects.filter(pk=self.pk).end(reason=reason, at=timezone.now())
            if ended:
                AuditLog.log_event(
                    AuditLog.Event.SESSION_TERMINATED,
                    user_id=self.user_id,
                    metadata={"session": str(self.pk), "reason": reason},
                )
        self.refresh_from_db()
        return bool(ended)

    def extend_expiry(self) -> None:
        """Renew the expiry, within the absolute limit."""
        self.expires_at = self.next_expiry(at=timezone.now())
        self.save(update_fields=["expires_at"])

    @classmethod
    def cleanup_expired(cls) -> int:
        """End the expired sessions; return how many."""
        return cls.objects.expire(at=timezone.now())
