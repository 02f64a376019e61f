"""Starts the web server: `python -m vineyard_group_fellowship.server`."""

import multiprocessing
import os
import shutil
import socket
from typing import Any

from granian.constants import HTTPModes, Interfaces, Loops, RuntimeModes
from granian.http import HTTP1Settings
from granian.net import SocketHolder
from granian.server.mp import MPServer

from authentication.utils.counters import VARIABLE, folder_for_counters

from .limits import DRAIN_SECONDS, HEADER_SECONDS, MAX_HEAD, connections, processes

_BACKLOG = 2048
# A process is replaced after this time, which bounds memory leaks.
_LIFETIME_SECONDS = 6 * 3600
# A new process has this long to start before the one that it replaces stops.
_START_SECONDS = 8


class OneSocketServer(MPServer):
    """Granian with one listening socket for all its processes.

    On Linux each process would have a socket of its own. When a process is replaced, the kernel
    would reset the connections that wait in its socket.
    """

    def _init_shared_socket(self) -> None:
        listener = socket.create_server((self.bind_addr, self.bind_port), backlog=self.backlog)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        listener.set_inheritable(True)
        self._sso, self._sfd = listener, listener.fileno()
        self._ssp, self._shd = (
            None,
            SocketHolder(listener.fileno(), uds=False, backlog=self.backlog),
        )

    def startup(self, spawn_target: Any, target_loader: Any) -> None:
        # Set only now: with it granian would warn that a replacement resets connections.
        self.workers_lifetime = _LIFETIME_SECONDS
        super().startup(spawn_target, target_loader)


def main() -> None:
    """Serve until SIGTERM; SIGHUP replaces the processes one after the other."""
    folder = os.environ[VARIABLE] = folder_for_counters()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vineyard_group_fellowship.settings")
    # Refuses wrong settings, and reads .env.
    from django.conf import settings

    os.environ["WEB_CONCURRENCY"] = str(processes())
    # Threads and connections do not survive a fork.
    multiprocessing.set_start_method("spawn")
    server = OneSocketServer(
        "vineyard_group_fellowship.server.worker:application",
        address="0.0.0.0",  # noqa: S104 -- the container's or the proxy's network decides
        port=settings.PORT,
        interface=Interfaces.ASGINL,
        loop=Loops.asyncio,
        runtime_mode=RuntimeModes.st,
        http=HTTPModes.http1,
        websockets=False,
        http1_settings=HTTP1Settings(
            header_read_timeout=HEADER_SECONDS * 1000, max_buffer_size=MAX_HEAD
        ),
        workers=processes(),
        backlog=_BACKLOG,
        backpressure=connections(),
        log_dictconfig=settings.LOGGING,
        respawn_failed_workers=True,
        respawn_interval=_START_SECONDS,
        workers_kill_timeout=DRAIN_SECONDS,
    )
    try:
        server.serve()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
