"""The Celery application; its settings are Django's, prefixed CELERY_."""

import contextlib
import os

from celery import Celery
from celery.signals import heartbeat_sent
from django.core.cache import caches

from .cache import FAULTS

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vineyard_group_fellowship.settings")

HEARTBEAT_KEY = "celery:heartbeat"
HEARTBEAT_SECONDS = 30

app = Celery("vineyard_group_fellowship")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@heartbeat_sent.connect(weak=False)
def say_that_a_worker_lives(**_: object) -> None:
    """Leave a sign of life in the cache, which the health check reads: asking every worker would take a second."""
    # Sent every two seconds, from the loop that takes tasks in: a worker that hangs falls silent.
    with contextlib.suppress(*FAULTS):
        caches["default"].set(HEARTBEAT_KEY, 1, HEARTBEAT_SECONDS)
