"""Removal of a user's second factor by staff, for a user who has lost app and recovery codes.

Persuading one member of staff must not be enough to get past the factor. So the user is mailed, the
removal waits for 24 hours or for a second member of staff, and the user can stop it.
"""

import contextlib
import datetime as dt
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from authentication.exceptions import LinkInvalid, PermissionRefused
from authentication.models import ActionToken, OutgoingEmail, SecondFactorRemoval, User
from authentication.models.second_factor_removal import REMOVAL_DELAY
from authentication.services.acted_by import ActedBy, administered, is_session_of
from authentication.services.acting import locked_account
from authentication.services.attempt_limit import UNLIMITED, AttemptLimit
from authentication.services.audit import Event, Risk, record
from authentication.services.mail import EmailService, Kind
from authentication.services.operators import checked_reason
from authentication.services.ranks import check_not_new, check_other, may_remove_factor
from authentication.services.redeem import Redemption
from authentication.utils.client import ClientInfo

from .forced_removal import force_removal

_Outcome = SecondFactorRemoval.Outcome
_HOUR = dt.timedelta(hours=1)
_SAME = _("You have requested this removal. A second member of staff has to confirm it.")
_CLOSED = _("This account is disabled, and gets no mail.")
_WITHOUT = _("Two-step sign-in is off for this account.")
_PENDING = _("A removal is pending already.")
_OVER = _("This removal is over already.")
_MAILED_ENOUGH = _("The user was mailed about this too often within the hour. Please try later.")


class SecondFactorRemovalService:
    """Removal of a second factor: requested, confirmed, cancelled, stopped, carried out.

    Raises PermissionRefused if the target has a right that the actor lacks, or is the actor.
    """

    @staticmethod
    def request(user: User, *, by: ActedBy) -> SecondFactorRemoval:
        """Store the request, and mail the user a link that stops it.

        Raises PermissionRefused, with the reason for staff, if the account has no second factor, is
        disabled, or has a pending removal, or if the reason is empty or too long.
        """
        reason, now = checked_reason(by.reason), timezone.now()
        with administered(user.pk, by) as current:
            check_other(by.staff, current)
            if not current.is_active:
                raise PermissionRefused(_CLOSED)
            if current.second_factor_at is None:
                raise PermissionRefused(_WITHOUT)
            _check_free(current, at=now)
            removal = SecondFactorRemoval.objects.create(
                user=current,
                factor_since=current.second_factor_at,
                reason=reason,
                requested_by=by.actor,
                requested_at=now,
                session_hash=by.staff.get_session_auth_hash(),
            )
            about = {"removal": str(removal.pk)}
            _note(Event.SECOND_FACTOR_REMOVAL_REQUESTED, removal, by.client, **by.facts())
            EmailService.queue(Kind.SECOND_FACTOR_REMOVAL, user_id=user.pk, **about)
        return removal

    @staticmethod
    def confirm(removal: SecondFactorRemoval, *, by: ActedBy) -> None:
        """Carry a removal out at once, as a second member of staff.

        Raises PermissionRefused for the member of staff who requested it, or if it is over.
        """
        with _pending(removal, by) as (current, user):
            if current.requested_by_id == by.staff.pk:
                raise PermissionRefused(_SAME)
            check_not_new(by.staff)
            SecondFactorRemoval.objects.filter(pk=current.pk).update(confirmed_by=by.actor)
            _carry_out(current, user, by.client, **by.facts())

    @staticmethod
    def cancel(removal: SecondFactorRemoval, *, by: ActedBy) -> None:
        """Give a removal up; raises PermissionRefused if it is over."""
        with _pending(removal, by) as (current, _):
            _cancel(current, by.client, **by.facts())

    @staticmethod
    def stop(*, token: str, client: ClientInfo, limit: AttemptLimit = UNLIMITED) -> None:
        """Stop a removal, by the token mailed to the user.

        Raises LinkInvalid if the token is unknown, used or expired, or the removal is over.
        """
        now = timezone.now()
        redemption = Redemption(
            ActionToken.objects.of(ActionToken.Action.STOP_FACTOR_REMOVAL),
            token,
            failure=Event.SECOND_FACTOR_REMOVAL_FAILED,
            client=client,
            at=now,
            limit=limit,
        )
        with redemption.spend() as link:
            removal = SecondFactorRemoval.objects.filter(
                pk=link.subject["removal"], user=link.user
            ).first()
            if removal is None or not SecondFactorRemoval.objects.end(
                removal.pk, outcome=_Outcome.STOPPED, at=now
            ):
                raise LinkInvalid
            _note(Event.SECOND_FACTOR_REMOVAL_STOPPED, removal, client)

    @staticmethod
    def pending(user: User) -> SecondFactorRemoval | None:
        """Return the pending removal of an account."""
        return SecondFactorRemoval.objects.pending().filter(user=user).first()

    @staticmethod
    def carry_out_due() -> int:
        """Carry out the removals that are due; return how many.

        A removal is due 24 hours after its request and after its mail was sent: while no mail
        reaches the user, only a second member of staff can carry it out.
        """
        since = timezone.now() - REMOVAL_DELAY
        waiting = SecondFactorRemoval.objects.pending().filter(requested_at__lte=since)
        due = [it for it in waiting.order_by("requested_at") if _was_mailed(it, before=since)]
        return sum(_carry_out_late(removal) for removal in due)


