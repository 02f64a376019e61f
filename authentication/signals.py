"""What a sign-in to the admin stores in Django's session, and the roles that a migration makes."""

from typing import Any

from django.apps import AppConfig
from django.apps import apps as global_apps
from django.contrib.auth.management import create_permissions
from django.contrib.auth.signals import user_logged_in
from django.db import DEFAULT_DB_ALIAS
from django.db.models.signals import post_migrate
from django.dispatch import receiver
from django.http import HttpRequest

from authentication.api.admin_proof import limit_session, remember_proof
from authentication.services.role_groups import make_roles

PROVEN_FACTOR_KEY = "proven_factor"
"""The key in Django's session of the second factor that proved it: when it was set up."""


@receiver(user_logged_in)
def store_proof(request: HttpRequest, user: Any, **_: Any) -> None:
    """Note in the session when it was proven and whether by a code, so that later requests know."""
    remember_proof(request)
    limit_session(request)
    if user.proven_by_factor:
        request.session[PROVEN_FACTOR_KEY] = user.second_factor_at.isoformat()


@receiver(post_migrate)
def make_missing_roles(sender: AppConfig, using: str, apps: Any = global_apps, **_: Any) -> None:
    """Make the groups of roles after a migration, once each; `apps` is the state it has led to."""
    if sender.name != "authentication" or using != DEFAULT_DB_ALIAS:
        return
    # A migration to an earlier state has no table for them.
    if "staffrole" in apps.all_models["authentication"]:
        # Roles consist of permissions, which Django may be about to make.
        create_permissions(sender, verbosity=0, using=using)
        make_roles()
