"""Hourly counts of the audit log, for pages that must not read all of it.

A task moves a mark forward through the log, at most an hour in a transaction. The statement that
moves the mark lets one of several counters through and commits with the counts: an event is counted
once, whichever worker dies or runs twice. While no worker runs, the mark stays where it is. Writing
an event costs nothing more.
"""

import datetime as dt
import time
from collections import Counter

from django.conf import settings
from django.db import transaction
from django.db.models import Count
from django.utils import timezone

from authentication.models import AuditLog, CountedUntil, HourlyCount, UserSession

HOUR = dt.timedelta(hours=1)
DEVICES = "devices:"
"""What the names of counts of devices begin with."""
COUNTRIES = "countries:"
"""The same, of counts of devices by the code of their country."""

# An event is visible only after its transaction, and clocks differ.
_SETTLED = dt.timedelta(minutes=2)
# The longest time that a page shows.
_SHOWN = dt.timedelta(days=31)
_COUNTRIES_COUNTED = 12


def count_events(*, seconds: float) -> None:
    """Count the events since the last call, for at most so many seconds; the next call goes on."""
    deadline = time.monotonic() + seconds
    now = timezone.now()
    mark = CountedUntil.objects.moment() or _first_mark(now)
    while mark < now - _SETTLED and time.monotonic() < deadline:
        to = min(hour_of(mark) + HOUR, now - _SETTLED)
        if not _count(since=mark, to=to):
            return  # Another process counts.
        mark = to
    if mark >= now - _SETTLED:
        _count_devices(now)


def hour_of(moment: dt.datetime) -> dt.datetime:
    """Return the beginning of an hour, in UTC."""
    return moment.astimezone(dt.UTC).replace(minute=0, second=0, microsecond=0)


def _first_mark(now: dt.datetime) -> dt.datetime:
    """Return where the first count begins, and store it: at the oldest event that is shown."""
    since = now - min(_SHOWN, settings.AUDIT_LOG_RETENTION)
    newer = AuditLog.objects.filter(timestamp__gte=since).order_by("timestamp")
    oldest = newer.values_list("timestamp", flat=True).first()
    CountedUntil.objects.begin(hour_of(oldest or now))
    return CountedUntil.objects.moment() or now


def _count(*, since: dt.datetime, to: dt.datetime) -> bool:
    with transaction.atomic():
        if not CountedUntil.objects.advance(since=since, to=to):
            return False
        events = AuditLog.objects.filter(timestamp__gte=since, timestamp__lt=to)
        by_type = events.order_by().values_list("event_type").annotate(number=Count("*"))
        HourlyCount.objects.add(hour_of(since), dict(by_type))
    return True


def _count_devices(now: dt.datetime) -> None:
    """Store how many devices are signed in, by kind and by country.

    It is done once an hour: it reads every session.
    """
    hour = hour_of(now)
    if HourlyCount.objects.filter(hour=hour, name=DEVICES).exists():
        return
    live = UserSession.objects.live(at=now).order_by()
    # The row of the unknown kind says that this hour is counted, so there is one in any case.
    kinds, countries = Counter({"": 0}), Counter[str]()
    groups = live.values_list("device_type", "country").annotate(number=Count("*"))
    for kind, country, number in groups:
        kinds[kind] += number
        countries[country] += number
    del countries[""]
    counts = {f"{DEVICES}{kind}": number for kind, number in kinds.items()}
    if settings.LOCATION_DETAIL != "off":
        largest = countries.most_common(_COUNTRIES_COUNTED)
        counts |= {f"{COUNTRIES}{country}": number for country, number in largest}
    HourlyCount.objects.bulk_create(
        (HourlyCount(hour=hour, name=name, count=number) for name, number in counts.items()),
        ignore_conflicts=True,
    )
