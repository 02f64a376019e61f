"""Django's configuration of the application and of its admin site."""

import importlib

import structlog
from django.apps import AppConfig
from django.conf import settings
from django.contrib.admin.apps import AdminConfig
from django.utils.translation import gettext_lazy as _

logger = structlog.get_logger(__name__)


class AuthenticationConfig(AppConfig):
    """Authentication, as Django knows it."""

    name = "authentication"
    verbose_name = _("Accounts and sessions")

    def ready(self) -> None:
        """Connect signals, register the system checks, and log what `.env` has too much."""
        importlib.import_module("authentication.signals")
        importlib.import_module("authentication.checks")
        for name in settings.UNKNOWN_SETTINGS:
            logger.warning("unknown_setting", setting=name, file=".env")


class ServiceAdminConfig(AdminConfig):
    """Django's admin with our site in place of its own."""

    default_site = "authentication.view_modules.admin_site.ServiceAdminSite"
