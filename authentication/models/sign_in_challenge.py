"""A sign-in that waits for its second factor."""

import datetime as dt
import uuid
from typing import Any, ClassVar

from django.db import models
from django.db.models import F

from .one_time_token import OneTimeToken, OneTimeTokenQuerySet, expires_after_creation
from .user import User

LIFETIME = dt.timedelta(minutes=5)
TRIES = 5


class SignInChallengeQuerySet(OneTimeTokenQuerySet):
    """Challenges, and the one statement that counts a try."""

    def issue(self, user: User, *, at: dt.datetime, **request: Any) -> str:
        """Return the token of a new challenge; expired ones of the user are deleted.

        `request` holds by_password, device_name and remember_me.
        """
        self.filter(user=user, expires_at__lte=at).delete()
        changed_at, expires_at = user.password_changed_at, at + LIFETIME
        return self.issue_token(
            user.pk, at=at, password_changed_at=changed_at, expires_at=expires_at, **request
        )

    def reserve_try(self, token: str, *, at: dt.datetime) -> bool:
        """Count a try of a token's challenge before its code is checked; False if none is left."""
        with_tries = self.usable(token, at=at).filter(tries__lt=TRIES)
        return bool(with_tries.update(tries=F("tries") + 1))


class SignInChallenge(OneTimeToken):
    """What a sign-in had proven and asked for when it stopped at the second factor."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # The password it was opened with, by its time: a new password voids the challenge.
    password_changed_at = models.DateTimeField()
    by_password = models.BooleanField()  # else by a mailed link
    remember_me = models.BooleanField(default=False)
    device_name = models.CharField(max_length=100, blank=True, default="")
    tries = models.PositiveSmallIntegerField(default=0)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[Any] = SignInChallengeQuerySet.as_manager()

    class Meta:
        indexes = (models.Index(fields=["expires_at"], name="challenge_expires_at"),)
        constraints = (expires_after_creation("challenge_expires_later"),)

    def __str__(self) -> str:
        return f"sign-in of {self.user_id}"

    def is_bound(self) -> bool:
        """Return whether password and second factor are those the sign-in began with."""
        same_password = self.user.password_changed_at == self.password_changed_at
        return same_password and self.user.second_factor_at is not None
