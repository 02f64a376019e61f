"""Mails as files."""

import email
import re
import stat
from email import policy
from pathlib import Path

import pytest
from pytest_django import Settings

from authentication.models import User
from authentication.services import EmailService
from authentication.tests.clients import NOON

from .outbox_mails import Kind, queue_mail, states

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOON, tick=False)]


FILE_BACKEND = "authentication.services.mail.file_backend.FileMailbox"


def test_the_file_backend_writes_files_only_their_owner_can_read(
    person: User, settings: Settings, tmp_path: Path
) -> None:
    settings.EMAIL_BACKEND = FILE_BACKEND
    settings.EMAIL_FILE_PATH = tmp_path / "a" / "mail"

    EmailService.deliver(queue_mail(user=person).pk)
    EmailService.deliver(queue_mail(Kind.ACCOUNT_EXISTS, user=person).pk)

    files = sorted((tmp_path / "a" / "mail").iterdir())
    assert [
        re.fullmatch(r"20261122-120000-[0-9a-f]{8}\.eml", path.name) is not None for path in files
    ] == [True] * 2
    assert [stat.S_IMODE(path.stat().st_mode) for path in files] == [0o600] * 2
    message = email.message_from_bytes(files[0].read_bytes(), policy=policy.default)
    assert message["To"] == person.email
    assert [part.get_content_type() for part in message.walk()] == [
        "multipart/alternative",
        "text/plain",
        "text/html",
    ]
    assert [status for status, _ in states()] == ["sent"] * 2


def test_a_folder_that_cannot_be_written_to_is_a_failed_attempt(
    person: User, settings: Settings, tmp_path: Path
) -> None:
    (tmp_path / "mail").write_text("a file where the folder should be", encoding="utf-8")
    settings.EMAIL_BACKEND = FILE_BACKEND
    settings.EMAIL_FILE_PATH = tmp_path / "mail"

    EmailService.deliver(queue_mail(user=person).pk)

    assert states() == [("queued", 1)]
