"""Made-up data for a preview of every kind of mail."""

import datetime as dt
from typing import Any

from django.conf import settings
from django.utils import timezone

from authentication.models import OutgoingEmail, User, UserSession
from authentication.utils.places import country_name

Kind = OutgoingEmail.Kind

_TOKEN = "made-up-token"  # noqa: S105 -- it opens nothing
_LINKS = {
    Kind.VERIFICATION: "EMAIL_VERIFICATION_URL",
    Kind.CHOOSE_PASSWORD: "PASSWORD_RESET_URL",
    Kind.PASSWORD_RESET: "PASSWORD_RESET_URL",
    Kind.NEW_DEVICE: "DISOWN_SESSION_URL",
    Kind.NEW_COUNTRY: "DISOWN_SESSION_URL",
    Kind.SESSION_DISOWNED: "DISOWN_SESSION_URL",
    Kind.EMAIL_CHANGE: "EMAIL_CHANGE_URL",
    Kind.EMAIL_CHANGE_NOTICE: "EMAIL_UNDO_URL",
    Kind.FORMER_ADDRESS: "EMAIL_UNDO_URL",
    Kind.EXPORT_READY: "EXPORT_URL",
    Kind.SECOND_FACTOR_REMOVAL: "FACTOR_REMOVAL_STOP_URL",
    Kind.ACCOUNT_DELETED: "CHANGE_UNDO_URL",
    Kind.SECOND_FACTOR_CHANGED: "CHANGE_UNDO_URL",
    Kind.USERNAME_CHANGED: "CHANGE_UNDO_URL",
    Kind.NOTICES_STOPPED: "CHANGE_UNDO_URL",
    Kind.INVITATION: "INVITATION_URL",
}
PREVIEWS = frozenset(Kind.values)
"""The kinds of mails that have a preview."""


def preview_facts(kind: OutgoingEmail.Kind) -> dict[str, Any]:
    """Return what the templates of a kind show; nothing of it is stored, and its link is dead."""
    now = timezone.now()
    user = User(email="ruth@example.org", first_name="Ruth", username="ruth.m", email_verified=True)
    name = _LINKS.get(kind)
    link = getattr(settings, name).replace("{token}", _TOKEN) if name else ""
    return {
        "user": user,
        "timezone": "Europe/Berlin",
        "when": now.isoformat(),
        "due": (now + settings.ACCOUNT_DELETION_GRACE).isoformat(),
        "change": "enabled",
        "days": 7,
        "news": "Your password was changed",
        "session": UserSession(
            user=user, created_at=now - dt.timedelta(minutes=2), ip_address="198.51.100.7"
        ),
        "ip_address": "198.51.100.7",
        "new_country": country_name("DE"),
        "before": country_name("US"),
        "place": "Berlin, " + country_name("DE"),
        "device_words": "Firefox on Windows",
        "device_label": "Ruth's laptop",
        "old_role": "Helper",
        "new_role": "Administrator",
        **({"link": link} if link else {}),
    }
