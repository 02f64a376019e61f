"""Logs: one event is one line with its correlation id, as JSON or in colour for a terminal."""

import logging
import sys
from typing import Any

import structlog

from vineyard_group_fellowship.logs import (
    add_request_facts,
    escape_controls,
    format_exception,
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
    add_request_facts,
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
        structlog.processors.ExceptionRenderer(format_exception),
        structlog.processors.JSONRenderer(),
    ],
    "console": [
        escape_controls,
        # Without the variables of frames: they hold passwords and tokens.
        structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=write_indented
        ),
    ],
}

# Warnings are log lines too; at a terminal Python prints them.
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
        "remove_query": {"()": "vineyard_group_fellowship.logs.RemoveQuery"},
        "remove_message_body": {"()": "vineyard_group_fellowship.logs.RemoveMessageBody"},
    },
    "handlers": {
        # Tests read lines at once, from a stream that they replace.
        "console": {
            "class": "logging.StreamHandler"
            if ENVIRONMENT == "test"
            else "vineyard_group_fellowship.log_queue.QueuedHandler",
            "formatter": "service",
        },
        # Without any handler Python would print the lines itself.
        "null": {"class": "logging.NullHandler"},
    },
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
    "loggers": {
        # Django's own handlers (console, mail to admins) would log everything a second time.
        "django": {"handlers": [], "propagate": True, "level": LOG_LEVEL},
        "django.db.backends": {"level": "INFO"},
        # At DEBUG it logs the page's whole context, with tokens, for every missing variable.
        "django.template": {"level": "INFO"},
        # Clients can send any Host; the answer is a 400 and needs no log line.
        "django.security.DisallowedHost": {"handlers": ["null"], "propagate": False},
        # It warns about every 4xx, which the access log has already.
        "django.request": {"level": "ERROR"},
        "django.server": {
            "handlers": ["console"],
            "filters": ["remove_query"],
            "level": "INFO",
            "propagate": False,
        },
        "gunicorn.error": {"filters": ["remove_query"]},
        "celery.worker.consumer.consumer": {"filters": ["remove_message_body"]},
        "celery.app.trace": {"filters": ["remove_message_body"]},
    },
}
