"""services/background/schedule.py: the schedule without a broker."""

import threading

import pytest
from pytest_django import Settings

from authentication.services.background import schedule


def test_each_entry_of_the_schedule_runs_when_it_is_due(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.EMAIL_SWEEP_SECONDS = 60
    settings.CELERY_BEAT_SCHEDULE = {
        "sweep": {"task": "sweep", "schedule": 60.0},
        "clean": {"task": "clean", "schedule": 3600, "args": ("audit",)},
    }
    runs: list[tuple[str, ...]] = []
    clock = iter(range(0, 10_000, 60))
    now = 0

    class Clock:
        def wait(self, _: float) -> bool:
            nonlocal now
            now = next(clock)
            return now > 3600

    monkeypatch.setattr(schedule, "Event", Clock)
    monkeypatch.setattr(schedule, "monotonic", lambda: now)
    monkeypatch.setattr(schedule, "run", lambda *call: runs.append(call))

    schedule._run_schedule()

    assert runs.count(("sweep",)) == 61
    assert runs.count(("clean", "audit")) == 2


@pytest.mark.parametrize(("broker", "starts"), [("", True), ("redis://127.0.0.1:1/0", False)])
def test_the_schedule_runs_in_this_process_only_without_a_broker(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, broker: str, *, starts: bool
) -> None:
    settings.EMAIL_SWEEP_SECONDS = 60
    settings.CELERY_BROKER_URL = broker
    started = threading.Event()
    monkeypatch.setattr(schedule, "_run_schedule", started.set)

    schedule.start_scheduler()

    assert started.wait(1 if starts else 0.1) is starts
