"""Gives a role in the admin to a person, or takes it."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from authentication.exceptions import PermissionRefused
from authentication.management.operator_arguments import add_operator_argument, operator_of
from authentication.management.user_argument import add_user_argument, find_user
from authentication.services.acted_by import ActedBy
from authentication.services.staff_roles import NONE, OWNER, RoleService

_ROLES = ("helper", "administrator", "auditor", OWNER, NONE)


class Command(BaseCommand):
    """The role replaces every right that the person has in the admin."""

    help = "Give a person a role in the admin, in place of all rights that they have there."

    def add_arguments(self, parser: CommandParser) -> None:
        add_user_argument(parser)
        parser.add_argument("role", choices=_ROLES)
        parser.add_argument("--reason", default="", help="why; kept in the audit log")
        add_operator_argument(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        operator, person = operator_of({"by": options["by"]}), find_user(options)
        try:
            by = ActedBy.command(operator, reason=options["reason"])
            RoleService.give(person, options["role"], by=by)
        except PermissionRefused as refusal:
            raise CommandError(str(refusal.detail)) from None
        self.stdout.write(f"{person.username} has the role: {options['role']}.")
