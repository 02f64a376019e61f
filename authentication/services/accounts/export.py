"""Exports of a user's personal data."""

import dataclasses
import datetime as dt
import uuid
from itertools import chain
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from authentication.exceptions import CodeInvalid, InvalidCredentials, LinkInvalid, ValidationFailed
from authentication.models import AccountExport, ActionToken, ExportPart, User, UserSession
from authentication.models.account_export import LIFETIME, TRIES
from authentication.services.acting import acting
from authentication.services.audit import Event, Risk, record
from authentication.services.background import enqueue, record_failed_task, waiting_beside
from authentication.services.mail import EmailService, Kind
from authentication.services.redeem import Redemption
from authentication.services.sign_in import WRONG_CODE, CodeMissing, authenticate
from authentication.utils.client import ClientInfo
from authentication.utils.encryption import DecryptionError

from .export_parts import ExportReader, as_json, store_parts
from .personal_data import personal_data

_BUILD = "authentication.tasks.build_export"
# Beat's own tasks stand there, too.
_QUEUE_FULL = 50
_WRONG = _("This is not your password.")
_DOWNLOAD = ActionToken.Action.DOWNLOAD_EXPORT


@dataclasses.dataclass(frozen=True, slots=True)
class ExportState:
    """The state: none, preparing, failed, ready or downloaded; and until when it is ready."""

    state: str
    requested_at: dt.datetime | None = None
    available_until: dt.datetime | None = None


class GivenUpError(Exception):
    """An export failed as often as it is tried."""


class ExportService:
    """Exports of a user's personal data: made by a task, downloaded once, deleted after a day."""

    @staticmethod
    def state_of(user: User) -> ExportState:
        """Return the state of the latest export."""
        export = AccountExport.objects.filter(user=user).order_by("-requested_at").first()
        return _state(export) if export else ExportState("none")

    @staticmethod
    def request(session: UserSession, *, client: ClientInfo) -> ExportState:
        """Queue a copy of the user's data, mailed about when ready. An older copy is void."""
        with acting(session, recent_proof=True) as user:
            return _state(request_export(user, client=client))

    @staticmethod
    def build(export_id: str | uuid.UUID) -> None:
        """Make an export and mail its owner; one that is ready, being made or gone is skipped.

        That of a closed account waits.
        """
        pk, now = uuid.UUID(str(export_id)), timezone.now()
        is_wanted = AccountExport.objects.filter(pk=pk, user__is_active=True).exists()
        if not is_wanted or not AccountExport.objects.claim_build(pk, at=now):
            return
        export = AccountExport.objects.select_related("user").get(pk=pk)
        topics = personal_data(export.user)
        try:
            parts = store_parts(export, as_json(chain([("made_at", now)], topics)))
        except IntegrityError:
            if AccountExport.objects.filter(pk=pk).exists():
                raise
            return  # A newer one has replaced it.
        with transaction.atomic():
            made_at = timezone.now()
            if AccountExport.objects.finish(pk, tries=export.tries, parts=parts, at=made_at):
                EmailService.queue(Kind.EXPORT_READY, user_id=export.user_id, export=str(pk))

    @staticmethod
    def sweep() -> None:
        """Queue the exports whose task was lost; give up those that failed three times.

        Their owner is mailed, and staff see them among the failed tasks.
        """
        # While no worker takes what waits, the queue must not grow on and on.
        now, has_room = timezone.now(), waiting_beside(_BUILD) < _QUEUE_FULL
        for export in AccountExport.objects.unfinished(at=now).filter(user__is_active=True):
            if export.tries < TRIES:
                if has_room:
                    # The message expires because the next sweep queues a new one.
                    enqueue(_BUILD, str(export.pk), expires=settings.EMAIL_SWEEP_SECONDS)
                continue
            with transaction.atomic():
                if AccountExport.objects.give_up(export.pk, at=now):
                    EmailService.queue(Kind.EXPORT_FAILED, user_id=export.user_id)
                    record_failed_task(_BUILD, [str(export.pk)], error=GivenUpError())

    @staticmethod
    def download_by_mail(
        *, token: str, password: str, otp: str, client: ClientInfo
    ) -> ExportReader:
        """Return a user's copy for the mailed token, the password and, if there is one, a code.

        Close it after reading: the service forgets it then.

        Raises LinkInvalid as `download` does, ValidationFailed for a wrong password or code,
        AccountLocked or RateLimited after too many.
        """
        redemption = _redemption(token, client=client)
        link = redemption.look_up()
        _check_owner(link.user, password, otp, client=client)
        return _hand_out(redemption, link, session=None, client=client)

    @staticmethod
    def download(session: UserSession, *, token: str, client: ClientInfo) -> ExportReader:
        """Return a user's copy, as JSON, for the mailed token.

        Close it after reading: the service forgets it then.

        Raises LinkInvalid if the token is unknown, used or expired, or another user's.
        """
        redemption = _redemption(token, client=client, user_id=session.user_id)
        return _hand_out(redemption, None, session=session, client=client)


def request_export(user: User, *, client: ClientInfo, **facts: Any) -> AccountExport:
    """Queue a copy of a user's data, with the account locked; the event has the facts."""
    ActionToken.objects.of(_DOWNLOAD).void(user.pk)
    AccountExport.objects.filter(user=user).delete()
    export = AccountExport.objects.create(user=user)
    record(Event.EXPORT_REQUESTED, user_id=user.pk, client=client, risk=Risk.MEDIUM, **facts)
    enqueue(_BUILD, str(export.pk))
    return export


def _redemption(token: str, *, client: ClientInfo, **owner: uuid.UUID) -> Redemption:
    return Redemption(
        ActionToken.objects.of(_DOWNLOAD).filter(**owner),
        token,
        failure=Event.EXPORT_DOWNLOAD_FAILED,
        client=client,
        at=timezone.now(),
    )


def _check_owner(user: User, password: str, otp: str, *, client: ClientInfo) -> None:
    try:
        authenticate(identifier=user.email, password=password, otp=otp, client=client)
    except (CodeInvalid, CodeMissing):
        raise ValidationFailed(errors={"otp": [WRONG_CODE]}) from None
    except InvalidCredentials:
        raise ValidationFailed(errors={"password": [_WRONG]}) from None


def _hand_out(
    redemption: Redemption,
    link: ActionToken | None,
    *,
    session: UserSession | None,
    client: ClientInfo,
) -> ExportReader:
    with redemption.spend(link, session=session) as spent:
        now = timezone.now()
        ready = AccountExport.objects.ready(at=now).filter(user=spent.user)
        export = ready.filter(pk=spent.subject["export"]).first()
        if export is None or not AccountExport.objects.claim_download(export.pk, at=now):
            raise LinkInvalid
        try:
            held = ExportReader(export)
        except (DecryptionError, ExportPart.DoesNotExist):
            raise LinkInvalid from None
        record(Event.EXPORT_DOWNLOADED, user_id=spent.user_id, client=client, risk=Risk.MEDIUM)
    return held


def _state(export: AccountExport) -> ExportState:
    if export.downloaded_at:
        return ExportState("downloaded", export.requested_at)
    if export.failed_at:
        return ExportState("failed", export.requested_at)
    if export.ready_at is None:
        return ExportState("preparing", export.requested_at)
    until = export.ready_at + LIFETIME
    return (
        ExportState("ready", export.requested_at, until)
        if until > timezone.now()
        else ExportState("none")
    )
