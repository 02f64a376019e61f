"""Origins, cookies, headers, rate limits."""

import ipaddress
import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from csp.constants import NONE, SELF

from .base import ENVIRONMENT, PORT
from .email import (
    BACKEND_URL,
    EMAIL_VERIFIED_URL,
    EMAIL_VERIFY_ERROR_URL,
    PASSWORD_RESET_URL,
)
from .env import env
from .origins import header_names, origins


def networks(name: str) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    """Return a list of networks, such as 10.0.0.0/8."""
    try:
        return [ipaddress.ip_network(item) for item in env.items(name)]
    except ValueError as error:
        env.refuse(f"{name} must be a list of networks: {error}")
        return []


LOCAL_ORIGINS = f"http://localhost:3000,http://127.0.0.1:3000,http://localhost:{PORT}"

CORS_ALLOWED_ORIGINS = origins("CORS_ALLOWED_ORIGINS", LOCAL_ORIGINS)
CSRF_TRUSTED_ORIGINS = origins("CSRF_TRUSTED_ORIGINS", LOCAL_ORIGINS)
CORS_ALLOW_CREDENTIALS = True
CORS_URLS_REGEX = r"^/api/"
CORS_EXPOSE_HEADERS = [
    "Content-Disposition",
    "Retry-After",
    "X-Correlation-ID",
    "RateLimit",
    "RateLimit-Policy",
    "X-Response-Time",
]
# The last two lines: what Sentry, OpenTelemetry and pages that skip a cache send, and the hints
# that name a device.
CORS_ALLOW_HEADERS = header_names(
    "CORS_ALLOW_HEADERS",
    (
        *("accept", "authorization", "content-type", "x-csrftoken", "x-correlation-id"),
        *("x-device-id", "x-requested-with"),
        *("sentry-trace", "baggage", "traceparent", "cache-control"),
        *("sec-ch-ua-platform", "sec-ch-ua-platform-version"),
        *("sec-ch-ua-model", "sec-ch-ua-mobile"),
    ),
)

SECURE_SSL_REDIRECT = env.boolean("SECURE_SSL_REDIRECT", default=ENVIRONMENT == "production")
CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_HTTPONLY = True
# Only the admin uses Django's sessions: for a working day, with their own name and path.
SESSION_COOKIE_NAME = "admin_session"
SESSION_COOKIE_PATH = "/admin/"
SESSION_COOKIE_AGE = 8 * 60 * 60  # seconds

SECURE_CONTENT_TYPE_NOSNIFF = True
# Not no-referrer: with it browsers send forms with `Origin: null`, which Django's CSRF check
# refuses. The API has no forms and uses no-referrer (middleware/headers.py).
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
PERMISSIONS_POLICY: dict[str, list[str]] = {
    "camera": [],
    "geolocation": [],
    "microphone": [],
    "payment": [],
    "usb": [],
}

_CLOSED: dict[str, Any] = {
    "default-src": [NONE],
    "base-uri": [NONE],
    "form-action": [NONE],
    "frame-ancestors": [NONE],
}
_SOURCES = ("script-src", "style-src", "img-src", "font-src", "connect-src")
_OWN_FILES: dict[str, Any] = {name: [SELF] for name in _SOURCES}
# Swagger UI and ReDoc set inline styles; scripts are files of this origin.
_DOCS: dict[str, Any] = {
    **_CLOSED,
    **_OWN_FILES,
    "style-src": [SELF, "'unsafe-inline'"],
    "img-src": [SELF, "data:"],
}
# After its form is sent, a page may redirect to the front end; browsers apply form-action to the
# redirect too.
_NEXT = [
    urlsplit(url)
    for url in (EMAIL_VERIFIED_URL, EMAIL_VERIFY_ERROR_URL, PASSWORD_RESET_URL)
    if url and not url.startswith(BACKEND_URL)
]
_REDIRECT_ORIGINS = sorted({f"{it.scheme}://{it.netloc}" for it in _NEXT})
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        **_CLOSED,
        "style-src": [SELF],
        "img-src": [SELF],
        "form-action": [SELF, *_REDIRECT_ORIGINS],
    }
}
# The front end's pages: their scripts are files of this origin, build the document by its nodes
# alone (Trusted Types), and send no form.
FRONT_END_POLICY: dict[str, Any] = {
    **_CLOSED,
    **{name: [SELF] for name in ("script-src", "style-src", "img-src", "connect-src")},
    "require-trusted-types-for": ["'script'"],
    "trusted-types": [NONE],
}
# The first prefix that matches the path decides; other pages have the policy above.
CONTENT_SECURITY_POLICIES: dict[str, dict[str, Any]] = {
    "/api/docs/": _DOCS,
    # ReDoc's search runs in a worker.
    "/api/redoc/": {**_DOCS, "worker-src": ["blob:"]},
    "/api/": _CLOSED,
    "/admin/": {**_CLOSED, **_OWN_FILES, "form-action": [SELF]},
}

