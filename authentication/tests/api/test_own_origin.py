"""The service's own origin, whatever a proxy writes into the Host header."""

import pytest
from django.test import Client
from pytest_django import Settings
from rest_framework.test import APIClient

from authentication.models import User
from authentication.tests.answers import unexpected
from authentication.tests.clients import EVIL, hidden_fields

from .origin import origin_refusal_mismatch, sign_in_from

OWN = [
    # Host, Origin, https
    ("localhost:80", "http://localhost", False),
    ("LOCALHOST", "http://localhost", False),
    ("localhost:443", "https://localhost", True),
    ("localhost:8002", "http://localhost:8002", False),
    ("[::1]:80", "http://[::1]", False),
]
FOREIGN = [
    ("localhost:80", "http://localhost:80", False),
    ("localhost:80", "https://localhost", False),
    ("localhost:443", "http://localhost", False),
    ("localhost:8080", "http://localhost:80", False),
    ("localhost:8080", "http://localhost:8080.evil.example", False),
    ("localhost", "http://localhost:8080", False),
    ("localhost:80", EVIL, False),
]

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("without_rate_limits")]


@pytest.fixture(autouse=True)
def _hosts(settings: Settings) -> None:
    settings.ALLOWED_HOSTS = ["localhost", "[::1]"]
    settings.CSRF_TRUSTED_ORIGINS = settings.CORS_ALLOWED_ORIGINS = []


def test_a_host_with_capitals_or_the_default_port_is_the_same_origin(
    api: APIClient, person: User
) -> None:
    def outcome(case: tuple[str, str, bool]) -> int:
        host, origin, https = case
        headers = {"Host": host, "Origin": origin}
        return int(sign_in_from(api, person, headers, secure=https).status_code)

    assert unexpected(OWN, outcome, 200) == {}


def test_another_port_or_scheme_is_another_origin(api: APIClient, person: User) -> None:
    def outcome(case: tuple[str, str, bool]) -> dict[str, object]:
        host, origin, https = case
        answer = sign_in_from(api, person, {"Host": host, "Origin": origin}, secure=https)
        return dict(origin_refusal_mismatch(answer))

    assert {case: wrong for case in FOREIGN if (wrong := outcome(case))} == {}


@pytest.mark.parametrize(("origin", "status"), [("http://localhost", 303), (EVIL, 403)])
def test_a_page_of_the_service_accepts_its_own_form(origin: str, status: int) -> None:
    visitor = Client(enforce_csrf_checks=True, headers={"Host": "localhost:80"})
    url = "/account/forgot-password/"
    fields = hidden_fields(visitor.get(url))

    answer = visitor.post(url, {**fields, "email": "ruth@example.org"}, headers={"Origin": origin})

    assert answer.status_code == status
