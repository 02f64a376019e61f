"""Erasure of an account (GDPR, article 17). After a crash it can be run again."""

import contextlib
import hmac
import time
import uuid
from collections.abc import Callable, Iterable
from typing import Any

import structlog
from django.contrib.admin.models import LogEntry
from django.db import Error, connection
from django.db.models import QuerySet, TextField
from django.db.models.functions import Cast
from django.utils import timezone

from authentication.models import (
    AuditLog,
    BulkAction,
    EmailChange,
    FailedTask,
    Invitation,
    SensitiveChange,
    User,
    UsernameHold,
)
from authentication.services.acting import locked_account
from authentication.services.audit import Event, Risk, amend, audit_upkeep, record
from authentication.services.background import record_failed_task
from authentication.services.mail import delete_mail_files
from authentication.services.sign_in import forget_names
from authentication.utils.client import ClientInfo
from authentication.utils.crypto import digest, new_token, pseudonyms
from authentication.utils.error_reports import report
from authentication.utils.identifiers import canonical_email, canonical_username

from .admin_sessions import delete_admin_sessions

logger = structlog.get_logger(__name__)

# No statement takes long: the log may have millions of rows, and each is in several indexes.
_BATCH = 100


def erase(user_id: uuid.UUID, *, deadline: float | None = None) -> bool:
    """Erase an account; return False if it was restored or is already erased.

    Audit events stay, under a pseudonym: an HMAC of the user id under a random key of the account.
    The key is deleted with the account. From then on the events of one user can still be told
    from those of others, but not linked to the person.

    Raises OutOfTimeError after `deadline`, of the clock `time.monotonic`; the next call goes on.
    """
    user = User.objects.begin_erasure(user_id, key=new_token(), at=timezone.now())
    if user is None:
        return False
    try:
        _erase(user, deadline)
    except OutOfTimeError:
        User.objects.release_erasure(user_id)
        raise
    return True


def _reconnect() -> None:
    """Give up a connection that a fault of the database has ended."""
    if not connection.in_atomic_block:
        connection.close_if_unusable_or_obsolete()


def _erase(user: User, deadline: float | None) -> None:
    subject = hmac.digest(user.erasure_key.encode(), user.pk.bytes, "sha256").hex()[:32]
    _anonymize(AuditLog.objects.filter(user=user), subject, deadline)
    # Failed sign-ins by these names have no user. Some are older than the account, some were stored
    # before SECRET_KEY was rotated.
    names = _names_of(user)
    stored = [it for name in names for it in pseudonyms("identifier", name)]
    _anonymize(AuditLog.objects.of_names(stored), subject, deadline)
    _anonymize_actor(user.pk, subject, deadline)
    _blank_reasons(user, deadline)
    if user.last_login:
        delete_admin_sessions(user.pk)
    _delete_related(user)
    # Those to this person; in those that they sent they are forgotten with the row.
    Invitation.objects.filter(email_canonical__in=names).delete()
    forget_names(names, unlocked_at=user.unlocked_at, at=timezone.now())
    with locked_account(user.pk) as current, audit_upkeep():
        # Those of requests that came meanwhile.
        _anonymize(AuditLog.objects.filter(user=user), subject, None)
        _delete(current, subject)
    _truncate_journal()


class OutOfTimeError(Exception):
    """The erasure is not finished; it goes on later."""


def erase_each(user_ids: Iterable[uuid.UUID], *, deadline: float | None = None) -> int:
    """Erase accounts and return how many; one that cannot be erased stops no other.

    It is tried again after an hour, then after twice as long each time, up to a day, and staff see
    it among the failed tasks.

    Raises OutOfTimeError after `deadline`, as `erase` does.
    """
    erased = 0
    for pk in user_ids:
        try:
            erased += erase(pk, deadline=deadline)
        except OutOfTimeError:
            raise
        except User.DoesNotExist:
            continue  # Another process was taken for dead and finished.
        except Exception as error:
            logger.exception("erasure_failed", user=str(pk))
            report(error)
            with contextlib.suppress(Error):  # The row may be locked, which was the fault.
                _reconnect()
                User.objects.postpone_erasure(pk, at=timezone.now())
            _reconnect()
            record_failed_task("authentication.tasks.erase_account", [str(pk)], error=error)
    return erased


