"""Rendering of mails as text and HTML, from templates/emails."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import ngettext

from authentication.utils.languages import current


@dataclasses.dataclass(frozen=True, slots=True)
class RenderedEmail:
    """The rendered parts of a mail."""

    subject: str
    text: str
    html: str


def render_email(kind: str, context: Mapping[str, Any]) -> RenderedEmail:
    """Render `<kind>.subject.txt`, `<kind>.txt` and `<kind>.html`, with CSS inlined.

    The language is the current one.
    """
    # It takes 3 MiB, and only a process that sends mails needs it.
    import css_inline

    full_context = {"timezone": "UTC", **context, **_settings()}
    subject = render_to_string(f"emails/{kind}.subject.txt", full_context)
    return RenderedEmail(
        subject=" ".join(subject.split()),
        text=render_to_string(f"emails/{kind}.txt", full_context),
        html=css_inline.inline(render_to_string(f"emails/{kind}.html", full_context)),
    )


def _settings() -> dict[str, Any]:
    home = settings.FRONTEND_URL or settings.BACKEND_URL + reverse("account-page")
    hours = int(settings.EMAIL_VERIFICATION_LIFETIME.total_seconds() // 3600)
    return {
        "language": current(),
        "support_email": settings.SUPPORT_EMAIL,
        "home_url": home,
        "home_link": format_html('<a href="{}">{}</a>', home, home),
        "admin_url": settings.BACKEND_URL + reverse("admin:index"),
        "new_password_url": settings.BACKEND_URL + reverse("forgot-password-page"),
        "lockout_time": _minutes(settings.ACCOUNT_LOCKOUT_MINUTES),
        "reset_time": _minutes(settings.PASSWORD_RESET_TIMEOUT // 60),
        "verification_time": ngettext("{count} hour", "{count} hours", hours).format(count=hours),
    }


def _minutes(count: int) -> str:
    return ngettext("{count} minute", "{count} minutes", count).format(count=count)
