"""What staff may do to tokens, mails and tasks."""

import datetime as dt

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from authentication.exceptions import PermissionRefused
from authentication.models import FailedTask, OutgoingEmail, TokenBlacklist, User, UserSession
from authentication.services.acted_by import ActedBy, administered
from authentication.services.audit import Event, Risk, record
from authentication.services.background import run_again
from authentication.services.mail import EmailService

_CLOSED = _("This account is disabled, and gets no mail.")


class WorkAdministration:
    """What staff may do to tokens, mails and tasks."""

    @staticmethod
    def revoke_token(
        *,
        jti: str,
        reason: str,
        by: ActedBy,
    ) -> TokenBlacklist:
        """Revoke a token by its identifier; a refresh token's session ends."""
        now = timezone.now()
        with transaction.atomic():
            session = (
                UserSession.objects.select_related("user").filter(refresh_token_jti=jti).first()
            )
            if session:
                with administered(session.user_id, by):
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
                client=by.client,
                risk=Risk.HIGH,
                **{**by.facts(), "reason": reason},
            )
        return TokenBlacklist.objects.get(jti=jti)

    @staticmethod
    def send_again(mail: OutgoingEmail, *, by: ActedBy) -> bool:
        """Queue a failed mail again; False if it has not failed.

        Raises PermissionRefused if it would not be sent.
        """
        if mail.user:
            check_open(mail.user)
        with transaction.atomic():
            revived = EmailService.send_again(mail.pk)
            if revived:
                by.note("send_again", mail.user_id, mail=str(mail.pk))
        return revived

    @staticmethod
    def run_again(task: FailedTask, *, by: ActedBy) -> bool:
        """Run a failed task again; False if that has been done."""
        with transaction.atomic():
            started = run_again(task.pk)
            if started:
                by.note("run_again", None, task=str(task.pk))
        return started


def check_open(target: User) -> None:
    """Raise PermissionRefused for a disabled account: it gets no mail."""
    if not target.is_active:
        raise PermissionRefused(_CLOSED)
