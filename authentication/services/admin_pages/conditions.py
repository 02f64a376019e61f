"""What suits an account, and what a member of staff may do to it: which buttons are shown."""

import datetime as dt

from authentication.models import User
from authentication.services.ranks import ranks_below
from authentication.services.staff_roles import NONE, role_of

from .person import removal_of


def has_removal(user: User, _: dt.datetime) -> bool:
    """Return whether a removal of the factor waits."""
    return user.second_factor_at is not None and removal_of(user) is not None


def has_factor_alone(user: User, _: dt.datetime) -> bool:
    """Return whether there is a factor, and no removal of it waits."""
    return user.second_factor_at is not None and removal_of(user) is None


def is_other(actor: User, user: User) -> bool:
    """Return whether this is another person than the actor."""
    return actor.pk != user.pk


def may_confirm(actor: User, user: User) -> bool:
    """Return whether the actor may confirm the removal that waits."""
    removal = removal_of(user)
    return is_other(actor, user) and removal is not None and removal.requested_by != actor


def may_correct(actor: User, user: User) -> bool:
    """Return whether the actor may correct the address."""
    return actor.is_superuser or not user.is_staff


def may_delete(actor: User, user: User) -> bool:
    """Return whether the actor may delete the account."""
    return is_other(actor, user) and may_correct(actor, user)


def is_below(actor: User, user: User) -> bool:
    """Return whether this is no staff, or staff with fewer rights than the actor."""
    return not user.is_staff or ranks_below(user, actor)


def may_change_role(actor: User, user: User) -> bool:
    """Return whether the actor may change the role."""
    return actor.pk == user.pk or is_below(actor, user)


def may_have_role(user: User, _: dt.datetime) -> bool:
    """Return whether a role can be given or taken."""
    is_open = user.is_active and user.email_verified and not user.deletion_requested_at
    return is_open or role_of(user) != NONE


def waits_for_proof(user: User, _: dt.datetime) -> bool:
    """Return whether an address is there that is not confirmed."""
    return user.is_active and not user.email_verified and user.has_address
