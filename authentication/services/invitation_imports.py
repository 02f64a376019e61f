"""Inviting the people of a file, in two steps: showing what would be done, and doing exactly that.

Between the two nothing is stored. The page carries the people, encrypted for the member of staff.
"""

import dataclasses
import datetime as dt
import json
import uuid
import zlib

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from authentication.exceptions import PermissionRefused, ServiceUnavailable
from authentication.models import Invitation, OutgoingEmail, User
from authentication.services.acted_by import ActedBy
from authentication.services.mail import EmailService, Kind
from authentication.utils.encryption import DecryptionError, decrypt, encrypt
from authentication.utils.identifiers import canonical_email

from .invitation_files import Row, read_people
from .invitations import Invited

_LIFETIME = dt.timedelta(minutes=30)
_LONGEST = 60_000
_IMPORTING = "authentication.import_users"
_OVER = _("This page is too old, or is not yours. Please choose the file again.")
_TOO_LARGE = _("The file has too much text. Please invite these people in two files.")
_TRIES = 3


@dataclasses.dataclass(frozen=True, slots=True)
class Plan:
    """What the rows of a file lead to, and the sealed text that `carry_out` takes."""

    rows: list[Row]
    sealed: str

    @property
    def count(self) -> int:
        """Return how many people would be invited."""
        return sum(row.person is not None for row in self.rows)


class InvitationImportService:
    """Inviting the people of a file. As for one person, no statement looks at accounts."""

    @staticmethod
    def plan(data: bytes, *, actor: User) -> Plan:
        """Return what the rows of a file lead to; raises ValueError if it cannot be read."""
        if not actor.has_perm(_IMPORTING):
            raise PermissionRefused
        rows = read_people(data)
        people = [dataclasses.astuple(row.person) for row in rows if row.person]
        kept = {"id": str(uuid.uuid4()), "at": timezone.now().isoformat(), "people": people}
        packed = zlib.compress(json.dumps(kept).encode(), level=9)
        sealed = encrypt(packed, context=_context(actor)) if people else ""
        if len(sealed) > _LONGEST:
            raise ValueError(str(_TOO_LARGE))
        return Plan(rows, sealed)

    @staticmethod
    def carry_out(sealed: str, *, by: ActedBy) -> int:
        """Invite the people of a plan; return how many. Repeated, it invites no one again.

        The mails go out within minutes. Raises PermissionRefused if the plan is another person's,
        altered or older than half an hour, or if the actor may not import any more.
        """
        number, people = _opened(sealed, by.staff)
        for _number in range(_TRIES):
            try:
                return _invite(number, people, by=by)
            except IntegrityError:
                continue
        raise ServiceUnavailable


def _context(actor: User) -> str:
    return f"invitation-import:{actor.pk}"


def _opened(sealed: str, actor: User) -> tuple[uuid.UUID, list[Invited]]:
    try:
        kept = json.loads(zlib.decompress(decrypt(sealed, context=_context(actor))))
    except DecryptionError:
        raise PermissionRefused(_OVER) from None
    if not timezone.now() - dt.datetime.fromisoformat(kept["at"]) <= _LIFETIME:
        raise PermissionRefused(_OVER)
    return uuid.UUID(kept["id"]), [Invited(*it) for it in kept["people"]]


def _invite(number: uuid.UUID, people: list[Invited], *, by: ActedBy) -> int:
    """Store the invitations that a repeated import has not stored, and their mails.

    Raises IntegrityError if another request invited one of these people meanwhile.
    """
    at = timezone.now()
    # The id of an invitation follows from the import and the address.
    wanted = {uuid.uuid5(number, canonical_email(it.email)): it for it in people}
    with transaction.atomic():
        by.check_may(_IMPORTING)
        there = Invitation.objects.filter(pk__in=wanted).values_list("pk", flat=True)
        for pk in there:
            del wanted[pk]
        rows = [
            Invitation.to(
                it.email,
                first_name=it.first_name,
                last_name=it.last_name,
                invited_by=by.actor,
                at=at,
                pk=pk,
            )
            for pk, it in wanted.items()
        ]
        if rows:
            Invitation.objects.void_all_to(*(row.email_canonical for row in rows), at=at)
            Invitation.objects.bulk_create(rows)
            # Not one task each: the sweep sends what is due.
            OutgoingEmail.objects.bulk_create(
                EmailService.prepare(Kind.INVITATION, user_id=None, invitation=str(row.pk))
                for row in rows
            )
            by.note("import_invitations", None, **{"count": len(rows), "import": str(number)})
    return len(people)
