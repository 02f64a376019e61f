"""Work after the answer: a Celery task where a broker answers, else a thread of this process."""

import threading
from concurrent.futures import ThreadPoolExecutor

import sentry_sdk
import structlog
from celery import current_app
from django.conf import settings
from django.db import close_old_connections, connections, transaction
from django.utils.module_loading import import_string
from kombu.exceptions import OperationalError

from vineyard_group_fellowship.cache import FAULTS, Breaker

_THREADS = 4

logger = structlog.get_logger(__name__)
_pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="background")
_broker = Breaker()


def enqueue(task: str, *arguments: str) -> None:
    """Start a task, named by its dotted path, once the transaction around the call has been committed.

    The request waits for nothing, not even for the broker. What gets lost on the way the outbox's sweep finds again.
    """
    transaction.on_commit(lambda: _pool.submit(_publish_or_run, task, arguments))


def start_sweeper() -> None:
    """Sweep the outbox now and then from this process; where there is a broker, Celery's beat does it."""
    if settings.EMAIL_SWEEP_SECONDS and not settings.CELERY_BROKER_URL:
        threading.Thread(target=_sweep_for_ever, name="sweeper", daemon=True).start()


def _publish_or_run(task: str, arguments: tuple[str, ...]) -> None:
    if not _published(task, arguments):
        _run(task, *arguments)


def _published(task: str, arguments: tuple[str, ...]) -> bool:
    if not settings.CELERY_BROKER_URL or _broker.is_open:
        return False
    try:
        current_app.send_task(task, arguments, retry=False)
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
        sentry_sdk.capture_exception(error)
    finally:
        connections.close_all()


def _try_later(task: str, arguments: tuple[str, ...], attempt: int, fault: Exception) -> None:
    """Do what Celery would, by the task's own policy."""
    policy = import_string(task)
    logger.warning("background_task_postponed", task=task, attempt=attempt, fault=type(fault).__name__)
    if attempt >= policy.max_retries:
        return
    pause = min(policy.retry_backoff * 2**attempt, policy.retry_backoff_max)
    timer = threading.Timer(pause, _run, (task, *arguments), {"attempt": attempt + 1})
    timer.daemon = True
    timer.start()


def _sweep_for_ever() -> None:
    pause = threading.Event()
    while not pause.wait(settings.EMAIL_SWEEP_SECONDS):
        close_old_connections()
        _run("authentication.tasks.sweep_outbox")
