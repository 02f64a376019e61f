"""Script that creates the yardstick's tables and users, run with the yardstick's settings."""

import json
import secrets
import sys

import django
from django.core.management import call_command


def main(count: int) -> None:
    """Migrate, create `count` users and print their credentials as JSON."""
    django.setup()
    from django.contrib.auth import get_user_model

    call_command("migrate", verbosity=0)
    password, users = f"Aa1!{secrets.token_hex(12)}", get_user_model().objects
    for number in range(count):
        users.create_user(username=f"person{number}", email="", password=password)
    json.dump(
        [{"username": f"person{number}", "password": password} for number in range(count)],
        sys.stdout,
    )


if __name__ == "__main__":
    main(int(sys.argv[1]))
