"""What staff start because a person asked for it in writing, and what staff note about a person."""

from django.utils.translation import gettext_lazy as _

from authentication.exceptions import PermissionRefused
from authentication.models import StaffNote, User
from authentication.models.staff_note import NOTE_MAX_LENGTH
from authentication.services.accounts import request_deletion, request_export
from authentication.services.acted_by import ActedBy, administered
from authentication.services.administered_work import check_open
from authentication.services.mail import EmailService, Kind
from authentication.services.ranks import check_other

_STAFF = _("This is an account of staff. A superuser has to delete it.")
_CLOSED = _("Please enable the account first: the person must be able to stop the deletion.")
_NOT_PROVEN = _("This address is not confirmed, so no copy is sent to it.")
_NOTE = _("Please write a note of at most {length} characters.")


class WrittenRequestService:
    """A copy of the data, or the deletion, for a person who does not ask for it in the service."""

    @staticmethod
    def start_export(
        user: User,
        *,
        by: ActedBy,
    ) -> None:
        """Make a copy of a user's data, and mail the user when it is ready; staff do not see it.

        Raises PermissionRefused for a closed account, an address that is not proven, and after
        three such mails within the hour.
        """
        with administered(user.pk, by) as current:
            check_open(current)
            if not current.email_verified:
                raise PermissionRefused(_NOT_PROVEN)
            EmailService.check_limit(Kind.EXPORT_READY, user_id=user.pk)
            request_export(current, client=by.client, **by.facts())

    @staticmethod
    def request_deletion(
        user: User,
        *,
        by: ActedBy,
    ) -> None:
        """Close an account as its user's own request does, and mail the user.

        Raises PermissionRefused if it was requested already, for a disabled account, whose user
        could not stop it, for the only superuser, and for staff unless the actor is a superuser.
        """
        with administered(user.pk, by) as current:
            if by.actor:
                check_other(by.actor, current)
                if current.is_staff and not by.actor.is_superuser:
                    raise PermissionRefused(_STAFF)
            if not current.is_active:
                raise PermissionRefused(_CLOSED)
            request_deletion(current, client=by.client, **by.facts())


class StaffNoteService:
    """Notes of staff about people."""

    @staticmethod
    def add(
        user: User,
        text: str,
        *,
        by: ActedBy,
    ) -> None:
        """Store a note; the event of it does not have its text."""
        text = "\n".join(line.rstrip() for line in text.strip().splitlines())
        if not 0 < len(text) <= NOTE_MAX_LENGTH or not text.replace("\n", "").isprintable():
            raise PermissionRefused(_NOTE.format(length=NOTE_MAX_LENGTH))
        with administered(user.pk, by):
            StaffNote.objects.create(user=user, author=by.actor, text=text)
            by.note("add_note", user.pk)
