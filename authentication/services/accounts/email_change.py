"""Changing the email address of an account."""

import contextlib
import datetime as dt
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from authentication.exceptions import LinkInvalid, ValidationFailed
from authentication.models import (
    ActionToken,
    EmailChange,
    KnownDevice,
    OutgoingEmail,
    PasswordResetToken,
    SensitiveChange,
    TokenBlacklist,
    User,
    UserSession,
)
from authentication.services.acting import acting
from authentication.services.address_proof import prove_address
from authentication.services.attempt_limit import UNLIMITED, AttemptLimit
from authentication.services.audit import Event, Risk, record
from authentication.services.mail import EmailService, Kind
from authentication.services.redeem import Redemption
from authentication.services.revocation import end_all_sessions
from authentication.services.sign_in import recognise
from authentication.utils.client import ClientInfo
from authentication.utils.identifiers import canonical_email

from .addresses import (
    address_taken,
    leave_address,
    move,
    owner_of_address,
    release_address,
    void_links_to_unproven,
)
from .reversal import Reversal

_Action = ActionToken.Action
Reason = TokenBlacklist.Reason
_HOUR = dt.timedelta(hours=1)
_SAME = _("This is your email address already.")


class EmailChangeService:
    """Changing the email address; the old one stays in force until the new one is proven."""

    @staticmethod
    def pending(user: User) -> EmailChange | None:
        """Return the change that waits to be confirmed."""
        return (
            EmailChange.objects.filter(user=user)
            .pending(at=timezone.now())
            .order_by("-requested_at")
            .first()
        )

    @staticmethod
    def request(session: UserSession, *, email: str, client: ClientInfo) -> EmailChange:
        """Mail a link that confirms the new address to it, and one that undoes it to the old one.

        A taken address gets the same answer, and its owner a mail. A newer request voids the older.

        Raises ValidationFailed for the address the account has and, if PREVENT_EMAIL_ENUMERATION is
        off, for a taken one.
        """
        now, canonical = timezone.now(), canonical_email(email)
        if email == session.user.email:
            raise ValidationFailed(errors={"email": [_SAME]})
        owner = owner_of_address(canonical, at=now)
        taken = owner is not None and owner != session.user_id
        if taken and not settings.PREVENT_EMAIL_ENUMERATION:
            raise address_taken()
        with acting(session, recent_proof=True) as user:
            _void_pending(user, at=now)
            unwarned = _is_out_of_notices(user, at=now)
            change = _create(user, email, at=now)
            about: dict[str, Any] = {"change": str(change.pk)}
            SensitiveChange.objects.note(
                SensitiveChange.Kind.EMAIL, session=session, at=change.requested_at, **about
            )
            record(
                Event.EMAIL_CHANGE_REQUESTED,
                user_id=user.pk,
                client=client,
                risk=Risk.MEDIUM,
                **about,
            )
            EmailService.queue(Kind.EMAIL_CHANGE_NOTICE, user_id=user.pk, **about)
            if not unwarned:
                # Who reads it, the asker or the owner of a taken address, is decided at delivery.
                EmailService.queue(Kind.EMAIL_CHANGE, user_id=user.pk, **about)
        return change

    @staticmethod
    def cancel(session: UserSession, *, client: ClientInfo) -> None:
        """Give up a change that has not been confirmed; without one nothing happens."""
        with acting(session) as user:
            if _void_pending(user, at=timezone.now()):
                record(Event.EMAIL_CHANGE_CANCELLED, user_id=user.pk, client=client)

    @staticmethod
    def confirm(*, token: str, client: ClientInfo, limit: AttemptLimit = UNLIMITED) -> None:
        """Make the new address the account's, by the token mailed to it.

        Raises LinkInvalid if the token is unknown, used, void or expired, or the address was taken
        meanwhile.
        """
        now = timezone.now()
        with _redeemed(token, _Action.CONFIRM_EMAIL, at=now, client=client, limit=limit) as change:
            if owner_of_address(change.new_email_canonical, at=now) not in {None, change.user_id}:
                raise LinkInvalid
            is_proven = change.user.email_verified
            if not EmailChange.objects.confirm(change.pk, is_from_proven=is_proven, at=now):
                raise LinkInvalid
            if not is_proven:
                void_links_to_unproven(change.user_id, at=now)
            release_address(change.new_email_canonical, client=client)
            if change.user.contested_at:
                leave_address(change.user, change.new_email, at=now)
            move(change.user, change.new_email, at=now)
            record(
                Event.EMAIL_CHANGED,
                user_id=change.user_id,
                client=client,
                risk=Risk.HIGH,
                change=str(change.pk),
            )

    @staticmethod
    def undo(*, token: str, client: ClientInfo, limit: AttemptLimit = UNLIMITED) -> str:
        """Restore the old address, end every session, return a token to choose a new password.

        The owner who undoes a change did not ask for it: another person knows the password. All
        sensitive changes made since are undone too, and the links about them are void. The link
        works although the change was cancelled or undone: later ones may have come.

        Raises LinkInvalid if the token is unknown, used or expired.
        """
        now = timezone.now()
        with _redeemed(token, _Action.UNDO_EMAIL, at=now, client=client, limit=limit) as change:
            user, reversal = change.user, Reversal.of_email_change(change, at=now)
            reversal.void_links()
            device = recognise(user, client)
            KnownDevice.objects.forget(user.pk, but=device.digest if device else "")
            end_all_sessions(user, reason=Reason.DISOWNED, at=now)
            if user.contested_at:
                prove_address(user, at=now, is_mailed=False)
            record(
                Event.EMAIL_CHANGE_UNDONE,
                user_id=user.pk,
                client=client,
                risk=Risk.CRITICAL,
                change=str(change.pk),
                undone=reversal.carry_out(),
            )
            return str(PasswordResetToken.objects.issue(user, at=now))


