"""Who may enter the admin."""

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from authentication.exceptions import InvalidCredentials, PermissionRefused
from authentication.models import User
from authentication.services.audit import Event, Risk, record
from authentication.utils.client import ClientInfo

_SET_UP_FIRST = _("Please set up two-step sign-in first. The admin is closed without it.")


class FactorMissing(PermissionRefused):
    """The password of `user`, who is staff, was right. The second factor is not set up."""

    def __init__(self, user: User) -> None:
        super().__init__(_SET_UP_FIRST)
        self.user = user


def check_staff(user: User, *, client: ClientInfo, wants_factor: bool = True) -> None:
    """Raise PermissionRefused for people who may not enter, FactorMissing for a missing factor."""
    if user.deletion_requested_at:
        _record_refusal(user, "deletion", client=client)
        raise PermissionRefused
    if not user.is_staff:
        _record_refusal(user, "staff", client=client)
        raise PermissionRefused
    if wants_factor and settings.ADMIN_REQUIRE_OTP and not user.second_factor_at:
        _record_refusal(user, "second_factor", client=client)
        raise FactorMissing(user)


def record_admin_login(user: User, *, client: ClientInfo) -> None:
    """Record that a member of staff entered the admin.

    Raises InvalidCredentials if the account has changed since it was read.
    """
    if not User.objects.sign_in(user, at=timezone.now()):
        raise InvalidCredentials
    record(Event.ADMIN_LOGIN, user_id=user.pk, client=client, risk=Risk.MEDIUM)


def _record_refusal(user: User, reason: str, *, client: ClientInfo) -> None:
    record(
        Event.ADMIN_LOGIN_REFUSED,
        user_id=user.pk,
        client=client,
        risk=Risk.HIGH,
        success=False,
        reason=reason,
    )
