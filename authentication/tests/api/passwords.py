"""Requests that change or reset a password, and the passwords that the policy refuses."""

from typing import Any

from django.utils import timezone
from rest_framework.test import APIClient

from authentication.models import (
    AuditLog,
    OutgoingEmail,
    PasswordHistory,
    PasswordResetToken,
    User,
    UserSession,
)
from authentication.tests.answers import cookie_of
from authentication.tests.clients import NEW_PASSWORD, Tokens, log_in, use_access, use_refresh
from authentication.tests.conftest import API, bearer
from authentication.tests.factories import PASSWORD, UserFactory

CHANGE = f"{API}/password/change/"
RESET = f"{API}/password/reset/"
RESET_REQUESTED = {"message": "Password reset email sent if account exists"}
CONFIRM = f"{API}/password/reset/confirm/"
WEAK_PASSWORDS = {
    "too short": ("Short-9", "too short"),
    "no uppercase letter": ("correct-horse-9", "an uppercase letter"),
    "no lowercase letter": ("CORRECT-HORSE-9", "a lowercase letter"),
    "no digit": ("Correct-Horse-Nine", "a digit"),
    "no special character": ("CorrectHorse9", "a special character"),
    "common": ("P@ssw0rd", "too common"),
    "the address": ("Naomi.Moabite@Example.org1", "too similar to the email"),
    "the address's local part": ("Naomi.Moabite1", "too similar to the email"),
    "the username": ("Gleaner-77!", "too similar to the username"),
    "the first name": ("Naomi-Ruth-1", "too similar to the first name"),
    "the last name": ("Bethlehem-1", "too similar to the last name"),
    "the community's name": ("My-Vineyard-42", "this community's name"),
    "the community's name in other letters": ("My-\uff36ine\uff59ard-42", "this community's name"),
    "the community's other name": ("Good-FELLOWSHIP-42", "this community's name"),
    "the present password": (PASSWORD, "one of your last 5"),
}
"""Passwords that `naomi` may not choose, each with a part of the message."""


def naomi() -> User:
    """Return an account with the personal data that `WEAK_PASSWORDS` resembles."""
    return UserFactory(
        email="naomi.moabite@example.org",
        username="gleaner77",
        first_name="NaomiRuth",
        last_name="Bethlehem",
    )


def change_password(
    api: APIClient,
    tokens: Tokens,
    *,
    old_password: object = PASSWORD,
    new_password: object = NEW_PASSWORD,
    headers: Any = None,
    **more: Any,
) -> Any:
    """Change the password on the session of the tokens; return the answer."""
    body = {"old_password": old_password, "new_password": new_password, **more}
    return api.post(CHANGE, body, headers={**bearer(tokens["access"]), **(headers or {})})


def request_reset(api: APIClient, email: object, **extra: Any) -> Any:
    """Ask for a reset mail to the address; return the answer."""
    return api.post(RESET, {"email": email}, **extra)


def issue_reset_token(user: User) -> str:
    """Return the token that the mail to the user contains."""
    return PasswordResetToken.objects.issue(User.objects.get(pk=user.pk), at=timezone.now())


def confirm_reset(
    api: APIClient, token: object, new_password: object = NEW_PASSWORD, **more: Any
) -> Any:
    """Set the new password by a mailed token; return the answer."""
    return api.post(CONFIRM, {"token": token, "new_password": new_password, **more})


def can_sign_in(api: APIClient, person: User, password: str) -> bool:
    """Try to sign in; return whether the password was right and accepted."""
    status = log_in(api, person, password).status_code
    api.cookies.clear()
    return bool(status == 200)


def assert_account_unchanged(person: User) -> None:
    """Check that the password is as it was and that no row says otherwise."""
    stored, changed_at = person.password, person.password_changed_at
    person.refresh_from_db()
    assert (person.password, person.password_changed_at) == (stored, changed_at)
    assert not PasswordHistory.objects.exists()
    assert not OutgoingEmail.objects.exists()
    changes = ["password_change", "password_reset"]
    assert not AuditLog.objects.filter(event_type__in=changes).exists()
    assert not UserSession.objects.filter(is_active=False).exists()


def assert_password_unchanged(api: APIClient, person: User, tokens: Tokens, *, answer: Any) -> None:
    """Check that a refused change left the account, its sessions and its tokens as they were."""
    assert_account_unchanged(person)
    assert cookie_of(answer) is None
    assert (use_access(api, tokens), use_refresh(api, tokens)) == (200, 200)
