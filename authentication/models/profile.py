"""Profiles: display name, time zone and visibility."""

import uuid

from django.conf import settings
from django.db import models

from .compiled import CompiledQuery


class UserProfileQuerySet(models.QuerySet["UserProfile"]):
    """Queries of profiles."""

    def for_user(self, user_id: uuid.UUID) -> "UserProfile | None":
        """Return the profile of a user, or None."""
        return _OF_USER.get(user_id=user_id)

    def timezone_of(self, user_id: uuid.UUID) -> str:
        """Return the name of a user's time zone; UTC without a profile."""
        profile = self.for_user(user_id)
        return profile.timezone if profile else "UTC"


def _of_user(*, user_id: uuid.UUID) -> models.QuerySet["UserProfile"]:
    return UserProfile.objects.filter(pk=user_id)


_OF_USER = CompiledQuery(_of_user, user_id=uuid.UUID(int=1))


class UserProfile(models.Model):
    """The part of an account that is not needed to sign in."""

    class Visibility(models.TextChoices):
        """Who may see the profile: by default only its owner."""

        PRIVATE = "private"
        MEMBERS = "members"
        PUBLIC = "public"

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="profile"
    )
    display_name = models.CharField(max_length=80, blank=True, default="")
    timezone = models.CharField(max_length=64, default="UTC")
    visibility = models.CharField(
        max_length=16, choices=Visibility.choices, default=Visibility.PRIVATE
    )

    objects = UserProfileQuerySet.as_manager()

    class Meta:
        indexes = (
            models.Index(
                fields=["visibility", "user"],
                name="profile_visibility",
                condition=~models.Q(visibility="private"),
            ),
        )
        constraints = (
            models.CheckConstraint(
                name="profile_visibility_known",
                condition=models.Q(visibility__in=["private", "members", "public"]),
            ),
        )

    def __str__(self) -> str:
        return self.display_name or str(self.pk)
