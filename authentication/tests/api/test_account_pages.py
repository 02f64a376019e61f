"""The pages under /account/, for people who come from a mail and have no front end to go to."""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core.mail import EmailMessage
from django.test import Client
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from authentication.models import EmailVerificationToken, PasswordResetToken, User, UserSession
from authentication.tests.answers import rows
from authentication.tests.conftest import API, CHROME, bearer
from authentication.tests.factories import UserFactory

VERIFY = "/account/verify-email/"
RESET = "/account/reset-password/"
NEW_PASSWORD = "Another-Horse-7"
FOREIGN = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site", "User-Agent": CHROME}

Deliver = Callable[[], list[EmailMessage]]

pytestmark = pytest.mark.django_db


@pytest.fixture
def visitor() -> Client:
    """Return a browser whose forms need Django's CSRF token."""
    return Client(enforce_csrf_checks=True, headers={"User-Agent": CHROME})


@pytest.fixture
def newcomer(db: None) -> User:
    """Return a person whose address is not proven yet."""
    return UserFactory(email_verified=False, email_verified_at=None)


@pytest.fixture
def token(newcomer: User) -> str:
    """Return the token of the mail the newcomer got."""
    return EmailVerificationToken.objects.issue(
        newcomer.pk, email=newcomer.email, at=timezone.now()
    )


@pytest.fixture
def reset_token(person: User) -> str:
    """Return the token of the mail the person got who forgot their password."""
    return PasswordResetToken.objects.issue(person, at=timezone.now())


def fields_of(answer: Any) -> dict[str, str]:
    """Return what the page's form sends along by itself."""
    found = re.findall(
        r'<input type="hidden" name="(\w+)" value="([^"]*)"', answer.content.decode()
    )
    return dict(found)


def pressed(visitor: Client, url: str, token: str, **typed: str) -> Any:
    """Open a link and press the page's button."""
    page = visitor.get(url, {"token": token})
    return visitor.post(url, {**fields_of(page), **typed}, headers={"Origin": "http://testserver"})


