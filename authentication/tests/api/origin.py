"""The state-changing requests of the API, and the headers that prove or deny their origin."""

from typing import Any

from django.utils import timezone
from rest_framework.test import APIClient

from authentication.models import EmailVerificationToken, PasswordResetToken, User
from authentication.services import ExchangeTokenService
from authentication.tests.answers import cookie_of
from authentication.tests.clients import EVIL, LOGIN, NEW_PASSWORD, sign_in
from authentication.tests.conftest import API, ME, bearer
from authentication.tests.factories import PASSWORD, UserFactory

FRONT_END = "http://localhost:3000"
CROSS_SITE = {"Origin": EVIL, "Sec-Fetch-Site": "cross-site"}

CHANGES: dict[str, tuple[str, str, dict[str, Any], bool]] = {
    "register": (
        "post",
        f"{API}/register/",
        {"email": "naomi@example.org", "password": PASSWORD},
        False,
    ),
    "login": ("post", LOGIN, {"email": "{email}", "password": PASSWORD}, False),
    "logout by access token": ("post", f"{API}/logout/", {}, True),
    "logout by refresh token": ("post", f"{API}/logout/", {"refresh": "{refresh}"}, False),
    "token refresh": ("post", f"{API}/token/refresh/", {"refresh": "{refresh}"}, False),
    "token verify": ("post", f"{API}/token/verify/", {"token": "{access}"}, False),
    "exchange token": ("post", f"{API}/exchange-token/", {"exchange_token": "{exchange}"}, False),
    "password change": (
        "post",
        f"{API}/password/change/",
        {"old_password": PASSWORD, "new_password": NEW_PASSWORD},
        True,
    ),
    "password reset": ("post", f"{API}/password/reset/", {"email": "{email}"}, False),
    "password reset confirm": (
        "post",
        f"{API}/password/reset/confirm/",
        {"token": "{reset}", "new_password": NEW_PASSWORD},
        False,
    ),
    "email verify": ("post", f"{API}/email/verify/", {"token": "{verification}"}, False),
    "email resend": ("post", f"{API}/email/resend/", {"email": "{newcomer}"}, False),
    "session terminate": ("delete", f"{API}/sessions/{{session}}/", {}, True),
    "sessions terminate all": ("post", f"{API}/sessions/terminate-all/", {}, True),
    "profile update": ("patch", ME, {"first_name": "Naomi"}, True),
}
"""Each request that changes something: method, URL, body, and whether it needs an access token."""


def prepare_changes(api: APIClient, person: User) -> dict[str, Any]:
    """Store what each request of `CHANGES` needs to succeed; return the values for its body."""
    newcomer = UserFactory(email_verified=False, email_verified_at=None)
    tokens, other = sign_in(api, person), sign_in(api, person)
    sessions = api.get(f"{API}/sessions/", headers=bearer(other["access"])).json()["sessions"]
    now = timezone.now()
    return {
        "access": tokens["access"],
        "refresh": tokens["refresh"],
        "session": sessions[0]["id"],
        "email": person.email,
        "newcomer": newcomer.email,
        "verification": EmailVerificationToken.objects.issue(
            newcomer.pk, email=newcomer.email, at=now
        ),
        "reset": PasswordResetToken.objects.issue(person, at=now),
        "exchange": ExchangeTokenService.create(user_id=person.pk),
    }


def send_change(
    api: APIClient,
    name: str,
    values: dict[str, Any],
    headers: dict[str, str],
    *,
    form: str = "json",
) -> Any:
    """Send a request of `CHANGES` with more headers."""
    method, url, body, needs_access = CHANGES[name]
    filled = {field: value.format(**values) for field, value in body.items()}
    access = bearer(values["access"]) if needs_access else {}
    return getattr(api, method)(
        url.format(**values), filled, format=form, headers={**access, **headers}
    )


def sign_in_from(api: APIClient, person: User, headers: dict[str, str], **extra: Any) -> Any:
    """Return the answer to the right credentials, sent with the headers."""
    body = {"email": person.email, "password": PASSWORD}
    return api.post(LOGIN, body, headers=headers, **extra)


def origin_refusal_mismatch(answer: Any) -> dict[str, Any]:
    """Return what an answer has otherwise than the refusal of a foreign origin."""
    found = {
        "status": answer.status_code,
        "code": answer.json().get("code"),
        "cookie": cookie_of(answer),
        "Retry-After": answer.get("Retry-After"),
    }
    expected = {"status": 403, "code": "csrf_failed", "cookie": None, "Retry-After": None}
    return {} if found == expected else found
