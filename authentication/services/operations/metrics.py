"""What operations read: the counters of all processes, and what the database knows."""

import datetime as dt
import threading
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor, wait

from django.conf import settings
from django.db import Error, connection, transaction
from django.db.models import Count, Min, Q
from django.utils import timezone
from prometheus_client import REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from authentication.models import FailedTask, OutgoingEmail, TokenBlacklist, UserSession

_FRESH_SECONDS = 10.0
_STALE_SECONDS = 30.0
_PATIENCE_MS = 1_000
# Longer than all statements together may take; Prometheus gives up after ten.
_PATIENCE_SECONDS = 5.0
_LEFT = Q(sent_again_at=None)
_TOOK_TOO_LONG = "57014"  # PostgreSQL's code

# Not the request's own thread: a server that hangs never tells that a statement's time is over.
_pool = ThreadPoolExecutor(1, thread_name_prefix="metrics")


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
    """What the tables hold, asked for every ten seconds at most, by one thread, however often it is scraped."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._taken_at = float("-inf")
        self._last: list[Metric] = []

    def forget(self) -> None:
        """Ask again at the next scrape."""
        self._taken_at = float("-inf")

    def collect(self) -> Iterable[Metric]:
        # Whoever comes while another asks gets what was known before: a database that hangs costs
        # one thread.
        if self._age() > _FRESH_SECONDS and self._lock.acquire(blocking=False):
            wait([_pool.submit(self._ask)], timeout=_PATIENCE_SECONDS)
        return self._last if self._age() < _STALE_SECONDS else []

    def _age(self) -> float:
        return time.monotonic() - self._taken_at

    def _ask(self) -> None:
        try:
            self._last = _from_tables()
            self._taken_at = time.monotonic()
        finally:
            self._lock.release()
            connection.close()


def _from_tables() -> list[Metric]:
    found: list[Metric] = []
    for ask in (_sessions, _waiting_mails, _dead_mails, _failed_tasks, _left_over):
        try:
            with transaction.atomic():
                _bound_statements()
                found += ask(timezone.now())
        except Error as fault:
            # What cannot be told, or not in time, is missing and not wrong; without a database
            # there is no use in asking on.
            if getattr(fault.__cause__, "sqlstate", None) != _TOOK_TOO_LONG:
                break
    return found


def _bound_statements() -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL statement_timeout = {_PATIENCE_MS}")


def _sessions(now: dt.datetime) -> list[Metric]:
    live = UserSession.objects.live(at=now).count()
    return [GaugeMetricFamily("auth_active_sessions_total", "Sessions that live.", value=live)]


def _waiting_mails(now: dt.datetime) -> list[Metric]:
    waiting = OutgoingEmail.objects.waiting().aggregate(count=Count("pk"), oldest=Min("created_at"))
    age = (now - waiting["oldest"]).total_seconds() if waiting["oldest"] else 0
    return [
        GaugeMetricFamily(
            "auth_outbox_depth", "Mails that wait to be sent.", value=waiting["count"]
        ),
        GaugeMetricFamily(
            "auth_outbox_oldest_seconds", "How long the oldest of them has waited.", value=age
        ),
    ]


def _dead_mails(_: dt.datetime) -> list[Metric]:
    dead = OutgoingEmail.objects.filter(status=OutgoingEmail.Status.DEAD).count()
    return [
        GaugeMetricFamily("auth_outbox_dead_letters", "Mails that could not be sent.", value=dead)
    ]


def _failed_tasks(_: dt.datetime) -> list[Metric]:
    # Workers on other machines share no files with this server; every failure for good is a row of
    # one table.
    failures = CounterMetricFamily(
        "auth_task_failures", "Tasks that failed for good.", labels=["task"]
    )
    waiting = GaugeMetricFamily(
        "auth_failed_tasks", "Those nobody has sent again yet.", labels=["task"]
    )
    by_task = FailedTask.objects.values_list("task").annotate(
        ever=Count("pk"), left=Count("pk", filter=_LEFT)
    )
    for task, ever, left in by_task:
        failures.add_metric([task], ever)
        waiting.add_metric([task], left)
    return [failures, waiting]


def _left_over(now: dt.datetime) -> list[Metric]:
    # Every refresh leaves a row here, so that this tells whether anything is cleaned up at all.
    oldest = TokenBlacklist.objects.aggregate(oldest=Min("expires_at"))["oldest"]
    lag = max(0, (now - oldest).total_seconds()) if oldest else 0
    name, said = (
        "auth_retention_lag_seconds",
        "How long the oldest revoked token has been kept past its end.",
    )
    return [GaugeMetricFamily(name, said, value=lag)]


_tables = TableCollector()
