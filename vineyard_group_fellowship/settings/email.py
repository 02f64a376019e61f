"""Mail: how it is sent, its senders, and the addresses in its links."""

import base64
from datetime import timedelta
from email.utils import parseaddr
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

from .base import BASE_DIR, ENVIRONMENT, PORT
from .env import env

_WEB_ADDRESS = r"https?://[^\s/]+\S*"


def address(name: str, default: str = "") -> str:
    """Return a web address without a trailing slash."""
    return env.matching(
        name, default, pattern=_WEB_ADDRESS, wanted="a web address such as https://example.org"
    ).rstrip("/")


def link(name: str, default: str, placeholder: str) -> str:
    """Return a web address that contains the placeholder; empty when unset."""
    template = env.matching(name, default, pattern=_WEB_ADDRESS, wanted="a web address")
    if template and placeholder not in template:
        env.refuse(f"{name} must contain {placeholder}")
    return template


def elliptic_key(name: str) -> str:
    """Return a public elliptic curve key as the base64 of its DER; empty when unset."""
    text = env.text(name)
    try:
        known = not text or isinstance(
            load_der_public_key(base64.b64decode(text, validate=True)), EllipticCurvePublicKey
        )
    except (ValueError, UnsupportedAlgorithm):
        known = False
    if not known:
        env.refuse(
            f"{name} must be the public key that SendGrid shows, without header and footer lines"
        )
    return text


FRONTEND_URL = address("FRONTEND_URL")
BACKEND_URL = address("BACKEND_URL", f"http://localhost:{PORT}")

_PAGES = (
    *("verify-email", "reset-password", "not-me", "confirm-email", "undo-email", "undo-change"),
    *("keep-second-factor", "download-export", "accept-invitation"),
)


def front_end_paths() -> list[str]:
    """Return the pages behind mailed links that the front end has; the service has all of them."""
    named = env.items("FRONTEND_PATHS", "verify-email,reset-password")
    if named == ["none"]:
        return []
    for name in named:
        if name not in _PAGES:
            env.refuse(f"FRONTEND_PATHS must be none or some of {', '.join(_PAGES)}, not {name!r}")
    return named


FRONTEND_PATHS = front_end_paths()


def page(name: str) -> str:
    """Return the link to a page that takes a token: the front end's, else the service's own."""
    is_front_end = FRONTEND_URL and name in FRONTEND_PATHS
    base = f"{FRONTEND_URL}/{name}" if is_front_end else f"{BACKEND_URL}/account/{name}/"
    return base + "?token={token}"


EMAIL_VERIFICATION_URL = link("EMAIL_VERIFICATION_URL", page("verify-email"), "{token}")
PASSWORD_RESET_URL = link("PASSWORD_RESET_URL", page("reset-password"), "{token}")
DISOWN_SESSION_URL = link("DISOWN_SESSION_URL", page("not-me"), "{token}")
EMAIL_CHANGE_URL = link("EMAIL_CHANGE_URL", page("confirm-email"), "{token}")
EMAIL_UNDO_URL = link("EMAIL_UNDO_URL", page("undo-email"), "{token}")
CHANGE_UNDO_URL = link("CHANGE_UNDO_URL", page("undo-change"), "{token}")
FACTOR_REMOVAL_STOP_URL = link("FACTOR_REMOVAL_STOP_URL", page("keep-second-factor"), "{token}")
INVITATION_URL = link("INVITATION_URL", page("accept-invitation"), "{token}")
EXPORT_URL = link("EXPORT_URL", page("download-export"), "{token}")
EMAIL_VERIFIED_URL = link(
    "EMAIL_VERIFIED_URL",
    "" if FRONTEND_URL else f"{BACKEND_URL}/account/welcome/#exchange_token={{exchange_token}}",
    "{exchange_token}",
)
EMAIL_VERIFY_ERROR_URL = link("EMAIL_VERIFY_ERROR_URL", "", "{reason}")

DEFAULT_FROM_EMAIL = env.text(
    "DEFAULT_FROM_EMAIL", "Vineyard Group Fellowship <info@vineyardgroupfellowship.org>"
)
SERVER_EMAIL = env.text(
    "SERVER_EMAIL", "Vineyard Group Fellowship System <info@vineyardgroupfellowship.org>"
)
SUPPORT_EMAIL = env.text("SUPPORT_EMAIL", "info@vineyardgroupfellowship.org")
NOREPLY_EMAIL = env.text(
    "NOREPLY_EMAIL", f"noreply@{parseaddr(DEFAULT_FROM_EMAIL)[1].rpartition('@')[2]}"
)

EMAIL_HOST = env.text("EMAIL_HOST")
EMAIL_PORT = env.integer("EMAIL_PORT", 25, low=1, high=65535)
EMAIL_HOST_USER = env.text("EMAIL_HOST_USER")
EMAIL_HOST_PASSWORD = env.text("EMAIL_HOST_PASSWORD")
EMAIL_USE_TLS = env.boolean("EMAIL_USE_TLS", default=False)
EMAIL_USE_SSL = env.boolean("EMAIL_USE_SSL", default=False)
EMAIL_TIMEOUT = 10  # seconds; Django's default has no limit
EMAIL_FILE_PATH = BASE_DIR / env.text("EMAIL_FILE_PATH", "var/mail")
SENDGRID_API_KEY = env.text("SENDGRID_API_KEY")
SENDGRID_WEBHOOK_KEY = elliptic_key("SENDGRID_WEBHOOK_KEY")
ANYMAIL: dict[str, Any] = {
    "SENDGRID_API_KEY": SENDGRID_API_KEY,
    "REQUESTS_TIMEOUT": (5, 10),
    # Tracking sends every click through the provider, and our links carry tokens.
    "SEND_DEFAULTS": {"track_clicks": False, "track_opens": False},
    # SendGrid must not add analytics parameters, or a link that unsubscribes from all mails: after
    # it, the user would get no password reset either.
    "SENDGRID_SEND_DEFAULTS": {
        "esp_extra": {
            "tracking_settings": {
                "subscription_tracking": {"enable": False},
                "ganalytics": {"enable": False},
            }
        }
    },
}

# Development shows its mails in Mailpit. Production must not: everyone who can open Mailpit can use
# the links in the mails.
EMAIL_CATCHER = env.matching(
    "EMAIL_CATCHER", "", pattern=r"[\w.-]+:\d{1,5}", wanted="an address such as mail:1025"
)
if EMAIL_CATCHER and ENVIRONMENT == "development" and not (EMAIL_HOST or SENDGRID_API_KEY):
    EMAIL_HOST, _, _port = EMAIL_CATCHER.partition(":")
    EMAIL_PORT = int(_port)

if EMAIL_HOST:
    EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
elif SENDGRID_API_KEY:
    EMAIL_BACKEND = "anymail.backends.sendgrid.EmailBackend"
else:
    EMAIL_BACKEND = "authentication.services.mail.file_backend.FileMailbox"
# The pages that show the mails: the embedded mode alone has them (local.py).
DEVELOPMENT_MAILBOX = False
# SendGrid sends from an address of its own.
EMAIL_ENVELOPE_SENDER = NOREPLY_EMAIL if EMAIL_HOST else ""

EMAIL_MAX_ATTEMPTS = 8
# Longer than sending may take: during the lease no other sender takes the mail.
EMAIL_LEASE = timedelta(seconds=env.integer("EMAIL_LEASE_SECONDS", 120, low=1, high=3600))
EMAIL_HOURLY_LIMIT = 3
EMAIL_SWEEP_SECONDS = env.integer("EMAIL_SWEEP_SECONDS", 60, low=1, high=3600)
