"""Work after the answer: a Celery task where a broker answers, else a thread of this process."""

import contextlib
import contextvars
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import structlog
from celery import current_app
from django.conf import settings
from django.db import Error, close_old_connections, connections, transaction
from django.utils.module_loading import import_string
from kombu.exceptions import OperationalError
from structlog.contextvars import bound_contextvars, get_contextvars

from vineyard_group_fellowship.cache import FAULTS, Breaker
from vineyard_group_fellowship.celery import CORRELATION_HEADER
from vineyard_group_fellowship.reports import report

_THREADS = 4

logger = structlog.get_logger(__name__)
_pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="background")
_broker = Breaker()


def enqueue(task: str, *arguments: str, expires: float | None = None) -> None:
    """Start a task, named by its dotted path, once the transaction around the call has been committed.

    The request waits for nothing, not even for the broker. What gets lost on the way the outbox's
    sweep finds again. A broker forgets a task that nobody has taken up after `expires` seconds.
    """
    # The log lines of the work bear the name of the request that caused it.
    cause = get_contextvars().get("correlation_id") or uuid.uuid4().hex
    transaction.on_commit(lambda: _pool.submit(_publish_or_run, task, arguments, expires, cause))


def start_sweeper() -> None:
    """Sweep the outbox now and then from this process; where there is a broker, Celery's beat does it."""
    if settings.EMAIL_SWEEP_SECONDS and not settings.CELERY_BROKER_URL:
        threading.Thread(target=_sweep_for_ever, name="sweeper", daemon=True).start()


def _publish_or_run(
    task: str, arguments: tuple[str, ...], expires: float | None, cause: str
) -> None:
    with bound_contextvars(correlation_id=cause, action=task):
        if not _published(task, arguments, expires, cause):
            _run(task, *arguments)


def _published(task: str, arguments: tuple[str, ...], expires: float | None, cause: str) -> bool:
    if not settings.CELERY_BROKER_URL or _broker.is_open:
        return False
    try:
        current_app.send_task(
            task, arguments, retry=False, expires=expires, headers={CORRELATION_HEADER: cause}
        )
    except (OperationalError, *FAULTS) as fault:
        _broker.trip()
        logger.warning("broker_failed_over", fault=type(fault).__name__)
        return False
    return True


def _run(task: str, *arguments: str, attempt: int = 0) -> None:
    function = import_string(task)
    try:
        function(*arguments)
    except getattr(function, "autoretry_for", ()) as fault:
        _try_later(task, arguments, attempt, fault)
    except Exception as error:
        # A thread has nobody above it who would hear of a failure.
        logger.exception("background_task_failed", task=task)
        report(error)
        _give_up(function, arguments, error)
    finally:
        connections.close_all()


def _try_later(task: str, arguments: tuple[str, ...], attempt: int, fault: Exception) -> None:
    """Do what Celery would, by the task's own policy."""
    policy = import_string(task)
    logger.warning(
        "background_task_postponed", task=task, attempt=attempt, fault=type(fault).__name__
    )
    if attempt >= policy.max_retries:
        _give_up(policy, arguments, fault)
        return
    pause = min(policy.retry_backoff * 2**attempt, policy.retry_backoff_max)
    # In the context of now, for the log lines.
    context = contextvars.copy_context()
    timer = threading.Timer(pause, context.run, (_run, task, *arguments), {"attempt": attempt + 1})
    timer.daemon = True
    timer.start()


def _give_up(function: Any, arguments: tuple[str, ...], error: Exception) -> None:
    """Let the task leave a dead letter, as Celery would."""
    with contextlib.suppress(Error):
        function.on_failure(error, "", arguments, {}, None)


def _sweep_for_ever() -> None:
    pause, cleaned_at = threading.Event(), float("-inf")
    while not pause.wait(settings.EMAIL_SWEEP_SECONDS):
        close_old_connections()
        hourly = time.monotonic() - cleaned_at >= settings.RETENTION_SECONDS
        for entry in settings.CELERY_BEAT_SCHEDULE.values():
            if hourly or entry["schedule"] < settings.RETENTION_SECONDS:
                _run(entry["task"], *entry.get("args", ()))
        cleaned_at = time.monotonic() if hourly else cleaned_at
