"""Changing and resetting a password."""

import copy
from typing import NoReturn

from django.db import transaction
from django.utils import timezone

from authentication.exceptions import LinkInvalid, TokenInvalid, ValidationFailed
from authentication.models import (
    ActionToken,
    EmailChange,
    PasswordHistory,
    PasswordResetToken,
    TokenBlacklist,
    User,
    UserSession,
)
from authentication.services.audit import Event, Risk, record
from authentication.services.mail import EmailService, Kind
from authentication.services.sign_in import (
    SignedIn,
    check_current_password,
    remember_network,
    sign_in,
)
from authentication.utils.client import ClientInfo
from authentication.utils.identifiers import canonical_email

from .breach import queue_breach_check
from .policy import check_password_policy

Reason = TokenBlacklist.Reason
_WRONG = "This is not your current password."


class PasswordService:
    """Changing and resetting a password."""

    @staticmethod
    def change(
        *, session: UserSession, old_password: str, new_password: str, client: ClientInfo
    ) -> SignedIn:
        """Replace a password its owner knows, and every session with a new one for the device that asks.

        The session itself is replaced too, so that no token from before the change outlives it
        (CWE-384).

        Raises ValidationFailed for a wrong old or a weak new password, AccountLocked after too many
        wrong ones.
        """
        user = session.user
        if not check_current_password(user, old_password, client=client):
            raise ValidationFailed(errors={"old_password": [_WRONG]})
        check_password_policy(new_password, user, field="new_password")
        before = _set_password(user, new_password)
        with transaction.atomic():
            _replace(user, before, reason=Reason.PASSWORD_CHANGE)
            record(Event.PASSWORD_CHANGE, user_id=user.pk, client=client, risk=Risk.MEDIUM)
            EmailService.queue(
                Kind.PASSWORD_CHANGED, user_id=user.pk, when=user.password_changed_at.isoformat()
            )
            signed_in = sign_in(
                user,
                client=client,
                event=Event.SESSION_RENEWED,
                at=user.password_changed_at,
                device_name=session.device_name,
                remember_me=session.remember_me,
                is_verified=session.is_verified,
                # A password alone is no proof that lets the second factor be given up.
                proven_at=session.reauthenticated_at
                if user.second_factor_at
                else user.password_changed_at,
            )
            queue_breach_check(user, new_password)
        remember_network(user, client)
        return signed_in

    @staticmethod
    def request_reset(*, email: str, client: ClientInfo) -> None:
        """Mail a link to choose a new password to whom the address belongs; the same work is done for nobody."""
        user = User.objects.identified_by(canonical_email(email)).only("pk").first()
        user_id = user.pk if user else None
        with transaction.atomic():
            record(Event.PASSWORD_RESET_REQUESTED, user_id=user_id, client=client)
            EmailService.queue(Kind.PASSWORD_RESET, user_id=user_id)

    @staticmethod
    def reset(*, token: str, new_password: str, client: ClientInfo) -> None:
        """Set a new password by the token of a mail, end every session, and lift a lock for its owner.

        Reading the mail proves the address as well. A password that is refused does not spend the
        token.

        Raises LinkInvalid if the token is unknown, used, voided or expired, ValidationFailed for a
        weak password.
        """
        user = PasswordResetToken.objects.owner_of(token, at=timezone.now())
        if user is None:
            _refuse(client)
        check_password_policy(new_password, user, field="new_password")
        before = _set_password(user, new_password)
        try:
            with transaction.atomic():
                # The account first and its tokens after, as everybody does it: the other way round
                # two would wait for each other.
                User.objects.hold(user.pk)
                if not PasswordResetToken.objects.spend(token, at=timezone.now()):
                    raise LinkInvalid
                _replace(user, before, reason=Reason.PASSWORD_RESET)
                # Links in older mails that lead to a new password. A change leaves them alone: a
                # thief could make one to take the owner's last way in.
                ActionToken.objects.void(ActionToken.Action.DISOWN_SESSION, user_id=user.pk)
                User.objects.verify_email(user.pk, at=user.password_changed_at)
                record(Event.PASSWORD_RESET, user_id=user.pk, client=client, risk=Risk.MEDIUM)
                EmailService.queue(
                    Kind.PASSWORD_CHANGED,
                    user_id=user.pk,
                    when=user.password_changed_at.isoformat(),
                )
                queue_breach_check(user, new_password)
        except (LinkInvalid, TokenInvalid):
            _refuse(client)
        remember_network(user, client)


def _set_password(user: User, password: str) -> User:
    """Hash a new password, which takes a while and belongs before the transaction; return the person as they were."""
    before = copy.copy(user)
    user.set_password(password)
    return before


def _replace(user: User, before: User, *, reason: str) -> None:
    """Store a new password and end every session and every wish to move the account, in the caller's transaction."""
    if not User.objects.change_password(user, since=before.password_changed_at):
        # Another change was faster, and has ended the session this one came with.
        raise TokenInvalid
    PasswordHistory.add(user.pk, before.password, user.password)
    PasswordResetToken.objects.filter(user=user, used_at=None).delete()
    UserSession.objects.filter(user=user).end(reason=reason, at=user.password_changed_at)
    # Whoever knew the old password may have asked for another address, which takes the account with
    # it.
    EmailChange.objects.cancel(user.pk, at=user.password_changed_at)


def _refuse(client: ClientInfo) -> NoReturn:
    record(
        Event.PASSWORD_RESET_FAILED, user_id=None, client=client, risk=Risk.MEDIUM, success=False
    )
    raise LinkInvalid
