"""What staff do to one device of a person."""

from django.utils.translation import gettext_lazy as _

from authentication.models import User, UserSession
from authentication.services.acted_by import ActedBy
from authentication.services.administration import AdministrationService

from .staff_action import StaffAction

END_DEVICE = "authentication.change_usersession"
"""The permission to sign a device out."""


def end_device(session: UserSession) -> StaffAction:
    """Return the action that signs a device out."""

    def act(__: User, *, by: ActedBy) -> None:
        AdministrationService.end_session(session, by=by)

    return StaffAction(
        "end-device",
        _("Sign out this device"),
        _("It is signed out at once. The others stay signed in."),
        _("The device is signed out."),
        act,
        lambda *_: True,
        permission=END_DEVICE,
    )
