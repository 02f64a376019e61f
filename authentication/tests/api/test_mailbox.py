"""/dev/mailbox/: the mails of the embedded mode, and a preview of every kind."""

import html
import os
from pathlib import Path
from typing import Any

import pytest
from django.core.mail import EmailMultiAlternatives, get_connection
from django.test import Client
from django.urls import NoReverseMatch, reverse
from pytest_django import Settings

from authentication.models import OutgoingEmail
from authentication.tests.settings.reader import DEVELOPMENT, GOOD_PRODUCTION, read_all

MAILBOX = "/dev/mailbox/"
LINK = "http://localhost:8002/account/verify-email/?token=abc&next=1"


def text_of(client: Client, path: str) -> str:
    """Return the text of a page."""
    answer = client.get(path)
    assert answer.status_code == 200, path
    return html.unescape(answer.content.decode())


class TestEmbedded:
    @pytest.fixture(autouse=True)
    def _embedded(self, settings: Settings, tmp_path: Path) -> None:
        settings.DEVELOPMENT_MAILBOX = True
        settings.EMAIL_FILE_PATH = tmp_path
        settings.ROOT_URLCONF = "authentication.tests.api.mailbox_urls"

    @pytest.fixture
    def names(self, tmp_path: Path) -> list[str]:
        """Return the names of two mails, the older first."""
        connection = get_connection("authentication.services.mail.file_backend.FileMailbox")
        found: list[str] = []
        for number, subject in enumerate(["First <b>", "Second"]):
            message = EmailMultiAlternatives(subject, f"Open {LINK}", to=["ruth@example.org"])
            message.attach_alternative(
                "<html><head></head><body><p>Hello</p></body></html>", "text/html"
            )
            connection.send_messages([message])
            [path] = [it for it in tmp_path.glob("*.eml") if it.stem not in found]
            os.utime(path, (1_700_000_000 + number, 1_700_000_000 + number))
            found.append(path.stem)
        return found

    def test_the_newest_mail_comes_first(self, client: Client, names: list[str]) -> None:
        page = text_of(client, MAILBOX)

        assert page.index(f"{MAILBOX}{names[1]}/") < page.index(f"{MAILBOX}{names[0]}/")
        assert "ruth@example.org" in page
        assert b"First <b>" not in client.get(MAILBOX).content

    @pytest.mark.parametrize(
        ("view", "shown"),
        [
            ("html", "<iframe"),
            ("phone", 'class="mail phone"'),
            ("text", "Open http"),
            ("source", "Content-Type: multipart/alternative"),
        ],
    )
    def test_a_mail_is_shown_in_four_ways_with_its_links(
        self, client: Client, names: list[str], view: str, shown: str
    ) -> None:
        page = text_of(client, f"{MAILBOX}{names[0]}/?as={view}")

        assert shown in page
        assert f'href="{LINK}"' in page

    def test_the_html_is_framed_by_this_service_alone_in_a_sandbox(
        self, client: Client, names: list[str]
    ) -> None:
        answer = client.get(f"{MAILBOX}html/{names[0]}/")

        assert answer["X-Frame-Options"] == "SAMEORIGIN"
        assert b'<head><base target="_top">' in answer.content
        assert b"Hello" in answer.content
        frame = text_of(client, f"{MAILBOX}{names[0]}/")
        assert 'sandbox="allow-top-navigation-by-user-activation"' in frame
        assert "no-store" in answer["Cache-Control"]

    @pytest.mark.parametrize("kind", OutgoingEmail.Kind.values)
    def test_every_kind_has_a_preview_that_stores_nothing(
        self, client: Client, tmp_path: Path, kind: str
    ) -> None:
        assert f"{MAILBOX}preview-{kind}/" in text_of(client, MAILBOX)

        for path in (f"{MAILBOX}preview-{kind}/?as=text", f"{MAILBOX}html/preview-{kind}/"):
            page = text_of(client, path)
            assert "{{" not in page
            assert "None" not in page
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize(
        "name", ["unknown", "preview-unknown", "preview-", "../../db", "..%2f..%2f.env", "a" * 81]
    )
    def test_what_is_not_there_is_a_404(self, client: Client, tmp_path: Path, name: str) -> None:
        (tmp_path.parent / "secret.eml").write_text("Subject: secret")

        answers = [client.get(f"{MAILBOX}{at}{name}/") for at in ("", "html/")]

        assert {answer.status_code for answer in answers} == {404}
        assert client.get(f"{MAILBOX}preview-verification/?as=pdf").status_code == 404

    def test_the_start_page_leads_there(self, client: Client) -> None:
        assert f'href="{MAILBOX}"' in text_of(client, "/")

    def test_the_views_refuse_where_the_setting_is_off(
        self, client: Client, names: list[str], settings: Settings
    ) -> None:
        settings.DEVELOPMENT_MAILBOX = False

        paths = (MAILBOX, f"{MAILBOX}{names[0]}/", f"{MAILBOX}html/{names[0]}/")
        assert {client.get(path).status_code for path in paths} == {404}


def test_elsewhere_it_has_no_url(client: Client) -> None:
    with pytest.raises(NoReverseMatch):
        reverse("mailbox")

    assert client.get(MAILBOX).status_code == 404
    assert MAILBOX not in client.get("/").content.decode()


def test_the_embedded_mode_alone_has_it() -> None:
    cases: dict[str, dict[str, Any]] = {
        "embedded": DEVELOPMENT,
        "with SMTP": {**DEVELOPMENT, "EMAIL_HOST": "mail.internal"},
        "with a catcher": {**DEVELOPMENT, "EMAIL_CATCHER": "mail:1025"},
        "with PostgreSQL": {**DEVELOPMENT, "DATABASE_URL": GOOD_PRODUCTION["DATABASE_URL"]},
        "with Redis": {**DEVELOPMENT, "REDIS_URL": GOOD_PRODUCTION["REDIS_URL"]},
        "production": GOOD_PRODUCTION,
    }

    outcomes = read_all(list(cases.values()), "DEVELOPMENT_MAILBOX", "CONTENT_SECURITY_POLICIES")

    has_it = [
        name
        for name, it in zip(cases, outcomes, strict=True)
        if "/dev/" in it["CONTENT_SECURITY_POLICIES"]
    ]
    assert [it["DEVELOPMENT_MAILBOX"] for it in outcomes] == ["True", *["False"] * 5]
    assert has_it == ["embedded"]
