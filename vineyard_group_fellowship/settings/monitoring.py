"""Error reports and traces to Sentry when SENTRY_DSN is set; they contain no personal data."""

from typing import Any

import sentry_sdk
from sentry_sdk.integrations.celery import CeleryIntegration
from sentry_sdk.integrations.django import DjangoIntegration
from sentry_sdk.integrations.logging import LoggingIntegration
from sentry_sdk.integrations.redis import RedisIntegration

from vineyard_group_fellowship.error_reports import scrub_error, scrub_trace

from .base import ENVIRONMENT
from .env import env

_OFF = {"mode": "off"}
# Every category is named, because the library's defaults collect much.
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
    "before_send": scrub_error,
    "before_send_transaction": scrub_trace,
    # No trace headers in requests to other services.
    "trace_propagation_targets": [],
    # The library's sessions would count users.
    "auto_session_tracking": False,
    # Only the integrations named here.
    "auto_enabling_integrations": False,
    "enable_logs": False,
    "enable_metrics": False,
    "data_collection": _COLLECTED,
    "integrations": [
        # Requests are named by their route, because paths contain ids.
        DjangoIntegration(transaction_style="url", signals_spans=False),
        CeleryIntegration(),
        RedisIntegration(),
        # Errors are reported where they are caught; log lines may hold personal data.
        LoggingIntegration(level=None, event_level=None),
    ],
}
if SENTRY_DSN:
    sentry_sdk.init(dsn=SENTRY_DSN, **SENTRY_OPTIONS)
