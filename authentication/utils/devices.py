"""Devices: what the headers of a request say, and the secrets they are known by."""

import dataclasses
import hmac
import re
import uuid

from user_agents.parsers import UserAgent, parse

from .apps import app_of, is_bot, recognisable
from .client_hints import NO_HINTS, ClientHints
from .crypto import new_token

UNKNOWN = "Unknown device"

_SECRETS_PER_DEVICE = 5
_SECRET = re.compile(r"[A-Za-z0-9_-]{43}")

_SYSTEMS = {"Mac OS X": "macOS", "ATV OS X": "tvOS", "Web0S": "webOS", "Other": ""}
# What a hint calls a system, if the User-Agent header says nothing.
_PLATFORMS = {"Android", "Linux", "Windows", "iOS", "macOS", "Chrome OS"}
# Browsers write the same version on every device (User-Agent reduction).
_FROZEN = {"Windows": "10", "Android": "10"}
_UNVERSIONED = {"macOS", "Linux", "Chrome OS"}
# Safari writes iOS 18.6 or 18.7 from version 26 on, which it has in common with the system.
_FROZEN_IOS, _FIRST_SAFARI_FROZEN = ("18.6", "18.7"), 26
_FIRST_WINDOWS_11 = 13
_TELEVISIONS = {
    "AppleTV": "Apple TV",
    "BRAVIA": "a Sony TV",
    "; AFT": "a Fire TV",
    "Web0S": "an LG TV",
    "Roku": "a Roku TV",
    "SmartTV": "a TV",
    "SMART-TV": "a Samsung TV",
    "Google TV": "a TV",
    "Android TV": "a TV",
    "CrKey": "a TV",
}
_COMPUTERS = {"Windows": "Windows", "macOS": "Mac", "Chrome OS": "Chromebook"}
_SAMSUNG_TABLETS = ("SM-T", "SM-X", "SM-P")


@dataclasses.dataclass(frozen=True, slots=True)
class DeviceDescription:
    """A device, in words a person recognises."""

    name: str
    type: str
    browser: str
    operating_system: str


def device_of(user_agent: str, hints: ClientHints = NO_HINTS) -> DeviceDescription:
    """Return the device behind the headers of a request; any text at all gives some answer."""
    agent = parse(user_agent)
    app, version = app_of(agent)
    system = _system(agent, hints)
    place, kind = ("", "bot") if is_bot(agent) else _place(agent, hints, system)
    return DeviceDescription(
        name=_name(app, place),
        type=kind,
        browser=f"{app} {version}".strip()[:64],
        operating_system=f"{system} {_system_version(agent, hints, system)}".strip()[:64],
    )


def device_secrets(device_id: str) -> list[str]:
    """Return the secrets in a device's id: one for each account that signed in there, five at most.

    They are joined by dots. People who share a browser each have a secret of their own in it, so
    that a secret which one account's owner knows says nothing to another account.
    """
    secrets = device_id.split(".")[:_SECRETS_PER_DEVICE]
    return [secret for secret in secrets if _SECRET.fullmatch(secret)]


def with_new_secret(device_id: str) -> tuple[str, str]:
    """Return a new secret, and the device's id with it in front."""
    secret = new_token()
    return secret, ".".join([secret, *device_secrets(device_id)][:_SECRETS_PER_DEVICE])


def device_digest(secret: str, user_id: uuid.UUID) -> str:
    """Return the hash of a device's secret, keyed by the account: all that is stored of it."""
    return hmac.digest(user_id.bytes, secret.encode(), "sha256").hex()


def _name(app: str, place: str) -> str:
    if not place:
        return app[:100] or UNKNOWN
    return f"{app or 'Unknown app'} on {place}"[:100]


def _system(agent: UserAgent, hints: ClientHints) -> str:
    if _is_apple_library(agent.ua_string):
        return ""
    system = _SYSTEMS.get(agent.os.family, agent.os.family)
    platform = "Chrome OS" if hints.platform == "Chromium OS" else hints.platform
    return system or (platform if platform in _PLATFORMS else "")


