"""Ranks of staff: only superusers act on superusers."""

from authentication.exceptions import PermissionRefused
from authentication.models import User

_ONESELF = "This is your own account. Another member of staff has to do this."


def check_rank(actor: User | None, target: User) -> None:
    """Raise PermissionRefused if the target outranks the actor; commands have no actor."""
    if actor and target.is_superuser and not actor.is_superuser:
        raise PermissionRefused


def check_other(actor: User, target: User) -> None:
    """Raise PermissionRefused if the target outranks the actor, or is the actor.

    A stolen session of the admin would remove what protects it.
    """
    check_rank(actor, target)
    if actor.pk == target.pk:
        raise PermissionRefused(_ONESELF)


def may_change_other(actor: User | None, target: User) -> bool:
    """Return whether somebody is a member of staff now who may change another account."""
    if actor is None or not (actor.is_active and actor.is_staff):
        return False
    try:
        check_other(actor, target)
    except PermissionRefused:
        return False
    return actor.has_perm("authentication.change_user")
