"""Error reports and traces to Sentry, when SENTRY_DSN is set: where a fault is, never whose request it was."""

from typing import Any

import sentry_sdk
from sentry_sdk.integrations.celery import CeleryIntegration
from sentry_sdk.integrations.django import DjangoIntegration
from sentry_sdk.integrations.logging import LoggingIntegration
from sentry_sdk.integrations.redis import RedisIntegration

from vineyard_group_fellowship.error_reports import error_without_people, trace_without_people

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

SENTRY_DSN = env.matching(
    "SENTRY_DSN", "", pattern=r"https?://.+", wanted="a web address", secret=True
)
SENTRY_OPTIONS: dict[str, Any] = {
    "environment": ENVIRONMENT,
    "traces_sample_rate": 0.1,
    "profile_session_sample_rate": 0.1,
    "profile_lifecycle": "trace",
    "include_local_variables": False,
    "max_request_body_size": "never",
    "max_breadcrumbs": 0,
    "before_send": error_without_people,
    "before_send_transaction": trace_without_people,
    # Other services learn nothing of ours from the headers of a request.
    "trace_propagation_targets": [],
    # Sessions of the library's own kind: it would count people.
    "auto_session_tracking": False,
    # The integrations are those named here, whatever else is installed.
    "auto_enabling_integrations": False,
    "enable_logs": False,
    "enable_metrics": False,
    "data_collection": _COLLECTED,
    "integrations": [
        # A request is named by its route: a path holds ids.
        DjangoIntegration(transaction_style="url", signals_spans=False),
        CeleryIntegration(),
        RedisIntegration(),
        # Faults are reported where they are caught; a log line holds more than a report may.
        LoggingIntegration(level=None, event_level=None),
    ],
}
if SENTRY_DSN:
    sentry_sdk.init(dsn=SENTRY_DSN, **SENTRY_OPTIONS)
