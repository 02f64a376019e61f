"""What every mail must keep to, whatever its words."""

import datetime as dt
import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.template.loader import render_to_string

from authentication.models import OutgoingEmail, User, UserSession
from authentication.services.mail.rendering import RenderedEmail, render_email

LINK = "https://app.example.org/do-it?token=abc_DEF-123&next=1"
HOME = "https://app.example.org"
EVIL = "Click http://evil.example <b>now</b>"

FACTS: dict[str, dict[str, Any]] = {
    "verification": {"link": LINK},
    "account_exists": {},
    "account_locked": {},
    "token_reuse": {"device": "Ruth's phone & tablet"},
    "password_reset": {"link": LINK},
    "password_changed": {"when": "2025-03-03T14:05:11.123456+00:00"},
    "second_factor_changed": {"change": "enabled", "when": "2025-03-03T14:05:11.123456+00:00"},
    "second_factor_blocked": {},
    "breached_password": {},
    "account_deleted": {"due": "2026-12-06T12:00:00+00:00"},
    "export_ready": {"link": LINK},
    "email_change": {"link": LINK},
    "email_change_notice": {"link": LINK},
    "new_device": {
        "link": LINK,
        "session": UserSession(
            device_name="Ruth's phone & tablet", browser="Firefox 130", ip_address="198.51.100.7"
        ),
    },
}
# Where to choose a new password, whatever front end there is.
TO_A_NEW_PASSWORD = (
    "account_locked",
    "breached_password",
    "password_changed",
    "second_factor_blocked",
    "second_factor_changed",
    "token_reuse",
)
IMPERSONAL = ("verification", "email_change", "account_exists")
GREETING = tuple(kind for kind in FACTS if kind not in IMPERSONAL)

every_kind = pytest.mark.parametrize("kind", FACTS)


@pytest.fixture(autouse=True)
def _a_front_end(settings: Any) -> None:
    settings.FRONTEND_URL = HOME


def mail(
    kind: str, *, first_name: str = "Ruth", email_verified: bool = True, **facts: Any
) -> RenderedEmail:
    user = User(
        email="ruth@example.org",
        first_name=first_name,
        last_name=first_name,
        email_verified=email_verified,
    )
    return render_email(kind, {**FACTS[kind], "user": user, **facts})


def links(html: str) -> set[str]:
    return {link.replace("&amp;", "&") for link in re.findall(r'href="([^"]*)"', html)}


@pytest.mark.parametrize("kind", OutgoingEmail.Kind.values)
def test_every_kind_of_mail_has_its_three_templates(kind: str) -> None:
    for ending in ("subject.txt", "txt", "html"):
        assert (Path(settings.BASE_DIR) / "templates" / "emails" / f"{kind}.{ending}").is_file()


@every_kind
def test_the_subject_is_one_short_line(kind: str) -> None:
    subject = mail(kind).subject

    assert 0 < len(subject) <= 60
    assert "\n" not in subject


@every_kind
def test_what_a_lock_screen_shows_does_not_tell_who_writes(kind: str) -> None:
    preheader = re.search(r'class="preheader"[^>]*>(.*?)</div>', mail(kind).html, re.DOTALL)
    assert preheader

    shown = f"{mail(kind).subject} {mail(kind).text[:200]} {preheader.group(1)}".lower()

    assert not re.search(r"vineyard|fellowship|church|faith|member|community", shown)


@every_kind
def test_the_text_is_clean_and_narrow(kind: str) -> None:
    text = mail(kind).text

    assert text == text.lstrip()
    assert not re.search(r"&\w+;|&#|<\w|\{[{%]", text)
    assert "\n\n\n" not in text
    assert all(len(line) <= 77 or line.startswith("https://") for line in text.splitlines())


@every_kind
def test_the_html_loads_and_runs_nothing(kind: str) -> None:
    html = mail(kind).html

    assert not re.search(
        r"<(script|img|link|iframe|object|form|svg)\b|url\(|@import|\bsrc=|\son\w+=", html
    )
    assert "{{" not in html
    assert "{%" not in html


@every_kind
def test_the_html_carries_its_styles_and_those_for_dark_screens(kind: str) -> None:
    html = mail(kind).html

    assert "prefers-color-scheme: dark" in html
    assert re.search(r'<a class="button"[^>]*style="[^"]*color: ?#ffffff', html)


@every_kind
def test_the_link_stands_in_the_text_and_on_the_button(kind: str) -> None:
    page = f"{settings.BACKEND_URL}/account/forgot-password/" if kind in TO_A_NEW_PASSWORD else HOME
    link, sent = FACTS[kind].get("link", page), mail(kind)

    assert f"\n{link}\n" in f"{sent.text}\n"
    assert links(sent.html) <= {link, HOME, f"mailto:{settings.SUPPORT_EMAIL}"}
    assert sent.html.count(f'href="{link.replace("&", "&amp;")}"') >= 2


@every_kind
def test_the_footer_says_whom_to_ask(kind: str) -> None:
    sent = mail(kind)

    for body in (sent.text, sent.html):
        assert "You get this mail because" in body
        assert settings.SUPPORT_EMAIL in body
        assert HOME in body


@pytest.mark.parametrize("kind", GREETING)
def test_a_person_with_a_proven_address_is_greeted(kind: str) -> None:
    sent = mail(kind)

    assert sent.text.startswith("Hello Ruth,\n\n")
    assert "Hello Ruth,</p>" in sent.html


