"""Celery's beat: what it starts after a start, and its heartbeat."""

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from django.core.cache import caches
from pytest_django import Settings

from authentication.services.operations import heartbeat
from vineyard_group_fellowship.beat import Scheduler

Run = Callable[[], list[str]]


@pytest.fixture
def run(tmp_path: Path, settings: Settings) -> Run:
    """Return a function that starts beat and stops it; it returns the entries that were due."""
    app = Celery("test", set_as_current=False)
    app.config_from_object("django.conf:settings", namespace="CELERY")
    file = str(tmp_path / "schedule")

    def start() -> list[str]:
        started: list[str] = []
        with contextlib.closing(Scheduler(app, schedule_filename=file)) as scheduler:
            scheduler.producer = None
            scheduler.apply_entry = lambda entry, **_: started.append(entry.name)
            while scheduler.tick() == 0:
                pass
        return sorted(started)

    return start


def test_with_a_new_file_everything_is_due_at_the_start(run: Run, settings: Settings) -> None:
    assert run() == sorted(settings.CELERY_BEAT_SCHEDULE)


def test_with_its_file_a_restart_repeats_nothing(run: Run) -> None:
    run()

    assert run() == []


def test_every_entry_expires_so_that_restarts_pile_up_no_tasks(settings: Settings) -> None:
    entries: dict[str, Any] = settings.CELERY_BEAT_SCHEDULE

    assert [name for name, it in entries.items() if not it["options"].get("expires")] == []


def test_each_round_writes_the_heartbeat(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heartbeat, "_written_at", {})
    monkeypatch.setattr(heartbeat, "_INTERVAL_SECONDS", 0)

    run()

    assert len(caches["default"].get(heartbeat.key_of("beat"))) == 1


def test_a_round_is_far_shorter_than_the_time_after_which_beat_is_missing(
    settings: Settings,
) -> None:
    assert settings.CELERY_BEAT_MAX_LOOP_INTERVAL * 4 <= heartbeat.MISSING_AFTER_SECONDS
