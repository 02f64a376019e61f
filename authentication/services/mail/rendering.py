"""Rendering of mails as text and HTML, from templates/emails."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import css_inline
from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse


@dataclasses.dataclass(frozen=True, slots=True)
class RenderedEmail:
    """The rendered parts of a mail."""

    subject: str
    text: str
    html: str


def render_email(kind: str, context: Mapping[str, Any]) -> RenderedEmail:
    """Render `<kind>.subject.txt`, `<kind>.txt` and `<kind>.html`, with CSS inlined."""
    full_context = {
        "timezone": "UTC",
        **context,
        "support_email": settings.SUPPORT_EMAIL,
        "home_url": settings.FRONTEND_URL or settings.BACKEND_URL,
        "new_password_url": settings.BACKEND_URL + reverse("forgot-password-page"),
        "lockout_minutes": settings.ACCOUNT_LOCKOUT_MINUTES,
        "reset_minutes": settings.PASSWORD_RESET_TIMEOUT // 60,
        "verification_hours": int(settings.EMAIL_VERIFICATION_LIFETIME.total_seconds() // 3600),
    }
    subject = render_to_string(f"emails/{kind}.subject.txt", full_context)
    return RenderedEmail(
        subject=" ".join(subject.split()),
        text=render_to_string(f"emails/{kind}.txt", full_context),
        html=css_inline.inline(render_to_string(f"emails/{kind}.html", full_context)),
    )
