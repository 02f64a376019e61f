"""The devices a person is signed in on."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from authentication.management.people import add_person, person_of
from authentication.services import SessionService


class Command(BaseCommand):
    """Lists a person's live sessions, the one used last first."""

    help = "List the devices a person is signed in on."

    def add_arguments(self, parser: CommandParser) -> None:
        add_person(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        sessions = SessionService.list_live(user_id=person_of(options).pk)
        for it in sessions:
            used = f"{it.last_activity_at:%Y-%m-%d %H:%M} UTC"
            self.stdout.write(f"{it.pk}  {used}  {it.ip_address or '-':<15}  {it.device_name}")
        self.stdout.write(f"{len(sessions)} session(s)")
