"""Roles of staff: making them, and giving them to people."""

import uuid
from typing import Any

from django.contrib.auth.models import Group, Permission
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from authentication.exceptions import PermissionRefused
from authentication.models import StaffRole, User, rights_of, rights_of_group
from authentication.services import revocation
from authentication.services.acted_by import ActedBy
from authentication.services.audit import Risk
from authentication.services.ranks import check_not_last_owner, check_rank

NONE, OWNER, OWN_RIGHTS = "none", "owner", "own rights"
_GROUP = "group-"
_GIVING = "authentication.give_role"
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
_TOO_HIGH = _("You may not give rights that you lack.")
_HAS_IT = _("This is the role that they have.")
_NOT_PROVEN = _("Roles are for people who have confirmed their address.")
_CLOSED = _("This account is disabled or being deleted.")
_NO_SUCH = _("There is no such role.")
_LABELS = {
    NONE: _("No role: not a member of staff"),
    StaffRole.Key.HELPER: _("Helper: sees people and devices, unlocks, sends links again"),
    StaffRole.Key.ADMINISTRATOR: _("Administrator: all that can be done for a person"),
    StaffRole.Key.AUDITOR: _("Auditor: reads everything, exports the audit log"),
    OWNER: _("Owner: everything"),
}
_NAMES = {
    NONE: _("No role"),
    StaffRole.Key.HELPER: _("Helper"),
    StaffRole.Key.ADMINISTRATOR: _("Administrator"),
    StaffRole.Key.AUDITOR: _("Auditor"),
    OWNER: _("Owner"),
    OWN_RIGHTS: _("Rights of their own"),
}


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


def role_of(user: User) -> str:
    """Return the role of an account: "owner", "none", a key, "group-3" or "own rights"."""
    if user.is_superuser:
        return OWNER if user.is_staff else OWN_RIGHTS
    groups = list(user.groups.select_related("staff_role")[:2])
    has_own = user.user_permissions.exists()
    if not user.is_staff:
        return OWN_RIGHTS if groups or has_own else NONE
    if has_own or len(groups) != 1:
        return OWN_RIGHTS
    return _choice_of(groups[0])


def _choice_of(group: Group) -> str:
    role: StaffRole | None = getattr(group, "staff_role", None)
    return role.key if role else f"{_GROUP}{group.pk}"


def name_of_role(user: User) -> str:
    """Return the role of a member of staff in words."""
    role = role_of(user)
    if role.startswith(_GROUP):
        return str(user.groups.get().name)
    return str(_NAMES[role])


def role_choices(actor: User) -> list[tuple[str, str]]:
    """Return the roles that a member of staff may give, with words for them.

    Groups of the installation are offered to superusers alone.
    """
    choices: list[tuple[str, str]] = [(NONE, str(_LABELS[NONE]))]
    own = None if actor.is_superuser else rights_of(actor)
    choices += [
        (role.key, str(_LABELS[role.key]))
        for role in StaffRole.objects.select_related("group")
        if own is None or rights_of_group(role.group) <= own
    ]
    if actor.is_superuser:
        others = Group.objects.filter(staff_role=None).order_by("name")
        words = gettext("The group “{name}”")
        choices += [(f"{_GROUP}{it.pk}", words.format(name=it.name)) for it in others]
        choices.append((OWNER, str(_LABELS[OWNER])))
    order = [*_LABELS]
    return sorted(choices, key=lambda it: order.index(it[0]) if it[0] in order else 3.5)


class RoleService:
    """Giving roles."""

    @staticmethod
    def give(
        user: User,
        role: str,
        *,
        by: ActedBy,
    ) -> None:
        """Give an account a role in place of all rights that it has, or take it with "none".

        If rights are lost, the sessions of the admin end. Raises PermissionRefused if the account
        outranks the actor, the role has rights that the actor lacks, the account's address is not
        proven or the account is closed, it has this role, or no superuser would be left.
        """
        with transaction.atomic():
            rows = _lock({it.pk for it in (user, by.actor) if it})
            target, giver = rows[user.pk], rows[by.actor.pk] if by.actor else None
            check_rank(giver, target)
            if giver and not (giver.is_staff and giver.has_perm(_GIVING)):
                raise PermissionRefused
            group = _group_of(role, giver)
            old = role_of(target)
            _check(target, old=old, new=role)
            _store(target, group, is_owner=role == OWNER)
            by.note("give_role", target.pk, risk=Risk.HIGH, old=old, new=role)


def _lock(ids: set[uuid.UUID]) -> dict[uuid.UUID, User]:
    """Lock accounts in the order of their ids: two who act on each other must not deadlock."""
    rows = User.objects.filter(pk__in=ids).order_by("pk").select_for_update(no_key=True)
    found = {row.pk: row for row in rows}
    if found.keys() != ids:
        raise PermissionRefused(_CLOSED)
    return found


def _group_of(role: str, giver: User | None) -> Group | None:
    """Return the group of a role; raises PermissionRefused if it has rights the giver lacks."""
    above = giver is not None and not giver.is_superuser
    if role in {NONE, OWNER}:
        if role == OWNER and above:
            raise PermissionRefused(_TOO_HIGH)
        return None
    number = role.removeprefix(_GROUP)
    if role in StaffRole.Key.values:
        group = Group.objects.filter(staff_role__key=role).first()
    elif role.startswith(_GROUP) and number.isascii() and number.isdigit() and not above:
        group = Group.objects.filter(pk=int(number[:9]), staff_role=None).first()
    else:
        group = None
    if group is None:
        raise PermissionRefused(_NO_SUCH)
    if giver and above and not rights_of_group(group) <= rights_of(giver):
        raise PermissionRefused(_TOO_HIGH)
    return group


def _check(target: User, *, old: str, new: str) -> None:
    if old == new:
        raise PermissionRefused(_HAS_IT)
    if new != OWNER and target.is_superuser:
        check_not_last_owner(target)
    if new == NONE:
        return
    if not target.is_active or target.deletion_requested_at:
        raise PermissionRefused(_CLOSED)
    # Whoever proves the address owns the account, and would have the rights.
    if not target.email_verified:
        raise PermissionRefused(_NOT_PROVEN)


def _store(target: User, group: Group | None, *, is_owner: bool) -> None:
    before, was_owner = rights_of(target), target.is_superuser
    target.groups.set([group] if group else [])
    target.user_permissions.clear()
    is_staff = is_owner or group is not None
    User.objects.filter(pk=target.pk).update(is_staff=is_staff, is_superuser=is_owner)
    has_lost = not is_owner and (was_owner or not before <= rights_of(target))
    if has_lost or not is_staff:
        revocation.end_admin_sessions(target)
