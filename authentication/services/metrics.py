"""What operations read: the counters of all processes, and what the database knows."""

import threading
import time
from collections.abc import Iterable

from django.conf import settings
from django.db import Error
from django.db.models import Count, Min, Q
from django.utils import timezone
from prometheus_client import REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from authentication.models import FailedTask, OutgoingEmail, UserSession

_FRESH_SECONDS = 10.0
_Status = OutgoingEmail.Status


class MetricsService:
    """What operations read."""

    @staticmethod
    def exposition() -> bytes:
        """Return everything in Prometheus' text format."""
        registry = CollectorRegistry()
        # Several processes of a server keep their counters in files, which are added up here.
        if settings.PROMETHEUS_MULTIPROC_DIR:
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # the library has no types here
        else:
            registry.register(REGISTRY)
        registry.register(_tables)
        return generate_latest(registry)


class TableCollector(Collector):
    """What the tables hold, asked for every ten seconds at most, however often it is scraped."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._taken_at = float("-inf")
        self._last: list[Metric] = []

    def forget(self) -> None:
        """Ask again at the next scrape."""
        self._taken_at = float("-inf")

    def collect(self) -> Iterable[Metric]:
        with self._lock:
            if time.monotonic() - self._taken_at > _FRESH_SECONDS:
                try:
                    self._last = list(_from_tables())
                except Error:
                    # Without its database the service still counts; these gauges are missing then, not wrong.
                    self._last = []
                self._taken_at = time.monotonic()
            return self._last


def _from_tables() -> Iterable[Metric]:
    now = timezone.now()
    live = UserSession.objects.live(at=now).count()
    yield GaugeMetricFamily("auth_active_sessions_total", "Sessions that live.", value=live)
    waiting = Q(status__in=[_Status.QUEUED, _Status.SENDING])
    outbox = OutgoingEmail.objects.filter(waiting | Q(status=_Status.DEAD)).aggregate(
        waiting=Count("pk", filter=waiting),
        oldest=Min("created_at", filter=waiting),
        dead=Count("pk", filter=Q(status=_Status.DEAD)),
    )
    age = (now - outbox["oldest"]).total_seconds() if outbox["oldest"] else 0
    yield GaugeMetricFamily("auth_outbox_depth", "Mails that wait to be sent.", value=outbox["waiting"])
    yield GaugeMetricFamily("auth_outbox_oldest_seconds", "How long the oldest of them has waited.", value=age)
    yield GaugeMetricFamily("auth_outbox_dead_letters", "Mails that could not be sent.", value=outbox["dead"])
    failed = GaugeMetricFamily("auth_failed_tasks", "Tasks that failed for good in the last 30 days.", labels=["task"])
    for task, count in FailedTask.objects.filter(sent_again_at=None).values_list("task").annotate(Count("pk")):
        failed.add_metric([task], count)
    yield failed


_tables = TableCollector()
