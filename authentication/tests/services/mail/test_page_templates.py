"""The account pages, rendered."""

import re
from typing import Any

import pytest
from django.contrib.staticfiles import finders
from django.template.loader import render_to_string

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
    ("account/accept_invitation.html", {"token": 'a"b', "min_length": 12}, "Accept the invitation"),
    ("account/accept_invitation.html", {"token": ""}, "This link is incomplete"),
    ("account/accept_invitation.html", {"done": True}, "Welcome"),
    ("account/accept_invitation.html", {"failed": True}, "This link no longer works"),
    ("account/accept_invitation.html", {"busy": True}, "Please try again later"),
    ("account/keep_second_factor.html", {"token": 'a"b'}, "Keep two-step sign-in"),
    ("account/keep_second_factor.html", {"token": ""}, "This link is incomplete"),
    ("account/keep_second_factor.html", {"done": True}, "Your two-step sign-in stays on"),
    ("account/keep_second_factor.html", {"failed": True}, "This link no longer works"),
    ("account/keep_second_factor.html", {"busy": True}, "Please try again later"),
    ("account/home.html", {}, "Account service"),
    ("404.html", {}, "Page not found"),
    ("403_csrf.html", {}, "The form was not accepted"),
    ("500.html", {}, "Something went wrong"),
    ("503.html", {"detail": "Please try again."}, "We will be back in a moment"),
]


@pytest.mark.parametrize(("template", "facts", "heading"), PAGES)
def test_a_page_has_one_heading_and_no_inline_script_or_style(
    template: str, facts: dict[str, Any], heading: str
) -> None:
    html = render_to_string(template, facts)

    assert re.findall(r"<h1>(.*?)</h1>", html) == [heading]
    assert re.search(r"<title>[^<]+</title>", html)
    assert not re.search(r"<(script|style|img)\b|\sstyle=|\son\w+=", html)
    assert ("<form" in html) == bool(facts.get("token"))
    assert "vineyard" not in html.lower()


@pytest.mark.security
def test_a_page_escapes_its_values() -> None:
    html = render_to_string(
        "account/reset_password.html", {"token": 'a"b', "errors": ["Too <short>."]}
    )

    assert 'name="token" value="a&quot;b"' in html
    assert "<li>Too &lt;short&gt;.</li>" in html


def test_pages_with_forms_allow_a_same_origin_referrer() -> None:
    for name in ("verify_email", "reset_password", "forgot_password", "resend_verification"):
        template = f"account/{name}.html"
        assert '<meta name="referrer" content="same-origin">' in render_to_string(
            template, {"token": "x"}
        )


def test_the_style_sheet_is_found() -> None:
    assert finders.find("account/account.css")
