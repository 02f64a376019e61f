"""Signals to the server that come at the same moment."""

import threading

from vineyard_group_fellowship.server.one_socket import OneSocketServer, WakeUp


class _Server(OneSocketServer):
    """The loop of the server without its processes; a stop comes while a reload begins."""

    def __init__(self) -> None:
        self.interrupt_signal, self.reload_signal = False, False
        self.lifetime_signal, self.rss_signal = False, False
        self.interrupt_children: list[int] = []
        self.workers, self.env_files = 1, ()
        self.respawned_wrks: dict[int, float] = {}
        self.hooks_reload: list[object] = []
        self.respawn_interval = 0.0
        self.main_loop_interrupt = WakeUp(self)

    @property
    def reload_signal(self) -> bool:
        return self._reload_signal

    @reload_signal.setter
    def reload_signal(self, value: bool) -> None:
        if self.__dict__.get("_reload_signal") and not value:
            self.signal_handler_interrupt()
        self._reload_signal = value

    def _env_loader(self, *_: object) -> None: ...

    def _respawn_workers(self, *_: object, **__: object) -> None: ...


def test_a_stop_that_comes_while_a_reload_begins_is_not_lost() -> None:
    server = _Server()
    server.signal_handler_reload()
    loop = threading.Thread(target=server._serve_loop, args=(None, None), daemon=True)

    loop.start()
    loop.join(5)

    assert not loop.is_alive()
