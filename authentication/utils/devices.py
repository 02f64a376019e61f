"""What a User-Agent header says of a device. The only place that knows the parsing library."""

import dataclasses
import uuid

from user_agents.parsers import UserAgent, parse

from .crypto import pseudonym


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


def fingerprint(user_agent: str, *, user_id: uuid.UUID) -> str:
    """Return what tells a person's devices apart.

    Made of families without versions, so that an update does not make a device new, and keyed by
    the person, so that it links no two people who share a device.
    """
    agent = parse(user_agent)
    families = (agent.browser.family, agent.os.family, agent.device.family, str(agent.device.model))
    return pseudonym("device", "\n".join((str(user_id), *families)))[:32]


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
