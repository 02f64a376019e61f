"""Rotates the keys of encrypted secrets."""

from typing import Any

from django.core.management.base import BaseCommand

from authentication.management.progress import Progress
from authentication.services.operations import EncryptionService


class Command(BaseCommand):
    """Encrypts with the first of FIELD_ENCRYPTION_KEYS what an older one was used for."""

    help = "Encrypt secrets with the first of FIELD_ENCRYPTION_KEYS; older keys can be dropped after it."

    def handle(self, *args: Any, **options: Any) -> None:
        with Progress("secrets", EncryptionService.count_outdated(), self.stderr) as progress:
            done = EncryptionService.renew(on_each=progress.advance)
        self.stdout.write(f"{done} secrets encrypted with the newest key")
