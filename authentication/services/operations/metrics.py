"""Prometheus metrics: the counters of all processes, and gauges read from the tables."""

import datetime as dt
from collections.abc import Iterable

from django.conf import settings
from django.db import Error, connection, transaction
from django.db.models import Count, Min, Q
from django.utils import timezone
from prometheus_client import REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from authentication.models import FailedTask, OutgoingEmail, TokenBlacklist, UserSession

from .database_connections import statements_within

# Five questions of a second each: Prometheus gives a scrape up after ten seconds. A database that
# hangs costs 6 s: a statement is waited for 3 s at most, a new connection another 3 s
# (`connect_timeout`); then no more is asked.
_STATEMENT_TIMEOUT_MS = 1_000
_LEFT = Q(sent_again_at=None)
_QUERY_CANCELED = "57014"  # PostgreSQL's code for a statement that took too long


class MetricsService:
    """Prometheus metrics."""

    @staticmethod
    def exposition() -> bytes:
        """Return all metrics in Prometheus' text format."""
        registry = CollectorRegistry()
        # Several processes of a server keep their counters in files, which are added up here.
        if settings.PROMETHEUS_MULTIPROC_DIR:
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # no types
        else:
            registry.register(REGISTRY)
        registry.register(_TableCollector())
        return generate_latest(registry)


class _TableCollector(Collector):
    """Gauges read from the tables at each scrape."""

    def collect(self) -> Iterable[Metric]:
        for ask in (_sessions, _waiting_mails, _dead_mails, _failed_tasks, _left_over):
            try:
                with statements_within(_STATEMENT_TIMEOUT_MS), transaction.atomic():
                    _set_statement_timeout()
                    found = ask(timezone.now())
            except Error as fault:
                # A gauge that cannot be read in time is missing, not wrong. Any other fault means
                # that the database is gone, and the next question would only wait as well.
                if getattr(fault.__cause__, "sqlstate", None) != _QUERY_CANCELED:
                    return
            else:
                yield from found


def _set_statement_timeout() -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL statement_timeout = {_STATEMENT_TIMEOUT_MS}")


def _sessions(now: dt.datetime) -> list[Metric]:
    live = UserSession.objects.live(at=now).count()
    return [GaugeMetricFamily("auth_active_sessions_total", "Live sessions.", value=live)]


def _waiting_mails(now: dt.datetime) -> list[Metric]:
    waiting = OutgoingEmail.objects.waiting().aggregate(count=Count("pk"), oldest=Min("created_at"))
    age = (now - waiting["oldest"]).total_seconds() if waiting["oldest"] else 0
    return [
        GaugeMetricFamily("auth_outbox_depth", "Mails waiting to be sent.", value=waiting["count"]),
        GaugeMetricFamily(
            "auth_outbox_oldest_seconds", "Age of the oldest waiting mail.", value=age
        ),
    ]


def _dead_mails(_: dt.datetime) -> list[Metric]:
    dead = OutgoingEmail.objects.filter(status=OutgoingEmail.Status.DEAD).count()
    return [
        GaugeMetricFamily("auth_outbox_dead_letters", "Mails that could not be sent.", value=dead)
    ]


def _failed_tasks(_: dt.datetime) -> list[Metric]:
    # Workers on other machines share no files with this server, but all write to this table.
    failures = CounterMetricFamily(
        "auth_task_failures", "Tasks that failed for good.", labels=["task"]
    )
    waiting = GaugeMetricFamily(
        "auth_failed_tasks", "Failed tasks that were not run again.", labels=["task"]
    )
    by_task = FailedTask.objects.values_list("task").annotate(
        ever=Count("pk"), left=Count("pk", filter=_LEFT)
    )
    for task, ever, left in by_task:
        failures.add_metric([task], ever)
        waiting.add_metric([task], left)
    return [failures, waiting]


def _left_over(now: dt.datetime) -> list[Metric]:
    # Every refresh leaves a row here, so its age shows whether retention runs at all.
    oldest = TokenBlacklist.objects.aggregate(oldest=Min("expires_at"))["oldest"]
    lag = max(0, (now - oldest).total_seconds()) if oldest else 0
    return [
        GaugeMetricFamily(
            "auth_retention_lag_seconds",
            "Time since the oldest revoked token that is still kept expired.",
            value=lag,
        )
    ]
