"""Origins and headers of CORS in the settings: what is read, and what Django's checks say of it."""

import subprocess
import sys

import pytest
from django.conf import settings

from .reader import DEVELOPMENT, GOOD_PRODUCTION, clean_environment, read_all

AS_SENT = {
    "https://App.Example.org": "https://app.example.org",
    "HTTPS://app.example.org": "https://app.example.org",
    "https://app.example.org:443": "https://app.example.org",
    "http://app.example.org:80": "http://app.example.org",
    "http://app.example.org:443": "http://app.example.org:443",
    "https://app.example.org:08443": "https://app.example.org:8443",
    "https://bücher.example": "https://xn--bcher-kva.example",
    "https://BÜCHER.example": "https://xn--bcher-kva.example",
    "https://straße.example": "https://xn--strae-oqa.example",
    "https://my_app.example.org": "https://my_app.example.org",
    "http://[::1]:3000": "http://[::1]:3000",
    "http://[0:0:0:0:0:0:0:1]": "http://[::1]",
    "http://127.0.0.1:3000": "http://127.0.0.1:3000",
    "capacitor://localhost": "capacitor://localhost",
    "Capacitor://localhost": "capacitor://localhost",
    "ionic://localhost": "ionic://localhost",
    "tauri://localhost": "tauri://localhost",
    "app://.": "app://.",
    "chrome-extension://abcdefghijklmnopabcdefghijklmnop": (
        "chrome-extension://abcdefghijklmnopabcdefghijklmnop"
    ),
    "safari-web-extension://E6F1A7C2-1B2C-4D3E-8F9A-0B1C2D3E4F5A": (
        "safari-web-extension://E6F1A7C2-1B2C-4D3E-8F9A-0B1C2D3E4F5A"
    ),
}
APPS = "capacitor://localhost,ionic://localhost,tauri://localhost,chrome-extension://abcdefgh"


def test_origins_are_read_as_browsers_send_them() -> None:
    names = ("CORS_ALLOWED_ORIGINS", "CSRF_TRUSTED_ORIGINS")

    outcomes = read_all([DEVELOPMENT | dict.fromkeys(names, text) for text in AS_SENT], *names)

    read = dict(zip(AS_SENT, outcomes, strict=True))
    assert read == {text: dict.fromkeys(names, repr([sent])) for text, sent in AS_SENT.items()}


def test_spellings_of_one_origin_are_one_entry() -> None:
    text = "https://app.example.org,https://APP.example.org:443"

    assert read_all([DEVELOPMENT | {"CORS_ALLOWED_ORIGINS": text}], "CORS_ALLOWED_ORIGINS") == [
        {"CORS_ALLOWED_ORIGINS": "['https://app.example.org']"}
    ]


def test_production_accepts_pages_of_apps() -> None:
    text = f"https://www.example.org,{APPS}"
    case = GOOD_PRODUCTION | {"CORS_ALLOWED_ORIGINS": text, "CSRF_TRUSTED_ORIGINS": text}

    (read,) = read_all([case], "CORS_ALLOWED_ORIGINS")

    assert read == {"CORS_ALLOWED_ORIGINS": repr(text.split(","))}


@pytest.mark.slow
def test_the_checks_of_django_and_cors_accept_pages_of_apps() -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "check", "--fail-level", "WARNING"],
        env=clean_environment(**DEVELOPMENT, CORS_ALLOWED_ORIGINS=APPS, CSRF_TRUSTED_ORIGINS=APPS),
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 0, done.stderr


def test_the_request_headers_of_cors_are_set_by_the_environment() -> None:
    case = DEVELOPMENT | {"CORS_ALLOW_HEADERS": "Authorization, X-Mine,x-mine"}

    assert read_all([case], "CORS_ALLOW_HEADERS") == [
        {"CORS_ALLOW_HEADERS": "['authorization', 'x-mine']"}
    ]
