"""Tasks after the answer, by Celery where a broker answers, else in this process.

Celery has no mode without a broker that suits a server: its eager mode runs tasks inside the
request and retries them without a pause. So this module runs a task in a thread and follows the
task's own retry policy; `schedule.py` stands in for beat.
"""

import contextlib
import contextvars
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import structlog
from celery import current_app
from django.conf import settings
from django.db import Error, connections, transaction
from django.utils.module_loading import import_string
from kombu.exceptions import ChannelError, OperationalError
from structlog.contextvars import bound_contextvars, get_contextvars

from authentication.utils.client import CORRELATION_HEADER
from authentication.utils.error_reports import report
from authentication.utils.faults import FAULTS, Breaker

_THREADS = 4

logger = structlog.get_logger(__name__)
_pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="background")
_broker = Breaker()


def enqueue(
    task: str, *arguments: str, expires: float | None = None, delay: float | None = None
) -> None:
    """Start a task, named by its dotted path, once the surrounding transaction is committed.

    With `delay` it starts that many seconds later.

    The request does not wait, not even for the broker. A mail that is lost on the way is found by
    the outbox's sweep. A broker drops a task that no worker has taken after `expires` seconds.
    """
    # The task's log lines carry the correlation id of the request that caused it.
    cause = get_contextvars().get("correlation_id") or uuid.uuid4().hex
    options = {"expires": expires, "countdown": delay}
    transaction.on_commit(lambda: _pool.submit(_publish_or_run, task, arguments, options, cause))


def waiting_beside(task: str) -> int:
    """Return how many tasks wait in a task's queue; 0 without a broker, or if it fails."""
    if not settings.CELERY_BROKER_URL or _broker.is_open:
        return 0
    route = settings.CELERY_TASK_ROUTES.get(task, {})
    queue = route.get("queue", settings.CELERY_TASK_DEFAULT_QUEUE)
    try:
        with current_app.connection_for_write() as connection, connection.channel() as channel:
            return int(channel.queue_declare(queue, passive=True).message_count)
    except ChannelError:
        return 0  # The broker has no such queue: it is empty.
    except (OperationalError, *FAULTS) as fault:
        _broker.trip()
        logger.warning("broker_failed_over", fault=type(fault).__name__)
        return 0


def _publish_or_run(
    task: str, arguments: tuple[str, ...], options: dict[str, float | None], cause: str
) -> None:
    with bound_contextvars(correlation_id=cause, action=task):
        if _publish(task, arguments, options, cause):
            return
        if options["countdown"]:
            _run_later(options["countdown"], task, *arguments)
        else:
            run(task, *arguments)


def _publish(
    task: str, arguments: tuple[str, ...], options: dict[str, float | None], cause: str
) -> bool:
    """Hand the task to the broker; False if there is none, or it does not answer."""
    if not settings.CELERY_BROKER_URL or _broker.is_open:
        return False
    try:
        current_app.send_task(
            task, arguments, retry=False, headers={CORRELATION_HEADER: cause}, **options
        )
    except (OperationalError, *FAULTS) as fault:
        _broker.trip()
        logger.warning("broker_failed_over", fault=type(fault).__name__)
        return False
    return True


def run(task: str, *arguments: str, attempt: int = 0) -> None:
    """Run a task in this thread; retry it later, or record its failure, as Celery would."""
    function: Any = import_string(task)
    try:
        function(*arguments)
    except Exception as error:
        # Nothing above a thread would report the error.
        retried = isinstance(error, getattr(function, "autoretry_for", ()))
        if retried and attempt < function.max_retries:
            _retry(task, arguments, attempt, error)
            return
        logger.exception("background_task_failed", task=task)
        report(error)
        with contextlib.suppress(Error):
            function.on_failure(error, "", arguments, {}, None)
    finally:
        connections.close_all()


def _retry(task: str, arguments: tuple[str, ...], attempt: int, fault: Exception) -> None:
    policy = import_string(task)
    logger.warning(
        "background_task_postponed", task=task, attempt=attempt, fault=type(fault).__name__
    )
    pause = min(policy.retry_backoff * 2**attempt, policy.retry_backoff_max)
    _run_later(pause, task, *arguments, attempt=attempt + 1)


def _run_later(pause: float, task: str, *arguments: str, attempt: int = 0) -> None:
    # A timer, because a pause in the pool would hold up other tasks. It runs in a copy of this
    # context, for the log lines.
    context = contextvars.copy_context()
    timer = threading.Timer(pause, context.run, (run, task, *arguments), {"attempt": attempt})
    timer.daemon = True
    timer.start()
