"""What the tests of password hashes share."""

from typing import Any

from rest_framework.test import APIClient

from authentication.tests.clients import LOGIN


def log_in_by_name(api: APIClient, identifier: str, password: str) -> Any:
    """Sign in by email address or username; return the answer and keep no cookie."""
    answer = api.post(LOGIN, {"email_or_username": identifier, "password": password})
    api.cookies.clear()
    return answer
