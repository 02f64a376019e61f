"""The groups that stand for the roles of staff, and the permissions of which they are made."""

from typing import Any

from django.contrib.auth.models import Group, Permission
from django.db import IntegrityError, transaction
from django.db.models import Q

from authentication.models import StaffRole

_HELPING = (
    *("view_user", "view_usersession", "unlock_user", "resend_mail"),
    *("view_staffnote", "add_staffnote"),
)
_ACTING = (
    *("change_user", "unlock_user", "resend_mail", "end_sessions", "correct_address"),
    *("remove_second_factor", "disable_user", "give_role", "invite_user", "import_users"),
    *("start_export", "request_deletion", "add_staffnote"),
    *("change_secondfactorremoval", "change_usersession", "add_tokenblacklist"),
    *("change_outgoingemail", "change_failedtask", "add_bulkaction"),
)
_EXPORTING = ("export_auditlog",)
OFFERED = (*_ACTING, *_EXPORTING)
"""The permissions that the admin asks for beyond reading; a form for a group offers no other."""


def offered_permissions() -> Any:
    """Return the permissions of which roles are made: reading, and what the admin offers."""
    own = Permission.objects.filter(content_type__app_label="authentication")
    return own.filter(Q(codename__startswith="view_") | Q(codename__in=OFFERED))


def make_roles() -> list[str]:
    """Make the groups of roles that are missing; return which. It may run in several processes.

    A role that exists is left alone: its permissions may have been changed by hand.
    """
    return [key for key in StaffRole.Key.values if _make(key)]


def _make(key: str) -> bool:
    if StaffRole.objects.filter(key=key).exists():
        return False
    name = StaffRole.Key(key).label
    if Group.objects.filter(name=name).exists():
        # A group of the installation, which may mean something else.
        name = f"{name} (role)"
    try:
        with transaction.atomic():
            group = Group.objects.create(name=name)
            group.permissions.set(_permissions_of(key))
            StaffRole.objects.create(key=key, group=group)
    except IntegrityError:
        if not StaffRole.objects.filter(key=key).exists():
            raise
        return False
    return True


def _permissions_of(key: str) -> Any:
    own = offered_permissions()
    if key == StaffRole.Key.HELPER:
        return own.filter(codename__in=_HELPING)
    beyond_reading = _ACTING if key == StaffRole.Key.ADMINISTRATOR else _EXPORTING
    return own.filter(Q(codename__startswith="view_") | Q(codename__in=beyond_reading))
