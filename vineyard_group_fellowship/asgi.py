"""The ASGI entry point."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vineyard_group_fellowship.settings")

from django.core.asgi import get_asgi_application

application = get_asgi_application()

from authentication.services.background import start_scheduler  # noqa: E402 -- needs the apps

start_scheduler()