@contextlib.contextmanager
def _redeemed(
    token: str, action: str, *, at: dt.datetime, client: ClientInfo, limit: AttemptLimit
) -> Iterator[EmailChange]:
    """Redeem a mailed token and give its change, with the locked account as its user."""
    redemption = Redemption(
        ActionToken.objects.of(action),
        token,
        failure=Event.EMAIL_CHANGE_FAILED,
        client=client,
        at=at,
        limit=limit,
    )
    with redemption.spend() as link:
        change = EmailChange.objects.filter(pk=link.subject["change"], user=link.user).first()
        if change is None:
            raise LinkInvalid
        change.user = link.user
        yield change


def _create(user: User, email: str, *, at: dt.datetime) -> EmailChange:
    """Store a change, later than those before it whichever replica's clock was ahead."""
    earlier = EmailChange.objects.filter(user=user).order_by("-requested_at")
    last = earlier.values_list("requested_at", flat=True).first()
    requested_at = max(at, last + dt.timedelta(microseconds=1)) if last else at
    return EmailChange.objects.create(
        user=user, old_email=user.email, new_email=email, requested_at=requested_at
    )


def _void_pending(user: User, *, at: dt.datetime) -> bool:
    ActionToken.objects.of(_Action.CONFIRM_EMAIL).void(user.pk)
    return EmailChange.objects.cancel(user.pk, at=at)


def _is_out_of_notices(user: User, *, at: dt.datetime) -> bool:
    """Return whether a further notice to the old address would be held back by the limit of mails.

    Then no link may go to the new one either: the account would move without a way back for its
    owner.
    """
    notices = OutgoingEmail.objects.filter(user=user, kind=Kind.EMAIL_CHANGE_NOTICE)
    open_or_sent = Q(sent_at__gt=at - _HOUR) | Q(
        status__in=(OutgoingEmail.Status.QUEUED, OutgoingEmail.Status.SENDING)
    )
    return notices.filter(open_or_sent).count() >= settings.EMAIL_HOURLY_LIMIT
