"""Deletes an account for its owner, after a letter, or once more after a restore."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from authentication.exceptions import PermissionRefused
from authentication.management.account_options import add_account_options, find_account
from authentication.management.operator_arguments import (
    add_operator_argument,
    add_reason_argument,
    operator_of,
)
from authentication.services import OperatorDeletionService
from authentication.utils.client import ClientInfo


class Command(BaseCommand):
    """Closes an account and mails its owner; it is erased after the grace, or now."""

    help = "Delete an account: after ACCOUNT_DELETION_GRACE_DAYS, or now. The owner is mailed."

    def add_arguments(self, parser: CommandParser) -> None:
        add_account_options(parser)
        add_reason_argument(parser)
        add_operator_argument(parser)
        parser.add_argument("--now", action="store_true", help="erase at once; nothing undoes it")
        parser.add_argument(
            "--no-mail",
            action="store_true",
            help="with --now: the owner was told before, or cannot be reached",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["no_mail"] and not options["now"]:
            raise CommandError("Use --no-mail with --now.")
        who: dict[str, Any] = {"operator": operator_of(options), "client": ClientInfo()}
        user = find_account(options)
        try:
            if options["now"]:
                done = OperatorDeletionService.erase_now(
                    user, with_mail=not options["no_mail"], **who
                )
                self.stdout.write(f"The account {user.pk} is erased.")
            else:
                done = OperatorDeletionService.request(user, **who)
                self.stdout.write(f"The account is erased on {done.due_at:%Y-%m-%d %H:%M} UTC.")
        except PermissionRefused as refusal:
            raise CommandError(refusal.detail) from None
        self.stdout.write(
            f"Receipt: {done.receipt}"
            if done.receipt
            else "The receipt of the earlier mail stays valid."
        )
