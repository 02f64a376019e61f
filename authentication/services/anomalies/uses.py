"""Uses of accounts in new countries, and from places too far apart for the time between."""

import contextlib
import dataclasses
import datetime as dt
import uuid
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.db import IntegrityError, transaction

from authentication.models import AuditLog, KnownCountry, User
from authentication.services.acting import locked_account
from authentication.services.audit import Event, Risk, count, event_of
from authentication.services.mail import EmailService, Kind
from authentication.utils.client import ClientInfo
from authentication.utils.places import are_known, kilometres_between, place_of

_USES = (Event.LOGIN, Event.TOKEN_EXCHANGE, Event.TOKEN_REFRESH, Event.ADMIN_LOGIN)
_PAGE = 1_000
# An airliner flies at 900 km/h.
_FASTEST_KM_PER_HOUR = 1_000
# Estimates of places are often wrong by less; within a country by more, since a provider of phones
# has the address of its headquarters.
_NEAREST_KM = 500
_NEAREST_WITHIN_KM = 2_000


@dataclasses.dataclass(frozen=True, slots=True)
class Journey:
    """The distance from the last use of an account to this one, and the time that it had."""

    before: str
    country: str
    """The codes of the countries of the last use and of this one."""
    kilometres: int
    time: dt.timedelta

    def is_impossible(self) -> bool:
        """Return whether no airliner is that fast."""
        hours = self.time.total_seconds() / 3600
        nearest = _NEAREST_WITHIN_KM if self.before == self.country else _NEAREST_KM
        return self.kilometres >= max(nearest, _FASTEST_KM_PER_HOUR * hours)


@dataclasses.dataclass(frozen=True, slots=True)
class Finding:
    """An unusual use of an account."""

    use: AuditLog
    journey: Journey


class History:
    """The countries that an account is known in; its uses are added in the order of time."""

    def __init__(self, user_id: uuid.UUID, rows: Iterable[KnownCountry] = ()) -> None:
        self._user_id = user_id
        self._rows = {row.country: row for row in rows}
        self.changed: dict[str, KnownCountry] = {}

    def add(self, use: AuditLog) -> Finding | None:
        """Add a use; return what is unusual about it. One that was added before is left out."""
        last = max(self._rows.values(), key=lambda it: it.last_used_at, default=None)
        country = place_of(use.ip_address).country
        if not use.ip_address or not country or (last and use.timestamp <= last.last_used_at):
            return None
        finding = self._judge(use, country, last) if last else None
        row = self._rows.get(country) or KnownCountry(
            user_id=self._user_id, country=country, created_at=use.timestamp
        )
        row.ip_address, row.last_used_at = use.ip_address, use.timestamp
        self._rows[country] = self.changed[country] = row
        return finding

    def _judge(self, use: AuditLog, country: str, last: KnownCountry) -> Finding | None:
        is_new = country not in self._rows and not self._has_moved(country)
        if not (is_new or is_on_new_device(use)):
            # A device that is known may have a VPN, and a session may move between networks.
            return None
        distance = kilometres_between(place_of(last.ip_address), place_of(use.ip_address))
        time = use.timestamp - last.last_used_at
        journey = Journey(last.country, country, round(distance), time)
        return Finding(use, journey) if is_new or journey.is_impossible() else None

    def _has_moved(self, country: str) -> bool:
        """Return whether a new file says that an address of an earlier use is in this country."""
        return any(place_of(it.ip_address).country == country for it in self._rows.values())


def is_on_new_device(use: AuditLog) -> bool:
    """Return whether a use is a sign-in on a new device, about which its owner was mailed."""
    return bool(use.metadata.get("new_device"))


def examine_uses(*, since: dt.datetime, to: dt.datetime) -> None:
    """Report the unusual uses of a time, and remember where accounts were used.

    It may be repeated: a use no later than the last one that is stored is left out.
    """
    for page in _pages(since, to) if are_known() else ():
        by_user: dict[uuid.UUID, list[AuditLog]] = {}
        for use in page:
            if use.user_id:
                by_user.setdefault(use.user_id, []).append(use)
        known = KnownCountry.objects.by_user(by_user)
        quiet: list[KnownCountry] = []
        for user_id, uses in by_user.items():
            history = History(user_id, known.get(user_id, ()))
            findings = [history.add(use) for use in uses]
            if any(findings):
                _report(user_id, uses)
            else:
                quiet += history.changed.values()
        _store(quiet)


def _pages(since: dt.datetime, to: dt.datetime) -> Iterator[Sequence[AuditLog]]:
    used = AuditLog.objects.filter(
        event_type__in=_USES, timestamp__lt=to, user__isnull=False, ip_address__isnull=False
    )
    moment, pk = since, uuid.UUID(int=0)
    while page := list(used.after(moment, pk)[:_PAGE]):
        yield page
        moment, pk = page[-1].timestamp, page[-1].pk


def _store(rows: Sequence[KnownCountry]) -> None:
    try:
        with transaction.atomic():
            KnownCountry.objects.store(rows)
    except IntegrityError:  # One of the accounts was erased meanwhile.
        for row in rows:
            with contextlib.suppress(User.DoesNotExist), locked_account(row.user_id):
                KnownCountry.objects.store([row])


def _report(user_id: uuid.UUID, uses: Sequence[AuditLog]) -> None:
    """Report what is unusual, judged again under the account's lock: another worker may have."""
    with contextlib.suppress(User.DoesNotExist), locked_account(user_id):
        history = History(user_id, KnownCountry.objects.filter(user_id=user_id))
        for use in uses:
            if finding := history.add(use):
                _record(user_id, finding)
        KnownCountry.objects.store(history.changed.values())


def _record(user_id: uuid.UUID, finding: Finding) -> None:
    use, journey = finding.use, finding.journey
    facts: dict[str, Any] = {"country": journey.country, "before": journey.before}
    if session := use.metadata.get("session"):
        facts["session"] = session
    is_impossible = journey.is_impossible()
    if is_impossible:
        facts["kilometres"] = journey.kilometres
        facts["minutes"] = int(journey.time.total_seconds() // 60)
    event = event_of(
        Event.IMPOSSIBLE_TRAVEL if is_impossible else Event.NEW_COUNTRY,
        user_id=user_id,
        client=ClientInfo(use.ip_address, use.user_agent, correlation_id=use.correlation_id),
        used_at=use.timestamp.isoformat(),
        **facts,
    )
    event.risk_level = Risk.HIGH if is_impossible else Risk.MEDIUM
    event.save(force_insert=True)
    count(event.event_type)
    if not is_on_new_device(use):
        about = {"session": session} if session else {}
        EmailService.queue(Kind.NEW_COUNTRY, user_id=user_id, event=str(event.pk), **about)
