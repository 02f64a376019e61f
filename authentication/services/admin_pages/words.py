"""Accounts and times in words, for staff."""

import dataclasses
import datetime as dt

from django.conf import settings
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext

from authentication.models import User


@dataclasses.dataclass(frozen=True, slots=True)
class State:
    """One thing that is so about an account; `is_grave` if a member of staff may have to act."""

    text: str
    is_grave: bool = False


def name_of(user: User) -> str:
    """Return the name of a person; without one the address, and without that the username."""
    return user.get_full_name().strip() or address_of(user) or user.username


def address_of(user: User) -> str:
    """Return the address of an account; empty if it has lost it."""
    return user.email if user.has_address else ""


def states_of(user: User, *, at: dt.datetime) -> list[State]:
    """Return what is so about an account; first what keeps the person from signing in."""
    return [*_states_of_access(user, at), *_states_of_address(user), *_states_of_person(user, at)]


def _states_of_access(user: User, at: dt.datetime) -> list[State]:
    found = []
    if user.erasure_key:
        found.append(State(gettext("is being deleted"), is_grave=True))
    elif not user.is_active:
        found.append(State(gettext("disabled"), is_grave=True))
    if user.locked_until and user.locked_until > at:
        until = clock_or_day(user.locked_until, at=at)
        text = gettext("locked until {time}").format(time=until)
        found.append(State(text, is_grave=True))
    return found


def _states_of_address(user: User) -> list[State]:
    if not user.has_address:
        return [State(gettext("no address"), is_grave=True)]
    found = [
        State(gettext("verified"))
        if user.email_verified
        else State(gettext("not verified"), is_grave=True)
    ]
    if user.email_bounced_at:
        found.append(State(gettext("mail bounced"), is_grave=True))
    if user.email_complained_at:
        found.append(State(gettext("called our mail spam"), is_grave=True))
    return found


def _states_of_person(user: User, at: dt.datetime) -> list[State]:
    found = []
    if user.deletion_requested_at and not user.erasure_key:
        due = user.deletion_requested_at + settings.ACCOUNT_DELETION_GRACE
        text = gettext("deletion on {day}").format(day=day(due, at=at))
        found.append(State(text, is_grave=True))
    if user.password_breached_at:
        found.append(State(gettext("password known from a breach"), is_grave=True))
    if user.second_factor_at:
        found.append(State(gettext("two-step on")))
    if user.is_staff:
        found.append(State(gettext("superuser") if user.is_superuser else gettext("staff")))
    return found


def moment(time: dt.datetime | None, *, at: dt.datetime) -> str:
    """Return a time in words: "today, 11:40", "yesterday, 09:15", "3 December"; "never"."""
    if time is None:
        return gettext("never")
    local, now = timezone.localtime(time), timezone.localtime(at)
    ago = (now.date() - local.date()).days
    if ago in {0, 1}:
        text = gettext("yesterday, {time}") if ago else gettext("today, {time}")
        return text.format(time=f"{local:%H:%M}")
    return day(time, at=at)


def clock_or_day(time: dt.datetime, *, at: dt.datetime) -> str:
    """Return a time to come: the hour if it is today, else the day, too."""
    local = timezone.localtime(time)
    clock = f"{local:%H:%M}"
    is_today = local.date() == timezone.localtime(at).date()
    text = gettext("{time} on {day}")
    return clock if is_today else text.format(time=clock, day=day(time, at=at))


def day(time: dt.datetime, *, at: dt.datetime) -> str:
    """Return a day in words, with its year if that is another one."""
    local = timezone.localtime(time)
    is_this_year = local.year == timezone.localtime(at).year
    return date_format(local, gettext("j F") if is_this_year else gettext("j F Y"))
