"""What gunicorn takes from the service: its logs, and how a worker ends."""

import ctypes
import logging.config
import os
import select
import socket
from typing import Any

import structlog
from django.conf import settings
from gunicorn.glogging import Logger
from gunicorn.workers.gthread import ThreadWorker

from authentication.utils.client import LOG_FIELDS_KEY, client_address

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vineyard_group_fellowship.settings")


class ServerLogger(Logger):
    """Gunicorn's logs through the service's pipeline, each request one event without its query string."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        logging.config.dictConfig(settings.LOGGING)
        for log in (self.error_log, self.access_log):
            log.handlers, log.propagate = [], True

    def access(self, resp: Any, req: Any, environ: dict[str, Any], request_time: Any) -> None:
        headers = {name.lower(): value for name, value in resp.headers}
        structlog.get_logger("gunicorn.access").info(
            "request",
            method=environ.get("REQUEST_METHOD"),
            path=environ.get("PATH_INFO"),
            status=int(str(resp.status).split(" ", maxsplit=1)[0]),
            bytes=getattr(resp, "sent", None),
            milliseconds=round(request_time.total_seconds() * 1000, 1),
            correlation_id=headers.get("x-correlation-id"),
            **(environ.get(LOG_FIELDS_KEY) or _address_alone(environ)),
        )


def _address_alone(environ: dict[str, Any]) -> dict[str, str]:
    """Return what is known of a request that the server itself refuses."""
    address = client_address(environ)
    return {"address": str(address)} if address else {}


class DrainingWorker(ThreadWorker):
    """Gunicorn's threaded worker, which takes in what waits at the door before it closes it.

    Its own leaves the door ajar while it finishes: whoever knocks then is let in by nobody, and in
    the end thrown out.
    """

    def set_accept_enabled(self, enabled: bool) -> None:  # noqa: FBT001 -- gunicorn's signature
        super().set_accept_enabled(enabled)
        if enabled or self.alive:
            return
        for listener in self.sockets:
            while not _closed_if_nobody_waits(listener):
                self.accept(listener)


class _PollFd(ctypes.Structure):
    """What poll(2) asks about."""

    _fields_ = (("fd", ctypes.c_int), ("events", ctypes.c_short), ("revents", ctypes.c_short))


# Called with the interpreter's lock held: between a look at the door and its closing no thread of
# ours may run. The milliseconds until it gives the lock back are enough for somebody to come, whom
# the kernel then resets.
_libc = ctypes.PyDLL(None)


def _closed_if_nobody_waits(listener: socket.socket) -> bool:
    """Close a listening socket unless a connection waits in it."""
    asked = _PollFd(listener.fileno(), select.POLLIN, 0)
    if _libc.poll(ctypes.byref(asked), ctypes.c_ulong(1), 0) or _libc.close(asked.fd):
        return False
    listener.detach()
    return True
