"""Prepares the yardstick's database and prints its users' tokens, for a process with its settings."""

import json
import sys

import django
from django.core.management import call_command


def main(count: int) -> None:
    """Make the tables and so many users; print a pair of tokens for each."""
    django.setup()
    from django.contrib.auth import get_user_model
    from rest_framework_simplejwt.tokens import RefreshToken

    call_command("migrate", verbosity=0)
    people = get_user_model().objects
    tokens = [
        RefreshToken.for_user(people.create_user(f"person{n}", f"person{n}@example.org"))
        for n in range(count)
    ]
    json.dump(
        [{"access": str(token.access_token), "refresh": str(token)} for token in tokens], sys.stdout
    )


if __name__ == "__main__":
    main(int(sys.argv[1]))
