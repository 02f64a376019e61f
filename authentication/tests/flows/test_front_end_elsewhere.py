"""The community's own front end, on another origin, with the settings that its document has."""

import ast
import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as configured
from django.test import Client
from pytest_django import Settings
from rest_framework.test import APIClient

from authentication.models import User
from authentication.tests.answers import cookie_of
from authentication.tests.clients import hidden_fields, page_browser, send_form
from authentication.tests.conftest import API, CHROME, ME, Deliver, bearer
from authentication.tests.factories import PASSWORD
from authentication.tests.settings.reader import DEVELOPMENT, GOOD_PRODUCTION, read_all
from vineyard_group_fellowship.env_file import parse

ORIGIN = "http://localhost:3000"
IN_PRODUCTION = "https://www.example.org"
PAGE = {"Origin": ORIGIN, "Sec-Fetch-Site": "same-site", "User-Agent": CHROME}
VERIFY_PAGE = "/account/verify-email/"
LINKS = {
    "EMAIL_VERIFICATION_URL": "verify-email",
    "PASSWORD_RESET_URL": "reset-password",
    "DISOWN_SESSION_URL": "not-me",
    "EMAIL_CHANGE_URL": "confirm-email",
    "EMAIL_UNDO_URL": "undo-email",
    "CHANGE_UNDO_URL": "undo-change",
    "FACTOR_REMOVAL_STOP_URL": "keep-second-factor",
    "INVITATION_URL": "accept-invitation",
    "EXPORT_URL": "download-export",
}
SETTINGS = (
    *LINKS,
    *("FRONTEND_URL", "FRONTEND_PATHS", "EMAIL_VERIFIED_URL", "EMAIL_VERIFY_ERROR_URL"),
    *("CORS_ALLOWED_ORIGINS", "CSRF_TRUSTED_ORIGINS", "CONTENT_SECURITY_POLICY"),
)
REGISTRATION = {"email": "naomi@example.org", "password": PASSWORD, "first_name": "Naomi"}


def block() -> str:
    """Return the settings that docs/deployment.md has for the community's front end."""
    text = (Path(configured.BASE_DIR) / "docs/deployment.md").read_text(encoding="utf-8")
    found = re.findall(r"```ini\n(FRONTEND_URL=.*?)```", text, re.DOTALL)
    assert len(found) == 1
    return str(found[0])


def read(text: str, environment: dict[str, str]) -> Any:
    """Return the settings that start with a block in the `.env` file."""
    values, faults = parse(text)
    assert faults == []
    [outcome] = read_all([{**environment, **values}], *SETTINGS)
    return outcome


@pytest.fixture
def front_end(settings: Settings) -> None:
    """Set what the block sets."""
    for name, value in read(block(), DEVELOPMENT).items():
        if name != "CONTENT_SECURITY_POLICY":
            # The reader's values are Python's.
            setattr(settings, name, ast.literal_eval(value))


def test_the_block_starts_development_and_production() -> None:
    in_development = read(block(), DEVELOPMENT)
    in_production = read(block().replace(ORIGIN, IN_PRODUCTION), GOOD_PRODUCTION)

    for outcome, origin in ((in_development, ORIGIN), (in_production, IN_PRODUCTION)):
        assert isinstance(outcome, dict), outcome
        assert origin in outcome["CONTENT_SECURITY_POLICY"]
        assert outcome["CORS_ALLOWED_ORIGINS"] == outcome["CSRF_TRUSTED_ORIGINS"] == f"['{origin}']"
        assert [name for name in LINKS if f"/account/{LINKS[name]}/?" not in outcome[name]] == []


@pytest.mark.parametrize(
    ("named", "of_the_front_end"),
    [
        ("", {"verify-email", "reset-password"}),
        ("none", set()),
        ("not-me, undo-email", {"not-me", "undo-email"}),
    ],
)
def test_links_lead_to_the_pages_that_the_front_end_has(
    named: str, of_the_front_end: set[str]
) -> None:
    environment = {**DEVELOPMENT, "FRONTEND_URL": ORIGIN, "FRONTEND_PATHS": named}

    [outcome] = read_all([environment], *LINKS)

    expected = {
        name: f"'{ORIGIN}/{page}?token={{token}}'"
        if page in of_the_front_end
        else f"'http://localhost:8002/account/{page}/?token={{token}}'"
        for name, page in LINKS.items()
    }
    assert outcome == expected


@pytest.mark.django_db
@pytest.mark.usefixtures("front_end")
class TestMember:
    def test_a_newcomer_is_led_to_the_front_end_and_signed_in(self, delivered: Deliver) -> None:
        api = APIClient(headers=PAGE)
        for _ in range(2):
            assert api.get(f"{API}/csrf/").status_code == 200
        assert api.post(f"{API}/register/", REGISTRATION).status_code == 201
        [message] = delivered()
        answer = press_button(page_browser(), str(message.body))

        found = re.fullmatch(
            rf"{ORIGIN}/auth/verified\?exchange_token=([\w-]+)", answer["Location"]
        )
        assert found
        traded = api.post(f"{API}/exchange-token/", {"exchange_token": found[1]})
        assert traded.status_code == 200
        assert traded["Access-Control-Allow-Origin"] == ORIGIN
        assert traded["Access-Control-Allow-Credentials"] == "true"
        cookie = cookie_of(traded)
        assert cookie
        assert cookie["httponly"]
        shown = api.get(ME, headers=bearer(traded.json()["access"])).json()
        assert shown["display_name_or_email"] == shown["username"]
        assert shown["date_joined"] == shown["created_at"]

    def test_a_link_that_was_used_leads_to_the_page_for_errors(self, delivered: Deliver) -> None:
        APIClient(headers=PAGE).post(f"{API}/register/", REGISTRATION)
        [message] = delivered()
        press_button(page_browser(), str(message.body))

        answers = [press_button(browser, str(message.body)) for browser in [page_browser()] * 2]

        assert {answer.status_code for answer in answers} == {303}
        wanted = f"{ORIGIN}/auth/verify-error?reason=token_invalid"
        assert {answer["Location"] for answer in answers} == {wanted}

    def test_a_failed_link_is_still_counted(self, settings: Settings) -> None:
        settings.RATE_LIMITS = {**settings.RATE_LIMITS, "email_verify": "1/h"}
        browser = page_browser()

        answers = [press_button(browser, f"{VERIFY_PAGE}?token={n}") for n in "ab"]

        assert [answer.status_code for answer in answers] == [303, 429]
        assert "Please try again later" in answers[1].content.decode()

    def test_every_refused_field_is_told_at_once(self) -> None:
        answer = APIClient(headers=PAGE).post(
            f"{API}/register/", {"email": "naomi", "password": "a", "username": "x"}
        )

        details = answer.json()["details"]
        assert details.keys() == {"email", "password", "username"}
        assert len(details["password"]) > 1
        assert not User.objects.exists()


def press_button(browser: Client, text: str) -> Any:
    """Open the link to the page that verifies an address, and send its form."""
    found = re.search(rf"{VERIFY_PAGE}\?token=([\w-]+)", text)
    assert found
    fields = hidden_fields(browser.get(VERIFY_PAGE, {"token": found[1]}))
    return send_form(browser, VERIFY_PAGE, **fields)
