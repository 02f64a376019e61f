from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models.signals import post_save, pre_delete
from django.dispatch import receiver

from .models import Membership

farewells: list[str] = []


@receiver(post_save, sender=settings.AUTH_USER_MODEL)
def greet(instance: Any, *, created: bool, **_: Any) -> None:
    """Put a new account into the group of newcomers; its address is not verified yet."""
    if created:
        Membership.objects.create(user=instance, group="Newcomers")


@receiver(pre_delete, sender=settings.AUTH_USER_MODEL)
def forget(instance: Any, **_: Any) -> None:
    """Erase what this app keeps elsewhere about a person, once the account is gone."""
    user_id = str(instance.pk)
    transaction.on_commit(lambda: farewells.append(user_id))
