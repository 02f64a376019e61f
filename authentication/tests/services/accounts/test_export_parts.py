"""Exports of any size: made and read in parts, tried three times, then given up."""

import gc
import json
import secrets
import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import IntegrityError
from time_machine import TimeMachineFixture

from authentication.models import (
    AccountExport,
    AuditLog,
    ExportPart,
    FailedTask,
    OutgoingEmail,
    User,
)
from authentication.models.account_export import LEASE
from authentication.services import ExportService
from authentication.services.accounts import export, export_parts, personal_data
from authentication.services.accounts.export_parts import ExportReader
from authentication.tests.clients import NOON
from authentication.utils.encryption import DecryptionError

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOON, tick=False)]


@pytest.fixture
def requested(person: User) -> AccountExport:
    """Return an export that is to be made."""
    return AccountExport.objects.create(user=person)


def build(requested: AccountExport) -> AccountExport:
    ExportService.build(requested.pk)
    requested.refresh_from_db()
    return requested


class TestParts:
    @pytest.fixture(autouse=True)
    def _small(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(export_parts, "_PART_BYTES", 200)
        monkeypatch.setattr(personal_data, "_PAGE", 7)

    def test_events_of_all_pages_come_once_the_newest_first(
        self, person: User, requested: AccountExport
    ) -> None:
        # Several of them at the same moment, more than a page of them.
        AuditLog.objects.bulk_create(
            AuditLog(
                user=person,
                event_type="login",
                description=str(number),
                user_agent=secrets.token_hex(200),
                timestamp=moment,
            )
            for number, moment in enumerate([NOON] * 100 + [NOON - LEASE] * 100)
        )

        copy = json.loads(ExportReader(build(requested)).read())

        assert requested.parts > 2
        assert sorted(int(it["description"]) for it in copy["events"]) == [*range(200)]
        times = [it["timestamp"] for it in copy["events"]]
        assert times == sorted(times, reverse=True)

    def test_blocks_of_any_size_make_the_whole(
        self, person: User, requested: AccountExport
    ) -> None:
        for number in range(50):
            AuditLog.log_event("login", user=person, description=str(number))
        whole = ExportReader(build(requested)).read()

        reader = ExportReader(requested)
        blocks = [*iter(lambda: reader.read(100), b"")]

        assert b"".join(blocks) == whole
        assert {len(block) for block in blocks[:-1]} == {100}

    def test_parts_cannot_change_places_or_be_left_out(
        self, person: User, requested: AccountExport
    ) -> None:
        AuditLog.objects.bulk_create(
            AuditLog(user=person, event_type="login", user_agent=secrets.token_hex(200))
            for _ in range(200)
        )
        build(requested)
        second = ExportPart.objects.get(number=2)

        ExportPart.objects.filter(number=1).update(content=second.content)
        with pytest.raises(DecryptionError):
            ExportReader(requested)

        ExportPart.objects.filter(number=1).delete()
        with pytest.raises(ExportPart.DoesNotExist):
            ExportReader(requested)


@pytest.mark.slow
@pytest.mark.usefixtures("_ordinary_garbage_collection")
def test_four_times_as_many_events_take_no_more_memory(
    person: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(personal_data, "_PAGE", 100)
    monkeypatch.setattr(export_parts, "_PART_BYTES", 4096)
    monkeypatch.setattr(export_parts, "_PIECE_BYTES", 16 * 1024)
    peaks = []
    for more in (500, 1_500):
        AuditLog.objects.bulk_create(
            AuditLog(user=person, event_type="login", user_agent=secrets.token_hex(200))
            for _ in range(more)
        )
        peaks.append(peak_of_a_copy(person))

    assert peaks[1] < 1.2 * peaks[0]


@pytest.mark.slow
def test_a_part_that_expands_a_hundred_times_is_read_in_pieces(
    person: User, requested: AccountExport
) -> None:
    AuditLog.objects.bulk_create(
        AuditLog(user=person, event_type="login", user_agent="a" * 512) for _ in range(8_000)
    )
    build(requested)
    tracemalloc.start()
    reader, size = ExportReader(requested), 0
    while block := reader.read(64 * 1024):
        size += len(block)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert size > 4 * 2**20 > 4 * peak


@pytest.fixture
def _ordinary_garbage_collection() -> Iterator[None]:
    """Collect garbage as often as the service does: the tests' run does it rarely."""
    rarely = gc.get_threshold()
    gc.set_threshold(700, 10, 10)
    yield
    gc.set_threshold(*rarely)


def peak_of_a_copy(person: User) -> int:
    """Make a copy, read it, and return the most memory that this took at a time, in bytes."""
    requested = AccountExport.objects.create(user=person)
    gc.collect()
    tracemalloc.start()
    reader = ExportReader(build(requested))
    while reader.read(4096):
        pass
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


class TestTries:
    @pytest.fixture(autouse=True)
    def _broken(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail(*_: Any) -> None:
            raise ConnectionError

        monkeypatch.setattr(export, "store_parts", fail)

    @staticmethod
    def fail(requested: AccountExport) -> None:
        with pytest.raises(ConnectionError):
            ExportService.build(requested.pk)

    def test_an_export_is_tried_again_only_after_its_lease(
        self, requested: AccountExport, time_machine: TimeMachineFixture
    ) -> None:
        self.fail(requested)

        ExportService.build(requested.pk)
        time_machine.shift(LEASE)
        self.fail(requested)

    def test_after_three_tries_the_person_and_staff_are_informed_once(
        self, requested: AccountExport, time_machine: TimeMachineFixture
    ) -> None:
        for _ in range(3):
            self.fail(requested)
            time_machine.shift(LEASE)
        for _ in range(2):
            ExportService.sweep()
        ExportService.build(requested.pk)

        assert OutgoingEmail.objects.filter(kind="export_failed").count() == 1
        failed = FailedTask.objects.get()
        assert (failed.task, failed.arguments) == (
            "authentication.tasks.build_export",
            [str(requested.pk)],
        )
        assert ExportService.state_of(requested.user).state == "failed"


def test_an_export_that_is_replaced_while_it_is_made_ends_quietly(
    requested: AccountExport, monkeypatch: pytest.MonkeyPatch
) -> None:
    def replaced(export: AccountExport, _: Any) -> None:
        export.delete()
        raise IntegrityError

    monkeypatch.setattr(export, "store_parts", replaced)

    ExportService.build(requested.pk)

    assert not OutgoingEmail.objects.exists()


def test_a_try_that_took_longer_than_its_lease_finishes_nothing(
    requested: AccountExport, monkeypatch: pytest.MonkeyPatch, time_machine: TimeMachineFixture
) -> None:
    genuine = export_parts.store_parts

    def overtaken(made: AccountExport, texts: Any) -> int:
        time_machine.shift(LEASE)
        assert AccountExport.objects.claim_build(made.pk, at=NOON + LEASE)
        return genuine(made, texts)

    monkeypatch.setattr(export, "store_parts", overtaken)

    assert build(requested).ready_at is None
    assert not OutgoingEmail.objects.exists()


def test_an_export_of_a_closed_account_is_neither_made_nor_given_up(
    person: User, requested: AccountExport, time_machine: TimeMachineFixture
) -> None:
    User.objects.filter(pk=person.pk).update(is_active=False)
    for _ in range(4):
        ExportService.sweep()
        build(requested)
        time_machine.shift(LEASE)

    assert (requested.tries, requested.failed_at) == (0, None)
    assert not FailedTask.objects.exists()
