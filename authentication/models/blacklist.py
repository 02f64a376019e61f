"""Revoked tokens, by JWT ID."""

import contextlib
import datetime as dt
import uuid
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import models
from django.utils import timezone

from authentication.utils.crypto import digest
from authentication.utils.tokens import AccessToken, Claims, InvalidToken, RefreshToken

_NOT_OURS = "Give the JWT ID of a token, or a token that this service signed."


class TokenBlacklist(models.Model):
    """A revoked token. Only its JWT ID is stored: the token itself would be a usable secret."""

    class Reason(models.TextChoices):
        """Why a token was revoked."""

        ROTATION = "rotation"
        LOGOUT = "logout"
        TERMINATED = "terminated"
        EVICTED = "evicted"
        REUSE = "reuse"
        PASSWORD_CHANGE = "password_change"  # noqa: S105 -- a reason's name
        PASSWORD_RESET = "password_reset"  # noqa: S105 -- a reason's name
        COMPROMISED = "compromised"
        DISOWNED = "disowned"
        DELETION = "deletion"
        SECOND_FACTOR = "second_factor"
        ADMIN = "admin"
        EXPIRED = "expired"

    jti = models.CharField(max_length=64, unique=True)
    # The SHA-256 of the token, if the caller has the token itself.
    token = models.CharField(max_length=64, blank=True, default="", editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, blank=True, related_name="+"
    )
    expires_at = models.DateTimeField()
    blacklisted_at = models.DateTimeField(default=timezone.now)
    reason = models.CharField(max_length=32, choices=Reason.choices, default=Reason.ADMIN)

    class Meta:
        verbose_name = "revoked token"
        indexes = (
            models.Index(fields=["expires_at"], name="blacklist_expires_at"),
            # The admin's filter. A refresh does not write it.
            models.Index(
                fields=["reason", "id"],
                name="blacklist_reason",
                condition=~models.Q(reason="rotation"),
            ),
        )

    def __str__(self) -> str:
        return f"{self.jti} ({self.reason})"

    @classmethod
    def is_token_blacklisted(cls, jti: str) -> bool:
        """Return whether this token was revoked."""
        return cls.objects.filter(jti=jti).exists()

    @classmethod
    def blacklist_token(
        cls,
        jti: str = "",
        *,
        token: str = "",
        user: Any = None,
        user_id: uuid.UUID | None = None,
        expires_at: dt.datetime | None = None,
        reason: str = Reason.ADMIN,
    ) -> None:
        """Revoke a token, given by its JWT ID or as it is; a revoked one keeps its first reason.

        The row is kept until `expires_at`, by default for as long as a refresh token can live.

        Raises ValueError if neither is given, or if `token` is not one that we signed, or not that
        of `jti`.
        """
        user_id = user.pk if user else user_id
        if token:
            claims = _claims_of(token)
            if claims is None or jti not in {"", claims.jti}:
                raise ValueError(_NOT_OURS)
            # The account may be erased by now.
            owner = get_user_model().objects.filter(pk=claims.user_id).values_list("pk", flat=True)
            jti, user_id = claims.jti, user_id or owner.first()
        if not jti:
            raise ValueError(_NOT_OURS)
        revoked = TokenBlacklist(
            jti=jti,
            token=digest(token) if token else "",
            user_id=user_id,
            expires_at=expires_at or timezone.now() + settings.SESSION_REMEMBERED_LIFETIME,
            reason=reason,
        )
        TokenBlacklist.objects.bulk_create([revoked], ignore_conflicts=True)

    @classmethod
    def cleanup_expired(cls) -> int:
        """Delete expired rows and return their number. Expired tokens are refused anyway."""
        return cls.objects.filter(expires_at__lte=timezone.now()).delete()[0]


def _claims_of(token: str) -> Claims | None:
    for kind in (RefreshToken, AccessToken):
        with contextlib.suppress(InvalidToken):
            return Claims.read(kind, token, expired=True)
    return None
