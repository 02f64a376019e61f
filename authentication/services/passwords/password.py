"""Changing and resetting a password."""

import copy

from django.db import transaction
from django.utils import timezone

from authentication.exceptions import SessionOver, ValidationFailed
from authentication.models import (
    ActionToken,
    EmailChange,
    EmailVerificationToken,
    KnownDevice,
    PasswordHistory,
    PasswordResetToken,
    SecondFactor,
    TokenBlacklist,
    User,
    UserSession,
)
from authentication.services.acting import acting
from authentication.services.address_proof import prove_address
from authentication.services.attempt_limit import UNLIMITED, AttemptLimit, count_attempt
from authentication.services.audit import Event, Risk, record
from authentication.services.mail import EmailService, Kind
from authentication.services.redeem import Redemption
from authentication.services.revocation import end_all_sessions, void_exports
from authentication.services.sign_in import (
    Opening,
    SignedIn,
    check_own_password,
    is_known,
    open_session,
    remember,
)
from authentication.utils.client import ClientInfo
from authentication.utils.identifiers import canonical_email

from .breach import queue_breach_check
from .policy import broken_rules, check_password_policy

Reason = TokenBlacklist.Reason


class PasswordService:
    """Changing and resetting a password."""

    @staticmethod
    def change(
        *, session: UserSession, old_password: str, new_password: str, client: ClientInfo
    ) -> SignedIn:
        """Replace the password and every session, with a new session for the device that asks.

        The session that asks is replaced too, so that no token from before outlives it (CWE-384).
        Every other device becomes unknown.

        Raises ValidationFailed for a wrong old or a weak new password, AccountLocked after too many
        wrong ones.
        """
        _check_passwords(session, old_password, new_password, client=client)
        user, before = session.user, _set_password(session.user, new_password)
        with acting(session) as account:
            if not account.email_verified:
                # A proven address has no links that work.
                EmailVerificationToken.objects.void(user.pk)
            # A thief's sessions end here; the thief's device must not stay a known one.
            KnownDevice.objects.forget(user.pk, but=session.device_fingerprint)
            _store(user, before, reason=Reason.PASSWORD_CHANGE)
            record(Event.PASSWORD_CHANGE, user_id=user.pk, client=client, risk=Risk.MEDIUM)
            _queue_notice(user)
            opening = Opening(
                Event.SESSION_RENEWED,
                device_name=session.device_name,
                remember_me=session.remember_me,
                is_verified=session.is_verified,
                # A password alone does not prove that the second factor may be disabled.
                proven_at=session.reauthenticated_at
                if user.second_factor_at
                else user.password_changed_at,
                password_proven_at=user.password_changed_at,
                device=session.device_fingerprint if is_known(session) else "",
                is_sign_in=False,
            )
            changed_at = user.password_changed_at
            signed_in = open_session(user, opening, client=client, at=changed_at)
            queue_breach_check(user, new_password)
        return signed_in

    @staticmethod
    def weaknesses(
        password: str | None, user: User | None = None, *, field: str
    ) -> dict[str, list[str]]:
        """Return the rules that a password breaks, as errors of a field; none without a password.

        It is not compared with former ones: the caller may hold a stolen token.
        """
        broken = broken_rules(password, user, with_history=False) if password else []
        return {field: broken} if broken else {}

    @staticmethod
    def request_reset(*, email: str, client: ClientInfo, limit: AttemptLimit = UNLIMITED) -> None:
        """Mail a link to choose a new password; an unknown address costs the same work.

        Raises RateLimited.
        """
        user = User.objects.identified_by(canonical_email(email)).only("pk").first()
        user_id = user.pk if user else None
        count_attempt(limit, client, user_id)
        with transaction.atomic():
            record(Event.PASSWORD_RESET_REQUESTED, user_id=user_id, client=client)
            EmailService.queue(Kind.PASSWORD_RESET, user_id=user_id)

    @staticmethod
    def reset(
        *, token: str, new_password: str, client: ClientInfo, limit: AttemptLimit = UNLIMITED
    ) -> str:
        """Set a new password by a mailed token, and return the id of the device that does it.

        Every session ends, a lock is lifted, the address is proven. The device becomes a known one
        and all others unknown. A weak password does not spend the token.

        Raises LinkInvalid if the token is unknown, used, void or expired, ValidationFailed for a
        weak password.
        """
        tokens, failure = PasswordResetToken.objects.all(), Event.PASSWORD_RESET_FAILED
        redemption = Redemption(
            tokens, token, failure=failure, client=client, at=timezone.now(), limit=limit
        )
        row = redemption.look_up()
        user = row.user
        check_password_policy(new_password, user, field="new_password")
        before = _set_password(user, new_password)
        with redemption.spend(row) as spent:
            changed_at = user.password_changed_at
            _store(user, before, reason=Reason.PASSWORD_RESET)
            # The reset voids the links of older mails that lead to a new password. A change does
            # not: a thief could change the password to void the owner's last link. Neither does a
            # reset while a change of address can be undone: it may come from the new address.
            if not EmailChange.objects.moved(user.pk, at=changed_at).exists():
                ActionToken.objects.of(ActionToken.Action.DISOWN_SESSION).void(user.pk)
            void_exports(user.pk)
            prove_address(spent.user, at=changed_at, is_password_new=True)
            device = remember(user, client, at=changed_at)
            KnownDevice.objects.forget(user.pk, but=device.digest)
            KnownDevice.objects.filter(user=user).clear_attempts()
            SecondFactor.objects.forget_tries(user.pk)
            record(Event.PASSWORD_RESET, user_id=user.pk, client=client, risk=Risk.MEDIUM)
            _queue_notice(user)
            queue_breach_check(user, new_password)
        return device.device_id


def _check_passwords(session: UserSession, old: str, new: str, *, client: ClientInfo) -> None:
    """Raise ValidationFailed for a wrong old and a weak new password, with both at once."""
    try:
        check_own_password(session, old, field="old_password", client=client)
    except ValidationFailed as refusal:
        weak = PasswordService.weaknesses(new, session.user, field="new_password")
        raise ValidationFailed(errors={**(refusal.errors or {}), **weak}) from None
    check_password_policy(new, session.user, field="new_password")


def _set_password(user: User, password: str) -> User:
    """Hash a new password, which is slow and must not hold a lock; return the user as before."""
    before = copy.copy(user)
    user.set_password(password)
    return before


def _store(user: User, before: User, *, reason: str) -> None:
    """Store a new password, end every session, void pending changes of address."""
    if not User.objects.change_password(user, since=before.password_changed_at):
        raise SessionOver
    changed_at = user.password_changed_at
    PasswordHistory.add(user.pk, before.password, user.password, at=changed_at)
    PasswordResetToken.objects.void(user.pk)
    # A thief who knew the old password may have asked for another address.
    EmailChange.objects.cancel(user.pk, at=changed_at)
    # To confirm a seed takes a session only. Offering it took the old password.
    SecondFactor.objects.withdraw(user.pk)
    end_all_sessions(user, reason=reason, at=changed_at)


def _queue_notice(user: User) -> None:
    when = user.password_changed_at.isoformat()
    EmailService.queue(Kind.PASSWORD_CHANGED, user_id=user.pk, when=when)
