"""Mailer, worker and beat as processes: the health check names the one that is dead."""

from pathlib import Path

import pytest
from django.core.cache import caches
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from authentication.models import TokenBlacklist
from authentication.services.operations.heartbeat import JOBS, key_of
from authentication.tests.conftest import API

from . import rig
from .conftest import StartWorker

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]

BEAT = ("celery", "-A", "vineyard_group_fellowship", "-q", "beat", "-s")


def test_each_process_has_a_heartbeat_of_its_own(
    api: APIClient, settings: Settings, redis: str, start_worker: StartWorker, tmp_path: Path
) -> None:
    settings.CELERY_BROKER_URL = redis
    caches["default"].delete_many([key_of(job) for jobs in JOBS.values() for job in jobs])
    found: list[dict[str, str]] = []

    def celery() -> dict[str, str]:
        states: dict[str, str] = api.get(f"{API}/health/").json()["checks"]["celery"]
        return states

    found.append(celery())
    start_worker("mail")
    found.append(celery())
    start_worker("checks,upkeep")
    found.append(celery())
    with rig.process(*BEAT, str(tmp_path / "schedule"), log=tmp_path / "beat.log"):
        rig.until(lambda: celery()["beat"] == "active", what="beat's heartbeat")
        status = api.get(f"{API}/health/").json()["status"]

    assert [sorted(name for name, it in states.items() if it == "active") for states in found] == [
        [],
        ["mailer"],
        ["mailer", "worker"],
    ]
    assert status == "healthy"


def test_a_beat_that_starts_cleans_at_once(start_worker: StartWorker, tmp_path: Path) -> None:
    TokenBlacklist.objects.create(jti="old", expires_at=timezone.now())
    start_worker("upkeep")

    with rig.process(*BEAT, str(tmp_path / "schedule"), log=tmp_path / "beat.log"):
        rig.until(lambda: not TokenBlacklist.objects.exists(), what="an hourly task")
