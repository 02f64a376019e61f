"""The numbers of the admin's front page, each read by an index or from the hourly counts."""

import collections
import dataclasses
import datetime as dt

from django.db.models import Count, Sum
from django.db.models.functions import TruncDay, TruncHour
from django.utils import timezone

from authentication.models import AuditLog, CountedUntil, HourlyCount, OutgoingEmail, User

from .counting import COUNTRIES, DEVICES, HOUR, hour_of

Event = AuditLog.Event
HOURS, DAYS = 24, 30
SERIES: dict[str, tuple[str, ...]] = {
    "sign_ins": (Event.LOGIN, Event.TOKEN_EXCHANGE, Event.ADMIN_LOGIN),
    "failures": (Event.LOGIN_FAILED, Event.SECOND_FACTOR_FAILED, Event.ADMIN_LOGIN_REFUSED),
    "locks": (Event.ACCOUNT_LOCKED,),
    "reuse": (Event.TOKEN_REUSE_DETECTED,),
    "registrations": (Event.REGISTRATION,),
}
_SERIES_OF = {str(event): name for name, events in SERIES.items() for event in events}
# What is not counted yet is read from the log, unless the counting has stopped: a page must not
# read days of it.
_READ_AT_MOST = dt.timedelta(hours=3)

Numbers = dict[str, int]
ByTime = dict[dt.datetime, Numbers]


@dataclasses.dataclass(frozen=True, slots=True)
class Statistics:
    """How the service does."""

    hours: ByTime
    """The numbers of each series in each of the last 24 hours, the oldest first."""
    days: ByTime
    """The same for each of the last 30 days, today included."""
    missing_since: dt.datetime | None
    """From when on the counts are not complete, because the counting has stopped."""
    devices: Numbers
    """Devices that were signed in at the last full count, by their kind; "" is an unknown one."""
    countries: Numbers
    """The same by the codes of their countries, as far as these are known, the largest alone."""
    new_accounts: int
    verified: int
    """Of the accounts that were made in 30 days: how many have proven their address."""


def read_statistics(*, zone: dt.tzinfo, now: dt.datetime | None = None) -> Statistics:
    """Return the numbers, with days as they begin in a time zone. It takes five queries."""
    now = now or timezone.now()
    first_hour = hour_of(now) - (HOURS - 1) * HOUR
    today = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    hours: ByTime = {first_hour + number * HOUR: _none() for number in range(HOURS)}
    days: ByTime = {today - dt.timedelta(days=ago): _none() for ago in reversed(range(DAYS))}
    devices, countries = _fill_hours(hours, first_hour)
    _fill_days(days, zone)
    # Before the first count nothing is known to be missing.
    oldest, mark = now - _READ_AT_MOST, CountedUntil.objects.moment()
    _fill_rest(hours, days, since=max(mark or oldest, oldest), zone=zone)
    accounts = _new_accounts(now - dt.timedelta(days=DAYS))
    return Statistics(
        hours=hours,
        days=days,
        missing_since=mark if mark and mark < oldest else None,
        devices=devices,
        countries=countries,
        new_accounts=sum(accounts.values()),
        verified=accounts.get(True, 0),
    )


def read_mails() -> Numbers:
    """Return how many mails there are in each state but the usual ones."""
    wanted = [OutgoingEmail.Status.QUEUED, OutgoingEmail.Status.SENDING, OutgoingEmail.Status.DEAD]
    mails = OutgoingEmail.objects.filter(status__in=wanted).order_by()
    return dict(mails.values_list("status").annotate(number=Count("*")))


def _none() -> Numbers:
    return dict.fromkeys(SERIES, 0)


def _fill_hours(hours: ByTime, first: dt.datetime) -> tuple[Numbers, Numbers]:
    """Fill in the counted hours; return the newest counts of devices, by kind and by country."""
    devices: dict[dt.datetime, Numbers] = collections.defaultdict(dict)
    countries: dict[dt.datetime, Numbers] = collections.defaultdict(dict)
    rows = HourlyCount.objects.filter(hour__gte=first).order_by("hour")
    for hour, name, count in rows.values_list("hour", "name", "count"):
        if name.startswith(DEVICES):
            devices[hour][name.removeprefix(DEVICES)] = count
        elif name.startswith(COUNTRIES):
            countries[hour][name.removeprefix(COUNTRIES)] = count
        else:
            _add(hours, hour, name, count)
    newest = max(devices, default=first)
    return {kind: n for kind, n in devices[newest].items() if n}, countries[newest]


def _fill_days(days: ByTime, zone: dt.tzinfo) -> None:
    rows = HourlyCount.objects.filter(hour__gte=min(days), name__in=_SERIES_OF).order_by()
    by_day = rows.annotate(day=TruncDay("hour", tzinfo=zone)).values_list("day", "name")
    for day, name, count in by_day.annotate(total=Sum("count")):
        _add(days, day, name, count)


def _fill_rest(hours: ByTime, days: ByTime, *, since: dt.datetime, zone: dt.tzinfo) -> None:
    """Add the events that are not counted yet."""
    events = AuditLog.objects.filter(timestamp__gte=since, event_type__in=_SERIES_OF).order_by()
    by_hour = events.annotate(hour=TruncHour("timestamp", tzinfo=dt.UTC))
    rows = by_hour.values_list("hour", "event_type").annotate(number=Count("*"))
    for hour, name, count in rows:
        _add(hours, hour, name, count)
        local = hour.astimezone(zone)
        _add(days, local.replace(hour=0, minute=0), name, count)


def _add(times: ByTime, time: dt.datetime, name: str, count: int) -> None:
    if time in times and name in _SERIES_OF:
        times[time][_SERIES_OF[name]] += count


def _new_accounts(since: dt.datetime) -> dict[bool, int]:
    # Both values, so that an index has all that is asked for.
    accounts = User.objects.filter(created_at__gte=since, email_verified__in=(True, False))
    return dict(accounts.order_by().values_list("email_verified").annotate(number=Count("*")))
