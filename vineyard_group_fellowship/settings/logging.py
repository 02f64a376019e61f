"""Logs: one event is one line, in JSON for machines or in colour for people, with the correlation id in each."""

import logging
import sys
from typing import Any

import structlog

from vineyard_group_fellowship.logs import (
    exception_text,
    with_request,
    without_controls,
    write_indented,
)

from .base import ENVIRONMENT
from .env import env

LOG_LEVEL = env.choice("LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"))
LOG_FORMAT = env.choice(
    "LOG_FORMAT", "json" if ENVIRONMENT == "production" else "console", ("json", "console")
)


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

_RENDERERS: dict[str, list[Any]] = {
    "json": [
        structlog.processors.ExceptionRenderer(exception_text),
        structlog.processors.JSONRenderer(),
    ],
    "console": [
        without_controls,
        # Without frames' variables: they hold passwords and tokens.
        structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=write_indented
        ),
    ],
}

# Warnings are lines too; people at a terminal see them as Python prints them.
if LOG_FORMAT == "json":
    logging.captureWarnings(capture=True)

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "service": {
            "()": structlog.stdlib.ProcessorFormatter,
            "foreign_pre_chain": _SHARED,
            "processors": [
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *_RENDERERS[LOG_FORMAT],
            ],
        },
    },
    "filters": {
        "without_query": {"()": "vineyard_group_fellowship.logs.WithoutQuery"},
        "without_body": {"()": "vineyard_group_fellowship.logs.WithoutBody"},
    },
    "handlers": {
        "console": {"class": "logging.StreamHandler", "formatter": "service"},
        # Not the same as none: Python prints what has no handler at all.
        "nowhere": {"class": "logging.NullHandler"},
    },
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
    "loggers": {
        # Django's own handlers (a plain console, mail to admins) would say everything a second
        # time.
        "django": {"handlers": [], "propagate": True, "level": LOG_LEVEL},
        "django.db.backends": {"level": "INFO"},
        # At DEBUG it logs the whole context of a page for every name that is missing in it, tokens
        # included.
        "django.template": {"level": "INFO"},
        # Anybody can send any Host; the answer is a 400 and no news.
        "django.security.DisallowedHost": {"handlers": ["nowhere"], "propagate": False},
        # Every 4xx would be a warning here; our own access and error events say it better.
        "django.request": {"level": "ERROR"},
        "django.server": {
            "handlers": ["console"],
            "filters": ["without_query"],
            "level": "INFO",
            "propagate": False,
        },
        "gunicorn.error": {"filters": ["without_query"]},
        "celery.worker.consumer.consumer": {"filters": ["without_body"]},
        "celery.app.trace": {"filters": ["without_body"]},
    },
}
