"""The file of places, in MaxMind's format: mapped, not read into memory, and replaced at run time.

A file that takes its place by a rename is opened at the next look-up; until it can be opened, the
one before serves. A file that is written over in place must not be read any more: the kernel ends a
process that reads a mapped page which is gone (SIGBUS). Until it can be opened again, no place is
known.
"""

import contextlib
import dataclasses
import datetime as dt
import os
import threading
import time
import weakref
from pathlib import Path
from typing import Any

import maxminddb
import structlog

logger = structlog.get_logger(__name__)

UNREADABLE = (OSError, ValueError, maxminddb.InvalidDatabaseError)
"""What opening or reading a file of places raises."""

_RETRY_SECONDS = 5.0
Stamp = tuple[int, int, int]


class ChangedError(OSError):
    """The file was replaced while it was opened."""


@dataclasses.dataclass(frozen=True)
class _Opened:
    """A mapped file, a descriptor of the same file, and its stamp when it was opened."""

    reader: maxminddb.Reader
    descriptor: int
    stamp: Stamp

    def __post_init__(self) -> None:
        # Other threads may still read the mapped file: both are closed with the last reference.
        weakref.finalize(self, os.close, self.descriptor)

    def is_intact(self) -> bool:
        """Return whether the mapped file is as it was, whatever is at its path now."""
        return _stamp(os.fstat(self.descriptor)) == self.stamp


class PlacesFile:
    """A file of places at a path; threads share it. No fault of the file is raised."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._opened: _Opened | None = None
        self._refused: Stamp | None = None
        self._retry_at = 0.0

    def look_up(self, address: str) -> Any:
        """Return what the file says about an IP address; None if that is nothing."""
        reader = self._reader()
        if reader is None:
            return None
        try:
            return reader.get(address)
        except maxminddb.InvalidDatabaseError:
            logger.warning("places_file_corrupt", path=str(self._path))
        except ValueError:
            pass  # An IPv6 address, in a file of IPv4 addresses.
        return None

    def _reader(self) -> maxminddb.Reader | None:
        stamp, opened = self._stamp_now(), self._opened
        if opened and opened.stamp == stamp:
            return opened.reader
        with self._lock:
            opened = self._opened
            if stamp and not (opened and opened.stamp == stamp):
                opened = self._opened = self._open(stamp) or opened
        return opened.reader if opened and opened.is_intact() else None

    def _stamp_now(self) -> Stamp | None:
        with contextlib.suppress(OSError):
            return _stamp(self._path.stat())
        return None

    def _open(self, stamp: Stamp) -> _Opened | None:
        if stamp == self._refused or time.monotonic() < self._retry_at:
            return None
        try:
            return _open(self._path)
        except UNREADABLE as error:
            self._retry_at = time.monotonic() + _RETRY_SECONDS
            if not isinstance(error, ChangedError):
                self._refused = stamp
                fault = type(error).__name__
                logger.warning("places_file_unreadable", path=str(self._path), fault=fault)
        return None


def built_at(path: Path) -> dt.datetime:
    """Return when a file of places was made; raises one of UNREADABLE if it cannot be read."""
    built = _open(path).reader.metadata().build_epoch
    return dt.datetime.fromtimestamp(built, dt.UTC)


def _open(path: Path) -> _Opened:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        stamp = _stamp(os.fstat(descriptor))
        reader = maxminddb.open_database(path)
        if _stamp(path.stat()) != stamp:
            raise ChangedError
    except BaseException:
        os.close(descriptor)
        raise
    return _Opened(reader, descriptor, stamp)


def _stamp(status: os.stat_result) -> Stamp:
    return status.st_ino, status.st_size, status.st_mtime_ns
