"""Writes everything that is held about a person to a file."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from authentication.management.account_options import add_account_options, find_account
from authentication.management.operator_arguments import (
    add_operator_argument,
    add_reason_argument,
    operator_of,
)
from authentication.management.private_file import private_file
from authentication.services import DataCopyService
from authentication.utils.client import ClientInfo


class Command(BaseCommand):
    """Writes a person's data as JSON, as a stream, to a file that only its owner may read."""

    help = "Write everything that is held about a person who cannot sign in, as JSON."

    def add_arguments(self, parser: CommandParser) -> None:
        add_account_options(parser)
        parser.add_argument("--output", required=True, help="a file that does not exist yet")
        add_reason_argument(parser)
        add_operator_argument(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        operator, user = operator_of(options), find_account(options)
        with private_file(options["output"]) as file:
            DataCopyService.write(user, file.write, operator=operator, client=ClientInfo())
        self.stdout.write(f"Written to {options['output']}.")
