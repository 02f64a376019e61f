"""Script that creates the service's tables and accounts, run with the service's settings."""

import json
import secrets
import sys

import django
from django.core.management import call_command


def main(count: int) -> None:
    """Migrate, create `count` verified accounts and print their credentials as JSON."""
    django.setup()
    from django.contrib.auth.hashers import make_password
    from django.utils import timezone

    from authentication.models import User, UserProfile

    call_command("migrate", verbosity=0)
    password = f"Aa1!{secrets.token_hex(12)}"
    for number in range(count):
        user = User.objects.create_user(
            f"person{number}@example.org", first_name="Ruth", last_name="Moab"
        )
        UserProfile.objects.create(user=user)
    # All accounts share one hash, because hashing takes as long as a sign-in.
    User.objects.update(
        password=make_password(password), email_verified=True, email_verified_at=timezone.now()
    )
    emails = User.objects.values_list("email", flat=True)
    json.dump([{"email": email, "password": password} for email in emails], sys.stdout)


if __name__ == "__main__":
    main(int(sys.argv[1]))
