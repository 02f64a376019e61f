"""GET /api/v1/auth/health/: mailer, worker and beat, each by its own heartbeat; late mails."""

import datetime as dt
from typing import Any

import pytest
import time_machine
from django.core.cache import caches
from django.utils import timezone
from pytest_django import Settings
from redis.exceptions import TimeoutError as RedisTimeout
from rest_framework.test import APIClient

from authentication.models import OutgoingEmail, User
from authentication.services.operations import heartbeat
from authentication.services.operations.heartbeat import JOBS, write_heartbeat
from authentication.tests.conftest import API

URL = f"{API}/health/"
NOW = dt.datetime(2026, 11, 28, 12, tzinfo=dt.UTC)
ACTIVE = dict.fromkeys(JOBS, "active")


@pytest.fixture(autouse=True)
def _broker(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.CELERY_BROKER_URL = "redis://localhost:1/0"
    monkeypatch.setattr(heartbeat, "_written_at", {})


def beat(*names: str) -> None:
    for name in names:
        write_heartbeat(f"host-of-{name}", JOBS[name])


def celery_of(api: APIClient) -> tuple[int, str, dict[str, Any]]:
    answer = api.get(URL)
    body = answer.json()
    return answer.status_code, body["status"], body["checks"]["celery"]


@pytest.mark.django_db
class TestHeartbeats:
    def test_all_processes_are_active(self, api: APIClient) -> None:
        beat(*JOBS)

        assert celery_of(api) == (200, "healthy", ACTIVE)

    @pytest.mark.parametrize("dead", JOBS)
    def test_a_dead_process_degrades_the_service_and_is_named(
        self, api: APIClient, dead: str
    ) -> None:
        beat(*(name for name in JOBS if name != dead))

        assert celery_of(api) == (200, "degraded", {**ACTIVE, dead: "missing"})

    def test_a_process_is_missing_after_two_minutes(self, api: APIClient) -> None:
        with time_machine.travel(NOW, tick=False) as clock:
            beat(*JOBS)
            clock.shift(60)
            beat("worker", "beat")
            clock.shift(58)
            before = celery_of(api)
            clock.shift(4)
            after = celery_of(api)

        assert before == (200, "healthy", ACTIVE)
        assert after == (200, "degraded", {**ACTIVE, "mailer": "missing"})

    def test_a_worker_that_leaves_out_a_queue_is_no_whole_worker(self, api: APIClient) -> None:
        beat("mailer", "beat")
        write_heartbeat("one", ["checks"])

        assert celery_of(api) == (200, "degraded", {**ACTIVE, "worker": "missing"})

    def test_two_workers_share_the_queues(self, api: APIClient) -> None:
        beat("mailer", "beat")
        write_heartbeat("one", ["checks"])
        write_heartbeat("other", ["upkeep"])

        assert celery_of(api) == (200, "healthy", ACTIVE)

    def test_without_a_cache_nothing_is_known_of_them(
        self, api: APIClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(*_: object, **__: object) -> None:
            raise RedisTimeout

        for name in ("get", "get_many", "set", "delete"):
            monkeypatch.setattr(type(caches["default"]), name, refuse)

        assert celery_of(api) == (503, "degraded", dict.fromkeys(JOBS, "unknown"))


@pytest.mark.django_db(transaction=True)
class TestLateMails:
    @pytest.mark.parametrize(
        ("minutes", "status", "mailer"), [(4, "healthy", "active"), (6, "degraded", "late")]
    )
    def test_a_mail_that_has_been_due_for_five_minutes_degrades_the_service(
        self, api: APIClient, person: User, minutes: int, status: str, mailer: str
    ) -> None:
        beat(*JOBS)
        due_at = timezone.now() - dt.timedelta(minutes=minutes)
        OutgoingEmail.objects.create(user=person, kind="verification", next_attempt_at=due_at)

        assert celery_of(api) == (200, status, {**ACTIVE, "mailer": mailer})

    def test_a_mail_that_waits_for_its_next_attempt_is_not_late(
        self, api: APIClient, person: User
    ) -> None:
        beat(*JOBS)
        hour = dt.timedelta(hours=1)
        OutgoingEmail.objects.create(
            user=person,
            kind="verification",
            created_at=timezone.now() - hour,
            next_attempt_at=timezone.now() + hour,
        )

        assert celery_of(api) == (200, "healthy", ACTIVE)

    def test_threads_may_be_late_too(
        self, api: APIClient, person: User, settings: Settings
    ) -> None:
        settings.CELERY_BROKER_URL = ""
        due_at = timezone.now() - dt.timedelta(minutes=6)
        OutgoingEmail.objects.create(user=person, kind="verification", next_attempt_at=due_at)

        threads = dict.fromkeys(JOBS, "threads")
        assert celery_of(api) == (200, "degraded", {**threads, "mailer": "late"})
