"""Erasures that fail, and those that take long."""

import io

import pytest
from django.core.management import call_command
from time_machine import TimeMachineFixture

from authentication.models import AuditLog, FailedTask, User
from authentication.services.accounts import erasure
from authentication.services.operations import RetentionService
from authentication.tasks import erase_account
from authentication.tests.clients import NOON
from authentication.tests.erasing import ADDRESS, GRACE, erase_due, stored_canaries
from authentication.tests.factories import UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOON, tick=False)]


class TestFailures:
    """One account cannot be erased."""

    @pytest.fixture(autouse=True)
    def _broken(self, due: User, monkeypatch: pytest.MonkeyPatch) -> None:
        genuine = erasure._delete_related

        def fail(user: User) -> None:
            if user.pk == due.pk:
                raise OSError
            genuine(user)

        monkeypatch.setattr(erasure, "_delete_related", fail)

    def test_an_account_that_cannot_be_erased_stops_no_other(self, due: User) -> None:
        for _ in range(3):
            User.objects.request_deletion(UserFactory().pk, at=NOON - GRACE)

        erase_due()

        assert [*User.objects.exclude(deletion_requested_at=None)] == [due]

    def test_it_is_tried_again_after_an_hour_then_two_up_to_a_day(
        self, due: User, time_machine: TimeMachineFixture
    ) -> None:
        tries = 0
        for hour in range(75):
            if erase_due():
                tries += 1
                assert hour in {0, 1, 3, 7, 15, 31, 55}
            time_machine.shift(3600)

        assert tries == 7
        due.refresh_from_db()
        assert due.erasure_failures == 7

    def test_staff_see_it_among_the_failed_tasks_and_can_run_it_again(
        self, due: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        erase_due()

        failed = FailedTask.objects.get(task="authentication.tasks.erase_account")
        assert (failed.arguments, failed.error) == ([str(due.pk)], "OSError")
        monkeypatch.undo()
        erase_account(*failed.arguments)
        assert not User.objects.filter(pk=due.pk).exists()


class TestTime:
    """An account with more events than one slice of time is enough for."""

    @pytest.fixture(autouse=True)
    def _events(self, due: User, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(erasure, "_BATCH", 10)
        AuditLog.objects.bulk_create(
            AuditLog(user=due, event_type="login", ip_address=ADDRESS) for _ in range(60)
        )

    def test_the_next_slice_goes_on(self, due: User) -> None:
        left = [AuditLog.objects.filter(user=due).count()]
        while User.objects.filter(pk=due.pk).exists():
            # Its time is over when it begins.
            RetentionService.clean("deletions", seconds=-1)
            left.append(AuditLog.objects.filter(user=due).count())

        assert left == sorted(left, reverse=True)
        assert len(left) > 6
        assert stored_canaries() == []

    def test_the_command_erases_all(self, due: User) -> None:
        call_command("cleanup", "deletions", stdout=io.StringIO(), stderr=io.StringIO())

        assert not User.objects.filter(pk=due.pk).exists()
