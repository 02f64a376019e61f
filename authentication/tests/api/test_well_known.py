"""/.well-known/: the page to change a password, and where to report a vulnerability."""

import datetime as dt
from urllib.parse import urlsplit

import pytest
import time_machine
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from authentication.tests.settings.reader import DEVELOPMENT, read_all

SECURITY = "/.well-known/security.txt"
CHANGE_PASSWORD = "/.well-known/change-password"


def fields(client: Client) -> list[tuple[str, str]]:
    answer = client.get(SECURITY)
    assert answer.status_code == 200
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    return [
        (name, value)
        for name, _, value in (line.partition(": ") for line in answer.text.splitlines())
    ]


def test_a_password_manager_is_led_to_the_page_that_changes_a_password(client: Client) -> None:
    answer = client.get(CHANGE_PASSWORD)

    assert answer.status_code == 302
    assert urlsplit(answer["Location"]).path == "/account/password/"
    assert client.get(urlsplit(answer["Location"]).path).status_code == 200


def test_a_path_that_does_not_exist_is_not_found(client: Client) -> None:
    # Password managers ask for it: a service that answers 200 to anything knows no such page.
    path = "/.well-known/resource-that-should-not-exist-whose-status-code-should-not-be-200"

    assert client.get(path).status_code == 404


def test_security_txt_names_the_contact_and_expires_in_the_future(
    client: Client, settings: Settings
) -> None:
    settings.SECURITY_CONTACTS = ["mailto:security@example.org", "https://example.org/report"]
    settings.SECURITY_POLICY_URL = "https://example.org/policy"

    found = fields(client)

    names = [name for name, _ in found]
    assert names == ["Contact", "Contact", "Expires", "Preferred-Languages", "Canonical", "Policy"]
    assert dict(found)["Canonical"] == f"{settings.BACKEND_URL}{SECURITY}"
    assert dict(found)["Policy"] == "https://example.org/policy"
    with time_machine.travel(dt.datetime(2031, 3, 1, 23, 59, tzinfo=dt.UTC)):
        expires = dt.datetime.fromisoformat(dict(fields(client))["Expires"])
        assert dt.timedelta(days=90) < expires - timezone.now() < dt.timedelta(days=365)


def test_security_txt_leaves_out_what_is_not_set(client: Client, settings: Settings) -> None:
    settings.SECURITY_POLICY_URL = ""

    assert "Policy" not in dict(fields(client))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, "http://localhost:8002/account/password/"),
        ({"FRONTEND_URL": "https://example.org"}, "http://localhost:8002/account/password/"),
        (
            {"FRONTEND_URL": "https://example.org", "PASSWORD_CHANGE_URL": "https://e.org/pw"},
            "https://e.org/pw",
        ),
    ],
)
def test_the_page_is_the_front_end_s_or_the_service_s_own(
    given: dict[str, str], expected: str
) -> None:
    (found,) = read_all([{**DEVELOPMENT, **given}])

    assert found["PASSWORD_CHANGE_URL"] == repr(expected)
