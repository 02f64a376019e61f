"""Inviting people, and taking invitations back."""

import dataclasses
import uuid
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from authentication.exceptions import PermissionRefused, ServiceUnavailable
from authentication.models import Invitation, User
from authentication.services.acted_by import ActedBy
from authentication.services.mail import EmailService, Kind
from authentication.utils.identifiers import canonical_email, clean_email
from authentication.utils.lookalikes import is_visible

_INVITING = "authentication.invite_user"
_OVER = _("This invitation is accepted, expired or revoked already.")
# The second try is for an invitation to the same address that came between.
_TRIES = 3
_NAME_MAX_LENGTH = 150


@dataclasses.dataclass(frozen=True, slots=True)
class Invited:
    """A person to invite."""

    email: str
    first_name: str = ""
    last_name: str = ""


def checked_invited(email: str, first_name: str = "", last_name: str = "") -> Invited:
    """Return a person to invite; raises ValueError, with words for staff, for unusable values."""
    names = [checked_name(it) for it in (first_name, last_name)]
    return Invited(clean_email(email.strip()), *names)


def checked_name(text: str) -> str:
    """Return a name on one line; raises ValueError, with words for staff, for an unusable one."""
    name = " ".join(text.split())
    if len(name) > _NAME_MAX_LENGTH:
        told = gettext("A name has at most {length} characters.")
        raise ValueError(told.format(length=_NAME_MAX_LENGTH))
    if not name.isprintable() or (name and not is_visible(name)):
        raise ValueError(gettext("Please use letters that can be seen in names."))
    return name


class InvitationService:
    """Inviting people.

    No statement looks at accounts: nothing that the inviter sees depends on who is a member. What
    is mailed is decided when it is sent (`services/mail/invitation_mails.py`).
    """

    @staticmethod
    def invite(person: Invited, *, by: ActedBy) -> Invitation:
        """Invite a person by mail; an older invitation to the address is void.

        Raises PermissionRefused if the actor may not invite.
        """
        at = timezone.now()
        for _number in range(_TRIES):
            invitation = _made(person, by.actor, at=at)
            try:
                with transaction.atomic():
                    by.check_may(_INVITING)
                    Invitation.objects.void_all_to(canonical_email(person.email), at=at)
                    invitation.save(force_insert=True)
                    EmailService.queue(Kind.INVITATION, user_id=None, invitation=str(invitation.pk))
                    by.note("invite", None, invitation=str(invitation.pk))
            except IntegrityError:
                continue
            return invitation
        raise ServiceUnavailable

    @staticmethod
    def revoke(invitation: Invitation, *, by: ActedBy) -> None:
        """Take an invitation back: its link works no more.

        Raises PermissionRefused if it is over, or the actor may not invite.
        """
        with transaction.atomic():
            by.check_may(_INVITING)
            if not Invitation.objects.void(invitation.pk, at=timezone.now()):
                raise PermissionRefused(_OVER)
            by.note("revoke_invitation", None, invitation=str(invitation.pk))

    @staticmethod
    def revoke_to(email: str, *, by: ActedBy) -> bool:
        """Take back the open invitation to an address; False if there is none."""
        open_ones = Invitation.objects.open().filter(email_canonical=canonical_email(email))
        invitation = open_ones.first()
        if invitation:
            InvitationService.revoke(invitation, by=by)
        return invitation is not None


def _made(
    person: Invited, actor: User | None, *, at: Any, pk: uuid.UUID | None = None
) -> Invitation:
    names = {"first_name": person.first_name, "last_name": person.last_name}
    return Invitation.to(person.email, **names, invited_by=actor, at=at, pk=pk)
