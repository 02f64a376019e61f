"""Moving an account to another email address."""

import contextlib
import datetime as dt
from collections.abc import Iterator
from typing import NoReturn

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from authentication.exceptions import LinkInvalid, ValidationFailed
from authentication.models import (
    ActionToken,
    EmailChange,
    OutgoingEmail,
    PasswordResetToken,
    TokenBlacklist,
    User,
    UserSession,
)
from authentication.services.audit import Event, Risk, record
from authentication.services.mail import EmailService, Kind
from authentication.utils.client import ClientInfo
from authentication.utils.identifiers import canonical_email

from .addresses import address_taken, owner_of_address

_Action = ActionToken.Action
_HOUR = dt.timedelta(hours=1)
_SAME = "This is your email address already."


class EmailChangeService:
    """Moving an account to another email address: the old one stays in force until the new one is proven."""

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
    def request(user: User, *, email: str, client: ClientInfo) -> EmailChange:
        """Mail a link to the new address that makes it the account's, and to the old one a link that undoes it.

        An address that is taken gets the same answer, and its owner a mail. A newer wish voids the
        older.

        Raises ValidationFailed for the address the account has and, where the settings say so, for
        a taken one.
        """
        now, canonical = timezone.now(), canonical_email(email)
        if email == user.email:
            raise ValidationFailed(errors={"email": [_SAME]})
        owner = owner_of_address(canonical, at=now)
        taken = owner is not None and owner != user.pk
        if taken and not settings.PREVENT_EMAIL_ENUMERATION:
            raise address_taken()
        with transaction.atomic():
            User.objects.hold(user.pk)
            _void_pending(user, at=now)
            unwarned = _is_out_of_notices(user, at=now)
            change = EmailChange.objects.create(
                user=user, old_email=user.email, new_email=email, requested_at=now
            )
            record(
                Event.EMAIL_CHANGE_REQUESTED,
                user_id=user.pk,
                client=client,
                risk=Risk.MEDIUM,
                change=str(change.pk),
            )
            EmailService.queue(Kind.EMAIL_CHANGE_NOTICE, user_id=user.pk, change=str(change.pk))
            if taken:
                EmailService.queue(Kind.ACCOUNT_EXISTS, user_id=owner)
            elif not (_is_pestered(canonical, at=now) or unwarned):
                EmailService.queue(Kind.EMAIL_CHANGE, user_id=user.pk, change=str(change.pk))
        return change

    @staticmethod
    def cancel(user: User, *, client: ClientInfo) -> None:
        """Give a wish up that has not been confirmed; without one nothing happens."""
        with transaction.atomic():
            User.objects.hold(user.pk)
            if _void_pending(user, at=timezone.now()):
                record(Event.EMAIL_CHANGE_CANCELLED, user_id=user.pk, client=client)

    @staticmethod
    def confirm(*, token: str, client: ClientInfo) -> None:
        """Make the new address the account's, by the token that was mailed there.

        Raises LinkInvalid if the token is unknown, used, voided or expired, or the address was
        taken meanwhile.
        """
        now = timezone.now()
        with _spent(token, _Action.CONFIRM_EMAIL, at=now, client=client) as change:
            if owner_of_address(change.new_email_canonical, at=now) not in {None, change.user_id}:
                raise LinkInvalid
            if not EmailChange.objects.confirm(change.pk, at=now):
                raise LinkInvalid
            _move(change.user, change.new_email, at=now)
            record(
                Event.EMAIL_CHANGED,
                user_id=change.user_id,
                client=client,
                risk=Risk.HIGH,
                change=str(change.pk),
            )

    @staticmethod
    def undo(*, token: str, client: ClientInfo) -> str:
        """Bring the old address back, end every session, and return a token to choose a new password with.

        Who had to undo a change did not ask for it: somebody else knows the password. Every later
        change is void too, and every way back to it.

        Raises LinkInvalid if the token is unknown, used or expired.
        """
        now = timezone.now()
        with _spent(token, _Action.UNDO_EMAIL, at=now, client=client) as change:
            if not EmailChange.objects.undo(change.pk, at=now):
                raise LinkInvalid
            later = EmailChange.objects.filter(
                user_id=change.user_id, requested_at__gte=change.requested_at
            )
            later.filter(undone_at=None).update(undone_at=now)
            # The last of them went to whoever read the other address's mail, and gives leave to
            # choose a password.
            for action in (_Action.CONFIRM_EMAIL, _Action.UNDO_EMAIL, _Action.DISOWN_SESSION):
                ActionToken.objects.void(action, user_id=change.user_id)
            # Before the address, which is a key of the account's: a refresh that has its session
            # waits for that.
            UserSession.objects.filter(user_id=change.user_id).end(
                reason=TokenBlacklist.Reason.DISOWNED, at=now
            )
            _move(change.user, change.old_email, at=now)
            record(
                Event.EMAIL_CHANGE_UNDONE,
                user_id=change.user_id,
                client=client,
                risk=Risk.CRITICAL,
                change=str(change.pk),
            )
            return PasswordResetToken.objects.issue(change.user, at=now)


@contextlib.contextmanager
def _spent(
    token: str, action: str, *, at: dt.datetime, client: ClientInfo
) -> Iterator[EmailChange]:
    """Spend a mailed token in a transaction of its own, and give the change that it is of.

    Raises LinkInvalid, audited, if it is not good, or if the block says so or meets an address that
    is taken.
    """
    change = _change_of(token, action, at=at)
    if change is None:
        _refuse(client)
    try:
        with transaction.atomic():
            # The account first, as everybody does it who changes it and its tokens.
            User.objects.hold(change.user_id)
            if not ActionToken.objects.spend(token, action=action, at=at):
                raise LinkInvalid
            yield change
    except (IntegrityError, LinkInvalid):
        _refuse(client)


def _change_of(token: str, action: str, *, at: dt.datetime) -> EmailChange | None:
    found = ActionToken.objects.usable(token, action=action, at=at)
    if found is None or not found.user.is_active:
        return None
    return (
        EmailChange.objects.select_related("user")
        .filter(pk=found.subject["change"], user=found.user)
        .first()
    )


def _move(user: User, email: str, *, at: dt.datetime) -> None:
    """Store another address, which its reader has proven by the token."""
    user.email, user.email_verified, user.email_verified_at = email, True, at
    user.email_bounced_at = user.email_complained_at = None
    changed = ["email", "email_canonical", "email_verified", "email_verified_at"]
    user.save(update_fields=[*changed, "email_bounced_at", "email_complained_at"])


def _void_pending(user: User, *, at: dt.datetime) -> bool:
    ActionToken.objects.void(_Action.CONFIRM_EMAIL, user_id=user.pk)
    return EmailChange.objects.cancel(user.pk, at=at)


def _is_pestered(canonical: str, *, at: dt.datetime) -> bool:
    """Return whether an address has had its hour's mails, whichever accounts asked for them."""
    recent = EmailChange.objects.filter(new_email_canonical=canonical, requested_at__gt=at - _HOUR)
    return recent.count() > settings.EMAIL_HOURLY_LIMIT


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


def _refuse(client: ClientInfo) -> NoReturn:
    record(Event.EMAIL_CHANGE_FAILED, user_id=None, client=client, risk=Risk.MEDIUM, success=False)
    raise LinkInvalid
