"""/metrics: the states that alerts watch: database, Redis, processes, and what is late."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings as service
from django.core.cache import caches
from django.db import OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils import timezone
from django_redis.exceptions import ConnectionInterrupted
from pytest_django import Settings
from redis.exceptions import OutOfMemoryError, ReadOnlyError, ResponseError
from rest_framework.test import APIClient

from authentication.models import AccountExport, OutgoingEmail, User
from authentication.services.operations import database_state, health, heartbeat, metrics
from authentication.services.operations.heartbeat import JOBS, write_heartbeat
from authentication.tests.conftest import API
from authentication.tests.factories import UserFactory

from .test_metrics import scraped

DOCS = Path(service.BASE_DIR) / "docs"
FIVE_MINUTES = 5
SCRAPE = 1

pytestmark = pytest.mark.django_db


def current(metric: str) -> list[str]:
    """Return the states of a metric that are 1."""
    return [
        name.partition('"')[2].rpartition('"')[0]
        for name, value in scraped().items()
        if name.startswith(f"{metric}{{") and value
    ]


class TestDatabase:
    def test_connected(self) -> None:
        assert current("auth_database_state") == ["connected"]

    def test_migrations_missing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        missing = frozenset({("authentication", "9999_next")})
        monkeypatch.setattr(database_state, "needed_migrations", lambda: missing)

        assert current("auth_database_state") == ["migrations missing"]

    def test_unavailable_and_no_table_is_asked(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(*_: object, **__: object) -> None:
            raise OperationalError

        asked: list[str] = []
        monkeypatch.setattr(BaseDatabaseWrapper, "cursor", refuse)
        monkeypatch.setattr(metrics, "GAUGES", [lambda _: asked.append("table")])

        assert current("auth_database_state") == ["unavailable"]
        assert asked == []


class TestRedis:
    def test_connected(self) -> None:
        assert current("auth_cache_state") == ["connected"]

    @pytest.mark.parametrize("cause", [OutOfMemoryError, ReadOnlyError, ResponseError])
    def test_full_or_a_replica(
        self, api: APIClient, monkeypatch: pytest.MonkeyPatch, cause: type[ResponseError]
    ) -> None:
        def refuse(*_: object, **__: object) -> None:
            raise ConnectionInterrupted(connection=None) from cause("no")

        monkeypatch.setattr(type(caches["default"]), "set", refuse)

        assert current("auth_cache_state") == ["refuses writes"]
        answer = api.get(f"{API}/health/")
        assert (answer.status_code, answer.json()["cache"]) == (503, "refuses writes")

    @pytest.mark.parametrize("cause", [OutOfMemoryError, ReadOnlyError, ResponseError])
    def test_a_refusal_that_the_cache_passes_on_as_it_is(
        self, monkeypatch: pytest.MonkeyPatch, cause: type[ResponseError]
    ) -> None:
        def refuse(*_: object, **__: object) -> None:
            raise cause("no")

        monkeypatch.setattr(type(caches["default"]), "set", refuse)

        assert current("auth_cache_state") == ["refuses writes"]

    def test_lost(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(*_: object, **__: object) -> None:
            raise ConnectionInterrupted(connection=None) from ConnectionError("no")

        monkeypatch.setattr(type(caches["default"]), "set", refuse)

        assert current("auth_cache_state") == ["unavailable"]


class TestProcesses:
    def test_each_is_counted(self, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
        settings.CELERY_BROKER_URL = "redis://localhost:1/0"
        monkeypatch.setattr(heartbeat, "_written_at", {})
        for number in range(2):
            write_heartbeat(f"mailer-{number}", JOBS["mailer"])
        write_heartbeat("worker", JOBS["worker"])

        found = scraped()

        assert found['auth_processes{process="mailer"}'] == 2
        assert found['auth_processes{process="worker"}'] == 1
        assert found['auth_processes{process="beat"}'] == 0


def test_a_scrape_stays_within_the_budget_of_queries(
    caplog: pytest.LogCaptureFixture,
) -> None:
    scraped()

    assert "query_budget_exceeded" not in caplog.text


class TestLateness:
    def test_without_anything_late_all_are_zero(self) -> None:
        found = scraped()

        assert found["auth_outbox_late_seconds"] == 0
        assert found["auth_erasures_late_seconds"] == 0
        assert found["auth_exports_unfinished_seconds"] == 0

    def test_a_mail_is_late_by_its_next_attempt(self, person: User) -> None:
        now = timezone.now()
        OutgoingEmail.objects.create(
            user=person, kind="verification", next_attempt_at=now - dt.timedelta(minutes=6)
        )

        assert 360 <= scraped()["auth_outbox_late_seconds"] < 370

    @pytest.mark.parametrize(("hours", "late"), [(-1, 0), (1, 3600)])
    def test_an_erasure_is_late_after_the_grace(
        self, settings: Settings, hours: int, late: int
    ) -> None:
        asked_at = timezone.now() - settings.ACCOUNT_DELETION_GRACE - dt.timedelta(hours=hours)
        UserFactory(deletion_requested_at=asked_at)

        assert late <= scraped()["auth_erasures_late_seconds"] < late + 10

    def test_an_export_is_late_until_it_is_ready(self, person: User) -> None:
        asked_at = timezone.now() - dt.timedelta(hours=1)
        export = AccountExport.objects.create(user=person, requested_at=asked_at)
        before = scraped()["auth_exports_unfinished_seconds"]
        AccountExport.objects.filter(pk=export.pk).update(ready_at=timezone.now())

        assert 3600 <= before < 3610
        assert scraped()["auth_exports_unfinished_seconds"] == 0


@pytest.mark.services
def test_the_memory_of_redis_is_a_share_of_its_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    client: Any = caches["default"].client.get_client()  # type: ignore[attr-defined]
    told = {"used_memory": 30, "maxmemory": 120}
    monkeypatch.setattr(type(client), "info", lambda *_: told)

    assert scraped()["auth_cache_memory_ratio"] == 0.25


class TestAlerts:
    RULES: dict[str, dict[str, Any]] = {
        rule["alert"]: rule
        for group in yaml.safe_load((DOCS / "alerts.yml").read_text(encoding="utf-8"))["groups"]
        for rule in group["rules"]
    }

    @pytest.mark.parametrize(
        ("alert", "noticed_after"),
        [
            ("MailerDead", heartbeat.MISSING_AFTER_SECONDS / 60),
            ("WorkerDead", heartbeat.MISSING_AFTER_SECONDS / 60),
            ("BeatDead", heartbeat.MISSING_AFTER_SECONDS / 60),
            ("MailsLate", 4),
            ("DatabaseReadOnly", 0),
            ("DatabaseLost", 0),
            ("MigrationsMissing", 0),
            ("RedisLost", 0),
            ("RedisRefusesWrites", 0),
            ("ReplicaGone", 0),
        ],
    )
    def test_the_alert_comes_within_five_minutes(self, alert: str, noticed_after: float) -> None:
        minutes = int(self.RULES[alert]["for"].removesuffix("m"))

        assert noticed_after + minutes + SCRAPE <= FIVE_MINUTES

    def test_every_state_that_an_alert_names_exists(self) -> None:
        text = (DOCS / "alerts.yml").read_text(encoding="utf-8")
        named = {
            state
            for part in text.split("_state{state=")[1:]
            for state in part.partition('"}')[0].removeprefix("~").strip('"').split("|")
        }

        assert named <= {*metrics._DATABASE_STATES, *metrics._CACHE_STATES}
        assert {"read-only", "migrations missing", "refuses writes", health.NO_ANSWER} <= named
