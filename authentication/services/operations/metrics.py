"""Prometheus metrics: the counters of all processes, states, and gauges read from the tables."""

from collections.abc import Iterable

from django.conf import settings
from django.core.cache import caches
from django.db import Error, connection, transaction
from django.utils import timezone
from prometheus_client import REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from authentication.utils.faults import FAULTS

from .database_connections import statements_within
from .database_state import CONNECTED, MIGRATIONS_MISSING, READ_ONLY, UNAVAILABLE
from .gauges import GAUGES
from .health import NO_ANSWER, REFUSES_WRITES, check_health

# Each question has a second, and the health check before them 1.5 s: Prometheus gives a scrape up
# after ten seconds. A database that hangs is not asked. One that begins to hang costs 6 s more: a
# statement is waited for 3 s at most, a new connection another 3 s (`connect_timeout`).
_STATEMENT_TIMEOUT_MS = 1_000
_QUERY_CANCELED = "57014"  # PostgreSQL's code for a statement that took too long

_DATABASE_STATES = (CONNECTED, READ_ONLY, MIGRATIONS_MISSING, UNAVAILABLE, NO_ANSWER)
_CACHE_STATES = (CONNECTED, REFUSES_WRITES, UNAVAILABLE, NO_ANSWER)


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
        registry.register(_StateCollector())
        return generate_latest(registry)


class _StateCollector(Collector):
    """The states of the health check; gauges read from the tables if the database answers."""

    def collect(self) -> Iterable[Metric]:
        health = check_health()
        yield _one_of("auth_database_state", "The database.", _DATABASE_STATES, health.database)
        yield _one_of("auth_cache_state", "Redis, as cache.", _CACHE_STATES, health.cache)
        processes = GaugeMetricFamily(
            "auth_processes", "Processes of Celery that are alive.", labels=["process"]
        )
        for name, count in health.processes.items():
            processes.add_metric([name], count)
        yield processes
        if health.cache == CONNECTED:
            yield from _memory()
        if health.database not in {UNAVAILABLE, NO_ANSWER}:
            yield from _from_tables()


def _one_of(name: str, about: str, states: Iterable[str], current: str) -> Metric:
    gauge = GaugeMetricFamily(name, f"{about} 1 for its state, 0 for the others.", labels=["state"])
    for state in states:
        gauge.add_metric([state], float(state == current))
    return gauge


def _memory() -> Iterable[Metric]:
    """Return which share of its memory Redis uses, if it has a limit and may be asked."""
    client = getattr(caches["default"], "client", None)
    try:
        info = client.get_client().info("memory") if client else {}
    except FAULTS:
        return
    if limit := info.get("maxmemory"):
        share = info["used_memory"] / limit
        yield GaugeMetricFamily("auth_cache_memory_ratio", "Memory in use by Redis.", value=share)


def _from_tables() -> Iterable[Metric]:
    for ask in GAUGES:
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