def stop_pending_removal(user: User, *, at: dt.datetime) -> None:
    """Stop the pending removal of an account, if there is one. Lock the account first."""
    removal = SecondFactorRemovalService.pending(user)
    if removal:
        SecondFactorRemoval.objects.end(removal.pk, outcome=_Outcome.STOPPED, at=at)
        _void_link(removal)
        _note(Event.SECOND_FACTOR_REMOVAL_STOPPED, removal, ClientInfo())


def _carry_out_late(removal: SecondFactorRemoval) -> bool:
    try:
        with locked_account(removal.user_id) as user:
            actor = removal.requested_by
            facts = {"actor": str(actor.pk)} if actor else {}
            if may_remove_factor(actor, user) and _is_of_live_session(removal):
                return _carry_out(removal, user, ClientInfo(), **facts)
            _cancel(removal, ClientInfo(), **facts)
            return False
    except User.DoesNotExist:
        return False


def _is_of_live_session(removal: SecondFactorRemoval) -> bool:
    """Return whether the session of the admin that requested a removal may live: not a thief's."""
    actor, session_hash = removal.requested_by, removal.session_hash
    # Those from before this was stored have none.
    return actor is not None and (not session_hash or is_session_of(actor, session_hash))


def _cancel(removal: SecondFactorRemoval, client: ClientInfo, **facts: Any) -> None:
    now = timezone.now()
    if SecondFactorRemoval.objects.end(removal.pk, outcome=_Outcome.CANCELLED, at=now):
        _void_link(removal)
        _note(Event.SECOND_FACTOR_REMOVAL_CANCELLED, removal, client, **facts)


def _carry_out(removal: SecondFactorRemoval, user: User, client: ClientInfo, **facts: Any) -> bool:
    """Remove the factor and end every session; False if the removal or the factor is over.

    Call it under the lock of the account's row. The user's own removal of the factor holds the same
    lock, and leaves nothing to remove.
    """
    now, is_there = timezone.now(), user.second_factor_at == removal.factor_since
    outcome = _Outcome.CARRIED_OUT if is_there else _Outcome.OBSOLETE
    if not SecondFactorRemoval.objects.end(removal.pk, outcome=outcome, at=now):
        return False
    _void_link(removal)
    if not is_there:
        return False
    about = {"removal": str(removal.pk), **facts}
    force_removal(user, change="removed", client=client, at=now, **about)
    return True


@contextlib.contextmanager
def _pending(
    removal: SecondFactorRemoval, by: ActedBy
) -> Iterator[tuple[SecondFactorRemoval, User]]:
    """Give a removal with its account, as they are under the account's lock."""
    with administered(removal.user_id, by) as user:
        check_other(by.staff, user)
        current = SecondFactorRemoval.objects.pending().filter(pk=removal.pk).first()
        if current is None:
            raise PermissionRefused(_OVER)
        yield current, user


def _check_free(user: User, *, at: dt.datetime) -> None:
    """Raise PermissionRefused if a removal is pending, or if a further mail would be held back."""
    pending = SecondFactorRemovalService.pending(user)
    if pending and pending.factor_since == user.second_factor_at:
        raise PermissionRefused(_PENDING)
    if pending:
        SecondFactorRemoval.objects.end(pending.pk, outcome=_Outcome.OBSOLETE, at=at)
    mails = OutgoingEmail.objects.filter(user=user, kind=Kind.SECOND_FACTOR_REMOVAL)
    recent = mails.filter(Q(sent_at__gt=at - _HOUR) | Q(status__in=("queued", "sending")))
    if recent.count() >= settings.EMAIL_HOURLY_LIMIT:
        raise PermissionRefused(_MAILED_ENOUGH)


def _was_mailed(removal: SecondFactorRemoval, *, before: dt.datetime) -> bool:
    mails = OutgoingEmail.objects.filter(user=removal.user_id, kind=Kind.SECOND_FACTOR_REMOVAL)
    return mails.filter(context__removal=str(removal.pk), sent_at__lte=before).exists()


def _void_link(removal: SecondFactorRemoval) -> None:
    ActionToken.objects.of(ActionToken.Action.STOP_FACTOR_REMOVAL).void(removal.user_id)


def _note(event: str, removal: SecondFactorRemoval, client: ClientInfo, **facts: Any) -> None:
    about = {"removal": str(removal.pk), **facts}
    record(event, user_id=removal.user_id, client=client, risk=Risk.HIGH, **about)
