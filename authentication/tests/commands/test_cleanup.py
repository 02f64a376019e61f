"""manage.py cleanup."""

import datetime as dt
import io

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from authentication.models import AuditLog, TokenBlacklist, User
from authentication.services.operations import RetentionService
from authentication.tests.sealing import seal_now

from .running import run_command

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _rows(person: User) -> None:
    """Create an event and a revoked token that are due."""
    now = timezone.now()
    AuditLog.objects.create(user=person, event_type="login", timestamp=now - dt.timedelta(days=365))
    seal_now()
    TokenBlacklist.objects.create(jti="x", user=person, expires_at=now)


def test_every_rule_is_carried_out() -> None:
    written = run_command("cleanup")

    assert [line.split(":")[0] for line in written.splitlines()] == RetentionService.names()
    assert "audit: 1 rows handled" in written
    assert (AuditLog.objects.count(), TokenBlacklist.objects.count()) == (0, 0)


def test_only_the_named_rule_is_carried_out() -> None:
    assert run_command("cleanup", "blacklist") == "blacklist: 1 rows handled\n"
    assert (AuditLog.objects.count(), TokenBlacklist.objects.count()) == (1, 0)


def test_a_dry_run_only_counts() -> None:
    assert run_command("cleanup", "--dry-run", "audit") == "audit: 1 rows would be handled\n"
    assert AuditLog.objects.count() == 1


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(CommandError, match=r"No such rule: x\. There are: sessions, tokens"):
        run_command("cleanup", "x")

    assert AuditLog.objects.count() == 1


def test_a_terminal_shows_a_bar() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    shown = Terminal()
    call_command("cleanup", "audit", stdout=io.StringIO(), stderr=shown, no_color=True)

    assert "audit [##############################] 100% 1/1" in shown.getvalue()
