"""Lists a user's sessions."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from authentication.management.operator_arguments import add_operator_argument, operator_of
from authentication.management.user_argument import add_user_argument, find_user
from authentication.services import SessionService
from authentication.utils.client import ClientInfo
from authentication.utils.places import words_of


class Command(BaseCommand):
    """Lists a user's live sessions, the most recently used first."""

    help = "List the devices on which a user is signed in."

    def add_arguments(self, parser: CommandParser) -> None:
        add_user_argument(parser)
        add_operator_argument(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        operator, person = operator_of(options), find_user(options)
        sessions = SessionService.list_for_operator(person, operator=operator, client=ClientInfo())
        for it in sessions:
            used = f"{it.last_activity_at:%Y-%m-%d %H:%M} UTC"
            where = words_of(country=it.country, city=it.city)
            line = f"{it.pk}  {used}  {it.ip_address or '-':<15}  {it.device_name}"
            self.stdout.write(f"{line}  ({where})" if where else line)
        self.stdout.write(f"{len(sessions)} session(s)")