@pytest.mark.parametrize("kind", GREETING)
def test_a_person_without_a_name_is_not(kind: str) -> None:
    sent = mail(kind, first_name="")

    assert "Hello" not in sent.text + sent.html


@pytest.mark.security
@pytest.mark.parametrize("kind", IMPERSONAL)
def test_mails_to_unproven_addresses_bear_no_name(kind: str) -> None:
    sent = mail(kind)

    assert "Ruth" not in sent.text + sent.html


@pytest.mark.security
@every_kind
@pytest.mark.parametrize("email_verified", [True, False])
def test_a_name_cannot_carry_a_link(kind: str, *, email_verified: bool) -> None:
    sent = mail(kind, first_name=EVIL, email_verified=email_verified, device=EVIL)

    assert "evil" not in sent.subject + sent.text + sent.html
    assert "<b>" not in sent.html


@pytest.mark.security
@every_kind
def test_a_name_cannot_speak_to_the_owner_of_an_unproven_address(kind: str) -> None:
    sent = mail(kind, first_name="Call 0190 666666", email_verified=False)

    assert "0190" not in sent.text + sent.html


@pytest.mark.security
def test_a_name_is_text_not_markup() -> None:
    sent = mail("token_reuse", first_name="<b>Ruth", device="<i>phone")

    assert "&lt;b&gt;Ruth" in sent.html
    assert "&lt;i&gt;phone" in sent.html
    assert "Hello <b>Ruth," in sent.text


def test_the_device_that_was_signed_out_is_named() -> None:
    sent = mail("token_reuse")

    assert "Device: Ruth's phone & tablet\n" in sent.text
    assert "Device: unknown\n" in mail("token_reuse", device="").text


def test_durations_are_the_settings(settings: Any) -> None:
    settings.EMAIL_VERIFICATION_LIFETIME = dt.timedelta(hours=24)
    settings.ACCOUNT_LOCKOUT_MINUTES = 30
    settings.PASSWORD_RESET_TIMEOUT = 3600

    assert "within 24 hours." in " ".join(mail("verification").text.split())
    assert "for 30 minutes, with" in " ".join(mail("account_locked").text.split())
    assert "within 60 minutes." in " ".join(mail("password_reset").text.split())

    settings.PASSWORD_RESET_TIMEOUT = 60
    assert "within 1 minute." in " ".join(mail("password_reset").text.split())


def test_the_time_of_a_change_is_utc_and_may_be_missing() -> None:
    assert "\nTime: 2025-03-03, 14:05 UTC\n" in mail("password_changed").text
    assert "Time:" not in mail("password_changed", when="").text


PAGES: list[tuple[str, dict[str, Any], str]] = [
    ("account/verify_email.html", {"token": 'a"b'}, "Confirm your email address"),
    ("account/verify_email.html", {"token": ""}, "This link is incomplete"),
    ("account/verify_email.html", {"done": True}, "Email address confirmed"),
    ("account/verify_email.html", {"failed": True}, "This link no longer works"),
    ("account/verify_email.html", {"busy": True}, "Please try again later"),
    ("account/reset_password.html", {"token": 'a"b'}, "Choose a new password"),
    (
        "account/reset_password.html",
        {"token": 'a"b', "errors": ["Too <short>."]},
        "Choose a new password",
    ),
    ("account/reset_password.html", {"token": ""}, "This link is incomplete"),
    ("account/reset_password.html", {"done": True}, "Your password was changed"),
    ("account/reset_password.html", {"failed": True}, "This link no longer works"),
    ("account/reset_password.html", {"busy": True}, "Please try again later"),
    ("account/forgot_password.html", {"done": True}, "Check your email"),
    ("account/forgot_password.html", {"busy": True}, "Please try again later"),
    ("account/resend_verification.html", {"done": True}, "Check your email"),
    ("account/resend_verification.html", {"busy": True}, "Please try again later"),
    ("account/home.html", {}, "Account service"),
    ("404.html", {}, "Page not found"),
    ("403_csrf.html", {}, "The form was not accepted"),
    ("500.html", {}, "Something went wrong"),
]


@pytest.mark.parametrize(("template", "facts", "heading"), PAGES)
def test_a_page_has_one_heading_and_nothing_its_policy_forbids(
    template: str, facts: dict[str, Any], heading: str
) -> None:
    html = render_to_string(template, facts)

    assert re.findall(r"<h1>(.*?)</h1>", html) == [heading]
    assert re.search(r"<title>[^<]+</title>", html)
    assert not re.search(r"<(script|style|img)\b|\sstyle=|\son\w+=", html)
    assert ("<form" in html) == bool(facts.get("token"))
    assert "vineyard" not in html.lower()


@pytest.mark.security
def test_a_page_shows_what_it_was_given_as_text() -> None:
    html = render_to_string(
        "account/reset_password.html", {"token": 'a"b', "errors": ["Too <short>."]}
    )

    assert 'name="token" value="a&quot;b"' in html
    assert "<li>Too &lt;short&gt;.</li>" in html


def test_the_pages_with_forms_let_the_browser_prove_its_origin() -> None:
    for name in ("verify_email", "reset_password", "forgot_password", "resend_verification"):
        template = f"account/{name}.html"
        assert '<meta name="referrer" content="same-origin">' in render_to_string(
            template, {"token": "x"}
        )


def test_the_style_sheet_is_found() -> None:
    assert finders.find("account/account.css")
