"""Revocation: ending all sessions of an account, or of all, those of the admin included."""

import datetime as dt
from collections.abc import Callable

from django.db import transaction
from django.utils import timezone

from authentication.models import KnownDevice, User, UserSession

_BATCH = 1_000


def end_all_sessions(user: User, *, reason: str, at: dt.datetime) -> int:
    """End every session of an account; return how many of the API's ended.

    The admin's sessions (Django's) end at their next request. Call it under the lock of the
    account's row (services/acting.py).
    """
    end_admin_sessions(user)
    ended: int = UserSession.objects.filter(user_id=user.pk).end(reason=reason, at=at)
    return ended


def end_admin_sessions(user: User) -> None:
    """End an account's sessions of the admin, at their next request."""
    User.objects.filter(pk=user.pk).end_admin_sessions()


def end_sessions_of_everybody(*, reason: str, on_batch: Callable[[int], None]) -> int:
    """End every session of every account, a thousand in a transaction; return how many ended.

    Only staff have sessions of the admin, so one statement on few rows ends these.
    """
    total = 0
    User.objects.filter(is_staff=True).end_admin_sessions()
    while keys := list(
        UserSession.objects.filter(is_active=True).values_list("pk", flat=True)[:_BATCH]
    ):
        with transaction.atomic():
            batch = UserSession.objects.filter(pk__in=keys)
            KnownDevice.objects.filter(user_id__in=batch.values("user_id")).delete()
            total += batch.end(reason=reason, at=timezone.now())
        on_batch(len(keys))
    return total
