"""Proving an email address, and correcting one that was mistyped."""

import contextlib
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy

from authentication.exceptions import (
    AccountDisabled,
    InvalidCredentials,
    PermissionRefused,
    Problem,
    ServiceUnavailable,
)
from authentication.models import EmailVerificationToken, User
from authentication.services.acting import locked_account
from authentication.services.address_proof import prove_address
from authentication.services.attempt_limit import (
    NO_ACCOUNT,
    UNLIMITED,
    AttemptLimit,
    count_attempt,
)
from authentication.services.audit import Event, Risk, record
from authentication.services.mail import EmailService, Kind
from authentication.services.redeem import Redemption
from authentication.services.sign_in import new_exchange_token, prove_password_of
from authentication.utils.client import ClientInfo
from authentication.utils.identifiers import canonical_email

from .addresses import (
    has_mails_left,
    holder_of_address,
    leave_address,
    mail_claim,
    void_links_to_unproven,
)

_PROVEN = gettext_lazy(
    "This email address is confirmed already. You can change it after you have signed in."
)
_PROVEN_BY_USER = "The person has confirmed this address. Only they can change it, after a sign-in."
_SAME = "This is the address already. Send the verification mail again."
_TAKEN = "Another account has this address."
_MAILED_ENOUGH = "This address got enough corrections within the hour. Please try again later."
# Each further try is for a registration that took or left the new address meanwhile.
_TRIES = 3


class EmailVerificationService:
    """Proving an email address, and correcting one that was mistyped."""

    @staticmethod
    def verify(*, token: str, client: ClientInfo, limit: AttemptLimit = UNLIMITED) -> str | None:
        """Spend a mailed token, store that its address is proven, and return an exchange token.

        A contested account loses its password (`prove_address`).

        None stands for the exchange token while the cache cannot keep one: the user signs in with
        the password then.

        Raises LinkInvalid if the token is unknown, used, void or expired, of another address or of
        one that is proven already.
        """
        now = timezone.now()
        redemption = Redemption(
            EmailVerificationToken.objects.all(),
            token,
            failure=Event.EMAIL_VERIFICATION_FAILED,
            client=client,
            at=now,
            limit=limit,
        )
        with redemption.spend() as row:
            prove_address(row.user, at=now)
            record(Event.EMAIL_VERIFIED, user_id=row.user_id, client=client)
        try:
            return new_exchange_token(row.user)
        except ServiceUnavailable:
            return None

    @staticmethod
    def verify_row(row: EmailVerificationToken) -> bool:
        """Verify as `verify` does, by a token's row, and return whether it could be used."""
        now = timezone.now()
        with contextlib.suppress(User.DoesNotExist), locked_account(row.user_id) as user:
            row.user = user
            usable = user.is_active and row.is_bound()
            if usable and EmailVerificationToken.objects.spend_row(row.pk, at=now):
                row.verified_at = now
                prove_address(user, at=now)
                record(Event.EMAIL_VERIFIED, user_id=user.pk, client=ClientInfo())
                return True
        return False

    @staticmethod
    def replace(row: EmailVerificationToken) -> None:
        """Void a token and mail a new link, which an account with a proven address does not get."""
        with transaction.atomic():
            record(Event.EMAIL_RESEND, user_id=row.user_id, client=ClientInfo())
            EmailVerificationToken.objects.void(row.user_id)
            EmailService.queue(Kind.VERIFICATION, user_id=row.user_id)

    @staticmethod
    def resend(*, email: str, client: ClientInfo, limit: AttemptLimit = UNLIMITED) -> None:
        """Mail the link again to an account that waits for it; others cost the same work.

        Raises RateLimited.
        """
        user = User.objects.identified_by(canonical_email(email)).only("pk").first()
        user_id = user.pk if user else None
        count_attempt(limit, client, user_id)
        with transaction.atomic():
            record(Event.EMAIL_RESEND, user_id=user_id, client=client)
            EmailService.queue(Kind.VERIFICATION, user_id=user_id)

    @staticmethod
    def correct(*, identifier: str, password: str, new_email: str, client: ClientInfo) -> None:
        """Give an unproven account another address and mail the link there; older links are void.

        A new address that has an account is handled as at a registration: the account of the
        password keeps its own, and the answer is the same.

        Raises InvalidCredentials, AccountLocked as a sign-in does; for the right password of
        another account AccountDisabled, or PermissionRefused if its address is proven.
        """
        user = prove_password_of(
            identifier, password, refusal_of=_refusal_of_correction, client=client
        ).user
        is_mailed = has_mails_left(canonical_email(new_email))
        for _ in range(_TRIES):
            with contextlib.suppress(IntegrityError):
                return _correct(user, new_email, is_mailed=is_mailed, client=client)
        raise ServiceUnavailable


def correct_address_of(user: User, new_email: str, *, client: ClientInfo, **facts: Any) -> None:
    """Give an unproven account another address for staff, and mail the link there.

    Staff see every account, so they are told that an address is taken. Raises PermissionRefused.
    """
    now, canonical = timezone.now(), canonical_email(new_email)
    with contextlib.suppress(IntegrityError), locked_account(user.pk) as account:
        if account.email_verified:
            raise PermissionRefused(_PROVEN_BY_USER)
        holder = holder_of_address(canonical, at=now)
        if holder:
            is_own = holder.user_id == account.pk
            raise PermissionRefused(_SAME if is_own else _TAKEN)
        if not has_mails_left(canonical):
            raise PermissionRefused(_MAILED_ENOUGH)
        leave_address(account, new_email, at=now)
        void_links_to_unproven(account.pk, at=now)
        record(Event.EMAIL_CORRECTED, user_id=account.pk, client=client, risk=Risk.MEDIUM, **facts)
        mail_claim(None, account.pk, at=now)
        return
    raise PermissionRefused(_TAKEN)


def _refusal_of_correction(user: User) -> Problem | None:
    if not user.is_active:
        return AccountDisabled()
    return PermissionRefused(_PROVEN) if user.email_verified else None


def _correct(user: User, email: str, *, is_mailed: bool, client: ClientInfo) -> None:
    now = timezone.now()
    try:
        with locked_account(user.pk) as account:
            _check_unchanged(account, user)
            holder = holder_of_address(canonical_email(email), at=now)
            leave_address(account, None if holder else email, at=now)
            void_links_to_unproven(NO_ACCOUNT if holder else account.pk, at=now)
            record(Event.EMAIL_CORRECTED, user_id=account.pk, client=client)
            rival = holder if holder and holder.user_id != account.pk else None
            mail_claim(rival, account.pk, is_mailed=is_mailed, at=now)
    except User.DoesNotExist:
        raise InvalidCredentials from None


def _check_unchanged(account: User, user: User) -> None:
    """Check under the lock what the password was compared with before it."""
    if account.password_changed_at != user.password_changed_at:
        raise InvalidCredentials
    if refusal := _refusal_of_correction(account):
        raise refusal
