"""Metrics of several processes: each keeps its counters in files, which /metrics adds up."""

import fcntl
import itertools
import os
import tempfile
from pathlib import Path
from typing import IO, Any

VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
_PREFIX = "metrics-of-"
# In memory: a process must not wait for a disk.
_MEMORY = Path("/dev/shm")  # noqa: S108 -- the folder's name is not predictable

_locks: list[IO[bytes]] = []


def folder_for_counters(named: str | None) -> str:
    """Return a new folder for this server in the one that is named; on reload, the same one."""
    default = _MEMORY if _MEMORY.is_dir() else tempfile.gettempdir()
    given = Path(named or default)
    if given.name.startswith(f"{_PREFIX}{os.getpid()}-"):
        return str(given)
    # A server that replaces another (SIGUSR2) inherits the variable with the other's folder.
    parent = given.parent if given.name.startswith(_PREFIX) else given
    parent.mkdir(parents=True, exist_ok=True)
    return tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=parent)


def claim_number(folder: str) -> int:
    """Return the lowest number that no running process of the server has claimed.

    The claim is a file lock, which the kernel releases when the process ends, however it ends.
    """
    for number in itertools.count():
        lock = Path(folder, f"process_{number}.lock").open("wb")  # noqa: SIM115 -- held until the end
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
        else:
            _locks.append(lock)
            return number
    raise AssertionError


def count_as(number: int) -> None:
    """Let this process continue the counters in the files of its number.

    By default each process has new files. Processes are replaced, so the files would grow in
    number, and every scrape reads them all. Call it before the first metric is defined.
    """
    from prometheus_client import values

    multi_process_value: Any = values.MultiProcessValue
    values.ValueClass = multi_process_value(lambda: number)
