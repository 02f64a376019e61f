"""Checks the audit log against its seals."""

import dataclasses
import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from authentication.models import AuditAmendment, AuditLog, AuditSeal

from .seals import BEGINNING, EVENTS_PER_SEAL
from .upkeep import event_digest

_SEALS = 100


@dataclasses.dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong: "altered", "missing" or "added", and which event or seal."""

    what: str
    name: str


@dataclasses.dataclass(slots=True)
class Verified:
    """What was checked, and what is wrong, the oldest first."""

    seals: int = 0
    events: int = 0
    amended: int = 0
    unsealed: int = 0
    head: str = ""
    is_known_gone: bool = False
    """Whether retention has deleted the seal that was asked for."""
    findings: list[Finding] = dataclasses.field(default_factory=list)


class AuditVerificationService:
    """Checks of the audit log against its seals."""

    @staticmethod
    def verify(*, known: str = "", on_seal: Callable[[int], None] = lambda _: None) -> Verified:
        """Compare each sealed event with its seal, and each seal with the one before.

        `known` is a seal that was logged or mailed, as "number:digest". Without one, an attacker
        with the database and SECRET_KEY could have made new seals, and one with the database alone
        could have removed the newest.
        """
        done = Verified()
        previous: AuditSeal | None = None
        for seal in _seals():
            done.findings += _of_seal(seal, previous)
            done.findings += _of_events(seal, done)
            done.seals, done.head, previous = done.seals + 1, str(seal), seal
            on_seal(seal.events)
        last = (previous.until_at, previous.until_id) if previous else BEGINNING
        done.unsealed = AuditLog.objects.after(*last).count()
        if known and not _has(known):
            done.is_known_gone = _is_before_all(known)
            if not done.is_known_gone:
                done.findings.append(Finding("missing", f"seal {known}"))
        return done


def _seals() -> Iterator[AuditSeal]:
    number = -1
    while batch := list(AuditSeal.objects.filter(number__gt=number).order_by("number")[:_SEALS]):
        yield from batch
        number = batch[-1].number


def _of_seal(seal: AuditSeal, previous: AuditSeal | None) -> Iterator[Finding]:
    if previous is None:
        yield from _of_beginning(seal)
    elif seal.number != previous.number + 1:
        yield Finding("missing", f"seal {previous.number + 1}")
    elif (seal.previous, seal.after_at, seal.after_id) != (
        previous.digest,
        previous.until_at,
        previous.until_id,
    ):
        yield Finding("altered", f"seal {previous.number}")
    if not seal.is_intact():
        yield Finding("altered", f"seal {seal.number}")


def _of_beginning(first: AuditSeal) -> Iterator[Finding]:
    """Yield what is wrong before the first seal: retention has deleted whole seals before it."""
    expired_at = timezone.now() - settings.AUDIT_LOG_RETENTION
    if first.number > 1 and first.after_at > expired_at:
        yield Finding("missing", f"seal {first.number - 1}")
    before = Q(timestamp__lt=first.after_at) | Q(timestamp=first.after_at, pk__lte=first.after_id)
    for event in AuditLog.objects.filter(before).order_by("timestamp", "pk")[:_SEALS]:
        yield Finding("added", _name(event))


def _of_events(seal: AuditSeal, done: Verified) -> Iterator[Finding]:
    expected = seal.digests()
    changed: list[AuditLog] = []
    for event in _events_of(seal):
        digest = expected.pop(event.pk, None)
        if digest is None:
            yield Finding("added", _name(event))
        elif digest != event_digest(event):
            changed.append(event)
        done.events += 1
    amendments = AuditAmendment.objects.in_bulk([event.pk for event in changed])
    for event in changed:
        if _is_amended(event, amendments.get(event.pk)):
            done.amended += 1
        else:
            yield Finding("altered", _name(event))
    for pk in expected:
        yield Finding("missing", f"event {pk} of {_time(seal.until_at)} or shortly before")


def _events_of(seal: AuditSeal) -> Iterator[AuditLog]:
    last = Q(timestamp__lt=seal.until_at) | Q(timestamp=seal.until_at, pk__lte=seal.until_id)
    found: Any = AuditLog.objects.filter(last, timestamp__lte=seal.until_at)
    position = seal.after_at, seal.after_id
    while batch := list(found.after(*position)[:EVENTS_PER_SEAL]):
        yield from batch
        position = batch[-1].timestamp, batch[-1].pk


def _is_amended(event: AuditLog, amendment: AuditAmendment | None) -> bool:
    return (
        amendment is not None
        and amendment.digest == event_digest(event).hex()
        and amendment.is_authentic()
    )


def _has(known: str) -> bool:
    number, _, digest = known.partition(":")
    return AuditSeal.objects.filter(number=int(number), digest=digest).exists()


def _is_before_all(known: str) -> bool:
    first = AuditSeal.objects.order_by("number").first()
    return first is not None and int(known.partition(":")[0]) < first.number


def _name(event: AuditLog) -> str:
    return f"event {event.pk} of {_time(event.timestamp)} ({event.event_type})"


def _time(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).isoformat(sep=" ", timespec="seconds")
