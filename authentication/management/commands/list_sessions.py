"""Lists a user's sessions."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from authentication.management.user_argument import add_user_argument, find_user
from authentication.services import SessionService


class Command(BaseCommand):
    """Lists a user's live sessions, the most recently used first."""

    help = "List the devices on which a user is signed in."

    def add_arguments(self, parser: CommandParser) -> None:
        add_user_argument(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        sessions = SessionService.list_live(user_id=find_user(options).pk)
        for it in sessions:
            used = f"{it.last_activity_at:%Y-%m-%d %H:%M} UTC"
            self.stdout.write(f"{it.pk}  {used}  {it.ip_address or '-':<15}  {it.device_name}")
        self.stdout.write(f"{len(sessions)} session(s)")
