"""Stopping to accept connections before a process stops."""

import contextlib
import os
import signal
import socket
from pathlib import Path

STOP_ACCEPTING = signal.SIGUSR1
"""The signal on which a process accepts no further connection."""


def stop_accepting(*_: object) -> None:
    """Put a socket that nobody connects to in the place of each listening socket.

    Granian accepts until it stops, and then closes a connection whose request is still on its way.
    The other processes hold the same listening socket, and go on accepting from it.
    """
    for descriptor in _listening():
        with socket.create_server(("127.0.0.1", 0), backlog=1) as unused:
            unused.settimeout(0)
            os.dup2(unused.fileno(), descriptor, inheritable=False)


def _listening() -> list[int]:
    """Return the descriptors of the listening sockets; none where there is no /proc."""
    with contextlib.suppress(OSError):
        return [
            it for path in Path("/proc/self/fd").iterdir() if _is_listening(it := int(path.name))
        ]
    return []


def _is_listening(descriptor: int) -> bool:
    try:
        with socket.socket(fileno=os.dup(descriptor)) as copy:
            return bool(copy.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))
    except OSError:
        return False  # No socket, or closed meanwhile.
