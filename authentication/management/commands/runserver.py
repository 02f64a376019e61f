"""The development server; prints the addresses of the service."""

from typing import Any

from django.conf import settings
from whitenoise.runserver_nostatic.management.commands.runserver import Command as RunserverCommand


class Command(RunserverCommand):  # type: ignore[misc]  # its base is found at run time
    """Starts the development server, on PORT unless an address is given."""

    default_port = str(settings.PORT)

    def on_bind(self, server_port: int | str) -> None:
        """Print the addresses."""
        base = f"http://localhost:{server_port}"
        mail = (
            settings.EMAIL_FILE_PATH
            if settings.EMAIL_BACKEND.endswith(".FileMailbox")
            else settings.EMAIL_BACKEND
        )
        if settings.DEVELOPMENT_MAILBOX:
            mail = f"{base}/dev/mailbox/  (files in {mail})"
        places: dict[str, Any] = {
            "Start": f"{base}/  (leads to all of these)",
            "Account": f"{base}/account/",
            "API": f"{base}/api/v1/auth/",
            "API docs": f"{base}/api/docs/  (or {base}/api/redoc/)",
            "Admin": f"{base}/admin/  (create an account with `make superuser`)",
            "Mails": mail,
            "Database": settings.DATABASES["default"]["NAME"],
        }
        self.stdout.write("\nVineyard Group Fellowship, authentication. Stop it with Ctrl-C.\n\n")
        for name, place in places.items():
            self.stdout.write(f"  {name:<10} {place}\n")
        self.stdout.write("\n")
