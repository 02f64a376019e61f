"""Sessions: a sign-in on one device, which decides whether its tokens are valid."""

import datetime as dt
import uuid
from typing import Self

from django.conf import settings
from django.db import models, transaction
from django.db.models import Exists, F, Q
from django.utils import timezone

from authentication.utils.crypto import derived_jti, new_jti

from .blacklist import TokenBlacklist
from .compiled import CompiledQuery

ACTIVITY_INTERVAL = dt.timedelta(minutes=5)
_NEAR_EXPIRY = dt.timedelta(days=1)


class UserSessionQuerySet(models.QuerySet["UserSession"]):
    """Sessions, and the transitions that requests race for, one statement each."""

    def live(self, *, at: dt.datetime) -> Self:
        """Return the sessions that are neither ended nor expired."""
        return self.filter(is_active=True, expires_at__gt=at)

    def since_password(self) -> Self:
        """Return the sessions whose tokens are no older than their user's password."""
        return self.filter(last_rotation_at__gte=F("user__password_changed_at"))

    def of_token(
        self, *, jti: str, session_id: uuid.UUID, user_id: uuid.UUID
    ) -> "UserSession | None":
        """Return a token's session with its user, and whether the token was revoked, in one query."""
        return _OF_TOKEN.get(jti=jti, session_id=session_id, user_id=user_id)

    def swap_jti(self, session: "UserSession", *, new: str, at: dt.datetime) -> bool:
        """Replace the refresh token the session was loaded with; False if another request was faster.

        The filter uses columns of this table alone, so that PostgreSQL checks it again after
        waiting for the row.
        """
        mine = self.filter(
            pk=session.pk, refresh_token_jti=session.refresh_token_jti, is_active=True
        )
        return bool(
            mine.update(
                previous_refresh_token_jti=F("refresh_token_jti"),
                refresh_token_jti=new,
                successor_seen=False,
                last_rotation_at=at,
                last_activity_at=session.activity(at=at),
                expires_at=session.next_expiry(at=at),
            )
        )

    def touch(self, session: "UserSession", *, seen: bool, at: dt.datetime) -> None:
        """Store the time of the activity, and whether the newest tokens have been used."""
        same = self.filter(pk=session.pk, refresh_token_jti=session.refresh_token_jti)
        same.update(last_activity_at=session.activity(at=at), successor_seen=seen)

    def reauthenticate(self, pk: uuid.UUID, *, by_factor: bool = False, at: dt.datetime) -> bool:
        """Store the time of a proof of identity; False if the session has ended.

        A second factor verifies the session for the rest of its life.
        """
        level = {"is_verified": True} if by_factor else {}
        return bool(self.filter(pk=pk, is_active=True).update(reauthenticated_at=at, **level))

    def end(self, *, reason: str, at: dt.datetime) -> int:
        """End the live sessions of the set, revoke their refresh tokens, return how many ended.

        Call it in a transaction: it locks the rows, so that no rotation comes between reading and
        revoking.
        """
        # Ordered, so that two callers who end the same sessions do not deadlock.
        running = list(self.filter(is_active=True).order_by("pk").select_for_update())
        if not running:
            return 0
        tokens = [
            TokenBlacklist(
                jti=session.refresh_token_jti,
                user_id=session.user_id,
                expires_at=session.expires_at,
                reason=reason,
            )
            for session in running
        ]
        TokenBlacklist.objects.bulk_create(tokens, ignore_conflicts=True)
        mine = self.model.objects.filter(pk__in=[session.pk for session in running], is_active=True)
        return mine.update(is_active=False, ended_at=at, end_reason=reason)

    def expired(self, *, at: dt.datetime) -> Self:
        """Return the sessions that have expired and were not ended."""
        return self.filter(is_active=True, expires_at__lte=at)

    def expire(self, *, at: dt.datetime) -> int:
        """End the expired sessions of the set, and return how many.

        Their refresh tokens have expired with them and need no revoking.
        """
        reason = TokenBlacklist.Reason.EXPIRED
        return self.expired(at=at).update(is_active=False, ended_at=at, end_reason=reason)


def _of_token(
    *, jti: str, session_id: uuid.UUID, user_id: uuid.UUID
) -> models.QuerySet["UserSession"]:
    revoked = Exists(TokenBlacklist.objects.filter(jti=jti))
    found = UserSession.objects.filter(pk=session_id, user_id=user_id)
    return found.select_related("user").annotate(token_revoked=revoked)  # type: ignore[no-redef]  # declared below


_OF_TOKEN = CompiledQuery(
    _of_token, jti="jti", session_id=uuid.UUID(int=1), user_id=uuid.UUID(int=2)
)


