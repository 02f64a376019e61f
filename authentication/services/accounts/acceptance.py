"""Accepting an invitation: its reader proves the address, and chooses a password."""

import contextlib
import copy
import datetime as dt
from collections.abc import Collection
from typing import Any, NoReturn

from django.db import IntegrityError, transaction
from django.utils import timezone

from authentication.exceptions import LinkInvalid, ServiceUnavailable
from authentication.models import (
    Invitation,
    PasswordHistory,
    SecondFactor,
    User,
    UserProfile,
)
from authentication.models.user import generated_username
from authentication.services.address_proof import prove_address
from authentication.services.attempt_limit import UNLIMITED, AttemptLimit, count_attempt
from authentication.services.audit import Event, Risk, record
from authentication.services.consents import create_consent_rows, set_consent_fields
from authentication.services.passwords import (
    broken_rules,
    check_password_policy,
    queue_breach_check,
)
from authentication.services.sign_in import remember
from authentication.utils import languages
from authentication.utils.client import ClientInfo
from authentication.utils.clock import after
from authentication.utils.identifiers import canonical_email

from .addresses import reserver_of_address

# Each further try is for a registration that took or left the address meanwhile.
_TRIES = 3


class InvitationAcceptanceService:
    """Accepting invitations."""

    @staticmethod
    def accept(
        *,
        token: str,
        password: str,
        client: ClientInfo,
        documents: Collection[str] = (),
        limit: AttemptLimit = UNLIMITED,
    ) -> str:
        """Make the account of an invitation, and return the id of the device that does it.

        An account with the address that has not proven it passes to the reader of the mail, as
        every contested account does (`address_proof`). A weak password does not spend the token.

        Raises LinkInvalid if the token is unknown, used, void or expired, or a member has the
        address by now; ValidationFailed for a weak password.
        """
        at = timezone.now()
        invitation = Invitation.objects.usable(token, at=at).first()
        count_attempt(limit, client, None)
        if invitation is None:
            _refuse(client)
        person = _person_of(invitation, at=at)
        check_password_policy(password, person, field="password")
        # Hashed here, because it is slow and must not hold a lock.
        person.set_password(password)
        for _ in range(_TRIES):
            with contextlib.suppress(IntegrityError):
                try:
                    with transaction.atomic():
                        user = _take(copy.copy(person), documents, client=client, at=at)
                        _spend(invitation, token, user, client=client, at=at)
                        device = remember(user, client, at=at)
                        queue_breach_check(user, password)
                except LinkInvalid:
                    _refuse(client)
                return device.device_id
        raise ServiceUnavailable

    @staticmethod
    def weaknesses(password: str | None) -> dict[str, list[str]]:
        """Return the rules that a password breaks for any person, as messages by field."""
        broken = broken_rules(password, None) if password is not None else []
        return {"password": broken} if broken else {}


def _refuse(client: ClientInfo) -> NoReturn:
    failure = Event.INVITATION_FAILED
    record(failure, user_id=None, client=client, risk=Risk.MEDIUM, success=False)
    raise LinkInvalid from None


def _person_of(invitation: Invitation, *, at: dt.datetime) -> User:
    return User(
        email=invitation.email,
        username=generated_username(),
        first_name=invitation.first_name,
        last_name=invitation.last_name,
        email_verified=True,
        email_verified_at=at,
        registered_language=languages.current(),
        created_at=at,
    )


def _take(person: User, documents: Collection[str], *, client: ClientInfo, at: dt.datetime) -> User:
    """Store the account, or give the unproven one that has the address to the reader of the mail.

    Raises LinkInvalid if the address is a member's, IntegrityError if it was taken meanwhile.
    """
    address = canonical_email(person.email)
    owner = User.objects.identified_by(address).select_for_update(no_key=True).first()
    is_taken = owner is not None and (owner.email_verified or not owner.is_active)
    if is_taken or reserver_of_address(address, at=at):
        raise LinkInvalid
    if owner is None:
        set_consent_fields(person, documents, at=at)
        person.save(force_insert=True)
        UserProfile.objects.create(user=person)
        record(Event.REGISTRATION, user_id=person.pk, client=client)
        user = person
    else:
        user = _pass_on(owner, person, documents, at=at)
    PasswordHistory.objects.create(user=user, password_hash=user.password, created_at=at)
    create_consent_rows(user, documents, client=client, at=at)
    return user


def _pass_on(owner: User, person: User, documents: Collection[str], *, at: dt.datetime) -> User:
    """Give a locked, unproven account to the reader of the mail: nothing but its username stays."""
    since = owner.password_changed_at
    owner.contested_at = owner.contested_at or at
    owner.password, owner.password_changed_at = person.password, after(at, since)
    User.objects.change_password(owner, since=since)
    PasswordHistory.objects.filter(user=owner).delete()
    SecondFactor.objects.withdraw(owner.pk)
    prove_address(owner, at=owner.password_changed_at, is_password_new=True)
    owner.first_name, owner.last_name = person.first_name, person.last_name
    consents = set_consent_fields(owner, documents, at=at)
    owner.save(update_fields=["first_name", "last_name", *consents])
    return owner


def _spend(
    invitation: Invitation, token: str, user: User, *, client: ClientInfo, at: dt.datetime
) -> None:
    if not Invitation.objects.spend(token, user_id=user.pk, at=at):
        raise LinkInvalid
    facts: dict[str, Any] = {"invitation": str(invitation.pk)}
    accepted = Event.INVITATION_ACCEPTED
    record(accepted, user_id=user.pk, client=client, risk=Risk.MEDIUM, **facts)
