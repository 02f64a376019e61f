"""manage.py export_audit_log."""

import csv
import getpass
import io
import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from authentication.management.commands import export_audit_log
from authentication.models import AuditLog, User
from authentication.services.audit import log_export
from authentication.services.audit.log_export import EVENT_FIELDS
from authentication.tests.clients import NOON
from authentication.tests.factories import UserFactory
from authentication.tests.sealing import tamper

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOON, tick=False)]


@pytest.fixture(autouse=True)
def _events(person: User) -> None:
    past = [
        (person, "login", "low"),
        (UserFactory(), "login", "low"),
        (person, "login_failed", "medium"),
        (None, "login", "high"),
    ]
    for day, (user, event, risk) in enumerate(past, 1):
        facts = {
            "metadata": {"n": day},
            "ip_address": "8.8.8.8",
            "timestamp": NOON.replace(day=day),
        }
        AuditLog.log_event(event, user=user, risk_level=risk, **facts)


@pytest.fixture
def export(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Return a function that runs the command, and returns what it writes to standard output."""

    def run_export(*arguments: str) -> str:
        call_command("export_audit_log", *arguments, stderr=io.StringIO())
        return capsys.readouterr().out

    return run_export


def numbers(text: str) -> list[int]:
    """Return the numbers of the exported events."""
    return [json.loads(line)["metadata"]["n"] for line in text.splitlines()]


def test_the_csv_has_a_heading_and_one_line_per_event_oldest_first(
    export: Any, person: User
) -> None:
    heading, *lines = csv.reader(io.StringIO(export()))

    first = dict(zip(heading, lines[0], strict=True))
    assert tuple(heading) == EVENT_FIELDS
    assert len(lines) == 4
    assert first == {
        "timestamp": "2026-11-01T12:00:00+00:00",
        "event_type": "login",
        "risk_level": "low",
        "success": "True",
        "user_id": str(person.pk),
        "ip_address": "8.8.8.8",
        "user_agent": "",
        "description": "",
        "correlation_id": "",
        "metadata": '{"n": 1}',
    }


@pytest.mark.parametrize("evil", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_cell_starts_a_formula(export: Any, evil: str) -> None:
    tamper(AuditLog.objects.all(), user_agent=evil)

    rows = list(csv.DictReader(io.StringIO(export(), newline="")))

    assert {row["user_agent"] for row in rows} == {f"'{evil}"}


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        ((), [1, 2, 3, 4]),
        (("--event", "login_failed"), [3]),
        (("--event", "login_failed", "--event", "login"), [1, 2, 3, 4]),
        (("--risk", "high"), [4]),
        (("--since", "2026-11-02"), [2, 3, 4]),
        (("--since", "2026-11-02T12:00Z", "--until", "2026-11-03T12:00Z"), [2]),
        (("--until", "2026-11-01"), []),
    ],
)
def test_filters_select_events(export: Any, arguments: tuple[str, ...], wanted: list[int]) -> None:
    assert numbers(export("--format", "jsonl", *arguments)) == wanted


def test_events_of_one_user_can_be_selected(export: Any, person: User) -> None:
    assert numbers(export("--format", "jsonl", "--person", person.email)) == [1, 3]


def test_chunks_lose_and_repeat_no_event_of_the_same_time(
    export: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_export, "_CHUNK", 3)
    for number in range(10, 20):
        AuditLog.log_event("login", metadata={"n": number}, timestamp=NOON.replace(day=5))

    assert sorted(numbers(export("--format", "jsonl"))) == [1, 2, 3, 4, *range(10, 20)]


def test_an_export_is_an_event_and_not_in_itself(export: Any, person: User) -> None:
    export("--person", person.email, "--event", "login")
    again = numbers(export("--format", "jsonl", "--person", person.email))

    events = AuditLog.objects.filter(event_type="audit_log_exported", risk_level="high")
    assert {event.user_id for event in events} == {person.pk}
    assert {event.metadata["operator"] for event in events} == {getpass.getuser()}
    assert sorted(event.metadata["events"] for event in events) == [[], ["login"]]
    assert again == [1, 3]


def test_the_help_lists_the_events(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        call_command("export_audit_log", "--help")

    text = " ".join(capsys.readouterr().out.split())
    assert [event for event in AuditLog.Event.values if event not in text] == []


class TestFile:
    def test_the_file_is_readable_only_by_its_owner(self, export: Any, tmp_path: Path) -> None:
        export(str(tmp_path / "log.csv"))

        assert stat.S_IMODE((tmp_path / "log.csv").stat().st_mode) == 0o600
        assert [it.name for it in tmp_path.iterdir()] == ["log.csv"]

    def test_an_existing_file_is_not_overwritten(self, export: Any, tmp_path: Path) -> None:
        (tmp_path / "log.csv").write_text("before", encoding="utf-8")

        with pytest.raises(CommandError, match="exists already"):
            export(str(tmp_path / "log.csv"))

        assert (tmp_path / "log.csv").read_text(encoding="utf-8") == "before"

    def test_a_failed_export_leaves_no_file(
        self, export: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(*_: Any) -> None:
            raise OSError("no space left")

        monkeypatch.setattr(export_audit_log, "csv_lines", full)

        with pytest.raises(OSError, match="no space left"):
            export(str(tmp_path / "log.csv"))

        assert list(tmp_path.iterdir()) == []

    def test_an_unwritable_path_is_reported(self, export: Any, tmp_path: Path) -> None:
        with pytest.raises(CommandError, match="cannot be written"):
            export(str(tmp_path / "nowhere" / "log.csv"))


@pytest.mark.parametrize(
    "arguments",
    [
        ("--event", "nothing"),
        ("--since", "yesterday"),
        ("--person", "nobody"),
        ("--person", ""),
        ("--risk", "none"),
        ("--format", "xml"),
    ],
)
def test_invalid_arguments_are_refused(export: Any, arguments: tuple[str, ...]) -> None:
    with pytest.raises(CommandError):
        export(*arguments)
