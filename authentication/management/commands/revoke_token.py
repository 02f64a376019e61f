"""Revokes a token by its identifier."""

import uuid
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from authentication.management.operator_arguments import add_operator_argument, operator_of
from authentication.models import TokenBlacklist
from authentication.services.acted_by import ActedBy
from authentication.services.administration import AdministrationService


class Command(BaseCommand):
    """Does what "Add revoked token" does in the admin."""

    help = "Revoke a token by its `jti`; the session of a refresh token ends."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("jti", help="the identifier in the token, never the token")
        add_operator_argument(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            jti = uuid.UUID(options["jti"]).hex
        except ValueError:
            raise CommandError("The claim jti is 32 hexadecimal digits.") from None
        AdministrationService.revoke_token(
            jti=jti,
            reason=TokenBlacklist.Reason.ADMIN,
            by=ActedBy.command(operator_of(options)),
        )
        self.stdout.write("The token is revoked.")
