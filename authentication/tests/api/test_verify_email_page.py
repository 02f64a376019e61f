"""/account/verify-email/: the page that a verification mail links to."""

import re
from urllib.parse import urlsplit

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from authentication.models import EmailVerificationToken, User, UserSession
from authentication.tests.answers import rows, unexpected
from authentication.tests.clients import hidden_fields, page_browser, submit_form
from authentication.tests.conftest import API, Deliver
from authentication.tests.limits import set_limits

URL = "/account/verify-email/"

pytestmark = pytest.mark.django_db


@pytest.fixture
def token(newcomer: User) -> str:
    """Return the token of the newcomer's verification mail."""
    return EmailVerificationToken.objects.issue(
        newcomer.pk, email=newcomer.email, at=timezone.now()
    )


def test_the_mail_links_to_the_page_and_its_button_verifies_the_address(
    api: APIClient, visitor: Client, newcomer: User, delivered: Deliver, settings: Settings
) -> None:
    api.post(f"{API}/email/resend/", {"email": newcomer.email})
    [message] = delivered()
    found = re.search(
        rf"{re.escape(settings.BACKEND_URL)}(/account/verify-email/\?token=[\w-]+)",
        str(message.body),
    )
    assert found
    page = visitor.get(found.group(1))

    answer = visitor.post(URL, hidden_fields(page), headers={"Origin": "http://testserver"})

    newcomer.refresh_from_db()
    assert (page.status_code, answer.status_code) == (200, 303)
    assert newcomer.email_verified
    after = visitor.get(answer["Location"])
    assert "<h1>Email address confirmed</h1>" in after.content.decode()
    assert not hidden_fields(after)
    assert not UserSession.objects.exists()


@pytest.mark.parametrize("method", ["get", "head", "options"])
def test_opening_the_link_does_not_spend_the_token(
    visitor: Client, token: str, method: str
) -> None:
    before = rows()

    answer = getattr(visitor, method)(URL, {"token": token})

    assert answer.status_code == 200
    assert rows() == before
    assert submit_form(visitor, URL, {"token": token}).status_code == 200


def test_a_mail_scanner_that_opens_the_link_often_is_not_limited(
    visitor: Client, token: str, settings: Settings
) -> None:
    set_limits(settings, email_verify="1/h")

    answers = [visitor.get(URL, {"token": token}).status_code for _ in range(5)]

    assert answers == [200] * 5
    assert submit_form(visitor, URL, {"token": token}).status_code == 200


@pytest.mark.parametrize(
    "front_end",
    ["https://app.example.org/welcome#{exchange_token}", "http://x.example/?t={exchange_token}"],
)
def test_the_page_redirects_to_the_front_end_with_an_exchange_token(
    visitor: Client,
    api: APIClient,
    newcomer: User,
    token: str,
    settings: Settings,
    front_end: str,
) -> None:
    settings.EMAIL_VERIFIED_URL = front_end

    answer = submit_form(visitor, URL, {"token": token})

    exchange_token = answer["Location"].removeprefix(front_end.partition("{")[0])
    traded = api.post(f"{API}/exchange-token/", {"exchange_token": exchange_token})
    assert answer.status_code == 303
    assert urlsplit(answer["Location"]).netloc == urlsplit(front_end).netloc
    assert traded.json()["user_id"] == str(newcomer.pk)
    assert answer["Cache-Control"] == "no-store"


def test_the_page_verifies_without_a_redirect_while_the_cache_is_down(
    visitor: Client,
    newcomer: User,
    token: str,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings.EMAIL_VERIFIED_URL = "https://app.example.org/welcome#{exchange_token}"

    def refuse(*_: object) -> None:
        raise ConnectionError

    monkeypatch.setattr("authentication.services.sign_in.exchange_tokens.cache.set", refuse)

    answer = submit_form(visitor, URL, {"token": token})

    newcomer.refresh_from_db()
    assert answer.status_code == 200
    assert newcomer.email_verified


def test_an_unknown_token_verifies_nothing(visitor: Client, newcomer: User, token: str) -> None:
    csrf = hidden_fields(visitor.get(URL, {"token": token}))["csrfmiddlewaretoken"]

    def outcome(wrong: str) -> tuple[int, str, bool]:
        answer = visitor.post(URL, {"csrfmiddlewaretoken": csrf, "token": wrong})
        newcomer.refresh_from_db()
        return answer.status_code, answer["Content-Type"], newcomer.email_verified

    wrong = ["", "x", "x" * 43, "x" * 5000, "\x00", "\u00fc", "' OR 1=1 --"]
    assert unexpected(wrong, outcome, (400, "text/html; charset=utf-8", False)) == {}


def test_a_token_works_once(visitor: Client, token: str) -> None:
    first, second = (
        submit_form(browser, URL, {"token": token}) for browser in (visitor, page_browser())
    )

    assert (first.status_code, second.status_code) == (200, 400)


class TestLimit:
    @pytest.fixture(autouse=True)
    def _used_up(self, visitor: Client, settings: Settings) -> None:
        set_limits(settings, email_verify="1/h")
        submit_form(visitor, URL, {"token": "wrong"})

    def test_a_limited_attempt_does_not_spend_the_token(
        self, visitor: Client, newcomer: User, token: str
    ) -> None:
        answer = submit_form(visitor, URL, {"token": token})

        newcomer.refresh_from_db()
        assert answer.status_code == 429
        assert int(answer["Retry-After"]) >= 1
        assert not newcomer.email_verified
        assert EmailVerificationToken.objects.get().verified_at is None

    def test_the_page_and_the_api_share_one_limit(self, api: APIClient, token: str) -> None:
        answer = api.post(f"{API}/email/verify/", {"token": token})

        assert answer.status_code == 429
