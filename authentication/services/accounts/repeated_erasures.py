"""Erasures and deletions that a restored backup does not know, carried out once more."""

import dataclasses
import datetime as dt
import uuid
from collections.abc import Iterable, Iterator
from typing import Any

from django.utils import timezone

from authentication.exceptions import PermissionRefused
from authentication.models import AuditLog, SensitiveChange, User
from authentication.services.acting import locked_account
from authentication.services.audit import Event, Risk, record, record_action
from authentication.services.operators import Operator
from authentication.utils.client import ClientInfo
from authentication.utils.crypto import digest

from .erasure import erase_each
from .operator_deletion import request_deletion

_CANCELS = (
    Event.ACCOUNT_RESTORED,
    Event.CHANGE_UNDONE,
    Event.EMAIL_CHANGE_UNDONE,
    Event.SESSION_DISOWNED,
)
_CHUNK = 2_000


@dataclasses.dataclass(frozen=True, slots=True)
class ExportedEvent:
    """An event of an exported audit log."""

    at: dt.datetime
    kind: str
    user_id: uuid.UUID | None
    metadata: dict[str, Any]

    def cancels(self) -> bool:
        """Return whether the event cancelled a deletion."""
        undone = self.metadata.get("undone") or ()
        return self.kind == Event.ACCOUNT_RESTORED or (
            self.kind in _CANCELS and SensitiveChange.Kind.DELETION in undone
        )


@dataclasses.dataclass(slots=True)
class Repeated:
    """How many accounts were found to be erased, and what was done."""

    found: int = 0
    erased: int = 0
    requested: int = 0
    cancelled: int = 0
    proofs: int = 0


class RepeatedErasureService:
    """Repeats what the audit log tells of deletions, after an older backup was restored."""

    EVENTS = (Event.ACCOUNT_ERASED, Event.ACCOUNT_DELETION_REQUESTED, *_CANCELS)

    @staticmethod
    def repeat(
        events: Iterable[ExportedEvent], *, operator: Operator, client: ClientInfo
    ) -> Repeated:
        """Erase, request and cancel what the events tell and the database does not know.

        An account is found by the hash of its id. It keeps its receipt. Proofs of erasures that
        the database has lost are stored again. A second run finds nothing to do.
        """
        told = sorted(events, key=lambda it: it.at)
        erasures = [it for it in told if it.kind == Event.ACCOUNT_ERASED]
        done = Repeated()
        _erase_again(erasures, done)
        newest = {it.user_id: it for it in told if it.user_id and _is_about_deletion(it)}
        for it in newest.values():
            _catch_up(it, done, operator, client)
        _store_proofs(erasures, done)
        facts = dataclasses.asdict(done)
        record_action(
            "repeat_erasures",
            user_id=None,
            client=client,
            risk=Risk.HIGH,
            **facts,
            **operator.facts(),
        )
        return done


def _is_about_deletion(event: ExportedEvent) -> bool:
    return event.kind == Event.ACCOUNT_DELETION_REQUESTED or event.cancels()


def _erase_again(erasures: list[ExportedEvent], done: Repeated) -> None:
    receipts = {it.metadata["account"]: _receipt(it) for it in erasures if "account" in it.metadata}
    found = [pk for pk in _all_ids() if digest(str(pk)) in receipts] if receipts else []
    for pk in found:
        with locked_account(pk):
            User.objects.request_deletion(pk, at=timezone.now())
            User.objects.filter(pk=pk).update(deletion_receipt=receipts[digest(str(pk))])
    done.found, done.erased = len(found), erase_each(found)


def _receipt(event: ExportedEvent) -> str:
    return str(event.metadata.get("receipt", ""))


def _all_ids() -> Iterator[uuid.UUID]:
    ordered = User.objects.order_by("pk").values_list("pk", flat=True)
    chunk = list(ordered[:_CHUNK])
    while chunk:
        yield from chunk
        chunk = list(ordered.filter(pk__gt=chunk[-1])[:_CHUNK])


def _catch_up(event: ExportedEvent, done: Repeated, operator: Operator, client: ClientInfo) -> None:
    """Request or cancel a deletion as the newest event about it says."""
    user = User.objects.filter(pk=event.user_id).first()
    if user is None or user.erasure_key:
        return
    pending_since = user.deletion_requested_at
    if not event.cancels():
        # The full grace: the earlier mail's day may have passed.
        if pending_since is None and _request(user, operator, client):
            done.requested += 1
    elif pending_since and pending_since <= event.at and _cancel(user, operator, client):
        done.cancelled += 1


def _request(user: User, operator: Operator, client: ClientInfo) -> bool:
    try:
        request_deletion(user, client=client, **operator.facts())
    except PermissionRefused:
        return False
    return True


def _cancel(user: User, operator: Operator, client: ClientInfo) -> bool:
    with locked_account(user.pk):
        cancelled = bool(User.objects.cancel_deletion(user.pk))
        if cancelled:
            record(Event.ACCOUNT_RESTORED, user_id=user.pk, client=client, **operator.facts())
    return cancelled


def _store_proofs(erasures: list[ExportedEvent], done: Repeated) -> None:
    """Store the erasures of the export whose receipts would not be found otherwise.

    Not those without the hash of an account: it may be in the backup, and not erased.
    """
    known = set(
        AuditLog.objects.filter(event_type=Event.ACCOUNT_ERASED).values_list(
            "metadata__receipt", flat=True
        )
    )
    waiting = User.objects.exclude(deletion_receipt="").values_list("deletion_receipt", flat=True)
    known |= set(waiting)
    told = [it for it in erasures if "account" in it.metadata]
    lost = [it for it in told if _receipt(it) and _receipt(it) not in known]
    AuditLog.objects.bulk_create(
        [
            AuditLog(
                event_type=it.kind, risk_level=Risk.HIGH, timestamp=it.at, metadata=it.metadata
            )
            for it in lost
        ],
        batch_size=_CHUNK,
    )
    done.proofs = len(lost)
