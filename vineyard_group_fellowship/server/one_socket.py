"""Granian with one listening socket for all its processes."""

import os
import socket
import threading
import time
from typing import Any

from granian.net import SocketHolder
from granian.server.mp import MPServer

from .listeners import STOP_ACCEPTING

# A process is replaced after this time, which bounds memory leaks.
_LIFETIME_SECONDS = 6 * 3600
# So long may a request be on its way over a connection that was accepted.
_SETTLE_SECONDS = 1.0


class WakeUp(threading.Event):
    """What the server's loop waits for; once the server is to stop, it stays set.

    Granian clears it while it begins a reload: a signal to stop that came just then would be lost.
    """

    def __init__(self, server: MPServer) -> None:
        super().__init__()
        self._server = server

    def clear(self) -> None:
        super().clear()
        if self._server.interrupt_signal:
            self.set()


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

    def _respawn_workers(
        self, workers: list[int], spawn_target: Any, target_loader: Any, delay: float = 0
    ) -> None:
        """Replace processes one after the other; a signal to stop does not wait for the rest."""
        for index in workers:
            self.respawned_wrks[index] = time.monotonic()
            old, new = (
                self.wrks[index],
                self._spawn_worker(index, target=spawn_target, callback_loader=target_loader),
            )
            new.start()
            self.wrks[index] = new
            while (
                time.monotonic() < self.respawned_wrks[index] + delay and not self.interrupt_signal
            ):
                time.sleep(0.1)
            if old.is_alive():
                os.kill(old.inner.pid, STOP_ACCEPTING)
                time.sleep(_SETTLE_SECONDS)
            old.terminate()
            old.join(self.workers_kill_timeout)
            if old.is_alive():
                old.kill()
            if self.interrupt_signal:
                return

    def startup(self, spawn_target: Any, target_loader: Any) -> None:
        self.main_loop_interrupt = WakeUp(self)
        # Set only now: with it granian would warn that a replacement resets connections.
        self.workers_lifetime = _LIFETIME_SECONDS
        super().startup(spawn_target, target_loader)
