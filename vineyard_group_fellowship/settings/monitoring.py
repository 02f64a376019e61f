"""Error reports to Sentry, when SENTRY_DSN is set: where a fault is, never whose request it was."""

import re
from typing import Any

import sentry_sdk
from sentry_sdk.integrations.logging import LoggingIntegration

from .base import ENVIRONMENT
from .env import env

_OFF = {"mode": "off"}
# What is left out here takes the wide default of the library, so every category is named.
_COLLECTED: Any = {
    "user_info": False,
    "cookies": _OFF,
    "http_headers": {"request": _OFF},
    "http_bodies": [],
    "url_query_params": _OFF,
    "graphql": {"document": False, "variables": False},
    "gen_ai": {"inputs": False, "outputs": False},
    "database_query_data": False,
    "queues": False,
    "stack_frame_variables": False,
    "frame_context_lines": 5,
}
_ADDRESS = re.compile(r"[^\s\"'<>=]+@[^\s\"'<>=]+")


def without_people(event: Any, hint: Any) -> Any:  # noqa: ARG001 -- Sentry's signature
    """Drop what a message may quote of a person, and what is not worth an alarm."""
    if event.get("level") == "info":
        return None
    for part in ("user", "breadcrumbs", "extra", "logentry"):
        event.pop(part, None)
    request = event.get("request", {})
    event["request"] = {name: request[name] for name in ("method",) if name in request}
    for error in event.get("exception", {}).get("values", []):
        # A database's message quotes the row it refused.
        error["value"] = _ADDRESS.sub("[address]", str(error.get("value", "")).partition("\n")[0])
    return event


SENTRY_DSN = env.matching("SENTRY_DSN", "", pattern=r"https?://.+", wanted="a web address")
SENTRY_OPTIONS: dict[str, Any] = {
    "environment": ENVIRONMENT,
    "traces_sample_rate": 0.1,
    "profile_session_sample_rate": 0.1,
    "profile_lifecycle": "trace",
    "include_local_variables": False,
    "max_request_body_size": "never",
    "max_breadcrumbs": 0,
    "before_send": without_people,
    "data_collection": _COLLECTED,
    # Faults are reported where they are caught; a log line holds more than a report may.
    "integrations": [LoggingIntegration(level=None, event_level=None)],
}
if SENTRY_DSN:
    sentry_sdk.init(dsn=SENTRY_DSN, **SENTRY_OPTIONS)
