"""Why a sign-in is locked: the failures that led to it, from the audit log."""

import dataclasses
import datetime as dt
from typing import Any

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from authentication.models import AuditLog, KnownDevice, User
from authentication.services.audit import Event, Risk, record_action
from authentication.services.operators import Operator
from authentication.utils.client import ClientInfo, network_key, parse_ip
from authentication.utils.crypto import pseudonyms
from authentication.utils.identifiers import canonical_identifier

from .counters import NameCounter

_SHOWN = 20
_EVENTS = (
    Event.LOGIN_FAILED,
    Event.ACCOUNT_LOCKED,
    Event.ACCOUNT_UNLOCKED,
    Event.PASSWORD_RESET,
    Event.LOGIN,
)


@dataclasses.dataclass(frozen=True, slots=True)
class Lock:
    """What is locked, and until when."""

    what: str
    until: dt.datetime


@dataclasses.dataclass(frozen=True, slots=True)
class Happened:
    """One event: when, what, why, and from which network."""

    at: dt.datetime
    event: str
    reason: str
    network: str


@dataclasses.dataclass(frozen=True, slots=True)
class Explanation:
    """The locks that stand, the last lock, and what led to it, oldest first."""

    locks: list[Lock]
    locked_at: dt.datetime | None
    events: list[Happened]


class LockExplanationService:
    """Why a sign-in is locked."""

    @staticmethod
    def explain(identifier: str, *, operator: Operator, client: ClientInfo) -> Explanation:
        """Return the locks of an address or username, which may have no account.

        It holds the twenty events up to the last lock; without a lock, the newest twenty.
        """
        canonical, now = canonical_identifier(identifier), timezone.now()
        user: User | None = User.objects.identified_by(canonical).first()
        names = {user.email_canonical, user.username_canonical} if user else {canonical}
        events = _events_of(user, names)
        locked = events.filter(event_type=Event.ACCOUNT_LOCKED).order_by("-timestamp").first()
        before = events.filter(timestamp__lte=locked.timestamp) if locked else events
        shown = [_told(it) for it in before.order_by("-timestamp")[:_SHOWN]]
        record_action(
            "explain_lock",
            user_id=user.pk if user else None,
            client=client,
            risk=Risk.LOW,
            **operator.facts(),
        )
        return Explanation(
            _locks_of(user, names, at=now), locked.timestamp if locked else None, shown[::-1]
        )


def _events_of(user: User | None, names: set[str]) -> Any:
    # Failures at a name that was locked first have no account.
    tried = [it for name in names for it in pseudonyms("identifier", name)]
    since = timezone.now() - settings.AUDIT_LOG_RETENTION
    keys = AuditLog.objects.of_names(tried).values("pk")
    mine = Q(pk__in=keys) | Q(user=user) if user else Q(pk__in=keys)
    return AuditLog.objects.filter(mine, event_type__in=_EVENTS, timestamp__gte=since)


def _locks_of(user: User | None, names: set[str], *, at: dt.datetime) -> list[Lock]:
    found: list[tuple[str, dt.datetime | None]] = []
    if user:
        by = "wrong passwords" if user.lock_reason else "staff or another program"
        found.append((f"the account, by {by}", user.locked_until))
        devices = KnownDevice.objects.filter(user=user, locked_until__gt=at)
        found += [("a known device", it.locked_until) for it in devices]
    unlocked_at = user.unlocked_at if user else None
    found += [
        (f"the name {name}, on unknown devices", _lock_of_name(name, unlocked_at, at))
        for name in sorted(names)
    ]
    return [Lock(what, until) for what, until in found if until and until > at]


def _lock_of_name(
    name: str, unlocked_at: dt.datetime | None, at: dt.datetime
) -> dt.datetime | None:
    return NameCounter(name, unlocked_at=unlocked_at, at=at).locked_until()


def _told(event: AuditLog) -> Happened:
    return Happened(
        event.timestamp,
        event.event_type,
        str(event.metadata.get("reason", "")),
        network_key(parse_ip(event.ip_address or "")),
    )
