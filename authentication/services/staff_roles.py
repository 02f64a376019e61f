"""Roles of staff: which a person has, and giving them."""

import uuid

from django.contrib.auth.models import Group
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext, override
from django.utils.translation import gettext_lazy as _

from authentication.exceptions import PermissionRefused
from authentication.models import StaffRole, User, rights_of, rights_of_group
from authentication.services import revocation
from authentication.services.acted_by import ActedBy
from authentication.services.audit import Risk
from authentication.services.mail import EmailService, Kind
from authentication.services.ranks import check_below, check_not_last_owner

NONE, OWNER, OWN_RIGHTS = "none", "owner", "own rights"
_GROUP = "group-"
_GIVING = "authentication.give_role"
_TOO_HIGH = _("Someone with more rights than you have has to give this role.")
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
    """Return the role of an account in words."""
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
        if own is None or rights_of_group(role.group) < own
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
        or the role has as many rights as the actor, who is no superuser, the account's address is
        not proven or the account is closed, it has this role, or no superuser would be left.
        """
        with transaction.atomic():
            rows = _lock({it.pk for it in (user, by.actor) if it})
            target, giver = rows[user.pk], rows[by.actor.pk] if by.actor else None
            if giver != target:
                check_below(giver, target)
            if giver and not (giver.is_staff and giver.has_perm(_GIVING)):
                raise PermissionRefused
            group = _group_of(role, giver)
            old, old_name = role_of(target), _english_name(target)
            _check(target, old=old, new=role)
            _store(target, group, is_owner=role == OWNER)
            _mail(target, old_role=old_name)
            by.note("give_role", target.pk, risk=Risk.HIGH, old=old, new=role)


def _lock(ids: set[uuid.UUID]) -> dict[uuid.UUID, User]:
    """Lock accounts in the order of their ids: two who act on each other must not deadlock."""
    rows = User.objects.filter(pk__in=ids).order_by("pk").select_for_update(no_key=True)
    found = {row.pk: row for row in rows}
    if found.keys() != ids:
        raise PermissionRefused(_CLOSED)
    return found


def _group_of(role: str, giver: User | None) -> Group | None:
    """Return the group of a role; raises PermissionRefused unless the giver has more rights."""
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
    if giver and above and not rights_of_group(group) < rights_of(giver):
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


def _mail(target: User, *, old_role: str) -> None:
    """Mail the person and every owner, as a session of the admin may be a thief's.

    The mail of owners does not say whose role it is: a mailbox is no place for a list of staff.
    """
    changed = User.objects.get(pk=target.pk)
    owners = User.objects.owners().exclude(pk=target.pk).values_list("pk", flat=True)
    about = {
        "old_role": old_role,
        "new_role": _english_name(changed),
        "when": timezone.now().isoformat(),
    }
    for pk in (target.pk, *owners):
        EmailService.queue(Kind.ROLE_CHANGED, user_id=pk, is_own=pk == target.pk, **about)


def _english_name(user: User) -> str:
    """Return the role of an account in words that are translated when a mail is sent."""
    with override("en"):
        return name_of_role(user)
