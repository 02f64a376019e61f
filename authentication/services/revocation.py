"""Revocation: ending all sessions of one account at once, those of the admin included."""

import datetime as dt

from authentication.models import User, UserSession


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
