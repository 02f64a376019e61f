"""Mails as text and HTML, from templates/emails."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import css_inline
from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse


@dataclasses.dataclass(frozen=True, slots=True)
class RenderedEmail:
    """A mail, ready to be sent."""

    subject: str
    text: str
    html: str


def render_email(kind: str, facts: Mapping[str, Any]) -> RenderedEmail:
    """Return the mail of a kind; its templates are `<kind>.subject.txt`, `<kind>.txt` and `<kind>.html`."""
    context = {
        **facts,
        "support_email": settings.SUPPORT_EMAIL,
        "home_url": settings.FRONTEND_URL or settings.BACKEND_URL,
        "new_password_url": settings.BACKEND_URL + reverse("forgot-password-page"),
        "lockout_minutes": settings.ACCOUNT_LOCKOUT_MINUTES,
        "reset_minutes": settings.PASSWORD_RESET_TIMEOUT // 60,
        "verification_hours": int(settings.EMAIL_VERIFICATION_LIFETIME.total_seconds() // 3600),
    }
    subject = render_to_string(f"emails/{kind}.subject.txt", context)
    return RenderedEmail(
        subject=" ".join(subject.split()),
        text=render_to_string(f"emails/{kind}.txt", context),
        html=css_inline.inline(render_to_string(f"emails/{kind}.html", context)),
    )