# The mailbox of development shows mails in a frame, where they may load nothing and run no script.
MAILBOX_POLICIES: dict[str, dict[str, Any]] = {
    "/dev/mailbox/html/": {
        **_CLOSED,
        "style-src": ["'unsafe-inline'"],
        "frame-ancestors": [SELF],
        "sandbox": ["allow-top-navigation-by-user-activation"],
    },
    "/dev/mailbox/": {
        **_CLOSED,
        "style-src": [SELF],
        "img-src": [SELF],
        "frame-src": [SELF],
    },
}

# The client's address: REMOTE_ADDR, unless a proxy in front of the service is set.
TRUSTED_PROXY_COUNT = env.integer("TRUSTED_PROXY_COUNT", 0, high=10)
CLIENT_IP_HEADER = env.matching(
    "CLIENT_IP_HEADER",
    "",
    pattern=r"[A-Za-z][A-Za-z-]*",
    wanted="a header's name, such as X-Real-IP",
)

# Even 0 is an answer: no proxy. Without any, `check --deploy` warns.
CLIENT_ADDRESS_IS_STATED = bool(env.text("TRUSTED_PROXY_COUNT") or CLIENT_IP_HEADER)

RATELIMIT_ENABLE = env.boolean("RATELIMIT_ENABLE", default=True)
RATELIMIT_USE_CACHE = "ratelimit"
RATELIMIT_ALLOWLIST = networks("RATELIMIT_ALLOWLIST")
# OriginProofMiddleware replaces the CSRF middleware that this check looks for by name.
_OWN_CSRF = ["security.W003"]
# django-ratelimit does not know FailoverCache, and warns about a cache in the process's memory.
SILENCED_SYSTEM_CHECKS = ["django_ratelimit.E003", "django_ratelimit.W001", *_OWN_CSRF]


def rate(name: str, default: str) -> str:
    """Return a rate such as 25/h: requests per second, minute, hour or day."""
    return env.matching(
        f"RATELIMIT_{name.upper()}",
        default,
        pattern=r"[1-9]\d{0,8}/([1-9]\d{0,5})?[smhd]",
        wanted="a rate such as 25/h",
    )


# All limits, by the name in a view's @limited("name").
RATE_LIMITS: dict[str, str] = {
    name: rate(name, default)
    for name, default in {
        "register": "5/h",
        "register_malformed": "60/h",
        "login": "25/h",
        "reauthenticate": "20/h",
        "second_factor": "30/h",
        "second_factor_verify": "25/h",
        "token_refresh": "60/h",
        "token_verify": "100/h",
        "exchange_token": "10/h",
        "password_change": "10/h",
        "password_reset": "5/h",
        "password_reset_confirm": "10/h",
        "invitation_accept": "10/h",
        "email_verify": "10/h",
        "email_undo": "10/h",
        "email_resend": "5/h",
        "email_correct": "5/h",
        "sessions": "30/h",
        "sessions_terminate": "30/h",
        "sessions_terminate_all": "10/h",
        "csrf": "6000/h",
        "activity": "60/h",
        "activity_disown": "30/h",
        "session_disown": "10/h",
        "consents": "30/h",
        "email_change": "5/h",
        "notices": "30/h",
        "profile": "60/h",
        "account_data": "10/h",
        "staff_search": "1200/h",
        "staff_invite": "100/h",
        # Two requests each: the file, and its confirmation.
        "staff_import": "10/h",
        "staff_proof": "10/h",
    }.items()
}

# The bearer token for /metrics; without one, only this machine may read it.
METRICS_TOKEN = env.text("METRICS_TOKEN")
# The folder that the web server made for the counters of its processes. Workers and
# commands count in memory: prometheus-client reads the variable itself and would leave files.
PROMETHEUS_MULTIPROC_DIR = env.text("PROMETHEUS_MULTIPROC_DIR")
if not Path(PROMETHEUS_MULTIPROC_DIR).name.startswith("metrics-of-"):
    PROMETHEUS_MULTIPROC_DIR = ""
    os.environ.pop("PROMETHEUS_MULTIPROC_DIR", None)

DATA_UPLOAD_MAX_MEMORY_SIZE = 64 * 1024
# The admin's form of a group can send every permission, of which there are more than 100.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 250
DATA_UPLOAD_MAX_NUMBER_FILES = 1
