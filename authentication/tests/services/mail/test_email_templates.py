"""Mails as they are rendered."""

import datetime as dt
import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.utils.translation import override

from authentication.models import OutgoingEmail, User, UserSession
from authentication.services.mail.rendering import RenderedEmail, render_email

from .facts import EVIL, FACTS, HOME

LINK_TO_PASSWORD_RESET = (
    "account_locked",
    "breached_password",
    "password_changed",
    "recovery_code_used",
    "second_factor_blocked",
    "second_factor_changed",
    "token_reuse",
)
IMPERSONAL = ("verification", "email_change", "account_exists")
GREETING = tuple(kind for kind in FACTS if kind not in IMPERSONAL)
TEMPLATES = sorted((Path(settings.BASE_DIR) / "templates" / "emails").iterdir())
for_every_kind = pytest.mark.parametrize("kind", FACTS)


@pytest.fixture(autouse=True)
def _frontend(settings: Any) -> None:
    settings.FRONTEND_URL = HOME


def rendered(
    kind: str, *, first_name: str = "Ruth", email_verified: bool = True, **facts: Any
) -> RenderedEmail:
    user = User(
        email="ruth@example.org",
        first_name=first_name,
        last_name=first_name,
        email_verified=email_verified,
    )
    return render_email(kind, {**FACTS[kind], "user": user, **facts})


def rendered_in(language: str, kind: str) -> RenderedEmail:
    with override(language):
        return rendered(kind)


def links_in(html: str) -> set[str]:
    return {link.replace("&amp;", "&") for link in re.findall(r'href="([^"]*)"', html)}


@pytest.mark.parametrize("kind", OutgoingEmail.Kind.values)
def test_every_kind_of_mail_has_three_templates(kind: str) -> None:
    for ending in ("subject.txt", "txt", "html"):
        assert (Path(settings.BASE_DIR) / "templates" / "emails" / f"{kind}.{ending}").is_file()


@for_every_kind
def test_the_subject_is_one_short_line(kind: str) -> None:
    subject = rendered(kind).subject

    assert 0 < len(subject) <= 60
    assert "\n" not in subject


@for_every_kind
def test_a_lock_screen_preview_does_not_name_the_community(kind: str) -> None:
    preheader = re.search(r'class="preheader"[^>]*>(.*?)</div>', rendered(kind).html, re.DOTALL)
    assert preheader

    shown = f"{rendered(kind).subject} {rendered(kind).text[:200]} {preheader.group(1)}".lower()

    assert not re.search(r"vineyard|fellowship|church|faith|member|community", shown)


@for_every_kind
def test_the_text_has_no_markup_and_short_lines(kind: str) -> None:
    text = rendered(kind).text

    assert text == text.lstrip()
    assert not re.search(r"&\w+;|&#|<\w|\{[{%]", text)
    assert "\n\n\n" not in text
    assert all(len(line) <= 77 or line.startswith("https://") for line in text.splitlines())


@for_every_kind
def test_the_html_loads_and_runs_nothing(kind: str) -> None:
    html = rendered(kind).html

    assert not re.search(
        r"<(script|img|link|iframe|object|form|svg)\b|url\(|@import|\bsrc=|\son\w+=", html
    )
    assert "{{" not in html
    assert "{%" not in html


@for_every_kind
def test_the_html_has_inline_styles_and_a_dark_mode(kind: str) -> None:
    html = rendered(kind).html

    assert "prefers-color-scheme: dark" in html
    assert re.search(r'<a class="button"[^>]*style="[^"]*color: ?#ffffff', html)


@for_every_kind
def test_the_link_is_in_the_text_and_on_the_button(kind: str) -> None:
    page = (
        f"{settings.BACKEND_URL}/account/forgot-password/"
        if kind in LINK_TO_PASSWORD_RESET
        else f"{settings.BACKEND_URL}/admin/"
        if kind == "role_changed"
        else HOME
    )
    link, message = FACTS[kind].get("link", page), rendered(kind)

    assert f"\n{link}\n" in f"{message.text}\n"
    assert links_in(message.html) <= {link, HOME, f"mailto:{settings.SUPPORT_EMAIL}"}
    assert message.html.count(f'href="{link.replace("&", "&amp;")}"') >= 2


@for_every_kind
def test_the_footer_names_the_support_address(kind: str) -> None:
    message = rendered(kind)

    for body in (message.text, message.html):
        assert "You get this mail because" in body
        assert settings.SUPPORT_EMAIL in body
        assert HOME in body


@pytest.mark.parametrize("kind", GREETING)
def test_a_user_with_a_verified_address_is_greeted_by_name(kind: str) -> None:
    message = rendered(kind)

    assert message.text.startswith("Hello Ruth,\n\n")
    assert "Hello Ruth,</p>" in message.html


