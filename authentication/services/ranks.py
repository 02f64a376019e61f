"""Ranks of staff: who may act on whom."""

import datetime as dt

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from authentication.exceptions import PermissionRefused
from authentication.models import AuditLog, User, rights_of

_LAST = _("This is the only superuser. Please make someone else a superuser first.")
_TOO_NEW = _("Your role is less than seven days old. Another member of staff has to do this.")
_NEW = dt.timedelta(days=7)
_EQUAL = _("This person has as many rights as you have. Someone with more rights has to do this.")
_ONESELF = _("This is your own account. Another member of staff has to do this.")


def has_rights_beyond(target: User, actor: User) -> bool:
    """Return whether an account has a right that a member of staff lacks.

    Of two with different rights, each may have one that the other lacks. Both are read from the
    database: rights may have been given or taken since the request began.
    """
    if actor.is_superuser or actor.pk == target.pk:
        return False
    if target.is_superuser:
        return True
    return target.is_staff and not rights_of(target) <= rights_of(actor)


def ranks_below(target: User, actor: User) -> bool:
    """Return whether an account has fewer rights than a member of staff, disabled or not."""
    if actor.is_superuser:
        return True
    return not target.is_superuser and rights_of(target) < rights_of(actor)


def check_below(actor: User | None, target: User) -> None:
    """Raise PermissionRefused if the target is staff, unless it has fewer rights than the actor.

    Of two equals, none takes or gives back what the other has: an owner decides.
    """
    is_staff = target.is_staff or target.is_superuser
    if actor and is_staff and not ranks_below(target, actor):
        raise PermissionRefused(_EQUAL)


def check_rank(actor: User | None, target: User) -> None:
    """Raise PermissionRefused if the target has a right that the actor lacks; None is a command."""
    if actor and has_rights_beyond(target, actor):
        raise PermissionRefused


def check_other(actor: User, target: User) -> None:
    """Raise PermissionRefused if the target has a right that the actor lacks, or is the actor.

    A stolen session of the admin would remove what protects it.
    """
    check_rank(actor, target)
    if actor.pk == target.pk:
        raise PermissionRefused(_ONESELF)


def check_not_new(actor: User) -> None:
    """Raise PermissionRefused if a member of staff gave the actor a role within seven days.

    An administrator could give a role to a second account of their own, and confirm with that.
    """
    given = AuditLog.objects.filter(
        user=actor,
        event_type=AuditLog.Event.ADMIN_ACTION,
        timestamp__gt=timezone.now() - _NEW,
        metadata__action="give_role",
    )
    if given.exclude(metadata__actor="command line").exists():
        raise PermissionRefused(_TOO_NEW)


def check_not_last_owner(target: User) -> None:
    """Raise PermissionRefused if no superuser would be left without the target.

    It locks the target's row. A superuser whose row another transaction has locked may be leaving
    too, and does not count.
    """
    User.objects.lock_row(target.pk)
    owners = User.objects.owners()
    if owners.filter(pk=target.pk).exists():
        others = owners.exclude(pk=target.pk).select_for_update(skip_locked=True, no_key=True)
        if not others.first():
            raise PermissionRefused(_LAST)


def may_remove_factor(actor: User | None, target: User) -> bool:
    """Return whether an account is staff now, and may remove the second factor of another one."""
    if actor is None or not (actor.is_active and actor.is_staff):
        return False
    try:
        check_other(actor, target)
    except PermissionRefused:
        return False
    return actor.has_perm("authentication.remove_second_factor")
