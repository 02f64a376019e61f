"""Registration."""

import dataclasses
import datetime as dt
import uuid
from collections.abc import Collection, Mapping
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from authentication.exceptions import ValidationFailed
from authentication.models import PasswordHistory, User, UserProfile
from authentication.models.user import generated_username
from authentication.services.audit import Event, Risk, record
from authentication.services.consents import create_consent_rows, set_consent_fields
from authentication.services.mail import EmailService, Kind
from authentication.services.passwords import broken_rules, queue_breach_check
from authentication.utils.client import ClientInfo
from authentication.utils.identifiers import canonical_email, canonical_username

from .addresses import address_taken, reserver_of_address
from .reserved_usernames import check_not_reserved, reserve_username, username_taken


@dataclasses.dataclass(frozen=True, slots=True)
class Registered:
    """The answer to a registration; for a taken address the id is random."""

    user_id: uuid.UUID
    email: str


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

        A taken address gets the same answer, in the same time, and its owner a mail: an answer must
        not reveal a member. Usernames are public.

        Raises ValidationFailed, with all of it at once, for a weak password, a taken username and,
        with PREVENT_EMAIL_ENUMERATION off, a taken address.
        """
        now = timezone.now()
        user = User(
            email=email,
            username=username or generated_username(),
            first_name=first_name,
            last_name=last_name,
            created_at=now,
        )
        user.shown_as = display_name
        set_consent_fields(user, documents, at=now)
        broken = broken_rules(password, user)
        try:
            owner = _owner_of(email, username)
        except ValidationFailed as refusal:
            raise ValidationFailed(errors={**(refusal.errors or {}), **_weak(broken)}) from None
        if broken:
            taken = bool(owner) and not settings.PREVENT_EMAIL_ENUMERATION
            raise ValidationFailed(
                errors={**_weak(broken), **(address_taken().errors or {} if taken else {})}
            )
        # Hashed although nothing may be stored: the time must not reveal it.
        user.set_password(password)
        if owner is None:
            profile = {"display_name": display_name, "timezone": timezone_name}
            owner = _create(user, password, profile, documents, client=client, at=now)
        if owner is not None:
            _notify_owner(owner, username, client=client)
        return Registered(user_id=user.pk, email=email)

    @staticmethod
    def objections(accepted: Mapping[str, Any]) -> dict[str, list[str]]:
        """Return what `register` would refuse of the valid fields of an invalid body.

        That is a weak password and a taken username, as messages by field.
        """
        names = ("email", "username", "first_name", "last_name")
        user = User(**{name: accepted.get(name, "") for name in names})
        user.shown_as = accepted.get("display_name", "")
        errors = {}
        if "password" in accepted:
            errors = _weak(broken_rules(accepted["password"], user))
        try:
            _owner_of(user.email, user.username)
        except ValidationFailed as refusal:
            errors |= refusal.errors or {}
        return errors


def _weak(broken: list[str]) -> dict[str, list[str]]:
    return {"password": broken} if broken else {}


def _owner_of(email: str, username: str) -> uuid.UUID | None:
    """Return the account of the address; raise ValidationFailed if the username is taken."""
    address, name = canonical_email(email), canonical_username(username)
    wanted = Q(email_canonical=address)
    if username:
        check_not_reserved(username)
        wanted |= Q(username_canonical=name)
    # In one query: between two, another request could take either.
    found = list(User.objects.filter(wanted).only("pk", "email_canonical", "username_canonical"))
    if username and any(user.username_canonical == name for user in found):
        raise username_taken()
    holder = next((user.pk for user in found if user.email_canonical == address), None)
    # Always queried: the number of queries must not reveal the address.
    reserver = reserver_of_address(address, at=timezone.now())
    return holder or reserver


def _create(
    user: User,
    password: str,
    profile: dict[str, Any],
    documents: Collection[str],
    *,
    client: ClientInfo,
    at: dt.datetime,
) -> uuid.UUID | None:
    """Store a new account; return the address's owner if another request was faster."""
    try:
        with transaction.atomic():
            user.save(force_insert=True)
            UserProfile.objects.create(user=user, **profile)
            PasswordHistory.objects.create(user=user, password_hash=user.password, created_at=at)
            create_consent_rows(user, documents, client=client, at=at)
            record(Event.REGISTRATION, user_id=user.pk, client=client)
            EmailService.queue(Kind.VERIFICATION, user_id=user.pk)
            queue_breach_check(user, password)
    except IntegrityError:
        return _owner_of(user.email, user.username)
    return None


def _notify_owner(owner: uuid.UUID, username: str, *, client: ClientInfo) -> None:
    with transaction.atomic():
        record(
            Event.REGISTRATION_DUPLICATE,
            user_id=owner,
            client=client,
            risk=Risk.MEDIUM,
            success=False,
        )
        if settings.PREVENT_EMAIL_ENUMERATION:
            EmailService.queue(Kind.ACCOUNT_EXISTS, user_id=owner)
    if not settings.PREVENT_EMAIL_ENUMERATION:
        raise address_taken()
    if username:
        reserve_username(username)
