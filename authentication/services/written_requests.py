"""What staff start because a person asked for it in writing, and what staff note about a person."""

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from authentication.exceptions import PermissionRefused
from authentication.models import StaffNote, User
from authentication.models.staff_note import NOTE_MAX_LENGTH
from authentication.services.accounts import request_deletion, request_export
from authentication.services.acting import locked_account
from authentication.services.administered_work import about, check_open, name_of, note
from authentication.services.mail import EmailService, Kind
from authentication.services.operators import Operator
from authentication.services.ranks import check_other, check_rank
from authentication.utils.client import ClientInfo

_STAFF = _("This is an account of staff. A superuser has to delete it.")
_NOT_PROVEN = _("This address is not confirmed, so no copy is sent to it.")
_NOTE = _("Please write a note of at most {length} characters.")


class WrittenRequestService:
    """A copy of the data, or the deletion, for a person who does not ask for it in the service."""

    @staticmethod
    def start_export(
        user: User,
        *,
        actor: User | None,
        client: ClientInfo,
        operator: Operator | None = None,
        reason: str = "",
    ) -> None:
        """Make a copy of a user's data, and mail the user when it is ready; staff do not see it.

        Raises PermissionRefused for a closed account, an address that is not proven, and after
        three such mails within the hour.
        """
        check_rank(actor, user)
        check_open(user)
        if not user.email_verified:
            raise PermissionRefused(_NOT_PROVEN)
        EmailService.check_limit(Kind.EXPORT_READY, user_id=user.pk)
        facts = {"actor": name_of(actor), **about(operator, reason)}
        with locked_account(user.pk) as current:
            request_export(current, client=client, **facts)

    @staticmethod
    def request_deletion(
        user: User,
        *,
        actor: User | None,
        client: ClientInfo,
        operator: Operator | None = None,
        reason: str = "",
    ) -> None:
        """Close an account as its user's own request does, and mail the user.

        Raises PermissionRefused if it was requested already, for the only superuser, and for staff
        unless the actor is a superuser.
        """
        if actor:
            check_other(actor, user)
            if user.is_staff and not actor.is_superuser:
                raise PermissionRefused(_STAFF)
        facts = {"actor": name_of(actor), **about(operator, reason)}
        request_deletion(user, client=client, **facts)


class StaffNoteService:
    """Notes of staff about people."""

    @staticmethod
    def add(
        user: User,
        text: str,
        *,
        actor: User | None,
        client: ClientInfo,
        operator: Operator | None = None,
        reason: str = "",
    ) -> None:
        """Store a note; the event of it does not have its text."""
        check_rank(actor, user)
        text = "\n".join(line.rstrip() for line in text.strip().splitlines())
        if not 0 < len(text) <= NOTE_MAX_LENGTH or not text.replace("\n", "").isprintable():
            raise PermissionRefused(_NOTE.format(length=NOTE_MAX_LENGTH))
        with transaction.atomic():
            StaffNote.objects.create(user=user, author=actor, text=text)
            note("add_note", user.pk, actor, client, **about(operator, reason))
