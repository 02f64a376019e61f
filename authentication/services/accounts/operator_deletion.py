"""Deletion of an account by an operator: after a letter, or once more after a restore."""

import dataclasses
import datetime as dt
from typing import Any

from django.conf import settings
from django.utils import timezone

from authentication.exceptions import PermissionRefused
from authentication.models import EmailChange, SignInChallenge, TokenBlacklist, User
from authentication.models.sensitive_change import UNDO_LIFETIME
from authentication.services.acting import locked_account
from authentication.services.audit import Event, Risk, record, record_action
from authentication.services.mail import EmailService, Kind
from authentication.services.operators import Operator
from authentication.services.ranks import check_not_last_owner
from authentication.services.revocation import end_all_sessions
from authentication.utils.client import ClientInfo
from authentication.utils.crypto import digest
from authentication.utils.receipts import new_receipt

from .erasure import erase

_PENDING = "The deletion was requested already. The account is erased on {due:%Y-%m-%d %H:%M} UTC."
_UNMAILED = (
    "The mail could not be sent, so nothing is erased. The account is closed, and is erased on"
    " {due:%Y-%m-%d %H:%M} UTC. Try again, or add --no-mail."
)
_MOVED = (
    "The account has changed its address. Until {until:%Y-%m-%d %H:%M} UTC its former address can"
    " bring it back, so nothing is done. Leave --now out: the former address is mailed too. Or wait"
    " until then."
)
_BUSY = "Another process erases this account, or failed to a moment ago. Try again in ten minutes."


@dataclasses.dataclass(frozen=True, slots=True)
class Deletion:
    """When an account is erased, and the number that will prove it.

    The number is empty if the account has one already, which stays valid.
    """

    due_at: dt.datetime
    receipt: str


def request_deletion(user: User, *, client: ClientInfo, **facts: Any) -> Deletion:
    """Schedule the erasure and mail the user; the event has the facts.

    Raises PermissionRefused if it is pending, or for the only superuser.
    """
    now = timezone.now()
    due_at: dt.datetime = now + settings.ACCOUNT_DELETION_GRACE
    with locked_account(user.pk) as current:
        if current.deletion_requested_at:
            due = current.deletion_requested_at + settings.ACCOUNT_DELETION_GRACE
            raise PermissionRefused(_PENDING.format(due=due))
        check_not_last_owner(current)
        receipt = _close(current, client, at=now, **facts)
        about = {"due": due_at.isoformat(), "receipt": receipt, "by_support": True}
        EmailService.queue(Kind.ACCOUNT_DELETED, user_id=user.pk, **about)
    return Deletion(due_at, receipt)


class OperatorDeletionService:
    """Deletion of an account on the server."""

    @staticmethod
    def request(user: User, *, operator: Operator, client: ClientInfo) -> Deletion:
        """Schedule the erasure as the user's own request does, and mail the user.

        Raises PermissionRefused if it was requested already.
        """
        return request_deletion(user, client=client, **operator.facts())

    @staticmethod
    def erase_now(
        user: User, *, operator: Operator, client: ClientInfo, with_mail: bool = True
    ) -> Deletion:
        """Close the account, mail the user in this process, then erase the account.

        The event that stays names the operator and not the reason, which may name the person.

        Raises PermissionRefused for the only superuser, if a former address could still bring the
        account back and would not be asked, if the mail is not sent, or if another process erases
        the account.
        """
        now = timezone.now()
        with locked_account(user.pk) as current:
            check_not_last_owner(current)
            if with_mail:
                _check_former_addresses(current, at=now)
            receipt = _close(current, client, at=now, **operator.facts())
        held = digest(receipt) if receipt else current.deletion_receipt
        about = {"receipt": receipt, "at_once": True}
        if with_mail and not EmailService.send_now(Kind.ACCOUNT_DELETED, user_id=user.pk, **about):
            if receipt:
                # Nobody has it.
                User.objects.filter(pk=user.pk, deletion_receipt=held).update(deletion_receipt="")
            requested_at = current.deletion_requested_at or now
            due = requested_at + settings.ACCOUNT_DELETION_GRACE
            raise PermissionRefused(_UNMAILED.format(due=due))
        if not erase(user.pk):
            raise PermissionRefused(_BUSY)
        record_action(
            "erase_account",
            user_id=None,
            client=client,
            risk=Risk.HIGH,
            receipt=held,
            **Operator(operator.name).facts(),
        )
        return Deletion(now, receipt)


def _check_former_addresses(user: User, *, at: dt.datetime) -> None:
    """Refuse while the person at a former address has a link that brings the account back."""
    move = EmailChange.objects.moved(user.pk, at=at).last()
    if move:
        raise PermissionRefused(_MOVED.format(until=move.requested_at + UNDO_LIFETIME))


def _close(user: User, client: ClientInfo, *, at: dt.datetime, **facts: Any) -> str:
    """Request the deletion, unless it is pending; return its receipt if it is a new one."""
    receipt = new_receipt()
    held = digest(receipt)
    if User.objects.request_deletion(user.pk, receipt=held, at=at):
        pass
    elif user.deletion_receipt:
        # A mail has told it, and only its hash is stored.
        receipt = ""
    else:
        User.objects.filter(pk=user.pk).update(deletion_receipt=held)
    SignInChallenge.objects.filter(user=user).delete()
    end_all_sessions(user, reason=TokenBlacklist.Reason.DELETION, at=at)
    record(
        Event.ACCOUNT_DELETION_REQUESTED,
        user_id=user.pk,
        client=client,
        risk=Risk.HIGH,
        **facts,
    )
    return receipt
