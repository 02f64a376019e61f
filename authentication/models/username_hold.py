"""Usernames that are held: nobody else may take them, although no account may have them."""

import datetime as dt
import uuid
from typing import Any, ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from authentication.utils.crypto import pseudonym, pseudonyms
from authentication.utils.identifiers import canonical_username, username_skeleton

from .user import User

LEFT_NAME_HELD = dt.timedelta(days=90)
_NO_ACCOUNT = uuid.UUID(int=0)


class UsernameHoldQuerySet(models.QuerySet[Any]):
    """Holds, and the one query that tells whether a username is free."""

    def of_name(self, username: str) -> Self:
        """Return the holds of exactly this username, under every key in use."""
        return self.filter(name__in=_names_of(username))

    def is_taken(self, username: str, *, but: uuid.UUID | None = None) -> bool:
        """Return whether an account has a username, has one that looks like it, or one is held.

        `but` is the account that asks: its own name and the names held for it are free to it. One
        statement looks at both tables, so that a held name takes as long to refuse as a taken one.
        """
        skeleton = username_skeleton(username)
        like = Q(username_canonical=canonical_username(username)) | Q(username_skeleton=skeleton)
        held = Q(name__in=_names_of(username)) | Q(skeleton__in=pseudonyms("skeleton", skeleton))
        users = User.objects.filter(like).exclude(pk=but).values("pk")
        holds = self.filter(held)
        if but:
            holds = holds.exclude(user_id=but)
        return bool(users.union(holds.values("pk"), all=True).exists())

    def claim(self, username: str, *, user_id: uuid.UUID | None, at: dt.datetime) -> None:
        """Hold a username that is being taken; raises IntegrityError if another request does.

        Accounts are not the only ones to take names: a registration with a taken address does too.
        Of any number of both at once, one gets the name.
        """
        # Without an account the same statement finds nothing: the number of them tells nothing.
        self.of_name(username).filter(user_id=user_id or _NO_ACCOUNT).delete()
        self._store(username, user_id=user_id, reason=UsernameHold.Reason.CLAIMED, at=at)

    def leave(self, username: str, *, user_id: uuid.UUID | None, at: dt.datetime) -> None:
        """Hold a username that its account gives up, for 90 days; nobody's without `user_id`."""
        self.of_name(username).delete()
        self._store(username, user_id=user_id, reason=UsernameHold.Reason.LEFT, at=at)

    def _store(self, username: str, **fields: Any) -> None:
        at = fields.pop("at")
        name = pseudonym("username", canonical_username(username))
        skeleton = pseudonym("skeleton", username_skeleton(username))
        self.create(name=name, skeleton=skeleton, held_at=at, **fields)

    def left_before(self, at: dt.datetime) -> Self:
        """Return the holds of names that were given up long enough before a time."""
        return self.filter(reason=UsernameHold.Reason.LEFT, held_at__lte=at - LEFT_NAME_HELD)

    def claimed_before(self, at: dt.datetime) -> Self:
        """Return the holds of names whose accounts would be forgotten by a time if unproven.

        A registration with a taken address makes no account. Its name becomes free when that of an
        unproven account would: any other time would reveal which of the two it was.
        """
        kept = settings.UNVERIFIED_ACCOUNT_RETENTION
        if not kept:
            return self.none()
        return self.filter(reason=UsernameHold.Reason.CLAIMED, held_at__lte=at - kept)


class UsernameHold(models.Model):
    """A held username, as HMACs: it outlives the account that had it."""

    class Reason(models.TextChoices):
        """Why a username is held."""

        CLAIMED = "claimed", "Asked for at a registration or a change"
        LEFT = "left", "Given up by its account"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=64, unique=True, editable=False)
    skeleton = models.CharField(max_length=64, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    reason = models.CharField(max_length=8, choices=Reason.choices, editable=False)
    held_at = models.DateTimeField(default=timezone.now, editable=False)

    objects: ClassVar[Any] = UsernameHoldQuerySet.as_manager()

    class Meta:
        indexes = (
            models.Index(fields=["skeleton"], name="username_hold_skeleton"),
            models.Index(fields=["held_at"], name="username_hold_held_at"),
        )

    def __str__(self) -> str:
        return f"held username {self.pk}"


def _names_of(username: str) -> list[str]:
    return pseudonyms("username", canonical_username(username))
