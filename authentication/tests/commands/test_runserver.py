"""manage.py runserver: what it prints."""

import io

from pytest_django import Settings

from authentication.management.commands.runserver import Command


def test_the_places_of_api_docs_admin_and_mails_are_printed(settings: Settings) -> None:
    settings.EMAIL_BACKEND = "authentication.services.mail.file_backend.FileMailbox"
    settings.EMAIL_FILE_PATH = "var/mail"
    output = io.StringIO()

    Command(stdout=output).on_bind(8002)

    printed = output.getvalue()
    for place in ("/account/", "/api/v1/auth/", "/api/docs/", "/admin/", "Mails      var/mail\n"):
        assert place in printed


def test_the_embedded_mode_prints_its_mailbox(settings: Settings) -> None:
    settings.DEVELOPMENT_MAILBOX = True
    output = io.StringIO()

    Command(stdout=output).on_bind(8002)

    assert "http://localhost:8002/dev/mailbox/" in output.getvalue()
