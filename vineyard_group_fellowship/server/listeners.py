"""Stopping to accept connections before a process stops."""

import os
import signal
import socket
from pathlib import Path

STOP_ACCEPTING = signal.SIGUSR1
"""The signal on which a process accepts no further connection."""


def stop_accepting(*_: object) -> None:
    """Put a socket that nobody can connect to in the place of each listening socket.

    Granian accepts until it stops, and then closes a connection whose request is still on its way.
    The other processes hold the same listening socket, and go on accepting from it.
    """
    for descriptor in _listening():
        # Without a name and without a port, which others may want.
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as unused:
            unused.bind("")
            unused.listen(1)
            unused.settimeout(0)
            os.dup2(unused.fileno(), descriptor, inheritable=False)


def _listening() -> list[int]:
    """Return the descriptors of the listening sockets; none where there is no /proc."""
    try:
        descriptors = [int(path.name) for path in Path("/proc/self/fd").iterdir()]
    except OSError:
        return []
    return [descriptor for descriptor in descriptors if _is_listening(descriptor)]


def _is_listening(descriptor: int) -> bool:
    try:
        borrowed = socket.socket(fileno=descriptor)
    except OSError:
        return False  # No socket, or closed meanwhile.
    try:
        return bool(borrowed.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))
    except OSError:
        return False
    finally:
        borrowed.detach()
