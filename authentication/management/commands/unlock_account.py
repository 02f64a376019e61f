"""Lets a person sign in again at once."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from authentication.management.people import add_person, person_of
from authentication.services.administration import AdministrationService
from authentication.utils.client import ClientInfo


class Command(BaseCommand):
    """Lifts the lock that too many wrong passwords set."""

    help = "Let a person sign in again at once."

    def add_arguments(self, parser: CommandParser) -> None:
        add_person(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        person = person_of(options)
        AdministrationService.unlock(person, actor=None, client=ClientInfo())
        self.stdout.write(f"{person.username} may sign in.")
