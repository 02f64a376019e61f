"""What the pages under /account/ with a token in their link have in common."""

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from authentication.models import EmailVerificationToken, PasswordResetToken, User
from authentication.tests.answers import rows, unexpected
from authentication.tests.clients import FOREIGN_PAGE, NEW_PASSWORD, Tokens, hidden_fields
from authentication.tests.conftest import bearer

VERIFY = "/account/verify-email/"
RESET = "/account/reset-password/"
PAGES = pytest.mark.parametrize("url", [VERIFY, RESET])

pytestmark = pytest.mark.django_db


@pytest.fixture
def token(url: str, newcomer: User, person: User) -> str:
    """Return a token that the page accepts."""
    now = timezone.now()
    if url == VERIFY:
        return EmailVerificationToken.objects.issue(newcomer.pk, email=newcomer.email, at=now)
    return PasswordResetToken.objects.issue(person, at=now)


@PAGES
class TestProofOfOrigin:
    def test_a_form_without_the_csrf_token_changes_nothing(
        self, visitor: Client, url: str, token: str
    ) -> None:
        visitor.get(url, {"token": token})
        before = rows()

        def outcome(csrf: dict[str, str]) -> tuple[int, str, bool]:
            answer = visitor.post(url, {"token": token, "new_password": NEW_PASSWORD, **csrf})
            return answer.status_code, answer["Content-Type"], rows() == before

        cases: list[dict[str, str]] = [
            {},
            {"csrfmiddlewaretoken": ""},
            {"csrfmiddlewaretoken": "x" * 64},
        ]
        assert unexpected(cases, outcome, (403, "text/html; charset=utf-8", True)) == {}

    def test_the_headers_that_prove_an_api_request_do_not_prove_a_form(
        self, visitor: Client, url: str, token: str
    ) -> None:
        before = rows()

        def outcome(headers: dict[str, str]) -> tuple[int, bool]:
            form = {"token": token, "new_password": NEW_PASSWORD}
            answer = visitor.post(url, form, headers=headers)
            return answer.status_code, rows() == before

        proofs: list[dict[str, str]] = [
            {"Sec-Fetch-Site": "same-origin"},
            {"Origin": "http://testserver"},
            {},
        ]
        assert unexpected(proofs, outcome, (403, True)) == {}

    def test_a_foreign_page_cannot_send_the_form_even_with_a_csrf_token(
        self, visitor: Client, url: str, token: str
    ) -> None:
        form = {**hidden_fields(visitor.get(url, {"token": token})), "new_password": NEW_PASSWORD}
        before = rows()

        def outcome(origin: str) -> tuple[int, bool]:
            answer = visitor.post(url, form, headers={**FOREIGN_PAGE, "Origin": origin})
            return answer.status_code, rows() == before

        origins = ["https://evil.example", "null", "http://testserver.evil.example"]
        assert unexpected(origins, outcome, (403, True)) == {}

    def test_an_access_token_does_not_replace_the_csrf_token(
        self, visitor: Client, signed_in: Tokens, url: str
    ) -> None:
        answer = visitor.post(url, {"token": "x"}, headers=bearer(signed_in["access"]))

        assert answer.status_code == 403


@PAGES
class TestPage:
    def test_the_token_is_shown_as_text_and_not_as_markup(self, visitor: Client, url: str) -> None:
        evil = (
            "\"><script>alert(1)</script><img src=x onerror='alert(2)'>{{ 7|add:7 }}{% now 'Y' %}"
        )

        answer = visitor.get(url, {"token": evil})

        text = answer.content.decode()
        assert "<script" not in text
        assert "<img" not in text
        assert "{{ 7|add:7 }}" in text

    def test_a_link_without_its_token_shows_no_form(self, visitor: Client, url: str) -> None:
        def outcome(query: str) -> tuple[int, bool]:
            answer = visitor.get(f"{url}{query}")
            return answer.status_code, "<form" in answer.content.decode()

        assert unexpected(["", "?token=", "?tokn=x"], outcome, (200, False)) == {}

    def test_the_page_lets_browsers_send_a_true_origin(self, visitor: Client, url: str) -> None:
        # Under no-referrer a browser sends `Origin: null`, which Django's check refuses (Fetch,
        # section 3.1).
        answer = visitor.get(url, {"token": "x"})

        assert answer["Referrer-Policy"] == "same-origin"
        assert 'content="no-referrer"' not in answer.content.decode()

    def test_the_page_needs_no_script(self, visitor: Client, url: str) -> None:
        answer = visitor.get(url, {"token": "x"})

        assert "script" not in answer.content.decode().lower()
        assert "script-src" not in answer["Content-Security-Policy"]
        assert "default-src 'none'" in answer["Content-Security-Policy"]

    def test_other_methods_are_refused(self, client: Any, url: str) -> None:
        def outcome(method: str) -> int:
            return int(client.generic(method, url).status_code)

        assert unexpected(["PUT", "PATCH", "DELETE"], outcome, 405) == {}
