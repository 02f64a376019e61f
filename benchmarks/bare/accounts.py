"""Script that creates the baseline's tables and users, run with the baseline's settings."""

import json
import sys

import django
from django.core.management import call_command


def main(count: int) -> None:
    """Migrate, create `count` users and print a pair of tokens for each as JSON."""
    django.setup()
    from django.contrib.auth import get_user_model
    from rest_framework_simplejwt.tokens import RefreshToken

    call_command("migrate", verbosity=0)
    users = get_user_model().objects
    tokens = [
        RefreshToken.for_user(users.create_user(f"person{n}", f"person{n}@example.org"))
        for n in range(count)
    ]
    json.dump(
        [{"access": str(token.access_token), "refresh": str(token)} for token in tokens], sys.stdout
    )


if __name__ == "__main__":
    main(int(sys.argv[1]))
