"""Devices: what their User-Agent header says, and the secrets they are known by."""

import dataclasses
import hmac
import re
import uuid

from user_agents.parsers import UserAgent, parse

from .crypto import new_token

_SECRETS_PER_DEVICE = 5
_SECRET = re.compile(r"[A-Za-z0-9_-]{43}")


@dataclasses.dataclass(frozen=True, slots=True)
class Device:
    """A device, in words a person recognises."""

    name: str
    type: str
    browser: str
    operating_system: str


def device_of(user_agent: str) -> Device:
    """Return the device behind a User-Agent header; any text at all gives some answer."""
    agent = parse(user_agent)
    browser = _versioned(agent.browser.family, agent.browser.version_string)
    system = _versioned(agent.os.family, agent.os.version_string)
    return Device(
        name=_name(agent.browser.family, agent.os.family, agent.device.family),
        type=_type(agent),
        browser=browser[:64],
        operating_system=system[:64],
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


def _type(agent: UserAgent) -> str:
    # Firefox says it in so many words, which the library does not read.
    if "Tablet" in agent.ua_string:
        return "tablet"
    kinds = {"bot": "is_bot", "tablet": "is_tablet", "mobile": "is_mobile", "desktop": "is_pc"}
    return next((kind for kind, attribute in kinds.items() if getattr(agent, attribute)), "other")


def _versioned(family: str, version: str) -> str:
    known = "" if family == "Other" else family
    major = version.partition(".")[0]
    return f"{known} {major}".strip() if known else ""


def _name(browser: str, system: str, device: str) -> str:
    place = (
        device
        if device not in {"Other", "Mac", "Generic Smartphone", "Generic Tablet", "K"}
        else system
    )
    parts = [part for part in (browser, place) if part and part != "Other"]
    return " on ".join(parts)[:100] or "Unknown device"
