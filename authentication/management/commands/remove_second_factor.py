"""Requests or cancels the removal of a user's second factor."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from authentication.exceptions import PermissionRefused
from authentication.management.user_argument import add_user_argument, find_user
from authentication.services import SecondFactorRemovalService
from authentication.utils.client import ClientInfo


class Command(BaseCommand):
    """Acts as a member of staff. The second member of staff confirms in the admin only."""

    help = "Remove a user's second factor after 24 hours, unless the user stops it."

    def add_arguments(self, parser: CommandParser) -> None:
        add_user_argument(parser)
        parser.add_argument(
            "--staff", required=True, metavar="PERSON", help="the member of staff who asks for it"
        )
        parser.add_argument("--reason", default="", help="why; the user can read it")
        parser.add_argument("--cancel", action="store_true", help="cancel a pending removal")

    def handle(self, *args: Any, **options: Any) -> None:
        person, actor = find_user(options), find_user({"person": options["staff"]})
        if not (
            actor.is_staff and actor.is_active and actor.has_perm("authentication.change_user")
        ):
            raise CommandError(f"{actor.username} may not change accounts.")
        try:
            if options["cancel"]:
                self._cancel(person, actor)
            else:
                removal = SecondFactorRemovalService.request(
                    person, reason=options["reason"], actor=actor, client=ClientInfo()
                )
                self.stdout.write(f"Due at {removal.effective_at:%Y-%m-%d %H:%M} UTC.")
        except PermissionRefused as refusal:
            raise CommandError(refusal.detail) from None

    def _cancel(self, person: Any, actor: Any) -> None:
        removal = SecondFactorRemovalService.pending(person)
        if removal is None:
            raise CommandError("No removal is pending.")
        SecondFactorRemovalService.cancel(removal, actor=actor, client=ClientInfo())
        self.stdout.write("The removal is cancelled.")
