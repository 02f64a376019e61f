"""Celery. Without a broker, threads of this process run the tasks (services/background)."""

from typing import Any

from .base import redis_url, with_redis_password
from .email import EMAIL_SWEEP_SECONDS
from .env import env
from .retention import RETENTION_SECONDS

CELERY_BROKER_URL = with_redis_password(
    env.matching(
        "CELERY_BROKER_URL",
        redis_url(),
        pattern=r"\w+://.*",
        wanted="a broker's address",
        secret=True,
    )
)
if CELERY_BROKER_URL.startswith(("redis://", "rediss://")):
    CELERY_BROKER_TRANSPORT = "vineyard_group_fellowship.broker:Transport"
if CELERY_BROKER_URL.startswith("rediss://"):
    # Options in the URL win, such as ssl_ca_certs.
    CELERY_BROKER_USE_SSL = {"ssl_cert_reqs": "required", "ssl_check_hostname": True}
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
# The tasks of a worker that dies go to another; so every task may run twice.
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_SOFT_TIME_LIMIT = 30
CELERY_TASK_TIME_LIMIT = 60
# Separate queues, so that a mail server or another service that hangs does not hold up other work.
# They are declared so that a worker without -Q takes all of them.
CELERY_TASK_QUEUES = {
    name: {"exchange": name, "routing_key": name} for name in ("mail", "checks", "upkeep")
}
CELERY_TASK_DEFAULT_QUEUE = "upkeep"
CELERY_TASK_ROUTES = {
    "authentication.tasks.deliver_email": {"queue": "mail"},
    "authentication.tasks.check_breach": {"queue": "checks"},
}
CELERY_TASK_PUBLISH_RETRY = False
CELERY_BROKER_CONNECTION_TIMEOUT = 0.5
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# By default a worker ends after a hundred tries, and at once when Redis refuses a command: as a
# replica, read-only, full, without enough replicas, or unable to save.
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_CHANNEL_ERROR_RETRY = True
CELERY_WORKER_CONSUMER = "vineyard_group_fellowship.consumer:Consumer"
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "socket_connect_timeout": 0.5,
    "socket_timeout": 0.5,
    "max_retries": 0,
    # Longer than any task may take, shorter than the lifetime of any mailed link.
    "visibility_timeout": 120,
}
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BEAT_SCHEDULER = "vineyard_group_fellowship.beat:Scheduler"
# Each round of beat writes its heartbeat.
CELERY_BEAT_MAX_LOOP_INTERVAL = 10


def _clean(rule: str, *, seconds: int = RETENTION_SECONDS) -> dict[str, Any]:
    # If no worker takes the task before the next one is due, that does its work.
    options = {"expires": seconds}
    return {
        "task": "authentication.tasks.clean",
        "args": (rule,),
        "schedule": seconds,
        "options": options,
    }


def _sweep(task: str) -> dict[str, Any]:
    return {
        "task": task,
        "schedule": float(EMAIL_SWEEP_SECONDS),
        "options": {"expires": EMAIL_SWEEP_SECONDS},
    }


CELERY_BEAT_SCHEDULE: dict[str, dict[str, Any]] = {
    "sweep-outbox": _sweep("authentication.tasks.sweep_outbox"),
    "sweep-exports": _sweep("authentication.tasks.sweep_exports"),
    "sweep-bulk-actions": _sweep("authentication.tasks.sweep_bulk_actions"),
    "remove-second-factors": _sweep("authentication.tasks.remove_second_factors"),
    "report-locks": _sweep("authentication.tasks.report_locks"),
    "seal-audit-log": {
        "task": "authentication.tasks.seal_audit_log",
        "schedule": 600.0,
        "options": {"expires": 600},
    },
    "count-events": _sweep("authentication.tasks.count_events"),
    "find-anomalies": _sweep("authentication.tasks.find_anomalies"),
    # A flood leaves 100 rows a second.
    "clean-failures": _clean("failures", seconds=300),
    **{
        f"clean-{rule}": _clean(rule)
        for rule in (
            *("sessions", "tokens", "blacklist", "audit", "deletions", "accounts", "mails"),
        )
    },
}
