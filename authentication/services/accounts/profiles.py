"""The profile of a user."""

import uuid
from typing import Any

from django.db import IntegrityError
from django.utils import timezone

from authentication.models import SensitiveChange, User, UserProfile, UserSession
from authentication.services.acting import acting
from authentication.services.audit import Event, record
from authentication.services.mail import EmailService, Kind
from authentication.utils.client import ClientInfo

from .reserved_usernames import rename, username_taken

_OF_USER = ("username", "first_name", "last_name", "language")
_OF_PROFILE = ("display_name", "timezone", "visibility")


class ProfileService:
    """The profile of a user."""

    @staticmethod
    def of(user: User) -> UserProfile:
        """Return a user's profile; an account made by a command gets one now."""
        try:
            return user.profile
        except UserProfile.DoesNotExist:
            return UserProfile.objects.get_or_create(user=user)[0]

    @staticmethod
    def timezone_of(user_id: uuid.UUID) -> str:
        """Return the name of a user's time zone; UTC without a profile."""
        return UserProfile.objects.timezone_of(user_id)

    @staticmethod
    def update(session: UserSession, changes: dict[str, Any], *, client: ClientInfo) -> UserProfile:
        """Change the fields named in `changes`.

        Another username needs a recent proof, and a mail with a link to undo it follows. The former
        one is held for its owner.

        Raises ValidationFailed for a taken username, SessionOver, ReauthenticationRequired.
        """
        wanted = changes.get("username", session.user.username)
        is_renamed = wanted != session.user.username
        if not is_renamed:
            changes = {name: value for name, value in changes.items() if name != "username"}
        try:
            with acting(session, recent_proof=is_renamed) as user:
                profile = ProfileService.of(user)
                if is_renamed:
                    former = user.username
                    rename(user, wanted, at=timezone.now())
                    _note_username(session, former)
                _assign(user, {name: changes[name] for name in _OF_USER if name in changes})
                _assign(profile, {name: changes[name] for name in _OF_PROFILE if name in changes})
                record(
                    Event.PROFILE_UPDATED, user_id=user.pk, client=client, fields=sorted(changes)
                )
        except IntegrityError:
            raise username_taken() from None
        return profile


def _note_username(session: UserSession, former: str) -> None:
    now = timezone.now()
    change = SensitiveChange.objects.note(
        SensitiveChange.Kind.USERNAME, session=session, at=now, **{"from": former}
    )
    EmailService.queue(
        Kind.USERNAME_CHANGED, user_id=session.user_id, undo=str(change.pk), when=now.isoformat()
    )


def _assign(row: User | UserProfile, values: dict[str, Any]) -> None:
    if not values:
        return
    for name, value in values.items():
        setattr(row, name, value)
    derived = ["username_canonical", "username_skeleton"] if "username" in values else []
    row.save(update_fields=[*values, *derived])
