"""Registration."""

import contextlib
import copy
import dataclasses
import datetime as dt
import uuid
from collections.abc import Collection, Mapping
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from authentication.exceptions import ServiceUnavailable, ValidationFailed
from authentication.models import PasswordHistory, User, UserProfile
from authentication.models.user import generated_username, released_address
from authentication.services.audit import Event, Risk, record
from authentication.services.consents import create_consent_rows, set_consent_fields
from authentication.services.passwords import broken_rules, queue_breach_check
from authentication.services.sign_in import is_password_of_unproven
from authentication.utils import languages
from authentication.utils.client import ClientInfo
from authentication.utils.crypto import pseudonym
from authentication.utils.identifiers import canonical_email
from authentication.utils.legacy_hashes import even_out

from .addresses import Holder, address_taken, mail_claim, reserver_of_address
from .reserved_usernames import check_username_free, claim_username

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

        An address that has an account gets the same answer, in the same time. Only a proven address
        is taken, and its owner gets a mail. For an unproven one the link is mailed again; another
        password makes it contested (`address_proof`). Nothing else is stored. Usernames are public.

        Raises ValidationFailed, with all of it at once, for a weak password, a taken username and,
        with PREVENT_EMAIL_ENUMERATION off, a taken address.
        """
        now = timezone.now()
        user = User(
            email=email,
            username=username or generated_username(),
            first_name=first_name,
            last_name=last_name,
            registered_language=languages.current(),
            created_at=now,
        )
        user.shown_as = display_name
        set_consent_fields(user, documents, at=now)
        weak = _weaknesses(password, user)
        profile = {"display_name": display_name, "timezone": timezone_name}
        application = _Application(user, password, profile, documents, username, client, now)
        for _ in range(_TRIES):
            with contextlib.suppress(IntegrityError):
                _register(application, weak)
                return Registered(user_id=user.pk, email=email)
        raise ServiceUnavailable

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
            _find(user.email, user.username)
        except ValidationFailed as refusal:
            errors |= refusal.errors or {}
        return errors


def _weaknesses(password: str | None, user: User) -> dict[str, list[str]]:
    broken = broken_rules(password, user) if password is not None else []
    return {"password": broken} if broken else {}


def _register(application: _Application, weak: dict[str, list[str]]) -> None:
    """Store the account, or what happens to the one that has the address.

    Both make the same statements and one hash. Raises ValidationFailed with what is wrong, `weak`
    included, and IntegrityError if another request came between.
    """
    user, at = application.user, application.at
    account, holder = _checked(application, weak)
    is_same_password = False
    # One hash for every address: the time must not reveal which has an account.
    if account and not account.email_verified:
        is_same_password = is_password_of_unproven(account, application.password)
    elif not user.password:
        user.set_password(application.password)
        even_out(application.password, "")
    with transaction.atomic():
        _store(application, is_kept=holder is None)
        _record(holder, application)
        if not _is_refused(holder):
            if application.username:
                owner = None if holder else user.pk
                claim_username(application.username, user_id=owner, at=at)
            mail_claim(holder, user.pk, is_same_password=is_same_password, at=at)
    if _is_refused(holder):
        raise address_taken()


def _checked(
    application: _Application, weak: dict[str, list[str]]
) -> tuple[User | None, Holder | None]:
    """Return what `_find` does; raise ValidationFailed with all that is wrong at once."""
    try:
        account, holder = _find(application.user.email, application.username)
    except ValidationFailed as refusal:
        raise ValidationFailed(errors={**weak, **(refusal.errors or {})}) from None
    if weak:
        taken = address_taken().errors if _is_refused(holder) else None
        raise ValidationFailed(errors={**weak, **(taken or {})})
    return account, holder


def _is_refused(holder: Holder | None) -> bool:
    """Return whether the answer says that an address is taken."""
    is_taken = holder is not None and holder.is_proven
    return is_taken and not settings.PREVENT_EMAIL_ENUMERATION


def _find(email: str, username: str) -> tuple[User | None, Holder | None]:
    """Return the account that has an address, and the one that holds it, which may have left it.

    Raises ValidationFailed if the username is taken.
    """
    if username:
        check_username_free(username)
    address = canonical_email(email)
    wanted = User.objects.filter(email_canonical=address)
    account = wanted.only("pk", "email_canonical", "email_verified", "password").first()
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
