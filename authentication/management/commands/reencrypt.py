"""Re-encrypts secrets after a key rotation."""

from typing import Any

from django.core.management.base import BaseCommand

from authentication.management.progress import Progress
from authentication.services.operations import EncryptionService


class Command(BaseCommand):
    """Re-encrypts secrets with the first of FIELD_ENCRYPTION_KEYS."""

    help = (
        "Re-encrypt secrets with the first of FIELD_ENCRYPTION_KEYS;"
        " afterwards older keys can be removed."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        with Progress("secrets", EncryptionService.count_outdated(), self.stderr) as progress:
            done = EncryptionService.renew(on_each=progress.advance)
        self.stdout.write(f"{done} secrets encrypted with the newest key")
