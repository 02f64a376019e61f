"""A sign-in's writes, if it ends no other session: one statement on PostgreSQL."""

import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.db.models import Count, Model, OuterRef, Q, Subquery

from .compiled import Changes, CompiledUpdate
from .session import UserSession
from .together import insert_if_updated
from .user import User


def sign_in_at_once(user: User, rows: Sequence[Model], *, at: dt.datetime) -> bool:
    """Store the time of a sign-in and its new rows, a session among them.

    Returns False, and stores nothing, if the account changed or another sign-in came since `user`
    was read, or if the account has no room for a session without ending another.
    """
    return insert_if_updated(
        rows,
        _SIGN_IN,
        pk=user.pk,
        at=at,
        most=settings.MAX_ACTIVE_SESSIONS,
        last_login=user.last_login,
        password_changed_at=user.password_changed_at,
        second_factor_at=user.second_factor_at,
    )


def _sign_in(
    pk: uuid.UUID, at: dt.datetime, most: int, last_login: dt.datetime | None, **read: Any
) -> Changes:
    # Sessions are counted as they were when the statement began. Each sign-in changes last_login,
    # which is compared after waiting for the row: so no session can have come in between.
    live = UserSession.objects.filter(user=OuterRef("pk")).live(at=at).order_by()
    count = live.values("user").annotate(count=Count("pk")).values("count")
    unchanged = User.objects.unchanged(pk, deletion_requested_at=None, **read)
    rows = unchanged.filter(last_login=last_login).annotate(live_sessions=Subquery(count))
    return rows.filter(Q(live_sessions=None) | Q(live_sessions__lt=most)), {"last_login": at}


def _moment(number: int) -> dt.datetime:
    return dt.datetime(1900, 1, number, tzinfo=dt.UTC)


# Sample values, which all differ (compiled.py).
_SIGN_IN = CompiledUpdate(
    _sign_in,
    pk=uuid.UUID(int=1),
    at=_moment(1),
    most=-1,
    last_login=_moment(2),
    password_changed_at=_moment(3),
    second_factor_at=_moment(4),
)
