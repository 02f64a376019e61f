"""Sends mails and runs tasks again that have failed for good."""

import uuid
from collections.abc import Iterable
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from authentication.exceptions import PermissionRefused
from authentication.management.operator_arguments import add_operator_argument, operator_of
from authentication.models import FailedTask, OutgoingEmail
from authentication.services.acted_by import ActedBy
from authentication.services.administration import AdministrationService


class Command(BaseCommand):
    """Does what "Send again" does in the admin's lists of mails and of failed tasks."""

    help = "Send dead mails again, or run failed tasks again, once each."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--mail", metavar="ID", action="append", default=[], help="a dead mail")
        parser.add_argument(
            "--task", metavar="ID", action="append", default=[], help="a failed task"
        )
        parser.add_argument("--all-mails", action="store_true", help="every dead mail")
        parser.add_argument("--all-tasks", action="store_true", help="every failed task")
        add_operator_argument(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        by = ActedBy.command(operator_of(options))
        dead = OutgoingEmail.objects.filter(status=OutgoingEmail.Status.DEAD)
        failed = FailedTask.objects.filter(sent_again_at=None)
        mails = dead if options["all_mails"] else _named(dead, options["mail"])
        tasks = failed if options["all_tasks"] else _named(failed, options["task"])
        sent = run = 0
        for mail in mails:
            try:
                sent += AdministrationService.send_again(mail, by=by)
            except PermissionRefused as refusal:
                self.stderr.write(f"{mail}: {refusal.detail}")
        for task in tasks:
            run += AdministrationService.run_again(task, by=by)
        self.stdout.write(f"{sent} mail(s) will be sent again, {run} task(s) will run again.")


def _named(rows: Any, texts: list[str]) -> Iterable[Any]:
    """Return the rows with these ids; raises CommandError for one that there is not."""
    try:
        ids = [uuid.UUID(text) for text in texts]
    except ValueError:
        raise CommandError("An id is 32 hexadecimal digits.") from None
    found = {it.pk: it for it in rows.filter(pk__in=ids)}
    if missing := [str(pk) for pk in ids if pk not in found]:
        raise CommandError(f"None has failed with the id {missing[0]}, or it was sent again.")
    return list(found.values())
