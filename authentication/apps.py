"""Django's configuration of the application and of its admin site."""

import importlib

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class AuthenticationConfig(AppConfig):
    """Authentication, as Django knows it."""

    name = "authentication"
    verbose_name = "Authentication"

    def ready(self) -> None:
        """Connect the receivers of signals."""
        importlib.import_module("authentication.signals")


class ServiceAdminConfig(AdminConfig):
    """Django's admin with our site in place of its own."""

    default_site = "authentication.view_modules.admin_site.ServiceAdminSite"
