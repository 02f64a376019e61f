"""Finds an erasure by its receipt."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from authentication.management.operator_arguments import add_operator_argument, operator_of
from authentication.services import ErasureProofService
from authentication.utils.client import ClientInfo


class Command(BaseCommand):
    """Says when the account of a receipt was erased; whose it was is not stored."""

    help = "Say when the account of a receipt was erased."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("receipt", help="the number in the mail about the deletion")
        add_operator_argument(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        proof = ErasureProofService.find(
            options["receipt"], operator=operator_of(options), client=ClientInfo()
        )
        if proof.erased_at:
            self.stdout.write(f"Erased on {proof.erased_at:%Y-%m-%d %H:%M} UTC.")
        elif proof.due_at:
            self.stdout.write(f"Not erased yet: due on {proof.due_at:%Y-%m-%d %H:%M} UTC.")
        else:
            raise CommandError(
                "No erasure has this receipt: it is wrong, the deletion was cancelled, or the event"
                " is older than AUDIT_LOG_RETENTION_DAYS."
            )
