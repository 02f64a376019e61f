"""Seals of the audit log: each covers the events since the seal before, and names that seal."""

import datetime as dt
import hashlib
import uuid
from collections.abc import Iterable, Iterator
from typing import Any, ClassVar, Self

from django.db import models
from django.db.models import Q
from django.utils import timezone

from authentication.utils.crypto import pseudonym, pseudonyms
from authentication.utils.keys import newest_secret_key_id

ID_BYTES = DIGEST_BYTES = 16
_ENTRY_BYTES = ID_BYTES + DIGEST_BYTES
Entries = dict[uuid.UUID, bytes]
"""The digests of events by their ids."""


class KeyedQuerySet(models.QuerySet[Any]):
    """Rows with a MAC."""

    def with_older_key(self) -> Self:
        """Return the rows with a MAC under another key than the newest."""
        return self.exclude(key_id=newest_secret_key_id())


class Keyed(models.Model):
    """A row with an HMAC under SECRET_KEY: who can write to the database alone cannot make one."""

    mac = models.CharField(max_length=64, editable=False)
    key_id = models.CharField(max_length=12, editable=False)

    objects: ClassVar[Any] = KeyedQuerySet.as_manager()

    class Meta:
        abstract = True

    def signed_text(self) -> str:
        """Return what the MAC is of."""
        raise NotImplementedError

    def sign(self) -> Self:
        """Set the MAC, under the newest key."""
        self.mac = pseudonym("audit", self.signed_text())
        self.key_id = newest_secret_key_id()
        return self

    def is_authentic(self) -> bool:
        """Return whether the MAC is right, under any key of the settings."""
        return self.mac in pseudonyms("audit", self.signed_text())


class AuditSeal(Keyed):
    """The digests of a batch of events, in the order of their times and ids.

    Failed sign-ins by names without an account stand apart: of these only the newest are kept.
    """

    number = models.PositiveBigIntegerField(primary_key=True)
    after_at = models.DateTimeField()
    after_id = models.UUIDField()
    until_at = models.DateTimeField()
    until_id = models.UUIDField()
    events = models.PositiveIntegerField()
    entries = models.BinaryField()
    failures = models.BinaryField()
    failure_count = models.PositiveIntegerField()
    failures_digest = models.CharField(max_length=64)
    failures_deleted = models.BooleanField(default=False)
    previous = models.CharField(max_length=64, blank=True)
    digest = models.CharField(max_length=64)
    sealed_at = models.DateTimeField(default=timezone.now)
    mailed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = (
            models.Index(fields=["until_at"], name="audit_seal_until"),
            # For the newest one that was mailed.
            models.Index(
                fields=["number"], name="audit_seal_mailed", condition=Q(mailed_at__isnull=False)
            ),
        )

    def __str__(self) -> str:
        return f"{self.number}:{self.digest}"

    def computed_digest(self) -> str:
        """Return the digest of the seal's content and of the seal before."""
        parts = (
            self.previous,
            str(self.number),
            _position(self.after_at, self.after_id),
            _position(self.until_at, self.until_id),
            _time(self.sealed_at),
            hashlib.sha256(self.entries).hexdigest(),
            self.failures_digest,
        )
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    def is_intact(self) -> bool:
        """Return whether digest, MAC and stored failures belong together."""
        failures = hashlib.sha256(self.failures).hexdigest()
        has_failures = self.failures_deleted or failures == self.failures_digest
        return has_failures and self.digest == self.computed_digest() and self.is_authentic()

    def signed_text(self) -> str:
        return f"seal {self.digest} {self.failures_deleted}"

    def digests(self) -> Entries:
        """Return the digests of the events that must be there."""
        return dict(_unpacked(self.entries)) | self.failure_digests()

    def failure_digests(self) -> Entries:
        """Return those of the failures by names without an account."""
        return dict(_unpacked(self.failures))


class AuditAmendment(Keyed):
    """The new digest of an event that was changed after it was sealed, by an erasure."""

    id = models.UUIDField(primary_key=True)
    digest = models.CharField(max_length=32)

    def __str__(self) -> str:
        return str(self.pk)

    def signed_text(self) -> str:
        return f"amendment {self.pk} {self.digest}"


def packed(entries: Iterable[tuple[uuid.UUID, bytes]]) -> bytes:
    """Return ids and digests as a seal stores them."""
    return b"".join(pk.bytes + digest for pk, digest in entries)


def _unpacked(stored: bytes | memoryview) -> Iterator[tuple[uuid.UUID, bytes]]:
    text = bytes(stored)
    for start in range(0, len(text), _ENTRY_BYTES):
        entry = text[start : start + _ENTRY_BYTES]
        yield uuid.UUID(bytes=entry[:ID_BYTES]), entry[ID_BYTES:]


def _position(at: dt.datetime, pk: uuid.UUID) -> str:
    return f"{_time(at)} {pk}"


def _time(at: dt.datetime) -> str:
    return at.astimezone(dt.UTC).isoformat(timespec="microseconds")