def _is_apple_library(header: str) -> bool:
    """Return whether Apple's HTTP library wrote a header, as it does on phones and computers."""
    return "CFNetwork/" in header and not header.startswith("Mozilla/")


def _system_version(agent: UserAgent, hints: ClientHints, system: str) -> str:
    if system == hints.platform and hints.major is not None:
        if system == "Windows":
            return _windows(hints.major)
        return str(hints.major) if system in {"Android", "macOS"} else ""
    written = agent.os.version_string
    major = written.partition(".")[0]
    if system in _UNVERSIONED or _FROZEN.get(system) == major:
        return ""
    if system == "iOS" and written.startswith(_FROZEN_IOS) and "Mozilla/" in agent.ua_string:
        safari = agent.browser.version_string.partition(".")[0]
        is_frozen = agent.browser.family == "Mobile Safari" and safari.isdecimal()
        return safari if is_frozen and int(safari) >= _FIRST_SAFARI_FROZEN else ""
    return major if system else ""


def _windows(version: int) -> str:
    # Older versions of Windows send 0.
    return "11" if version >= _FIRST_WINDOWS_11 else "10" if version else ""


def _place(agent: UserAgent, hints: ClientHints, system: str) -> tuple[str, str]:
    """Return the words for the device itself, such as "iPhone" or "a TV", and its type."""
    if screen := _screen(agent):
        return screen, "other"
    if _is_apple_library(agent.ua_string):
        return "an Apple device", "mobile"
    if system in {"Android", "iOS"}:
        return _apple(agent.ua_string) if system == "iOS" else _android(agent, hints)
    if agent.is_pc or system == "Linux" or system in _COMPUTERS:
        return _computer(hints, system), "desktop"
    return recognisable(system), "mobile" if agent.is_mobile and system else "other"


def _screen(agent: UserAgent) -> str:
    """Return the words for a television or a game console, "" for any other device."""
    if "Xbox" in agent.ua_string:
        return "Xbox"
    if agent.device.family.startswith("PlayStation"):
        return recognisable(agent.device.family)
    return next((words for sign, words in _TELEVISIONS.items() if sign in agent.ua_string), "")


def _computer(hints: ClientHints, system: str) -> str:
    if system == "Windows" and hints.platform == system and hints.major is not None:
        return f"Windows {_windows(hints.major)}".strip()
    return _COMPUTERS.get(system, recognisable(system))


def _apple(header: str) -> tuple[str, str]:
    for sign, kind in (("iPad", "tablet"), ("iPod", "mobile"), ("iPhone", "mobile")):
        if sign in header:
            return sign, kind
    return "an iPhone or iPad", "mobile"


def _android(agent: UserAgent, hints: ClientHints) -> tuple[str, str]:
    header, brand = agent.ua_string, agent.device.brand or ""
    model = hints.model or (agent.device.model or "")
    is_browser = header.startswith("Mozilla/")  # an app does not say "Mobile" on phones
    is_tablet = (
        "Tablet" in header
        or model.startswith(_SAMSUNG_TABLETS)
        or brand == "Amazon"
        or (is_browser and "Mobile" not in header and not hints.is_mobile)
    )
    kind = "tablet" if is_tablet else "mobile"
    if brand == "Amazon":
        return "an Amazon tablet", kind
    # Others, such as SM-S911B, are numbers of models, which say nothing to a person.
    is_word = any(letter.islower() for letter in model) and not model.startswith("Generic")
    if is_word and model not in {"Smartphone", "Tablet"} and recognisable(model):
        return recognisable(model), kind
    maker = "a Samsung" if brand == "Samsung" or model.startswith("SM-") else "an Android"
    is_phone = is_browser or hints.is_mobile or model.startswith("SM-")
    return f"{maker} {'tablet' if is_tablet else 'phone' if is_phone else 'device'}", kind
