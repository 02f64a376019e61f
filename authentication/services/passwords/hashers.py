"""Argon2id with our parameters, no more at once than the memory allows, and imported bcrypt."""

import contextlib
import functools
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bcrypt
from django.conf import settings
from django.contrib.auth.hashers import Argon2PasswordHasher, BCryptPasswordHasher

from authentication.exceptions import ServiceUnavailable

_WAIT_SECONDS = 5.0


class ServiceArgon2Hasher(Argon2PasswordHasher):
    """Django's Argon2id hasher (RFC 9106), with the cost of the settings."""

    @property
    def time_cost(self) -> int:  # type: ignore[override]  # a constant there
        """Passes over the memory."""
        return int(settings.ARGON2_TIME_COST)

    @property
    def memory_cost(self) -> int:  # type: ignore[override]  # a constant there
        """Memory in KiB."""
        return int(settings.ARGON2_MEMORY_KIB)

    @property
    def parallelism(self) -> int:  # type: ignore[override]  # a constant there
        """Lanes."""
        return int(settings.ARGON2_PARALLELISM)

    def encode(self, password: str, salt: str) -> str:
        with _turn():
            return super().encode(password, salt)

    def verify(self, password: str, encoded: str) -> bool:
        with _turn():
            return super().verify(password, encoded)


class ImportedBCryptHasher(BCryptPasswordHasher):
    """Django's hasher of plain bcrypt, for imported hashes alone."""

    def encode(self, password: str, salt: Any) -> str:
        # bcrypt 5 refuses longer passwords. The versions that made these hashes cut them.
        data = bcrypt.hashpw(password.encode()[:72], salt)
        return f"{self.algorithm}${data.decode('ascii')}"


@contextlib.contextmanager
def _turn() -> Iterator[None]:
    turns = _turns()
    if not turns.acquire(timeout=_WAIT_SECONDS):
        raise ServiceUnavailable(retry_after=2)
    try:
        yield
    finally:
        turns.release()


@functools.cache
def _turns() -> threading.BoundedSemaphore:
    hashes = _memory_bytes() // 2 // (settings.ARGON2_MEMORY_KIB * 1024) // settings.WEB_CONCURRENCY
    return threading.BoundedSemaphore(max(1, hashes))


def _memory_bytes() -> int:
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    # A container's limit, where there is one, is smaller than its machine.
    limit = Path("/sys/fs/cgroup/memory.max")
    with contextlib.suppress(OSError, ValueError):
        return min(machine, int(limit.read_text(encoding="ascii")))
    return machine
