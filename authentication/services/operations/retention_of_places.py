"""Retention of places, and of what LOCATION_DETAIL no longer allows."""

import datetime as dt
from typing import Any

from django.conf import settings
from django.db.models import Q, QuerySet

from authentication.models import KnownCountry, UserSession

Rows = QuerySet[Any]


def forgotten_countries(now: dt.datetime) -> Rows:
    """Return the countries that accounts were not used in for as long as the audit log is kept."""
    known: Rows = KnownCountry.objects.all()
    if settings.LOCATION_DETAIL == "off":
        return known
    return known.filter(last_used_at__lte=now - settings.AUDIT_LOG_RETENTION)


def hidden_places(_: dt.datetime) -> Rows:
    """Return the sessions with more of a place than is shown."""
    hidden = {"off": ~Q(city="") | ~Q(country=""), "country": ~Q(city="")}
    sessions: Rows = UserSession.objects.filter(hidden.get(settings.LOCATION_DETAIL, Q(pk=None)))
    return sessions


def hide_places(rows: Rows, _: float) -> int:
    """Remove from sessions what is not shown of their place."""
    fields = {"city": ""} if settings.LOCATION_DETAIL == "country" else {"city": "", "country": ""}
    return rows.update(**fields)
