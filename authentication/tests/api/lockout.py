"""What the lockout's tests share: attempts by a name, on a known or an unknown device."""

from typing import Any

from django.utils import timezone
from rest_framework.test import APIClient

from authentication.models import KnownDevice, PasswordResetToken, User
from authentication.tests.clients import NEW_PASSWORD, sign_in
from authentication.tests.conftest import API
from authentication.tests.factories import UserFactory
from authentication.utils.crypto import new_token
from authentication.utils.devices import device_digest

LOGIN = f"{API}/login/"
WRONG = "Wrong-Horse-9"
UNKNOWN = "stranger@example.org"
FAILED, LOCKED = (401, "invalid_credentials"), (403, "account_locked")
KINDS = ("proven", "unproven", "disabled", "without a password")


def attempt(
    api: APIClient,
    name: str,
    password: str = WRONG,
    *,
    device: str = "",
    address: str = "127.0.0.1",
) -> Any:
    """Return the answer to a sign-in; without a device's id it comes from an unknown device."""
    headers = {"X-Device-Id": device} if device else {}
    body = {"email_or_username": name, "password": password}
    answer = api.post(LOGIN, body, headers=headers, REMOTE_ADDR=address)
    api.cookies.clear()
    return answer


def fail(api: APIClient, name: str, times: int, *, device: str = "") -> list[tuple[int, str]]:
    """Try a wrong password several times; return status and code of each answer."""
    answers = [attempt(api, name, device=device) for _ in range(times)]
    return [(answer.status_code, answer.json()["code"]) for answer in answers]


def known_device(api: APIClient, user: User) -> str:
    """Sign in and return the id of the device, which the account knows from then on."""
    return str(sign_in(api, user)["device_id"])


def stored_device(user: User) -> str:
    """Return the id of a device that is stored as known to the account, without a sign-in."""
    secret, now = new_token(), timezone.now()
    digest = device_digest(secret, user.pk)
    KnownDevice.objects.create(user=user, digest=digest, created_at=now, last_used_at=now)
    return secret


def account(kind: str) -> User:
    """Return an account of one of KINDS."""
    kinds: dict[str, dict[str, Any]] = {
        "proven": {},
        "unproven": {"email_verified": False, "email_verified_at": None},
        "disabled": {"is_active": False},
        "without a password": {"password": None},
    }
    return UserFactory(**kinds[kind])


def reset(api: APIClient, person: User, device: str = "") -> Any:
    """Reset the password on a device; the new one is NEW_PASSWORD."""
    token = PasswordResetToken.objects.issue(person, at=timezone.now())
    answer = api.post(
        f"{API}/password/reset/confirm/",
        {"token": token, "new_password": NEW_PASSWORD},
        headers={"X-Device-Id": device} if device else {},
    )
    api.cookies.clear()
    assert answer.status_code == 200, answer.content
    return answer
