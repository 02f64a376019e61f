"""The WSGI entry point."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vineyard_group_fellowship.settings")

import django

django.setup(set_prefix=False)

from authentication.services.background import start_scheduler  # noqa: E402 -- needs the apps

from .handler import ServiceHandler  # noqa: E402 -- as above

application = ServiceHandler()
start_scheduler()
