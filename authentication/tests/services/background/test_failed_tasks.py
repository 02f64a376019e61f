"""Tasks that failed for good: recorded, shown, and run again once."""

import uuid
from typing import Any

import pytest
from django.db import connections
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from authentication import tasks
from authentication.models import AuditLog, FailedTask, User
from authentication.services.background import failed_tasks
from authentication.services.background import queue as background
from authentication.services.mail.outbox import EmailService
from authentication.tests.admin.staff import run_action
from authentication.tests.clients import NOON
from authentication.utils.pwned import Unavailable

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOON, tick=False)]

CHECK = "authentication.tasks.check_breach"
ARGUMENTS = [str(uuid.UUID(int=1)), NOON.isoformat(), "ABCDE", "salt", "mac"]
LIST = reverse("admin:authentication_failedtask_changelist")


def test_celery_records_a_failed_task(db: None) -> None:
    tasks.check_breach.on_failure(Unavailable("500"), "id", ARGUMENTS, {}, None)

    failed = FailedTask.objects.get()
    assert (failed.task, failed.arguments, failed.error, failed.sent_again_at) == (
        CHECK,
        ARGUMENTS,
        "Unavailable",
        None,
    )


def test_a_thread_records_a_task_after_the_last_retry(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**_: Any) -> None:
        raise Unavailable("500")

    monkeypatch.setattr(tasks, "check", fail)
    monkeypatch.setattr(connections, "close_all", lambda: None)

    background.run(CHECK, *ARGUMENTS, attempt=tasks.check_breach.max_retries)

    assert FailedTask.objects.get().arguments == ARGUMENTS


def test_a_thread_records_a_crashed_task(monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(_: str) -> None:
        raise RuntimeError("ruth@example.org")

    monkeypatch.setattr(EmailService, "deliver", crash)
    monkeypatch.setattr(connections, "close_all", lambda: None)

    background.run("authentication.tasks.deliver_email", str(uuid.UUID(int=7)))

    failed = FailedTask.objects.get()
    assert (failed.error, failed.arguments) == ("RuntimeError", [str(uuid.UUID(int=7))])
    assert "example.org" not in str(vars(failed))


class TestAdminAction:
    @pytest.fixture
    def started(self, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
        calls: list[tuple[str, ...]] = []
        monkeypatch.setattr(failed_tasks, "enqueue", lambda *call: calls.append(call))
        return calls

    @pytest.fixture
    def failed(self, db: None) -> FailedTask:
        return FailedTask.objects.create(task=CHECK, arguments=ARGUMENTS, error="Unavailable")

    @pytest.fixture
    def superuser_client(self, db: None, settings: Settings) -> Client:
        client = Client()
        client.force_login(
            User.objects.create_superuser("superuser@example.org", "Barley-Harvest-7")
        )
        return client

    def test_send_again_runs_a_task_once_and_is_audited(
        self, superuser_client: Client, failed: FailedTask, started: list[tuple[str, ...]]
    ) -> None:
        answers = [run_action(superuser_client, "send_again", failed, at=LIST) for _ in range(2)]

        failed.refresh_from_db()
        assert [b"1 task will run again" in answer.content for answer in answers] == [
            True,
            False,
        ]
        assert started == [(CHECK, *ARGUMENTS)]
        assert failed.sent_again_at == NOON
        event = AuditLog.objects.get(event_type="admin_action")
        assert event.metadata["actor"] == str(User.objects.get().pk)

    def test_the_admin_hides_the_arguments(
        self, superuser_client: Client, failed: FailedTask
    ) -> None:
        page = superuser_client.get(
            reverse("admin:authentication_failedtask_change", args=[failed.pk])
        ).content.decode()

        assert CHECK in page
        assert "ABCDE" not in page
