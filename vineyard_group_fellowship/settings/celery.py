"""Tasks: a broker when there is one, threads of this process when there is none."""

from .base import redis_url
from .email import EMAIL_SWEEP_SECONDS
from .env import env

CELERY_BROKER_URL = env.matching("CELERY_BROKER_URL", redis_url(), pattern=r"\w+://.*", wanted="a broker's address")
CELERY_TASK_ALWAYS_EAGER = False
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_SOFT_TIME_LIMIT = 30
CELERY_TASK_TIME_LIMIT = 60
CELERY_TASK_PUBLISH_RETRY = False
CELERY_BROKER_CONNECTION_TIMEOUT = 0.5
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "socket_connect_timeout": 0.5,
    "socket_timeout": 0.5,
    "max_retries": 0,
    "visibility_timeout": 120,
}
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BEAT_SCHEDULE = {
    "sweep-outbox": {"task": "authentication.tasks.sweep_outbox", "schedule": float(EMAIL_SWEEP_SECONDS)},
}
