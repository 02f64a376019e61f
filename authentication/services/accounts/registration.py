"""Registration."""

import contextlib
import copy
import dataclasses
import datetime as dt
import uuid
from collections.abc import Collection
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from authentication.exceptions import ServiceUnavailable
from authentication.models import PasswordHistory, User, UserProfile
from authentication.models.user import generated_username, released_address
from authentication.services.audit import Event, Risk, record
from authentication.services.consents import create_consent_rows, set_consent_fields
from authentication.services.passwords import check_password_policy, queue_breach_check
from authentication.services.sign_in import is_password_of_unproven
from authentication.utils.client import ClientInfo
from authentication.utils.crypto import pseudonym
from authentication.utils.identifiers import canonical_email, canonical_username

from .addresses import Holder, address_taken, mail_claim, reserver_of_address
from .reserved_usernames import check_not_reserved, reserve_username, username_taken

# Each further try is for a request that took or left the address or the username meanwhile.
_TRIES = 3


@dataclasses.dataclass(frozen=True, slots=True)
class Registered:
    """The answer to a registration; without a new account the id is random."""

    user_id: uuid.UUID
    email: str


@dataclasses.dataclass(frozen=True, slots=True)
class _Application:
    """What a registration asks for: an account with its profile and consents."""

    user: User
    password: str
    profile: dict[str, str]
    documents: Collection[str]
    username: str
    client: ClientInfo
    at: dt.datetime


class RegistrationService:
    """Registration."""

    @staticmethod
    def register(
        *,
        email: str,
        password: str,
        client: ClientInfo,
        username: str = "",
        first_name: str = "",
        last_name: str = "",
        display_name: str = "",
        timezone_name: str = "UTC",
        documents: Collection[str] = (),
    ) -> Registered:
        """Make an account and mail the link that proves its address.

        An address that has an account gets the same answer, in the same time: an answer must not
        reveal a member. Only a proven address is taken, and its owner gets a mail. For an unproven
        one the link is mailed again, and another password than the account's makes it contested
        (`address_proof`). Nothing else of the second registration is stored. Usernames are public.

        Raises ValidationFailed for a weak password, a taken username and, with
        PREVENT_EMAIL_ENUMERATION off, a taken address.
        """
        now = timezone.now()
        user = User(
            email=email,
            username=username or generated_username(),
            first_name=first_name,
            last_name=last_name,
            created_at=now,
        )
        set_consent_fields(user, documents, at=now)
        check_password_policy(password, user, field="password")
        profile = {"display_name": display_name, "timezone": timezone_name}
        application = _Application(user, password, profile, documents, username, client, now)
        for _ in range(_TRIES):
            with contextlib.suppress(IntegrityError):
                _register(application)
                return Registered(user_id=user.pk, email=email)
        raise ServiceUnavailable


def _register(application: _Application) -> None:
    """Store the account, or what happens to the one that has the address.

    Both make the same statements and one hash. Raises IntegrityError if another request came
    between.
    """
    user, at = application.user, application.at
    account, holder = _find(user.email, application.username)
    is_same_password = False
    # One hash for every address: the time must not reveal which has an account.
    if account and not account.email_verified:
        is_same_password = is_password_of_unproven(account, application.password)
    elif not user.password:
        user.set_password(application.password)
    with transaction.atomic():
        _store(application, is_kept=holder is None)
        _record(holder, application)
        if holder is None or not holder.is_proven or settings.PREVENT_EMAIL_ENUMERATION:
            mail_claim(holder, user.pk, is_same_password=is_same_password, at=at)
    if holder is None:
        return
    if holder.is_proven and not settings.PREVENT_EMAIL_ENUMERATION:
        raise address_taken()
    if application.username:
        reserve_username(application.username)


def _find(email: str, username: str) -> tuple[User | None, Holder | None]:
    """Return the account that has an address, and the one that holds it, which may have left it.

    Raises ValidationFailed if the username is taken.
    """
    address, name = canonical_email(email), canonical_username(username)
    wanted = Q(email_canonical=address)
    if username:
        check_not_reserved(username)
        wanted |= Q(username_canonical=name)
    # In one query: between two, another request could take either.
    found = list(
        User.objects.filter(wanted).only(
            "pk", "email_canonical", "username_canonical", "email_verified", "password"
        )
    )
    if username and any(user.username_canonical == name for user in found):
        raise username_taken()
    account = next((user for user in found if user.email_canonical == address), None)
    # Always queried: the number of queries must not reveal the address.
    reserver = reserver_of_address(address, at=timezone.now())
    if account:
        return account, Holder(account.pk, is_proven=account.email_verified)
    return None, Holder(reserver, is_proven=True) if reserver else None


def _store(application: _Application, *, is_kept: bool) -> None:
    """Store a new account, or make the same statements and take them back."""
    user, at = application.user, application.at
    with transaction.atomic():
        if not is_kept:
            user = copy.copy(user)
            user.email = released_address()
        user.save(force_insert=True)
        UserProfile.objects.create(user=user, **application.profile)
        PasswordHistory.objects.create(user=user, password_hash=user.password, created_at=at)
        create_consent_rows(user, application.documents, client=application.client, at=at)
        if not is_kept:
            transaction.set_rollback(True)
    queue_breach_check(user, application.password)


def _record(holder: Holder | None, application: _Application) -> None:
    client = application.client
    if holder is None:
        record(Event.REGISTRATION, user_id=application.user.pk, client=client)
        return
    facts: dict[str, Any] = {}
    if not holder.is_proven:
        # Without the account: a person who may not own the address must not see the event.
        facts["name"] = pseudonym("identifier", canonical_email(application.user.email))
    record(
        Event.REGISTRATION_DUPLICATE,
        user_id=holder.user_id if holder.is_proven else None,
        client=client,
        risk=Risk.MEDIUM,
        success=False,
        **facts,
    )
