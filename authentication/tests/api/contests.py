"""What the tests of addresses with several claimants share."""

from typing import Any

from django.core.mail import EmailMessage
from rest_framework.test import APIClient

from authentication.tests.clients import LOGIN
from authentication.tests.conftest import API, Deliver, token_in

TARGET = "naomi@example.org"
SQUATTERS, OWNERS = "Squatter-Horse-9", "Owner-Horse-7"
CORRECT = f"{API}/email/correct/"


def register(api: APIClient, password: str, email: str = TARGET, **body: Any) -> Any:
    answer = api.post(f"{API}/register/", {"email": email, "password": password, **body})
    assert answer.status_code == 201, answer.content
    return answer


def verify(api: APIClient, token: str) -> Any:
    return api.post(f"{API}/email/verify/", {"token": token})


def exchange(api: APIClient, verified: Any, **body: Any) -> Any:
    token = verified.json()["exchange_token"]
    return api.post(f"{API}/exchange-token/", {"exchange_token": token, **body})


def reset(api: APIClient, token: str, password: str) -> int:
    body = {"token": token, "new_password": password}
    return int(api.post(f"{API}/password/reset/confirm/", body).status_code)


def correct(api: APIClient, identifier: str, password: str, new_email: str) -> Any:
    body = {"identifier": identifier, "password": password, "new_email": new_email}
    return api.post(CORRECT, body)


def log_in(api: APIClient, password: str, identifier: str = TARGET) -> tuple[int, str]:
    """Return the status of a sign-in, and the code of its refusal."""
    answer = api.post(LOGIN, {"email_or_username": identifier, "password": password})
    api.cookies.clear()
    return answer.status_code, answer.json().get("code", "")


def newest_link(delivered: Deliver, address: str = TARGET) -> str:
    """Return the token of the newest mail to an address that has one."""
    return token_in([it for it in to(delivered, address) if "token=" in str(it.body)][-1])


def subjects(delivered: Deliver, address: str = TARGET) -> list[str]:
    return [str(mail.subject) for mail in to(delivered, address)]


def to(delivered: Deliver, address: str) -> list[EmailMessage]:
    return [mail for mail in delivered() if mail.to == [address]]
