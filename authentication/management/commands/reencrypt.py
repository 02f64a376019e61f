"""Re-encrypts secrets after a key rotation."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from authentication.management.operator_arguments import add_operator_argument, operator_of
from authentication.management.progress import Progress
from authentication.services.operations import EncryptionService
from authentication.utils.client import ClientInfo


class Command(BaseCommand):
    """Re-encrypts secrets with the first of FIELD_ENCRYPTION_KEYS."""

    help = (
        "Re-encrypt secrets with the first of FIELD_ENCRYPTION_KEYS. A day later, when exports have"
        " expired, older keys can be removed. It can be stopped and run again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        add_operator_argument(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        operator = operator_of(options)
        with Progress("secrets", EncryptionService.count_outdated(), self.stderr) as progress:
            done = EncryptionService.renew(
                operator=operator, client=ClientInfo(), on_batch=progress.advance
            )
        self.stdout.write(f"{done.renewed} secrets encrypted with the newest key")
        if not done.unreadable:
            return
        for user_id in done.unreadable:
            self.stdout.write(f"unreadable: {user_id}")
        raise CommandError(
            f"{len(done.unreadable)} secrets cannot be read: their key is not among"
            " FIELD_ENCRYPTION_KEYS. Add the key they were encrypted with, and run this again."
            " If it is lost, remove the second factors of these accounts."
        )
