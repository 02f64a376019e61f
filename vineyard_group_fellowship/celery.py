"""The Celery application; its settings are Django's, prefixed CELERY_."""

import logging
import logging.config
import os
import socket
from typing import Any

import structlog
from celery import Celery
from celery.signals import (
    heartbeat_sent,
    setup_logging,
    task_postrun,
    task_prerun,
    worker_process_shutdown,
)
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vineyard_group_fellowship.settings")

_PROCESS = f"{socket.gethostname()}:{os.getpid()}"
_bound: dict[str, Any] = {}

app = Celery("vineyard_group_fellowship")
app.config_from_object("django.conf:settings", namespace="CELERY")
# Celery reads CELERY_BROKER_URL from the environment itself, where it may lack the password.
app.add_defaults(
    lambda: dict.fromkeys(("broker_read_url", "broker_write_url"), settings.CELERY_BROKER_URL)
)
app.autodiscover_tasks()

# The handlers import the application when they run: this module is loaded before the settings.


@heartbeat_sent.connect(weak=False)
def write_worker_heartbeat(**_: object) -> None:
    """Write the heartbeat of the queues that this worker takes tasks from."""
    # Sent every two seconds from the loop that receives tasks: a worker that hangs stops sending.
    from authentication.services.operations import write_heartbeat

    write_heartbeat(_PROCESS, app.amqp.queues.consume_from)


@setup_logging.connect(weak=False)
def configure_logging(**_: object) -> None:
    """Log through the service's pipeline instead of Celery's."""
    logging.config.dictConfig(settings.LOGGING)


@worker_process_shutdown.connect(weak=False)
def write_log(**_: object) -> None:
    """Write the lines that are queued: a process of the pool ends without Python's clean-up."""
    for handler in logging.getLogger().handlers:
        handler.flush()


@task_prerun.connect(weak=False)
def bind_log_context(task_id: str, task: Any, **_: object) -> None:
    """Bind the correlation id of the causing request to the task's log lines, else the task's."""
    from authentication.utils.client import CORRELATION_HEADER

    cause = getattr(task.request, CORRELATION_HEADER, None)
    _bound[task_id] = structlog.contextvars.bind_contextvars(
        correlation_id=cause or task_id, action=task.name
    )


@task_postrun.connect(weak=False)
def reset_log_context(task_id: str, **_: object) -> None:
    """Unbind the log context, so that the next task's lines do not carry it."""
    structlog.contextvars.reset_contextvars(**_bound.pop(task_id, {}))
