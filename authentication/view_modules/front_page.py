"""What the admin's front page shows to a member of staff: work first, then how the service does."""

import dataclasses
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext

from authentication.services.admin_pages import (
    DAYS,
    MOST,
    STRANGERS_SHOWN,
    Statistics,
    Waiting,
    read_statistics,
    read_waiting,
)
from authentication.services.operations import HealthService
from authentication.utils.places import country_name

from . import front_page_texts as texts
from .charts import Chart, Series, shares

_EVENTS, _SESSIONS = "view_auditlog", "view_usersession"
_MAILS, _PEOPLE = "view_outgoingemail", "view_user"
_REMOVALS, _TASKS = "view_secondfactorremoval", "view_failedtask"


@dataclasses.dataclass(frozen=True, slots=True)
class Task:
    """A sentence about what waits, and the list that shows it."""

    text: str
    url: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class Fact:
    """A number with its name."""

    label: str
    value: str
    more: str = ""


def front_page(request: HttpRequest) -> dict[str, Any]:
    """Return what the template of the front page shows to this member of staff."""
    user, zone = request.user, timezone.get_current_timezone()
    waiting = read_waiting()
    statistics = read_statistics(zone=zone)
    return {
        "tasks": [*_troubles(), *_tasks(user, waiting)],
        "locked": _locked(user, waiting),
        "locked_url": f"{reverse('admin:authentication_user_find')}?state=locked",
        "facts": _facts(user, statistics, waiting),
        "charts": _charts(statistics) if _may(user, _EVENTS) else [],
        "devices": _devices(user, statistics),
        "countries": _countries(user, statistics),
        "counted_until": statistics.missing_since if _may(user, _EVENTS) else None,
    }


def _may(user: Any, permission: str) -> bool:
    return bool(user.has_perm(f"authentication.{permission}"))


def _tasks(user: Any, waiting: Waiting) -> list[Task]:
    since = (timezone.now() - STRANGERS_SHOWN).isoformat()

    def of(event: str) -> dict[str, str]:
        return {"event_type__exact": event, "timestamp__gte": since}

    undelivered, removal = {"status__exact": "dead"}, {"ended_at__isnull": "True"}
    found: tuple[tuple[str, int, Any, dict[str, str]], ...] = (
        (_MAILS, waiting.dead_mails, texts.DEAD, undelivered),
        (_EVENTS, waiting.strangers, texts.STRANGERS, of("session_disowned")),
        (_EVENTS, waiting.travels, texts.TRAVELS, of("impossible_travel")),
        (_EVENTS, waiting.spread, texts.SPREAD, of("many_addresses")),
        (_EVENTS, waiting.sprayed, texts.SPRAYED, of("many_accounts_tried")),
        (_REMOVALS, waiting.removals, texts.REMOVING, removal),
        (_TASKS, waiting.tasks, texts.FAILED, {}),
    )
    return [
        Task(_counted(text, count), _list(permission, **filters))
        for permission, count, text, filters in found
        if count and _may(user, permission)
    ]


def _locked(user: Any, waiting: Waiting) -> str:
    if not waiting.locked or not _may(user, _PEOPLE):
        return ""
    return _counted(texts.LOCKED, waiting.locked)


def _troubles() -> list[Task]:
    """Return what the health check finds wrong; a page that is shown has a database."""
    health = HealthService.check(spares_redis=True)
    found = [
        str(text) for job, text in texts.NOT_RUNNING.items() if health.celery.get(job) == "missing"
    ]
    if health.celery.get("mailer") == "late":
        found.append(gettext("Mails are late: one has waited for more than five minutes."))
    if health.cache != "connected":
        found.append(gettext("Redis does not answer. Limits are counted by each process alone."))
    if health.database != "connected":
        found.append(gettext("The database: {state}.").format(state=health.database))
    return [Task(text) for text in found]


def _facts(user: Any, statistics: Statistics, waiting: Waiting) -> list[Fact]:
    found = []
    if _may(user, _EVENTS):
        labels = {
            "sign_ins": gettext("Sign-ins"),
            "failures": gettext("Failed sign-ins"),
            "locks": gettext("Lockouts"),
            "reuse": gettext("Reused tokens"),
        }
        for name, label in labels.items():
            total = sum(it[name] for it in statistics.hours.values())
            found.append(Fact(label, _grouped(total), gettext("in 24 hours")))
    if _may(user, _PEOPLE):
        made, verified = statistics.new_accounts, statistics.verified
        more = gettext("in {days} days, {share} % verified") if made else gettext("in {days} days")
        more = more.format(days=DAYS, share=100 * verified // (made or 1))
        found.append(Fact(gettext("New accounts"), _grouped(made), more))
    if _may(user, _MAILS):
        dead = gettext("{count} undelivered").format(count=_grouped(waiting.dead_mails))
        found.append(Fact(gettext("Mails waiting"), _grouped(waiting.mails), dead))
    return found


def _charts(statistics: Statistics) -> list[Chart]:
    zone = timezone.get_current_timezone()
    hours = [f"{hour.astimezone(zone):%H:%M}" for hour in statistics.hours]
    days = [date_format(day, gettext("j M")) for day in statistics.days]

    sign_ins = {"sign_ins": gettext("Sign-ins"), "failures": gettext("Failures")}
    by_hour, by_day = gettext("Hour"), gettext("Day")
    alarms = {"locks": gettext("Lockouts"), "reuse": gettext("Reused tokens")}
    accounts = {"registrations": gettext("Accounts")}
    of_hours = _series(statistics.hours, sign_ins)
    of_days = [_series(statistics.days, it) for it in (sign_ins, alarms, accounts)]
    return [
        Chart("hours", gettext("Sign-ins, by hour"), by_hour, hours, of_hours),
        Chart("days", gettext("Sign-ins, by day"), by_day, days, of_days[0]),
        Chart("alarms", gettext("Lockouts and reused tokens, by day"), by_day, days, of_days[1]),
        Chart("accounts", gettext("New accounts, by day"), by_day, days, of_days[2]),
    ]


def _series(times: Any, labels: dict[str, str]) -> list[Series]:
    return [Series(label, [it[name] for it in times.values()]) for name, label in labels.items()]


def _devices(user: Any, statistics: Statistics) -> Any:
    if not _may(user, _SESSIONS):
        return []
    return shares(
        {str(texts.KINDS.get(it, texts.KINDS["other"])): n for it, n in statistics.devices.items()}
    )


def _countries(user: Any, statistics: Statistics) -> Any:
    if not _may(user, _SESSIONS):
        return []
    named = {country_name(code): number for code, number in statistics.countries.items()}
    return shares({name: number for name, number in named.items() if name})


def _counted(text: Any, count: int) -> str:
    """Return a sentence with its number: "3 mails …", "1,000 or more mails …"."""
    number = texts.OR_MORE.format(count=_grouped(MOST)) if count >= MOST else str(count)
    return str(text % {"number": count}).format(count=number)


def _grouped(number: int) -> str:
    return number_format(number, force_grouping=True)


def _list(permission: str, **filters: str) -> str:
    path = reverse(f"admin:authentication_{permission.removeprefix('view_')}_changelist")
    return f"{path}?{urlencode(filters)}" if filters else path
