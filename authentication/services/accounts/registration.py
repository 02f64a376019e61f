"""Registration."""

import dataclasses
import datetime as dt
import uuid
from collections.abc import Collection, Mapping
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from authentication.exceptions import ValidationFailed
from authentication.models import PasswordHistory, User, UserProfile
from authentication.models.user import generated_username
from authentication.services.audit import Event, Risk, record
from authentication.services.consents import create_consent_rows, set_consent_fields
from authentication.services.mail import EmailService, Kind
from authentication.services.passwords import broken_rules, queue_breach_check
from authentication.utils.client import ClientInfo
from authentication.utils.identifiers import canonical_email

from .addresses import address_taken, owner_of_address
from .reserved_usernames import check_username_free, claim_username, username_taken


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
        owner = _checked(user, password, username)
        # Hashed although nothing may be stored: the time must not reveal it.
        user.set_password(password)
        if owner is None:
            profile: Any = {"display_name": display_name, "timezone": timezone_name}
            rows = {"profile": profile, "documents": documents, "is_named": bool(username)}
            owner = _create(user, password, client=client, at=now, **rows)
        if owner is not None:
            _notify_owner(owner, username, client=client, at=now)
        return Registered(user_id=user.pk, email=email)

    @staticmethod
    def objections(accepted: Mapping[str, Any]) -> dict[str, list[str]]:
        """Return what `register` would refuse of the valid fields of an invalid body.

        That is a weak password and a taken username, as messages by field.
        """
        names = ("email", "username", "first_name", "last_name")
        user = User(**{name: accepted.get(name, "") for name in names})
        user.shown_as = accepted.get("display_name", "")
        errors = _weaknesses(accepted.get("password"), user)
        try:
            _owner_of(user.email, user.username)
        except ValidationFailed as refusal:
            errors |= refusal.errors or {}
        return errors


def _checked(user: User, password: str, username: str) -> uuid.UUID | None:
    """Return the account of the address; raise ValidationFailed with all that is wrong at once."""
    errors = _weaknesses(password, user)
    try:
        owner = _owner_of(user.email, username)
    except ValidationFailed as refusal:
        raise ValidationFailed(errors={**errors, **(refusal.errors or {})}) from None
    if errors:
        if owner and not settings.PREVENT_EMAIL_ENUMERATION:
            errors |= address_taken().errors or {}
        raise ValidationFailed(errors=errors)
    return owner


def _weaknesses(password: str | None, user: User) -> dict[str, list[str]]:
    broken = broken_rules(password, user) if password is not None else []
    return {"password": broken} if broken else {}


def _owner_of(email: str, username: str) -> uuid.UUID | None:
    """Return the account of the address; raise ValidationFailed if the username is taken."""
    if username:
        check_username_free(username)
    return owner_of_address(canonical_email(email), at=timezone.now())


def _create(
    user: User,
    password: str,
    *,
    profile: dict[str, Any],
    documents: Collection[str],
    is_named: bool,
    client: ClientInfo,
    at: dt.datetime,
) -> uuid.UUID | None:
    """Store a new account; return the address's owner if another request was faster."""
    try:
        with transaction.atomic():
            user.save(force_insert=True)
            if is_named:
                claim_username(user.username, user_id=user.pk, at=at)
            UserProfile.objects.create(user=user, **profile)
            PasswordHistory.objects.create(user=user, password_hash=user.password, created_at=at)
            create_consent_rows(user, documents, client=client, at=at)
            record(Event.REGISTRATION, user_id=user.pk, client=client)
            EmailService.queue(Kind.VERIFICATION, user_id=user.pk)
            queue_breach_check(user, password)
    except IntegrityError:
        return _owner_of(user.email, user.username if is_named else "")
    return None


def _notify_owner(owner: uuid.UUID, username: str, *, client: ClientInfo, at: dt.datetime) -> None:
    try:
        _record_duplicate(owner, username, client=client, at=at)
    except IntegrityError:
        raise username_taken() from None
    if not settings.PREVENT_EMAIL_ENUMERATION:
        raise address_taken()


def _record_duplicate(
    owner: uuid.UUID, username: str, *, client: ClientInfo, at: dt.datetime
) -> None:
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
            if username:
                claim_username(username, user_id=None, at=at)
