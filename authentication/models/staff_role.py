"""The roles of staff, and the permissions they are made of."""

from collections.abc import Iterable
from typing import Any

from django.contrib.auth.models import Group, Permission
from django.db import models
from django.db.models import Q

ACCOUNT_PERMISSIONS = (
    ("unlock_user", "Can unlock accounts"),
    ("resend_mail", "Can send links to verify an address or choose a password"),
    ("end_sessions", "Can sign people out everywhere"),
    ("correct_address", "Can correct an address that was never confirmed"),
    ("remove_second_factor", "Can ask for the removal of a second factor"),
    ("disable_user", "Can disable and enable accounts"),
    ("start_export", "Can start a copy of a person's data"),
    ("request_deletion", "Can start the deletion of an account"),
    ("give_role", "Can give roles to staff"),
)
"""What staff may do to an account, each by its own permission, with the words for it."""

# One permission stood for all of these before. Staff who have it keep what they could do.
_CHANGE_USER = "authentication.change_user"
_NEVER_IMPLIED = {"start_export", "request_deletion", "give_role"}
_IMPLIED = frozenset(
    f"authentication.{name}" for name, _ in ACCOUNT_PERMISSIONS if name not in _NEVER_IMPLIED
)


def with_implied(rights: Iterable[str]) -> frozenset[str]:
    """Return permissions, as "app.codename", with those that `change_user` stands for."""
    found = frozenset(rights)
    return found | _IMPLIED if _CHANGE_USER in found else found


def rights_of(user: Any) -> frozenset[str]:
    """Return the permissions of an account as the database has them now, disabled or not.

    Superusers have every right; it is not among these.
    """
    held = Permission.objects.filter(Q(user=user.pk) | Q(group__user=user.pk))
    names = held.values_list("content_type__app_label", "codename").distinct()
    return with_implied(f"{app}.{name}" for app, name in names)


def rights_of_group(group: Group) -> frozenset[str]:
    """Return the permissions of a group."""
    names = group.permissions.values_list("content_type__app_label", "codename")
    return with_implied(f"{app}.{name}" for app, name in names)


class StaffRole(models.Model):
    """A role: which group stands for it. The group may be renamed, and its permissions changed."""

    class Key(models.TextChoices):
        """The roles below that of a superuser, who is called the owner."""

        HELPER = "helper"
        ADMINISTRATOR = "administrator"
        AUDITOR = "auditor"

    key = models.CharField(max_length=16, primary_key=True, choices=Key.choices)
    group = models.OneToOneField(Group, on_delete=models.CASCADE, related_name="staff_role")

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.key
