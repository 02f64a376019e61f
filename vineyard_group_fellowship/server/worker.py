"""The application of one process of the server."""

import multiprocessing
import os
import signal
import threading

from django.conf import settings

from authentication.utils.counters import claim_number, count_as

if settings.PROMETHEUS_MULTIPROC_DIR:
    # Before the application defines its metrics.
    count_as(claim_number(settings.PROMETHEUS_MULTIPROC_DIR))

from vineyard_group_fellowship.wsgi import application as wsgi

from .adapter import WsgiAdapter
from .listeners import STOP_ACCEPTING, stop_accepting


def _end_with_server() -> None:
    """Stop this process, as by SIGTERM, when the server's main process is gone."""
    if server := multiprocessing.parent_process():
        server.join()
        os.kill(os.getpid(), signal.SIGTERM)


signal.signal(STOP_ACCEPTING, stop_accepting)
threading.Thread(target=_end_with_server, name="server", daemon=True).start()

application = WsgiAdapter(
    wsgi, threads=settings.WEB_THREADS, body_limit=settings.DATA_UPLOAD_MAX_MEMORY_SIZE
)