class TestVerifying:
    def test_the_mails_link_leads_here_and_the_button_proves_the_address(
        self,
        api: APIClient,
        visitor: Client,
        newcomer: User,
        delivered: Deliver,
        settings: Settings,
    ) -> None:
        api.post(f"{API}/email/resend/", {"email": newcomer.email})
        found = re.search(
            rf"{re.escape(settings.BACKEND_URL)}(/account/verify-email/\?token=[\w-]+)",
            _body(delivered),
        )
        assert found
        page = visitor.get(found.group(1))

        answer = visitor.post(VERIFY, fields_of(page), headers={"Origin": "http://testserver"})

        newcomer.refresh_from_db()
        assert (page.status_code, answer.status_code) == (200, 200)
        assert newcomer.email_verified
        assert not fields_of(answer)
        assert not UserSession.objects.exists()

    @pytest.mark.parametrize("method", ["get", "head", "options"])
    def test_opening_the_link_spends_nothing(
        self, visitor: Client, newcomer: User, token: str, method: str
    ) -> None:
        before = rows()

        answer = getattr(visitor, method)(VERIFY, {"token": token})

        assert answer.status_code == 200
        assert rows() == before
        assert pressed(visitor, VERIFY, token).status_code == 200

    def test_a_mail_scanner_that_opens_it_often_is_not_limited(
        self, visitor: Client, token: str, settings: Settings
    ) -> None:
        settings.RATE_LIMITS = {**settings.RATE_LIMITS, "email_verify": "1/h"}

        answers = [visitor.get(VERIFY, {"token": token}).status_code for _ in range(5)]

        assert answers == [200] * 5
        assert pressed(visitor, VERIFY, token).status_code == 200

    @pytest.mark.parametrize(
        "url",
        [
            "https://app.example.org/welcome#{exchange_token}",
            "http://x.example/?t={exchange_token}",
        ],
    )
    def test_it_goes_on_to_the_front_end_with_an_exchange_token(
        self,
        visitor: Client,
        api: APIClient,
        newcomer: User,
        token: str,
        settings: Settings,
        url: str,
    ) -> None:
        settings.EMAIL_VERIFIED_URL = url

        answer = pressed(visitor, VERIFY, token)

        exchange_token = answer["Location"].removeprefix(url.partition("{")[0])
        traded = api.post(f"{API}/exchange-token/", {"exchange_token": exchange_token})
        assert answer.status_code == 302
        assert urlsplit(answer["Location"]).netloc == urlsplit(url).netloc
        assert traded.json()["user_id"] == str(newcomer.pk)
        assert answer["Cache-Control"] == "no-store"

    def test_without_an_exchange_token_it_stays_here(
        self,
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

        answer = pressed(visitor, VERIFY, token)

        newcomer.refresh_from_db()
        assert answer.status_code == 200
        assert newcomer.email_verified

    @pytest.mark.parametrize(
        "wrong",
        ["", "x", "x" * 43, "x" * 5000, "\x00", "\u00fc", "' OR 1=1 --"],
        ids=lambda it: ascii(it)[:24],
    )
    def test_an_unknown_token_proves_nothing(
        self, visitor: Client, newcomer: User, token: str, wrong: str
    ) -> None:
        csrf = fields_of(visitor.get(VERIFY, {"token": token}))["csrfmiddlewaretoken"]

        answer = visitor.post(VERIFY, {"csrfmiddlewaretoken": csrf, "token": wrong})

        newcomer.refresh_from_db()
        assert answer.status_code == 400
        assert answer["Content-Type"] == "text/html; charset=utf-8"
        assert not newcomer.email_verified

    def test_a_token_works_once(self, visitor: Client, token: str) -> None:
        first, second = pressed(visitor, VERIFY, token), pressed(visitor, VERIFY, token)

        assert (first.status_code, second.status_code) == (200, 400)

    def test_too_many_attempts_spend_nothing(
        self, visitor: Client, newcomer: User, token: str, settings: Settings
    ) -> None:
        settings.RATE_LIMITS = {**settings.RATE_LIMITS, "email_verify": "1/h"}
        pressed(visitor, VERIFY, "wrong")

        answer = pressed(visitor, VERIFY, token)

        newcomer.refresh_from_db()
        assert answer.status_code == 429
        assert int(answer["Retry-After"]) >= 1
        assert not newcomer.email_verified
        assert EmailVerificationToken.objects.get().verified_at is None

    def test_the_page_and_the_api_share_one_limit(
        self, visitor: Client, api: APIClient, token: str, settings: Settings
    ) -> None:
        settings.RATE_LIMITS = {**settings.RATE_LIMITS, "email_verify": "1/h"}
        pressed(visitor, VERIFY, "wrong")

        answer = api.post(f"{API}/email/verify/", {"token": token})

        assert answer.status_code == 429


class TestForms:
    @pytest.mark.parametrize("url", [VERIFY, RESET])
    @pytest.mark.parametrize("csrf", [None, "", "x" * 64])
    def test_without_djangos_csrf_token_nothing_happens(
        self, visitor: Client, token: str, reset_token: str, url: str, csrf: str | None
    ) -> None:
        right = token if url == VERIFY else reset_token
        visitor.get(url, {"token": right})
        before = rows()
        sent = {"token": right, "new_password": NEW_PASSWORD, "csrfmiddlewaretoken": csrf}

        answer = visitor.post(
            url, {name: value for name, value in sent.items() if value is not None}
        )

        assert answer.status_code == 403
        assert answer["Content-Type"] == "text/html; charset=utf-8"
        assert rows() == before

    @pytest.mark.parametrize("url", [VERIFY, RESET])
    @pytest.mark.parametrize(
        "proof", [{"Sec-Fetch-Site": "same-origin"}, {"Origin": "http://testserver"}, {}], ids=str
    )
    def test_what_proves_an_api_request_proves_no_form(
        self, visitor: Client, token: str, reset_token: str, url: str, proof: dict[str, str]
    ) -> None:
        right = token if url == VERIFY else reset_token
        before = rows()

        answer = visitor.post(url, {"token": right, "new_password": NEW_PASSWORD}, headers=proof)

        assert answer.status_code == 403
        assert rows() == before

    @pytest.mark.parametrize("url", [VERIFY, RESET])
    @pytest.mark.parametrize(
        "origin", ["https://evil.example", "null", "http://testserver.evil.example"]
    )
    def test_a_foreign_page_may_not_send_them_even_with_a_token(
        self, visitor: Client, token: str, reset_token: str, url: str, origin: str
    ) -> None:
        right = token if url == VERIFY else reset_token
        form = {**fields_of(visitor.get(url, {"token": right})), "new_password": NEW_PASSWORD}
        before = rows()

        answer = visitor.post(url, form, headers={**FOREIGN, "Origin": origin})

        assert answer.status_code == 403
        assert rows() == before

    @pytest.mark.parametrize("url", [VERIFY, RESET])
    def test_a_token_is_shown_as_text_and_never_as_markup(self, visitor: Client, url: str) -> None:
        evil = (
            "\"><script>alert(1)</script><img src=x onerror='alert(2)'>{{ 7|add:7 }}{% now 'Y' %}"
        )

        answer = visitor.get(url, {"token": evil})

        text = answer.content.decode()
        assert "<script" not in text
        assert "<img" not in text
        assert "{{ 7|add:7 }}" in text

    @pytest.mark.parametrize("url", [VERIFY, RESET])
    @pytest.mark.parametrize("query", ["", "?token=", "?tokn=x"])
    def test_a_link_that_lost_its_token_has_no_form(
        self, visitor: Client, url: str, query: str
    ) -> None:
        answer = visitor.get(f"{url}{query}")

        assert answer.status_code == 200
        assert "<form" not in answer.content.decode()

    @pytest.mark.parametrize("url", [VERIFY, RESET])
    def test_a_browser_sends_them_with_a_true_origin(self, visitor: Client, url: str) -> None:
        # Under no-referrer it would say `Origin: null`, which Django's check refuses (Fetch,
        # section 3.1).
        answer = visitor.get(url, {"token": "x"})

        assert answer["Referrer-Policy"] == "same-origin"
        assert 'content="no-referrer"' not in answer.content.decode()

    @pytest.mark.parametrize("url", [VERIFY, RESET])
    def test_they_need_no_script(self, visitor: Client, url: str) -> None:
        answer = visitor.get(url, {"token": "x"})

        assert "script" not in answer.content.decode().lower()
        assert "script-src" not in answer["Content-Security-Policy"]
        assert "default-src 'none'" in answer["Content-Security-Policy"]

    @pytest.mark.parametrize("url", [VERIFY, RESET])
    @pytest.mark.parametrize("method", ["put", "patch", "delete"])
    def test_other_methods_are_not_taken(self, url: str, method: str) -> None:
        answer = getattr(Client(), method)(url)

        assert answer.status_code == 405

    @pytest.mark.parametrize("url", [VERIFY, RESET])
    def test_a_signed_in_app_gets_no_further_than_anybody(
        self, visitor: Client, signed_in: dict[str, Any], url: str
    ) -> None:
        answer = visitor.post(url, {"token": "x"}, headers=bearer(signed_in["access"]))

        assert answer.status_code == 403


def _body(delivered: Deliver) -> str:
    [message] = delivered()
    return str(message.body)
