"""Logs: one event is one line, in JSON for machines or in colour for people, with the correlation id in each."""

from typing import Any

import structlog

from .base import ENVIRONMENT
from .env import env

LOG_LEVEL = env.choice("LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"))
LOG_FORMAT = env.choice("LOG_FORMAT", "json" if ENVIRONMENT == "production" else "console", ("json", "console"))


def with_request(_: Any, __: str, event: Any) -> Any:
    """Say whose request it is, from where, and what for."""
    event.update({name: value for name, value in event.pop("request", {}).items() if value and name not in event})
    return event


_SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    with_request,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]

structlog.configure(
    processors=[
        *_SHARED,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
    ],
    logger_factory=structlog.stdlib.LoggerFactory(),
    wrapper_class=structlog.stdlib.BoundLogger,
    cache_logger_on_first_use=True,
)

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "service": {
            "()": structlog.stdlib.ProcessorFormatter,
            "foreign_pre_chain": _SHARED,
            "processors": [
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *(
                    [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
                    if LOG_FORMAT == "json"
                    # Without frames' variables: they hold passwords and tokens.
                    else [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]
                ),
            ],
        },
    },
    "filters": {"without_query": {"()": "vineyard_group_fellowship.logs.WithoutQuery"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "service"}},
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
    "loggers": {
        # Django's own handlers (a plain console, mail to admins) would say everything a second time.
        "django": {"handlers": [], "propagate": True, "level": LOG_LEVEL},
        "django.db.backends": {"level": "INFO"},
        # At DEBUG it logs the whole context of a page for every name that is missing in it, tokens included.
        "django.template": {"level": "INFO"},
        # Anybody can send any Host; the answer is a 400 and no news.
        "django.security.DisallowedHost": {"handlers": [], "propagate": False},
        # Every 4xx would be a warning here; our own access and error events say it better.
        "django.request": {"level": "ERROR"},
        "django.server": {"handlers": ["console"], "filters": ["without_query"], "level": "INFO", "propagate": False},
    },
}
