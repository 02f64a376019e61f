"""Ranks of staff: only superusers act on superusers."""

from authentication.exceptions import PermissionRefused
from authentication.models import User


def check_rank(actor: User | None, target: User) -> None:
    """Raise PermissionRefused if the target outranks the actor; commands have no actor."""
    if actor and target.is_superuser and not actor.is_superuser:
        raise PermissionRefused
