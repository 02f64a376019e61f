"""Requests or cancels the removal of a user's second factor, or removes a superuser's at once."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from authentication.exceptions import PermissionRefused
from authentication.management.operator_arguments import add_operator_argument, operator_of
from authentication.management.user_argument import add_user_argument, find_user
from authentication.models import User
from authentication.services import ImmediateRemovalService, SecondFactorRemovalService
from authentication.services.acted_by import ActedBy
from authentication.utils.client import ClientInfo


class Command(BaseCommand):
    """Acts as a member of staff. The second member of staff confirms in the admin only."""

    help = (
        "Remove a user's second factor after 24 hours, unless the user stops it;"
        " with --now that of the last superuser who can enter the admin, at once."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        add_user_argument(parser)
        how = parser.add_mutually_exclusive_group(required=True)
        how.add_argument("--staff", metavar="PERSON", help="the member of staff who asks for it")
        how.add_argument(
            "--now",
            action="store_true",
            help="at once: for a superuser, if no other superuser can enter the admin",
        )
        parser.add_argument("--reason", default="", help="why; the user can read it")
        parser.add_argument("--cancel", action="store_true", help="cancel a pending removal")
        add_operator_argument(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        person = find_user(options)
        try:
            if options["now"]:
                self._remove_now(person, options)
            else:
                self._act_as_staff(person, options)
        except PermissionRefused as refusal:
            raise CommandError(refusal.detail) from None

    def _remove_now(self, person: User, options: dict[str, Any]) -> None:
        if options["cancel"]:
            raise CommandError("Use --cancel with --staff.")
        ImmediateRemovalService.remove(person, operator=operator_of(options), client=ClientInfo())
        self.stdout.write(
            f"The second factor of {person.username} is removed, every session has ended."
            " Sign in with the password, and set up a new factor."
        )

    def _act_as_staff(self, person: User, options: dict[str, Any]) -> None:
        operator = operator_of({"by": options["by"]})
        actor = find_user({"person": options["staff"]})
        if not (
            actor.is_staff
            and actor.is_active
            and actor.has_perm("authentication.remove_second_factor")
        ):
            raise CommandError(f"{actor.username} may not remove second factors.")
        if options["cancel"]:
            self._cancel(person, ActedBy.command(operator, staff=actor))
            return
        by = ActedBy.command(operator, staff=actor, reason=options["reason"])
        removal = SecondFactorRemovalService.request(person, by=by)
        self.stdout.write(f"Due at {removal.effective_at:%Y-%m-%d %H:%M} UTC.")

    def _cancel(self, person: User, by: ActedBy) -> None:
        removal = SecondFactorRemovalService.pending(person)
        if removal is None:
            raise CommandError("No removal is pending.")
        SecondFactorRemovalService.cancel(removal, by=by)
        self.stdout.write("The removal is cancelled.")
