"""Addresses of accounts: who has one, who can get it back, and who has to give way."""

import dataclasses
import datetime as dt
import uuid
from typing import Any

from django.conf import settings
from django.core.cache import caches
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from authentication.exceptions import ValidationFailed
from authentication.models import (
    ActionToken,
    EmailChange,
    EmailVerificationToken,
    OutgoingEmail,
    PasswordResetToken,
    User,
    UserProfile,
)
from authentication.models.user import generated_username, released_address
from authentication.services.attempt_limit import NO_ACCOUNT
from authentication.services.audit import Event, Risk, record
from authentication.services.mail import EmailService, Kind
from authentication.utils.client import ClientInfo
from authentication.utils.crypto import pseudonym

_TAKEN = _("There is already an account with this email address.")
_HOUR_SECONDS = 3600


@dataclasses.dataclass(frozen=True, slots=True)
class Holder:
    """The account that an address belongs to; an unproven one only waits for a proof."""

    user_id: uuid.UUID
    is_proven: bool


def address_taken() -> ValidationFailed:
    """Return the error for a taken address. It reveals that the address has an account."""
    return ValidationFailed(errors={"email": [_TAKEN]})


def move(user: User, email: str, *, at: dt.datetime) -> None:
    """Store another address of an account, which its reader has proven by a mailed token."""
    user.email, user.email_verified, user.email_verified_at = email, True, at
    user.email_bounced_at = user.email_complained_at = user.contested_at = None
    changed = ["email", "email_canonical", "email_verified", "email_verified_at"]
    changed += ["email_bounced_at", "email_complained_at", "contested_at"]
    user.save(update_fields=changed)


def holder_of_address(canonical: str, *, at: dt.datetime) -> Holder | None:
    """Return the account that has an address, proven or not, or can still undo leaving it."""
    found = User.objects.identified_by(canonical).values_list("pk", "email_verified").first()
    reserver = reserver_of_address(canonical, at=at)
    if found:
        return Holder(*found)
    return Holder(reserver, is_proven=True) if reserver else None


def owner_of_address(canonical: str, *, at: dt.datetime) -> uuid.UUID | None:
    """Return the id of the account that owns an address or can still undo leaving it.

    An unproven account that was never used does not: it gives way to a proof
    (`release_address`).
    """
    accounts = User.objects.identified_by(canonical).values_list(
        "pk", "email_verified", "last_login"
    )
    pk, is_proven, last_login = accounts.first() or (None, False, None)
    holder: uuid.UUID | None = pk if is_proven or last_login else None
    # The order matters: an account that leaves the address between the two queries is found by the
    # second. Both always run, so that the number of queries reveals nothing.
    reserver = reserver_of_address(canonical, at=at)
    return holder or reserver


def reserver_of_address(canonical: str, *, at: dt.datetime) -> uuid.UUID | None:
    """Return the id of the account that can still undo leaving an address."""
    found: uuid.UUID | None = (
        EmailChange.objects.reserving(canonical, at=at).values_list("user_id", flat=True).first()
    )
    return found


def release_address(canonical: str, *, client: ClientInfo) -> None:
    """Take an address that a member has just proven from an account that was never used.

    That account keeps its password and username: its person may have mistyped the address, and can
    correct it. Retention deletes it otherwise. An account in use keeps the address.
    """
    unused = User.objects.identified_by(canonical).never_used().values_list("pk", flat=True)
    pk = unused.first()
    if pk and User.objects.release_address(pk, to=released_address()):
        EmailVerificationToken.objects.void(pk)
        PasswordResetToken.objects.void(pk)
        # Without the account: what it shows must not depend on other people.
        name = pseudonym("identifier", canonical)
        record(Event.ADDRESS_RELEASED, user_id=None, client=client, risk=Risk.MEDIUM, name=name)


def void_links_to_unproven(user_id: uuid.UUID, *, at: dt.datetime) -> None:
    """Void the links of an account that leaves an address that was not proven.

    They were mailed there, and its reader must not take an account that is elsewhere.
    """
    EmailChange.objects.cancel(user_id, at=at)
    ActionToken.objects.void(user_id)
    PasswordResetToken.objects.void(user_id)


def leave_address(account: User, email: str | None, *, at: dt.datetime) -> None:
    """Give a locked, unproven account another address, or none; void its verification links.

    A contested address has a second claimant, who has a link and may be its owner. An account
    without a password stays behind for that claim, with the links. All cases need the same
    statements. Raises IntegrityError if the address was taken a moment ago.
    """
    is_contested = account.contested_at is not None
    heir = User(
        email=account.email,
        username=generated_username(),
        contested_at=account.contested_at,
        created_at=at,
    )
    heir.set_unusable_password()
    if email:
        account.email, account.contested_at = email, None
    account.save(update_fields=["email", "email_canonical", "contested_at"])
    is_inherited = is_contested and email is not None
    with transaction.atomic():
        if not is_inherited:
            heir.email = released_address()
        heir.save(force_insert=True)
        UserProfile.objects.create(user=heir)
        if not is_inherited:
            transaction.set_rollback(True)
    links = EmailVerificationToken.objects.unused().filter(user=account)
    waiting = OutgoingEmail.objects.waiting().filter(user=account, kind=Kind.VERIFICATION)
    claimant = heir if is_inherited else account
    waiting.update(user=claimant)
    links.update(user=claimant)
    EmailVerificationToken.objects.void(NO_ACCOUNT if is_contested else account.pk)


def mail_claim(
    holder: Holder | None,
    claimant: uuid.UUID,
    *,
    is_same_password: bool = False,
    is_mailed: bool = True,
    at: dt.datetime,
) -> None:
    """Mail about a claim on an address to it, in the caller's transaction.

    `holder` is the account that has the address already, if there is one. The owner of a proven
    address learns that there is an account. An unproven one is contested, unless the claim came
    with its own password, and gets its link again. Without a holder the link is the claimant's. All
    need the same statements, and so does a claim that is not mailed (`is_mailed`).
    """
    is_rival = holder is not None and not holder.is_proven and not is_same_password
    User.objects.contest(holder.user_id if holder and is_rival else NO_ACCOUNT, at=at)
    kind = Kind.ACCOUNT_EXISTS if holder and holder.is_proven else Kind.VERIFICATION
    addressee = holder.user_id if holder else claimant
    EmailService.queue(kind, user_id=addressee if is_mailed else None)


def has_mails_left(canonical: str) -> bool:
    """Count a correction to an address; return whether it may still be mailed about this hour.

    The outbox counts the mails of an account. Corrections could send those of many to one address.
    """
    cache: Any = caches["limits"]
    key = f"corrected:{pseudonym('email', canonical)}"
    return bool(cache.count(key, _HOUR_SECONDS) <= settings.EMAIL_HOURLY_LIMIT)
