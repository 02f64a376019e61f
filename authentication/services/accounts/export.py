"""A person's copy of everything held about them."""

import dataclasses
import datetime as dt
import json
import uuid
import zlib

from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction
from django.utils import timezone

from authentication.exceptions import LinkInvalid, ValidationFailed
from authentication.models import AccountExport, ActionToken, User
from authentication.models.account_export import LIFETIME
from authentication.services.audit import Event, Risk, record
from authentication.services.background import enqueue
from authentication.services.mail import EmailService, Kind
from authentication.services.sign_in import WRONG_CODE, check_code, check_current_password
from authentication.utils.client import ClientInfo
from authentication.utils.encryption import DecryptionError, decrypt, encrypt

from .personal_data import collect_personal_data

_BUILD = "authentication.tasks.build_export"
_WRONG = "This is not your password."
_DOWNLOAD = ActionToken.Action.DOWNLOAD_EXPORT


@dataclasses.dataclass(frozen=True, slots=True)
class ExportState:
    """How far a copy is: none, preparing, ready or downloaded; and until when it can be fetched."""

    state: str
    requested_at: dt.datetime | None = None
    available_until: dt.datetime | None = None


class ExportService:
    """A person's copy of everything held about them: made by a task, fetched once, gone after a day."""

    @staticmethod
    def state_of(user: User) -> ExportState:
        """Return how far the copy is that a person asked for last."""
        export = AccountExport.objects.filter(user=user).order_by("-requested_at").first()
        return _state(export) if export else ExportState("none")

    @staticmethod
    def request(user: User, *, client: ClientInfo) -> ExportState:
        """Have a copy made, and its owner mailed when it is ready; an older one is void."""
        with transaction.atomic():
            User.objects.hold(user.pk)
            AccountExport.objects.filter(user=user).delete()
            ActionToken.objects.void(_DOWNLOAD, user_id=user.pk)
            export = AccountExport.objects.create(user=user)
            record(Event.EXPORT_REQUESTED, user_id=user.pk, client=client, risk=Risk.MEDIUM)
            enqueue(_BUILD, str(export.pk))
        return _state(export)

    @staticmethod
    def build(export_id: str | uuid.UUID) -> None:
        """Make a copy and mail its owner; one that is made already, or was replaced, is left alone."""
        export = (
            AccountExport.objects.select_related("user").filter(pk=export_id, ready_at=None).first()
        )
        if export is None or not export.user.is_active:
            return
        now = timezone.now()
        held = json.dumps(
            {"made_at": now, **collect_personal_data(export.user)}, cls=DjangoJSONEncoder, indent=2
        )
        content = encrypt(zlib.compress(held.encode()), context=_context(export.pk))
        with transaction.atomic():
            if AccountExport.objects.finish(export.pk, content=content, at=now):
                EmailService.queue(Kind.EXPORT_READY, user_id=export.user_id, export=str(export.pk))

    @staticmethod
    def sweep() -> None:
        """Have the copies made whose task was lost."""
        for pk in AccountExport.objects.unfinished(at=timezone.now()).values_list("pk", flat=True):
            enqueue(_BUILD, str(pk))

    @staticmethod
    def download_by_mail(*, token: str, password: str, otp: str, client: ClientInfo) -> bytes:
        """Return a person's copy to whoever has their mail, their password, and their second factor if there is one.

        Raises LinkInvalid as `download` does, ValidationFailed for a wrong password or code,
        AccountLocked or RateLimited after too many.
        """
        link = ActionToken.objects.usable(token, action=_DOWNLOAD, at=timezone.now())
        if link is None or not link.user.is_active:
            raise LinkInvalid
        if not check_current_password(link.user, password, client=client):
            raise ValidationFailed(errors={"password": [_WRONG]})
        if link.user.second_factor_at and not check_code(link.user, otp, client=client):
            raise ValidationFailed(errors={"otp": [WRONG_CODE]})
        return ExportService.download(link.user, token=token, client=client)

    @staticmethod
    def download(user: User, *, token: str, client: ClientInfo) -> bytes:
        """Return a person's copy, as JSON, by the token that was mailed to them; it is gone then.

        Raises LinkInvalid if the token is unknown, used or expired, or another person's.
        """
        now = timezone.now()
        link = ActionToken.objects.usable(token, action=_DOWNLOAD, at=now)
        ready = AccountExport.objects.ready(at=now).filter(user=user)
        export = (
            ready.filter(pk=link.subject["export"]).first()
            if link and link.user_id == user.pk
            else None
        )
        if export is None:
            raise LinkInvalid
        try:
            held = zlib.decompress(decrypt(export.content, context=_context(export.pk)))
        except DecryptionError:
            raise LinkInvalid from None
        with transaction.atomic():
            if not AccountExport.objects.claim_download(export.pk, at=now):
                raise LinkInvalid
            ActionToken.objects.spend(token, action=_DOWNLOAD, at=now)
            record(Event.EXPORT_DOWNLOADED, user_id=user.pk, client=client, risk=Risk.MEDIUM)
        return held


def _state(export: AccountExport) -> ExportState:
    if export.downloaded_at:
        return ExportState("downloaded", export.requested_at)
    if export.ready_at is None:
        return ExportState("preparing", export.requested_at)
    until = export.ready_at + LIFETIME
    return (
        ExportState("ready", export.requested_at, until)
        if until > timezone.now()
        else ExportState("none")
    )


def _context(export_id: uuid.UUID) -> str:
    return f"export:{export_id}"