def _delete(user: User, subject: str) -> None:
    # Not both: the holder of the receipt, with the log, would find the events of the subject.
    receipt = user.deletion_receipt
    facts: dict[str, Any] = {"subject": subject}
    if receipt:
        # By the hash of its random id the erasure is repeated after the restore of a backup.
        facts = {"receipt": receipt, "account": digest(str(user.pk))}
    record(Event.ACCOUNT_ERASED, user_id=None, client=ClientInfo(), risk=Risk.HIGH, **facts)
    if user.email_verified or user.last_login:
        # As after a change of the name: a name that is free at once would reveal the deletion.
        # That of an account that was never used is free when the account is forgotten.
        UsernameHold.objects.leave(user.username, user_id=None, at=timezone.now())
    User.objects.filter(pk=user.pk).delete()


def _names_of(user: User) -> set[str]:
    """Return all addresses and usernames of an account, present and former, in canonical form.

    An address that was asked for and never confirmed may be another person's.
    """
    addresses = {user.email_canonical}
    for change in EmailChange.objects.filter(user=user, confirmed_at__isnull=False):
        addresses |= {change.old_email_canonical, change.new_email_canonical}
    names = {user.username_canonical}
    renamed = SensitiveChange.objects.filter(user=user, kind=SensitiveChange.Kind.USERNAME)
    names |= {canonical_username(change.details["from"]) for change in renamed}
    return addresses | names


def _anonymize(events: QuerySet[AuditLog], subject: str, deadline: float | None) -> None:
    """Remove all personal data from events."""
    blank: dict[str, Any] = {
        "user": None,
        "ip_address": None,
        "user_agent": "",
        "description": "",
        "correlation_id": "",
        "metadata": {"subject": subject},
    }

    def change(batch: list[AuditLog]) -> None:
        AuditLog.objects.filter(pk__in=[event.pk for event in batch]).update(**blank)
        for event in batch:
            for name, value in blank.items():
                setattr(event, name, value)

    _change_all(events, change, deadline)


def _anonymize_actor(user_id: uuid.UUID, subject: str, deadline: float | None) -> None:
    """Remove a member of staff from the events of other accounts: id, address and browser."""

    def change(batch: list[AuditLog]) -> None:
        for event in batch:
            event.metadata["actor"] = subject
            event.ip_address, event.user_agent, event.correlation_id = None, "", ""
        fields = ("metadata", "ip_address", "user_agent", "correlation_id")
        AuditLog.objects.bulk_update(batch, fields)

    _change_all(AuditLog.objects.of_actor(user_id), change, deadline)


def _blank_reasons(user: User, deadline: float | None) -> None:
    """Remove the reasons of bulk actions for a user and others: staff may have written a name."""

    def change(batch: list[AuditLog]) -> None:
        for event in batch:
            del event.metadata["reason"]
        AuditLog.objects.bulk_update(batch, ["metadata"])

    bulks = BulkAction.objects.filter(people__user=user).exclude(correlation_id="")
    for pk, correlation_id in bulks.values_list("pk", "correlation_id"):
        # The client chooses the correlation id: it finds the events, and the bulk action decides.
        events = AuditLog.objects.shown().filter(correlation_id=correlation_id)
        own = events.filter(metadata__bulk_id=str(pk), metadata__has_key="reason")
        _change_all(own, change, deadline)


def _change_all(
    events: QuerySet[AuditLog], change: Callable[[list[AuditLog]], None], deadline: float | None
) -> None:
    """Change events until no more are found, in batches that hold row locks only briefly."""
    while _change_batch(events, change):
        _check_time(deadline)


def _change_batch(events: QuerySet[AuditLog], change: Callable[[list[AuditLog]], None]) -> bool:
    with audit_upkeep():
        # Locked: another erasure may change the same event, as that of its actor.
        batch = list(events.select_for_update()[:_BATCH])
        if batch:
            change(batch)
            amend(batch)
    return bool(batch)


def _check_time(deadline: float | None) -> None:
    if deadline and time.monotonic() > deadline:
        raise OutOfTimeError


def _delete_related(user: User) -> None:
    FailedTask.objects.annotate(text=Cast("arguments", TextField())).filter(
        text__contains=str(user.pk)
    ).delete()
    # Admin actions are in our audit log. Django's LogEntry contains the name of the account.
    LogEntry.objects.filter(object_id=str(user.pk)).delete()
    # Staff may have written a name.
    BulkAction.objects.filter(people__user=user).update(reason="")
    changes = EmailChange.objects.filter(user=user).values_list("old_email", "new_email")
    delete_mail_files(
        {
            canonical_email(it)
            for it in (user.email, *(address for pair in changes for address in pair))
        }
    )


def _truncate_journal() -> None:
    """Remove what SQLite keeps of deleted rows in its write-ahead log."""
    if connection.vendor == "sqlite" and not connection.in_atomic_block:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
