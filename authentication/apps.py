"""Django's configuration of the application and of its admin site."""

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class AuthenticationConfig(AppConfig):
    """Authentication, as Django knows it."""

    name = "authentication"
    verbose_name = "Authentication"


class ServiceAdminConfig(AdminConfig):
    """Django's admin with our site in place of its own."""

    default_site = "authentication.view_modules.admin_site.ServiceAdminSite"
