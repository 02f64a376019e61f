"""Removal of a second factor without a code, by staff or on the server."""

import datetime as dt
from typing import Any

from django.conf import settings
from django.utils import timezone

from authentication.exceptions import PermissionRefused
from authentication.models import (
    ActionToken,
    KnownDevice,
    RecoveryCode,
    SecondFactorRemoval,
    TokenBlacklist,
    User,
)
from authentication.services.acting import locked_account
from authentication.services.audit import Event, Risk, record
from authentication.services.mail import EmailService, Kind
from authentication.services.operators import Operator
from authentication.services.revocation import end_all_sessions
from authentication.utils.client import ClientInfo

from .second_factor import remove_second_factor
from .second_factor_codes import has_readable_seed

_NO_SUPERUSER = "This account is not a superuser. A member of staff has to request the removal."
_CLOSED = "This account is disabled, and gets no mail."
_WITHOUT = "Two-step sign-in is off for this account."
_OTHERS = "Another superuser can request the removal in the admin: {names}."


class ImmediateRemovalService:
    """Removal of the second factor of the last superuser, on the server and at once."""

    @staticmethod
    def remove(user: User, *, operator: Operator, client: ClientInfo) -> None:
        """Remove the factor of a superuser, end every session, and mail all addresses.

        Only superusers act on superusers, and nobody on their own factor. So no one could request
        the removal for the last superuser who can enter the admin.

        Raises PermissionRefused if another superuser can enter the admin, or if the account is no
        superuser, disabled, or without a factor.
        """
        now = timezone.now()
        with locked_account(user.pk) as current:
            _check(current)
            pending = SecondFactorRemoval.objects.pending().filter(user=current)
            pending.update(outcome=SecondFactorRemoval.Outcome.CARRIED_OUT, ended_at=now)
            ActionToken.objects.of(ActionToken.Action.STOP_FACTOR_REMOVAL).void(user.pk)
            force_removal(
                current, change="removed_at_once", client=client, at=now, **operator.facts()
            )


def force_removal(
    user: User, *, change: str, client: ClientInfo, at: dt.datetime, **facts: Any
) -> None:
    """Remove a factor, end every session, audit it with `facts`, and mail the user.

    Call it under the lock of the account's row. A copy of the mail goes to the addresses that the
    account left lately.
    """
    remove_second_factor(user)
    KnownDevice.objects.forget(user.pk)
    end_all_sessions(user, reason=TokenBlacklist.Reason.SECOND_FACTOR, at=at)
    about = {"change": change, **facts}
    record(Event.SECOND_FACTOR_DISABLED, user_id=user.pk, client=client, risk=Risk.HIGH, **about)
    EmailService.queue(
        Kind.SECOND_FACTOR_CHANGED, user_id=user.pk, change=change, when=at.isoformat()
    )


def _check(user: User) -> None:
    if not user.is_superuser:
        raise PermissionRefused(_NO_SUPERUSER)
    if not user.is_active:
        raise PermissionRefused(_CLOSED)
    if user.second_factor_at is None:
        raise PermissionRefused(_WITHOUT)
    if names := [it.username for it in _other_superusers(user) if _can_enter_admin(it)]:
        raise PermissionRefused(_OTHERS.format(names=", ".join(names)))


def _other_superusers(user: User) -> list[User]:
    others = User.objects.filter(is_superuser=True, is_staff=True, is_active=True)
    return list(others.filter(deletion_requested_at=None).exclude(pk=user.pk).order_by("username"))


def _can_enter_admin(user: User) -> bool:
    if settings.REQUIRE_EMAIL_VERIFICATION and not user.email_verified:
        return False
    if user.second_factor_at is None:
        return not settings.ADMIN_REQUIRE_OTP
    return has_readable_seed(user.pk) or RecoveryCode.objects.unused(user.pk).exists()
