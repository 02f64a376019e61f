"""What staff may do to tokens, mails and tasks, and how their actions are audited."""

import datetime as dt
import uuid
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from authentication.exceptions import PermissionRefused
from authentication.models import FailedTask, OutgoingEmail, TokenBlacklist, User, UserSession
from authentication.services.audit import Event, Risk, record, record_action
from authentication.services.background import run_again
from authentication.services.mail import EmailService
from authentication.services.operators import Operator, checked_reason, named
from authentication.services.ranks import check_rank
from authentication.utils.client import ClientInfo

_CLOSED = _("This account is disabled, and gets no mail.")


class WorkAdministration:
    """What staff may do to tokens, mails and tasks."""

    @staticmethod
    def revoke_token(
        *,
        jti: str,
        reason: str,
        actor: User | None,
        client: ClientInfo,
        operator: Operator | None = None,
    ) -> TokenBlacklist:
        """Revoke a token by its identifier; a refresh token's session ends."""
        now = timezone.now()
        with transaction.atomic():
            session = (
                UserSession.objects.select_related("user").filter(refresh_token_jti=jti).first()
            )
            if session:
                check_rank(actor, session.user)
                UserSession.objects.filter(pk=session.pk).end(reason=reason, at=now)
            # An access token's identifier does not name its user. No token lives longer than this.
            longest: dt.timedelta = settings.SESSION_ABSOLUTE_LIFETIME
            owner = session.user_id if session else None
            TokenBlacklist.blacklist_token(
                jti=jti, expires_at=now + longest, user_id=owner, reason=reason
            )
            record(
                Event.TOKEN_REVOKED,
                user_id=owner,
                client=client,
                risk=Risk.HIGH,
                actor=name_of(actor),
                reason=reason,
                **named(operator),
            )
        return TokenBlacklist.objects.get(jti=jti)

    @staticmethod
    def send_again(
        mail: OutgoingEmail,
        *,
        actor: User | None,
        client: ClientInfo,
        operator: Operator | None = None,
    ) -> bool:
        """Queue a failed mail again; False if it has not failed.

        Raises PermissionRefused if it would not be sent.
        """
        if mail.user:
            check_open(mail.user)
        with transaction.atomic():
            revived = EmailService.send_again(mail.pk)
            if revived:
                facts = {"mail": str(mail.pk), **named(operator)}
                note("send_again", mail.user_id, actor, client, **facts)
        return revived

    @staticmethod
    def run_again(
        task: FailedTask,
        *,
        actor: User | None,
        client: ClientInfo,
        operator: Operator | None = None,
    ) -> bool:
        """Run a failed task again; False if that has been done."""
        with transaction.atomic():
            started = run_again(task.pk)
            if started:
                note("run_again", None, actor, client, task=str(task.pk), **named(operator))
        return started


def name_of(actor: User | None) -> str:
    """Return the actor's id; commands have no actor."""
    return str(actor.pk) if actor else "command line"


def check_open(target: User) -> None:
    """Raise PermissionRefused for a disabled account: it gets no mail."""
    if not target.is_active:
        raise PermissionRefused(_CLOSED)


def why(reason: str) -> dict[str, Any]:
    """Return the reason that staff gave for an event; nothing if they gave none.

    Raises PermissionRefused if it is too long or not printable.
    """
    return {"reason": checked_reason(reason)} if reason.strip() else {}


def about(operator: Operator | None, reason: str) -> dict[str, Any]:
    """Return who ran a command, and why, for an event; raises PermissionRefused as `why` does."""
    return {**named(operator), **why(reason)}


def note(
    action: str, target: uuid.UUID | None, actor: User | None, client: ClientInfo, **facts: Any
) -> None:
    """Audit an action of staff."""
    record_action(action, user_id=target, client=client, actor=name_of(actor), **facts)
