"""Bulk actions beside themselves: two workers, two presses of the button."""

import contextlib

import pytest
from django.test import Client

from authentication.exceptions import PermissionRefused
from authentication.models import AuditLog, BulkAction, User
from authentication.services.acted_by import ActedBy
from authentication.services.admin_pages import BULK_ACTIONS, BulkActionService
from authentication.tests.factories import UserFactory

from .crowd import all_at_once

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def bulk(db: None) -> BulkAction:
    """Return a question about ten people."""
    boss = UserFactory(is_staff=True, is_superuser=True)
    people = [UserFactory().pk for _ in range(10)]
    return BulkActionService.prepare(BULK_ACTIONS["end-sessions"], people, actor=boss)


def done_for() -> list[str]:
    events = AuditLog.objects.filter(metadata__action="end_sessions")
    return [str(it) for it in events.values_list("user_id", flat=True)]


def test_two_workers_act_once_for_each_person(
    bulk: BulkAction, monkeypatch: pytest.MonkeyPatch
) -> None:
    BulkActionService.start(bulk, by=ActedBy(bulk.actor))
    # As if each took the other for dead.
    monkeypatch.setattr(type(BulkAction.objects.all()), "claim", lambda *_, **__: True)

    all_at_once(*[lambda: BulkActionService.carry_out(str(bulk.pk), seconds=60)] * 4)

    assert len(done_for()) == len(set(done_for())) == 10
    bulk.refresh_from_db()
    assert bulk.finished_at


def test_one_of_several_presses_starts_it(bulk: BulkAction) -> None:
    def press() -> int:
        client = Client()
        client.force_login(User.objects.get(pk=bulk.actor_id))
        return client.post(f"/admin/authentication/bulkaction/{bulk.pk}/start/").status_code

    assert all_at_once(*[press] * 4) == [302] * 4
    assert AuditLog.objects.filter(metadata__action="start_bulk").count() == 1


def test_a_stop_and_a_start_agree(bulk: BulkAction) -> None:
    boss = User.objects.get(pk=bulk.actor_id)

    def start() -> None:
        BulkActionService.start(bulk, by=ActedBy(boss))

    def stop() -> None:
        BulkActionService.stop(bulk, by=ActedBy(boss))

    with contextlib.suppress(PermissionRefused):  # The start came second.
        all_at_once(stop, start)
    BulkActionService.carry_out(str(bulk.pk), seconds=60)

    bulk.refresh_from_db()
    assert bulk.stopped_at
    assert done_for() == []
