"""The Celery application; its settings are Django's, prefixed CELERY_."""

import contextlib
import logging.config
import os
from typing import Any

import structlog
from celery import Celery
from celery.signals import heartbeat_sent, setup_logging, task_postrun, task_prerun
from django.conf import settings
from django.core.cache import caches

from vineyard_group_fellowship.cache import FAULTS

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vineyard_group_fellowship.settings")

HEARTBEAT_KEY = "celery:heartbeat"
HEARTBEAT_SECONDS = 30

CORRELATION_HEADER = "request_correlation_id"
"""Where a task's message bears the name of the request that caused it."""

_bound: dict[str, Any] = {}

app = Celery("vineyard_group_fellowship")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@heartbeat_sent.connect(weak=False)
def say_that_a_worker_lives(**_: object) -> None:
    """Leave a sign of life in the cache, which the health check reads: asking every worker would take a second."""
    # Sent every two seconds, from the loop that takes tasks in: a worker that hangs falls silent.
    with contextlib.suppress(*FAULTS):
        caches["default"].set(HEARTBEAT_KEY, 1, HEARTBEAT_SECONDS)


@setup_logging.connect(weak=False)
def log_as_the_service_does(**_: object) -> None:
    """Keep Celery from setting up logs of its own kind."""
    logging.config.dictConfig(settings.LOGGING)


@task_prerun.connect(weak=False)
def name_the_lines_of_a_task(task_id: str, task: Any, **_: object) -> None:
    """Let a task's lines bear the correlation id of what caused it; one that the schedule started has its own."""
    cause = getattr(task.request, CORRELATION_HEADER, None)
    _bound[task_id] = structlog.contextvars.bind_contextvars(
        correlation_id=cause or task_id, action=task.name
    )


@task_postrun.connect(weak=False)
def forget_the_name(task_id: str, **_: object) -> None:
    """Let the next task's lines not bear it."""
    structlog.contextvars.reset_contextvars(**_bound.pop(task_id, {}))
