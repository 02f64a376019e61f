"""System checks of a deployment: `manage.py check --deploy` names weak settings."""

import datetime as dt
from collections.abc import Collection, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

from django.conf import settings
from django.contrib.staticfiles import finders
from django.core.checks import CheckMessage, Error, Info, Tags, register
from django.core.checks import Warning as Weakness
from django.utils import timezone

from authentication.services.operations import EncryptionService, faults_of_key_order
from authentication.utils.faults import FAULTS
from authentication.utils.geoip import UNREADABLE, built_at

_REDIS = {"redis", "rediss", "unix"}
# A mail that does not leave the machine needs no TLS.
_THIS_MACHINE = {"localhost", "127.0.0.1", "::1"}
# Networks move between providers: of an old file many places are wrong.
_PLACES_ARE_OLD = dt.timedelta(days=180)


@register(Tags.security, deploy=True)
def check_account_settings(**_: Any) -> list[CheckMessage]:
    """Return a warning for each protection of accounts that is weaker than production's."""
    shortest = settings.PRODUCTION_PASSWORD_MIN_LENGTH
    return _warnings(
        W001=(
            not settings.ADMIN_REQUIRE_OTP,
            "ADMIN_REQUIRE_OTP is False: a password alone enters the admin.",
        ),
        W002=(
            shortest > settings.PASSWORD_MIN_LENGTH,
            f"PASSWORD_MIN_LENGTH is below {shortest}.",
        ),
        W003=(
            not settings.RATELIMIT_ENABLE,
            "RATELIMIT_ENABLE is False: guesses at passwords and codes are not limited.",
        ),
        W004=(
            not settings.REQUIRE_EMAIL_VERIFICATION,
            "REQUIRE_EMAIL_VERIFICATION is False: accounts sign in under addresses of others.",
        ),
    )


@register(Tags.security, deploy=True)
def check_connection_settings(**_: Any) -> list[CheckMessage]:
    """Return a warning for each connection without protection."""
    return _warnings(
        W005=(
            not all(_has_password(url) for url in _redis_addresses()),
            "Redis has no password: set REDIS_PASSWORD, or one in REDIS_URL and CELERY_BROKER_URL.",
        ),
        W006=(
            _sends_unencrypted(),
            "SMTP has no TLS: set EMAIL_USE_TLS (port 587) or EMAIL_USE_SSL (port 465)."
            " Mails contain links that sign in.",
        ),
        W007=(
            settings.EMAIL_USE_TLS and settings.EMAIL_USE_SSL,
            "EMAIL_USE_TLS and EMAIL_USE_SSL are both True: no mail can be sent. Choose one.",
        ),
        W008=(
            settings.HIBP_ENABLED and not settings.HIBP_API_URL.startswith("https://"),
            "HIBP_API_URL is not https: parts of password hashes are sent in the clear.",
        ),
        W009=(
            not settings.CLIENT_ADDRESS_IS_STATED,
            "Neither TRUSTED_PROXY_COUNT nor CLIENT_IP_HEADER is set. Behind a proxy all clients"
            " would share its address and its rate limits. Without one set TRUSTED_PROXY_COUNT=0.",
        ),
    )


_ORDER = {
    "ahead": (
        "W010",
        "{}: running processes do not know its first key and refuse what it signs or encrypts."
        " Deploy it as a fallback first.",
    ),
    "dropped": (
        "W011",
        "{}: running processes use a key that is missing here. Keep it as a fallback.",
    ),
}


@register(Tags.templates)
def check_site_logo(**_: Any) -> list[CheckMessage]:
    """Return an error if the logo of the pages is a static file that does not exist."""
    logo = settings.SITE_LOGO
    if logo.startswith("/") or finders.find(logo):
        return []
    message = f"SITE_LOGO: there is no static file {logo}. The pages show no mark."
    return [Error(message, id="authentication.E002")]


@register(Tags.security, deploy=True)
def check_key_order(**_: Any) -> list[CheckMessage]:
    """Return a warning for each key that would be refused while old and new processes run."""
    try:
        found = list(faults_of_key_order())
    except FAULTS:
        hint = "Redis does not answer, so the keys of running processes are not known."
        return [Info(hint, id="authentication.I001")]
    told = ((name, *_ORDER[fault]) for name, fault in found)
    return [Weakness(text.format(name), id=f"authentication.{id_}") for name, id_, text in told]


@register(Tags.security, deploy=True)
def check_places_file(**_: Any) -> list[CheckMessage]:
    """Return a warning if GEOIP_PATH names no file of places, or one that is old."""
    if not settings.GEOIP_PATH or settings.LOCATION_DETAIL == "off":
        return []
    unread, old = "", False
    try:
        old = built_at(settings.GEOIP_PATH) < timezone.now() - _PLACES_ARE_OLD
    except UNREADABLE as error:
        unread = type(error).__name__
    return _warnings(
        W012=(
            bool(unread),
            f"GEOIP_PATH: no file in MaxMind's format can be read there ({unread})."
            " No place is shown, and no unusual one is reported.",
        ),
        W013=(old, "GEOIP_PATH: the file was made more than 180 days ago. Fetch a new one."),
    )


@register(Tags.database, deploy=True)
def check_secrets_are_readable(
    *, databases: Collection[str] | None, **_: Any
) -> list[CheckMessage]:
    """Return an error if a secret's key is gone; runs with `--database default`."""
    count = EncryptionService.count_unreadable() if "default" in (databases or ()) else 0
    message = (
        f"{count} secrets are encrypted with a key that is missing in FIELD_ENCRYPTION_KEYS. Add it"
        " as the last one, and run `manage.py reencrypt` before it goes."
    )
    return [Error(message, id="authentication.E001")] if count else []


def _warnings(**cases: tuple[bool, str]) -> list[CheckMessage]:
    return [
        Weakness(message, id=f"authentication.{name}")
        for name, (is_weak, message) in cases.items()
        if is_weak
    ]


def _redis_addresses() -> Iterator[str]:
    found = [settings.CACHES["default"]["LOCATION"], settings.CELERY_BROKER_URL]
    return (url for url in found if urlsplit(url).scheme in _REDIS)


def _has_password(url: str) -> bool:
    parts = urlsplit(url)
    return bool(parts.password or parse_qs(parts.query).get("password"))


def _sends_unencrypted() -> bool:
    is_away = settings.EMAIL_HOST and settings.EMAIL_HOST not in _THIS_MACHINE
    return bool(is_away) and not (settings.EMAIL_USE_TLS or settings.EMAIL_USE_SSL)