class UserSession(models.Model):
    """A sign-in on one device; its id is the tokens' `sid`."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="sessions"
    )
    # The session's own key: ties an access token's identifier to its refresh token's (see
    # access_jti).
    session_key = models.CharField(max_length=64, default=new_jti, editable=False)
    refresh_token_jti = models.CharField(max_length=64, default=new_jti, unique=True)
    previous_refresh_token_jti = models.CharField(max_length=64, blank=True, default="")
    # Whether the newest tokens have been used: until then their predecessor may fetch them again.
    successor_seen = models.BooleanField(default=False)
    remember_me = models.BooleanField(default=False)

    device_name = models.CharField(max_length=100, blank=True, default="")
    device_type = models.CharField(max_length=16, blank=True, default="")
    browser = models.CharField(max_length=64, blank=True, default="")
    operating_system = models.CharField(max_length=64, blank=True, default="")
    device_fingerprint = models.CharField(max_length=64, blank=True, default="")
    user_agent = models.CharField(max_length=512, blank=True, default="")
    ip_address = models.GenericIPAddressField(null=True, blank=True)
    city = models.CharField(max_length=100, blank=True, default="")
    country = models.CharField(max_length=100, blank=True, default="")

    is_active = models.BooleanField(default=True)
    is_verified = models.BooleanField(default=False)  # by a second factor
    # When the person last proved who they are, on this device; null if only a mailed link has
    # vouched for them.
    reauthenticated_at = models.DateTimeField(null=True, blank=True)
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

    objects = UserSessionQuerySet.as_manager()

    class Meta:
        indexes = (
            models.Index(fields=["user", "is_active"], name="session_user_active"),
            models.Index(fields=["session_key"], name="session_key"),
            models.Index(fields=["device_fingerprint"], name="session_fingerprint"),
            models.Index(fields=["expires_at"], name="session_expires_at"),
            models.Index(fields=["expires_at"], name="session_live", condition=Q(is_active=True)),
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

    @property
    def access_jti(self) -> str:
        """The identifier of the access tokens issued with the newest refresh token."""
        return derived_jti(self.session_key, self.refresh_token_jti)

    def is_live(self, *, at: dt.datetime) -> bool:
        """Return whether the session runs, for a person who may be signed in."""
        return self.is_active and self.expires_at > at and self.user.is_active

    def predates_password(self) -> bool:
        """Return whether the newest tokens are older than the password; no newer ones are issued then.

        Compared here and not by the tokens' own times, which are whole seconds.
        """
        return self.last_rotation_at < self.user.password_changed_at

    def is_proven(self, *, at: dt.datetime) -> bool:
        """Return whether the person proved who they are a short while ago, REAUTHENTICATION_MINUTES at most.

        Who has a second factor must have given that: a password alone, from before it was set up,
        says too little.
        """
        if self.reauthenticated_at is None or (self.user.second_factor_at and not self.is_verified):
            return False
        return at < self.reauthenticated_at + settings.REAUTHENTICATION_LIFETIME

    def forgives(self, jti: str, *, at: dt.datetime) -> bool:
        """Return whether a replaced token may have its successor again: at once, or while the successor is unused."""
        if not jti or jti != self.previous_refresh_token_jti:
            return False
        return at <= self.last_rotation_at + settings.REFRESH_REUSE_GRACE or not self.successor_seen

    def activity(self, *, at: dt.datetime) -> dt.datetime:
        """Return the time of the last activity to write: a new one only every few minutes."""
        return at if at - self.last_activity_at >= ACTIVITY_INTERVAL else self.last_activity_at

    def next_expiry(self, *, at: dt.datetime) -> dt.datetime:
        """Return when the session ends if nothing more is done with it; never past the absolute limit."""
        lifetime = (
            settings.SESSION_REMEMBERED_LIFETIME if self.remember_me else settings.SESSION_LIFETIME
        )
        return min(at + lifetime, self.created_at + settings.SESSION_ABSOLUTE_LIFETIME)

    def is_expired(self) -> bool:
        """Return whether the session's time is over."""
        return self.expires_at <= timezone.now()

    def is_near_expiry(self, within: dt.timedelta = _NEAR_EXPIRY) -> bool:
        """Return whether the session's time is over soon, a day unless told otherwise."""
        return self.expires_at <= timezone.now() + within

    def needs_rotation(self) -> bool:
        """Return whether the newest access token has expired, so that a client will come to refresh."""
        lifetime: dt.timedelta = settings.SIMPLE_JWT["ACCESS_TOKEN_LIFETIME"]
        return self.last_rotation_at + lifetime <= timezone.now()

    def mark_rotation(self, new_jti: str) -> bool:
        """Swap the refresh token's identifier; False if another request was faster."""
        now = timezone.now()
        swapped = UserSession.objects.swap_jti(self, new=new_jti, at=now)
        self.refresh_from_db()
        return swapped

    def deactivate(self, reason: str = TokenBlacklist.Reason.TERMINATED) -> bool:
        """End the session; False if it had ended."""
        with transaction.atomic():
            ended = UserSession.objects.filter(pk=self.pk).end(reason=reason, at=timezone.now())
        self.refresh_from_db()
        return bool(ended)

    def extend_expiry(self) -> None:
        """Let the session's time begin anew, within its absolute limit."""
        self.expires_at = self.next_expiry(at=timezone.now())
        self.save(update_fields=["expires_at"])

    @classmethod
    def cleanup_expired(cls) -> int:
        """End the sessions whose time is over; return how many."""
        return cls.objects.expire(at=timezone.now())
