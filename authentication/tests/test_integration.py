"""The specification's walk through the service; longer stories are in flows/."""

import pytest
from rest_framework.test import APIClient

from authentication.tests.conftest import API, ME, Deliver, bearer, token_in

PASSWORD = "Secure-Vine-123!"

pytestmark = [pytest.mark.django_db, pytest.mark.integration]


def test_a_new_member_registers_verifies_signs_in_refreshes_and_signs_out(
    api: APIClient, delivered: Deliver
) -> None:
    account = {"email": "user@example.com", "password": PASSWORD}
    names = {"first_name": "John", "last_name": "Doe"}
    assert api.post(f"{API}/register/", {**account, **names}).status_code == 201
    [mail] = delivered()
    assert api.post(f"{API}/email/verify/", {"token": token_in(mail)}).status_code == 200

    tokens = api.post(f"{API}/login/", account).json()
    assert api.get(ME, headers=bearer(tokens["access"])).json()["first_name"] == "John"

    renewed = api.post(f"{API}/token/refresh/", {"refresh": tokens["refresh"]}).json()
    assert api.get(ME, headers=bearer(renewed["access"])).status_code == 200

    assert api.post(f"{API}/logout/", headers=bearer(renewed["access"])).status_code == 200
    assert api.get(ME, headers=bearer(renewed["access"])).status_code == 401
