"""The numbers that are read from the tables at each scrape."""

import datetime as dt
from collections.abc import Callable

from django.conf import settings
from django.db.models import Count, Min, Q
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from authentication.models import (
    AccountExport,
    FailedTask,
    OutgoingEmail,
    TokenBlacklist,
    User,
    UserSession,
)

_LEFT = Q(sent_again_at=None)


def _sessions(now: dt.datetime) -> list[Metric]:
    live = UserSession.objects.live(at=now).count()
    return [GaugeMetricFamily("auth_active_sessions_total", "Live sessions.", value=live)]


def _waiting_mails(now: dt.datetime) -> list[Metric]:
    waiting = OutgoingEmail.objects.waiting().aggregate(
        count=Count("pk"), oldest=Min("created_at"), due=Min("next_attempt_at")
    )
    return [
        GaugeMetricFamily("auth_outbox_depth", "Mails waiting to be sent.", value=waiting["count"]),
        GaugeMetricFamily(
            "auth_outbox_oldest_seconds",
            "Age of the oldest waiting mail.",
            value=_since(waiting["oldest"], now),
        ),
        GaugeMetricFamily(
            "auth_outbox_late_seconds",
            "Time since the next attempt of a waiting mail was due.",
            value=_since(waiting["due"], now),
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
    return [
        GaugeMetricFamily(
            "auth_retention_lag_seconds",
            "Time since the oldest revoked token that is still kept expired.",
            value=_since(oldest, now),
        )
    ]


def _late_work(now: dt.datetime) -> list[Metric]:
    # By the request alone: an erasure that failed and is to be tried later is late as well.
    erasure = User.objects.aggregate(oldest=Min("deletion_requested_at"))["oldest"]
    unfinished = AccountExport.objects.filter(ready_at=None, failed_at=None, user__is_active=True)
    export = unfinished.aggregate(oldest=Min("requested_at"))["oldest"]
    return [
        GaugeMetricFamily(
            "auth_erasures_late_seconds",
            "Time since the oldest account that is still kept was to be erased.",
            value=_since(erasure and erasure + settings.ACCOUNT_DELETION_GRACE, now),
        ),
        GaugeMetricFamily(
            "auth_exports_unfinished_seconds",
            "Age of the oldest export of personal data that is not finished.",
            value=_since(export, now),
        ),
    ]


def _since(moment: dt.datetime | None, now: dt.datetime) -> float:
    return max(0.0, (now - moment).total_seconds()) if moment else 0.0


GAUGES: tuple[Callable[[dt.datetime], list[Metric]], ...] = (
    _sessions,
    _waiting_mails,
    _dead_mails,
    _failed_tasks,
    _left_over,
    _late_work,
)
