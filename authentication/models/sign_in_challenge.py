"""A sign-in that waits for its second factor."""

import datetime as dt
import uuid
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from authentication.utils.crypto import digest, new_token

from .user import User

LIFETIME = dt.timedelta(minutes=5)
TRIES = 5


class SignInChallengeQuerySet(models.QuerySet["SignInChallenge"]):
    """Challenges, and the one statement each that counts a try and spends one."""

    def issue(self, user: User, *, at: dt.datetime, **wishes: Any) -> str:
        """Return the token of a new challenge; those of the person that have expired go."""
        token = new_token()
        self.filter(user=user, expires_at__lte=at).delete()
        self.create(
            user=user,
            token=digest(token),
            password_changed_at=user.password_changed_at,
            created_at=at,
            expires_at=at + LIFETIME,
            **wishes,
        )
        return token

    def take_try(self, token: str, *, at: dt.datetime) -> "SignInChallenge | None":
        """Return a token's challenge with its person, a try counted already, while it has tries left."""
        open_ones = self.filter(token=digest(token), used_at=None, expires_at__gt=at)
        if not open_ones.filter(tries__lt=TRIES).update(tries=F("tries") + 1):
            return None
        found = open_ones.select_related("user").first()
        return found if found and found.still_holds() else None

    def spend(self, pk: uuid.UUID, *, at: dt.datetime) -> bool:
        """Claim a challenge; of any number of callers one gets True."""
        return bool(self.filter(pk=pk, used_at=None).update(used_at=at))


class SignInChallenge(models.Model):
    """What was proven and wished for when a sign-in stopped at the second factor."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    token = models.CharField(max_length=64, unique=True, editable=False)  # SHA-256
    # The password it was opened with, told by its time: a new one voids the challenge.
    password_changed_at = models.DateTimeField()
    by_password = models.BooleanField()  # or by a mailed link
    remember_me = models.BooleanField(default=False)
    device_name = models.CharField(max_length=100, blank=True, default="")
    tries = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    objects = SignInChallengeQuerySet.as_manager()

    class Meta:
        indexes = (models.Index(fields=["expires_at"], name="challenge_expires_at"),)
        constraints = (
            models.CheckConstraint(
                name="challenge_expires_later", condition=Q(expires_at__gt=F("created_at"))
            ),
        )

    def __str__(self) -> str:
        return f"sign-in of {self.user_id}"

    def still_holds(self) -> bool:
        """Return whether the account is as it was when the sign-in began."""
        user = self.user
        same_password = user.password_changed_at == self.password_changed_at
        return user.is_active and same_password and user.second_factor_at is not None
