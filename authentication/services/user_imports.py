"""Importing the accounts of an earlier installation, with their password hashes."""

import dataclasses
from collections.abc import Mapping

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from authentication.exceptions import ValidationFailed
from authentication.models import PasswordHistory, User, UserProfile
from authentication.models.user import generated_username
from authentication.services.accounts import check_username_free
from authentication.services.audit import record_action
from authentication.services.invitations import checked_invited
from authentication.services.operators import Operator
from authentication.utils.client import ClientInfo
from authentication.utils.identifiers import canonical_email, clean_username
from authentication.utils.legacy_hashes import declared, parsed

COLUMNS = ("email", "password_hash", "username", "first_name", "last_name", "verified")
REQUIRED = ("email", "password_hash")
_YES, _NO = {"yes", "true", "1"}, {"no", "false", "0", ""}
_THERE = "An account has this address already."
_FORM = "The password hash is none of pbkdf2_sha256$…, bcrypt_sha256$… and bcrypt$…."
_DECLARE = "Declare {0}:{1} in LEGACY_PASSWORD_HASHES first: {2}."
_NAME_TAKEN = "This username, or one that looks like it, is taken."


@dataclasses.dataclass(frozen=True, slots=True)
class _Account:
    email: str
    password_hash: str
    username: str
    first_name: str
    last_name: str
    is_verified: bool


class UserImportService:
    """Importing accounts. Each row is a transaction, so an import can be run again."""

    @staticmethod
    def take(
        row: Mapping[str, str], *, operator: Operator, client: ClientInfo, is_dry: bool = False
    ) -> None:
        """Make the account of a row, or only check it.

        The hash is kept as it is until the first sign-in, which replaces it by ours. Raises
        ValueError, with words for the operator, if a value is unusable, the hash is not declared or
        costs more than is declared, or the address or the username is taken.
        """
        account = _checked(row)
        if is_dry:
            return
        try:
            with transaction.atomic():
                user = _store(account)
                record_action("import_user", user_id=user.pk, client=client, **operator.facts())
        except IntegrityError:
            raise ValueError(_THERE) from None

    @staticmethod
    def remaining() -> dict[str, int]:
        """Return how many accounts still have an imported hash, by algorithm."""
        algorithms = ("pbkdf2_sha256", "bcrypt_sha256", "bcrypt")
        kept = {it: Q(password__startswith=f"{it}$") for it in algorithms}
        return {it: User.objects.filter(condition).count() for it, condition in kept.items()}


def _checked(row: Mapping[str, str]) -> _Account:
    given = {name: (row.get(name) or "").strip() for name in COLUMNS}
    person = checked_invited(given["email"], given["first_name"], given["last_name"])
    verified = given["verified"].lower()
    if verified not in _YES | _NO:
        raise ValueError("“verified” is yes or no.")
    _check_hash(given["password_hash"])
    username = clean_username(given["username"]) if given["username"] else ""
    if User.objects.identified_by(canonical_email(person.email)).exists():
        raise ValueError(_THERE)
    if username:
        try:
            check_username_free(username)
        except ValidationFailed:
            raise ValueError(_NAME_TAKEN) from None
    return _Account(
        person.email,
        given["password_hash"],
        username or generated_username(),
        person.first_name,
        person.last_name,
        verified in _YES,
    )


def _check_hash(encoded: str) -> None:
    """Raise ValueError for a hash that could not be compared, or would take too long."""
    legacy = parsed(encoded)
    if legacy is None:
        raise ValueError(_FORM)
    most = declared().get(legacy.algorithm, 0)
    if legacy.cost > most:
        why = f"{most} is declared" if most else "it is not declared"
        raise ValueError(_DECLARE.format(legacy.algorithm, legacy.cost, why))


def _store(account: _Account) -> User:
    at = timezone.now()
    user = User(
        email=account.email,
        username=account.username,
        first_name=account.first_name,
        last_name=account.last_name,
        password=account.password_hash,
        password_changed_at=at,
        email_verified=account.is_verified,
        email_verified_at=at if account.is_verified else None,
        created_at=at,
    )
    user.save(force_insert=True)
    UserProfile.objects.create(user=user)
    PasswordHistory.objects.create(user=user, password_hash=user.password, created_at=at)
    return user
