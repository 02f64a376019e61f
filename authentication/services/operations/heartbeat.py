"""The heartbeat of Celery's workers, in the cache.

Asking every worker by Celery's own `ping` takes a second, too long for a health check.
"""

import contextlib

from django.core.cache import caches

from authentication.utils.faults import FAULTS

HEARTBEAT_KEY = "celery:heartbeat"
_LIFETIME_SECONDS = 30


def write_heartbeat() -> None:
    """Note that a worker is alive; without the cache, nothing is noted."""
    with contextlib.suppress(*FAULTS):
        caches["default"].set(HEARTBEAT_KEY, 1, _LIFETIME_SECONDS)


def has_heartbeat() -> bool:
    """Return whether a worker was alive in the last 30 seconds; raises one of FAULTS."""
    return bool(caches["default"].get(HEARTBEAT_KEY))
