"""Changes of the profile."""

from typing import Any

from rest_framework.test import APIClient

from authentication.tests.clients import Tokens
from authentication.tests.conftest import ME, bearer


def update_profile(api: APIClient, tokens: Tokens, changes: dict[str, Any]) -> Any:
    """Change the profile of the tokens' user; return the answer."""
    return api.patch(ME, changes, headers=bearer(tokens["access"]))
