"""manage.py verify_audit_log."""

import datetime as dt

import pytest
from django.core.management import CommandError
from django.utils import timezone

from authentication.models import AuditLog, AuditSeal, User
from authentication.tests.sealing import log_events, seal_now, tamper

from .running import run_command

pytestmark = pytest.mark.django_db
NAME = "verify_audit_log"


@pytest.fixture
def events(person: User) -> list[AuditLog]:
    long_ago = timezone.now() - dt.timedelta(hours=1)
    stored = log_events(*["login"] * 25, user=person, timestamp=long_ago)
    seal_now()
    return stored


def test_an_empty_log_is_in_order() -> None:
    assert run_command(NAME).endswith("Nothing was changed. The newest seal: none yet\n")


def test_it_says_what_was_checked(events: list[AuditLog]) -> None:
    head = str(AuditSeal.objects.get())

    assert run_command(NAME, "--seal", head) == (
        "25 events in 1 seals were checked. An erasure has blanked 0 of them. 0 newer ones are not"
        f" sealed yet.\nNothing was changed. The newest seal: {head}\n"
    )


def test_it_names_what_was_changed(
    events: list[AuditLog], capsys: pytest.CaptureFixture[str]
) -> None:
    tamper(AuditLog.objects.all(), description="x")

    with pytest.raises(CommandError, match="tampered") as failed:
        run_command(NAME)

    assert failed.value.returncode == 1


def test_it_names_a_seal_that_is_gone(events: list[AuditLog]) -> None:
    with pytest.raises(CommandError, match="tampered"):
        run_command(NAME, "--seal", f"1:{'0' * 64}")


@pytest.mark.parametrize("seal", ["1", "x:0", f"1:{'0' * 63}", f"-1:{'0' * 64}"])
def test_a_malformed_seal_is_refused(seal: str) -> None:
    with pytest.raises(CommandError, match="number and the digest"):
        run_command(NAME, f"--seal={seal}")
