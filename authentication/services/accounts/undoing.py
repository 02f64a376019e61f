"""Undoing a sensitive change by the link that was mailed about it."""

from django.utils import timezone

from authentication.exceptions import LinkInvalid
from authentication.models import (
    ActionToken,
    KnownDevice,
    PasswordResetToken,
    SensitiveChange,
    TokenBlacklist,
)
from authentication.services.attempt_limit import UNLIMITED, AttemptLimit
from authentication.services.audit import Event, Risk, record
from authentication.services.redeem import Redemption
from authentication.services.revocation import end_admin_sessions
from authentication.services.sign_in import recognise
from authentication.utils.client import ClientInfo

from .reversal import Reversal


class ChangeUndoService:
    """Undoing a sensitive change: a deletion, a second factor, a username, notices turned off."""

    @staticmethod
    def undo(*, token: str, client: ClientInfo, limit: AttemptLimit = UNLIMITED) -> str:
        """Undo a change and later ones of its kind; return a token to choose a new password.

        The sessions that made them end, and their devices become unknown. The change may be undone
        already: the link still ends the sessions.

        Raises LinkInvalid if the token is unknown, used or expired.
        """
        now = timezone.now()
        redemption = Redemption(
            ActionToken.objects.of(ActionToken.Action.UNDO_CHANGE),
            token,
            failure=Event.CHANGE_UNDO_FAILED,
            client=client,
            at=now,
            limit=limit,
        )
        with redemption.spend() as link:
            user, wanted = link.user, link.subject["change"]
            change = SensitiveChange.objects.filter(pk=wanted, user=user).first()
            if change is None:
                raise LinkInvalid
            change.user = user
            reversal = Reversal.of_change(change, at=now)
            sessions, device = reversal.sessions(), recognise(user, client)
            known = device.digest if device else ""
            is_theirs = sessions.filter(device_fingerprint=known).exists()
            KnownDevice.objects.forget(user.pk, but="" if is_theirs else known)
            end_admin_sessions(user)
            sessions.end(reason=TokenBlacklist.Reason.DISOWNED, at=now)
            record(
                Event.CHANGE_UNDONE,
                user_id=user.pk,
                client=client,
                risk=Risk.HIGH,
                change=change.kind,
                undone=reversal.carry_out(),
            )
            return str(PasswordResetToken.objects.issue(user, at=now))