@pytest.mark.parametrize("kind", GREETING)
def test_a_user_without_a_name_is_not_greeted(kind: str) -> None:
    message = rendered(kind, first_name="")

    assert "Hello" not in message.text + message.html


@pytest.mark.security
@pytest.mark.parametrize("kind", IMPERSONAL)
def test_mails_to_unverified_addresses_hold_no_name(kind: str) -> None:
    message = rendered(kind)

    assert "Ruth" not in message.text + message.html


@pytest.mark.security
@for_every_kind
@pytest.mark.parametrize("email_verified", [True, False])
def test_a_name_cannot_carry_a_link(kind: str, *, email_verified: bool) -> None:
    message = rendered(kind, first_name=EVIL, email_verified=email_verified, device_label=EVIL)

    assert "evil" not in message.subject + message.text + message.html
    assert "<b>" not in message.html


@pytest.mark.security
@for_every_kind
def test_a_name_is_left_out_of_mails_to_an_unverified_address(kind: str) -> None:
    message = rendered(kind, first_name="Call 0190 666666", email_verified=False)

    assert "0190" not in message.text + message.html


@pytest.mark.security
def test_a_name_is_escaped() -> None:
    message = rendered("token_reuse", first_name="<b>Ruth", device_label="<i>phone")

    assert "&lt;b&gt;Ruth" in message.html
    assert "&lt;i&gt;phone" in message.html
    assert "Hello <b>Ruth," in message.text


@pytest.mark.parametrize("kind", ["token_reuse", "new_device"])
def test_a_mail_shows_the_device_and_quotes_the_name_given_to_it(kind: str) -> None:
    message = rendered(kind)

    named = 'Device: Firefox on Linux\nName given to it: "Ruth\'s phone & tablet"\n'
    assert named in f"{message.text}\n"
    assert '<strong>"Ruth\'s phone &amp; tablet"</strong>' in message.html


@pytest.mark.parametrize("kind", ["token_reuse", "new_device"])
def test_a_device_without_words_or_name_is_unknown(kind: str) -> None:
    text = rendered(kind, session=UserSession(), device_words="", device_label="").text

    assert "Device: unknown\n" in f"{text}\n"
    assert "Name given" not in text


@pytest.mark.security
def test_a_name_that_reads_like_a_sentence_of_the_service_is_quoted_and_shortened() -> None:
    text = rendered(
        "new_device", device_label='Phone" is unsafe. Security desk: call 1 800 555 0199'
    ).text

    assert "0199" not in text
    assert "Name given to it: not shown\n" in text
    text = rendered("new_device", device_label='Phone" Security desk call 1 800 555 0199').text
    assert 'Name given to it: "Phone\' Security desk ca…"\n' in text


def test_durations_follow_the_settings(settings: Any) -> None:
    settings.EMAIL_VERIFICATION_LIFETIME = dt.timedelta(hours=24)
    settings.ACCOUNT_LOCKOUT_MINUTES = 30
    settings.PASSWORD_RESET_TIMEOUT = 3600

    assert "within 24 hours." in " ".join(rendered("verification").text.split())
    assert "for 30 minutes, with" in " ".join(rendered("account_locked").text.split())
    assert "within 60 minutes." in " ".join(rendered("password_reset").text.split())

    settings.PASSWORD_RESET_TIMEOUT = 60
    assert "within 1 minute." in " ".join(rendered("password_reset").text.split())


def test_the_time_of_a_change_is_in_words_in_the_time_zone_of_the_user() -> None:
    assert "\nTime: Monday 3 March, 14:05 (UTC)\n" in rendered("password_changed").text
    local = rendered("password_changed", timezone="Europe/Berlin")
    assert "\nTime: Monday 3 March, 15:05 (Berlin)\n" in local.text
    assert "Time: <strong>Monday 3 March, 15:05 (Berlin)</strong>" in local.html


def test_a_change_without_a_time_shows_none() -> None:
    assert "Time:" not in rendered("password_changed", when="").text


def test_the_day_of_an_erasure_is_in_words() -> None:
    due = "2026-12-06T12:00:00+00:00"

    text = rendered("account_deleted", due=due, timezone="Pacific/Auckland").text
    assert "On Monday 7 December we" in " ".join(text.split())


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_a_template_formats_times_and_names_by_the_filters_for_mails(template: Path) -> None:
    text = template.read_text(encoding="utf-8")

    assert not re.search(r"\|(date|slice|time)\b| UTC", text)
    chosen = r"user\.\w*name|session\.(device_name|browser|operating_system)|device_(words|label)"
    assert not re.search(rf"{{{{ *({chosen}) *}}}}", text)
